#include "massrevoke/pace.h"
#include "massrevoke/arena.h"

#include <assert.h>
#include <stdlib.h>

#define BURST_SECONDS 10
#define EASE_LEAST 16 /* of PACE_FULL */
#define EASE_STEP 8   /* up for each answer */
#define ENGINES 1024  /* so many can share a bucket before its parts overflow */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Parts of the bucket that one request takes: each millisecond adds rate.count of them. */
static int64_t cost(const struct pace *p)
{
    return p->rate.per * 1000 * p->divisor;
}

static int64_t full(const struct pace *p)
{
    return p->burst.ours * cost(p);
}

static void limit_open(struct pace_limit *l, int64_t n)
{
    *l = (struct pace_limit){n, n};
}

void pace_open(struct pace *p, const struct rate_limits *limits, size_t at_once)
{
    *p = (struct pace){
        .rate = limits->rate, .ease = PACE_FULL, .divisor = 1, .engines = 1, .grows_at = INT64_MAX};
    limit_open(&p->at_once, (int64_t)at_once);
    if (p->rate.count > 0) {
        int64_t burst = limits->burst > 0 ? limits->burst : p->rate.count * BURST_SECONDS / p->rate.per + 1;
        limit_open(&p->burst, least(burst, INT64_MAX / 4 / ENGINES / cost(p)));
        p->tokens = full(p);
    }
    for (size_t i = 0; i < limits->window_count; i++) {
        struct pace_window *w = &p->windows[p->window_count++];
        *w = (struct pace_window){.ms = limits->windows[i].per * 1000};
        limit_open(&w->count, limits->windows[i].count);
    }
}

void pace_close(struct pace *p)
{
    free(p->takes);
    *p = (struct pace){0};
}

static void refill(struct pace *p, int64_t ms)
{
    int64_t most = (full(p) - p->tokens) / p->rate.count + 1;
    p->tokens += (ms < most ? ms : most) * p->rate.count;
    p->tokens = least(p->tokens, full(p));
}

/* --- our part of the limits --- */

static void take_part(const struct pace *p, struct pace_limit *l, bool grows)
{
    int64_t part = l->all / p->engines + (p->rank < l->all % p->engines);
    l->ours = grows ? part : least(l->ours, part);
}

static void take_parts(struct pace *p, bool grows)
{
    take_part(p, &p->burst, grows);
    take_part(p, &p->at_once, grows);
    for (size_t i = 0; i < p->window_count; i++)
        take_part(p, &p->windows[i].count, grows);
}

/* A request's cost changes with the divisor. A bucket that shrinks keeps its parts: as many requests less as
 * there are engines more, so that what all have together does not grow. One that grows keeps its requests. */
static void divide(struct pace *p, int engines)
{
    if (engines < p->divisor)
        p->tokens = (p->tokens / p->divisor - (p->tokens < 0)) * engines;
    p->divisor = engines;
    p->tokens = least(p->tokens, full(p));
}

static void grow(struct pace *p)
{
    take_parts(p, true);
    divide(p, p->engines);
    p->grows_at = INT64_MAX;
}

static void advance(struct pace *p, int64_t now)
{
    if (!p->started)
        p->last = now;
    p->started = true;
    if (now > p->last) {
        if (p->rate.count > 0)
            refill(p, now - p->last);
        p->last = now;
    }
    if (p->last >= p->grows_at)
        grow(p);
    size_t oldest = p->end;
    for (size_t i = 0; i < p->window_count; i++) {
        struct pace_window *w = &p->windows[i];
        for (; w->first < p->end && p->takes[w->first % p->room].at <= p->last - w->ms; w->first++)
            w->sum -= p->takes[w->first % p->room].n;
        oldest = w->first < oldest ? w->first : oldest;
    }
    p->begin = oldest;
}

void pace_share(struct pace *p, int64_t now, int engines, int rank)
{
    if (p->engines == engines && p->rank == rank)
        return;
    advance(p, now);
    p->engines = engines;
    p->rank = rank;
    p->grows_at = p->last + pace_memory(p) + PACE_GRACE_MS;
    take_parts(p, false);
    divide(p, engines > p->divisor ? engines : p->divisor);
}

