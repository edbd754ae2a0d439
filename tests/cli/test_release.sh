#!/bin/bash
# test_release.sh: a release ends a hold, and a delay holds, exactly the certificates it names: what is signed names them,
# what is kept must be what was signed, and what else the order holds is not revoked.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 3
alice="--key demo/approvers/alice.key --cert demo/approvers/alice.crt"
serials demo 1 8 >list.txt
{ read -r one; read -r two; read -r three; read -r free; read -r late; } <list.txt
state() { m show "$1" --json >shown; field shown state; }
valid() { grep -q "^V.*	$1	" demo/index.txt; }
releases() { m request list | awk '$2 == "release"' | grep -c "$1"; }
db() { PGOPTIONS='-c search_path=massrevoke' psql -X -q -At -h "$base/socket" -U massrevoke -d postgres -c "$1"; }
# approves CODE TEXT REQUEST
approves() {
    # shellcheck disable=SC2086
    ends "$1" "$2" approve "$3" $alice
}
{ m open order --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate && m import list.txt --serials hex && m plan &&
    m approve $alice && m start --confirm order; } >log 2>&1 || { cat log; failed=1; }
base=$(m db status | sed -n 's/^Private cluster: .* in \(.*\), \(running\|stopped\)\.$/\1/p')

# ---- two are held, one of them is asked for
ends 0 "a court hold of three" hold --court doc2 "$one" "$two" "$three"
ends 0 "a release of one" release "$one"
says out 'Request 2 is to end court hold 1 for 1 certificates' "it says what its request is for"
m request show 2 >text
says text 'what: release from court hold 1: 1 certificates (sha256 ' "the text to sign bears count and digest"
says text ', document doc2' "and the document"
says text "certificate: $one (issued by " "and names the certificate"
says text 'certificates: 1' "it counts no others"
lacks text "$two" "and names no others"
grep -q "^scope-sha256: $(sed -n 's/^what: .*(sha256 \([0-9a-f]*\)).*/\1/p' text)\$" text
verdict $? "nor is its scope the whole cohort's"
ends 0 "asked again" release "$one"
says out 'Request 2 waits already' "it names the request that waits"
ends 8 "with one that is not held" release "$free" "$one" --json
[ "$(tr -d ' \n' <out)" = '{"released":0,"not_held":1,"requests":[{"hold":1,"request":2,"certificates":1,"waited":true}],"certificates":[{"serial":"'"$free"'","state":"waiting","verdict":"not_held"},{"serial":"'"$one"'","state":"held","verdict":"asked"}]}' ]
verdict $? "JSON tells one by one"
ends 8 "the same in words" release "$one" "$free"
says out "$free  no active hold names it" "it is listed, and why"
[ "$(releases .)" = 1 ]
verdict $? "all that made one request"
ends 6 "of nothing that is held" release "$free"
ends 8 "run revokes what is not held" run
{ valid "$one" && valid "$two" && valid "$three"; } && ! valid "$free"
verdict $? "and nothing that is"

# ---- what is kept is not what was signed
db "INSERT INTO request_item SELECT campaign, 2, issuer, serial FROM hold_item WHERE serial = decode('$two', 'hex')"
approves 4 "a list with one more" 2
says err 'what is kept of request 2 is not what its text names: nothing is released' "it says why"
[ "$(state "$one") $(state "$two")" = "held held" ]
verdict $? "nothing is released"
m request list | grep -q '2 *release .*0 of 1 approvals.*waits'
verdict $? "nor is the signature kept"
ends 0 "asked once more" release "$one"
says out 'Request 3 is to end' "that one is not used again"
db "UPDATE hold SET document = 'doc3'"
approves 4 "another document" 3
db "UPDATE hold SET document = 'doc2'"
db "UPDATE request_item SET serial = decode('$two', 'hex') WHERE request = 3" >log 2>&1
[ $? != 0 ]
verdict $? "the list that is kept does not change"
db "INSERT INTO request SELECT campaign, 4, what, cohort, plan, hold, at, expires_at, requesters, 'massrevoke approval request v1
request: 4
' || substr(text, strpos(text, 'mode:')) FROM request WHERE request = 3"
approves 4 "a request without a list" 4
says err 'request 4 names no certificates' "it says so"
[ "$(state "$one") $(state "$two")" = "held held" ]
verdict $? "all are held"

