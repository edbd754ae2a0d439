/* The snapshot: one read of everything that screens and reports say. */
#include "massrevoke/store_clock.h"
#include "massrevoke/store_outside.h"
#include "massrevoke/store_safety.h"
#include "plan_files.h"
#include "report_counts.h"
#include "report_parts.h"

#include <stdio.h>

static bool ask(struct store *store, const char *query, int campaign, PGresult **r, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    return store_query(store, query, &p, r, f);
}

/* Does the plan's own summary call it infeasible? A summary that cannot be read promises nothing. */
static bool plan_infeasible(const char *summary)
{
    AUTO_JSON *root = NULL;
    struct fault ignored = {0};
    if (summary[0] == '\0')
        return false;
    return !json_read("plan", str_of(summary), &root, &ignored) ||
           json_is_false(json_object_get(root, "feasible"));
}

static void read_counts(const struct cohort_sum *sum, struct cohort_facts *c)
{
    c->totals = (struct totals){
        .affected = sum->affected,
        .revoked = sum->counters[BUCKET_REVOKED],
        .pending_publication = sum->counters[BUCKET_PENDING_PUBLICATION],
        /* without a number: not planned yet, and surely not revoked by us */
        .not_revoked = sum->counters[BUCKET_NOT_REVOKED] + sum->unnumbered,
        .held = sum->counters[BUCKET_HELD],
        .expired = sum->counters[BUCKET_EXPIRED],
        .unknown = sum->counters[BUCKET_UNKNOWN],
    };
    c->doubt = sum->doubt;
    c->person = sum->person;
    c->unnumbered = sum->unnumbered;
    c->excluded_expired = sum->excluded_expired;
    c->short_lived = sum->short_lived;
    c->withdrawn = sum->withdrawn;
    c->should_24h = sum->should_24h;
}

static bool read_open(struct store *store, const struct campaign_facts *all, struct cohort_facts *cohorts,
                      size_t n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, all->campaign->id);
    put_utc(&p, all->now);
    if (!store_query(store, "counts_open", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        for (size_t k = 0; k < n; k++)
            if (cohorts[k].cohort.cohort == get_int(r, i, 0)) {
                cohorts[k].last_due = get_utc(r, i, 1);
                cohorts[k].due = get_int(r, i, 2);
            }
    return true;
}

/* Both lists are in ascending order of cohort and from one moment, so row i is cohort i. */
static bool read_cohorts(struct store *store, const struct campaign_facts *all, const struct counts *counts,
                         struct arena *a, struct cohort_facts **out, size_t *n, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    struct cohort *list;
    if (!store_cohorts(store, all->campaign->id, a, &list, n, f) ||
        !ask(store, "report_cohorts", all->campaign->id, &r, f))
        return false;
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++) {
        struct cohort_facts *c = &(*out)[i];
        c->cohort = list[i];
        c->last_due = UTC_NONE;
        c->infeasible = plan_infeasible(get_text(r, (int)i, 1));
        for (size_t k = 0; k < counts->cohort_count; k++)
            if (counts->cohorts[k].cohort == list[i].cohort)
                read_counts(&counts->cohorts[k], c);
    }
    return read_open(store, all, *out, *n, f);
}

/* Holds, and how many certificates of each cohort they make late. */
static bool read_holds(struct store *store, const struct campaign_facts *all, const struct cohort *cohorts,
                       struct cohort_facts *facts, size_t n, struct arena *a, struct snapshot *s,
                       struct fault *f)
{
    struct snapshot_hold *holds;
    if (!report_holds(store, all->campaign->id, all->now, all->terms, cohorts, n, a, &holds, &s->hold_count,
                      f))
        return false;
    s->holds = holds;
    for (size_t i = 0; i < s->hold_count; i++)
        for (size_t k = 0; k < n; k++)
            if (holds[i].late && holds[i].cohort == cohorts[k].cohort)
                facts[k].held_late += holds[i].certificates;
    return true;
}

