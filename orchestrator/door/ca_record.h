/* ca_record.h - what the CA's own PostgreSQL database lists as revoked, for a CRL out of it.
 *
 * Reads only (the session is set so), by the profile's query `revoked`: $1 is the issuer's key identifier.
 * I/O by pg_wire: a call waits RECORD_PATIENCE_MS for something new and takes RECORD_TURN_MS at most; the
 * list is given up once nothing new came for RECORD_LIST_SECONDS, as is connecting. It is kept whole in
 * memory. Does not: know cfssl, write, or keep anything between lists but the connection. Source: facts of
 * backends 1.2. Called by: ca_record_crl.c. */
#ifndef DOOR_CA_RECORD_H
#define DOOR_CA_RECORD_H

#include "massrevoke/backend.h"
#include "massrevoke/crl_write.h"

#define RECORD_LIST_SECONDS 15
#define RECORD_PATIENCE_MS 200 /* most lists are there by then */
#define RECORD_TURN_MS 1000    /* a long one comes in several */

struct ca_record;

/* Keeps both texts; connects at the first list. NULL with a fault: the system has no descriptor left. */
struct ca_record *ca_record_open(const char *conninfo, const struct backend_record *how, struct fault *f);

/* Everything that is revoked under one issuer, list after list, unordered within one: those that the record's
 * fourth column gives to points[k] are counts[k]; with point_count 0 the record has three columns, and
 * counts[0] takes all. *done false: it has not come yet, and nothing else can be asked before the same call
 * says so. *entries is the caller's to free(3), also on failure, which is the end of it. UNAVAILABLE: no
 * answer, or no login; ask again later. CONFIG: the query is wrong; and for a URL that is none of the points:
 * combined, the lists must be equal to a full one (BR 7.2.2.1). */
MUST_USE bool ca_record_revoked(struct ca_record *r, const char *aki, const char *const *points,
                                size_t point_count, struct crl_entry **entries, size_t *counts, bool *done,
                                struct fault *f);

/* Ends; NULL is allowed. */
void ca_record_close(struct ca_record *r);

#endif
