/* store.h - the one store, PostgreSQL: a connection to one schema, its migrations, nothing of the domain.
 *
 * Every query is a file of sql/, embedded; every change is one statement that calls one function, so one
 * transaction sent whole (design section 3, sentence 1). 40P01 and 40001 are retried inside. No PGresult
 * leaves store/. I/O. Does not: start a server (cluster.h), read any clock, or decide. Called by: engine,
 * cli, drill. */
#ifndef MASSREVOKE_STORE_H
#define MASSREVOKE_STORE_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

struct store;

/* What the schema is like before anything is done to it. */
enum store_schema { STORE_SCHEMA_ABSENT, STORE_SCHEMA_OLDER, STORE_SCHEMA_CURRENT };

/* Connects and pins search_path, UTC, timeouts; migrates the schema when it is absent or older.
 * Faults: UNAVAILABLE (server), CONFLICT (the schema is foreign or newer, or an old migration changed:
 * nothing is touched). `schema` is a plain name, e.g. "massrevoke". */
MUST_USE bool store_open(const char *conninfo, const char *schema, struct store **out, struct fault *f);

/* As store_open, but only tells the state and the numbers of applied and known migrations; changes nothing.
 */
MUST_USE bool store_probe(const char *conninfo, const char *schema, enum store_schema *state, int *applied,
                          int *known, struct fault *f);

/* Ends; NULL is allowed. The session's engine lock goes with it. */
void store_close(struct store *s);

/* One more connection to the same schema, with the same hook. */
MUST_USE bool store_open_beside(const struct store *first, struct store **out, struct fault *f);

/* Readable when the server has answered what is under way on this connection; -1: the connection is gone. */
int store_fd(const struct store *s);

/* Connects again after the connection was lost (a new session: engines own nothing). UNAVAILABLE when it
 * fails. */
MUST_USE bool store_reconnect(struct store *s, struct fault *f);

/* Is the connection gone (as far as libpq knows)? */
bool store_is_lost(struct store *s);

/* Drops a whole schema (drills only: refused with REFUSED for "massrevoke"). */
MUST_USE bool store_drop_schema(const char *conninfo, const char *schema, struct fault *f);

/* A random id of this store, made with its schema; in every request text. Valid while the store is open. */
const char *store_id(const struct store *s);

/* Called before and after every committing statement, for tests that kill at the n-th commit; NULL: off. */
typedef void store_hook_fn(void *context, const char *query, bool after);
void store_hook(struct store *s, store_hook_fn *hook, void *context);

#endif
