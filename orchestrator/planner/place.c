/* A slot for every certificate: order, then wishes (level load, help desk), then the backends' lanes. */
#include "work.h"

/* Neighbours in the plan's order with one subscriber and one place: they are told one hour. */
struct unit {
    uint32_t first, count; /* into the order */
    uint32_t wish;         /* slots after level_from */
};

/* The plan's order of everything that is dealt. */
struct order {
    uint32_t *at;  /* certificate indexes */
    uint32_t *key; /* by certificate: its place before the subscriber counts */
    size_t n;
};

/* Place in the order: canaries (those with a deadline first), expiring ones by hour, urgent, others, and last
 * the expiring ones of a CA that has no room for them. */
static uint32_t place_key(const struct work *w, size_t i)
{
    const struct plan_certificate *c = &w->in->certificates[i];
    uint32_t hours = (uint32_t)(w->in->deadline.s / HOUR);
    switch ((enum role)w->role[i]) {
    case ROLE_CANARY:
        return expires(w, c) ? 1 : 0;
    case ROLE_EXPIRING:
        if (w->cas[c->ca].overloaded)
            return hours + 5;
        return 2 + (uint32_t)(utc_sub(c->not_after, w->in->received).s / HOUR);
    case ROLE_URGENT:
        return hours + 3;
    case ROLE_OTHER:
    case ROLE_NONE:
    case ROLE_COUNT:
        break;
    }
    return hours + 4;
}

static struct order order_all(const struct work *w, struct arena *a)
{
    size_t all = w->in->certificate_count;
    struct order o = {arena_array(a, all, sizeof *o.at), arena_array(a, all, sizeof *o.key), 0};
    uint32_t *numbers = arena_array(a, all, sizeof *numbers);
    for (size_t i = 0; i < all; i++) {
        o.key[i] = w->rank[w->in->certificates[i].subscriber];
        if (w->role[i] != ROLE_NONE)
            numbers[o.n++] = (uint32_t)i;
    }
    work_sort(o.key, w->in->subscriber_count, numbers, o.at, o.n);
    for (size_t i = 0; i < all; i++)
        o.key[i] = place_key(w, i);
    for (size_t i = 0; i < o.n; i++)
        numbers[i] = o.at[i];
    work_sort(o.key, (size_t)(w->in->deadline.s / HOUR) + 6, numbers, o.at, o.n);
    return o;
}

/* Profile `publish_at_once`: the i-th of a CA falls into the hour in which the rate reaches it. One that has
 * run out by then takes no time. */
static void place_at_once(struct work *w, const struct order *o, struct arena *a)
{
    int64_t *sent = arena_array(a, w->in->ca_count, sizeof *sent);
    for (size_t i = 0; i < o->n; i++) {
        const struct plan_certificate *c = &w->in->certificates[o->at[i]];
        int64_t due = w->hours.start.s + rate_due(w->cas[c->ca].rate, sent[c->ca]);
        int64_t done = w->hours.start.s + rate_seconds(w->cas[c->ca].rate, sent[c->ca] + 1);
        bool gone = expires(w, c) && (c->not_after.s < due || done > w->hours.last.s);
        sent[c->ca] += !gone;
        if (gone)
            w->role[o->at[i]] = ROLE_NONE;
        w->slot[o->at[i]] = (uint32_t)((due - w->in->received.s) / HOUR);
    }
}

/* The canaries fill the first slots. Returns how many there are. */
static size_t place_canaries(struct work *w, const struct order *o, struct arena *a)
{
    struct lane *lanes = arena_array(a, w->in->ca_count, sizeof *lanes);
    for (size_t i = 0; i < w->in->ca_count; i++)
        lanes[i] = lane_of(w->cas[i].supply, w->canary_slot, LANE_NO_END, w->cas[i].canary);
    for (size_t i = 0; i < w->canaries; i++)
        w->slot[o->at[i]] = (uint32_t)lane_take(&lanes[w->in->certificates[o->at[i]].ca], 0);
    return w->canaries;
}

