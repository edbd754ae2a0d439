/* lane.h - how many fit into hour slots, and which slot the next one gets.
 *
 * A supply says how much a backend (or the help desk) can take in each slot; a lane hands its slots out to a
 * row of equal items in order: each item at its wished slot, later when that is full, earlier only when the
 * items behind it would otherwise not fit before `end`. Does not: know certificates or frozen hours. Pure.
 * Called by: planner. */
#ifndef MASSREVOKE_PLANNER_LANE_H
#define MASSREVOKE_PLANNER_LANE_H

#include "massrevoke/time.h"

#define LANE_PLENTY (INT64_C(1) << 32) /* a slot without limit takes so many: more than there are numbers */
#define LANE_NO_END INT64_MAX

/* Capacity of slots from `open` on. */
struct supply {
    int64_t open, first; /* the first slot and what it holds: `now` may lie inside it */
    int64_t whole;       /* what any later slot holds */
    int64_t every;       /* only each so-manieth slot, counted from open, holds anything; mostly 1 */
};

/* The supply of a rate from slot `open` on, whose usable length is open_seconds (1 to 3600). */
struct supply supply_of(struct rate rate, int64_t open, int64_t open_seconds);

/* How many fit into slots from <= k < to; 0 when there is none. O(1). */
int64_t supply_between(const struct supply *s, int64_t from, int64_t to);

/* The first slot limit such that n fit into [from, limit). O(1). */
int64_t supply_limit(const struct supply *s, int64_t from, int64_t n);

/* A row of `total` items being placed. */
struct lane {
    struct supply supply;
    int64_t end; /* items are pulled forward to fit before it; LANE_NO_END: dense, wishes are ignored */
    int64_t total, next; /* items, and how many are placed */
    int64_t slot, room;  /* where the next one may go, and how many still fit there */
};

/* A lane whose first slot is `start`; unless end is LANE_NO_END, total must fit into [start, end). */
struct lane lane_of(struct supply supply, int64_t start, int64_t end, int64_t total);

/* Tells that the next `count` items belong together: moves on to the next slot when they fit there and not
 * here, and when nothing behind them is squeezed out by that. */
void lane_group(struct lane *l, int64_t count);

/* Places the next one or more of `count` items with one wish into one slot; returns how many, and the slot.
 */
int64_t lane_take(struct lane *l, int64_t wish, int64_t count, int64_t *slot);

#endif
