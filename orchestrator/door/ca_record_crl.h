/* ca_record_crl.h - CRLs out of the CA's own database, for products that sign none or poor ones (cfssl's have
 * no reasons, no number and dates of today: facts of backends 1.2).
 *
 * I/O, blocking for the signature and for a moment of the list (ca_record.h): a database that hangs holds up
 * its CRLs only. One list at a time; a kill at any instant leaves whole CRLs and numbers that grow. Does not:
 * write to the database. Called by: ca_sql.c, ca_http.c. */
#ifndef DOOR_CA_RECORD_CRL_H
#define DOOR_CA_RECORD_CRL_H

#include "ca_record.h"
#include "massrevoke/cert.h"
#include "massrevoke/settings.h"

struct ca_record_crl;

/* Does an issuer of this CA have key, number and place of a CRL? */
bool ca_record_crl_wanted(const struct settings_ca *ca);

/* Keeps what it needs, in `a`; reads the issuers' certificates, and must be closed. CONFIG: one of them can't
 * be read, or the profile has no list of what is revoked. */
MUST_USE bool ca_record_crl_open(const struct settings_ca *ca, const struct backend_record *how,
                                 struct arena *a, struct ca_record_crl **out, struct fault *f);

/* Signs and places the CRL of issuer `index` of the CA, or each of its shards; from before the list until
 * then flock of NUMBER_FILE.lock is held, and thisUpdate is the `now` at which that began. *done false: the
 * list has not come yet, or that of another issuer has not; the same call again goes on. REFUSED: it has no
 * key_file. */
MUST_USE bool ca_record_crl_publish(struct ca_record_crl *c, size_t index, const char *aki, struct utc now,
                                    bool *done, struct fault *f);

/* Ends; NULL is allowed. */
void ca_record_crl_close(struct ca_record_crl *c);

#endif