static void add_totals(struct totals *sum, const struct totals *t)
{
    sum->affected += t->affected;
    sum->revoked += t->revoked;
    sum->pending_publication += t->pending_publication;
    sum->not_revoked += t->not_revoked;
    sum->held += t->held;
    sum->expired += t->expired;
    sum->unknown += t->unknown;
}

static void conclude_cohorts(struct store *store, const struct campaign_facts *all,
                             const struct cohort_facts *facts, size_t n, struct arena *a, struct snapshot *s)
{
    struct snapshot_cohort *cohorts = arena_array(a, n, sizeof *cohorts);
    struct span least = {0};
    s->behind = "";
    for (size_t i = 0; i < n; i++) {
        report_judge_cohort(all, &facts[i], &cohorts[i]);
        const char *behind = report_behind(all, &facts[i], &cohorts[i], a);
        if (behind[0] != '\0' && (s->behind[0] == '\0' || cohorts[i].slack.s < least.s)) {
            s->behind = behind;
            least = cohorts[i].slack;
        }
        /* a rule file that is gone costs its paraphrase, never the status screen */
        cohorts[i].rule_text = plan_files_rule(store, all->terms->plans_dir, cohorts[i].rule);
        add_totals(&s->totals, &facts[i].totals);
        s->in_doubt += facts[i].doubt;
        s->needs_person += facts[i].person;
        s->excluded_expired += facts[i].excluded_expired;
        s->excluded_short_lived += facts[i].short_lived;
        s->excluded_withdrawn += facts[i].withdrawn;
    }
    s->cohorts = cohorts;
    s->cohort_count = n;
    report_judge_campaign(all, s);
}

/* What was counted of the campaign and belongs to no cohort. */
static void put_counts(const struct campaign *c, const struct counts *counts, struct arena *a,
                       struct snapshot *s)
{
    struct snapshot_hour *hours = arena_array(a, counts->hour_count, sizeof *hours);
    for (size_t i = 0; i < counts->hour_count; i++) {
        const struct hour_sum *h = &counts->hours[i];
        hours[i] = (struct snapshot_hour){utc_add(c->received, (struct span){h->hour * 3600}), h->planned,
                                          h->recorded, h->published};
    }
    s->hours = hours;
    s->hour_count = counts->hour_count;
    s->issuers = counts->issuers;
    s->issuer_count = counts->issuer_count;
    s->types_dv = counts->types[0];
    s->types_ov = counts->types[1];
    s->types_iv = counts->types[2];
    s->types_ev = counts->types[3];
    s->types_unknown = counts->types[4];
    s->not_checkable = counts->types[5];
    s->subscribers = counts->people[0];
    s->subscribers_bad_address = counts->people[1];
    s->subscribers_no_contact = counts->people[2];
    s->subscribers_told = counts->told[0];
    s->backups_told = counts->told[1];
    s->notices_sent = counts->told[2];
    s->notices_refused = counts->told[3];
    s->log_size = (int64_t)counts->log.count;
    s->log_root = merkle_root(&counts->log);
}

/* A process that is stopped keeps its lock. An engine under a simulated clock steps when its players do, so
 * the server's clock tells nothing of it. */
static bool read_engines(struct store *store, int campaign, struct arena *a, struct snapshot *s, bool *alive,
                         struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!ask(store, "engine_list", campaign, &r, f))
        return false;
    s->engine_count = (size_t)PQntuples(r);
    struct snapshot_engine *engines = arena_array(a, s->engine_count, sizeof *engines);
    *alive = false;
    for (int i = 0; i < PQntuples(r); i++) {
        engines[i] =
            (struct snapshot_engine){arena_text(a, get_text(r, i, 0)), arena_text(a, get_text(r, i, 1)),
                                     get_utc(r, i, 2), s->simulated_time || !get_bool(r, i, 3)};
        *alive = *alive || engines[i].alive;
    }
    s->engines = engines;
    return true;
}

