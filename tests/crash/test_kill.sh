#!/bin/bash
# test_kill.sh: kill -9 of a running engine at random moments, with PostgreSQL in immediate mode in between; then a run
# to the end. Are the CA's records, pages and totals those of an undisturbed run, and no first date changed?
# KILLS (50) and CERTIFICATES (3000) make it longer; SEED repeats one.
. "$(dirname "$(readlink -f "$0")")/../lib/live.sh"
kills=${KILLS:-50} count=${CERTIFICATES:-3000}
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"

new_ca killed "$count"
serials >"$work/list"
cp -a "$work/killed" "$work/reference"

use_ca reference 2000/s
new_campaign reference immediate "$work/list"
mr run >/dev/null 2>&1
same "the undisturbed run ends 0" $? 0
truth=$(pages "$id" | cut -d '|' -f 2-)
who=$(revoked | cut -d ' ' -f 1)
same "the undisturbed run revokes all" "$(revoked | wc -l)" "$count"

# chunks of twenty and a small burst: every start does a little, and fifty do not come to the end
use_ca killed "$((count / 2000 + 1))/s"
new_campaign killed immediate "$work/list"
: >"$work/seen"
window=300 # milliseconds; a busy machine needs longer to come to the first revocation
for ((i = 1; i <= kills; i++)); do
    "$program" run </dev/null >"$work/run.log" 2>&1 &
    engine=$!
    delay=$((RANDOM % window + 20))
    sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
    if [ $((i % 5)) = 0 ] && server=$(postmaster 2>/dev/null) && [ -n "$server" ]; then
        kill -QUIT "$server"
        # every other time the engine lives on, and brings the database back itself
        [ $((i % 2)) = 0 ] && sleep 1.5
    fi
    kill -9 $engine 2>/dev/null
    wait $engine 2>/dev/null
    revoked >>"$work/seen"
    [ -s "$work/seen" ] || window=$((window + 100))
done
mr db start >/dev/null || exit 1
left=$(sql "SELECT sum(not_revoked + pending_publication) FROM page WHERE campaign = $id")
verdict "$([ "$left" -gt 0 ] && echo 0 || echo 1)" "work was left after the last kill ($left)"
verdict "$([ "$(sort -u "$work/seen" | wc -l)" -gt 0 ] && echo 0 || echo 1)" "something was revoked before it"

use_ca killed 2000/s
timeout 120 "$program" run </dev/null >"$work/run.log" 2>&1
same "the last run ends 0" $? 0
same "pages and totals equal an undisturbed run" "$(pages "$id" | cut -d '|' -f 2- | sha256sum)" "$(echo "$truth" | sha256sum)"
same "the CA's records equal an undisturbed run" "$(revoked | cut -d ' ' -f 1 | sha256sum)" "$(echo "$who" | sha256sum)"
same "every reason is the approved one" "$(revoked | grep -vc ',superseded$')" 0
same "no first date or reason changed" "$(sort -u "$work/seen" | comm -23 - <(revoked) | head -n 3)" ""
same "nothing was answered \"revoked now\" twice" "$(twice "$id" | head -n 3)" ""
same "every invariant holds" "$(in_order "$id" | head -n 3)" ""
finish
