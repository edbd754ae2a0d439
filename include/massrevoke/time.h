/* time.h - points in time, spans and rates, as one-field structs so that the compiler keeps them apart.
 *
 * UTC seconds only; a BR day is 86,400 s (BR 4.9.9, 6.3.2). Text only at the edges: in with `Z` or an offset,
 * out with `Z`. Pure. Does not read any clock: `now` is always an argument (door/clock_system reads it).
 * Called by: everything. */
#ifndef MASSREVOKE_TIME_H
#define MASSREVOKE_TIME_H

#include "massrevoke/fault.h"

#include <stddef.h>
#include <stdint.h>

/* A point in time, seconds since 1970-01-01T00:00:00Z. */
struct utc {
    int64_t s;
};

/* A length of time in seconds. */
struct span {
    int64_t s;
};

/* `count` things in `per` seconds; count 0 means "no limit given". */
struct rate {
    int64_t count;
    int64_t per;
};

/* "no time known": smaller than every time. */
#define RATE_WINDOWS 8

/* Everything that limits how fast something may be asked. */
struct rate_limits {
    struct rate rate;                  /* count 0: unlimited */
    int64_t burst;                     /* at once after a rest; 0: ten seconds' worth and one */
    struct rate windows[RATE_WINDOWS]; /* at most count in any `per` seconds */
    size_t window_count;
};

#define UTC_NONE ((struct utc){INT64_MIN})
#define UTC_TEXT 24  /* bytes for utc_format, with the terminator */
#define SPAN_TEXT 48 /* bytes for span_format */

/* Is it a real time? */
static inline bool utc_is_set(struct utc t)
{
    return t.s != INT64_MIN;
}

/* t + d. */
static inline struct utc utc_add(struct utc t, struct span d)
{
    return (struct utc){t.s + d.s};
}

/* a - b. */
static inline struct span utc_sub(struct utc a, struct utc b)
{
    return (struct span){a.s - b.s};
}

/* The earlier of two. */
static inline struct utc utc_min(struct utc a, struct utc b)
{
    return a.s < b.s ? a : b;
}

/* *first becomes t when that is earlier; UTC_NONE is no time, as the one and as the other. */
static inline void utc_sooner(struct utc *first, struct utc t)
{
    if (utc_is_set(t) && (!utc_is_set(*first) || t.s < first->s))
        *first = t;
}

/* The later of two. */
static inline struct utc utc_max(struct utc a, struct utc b)
{
    return a.s > b.s ? a : b;
}

/* Reads RFC 3339 (seconds optional): 2026-11-22T14:41Z, 2026-11-22T15:41:00+01:00. Without zone: FAULT_USAGE.
 * Years 1950 to 9999. */
MUST_USE bool utc_parse(const char *text, struct utc *out, struct fault *f);

/* Writes 2026-11-22T14:41:56Z ("-" for UTC_NONE) into out; returns out. */
const char *utc_format(struct utc t, char out[static UTC_TEXT]);

/* From broken-down UTC fields (month 1-12); no range check beyond the calendar arithmetic. */
struct utc utc_from_civil(int year, int month, int day, int hour, int minute, int second);

/* Broken-down UTC fields of t. */
struct civil {
    int year, month, day, hour, minute, second;
};
struct civil utc_to_civil(struct utc t);

/* Reads "90s", "30m", "36h", "5d", "1h30m"; a bare number, a negative or an empty text is FAULT_USAGE. */
MUST_USE bool span_parse(const char *text, struct span *out, struct fault *f);

/* Writes "2 d 02 h 10 min", "3 h 27 min", "45 s"; a negative span gets a leading "-". Returns out. */
const char *span_format(struct span d, char out[static SPAN_TEXT]);

/* Reads "2000/s", "320/h", "100/5s"; units s m h d. Count at least 1. Else FAULT_USAGE. */
MUST_USE bool rate_parse(const char *text, struct rate *out, struct fault *f);

/* The slower of two; one without a limit (count 0) is never slower. */
struct rate rate_slower(struct rate a, struct rate b);

/* With windows that count requests made into windows of what takes two of them each: a count is rounded down,
 * one that holds a single request gets twice its length. The rate stays. */
struct rate_limits rate_limits_halved(struct rate_limits l);

/* Things per hour, rounded down, saturating; 0 when no limit is given. */
int64_t rate_per_hour(struct rate r);

/* Seconds that n things take at rate r, rounded up, saturating; 0 when no limit is given. */
int64_t rate_seconds(struct rate r, int64_t n);

#endif
