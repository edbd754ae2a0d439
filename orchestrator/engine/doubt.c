/* Doubt where the CA tells no status: the world is asked, by the same look that proves what is published.
 * "Revoked" counts from any object that passed its checks, "not revoked" only from one that was made after
 * the quiet time, when no request of ours could still be executed (design section 3, sentence 7). What the
 * world does not show in time needs a person. Where a date could be overwritten, too, this goes before every
 * first request. */
#include "look.h"
#include "massrevoke/store_safety.h"

#include <stdlib.h>

#define FIRST_GAP 2 /* seconds to the second look, then twice as long each time */
#define GAP_MOST 300
#define OLD 3 /* intervals of CRLs after which what the world said counts no more */

bool engine_asks_outside(const struct engine *e, const struct work *w)
{
    return !e->parts.cas[w->ca].door->facts.tells_status && w->ask_count > w->asks_done;
}

bool engine_asks_first(const struct engine *e, int ca)
{
    const struct ca_facts *facts = &e->parts.cas[ca].door->facts;
    return !facts->tells_status && !facts->keeps_first_date;
}

int64_t engine_waits_outside(const struct engine *e, int ca)
{
    int64_t n = 0;
    for (size_t i = 0; i < e->work_count; i++) {
        const struct work *w = e->works[i];
        if (w->ca == ca && !w->stopped && !w->lost && engine_asks_outside(e, w))
            n += (int64_t)(w->ask_count - w->asks_done);
    }
    return n;
}

static bool is_asking(const struct engine *e, const struct work *w)
{
    return !w->stopped && !w->lost && engine_asks_outside(e, w) && engine_act(e).at.s > w->ready.s;
}

/* -- the questions --------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct watched *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* The open questions of all works, ascending; where they show themselves is not known yet. */
static size_t open_questions(struct engine *e, struct arena *a, struct watched **out)
{
    size_t n = 0, most = 0;
    for (size_t i = 0; i < e->work_count; i++)
        most += e->works[i]->ask_count;
    *out = arena_array(a, most, sizeof **out);
    for (size_t i = 0; i < e->work_count; i++) {
        struct work *w = e->works[i];
        for (size_t k = w->asks_done; k < w->ask_count && is_asking(e, w); k++) {
            struct slot *s = &w->slots[w->asks[k]];
            s->outside = true;
            s->ask = (uint32_t)k;
            (*out)[n++] = (struct watched){.number = s->number,
                                           .issuer = e->parts.issuers[s->issuer],
                                           .reason = -1,
                                           .serial = s->serial,
                                           .state = CERTIFICATE_DOUBT,
                                           .not_after = UTC_NONE,
                                           .told = UTC_NONE,
                                           .settled = w->ready};
        }
    }
    qsort(*out, n, sizeof **out, by_number);
    return n;
}

