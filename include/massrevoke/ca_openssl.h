/* ca_openssl.h - the CA door for any `openssl ca` directory: index.txt, crlnumber, a key in a file.
 *
 * I/O. All work happens under flock(2) on DIRECTORY/index.lock; `flock index.lock openssl ca ...` beside us
 * is safe, a bare `openssl ca` is noticed (the file changed while we read it) but can't be shut out. One
 * step() is one pass over the index for everything queued, then one atomic rename: a kill leaves the old or
 * the new file. Does not: issue, touch rows that are revoked or marked expired, add rows for unknown serials
 * (openssl does), or write index.txt.attr. Sources: facts of backends 1.1, openssl-ca(1). Called by: cli
 * (wiring), drill.
 *
 * From openssl.cnf, section named by default_ca of [ca]: database, certificate, private_key, crlnumber, and
 * our own massrevoke_crl, where publish() places the CRL in DER (default DIRECTORY/pub/ca.crl). Relative
 * paths are relative to DIRECTORY, as for `openssl ca` started there. */
#ifndef MASSREVOKE_CA_OPENSSL_H
#define MASSREVOKE_CA_OPENSSL_H

#include "massrevoke/arena.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

/* Opens the directory of `ca`, whose issuers have the numbers first_issuer, first_issuer + 1, ... in
 * settings; each must have the name and key of the directory's `certificate`. `clock` gives revocation dates.
 * Copies what it needs of `ca`. Faults: CONFIG, naming file and key. ca_close ends it. */
MUST_USE bool ca_openssl_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                              struct ca_door **out, struct fault *f);

/* What the backend is like (ca_doors_describe). */
MUST_USE bool ca_openssl_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out,
                                  struct fault *f);

#endif
