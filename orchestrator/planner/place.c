/* A slot for every lot: order, then wishes (notice, level load, help desk), then the backends' lanes. */
#include "sort.h"
#include "work.h"

/* The plan's order of everything that is dealt. */
struct order {
    uint64_t *items; /* key: place in the order; index: the lot */
    uint64_t *spare; /* room for as many */
    size_t n;
    uint32_t held; /* first key of what is held: it comes last */
};

/* Neighbours in the order with one subscriber and one place are a unit: they are told one hour. Here as sort
 * items: key the slot wished for (on the axis), index the first item in the order. */
struct units {
    uint64_t *items, *spare;
    size_t n;
    uint32_t latest;
};

/* Place in the order: canaries (those with a deadline first), expiring ones by hour, classes in their turns,
 * then the expiring ones of a CA that has no room for them, and what is held. */
static uint32_t place_key(const struct work *w, const struct lot *l)
{
    uint32_t hours = (uint32_t)(w->in->deadline.s / HOUR) + 3;
    switch (lot_role(l)) {
    case ROLE_CANARY:
        return lot_hour(l);
    case ROLE_EXPIRING:
        return w->cas[l->ca].overloaded ? hours + CLASS_COUNT : 2 + lot_hour(l);
    case ROLE_CLASS:
        return hours + lot_class(l);
    case ROLE_HELD:
    case ROLE_NONE:
        break;
    }
    return hours + CLASS_COUNT + 1;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static const struct lot *lot_at(const struct work *w, const struct order *o, size_t i)
{
    return &w->lots[(uint32_t)o->items[i]];
}

static struct order order_all(const struct work *w, struct arena *a)
{
    struct order o = {.n = w->lot_count};
    uint64_t *items = arena_array(a, o.n, sizeof *items), *spare = arena_array(a, o.n, sizeof *spare);
    o.items = items;
    if (!w->grouped) {
        for (size_t i = 0; i < o.n; i++)
            items[i] = SORT_ITEM(w->lots[i].rank, i);
        o.items = sort_items(items, spare, o.n, (uint32_t)w->ranks);
    }
    o.held = (uint32_t)(w->in->deadline.s / HOUR) + 3 + CLASS_COUNT + 1;
    for (size_t i = 0; i < o.n; i++) {
        uint32_t lot = w->grouped ? (uint32_t)i : (uint32_t)o.items[i];
        o.items[i] = SORT_ITEM(place_key(w, &w->lots[lot]), lot);
    }
    o.items = sort_items(o.items, o.items == items ? spare : items, o.n, o.held);
    o.spare = o.items == items ? spare : items;
    return o;
}

/* Cuts what comes after the first n certificates of lot i off; returns its index. */
static size_t cut_off(struct work *w, size_t i, int64_t n)
{
    struct lot *l = work_lot(w, i), rest = *l;
    l->count = (uint32_t)n;
    rest.first += l->count;
    rest.number += l->count;
    rest.count -= l->count;
    buf_add(&w->cuts, &rest, sizeof rest);
    return w->lot_count + work_cuts(w) - 1;
}

/* Gives lot i its slot in a lane, and what does not fit there the next ones. */
static void place_lot(struct work *w, struct lane *lane, size_t i, int64_t wish)
{
    for (;;) {
        struct lot *l = work_lot(w, i);
        int64_t slot, n = lane_take(lane, wish, l->count, &slot);
        l->slot = (uint32_t)calendar_hour(&w->calendar, slot);
        if (n == l->count)
            return;
        i = cut_off(w, i, n);
    }
}

/* Profile `publish_at_once`: the i-th of a CA falls into the hour in which the rate reaches it. One that has
 * run out by then, or would be done too late, takes no time. */
static void place_at_once(struct work *w, const struct order *o, struct arena *a)
{
    int64_t *sent = arena_array(a, w->in->ca_count, sizeof *sent);
    for (size_t i = 0; i < o->n; i++) {
        size_t at = (uint32_t)o->items[i];
        for (struct lot *l = work_lot(w, at);; l = work_lot(w, at)) {
            struct rate rate = w->cas[l->ca].rate;
            int64_t due = w->hours.start.s + rate_due(rate, sent[l->ca]);
            int64_t done = w->hours.start.s + rate_seconds(rate, sent[l->ca] + 1);
            if (lot_expires(l) && (lot_runs_out(w, l).s < due || done > w->hours.last.s)) {
                l->place = PLACE(ROLE_NONE, 0, 0);
                break;
            }
            l->slot = (uint32_t)((due - w->in->received.s) / HOUR);
            int64_t left = slot_end(w, l->slot).s - w->hours.start.s, n = l->count;
            if (rate.count > 0 && (left * rate.count + rate.per - 1) / rate.per - sent[l->ca] < n)
                n = (left * rate.count + rate.per - 1) / rate.per - sent[l->ca];
            sent[l->ca] += n;
            if (n == l->count)
                break;
            at = cut_off(w, at, n);
        }
    }
}

/* The canaries fill the first slots. Returns how many lots there are of them: each is one certificate. */
static size_t place_canaries(struct work *w, const struct order *o, struct arena *a)
{
    struct lane *lanes = arena_array(a, w->in->ca_count, sizeof *lanes);
    for (size_t i = 0; i < w->in->ca_count; i++)
        lanes[i] = lane_of(w->cas[i].supply, w->canary_slot, LANE_NO_END, w->cas[i].canary);
    for (size_t i = 0; i < w->canaries; i++)
        place_lot(w, &lanes[lot_at(w, o, i)->ca], (uint32_t)o->items[i], 0);
    return w->canaries;
}

/* The slot wished for by a lot; takes its places in the level load. */
static int64_t wish_of(struct work *w, const struct lot *l)
{
    unsigned turn = lot_class(l);
    struct level *level = &w->cas[l->ca].level[turn];
    if (lot_role(l) == ROLE_EXPIRING || turn < LEVEL_FIRST)
        return later(window_notice(w, turn), w->rest_slot);
    int64_t place = level->before + level->seen;
    level->seen += l->count;
    return level->from + place * level->slots / level->total;
}

static bool same_unit(const struct work *w, const struct order *o, size_t i, size_t k)
{
    const struct lot *a = lot_at(w, o, i), *b = lot_at(w, o, k);
    return a->rank == b->rank && a->place == b->place;
}

static size_t unit_end(const struct work *w, const struct order *o, size_t first)
{
    size_t end = first + 1;
    while (end < o->n && same_unit(w, o, first, end))
        end++;
    return end;
}

/* Cuts the order from `from` on into units and wishes each where its CA's load is level. A unit whose first
 * CA is overloaded has no wish of its own: what else is in it follows the first lot that has one. */
static struct units cut_units(struct work *w, const struct order *o, size_t from, struct arena *a)
{
    struct units u = {.items = arena_array(a, o->n - from, sizeof *u.items), .spare = o->spare};
    bool open = false;
    for (size_t i = from; i < o->n && o->items[i] >> 32 < o->held; i++) {
        const struct lot *l = lot_at(w, o, i);
        open = open && same_unit(w, o, i - 1, i);
        if (w->cas[l->ca].overloaded)
            continue;
        int64_t wish = wish_of(w, l);
        if (!open)
            u.items[u.n++] = SORT_ITEM(wish, i);
        if (!open && wish > u.latest)
            u.latest = (uint32_t)wish;
        open = true;
    }
    return u;
}

/* Units in the order of their wishes; with several CAs or classes that mixes them. */
static void sort_units(struct units *u)
{
    uint64_t *sorted = sort_items(u->items, u->spare, u->n, u->latest);
    u->spare = sorted == u->items ? u->spare : u->items;
    u->items = sorted;
}

/* Do the subscribers of this unit call the help desk by the plan's making? Not those that can't wait. */
static bool calls(const struct work *w, const struct order *o, uint64_t unit)
{
    const struct lot *l = lot_at(w, o, (uint32_t)unit);
    return lot_role(l) == ROLE_CLASS && lot_class(l) >= LEVEL_FIRST;
}

/* The help desk has its say: later or earlier so that no hour has more subscribers than it can serve, unless
 * there are too many at all. */
static void spare_help_desk(const struct work *w, const struct order *o, struct units *u)
{
    int64_t desk = w->in->profile.helpdesk_per_hour, callers = 0, from = -1;
    int64_t safe = calendar_place(&w->calendar, w->hours.safe), slot;
    for (size_t i = 0; i < u->n && desk > 0; i++)
        if (calls(w, o, u->items[i])) {
            from = callers == 0 ? (int64_t)(u->items[i] >> 32) : from;
            callers++;
        }
    if (callers == 0 || callers > desk * (safe - from))
        return;
    struct lane lane = lane_of((struct supply){from, desk, desk, 1}, from, safe, callers);
    for (size_t i = 0; i < u->n; i++)
        if (calls(w, o, u->items[i])) {
            const struct lot *l = lot_at(w, o, (uint32_t)u->items[i]);
            (void)lane_take(&lane, (int64_t)(u->items[i] >> 32), 1, &slot);
            slot = later(slot, window_notice(w, lot_class(l)));
            u->items[i] = SORT_ITEM(slot, (uint32_t)u->items[i]);
        }
    u->latest = safe > (int64_t)u->latest ? (uint32_t)safe : u->latest;
    sort_units(u);
}

/* For each CA: can its units have their wishes? They can if what wishes for a slot or a later one fits there,
 * for every slot; else the lane pulls some forward, and not by their notices. */
static bool mark_tight(struct work *w, const struct order *o, const struct units *u, struct arena *a)
{
    int64_t slots = u->latest + 1 - w->rest_slot;
    bool any = false;
    int64_t *wishes = arena_array(a, (size_t)slots * w->in->ca_count, sizeof *wishes);
    for (size_t i = 0; i < u->n; i++)
        for (size_t k = (uint32_t)u->items[i], end = unit_end(w, o, k); k < end; k++)
            wishes[lot_at(w, o, k)->ca * slots + (int64_t)(u->items[i] >> 32) - w->rest_slot] +=
                lot_at(w, o, k)->count;
    for (size_t c = 0; c < w->in->ca_count; c++) {
        struct ca_work *ca = &w->cas[c];
        int64_t behind = 0;
        for (int64_t k = slots; k-- > 0 && !ca->tight && !ca->overloaded;) {
            behind += wishes[(int64_t)c * slots + k];
            ca->tight = behind > supply_between(&ca->supply, w->rest_slot + k, ca->lane.end);
        }
        any = any || ca->tight;
    }
    return any;
}

/* Units of a CA that is short of room wish for the end of their notice, and no level load: packed in that
 * order, all keep their notice whenever that can be. */
static void wish_by_notice(struct work *w, const struct order *o, struct units *u)
{
    for (size_t i = 0; i < u->n; i++) {
        size_t first = (uint32_t)u->items[i];
        bool tight = false;
        for (size_t k = first, end = unit_end(w, o, first); k < end; k++)
            tight = tight || w->cas[lot_at(w, o, k)->ca].tight;
        int64_t notice = later(window_notice(w, lot_class(lot_at(w, o, first))), w->rest_slot);
        if (tight)
            u->items[i] = SORT_ITEM(notice, first);
        u->latest = notice > (int64_t)u->latest ? (uint32_t)notice : u->latest;
    }
    sort_units(u);
}

/* A CA that can't do all in time works without a gap in the plan's order; wishes would let one that expires
 * go before one that would then be late. */
static void place_overloaded(struct work *w, const struct order *o, size_t from)
{
    for (size_t i = from; i < o->n && o->items[i] >> 32 < o->held; i++) {
        struct ca_work *ca = &w->cas[lot_at(w, o, i)->ca];
        if (ca->overloaded)
            place_lot(w, &ca->lane, (uint32_t)o->items[i], 0);
    }
}

/* Gives one unit its slots, CA by CA. */
static void place_unit(struct work *w, const struct order *o, uint64_t unit)
{
    size_t i = (uint32_t)unit, end = unit_end(w, o, i);
    for (size_t next = i; i < end; i = next) {
        uint16_t ca = lot_at(w, o, i)->ca;
        int64_t count = 0;
        for (; next < end && lot_at(w, o, next)->ca == ca; next++)
            count += lot_at(w, o, next)->count;
        if (w->cas[ca].overloaded)
            continue;
        lane_group(&w->cas[ca].lane, count);
        for (size_t k = i; k < next; k++)
            place_lot(w, &w->cas[ca].lane, (uint32_t)o->items[k], (int64_t)(unit >> 32));
    }
}

/* What has run out before its slot, or will have when that slot is published, is dealt into no chunk. */
static void drop_expired(struct work *w)
{
    for (size_t i = 0; i < w->lot_count + work_cuts(w); i++) {
        struct lot *l = work_lot(w, i);
        if (lot_expires(l) && (lot_runs_out(w, l).s < slot_start(w, l->slot).s || l->slot >= w->hours.end))
            l->place = PLACE(ROLE_NONE, 0, 0);
    }
}

/* What is held comes after everything else, as fast as the CA can: a release deals it anew. */
static void place_held(struct work *w, const struct order *o, struct arena *a)
{
    int64_t from = calendar_hour(&w->calendar, w->rest_slot);
    size_t i = o->n;
    while (i > 0 && o->items[i - 1] >> 32 == o->held)
        i--;
    if (i == o->n)
        return;
    for (size_t k = 0; k < w->lot_count + work_cuts(w); k++) {
        const struct lot *l = work_lot(w, k);
        if (lot_role(l) != ROLE_HELD && lot_role(l) != ROLE_NONE && l->slot >= from)
            from = l->slot + 1;
    }
    int64_t pause = 0; /* a CA slower than one an hour keeps its distance from what went before */
    for (size_t k = 0; k < w->in->ca_count; k++)
        pause = w->cas[k].supply.every > pause ? w->cas[k].supply.every : pause;
    from += pause - 1;
    w->calendar = (struct calendar){.open = w->hours.open};
    struct lane *lanes = arena_array(a, w->in->ca_count, sizeof *lanes);
    for (size_t k = 0; k < w->in->ca_count; k++)
        lanes[k] = lane_of(w->cas[k].supply, from, LANE_NO_END, w->cas[k].held);
    for (; i < o->n; i++)
        place_lot(w, &lanes[lot_at(w, o, i)->ca], (uint32_t)o->items[i], 0);
}

void place_all(struct work *w)
{
    AUTO_ARENA scratch = {0};
    struct order order = order_all(w, &scratch);
    if (w->hours.at_once) {
        place_at_once(w, &order, &scratch);
        return;
    }
    size_t rest = place_canaries(w, &order, &scratch);
    struct units units = cut_units(w, &order, rest, &scratch);
    sort_units(&units);
    spare_help_desk(w, &order, &units);
    if (units.n > 0 && w->kept.notice && mark_tight(w, &order, &units, &scratch))
        wish_by_notice(w, &order, &units);
    place_overloaded(w, &order, rest);
    for (size_t i = 0; i < units.n; i++)
        place_unit(w, &order, units.items[i]);
    drop_expired(w);
    place_held(w, &order, &scratch);
}
