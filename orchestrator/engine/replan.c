/* A plan that follows reality: is what was dealt kept at the rate that is measured, and if not, a new plan;
 * then who got an earlier hour by a plan, whoever made it. What and whom the approval covers does not change
 * by it. */
#include "internal.h"
#include "massrevoke/conduct.h"
#include "massrevoke/store_replan.h"

#include <inttypes.h>
#include <stdio.h>

#define CHECK_EVERY 60   /* seconds between looks at the pace */
#define REPLAN_EVERY 600 /* seconds between plans of one cohort, at least */
#define LATE 3600        /* seconds behind that a new plan is made for */
#define BACKLOG 600      /* what is worked off sooner than that at full rate stays in the order of the plan */

/* What one look saw. */
struct look_ahead {
    struct rate *measured; /* per CA */
    struct pace_end *ends;
    size_t end_count;
    struct replan_due *dues;
    size_t due_count;
    struct cohort *cohorts;
    size_t cohort_count;
};

static bool see(struct engine *e, struct utc now, struct arena *a, struct look_ahead *l, struct fault *f)
{
    struct store *s = e->parts.store;
    int c = e->parts.campaign;
    size_t cas = e->parts.ca_count;
    return store_cohorts(s, c, a, &l->cohorts, &l->cohort_count, f) &&
           store_measured(s, c, now, cas, a, &l->measured, f) &&
           store_pace(s, c, now, l->measured, cas, a, &l->ends, &l->end_count, f) &&
           store_replan_due(s, c, now, e->skip, e->skip_count, a, &l->dues, &l->due_count, f);
}

static const struct cohort *cohort_of(const struct look_ahead *l, int cohort)
{
    for (size_t i = 0; i < l->cohort_count; i++)
        if (l->cohorts[i].cohort == cohort)
            return &l->cohorts[i];
    return NULL;
}

/* The sentence about the cohort that will be latest, for the screen of `run`. */
static void tell_pace(struct engine *e, const struct look_ahead *l, struct utc now)
{
    AUTO_ARENA a = {0};
    int64_t worst = 0;
    e->behind[0] = '\0';
    for (size_t i = 0; i < l->end_count; i++) {
        const struct pace_end *end = &l->ends[i];
        const struct cohort *cohort = cohort_of(l, end->cohort);
        if (cohort == NULL || cohort->missed)
            continue;
        struct behind b = {.per_hour = rate_per_hour(l->measured[end->ca]),
                           .left = end->left,
                           .now = now,
                           .finish = utc_add(end->finish, e->parts.profile.publish_margin),
                           .deadline = cohort->deadline,
                           .publish_margin = e->parts.profile.publish_margin};
        int64_t late = utc_sub(b.finish, b.deadline).s;
        if (late > worst) {
            worst = late;
            snprintf(e->behind, sizeof e->behind, "%s", snapshot_behind(&b, &a));
        }
    }
}

/* The rate that work on this CA is reckoned with. */
static struct rate rate_of(const struct engine *e, const struct look_ahead *l, int ca)
{
    return rate_slower(e->parts.settings->cas[ca].rate, l->measured[ca]);
}

/* More than an hour behind, with more to do than a few minutes' work, and a CA that takes requests again:
 * while it is away no plan is better than another. */
static bool is_late(const struct engine *e, const struct look_ahead *l, const struct replan_due *d,
                    struct utc now)
{
    return d->ca >= 0 && d->ca < (int)e->parts.ca_count && utc_is_set(d->oldest) &&
           d->oldest.s < now.s - LATE && e->lines[d->ca].rest_seconds == 0 &&
           rate_seconds(rate_of(e, l, d->ca), d->backlog) > BACKLOG;
}

/* The measured rate ends the work later than it is dealt: by an hour, or past the deadline. */
static bool is_slow(const struct engine *e, const struct look_ahead *l, int cohort)
{
    const struct cohort *of = cohort_of(l, cohort);
    for (size_t i = 0; i < l->end_count && of != NULL; i++) {
        const struct pace_end *end = &l->ends[i];
        int64_t slips = utc_sub(end->finish, end->planned).s;
        int64_t last = of->deadline.s - e->parts.profile.publish_margin.s;
        bool misses = end->planned.s <= last && end->finish.s > last;
        if (end->cohort == cohort && (slips > LATE || (misses && slips > BACKLOG)))
            return true;
    }
    return false;
}

