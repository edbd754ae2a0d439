#!/bin/bash
# test_reason.sh: the date of a compromise is signed, sent as the date of the revocation and stands in the CRL. What is
# revoked gets another reason by an approved change of its own, the date kept; where the backend can't, the serials go to
# the CA's administrator, and what is published is looked at afterwards.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 3
alice="--key demo/approvers/alice.key --cert demo/approvers/alice.crt"
bob="--key demo/approvers/bob.key --cert demo/approvers/bob.crt"
# the database, for what nobody should do
socket() { m db status | sed -n 's/^Private cluster: .* in \(.*\), running\.$/\1/p'; }
db() { PGOPTIONS='-c search_path=massrevoke' psql -X -q -At -h "$(socket)/socket" -U massrevoke -d postgres -c "$1"; }
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

# ---- another reason: an upgrade, the dates kept
{ m approve -c calm $bob; m inventory -c calm demo/inventory.csv; m plan -c calm && m approve -c calm $bob && m start -c calm --confirm calm &&
    m run -c calm; } >log 2>&1 || { cat log; failed=1; }
first=$(head -n 1 other.txt) second=$(tail -n 1 other.txt)
was=$(row "$first")
waiting=$(serials demo 20 1)
ends 2 "no reason named" reason "$first" --reason x -c calm
ends 2 "a reason that is none" reason "$first" --to brokenHeart --reason x -c calm
ends 2 "a reason that no entry may bear" reason "$first" --to certificateHold --reason x -c calm
ends 2 "why it is done must be said" reason "$first" --to keyCompromise -c calm
ends 2 "a date with superseded" reason "$first" --to superseded --reason x --compromised-at "$compromised" -c calm
ends 1 "a certificate of nobody" reason "$waiting" --to keyCompromise --reason x -c calm
ends 6 "the reason it has" reason "$first" --to superseded --reason x -c calm
ends 0 "an upgrade" reason "$first" "$second" --to keyCompromise --reason "keys on a paste site" -c calm --json --as bob
request=$(field out request)
ends 0 "the list" reason list -c calm
says out 'not approved' "has it, not approved"
ends 4 "an export before the approval" reason export 1 -c calm
timeout 60 "$program" run -c calm >out 2>err </dev/null
[ "$(row "$first")" = "$was" ]
verdict $? "nothing is changed before the approval"
m request show "$request" -c calm >request
says request 'what: change 1 of reasons: 2 certificates (sha256' "what is signed names the certificates"
says request 'to keyCompromise, dates kept' "the reason, and the dates"
says request 'certificates: 2' "and how many"
ends 5 "the requester's own approval" approve "$request" -c calm $bob
# shellcheck disable=SC2086
ends 0 "a second person approves" approve "$request" -c calm $alice
# an altered row is not what was signed
db "UPDATE reason_item SET old_reason = 5 WHERE change = 1 AND serial = decode('$second', 'hex')"
timeout 20 "$program" run --once -c calm >out 2>err </dev/null
cat out err >both
says both 'is not what was approved' "an altered row is refused"
[ "$(row "$first")" = "$was" ]
verdict $? "and nothing of it leaves"
db "UPDATE reason_item SET old_reason = 4 WHERE change = 1 AND serial = decode('$second', 'hex')"
ends 0 "pause" pause revoke -c calm
ends 0 "status" status -c calm
says out 'REASONS     0 of 2 changes shown: massrevoke reason list' "status tells the change"
ends 0 "and its JSON" status -c calm --json
[ "$(jq -c .reasons out)" = '{"certificates":2,"to_do":2,"not_seen":0,"with_administrator":0,"shown":0,"needs_person":0}' ]
verdict $? "says that nothing of it is done"
timeout 5 "$program" run --once -c calm >out 2>err </dev/null
[ "$(row "$first")" = "$was" ]
verdict $? "a pause holds it"
ends 0 "resume" resume -c calm --confirm calm
timeout 60 "$program" run -c calm >out 2>err </dev/null
verdict $? "run carries it out and sees it published"
[ "$(row "$first")" = "${was%,superseded},keyCompromise" ]
verdict $? "the CA's index has the new reason and the first date"
[ "$(crl | grep -cF 'Key Compromise')" = 5 ]
verdict $? "and so has the published CRL"
ends 0 "the list" reason list -c calm
says out '2 certificates, 2 changed, 2 shown: shown' "says that it was seen"
m report affected -c calm --format csv >affected.csv 2>log || cat log
[ "$(grep -c keyCompromise affected.csv)" = 2 ]
verdict $? "the affected list has the new reason"
ends 0 "status" status -c calm --json
[ "$(field out revoked)" = 2 ]
verdict $? "no count moved"
[ "$(jq -c .reasons out)" = '{"certificates":2,"to_do":0,"not_seen":0,"with_administrator":0,"shown":2,"needs_person":0}' ]
verdict $? "and the change is shown"
ends 0 "status" status -c calm
lacks out REASONS "says nothing of it any more"
m verify -c calm >out 2>&1
lacks out entry_reason_asked "the verifier expects the new reason"
ends 0 "the evidence verifies" evidence verify -c calm
ends 6 "the same again" reason "$first" --to keyCompromise --reason x -c calm
# a published CRL that says something else is told
sed -i "/\t$first\t/s/keyCompromise/cessationOfOperation/" demo/index.txt
(cd demo && openssl ca -config openssl.cnf -gencrl -crldays 7 2>/dev/null | openssl crl -outform DER -out pub/ca.crl)
m verify -c calm >out 2>&1
cat out >both
db "SELECT findings FROM object WHERE campaign = 2 ORDER BY object DESC LIMIT 1" >>both
says both entry_reason_asked "a CRL with the old reason is an error from then on"
sed -i "/\t$first\t/s/cessationOfOperation/keyCompromise/" demo/index.txt

