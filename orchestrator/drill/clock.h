/* clock.h - the drill's clock: it stands still while the program works and jumps where a live one waits.
 *
 * Pure. Does not: run backwards, or know the time of day. Called by: drill. */
#ifndef DRILL_CLOCK_H
#define DRILL_CLOCK_H

#include "massrevoke/clock.h"

struct drill_clock {
    struct utc now;
};

/* As the engine and the doors see it; `c` must outlive it. */
struct clock drill_clock_face(struct drill_clock *c);

/* Forward to `to`; an earlier time changes nothing. */
void drill_clock_jump(struct drill_clock *c, struct utc to);

#endif
