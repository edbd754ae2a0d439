/* What the counts mean: states, verdicts, finish and slack, what waits, what to type next. */
#include "report_parts.h"

#include <inttypes.h>

static int64_t left(const struct totals *t)
{
    return t->pending_publication + t->not_revoked + t->held + t->unknown;
}

static bool is_started(const struct cohort *c)
{
    return utc_is_set(c->started_at);
}

static bool is_running(const struct cohort *c)
{
    return is_started(c) && !utc_is_set(c->voided_at);
}

static enum campaign_state state_of(const struct campaign_facts *all, const struct cohort_facts *c)
{
    if (utc_is_set(all->campaign->closed_at))
        return CAMPAIGN_CLOSED;
    if (is_started(&c->cohort) && left(&c->totals) == 0)
        return CAMPAIGN_FINISHED;
    if (is_started(&c->cohort))
        return utc_is_set(c->cohort.voided_at) || all->campaign->paused_revoke ? CAMPAIGN_PAUSED
                                                                               : CAMPAIGN_RUNNING;
    if (c->cohort.plan == 0)
        return CAMPAIGN_OPEN;
    return cohort_is_approved(&c->cohort, all->terms->quorum, all->now) ? CAMPAIGN_APPROVED
                                                                        : CAMPAIGN_PLANNED;
}

/* When the last one that needs nobody is published: never before what is due now is done at the CA's rate,
 * and nothing is published before the margin has passed. UTC_NONE: nothing left, or nothing dealt. */
static struct utc finish_of(const struct campaign_facts *all, const struct cohort_facts *c)
{
    int64_t work = c->totals.not_revoked - c->person;
    bool pending = c->totals.pending_publication > 0;
    if ((work <= 0 && !pending) || (work > 0 && !utc_is_set(c->last_due)))
        return UTC_NONE;
    struct utc last = all->now;
    if (work > 0) {
        int64_t due = c->due < work ? c->due : work;
        last = utc_max(c->last_due, utc_add(all->now, (struct span){rate_seconds(all->terms->rate, due)}));
    }
    if (work > 0 && utc_is_set(c->paced)) /* what the CA really does counts more than what it should */
        last = utc_max(last, c->paced);
    return utc_add(last, all->terms->publish_margin);
}

/* Something that only a living engine moves on is waiting. */
static bool is_idle(const struct campaign_facts *all, const struct cohort_facts *c)
{
    return is_running(&c->cohort) && !all->campaign->paused_revoke && !all->engine_alive &&
           (c->due > 0 || c->totals.pending_publication > 0);
}

/* Every word about lateness because of a hold comes from here. One that should have ended is there until an
 * engine ends it, so what it keeps begins now at the earliest; then it has to be revoked and published. */
void report_judge_hold(const struct snapshot_terms *terms, struct utc now, struct utc deadline,
                       struct snapshot_hold *h)
{
    struct span work = {rate_seconds(terms->rate, h->certificates)};
    h->finish = UTC_NONE;
    if (utc_is_set(h->until))
        h->finish = utc_add(utc_add(utc_max(h->until, now), work), terms->publish_margin);
    h->late = !utc_is_set(h->finish) || h->finish.s > deadline.s;
}

static enum verdict verdict_of(const struct campaign_facts *all, const struct cohort_facts *c,
                               const struct snapshot_cohort *out)
{
    bool work = left(&c->totals) > 0;
    if (out->missed)
        return VERDICT_MISSED;
    if (!work)
        return VERDICT_DONE;
    /* holding certificates until it is too late for them is a delay, not a state of rest */
    if (out->slack.s < 0 || out->held_late > 0)
        return VERDICT_BEHIND;
    if (out->slack.s < all->terms->reserve.s / 4 || c->infeasible || is_idle(all, c))
        return VERDICT_AT_RISK;
    return VERDICT_ON_TRACK;
}

void report_judge_cohort(const struct campaign_facts *all, const struct cohort_facts *c,
                         struct snapshot_cohort *out)
{
    int64_t work = c->totals.not_revoked - c->person;
    out->cohort = c->cohort.cohort;
    out->state = state_of(all, c);
    out->rule = c->cohort.rule;
    out->reason = c->cohort.reason;
    out->received = c->cohort.received;
    out->deadline = c->cohort.deadline;
    out->totals = c->totals;
    out->should_24h = c->should_24h;
    out->held_late = c->held_late;
    out->missed = c->cohort.missed || (left(&c->totals) > 0 && all->now.s > c->cohort.deadline.s);
    out->projected_finish = finish_of(all, c);
    /* without a plan the best that can be is: all at once now, and then the margin */
    struct utc best = utc_is_set(out->projected_finish) ? out->projected_finish
                      : work > 0                        ? utc_add(all->now, all->terms->publish_margin)
                                                        : all->now;
    out->slack = utc_sub(out->deadline, best);
    out->verdict = verdict_of(all, c, out);
    out->delay_expected =
        out->missed || (left(&c->totals) > 0 && (out->slack.s < 0 || c->infeasible || c->held_late > 0));
}

static enum campaign_state state_of_campaign(const struct campaign_facts *all, const struct snapshot *s)
{
    size_t n[CAMPAIGN_STATE_COUNT] = {0};
    if (utc_is_set(all->campaign->closed_at))
        return CAMPAIGN_CLOSED;
    for (size_t i = 0; i < s->cohort_count; i++)
        n[s->cohorts[i].state]++;
    /* what moves or stands still now, then what waits, then what is over */
    static const enum campaign_state order[] = {CAMPAIGN_RUNNING, CAMPAIGN_PAUSED, CAMPAIGN_APPROVED,
                                                CAMPAIGN_PLANNED, CAMPAIGN_OPEN,   CAMPAIGN_FINISHED};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (n[order[i]] > 0)
            return order[i];
    return CAMPAIGN_OPEN;
}

