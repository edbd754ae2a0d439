/* report_parts.h - the parts of a snapshot between the files that make it.
 * Does not: leave store/. */
#ifndef STORE_REPORT_PARTS_H
#define STORE_REPORT_PARTS_H

#include "internal.h"
#include "massrevoke/store_clock.h"
#include "massrevoke/store_report.h"

/* What the store holds of one cohort, before anything is concluded. */
struct cohort_facts {
    struct cohort cohort;
    struct totals totals;
    int64_t doubt, person, unnumbered, excluded_expired, short_lived, withdrawn;
    bool infeasible;     /* its plan says so */
    struct utc last_due; /* of what is not recorded yet; UTC_NONE: nothing is dealt */
    int64_t due;         /* certificates in chunks that are due */
    int64_t should_24h;
    int64_t held_late; /* certificates that holds keep beyond the deadline */
    struct utc paced;  /* when the dealt work is done at the measured rate; UTC_NONE: no such rate */
    int64_t paced_left, paced_per_hour; /* on the CA that ends last */
};

/* What all cohorts share. */
struct campaign_facts {
    const struct campaign *campaign;
    const struct snapshot_terms *terms;
    struct utc now;
    bool engine_alive;
};

/* Concludes when what a hold keeps can be published, and whether that is too late. Pure. */
void report_judge_hold(const struct snapshot_terms *terms, struct utc now, struct utc deadline,
                       struct snapshot_hold *h);

/* The holds in force, by cohort, judged. */
MUST_USE bool report_holds(struct store *store, int campaign, struct utc now,
                           const struct snapshot_terms *terms, const struct cohort *cohorts,
                           size_t cohort_count, struct arena *a, struct snapshot_hold **out, size_t *n,
                           struct fault *f);

/* Concludes state, verdict, projected finish and slack. Pure. */
void report_judge_cohort(const struct campaign_facts *all, const struct cohort_facts *c,
                         struct snapshot_cohort *out);

/* Concludes the campaign's state, verdict, deadline, finish and slack from its cohorts. Pure. */
void report_judge_campaign(const struct campaign_facts *all, struct snapshot *s);

/* The measured rates, and when each cohort's work ends at them. */
MUST_USE bool report_pace(struct store *store, const struct campaign_facts *all, struct cohort_facts *cohorts,
                          size_t n, struct arena *a, struct snapshot *s, struct fault *f);

/* The sentence of a cohort that is behind; "" for others. */
const char *report_behind(const struct campaign_facts *all, const struct cohort_facts *c,
                          const struct snapshot_cohort *out, struct arena *a);

struct counts;

/* The tasks of a campaign, with cohorts and counts that were read already. */
MUST_USE bool report_tasks(struct store *store, const struct campaign *c, const struct task_terms *terms,
                           const struct cohort *cohorts, size_t cohort_count, const struct counts *counts,
                           struct arena *a, struct task **out, size_t *n, struct fault *f);

/* Replaced certificates and failed lints. */
MUST_USE bool report_replacements(struct store *store, int campaign, struct arena *a, struct snapshot *s,
                                  struct fault *f);

/* What waits for a person, and the command to type next. */
MUST_USE bool report_waiting(struct store *store, const struct campaign_facts *all,
                             const struct cohort *cohorts, struct arena *a, struct snapshot *s,
                             struct fault *f);

/* Decisions and milestones as sentences. */
MUST_USE bool report_timeline(struct store *store, int campaign, struct arena *a, struct snapshot *s,
                              struct fault *f);

/* Compares certificate rows, counters, state bytes, journal and the signed digests of pages [first, last],
 * and with `lists` also rows against lists; adds to *out. Must run inside a read. Cost: linear in the
 * certificates and the journal of those pages. */
MUST_USE bool report_balance_pages(struct store *store, int campaign, int first, int last, bool lists,
                                   struct balance *out, struct fault *f);

/* The same for the whole ledger, into an empty *out. */
MUST_USE bool report_balance(struct store *store, int campaign, struct balance *out, struct fault *f);

#endif
