#include "clock.h"

static struct utc now(void *self)
{
    return ((const struct drill_clock *)self)->now;
}

/* Nobody outside writes to the descriptor in simulated time, so only the times count. */
static void wait(void *self, struct utc until, struct span longest, int fd)
{
    (void)fd;
    struct drill_clock *c = self;
    struct utc latest = utc_add(c->now, longest);
    drill_clock_jump(c, utc_is_set(until) ? utc_min(until, latest) : latest);
}

struct clock drill_clock_face(struct drill_clock *c)
{
    return (struct clock){.self = c, .now = now, .wait = wait};
}

void drill_clock_jump(struct drill_clock *c, struct utc to)
{
    c->now = utc_max(c->now, to);
}
