/* internal.h - how the files of store/ talk to libpq: parameters, one call, rows out.
 *
 * I/O. Does not: leave store/. Values go and come as text; lists as PostgreSQL arrays. */
#ifndef MASSREVOKE_STORE_INTERNAL_H
#define MASSREVOKE_STORE_INTERNAL_H

#include "massrevoke/digest.h"
#include "massrevoke/embed.h"
#include "massrevoke/json.h"
#include "massrevoke/serial.h"
#include "massrevoke/store.h"

#include <libpq-fe.h>

#define STORE_PARAMETERS 26

/* Parameters of one call, $1 first; zero-initialise; texts live in its arena. */
struct parameters {
    const char *values[STORE_PARAMETERS];
    int n;
    struct arena arena;
};

void parameters_free(struct parameters *p);
#define AUTO_PARAMETERS __attribute__((cleanup(parameters_free))) struct parameters

/* A query of this session; one that comes again is prepared: planning costs more than most of them. */
struct statement {
    const struct embed_file *file;
    int uses;
    bool prepared;
};

/* The answer of a query that was asked ahead (store_ahead), until it is wanted. */
struct ahead {
    const char *name;
    int campaign; /* its one parameter */
    PGresult *result;
};

#define STORE_AHEAD 32 /* at most */

struct store {
    PGconn *connection;
    struct statement *statements;
    size_t statement_count;
    struct arena arena;
    const char *conninfo, *schema, *id;
    store_hook_fn *hook;
    void *hook_context;
    const char *sent; /* the query under way (store_send), NULL: none */
    const struct statement *sent_statement;
    struct parameters sent_parameters; /* kept: it may have to run again */
    int sent_attempts;
    struct ahead ahead[STORE_AHEAD]; /* empty outside a read */
    size_t ahead_count;
    bool silent;                         /* the server hangs: nothing more is expected of this connection */
    const struct plan_files *plan_files; /* plan_files.h */
    const struct rule_text *rule_texts;
};

/* Connects and pins the session; no look at the schema (store_open does that). */
MUST_USE bool store_connect(const char *conninfo, const char *schema, struct store **out, struct fault *f);

/* Each appends one parameter. */
void put_int(struct parameters *p, int64_t value);
void put_bool(struct parameters *p, bool value);
void put_text(struct parameters *p, const char *text); /* NULL: SQL NULL */
void put_utc(struct parameters *p, struct utc t);      /* UTC_NONE: SQL NULL */
void put_bytes(struct parameters *p, const void *bytes, size_t n);
void put_digest(struct parameters *p, struct digest d);

/* Array parameters are written element by element: begin, add..., end. */
struct array {
    struct buf text;
};
void array_int(struct array *a, int64_t value);
void array_utc(struct array *a, struct utc t);
void array_text(struct array *a, const char *text);
void array_bytes(struct array *a, const void *bytes, size_t n);
void put_array(struct parameters *p, struct array *a); /* frees *a */

/* The canonical form of `data` (NULL: an empty object) as one parameter. */
void put_json(struct parameters *p, const json_t *data);

/* Runs sql/query/NAME.sql; *p is taken over, *out is owned by the caller (AUTO_RESULT). Faults: UNAVAILABLE,
 * CONFLICT (MR0xx raised by our functions; a deadlock inside a transaction of the caller's), FAILED. */
MUST_USE bool store_query(struct store *s, const char *name, struct parameters *p, PGresult **out,
                          struct fault *f);

/* Begins a query and does not wait for its end; *p is taken over. One at a time on a connection, and nothing
 * else on it until store_receive has brought the end. `name` must live so long. Faults: as store_query. */
MUST_USE bool store_send(struct store *s, const char *name, struct parameters *p, struct fault *f);

/* The end of what store_send began; *out stays NULL while the server is at it, unless `wait`. Faults: as
 * store_query, and nothing is under way any more. */
MUST_USE bool store_receive(struct store *s, bool wait, PGresult **out, struct fault *f);

/* As store_query, for calls whose rows do not matter. */
MUST_USE bool store_do(struct store *s, const char *name, struct parameters *p, struct fault *f);

/* Runs any embedded file or text without parameters (migrations, invariants' neighbours). */
MUST_USE bool store_run(struct store *s, const char *what, const char *sql, struct fault *f);

/* The server's statistics of these tables after a load: without them it takes fresh rows by the thousand for
 * one and joins them in a nested loop. A failure costs time and nothing else. */
void store_analyze(struct store *s, const char *tables);

/* Begins a read that sees one moment in all its queries and writes nothing (REPEATABLE READ, READ ONLY); the
 * session's limit on idle transactions is off inside it. store_read_end gives it back, whatever happened. */
MUST_USE bool store_read_begin(struct store *s, struct fault *f);

/* The same for queries that a session asks again and again: what is prepared is planned once for all
 * parameters. */
MUST_USE bool store_look_begin(struct store *s, struct fault *f);
void store_read_end(struct store *s);

/* Asks n queries whose one parameter is the campaign, all at once: the store_query that wants one of them
 * until store_read_end takes its answer from here, and waits for no server. At most STORE_AHEAD. Faults: as
 * store_query, of the first that fails. */
MUST_USE bool store_ahead(struct store *s, int campaign, const char *const *names, size_t n, struct fault *f);

void result_free(PGresult **result);
#define AUTO_RESULT __attribute__((cleanup(result_free))) PGresult

/* Columns of a row; NULL reads as 0, false, UTC_NONE, "". Texts are valid while the result is. */
int64_t get_int(const PGresult *r, int row, int column);
bool get_bool(const PGresult *r, int row, int column);
struct utc get_utc(const PGresult *r, int row, int column);
const char *get_text(const PGresult *r, int row, int column);
bool get_null(const PGresult *r, int row, int column);

/* bytea in hex form; *out in the arena. */
struct str get_bytes(const PGresult *r, int row, int column, struct arena *a);

/* integer[] or bigint[]; count in *n. */
int64_t *get_ints(const PGresult *r, int row, int column, struct arena *a, size_t *n);

/* Copies up to DIGEST_SIZE octets of a bytea; zero when NULL. */
struct digest get_digest(const PGresult *r, int row, int column);

/* Octets of a bytea as a serial. */
struct serial get_serial(const PGresult *r, int row, int column);

#endif
