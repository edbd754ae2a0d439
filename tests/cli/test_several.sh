#!/bin/bash
# test_several.sh: one campaign over two CAs. One that is away keeps neither the other's certificates nor its CRL; when
# it is back, its own follow. Each is proved from the CRL of its own issuer.
. "$(dirname "$0")/lib.bash"
new_ca one 12 3 --seed 1
"$program" ca new two --count 9 --subscribers 3 --seed 2 >/dev/null 2>&1 || exit 1
sed 's|http://crl.demo-ca.example/|http://crl2.demo-ca.example/|' two/massrevoke.cfg >second.cfg
# the second CA's group goes beside the first one's
group() { sed -n '/^ca = {/,/^};/p' "$1" | sed '1s/.*/{/; $s/.*/}/'; }
{
    sed -n '1,/^demo/p' one/massrevoke.cfg
    echo 'cas = ('
    group one/massrevoke.cfg | sed 's/name = "demo"/name = "one"/'
    echo ','
    group second.cfg | sed 's/name = "demo"/name = "two"/; s|directory = "."|directory = "../two"|; s|"ca.pem"|"../two/ca.pem"|'
    echo ');'
    sed '1,/^};/d' one/massrevoke.cfg | sed 's|folder = "pub"; }|&, { url = "http://crl2.demo-ca.example/"; folder = "../two/pub"; }|'
} >one/both.cfg
export MASSREVOKE_CONFIG=$work/one/both.cfg
ends 0 "the configuration of both" config check

m open both --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate --as olga >/dev/null
cut -f4 one/index.txt >one.txt
cut -f4 two/index.txt >two.txt
ends 0 "the list of one" import one.txt --serials hex --issuer one/ca.pem --as olga
ends 0 "the list of the other" import two.txt --serials hex --issuer two/ca.pem --as olga
sed 's/^"[^"]*",//; 1s/^issuer,//' one/inventory.csv >one.csv
sed 's/^"[^"]*",//; 1s/^issuer,//; s|crl.demo-ca|crl2.demo-ca|' two/inventory.csv >two.csv
ends 0 "the inventory of one" inventory one.csv --issuer one/ca.pem --as olga
ends 0 "the inventory of the other" inventory two.csv --issuer two/ca.pem --as olga
ends 0 "plan" plan --as olga
ends 0 "approve" approve --key one/approvers/alice.key --cert one/approvers/alice.crt
ends 0 "start" start --confirm both --as olga

mv two/index.txt away.txt
"$program" run >run.log 2>&1 </dev/null &
runner=$!
background+=($runner)
for _ in $(seq 100); do
    m status --json >now 2>/dev/null
    [ "$(sed -n '/"totals"/,/}/s/.*"revoked": \([0-9]*\).*/\1/p' now | head -n 1)" = 12 ] && break
    sleep 0.3
done
is() { [ "$(sed -n '/"totals"/,/}/s/.*"'"$1"'": \([0-9]*\).*/\1/p' now | head -n 1)" = "$2" ]; verdict $? "$3"; }
is revoked 12 "all of the one are published while the other is away"
is not_revoked 9 "none of the other's moved"
grep -q 'two/.*index.txt: No such' run.log || sed 's/^/    /' run.log
grep -q 'two/.*index.txt: No such' run.log
verdict $? "the engine names what is away"
mv away.txt two/index.txt
wait $runner
verdict $? "the engine ends 0 when all are settled"
m status --json >now
is revoked 21 "everything is published"
[ "$(grep -c '^R' one/index.txt) $(grep -c '^R' two/index.txt)" = "12 9" ]
verdict $? "each CA revoked its own"
for ca in one two; do
    openssl crl -inform DER -in $ca/pub/ca.crl -noout -CAfile $ca/ca.pem >/dev/null 2>err && grep -q OK err
    verdict $? "the CRL of $ca is its own"
done
m evidence verify >out 2>&1
verdict $? "the record is whole"
finish