static bool read_stops(struct store *store, int campaign, struct arena *a, struct snapshot *s,
                       struct fault *f)
{
    struct issuer_stop *issuers;
    struct open_breaker *cas;
    size_t n, m;
    if (!store_stops(store, campaign, a, &issuers, &n, f) || !store_breakers(store, campaign, a, &cas, &m, f))
        return false;
    struct snapshot_stop *stops = arena_array(a, n + m, sizeof *stops);
    for (size_t i = 0; i < n; i++)
        stops[i] = (struct snapshot_stop){true, issuers[i].issuer, issuers[i].why, issuers[i].at};
    for (size_t i = 0; i < m; i++)
        stops[n + i] = (struct snapshot_stop){false, cas[i].ca,
                                              arena_format(a, "%s: %s", cas[i].what, cas[i].text), cas[i].at};
    s->stops = stops;
    s->stop_count = n + m;
    return true;
}

static bool read_people(struct store *store, int campaign, struct snapshot *s, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!ask(store, "ack_count", campaign, &r, f))
        return false;
    s->subscribers_acked = get_int(r, 0, 0);
    return true;
}

/* Clocks that are wrong cost their tasks, never the status screen. */
static bool read_tasks(struct store *store, const struct campaign_facts *all, const struct cohort *cohorts,
                       const struct counts *counts, struct arena *a, struct snapshot *s, struct fault *f)
{
    struct task_terms terms = {all->terms->plans_dir, all->terms->quorum, all->now};
    struct task *tasks;
    size_t n;
    if (!report_tasks(store, all->campaign, &terms, cohorts, s->cohort_count, counts, a, &tasks, &n, f)) {
        s->tasks.unreadable = f->kind == FAULT_CONFIG;
        return s->tasks.unreadable;
    }
    for (size_t i = 0; i < n; i++) {
        s->tasks.open += !tasks[i].done;
        s->tasks.overdue += task_is_overdue(&tasks[i], all->now);
    }
    if (s->tasks.open > 0) { /* open ones first, by due time */
        s->tasks.next = tasks[0].name;
        s->tasks.title = tasks[0].title;
        s->tasks.due = tasks[0].due;
    }
    return true;
}

static bool read_outside_scope(struct store *store, int campaign, struct snapshot *s, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!ask(store, "outside_scope", campaign, &r, f))
        return false;
    s->revoked_outside_scope = get_int(r, 0, 0);
    return true;
}

static bool read_despite(struct store *store, int campaign, struct snapshot *s, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!ask(store, "despite", campaign, &r, f))
        return false;
    s->held_yet_revoked = get_int(r, 0, 0);
    s->dropped_yet_revoked = get_int(r, 0, 1);
    return true;
}

static bool read_alerts(struct store *store, int campaign, struct snapshot *s, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!ask(store, "alert_count", campaign, &r, f))
        return false;
    s->alerts_open = get_int(r, 0, 0);
    s->alerts_unacked = get_int(r, 0, 1);
    return true;
}

static bool read_reasons(struct store *store, int campaign, struct snapshot *s, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!ask(store, "reason_count", campaign, &r, f))
        return false;
    s->reasons = (struct snapshot_reasons){
        .certificates = get_int(r, 0, 0),
        .to_do = get_int(r, 0, 1),
        .unseen = get_int(r, 0, 2),
        .with_administrator = get_int(r, 0, 3),
        .shown = get_int(r, 0, 4),
        .needs_person = get_int(r, 0, 5),
    };
    return true;
}

