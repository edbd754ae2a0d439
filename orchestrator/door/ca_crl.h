/* ca_crl.h - one CRL of an issuer, numbered, signed and placed by us.
 *
 * The number comes out of a file as openssl's crlnumber (upper-case hex, even), and is above that of the CRL
 * in place; it is written before the CRL is, so a crash in between only skips one. The caller holds the lock
 * over listing and placing: one critical section an issuer. I/O. Does not: know where the entries come from.
 * Sources: openssl-ca(1), BR 7.2. Called by: ca_openssl, ca_record_crl. */
#ifndef DOOR_CA_CRL_H
#define DOOR_CA_CRL_H

#include "massrevoke/cert.h"
#include "massrevoke/crl_write.h"

/* Where its parts are. */
struct ca_crl {
    const char *key, *key_password_file; /* the password may be NULL */
    const char *number, *crl;
    const char *point; /* the URL of one of several CRLs; NULL: a full one */
    struct span validity;
};

/* Takes flock(2) on path, waiting at most 0.8 s for another holder: a brake binds within a second.
 * UNAVAILABLE: it is still held. */
MUST_USE bool ca_crl_lock(const char *path, int *lock, struct fault *f);

/* Signs and places. CONFLICT: what stands there is no CRL with a number. CONFIG: the key is not the issuer's.
 */
MUST_USE bool ca_crl_place(const struct ca_crl *c, const struct issuer *issuer, struct utc now,
                           const struct crl_entry *entries, size_t count, struct fault *f);

#endif
