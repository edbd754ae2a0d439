/* Which certificates go first to prove backend, CRL and OCSP before the rest follows (contract section 2). */
#include "sort.h"
#include "work.h"

#define EXPIRING CLASS_COUNT              /* the category of what runs out before the deadline */
#define COST_EXPIRING (UINT64_C(1) << 40) /* more than any hour of notice */

void canary_begin(struct canary_search *s, const struct work *w, struct arena *a)
{
    size_t most = w->in->certificate_count, wanted = (size_t)w->in->profile.canary;
    *s = (struct canary_search){.certificates = w->in->certificates, .wanted = wanted < most ? wanted : most};
    for (size_t c = 0; c <= EXPIRING; c++) {
        s->cost[c] = c == EXPIRING ? COST_EXPIRING : (uint64_t)w->hours.notice[c];
        s->least[c] = s->wanted == 0 ? s->cost[c] + 1 : 0;
        s->first[c] = arena_array(a, s->wanted, sizeof *s->first[c]);
    }
}

void canary_end(struct canary_search *s)
{
    buf_free(&s->best);
    buf_free(&s->noted);
}

void canary_note(struct canary_search *s, struct shard_work *shard, size_t category,
                 const struct plan_certificate *c)
{
    uint32_t index = (uint32_t)(c - s->certificates);
    uint64_t mark = CANARY_MARK(c->issuer, s->cost[category]);
    buf_add(&s->noted, &index, sizeof index);
    if (s->count[category] < s->wanted)
        s->first[category][s->count[category]++] = index;
    if (s->count[category] == s->wanted)
        s->least[category] = s->cost[category] + 1;
    bool same = (shard->mark ^ mark) < CANARY_MARK(0, 0);
    if (same && shard->mark <= mark)
        return;
    if (!same && shard->mark != 0)
        buf_add(&s->best, &shard->index, sizeof shard->index);
    shard->mark = mark;
    shard->index = index;
}

/* Those of every issuer and shard, as sort items, ascending. */
static uint64_t *best_ones(struct canary_search *s, const struct work *w, size_t *n, struct arena *a)
{
    for (size_t i = 0; i < w->shard_count; i++)
        if (w->shards[i].mark != 0)
            buf_add(&s->best, &w->shards[i].index, sizeof w->shards[i].index);
    *n = s->best.n / sizeof(uint32_t);
    uint64_t *items = arena_array(a, *n + s->wanted, sizeof *items);
    for (size_t i = 0; i < *n; i++) {
        uint32_t index;
        memcpy(&index, s->best.p + i * sizeof index, sizeof index);
        items[i] = SORT_ITEM(index, index);
    }
    uint64_t *spare = arena_array(a, *n + s->wanted, sizeof *items);
    return sort_items(items, spare, *n, UINT32_MAX);
}

static bool is_among(const uint64_t *items, size_t n, uint32_t index)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle] >> 32 < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && items[low] >> 32 == index;
}

/* The category with the least notice that has not been asked yet; expiring ones last. */
static size_t next_category(const struct work *w, uint32_t *asked)
{
    size_t best = EXPIRING;
    for (size_t c = 0; c < EXPIRING; c++)
        if ((*asked >> c & 1) == 0 && (best == EXPIRING || w->hours.notice[c] < w->hours.notice[best]))
            best = c;
    *asked |= 1U << best;
    return best;
}

/* Adds canaries until there are as many as wanted; returns how many there are. */
static size_t fill(const struct canary_search *s, const struct work *w, uint64_t *items, size_t n)
{
    size_t best = n;
    uint32_t asked = 0;
    while (n < s->wanted && (asked >> EXPIRING & 1) == 0) {
        size_t c = next_category(w, &asked);
        for (size_t i = 0; i < s->count[c] && n < s->wanted; i++)
            if (!is_among(items, best, s->first[c][i]))
                items[n++] = SORT_ITEM(s->first[c][i], s->first[c][i]);
    }
    return n;
}

/* Part of a lot, from the i-th certificate of the input on. */
static struct lot part_of(const struct lot *l, uint32_t from, uint32_t count)
{
    struct lot part = *l;
    part.first = from;
    part.number += from - l->first;
    part.count = count;
    return part;
}

/* Cuts the canaries, ascending, out of their lots. What is before the first one in a lot stays the lot. */
static void cut_out(struct work *w, const uint64_t *items, size_t count)
{
    for (size_t i = 0, low = 0; i < count; i++) {
        uint32_t at = (uint32_t)(items[i] >> 32);
        size_t high = w->lot_count; /* the last lot that starts at or before it */
        while (high - low > 1) {
            size_t middle = low + (high - low) / 2;
            if (w->lots[middle].first <= at)
                low = middle;
            else
                high = middle;
        }
        struct lot *l = &w->lots[low], all = *l, canary;
        size_t cuts = work_cuts(w);
        if (at >= l->first + l->count) { /* behind another canary of the same lot */
            l = work_lot(w, w->lot_count + cuts - 1);
            all = *l;
        }
        uint32_t end = all.first + all.count;
        canary = part_of(&all, at, 1);
        canary.place = PLACE(ROLE_CANARY, lot_class(&all), lot_role(&all) == ROLE_EXPIRING);
        struct lot rest = part_of(&all, at + 1, end - at - 1);
        work_tally(w, &all, -1);
        l->count = at - all.first;
        work_tally(w, l, 1);
        work_tally(w, &canary, 1);
        work_tally(w, &rest, 1);
        if (l->count == 0)
            *l = canary;
        else
            buf_add(&w->cuts, &canary, sizeof canary);
        if (rest.count > 0)
            buf_add(&w->cuts, &rest, sizeof rest);
    }
}

void canary_choose(struct canary_search *s, struct work *w)
{
    AUTO_ARENA scratch = {0};
    size_t n;
    uint64_t *items = best_ones(s, w, &n, &scratch);
    n = fill(s, w, items, n);
    uint64_t *spare = arena_array(&scratch, n, sizeof *spare);
    cut_out(w, sort_items(items, spare, n, UINT32_MAX), n);
}

void canary_drop(struct work *w)
{
    for (size_t i = 0; i < w->lot_count + work_cuts(w); i++) {
        struct lot *l = work_lot(w, i);
        if (lot_role(l) == ROLE_CANARY)
            l->place = work_place(w, &w->in->certificates[l->first]);
    }
    work_count(w);
}
