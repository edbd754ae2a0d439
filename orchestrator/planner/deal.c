/* From placed lots to chunks: the plan's arrays and the figures that hang on slots. */
#include "numbers.h"
#include "sort.h"
#include "work.h"

#define PLACES (CLASS_COUNT + 3) /* of lots of one CA within a slot, canaries aside */

#define AHEAD 24   /* lots that are fetched while others are dealt; half of it: what hangs on them */
#define STRIDE 16U /* numbers that are written together */

/* Where the dealing stands. */
struct deal {
    struct work *w;
    struct plan *out;
    uint64_t *items; /* lots in the order of out->numbers */
    size_t n;
    uint32_t *numbers;
    struct numbers_hash hash;
    struct buf slots, chunks; /* struct plan_slot, struct plan_chunk */
    struct plan_slot slot;    /* the open ones, not yet among them */
    struct plan_chunk chunk;
    struct lot group; /* lots in a row that are alike; all their certificates */
    uint32_t chunk_most;
    uint32_t *seen;    /* by rank: the slot it was last counted in, plus one */
    int64_t *sent;     /* by CA: in this slot, at_once: in all */
    int64_t *ends;     /* by CA: end of the last slot that holds one with a deadline */
    struct utc worked; /* when the last one is revoked */
};

/* Within a slot: canaries first, then CA by CA; expiring ones go last where they would take room. */
static uint32_t minor_key(const struct work *w, const struct lot *l)
{
    uint32_t cas = (uint32_t)w->in->ca_count, place = CLASS_COUNT + 2;
    if (lot_role(l) == ROLE_CANARY)
        return l->ca;
    if (lot_role(l) == ROLE_CLASS)
        place = 1 + lot_class(l);
    if (lot_role(l) == ROLE_EXPIRING)
        place = w->cas[l->ca].overloaded ? CLASS_COUNT + 1 : 0;
    return cas + l->ca * (uint32_t)PLACES + place;
}

/* Slot by slot; in it as minor_key says, then by number: neighbours share pages. */
static void deal_order(struct deal *d, struct arena *scratch)
{
    struct work *w = d->w;
    work_make_room(w);
    uint32_t i, open = (uint32_t)w->hours.open, minors = (uint32_t)w->in->ca_count * (PLACES + 1);
    uint64_t *items = w->items[0], keys = ((uint64_t)w->last_slot - open + 1) * minors;
    bool apart = keys > UINT32_MAX; /* too many for one key: one sort after the other */
    for (struct walk k = work_walk(w, scratch); walk_next(&k, &i);) {
        const struct lot *l = work_lot(w, i);
        uint32_t slot = apart ? 0 : w->slots[i] - open;
        if (lot_role(l) != ROLE_NONE)
            items[d->n++] = SORT_ITEM(slot * minors + minor_key(w, l), i);
    }
    d->items = sort_items(items, w->items[1], d->n, apart ? minors : (uint32_t)keys);
    for (size_t k = 0; k < d->n && apart; k++)
        d->items[k] = SORT_ITEM(w->slots[(uint32_t)d->items[k]], (uint32_t)d->items[k]);
    if (apart)
        d->items = sort_items(d->items, d->items == items ? w->items[1] : items, d->n, w->last_slot);
}

/* Most numbers in one chunk of a CA: design section 3. */
static uint32_t chunk_most(struct rate r)
{
    int64_t most = r.count == 0 ? PLAN_CHUNK_MAX : PLAN_CHUNK_SECONDS * r.count / r.per;
    if (most > PLAN_CHUNK_MAX)
        most = PLAN_CHUNK_MAX;
    return most < 1 ? 1 : (uint32_t)most;
}

static void close_chunk(struct deal *d)
{
    if (d->chunk.count == 0)
        return;
    buf_add(&d->chunks, &d->chunk, sizeof d->chunk);
    d->slot.chunk_count++;
    d->out->chunk_count++;
    d->chunk.count = 0;
}

/* The chunk of a lot that starts where the dealing stands, due as the rate reaches it. */
static void open_chunk(struct deal *d, const struct lot *l)
{
    const struct work *w = d->w;
    struct utc base = w->hours.at_once ? w->hours.start : d->slot.start;
    struct utc due = utc_add(base, (struct span){rate_due(w->cas[l->ca].rate, d->sent[l->ca])});
    d->chunk = (struct plan_chunk){.ca = l->ca,
                                   .issuer = l->issuer,
                                   .canary = lot_role(l) == ROLE_CANARY,
                                   .slot = (uint32_t)d->out->slot_count,
                                   .due = utc_max(d->slot.start, due),
                                   .first = (uint32_t)d->out->number_count};
    d->chunk_most = chunk_most(w->in->ca_rates[l->ca]);
}

