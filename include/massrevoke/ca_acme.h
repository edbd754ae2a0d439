/* ca_acme.h - the CA door for revokeCert of an ACME server (RFC 8555 7.6).
 *
 * I/O by libcurl, as ca_http. A request holds the certificate: its file comes from the inventory
 * (certificate_file), and must hold one of that serial that the issuer signed; without it a person is needed,
 * and nothing is sent. Signed by the certificate's own key where keys_dir has it, else by the account. Nonces
 * are those of earlier answers; refused for its nonce alone a request goes again at once, ACME_TRIES times.
 * There is no status: what nobody knows is sent again, and alreadyRevoked is the answer. The first date
 * stays; Boulder lets the certificate's own key turn an earlier reason into keyCompromise. Does not: issue,
 * register an account, retry otherwise, pace, publish. Sources: RFC 8555 6.2 to 6.7, 7.3.1, 7.6; facts of
 * backends 1.4, 3. Called by: ca_doors. */
#ifndef MASSREVOKE_CA_ACME_H
#define MASSREVOKE_CA_ACME_H

#include "massrevoke/arena.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

#define ACME_TRIES 20 /* five were not enough over thousands of requests (facts of backends 1.4) */

/* Opens a door for `ca`, whose issuers have the numbers first_issuer, first_issuer + 1, ... in settings.
 * Reads keys and certificates of issuers; the directory at the first batch. Faults: CONFIG. ca_close ends it.
 */
MUST_USE bool ca_acme_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                           struct ca_door **out, struct fault *f);

/* What the backend is like, from configuration alone (ca_doors_describe). */
MUST_USE bool ca_acme_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out,
                               struct fault *f);

#endif
