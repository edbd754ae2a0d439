/* score.h - did what a scenario expects come true?
 *
 * Pure: facts in, verdicts out. Does not: gather the facts (drill) or print them (reporter). Called by:
 * drill. */
#ifndef DRILL_SCORE_H
#define DRILL_SCORE_H

#include "massrevoke/snapshot.h"
#include "scenario.h"

/* What the end of a drill shows, beside its snapshot. Times UTC_NONE: it did not happen. */
struct score_facts {
    const struct snapshot *snapshot;
    bool log_ok;
    struct utc first_notice, first_revocation, last_revocation, finish;
    struct span published_within; /* the longest way from the CA's record to publication */
    int64_t right_reason;         /* revoked with the reason that the rule demands */
    int64_t crl_entries; /* in the CRL at the distribution point, when its issuer is the CA's; else -1 */
    int64_t lost_answers;
};

/* Cohorts that passed their deadline with work left. */
int64_t score_missed(const struct snapshot *s);

/* One verdict for each expectation of the scenario, in `a`. A moment that did not come meets nothing. */
struct report_expectation *score(const struct scenario *scenario, const struct score_facts *facts,
                                 struct arena *a);

#endif
