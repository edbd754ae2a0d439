/* The loop: what is due, in one order, and when to look again. */
#include "internal.h"
#include "massrevoke/approval.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BALANCE_PAGES 100 /* checked in one turn */
#define BALANCE_TURN 10   /* seconds between turns of one round over all pages */
#define BALANCE_LATE 10   /* seconds that a turn waits while certificates are settled: work comes first */
#define BALANCE_ROUND 600 /* seconds between rounds */
#define OTHERS_EVERY 2    /* seconds between looks at chunks that another engine owns */

bool engine_sees_people(const struct engine *e)
{
    return e->only != ENGINE_EXECUTE;
}

struct act engine_act(const struct engine *e)
{
    return (struct act){e->parts.campaign, e->parts.clock.now(e->parts.clock.self), e->parts.who};
}

struct conduct engine_conduct(const struct engine *e)
{
    return (struct conduct){.store = e->parts.store,
                            .settings = e->parts.settings,
                            .issuers = e->parts.issuers,
                            .issuer_count = e->parts.issuer_count,
                            .now = engine_act(e).at,
                            .who = e->parts.who,
                            .campaign = {.id = e->parts.campaign, .name = e->parts.campaign_name}};
}

/* A session of its own: number, lock, and nothing owned. */
static bool begin_session(struct engine *e, struct fault *f)
{
    if (e->parts.may_act != NULL && !e->parts.may_act(e->parts.may_act_context, e->parts.store, f))
        return false;
    return store_engine_begin(e->parts.store, e->parts.campaign, e->parts.host, (int)getpid(), e->parts.who,
                              engine_act(e).at, &e->id, f);
}

/* What the configuration says, but never faster than the door's own ceiling. */
static void open_line(struct engine *e, int ca)
{
    struct line *line = &e->lines[ca];
    const struct settings_ca *s = &e->parts.settings->cas[ca];
    struct rate_limits limits = s->limits;
    const struct ca_facts *facts = &e->parts.cas[ca].door->facts;
    if (facts->prepares)
        limits = rate_limits_halved(limits);
    struct rate ceiling = facts->rate, slower = rate_slower(ceiling, s->rate);
    bool said = limits.rate.count > 0 || limits.window_count > 0;
    if (!said || slower.count != s->rate.count || slower.per != s->rate.per)
        limits.rate = ceiling;
    *line = (struct line){.engine = e, .ca = ca, .engines = 1, .rest = UTC_NONE, .status_rest = UTC_NONE};
    pace_open(&line->pace, &limits, facts->window);
}

/* The CAs were used before this engine came, by an earlier one or by another campaign: what was sent within
 * their windows counts. */
static bool recall_sends(struct engine *e, struct fault *f)
{
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        if (!engine_recall(e, &e->lines[ca], f))
            return false;
    return true;
}

bool engine_open(const struct engine_parts *parts, struct engine **out, struct fault *f)
{
    struct engine *e = arena_grow(NULL, sizeof *e);
    *e = (struct engine){.parts = *parts, .only = ENGINE_ALL, .lock = -1};
    e->last_full_look = e->last_pending_look = e->last_notify = e->notify_wake = UTC_NONE;
    e->pace_checked = e->sources_read = e->lint_due = UTC_NONE;
    e->planned_rate = arena_array(&e->arena, parts->ca_count, sizeof *e->planned_rate);
    e->lines = arena_array(&e->arena, parts->ca_count, sizeof *e->lines);
    e->uses = arena_array(&e->arena, parts->ca_count, sizeof *e->uses);
    for (size_t i = 0; i < parts->ca_count; i++)
        open_line(e, (int)i);
    e->dirty = arena_array(&e->arena, parts->issuer_count, sizeof *e->dirty);
    e->proving = arena_array(&e->arena, parts->issuer_count, sizeof *e->proving);
    e->published = arena_array(&e->arena, parts->issuer_count, sizeof *e->published);
    e->asked_crl = arena_array(&e->arena, parts->issuer_count, sizeof *e->asked_crl);
    for (size_t i = 0; i < parts->issuer_count; i++) {
        e->dirty[i] = true; /* what an earlier engine recorded may not be published yet */
        e->published[i] = e->asked_crl[i] = e->proving[i] = UTC_NONE;
    }
    e->balance_due = engine_act(e).at;
    e->balance.found.ok = true; /* nothing is known to be wrong */
    engine_alert_open(e);
    *out = e;
    if (store_open_beside(parts->store, &e->beat, f) && store_open_beside(parts->store, &e->writer, f) &&
        begin_session(e, f) && recall_sends(e, f) && engine_breakers_open(e, f))
        return true;
    engine_close(e);
    *out = NULL;
    return false;
}

