/* Which hours a plan has: from clock, deadline and profile to slots. */
#include "work.h"

static int64_t hours_up(int64_t seconds)
{
    return (seconds + HOUR - 1) / HOUR;
}

/* Whole slots in so many seconds from receipt; 0 when negative. */
static int64_t hours_down(int64_t seconds)
{
    return seconds < 0 ? 0 : seconds / HOUR;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct hours hours_of(const struct plan_input *in, size_t by_ocsp)
{
    const struct profile *p = &in->profile;
    struct utc now = utc_max(in->now, in->received);
    struct utc first = utc_add(in->received, p->first_slot);
    struct hours h = {.at_once = p->publish_at_once, .start = now, .margin = p->publish_margin};
    if (by_ocsp > 0 && p->ocsp_refresh.s > h.margin.s)
        h.margin = p->ocsp_refresh;
    h.margin.s += rate_seconds(in->ocsp_rate, (int64_t)by_ocsp);
    h.deadline = utc_add(in->received, in->deadline);
    h.last = (struct utc){h.deadline.s - h.margin.s};
    if (h.at_once)
        h.start = utc_max(now, first);
    int64_t usable = in->deadline.s - h.margin.s;
    h.open = utc_sub(h.start, in->received).s / HOUR;
    h.end = hours_down(usable);
    h.safe = hours_down(usable - larger(p->reserve.s, p->outage_floor.s));
    h.cycle = hours_up(larger(h.margin.s, p->canary_wait.s));
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        h.notice[c] = h.at_once ? h.open : larger(h.open, hours_up(p->class_notice[c].s));
        h.ceiling[c] = p->class_ceiling[c].s == 0 ? INT64_MAX : hours_down(p->class_ceiling[c].s);
    }
    h.ari = larger(h.open, hours_up(utc_sub(now, in->received).s + p->ari_lead.s));
    return h;
}

int64_t hours_open_seconds(const struct hours *h, struct utc received)
{
    return received.s + (h->open + 1) * HOUR - h->start.s;
}

int64_t rate_done(struct rate r, int64_t seconds)
{
    if (seconds < 0 || r.count == 0)
        return seconds < 0 ? 0 : LANE_PLENTY;
    int64_t n;
    if (__builtin_mul_overflow(seconds, r.count, &n) || n / r.per > LANE_PLENTY)
        return LANE_PLENTY;
    return n / r.per;
}

int64_t hours_capacity(const struct hours *h, struct utc received, struct rate rate)
{
    if (h->at_once)
        return rate_done(rate, utc_sub(h->last, h->start).s);
    struct supply s = supply_of(rate, h->open, hours_open_seconds(h, received));
    return supply_between(&s, h->open, h->end);
}
