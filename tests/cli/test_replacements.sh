#!/bin/bash
# test_replacements.sh: a list of replaced certificates as a person might bring it, and what status says of it.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 4
MASSREVOKE_CONFIG=$work/demo/massrevoke.cfg
export MASSREVOKE_CONFIG
m open replaced --rule 4.9.1.1-12 --received "$(ago '1 hour')" >/dev/null
serials demo 1 30 >list.txt
ends 0 "the list" import --serials hex list.txt
{ echo 'serial,replacement_file'; serials demo 1 3 | sed 's/$/,new.pem/'; serials demo 1 1 | sed 's/$/,/'; serials demo 35 1 | sed 's/$/,/'; } >r.csv
ends 0 "replacements of three" replacements --json r.csv
[ "$(field out in) $(field out accepted) $(field out duplicate) $(field out unknown) $(field out rejected)" = "5 3 1 1 0" ]
verdict $? "in 5 = accepted 3 + duplicate 1 + unknown 1 + rejected 0"
ends 0 "status" status --json
says out '"live_replaced": 3' "three of those not revoked are replaced"
says out '"live_unreplaced": 27' "27 are not"
echo zz >>r.csv
ends 8 "a wrong line" replacements r.csv
says out '0 accepted, 4 duplicate, 1 not affected, 1 rejected' "the counts are told"
{ echo serial; echo zz; } >wrong.csv
ends 1 "only wrong lines" replacements --json wrong.csv
says out '"line": 2' "by number"
"$program" replacements - <r.csv >out 2>err
[ $? = 8 ]
verdict $? "from standard input (exit 8)"
ends 2 "neither file nor query" replacements
ends 2 "both" replacements r.csv --conninfo service=x --query 'SELECT 1'
ends 2 "half a query" replacements --query 'SELECT 1'
ends 5 "a password in the connection" replacements --conninfo 'host=x password=secret' --query 'SELECT 1'
lacks err secret "is not repeated"
ends 1 "a missing file" replacements none.csv
m db status --json >out
folder=$(field out folder)
socket=$(cd "$folder/data" && cd "$(sed -n 5p postmaster.pid)" && pwd)
conninfo="host='$socket' dbname=postgres user=massrevoke"
new=$(serials demo 20 1)
ends 0 "a query" replacements --json --conninfo "$conninfo" --query "SELECT '$new' AS serial UNION ALL SELECT '$(serials demo 35 1)'"
[ "$(field out in) $(field out accepted) $(field out unknown)" = "2 1 1" ]
verdict $? "one of its two is affected"
ends 0 "status" status --json
says out '"live_replaced": 4' "and four are replaced"
finish
