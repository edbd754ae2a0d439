#!/bin/bash
# test_hanging.sh: a CA's own database hangs (cfssl's tables on a real PostgreSQL). A brake reaches a statement that waits
# there: when the database wakes nothing is revoked. A list of what is revoked that does not come holds up the CRL, not
# revoking.
. "$(dirname "$(readlink -f "$0")")/../cli/lib.bash"
demo demo --count 120 --subscribers 3
certdb
serials demo 1 120 >all.txt
issued '' <all.txt
signer carol
sed -e "s|^demo = true;||; s|backend = \"ca_openssl\";|backend = \"sql\"; profile = \"certdb\"; authority_key = \"none\"; conninfo = \"host=$base user=massrevoke dbname=certdb\";|" \
    -e 's|directory = "\.";||; s|certificate_file = "ca.pem";|certificate_file = "ca.pem"; key_file = "private/ca.key"; crl_number_file = "crlnumber"; crl_file = "pub/ca.crl";|' \
    -e 's|{ name = "bob"|{ name = "carol"; certificate_file = "../carol.crt"; },\n        { name = "bob"|' demo/massrevoke.cfg >demo/sql.cfg
export MASSREVOKE_CONFIG=$work/demo/sql.cfg

# until_true COMMAND...: waits up to 30 s for it to be true
until_true() {
    for _ in $(seq 300); do "$@" && return; sleep 0.1; done
    return 1
}
count() { m status --json >now; field now "$1"; }
unclaimed() { [ "$(db=postgres sql "SELECT count(*) FROM massrevoke.chunk WHERE state = 'claimed'")" = 0 ]; }
revoked() { sql "SELECT count(*) FROM certificates WHERE status = 'revoked'"; }
waits() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'massrevoke' AND datname = 'certdb' AND wait_event_type = 'Lock'")" = 1 ]; }

# hold_table: another session locks the table until let_go
hold_table() {
    mkfifo lock
    psql -X -q -At -h "$base" -U massrevoke -d certdb <lock >locked 2>&1 &
    background+=($!)
    exec 9>lock
    echo "BEGIN; LOCK TABLE certificates IN SHARE MODE; SELECT 'locked';" >&9
    until_true grep -q locked locked
}
let_go() { echo 'COMMIT;' >&9; exec 9>&-; rm lock; }

# ---- three cohorts, so several statements: another reason, and the same reason with two dates
head -n 6 all.txt >first.txt
sed -n 7,26p all.txt >second.txt
sed -n 27,60p all.txt >third.txt
ends 0 "open" open hang --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "import 1" import first.txt --serials hex --rule 4.9.1.1-7
ends 0 "import 2" import second.txt --serials hex --rule 4.9.1.1-3
ends 0 "import 3" import third.txt --serials hex --rule 4.9.1.1-4
for cohort in 1 2 3; do
    if [ $cohort = 1 ]; then dated=(); else dated=(--compromised-at "$(ago "$cohort days")"); fi
    ends 0 "plan $cohort" plan --cohort $cohort ${dated[@]+"${dated[@]}"}
    ends 0 "approve $cohort" approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt
done
for cohort in 1 2 3; do ends 0 "start $cohort" start --cohort $cohort --confirm hang; done

hold_table
"$program" run >run.log 2>&1 </dev/null &
engine=$!
background+=($engine)
until_true waits
verdict $? "a statement waits"
ends 0 "pause" pause revoke --reason "a doubt" --confirm hang
sleep 1
let_go
until_true unclaimed
verdict $? "it is given back"
sleep 2
[ "$(revoked)" = 0 ] && [ "$(count in_doubt)" = 0 ]
verdict $? "and nothing is revoked ($(revoked)) or in doubt"
kill $engine
wait $engine 2>/dev/null
ends 0 "resume" resume --confirm hang
timeout 60 "$program" run >out 2>err </dev/null
verdict $? "run"
[ "$(revoked)" = 60 ]
verdict $? "all are revoked in the end"

# ---- four a second, and a CRL after each: the session that lists is stopped
sed -i 's|profile = "certdb";|& rate = "4/s"; burst = 1;|' demo/sql.cfg
sed -n '61,$p' all.txt >fourth.txt
ends 0 "open" open list --rule 4.9.1.1-7 --received "$(ago '1 hour')" --profile immediate
ends 0 "inventory" inventory -c list demo/inventory.csv
ends 0 "import" import -c list fourth.txt --serials hex
ends 0 "plan" plan -c list
ends 0 "approve" approve -c list --key demo/approvers/bob.key --cert demo/approvers/bob.crt
ends 0 "start" start -c list --confirm list
entries() { openssl crl -inform DER -in demo/pub/ca.crl -noout -text | grep -c 'Serial Number:'; }
# lists: the session that lists is there, in $session
lists() {
    session=$(sql "SELECT pid FROM pg_stat_activity WHERE datname = 'certdb' AND state = 'idle' AND application_name = 'massrevoke'
        AND query LIKE 'SELECT%status = ''revoked'''")
    [ -n "$session" ]
}
"$program" run -c list >out 2>err </dev/null &
engine=$!
background+=($engine)
until_true lists && kill -STOP "$session" && [ "$(revoked)" -lt 100 ]
verdict $? "the CA's database hangs as it lists"
still=0 longest=0 before=0
while kill -0 $engine 2>/dev/null && [ "$(revoked)" -lt 120 ]; do
    now=$(revoked)
    if [ "$now" = "$before" ]; then still=$((still + 1)); else still=0; fi
    [ $still -gt $longest ] && longest=$still
    before=$now
    sleep 0.5
done
[ "$(revoked)" = 120 ] && [ $longest -lt 16 ]
verdict $? "it revokes meanwhile, and never stands still for long (at most $longest half seconds)"
kill -CONT "$session"
wait $engine
verdict $? "when the database wakes it ends"
[ "$(entries)" = 120 ]
verdict $? "with everything on its CRL"
finish