/* Times of publication are reckoned from the whole journal: only where that is small. */
static bool read_outside(struct store *store, const struct campaign *c, struct arena *a, struct snapshot *s,
                         struct fault *f)
{
    AUTO_RESULT *r = NULL;
    struct publication *hours;
    size_t n = 0;
    if (!ask(store, "report_edges", c->id, &r, f))
        return false;
    struct snapshot_outside *o = &s->outside;
    *o = (struct snapshot_outside){get_int(r, 0, 0),
                                   get_int(r, 0, 1),
                                   get_int(r, 0, 2),
                                   arena_text(a, get_text(r, 0, 3)),
                                   0,
                                   {0},
                                   {0},
                                   {0}};
    if (s->totals.affected > STORE_BALANCE_ALWAYS)
        return true;
    if (!store_publication(store, c, a, &hours, &n, f))
        return false;
    if (n > 0) {
        o->hour_certificates = hours[n - 1].certificates;
        o->median.s = hours[n - 1].median;
        o->p90.s = hours[n - 1].p90;
        o->slowest.s = hours[n - 1].slowest;
    }
    return true;
}

/* What the engine's last round found; no round has ended yet: not checked. */
static bool kept_balance(struct store *store, int campaign, struct utc *at, struct balance *b,
                         struct fault *f)
{
    AUTO_RESULT *r = NULL;
    *at = UTC_NONE;
    *b = (struct balance){.ok = true};
    if (!ask(store, "balance_kept", campaign, &r, f))
        return false;
    if (PQntuples(r) == 0)
        return true;
    *at = get_utc(r, 0, 0);
    b->counted_twice = get_int(r, 0, 1);
    b->not_counted = get_int(r, 0, 2);
    snprintf(b->detail, sizeof b->detail, "%s", get_text(r, 0, 3));
    b->ok = b->detail[0] == '\0';
    return true;
}

static bool read_balance(struct store *store, int campaign, bool always, struct utc now, struct arena *a,
                         struct snapshot *s, struct fault *f)
{
    struct balance b;
    bool derive = always || s->totals.affected <= STORE_BALANCE_ALWAYS;
    s->balance_checked_at = now;
    if (!(derive ? report_balance(store, campaign, &b, f)
                 : kept_balance(store, campaign, &s->balance_checked_at, &b, f)))
        return false;
    s->balance_ok = b.ok && totals_balance(&s->totals);
    s->counted_twice = b.counted_twice;
    s->not_counted = b.not_counted;
    s->balance_detail = arena_text(a, b.detail);
    return true;
}