void engine_close(struct engine *e)
{
    if (e == NULL)
        return;
    struct fault ignored = {0};
    struct engine_report r = {0};
    bool busy = false;
    if (e->id != 0 && !store_is_lost(e->parts.store) && engine_wind_up(e, &r, &ignored))
        (void)!engine_mail_step(e, &r, &busy, &ignored);
    engine_alert_close(e);
    if (e->id != 0 && !store_is_lost(e->parts.store))
        (void)!store_engine_end(e->parts.store, e->id, engine_act(e).at, &ignored);
    engine_unguard(e, e->work_count == 0);
    engine_claim_forget(e);
    while (e->work_count > 0)
        engine_free_work(e, e->works[0]);
    engine_mailbag_free(e);
    engine_scopes_free(e);
    for (size_t i = 0; i < e->parts.ca_count; i++) {
        pace_close(&e->lines[i].pace);
        free(e->lines[i].refusals);
    }
    engine_canaries_free(e);
    outside_free(e->outside);
    store_close(e->beat);
    store_close(e->writer);
    void *const owned[] = {e->works, e->pending, e->returning, e->items,
                           e->polls, e->barred,  e->skip,      e->told};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    arena_free(&e->arena);
    free(e);
}

void engine_only(struct engine *e, unsigned parts)
{
    e->only = parts;
}

/* After a lost connection: a new session owns nothing; outcomes stay in memory (sentence 4). */
static bool reconnect(struct engine *e, struct fault *f)
{
    engine_claim_forget(e);
    engine_lose_works(e);
    engine_leave_all(e);
    engine_unguard(e, false);
    e->writing = WRITING_NOTHING;
    e->writing_count = e->returning_count = 0;
    return store_reconnect(e->parts.store, f) && store_reconnect(e->beat, f) &&
           store_reconnect(e->writer, f) && begin_session(e, f);
}

/* The heartbeat, also of an engine that has nothing to do: it relieves those that stand still, and learns
 * whether it was relieved itself; then it begins anew. A brake ends also claims that only wait. */
static bool stay_alive(struct engine *e, struct fault *f)
{
    bool alive;
    if (!engine_beat(e, &alive, f))
        return false;
    return alive || reconnect(e, f);
}

