#!/bin/bash
# test_safety.sh: what an hour of pause costs and by when to resume; another try; a canary that the world contradicts
# stops its issuer until a person says otherwise; an engine that stands still; a base too large a part of which would go.
. "$(dirname "$0")/lib.bash"
new_ca demo 60 4
alice="--key demo/approvers/alice.key --cert demo/approvers/alice.crt"
cp demo/index.txt index.before

# campaign NAME PROFILE LIST HOURS: received so long ago, approved and started
campaign() {
    { m open "$1" --rule 4.9.1.1-12 --received "$(ago "$4")" --profile "$2" --as olga &&
        m import -c "$1" "$3" --serials hex --as olga && m inventory -c "$1" demo/inventory.csv --as olga
        m plan -c "$1" --as olga
        # shellcheck disable=SC2086
        m approve -c "$1" $alice && m start -c "$1" --confirm "$1" --as olga; } >log 2>&1 || { cat log; failed=1; }
}
# state of a serial in campaign $1
state() { m show -c "$1" "$2" --json >shown; field shown state; }

# ---- pause
serials demo 1 20 >first.txt
campaign calm tls-5-day first.txt '1 hour'
ends 0 "pause" pause -c calm --reason "phones melt"
says out 'Resume by 20' "it names the moment to resume by"
says out 'every deadline holds; slack now' "and the slack"
says out ', another hour takes nothing.' "of which an hour takes nothing while the slots lie ahead"
says out 'No notice is left to send' "and that no notice waits, for nobody can be told"
says out 'The next hour is dealt 0 certificates.' "and what the next hour would do"
by=$(sed -n 's/^Resume by \([^ ]*\) .*/\1/p' out)
# five days and two hours of publication, less the time of a few certificates
late=$(($(date -d "$by" +%s) - $(date +%s)))
[ $late -gt $((100 * 3600)) ] && [ $late -lt $((120 * 3600)) ]
verdict $? "the moment lies within the deadline ($late s from now)"
ends 0 "a plan as of that moment is feasible" plan -c calm --dry-run --at "$by"
ends 9 "and one as of two hours later is not" plan -c calm --dry-run --at "$(date -u -d "$by + 2 hours" +%FT%TZ)"
ends 0 "resume" resume -c calm --confirm calm
says out 'It must go on by 20' "and says it again"
campaign gone immediate first.txt '6 days'
ends 0 "pause what is late" pause -c gone
says out 'is late already, by' "it is late already"
says out '; another hour adds 1 h 00 min.' "and later each hour"
says out 'No notice would go: the profile sends none.' "no notice hangs on it"
campaign now immediate first.txt '1 hour'
ends 0 "pause what is due at once" pause -c now revoke
says out ', another hour takes 1 h 00 min.' "an hour costs an hour"
lacks out 'otice' "revocation alone says nothing of notices"
ends 0 "resume it" resume -c gone --confirm gone
ends 0 "it runs to its end" run -c gone
ends 0 "pause what is done" pause -c gone
says out 'waiting costs nothing' "nothing is left to wait for"
serials demo 51 5 >late.txt
m import -c gone late.txt --serials hex --confirm gone >/dev/null 2>&1
ends 0 "pause it when a further cohort waits for its start" pause -c gone
says out 'not known: no cohort that runs has work left. 5 certificates are not revoked; their first deadline is 20' \
    "it says why there is no figure, and the deadline"