/* Counts, cohorts and what is concluded from them; what both kinds of snapshot need. */
static bool fill_cohorts(struct store *store, struct campaign_facts *all, const struct counts *counts,
                         struct arena *a, struct snapshot *s, struct cohort **out, struct fault *f)
{
    struct cohort_facts *facts;
    size_t n;
    if (!read_engines(store, all->campaign->id, a, s, &all->engine_alive, f) ||
        !read_cohorts(store, all, counts, a, &facts, &n, f) || !report_pace(store, all, facts, n, a, s, f) ||
        !read_outside_scope(store, all->campaign->id, s, f) || !read_despite(store, all->campaign->id, s, f))
        return false;
    *out = arena_array(a, n, sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = facts[i].cohort;
    if (!read_holds(store, all, *out, facts, n, a, s, f))
        return false;
    conclude_cohorts(store, all, facts, n, a, s);
    return true;
}

static bool fill(struct store *store, struct campaign_facts *all, const struct counts *counts,
                 bool check_balance, struct arena *a, struct snapshot *s, struct fault *f)
{
    int id = all->campaign->id;
    struct cohort *cohorts;
    put_counts(all->campaign, counts, a, s);
    return fill_cohorts(store, all, counts, a, s, &cohorts, f) && report_replacements(store, id, a, s, f) &&
           read_stops(store, id, a, s, f) && read_people(store, id, s, f) &&
           read_tasks(store, all, cohorts, counts, a, s, f) && read_alerts(store, id, s, f) &&
           read_reasons(store, id, s, f) && read_outside(store, all->campaign, a, s, f) &&
           report_timeline(store, id, a, s, f) && read_balance(store, id, check_balance, all->now, a, s, f) &&
           report_waiting(store, all, cohorts, a, s, f);
}

/* Counts, verdicts and what waits; no timeline or list is read. */
static bool fill_brief(struct store *store, struct campaign_facts *all, const struct counts *counts,
                       struct arena *a, struct snapshot *s, struct fault *f)
{
    struct cohort *cohorts;
    struct balance b;
    if (!fill_cohorts(store, all, counts, a, s, &cohorts, f) ||
        !kept_balance(store, all->campaign->id, &s->balance_checked_at, &b, f))
        return false;
    s->balance_ok = b.ok;
    s->balance_detail = arena_text(a, b.detail);
    return report_waiting(store, all, cohorts, a, s, f);
}

/* What a snapshot asks of the campaign alone: asked at once, for a server that is some way off answers each
 * by itself. Those that both kinds want come first. */
static const char *const ahead[] = {
    "engine_list",  "cohort_list",  "report_cohorts", "outside_scope",       "despite",
    "balance_kept", "request_list", "pace",           "report_holds",        "stop_list",
    "breaker_list", "ack_count",    "task_facts",     "report_replacements", "task_said",
    "alert_count",  "reason_count", "report_edges",
};
#define AHEAD_BRIEF 9
#define AHEAD (sizeof ahead / sizeof *ahead)

/* The campaign as it is now, and its counts. */
static bool begin_snapshot(struct store *s, const char *name, struct campaign_facts *all,
                           struct campaign *fresh, struct counts_wanted *wanted, struct counts *counts,
                           struct counts_kept *kept, struct arena *a, struct snapshot *out, struct fault *f)
{
    if (!store_campaign_find(s, name, a, fresh, f))
        return false;
    all->campaign = fresh;
    *out = (struct snapshot){
        .campaign = fresh->name,
        .mode = fresh->mode,
        .commander = fresh->opened_by,
        .bug = fresh->bug,
        .pause_reason = fresh->paused_revoke ? fresh->pause_reason : "",
        .as_of = all->now,
        .received = fresh->received,
        .simulated_time = strcmp(fresh->mode, "drill") == 0,
    };
    wanted->campaign = fresh;
    wanted->margin = all->terms->publish_margin;
    wanted->large = fresh->ids > STORE_BALANCE_ALWAYS;
    return store_ahead(s, fresh->id, ahead, wanted->whole ? AHEAD : AHEAD_BRIEF, f) &&
           report_counts(s, wanted, a, counts, kept, f);
}

static bool snapshot(struct store *s, const char *name, struct campaign_facts *all, bool brief,
                     bool check_balance, struct arena *a, struct snapshot *out, struct fault *f)
{
    struct campaign fresh;
    struct counts_wanted wanted = {.whole = !brief, .anew = check_balance};
    struct counts counts;
    struct counts_kept kept;
    if (!store_look_begin(s, f)) {
        store_read_end(s);
        return false;
    }
    bool ok =
        begin_snapshot(s, name, all, &fresh, &wanted, &counts, &kept, a, out, f) &&
        (brief ? fill_brief(s, all, &counts, a, out, f) : fill(s, all, &counts, check_balance, a, out, f));
    store_read_end(s);
    all->campaign = NULL; /* it was ours */
    if (ok)
        report_counts_keep(s, fresh.id, &kept);
    return ok;
}

bool store_snapshot_brief(struct store *s, const struct campaign *c, struct utc now,
                          const struct snapshot_terms *terms, struct arena *a, struct snapshot *out,
                          struct fault *f)
{
    struct campaign_facts all = {.terms = terms, .now = now};
    return snapshot(s, c->name, &all, true, false, a, out, f);
}

bool store_snapshot(struct store *s, const struct campaign *c, struct utc now,
                    const struct snapshot_terms *terms, bool check_balance, struct arena *a,
                    struct snapshot *out, struct fault *f)
{
    struct campaign_facts all = {.terms = terms, .now = now};
    return snapshot(s, c->name, &all, false, check_balance, a, out, f);
}
