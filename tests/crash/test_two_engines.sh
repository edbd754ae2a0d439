#!/bin/bash
# test_two_engines.sh: two engines on one campaign. Nothing twice, both end 0; one that is stopped loses its session after
# 30 s of the database's clock, is relieved, and does nothing wrong when it wakes (only with LONG=1: it takes a minute).
. "$(dirname "$(readlink -f "$0")")/../lib/live.sh"

new_ca two 1500
serials >"$work/list"
use_ca two 10/s
new_campaign two immediate "$work/list"
use_ca two 60/s # chunks of 100, and no engine may take more than 600 at once
"$program" run </dev/null >"$work/first.log" 2>&1 &
first=$!
"$program" run </dev/null >"$work/second.log" 2>&1 &
second=$!
wait $first
same "the first engine ends 0" $? 0
wait $second
same "the second engine ends 0" $? 0
same "all are revoked" "$(revoked | wc -l)" 1500
same "both had a part" "$(sql "SELECT count(DISTINCT substring(leaf from '\"engine\":([0-9]+)')) FROM event WHERE campaign = $id AND type = 'claim'")" 2
same "every certificate was answered \"revoked now\" once" \
    "$(sql "SELECT count(*) FROM result r, unnest(offsets) WITH ORDINALITY u(o, i) WHERE campaign = $id AND get_byte(outcomes, i::int - 1) = 0")" 1500
same "nothing was claimed twice" "$(sql "SELECT max(epoch) FROM chunk WHERE campaign = $id")" 1
same "every invariant holds" "$(in_order "$id" | head -n 3)" ""

if [ "${LONG:-0}" = 1 ]; then
    new_ca stopped 600
    serials >"$work/list"
    use_ca stopped 10/s
    new_campaign stopped immediate "$work/list"
    flock "$ca/index.lock" sleep 3 &
    sleep 0.5
    "$program" run </dev/null >"$work/first.log" 2>&1 &
    first=$!
    sleep 1.5
    kill -STOP $first # it has claimed and waits for the index: the intent is durable, the request not sent
    stopped=$(sql "SELECT max(engine) FROM engine")
    same "the stopped engine owns a chunk" "$(sql "SELECT DISTINCT owner FROM chunk WHERE state = 'claimed'")" "$stopped"
    use_ca stopped 2000/s
    timeout 90 "$program" run </dev/null >"$work/second.log" 2>&1
    same "the relief ends 0" $? 0
    same "the stopped engine's session was ended" \
        "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = lock_class('engine')::bit(32)::bigint::oid AND objid = $stopped::oid")" 0
    revoked >"$work/before"
    kill -CONT $first
    wait $first
    same "the stopped one wakes and ends 0" $? 0
    same "it has changed no date" "$(revoked | cmp "$work/before" - 2>&1)" ""
    same "all are revoked, none twice" "$(revoked | wc -l) $(twice "$id" | head -n 3)" "600 "
    same "every invariant holds" "$(in_order "$id" | head -n 3)" ""
fi
finish