# ---- the date of the compromise comes later
ends 0 "a date for what is keyCompromise already" reason "$first" --to keyCompromise --compromised-at "$compromised" --reason "log found" -c calm --json
ends 0 "approve" approve "$(field out request)" -c calm $bob
timeout 60 "$program" run -c calm >out 2>err </dev/null
verdict $? "run"
[ "$(row "$first")" = "R $stamp,keyCompromise" ]
verdict $? "the entry bears it"
m verify -c calm >out 2>&1
db "SELECT findings FROM object WHERE campaign = 2 ORDER BY object DESC LIMIT 1" >both
lacks both entry_date_ledger "and the verifier expects it"

# ---- a backend that can't: the CA's administrator does it
m open far --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate >log 2>&1
serials demo 10 2 >far.txt
{ m import -c far far.txt --serials hex; m inventory -c far demo/inventory.csv; m plan -c far && m approve -c far $bob && m start -c far --confirm far && m run -c far; } >log 2>&1 || cat log
third=$(head -n 1 far.txt)
ends 0 "by the administrator" reason "$third" --to keyCompromise --by-administrator --reason "as the CA wants" -c far --json
ends 0 "approve" approve "$(field out request)" -c far $bob
timeout 60 "$program" run -c far >out 2>err </dev/null
verdict $? "run leaves it to the administrator"
case $(row "$third") in *superseded) true ;; *) false ;; esac
verdict $? "nothing is sent"
ends 0 "export" reason export 1 -c far
says out "$third,keyCompromise,1,$(date -u -d "$(row "$third" | sed 's/R \(..\)\(..\)\(..\)\(..\)\(..\)\(..\)Z.*/20\1-\2-\3T\4:\5:\6Z/')" +%FT%TZ),superseded" "names serial, reason and the date to keep"
m verify -c far >out 2>&1
db "SELECT findings FROM object WHERE campaign = 3 ORDER BY object DESC LIMIT 1" >both
lacks both entry_reason_asked "the old reason is no error while it is with the administrator"
sed -i "/\t$third\t/s/superseded/keyCompromise/" demo/index.txt
(cd demo && openssl ca -config openssl.cnf -gencrl -crldays 7 2>/dev/null | openssl crl -outform DER -out pub/ca.crl)
m verify -c far >log 2>&1
ends 0 "the list" reason list -c far
says out '1 shown: shown' "the published reason is seen afterwards"

finish
