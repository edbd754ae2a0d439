#!/bin/bash
# test_evidence.sh: a record that somebody changed in the database. What they touched is named by evidence verify
# (exit 10), with and without a head from outside; a ledger that does not balance is told by status and by the engine,
# and every report is refused. The exported record is checked with sha256sum, openssl and what its own page says.
. "$(dirname "$0")/lib.bash"
new_ca demo 12 3
serials demo 1 8 >list.txt
ends 0 "open" open proof --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate
ends 0 "import" import --serials hex list.txt
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "contacts" contacts demo/contacts.csv
ends 0 "plan" plan
ends 0 "approve" approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt
early=$(m evidence checkpoint)
ends 0 "start" start --confirm proof
ends 0 "run" run
ends 0 "the record is whole" evidence verify --json
[ "$(field out ok)" = true ] && [ "$(field out differs)" = null ]
verdict $? "and says so"
head=$(m evidence checkpoint)
[ "$head" = "$(field out size):$(field out root)" ]
verdict $? "checkpoint and verify name the same head"
ends 0 "with the head" evidence verify --head "$head"
ends 0 "with an earlier head" evidence verify --head "$early"
ends 10 "another log's root" evidence verify --head "${early%%:*}:${head##*:}"
says out 'events have root' "the root is named"
ends 10 "a head from the future" evidence verify --head "99999:${head##*:}"
says out 'the head given has 99999 events' "its size is named"
ends 2 "no head" evidence verify --head "${head}0"

# the record as a folder
ends 0 "export" evidence export record
ends 6 "export into a folder that is not empty" evidence export record
for kind in progress full; do m report $kind >"report.$kind" 2>/dev/null; done
says report.progress "${head##*:}" "the report names the head"
says report.full "${head##*:}" "so does the full one"
[ "$(cat record/head)" = "$head" ]
verdict $? "the exported head is the checkpoint"
cd record || exit 1
sha256sum --status -c SHA256SUMS
verdict $? "sha256sum accepts the folder"
find . -type f ! -name SHA256SUMS | sed 's,^\./,,' | sort >../files
cut -c 67- SHA256SUMS | sort | cmp -s - ../files
verdict $? "and no file is left out"
if command -v python3 >/dev/null; then
    blocks() { awk -v n="$1" '/^```python/ {k++; on = k == n; next} /^```/ {on = 0} on' VERIFY.md; }
    [ "$(blocks 1 | python3 -)" = "$head" ] && [ "$(blocks 1 | python3 - "${early%%:*}")" = "$early" ]
    verdict $? "VERIFY.md computes both heads"
    [ "$(blocks 2 | python3 -)" = "every fact belongs to its event" ]
    verdict $? "VERIFY.md matches facts and events"
    cp facts.jsonl ../facts.kept
    sed -i '1s/"seq"/"sfq"/; 1s/"sfq"/"seq" /' facts.jsonl
    ! blocks 2 | python3 - >/dev/null 2>&1 && ! sha256sum --status -c SHA256SUMS 2>/dev/null
    verdict $? "a changed fact is found by both"
    cp ../facts.kept facts.jsonl
fi
openssl cms -verify -binary -inform PEM -in requests/1-bob.p7s -content requests/1.txt -noverify \
    -certfile ../demo/approvers/bob.crt -out /dev/null 2>../err
verdict $? "openssl accepts the approval"
object=$(find objects -name '*.crl' | head -n 1)
[ "$(sha256sum "$object" | cut -c 1-64).crl" = "${object#objects/}" ]
verdict $? "a fetched object has its digest for a name"
openssl crl -inform DER -in "$object" -noout -CAfile ../demo/ca.pem 2>&1 | grep -q 'verify OK'
verdict $? "and is the CA's CRL"
cd .. || exit 1

# sabotage, as somebody with the database password; what was there comes back after each
socket=$(m db status | sed -n 's/^Private cluster: .* in \(.*\), running\.$/\1/p')/socket
sql() {
    PGOPTIONS='-c search_path=massrevoke -c session_replication_role=replica' \
        psql -X -q -v ON_ERROR_STOP=1 -h "$socket" -U massrevoke -d postgres -c "$1" >psql.log 2>&1
}
tables='page certificate event change result sighting object_part log'
keep() { for t in $tables; do echo "CREATE TABLE saved.$t AS TABLE $t;"; done; }
restore() { for t in $tables; do echo "DELETE FROM $t; INSERT INTO $t OVERRIDING SYSTEM VALUE SELECT * FROM saved.$t;"; done; }
sql "CREATE SCHEMA saved; $(keep)"
verdict $? "the database can be reached by hand"
undo=$(restore)

