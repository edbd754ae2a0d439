/* A slot for every lot: order, then wishes (notice, level load, help desk), then the backends' lanes. */
#include "sort.h"
#include "work.h"

#include <assert.h>

#define AHEAD 16 /* lots and units that are fetched while others are in hand */

/* One lot in the plan's order: what placing needs of it, side by side with its neighbours. Neighbours of one
 * subscriber, role, class and hour are a unit: they are told one hour. */
struct step {
    uint32_t lot, count;
    uint16_t ca;
    uint8_t kind; /* KIND(role, class) */
    bool starts;  /* a unit */
};

static_assert(sizeof(struct step) == 12, "planner.h states the memory by it");

#define KIND(role, turn) (PLACE(role, turn, 0) >> 24)

/* The plan's order of everything that is dealt; what is held comes last. */
struct order {
    struct step *steps;
    size_t n, held; /* steps, and the first that is held */
};

/* Units as sort items: key the slot wished for (on the axis), index their first step. */
struct units {
    uint64_t *items, *spare;
    size_t n;
    uint32_t latest;
    int64_t *wishes, slots; /* by CA, then slot from rest_slot on: certificates that wish for it */
};

/* The last place in the order, of what is held. */
static uint32_t held_key(const struct work *w)
{
    return (uint32_t)(w->in->deadline.s / HOUR) + 3 + CLASS_COUNT + 1;
}

/* Place in the order: canaries (those with a deadline first), expiring ones by hour, classes in their turns,
 * then the expiring ones of a CA that has no room for them, and what is held. */
