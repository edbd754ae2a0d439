/* What holds keep, and which of it comes too late. */
#include "report_parts.h"

static struct utc deadline_of(const struct cohort *cohorts, size_t n, int cohort)
{
    for (size_t i = 0; i < n; i++)
        if (cohorts[i].cohort == cohort)
            return cohorts[i].deadline;
    return UTC_NONE;
}

bool report_holds(struct store *store, int campaign, struct utc now, const struct snapshot_terms *terms,
                  const struct cohort *cohorts, size_t cohort_count, struct arena *a,
                  struct snapshot_hold **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(store, "report_holds", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++) {
        struct snapshot_hold *h = &(*out)[i];
        *h = (struct snapshot_hold){.cohort = (int)get_int(r, i, 0),
                                    .hold = (int)get_int(r, i, 1),
                                    .court = strcmp(get_text(r, i, 2), "court") == 0,
                                    .document = arena_text(a, get_text(r, i, 3)),
                                    .until = get_utc(r, i, 4),
                                    .certificates = get_int(r, i, 5)};
        report_judge_hold(terms, now, deadline_of(cohorts, cohort_count, h->cohort), h);
    }
    return true;
}
