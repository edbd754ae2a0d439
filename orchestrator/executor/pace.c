#include "massrevoke/pace.h"
#include "massrevoke/arena.h"

#include <assert.h>
#include <stdlib.h>

#define BURST_SECONDS 10
#define SHARE_LEAST 16 /* of PACE_FULL */
#define SHARE_STEP 8   /* up for each answer */

/* Parts of the bucket that one request takes: each millisecond adds rate.count of them. */
static int64_t cost(const struct pace *p)
{
    return p->rate.per * 1000;
}

void pace_open(struct pace *p, const struct rate_limits *limits)
{
    *p = (struct pace){.rate = limits->rate, .share = PACE_FULL};
    if (p->rate.count > 0) {
        int64_t burst = limits->burst > 0 ? limits->burst : p->rate.count * BURST_SECONDS / p->rate.per + 1;
        int64_t most = INT64_MAX / 4 / cost(p);
        p->full = (burst < most ? burst : most) * cost(p);
        p->tokens = p->full;
    }
    for (size_t i = 0; i < limits->window_count; i++)
        p->windows[p->window_count++] =
            (struct pace_window){.count = limits->windows[i].count, .ms = limits->windows[i].per * 1000};
}

void pace_close(struct pace *p)
{
    free(p->takes);
    *p = (struct pace){0};
}

static void refill(struct pace *p, int64_t ms)
{
    int64_t most = (p->full - p->tokens) / p->rate.count + 1;
    p->tokens += (ms < most ? ms : most) * p->rate.count;
    if (p->tokens > p->full)
        p->tokens = p->full;
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
    size_t oldest = p->end;
    for (size_t i = 0; i < p->window_count; i++) {
        struct pace_window *w = &p->windows[i];
        for (; w->first < p->end && p->takes[w->first % p->room].at <= p->last - w->ms; w->first++)
            w->sum -= p->takes[w->first % p->room].n;
        oldest = w->first < oldest ? w->first : oldest;
    }
    p->begin = oldest;
}

int64_t pace_allow(struct pace *p, int64_t now)
{
    int64_t n = INT64_MAX;
    advance(p, now);
    if (p->rate.count > 0)
        n = p->tokens < 0 ? 0 : p->tokens / cost(p);
    for (size_t i = 0; i < p->window_count; i++) {
        int64_t room = p->windows[i].count - p->windows[i].sum;
        n = room < n ? room : n;
    }
    return n > 0 ? n : 0;
}

int64_t pace_memory(const struct pace *p)
{
    int64_t ms = p->rate.count > 0 ? p->full / p->rate.count + 1 : 0;
    for (size_t i = 0; i < p->window_count; i++)
        ms = p->windows[i].ms > ms ? p->windows[i].ms : ms;
    return ms;
}

int64_t pace_within(const struct pace *p, int64_t ms)
{
    int64_t n = p->rate.count > 0 ? ms * p->rate.count / cost(p) : INT64_MAX;
    for (size_t i = 0; i < p->window_count; i++) {
        int64_t some = ms * p->windows[i].count / p->windows[i].ms;
        n = some < n ? some : n;
    }
    return n;
}

int64_t pace_most(const struct pace *p)
{
    int64_t n = p->rate.count > 0 ? p->full / cost(p) : INT64_MAX;
    for (size_t i = 0; i < p->window_count; i++)
        n = p->windows[i].count < n ? p->windows[i].count : n;
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

int64_t pace_next(struct pace *p, int64_t now, int64_t n)
{
    advance(p, now);
    int64_t next = now, most = pace_most(p);
    n = n < most ? n : most;
    if (p->rate.count > 0 && p->tokens < n * cost(p)) {
        int64_t missing = n * cost(p) - p->tokens;
        int64_t at = p->last + (missing + p->rate.count - 1) / p->rate.count;
        next = at > next ? at : next;
    }
    for (size_t i = 0; i < p->window_count; i++) {
        const struct pace_window *w = &p->windows[i];
        int64_t sum = w->sum;
        for (size_t k = w->first; sum + n > w->count && k < p->end; k++) {
            const struct pace_take *t = &p->takes[k % p->room];
            sum -= t->n;
            next = t->at + w->ms > next ? t->at + w->ms : next;
        }
    }
    return next;
}

void pace_slow(struct pace *p)
{
    p->share = p->share / 2 > SHARE_LEAST ? p->share / 2 : SHARE_LEAST;
}

void pace_ease(struct pace *p)
{
    p->share = p->share + SHARE_STEP < PACE_FULL ? p->share + SHARE_STEP : PACE_FULL;
}

size_t pace_concurrency(const struct pace *p, size_t window)
{
    size_t n = window * (size_t)p->share / PACE_FULL;
    return n > 0 ? n : 1;
}