/* Cuts the order from `from` on into units and wishes each where its CA's load is level. */
static size_t cut_units(const struct work *w, const struct order *o, size_t from, struct unit *units,
                        struct arena *a)
{
    const struct plan_certificate *c = w->in->certificates;
    int64_t *seen = arena_array(a, w->in->ca_count, sizeof *seen);
    int64_t slots = w->level_to - w->level_from;
    size_t count = 0;
    for (size_t i = from; i < o->n; i++) {
        uint32_t this = o->at[i], before = i > from ? o->at[i - 1] : this;
        uint16_t ca = c[this].ca;
        if (i == from || c[this].subscriber != c[before].subscriber || o->key[this] != o->key[before])
            units[count++] = (struct unit){(uint32_t)i, 0, (uint32_t)(seen[ca] * slots / w->cas[ca].rest)};
        units[count - 1].count++;
        seen[ca]++;
    }
    return count;
}

/* Units in the order of their wishes; with several CAs that mixes them. Then the help desk has its say: later
 * or earlier so that no hour has more subscribers than it can serve, unless there are too many at all. */
static const uint32_t *arrange(const struct work *w, struct unit *units, size_t count, struct arena *a)
{
    size_t slots = (size_t)(w->level_to - w->level_from);
    uint32_t *wish = arena_array(a, count, sizeof *wish), *from = arena_array(a, count, sizeof *from);
    uint32_t *to = arena_array(a, count, sizeof *to);
    for (size_t i = 0; i < count; i++) {
        wish[i] = units[i].wish;
        from[i] = (uint32_t)i;
    }
    work_sort(wish, slots, from, to, count);
    int64_t desk = w->in->profile.helpdesk_per_hour;
    if (desk == 0 || (int64_t)count > desk * (int64_t)slots)
        return to;
    struct lane lane = lane_of((struct supply){0, desk, desk, 1}, 0, (int64_t)slots, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        units[to[i]].wish = (uint32_t)lane_take(&lane, units[to[i]].wish);
    return to;
}

/* A CA that can't do all in time works without a gap in the plan's order; wishes would let one that expires
 * go before one that would then be late. */
static void place_overloaded(struct work *w, const struct order *o, size_t from)
{
    for (size_t i = from; i < o->n; i++) {
        struct ca_work *ca = &w->cas[w->in->certificates[o->at[i]].ca];
        if (ca->overloaded)
            w->slot[o->at[i]] = (uint32_t)lane_take(&ca->lane, 0);
    }
}

/* Gives one unit its slots, CA by CA. */
static void place_unit(struct work *w, const struct order *o, const struct unit *u)
{
    const struct plan_certificate *c = w->in->certificates;
    uint32_t end = u->first + u->count;
    for (uint32_t i = u->first, next = i; i < end; i = next) {
        uint16_t ca = c[o->at[i]].ca;
        while (next < end && c[o->at[next]].ca == ca)
            next++;
        if (w->cas[ca].overloaded)
            continue;
        lane_group(&w->cas[ca].lane, next - i);
        for (uint32_t k = i; k < next; k++)
            w->slot[o->at[k]] = (uint32_t)lane_take(&w->cas[ca].lane, w->level_from + u->wish);
    }
}

/* What has run out before its slot, or will have when that slot is published, is dealt into no chunk. */
static void drop_expired(struct work *w)
{
    for (size_t i = 0; i < w->in->certificate_count; i++) {
        const struct plan_certificate *c = &w->in->certificates[i];
        if (w->role[i] != ROLE_NONE && expires(w, c) &&
            (c->not_after.s < slot_start(w, w->slot[i]).s || w->slot[i] >= w->hours.end))
            w->role[i] = ROLE_NONE;
    }
}

void place_all(struct work *w)
{
    AUTO_ARENA scratch = {0};
    struct order order = order_all(w, &scratch);
    if (w->hours.at_once) {
        place_at_once(w, &order, &scratch);
    } else {
        size_t rest = place_canaries(w, &order, &scratch);
        struct unit *units = arena_array(&scratch, order.n - rest, sizeof *units);
        size_t count = cut_units(w, &order, rest, units, &scratch);
        const uint32_t *turn = arrange(w, units, count, &scratch);
        place_overloaded(w, &order, rest);
        for (size_t i = 0; i < count; i++)
            place_unit(w, &order, &units[turn[i]]);
        drop_expired(w);
    }
}
