/* Opens a run: is the input what plan.h promises, and which lots is it made of. */
#include "work.h"
#include "sort.h"

#include <stdlib.h>

/* Where the cutting of lots stands. */
struct cut {
    struct work *w;
    struct canary_search search;
    uint32_t *ranks;  /* by subscriber: its rank plus one, 0 when not seen */
    int64_t ordinary; /* valid so long: nothing special */
    uint32_t rank;    /* of the last lot that counts */
    size_t held;      /* lots */
};

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

static bool bad_certificate(const struct plan_certificate *c, uint64_t next, struct fault *f)
{
    if (c->number < next)
        return fault_set(f, FAULT_USAGE, "plan: number %u does not come after %u", c->number,
                         (uint32_t)(next - 1));
    return fault_set(f, FAULT_USAGE, "plan: number %u has a subscriber, ca, shard or class out of range",
                     c->number);
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

static uint32_t rank_of(struct cut *cut, uint32_t subscriber)
{
    uint32_t seen = cut->ranks[subscriber];
    cut->w->ranks += seen == 0;
    cut->ranks[subscriber] = seen == 0 ? (uint32_t)cut->w->ranks : seen;
    return cut->ranks[subscriber] - 1;
}

static struct lot *open_lot(struct cut *cut, const struct plan_certificate *c, uint32_t place)
{
    struct work *w = cut->w;
    bool held = place >> 28 == ROLE_HELD;
    uint32_t rank = held ? 0 : rank_of(cut, c->subscriber);
    cut->held += held;
    w->grouped = w->grouped && (held || rank >= cut->rank);
    cut->rank = held ? cut->rank : rank;
    struct lot *l = &w->lots[w->lot_count++];
    *l = (struct lot){.first = (uint32_t)(c - w->in->certificates),
                      .number = c->number,
                      .rank = rank,
                      .place = place,
                      .issuer = c->issuer,
                      .ca = c->ca};
    return l;
}

/* Doubles the table of shards until it holds `shard`; one of the input's own size holds all. */
static bool more_shards(struct work *w, uint32_t shard)
{
    size_t n = w->shard_count == 0 ? 64 : w->shard_count;
    if (w->in->shards != NULL || shard == UINT32_MAX)
        return false;
    while (n <= shard)
        n *= 2;
    struct shard_work *all = arena_array(w->arena, n, sizeof *all);
    for (size_t i = 0; i < w->shard_count; i++)
        all[i] = w->shards[i];
    w->shards = all;
    w->shard_count = n;
    return true;
}

/* Nothing special: neither held nor out before the deadline, or before the start. */
static inline bool is_plain(const struct plan_certificate *c, int64_t ordinary)
{
    return !c->held && (c->not_after.s >= ordinary || !utc_is_set(c->not_after));
}

/* Whose it is, in one word. */
static inline uint64_t owner_of(const struct plan_certificate *c)
{
    return (uint64_t)c->ca << 48 | (uint64_t)c->issuer << 32 | c->subscriber;
}

/* Counts a certificate in its shard. */
static inline void list(struct cut *cut, struct shard_work *shards, size_t category,
                        const struct plan_certificate *c)
{
    struct shard_work *shard = &shards[c->shard];
    shard->entries++;
    canary_offer(&cut->search, shard, category, c);
}

/* Does c go on with what the one before it belongs to, as far as that hangs on neither role nor hour? A shard
 * that there is no room for yet begins a lot. */
static inline bool goes_on(const struct plan_certificate *c, uint64_t owner, uint8_t turn, size_t shards)
{
    return c->number == (uint64_t)c[-1].number + 1 && owner_of(c) == owner && c->turn == turn &&
           c->shard < shards;
}

/* The plain certificates from c on that are one lot; returns the first behind them. The loop that a plan's
 * time goes into. */
static const struct plan_certificate *cut_plain(struct cut *cut, const struct plan_certificate *c,
                                                const struct plan_certificate *end)
{
    struct lot *lot = open_lot(cut, c, PLACE(ROLE_CLASS, c->turn, 0));
    struct shard_work *shards = cut->w->shards;
    size_t shard_count = cut->w->shard_count;
    const struct plan_certificate *first = c;
    uint64_t owner = owner_of(c), by_ocsp = 0;
    int64_t ordinary = cut->ordinary;
    uint8_t turn = c->turn;
    do {
        by_ocsp += c->by_ocsp;
        list(cut, shards, turn, c);
        c++;
    } while (c < end && goes_on(c, owner, turn, shard_count) && is_plain(c, ordinary));
    cut->w->by_ocsp += by_ocsp;
    lot->count = (uint32_t)(c - first);
    work_tally(cut->w, lot, 1);
    return c;
}

/* The same for what is held or runs out. What has run out too early is in no lot. */
static const struct plan_certificate *cut_special(struct cut *cut, const struct plan_certificate *c,
                                                  const struct plan_certificate *end)
{
    struct work *w = cut->w;
    const struct plan_certificate *first = c;
    uint32_t place = work_place(w, c), role = place >> 28;
    struct lot *lot = role == ROLE_NONE ? NULL : open_lot(cut, c, place);
    /* by the second, not by the hour, decides which of these go: each is a lot of its own */
    bool alone = w->hours.at_once && role == ROLE_EXPIRING;
    do {
        w->by_ocsp += c->by_ocsp && role != ROLE_HELD;
        if (role == ROLE_EXPIRING)
            list(cut, w->shards, CLASS_COUNT, c);
        c++;
    } while (c < end && !alone && goes_on(c, owner_of(first), first->turn, w->shard_count) &&
             work_place(w, c) == place);
    if (lot != NULL) {
        lot->count = (uint32_t)(c - first);
        work_tally(w, lot, 1);
    }
    return c;
}

/* The one pass over all certificates. */
static bool cut_lots(struct cut *cut, struct fault *f)
{
    struct work *w = cut->w;
    const struct plan_input *in = w->in;
    const struct plan_certificate *c = in->certificates, *end = c + in->certificate_count;
    for (uint64_t next = 0; c < end; next = (uint64_t)c[-1].number + 1) {
        if (c->number < next || c->subscriber >= in->subscriber_count || c->ca >= in->ca_count ||
            c->turn >= CLASS_COUNT || (c->shard >= w->shard_count && !more_shards(w, c->shard)))
            return bad_certificate(c, next, f);
        c = is_plain(c, cut->ordinary) ? cut_plain(cut, c, end) : cut_special(cut, c, end);
    }
    return true;
}

/* Held lots get their ranks behind all others: what is held changes nothing for the rest. */
static void rank_held(struct cut *cut)
{
    struct work *w = cut->w;
    for (size_t i = 0; i < w->lot_count && cut->held > 0; i++)
        if (lot_role(&w->lots[i]) == ROLE_HELD)
            w->lots[i].rank = rank_of(cut, w->in->certificates[w->lots[i].first].subscriber);
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
    uint32_t *slots = arena_array(w->arena, w->slot_room, sizeof *slots);
    if (before > 0)
        memcpy(slots, w->slots, before * sizeof *slots);
    w->slots = slots;
    for (size_t i = 0; i < 2; i++)
        w->items[i] = arena_array(w->arena, w->slot_room, sizeof *w->items[i]);
}

bool work_open(struct work *w, const struct plan_input *in, struct arena *a, struct fault *f)
{
    if (!check_limits(in, f))
        return false;
    *w = (struct work){.in = in, .arena = a, .hours = hours_of(in, 0), .grouped = true};
    w->cas = arena_array(a, in->ca_count, sizeof *w->cas);
    for (size_t i = 0; i < in->ca_count; i++)
        w->cas[i].rate = in->ca_rates[i];
    w->lots = arena_array(a, in->certificate_count, sizeof *w->lots);
    if (in->shards != NULL) {
        w->shard_count = in->shard_count;
        w->shards = arena_array(a, in->shard_count, sizeof *w->shards);
    }
    struct cut cut = {.w = w, .ordinary = utc_max(w->hours.deadline, w->hours.start).s};
    AUTO_ARENA scratch = {0};
    cut.ranks = arena_array(&scratch, in->subscriber_count, sizeof *cut.ranks);
    canary_begin(&cut.search, w, &scratch);
    bool ok = cut_lots(&cut, f);
    rank_held(&cut);
    w->hours = hours_of(in, w->by_ocsp);
    if (ok && in->profile.canary > 0)
        canary_choose(&cut.search);
    buf_free(&cut.search.best);
    return ok;
}
