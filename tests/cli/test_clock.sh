#!/bin/bash
# test_clock.sh: anchor, rule and task as a commander types them: what is refused, what moves at once, what waits for
# somebody else's signature, and that overdue tasks are loud.
. "$(dirname "$0")/lib.bash"
new_ca demo 30 4
bob=(--key demo/approvers/bob.key --cert demo/approvers/bob.crt)
alice=(--key demo/approvers/alice.key --cert demo/approvers/alice.crt)

deadline() { m status --json | sed -n 's/^ *"deadline": "\(.*\)",/\1/p' | head -n 1; }
stays() { [ "$(deadline)" = "$1" ]; verdict $? "the deadline stays ($2)"; }
moves() { [ "$(deadline)" = "$1" ]; verdict $? "the deadline is $1 ($2)"; [ "$(deadline)" = "$1" ] || echo "    it is $(deadline)"; }
day() { date -u -d "$1 + $2" +%FT%TZ; }
# told KEY VALUE: in the JSON of the last command
told() {
    [ "$(field out "$1")" = "$2" ]
    verdict $? "it tells $1 $2"
    [ "$(field out "$1")" = "$2" ] || echo "    $1 is '$(field out "$1")'"
}

t0=$(ago '30 hours')
ends 0 "open" open clock --rule 4.9.1.1-12 --received "$t0" --as alice
serials demo 1 8 >list.txt
ends 0 "import" import --serials hex --as alice list.txt
ends 0 "inventory" inventory demo/inventory.csv --as alice
ends 0 "contacts" contacts demo/contacts.csv --as alice
ends 0 "plan" plan --as alice
d0=$(deadline)
[ "$d0" = "$(day "$t0" '5 days')" ]
verdict $? "five days from receipt"

# ---- what is refused, and changes nothing
ends 2 "no such anchor" anchor recieved "$t0" --source mail
ends 2 "a local time" anchor received 2026-01-01T10:00 --source mail
ends 2 "nobody says how it is known" anchor acknowledged "$t0"
ends 5 "the future" anchor confirmed "$(date -u -d '+1 hour' +%FT%TZ)" --source mail
says err "lies in the future" "it says so"
ends 0 "acknowledged" anchor acknowledged "$(ago '29 hours')" --source "mail to the reporter" --as alice
says out "moves no deadline" "it says that it moves nothing"
ends 5 "received after acknowledged" anchor received "$(ago '28 hours')" --source log
says err "received" "both are named"
says err "acknowledged" "both are named"
ends 5 "confirmed before acknowledged" anchor confirmed "$(ago '31 hours')" --source log
ends 5 "fixed before the first one was issued" anchor fixed 2015-01-01T00:00Z --source log
ends 0 "stopped before anybody reported it" anchor stopped "$(ago '40 hours')" --source "change 4711"
says err "before the report was received" "that is told"
stays "$d0" "none of these is a clock"
ends 1 "another cohort" anchor received "$t0" --source log --cohort 9

# ---- earlier is free, and the plan falls
t1=$(ago '32 hours')
ends 0 "earlier" anchor received "$t1" --source "mail log, $t1" --as alice --json
told moved true
told request null
told typed "$t1"
moves "$(day "$t1" '5 days')" "at once"
d1=$(deadline)
m request list >requests
says requests "the clock of cohort 1 changed" "the request of the old plan is void"
ends 4 "start" start --confirm clock
ends 0 "plan again" plan --as alice

# ---- later needs somebody else
t2=$(ago '31 hours')
ends 0 "later" anchor received "$t2" --source "gateway, in CET" --as alice --json
told moved false
request=$(field out request)
stays "$d1" "nothing has moved yet"
m request show "$request" >text
says text "deadline $d1 to $(day "$t2" '5 days')" "the text names old and new deadline"
says text "clause 4.9.1.1-12 to 4.9.1.1-12, reason superseded to superseded" "clause and reason"
ends 5 "alice asked for it" approve "$request" "${alice[@]}"
stays "$d1" "a requester's signature moves nothing"
ends 0 "bob did not" approve "$request" "${bob[@]}"
says out "The clock has moved" "it says so"
moves "$(day "$t2" '5 days')" "by approval"

# ---- clauses
ends 0 "two fit" rule 4.9.1.1-12,4.9.1.1-5 --as alice --json
says err "4.9.1.1-12 and 4.9.1.1-5 fit" "the warning names both"
told rule 4.9.1.1-5
moves "$(day "$t2" '24 hours')" "the shorter clock, at once"
ends 3 "no such clause" rule 4.9.1.1-99
ends 6 "the same again" rule 4.9.1.1-5
ends 0 "the longer one" rule 4.9.1.1-12 --as alice --json
request=$(field out request)
moves "$(day "$t2" '24 hours')" "nothing has moved yet"
ends 0 "approved" approve "$request" "${bob[@]}"
moves "$(day "$t2" '5 days')" "by approval"

# ---- after start
ends 0 "plan" plan --as alice
ends 0 "approve" approve "${bob[@]}"
ends 0 "start" start --confirm clock --as alice
ends 2 "the name is asked for" anchor received "$t1" --source log
ends 5 "and must be right" anchor received "$t1" --source log --confirm other
ends 6 "another reason" rule 4.9.1.1-13 --confirm clock
says err "what was signed keeps its reason" "it says why"
stays "$(day "$t2" '5 days')" "nothing has moved"
ends 0 "earlier" anchor received "$t1" --source log --confirm clock --as alice
says out "massrevoke plan --cohort 1" "it says to plan again"
moves "$d1" "at once"
ends 0 "plan again" plan --cohort 1 --as alice
says err "what was approved stays" "no approval is asked for"
ends 0 "a clock that tells nothing needs no name" anchor confirmed "$(ago '20 hours')" --source log

