#!/bin/bash
# test_plan.sh: the questions a commander asks of a plan. Incidents in figures, without a database: what they need, that
# too little is said to be too little, and that a report read too late is said to be too late.
. "$(dirname "$0")/lib.bash"
unset MASSREVOKE_CONFIG

# ---- incidents (what they came to is in the comments of plans/incidents)
ends 0 "83,267 certificates in 24 hours" plan --incident digicert-2024
says out '0.96/s' "need 0.96 a second"
ends 9 "three million, seven hours before the end, at 67.7 a second" plan --incident lets-encrypt-2020
says out 'INFEASIBLE' "is said to be infeasible"
says out '12 h 30 min' "and to take 12 and a half hours"
says out '120.96/s' "which is 121 a second"
ends 0 "at 121 a second it can be done" plan --incident lets-encrypt-2020 --rate 121/s
ends 9 "at 120 it cannot" plan --incident lets-encrypt-2020 --rate 120/s
ends 0 "nor would it have been hard five days before" plan --incident lets-encrypt-2020 --at 2020-02-29T06:00Z
ends 9 "a report that is read on day 15" plan --incident cfca-2024
says out 'none: the deadline passed at 2024-03-09T00:00:00Z' "is missed, and no change cures it"
ends 9 "the same as JSON" plan --incident cfca-2024 --json
says out '"feasible": false' "says so"
says out '"late": 2098' "names how many are late"
ends 3 "an incident nobody knows" plan --incident nowhere
ends 2 "--rate without --incident" plan --rate 5/s
ends 2 "a rate that is none" plan --incident cfca-2024 --rate fast
ends 9 "six hours without the CA, of 24" plan --incident digicert-2024 --outage 6h
says out 'NOT IN TIME: ' "are too many"
ends 0 "half an hour" plan --incident digicert-2024 --outage 30m
ends 0 "for the calendar" plan --incident digicert-2024 --format ics
says out 'BEGIN:VCALENDAR' "as iCalendar"
"$program" plan --incident digicert-2024 --format ics 2>/dev/null | cmp -s - "$work/out"
verdict $? "the same bytes twice"
[ ! -e "$MASSREVOKE_STATE" ]
verdict $? "no database was made for it"

# ---- a campaign
new_ca demo 300 20
serials demo 1 200 >list.txt
ends 0 "open" open first --rule 4.9.1.1-12 --received "$(ago '1 hour')"
ends 0 "the list" import list.txt --serials hex --heuristic "issued by the old template"
ends 0 "the inventory" inventory demo/inventory.csv
ends 0 "contacts tell whom they reach" contacts demo/contacts.csv
says out 'primary and backup' "both ways"
ends 0 "a plan" plan --json
says out '"needs_per_second_clock"' "says what rate it needs"
ends 1 "there is nothing to compare it with" plan --diff
serials demo 201 10 >more.txt
ends 0 "ten more" import more.txt --serials hex
ends 0 "a second plan" plan
ends 0 "what did it change?" plan --diff
says out '200 -> 210' "ten certificates"
says out 'subscribers moved' "and whose hour moved"
ends 0 "the same as JSON" plan --diff --json
says out '"new_plan": 2' "names the plans"
ends 0 "what if the CA is down for six hours?" plan --outage 6h
says out 'outage tolerance' "its tolerance is named"
ends 0 "what changed since version 1?" reconcile --since 1
says out '10 added, 0 dropped' "ten came"
says out 'issued by the old template' "and how the first were found"
ends 0 "who has no backup contact?" contacts --missing backup
ends 0 "the calendar has the tasks, too" plan --dry-run --format ics
says out 'Send the preliminary findings to the reporter' "the findings report among them"
ends 0 "and nothing was written by that" request list
"$program" request list 2>/dev/null | grep -q 'plan 3'
[ $? = 1 ]
verdict $? "no third plan"

# ---- a CA whose revocations are two requests each: what its windows hold is half as much, and no less
signer carol
at_dogtag() { # at_dogtag LIMITS: the demo's certificates at such a CA
    sed "s|backend = .*|backend = \"http\"; profile = \"dogtag\"; url = \"https://127.0.0.1:1\"; $1|
         s|name = \"bob\".*|&, { name = \"carol\"; certificate_file = \"../carol.crt\"; }|" demo/massrevoke.cfg | grep -v 'directory = \|demo = ' >demo/dogtag.cfg
}
at_dogtag 'rate = "3/h";'
MASSREVOKE_CONFIG=demo/dogtag.cfg ends 0 "210 at 3 revocations an hour" plan --dry-run
at_dogtag 'windows = ( { rate = "3/3600s"; } );'
MASSREVOKE_CONFIG=demo/dogtag.cfg ends 9 "3 requests an hour are too few" plan --dry-run
at_dogtag 'windows = ( { rate = "6/3600s"; } );'
MASSREVOKE_CONFIG=demo/dogtag.cfg ends 0 "6 are 3 revocations" plan --dry-run
at_dogtag 'windows = ( { rate = "3/2700s"; } );'
MASSREVOKE_CONFIG=demo/dogtag.cfg ends 9 "3 in 45 minutes are one: half a revocation is none" plan --dry-run

# ---- a CA that tells no status and replaces dates is asked by CRLs: all comes one crl_every (here 1 h) later
at_http() { # at_http PROFILE MORE
    sed "s|backend = .*|backend = \"http\"; profile = \"$1\"; url = \"https://127.0.0.1:1\"; rate = \"100/h\"; $2|
         s|name = \"bob\".*|&, { name = \"carol\"; certificate_file = \"../carol.crt\"; }|" demo/massrevoke.cfg | grep -v 'directory = \|demo = ' >demo/http.cfg
}
finish_at() { sed -n 's/^  "finish": "\(.*\)".*/\1/p' out; }
echo t >token
at_http digicert "token_file = \"$work/token\";"
MASSREVOKE_CONFIG=demo/http.cfg ends 0 "a CA asked by CRLs" plan --dry-run --json
late=$(finish_at)
at_http ejbca "token_file = \"$work/token\";"
MASSREVOKE_CONFIG=demo/http.cfg ends 0 "one that tells" plan --dry-run --json
[ $(($(date -d "$late" +%s) - $(date -d "$(finish_at)" +%s))) = 3600 ]
verdict $? "an hour later ($late, not $(finish_at))"

# ---- what a reserve leaves of a window is kept in whole requests, and planned so
with_reserve() { sed "s|directory = .*|directory = \".\"; windows = ( { rate = \"3/2700s\"; } ); $1|" demo/massrevoke.cfg >demo/reserve.cfg; }
with_reserve ''
MASSREVOKE_CONFIG=demo/reserve.cfg ends 0 "3 in 45 minutes are enough" plan --dry-run
with_reserve 'reserve = 34;'
MASSREVOKE_CONFIG=demo/reserve.cfg ends 9 "with a third left free they are one, not two" plan --dry-run

finish
