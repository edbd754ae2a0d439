/* ca_exec.h - the CA door for a command line: serials in, results per serial out, as its profile declares it
 * (backend_exec.h).
 *
 * I/O. One process at a time, without a shell, in a group of its own that ends with it, for at most
 * `timeout`; serials on its standard input or in its arguments: as many as the profile's batch, of a
 * revocation at most ten seconds of the CA's rate (facts.window), so that a brake between two calls binds
 * soon. Lines are judged as they come, at most EXEC_LINE bytes of each are kept. A serial that was told by
 * two lines that differ, or by none and no exit code, is CA_ASK; of a process that could not be started
 * everything is CA_WAIT. A line or exit code that says stop is a CONFIG fault from step() as well. Does not:
 * retry, pace, publish, or trust output for a length. Sources: facts of backends 1.7, 1.9, 3. Called by:
 * ca_doors. */
#ifndef MASSREVOKE_CA_EXEC_H
#define MASSREVOKE_CA_EXEC_H

#include "massrevoke/arena.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

#define EXEC_LINE 4096

/* Opens a door for `ca`, whose issuers have the numbers first_issuer, first_issuer + 1, ... in settings.
 * Faults: CONFIG. ca_close ends it and a process under way. */
MUST_USE bool ca_exec_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                           struct ca_door **out, struct fault *f);

/* What the backend is like, from configuration and profile alone (ca_doors_describe). */
MUST_USE bool ca_exec_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out,
                               struct fault *f);

#endif