/* Cuts the group, whose numbers are in place, into as many chunks as that takes. */
static void deal_chunks(struct deal *d)
{
    struct plan_chunk *c = &d->chunk;
    const struct lot *g = &d->group;
    if (c->ca != g->ca || c->issuer != g->issuer || c->canary != (lot_role(g) == ROLE_CANARY))
        close_chunk(d);
    for (uint32_t left = g->count, n; left > 0; left -= n) {
        if (c->count == 0)
            open_chunk(d, g);
        n = d->chunk_most - c->count;
        n = n < left ? n : left;
        c->count += n;
        d->out->number_count += n;
        d->sent[g->ca] += n;
        if (c->count == d->chunk_most)
            close_chunk(d);
    }
}

/* When the last of `group` is revoked, as the plan tells it. */
static struct utc worked_at(const struct deal *d)
{
    const struct work *w = d->w;
    uint16_t ca = d->group.ca;
    struct rate rate = w->cas[ca].rate;
    struct utc base = w->hours.at_once ? w->hours.start : d->slot.start;
    struct utc end = utc_add(base, (struct span){rate_seconds(rate, d->sent[ca])});
    if (w->hours.at_once)
        return end;
    /* a slot counts whole without a rate to tell by, and when the deadline cuts it: a late certificate never
     * shows slack; a rate below one an hour still ends with its slot */
    bool cut = d->slot.hour >= w->hours.end && end.s <= w->hours.last.s;
    return rate.count == 0 || cut ? slot_end(w, d->slot.hour) : utc_min(end, slot_end(w, d->slot.hour));
}

/* How many of `group` are done by a time. */
static uint64_t done_by(const struct deal *d, int64_t time)
{
    const struct work *w = d->w;
    const struct lot *g = &d->group;
    if (!w->hours.at_once)
        return slot_end(w, d->slot.hour).s <= time ? g->count : 0;
    int64_t done = rate_done(w->cas[g->ca].rate, time - w->hours.start.s) - (d->sent[g->ca] - g->count);
    return done < 0 ? 0 : done > g->count ? g->count : (uint64_t)done;
}

/* What a group loses of notice, ceiling and ARI lead. */
static void lose(struct deal *d)
{
    struct work *w = d->w;
    const struct lot *g = &d->group;
    const struct profile *p = &w->in->profile;
    unsigned c = lot_class(g);
    int64_t hour = d->slot.hour;
    w->losses.early[c] += d->slot.start.s < w->in->received.s + p->class_notice[c].s ? g->count : 0;
    w->losses.after[c] += hour >= w->hours.ceiling[c] ? g->count : 0;
    w->losses.ari += c == CLASS_AUTOMATED && hour < w->hours.ari && p->ari_lead.s > 0 ? g->count : 0;
}

/* The figures of the group that was just dealt. */
static void judge(struct deal *d)
{
    struct work *w = d->w;
    const struct hours *h = &w->hours;
    const struct lot *g = &d->group;
    if (lot_role(g) == ROLE_HELD) {
        d->out->held += g->count;
        return;
    }
    struct utc end = worked_at(d);
    d->worked = utc_max(d->worked, end);
    lose(d);
    if (w->in->should.s > 0)
        d->out->should_24h += done_by(d, w->in->received.s + w->in->should.s - h->margin.s);
    if (lot_expires(g))
        return;
    d->out->late += g->count - done_by(d, h->last.s);
    end = h->at_once ? end : slot_end(w, d->slot.hour);
    if (end.s > d->ends[g->ca])
        d->ends[g->ca] = end.s;
}

static void close_slot(struct deal *d)
{
    close_chunk(d);
    if (d->slot.certificates == 0)
        return;
    buf_add(&d->slots, &d->slot, sizeof d->slot);
    d->out->slot_count++;
}

/* A slot's times: told when first notices are due, at the latest as it starts; a quarter of the lead is for
 * clients to spread their renewals over, the rest for those that look once a day (RFC 9773 4.2: end after
 * start). */
static void open_slot(struct deal *d, int64_t hour)
{
    const struct work *w = d->w;
    const struct profile *p = &w->in->profile;
    struct utc start = slot_start(w, hour);
    struct utc told = utc_max(utc_add(w->in->received, p->first_notice), w->in->now);
    int64_t lead = p->ari_lead.s;
    d->slot = (struct plan_slot){
        .hour = hour,
        .start = start,
        .first_chunk = (uint32_t)d->out->chunk_count,
        .notice_by = p->notices ? utc_min(start, told) : UTC_NONE,
        .ari_start = lead == 0 ? UTC_NONE : (struct utc){start.s - lead},
        .ari_end = lead == 0 ? UTC_NONE : (struct utc){start.s - lead + (lead + 3) / 4},
    };
    for (size_t i = 0; i < w->in->ca_count && !w->hours.at_once; i++)
        d->sent[i] = 0;
}

/* Can neither chunks nor figures tell two lots of one slot apart? */
static bool is_alike(const struct lot *a, const struct lot *b)
{
    uint32_t differs = a->place ^ b->place;
    return a->ca == b->ca && a->issuer == b->issuer &&
           (differs == 0 || (differs >> 24 == 0 && lot_role(a) == ROLE_EXPIRING));
}

