/* backend_sql.h - a CA's own database as data: the statements that revoke, ask and list.
 *
 * One file of plans/backends with `interface = "sql"`, read through the guard. `revoke` must be an UPDATE
 * with a guard, so that a row that is revoked already keeps date and reason, and return the serials it
 * changed. Parameters have no type of their own, so a statement works on text and on bytea columns. Pure but
 * for reading the file. Does not: connect, or know addresses (settings). Sources: facts of
 * backends 1.2, 1.7, 3. Called by: door/ca_sql, cli. */
#ifndef MASSREVOKE_BACKEND_SQL_H
#define MASSREVOKE_BACKEND_SQL_H

#include "massrevoke/backend.h"

struct backend_sql {
    const char *name;
    struct span quiet; /* after so long no earlier COMMIT can still arrive */
    int batch;         /* certificates in one UPDATE */
    const char *words[BACKEND_REASONS];
    struct backend_record record; /* serial, query (the status), revoked (everything, for a CRL) */
    /* $1 the issuer's key identifier, $2 the serials, $3 the reason's word, $4 the date in seconds since
     * 1970; returns one column: the serials it changed */
    const char *revoke;
    /* the same for the reason of what is revoked already; $4 "": the date stays. NULL: none is changed */
    const char *change;
};

/* A profile by shipped name or by path; everything lives in `a`. CONFIG lists every problem. */
MUST_USE bool backend_sql_read(const char *plans_dir, const char *name, struct arena *a,
                               struct backend_sql *out, struct fault *f);

#endif
