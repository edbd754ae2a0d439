/* Figures of a plan that hang on no slot: how fast it must go, how long it takes, what CRLs will weigh. */
#include "work.h"

#include <stdlib.h>

/* Certificates that must be revoked by the deadline. */
static int64_t bound(const struct work *w)
{
    int64_t n = 0;
    for (size_t i = 0; i < w->in->ca_count; i++)
        n += w->cas[i].canary_bound + w->cas[i].rest_bound;
    return n;
}

/* Certificates in 1,000 s, rounded down; 0 when there is no time. */
static uint64_t needed(int64_t n, int64_t seconds)
{
    return seconds <= 0 ? 0 : (uint64_t)(n * 1000 / seconds);
}

/* Largest first; then by name, for the order of the table means nothing. */
static int compare_sizes(const void *a, const void *b)
{
    const struct plan_shard_size *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    int order = strcmp(x->url, y->url);
    return order != 0 ? order : (x->shard > y->shard) - (x->shard < y->shard);
}

static void list_shards(const struct work *w, struct plan *out)
{
    const struct plan_input *in = w->in;
    size_t n = in->shard_count < w->shard_count ? in->shard_count : w->shard_count;
    struct plan_shard_size *all = arena_array(w->arena, n, sizeof *all);
    for (size_t i = 0; i < n && in->shards != NULL; i++) {
        uint64_t entries = w->shards[i].entries, bytes = in->shards[i].bytes + entries * PLAN_ENTRY_BYTES;
        if (entries > 0)
            all[out->shard_count++] = (struct plan_shard_size){
                .url = in->shards[i].url == NULL ? "" : in->shards[i].url,
                .shard = (uint32_t)i,
                .entries = entries,
                .bytes = bytes,
                .over = in->profile.crl_limit > 0 && bytes > (uint64_t)in->profile.crl_limit,
            };
    }
    if (out->shard_count > 0)
        qsort(all, out->shard_count, sizeof *all, compare_sizes);
    out->shards = all;
}

void figures_add(const struct work *w, struct plan *out)
{
    out->needs_by_clock = needed(bound(w), w->in->deadline.s);
    out->needs_by_window = needed(bound(w), utc_sub(w->hours.last, w->hours.start).s);
    for (size_t i = 0; i < w->in->ca_count; i++) {
        const struct ca_work *ca = &w->cas[i];
        int64_t seconds = rate_seconds(w->in->ca_rates[i], ca->canary + ca->rest);
        out->work.s = seconds > out->work.s ? seconds : out->work.s;
    }
    list_shards(w, out);
}
