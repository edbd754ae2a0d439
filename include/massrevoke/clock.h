/* clock.h - the only way to know what time it is.
 *
 * The system clock is door/clock_system.c, the drill's is drill/clock.c. Nobody else reads a clock (make
 * lint). Does not: measure durations of code. Called by: cli (wiring), engine. */
#ifndef MASSREVOKE_CLOCK_H
#define MASSREVOKE_CLOCK_H

#include "massrevoke/fault.h"
#include "massrevoke/time.h"

#include <stddef.h>

/* A clock; `self` belongs to the maker. */
struct clock {
    void *self;
    /* Campaign time now. */
    struct utc (*now)(void *self);
    /* Waits until `until`, at most `longest`, or until the descriptor `fd` (-1: none) is readable or a signal
     * comes. A drill clock jumps there at once. */
    void (*wait)(void *self, struct utc until, struct span longest, int fd);
    /* Milliseconds since some moment, also while the machine sleeps; nobody sets them back. NULL: time passes
     * in `wait` only. */
    int64_t (*ticks)(void *self);
};

/* The clock's milliseconds; of one without ticks campaign time. */
static inline int64_t clock_ticks(const struct clock *c)
{
    return c->ticks != NULL ? c->ticks(c->self) : c->now(c->self).s * 1000;
}

/* The system clock; static, nothing to free. */
struct clock clock_system(void);

#endif
