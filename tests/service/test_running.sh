#!/bin/bash
# test_running.sh: what people may do to a campaign, before its start and under a running `run`.
. "$(dirname "$(readlink -f "$0")")/../lib/live.sh"

new_ca demo 120
rows() { serials | sed -n "$1p"; }
rows 1,100 >"$work/list"
rows 101,105 >"$work/more"
cat >"$work/quick.cfg" <<'END'
version = 1;
name = "quick";
notices = false;
first_slot = "0s";
publish_at_once = true;
crl_every = "1h";
publish_margin = "5m";
reserve = "0s";
canary = 2;
outage_floor = "0s";
END
state_of() { # state_of ID SERIAL
    sql "SELECT get_byte(p.states, k.number % 1000) & 15 FROM affected k JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
          WHERE k.campaign = $1 AND k.serial = '\\x$2'"
}
code() { sql "SELECT state_code('$1')"; }
is_revoked() { revoked | grep -q "^$1 "; }
all_revoked() { local s; while read -r s; do is_revoked "$s" || return 1; done; }
none_revoked() { local s; while read -r s; do is_revoked "$s" && return 1; done; return 0; }
# until SECONDS COMMAND...
until_true() {
    local i most=$1
    shift
    for ((i = 0; i < most * 10; i++)); do "$@" && return 0; sleep 0.1; done
    return 1
}
ends() { # ends CODE TEXT COMMAND...
    local want=$1 text=$2
    shift 2
    "$@" >"$work/out" 2>&1
    same "$text" $? "$want"
}

# --- before the start: what changes after the signature voids it ---
export MASSREVOKE_CAMPAIGN=early
commander open early --rule 4.9.1.1-12 --received "$(moment '-1 hour')" --profile immediate >/dev/null || exit 1
ends 4 "run without an approval" mr run
commander import "$work/list" --serials hex >/dev/null && commander inventory "$ca/inventory.csv" >/dev/null && commander plan >/dev/null
ends 4 "start without an approval" commander start --confirm early
ends 0 "approve" approve
ends 6 "run approved but not started" mr run
commander import "$work/more" --serials hex >/dev/null
ends 4 "start after the list has changed" commander start --confirm early
commander plan >/dev/null && approve >/dev/null
commander plan >/dev/null
ends 4 "start after the plan was made anew" commander start --confirm early
approve >/dev/null
commander drop "$(rows 1)" --reason "listed in error" >/dev/null
ends 4 "start after a drop" commander start --confirm early
same "nothing was revoked" "$(revoked | wc -l)" 0
sql "UPDATE campaign SET closed_at = 1 WHERE name = 'early'"

# --- under a running engine: ten at a time, so that there is time to act ---
use_ca demo 1/s
new_campaign running "$work/quick.cfg" "$work/list"
"$program" run </dev/null >"$work/run.log" 2>&1 &
engine=$!
begun() { [ "$(revoked | wc -l)" -gt 0 ]; }
until_true 20 begun
verdict $? "the canary is revoked"
commander pause --reason "look at the canary" >/dev/null
sleep 1
stopped=$(revoked | wc -l)
sleep 2
same "a paused engine revokes nothing" "$(revoked | wc -l)" "$stopped"
verdict "$(kill -0 $engine 2>/dev/null; echo $?)" "it waits"

# five drops and three court holds among what is not revoked yet
grep -vxF "$(revoked | cut -d ' ' -f 1)" "$work/list" | tail -n 8 >"$work/rest"
head -n 5 "$work/rest" >"$work/drops"
tail -n 3 "$work/rest" >"$work/holds"
mapfile -t drops <"$work/drops"
mapfile -t holds <"$work/holds"
ends 0 "five drops" commander drop "${drops[@]}" --confirm running --reason "not affected after all"
ends 0 "a court order" commander hold --court "order 4 O 12/26" "${holds[@]}"
commander import "$work/more" --confirm running --serials hex >/dev/null && commander inventory "$ca/inventory.csv" >/dev/null
use_ca demo 5/s
ends 0 "resume" commander resume --confirm running
kill -9 $engine # the next one reads the faster rate
wait $engine 2>/dev/null
"$program" run </dev/null >"$work/run.log" 2>&1 &
engine=$!
half() { [ "$(revoked | wc -l)" -ge 50 ]; }
until_true 30 half
verdict $? "the next engine goes on"
none_revoked <"$work/more"
verdict $? "additions wait for their own approval"
ends 4 "which a start demands" commander start --cohort 2 --confirm running
commander plan --cohort 2 >/dev/null && approve >/dev/null && commander start --cohort 2 --confirm running >/dev/null
verdict $? "the additions have their own plan, approval and start"
kill -0 $engine
verdict $? "under the same running engine"
wait $engine
same "run ends 8 with only held ones left" $? 8
same "and lists them" "$(grep -ocFf "$work/holds" "$work/run.log")" 3
all_revoked <"$work/more"
verdict $? "the additions are revoked"
grep -vxFf "$work/rest" "$work/list" >"$work/others"
all_revoked <"$work/others"
verdict $? "all others are revoked"
none_revoked <"$work/rest"
verdict $? "drops and held ones are not"
same "a dropped one is withdrawn" "$(state_of "$id" "${drops[0]}")" "$(code withdrawn)"
same "nobody else was revoked" "$(revoked | wc -l)" 97
same "every invariant holds" "$(in_order "$id" | head -n 3)" ""
sql "UPDATE campaign SET closed_at = 1 WHERE name = 'running'"

# --- a certificate row altered in the database after the approval ---
rows 106,115 >"$work/list"
new_campaign altered immediate "$work/list"
victim=$(rows 118)
sql "UPDATE certificate SET serial = '\\x$victim' WHERE campaign = $id AND id = 4"
timeout 30 "$program" run </dev/null >"$work/run.log" 2>&1
same "run with an altered row ends 8" $? 8
is_revoked "$victim"
same "the altered row is not revoked" $? 1
none_revoked <"$work/list"
verdict $? "nor is its page"
grep -q "not what was approved" "$work/run.log"
verdict $? "run reports it"
same "the log has it" "$(sql "SELECT count(*) FROM event WHERE campaign = $id AND type = 'scope_altered'")" 1
finish
