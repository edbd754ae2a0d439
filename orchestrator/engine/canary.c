/* The canaries of a running campaign: who proves what, who takes whose place, when the wait is over, and what
 * stops an issuer (contract section 2, Canary). */
#include "internal.h"
#include "massrevoke/store_safety.h"
#include "massrevoke/verifier.h"

#include <stdio.h>
#include <stdlib.h>

void engine_canaries_free(struct engine *e)
{
    arena_free(&e->canary_arena);
    e->canary_count = 0;
}

static bool read_canaries(struct engine *e, struct fault *f)
{
    engine_canaries_free(e);
    return store_canaries(e->parts.store, e->parts.campaign, &e->canary_arena, &e->canaries, &e->canary_count,
                          f);
}

/* Those that cannot prove anything give their place to the next; *replaced: some did. */
static bool replace_lost(struct engine *e, bool *replaced, struct fault *f)
{
    struct act act = engine_act(e);
    *replaced = false;
    for (size_t i = 0; i < e->canary_count; i++) {
        const struct canary *c = &e->canaries[i];
        bool found;
        if (canary_standing(c) != CANARY_OUT)
            continue;
        if (!store_canary_replace(e->parts.store, &act, c, &found, f))
            return false;
        *replaced = true;
        if (!found)
            snprintf(e->warning, sizeof e->warning,
                     "canary %lld of cohort %d is %s, and no other certificate of its CRL is left to go "
                     "first: the "
                     "rest of that CRL goes without",
                     (long long)c->number, c->cohort, certificate_state_name(c->state));
    }
    return true;
}

static bool same_gate(const struct canary *a, const struct canary *b)
{
    return a->cohort == b->cohort && a->issuer == b->issuer;
}

/* Stops the issuer of a canary; said once a step. */
static bool stop(struct engine *e, const struct canary *c, const char *why, struct fault *f)
{
    struct act act = engine_act(e);
    snprintf(e->warning, sizeof e->warning,
             "nothing more is revoked of issuer %d: canary %lld is contradicted: %.300s; massrevoke status",
             c->issuer, (long long)c->number, why);
    return store_canary_stop(e->parts.store, &act, c, why, f);
}

/* How long the rest of a cohort waits for proof. */
static bool wait_of(struct engine *e, int cohort, struct span *wait, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    size_t n;
    *wait = (struct span){0};
    if (!store_cohorts(e->parts.store, e->parts.campaign, &a, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (cohorts[i].cohort == cohort)
            *wait = profile_canary_wait(&e->parts.profile, utc_sub(cohorts[i].deadline, cohorts[i].received));
    return true;
}

/* The wait is over: the CA's own records are enough, when nothing in them is wrong. */
static bool pass(struct engine *e, const struct canary *first, struct span wait, struct fault *f)
{
    char length[SPAN_TEXT];
    struct act act = engine_act(e);
    bool says_all = true;
    for (size_t i = 0; i < e->canary_count; i++) {
        const struct canary *c = &e->canaries[i];
        if (!same_gate(c, first))
            continue;
        const char *why = canary_record_fault(c, &e->canary_arena);
        if (why != NULL)
            return stop(e, c, why, f);
        says_all = says_all && c->ca_reason >= 0 && utc_is_set(c->ca_at);
    }
    const char *why = arena_format(
        &e->canary_arena, "not seen in a CRL within %s of the CA's record; the record alone counts%s",
        span_format(wait, length), says_all ? "" : ", and does not tell reason and date");
    snprintf(e->warning, sizeof e->warning, "canaries of cohort %d: %.400s", first->cohort, why);
    return store_canary_pass(e->parts.store, &act, first, why, f);
}

static void sooner(struct utc *wake, struct utc at)
{
    if (utc_is_set(at))
        *wake = utc_is_set(*wake) ? utc_min(*wake, at) : at;
}

/* One issuer of one cohort, from its first canary on. */
static bool judge_gate(struct engine *e, const struct canary *first, struct utc *wake, struct fault *f)
{
    struct utc since = UTC_NONE, now = engine_act(e).at;
    bool recorded = true;
    for (size_t i = 0; i < e->canary_count; i++) {
        const struct canary *c = &e->canaries[i];
        if (!same_gate(c, first))
            continue;
        if (c->state == CERTIFICATE_NEEDS_PERSON)
            snprintf(e->warning, sizeof e->warning,
                     "canary %lld needs a person, and the rest of issuer %d in cohort %d waits for it: "
                     "massrevoke status",
                     (long long)c->number, c->issuer, c->cohort);
        recorded = recorded && canary_standing(c) == CANARY_RECORDED;
        since = utc_max(since, c->recorded_at);
    }
    int index = engine_issuer_index(e, first->issuer);
    if (!recorded)
        return true;
    if (index >= 0) {
        struct utc settled = utc_add(since, engine_quiet(e, (size_t)index));
        e->proving[index] = utc_max(e->proving[index], since);
        sooner(wake, settled.s >= now.s ? utc_add(settled, (struct span){1}) : UTC_NONE);
    }
    struct span wait;
    if (!wait_of(e, first->cohort, &wait, f))
        return false;
    struct utc end = utc_add(since, wait);
    if (now.s >= end.s && (e->only & ENGINE_EXECUTE))
        return pass(e, first, wait, f);
    sooner(wake, end);
    return true;
}

bool engine_canaries(struct engine *e, struct utc *wake, struct fault *f)
{
    bool replaced = false;
    for (size_t i = 0; i < e->parts.issuer_count; i++)
        e->proving[i] = UTC_NONE;
    *wake = UTC_NONE;
    if (!read_canaries(e, f) || ((e->only & ENGINE_EXECUTE) && !replace_lost(e, &replaced, f)) ||
        (replaced && !read_canaries(e, f)))
        return false;
    for (size_t i = 0; i < e->canary_count; i++) {
        bool begins = true;
        for (size_t k = 0; k < i && begins; k++)
            begins = !same_gate(&e->canaries[k], &e->canaries[i]);
        if (begins && !judge_gate(e, &e->canaries[i], wake, f))
            return false;
    }
    return true;
}

static const struct verifier_sight *sight_of(const struct verifier_crl *judged, size_t n, int64_t number)
{
    for (size_t i = 0; i < n; i++)
        if (judged->sights[i].number == number)
            return &judged->sights[i];
    return NULL;
}

bool engine_canaries_seen(struct engine *e, const struct verifier_crl *judged, size_t n, struct fault *f)
{
    for (size_t i = 0; i < e->canary_count && judged->counts; i++) {
        const struct canary *c = &e->canaries[i];
        const struct verifier_sight *s = sight_of(judged, n, c->number);
        int index = engine_issuer_index(e, c->issuer);
        if (s == NULL || index < 0)
            continue;
        const struct canary_sight sight = {.complete = judged->complete,
                                           .listed = s->listed,
                                           .revoked = s->revoked,
                                           .reason = s->reason,
                                           .this_update = judged->crl.this_update};
        const char *why = canary_contradiction(c, &sight, engine_quiet(e, (size_t)index), &e->canary_arena);
        if (why != NULL && !stop(e, c, why, f))
            return false;
    }
    return true;
}
