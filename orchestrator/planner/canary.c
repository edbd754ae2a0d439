/* Which certificates go first to prove backend, CRL and OCSP before the rest follows (contract section 2). */
#include "work.h"

/* The canary of every shard of the issuer whose numbers are [from, to): the first certificate that outlives
 * the deadline, else the first at all. best[shard] holds index + 1; what lies before `from` is another
 * issuer's. */
static void one_each(struct work *w, size_t from, size_t to, uint32_t *best)
{
    const struct plan_certificate *certificates = w->in->certificates;
    for (size_t i = from; i < to; i++) {
        uint32_t *b = &best[certificates[i].shard];
        if (w->role[i] == ROLE_NONE)
            continue;
        if (*b <= from || (w->role[*b - 1] == ROLE_EXPIRING && w->role[i] != ROLE_EXPIRING))
            *b = (uint32_t)i + 1;
    }
    for (size_t i = from; i < to; i++)
        if (best[certificates[i].shard] == i + 1 && w->role[i] != ROLE_NONE)
            w->role[i] = ROLE_CANARY;
}

/* Makes up to `count` more of the kind canaries, in number order; returns how many are still wanted. */
static size_t fill(struct work *w, size_t count, bool expiring)
{
    for (size_t i = 0; i < w->in->certificate_count && count > 0; i++)
        if (w->role[i] != ROLE_NONE && w->role[i] != ROLE_CANARY &&
            (w->role[i] == ROLE_EXPIRING) == expiring) {
            w->role[i] = ROLE_CANARY;
            count--;
        }
    return count;
}

void canary_choose(struct work *w)
{
    size_t n = w->in->certificate_count, wanted = (size_t)w->in->profile.canary;
    const struct plan_certificate *certificates = w->in->certificates;
    if (wanted == 0)
        return;
    uint32_t shards = 0;
    for (size_t i = 0; i < n; i++)
        shards = certificates[i].shard >= shards ? certificates[i].shard + 1u : shards;
    AUTO_ARENA scratch = {0};
    uint32_t *best = arena_array(&scratch, shards, sizeof *best);
    for (size_t from = 0, to = 0; from < n; from = to) {
        while (to < n && certificates[to].issuer == certificates[from].issuer)
            to++;
        one_each(w, from, to, best);
    }
    work_count(w);
    if (w->canaries < wanted)
        (void)fill(w, fill(w, wanted - w->canaries, false), true);
    work_count(w);
}

void canary_drop(struct work *w)
{
    for (size_t i = 0; i < w->in->certificate_count; i++)
        if (w->role[i] == ROLE_CANARY)
            w->role[i] = (uint8_t)work_role(w, &w->in->certificates[i]);
    work_count(w);
}
