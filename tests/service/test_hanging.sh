#!/bin/bash
# test_hanging.sh: a CA's own database hangs (cfssl's tables on a real PostgreSQL). A brake binds what no statement was
# given, also when it has another reason or another date; and when the database wakes nothing of it is revoked.
. "$(dirname "$(readlink -f "$0")")/../cli/lib.bash"
demo demo --count 60 --subscribers 3
certdb
serials demo 1 60 >all.txt
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
left_is() { [ "$(count not_revoked)" = "$1" ]; }
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

# ---- three cohorts, each in one chunk: another reason, and the same reason with two dates
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

# brake WHAT: the first statement waits; what it was given is done when the database wakes, and nothing else
brake() {
    hold_table
    "$program" run >run.log 2>&1 </dev/null &
    engine=$!
    background+=($engine)
    until_true waits
    verdict $? "$1: the statement waits"
    ends 0 "pause" pause revoke --reason "a doubt" --confirm hang
    sleep 1
    let_go
    until_true left_is $((60 - $2))
    verdict $? "what it was given is done: $2"
    sleep 2
    [ "$(revoked)" = "$2" ] && [ "$(count not_revoked)" = $((60 - $2)) ]
    verdict $? "and nothing else is ($(revoked))"
    kill $engine
    wait $engine 2>/dev/null
    ends 0 "resume" resume --confirm hang
}
brake "another reason waits" 6
brake "another date waits" 26
timeout 60 "$program" run >out 2>err </dev/null
verdict $? "run"
[ "$(revoked)" = 60 ]
verdict $? "all are revoked in the end"
finish
