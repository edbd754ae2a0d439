/* Which slots the plan may use, and which soft limits it has to give up for that (planner.h has the order).
 */
#include "work.h"

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

/* The slot limit of what has a deadline when all starts in the first slot, with or without that wait. */
static int64_t end_with(const struct work *w, bool canary)
{
    int64_t open = w->hours.open, limit = open;
    for (size_t i = 0; i < w->in->ca_count; i++) {
        const struct ca_work *ca = &w->cas[i];
        if (!canary)
            limit = longer(limit, supply_limit(&ca->supply, open, ca->canary_bound + ca->rest_bound));
        else if (ca->rest_bound > 0)
            limit = longer(limit, supply_limit(&ca->supply, gate(w, open), ca->rest_bound));
    }
    return limit;
}

/* Is the wait for the canary too dear? Only where some are late: when it makes more of them so, or all of it
 * end later. */
static bool canary_costs(const struct work *w)
{
    int64_t late = late_with(w, true);
    return late > 0 && (late_with(w, false) < late || end_with(w, false) < end_with(w, true));
}

/* The pace of every CA: the backend's, or the profile's ceiling when that is lower and still kept. */
static void set_pace(struct work *w)
{
    struct rate cap = w->in->profile.rate_cap;
    int64_t seconds = hours_open_seconds(&w->hours, w->in->received);
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct rate r = w->in->ca_rates[i];
        /* count and per are below 2^30 each: the products fit */
        if (w->kept.cap && cap.count > 0 && (r.count == 0 || cap.count * r.per < r.count * cap.per))
            r = cap;
        w->cas[i].rate = r;
        w->cas[i].supply = supply_of(r, w->hours.open, seconds);
    }
}

static int64_t safe_place(const struct work *w)
{
    return calendar_place(&w->calendar, w->hours.safe);
}

int64_t window_notice(const struct work *w, unsigned turn)
{
    int64_t hour = w->hours.notice[turn];
    if (turn == CLASS_AUTOMATED && w->kept.ari)
        hour = longer(hour, w->hours.ari);
    return calendar_place(&w->calendar, hour);
}

/* Where the canaries should start. They have a notice too; but what has less does not wait for it if it is
 * the riskiest, or if it outnumbers the canaries that would go untold. */
static int64_t canary_wish(const struct work *w)
{
    const int64_t *counts = w->canary_class;
    int64_t least = INT64_MAX, most = w->hours.open, gain = 0, lose = 0;
    bool riskiest = false;
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        most = counts[c] > 0 ? longer(most, window_notice(w, c)) : most;
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        int64_t rest = 0, notice = window_notice(w, c);
        for (size_t i = 0; i < w->in->ca_count; i++)
            rest += w->cas[i].count[c];
        if (rest + counts[c] > 0 && notice < least)
            least = notice;
        gain += notice < most ? rest : 0;
        riskiest = riskiest || (c == CLASS_RISKIEST && rest + counts[c] > 0);
    }
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        lose += window_notice(w, c) > least ? counts[c] : 0;
    if (w->canaries > 0 && gain > lose)
        return least;
    int64_t risk = window_notice(w, CLASS_RISKIEST);
    return w->canaries > 0 && riskiest && risk < most ? risk : most;
}

/* Does everything fit before `safe` with every kept limit, notices among them? Equal work with one end: it
 * does if what may not start before a notice fits behind it, for every notice. */
static bool fits_softly(const struct work *w, int64_t from)
{
    int64_t rest = gate(w, from), safe = safe_place(w);
    if (!fits(w, from, safe))
        return false;
    for (size_t i = 0; i < w->in->ca_count; i++)
        for (unsigned c = 0; c < CLASS_COUNT; c++) {
            int64_t notice = window_notice(w, c), behind = 0;
            for (unsigned k = 0; k < CLASS_COUNT; k++)
                behind += window_notice(w, k) >= notice ? w->cas[i].count[k] : 0;
            if (behind > supply_between(&w->cas[i].supply, longer(rest, notice), safe))
                return false;
        }
    return true;
}

static void set_calendar(struct work *w)
{
    w->calendar = calendar_of(&w->in->profile, w->kept.freezes, w->in->received, w->hours.open, w->hours.safe,
                              w->arena);
    set_pace(w);
}

