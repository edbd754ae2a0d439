/* pg_wire.h - a session with the CA's own PostgreSQL server that never blocks, behind one descriptor.
 *
 * Connects when there is something to send; a few statements go out as one pipeline and their answers come
 * back together. Every failure of what was sent ends the session, so that no late answer is taken for
 * another's and the server rolls back what was open; the next send connects anew. I/O by libpq; only looking
 * up a host name may block (hostaddr= avoids it). Does not: retry, keep a transaction across a failure, know
 * the tables. Called by: ca_sql.c, record_ask.c, ca_record.c. */
#ifndef DOOR_PG_WIRE_H
#define DOOR_PG_WIRE_H

#include "massrevoke/fault.h"

#include <libpq-fe.h>

#define PG_WIRE_QUERIES 4 /* statements at a time */

/* One statement; the texts must live until its answer is there. */
struct pg_query {
    const char *sql;
    const char *const *values;
    int count;
};

/* When it may leave. */
enum pg_when {
    PG_ANY_TIME,
    PG_NEXT, /* it belongs to what was sent before: only in the same session */
};

enum pg_wire_state { PG_WIRE_IDLE, PG_WIRE_BUSY, PG_WIRE_DONE, PG_WIRE_BROKEN };

/* What a failure means for what was sent. */
enum pg_meaning {
    PG_WAIT, /* the server is busy or away: later (40001, 40P01, 57P03, 53300, ...) */
    PG_LOST, /* the session ended before an answer */
    PG_STOP, /* a wrong right, statement or value: a person's business (42, 22, 23) */
    PG_SHUT, /* a wrong login or database, or no readable conninfo: likewise, but no session ever stood */
};

/* The fault that it is for whoever sent. */
static inline enum fault_kind pg_fault(enum pg_meaning why)
{
    return why == PG_STOP || why == PG_SHUT ? FAULT_CONFIG : FAULT_UNAVAILABLE;
}

struct pg_wire;

/* The setup of a session that only reads. */
#define PG_READ_ONLY(statement_timeout)                                                                      \
    "SELECT set_config('default_transaction_read_only', 'on', false), "                                      \
    "set_config('bytea_output', 'escape', false), set_config('statement_timeout', '" statement_timeout       \
    "', false)"

/* Keeps both texts; `setup` is a SELECT that runs first in each session, in a transaction of its own: what
 * is rolled back later must not take it along. `seconds`: for connecting, and for
 * an answer until something new comes. NULL with a fault: the system has no descriptor left. */
struct pg_wire *pg_wire_open(const char *conninfo, const char *setup, int seconds, struct fault *f);

/* Readable when pg_wire_step has something to do. */
int pg_wire_fd(const struct pg_wire *w);

/* Makes the descriptor readable at once. */
void pg_wire_wake(struct pg_wire *w);

/* Sends up to PG_WIRE_QUERIES statements; the state must be IDLE. What may no longer leave is not sent at
 * all, and that is BROKEN. */
void pg_wire_send(struct pg_wire *w, const struct pg_query *queries, size_t n, enum pg_when when);

/* Goes on as far as it can without waiting. DONE: pg_wire_result has every answer, pg_wire_forget follows.
 * BROKEN: it failed, pg_wire_why says why, pg_wire_forget follows. */
enum pg_wire_state pg_wire_step(struct pg_wire *w);

/* Answer to statement i of those sent; the wire's until pg_wire_forget. */
PGresult *pg_wire_result(const struct pg_wire *w, size_t i);

/* Why the session broke; `said`: surely nothing of what was sent last has been committed, for the server
 * refused it by an ERROR or never got it. */
enum pg_meaning pg_wire_why(const struct pg_wire *w, const char **text, bool *said);

/* Back to IDLE. */
void pg_wire_forget(struct pg_wire *w);

/* Ends; NULL is allowed. */
void pg_wire_close(struct pg_wire *w);

#endif
