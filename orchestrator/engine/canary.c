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

/* -- when the wait is over ------------------------------------------------------------------------------- */

/* What the CA said of it when asked for its status; NULL: nothing yet. */
static const struct ca_answer *told_of(const struct engine *e, int64_t number)
{
    for (size_t i = 0; i < e->told_count; i++)
        if (e->told[i].number == (uint32_t)number)
            return &e->told[i];
    return NULL;
}

/* The questions that are left of a gate. */
static size_t questions_of(const struct engine *e, const struct canary *first, int issuer,
                           struct ca_item *items)
{
    size_t n = 0;
    for (size_t i = 0; i < e->canary_count; i++) {
        const struct canary *c = &e->canaries[i];
        if (same_gate(c, first) && told_of(e, c->number) == NULL)
            items[n++] = (struct ca_item){
                .number = (uint32_t)c->number, .issuer = (uint16_t)issuer, .serial = c->serial};
    }
    return n;
}

/* It says nothing: the rest waits on, which is noted once. Asking costs others a tenth of the time at most.
 */
static bool stay_shut(struct engine *e, const struct canary *first, const struct alone *b, int64_t took,
                      const char *words, struct fault *f)
{
    struct line *line = &e->lines[b->ca];
    struct act act = engine_act(e);
    const char *why = arena_format(
        &e->canary_arena, "the wait is over, and the CA, asked for their status, does not tell it%s%.300s",
        words[0] == '\0' ? "" : ": ", words);
    line->status_rest = utc_add(act.at, (struct span){took > ENGINE_REST / 10 ? 10 * took : ENGINE_REST});
    snprintf(e->warning, sizeof e->warning, "canaries of cohort %d: %.400s", first->cohort, why);
    if (line->silent)
        return true;
    line->silent = true;
    return store_canary_silent(e->parts.store, &act, first, why, f);
}

/* Takes note of what was said. */
static bool take_told(struct engine *e, const struct canary *first, const struct alone *b, int64_t took,
                      struct fault *f)
{
    const char *words = b->wrong.text;
    size_t untold = 0;
    e->told = arena_grow(e->told, (e->told_count + b->count) * sizeof *e->told);
    for (size_t i = 0; i < b->count; i++) {
        if (canary_is_told(&b->answers[i]))
            e->told[e->told_count++] = b->answers[i];
        else if (untold++ == 0 && words[0] == '\0')
            words = b->answers[i].text;
    }
    if (untold > 0)
        return stay_shut(e, first, b, took, words, f);
    e->lines[b->ca].silent = false;
    return true;
}

/* Asks the CA for the status of a gate's canaries, as far as its door is free and its limits allow; *all:
 * everything is told. */
static bool ask(struct engine *e, const struct canary *first, int issuer, bool *all, struct utc *wake,
                struct fault *f)
{
    AUTO_ARENA a = {0};
    struct utc now = engine_act(e).at;
    int64_t begun = engine_ticks(e);
    struct ca_item *items = arena_array(&a, e->canary_count, sizeof *items);
    size_t left = questions_of(e, first, issuer, items);
    struct alone b = {.ca = engine_ca_of(e, issuer), .question = true, .items = items};
    struct line *line = &e->lines[b.ca];
    *all = left == 0;
    if (left > 0 && now.s >= line->status_rest.s && engine_alone_may(e, b.ca)) {
        int64_t room;
        if (!engine_alone_room(e, b.ca, true, (int64_t)left, &room, f))
            return false;
        b.count = (size_t)room;
        b.answers = arena_array(&a, b.count, sizeof *b.answers);
        if (b.count > 0 &&
            (!engine_alone(e, &b, f) || !take_told(e, first, &b, (engine_ticks(e) - begun) / 1000, f)))
            return false;
        *all = questions_of(e, first, issuer, items) == 0;
    }
    if (!*all)
        utc_sooner(wake, utc_max(utc_add(now, (struct span){1}), utc_max(line->status_rest, line->rest)));
    return true;
}

/* The CA's own records are enough when they are there, `all` of them, and nothing in them is wrong. */
static bool judge_records(struct engine *e, const struct canary *first, bool all, struct span wait,
                          struct fault *f)
{
    char length[SPAN_TEXT];
    struct act act = engine_act(e);
    bool says_all = true, asked = true;
    for (size_t i = 0; i < e->canary_count; i++) {
        struct canary c = e->canaries[i];
        const struct ca_answer *told = told_of(e, c.number);
        if (!same_gate(&c, first) || (told == NULL && !all))
            continue;
        const char *why = told != NULL ? canary_status_fault(&c, told, &e->canary_arena)
                                       : canary_record_fault(&c, &e->canary_arena);
        if (why != NULL)
            return stop(e, &c, why, f);
        asked = asked && told != NULL;
        says_all = says_all && c.ca_reason >= 0 && utc_is_set(c.ca_at);
    }
    if (!all)
        return true;
    const char *why = arena_format(&e->canary_arena, "not seen in a CRL within %s of the CA's record; %s%s",
                                   span_format(wait, length),
                                   asked ? "its status, asked for now, says that they are revoked"
                                         : "its answer to the request alone counts",
                                   says_all ? "" : ", and does not tell reason and date");
    snprintf(e->warning, sizeof e->warning, "canaries of cohort %d: %.400s", first->cohort, why);
    return store_canary_pass(e->parts.store, &act, first, why, f);
}

/* A CA that tells a status is asked first. */
static bool end_wait(struct engine *e, const struct canary *first, int issuer, struct span wait,
                     struct utc *wake, struct fault *f)
{
    bool all = true;
    if (issuer >= 0 && e->parts.cas[engine_ca_of(e, issuer)].door->facts.tells_status &&
        !ask(e, first, issuer, &all, wake, f))
        return false;
    return judge_records(e, first, all, wait, f);
}

/* -- all of them ----------------------------------------------------------------------------------------- */

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
        utc_sooner(wake, settled.s >= now.s ? utc_add(settled, (struct span){1}) : UTC_NONE);
    }
    struct span wait;
    if (!wait_of(e, first->cohort, &wait, f))
        return false;
    struct utc end = utc_add(since, wait);
    if (now.s >= end.s && (e->only & ENGINE_EXECUTE))
        return end_wait(e, first, index, wait, wake, f);
    utc_sooner(wake, end);
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