/* Of the unfinished cohort with least slack; when all are finished, of the one with the latest deadline. */
static const struct snapshot_cohort *decisive(const struct snapshot *s)
{
    const struct snapshot_cohort *tight = NULL, *last = NULL;
    for (size_t i = 0; i < s->cohort_count; i++) {
        const struct snapshot_cohort *c = &s->cohorts[i];
        if (left(&c->totals) > 0 && (tight == NULL || c->slack.s < tight->slack.s))
            tight = c;
        if (last == NULL || c->deadline.s > last->deadline.s)
            last = c;
    }
    return tight != NULL ? tight : last;
}

void report_judge_campaign(const struct campaign_facts *all, struct snapshot *s)
{
    static const struct snapshot_cohort none = {
        .deadline = {INT64_MIN}, .projected_finish = {INT64_MIN}, .slack = {0}};
    const struct snapshot_cohort *c = decisive(s);
    if (c == NULL)
        c = &none;
    s->state = state_of_campaign(all, s);
    s->deadline = c->deadline;
    s->projected_finish = c->projected_finish;
    s->slack = c->slack;
    s->verdict = s->cohort_count == 0 ? VERDICT_ON_TRACK : VERDICT_DONE;
    for (size_t i = 0; i < s->cohort_count; i++)
        if (s->cohorts[i].verdict < s->verdict)
            s->verdict = s->cohorts[i].verdict;
    for (size_t i = 0; i < s->cohort_count; i++)
        s->delay_expected = s->delay_expected || s->cohorts[i].delay_expected;
    for (size_t i = 0; i < s->cohort_count; i++)
        s->held_late += s->cohorts[i].held_late;
}

/* Does this request still ask for something? */
static bool is_waiting(const struct campaign_facts *all, const struct request *r, const struct cohort *c)
{
    if (r->void_reason[0] != '\0' || r->approvals >= all->terms->quorum || r->expires_at.s <= all->now.s)
        return false;
    return strcmp(r->what, "plan") != 0 || (c != NULL && !is_started(c) && c->plan == r->plan);
}

static const struct cohort *find_cohort(const struct cohort *cohorts, size_t n, int cohort)
{
    for (size_t i = 0; i < n; i++)
        if (cohorts[i].cohort == cohort)
            return &cohorts[i];
    return NULL;
}

/* The first cohort in a state; NULL when there is none. */
static const struct snapshot_cohort *first_in(const struct snapshot *s, enum campaign_state state)
{
    for (size_t i = 0; i < s->cohort_count; i++)
        if (s->cohorts[i].state == state)
            return &s->cohorts[i];
    return NULL;
}

static const char *with_cohort(struct arena *a, const struct snapshot *s, const char *command,
                               enum campaign_state state)
{
    const struct snapshot_cohort *c = first_in(s, state);
    return c == NULL || s->cohort_count == 1
               ? arena_format(a, "massrevoke %s", command)
               : arena_format(a, "massrevoke %s --cohort %d", command, c->cohort);
}

static const char *next_command(const struct campaign_facts *all, struct arena *a, const struct snapshot *s)
{
    if (!s->balance_ok)
        return "massrevoke evidence verify";
    if (s->state == CAMPAIGN_RUNNING && !all->engine_alive)
        return "massrevoke run";
    if (s->requests_waiting > 0)
        return arena_format(a, "massrevoke approve %d --key FILE --cert FILE",
                            s->requests[s->requests_waiting - 1].request);
    if (first_in(s, CAMPAIGN_APPROVED) != NULL)
        return with_cohort(a, s, "start", CAMPAIGN_APPROVED);
    if (first_in(s, CAMPAIGN_PLANNED) != NULL) /* its request was voided or has expired */
        return with_cohort(a, s, "plan", CAMPAIGN_PLANNED);
    if (first_in(s, CAMPAIGN_OPEN) != NULL)
        return with_cohort(a, s, "plan", CAMPAIGN_OPEN);
    if (s->cohort_count == 0)
        return "massrevoke import FILE";
    if (s->state == CAMPAIGN_PAUSED)
        return all->campaign->paused_revoke ? "massrevoke resume" : "massrevoke request list";
    if (s->state == CAMPAIGN_RUNNING)
        return "massrevoke status --watch";
    return s->state == CAMPAIGN_FINISHED ? "massrevoke report full" : "massrevoke evidence export DIR";
}

bool report_waiting(struct store *store, const struct campaign_facts *all, const struct cohort *cohorts,
                    struct arena *a, struct snapshot *s, struct fault *f)
{
    struct request *requests;
    size_t n;
    char expires[UTC_TEXT];
    const char *newest = "";
    if (!store_requests(store, all->campaign->id, a, &requests, &n, f))
        return false;
    struct snapshot_request *waiting = arena_array(a, n, sizeof *waiting);
    for (size_t i = 0; i < n; i++) {
        const struct request *r = &requests[i];
        if (!is_waiting(all, r, find_cohort(cohorts, s->cohort_count, r->cohort)))
            continue;
        newest = arena_format(a, "request %d (%s): %d of %d approvals, expires %s", r->request, r->what,
                              r->approvals, all->terms->quorum, utc_format(r->expires_at, expires));
        waiting[s->requests_waiting++] = (struct snapshot_request){r->request, newest};
    }
    s->requests = waiting;
    s->waiting_text = s->requests_waiting < 2 ? newest
                                              : arena_format(a, "%s; %lld more: request list", newest,
                                                             (long long)s->requests_waiting - 1);
    s->next_command = next_command(all, a, s);
    return true;
}
