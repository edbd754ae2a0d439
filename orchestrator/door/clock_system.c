/* The one file that reads the system's clocks (design section 7). */
#include "massrevoke/clock.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct utc now(void *self)
{
    (void)self;
    return (struct utc){wall_ms() / 1000};
}

static void wait_until(void *self, struct utc until, struct span longest, int fd)
{
    (void)self;
    int64_t ms = longest.s * 1000;
    if (utc_is_set(until) && until.s < INT64_MAX / 2000 && until.s * 1000 - wall_ms() < ms)
        ms = until.s * 1000 - wall_ms();
    if (ms <= 0)
        return;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    (void)poll(&p, fd < 0 ? 0 : 1, ms > 60000 ? 60000 : (int)ms);
}

static int64_t ticks(void *self)
{
    struct timespec t;
    (void)self;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct clock clock_system(void)
{
    return (struct clock){.self = NULL, .now = now, .wait = wait_until, .ticks = ticks};
}
