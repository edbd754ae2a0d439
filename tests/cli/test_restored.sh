#!/bin/bash
# test_restored.sh: a database that was put back (a copy of the cluster, a dump read in elsewhere) does not act before a
# person confirms it with the campaign's name; then the campaign comes to the end it would have come to, nothing twice.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 3
bob="--key demo/approvers/bob.key --cert demo/approvers/bob.crt"
serials demo 1 20 >list.txt
folder() { m db status | sed -n 's/^Private cluster: .* in \(.*\), \(running\|stopped\)\.$/\1/p'; }
{ m open back --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate && m import list.txt --serials hex &&
    m inventory demo/inventory.csv && m contacts demo/contacts.csv && m plan && m approve $bob && m start --confirm back; } >log 2>&1 || { cat log; failed=1; }
base=$(folder)
ends 0 "one run" run --once
m db stop >/dev/null
cp -a "$base/data" kept
ends 0 "a run to the end" run
cut -f 1,3,4 demo/index.txt >truth
[ "$(grep -c ^R truth)" = 20 ]
verdict $? "revokes all"
ends 0 "and another" run

# ---- a copy of the files
{ m hold --court order.txt "$(tail -n 1 list.txt)"; m pause; m resume --confirm back; } >log 2>&1
ends 0 "it knows its log" run
m db stop >/dev/null
rm -rf "$base/data" && cp -a kept "$base/data"
ends 6 "the restored one does not run" run
says err 'its log has' "it says how it knows"
says err 'massrevoke db confirm -c back' "and names the command"
ends 6 "nor run in parts" run --only execute
ends 6 "nor tell people" notify --kind first
ends 0 "a look is free" status
ends 5 "another campaign's name" db confirm --confirm other
ends 6 "confirms nothing" run
ends 0 "a person confirms" db confirm --confirm back
ends 0 "and it runs to the end" run
cut -f 1,3,4 demo/index.txt | cmp -s - truth
verdict $? "no date and no reason has changed at the CA"
m status --json >out
[ "$(field out revoked)" = 20 ]
verdict $? "and all are published"
ends 0 "the evidence verifies" evidence verify
m evidence export >/dev/null 2>&1
sql() { PGOPTIONS='-c search_path=massrevoke' psql -X -q -At -h "$base/socket" -U massrevoke -d postgres -c "$1"; }
[ "$(sql "SELECT count(*) FROM event WHERE type = 'restored'")" = 1 ]
verdict $? "the confirmation is an event"

# ---- an act of a person alone, which no engine saw, is lost with what is put back: that is noticed all the same
ends 0 "a run before" run
m db stop >/dev/null
rm -rf kept && cp -a "$base/data" kept
ends 0 "a brake" pause
m db stop >/dev/null
rm -rf "$base/data" && cp -a kept "$base/data"
ends 6 "without it nothing runs" run
says err 'its log has' "for its log is shorter than what was seen"
ends 0 "confirmed" db confirm --confirm back
ends 0 "it does" run

# ---- a copy that went on elsewhere: as long, but with other entries
m db stop >/dev/null
rm -rf kept && cp -a "$base/data" kept
ends 0 "here it goes on" pause
ends 0 "and on" resume --confirm back
ends 0 "and is seen" run
m db stop >/dev/null
rm -rf "$base/data" && cp -a kept "$base/data"
for _ in 1 2 3 4; do m pause --reason elsewhere >/dev/null 2>&1; m resume --confirm back >/dev/null 2>&1; done
ends 6 "the other branch does not run" run
says err 'of its log is another one' "although its log is longer"
ends 0 "confirmed" db confirm --confirm back
ends 0 "it does" run

# ---- a dump, read in on another server: nothing there is known to this host
mkdir other && chmod 711 other
pg_dump -h "$base/socket" -U massrevoke -d postgres -n massrevoke -Fp >dump.sql
export MASSREVOKE_STATE=$work/other/state
ends 0 "another server" db start
there=$(folder)
psql -X -q -h "$there/socket" -U massrevoke -d postgres -f dump.sql >log 2>&1
ends 6 "the dump does not run" run
says err 'it was on server and timeline' "for it is on another server"
ends 0 "confirmed" db confirm --confirm back
ends 0 "it does" run
m db stop >/dev/null
export MASSREVOKE_STATE=$work/state
finish
