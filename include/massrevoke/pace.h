/* pace.h - how many requests a CA may be sent now: rate with bursts, rolling windows, and fewer at a time
 * after it turned some away.
 *
 * Pure but for its memory of what it let through; time is an argument, milliseconds of one clock, and running
 * backwards gives nothing. Exact: never more than a window's count in any window of that length, never more
 * than the burst and what the rate adds since, and whatever both allow is allowed at once. Does not: wait,
 * send, or know other engines. Called by: engine, tests. */
#ifndef MASSREVOKE_PACE_H
#define MASSREVOKE_PACE_H

#include "massrevoke/fault.h"
#include "massrevoke/time.h"

#include <stddef.h>

#define PACE_FULL 1024

/* Requests let through at one moment. */
struct pace_take {
    int64_t at, n;
};

/* One rolling window: what of the takes lies in it. */
struct pace_window {
    int64_t count, ms, sum;
    size_t first; /* the oldest take inside */
};

struct pace {
    struct rate rate;
    int64_t full, tokens; /* the bucket, in parts of a request */
    int64_t last;         /* the newest time seen */
    bool started;
    struct pace_window windows[RATE_WINDOWS];
    size_t window_count;
    struct pace_take *takes; /* a ring: [begin, end) modulo room */
    size_t begin, end, room;
    int share; /* of concurrency, in parts of PACE_FULL */
};

/* Begins with a full bucket and empty windows. */
void pace_open(struct pace *p, const struct rate_limits *limits);
void pace_close(struct pace *p);

/* How many may go at `now`; INT64_MAX when nothing limits. */
int64_t pace_allow(struct pace *p, int64_t now);

/* How long ago, in milliseconds, requests may still count: the longest window, or what fills the bucket. */
int64_t pace_memory(const struct pace *p);

/* How many go in so many milliseconds when all that is allowed goes; INT64_MAX when nothing limits. */
int64_t pace_within(const struct pace *p, int64_t ms);

/* The most that could ever be allowed at once. */
int64_t pace_most(const struct pace *p);

/* So many go at the moment of the last pace_allow. */
void pace_take(struct pace *p, int64_t n);

/* When n may go, or the most that ever may; `now` when at once. */
int64_t pace_next(struct pace *p, int64_t now, int64_t n);

/* The CA turned some away and took others: half as many at a time from now on. */
void pace_slow(struct pace *p);

/* It answered one: a few more, up to all. */
void pace_ease(struct pace *p);

/* A number of requests at a time, as the CA takes them now; at least one. */
size_t pace_concurrency(const struct pace *p, size_t window);

#endif
