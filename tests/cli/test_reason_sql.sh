#!/bin/bash
# test_reason_sql.sh: the same before a CA's own database (cfssl's tables): the date of a compromise is written, another
# reason leaves the first date, a profile that can't change reasons is refused, and an engine that dies in between is
# relieved without any harm.
. "$(dirname "$0")/lib.bash"
demo demo --count 20 --subscribers 2
certdb
serials demo 1 20 >all.txt
issued '' <all.txt
row() { sql "SELECT status, reason, extract(epoch FROM revoked_at)::bigint FROM certificates WHERE serial_number = hex('$1')"; }

signer carol
sed -e "s|^demo = true;||; s|backend = \"ca_openssl\";|backend = \"sql\"; profile = \"certdb\"; authority_key = \"none\"; conninfo = \"host=$base user=massrevoke dbname=certdb\";|" \
    -e 's|directory = "\.";||; s|certificate_file = "ca.pem";|certificate_file = "ca.pem"; key_file = "private/ca.key"; crl_number_file = "crlnumber"; crl_file = "pub/ca.crl";|' \
    -e 's|{ name = "bob"|{ name = "carol"; certificate_file = "../carol.crt"; },\n        { name = "bob"|' demo/massrevoke.cfg >demo/sql.cfg
export MASSREVOKE_CONFIG=$work/demo/sql.cfg
ends 0 "the configuration" config check
bob="--key demo/approvers/bob.key --cert demo/approvers/bob.crt"

# ---- a date with the first revocation
compromised=$(ago '2 days')
head -n 2 all.txt >keys.txt
{ m open keys --rule 4.9.1.1-3 --received "$(ago '1 hour')" --profile immediate && m import keys.txt --serials hex &&
    m inventory demo/inventory.csv && m plan --compromised-at "$compromised" && m approve $bob && m start --confirm keys; } >log 2>&1 || { cat log; failed=1; }
timeout 60 "$program" run >out 2>err </dev/null
verdict $? "run"
for serial in $(cat keys.txt); do
    [ "$(row "$serial")" = "revoked|1|$(date -d "$compromised" +%s)" ]
    verdict $? "$serial is dated as the compromise"
done

# ---- another reason, the first date kept
sed -n 3,8p all.txt >batch.txt
{ m open batch --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate && m import -c batch batch.txt --serials hex &&
    m plan -c batch && m approve -c batch $bob && m start -c batch --confirm batch && timeout 60 "$program" run -c batch; } >log 2>&1 </dev/null || { cat log; failed=1; }
for serial in $(cat batch.txt); do echo "$serial $(row "$serial")"; done >before
[ "$(grep -c 'revoked|4|' before)" = 6 ]
verdict $? "all are revoked as superseded"
sed '/^change = /d' "$here/../../plans/backends/certdb.cfg" >nochange.cfg
sed "s|profile = \"certdb\"|profile = \"$work/nochange.cfg\"|" demo/sql.cfg >demo/nochange.cfg
# shellcheck disable=SC2046
MASSREVOKE_CONFIG=$work/demo/nochange.cfg ends 5 "a profile that can't" reason $(cat batch.txt) --to keyCompromise --reason x -c batch
says err 'massrevoke reason export' "names the way by the administrator"
# shellcheck disable=SC2046
ends 0 "a change" reason $(cat batch.txt) --to keyCompromise --reason "one key for all" -c batch --json
# shellcheck disable=SC2086
ends 0 "approve" approve "$(field out request)" -c batch $bob
# an engine that dies while the CA's database keeps it waiting: the row of the third is locked
{ echo "BEGIN; SELECT 1 FROM certificates WHERE serial_number = hex('$(sed -n 3p batch.txt)') FOR UPDATE;"; sleep 4; echo 'COMMIT;'; } |
    psql -X -q -At -h "$base" -U massrevoke -d certdb >/dev/null 2>&1 &
holder=$!
sleep 0.5
"$program" run -c batch >out 2>err </dev/null &
engine=$!
sleep 2
kill -9 $engine
wait $engine 2>/dev/null
m reason list -c batch >list
says list 'under way' "it died with the change under way"
wait $holder
# asked again only when no request can still be executed
begun=$(date +%s)
timeout 120 "$program" run -c batch >out 2>err </dev/null
verdict $? "the next engine ends it"
[ $(($(date +%s) - begun)) -ge 50 ]
verdict $? "after the quiet time"
while read -r serial was; do
    [ "$(row "$serial")" = "revoked|1|${was##*|}" ]
    verdict $? "$serial: the new reason, the first date"
done <before
[ "$(openssl crl -inform DER -in demo/pub/ca.crl -text -noout | grep -cF 'Key Compromise')" = 8 ]
verdict $? "and so says the published CRL"
ends 0 "the list" reason list -c batch
says out '6 shown: shown' "all were seen"
ends 0 "the evidence verifies" evidence verify -c batch
finish