# ---- tasks
ends 0 "task list" task list
says out "OVERDUE" "overdue ones are loud"
sed -n 3p out | grep -q '! 20 h 00 min .* overdue first-notice:1: '
verdict $? "and first, the worst above"
says out "When it happens:" "clocks that something starts stand below"
m status >screen
grep -q '^! TASKS .* OVERDUE: first-notice:1 by 20 h 00 min$' screen
verdict $? "status names the worst and how long"
[ "$(wc -l <screen)" -le 23 ] && [ "$(awk 'length > n {n = length} END {print n}' screen)" -le 80 ]
verdict $? "on a screen of 80x24"
ends 0 "assign" task assign findings-reporter carol --as alice
ends 0 "done" task done findings-reporter --reason "mail of 14:20Z" --as alice
says out "late by 8 h" "late is said"
ends 6 "twice" task done findings-reporter
ends 6 "what closes by itself" task done all-published
ends 0 "with a word why" task done backup-notice --reason "called them all"
ends 1 "no such task" task done coffee
ends 0 "repeated" task done update
ends 0 "task list" task list --json
told overdue "$(m status --json | sed -n '/"tasks": {/,$p' | sed -n 's/^ *"overdue": \([0-9]*\),/\1/p')"
says out '"task": "update-2"' "the next one appears"
says out '"person": "carol"' "who did it is kept"
says out '"document": "CCADB Incident Reporting Guidelines 3.2"' "a task names its document"
tr -d '\n ' <out | grep -q '"task":"start:1","cohort":1,[^}]*"state":"done","done_at":"[^"]*","done_by":"massrevoke"'
verdict $? "what the program sees needs nobody's word"
ends 0 "the record" evidence verify
mkdir plans plans/clocks
echo 'version = 1; document = "D"; tasks = ();' >plans/clocks/x.cfg
sed 's,^demo = ,plans_dir = "../plans";\n&,' demo/massrevoke.cfg >demo/wrong.cfg
ends 3 "wrong clocks" --config demo/wrong.cfg config check
ends 3 "and tasks" --config demo/wrong.cfg task list
m --config demo/wrong.cfg status >screen
says screen "! TASKS       not known" "status prints all the same"

# ---- a certificate goes to an earlier clock, never to a later one ----
ends 0 "another campaign" open moving --rule 4.9.1.1-12 --received "$(ago '3 hours')" --as alice
ends 0 "its list" -c moving import --serials hex --as alice list.txt
ends 0 "a plan of it" -c moving plan --as alice
serials demo 3 1 >keys.txt
serials demo 20 1 >>keys.txt
key=(-c moving import --json --serials hex --as alice --rule 4.9.1.1-3 --no-expand 'one key')
ends 0 "a shorter clause for one of them and one more" "${key[@]}" keys.txt
told cohort 2
told added 2
told moved 1
told leaving 0
ends 0 "the shorter one again" "${key[@]}" keys.txt
told added 0
ends 0 "the longer one again" -c moving import --json --serials hex --as alice list.txt
told added 0
ends 0 "status" -c moving status --json
told affected 9
[ "$(grep -c '"ok": true' out)" = 1 ]
verdict $? "the ledger balances"
ends 0 "both stays are shown" -c moving show "$(head -n 1 keys.txt)"
says out withdrawn "the one that ended"
ends 0 "rule says what is planned with" -c moving rule 4.9.1.1-5 --cohort 1 --json --as alice
told profile tls-24-hour
{ head -n 1 demo/inventory.csv; sed -n 2p demo/inventory.csv | sed "s/$(serials demo 1 1)/0C0FFEE0/; s/,[DOIE]V,/,CA,/"; } >ca.csv
ends 0 "an inventory that has a CA certificate" -c moving inventory --as alice ca.csv
echo 0C0FFEE0 >ca.txt
ends 1 "its serial in a list" -c moving import --json --serials hex --as alice ca.txt
says out "a CA certificate: only a campaign under a clause of BR 4.9.1.2 takes those" "is refused as such"

# ---- a re-run of the list that came with an earlier report ----
ends 0 "a third campaign" open rerun --rule 4.9.1.1-12 --received "$(ago '3 hours')" --as alice
ends 0 "its list" -c rerun import --serials hex --as alice list.txt
ends 0 "a plan of it" -c rerun plan --as alice
serials demo 7 4 >again.txt
again=(-c rerun reconcile --json --serials hex --as alice --received "$(ago '9 hours')" --source "a second report")
ends 8 "what it would do" "${again[@]}" again.txt
m -c rerun status --json >screen
[ "$(field screen affected)" = 8 ]
verdict $? "it did nothing"
ends 0 "it does" "${again[@]}" --apply again.txt
ends 0 "status" -c rerun status --json
told affected 4
[ "$(grep -c '"ok": true' out)" = 1 ]
verdict $? "the ledger balances"
tr -d '\n ' <out | grep -q '"cohort":2,[^}]*"affected":4,'
verdict $? "all four run on the earlier clock"
finish
