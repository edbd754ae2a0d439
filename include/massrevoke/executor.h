/* executor.h - what to do with each claimed certificate, and what an answer means for it.
 *
 * Pure: the ten sentences of design section 3 as small functions over values; the engine performs. Source of
 * the outcome classes: real backends' answers. Does not: talk to a CA, a clock or the database. Called by:
 * engine, tests. */
#ifndef MASSREVOKE_EXECUTOR_H
#define MASSREVOKE_EXECUTOR_H

#include "massrevoke/certificate.h"
#include "massrevoke/outcome.h"

/* The next step for one claimed certificate. */
enum executor_step {
    EXECUTOR_NOTHING, /* not asked and not in doubt: somebody else's business */
    EXECUTOR_SEND,    /* revoke */
    EXECUTOR_ASK,     /* ask for its status first; in doubt: not before the quiet time has passed */
};

/* Sentence 7: asked and doubt are sent where a second request never changes date or reason and no hold or
 * drop is noted, and asked about elsewhere: of the CA, or of the world when the CA tells no status. */
enum executor_step executor_step(uint8_t state, bool keeps_first_date);

/* After a status answer: may a certificate that was asked about be sent now? Only an asked one that is not
 * revoked; one in doubt goes back to due first and is claimed anew (sentence 3). */
bool executor_may_send(uint8_t state, enum ca_outcome answer);

/* The event that an answer means for a certificate with this byte, whose first earlier intent was at `intent`
 * (the end of time, INT64_MAX, when this claim is the first).
 * Returns false when it means none (an answer that leaves it as it is). A backend's "revoked before" counts
 * as ours when the CA's date does not lie before our intent (sentence 7). */
bool executor_event(uint8_t state, struct utc intent, enum ca_outcome outcome, struct utc ca_at,
                    enum certificate_event *event);

#endif
