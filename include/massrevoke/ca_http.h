/* ca_http.h - the CA door for any CA with a revocation interface over HTTP, as its profile declares it
 * (backend.h).
 *
 * I/O by libcurl: HTTP/1.1 with keep-alive, TLS 1.2 and newer, client certificates, a token from a file; no
 * proxy, no redirect, no cookies; HTTP/2 only where connections are limited, never without TLS. A request
 * goes out once: libcurl's own second try on a dead connection is stopped. Before a request has begun every
 * failure is CA_WAIT, from then on everything but a clear answer is CA_ASK. A backend that turns a request
 * away, refuses our credentials or falls silent on as many requests in a row as run at a time gets no more of
 * the batch: the rest comes back as CA_WAIT, unsent; credentials refused are a CONFIG fault from step() as
 * well. Retry-After (at most an hour) is kept: until then everything is CA_WAIT. With record_conninfo
 * questions go to the CA's database (record_ask.h) beside the requests, which wait for none of them; one that
 * gets no answer halts the batch. Does not: retry, pace, publish, notice a serial queued twice, or judge what
 * a profile cannot express. Sources: facts of backends 1 to 3, of performance b. Called by: cli (wiring).
 */
#ifndef MASSREVOKE_CA_HTTP_H
#define MASSREVOKE_CA_HTTP_H

#include "massrevoke/arena.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

/* Opens a door for `ca`, whose issuers have the numbers first_issuer, first_issuer + 1, ... in settings.
 * Reads the profile and the issuers' certificates; the token is read anew for every batch. Faults: CONFIG,
 * naming file and key. ca_close ends it; requests under way are then cut off. */
MUST_USE bool ca_http_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                           struct ca_door **out, struct fault *f);

/* What the backend is like, from configuration and profile alone (ca_doors_describe). */
MUST_USE bool ca_http_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out,
                               struct fault *f);

#endif
