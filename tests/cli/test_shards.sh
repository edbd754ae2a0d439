#!/bin/bash
# test_shards.sh: an issuer with three CRLs. Each is signed out of the CA's database, carries its URL in a critical
# issuingDistributionPoint and proves only the certificates that name it; together they are the full list.
. "$(dirname "$0")/lib.bash"
new_ca one 30 3 --seed 1
certdb
sql "ALTER TABLE certificates ADD crl_url text"
serials one 1 30 | issued ''
url=http://crl-one.demo-ca.example
# every third certificate names another CRL, in the inventory and in the CA's database; $n is the serial's column
awk -F, -v OFS=, 'NR > 1 { sub("/ca.crl", "/" NR % 3 ".crl") } 1' one/inventory.csv >sharded.csv && mv sharded.csv one/inventory.csv
sql "$(sed -n 's/^"[^"]*",\([0-9A-F]*\),.*demo-ca.example\(\/[0-2].crl\).*/\1 \2/p' one/inventory.csv |
    while read -r serial name; do echo "UPDATE certificates SET crl_url = '$url$name' WHERE serial_number = hex('$serial');"; done)"
[ "$(sql "SELECT count(*) || ' ' || count(DISTINCT crl_url) FROM certificates WHERE crl_url IS NOT NULL")" = "30 3" ]
verdict $? "thirty certificates name three CRLs"
sed '/^revoked = /s/ FROM certificates/, crl_url&/' "$here/../../plans/backends/certdb.cfg" >sharded.cfg
shards() { for k in "$@"; do echo "{ url = \"$url/$k.crl\"; crl_file = \"pub/$k.crl\"; }"; done | paste -sd ,; }
configure() { # configure SHARD...
    echo 'version = 1;'
    echo "ca = { backend = \"sql\"; profile = \"$work/sharded.cfg\"; authority_key = \"none\"; rate = \"200/s\";"
    echo "  conninfo = \"host=$base user=massrevoke dbname=certdb\";"
    echo '  issuers = ( { certificate_file = "ca.pem"; key_file = "private/ca.key"; crl_number_file = "crlnumber";'
    echo "    crl_shards = ( $(shards "$@") ); } ); };"
    echo 'approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },'
    echo '  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../carol.crt"; } ); };'
    echo 'mail = { from = "revocation@ca.example"; spool_dir = "spool"; };'
    echo "fetch = { map = ( { url = \"$url/\"; folder = \"pub\"; } ); };"
}
signer carol
configure 0 1 1 >one/twice.cfg
MASSREVOKE_CONFIG=$work/one/twice.cfg ends 3 "a URL given twice" config check
says out 'another shard' "says what is wrong"
configure 0 1 >one/two.cfg
configure 0 1 2 >one/three.cfg
export MASSREVOKE_CONFIG=$work/one/three.cfg
ends 0 "the configuration" config check
ends 0 "open" open all --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate
ready all one

# ---- a shard is missing: nothing is placed, so nothing is claimed
MASSREVOKE_CONFIG=$work/one/two.cfg timeout 5 "$program" run >two.log 2>&1 </dev/null
says two.log "$url/2.crl" "the CRL that nobody named is told"
[ "$(sql "SELECT count(*) FROM certificates WHERE status = 'revoked'")" = 30 ]
verdict $? "the CA has revoked"
ls one/pub/[0-2].crl >/dev/null 2>&1
[ $? != 0 ]
verdict $? "no list was placed"
m status --json >out 2>err
[ "$(field out revoked)" = 0 ]
verdict $? "and status claims none"

# ---- with all three
timeout 60 "$program" run >run.log 2>&1 </dev/null
verdict $? "the engine ends 0 when all three were seen"
m status --json >out 2>err
[ "$(field out revoked)" = 30 ]
verdict $? "everything is published"
for k in 0 1 2; do
    ends 0 "$k.crl has no error" verify --crl one/pub/$k.crl --issuer one/ca.pem
    openssl crl -inform DER -in one/pub/$k.crl -text -noout -CAfile one/ca.pem >$k.txt 2>&1
    grep -q 'verify OK' $k.txt && grep -A 3 'Issuing Distribution Point: critical' $k.txt | grep -qF "URI:$url/$k.crl"
    verdict $? "openssl reads its critical point"
    [ "$(grep -c 'Serial Number' $k.txt)" = 10 ]
    verdict $? "and its ten certificates"
done
sed -n 's/.*Serial Number: //p' [0-2].txt | sort >listed
serials one 1 30 | sort | cmp -s - listed
verdict $? "together they list the thirty, each once"
m evidence verify >out 2>&1
verdict $? "the record is whole"
finish
