/* acme_certificate.h - the certificate that a revocation must hold, out of the inventory's file, and its own
 * key.
 *
 * Reads files. Does not: believe a file name: serial, issuer and signature are checked. Called by: ca_acme.c.
 */
#ifndef DOOR_ACME_CERTIFICATE_H
#define DOOR_ACME_CERTIFICATE_H

#include "massrevoke/cert.h"

/* The certificate of that serial and issuer in the file; NULL when found, else why not (in `a`). */
const char *acme_certificate_read(const char *path, const struct serial *serial, const struct issuer *issuer,
                                  struct arena *a, struct cert *out);

/* The key of this certificate at FOLDER/SERIAL.key; *key NULL: there is no such file. False with *why: the
 * file is no key, or another's. */
bool acme_certificate_key(const char *folder, const struct cert *cert, struct arena *a,
                          struct evp_pkey_st **key, const char **why);

#endif