# ---- a decision to delay counts as delay
one=$(head -n 1 first.txt)
campaign slow tls-5-day first.txt '1 hour'
ends 2 "a delay without a decision" hold -c slow --delay --until "$(date -u -d '+9 days' +%FT%TZ)" "$one"
ends 0 "a delay beyond the deadline" hold -c slow --delay --decision "board minute 7" --until "$(date -u -d '+9 days' +%FT%TZ)" "$one" --as olga
[ "$(state slow "$one")" != held ]
verdict $? "binds nothing before its approval"
m status -c slow --json >now
[ "$(field now verdict)" != behind ]
verdict $? "and changes no verdict"
# shellcheck disable=SC2086
ends 0 "its approval" approve -c slow $alice
[ "$(state slow "$one")" = held ]
verdict $? "holds it"
m status -c slow --json >now
[ "$(field now verdict)" = behind ]
verdict $? "status counts it as delay"
m report affected -c slow >out
[ "$(grep -c 'Delayed' out) $(grep "$one" out | grep -c 'Delayed')" = "1 1" ]
verdict $? "and so does the affected list, of this one alone"
ends 0 "the report of the delay" report delayed -c slow
says out '1 certificate will not be revoked within the time' "counts the same one"
says out '**Total number of certificates:** 1' "in every figure"
says out 'Held beyond the deadline are 1 by decision to delay (board minute 7) until 20' "and says why"
grep -qE '^\| 1 \| 20.* \| 20 \| 20.* UTC \| 4 d [0-9 hmin]+ \|$' out
verdict $? "and by how much it is late"
m report delayed -c slow --json >now
[ "$(field now late) $(field now held_late)" = "1 1" ]
verdict $? "as JSON, too"
ends 20 "status" status -c slow --exit-code
says out '! BEHIND      held too long: 1 by decision to delay (board minute 7)' "says why it is behind"
says out ' to spare, of the rest' "and whose the time to spare is"
m run -c slow --once >out 2>&1
m alert list -c slow >out
says out 'cohort 1 will miss its deadline of' "an alert tells"
says out '1 by decision to delay (board minute 7) until' "by which decision"
ends 0 "pause" pause -c slow
says out 'and every deadline holds but for what is held' "the pause promises nothing for what is held"
says out 'Late whatever is resumed: 1 by decision to delay (board minute 7) until' "and says what that is"
m resume -c slow --confirm slow >/dev/null

# a hold that ends in time is no delay; a court's order, which has no end, is one for as long as it stands
campaign soon tls-5-day first.txt '1 hour'
m hold -c soon --delay --decision "board minute 8" --until "$(date -u -d '+1 day' +%FT%TZ)" "$one" --as olga >/dev/null
# shellcheck disable=SC2086
m approve -c soon $alice >/dev/null
[ "$(state soon "$one")" = held ]
verdict $? "a delay that ends in time holds"
ends 6 "and asks for no report" report delayed -c soon
m report affected -c soon >out
[ "$(grep "$one" out | grep -c 'Planned')" = 1 ]
verdict $? "the affected list plans it for its end"
m status -c soon --json >now
[ "$(field now verdict)" != behind ]
verdict $? "and the verdict stays"
ends 0 "a court's order" hold -c soon --court "order 7" "$one" --as olga
m status -c soon --json >now
[ "$(field now verdict)" = behind ]
verdict $? "is a delay"
ends 0 "and asks for the report" report delayed -c soon
says out '1 certificate will not be revoked' "counts it"
says out '1 by court order (order 7), which has no end' "says by which order"
says out '| held without an end |' "and that nobody knows when it ends"
m report affected -c soon >out
[ "$(grep "$one" out | grep -c 'Delayed,N/A')" = 1 ]
verdict $? "the affected list promises no day"

# before there is a plan nothing has an hour, and a court's order is a delay all the same
{ m open early --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile tls-5-day && m import -c early first.txt --serials hex; } >log 2>&1
ends 6 "no report of a delay before there is a plan" report delayed -c early
m report affected -c early >out
[ "$(grep -c 'Planned,N/A' out) $(grep -c 'Delayed' out)" = "20 0" ]
verdict $? "the affected list has no day"
m hold -c early --court "order 9" "$one" --as olga >/dev/null
ends 0 "but with a court's order" report delayed -c early
says out '**Total number of certificates:** 1' "counts that one"
m report affected -c early >out
[ "$(grep -c 'Delayed,N/A' out) $(grep "$one" out | grep -c 'Delayed')" = "1 1" ]
verdict $? "and so does the affected list"

