/* Which slots the plan may use, and which soft limits it has to give up for that (planner.h has the order).
 */
#include "work.h"

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The first slot after the canaries when they start in slot `from`. */
static int64_t canary_limit(const struct work *w, int64_t from)
{
    int64_t limit = from;
    for (size_t i = 0; i < w->in->ca_count; i++)
        limit = longer(limit, supply_limit(&w->cas[i].supply, from, w->cas[i].canary));
    return limit;
}

/* The first slot of the rest: after the canaries' publication when there are any. */
static int64_t gate(const struct work *w, int64_t from)
{
    return w->canaries == 0 ? from : canary_limit(w, from) + w->hours.cycle;
}

/* Does everything fit, canaries from slot `from` on, before slot `to`? */
static bool fits(const struct work *w, int64_t from, int64_t to)
{
    if (canary_limit(w, from) > to)
        return false;
    int64_t rest = gate(w, from);
    for (size_t i = 0; i < w->in->ca_count; i++)
        if (w->cas[i].rest > supply_between(&w->cas[i].supply, rest, to))
            return false;
    return true;
}

static int64_t excess(int64_t wanted, int64_t room)
{
    return wanted > room ? wanted - room : 0;
}

/* How many miss the deadline when all starts in the first slot, with or without the wait for the canary. */
static int64_t late_with(const struct work *w, bool canary)
{
    const struct hours *h = &w->hours;
    int64_t late = 0;
    for (size_t i = 0; i < w->in->ca_count; i++) {
        const struct ca_work *ca = &w->cas[i];
        int64_t all = supply_between(&ca->supply, h->open, h->end);
        if (canary)
            late += excess(ca->canary_bound, all) +
                    excess(ca->rest_bound, supply_between(&ca->supply, gate(w, h->open), h->end));
        else
            late += excess(ca->canary_bound + ca->rest_bound, all);
    }
    return late;
}

/* The pace of every CA: the backend's, or the profile's ceiling when that is lower and still kept. */
static void set_pace(struct work *w, bool capped)
{
    struct rate cap = w->in->profile.rate_cap;
    int64_t seconds = hours_open_seconds(&w->hours, w->in->received);
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct rate r = w->in->ca_rates[i];
        /* count and per are below 2^30 each: the products fit */
        if (capped && cap.count > 0 && (r.count == 0 || cap.count * r.per < r.count * cap.per))
            r = cap;
        w->cas[i].rate = r;
        w->cas[i].supply = supply_of(r, w->hours.open, seconds);
    }
}

/* The latest start that keeps reserve and floor, at the profile's first slot or as little before it as can
 * be; -1 when even the first slot is too late for them. */
static int64_t latest_start(const struct work *w)
{
    int64_t from = w->hours.notice;
    while (from >= w->hours.open && !fits(w, from, w->hours.safe))
        from--;
    return from < w->hours.open ? -1 : from;
}

/* A lane for the rest of each CA: up to `safe`, else up to the first slot that is enough, else dense. */
static void open_lanes(struct work *w)
{
    const struct hours *h = &w->hours;
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct ca_work *ca = &w->cas[i];
        int64_t end = longer(supply_limit(&ca->supply, w->rest_slot, ca->rest), h->safe);
        ca->overloaded =
            ca->rest + ca->canary > 0 && (end > h->end || canary_limit(w, w->canary_slot) > h->end);
        ca->lane = lane_of(ca->supply, w->rest_slot,
                           ca->overloaded ? LANE_NO_END : longer(end, w->rest_slot + 1), ca->rest);
    }
}

/* Windows for the slots of the profile's own making. */
static void slots_choose(struct work *w)
{
    const struct hours *h = &w->hours;
    bool has_cap = w->in->profile.rate_cap.count > 0;
    set_pace(w, true);
    int64_t from = latest_start(w);
    if (has_cap && from < h->notice) {
        set_pace(w, false);
        w->gave_cap = true;
        from = latest_start(w);
    }
    w->forced = from < h->notice;
    int64_t wished = gate(w, h->notice);
    if (from < 0) {
        from = h->open;
        if (w->canaries > 0 && late_with(w, false) < late_with(w, true)) {
            canary_drop(w);
            set_pace(w, false);
            w->gave_canary = true;
            wished = h->notice;
        }
    }
    w->canary_slot = from;
    w->rest_slot = gate(w, from);
    w->level_from = longer(w->rest_slot, shorter(wished, h->safe - 1));
    w->level_to = longer(h->safe, w->level_from + 1);
    open_lanes(w);
}

/* Does the work of every CA end within PLANNER_HOURS_MAX? */
static bool check_length(const struct work *w, struct fault *f)
{
    for (size_t i = 0; i < w->in->ca_count; i++) {
        const struct ca_work *ca = &w->cas[i];
        struct supply s = supply_of(w->in->ca_rates[i], w->hours.open, HOUR);
        int64_t most = PLANNER_HOURS_MAX - w->hours.open;
        if (s.every > most || ca->canary + ca->rest > supply_between(&s, w->hours.open, PLANNER_HOURS_MAX)) {
            fault_set(f, FAULT_CONFIG,
                      "plan: at its rate ca %zu needs more than %d hours for %lld certificates", i,
                      PLANNER_HOURS_MAX, (long long)(ca->canary + ca->rest));
            return fault_hint(f, "give the ca a rate that fits the backend, such as \"320/h\"");
        }
    }
    return true;
}

bool window_choose(struct work *w, struct fault *f)
{
    if (!check_length(w, f))
        return false;
    set_pace(w, false);
    if (!w->hours.at_once) {
        slots_choose(w);
        return true;
    }
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct ca_work *ca = &w->cas[i];
        ca->overloaded = ca->canary + ca->rest > hours_capacity(&w->hours, w->in->received, ca->rate);
    }
    /* an expiring canary must not take a second from one that has a deadline */
    for (size_t i = 0; i < w->in->certificate_count; i++) {
        const struct plan_certificate *c = &w->in->certificates[i];
        if (w->role[i] == ROLE_CANARY && w->cas[c->ca].overloaded && expires(w, c))
            w->role[i] = ROLE_EXPIRING;
    }
    return true;
}