/* Puts the numbers of a lot in place; what is too much of the last ones is written over by the next lot. */
static void put_numbers(uint32_t *to, const struct lot *l)
{
    for (uint32_t k = 0; k < l->count; k += STRIDE)
        for (uint32_t m = 0; m < STRIDE; m++)
            to[k + m] = l->number + k + m;
}

/* Puts the numbers from the i-th lot on in place, as long as they make one group; returns where that ends. */
static size_t deal_group(struct deal *d, size_t i)
{
    struct work *w = d->w;
    struct lot *g = &d->group;
    uint32_t *to = d->numbers + d->out->number_count, mark = (uint32_t)d->out->slot_count + 1;
    const uint64_t *items = d->items;
    uint64_t key = items[i] >> 32; /* one key, one slot */
    *g = *work_lot(w, (uint32_t)items[i]);
    g->count = 0;
    for (; i < d->n && items[i] >> 32 == key; i++) {
        const struct lot *l = work_lot(w, (uint32_t)items[i]);
        if (!is_alike(l, g))
            break;
        if (i + AHEAD < d->n) {
            uint32_t far = (uint32_t)items[i + AHEAD], near = (uint32_t)items[i + AHEAD / 2];
            __builtin_prefetch(work_lot(w, far));
            __builtin_prefetch(&d->seen[work_lot(w, near)->rank]);
        }
        put_numbers(to + g->count, l);
        g->count += l->count;
        d->slot.subscribers += d->seen[l->rank] != mark;
        d->seen[l->rank] = mark;
    }
    d->slot.certificates += g->count;
    return i;
}

/* Numbers, chunks and slots from the order. */
static void deal_lots(struct deal *d)
{
    struct work *w = d->w;
    for (size_t i = 0; i < d->n;) {
        uint32_t hour = w->slots[(uint32_t)d->items[i]];
        if (i == 0 || hour != d->slot.hour) {
            close_slot(d);
            open_slot(d, hour);
        }
        i = deal_group(d, i);
        deal_chunks(d);
        judge(d);
        numbers_are_ready(&d->hash, d->out->number_count);
    }
    close_slot(d);
    d->out->slots = (const void *)arena_copy(w->arena, d->slots.p, d->slots.n);
    d->out->chunks = (const void *)arena_copy(w->arena, d->chunks.p, d->chunks.n);
    d->out->numbers = d->numbers;
}

static void list_canaries(struct work *w, struct plan *out)
{
    AUTO_ARENA scratch = {0};
    uint32_t *canaries = arena_array(w->arena, w->canaries, sizeof *canaries);
    uint64_t *items = arena_array(&scratch, w->canaries, sizeof *items);
    uint64_t *spare = arena_array(&scratch, w->canaries, sizeof *spare);
    for (size_t i = 0; i < out->chunk_count; i++)
        for (uint32_t k = 0; k < out->chunks[i].count && out->chunks[i].canary; k++)
            items[out->canary_count++] = SORT_ITEM(out->numbers[out->chunks[i].first + k], 0);
    items = sort_items(items, spare, out->canary_count, UINT32_MAX);
    for (size_t i = 0; i < out->canary_count; i++)
        canaries[i] = (uint32_t)(items[i] >> 32);
    out->canaries = canaries;
}

static void set_figures(const struct deal *d)
{
    const struct work *w = d->w;
    struct plan *out = d->out;
    bool none = out->number_count == out->held;
    out->expires_first = w->in->certificate_count - out->number_count;
    out->feasible = out->late == 0;
    out->shortfall = out->late;
    out->finish = none ? UTC_NONE : utc_add(d->worked, w->hours.margin);
    out->slack = utc_sub(w->hours.deadline, none ? w->hours.start : out->finish);
    int64_t end = w->hours.start.s;
    for (size_t i = 0; i < w->in->ca_count; i++)
        end = d->ends[i] > end ? d->ends[i] : end;
    out->outage_tolerance.s = out->late > 0 || end > w->hours.last.s ? 0 : w->hours.last.s - end;
}

void deal_out(struct work *w, struct plan *out)
{
    AUTO_ARENA scratch = {0};
    *out = (struct plan){.remedy = "", .given_up = ""};
    struct deal d = {.w = w, .out = out, .worked = w->hours.start};
    d.sent = arena_array(&scratch, w->in->ca_count, sizeof *d.sent);
    d.ends = arena_array(&scratch, w->in->ca_count, sizeof *d.ends);
    d.seen = arena_array(&scratch, w->ranks, sizeof *d.seen);
    d.numbers = arena_raw(w->arena, w->in->certificate_count + STRIDE, sizeof *d.numbers);
    for (size_t i = 0; i < w->in->ca_count; i++)
        d.ends[i] = INT64_MIN;
    deal_order(&d, &scratch);
    numbers_begin(&d.hash, d.numbers, w->in->certificate_count);
    deal_lots(&d);
    buf_free(&d.slots);
    buf_free(&d.chunks);
    list_canaries(w, out);
    set_figures(&d);
    figures_add(w, out);
    text_write(w, numbers_end(&d.hash), out);
}