# ---- what is signed is what is done
approves 0 "the right one" 3
[ "$(state "$one") $(state "$two") $(state "$three")" = "waiting held held" ]
verdict $? "releases the one that it names, and no other"
ends 8 "run" run
says out "$two" "lists what is held"
! valid "$one" && valid "$two" && valid "$three"
verdict $? "only the one is revoked"

# ---- the rest, in another request; a second order binds on
ends 0 "another order" hold --court doc5 "$three"
ends 0 "the rest, one of them twice" release "$three" "$two" "$three"
says out 'Request 5 is to end court hold 1 for 2 certificates' "one request an order"
says out 'Request 6 is to end court hold 2 for 1 certificates' "and one for the other"
approves 0 "the first" 5
ends 8 "run" run
! valid "$two" && valid "$three"
verdict $? "what another order names stays held"
approves 0 "the other" 6
ends 0 "run" run
! valid "$three"
verdict $? "now all are revoked"
ends 0 "the evidence verifies" evidence verify

# ---- certificates of two lists, of which each has its reason; a document of two lines
serials demo 21 2 >more.txt
serials demo 23 2 >other.txt
{ m import more.txt --serials hex --confirm order && m import other.txt --serials hex --rule 4.9.1.1-2 --confirm order; } >log 2>&1
{ read -r one; read -r two; } <more.txt
read -r three <other.txt
ends 0 "an order over both" hold --court 'doc6
expires-at: 2999-01-01T00:00:00Z' "$three" "$one" "$two"
ends 0 "a release from both" release "$three" "$one"
m request show 7 >text
says text "certificate: $one (issued by " "both are named"
grep -q "^certificate: $one .*, reason superseded\$" text && grep -q "^certificate: $three .*, reason privilegeWithdrawn\$" text
verdict $? "each with its reason"
ends 0 "a release of one of them" release "$one"
says out 'Request 8 is to end' "is a request of its own"
! grep -q '^reason: ' text && [ "$(grep -c '^expires-at: ' text)" = 1 ]
verdict $? "no reason is said of both, and the document adds no line"
approves 0 "its approval" 7
[ "$(db "SELECT count(*) FILTER (WHERE released) || ' ' || count(*) FROM hold_item WHERE hold = 3")" = "2 3" ]
verdict $? "releases both"
m request list | grep '^ *8 *release' | grep -q 'what it names is released'
verdict $? "and nobody is asked to sign what is over"
ends 2 "an order has no end" hold --court doc7 --until "$(date -u -d '+2 hours' +%FT%TZ)" "$one"
ends 0 "a document that looks like a marker" hold --court 'doc @REQUEST@' "$one"
ends 0 "its release" release "$one"
approves 0 "its approval" 9
[ "$(db "SELECT active FROM hold WHERE hold = 4")" = f ]
verdict $? "ends it"

# ---- a delay ends at once, and what no hold names is told as well
m open slow --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate >log 2>&1
serials demo 11 2 >slow.txt
m import -c slow slow.txt --serials hex >log 2>&1
{ read -r one; read -r free; } <slow.txt
ends 0 "a delay" hold -c slow --delay --decision 'D 1' --until "$(date -u -d '+2 hours' +%FT%TZ)" "$one" --as olga
# shellcheck disable=SC2086
ends 0 "its approval" approve -c slow 1 $alice
ends 8 "its release, with one that is not held" release -c slow "$one" "$free" --json
[ "$(field out released) $(field out not_held)" = "1 1" ]
verdict $? "one goes, though nothing is planned yet"
says out '"requests": []' "without a request"
ends 0 "another delay" hold -c slow --delay --decision 'D 2' --until "$(date -u -d '+2 hours' +%FT%TZ)" "$one" --as olga
# shellcheck disable=SC2086
ends 0 "its approval" approve -c slow 2 $alice
ends 8 "its release, with a stranger" release -c slow --issuer demo/ca.pem 0A0B "$one"
says out 'Released 1 certificates from delay.' "one goes"
says out '0A0B  not in this campaign' "the other is listed"

