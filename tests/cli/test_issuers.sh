#!/bin/bash
# test_issuers.sh: one CA with two issuers in one database. Claims and pace are the CA's; canaries, the CRL and its proof
# are each issuer's own: while the CRL of one cannot be seen, only its own certificates wait.
. "$(dirname "$0")/lib.bash"
new_ca one 40 3 --seed 1
"$program" ca new two --count 40 --subscribers 3 --seed 2 >/dev/null 2>&1 || exit 1
certdb
key_of() { openssl x509 -in "$1/ca.pem" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :' | tr A-F a-f; }
for ca in one two; do serials $ca 1 40 | issued "$(key_of $ca)"; done
issuer() {
    echo "{ certificate_file = \"../$1/ca.pem\"; crl = \"http://crl-$1.demo-ca.example/ca.crl\"; key_file = \"../$1/private/ca.key\";"
    echo "  crl_number_file = \"../$1/crlnumber\"; crl_file = \"../$1/pub/ca.crl\"; }"
}
{
    echo 'version = 1;'
    echo "ca = { name = \"both\"; backend = \"sql\"; profile = \"certdb\"; conninfo = \"host=$base user=massrevoke dbname=certdb\"; rate = \"200/s\";"
    echo "  issuers = ( $(issuer one), $(issuer two) ); };"
    echo 'approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },'
    echo '  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../two/approvers/alice.crt"; } ); };'
    echo 'mail = { from = "revocation@ca.example"; spool_dir = "spool"; };'
    echo 'fetch = { map = ( { url = "http://crl-one.demo-ca.example/"; folder = "pub"; },'
    echo '  { url = "http://crl-two.demo-ca.example/"; folder = "../two/edge"; } ); };'
} >one/both.cfg
export MASSREVOKE_CONFIG=$work/one/both.cfg
cp -r two/pub two/edge # what outsiders see of the second CRL: the first, empty one
ends 0 "the configuration" config check

sed 's/^canary = 0;.*/canary = 6; canary_wait = "4h";/' "$here/../../plans/profiles/immediate.cfg" >canaries.cfg
ends 0 "open" open both --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile canaries.cfg
ready both one two

revoked() { sql "SELECT count(*) FROM certificates WHERE status = 'revoked' AND authority_key_identifier = '$(key_of "$1")'"; }
published() { m status --json 2>/dev/null | sed -n '/"totals"/,/}/s/.*"revoked": \([0-9]*\).*/\1/p' | head -n 1; }
"$program" run >run.log 2>&1 </dev/null &
runner=$!
background+=($runner)
for _ in $(seq 100); do
    [ "$(published)" = 40 ] && break
    sleep 0.3
done
[ "$(published)" = 40 ]
verdict $? "all of the first issuer are published"
waits=$(revoked two)
[ "$waits" -gt 0 ] && [ "$waits" -le 6 ]
verdict $? "of the second one only canaries went ($waits of 40)"
[ "$(openssl crl -inform DER -in two/pub/ca.crl -text -noout | grep -c 'Serial Number')" = "$waits" ]
verdict $? "its CRL lists them, where nobody sees it"
rm -r two/edge && ln -s pub two/edge
wait $runner
verdict $? "the engine ends 0 when the second CRL is seen"
[ "$(published) $(revoked one) $(revoked two)" = "80 40 40" ]
verdict $? "everything is published"
for ca in one two; do
    openssl crl -inform DER -in $ca/pub/ca.crl -noout -CAfile $ca/ca.pem 2>&1 | grep -q OK &&
        [ "$(openssl crl -inform DER -in $ca/pub/ca.crl -text -noout | grep -c Superseded)" = 40 ]
    verdict $? "the CRL of $ca is its own and lists its forty"
done
m evidence verify >out 2>&1
verdict $? "the record is whole"
finish
