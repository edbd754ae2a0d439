/* Changes of reasons carried out: claimed like everything else (the intent is durable before a request
 * leaves), but as batches of their own, when nothing else of ours is at the CA's door. The date stays, so
 * what is in doubt is simply sent again when the quiet time has passed. */
#include "internal.h"
#include "massrevoke/approval.h"
#include "massrevoke/conduct_reason.h"

#include <stdio.h>
#include <stdlib.h>

/* Only what is among them was claimed. */
static const struct reason_change *change_of(const struct reason_change *all, size_t n, int change)
{
    size_t i = 0;
    while (i + 1 < n && all[i].change != change)
        i++;
    return &all[i];
}

static void make_items(struct engine *e, const struct reason_claim *claims, size_t count,
                       const struct reason_change *all, size_t n, struct ca_item *items)
{
    for (size_t i = 0; i < count; i++) {
        const struct reason_change *c = change_of(all, n, claims[i].change);
        items[i] = (struct ca_item){.number = (uint32_t)claims[i].number,
                                    .issuer = (uint16_t)engine_issuer_index(e, claims[i].issuer),
                                    .serial = claims[i].serial,
                                    .reason = c->reason,
                                    .date = c->compromised_at,
                                    .change = true};
    }
}

/* Sends one batch and commits what came of it; what the door does not answer stays in doubt. */
static bool send(struct engine *e, int ca, const struct reason_claim *claims, size_t count,
                 const struct reason_change *all, size_t n, struct arena *a, struct fault *f)
{
    struct ca_item *items = arena_array(a, count, sizeof *items);
    struct alone b = {
        .ca = ca, .items = items, .answers = arena_array(a, count, sizeof *b.answers), .count = count};
    struct fault lost = {0};
    make_items(e, claims, count, all, n, items);
    bool heard = engine_alone(e, &b, &lost);
    struct act act = engine_act(e);
    if (b.wrong.kind != FAULT_NONE)
        e->lines[ca].rest = utc_add(act.at, (struct span){ENGINE_REST});
    if (!store_reason_settle(e->parts.store, &act, e->id, claims, b.answers, count, f))
        return false;
    for (size_t i = 0; i < count; i++)
        if (b.answers[i].outcome == CA_REVOKED_NOW || b.answers[i].outcome == CA_REVOKED_BEFORE)
            e->dirty[items[i].issuer] = true;
    if (!heard)
        *f = lost;
    return heard;
}

/* Issuers of a CA, as the store numbers them. */
static size_t issuers_of(const struct engine *e, int ca, struct arena *a, int **out)
{
    size_t n = 0;
    *out = arena_array(a, e->parts.issuer_count, sizeof **out);
    for (size_t i = 0; i < e->parts.issuer_count; i++)
        if (engine_ca_of(e, (int)i) == ca)
            (*out)[n++] = e->parts.issuers[i];
    return n;
}

static bool serve(struct engine *e, int ca, const int *changes, size_t change_count,
                  const struct reason_change *all, size_t n, struct fault *f)
{
    if (e->parts.cas[ca].door->facts.changes == 0 || !engine_alone_may(e, ca))
        return true;
    for (bool more = true; more;) {
        AUTO_ARENA a = {0};
        struct act act = engine_act(e);
        struct reason_claim *claims = NULL;
        int *issuers;
        int64_t most;
        size_t count = 0, issuer_count = issuers_of(e, ca, &a, &issuers);
        if (!engine_alone_room(e, ca, false, INT64_MAX, &most, f))
            return false;
        if (most <= 0)
            break;
        if (!store_reason_claim(e->parts.store, &act, e->id, changes, change_count, issuers, issuer_count,
                                e->parts.cas[ca].door->facts.quiet, most, &a, &claims, &count, f))
            return false;
        if (count > 0 && !send(e, ca, claims, count, all, n, &a, f))
            return false;
        more = count > 0 && engine_ticks(e) < e->turn_ends;
    }
    return true;
}

/* Is it what was signed, as its rows stand now? If not, nothing of it leaves and a person is told. */
static bool is_signed(struct engine *e, const struct reason_change *c, struct arena *a, bool *yes,
                      struct fault *f)
{
    const char *words;
    if (!conduct_reason_words(e->parts.store, e->parts.campaign, c, a, &words, f) ||
        !approval_of_change(e->parts.store, e->parts.settings, e->parts.campaign, e->parts.campaign_name,
                            e->parts.mode, c->change, words, a, yes, f))
        return false;
    if (!*yes)
        snprintf(e->warning, sizeof e->warning,
                 "change %d of reasons is not what was approved: nothing of it is sent", c->change);
    return true;
}

bool engine_reasons(struct engine *e, bool sends, struct utc *wake, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct reason_change *all;
    size_t n, count = 0;
    bool yes;
    *wake = UTC_NONE;
    if (!store_reasons(e->parts.store, e->parts.campaign, &a, &all, &n, f))
        return false;
    int *changes = arena_array(&a, n, sizeof *changes);
    for (size_t i = 0; i < n && sends; i++) {
        if (!utc_is_set(all[i].bound_at) || all[i].waits + all[i].asked == 0)
            continue;
        if (!is_signed(e, &all[i], &a, &yes, f))
            return false;
        if (yes)
            changes[count++] = all[i].change;
    }
    for (size_t ca = 0; ca < e->parts.ca_count && count > 0; ca++)
        if (!serve(e, (int)ca, changes, count, all, n, f))
            return false;
    if (count > 0 && !store_reasons(e->parts.store, e->parts.campaign, &a, &all, &n, f))
        return false;
    e->reasons = (struct reasons_left){0};
    for (size_t i = 0; i < n; i++) {
        e->reasons.to_do += utc_is_set(all[i].bound_at) ? all[i].waits + all[i].asked : 0;
        e->reasons.unseen += all[i].changed;
        e->reasons.person += all[i].person;
    }
    if (count > 0 && e->reasons.to_do > 0)
        *wake = utc_add(engine_act(e).at, (struct span){1});
    return true;
}