# ---- another try: the CA knows one certificate of the list later
{ serials demo 21 5; echo 0A0B0C; } >second.txt
last=$(tail -n 2 second.txt | head -n 1)
grep -v "$last" demo/index.txt >less && cp less demo/index.txt
campaign again immediate second.txt '1 hour'
ends 8 "two are unknown to the CA" run -c again
[ "$(state again "$last")" = unknown ]
verdict $? "one of them by its index"
grep "$last" index.before >>demo/index.txt
ends 8 "retry of one that is unknown, and one that is published" retry -c again --confirm again "$last" "$(head -n 1 second.txt)"
says out "$last  unknown       waits for its next turn" "the one waits"
says out "published     is beyond another try" "the other stays"
ends 1 "retry of a stranger" retry -c again --confirm again 0DDBA11
ends 5 "retry under another campaign's name" retry -c again --confirm calm "$last"
ends 8 "run again" run -c again
[ "$(state again "$last")" = published ] && [ "$(state again 0A0B0C)" = unknown ]
verdict $? "it is published, what the CA never had is not"
ends 0 "a try of that one" retry -c again --confirm again --reason "asked the CA" 0A0B0C --json
says out '"was": "unknown"' "tells what it was"
says out '"waits": true' "and that it waits"
ends 8 "the CA has not learnt of it" run -c again
m evidence verify -c again >out 2>&1
verdict $? "the record is whole"

# ---- a canary that the world contradicts: the CA loses what it has recorded
cat >careful.cfg <<'END'
version = 1; name = "careful"; notices = false; publish_at_once = false; canary = 2; canary_wait = "2h";
first_slot = "0s"; reserve = "0s"; publish_margin = "1h"; crl_every = "1h"; outage_floor = "0s";
classes = ({ class = "unreachable"; });
END

# the canaries of this one are with an engine that then stands still; what status says of it is seen at the end
serials demo 51 10 >fourth.txt
campaign still "$PWD/careful.cfg" fourth.txt '1 hour'
"$program" run -c still --only execute >still.log 2>&1 </dev/null &
engine=$!
background+=($engine)
for _ in $(seq 100); do
    m status -c still --json >out && [ "$(field out pending_publication)" = 2 ] && break
    sleep 0.1
done
says out '"verdict": "on_track"' "with an engine at work all is on track"
kill -STOP $engine
stopped=$SECONDS

serials demo 31 20 >third.txt
cp demo/index.txt index.before
campaign lost "$PWD/careful.cfg" third.txt '1 hour'
ends 0 "the canaries go" run -c lost --once --only execute
cp index.before demo/index.txt
sleep 2
m run -c lost --once >out 2>err
says err 'nothing more is revoked of issuer' "the engine says that it stops"
ends 0 "status" status -c lost
says out '! STOPPED' "status says it"
says out 'missing from the complete CRL' "and why"
ends 0 "status as JSON" status -c lost --json
says out '"issuer": "' "names the issuer"
ends 5 "resume without a reason" resume -c lost --confirm lost
says err '--override REASON' "names the way round"
ends 0 "resume with one" resume -c lost --confirm lost --override "index restored from backup"
ends 0 "status afterwards" status -c lost
lacks out 'STOPPED' "nothing is stopped any more"
ends 0 "the full report" report full -c lost
says out "is contradicted" "has a line about it"
says out "index restored from backup" "and about the override"

# ---- a base too large a part of which would go; the CA of the demo is as good as any other
for who in carol dave; do
    openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$who" -days 30 -keyout demo/approvers/$who.key \
        -out demo/approvers/$who.crt 2>/dev/null
