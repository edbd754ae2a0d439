/* pace.h - how many requests a CA may be sent now: rate with bursts, rolling windows, and fewer at a time
 * after it turned some away.
 *
 * Pure but for its memory of what it let through; time is an argument, milliseconds of one clock, and running
 * backwards gives nothing. Exact: never more than a window's count in any window of that length, never more
 * than the burst and what the rate adds since, and whatever both allow is allowed at once.
 *
 * Several engines at one CA divide its limits, so that what all of them send together keeps to them: see
 * pace_share. Does not: wait, send, or find out who the others are. Called by: engine, tests. */
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

/* A limit: of all engines together, and what of it is ours. */
struct pace_limit {
    int64_t all, ours;
};

/* One rolling window: what of the takes lies in it. */
struct pace_window {
    struct pace_limit count;
    int64_t ms, sum;
    size_t first; /* the oldest take inside */
};

struct pace {
    struct rate rate; /* of all engines together */
    struct pace_limit burst, at_once;
    int64_t tokens; /* in the bucket, in parts of a request */
    int64_t last;   /* the newest time seen */
    bool started;
    struct pace_window windows[RATE_WINDOWS];
    size_t window_count;
    struct pace_take *takes; /* a ring: [begin, end) modulo room */
    size_t begin, end, room;
    int ease;          /* parts of PACE_FULL of what may be under way at a time */
    int divisor;       /* of the rate */
    int engines, rank; /* as pace_share said last */
    int64_t grows_at;  /* then our parts become what those make of them; INT64_MAX: they are */
};

/* Begins with a full bucket and empty windows, for one engine. At most `at_once` requests are under way at a
 * time; 0: the door has no such limit. */
void pace_open(struct pace *p, const struct rate_limits *limits, size_t at_once);
void pace_close(struct pace *p);

/* `engines` send to the CA, and we are the one with `rank` others before us: of each limit that is n in all,
 * n / engines are ours and one more for each of the first n % engines. Parts of ours that shrink do so at
 * once. One that grows had another owner: it does so PACE_GRACE_MS after all that he sent has left the
 * longest window.
 * Together the engines keep to the limits when each learns of a change within PACE_LEARN_MS or sends nothing,
 * and a new one waits PACE_GRACE_MS after all others can learn of it before it begins with pace_join. */
void pace_share(struct pace *p, int64_t now, int engines, int rank);
#define PACE_LEARN_MS 500
#define PACE_GRACE_MS 1000

/* Begins anew as one of so many. What was sent before `at`, which is pace_memory ago, is not known, so the
 * bucket is taken for empty then; what anybody sent since is told by pace_recall, oldest first. */
void pace_join(struct pace *p, int64_t at, int engines, int rank);

/* So many went at `at`, by whomever. Not `certain`: at most so many, and no more than the limits let anybody
 * send. */
void pace_recall(struct pace *p, int64_t at, int64_t n, bool certain);

/* How many may go at `now`; INT64_MAX when nothing limits. */
int64_t pace_allow(struct pace *p, int64_t now);

/* How long ago, in milliseconds, requests may still count: the longest window, or what fills the bucket. */
int64_t pace_memory(const struct pace *p);

/* How many go in so many milliseconds when all that is allowed goes, by our parts; INT64_MAX when nothing
 * limits. */
int64_t pace_within(const struct pace *p, int64_t ms);

/* The most that could ever be allowed at once, as our parts are now; 0: nothing is ours. */
int64_t pace_most(const struct pace *p);

/* So many go at the moment of the last pace_allow. */
void pace_take(struct pace *p, int64_t n);

/* When n may go, or the most that ever may; `now` when at once; a second later when nothing is ours. */
int64_t pace_next(struct pace *p, int64_t now, int64_t n);

/* The CA turned some away and took others: half as many at a time from now on. */
void pace_slow(struct pace *p);

/* It answered one: a few more, up to all. */
void pace_ease(struct pace *p);

/* How many requests may be under way at a time, as the CA takes them now: at least one, if one is ours. */
size_t pace_at_once(const struct pace *p);

#endif
