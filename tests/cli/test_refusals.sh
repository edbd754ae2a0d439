#!/bin/bash
# test_refusals.sh: what is refused, with which exit code and which words; what run answers without working; the
# private database as root, as a plain user, twice at once and in awkward places; secrets.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 4
alice="--key demo/approvers/alice.key --cert demo/approvers/alice.crt"
hour=$(ago '1 hour')

# ---- the command line
ends 2 "an unknown command" opne x
ends 2 "an unknown option" open x --rool 4.9.1.1-12
ends 2 "an abbreviated option" open x --rule 4.9.1.1-12 --rec "$hour"
ends 2 "open without --received" open x --rule 4.9.1.1-12
ends 2 "a time without zone" open x --rule 4.9.1.1-12 --received 2026-11-22T06:23
ends 2 "a time that is none" open x --rule 4.9.1.1-12 --received yesterday
ends 2 "a campaign name with a blank" open 'a b' --rule 4.9.1.1-12 --received "$hour"
ends 5 "received in the future" open x --rule 4.9.1.1-12 --received 2999-01-01T00:00:00Z
ends 3 "an unknown rule" open x --rule 4.9.1.1-99 --received "$hour"
says err '4.9.1.1-12' "the rules there are, are listed"
ends 3 "an unknown profile" open x --rule 4.9.1.1-12 --received "$hour" --profile nonsense
ends 1 "no campaign yet" plan
ends 0 "options before the command" --config demo/massrevoke.cfg open first --rule 4.9.1.1-12 --received "${hour%Z}+00:00" --profile immediate
ends 6 "open twice" open first --rule 4.9.1.1-12 --received "$hour"
ends 0 "the only open campaign needs no name" request list
ends 0 "a second campaign" open second --rule 4.9.1.1-12 --received "$hour"
ends 6 "two open campaigns and no name" request list
says err 'first' "the first is listed"
says err 'second' "the second too"
ends 0 "-c names one" request list -c second
MASSREVOKE_CAMPAIGN=first ends 0 "MASSREVOKE_CAMPAIGN names one" request list
ends 1 "a campaign that is not there" request list -c third
serials demo 1 10 >list.txt

# ---- the configuration: every problem with file and line
printf 'version = 1;\nca = { backend = "ca_openssl" };\nnonsense = 1;\n' >bad.cfg
ends 3 "a broken configuration" open x --config bad.cfg --rule 4.9.1.1-12 --received "$hour"
says err 'bad.cfg:' "names file and line"
ends 3 "a configuration that is not there" request list --config nowhere.cfg
ends 6 "ca new into a folder in use" ca new demo --count 3 --subscribers 1
ends 2 "ca new without count" ca new fresh --subscribers 1

# ---- a reason that the backend can't express is refused before anything is planned
ends 0 "open for privilegeWithdrawn" open -c nine nine --rule 4.9.1.1-8 --received "$hour"
ends 0 "import for it" import -c nine --serials hex list.txt
ends 5 "plan for privilegeWithdrawn with openssl ca" plan -c nine
says err "ca_openssl can't express the reason privilegeWithdrawn" "backend and reason are named"
says err 'superseded' "what it can say is named"
ends 5 "and not as a dry run either" plan -c nine --dry-run

# ---- run without working
ends 4 "run: nothing is approved" run -c first
ends 1 "plan without certificates" plan -c first
ends 0 "import" import -c first --serials hex list.txt
ends 4 "run: no plan" run -c first
ends 4 "start: no plan" start -c first --confirm first
m plan -c first >out 2>&1
# shellcheck disable=SC2086
ends 0 "approve" approve -c first $alice
ends 6 "run: approved, not started" run -c first
ends 5 "start with another name" start -c first --confirm second
setsid -w "$program" start -c first >out 2>err </dev/null
[ $? = 2 ]
verdict $? "start without terminal (exit 2)"
says err '--confirm first' "the hint is --confirm"
ends 0 "a court hold" hold -c first --court 'order 1' "$(head -n 1 list.txt)"
ends 2 "a hold of neither kind" hold -c first "$(head -n 1 list.txt)"
ends 1 "a hold of a stranger" hold -c first --court 'order 1' 0A0B
ends 2 "a hold of what is no serial" hold -c first --court 'order 1' xyz
ends 2 "a drop without reason" drop -c first "$(head -n 1 list.txt)"
ends 0 "start" start -c first --confirm first
ends 0 "pause" pause -c first
ends 6 "notify while paused" notify -c first
ends 5 "resume with another name" resume -c first --confirm second
ends 0 "resume" resume -c first --confirm first
ends 6 "resume when nothing is paused" resume -c first --confirm first
ends 8 "run leaves what is held" run -c first
says out "$(head -n 1 list.txt)" "and lists it"
ends 8 "and says so again at once" run -c first
ends 8 "a drop that comes too late is listed" drop -c first --confirm first --reason late "$(tail -n 1 list.txt)"
ends 6 "a release of what nothing holds" release -c first "$(tail -n 1 list.txt)"
ends 8 "a release asks for an approval, and lists what nothing holds" release -c first "$(head -n 1 list.txt)" "$(tail -n 1 list.txt)"
says out "$(tail -n 1 list.txt)  no active hold names it" "by its serial"
m request list -c first >out
request=$(awk '$2 == "release" { print $1 }' out)
# shellcheck disable=SC2086
ends 0 "it is approved" approve -c first "$request" $alice
ends 0 "run finishes" run -c first
ends 0 "run: settled, at once" run -c first

