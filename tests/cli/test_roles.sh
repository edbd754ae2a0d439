#!/bin/bash
# test_roles.sh: an engine that only executes works under a database role that may not read contacts, notices and
# acknowledgements; others tell people, publish and look meanwhile. The role can neither read them nor approve.
. "$(dirname "$0")/lib.bash"
new_ca demo 30 3
bob="--key demo/approvers/bob.key --cert demo/approvers/bob.crt"
serials demo 1 12 >list.txt
{ m open split --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile tls-5-day && m import list.txt --serials hex &&
    m inventory demo/inventory.csv && m contacts demo/contacts.csv; m plan; m approve $bob && m start --confirm split; } >log 2>&1 || { cat log; failed=1; }
base=$(m db status | sed -n 's/^Private cluster: .* in \(.*\), running\.$/\1/p')
role() { PGOPTIONS="-c search_path=massrevoke $2" psql -X -q -At -v ON_ERROR_STOP=1 -h "$base/socket" -U massrevoke -d postgres "${@:3}" >"$work/$1" 2>&1; }
for turn in first second; do
    role psql.log '' -f "$here/../../sql/role/executor.sql"
    verdict $? "the role is made, the $turn time"
done
role psql.log '' -c "CREATE ROLE engine2 LOGIN IN ROLE massrevoke_executor"
verdict $? "and has a member"
for table in contact notice notice_try ack; do
    ! role psql.log '-c role=engine2' -c "SELECT count(*) FROM $table" && grep -q 'permission denied' psql.log
    verdict $? "the member can't read $table"
done
! role psql.log '-c role=engine2' -c "INSERT INTO approval VALUES (1, 1, 'x', 0, '')" && grep -q 'permission denied' psql.log
verdict $? "nor approve"
! role psql.log '-c role=engine2' -c "UPDATE inventory SET subscriber = ''" && grep -q 'permission denied' psql.log
verdict $? "nor change the inventory"

# the hours are days away: they are brought forward, for a test
role psql.log '' -c "UPDATE chunk SET due_at = 0, slot_start = 0"
sed "s|^demo = true;|demo = true;\ndb = { conninfo = \"host=$base/socket user=massrevoke dbname=postgres options='-c role=engine2'\"; };|" demo/massrevoke.cfg >demo/engine2.cfg
for part in notify publish verify; do
    timeout 100 "$program" run --only $part >$part.log 2>&1 </dev/null &
    background+=($!)
done
MASSREVOKE_CONFIG=$work/demo/engine2.cfg timeout 100 "$program" run --only execute >execute.log 2>&1 </dev/null &
background+=($!)
# the second CRL is hours away; the CA's record is what the executor is for
for _ in $(seq 150); do
    m status --json >out 2>err
    [ "$(field out not_revoked)" = 0 ] && break
    sleep 0.2
done
[ "$(field out not_revoked)" = 0 ] && [ "$(field out affected)" = 12 ]
verdict $? "the executor works to the end"
[ "$(cut -f 1 demo/index.txt | grep -c R)" = 12 ]
verdict $? "and the CA has it"
[ "$(field out revoked)" -ge 5 ]
verdict $? "its canaries were published and seen by the others, or it would not have gone on"
kill "${background[@]}"
wait "${background[@]}"
grep -q 'nothing is lost' execute.log
verdict $? "it ends in good order"
background=()
! grep -E 'permission denied for' "$base/server.log" | grep -vE 'table (contact|notice|notice_try|ack|approval|inventory)$' | grep -q .
verdict $? "nothing else was denied"
# ours above: once for each of the six
[ "$(grep -c 'permission denied for' "$base/server.log")" = 6 ]
verdict $? "and the engine never asked for what it may not read"
[ "$(find demo/spool -name '*.eml' | wc -l)" -gt 0 ]
verdict $? "people were told by the other"
role events '' -c "SELECT count(*) FROM event e WHERE type = 'settle'"
[ "$(cat events)" -gt 0 ]
verdict $? "the executor's outcomes stand in the log"
ends 0 "the evidence verifies" evidence verify
finish
