/* Opens a run: is the input what plan.h promises; and what all steps ask of a run. */
#include "work.h"
#include "cut.h"
#include "sort.h"

static bool span_bad(struct span s)
{
    return s.s < 0 || s.s > PLANNER_DEADLINE_MAX;
}

static bool rate_bad(struct rate r)
{
    return r.count < 0 || r.count > PLANNER_RATE_MAX ||
           (r.count > 0 && (r.per < 1 || r.per > PLANNER_RATE_MAX));
}

static bool check_spans(const struct plan_input *in, struct fault *f)
{
    const struct profile *p = &in->profile;
    const struct {
        const char *name;
        struct span value;
    } spans[] = {
        {"deadline", in->deadline},        {"should", in->should},
        {"first_slot", p->first_slot},     {"reserve", p->reserve},
        {"first_notice", p->first_notice}, {"publish_margin", p->publish_margin},
        {"outage_floor", p->outage_floor}, {"ari_lead", p->ari_lead},
        {"ocsp_refresh", p->ocsp_refresh},
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (span_bad(spans[i].value))
            return fault_set(f, FAULT_USAGE, "plan: %s of %lld s is outside 0 to ten years", spans[i].name,
                             (long long)spans[i].value.s);
    for (int c = 0; c < CLASS_COUNT; c++)
        if (span_bad(p->class_notice[c]) || span_bad(p->class_ceiling[c]))
            return fault_set(f, FAULT_USAGE, "plan: notice or ceiling of class %s is outside 0 to ten years",
                             class_name((enum plan_class)c));
    return true;
}

static bool check_limits(const struct plan_input *in, struct fault *f)
{
    const struct profile *p = &in->profile;
    if (!check_spans(in, f))
        return false;
    if (!utc_is_set(in->received) || !utc_is_set(in->now) ||
        in->now.s - in->received.s > PLANNER_DEADLINE_MAX)
        return fault_set(f, FAULT_USAGE, "plan: receipt and now must be set and within ten years");
    for (size_t i = 0; i < in->ca_count; i++)
        if (rate_bad(in->ca_rates[i]))
            return fault_set(f, FAULT_USAGE, "plan: rate of ca %zu is out of range", i);
    if (rate_bad(in->ocsp_rate))
        return fault_set(f, FAULT_USAGE, "plan: the rate of questions to responders is out of range");
    if (rate_bad(p->rate_cap) || (p->rate_cap.count > 0 && rate_per_hour(p->rate_cap) < 1) || p->canary < 0 ||
        p->helpdesk_per_hour < 0 || p->crl_limit < 0 || p->freeze_count > PLANNER_FREEZES_MAX)
        return fault_set(f, FAULT_USAGE, "plan: profile %s has a limit out of range (rate_cap: at least 1/h)",
                         p->name == NULL ? "-" : p->name);
    if (in->certificate_count >= UINT32_MAX || in->subscriber_count >= UINT32_MAX)
        return fault_set(f, FAULT_USAGE, "plan: more than 4294967294 certificates or subscribers");
    return true;
}

/* Rare cases of work_place: held, or out before the deadline. */
static uint32_t special_place(const struct work *w, const struct plan_certificate *c)
{
    if (c->held)
        return PLACE(ROLE_HELD, c->turn, 0);
    if (c->not_after.s < w->hours.start.s || c->not_after.s < slot_start(w, w->hours.notice[c->turn]).s)
        return PLACE(ROLE_NONE, c->turn, 0);
    return PLACE(ROLE_EXPIRING, c->turn, utc_sub(c->not_after, w->in->received).s / HOUR);
}

uint32_t work_place(const struct work *w, const struct plan_certificate *c)
{
    bool expires = utc_is_set(c->not_after) && c->not_after.s < w->hours.deadline.s;
    /* one that ran out before work could begin needs none, whenever the deadline was */
    bool gone = utc_is_set(c->not_after) && c->not_after.s < w->hours.start.s;
    return c->held || expires || gone ? special_place(w, c) : PLACE(ROLE_CLASS, c->turn, 0);
}

void work_tally(struct work *w, const struct lot *l, int64_t sign)
{
    struct ca_work *ca = &w->cas[l->ca];
    int64_t count = sign * l->count, bound = lot_expires(l) ? 0 : count;
    if (lot_role(l) == ROLE_HELD) {
        ca->held += count;
    } else if (lot_role(l) == ROLE_CANARY) {
        w->canaries += (size_t)count;
        w->canary_class[lot_class(l)] += count;
        ca->canary += count;
        ca->canary_bound += bound;
    } else {
        ca->rest += count;
        ca->rest_bound += bound;
        ca->count[lot_class(l)] += count;
        ca->bound[lot_class(l)] += bound;
    }
}

void work_count(struct work *w)
{
    w->canaries = 0;
    memset(w->canary_class, 0, sizeof w->canary_class);
    for (size_t i = 0; i < w->in->ca_count; i++)
        w->cas[i] = (struct ca_work){.rate = w->in->ca_rates[i]};
    for (size_t i = 0; i < w->lot_count + work_cuts(w); i++)
        work_tally(w, work_lot(w, i), 1);
}

void work_drop(struct work *w, struct lot *l)
{
    for (uint32_t i = l->first; i < l->first + l->count; i++)
        w->shards[w->in->certificates[i].shard].entries--;
    l->place = PLACE(ROLE_NONE, 0, 0);
}

struct walk work_walk(struct work *w, struct arena *a)
{
    size_t n = work_cuts(w);
    uint64_t *cuts = arena_array(a, n + 1, sizeof *cuts), *spare = arena_array(a, n + 1, sizeof *spare);
    for (size_t i = 0; i < n; i++)
        cuts[i] = SORT_ITEM(work_lot(w, w->lot_count + i)->first, w->lot_count + i);
    cuts[n] = WALK_END;
    return (struct walk){w->lots, sort_items(cuts, spare, n + 1, UINT32_MAX), 0, (uint32_t)w->lot_count};
}

void work_make_room(struct work *w)
{
    size_t need = w->lot_count + work_cuts(w), before = w->slot_room;
    if (need <= before)
        return;
    w->slot_room = need + need / 8 + 1000;
    uint32_t *slots = arena_raw(w->arena, w->slot_room, sizeof *slots);
    if (before > 0)
        memcpy(slots, w->slots, before * sizeof *slots);
    w->slots = slots;
    for (size_t i = 0; i < 2; i++)
        w->items[i] = arena_raw(w->arena, w->slot_room, sizeof *w->items[i]);
}

bool work_open(struct work *w, const struct plan_input *in, struct arena *a, struct fault *f)
{
    if (!check_limits(in, f))
        return false;
    *w = (struct work){.in = in, .arena = a, .hours = hours_of(in, 0), .grouped = true};
    w->cas = arena_array(a, in->ca_count, sizeof *w->cas);
    for (size_t i = 0; i < in->ca_count; i++)
        w->cas[i].rate = in->ca_rates[i];
    AUTO_ARENA scratch = {0};
    struct canary_search search;
    canary_begin(&search, w, &scratch);
    bool ok = cut_lots(w, in->certificate_count < CUT_LARGE ? 1 : CUT_PARTS, &search, f);
    w->hours = hours_of(in, w->by_ocsp);
    if (ok && in->profile.canary > 0)
        canary_choose(&search, w);
    canary_end(&search);
    return ok;
}