int64_t pace_allow(struct pace *p, int64_t now)
{
    int64_t n = INT64_MAX;
    advance(p, now);
    if (p->rate.count > 0)
        n = p->tokens < 0 ? 0 : p->tokens / cost(p);
    for (size_t i = 0; i < p->window_count; i++) {
        int64_t room = p->windows[i].count.ours - p->windows[i].sum;
        n = room < n ? room : n;
    }
    return n > 0 ? n : 0;
}

int64_t pace_memory(const struct pace *p)
{
    int64_t ms = p->rate.count > 0 ? p->burst.all * p->rate.per * 1000 / p->rate.count + 1 : 0;
    for (size_t i = 0; i < p->window_count; i++)
        ms = p->windows[i].ms > ms ? p->windows[i].ms : ms;
    return ms;
}

int64_t pace_within(const struct pace *p, int64_t ms)
{
    int64_t n = p->rate.count > 0 ? ms * p->rate.count / cost(p) : INT64_MAX;
    for (size_t i = 0; i < p->window_count; i++) {
        int64_t some = ms * p->windows[i].count.ours / p->windows[i].ms;
        n = some < n ? some : n;
    }
    return n;
}

int64_t pace_most(const struct pace *p)
{
    int64_t n = p->rate.count > 0 ? p->burst.ours : INT64_MAX;
    for (size_t i = 0; i < p->window_count; i++)
        n = least(n, p->windows[i].count.ours);
    return n;
}

/* A place for one more take; as many are kept as the longest window holds. */
static struct pace_take *next_take(struct pace *p)
{
    if (p->end - p->begin < p->room)
        return &p->takes[p->end++ % p->room];
    size_t room = p->room == 0 ? 64 : 2 * p->room;
    struct pace_take *takes = arena_grow(NULL, room * sizeof *takes);
    assert(p->room > 0 || p->begin == p->end);
    for (size_t i = p->begin; i < p->end; i++)
        takes[i % room] = p->takes[i % p->room];
    free(p->takes);
    p->takes = takes;
    p->room = room;
    return &p->takes[p->end++ % room];
}

void pace_take(struct pace *p, int64_t n)
{
    if (p->rate.count > 0)
        p->tokens -= n * cost(p);
    if (p->window_count == 0 || n == 0)
        return;
    *next_take(p) = (struct pace_take){p->last, n};
    for (size_t i = 0; i < p->window_count; i++)
        p->windows[i].sum += n;
}

void pace_join(struct pace *p, int64_t at, int engines, int rank)
{
    p->last = at;
    p->started = true;
    p->tokens = 0;
    p->begin = p->end = 0;
    for (size_t i = 0; i < p->window_count; i++)
        p->windows[i].sum = 0, p->windows[i].first = 0;
    p->engines = engines;
    p->rank = rank;
    grow(p);
}

void pace_recall(struct pace *p, int64_t at, int64_t n, bool certain)
{
    int64_t allowed = pace_allow(p, at);
    pace_take(p, certain ? n : least(n, allowed));
}

int64_t pace_next(struct pace *p, int64_t now, int64_t n)
{
    advance(p, now);
    int64_t next = now, most = pace_most(p);
    if (most == 0)
        return now + PACE_GRACE_MS;
    n = least(n, most);
    if (p->rate.count > 0 && p->tokens < n * cost(p)) {
        int64_t missing = n * cost(p) - p->tokens;
        int64_t at = p->last + (missing + p->rate.count - 1) / p->rate.count;
        next = at > next ? at : next;
    }
    for (size_t i = 0; i < p->window_count; i++) {
        const struct pace_window *w = &p->windows[i];
        int64_t sum = w->sum;
        for (size_t k = w->first; sum + n > w->count.ours && k < p->end; k++) {
            const struct pace_take *t = &p->takes[k % p->room];
            sum -= t->n;
            next = t->at + w->ms > next ? t->at + w->ms : next;
        }
    }
    return p->grows_at > now ? least(next, p->grows_at) : next;
}

void pace_slow(struct pace *p)
{
    p->ease = p->ease / 2 > EASE_LEAST ? p->ease / 2 : EASE_LEAST;
}

void pace_ease(struct pace *p)
{
    p->ease = p->ease + EASE_STEP < PACE_FULL ? p->ease + EASE_STEP : PACE_FULL;
}

size_t pace_at_once(const struct pace *p)
{
    size_t n = (size_t)p->at_once.ours * (size_t)p->ease / PACE_FULL;
    return n > 0 ? n : p->at_once.ours > 0;
}