static inline uint32_t place_key(const struct work *w, const struct lot *l, uint32_t held)
{
    enum role role = lot_role(l);
    if (role == ROLE_CLASS)
        return held - CLASS_COUNT - 1 + lot_class(l);
    if (role == ROLE_EXPIRING)
        return w->cas[l->ca].overloaded ? held - 1 : 2 + lot_hour(l);
    return role == ROLE_CANARY ? lot_hour(l) : held;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The steps of one place in the order: where the next one goes, and what the last one was. */
struct row {
    uint32_t next, rank, place;
};

/* All lots by subscriber, then number; when grouped they are that already, and held ones stay where they are.
 * A counter for each subscriber: most lots are next to the one before. Uses rank_lots up, and counts the
 * steps of each row. */
static void sort_by_rank(struct work *w, uint32_t *to, struct row *rows, uint32_t held, struct arena *a)
{
    uint32_t one = 0, *at = w->grouped ? &one : w->rank_lots, i;
    for (size_t k = 0; k < work_cuts(w); k++)
        w->rank_lots[work_lot(w, w->lot_count + k)->rank]++;
    for (uint32_t rank = 0, sum = 0; rank < w->ranks && !w->grouped; rank++) {
        uint32_t lots = w->rank_lots[rank];
        w->rank_lots[rank] = sum;
        sum += lots;
    }
    for (struct walk k = work_walk(w, a); walk_next(&k, &i);) {
        const struct lot *l = work_lot(w, i);
        rows[place_key(w, l, held)].next++;
        to[at[w->grouped ? 0 : l->rank]++] = i;
    }
}

/* By place, then subscriber, then number. */
static struct order order_all(struct work *w, struct arena *a)
{
    work_make_room(w);
    struct order o = {.n = w->lot_count + work_cuts(w)};
    uint32_t *lots = w->slots, held = held_key(w); /* slots are not needed yet */
    struct row *rows = arena_array(a, (size_t)held + 1, sizeof *rows);
    sort_by_rank(w, lots, rows, held, a);
    o.steps = arena_raw(a, o.n, sizeof *o.steps);
    for (uint32_t key = 0, sum = 0; key <= held; key++) {
        o.held = sum;
        sum += rows[key].next;
        rows[key].next = (uint32_t)o.held;
    }
    for (size_t i = 0; i < o.n; i++) {
        if (i + AHEAD < o.n)
            __builtin_prefetch(work_lot(w, lots[i + AHEAD]));
        const struct lot *l = work_lot(w, lots[i]);
        struct row *row = &rows[place_key(w, l, held)];
        o.steps[row->next++] = (struct step){.lot = lots[i],
                                             .count = l->count,
                                             .ca = l->ca,
                                             .kind = (uint8_t)(l->place >> 24),
                                             .starts = l->rank != row->rank || l->place != row->place};
        row->rank = l->rank;
        row->place = l->place; /* never 0 */
    }
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
    work_make_room(w);
    return w->lot_count + work_cuts(w) - 1;
}

static void set_slot(struct work *w, size_t i, int64_t hour)
{
    w->slots[i] = (uint32_t)hour;
    w->last_slot = hour > w->last_slot ? (uint32_t)hour : w->last_slot;
}

/* Gives n steps of `count` certificates their slots in a lane, and what does not fit there the next ones. */
static void place_steps(struct work *w, struct lane *lane, const struct step *s, size_t n, int64_t count,
                        int64_t wish)
{
    int64_t room = 0, slot, hour = 0;
    for (size_t k = 0; k < n; k++) {
        size_t i = s[k].lot;
        for (int64_t left = s[k].count; left > 0;) {
            if (room == 0) {
                room = lane_take(lane, wish, count, &slot);
                count -= room;
                hour = calendar_hour(&w->calendar, slot);
            }
            set_slot(w, i, hour);
            int64_t taken = left < room ? left : room;
            room -= taken;
            left -= taken;
            i = left > 0 ? cut_off(w, i, taken) : i;
        }
    }
}

static void place_step(struct work *w, struct lane *lane, const struct step *s)
{
    place_steps(w, lane, s, 1, s->count, 0);
}

/* Profile `publish_at_once`: the i-th of a CA falls into the hour in which the rate reaches it. One that has
 * run out by then, or would be done too late, takes no time. */
static void place_at_once(struct work *w, const struct order *o, struct arena *a)
{
    int64_t *sent = arena_array(a, w->in->ca_count, sizeof *sent);
    for (size_t i = 0; i < o->n; i++) {
        size_t at = o->steps[i].lot;
        for (struct lot *l = work_lot(w, at);; l = work_lot(w, at)) {
            struct rate rate = w->cas[l->ca].rate;
            int64_t due = w->hours.start.s + rate_due(rate, sent[l->ca]);
            int64_t done = w->hours.start.s + rate_seconds(rate, sent[l->ca] + 1);
            if (lot_expires(l) && (lot_runs_out(w, l).s < due || done > w->hours.last.s)) {
                work_drop(w, l);
                break;
            }
            set_slot(w, at, (due - w->in->received.s) / HOUR);
            int64_t left = slot_end(w, w->slots[at]).s - w->hours.start.s, n = l->count;
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
        place_step(w, &lanes[o->steps[i].ca], &o->steps[i]);
    return w->canaries;
}

static bool is_level(const struct step *s)
{
    return s->kind >= KIND(ROLE_CLASS, LEVEL_FIRST) && s->kind < KIND(ROLE_HELD, 0);
}

static int64_t notice_of(const struct work *w, const struct step *s)
{
    return later(window_notice(w, s->kind & 15), w->rest_slot);
}

/* The slot wished for by a lot; takes its places in the level load. */
static int64_t wish_of(struct work *w, const struct step *s)
{
    if (!is_level(s))
        return notice_of(w, s);
    struct level *level = &w->cas[s->ca].level[s->kind & 15];
    int64_t place = level->before + level->seen;
    level->seen += s->count;
    if (place >= level->limit) { /* of a slot k: the first place whose share of the slots is k + 1 */
        level->slot = level->from + place * level->slots / level->total;
        level->limit = ((level->slot - level->from + 1) * level->total + level->slots - 1) / level->slots;
    }
    return level->slot;
}

static size_t unit_end(const struct order *o, size_t first)
{
    size_t end = first + 1;
    while (end < o->n && !o->steps[end].starts)
        end++;
    return end;
}

/* No wish lies so many slots behind rest_slot. */
static int64_t wish_slots(const struct work *w)
{
    int64_t end = later(w->hours.end, w->rest_slot);
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        end = later(end, window_notice(w, c));
    return end + 1 - w->rest_slot;
}

static int64_t *wishes_of(const struct work *w, const struct units *u, uint16_t ca, int64_t slot)
{
    return &u->wishes[ca * u->slots + slot - w->rest_slot];
}

/* Cuts the order from `from` on into units and wishes each where its CA's load is level. What belongs to an
 * overloaded CA has no wish: the unit follows its first lot that has one. */
static struct units cut_units(struct work *w, struct order *o, size_t from, struct arena *a)
{
    struct units u = {.items = w->items[0], .spare = w->items[1], .slots = wish_slots(w)};
    u.wishes = arena_array(a, (size_t)u.slots * w->in->ca_count, sizeof *u.wishes);
    int64_t wish = 0;
    bool open = false;
    for (size_t i = from; i < o->held; i++) {
        struct step *s = &o->steps[i];
        open = open && !s->starts;
        if (w->cas[s->ca].overloaded)
            continue;
        int64_t own = wish_of(w, s);
        if (!open) {
            open = true;
            s->starts = true;
            wish = own;
            u.items[u.n++] = SORT_ITEM(wish, i);
            u.latest = wish > (int64_t)u.latest ? (uint32_t)wish : u.latest;
        }
        *wishes_of(w, &u, s->ca, wish) += s->count;
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

/* A unit wishes for another slot. */
static void move_wish(const struct work *w, const struct order *o, const struct units *u, uint64_t unit,
                      int64_t to)
{
    size_t i = (uint32_t)unit;
    do {
        *wishes_of(w, u, o->steps[i].ca, (int64_t)(unit >> 32)) -= o->steps[i].count;
        *wishes_of(w, u, o->steps[i].ca, to) += o->steps[i].count;
    } while (++i < o->n && !o->steps[i].starts);
}

/* The help desk has its say: later or earlier so that no hour has more subscribers than it can serve, unless
 * there are too many at all. Those that can't wait are not counted. */
static void spare_help_desk(const struct work *w, const struct order *o, struct units *u)
{
    int64_t desk = w->in->profile.helpdesk_per_hour, callers = 0, from = -1;
    int64_t safe = calendar_place(&w->calendar, w->hours.safe), slot;
    sort_units(u);
    for (size_t i = 0; i < u->n; i++)
        if (is_level(&o->steps[(uint32_t)u->items[i]])) {
            from = callers == 0 ? (int64_t)(u->items[i] >> 32) : from;
            callers++;
        }
    if (callers == 0 || callers > desk * (safe - from))
        return;
    struct lane lane = lane_of((struct supply){from, desk, desk, 1}, from, safe, callers);
    for (size_t i = 0; i < u->n; i++) {
        const struct step *s = &o->steps[(uint32_t)u->items[i]];
        if (!is_level(s))
            continue;
        (void)lane_take(&lane, (int64_t)(u->items[i] >> 32), 1, &slot);
        slot = later(slot, notice_of(w, s));
        move_wish(w, o, u, u->items[i], slot);
        u->items[i] = SORT_ITEM(slot, (uint32_t)u->items[i]);
    }
    u->latest = safe > (int64_t)u->latest ? (uint32_t)safe : u->latest;
    sort_units(u);
}

/* For each CA: can its units have their wishes? They can if what wishes for a slot or a later one fits there,
 * for every slot; else the lane pulls some forward, and not by their notices. */
static bool mark_tight(struct work *w, const struct units *u)
{
    bool any = false;
    for (size_t c = 0; c < w->in->ca_count; c++) {
        struct ca_work *ca = &w->cas[c];
        int64_t behind = 0;
        for (int64_t k = u->slots; k-- > 0 && !ca->tight && !ca->overloaded;) {
            behind += u->wishes[(int64_t)c * u->slots + k];
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
        for (size_t k = first, end = unit_end(o, first); k < end; k++)
            tight = tight || w->cas[o->steps[k].ca].tight;
        int64_t notice = notice_of(w, &o->steps[first]);
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
    for (size_t i = from; i < o->held; i++) {
        struct ca_work *ca = &w->cas[o->steps[i].ca];
        if (ca->overloaded)
            place_step(w, &ca->lane, &o->steps[i]);
    }
}

/* Gives one unit its slots, CA by CA. */
static void place_unit(struct work *w, const struct order *o, uint64_t unit)
{
    size_t i = (uint32_t)unit, next = i;
    do {
        struct ca_work *ca = &w->cas[o->steps[i].ca];
        int64_t count = 0;
        do
            count += o->steps[next++].count;
        while (next < o->n && !o->steps[next].starts && o->steps[next].ca == o->steps[i].ca);
        if (!ca->overloaded) {
            lane_group(&ca->lane, count);
            place_steps(w, &ca->lane, &o->steps[i], next - i, count, (int64_t)(unit >> 32));
        }
        i = next;
    } while (i < o->n && !o->steps[i].starts);
}

/* What has run out before its slot, or will have when that slot is published, is dealt into no chunk. */
static void drop_expired(struct work *w, size_t i)
{
    struct lot *l = work_lot(w, i);
    int64_t slot = w->slots[i], hour = lot_hour(l);
    if (!lot_expires(l))
        return;
    if (lot_role(l) == ROLE_CANARY)
        hour = utc_sub(lot_runs_out(w, l), w->in->received).s / HOUR;
    /* none runs out in its slot before that begins: in the first one, role and start saw to it */
    if (slot > hour || slot >= w->hours.end)
        work_drop(w, l);
}

/* What is held comes after everything else, as fast as the CA can: a release deals it anew. */
static void place_held(struct work *w, const struct order *o, struct arena *a)
{
    int64_t from = calendar_hour(&w->calendar, w->rest_slot);
    if (o->held == o->n)
        return;
    for (size_t k = 0; k < w->lot_count + work_cuts(w); k++) {
        enum role role = lot_role(work_lot(w, k));
        if (role != ROLE_HELD && role != ROLE_NONE && w->slots[k] >= from)
            from = w->slots[k] + 1;
    }
    int64_t pause = 0; /* a CA slower than one an hour keeps its distance from what went before */
    for (size_t k = 0; k < w->in->ca_count; k++)
        pause = w->cas[k].supply.every > pause ? w->cas[k].supply.every : pause;
    from += pause - 1;
    w->calendar = (struct calendar){.open = w->hours.open};
    struct lane *lanes = arena_array(a, w->in->ca_count, sizeof *lanes);
    for (size_t k = 0; k < w->in->ca_count; k++)
        lanes[k] = lane_of(w->cas[k].supply, from, LANE_NO_END, w->cas[k].held);
    for (size_t i = o->held; i < o->n; i++)
        place_step(w, &lanes[o->steps[i].ca], &o->steps[i]);
}

void place_all(struct work *w)
{
    AUTO_ARENA scratch = {0};
    struct order order = order_all(w, &scratch);
    if (w->hours.at_once) {
        place_at_once(w, &order, &scratch);
        return;
    }
    size_t rest = place_canaries(w, &order, &scratch), whole = w->lot_count + work_cuts(w);
    struct units units = cut_units(w, &order, rest, &scratch);
    if (w->in->profile.helpdesk_per_hour > 0)
        spare_help_desk(w, &order, &units);
    bool tight = units.n > 0 && w->kept.notice && mark_tight(w, &units);
    sort_units(&units);
    if (tight)
        wish_by_notice(w, &order, &units);
    place_overloaded(w, &order, rest);
    for (size_t i = 0; i < units.n; i++) {
        if (i + AHEAD < units.n) {
            __builtin_prefetch(&order.steps[(uint32_t)units.items[i + AHEAD]]);
            __builtin_prefetch(&w->slots[order.steps[(uint32_t)units.items[i + AHEAD / 2]].lot]);
        }
        place_unit(w, &order, units.items[i]);
    }
    /* what expires stands before the classes, that of an overloaded CA behind them */
    size_t first = 0, last = order.held;
    for (; first < last && order.steps[first].kind < KIND(ROLE_CLASS, 0); first++)
        drop_expired(w, order.steps[first].lot);
    for (; last > first && order.steps[last - 1].kind < KIND(ROLE_CLASS, 0); last--)
        drop_expired(w, order.steps[last - 1].lot);
    for (size_t i = whole; i < w->lot_count + work_cuts(w); i++)
        drop_expired(w, i);
    place_held(w, &order, &scratch);
}
