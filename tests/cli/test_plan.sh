#!/bin/bash
# test_plan.sh: the questions a commander asks of a plan. Incidents in figures, without a database: what they need, that
# too little is said to be too little, and that a report read too late is said to be too late.
. "$(dirname "$0")/lib.bash"
unset MASSREVOKE_CONFIG

# ---- incidents (what they came to is in the comments of plans/incidents)
ends 0 "83,267 certificates in 24 hours" plan --incident digicert-2024
says out '0\.96/s' "need 0.96 a second"
ends 9 "three million, seven hours before the end, at 67.7 a second" plan --incident lets-encrypt-2020
says out 'INFEASIBLE' "is said to be infeasible"
says out '12 h 30 min' "and to take 12 and a half hours"
says out '120\.96/s\|121/s' "which is 121 a second"
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
[ ! -e "$MASSREVOKE_STATE" ]
verdict $? "no database was made for it"

finish
