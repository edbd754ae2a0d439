/* ca_sql.h - the CA door that writes to the CA's own PostgreSQL database, by the statements of its profile
 * (backend_sql.h).
 *
 * A batch is one transaction: guarded UPDATE and SELECT, then COMMIT once both are answered. It is handed
 * over as one call (facts.calls), so nothing waits behind a database that hangs, and what waited more than a
 * second for the session is not sent. Changed by our UPDATE: revoked now. Not changed and revoked: before,
 * with the first date. No row: unknown. Until COMMIT has left, every failure is CA_WAIT; a session lost
 * behind it is CA_ASK. A server that is busy, starting or in a deadlock (40001, 40P01, 57P03, 53300) makes
 * the rest of the batch CA_WAIT; a wrong login, right or statement (28, 42) is a CONFIG fault from step() as
 * well. I/O by libpq, never blocking but for the look-up of a host name. Signs CRLs where the issuer has a
 * key (ca_crl.h). Does not: retry, pace, insert, or run what a trigger of the CA should. Sources: facts of
 * backends 1.2, 1.7, 3. Called by: ca_doors. */
#ifndef MASSREVOKE_CA_SQL_H
#define MASSREVOKE_CA_SQL_H

#include "massrevoke/arena.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

/* Opens a door for `ca`, whose issuers have the numbers first_issuer, first_issuer + 1, ... in settings.
 * Connects at the first batch. Faults: CONFIG. ca_close ends it; an open transaction is then rolled back. */
MUST_USE bool ca_sql_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                          struct ca_door **out, struct fault *f);

/* What the backend is like, from configuration and profile alone (ca_doors_describe). */
MUST_USE bool ca_sql_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out,
                              struct fault *f);

#endif
