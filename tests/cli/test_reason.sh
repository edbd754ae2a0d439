#!/bin/bash
# test_reason.sh: the date of a compromise is signed, sent as the date of the revocation and stands in the CRL; nobody
# moves it past the signature.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 3
bob="--key demo/approvers/bob.key --cert demo/approvers/bob.crt"
# shellcheck disable=SC2086
approve() { m approve $bob "$@"; }
# the database, for what nobody should do
db() { PGOPTIONS='-c search_path=massrevoke' psql -X -q -At -h "$(find "$work/state" /var/lib/massrevoke -name '.s.PGSQL.*' ! -name '*.lock' -printf '%h\n' 2>/dev/null | head -n 1)" -U massrevoke massrevoke -c "$1"; }
row() { awk -F '\t' -v s="$1" '$4 == s { print $1, $3 }' demo/index.txt; } # row SERIAL: type and revocation
crl() { openssl crl -inform DER -in demo/pub/ca.crl -text -noout; }

# ---- the date of a compromise
compromised=$(ago '3 days')
stamp=$(date -u -d "$compromised" +%y%m%d%H%M%SZ)
serials demo 1 3 >keys.txt
{ m open keys --rule 4.9.1.1-3 --received "$(ago '1 hour')" --profile immediate && m import keys.txt --serials hex &&
    m inventory demo/inventory.csv; } >log 2>&1 || { cat log; failed=1; }
ends 2 "a compromise in the future" plan --compromised-at "$(date -u -d '1 hour' +%FT%TZ)"
says err 'expected a time from 1990 until now' "is no date"
ends 2 "a date without a zone" plan --compromised-at 2026-01-01T00:00:00
ends 0 "a plan without it" plan
ends 0 "is approved" approve $bob
ends 0 "a date afterwards" plan --compromised-at "$compromised"
ends 4 "voids what was approved" start --confirm keys
m request show >request
says request "compromised-at: $compromised" "the date stands in what is signed"
ends 0 "approve" approve $bob
ends 0 "start" start --confirm keys
ends 6 "another date after the start" plan --compromised-at "$(ago '4 days')"
says err 'massrevoke reason' "is a change of its own"
ends 0 "run" run
for serial in $(cat keys.txt); do
    [ "$(row "$serial")" = "R $stamp,keyCompromise" ]
    verdict $? "$serial is dated as the compromise in the CA's index"
done
[ "$(crl | grep -cF "$(date -u -d "$compromised" '+Revocation Date: %b %e %T %Y GMT')")" = 3 ]
verdict $? "and in the published CRL"
ends 0 "status is balanced" status --json
[ "$(field out revoked)" = 3 ]
verdict $? "all are published"
m verify >out 2>&1
lacks out entry_date_ledger "the verifier expects that date"

serials demo 5 2 >other.txt
{ m open calm --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate && m import -c calm other.txt --serials hex; } >log 2>&1
ends 2 "a date for another reason" plan -c calm --compromised-at "$compromised"
says err 'goes with the reason keyCompromise, not with superseded' "is refused by name"

finish