# ---- a delay names what it holds, and nothing else is held
until=$(date -u -d '+2 hours' +%FT%TZ)
delay() { ends "$1" "$2" hold -c slow --delay --decision 'D 3' --until "$until" "${@:3}" --as olga; }
delay 8 "a delay of one, and a stranger" "$one" --issuer demo/ca.pem 0A0B --json
[ "$(field out binds) $(field out not_bound) $(field out request)" = "0 1 3" ]
verdict $? "JSON counts both, and names the request"
says out '"state": "absent"' "and lists what it will not hold"
m request show 3 -c slow >text
says text 'what: delay 3: 1 certificates (sha256 ' "the text to sign bears count and digest"
says text "until $until, decision D 3" "and end and decision"
says text "certificate: $one (issued by " "and names the certificate"
says text 'certificates: 1' "it counts no others"
ends 2 "one that is over" hold -c slow --delay --decision 'D 3' --until "$(date -u -d '-1 minute' +%FT%TZ)" "$one" --as olga
delay 6 "one of nothing but a stranger" --issuer demo/ca.pem 0A0B
[ "$(db "SELECT count(*) FROM hold JOIN campaign USING (campaign) WHERE name = 'slow'")" = 3 ]
verdict $? "keeps nothing"
delay 0 "both, one of them twice" "$free" "$one" "$free"
says out ': 2 certificates. Next' "each counts once"
m request show 4 -c slow | sed -n 's/^what: delay 4: //p' >first
delay 0 "both in the other order" "$one" "$free"
m request show 5 -c slow | sed -n 's/^what: delay 5: //p' | cmp -s - first
verdict $? "says the same"
# shellcheck disable=SC2086
altered() { ends 4 "$1" approve -c slow "$2" $alice; says err "request $2 is not what its text names: nothing is held" "it says why"; }
of_slow="campaign = (SELECT campaign FROM campaign WHERE name = 'slow')"
db "INSERT INTO hold_item SELECT campaign, 3, issuer, serial FROM hold_item WHERE $of_slow AND hold = 4 AND serial = decode('$free', 'hex')"
altered "with another certificate" 3
db "UPDATE hold SET until_at = until_at + 86400 WHERE $of_slow AND hold = 4"
altered "with another end" 4
db "UPDATE hold SET kind = 'court' WHERE $of_slow AND hold = 5"
altered "without an end" 5
db "UPDATE hold SET kind = 'delay' WHERE $of_slow AND hold = 5; UPDATE hold_item SET released = true WHERE $of_slow AND hold = 5"
ends 4 "with nothing left to hold" approve -c slow 5 $alice
db "UPDATE hold_item SET released = false WHERE $of_slow AND hold = 5"
[ "$(db "SELECT count(*) FROM hold WHERE $of_slow AND active")" = 0 ]
verdict $? "none of them binds"
# shellcheck disable=SC2086
ends 0 "as it was asked for" approve -c slow 5 $alice
ends 0 "and its end" release -c slow "$one" "$free"
says out 'Released 2 certificates from delay.' "of both that it held"
ends 0 "one that is soon over" hold -c slow --delay --decision 'D 4' --until "$(date -u -d '+1 second' +%FT%TZ)" "$one" --as olga
sleep 1.1
# shellcheck disable=SC2086
ends 4 "approved too late" approve -c slow 6 $alice
says err 'request 6: the delay ended at ' "it says so"
m open none --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate >log 2>&1
ends 6 "an order before any certificate" hold -c none --court doc9 --issuer demo/ca.pem 0A0B

# ---- of two signatures one is of another text
sed -i 's/quorum = 1/quorum = 2/' demo/massrevoke.cfg
m open both --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate >log 2>&1
serials demo 31 2 >both.txt
m import -c both both.txt --serials hex >log 2>&1
{ read -r one; read -r two; } <both.txt
ends 0 "an order of two" hold -c both --court doc8 "$one" "$two" --as olga
ends 0 "a release of one" release -c both "$one" --as olga
# shellcheck disable=SC2086
ends 0 "signed by the first" approve -c both 1 $alice
ends 0 "a release of both" release -c both "$one" "$two" --as olga
db "INSERT INTO request_item SELECT campaign, 1, issuer, serial FROM hold_item WHERE serial = decode('$two', 'hex')"
db "UPDATE request r SET text = replace(o.text, 'request: 2', 'request: 1') FROM request o
    WHERE r.campaign = o.campaign AND r.request = 1 AND o.request = 2 AND o.text LIKE '%campaign: both%'"
ends 4 "signed by the second, as it was altered" approve -c both 1 --key demo/approvers/bob.key --cert demo/approvers/bob.crt
says err 'only 1 of its signatures hold' "it says why"
[ "$(db "SELECT count(*) FROM hold_item WHERE released AND serial IN (decode('$one', 'hex'), decode('$two', 'hex'))")" = 0 ]
verdict $? "nothing is released"
finish