/* A plan that gave some up as late was made for a slower CA than this one now is. */
static bool is_faster(const struct engine *e, const struct look_ahead *l, const struct replan_due *d)
{
    for (size_t ca = 0; ca < e->parts.ca_count && !d->feasible; ca++) {
        int64_t then = e->planned_rate[ca], now = rate_per_hour(rate_of(e, l, (int)ca));
        if (then > 0 && l->measured[ca].count > 0 && now > then + then / 4)
            return true;
    }
    return false;
}

/* Why this cohort is planned anew; NULL: its plan stays. */
static const char *reason(const struct engine *e, const struct look_ahead *l, const struct replan_due *d,
                          struct utc now)
{
    if (utc_sub(now, d->planned_at).s < REPLAN_EVERY)
        return NULL;
    return d->replaced                ? "replacements came in"
           : is_late(e, l, d, now)    ? "it was more than an hour behind"
           : is_slow(e, l, d->cohort) ? "the measured rate is below the plan"
           : is_faster(e, l, d)       ? "the measured rate has risen"
                                      : NULL;
}

static bool note(struct engine *e, const struct look_ahead *l, const struct conduct_plan *plan,
                 const char *why, struct fault *f)
{
    AUTO_JSON *data = json_object(), *rates = json_array();
    struct act act = engine_act(e);
    json_set_int(data, "cohort", plan->cohort);
    json_set_int(data, "plan", plan->plan);
    json_set_text(data, "reason", why);
    for (size_t ca = 0; ca < e->parts.ca_count; ca++) {
        e->planned_rate[ca] = rate_per_hour(rate_of(e, l, (int)ca));
        json_array_append_new(rates, json_integer(e->planned_rate[ca]));
    }
    json_object_set_new(data, "rates_per_hour", json_incref(rates));
    return store_note(e->parts.store, &act, "replan", data, f);
}

/* A plan that cannot be made stops nothing: what is dealt goes on. */
static bool plan_anew(struct engine *e, const struct look_ahead *l, const struct campaign *campaign,
                      int cohort, const char *why, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct conduct_plan plan;
    struct fault problem = {0};
    struct conduct c = engine_conduct(e);
    c.campaign = *campaign;
    c.measured = l->measured;
    if (conduct_plan(&c, cohort, c.now, false, &a, &plan, &problem)) {
        if (!plan.value.feasible)
            snprintf(e->warning, sizeof e->warning,
                     "plan %d of cohort %d is late for %" PRIu64 " certificates: %.300s", plan.plan, cohort,
                     plan.value.late, plan.value.remedy);
        return note(e, l, &plan, why, f);
    }
    if (problem.kind == FAULT_UNAVAILABLE) {
        *f = problem;
        return false;
    }
    snprintf(e->warning, sizeof e->warning, "cohort %d was not planned anew: %.400s", cohort, problem.text);
    return true;
}

static bool check(struct engine *e, struct utc now, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct look_ahead l = {0};
    struct campaign campaign;
    if (!store_campaign_find(e->parts.store, e->parts.campaign_name, &a, &campaign, f) ||
        !see(e, now, &a, &l, f))
        return false;
    tell_pace(e, &l, now);
    for (size_t i = 0; i < l.due_count && !campaign.paused_revoke; i++) {
        bool again = i > 0 && l.dues[i - 1].cohort == l.dues[i].cohort;
        const char *why = again ? NULL : reason(e, &l, &l.dues[i], now);
        for (size_t k = i + 1;
             !again && why == NULL && k < l.due_count && l.dues[k].cohort == l.dues[i].cohort; k++)
            why = reason(e, &l, &l.dues[k], now);
        if (why != NULL && !plan_anew(e, &l, &campaign, l.dues[i].cohort, why, f))
            return false;
    }
    return true;
}

bool engine_replan(struct engine *e, struct fault *f)
{
    struct act act = engine_act(e);
    int64_t moved = 0;
    if (!utc_is_set(e->pace_checked) || act.at.s >= e->pace_checked.s + CHECK_EVERY) {
        if (!check(e, act.at, f))
            return false;
        e->pace_checked = act.at;
    }
    if (!e->parts.profile.notices || e->parts.mail == NULL)
        return true;
    if (!store_moves_note(e->parts.store, &act, &moved, f))
        return false;
    if (moved > 0) /* who moved earlier is told before anything is claimed */
        e->notify_wake = act.at;
    return true;
}
