/* From placed lots to chunks: the plan's arrays and the figures that hang on slots. */
#include "sort.h"
#include "work.h"

#define PLACES (CLASS_COUNT + 3) /* of lots of one CA within a slot, canaries aside */

/* Where the dealing stands. */
struct deal {
    struct work *w;
    struct plan *out;
    uint64_t *items; /* lots in the order of out->numbers */
    size_t n;
    uint32_t *numbers;
    struct buf slots, chunks; /* struct plan_slot, struct plan_chunk */
    struct plan_slot slot;    /* the open ones, not yet among them */
    struct plan_chunk chunk;
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

/* The lots that are dealt, by number: neighbours share pages. Cuts are few; they are merged in. */
static void collect(struct deal *d, uint64_t *items, struct arena *scratch)
{
    struct work *w = d->w;
    size_t cuts = work_cuts(w), next = 0;
    uint64_t *extra = arena_array(scratch, cuts, sizeof *extra),
             *spare = arena_array(scratch, cuts, sizeof *spare);
    for (size_t i = 0; i < cuts; i++)
        extra[i] = SORT_ITEM(work_lot(w, w->lot_count + i)->first, w->lot_count + i);
    extra = sort_items(extra, spare, cuts, UINT32_MAX);
    for (size_t i = 0; i < w->lot_count || next < cuts;) {
        bool cut = next < cuts && (i == w->lot_count || extra[next] >> 32 < w->lots[i].first);
        size_t at = cut ? (uint32_t)extra[next++] : i++;
        const struct lot *l = work_lot(w, at);
        if (lot_role(l) != ROLE_NONE)
            items[d->n++] = SORT_ITEM(minor_key(w, l), at);
    }
}

/* Slot by slot; in it as minor_key says, then by number. */
static void deal_order(struct deal *d, struct arena *scratch)
{
    struct work *w = d->w;
    size_t all = w->lot_count + work_cuts(w);
    uint64_t *items = arena_array(scratch, all, sizeof *items), *spare = arena_array(scratch, all, sizeof *items);
    collect(d, items, scratch);
    d->items = sort_items(items, spare, d->n, (uint32_t)(w->in->ca_count * (PLACES + 1)));
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t i = 0; i < d->n; i++) {
        uint32_t slot = work_lot(w, (uint32_t)d->items[i])->slot;
        first = slot < first ? slot : first;
        last = slot > last ? slot : last;
    }
    for (size_t i = 0; i < d->n; i++) {
        uint32_t lot = (uint32_t)d->items[i];
        d->items[i] = SORT_ITEM(work_lot(w, lot)->slot - first, lot);
    }
    d->items = sort_items(d->items, d->items == items ? spare : items, d->n, last - first);
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

/* Deals one lot: its numbers, in as many chunks as that takes. */
static void deal_lot(struct deal *d, const struct lot *l)
{
    struct plan_chunk *c = &d->chunk;
    if (c->ca != l->ca || c->issuer != l->issuer || c->canary != (lot_role(l) == ROLE_CANARY))
        close_chunk(d);
    for (uint32_t done = 0; done < l->count;) {
        if (c->count == 0)
            open_chunk(d, l);
        uint32_t n = l->count - done, room = d->chunk_most - c->count;
        n = n < room ? n : room;
        uint32_t *to = d->numbers + d->out->number_count, number = l->number + done;
        for (uint32_t k = 0; k < n; k++)
            to[k] = number + k;
        done += n;
        c->count += n;
        d->out->number_count += n;
        d->sent[l->ca] += n;
        if (c->count == d->chunk_most)
            close_chunk(d);
    }
}

/* When the last of a lot that was just dealt is revoked, as the plan tells it. */
static struct utc worked_at(const struct deal *d, const struct lot *l)
{
    const struct work *w = d->w;
    struct rate rate = w->cas[l->ca].rate;
    struct utc base = w->hours.at_once ? w->hours.start : d->slot.start;
    struct utc end = utc_add(base, (struct span){rate_seconds(rate, d->sent[l->ca])});
    if (w->hours.at_once)
        return end;
    /* a slot counts whole without a rate to tell by, and when the deadline cuts it: a late certificate never
     * shows slack; a rate below one an hour still ends with its slot */
    bool cut = l->slot >= w->hours.end && end.s <= w->hours.last.s;
    return rate.count == 0 || cut ? slot_end(w, l->slot) : utc_min(end, slot_end(w, l->slot));
}

/* How many of a lot that was just dealt are done by a time. */
static uint64_t done_by(const struct deal *d, const struct lot *l, int64_t time)
{
    const struct work *w = d->w;
    if (!w->hours.at_once)
        return slot_end(w, l->slot).s <= time ? l->count : 0;
    int64_t done = rate_done(w->cas[l->ca].rate, time - w->hours.start.s) - (d->sent[l->ca] - l->count);
    return done < 0 ? 0 : done > l->count ? l->count : (uint64_t)done;
}

/* The figures of a lot that was just dealt. */
static void judge(struct deal *d, const struct lot *l)
{
    struct work *w = d->w;
    const struct hours *h = &w->hours;
    if (lot_role(l) == ROLE_HELD) {
        d->out->held += l->count;
        return;
    }
    struct utc end = worked_at(d, l);
    d->worked = utc_max(d->worked, end);
    if (w->in->should.s > 0)
        d->out->should_24h += done_by(d, l, w->in->received.s + w->in->should.s - h->margin.s);
    if (lot_expires(l)) {
        for (uint32_t i = l->first; i < l->first + l->count; i++)
            w->shards[w->in->certificates[i].shard].entries++;
        return;
    }
    d->out->late += l->count - done_by(d, l, h->last.s);
    end = h->at_once ? end : slot_end(w, l->slot);
    if (end.s > d->ends[l->ca])
        d->ends[l->ca] = end.s;
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

/* Numbers, chunks and slots from the order. */
static void deal_lots(struct deal *d)
{
    struct work *w = d->w;
    for (size_t i = 0; i < d->n; i++) {
        const struct lot *l = work_lot(w, (uint32_t)d->items[i]);
        if (i + 8 < d->n)
            __builtin_prefetch(work_lot(w, (uint32_t)d->items[i + 8]));
        if (i == 0 || d->items[i] >> 32 != d->items[i - 1] >> 32) {
            close_slot(d);
            open_slot(d, l->slot);
        }
        deal_lot(d, l);
        judge(d, l);
        d->slot.certificates += l->count;
        d->slot.subscribers += d->seen[l->rank] != d->out->slot_count + 1;
        d->seen[l->rank] = (uint32_t)d->out->slot_count + 1;
    }
    close_slot(d);
    d->out->slots = (const void *)arena_copy(w->arena, d->slots.p, d->slots.n);
    d->out->chunks = (const void *)arena_copy(w->arena, d->chunks.p, d->chunks.n);
    d->out->numbers = d->numbers;
}

static void list_canaries(const struct work *w, struct plan *out)
{
    uint32_t *canaries = arena_array(w->arena, w->canaries, sizeof *canaries);
    for (size_t i = 0; i < w->lot_count && w->canaries > 0; i++)
        if (lot_role(&w->lots[i]) == ROLE_CANARY)
            canaries[out->canary_count++] = w->lots[i].number;
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
    d.numbers = arena_array(w->arena, w->in->certificate_count, sizeof *d.numbers);
    for (size_t i = 0; i < w->in->ca_count; i++)
        d.ends[i] = INT64_MIN;
    deal_order(&d, &scratch);
    deal_lots(&d);
    buf_free(&d.slots);
    buf_free(&d.chunks);
    list_canaries(w, out);
    set_figures(&d);
    figures_add(w, out);
    text_write(w, out);
}