# a delay is no brake: it binds only when signed, never by whoever asked, and ends by itself
m open delayed --rule 4.9.1.1-12 --received "$hour" --profile immediate >out
serials demo 21 4 | "$program" import -c delayed --serials hex - >out 2>&1
held=$(serials demo 21 1)
court=$(serials demo 22 1)
ends 0 "a court hold before there is a plan" hold -c delayed --court 'order 2' "$court"
m plan -c delayed >out 2>&1
# shellcheck disable=SC2086
m approve -c delayed $alice >out
ends 0 "start with a court hold" start -c delayed --confirm delayed
ends 2 "a delay without decision" hold -c delayed --delay --until 2999-01-01T00:00:00Z "$held"
ends 2 "a delay without end" hold -c delayed --delay --decision 'D 1' "$held"
ends 0 "a delay asks for an approval" hold -c delayed --delay --decision 'D 1' --until "$(date -u -d '+2 hours' +%FT%TZ)" "$held" --as alice
# shellcheck disable=SC2086
ends 5 "which its requester cannot give" approve -c delayed 2 $alice
ends 0 "but another can" approve -c delayed 2 --key demo/approvers/bob.key --cert demo/approvers/bob.crt
ends 8 "run --once leaves the delayed and the held" run -c delayed --once
grep -q "^V.*	$held	" demo/index.txt && grep -q "^V.*	$court	" demo/index.txt
verdict $? "both are valid still"
ends 0 "a delay is released without approval" release -c delayed "$held"
ends 8 "run" run -c delayed
grep -q "^R.*	$held	" demo/index.txt && grep -q "^V.*	$court	" demo/index.txt
verdict $? "now only the court's is left"

# after the start: additions are revoked only after their own approval, drops never, all others are
m open grows --rule 4.9.1.1-12 --received "$hour" --profile immediate >out
serials demo 25 8 | "$program" import -c grows --serials hex - >out 2>&1
m plan -c grows >out 2>&1
# shellcheck disable=SC2086
m approve -c grows $alice >out
m start -c grows --confirm grows >out
serials demo 33 3 | "$program" import -c grows --confirm grows --serials hex - >out 2>&1
# shellcheck disable=SC2046
setsid -w "$program" drop -c grows --reason replaced $(serials demo 25 2) >out 2>err </dev/null
[ $? = 2 ]
verdict $? "a drop after the start asks for the name"
# shellcheck disable=SC2046
ends 5 "and compares it" drop -c grows --confirm first --reason replaced $(serials demo 25 2)
ends 0 "two are dropped after the start" drop -c grows --confirm grows --reason replaced $(serials demo 25 2)
revoked() { serials demo "$1" "$2" | while read -r s; do grep "^R.*	$s	" demo/index.txt; done | wc -l; }
ends 0 "run settles the started cohort" run -c grows
says err 'cohort 2 waits with 3 certificates' "and tells of the waiting one"
[ "$(revoked 25 2) $(revoked 27 6) $(revoked 33 3)" = "0 6 0" ]
verdict $? "drops and additions are not revoked, all others are"
m plan -c grows >out 2>&1
ends 4 "the addition does not start unapproved" start -c grows --confirm grows
# shellcheck disable=SC2086
ends 0 "its own approval" approve -c grows $alice
ends 0 "its own start" start -c grows --confirm grows
ends 0 "run" run -c grows
[ "$(revoked 25 2) $(revoked 27 6) $(revoked 33 3)" = "0 6 3" ]
verdict $? "now the additions are revoked too"

