/* What a pause costs: planned with the rest as it stands, as if the work went on at one time or another. */
#include "conduct_parts.h"
#include "massrevoke/planner.h"
#include "massrevoke/store_safety.h"

#define HOUR 3600
#define STEP 60 /* seconds to which the latest moment is found */

/* Does every deadline hold if the work begins again at `at`, and with how much to spare? */
static bool begin_at(const struct plan_input *input, struct utc at, bool *yes, struct span *slack,
                     struct fault *f)
{
    AUTO_ARENA scratch = {0};
    struct plan_input in = *input;
    struct plan plan;
    in.now = at;
    if (!planner_build(&in, &scratch, &plan, f))
        return false;
    *yes = plan.feasible;
    *slack = plan.slack;
    return true;
}

static bool holds(const struct plan_input *input, struct utc at, bool *yes, struct fault *f)
{
    struct span slack;
    return begin_at(input, at, yes, &slack, f);
}

/* The later the work begins the less fits, so halving finds the last moment. */
static bool find_latest(const struct plan_input *input, struct utc now, struct utc *latest, struct fault *f)
{
    struct utc low = now, high = utc_add(input->received, input->deadline);
    bool yes;
    *latest = UTC_NONE;
    if (!holds(input, low, &yes, f) || !yes)
        return f->kind == FAULT_NONE;
    while (high.s - low.s > STEP) {
        struct utc middle = {low.s + (high.s - low.s) / 2};
        if (!holds(input, middle, &yes, f))
            return false;
        *(yes ? &low : &high) = middle;
    }
    *latest = low;
    return true;
}

static bool cost_of(const struct conduct *c, const struct cohort *cohort, struct conduct_pause *out,
                    struct fault *f)
{
    AUTO_ARENA a = {0};
    struct conduct_plan p;
    struct utc latest;
    bool any, yes;
    if (!conduct_plan_left(c, cohort, &a, &p, &any, f))
        return false;
    if (!any || p.value.number_count == p.value.held)
        return true;
    if (!find_latest(&p.input, c->now, &latest, f))
        return false;
    if (out->cohort != 0 && out->latest.s <= latest.s)
        return true;
    out->cohort = cohort->cohort;
    out->latest = latest;
    out->slack = p.value.slack;
    out->late = p.value.late;
    return begin_at(&p.input, utc_add(c->now, (struct span){HOUR}), &yes, &out->slack_after, f);
}

bool conduct_pause_cost(const struct conduct *c, struct conduct_pause *out, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    size_t n;
    *out = (struct conduct_pause){.latest = UTC_NONE};
    if (!store_cohorts(c->store, c->campaign.id, &a, &cohorts, &n, f) ||
        !store_due_within(c->store, c->campaign.id, utc_add(c->now, (struct span){HOUR}), &out->hour, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (conduct_goes(&cohorts[i]) && !cost_of(c, &cohorts[i], out, f))
            return false;
    return true;
}