/* With these limits kept: does everything fit? Then they stay, else those from before. */
static bool try_to_keep(struct work *w, struct kept wanted)
{
    struct kept before = w->kept;
    w->kept = wanted;
    set_calendar(w);
    if (fits_softly(w, canary_wish(w)))
        return true;
    w->kept = before;
    set_calendar(w);
    return false;
}

/* Keeps as many limits as fit, those that are given up last first. */
static void keep_limits(struct work *w)
{
    const struct profile *p = &w->in->profile;
    set_calendar(w);
    if (!try_to_keep(w, (struct kept){.notice = true}))
        return;
    struct kept wanted = w->kept;
    wanted.ari = p->ari_lead.s > 0;
    (void)try_to_keep(w, wanted);
    for (size_t i = 0; i < p->freeze_count; i++) {
        wanted = w->kept;
        wanted.freezes |= UINT64_C(1) << i;
        (void)try_to_keep(w, wanted);
    }
    wanted = w->kept;
    wanted.cap = p->rate_cap.count > 0;
    (void)try_to_keep(w, wanted);
}

/* The start of the canaries that keeps reserve and floor, at their wish or as little before it as can be; -1
 * when even the first slot is too late for them. */
static int64_t latest_start(const struct work *w)
{
    int64_t from = canary_wish(w), safe = safe_place(w);
    while (from >= w->hours.open && !fits(w, from, safe))
        from--;
    return from < w->hours.open ? -1 : from;
}

/* A lane for the rest of each CA: up to `safe`, else up to the first slot that is enough, else dense. */
static void open_lanes(struct work *w)
{
    int64_t limit = w->hours.end, safe = safe_place(w);
    if (w->calendar.hours > 0)
        limit = calendar_place(&w->calendar, limit);
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct ca_work *ca = &w->cas[i];
        int64_t end = longer(supply_limit(&ca->supply, w->rest_slot, ca->rest), safe);
        ca->overloaded =
            ca->rest + ca->canary > 0 && (end > limit || canary_limit(w, w->canary_slot) > limit);
        ca->lane = lane_of(ca->supply, w->rest_slot,
                           ca->overloaded ? LANE_NO_END : longer(end, w->rest_slot + 1), ca->rest);
    }
}

/* Windows for the slots of the profile's own making. */
static void slots_choose(struct work *w)
{
    keep_limits(w);
    int64_t from = w->canaries == 0 ? w->hours.open : latest_start(w);
    if (w->canaries == 0 && !fits(w, from, safe_place(w)))
        from = -1;
    w->forced = !w->kept.notice;
    if (from < 0) {
        from = w->hours.open;
        if (w->canaries > 0 && canary_costs(w)) {
            canary_drop(w);
            set_pace(w);
            w->gave_canary = true;
        }
    }
    w->canary_slot = from;
    w->rest_slot = gate(w, from);
    level_all(w);
    open_lanes(w);
}

/* Does the work of every CA end within PLANNER_HOURS_MAX? */
static bool check_length(const struct work *w, struct fault *f)
{
    for (size_t i = 0; i < w->in->ca_count; i++) {
        const struct ca_work *ca = &w->cas[i];
        int64_t all = ca->canary + ca->rest + ca->held, most = PLANNER_HOURS_MAX - w->hours.open;
        struct supply s = supply_of(w->in->ca_rates[i], w->hours.open, HOUR);
        if (s.every > most || all > supply_between(&s, w->hours.open, PLANNER_HOURS_MAX)) {
            fault_set(f, FAULT_CONFIG,
                      "plan: at its rate ca %zu needs more than %d hours for %lld certificates", i,
                      PLANNER_HOURS_MAX, (long long)all);
            return fault_hint(f, "give the ca a rate that fits the backend, such as \"320/h\"");
        }
    }
    return true;
}

bool window_choose(struct work *w, struct fault *f)
{
    if (!check_length(w, f))
        return false;
    set_pace(w);
    if (!w->hours.at_once) {
        slots_choose(w);
        return true;
    }
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct ca_work *ca = &w->cas[i];
        ca->overloaded = ca->canary + ca->rest > hours_capacity(&w->hours, w->in->received, ca->rate);
    }
    /* an expiring canary must not take a second from one that has a deadline */
    for (size_t i = 0; i < w->lot_count + work_cuts(w); i++) {
        struct lot *l = work_lot(w, i);
        if (lot_role(l) == ROLE_CANARY && lot_expires(l) && w->cas[l->ca].overloaded)
            l->place = work_place(w, &w->in->certificates[l->first]);
    }
    return true;
}
