/* The measured rate and what it means for the deadlines; replacements as figures. */
#include "massrevoke/store_replan.h"
#include "report_parts.h"

#define CAS 100      /* as many as a configuration may have */
#define FAILURES 100 /* failed lints that are listed */

bool report_pace(struct store *store, const struct campaign_facts *all, struct cohort_facts *cohorts,
                 size_t n, struct arena *a, struct snapshot *s, struct fault *f)
{
    struct rate *rates;
    struct pace_end *ends;
    size_t count;
    if (!store_measured(store, all->campaign->id, all->now, CAS, a, &rates, f) ||
        !store_pace(store, all->campaign->id, all->now, rates, CAS, a, &ends, &count, f))
        return false;
    for (size_t ca = 0; ca < CAS; ca++) {
        int64_t hourly = rate_per_hour(rates[ca]);
        if (rates[ca].count > 0 && (s->measured_per_hour == 0 || hourly < s->measured_per_hour))
            s->measured_per_hour = hourly;
    }
    for (size_t k = 0; k < n; k++) {
        cohorts[k].paced = UTC_NONE;
        for (size_t i = 0; i < count; i++)
            if (ends[i].cohort == cohorts[k].cohort.cohort && ends[i].finish.s > cohorts[k].paced.s) {
                cohorts[k].paced = ends[i].finish;
                cohorts[k].paced_left = ends[i].left;
                cohorts[k].paced_per_hour = rate_per_hour(rates[ends[i].ca]);
            }
    }
    return true;
}

/* A cohort that is behind by its plan alone is reckoned with the rate that is configured. */
const char *report_behind(const struct campaign_facts *all, const struct cohort_facts *c,
                          const struct snapshot_cohort *out, struct arena *a)
{
    bool paced = utc_is_set(c->paced);
    struct behind b = {.per_hour = paced ? c->paced_per_hour : rate_per_hour(all->terms->rate),
                       .left = paced ? c->paced_left : c->totals.not_revoked - c->person,
                       .now = all->now,
                       .finish = out->projected_finish,
                       .deadline = out->deadline,
                       .publish_margin = all->terms->publish_margin};
    if (out->verdict != VERDICT_BEHIND || !utc_is_set(b.finish) || b.left <= 0 || b.per_hour == 0)
        return "";
    return snapshot_behind(&b, a);
}

bool report_replacements(struct store *store, int campaign, struct arena *a, struct snapshot *s,
                         struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *counts = NULL;
    AUTO_RESULT *failures = NULL;
    struct snapshot_replacements *out = &s->replacements;
    put_int(&p, campaign);
    if (!store_query(store, "report_replacements", &p, &counts, f))
        return false;
    out->replaced = get_int(counts, 0, 0);
    out->live_replaced = get_int(counts, 0, 1);
    out->lint_failed = get_int(counts, 0, 2);
    put_int(&p, campaign);
    put_int(&p, FAILURES);
    if (out->lint_failed > 0 && !store_query(store, "report_lint", &p, &failures, f))
        return false;
    out->failure_count = failures == NULL ? 0 : (size_t)PQntuples(failures);
    struct snapshot_lint *list = arena_array(a, out->failure_count, sizeof *list);
    for (size_t i = 0; i < out->failure_count; i++)
        list[i] = (struct snapshot_lint){get_serial(failures, (int)i, 0),
                                         arena_text(a, get_text(failures, (int)i, 2)),
                                         arena_text(a, get_text(failures, (int)i, 1))};
    out->failures = list;
    return true;
}
