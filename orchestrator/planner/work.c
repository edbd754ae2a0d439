/* Opens a run: is the input what plan.h promises, which hours are there, what is each certificate to us. */
#include "work.h"

#include <stdlib.h>

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

struct hours hours_of(const struct plan_input *in)
{
    const struct profile *p = &in->profile;
    struct utc now = utc_max(in->now, in->received);
    struct utc first = utc_add(in->received, p->first_slot);
    struct hours h = {.at_once = p->publish_at_once, .start = now};
    h.deadline = utc_add(in->received, in->deadline);
    h.last = (struct utc){h.deadline.s - p->publish_margin.s};
    if (h.at_once)
        h.start = utc_max(now, first);
    int64_t usable = in->deadline.s - p->publish_margin.s;
    h.open = utc_sub(h.start, in->received).s / HOUR;
    h.notice = larger(h.open, hours_up(p->first_slot.s));
    h.end = hours_down(usable);
    h.safe = hours_down(usable - larger(p->reserve.s, p->outage_floor.s));
    h.cycle = hours_up(p->publish_margin.s);
    if (h.at_once)
        h.notice = h.open;
    return h;
}

int64_t hours_open_seconds(const struct hours *h, struct utc received)
{
    return received.s + (h->open + 1) * HOUR - h->start.s;
}

int64_t hours_capacity(const struct hours *h, struct utc received, struct rate rate)
{
    if (!h->at_once) {
        struct supply s = supply_of(rate, h->open, hours_open_seconds(h, received));
        return supply_between(&s, h->open, h->end);
    }
    int64_t seconds = utc_sub(h->last, h->start).s;
    if (seconds < 0 || rate.count == 0)
        return seconds < 0 ? 0 : LANE_PLENTY;
    return seconds * rate.count / rate.per;
}

static bool span_bad(struct span s)
{
    return s.s < 0 || s.s > PLANNER_DEADLINE_MAX;
}

static bool rate_bad(struct rate r)
{
    return r.count < 0 || r.count > PLANNER_RATE_MAX ||
           (r.count > 0 && (r.per < 1 || r.per > PLANNER_RATE_MAX));
}

static bool check_limits(const struct plan_input *in, struct fault *f)
{
    const struct profile *p = &in->profile;
    const struct {
        const char *name;
        struct span value;
    } spans[] = {
        {"deadline", in->deadline},
        {"should", in->should},
        {"first_slot", p->first_slot},
        {"reserve", p->reserve},
        {"publish_margin", p->publish_margin},
        {"outage_floor", p->outage_floor},
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (span_bad(spans[i].value))
            return fault_set(f, FAULT_USAGE, "plan: %s of %lld s is outside 0 to ten years", spans[i].name,
                             (long long)spans[i].value.s);
    if (!utc_is_set(in->received) || !utc_is_set(in->now) ||
        in->now.s - in->received.s > PLANNER_DEADLINE_MAX)
        return fault_set(f, FAULT_USAGE, "plan: receipt and now must be set and within ten years");
    for (size_t i = 0; i < in->ca_count; i++)
        if (rate_bad(in->ca_rates[i]))
            return fault_set(f, FAULT_USAGE, "plan: rate of ca %zu is out of range", i);
    if (rate_bad(p->rate_cap) || (p->rate_cap.count > 0 && rate_per_hour(p->rate_cap) < 1) || p->canary < 0 ||
        p->helpdesk_per_hour < 0)
        return fault_set(f, FAULT_USAGE, "plan: profile %s has a limit out of range (rate_cap: at least 1/h)",
                         p->name == NULL ? "-" : p->name);
    return true;
}

static bool check_certificates(const struct plan_input *in, struct fault *f)
{
    if (in->certificate_count >= UINT32_MAX || in->subscriber_count >= UINT32_MAX)
        return fault_set(f, FAULT_USAGE, "plan: more than 4294967294 certificates or subscribers");
    for (size_t i = 0; i < in->certificate_count; i++) {
        const struct plan_certificate *c = &in->certificates[i];
        if (i > 0 && c[-1].number >= c->number)
            return fault_set(f, FAULT_USAGE, "plan: number %u does not come after %u", c->number,
                             c[-1].number);
        if (c->subscriber >= in->subscriber_count || c->ca >= in->ca_count || c->turn >= CLASS_COUNT)
            return fault_set(f, FAULT_USAGE, "plan: number %u has a subscriber, ca or class out of range",
                             c->number);
    }
    return true;
}

void work_count(struct work *w)
{
    w->canaries = 0;
    for (size_t i = 0; i < w->in->ca_count; i++)
        w->cas[i] = (struct ca_work){.rate = w->in->ca_rates[i]};
    for (size_t i = 0; i < w->in->certificate_count; i++) {
        const struct plan_certificate *c = &w->in->certificates[i];
        struct ca_work *ca = &w->cas[c->ca];
        if (w->role[i] == ROLE_NONE)
            continue;
        if (w->role[i] == ROLE_CANARY) {
            w->canaries++;
            ca->canary++;
            ca->canary_bound += !expires(w, c);
        } else {
            ca->rest++;
            ca->rest_bound += !expires(w, c);
        }
    }
}

enum role work_role(const struct work *w, const struct plan_certificate *c)
{
    if (utc_is_set(c->not_after) && c->not_after.s < w->hours.start.s)
        return ROLE_NONE;
    if (expires(w, c))
        return c->not_after.s < slot_start(w, w->hours.notice).s ? ROLE_NONE : ROLE_EXPIRING;
    return c->turn < CLASS_AUTOMATED ? ROLE_URGENT : ROLE_OTHER;
}

/* Subscribers in the order of their first number, so that the order of the subscriber table is irrelevant. */
static void rank_subscribers(struct work *w)
{
    uint32_t next = 0;
    w->rank = arena_array(w->arena, w->in->subscriber_count, sizeof *w->rank);
    for (size_t i = 0; i < w->in->subscriber_count; i++)
        w->rank[i] = UINT32_MAX;
    for (size_t i = 0; i < w->in->certificate_count; i++) {
        uint32_t s = w->in->certificates[i].subscriber;
        if (w->rank[s] == UINT32_MAX)
            w->rank[s] = next++;
    }
}

bool work_open(struct work *w, const struct plan_input *in, struct arena *a, struct fault *f)
{
    if (!check_limits(in, f) || !check_certificates(in, f))
        return false;
    *w = (struct work){.in = in, .arena = a, .hours = hours_of(in)};
    w->cas = arena_array(a, in->ca_count, sizeof *w->cas);
    w->role = arena_array(a, in->certificate_count, sizeof *w->role);
    w->slot = arena_array(a, in->certificate_count, sizeof *w->slot);
    rank_subscribers(w);
    for (size_t i = 0; i < in->certificate_count; i++)
        w->role[i] = (uint8_t)work_role(w, &in->certificates[i]);
    work_count(w);
    return true;
}

void work_sort(const uint32_t *key, size_t keys, const uint32_t *from, uint32_t *to, size_t n)
{
    AUTO_ARENA scratch = {0};
    uint32_t *at = arena_array(&scratch, keys + 1, sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[key[from[i]] + 1]++;
    for (size_t k = 0; k < keys; k++)
        at[k + 1] += at[k];
    for (size_t i = 0; i < n; i++)
        to[at[key[from[i]]]++] = from[i];
}
