#!/bin/bash
# test_live.sh: a live campaign by hand, with an OCSP responder, judged by the stock tools alone: exactly the listed
# serials are revoked with reason superseded, a neighbour is not.
# The responder of OpenSSL 3.0 listens on every address: where it is allowed, all of this runs in a network of its own.
if [ -z "${MASSREVOKE_TEST_NET:-}" ] && unshare -n true 2>/dev/null && command -v ip >/dev/null; then
    # shellcheck disable=SC2016
    MASSREVOKE_TEST_NET=1 exec unshare -n sh -c 'ip link set lo up && exec bash "$@"' - "$0" "$@"
fi
. "$(dirname "$0")/lib.bash"
port=$((20000 + $$ % 20000))
new_ca demo 30 4 --ocsp "http://127.0.0.1:$port"
# A connection that asks nothing ends this responder, so nothing probes it; what asks comes again.
openssl ocsp -index demo/index.txt -CA demo/ca.pem -rsigner demo/ca.pem -rkey demo/private/ca.key -ndays 1 \
    -port "$port" >responder.log 2>&1 </dev/null &
background+=($!)

serials demo 1 12 >list.txt
neighbour=$(serials demo 13 1)
ask() { # ask SERIAL: what the responder says; the first answer after a change of the index is the old one
    openssl ocsp -issuer demo/ca.pem -CAfile demo/ca.pem -serial "0x$1" -url "http://127.0.0.1:$port" -no_nonce 2>&1
}
for _ in $(seq 50); do ask "$neighbour" >out; grep -q ': good' out && break; sleep 0.1; done
says out ': good' "the responder answers"
number() { openssl crl -inform DER -in "$1" -noout -crlnumber | sed 's/.*=//; s/^0x//'; }
before=$(number demo/pub/ca.crl)

ends 0 "open" open live --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate --bug 1
ends 0 "import" import --serials hex list.txt
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "contacts" contacts demo/contacts.csv
ends 0 "plan" plan
ends 0 "request show" request show
ends 0 "approve" approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt
ends 0 "start" start --confirm live
timeout 60 "$program" run >out 2>err </dev/null
code=$?
[ $code = 0 ]
verdict $? "run settles everything (exit 0)"
[ $code = 0 ] || { echo "    exit $code"; tail -n 8 out err responder.log; }

# the CRL that anybody would fetch
openssl crl -inform DER -in demo/pub/ca.crl -text -noout >crl.txt 2>err
openssl crl -inform DER -in demo/pub/ca.crl -CAfile demo/ca.pem -noout 2>verify.txt
says verify.txt 'verify OK' "the CRL is signed by the CA"
sed -n 's/^ *Serial Number: //p' crl.txt | sort >revoked.txt
sort list.txt | cmp -s - revoked.txt
verdict $? "the CRL names exactly the listed serials"
[ "$(grep -cF 'Superseded' crl.txt)" = 12 ]
verdict $? "each with reason superseded"
says crl.txt 'Authority Key Identifier' "it has an AKI"
[ "$((16#$(number demo/pub/ca.crl)))" -gt "$((16#$before))" ]
verdict $? "its number grew"

# the CA's own records
stock() { (cd demo && openssl ca -config openssl.cnf "$@"); }
for serial in $(head -n 3 list.txt); do
    stock -status "$serial" >status.txt 2>&1
    says status.txt '=Revoked (R)' "openssl ca -status says revoked"
done
stock -status "$neighbour" >status.txt 2>&1
says status.txt '=Valid (V)' "and valid for the neighbour"
[ "$(grep -c '^R.*,superseded	' demo/index.txt)" = 12 ] && [ "$(grep -c '^V' demo/index.txt)" = 18 ]
verdict $? "twelve rows revoked as superseded, eighteen as they were"
stock -gencrl -out ../stock.crl 2>err
verdict $? "openssl ca goes on with what was written"

# OCSP
ask "$neighbour" >out
while read -r serial; do
    ask "$serial" >out
    if ! { grep -q ': revoked' out && grep -q 'Reason: superseded' out && grep -q 'Response verify OK' out; }; then
        verdict 1 "OCSP of $serial"
    fi
done <list.txt
verdict 0 "OCSP was asked for every listed serial"
ask "$neighbour" >out
says out ': good' "the neighbour is good"

# done is done
timeout 20 "$program" run >out 2>err </dev/null
verdict $? "run again ends at once"
cp demo/index.txt index.before
timeout 20 "$program" run >out 2>err </dev/null
cmp -s demo/index.txt index.before
verdict $? "and changes nothing"

# a clause without a reason: the entry has no reason extension, an encoded 0 is forbidden (BR 7.2.2)
new_ca plain 6 2 --seed 4
m open plain --rule 4.9.1.1-1 --received "$(ago '1 hour')" --profile immediate >/dev/null
serials plain 1 3 | "$program" import -c plain --serials hex - >out 2>&1
m plan -c plain >out 2>&1
m approve -c plain --key plain/approvers/alice.key --cert plain/approvers/alice.crt >out 2>&1
m start -c plain --confirm plain >out 2>&1
timeout 30 "$program" run -c plain >out 2>err </dev/null
verdict $? "a campaign of item 1 settles"
openssl crl -inform DER -in plain/pub/ca.crl -text -noout >crl.txt
[ "$(grep -c 'Serial Number' crl.txt)" = 3 ]
verdict $? "its three serials are in the CRL"
lacks crl.txt 'Reason Code' "without any reason code"
finish
