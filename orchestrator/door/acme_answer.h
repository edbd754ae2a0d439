/* acme_answer.h - what an ACME server's answers say (RFC 8555 6.7, 7.1.1, 7.6).
 *
 * Pure; foreign bytes. The problem's `type` decides, not the HTTP status: everything is 400 or 403 (facts of
 * backends 0.4, 1.4). Does not: talk to anybody. Called by: ca_acme.c. */
#ifndef DOOR_ACME_ANSWER_H
#define DOOR_ACME_ANSWER_H

#include "massrevoke/arena.h"
#include "massrevoke/backend.h"

/* Where the server's resources are. */
struct acme_directory {
    const char *nonce, *account, *revoke;
};

/* Reads a directory; addresses must be https or of this machine. FAILED: it is none, or knows no revocation.
 */
MUST_USE bool acme_read_directory(struct str body, struct arena *a, struct acme_directory *out,
                                  struct fault *f);

/* What an answer to a POST means. `revoke`: it was a revocation, and a success must bring a nonce. *again: it
 * was refused for its nonce alone, and may be sent again at once. *who: it was refused for who signed it. */
struct acme_verdict {
    enum backend_meaning meaning;
    bool again, who;
};
struct acme_verdict acme_judge(long http, struct str body, bool has_nonce);

#endif
