/* calendar.h - hour slots with the frozen ones taken out.
 *
 * Windows, lanes and level loads count in places on an axis that skips frozen hours; outside the freezes
 * place and hour are the same. Does not: know why an hour is frozen. Pure; O(1) a question. Called by:
 * planner. */
#ifndef MASSREVOKE_PLANNER_CALENDAR_H
#define MASSREVOKE_PLANNER_CALENDAR_H

#include "massrevoke/arena.h"
#include "massrevoke/rules.h"

/* Hours from `open` on; `hours` of them are looked up, `usable` of these are not frozen. */
struct calendar {
    int64_t open, hours, usable;
    int32_t *place; /* by hour minus open: usable hours before it */
    int32_t *hour;  /* by place minus open: hours after open */
};

/* The calendar of hours open <= h < end counted from `received`, without those that a freeze touches whose
 * bit in `mask` is set. */
struct calendar calendar_of(const struct profile *p, uint64_t mask, struct utc received, int64_t open,
                            int64_t end, struct arena *a);

/* The place of an hour; of a frozen one: of the next usable. */
int64_t calendar_place(const struct calendar *c, int64_t hour);

/* The hour of a place. */
int64_t calendar_hour(const struct calendar *c, int64_t place);

#endif
