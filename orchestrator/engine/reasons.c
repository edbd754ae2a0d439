/* Changes of reasons carried out: claimed like everything else (the intent is durable before a request
 * leaves), but as batches of their own, when nothing else of ours is at the CA's door. The date stays, so
 * what is in doubt is simply sent again when the quiet time has passed. */
#include "internal.h"
#include "massrevoke/approval.h"
#include "massrevoke/conduct_reason.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 1000   /* certificates of a batch: a brake binds between two */
#define REST 30     /* seconds that a CA which did not let us in is left alone */
#define STEP_MS 100 /* between looks at a door that is at it */
#define BEAT_MS 1000

/* One batch at a door. */
struct batch {
    struct engine *engine;
    const struct reason_claim *claims;
    struct ca_answer *answers;
    size_t count;
};

/* What the door does not answer stays in doubt. */
static void take_answers(void *context, const struct ca_answer *answers, size_t count)
{
    struct batch *b = context;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (b->claims[k].number == answers[i].number)
                b->answers[k] = answers[i];
}

/* Steps the door until it is done, and keeps our session alive meanwhile. */
static bool hear_out(struct engine *e, struct ca_door *door, struct fault *wrong, struct fault *f)
{
    bool busy = true, alive;
    while (busy) {
        ca_wait(door, STEP_MS);
        if (!door->ops->step(door, &busy, wrong))
            return true;
        if (engine_ticks(e) - e->checked_at >= BEAT_MS && !engine_beat(e, &alive, f))
            return false;
    }
    return true;
}

/* Only what is among them was claimed. */
static const struct reason_change *change_of(const struct reason_change *all, size_t n, int change)
{
    size_t i = 0;
    while (i + 1 < n && all[i].change != change)
        i++;
    return &all[i];
}

static void make_items(struct engine *e, const struct batch *b, const struct reason_change *all, size_t n,
                       struct ca_item *items)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct reason_change *c = change_of(all, n, b->claims[i].change);
        items[i] = (struct ca_item){.number = (uint32_t)b->claims[i].number,
                                    .issuer = (uint16_t)engine_issuer_index(e, b->claims[i].issuer),
                                    .serial = b->claims[i].serial,
                                    .reason = c->reason,
                                    .date = c->compromised_at,
                                    .change = true};
        b->answers[i] =
            (struct ca_answer){.number = items[i].number, .outcome = CA_ASK, .at = UTC_NONE, .reason = -1};
    }
}

/* Sends one batch and commits what came of it. */
static bool send(struct engine *e, int ca, struct batch *b, const struct reason_change *all, size_t n,
                 struct arena *a, struct fault *f)
{
    struct line *line = &e->lines[ca];
    struct ca_door *door = e->parts.cas[ca].door;
    struct ca_item *items = arena_array(a, b->count, sizeof *items);
    struct fault wrong = {0}, lost = {0};
    b->answers = arena_array(a, b->count, sizeof *b->answers);
    make_items(e, b, all, n, items);
    door->answer = take_answers;
    door->answer_context = b;
    pace_take(&line->pace, (int64_t)b->count);
    bool heard = !door->ops->revoke(door, items, b->count, &wrong) || hear_out(e, door, &wrong, &lost);
    if (wrong.kind != FAULT_NONE) {
        snprintf(e->warning, sizeof e->warning, "%.500s", wrong.text);
        line->rest = utc_add(engine_act(e).at, (struct span){REST});
    }
    struct act act = engine_act(e);
    if (!store_reason_settle(e->parts.store, &act, e->id, b->claims, b->answers, b->count, f))
        return false;
    for (size_t i = 0; i < b->count; i++)
        if (b->answers[i].outcome == CA_REVOKED_NOW || b->answers[i].outcome == CA_REVOKED_BEFORE)
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

/* What this CA may do of it now. */
static int64_t room(struct engine *e, int ca)
{
    struct line *line = &e->lines[ca];
    const struct ca_facts *facts = &e->parts.cas[ca].door->facts;
    struct utc now = engine_act(e).at;
    int64_t most = facts->window > 0 && facts->window < MOST ? (int64_t)facts->window : MOST;
    int64_t pace = pace_allow(&line->pace, engine_ticks(e)), through = breaker_allow(&line->breaker, now);
    if (facts->changes == 0 || (utc_is_set(line->rest) && line->rest.s > now.s))
        return 0;
    most = most < pace ? most : pace;
    return most < through ? most : through;
}

static bool serve(struct engine *e, int ca, const int *changes, size_t change_count,
                  const struct reason_change *all, size_t n, struct fault *f)
{
    struct line *line = &e->lines[ca];
    line->yields = e->parts.cas[ca].door->facts.changes != 0;
    if (line->requests + line->questions > 0) /* they are heard out first, and nothing new goes meanwhile */
        return true;
    for (bool more = true; more;) {
        AUTO_ARENA a = {0};
        struct act act = engine_act(e);
        struct batch b = {.engine = e};
        struct reason_claim *claims = NULL;
        int *issuers;
        bool joined;
        if (!engine_join(e, ca, &joined, f))
            return false;
        int64_t most = joined ? room(e, ca) : 0;
        size_t issuer_count = issuers_of(e, ca, &a, &issuers);
        if (most <= 0)
            break;
        if (!store_reason_claim(e->parts.store, &act, e->id, changes, change_count, issuers, issuer_count,
                                e->parts.cas[ca].door->facts.quiet, most, &a, &claims, &b.count, f))
            return false;
        b.claims = claims;
        more = b.count > 0;
        if (more && !send(e, ca, &b, all, n, &a, f))
            return false;
        more = more && engine_ticks(e) < e->turn_ends;
    }
    line->yields = false;
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
