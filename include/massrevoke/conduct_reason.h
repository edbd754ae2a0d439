/* conduct_reason.h - another reason for what is revoked already, as an act of a campaign (BR 7.2.2: an
 * upgrade to keyCompromise; the correction of a wrong batch).
 *
 * A change is an approved plan of its own: it names exactly its certificates, the reason and the dates, and
 * binds when its request reaches the quorum (conduct_approve). It is carried out only by a backend that keeps
 * the date; elsewhere the serials go to the CA's administrator, and what is published is looked at
 * afterwards. I/O through the store. Does not: talk to a CA (engine), print. Called by: cli, engine. */
#ifndef MASSREVOKE_CONDUCT_REASON_H
#define MASSREVOKE_CONDUCT_REASON_H

#include "massrevoke/conduct.h"
#include "massrevoke/store_reason.h"

/* What is wanted. */
struct conduct_reason {
    enum reason to;
    struct utc compromised_at; /* UTC_NONE: each date stays */
    bool elsewhere;            /* the CA's administrator makes it */
    const char *why;
};

/* Writes the change and its request. Faults: USAGE (a reason that no campaign has, a date that does not go
 * with it), REFUSED (a backend that can't, unless elsewhere; a certificate that is not revoked), CONFLICT
 * (another change of one of them is not over, or it bears that reason). Nothing is written then. */
MUST_USE bool conduct_reason(const struct conduct *c, const struct conduct_reason *wanted,
                             const struct listed *items, size_t n, int *change, int *request,
                             struct fault *f);

/* The words that are signed for a change, from its rows: the same for the same certificates, reason and
 * dates. */
MUST_USE bool conduct_reason_words(struct store *s, int campaign, const struct reason_change *change,
                                   struct arena *a, const char **out, struct fault *f);

#endif