# ---- Ctrl-C ends the batch; the database does not stop under an engine
serials demo 11 10 | "$program" import -c second --serials hex - >out 2>&1
m plan -c second >out 2>&1
# shellcheck disable=SC2086
m approve -c second $alice >out
m start -c second --confirm second >out
setsid "$program" run -c second >run.out 2>run.err </dev/null &
engine=$!
for _ in $(seq 100); do grep -q 'next due' run.err && break; sleep 0.05; done
ends 6 "db stop while an engine works" db stop
m request list -c second >/dev/null
verdict $? "the database still answers"
# as a terminal, a shell and timeout(1) may do it
kill -INT $engine
kill -TERM $engine
kill -INT $engine
wait $engine
[ $? = 130 ]
verdict $? "SIGINT ends run with 130, and what is sent twice at once is one wish"
says run.err 'nothing is lost' "and says that nothing is lost"
ends 0 "run --once does what is due" run -c second --once

# ---- a database of one's own
ends 0 "db status" db status --json
[ "$(field out running)" = true ]
verdict $? "it runs"
ends 0 "db stop" db stop
ends 0 "db stop when nothing runs" db stop
ends 0 "db status when nothing runs" db status
ends 0 "db start" db start
ends 0 "db start when it runs" db start
ends 0 "db migrate" db migrate
printf 'version = 1;\ndb = { conninfo = "host=%s/none dbname=x"; };\n' "$work" >away.cfg
ends 7 "a configured server that is away" request list --config away.cfg
ends 6 "db start with a configured server" db start --config away.cfg

# two at the same moment, on a fresh state
(
    export MASSREVOKE_STATE=$work/race
    "$program" open a --rule 4.9.1.1-12 --received "$hour" >a.out 2>&1 &
    one=$!
    "$program" open b --rule 4.9.1.1-12 --received "$hour" >b.out 2>&1
    code=$?
    wait $one && [ $code = 0 ]
)
verdict $? "two processes start the database at once"
MASSREVOKE_STATE=$work/race m request list >out 2>err
[ $? = 6 ]
verdict $? "and both campaigns are there"
MASSREVOKE_STATE=$work/race m db stop >/dev/null

# below a folder that others cannot enter, and with a very long path
mkdir -m 700 private
long=$(printf 'd%.0s' $(seq 60))
for state in "$work/private/state" "$work/$long/$long/$long/state"; do
    mkdir -p "$(dirname "$state")"
    MASSREVOKE_STATE=$state m db start >out 2>err
    verdict $? "a state folder of ${#state} bytes, $(stat -c %a "$(dirname "$state")")"
    MASSREVOKE_STATE=$state m db status >out 2>err
    verdict $? "it answers there"
    MASSREVOKE_STATE=$state m db stop >/dev/null
    verdict $? "and stops there"
done

# as a plain user
if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 home && chown nobody home
    as_nobody() { (cd home && setpriv --reuid nobody --regid nogroup --clear-groups env -u MASSREVOKE_CONFIG HOME="$work/home" MASSREVOKE_STATE="$work/home/state" "$program" "$@" </dev/null); }
    as_nobody ca new demo --count 5 --subscribers 2 >out 2>&1
    verdict $? "a plain user makes a CA"
    as_nobody --config demo/massrevoke.cfg open plain --rule 4.9.1.1-12 --received "$hour" --profile immediate >out 2>err
    verdict $? "opens a campaign"
    (cut -f 4 home/demo/index.txt | head -n 2) >home/list.txt
    as_nobody --config demo/massrevoke.cfg import --serials hex list.txt >out 2>err
    verdict $? "imports"
    as_nobody --config demo/massrevoke.cfg plan >out 2>err
    verdict $? "plans"
    as_nobody --config demo/massrevoke.cfg approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt >out 2>err
    verdict $? "approves"
    as_nobody --config demo/massrevoke.cfg start --confirm plain >out 2>err
    verdict $? "starts"
    as_nobody --config demo/massrevoke.cfg run >out 2>err
    verdict $? "runs"
    [ "$(grep -c '^R' home/demo/index.txt)" = 2 ]
    verdict $? "two are revoked"
    as_nobody db status >out 2>err
    verdict $? "db status"
    as_nobody db stop >out 2>err
    verdict $? "db stop"
    [ "$(find home ! -user nobody ! -name list.txt | wc -l)" = 0 ]
    verdict $? "and everything there is the user's"
fi

# ---- secrets: nothing that others could read, no key in the state folder's logs
for key in demo/private/ca.key demo/approvers/alice.key demo/approvers/bob.key; do
    [ "$(stat -c %a "$key")" = 600 ]
    verdict $? "$key is 0600"
done
[ "$(find state -maxdepth 0 -perm /066; find state -mindepth 1 -maxdepth 1 -perm /077)" = "" ]
verdict $? "others read nothing of the state folder"
! grep -rqsE 'BEGIN (EC )?PRIVATE KEY' "$work/state"
verdict $? "no private key is in the state folder"
finish