/* Missed comes first: what this step expires or revokes was still open at the deadline. */
static bool housekeeping(struct engine *e, struct engine_report *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = engine_act(e);
    int *ended;
    size_t n;
    int64_t came;
    /* a cohort that is late is marked first: what is done or expires from now on does not undo it */
    if (!store_mark_missed(e->parts.store, &act, f) || !store_expire(e->parts.store, &act, &r->expired, f) ||
        !store_leaving_add(e->parts.store, &act, &came, f) ||
        !store_holds_ended(e->parts.store, e->parts.campaign, act.at, &a, &ended, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        int64_t released;
        if (!store_hold_release(e->parts.store, &act, ended[i], NULL, 0, &released, f))
            return false;
    }
    return true;
}

static bool is_startable(struct engine *e, const struct cohort *c, struct arena *a, bool *yes,
                         struct fault *f)
{
    struct request r;
    struct fault why = {0};
    *yes = approval_of_cohort(e->parts.store, e->parts.settings, e->parts.campaign, e->parts.campaign_name,
                              e->parts.mode, c->cohort, a, &r, &why) &&
           r.expires_at.s > engine_act(e).at.s;
    if (why.kind != FAULT_UNAVAILABLE)
        return true;
    *f = why;
    return false;
}

/* How things stand when no cohort has started. */
static bool not_started(struct engine *e, const struct cohort *cohorts, size_t n, struct engine_report *r,
                        struct fault *f)
{
    AUTO_ARENA a = {0};
    r->state = ENGINE_NOT_APPROVED;
    for (size_t i = 0; i < n; i++) {
        bool yes;
        if (!is_startable(e, &cohorts[i], &a, &yes, f))
            return false;
        if (yes)
            r->state = ENGINE_NOT_STARTED;
    }
    return true;
}

/* What is left, from the counts of started cohorts; `refused` certificates wait in chunks whose rows are not
 * what was approved, for a person. */
static enum engine_state judge_counts(const struct state_counts *c, int64_t refused)
{
    int64_t active = c->n[BUCKET_NOT_REVOKED] - c->needs_person - refused;
    int64_t pending = c->n[BUCKET_PENDING_PUBLICATION] - c->not_checkable;
    int64_t person = c->n[BUCKET_HELD] + c->n[BUCKET_UNKNOWN] + c->needs_person + c->not_checkable + refused;
    if (active > 0 || pending > 0)
        return ENGINE_WORKING;
    return person > 0 ? ENGINE_LEFT : ENGINE_SETTLED;
}

/* The moment the last certificate was settled is an event of its own. */
static bool note_end(struct engine *e, const struct engine_report *r, struct fault *f)
{
    bool ended = e->saw_work && r->state == ENGINE_SETTLED;
    e->saw_work = r->state == ENGINE_WORKING || r->state == ENGINE_PAUSED;
    struct act act = engine_act(e);
    return !ended || store_note(e->parts.store, &act, "finish", NULL, f);
}

static bool assess(struct engine *e, struct engine_report *r, struct queue_next *q, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    struct campaign campaign;
    size_t n, started = 0, voided = 0;
    if (!store_cohorts(e->parts.store, e->parts.campaign, &a, &cohorts, &n, f) ||
        !store_campaign_find(e->parts.store, e->parts.campaign_name, &a, &campaign, f) ||
        !store_next(e->parts.store, e->parts.campaign, e->skip, e->skip_count, q, f) ||
        !store_state_counts(e->parts.store, e->parts.campaign, &r->counts, f))
        return false;
    e->counts = r->counts;
    e->recorded = r->counts.unseen;
    for (size_t i = 0; i < n; i++) {
        started += utc_is_set(cohorts[i].started_at);
        voided += utc_is_set(cohorts[i].started_at) && utc_is_set(cohorts[i].voided_at);
    }
    if (started == 0)
        return not_started(e, cohorts, n, r, f);
    r->state = judge_counts(&r->counts, q->refused);
    if (r->state == ENGINE_WORKING && (campaign.paused_revoke || voided == started))
        r->state = ENGINE_PAUSED;
    if (!note_end(e, r, f))
        return false;
    if (e->reasons.to_do + e->reasons.unseen > 0 && r->state != ENGINE_PAUSED)
        r->state = campaign.paused_revoke && e->reasons.unseen == 0 ? ENGINE_PAUSED : ENGINE_WORKING;
    else if (e->reasons.person > 0 && r->state == ENGINE_SETTLED)
        r->state = ENGINE_LEFT;
    r->reasons_left = e->reasons.person;
    return true;
}

static bool waits_for_publication(const struct engine *e, const struct engine_report *r)
{
    return r->counts.n[BUCKET_PENDING_PUBLICATION] + e->reasons.unseen > 0;
}

static void schedule(struct engine *e, struct engine_report *r, const struct queue_next *q, struct utc notify)
{
    struct utc now = engine_act(e).at, next = notify;
    r->due = q->due;
    if (utc_is_set(q->due) && r->state != ENGINE_PAUSED) {
        struct utc due = utc_max(utc_max(q->due, now), engine_free_next(e));
        utc_sooner(&next, utc_max(due, utc_add(now, (struct span){q->due.s <= now.s})));
    }
    utc_sooner(&next, engine_execute_next(e));
    if (q->claimed > (int64_t)e->work_count)
        utc_sooner(&next, utc_add(now, (struct span){OTHERS_EVERY}));
    if (utc_is_set(q->expiry))
        utc_sooner(&next, utc_add(q->expiry, (struct span){1}));
    utc_sooner(&next, q->hold_ends);
    if (waits_for_publication(e, r)) {
        utc_sooner(&next, utc_max(engine_look_due(e), utc_add(now, (struct span){1})));
        for (size_t i = 0; i < e->parts.issuer_count; i++)
            if (utc_is_set(e->published[i]))
                utc_sooner(&next, utc_max(utc_add(e->published[i], e->parts.profile.crl_every),
                                          utc_add(now, (struct span){1})));
    }
    for (size_t i = 0; i < e->parts.issuer_count; i++)
        if (utc_is_set(e->asked_crl[i]))
            utc_sooner(&next, utc_add(now, (struct span){1}));
    if (utc_is_set(engine_ask_due(e)))
        utc_sooner(&next, utc_max(engine_ask_due(e), utc_add(now, (struct span){1})));
    r->next = next;
}

/* Work that goes on while a look waits for servers. */
struct beside {
    struct engine *engine;
    struct engine_report *report;
    struct fault fault; /* the first, after which nothing more is done */
};

/* A server that hangs must not hold up revoking for its timeout, nor the heartbeat. */
static bool work_beside(void *context)
{
    struct beside *b = context;
    struct engine *e = b->engine;
    bool busy = false;
    if (b->fault.kind != FAULT_NONE)
        return false;
    if (engine_ticks(e) - e->checked_at >= ENGINE_BEAT_MS && !stay_alive(e, &b->fault))
        return false;
    return engine_execute_beside(e, b->report, &busy, &b->fault) && busy;
}

/* Looks with work going on beside it; by a clock that does not run by itself a look takes no time. */
static bool look_beside(struct engine *e, bool ask_only, bool full, struct engine_report *r, struct fault *f)
{
    struct beside b = {.engine = e, .report = r};
    bool beside = (e->only & ENGINE_EXECUTE) && e->parts.clock.ticks != NULL;
    fetch_meanwhile(e->parts.fetch, beside ? work_beside : NULL, &b);
    bool ok = ask_only ? engine_ask_responders(e, r, f) : engine_look(e, full, r, f);
    fetch_meanwhile(e->parts.fetch, NULL, NULL);
    if (ok && b.fault.kind != FAULT_NONE)
        *f = b.fault;
    return ok && b.fault.kind == FAULT_NONE;
}

/* Pending work and doubts, or everything once per CRL period so that a vanished entry is found. An engine
 * that does not verify looks for its own doubts. */
static bool look(struct engine *e, bool doubts, struct engine_report *r, struct fault *f)
{
    struct utc now = engine_act(e).at;
    bool verifies = e->only & ENGINE_VERIFY;
    bool pending = verifies && waits_for_publication(e, r);
    if (!utc_is_set(e->last_full_look))
        e->last_full_look = now;
    bool full = verifies && now.s >= e->last_full_look.s + e->parts.profile.crl_every.s;
    if (full || doubts || (pending && now.s >= engine_look_due(e).s))
        return look_beside(e, false, full, r, f);
    struct utc ask = engine_ask_due(e);
    return !utc_is_set(ask) || ask.s > now.s || look_beside(e, true, false, r, f);
}

/* Recorded by another engine, which may be dead before it publishes: ours to publish too. */
static void notice_others(struct engine *e, const struct state_counts *c)
{
    for (size_t i = 0; i < e->parts.issuer_count && c->unseen > e->recorded; i++)
        e->dirty[i] = true;
}

/* The ledger is derived again in turns. Revoking goes on whatever is found: what may be revoked hangs on the
 * signed scope, not on counters; but nothing is reported, and somebody must look. */
static bool check_balance(struct engine *e, const struct engine_report *r, struct fault *f)
{
    struct utc now = engine_act(e).at;
    bool done;
    if (now.s >= e->balance_due.s + (r->settled > 0 ? BALANCE_LATE : 0)) {
        if (!store_balance_turn(e->parts.store, e->parts.campaign, now, BALANCE_PAGES, &e->balance, &done, f))
            return false;
        e->balance_due = utc_add(now, (struct span){done ? BALANCE_ROUND : BALANCE_TURN});
    }
    if (!e->balance.found.ok && e->warning[0] == '\0')
        snprintf(e->warning, sizeof e->warning, "the counts do not balance: %s; massrevoke evidence verify",
                 e->balance.found.detail);
    return true;
}

static bool work(struct engine *e, struct engine_report *r, struct fault *f)
{
    struct utc notify = UTC_NONE, lint = UTC_NONE, canary = UTC_NONE, alert = UTC_NONE, reasons = UTC_NONE;
    struct queue_next q;
    if (!housekeeping(e, r, f))
        return false;
    if ((e->only & ENGINE_EXECUTE) && (!engine_guard(e, f) || !engine_relieve(e, f)))
        return false;
    if ((e->only & ENGINE_EXECUTE) && !engine_replacements(e, &lint, f))
        return false;
    bool plans = e->only & (ENGINE_EXECUTE | ENGINE_NOTIFY);
    if (plans && engine_sees_people(e) &&
        !engine_replan(e, f)) /* a plan knows its people, and tells those it moved */
        return false;
    if ((e->only & ENGINE_NOTIFY) && !engine_notify(e, r, &notify, f))
        return false;
    if ((e->only & ENGINE_EXECUTE) && !engine_execute(e, r, f))
        return false;
    engine_alone_begin(e);
    if (!engine_reasons(e, (e->only & ENGINE_EXECUTE) != 0, &reasons, f) ||
        !store_state_counts(e->parts.store, e->parts.campaign, &r->counts, f))
        return false;
    notice_others(e, &r->counts);
    if (!engine_canaries(e, &canary, f))
        return false;
    bool doubts = engine_doubts(e);
    if ((e->only & ENGINE_PUBLISH) && !engine_publish(e, r, f))
        return false;
    if (!look(e, doubts, r, f) || !check_balance(e, r, f))
        return false;
    if (!assess(e, r, &q, f) ||
        !engine_alert(e, r, r->state != ENGINE_WORKING && r->state != ENGINE_PAUSED, &alert, f))
        return false;
    schedule(e, r, &q, notify);
    utc_sooner(&r->next, canary);
    utc_sooner(&r->next, engine_doubts_next(e));
    utc_sooner(&r->next, reasons);
    if (r->state == ENGINE_WORKING || r->state == ENGINE_PAUSED)
        utc_sooner(&r->next, lint);
    utc_sooner(&r->next, alert);
    return true;
}

bool engine_step(struct engine *e, struct engine_report *r, struct fault *f)
{
    *r = (struct engine_report){.state = ENGINE_WORKING,
                                .next = UTC_NONE,
                                .due = UTC_NONE,
                                .behind = e->behind,
                                .alerts = "",
                                .warning = e->warning};
    e->warning[0] = '\0';
    bool ok = true;
    engine_hear(e);
    if (e->id == 0 || store_is_lost(e->parts.store) || store_is_lost(e->beat) || store_is_lost(e->writer))
        ok = reconnect(e, f);
    ok = ok && stay_alive(e, f) && work(e, r, f);
    if (ok || f->kind != FAULT_UNAVAILABLE)
        return ok;
    /* the database or a backend is away: nothing is lost, the same work is tried again in a second */
    snprintf(e->warning, sizeof e->warning, "%.500s", f->text);
    *f = (struct fault){0};
    if (store_is_lost(e->parts.store) || store_is_lost(e->beat))
        engine_alert_lost(e, r, e->warning);
    r->counts = e->counts;
    r->state = ENGINE_WORKING;
    r->next = utc_add(engine_act(e).at, (struct span){1});
    return true;
}

bool engine_verify_now(struct engine *e, struct engine_report *r, struct fault *f)
{
    *r =
        (struct engine_report){.next = UTC_NONE, .due = UTC_NONE, .behind = e->behind, .warning = e->warning};
    e->warning[0] = '\0';
    struct queue_next q;
    struct act act = engine_act(e);
    bool ok = store_mark_missed(e->parts.store, &act, f) && engine_look(e, true, r, f) && assess(e, r, &q, f);
    r->ocsp_left = engine_ask_left(e);
    return ok;
}
