/* conduct_parts.h - what the files of conduct share. Does not: leave engine/. */
#ifndef MASSREVOKE_ENGINE_CONDUCT_PARTS_H
#define MASSREVOKE_ENGINE_CONDUCT_PARTS_H

#include "massrevoke/conduct.h"

/* Who acts on what, and when. */
static inline struct act conduct_act(const struct conduct *c)
{
    return (struct act){c->campaign.id, c->now, c->who};
}

/* Index in settings of the CA of an issuer of the store; -1 when it is not configured (any more). *out (may
 * be NULL): the issuer as configured. */
int conduct_ca_of(const struct conduct *c, int issuer, const struct settings_issuer **out);

/* Does this request wait for signatures? Not void, expired or approved. */
bool conduct_waits(const struct conduct *c, const struct request *r);

/* Writes the request for a change of a clock, whose number is `change`; its plan digest is that of the words
 * `what`. */
MUST_USE bool conduct_request_for_clock(const struct conduct *c, const struct cohort *cohort,
                                        const char *what, const char *kind, int change, struct arena *a,
                                        int *request, struct fault *f);

/* Completes what a request names (campaign, mode, store, base, requesters, expiry), and writes it as `r`, of
 * which what, cohort, plan and hold are set. */
MUST_USE bool conduct_send_request(const struct conduct *c, const struct approval_subject *subject,
                                   struct request *r, struct arena *a, int *request, struct fault *f);

/* Makes the change of reasons that an approved request names bind. APPROVAL when it is not the one that was
 * signed. */
MUST_USE bool conduct_reason_bind(const struct conduct *c, const struct request *r, struct fault *f);

/* Is what is kept of a request to hold or to release what its text names? APPROVAL when it is not. */
MUST_USE bool conduct_hold_check(const struct conduct *c, const struct request *r, struct fault *f);

/* Holds or releases exactly these, once it is approved; checks them again. */
MUST_USE bool conduct_hold_bind(const struct conduct *c, const struct request *r, struct fault *f);

/* May the entries of this reason bear this date? USAGE: the date of a compromise goes with keyCompromise, and
 * lies between 1990 and now. */
MUST_USE bool conduct_compromise_date(const struct conduct *c, int reason, struct utc at, struct fault *f);

/* A plan of all that is left of a started cohort, what an engine has claimed too, if the work goes on now;
 * written nowhere. *any false: nothing is left, and *out is empty. */
MUST_USE bool conduct_plan_left(const struct conduct *c, const struct cohort *cohort, struct arena *a,
                                struct conduct_plan *out, bool *any, struct fault *f);

/* The profile that a cohort under this clause is planned with: the campaign's, or, when the campaign has the
 * one that its first clause brings, the one that this clause brings. */
MUST_USE bool conduct_profile(const struct conduct *c, const struct rule *rule, struct arena *a,
                              struct profile *out, struct fault *f);

/* Refuses a cohort with CA certificates outside their clause: a configured issuer's own, or what the
 * inventory says is one. *named: it is under that clause (BR 4.9.1.2), and its request names each. */
MUST_USE bool conduct_check_cas(const struct conduct *c, const struct cohort *cohort, struct arena *a,
                                bool *named, struct fault *f);

/* Refuses a plan that would take out too much: CA certificates outside their clause, or a larger part of the
 * base than the profile allows without an override, which is an event. *lines: what the request says of it,
 * "" nothing. */
MUST_USE bool conduct_blast(const struct conduct *c, const struct cohort *cohort, struct arena *a,
                            const char **lines, struct fault *f);

/* Started, and no approver has withdrawn since: everything else waits for an approval. */
bool conduct_goes(const struct cohort *cohort);

/* Applies the change of a clock that an approved request names. APPROVAL when it is not the one that was
 * signed. */
MUST_USE bool conduct_clock_bind(const struct conduct *c, const struct request *r, struct fault *f);

#endif