done
people='{ name = "carol"; certificate_file = "approvers/carol.crt"; }, { name = "dave"; certificate_file = "approvers/dave.crt"; },'
sed 's/^demo = true;//; s/quorum = 1/quorum = 2/; s|approvers = (|&'"$people"'|' demo/massrevoke.cfg >demo/real.cfg
export MASSREVOKE_CONFIG=$work/demo/real.cfg
for i in $(seq 1200); do printf '%06X\n' $((8192 * 256 + i)); done >strange.txt
m open strange --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile tls-5-day >/dev/null
m import -c strange strange.txt --serials hex >/dev/null 2>&1
ends 5 "more than all that the inventory has" plan -c strange
says err '1200 certificates would be revoked, more than the 60 in the inventory' "says that nothing tells their share"
says err '--override REASON' "and the way round"
ends 0 "with a reason" plan -c strange --override "the inventory is lost"
m request show -c strange >out
says out 'share-of-base: 2000.00 % of 60' "the approver reads how much it is"
says out 'override: more than 50 % of the base: the inventory is lost' "and why"
m open few --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile tls-5-day >/dev/null
head -n 999 strange.txt | "$program" import -c few - --serials hex >/dev/null 2>&1
ends 0 "so few of no inventory are a small campaign" plan -c few
{ head -n 1 demo/inventory.csv; for i in $(seq 1000); do printf '"CN=massrevoke demo CA 1,O=Demo Trust Services",%06X,s,CN=x,2026-07-28T11:42:29Z,2027-02-12T11:42:28Z,,,,x.example,DV,,,\n' $((4096 * 256 + i)); done; } >many.csv
for i in $(seq 600); do printf '%06X\n' $((4096 * 256 + i)); done >most.txt
m open wide --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile tls-5-day >/dev/null
m inventory -c wide many.csv >/dev/null
m import -c wide most.txt --serials hex >/dev/null 2>&1
ends 0 "a dry run shows what would be" plan -c wide --dry-run
ends 5 "six in ten of all certificates" plan -c wide
says err 'more than the 50 % that profile tls-5-day allows' "says how many are too many"
says err '--override REASON' "and the way round"
ends 0 "with a reason" plan -c wide --override "all of that CA, see minutes of 14:20Z"
m request show -c wide >out
says out 'override: more than 50 % of the base: all of that CA' "the approver reads it"
m open narrow --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile tls-5-day >/dev/null
head -n 400 most.txt >less.txt
m import -c narrow less.txt --serials hex >/dev/null 2>&1
ends 0 "four in ten" plan -c narrow

# ---- a CA certificate by its serial
root=$(openssl x509 -in demo/ca.pem -noout -serial | cut -d= -f2)
m open parent --rule 4.9.1.2-1 --received "$(ago '1 hour')" --profile immediate >/dev/null
echo "$root" >root.txt
m import -c parent root.txt --serials hex >/dev/null 2>&1
m rule -c parent 4.9.1.1-12 >/dev/null 2>&1
ends 5 "the issuer's own certificate" plan -c parent --override "no way round"
says err 'holds the certificate of a CA' "is recognised"
m open parents --rule 4.9.1.2-1 --received "$(ago '1 hour')" >/dev/null
m import -c parents root.txt --serials hex >/dev/null 2>&1
ends 0 "under its own clause" plan -c parents
m request show -c parents >out
says out "ca-certificate: $root" "the approval names it"

# ---- and one that only the inventory knows to be a CA's, and that came after the list
m open sub --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate >/dev/null
printf '0CA001\n0CA002\n0CA003\n' >subs.txt
m import -c sub subs.txt --serials hex >/dev/null 2>&1
ends 0 "nothing tells that some are CAs" plan -c sub
for who in carol dave; do m approve -c sub --key demo/approvers/$who.key --cert demo/approvers/$who.crt >/dev/null; done
{ head -n 1 demo/inventory.csv; for i in 1 2; do printf '"CN=massrevoke demo CA 1,O=Demo Trust Services",0CA00%s,s,CN=sub %s,2026-07-28T11:42:29Z,2027-02-12T11:42:28Z,,,,,CA,,,\n' $i $i; done; } >cas.csv
m inventory -c wide cas.csv >/dev/null
ends 5 "the inventory tells before the start" start -c sub --confirm sub
says err 'holds the certificate of a CA, by the inventory: 0CA001 CN=sub 1, and 1 more' "which ones"
ends 5 "and before a plan" plan -c sub --override "no way round"
says err 'massrevoke drop 0CA001 0CA002 --reason TEXT' "and what to do about it"
m drop -c sub 0CA001 0CA002 --reason "CAs" --confirm sub >/dev/null
ends 0 "the one that is left" plan -c sub

# ---- the engine that was stopped above holds its session, and does nothing
until [ $((SECONDS - stopped)) -gt 31 ]; do sleep 0.5; done
ends 20 "status with an engine that stands still" status -c still --exit-code
says out '! AT RISK' "is at risk"
says out '! ENGINES     1 silent since' "because it is silent"
says out 'a new one takes over: massrevoke run' "and says what to do"
kill -CONT $engine
for _ in $(seq 100); do
    m status -c still >out
    grep -q '1 running' out && break
    sleep 0.1
done
lacks out 'silent' "when it goes on it is heard again"
says out 'ON TRACK' "and all is as it was"
finish