# named WHAT SQL TEXT: evidence verify ends 10 and names TEXT, with and without the head.
named() {
    sql "$2"
    verdict $? "done by hand: $1"
    ends 10 "$1" evidence verify
    says out "$3" "it is named"
    ends 10 "$1, with the head" evidence verify --head "$head"
    says out "$3" "and named again"
}
# unbalanced WHAT SQL TEXT: moreover status tells it, and every report is refused.
unbalanced() {
    local kind
    named "$@"
    ends 10 "$1: status" status
    says out 'COUNTS DO NOT BALANCE' "status says so"
    says out "${3%%:*}" "and where"
    ends 10 "$1: status --json --exit-code" status --json --exit-code
    grep -A 1 '"balance"' out | grep -q '"ok": false'
    verdict $? "balance.ok is false"
    for kind in progress full preliminary affected; do
        ends 5 "$1: report $kind" report "$kind"
        [ ! -s out ]
        verdict $? "nothing leaves the house"
    done
    sql "$undo"
    verdict $? "undone"
}
rehash="UPDATE event SET hash = sha256('\\x00'::bytea || convert_to(leaf, 'UTF8'))"

unbalanced "a page byte" "UPDATE page SET states = set_byte(states, 2, 6)" \
    'page 0: its counter says 8 revoked, its state bytes 7'
unbalanced "a pair of counters" "UPDATE page SET revoked = revoked - 1, held = held + 1" \
    'page 0: its counter says 7 revoked, its state bytes 8'
unbalanced "byte and counters alike" \
    "UPDATE page SET states = set_byte(states, 2, 6), revoked = revoked - 1, pending_publication = 1" \
    'page 0: certificate 2 is recorded, its facts say published'
unbalanced "a dropped certificate row" "DELETE FROM certificate WHERE id = 3" \
    'page 0: it counts 8 certificates, the list has 7'
unbalanced "a changed serial" "UPDATE certificate SET serial = '\\x1234' WHERE id = 3" \
    'page 0: its certificate rows are not those that were planned and signed'
ends 0 "all is well again" evidence verify --head "$head"
ends 0 "and status too" status --exit-code

# only_named: the counts are as they were, so only the log can tell.
only_named() {
    named "$@"
    sql "$undo"
}
only_named "a changed event" "UPDATE event SET leaf = replace(leaf, '\"seq\":4', '\"seq\": 4') WHERE seq = 4" \
    'event 4: its leaf was changed'
only_named "a dropped event" "DELETE FROM event WHERE seq = 3" 'event 3 is missing'
only_named "the last event dropped" \
    "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)" "event $((${head%%:*} - 1)) is missing"
only_named "two events in another order" \
    "UPDATE event SET seq = -1 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = -1" \
    'event 2: its leaf is that of another place in the log'
only_named "an added event" \
    "INSERT INTO event SELECT campaign, ${head%%:*}, at, actor, type, leaf, hash FROM event WHERE seq = 1" \
    "event ${head%%:*}: its leaf is that of another place"
only_named "a changed fact" "UPDATE result SET ca_at[1] = 5" 'the result row of page 0 was changed'
only_named "a dropped fact" "DELETE FROM sighting" 'the sighting row of page 0 is missing'
only_named "an added fact" \
    "INSERT INTO sighting SELECT campaign, seq, page, object + 1, seen, missing FROM sighting" \
    'a sighting row of page 0 was added'
only_named "changed bytes of a fetched CRL" "UPDATE object_part SET bytes = 'x'" 'the bytes of fetched object'

# a forger who computes every hash anew is betrayed by the head alone
sql "UPDATE event SET actor = 'mallory', leaf = regexp_replace(leaf, '^\{\"actor\":\"[^\"]*\"', '{\"actor\":\"mallory\"') WHERE seq = 1; $rehash WHERE seq = 1"
verdict $? "a leaf with all its hashes forged"
ends 0 "without a head nothing is wrong" evidence verify
ends 10 "with it all is said" evidence verify --head "$head"
says out 'events have root' "the root differs"
sql "$undo"

# the engine looks by itself
sql "UPDATE page SET revoked = revoked - 1, held = held + 1"
timeout 20 "$program" run --once >out 2>err </dev/null
says err 'the counts do not balance: page 0' "run says it"
sql "$undo"
ends 0 "whole at the end" evidence verify --head "$head"
finish