/* A CRL answers for thousands, so a responder is asked only about what has no CRL. */
static bool find_pointers(struct look *l, struct watched *questions, size_t n, struct fault *f)
{
    struct proof_pointer *pointers;
    int64_t *numbers = arena_array(l->arena, n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = questions[i].number;
    if (!store_proof_pointers(l->engine->parts.store, l->engine->parts.campaign, numbers, n, l->arena,
                              &pointers, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct watched *q = &questions[i];
        q->cdp = pointers[i].crl;
        q->ocsp = pointers[i].ocsp;
        if (q->cdp[0] != '\0')
            q->needs = CERTIFICATE_NEEDS_CRL;
        else if (q->ocsp[0] != '\0')
            q->needs = CERTIFICATE_NEEDS_OCSP;
        else
            doubt_hear(l, q, &(struct doubt_shown){.not_revoked_at = UTC_NONE});
    }
    return true;
}

bool doubt_join(struct look *l, struct watched **items, size_t *n, struct fault *f)
{
    struct watched *questions, *all;
    size_t count = open_questions(l->engine, l->arena, &questions), i = 0, k = 0, total = 0;
    if (count == 0)
        return true;
    if (!find_pointers(l, questions, count, f))
        return false;
    all = arena_array(l->arena, *n + count, sizeof *all);
    while (i < *n || k < count) {
        if (k < count && i < *n && (*items)[i].number == questions[k].number)
            i++; /* it moved on without us: the question goes first */
        else
            all[total++] = k == count || (i < *n && (*items)[i].number < questions[k].number)
                               ? (*items)[i++]
                               : questions[k++];
    }
    *items = all;
    *n = total;
    return true;
}

/* -- the answers ----------------------------------------------------------------------------------------- */

/* The open question about a number; NULL: there is none (any more). */
static struct slot *find_question(struct engine *e, int64_t number, struct work **work)
{
    for (size_t i = 0; i < e->work_count; i++) {
        struct work *w = e->works[i];
        struct slot *s = is_asking(e, w) ? engine_slot(w, number) : NULL;
        if (s == NULL || !s->outside)
            continue;
        *work = w;
        return s;
    }
    return NULL;
}

/* It leaves the list of its work; the last one takes its place. */
static void close_question(struct work *w, struct slot *s)
{
    uint32_t last = w->asks[--w->ask_count];
    w->asks[s->ask] = last;
    w->slots[last].ask = s->ask;
    s->outside = false;
}

void doubt_hear(struct look *l, const struct watched *item, const struct doubt_shown *shown)
{
    struct engine *e = l->engine;
    struct work *w;
    struct slot *s = find_question(e, item->number, &w);
    if (s == NULL)
        return;
    const struct profile *p = &e->parts.profile;
    bool late = utc_is_set(shown->not_revoked_at) && shown->not_revoked_at.s > w->ready.s,
         over = l->act.at.s >= w->ready.s + p->publish_margin.s + p->crl_every.s;
    if (!shown->listed && !late && !over)
        return;
    enum ca_outcome outcome = shown->revoked           ? CA_REVOKED_BEFORE
                              : late && !shown->listed ? CA_NOT_REVOKED
                                                       : CA_PERSON;
    close_question(w, s);
    engine_take_answer(e, w, s,
                       &(struct ca_answer){.number = (uint32_t)s->number,
                                           .outcome = outcome,
                                           .at = shown->revoked ? shown->at : UTC_NONE,
                                           .reason = shown->listed ? shown->reason : -1});
}

/* -- when ------------------------------------------------------------------------------------------------ */

/* A CA that publishes is asked for a CRL made after the quiet time. */
static void want_crls(struct engine *e, const struct work *w)
{
    for (size_t i = w->asks_done; i < w->ask_count; i++) {
        int issuer = w->slots[w->asks[i]].issuer;
        struct utc since = {w->ready.s - engine_quiet(e, (size_t)issuer).s};
        e->proving[issuer] = utc_max(e->proving[issuer], since);
    }
}

/* What has not gone by then is asked about anew. */
static bool is_old(const struct engine *e, const struct work *w, struct utc now)
{
    const struct profile *p = &e->parts.profile;
    return engine_asks_first(e, w->ca) && now.s > w->ready.s + p->publish_margin.s + OLD * p->crl_every.s;
}

bool engine_doubts(struct engine *e)
{
    struct utc now = engine_act(e).at;
    bool due = false;
    for (size_t i = 0; i < e->work_count; i++) {
        struct work *w = e->works[i];
        w->stopped = w->stopped || is_old(e, w, now);
        if (!is_asking(e, w))
            continue;
        want_crls(e, w);
        if (now.s < w->asks_outside.s)
            continue;
        due = true;
        w->outside_gap = w->outside_gap == 0 ? FIRST_GAP : least(2 * w->outside_gap, GAP_MOST);
        w->asks_outside = utc_add(now, (struct span){w->outside_gap});
    }
    return due;
}

struct utc engine_doubts_next(const struct engine *e)
{
    struct utc now = engine_act(e).at, next = UTC_NONE;
    for (size_t i = 0; i < e->work_count; i++) {
        const struct work *w = e->works[i];
        if (w->stopped || w->lost || !engine_asks_outside(e, w))
            continue;
        struct utc at = utc_max(w->asks_outside, utc_add(w->ready, (struct span){1}));
        at = w->uncommitted > 0 ? now : at;
        utc_sooner(&next, at);
    }
    return next;
}
