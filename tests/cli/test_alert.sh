#!/bin/bash
# test_alert.sh: is a person called when a campaign needs one: through the command and by mail, the next name when nobody
# answers, never after an ack, once for each cause even when engines are killed; and does the heartbeat stop with them?
# shellcheck disable=SC2034
. "$(dirname "$0")/lib.bash"
new_ca demo 40 4
m -c none alert list >out 2>err
ends 3 "a test without any way to go" alert test
says err "no way is configured" "and what to set"

cat >pager <<'END'
#!/bin/bash
# keeps what it is told; the file `broken` makes it fail
[ ! -e broken ] || { echo "no carrier"; exit 4; }
cat >>calls && echo "$MASSREVOKE_ALERT_KIND $MASSREVOKE_ALERT_EVENT $MASSREVOKE_ALERT_STEP $MASSREVOKE_ALERT_TO" >>paged
END
chmod 755 pager
touch calls paged
cat >>demo/massrevoke.cfg <<END
alert = {
  command = [ "$work/pager" ];
  oncall = ( { name = "Ada"; email = "ada@ca.example"; }, { name = "Ben"; email = "ben@ca.example"; } );
  after = "1s";
  heartbeat = { file = "$work/beat"; every = "5s"; };
};
END
ends 0 "config check" config check
ends 0 "every way works" alert test --json
[ "$(grep -c '"ok": true' out)" = 5 ]
verdict $? "four ways and all of them"
[ "$(cat paged)" = "test raised 0 " ] && [ -s beat ]
verdict $? "the command ran, the file is touched"
grep -qi '^To: .*ada@ca.example' demo/spool/alert-test-*-01.eml && grep -q '^Auto-Submitted: auto-generated' demo/spool/alert-test-*-02.eml
verdict $? "both names got a mail"
touch broken
ends 8 "a command that fails" alert test
says out "no carrier" "with what it said"
says out "FAIL  command" "and which way"
rm broken

# nobody approved: run says so at once, and somebody was called
>paged
ends 0 "open" open a --rule 4.9.1.1-12 --received "$(ago '3 hours')" --profile immediate
serials demo 1 20 >list.txt
ends 0 "import" import --serials hex list.txt
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "plan" plan --at "$(ago '2 hours')"
says err "on call hears of it from an engine: massrevoke run" "and says by whom somebody is called"
ends 4 "run without an approval" run
says err "ALERT 1: request 1 (plan): 0 of 1 approvals" "it says that one waits"
says paged "approval raised 0 Ada" "Ada was paged"
sleep 1
ends 4 "and later again" run
says paged "approval repeated 1 Ben" "then Ben"
ends 0 "the list" alert list
says out "massrevoke approve 1 --key FILE --cert FILE" "has the command to type"
m alert list --json >list.json
grep -q '"command": "massrevoke request show 1' list.json && grep -q '"path": "mail"' list.json && grep -q '"outcome": "accepted"' list.json
verdict $? "as JSON, with the calls"
ends 0 "status counts it" status --json
n=$(field out unacknowledged)
[ "$n" -gt 0 ] && [ "$n" = "$(grep -c '"state": "open"' list.json)" ]
verdict $? "with what else is late by now"
m status >out
says out "! ALERTS      $n open, $n not taken by anybody: massrevoke alert list" "and shows it"
ends 0 "Ada takes it" alert ack 1 --as ada
says out "ada has alert 1" "by name"
ends 6 "once" alert ack 1 --as ben
ends 2 "by its number" alert ack one
ends 0 "Ben takes the rest" alert ack --as ben
says out "ben has alert 2" "one by one"
calls=$(wc -l <paged)
sleep 1
ends 4 "run again" run
[ "$(wc -l <paged)" = "$calls" ]
verdict $? "nobody else is called"
m alert list >out
says out "acknowledged by ada" "it is hers"

# approved: over, and the pager hears of it
ends 0 "approve" approve --key demo/approvers/alice.key --cert demo/approvers/alice.crt
ends 0 "start" start --confirm a
ends 0 "run" run
says err "alert 1 is over" "the cause is gone"
says paged "approval cleared 0" "the pager may close it"
m alert list >out
says out "approval, cleared" "it stays in the list for a day"

# a CA that cannot be reached, an engine that is killed: every call once, whoever makes it
>paged
ends 0 "open" open b --rule 4.9.1.1-12 --received "$(ago '3 hours')" --profile immediate
export MASSREVOKE_CAMPAIGN=b
serials demo 21 10 >list.txt
{ m import --serials hex list.txt && m inventory demo/inventory.csv && m plan --at "$(ago '2 hours')" &&
    m approve --key demo/approvers/alice.key --cert demo/approvers/alice.crt && m start --confirm b; } >out 2>&1
verdict $? "another campaign, started"
echo "DEADBEEF" | "$program" import --serials hex - --confirm b >out 2>&1
verdict $? "with a late certificate that waits for its approval"
m plan >/dev/null 2>&1
# until COMMAND...: waits for it to become true
until_true() { local n; for n in $(seq 200); do "$@" && return; sleep 0.05; done; return 1; }
# an engine that has nothing left to do ends by itself: another one is started, as its unit would
called() {
    kill -0 $engine 2>/dev/null || { "$program" run >run.log 2>&1 </dev/null & engine=$!; }
    [ "$(grep -c '^approval' paged)" -ge "$1" ]
}
for n in 1 2 3; do
    "$program" run >run.log 2>&1 </dev/null &
    engine=$!
    until_true called "$n"
    kill -9 $engine 2>/dev/null
    wait $engine 2>/dev/null
done
[ "$(grep '^approval' paged | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 1 approval raised 0 Ada; 1 approval repeated 1 Ben; 1 approval repeated 2 Ada;" ]
verdict $? "killed three times: each call once, no name forgotten"
"$program" run >run.log 2>&1 </dev/null &
engine=$!
background+=($engine)
touch stamp
until_true test beat -nt stamp
verdict $? "the heartbeat goes on with the engine"
kill -9 $engine
wait $engine 2>/dev/null
touch stamp
sleep 0.5
[ stamp -nt beat ]
verdict $? "and stops with it"
finish
