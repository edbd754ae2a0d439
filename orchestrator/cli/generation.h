/* generation.h - a database that was put back to an earlier state must not act before a person says so.
 *
 * This host keeps, in the state folder and so outside of the database, how far each campaign's log was and
 * a digest over its last leaves; the store keeps which server it was on. A log that is shorter now, or says
 * something else there, or lies on another server or timeline, is a restored snapshot. I/O. Does not: stop a
 * person, find out when the state folder was put back together with the database. Called by: run, notify, db
 * confirm, and whatever acts on a campaign. */
#ifndef MASSREVOKE_CLI_GENERATION_H
#define MASSREVOKE_CLI_GENERATION_H

#include "massrevoke/store_log.h"
#include "session.h"

/* What is known of one campaign. */
struct generation {
    const struct session *session;
    const char *file;
    int64_t size; /* leaves seen; 0: none */
    struct digest last;
    int confirmed;
    struct utc kept; /* when the file was written last */
};

/* Reads what this host knows. Faults: FAILED. */
MUST_USE bool generation_open(struct session *s, struct generation *out, struct fault *f);

/* May engines act on this store? `context` is the generation (engine_parts.may_act). CONFLICT names the
 * command. */
MUST_USE bool generation_check(void *context, struct store *store, struct fault *f);

/* Keeps how far the log is, at most every ten seconds unless `now`; of a database that is not the one this
 * host knows it keeps nothing. */
MUST_USE bool generation_keep(struct generation *g, bool now, struct fault *f);

/* The same after a command of a person: what was held or dropped must not be lost unnoticed. */
MUST_USE bool generation_follow(struct session *s, struct fault *f);

#endif
