/* ca_record.h - questions to the CA's own PostgreSQL database, where its HTTP interface can't be asked.
 *
 * Reads only (the session is set so), by the one query of the profile: $1 is the issuer's key identifier, $2
 * the array of serials; each row is serial, revoked (boolean), seconds since 1970, reason code. A serial
 * without a row is one that the CA never issued. Parameters have no type of their own, so the query works on
 * text and on bytea columns (cfssl's migrations use bytea). I/O by libpq, blocking for at most
 * RECORD_SECONDS. Does not: know cfssl, write, or keep anything between questions but the connection. Source:
 * facts of backends 1.2. Called by: ca_http.c, ca_record_crl.c. */
#ifndef DOOR_CA_RECORD_H
#define DOOR_CA_RECORD_H

#include "massrevoke/crl_write.h"
#include "record_rows.h"

#define RECORD_SECONDS 15
#define RECORD_BATCH 1000 /* serials a question */

struct ca_record;

/* Keeps both texts; connects at the first question. Never NULL. */
struct ca_record *ca_record_open(const char *conninfo, const struct backend_record *how);

/* Asks about n serials of one issuer; out[i] is of serials[i]. UNAVAILABLE: no answer, ask again later.
 * CONFIG: the query or the login is wrong. */
MUST_USE bool ca_record_ask(struct ca_record *r, const char *aki, const struct serial *serials, size_t n,
                            struct record_row *out, struct fault *f);

/* Everything that is revoked under one issuer, list after list, unordered within one: those that the record's
 * fourth column gives to points[k] are counts[k]; with point_count 0 the record has three columns, and
 * counts[0] takes all. *entries is the caller's to free(3), also on failure. Faults as above; CONFIG, too,
 * for a URL that is none of the points: combined, the lists must be equal to a full one (BR 7.2.2.1). */
MUST_USE bool ca_record_revoked(struct ca_record *r, const char *aki, const char *const *points,
                                size_t point_count, struct crl_entry **entries, size_t *counts,
                                struct fault *f);

/* Ends; NULL is allowed. */
void ca_record_close(struct ca_record *r);

#endif
