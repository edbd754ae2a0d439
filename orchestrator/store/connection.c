/* Connecting and calling: the only file that runs statements. */
#include "internal.h"
#include "massrevoke/embed.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* First line of libpq's message, without its newline. */
static const char *first_line(const char *message, char *out, size_t room)
{
    snprintf(out, room, "%s", message == NULL ? "" : message);
    out[strcspn(out, "\n")] = '\0';
    return out;
}

#define STORE_ATTEMPTS 20 /* of a transaction that met a deadlock */

/* Deadlock or serialization failure: the transaction did nothing and may simply run again. */
static bool may_run_again(const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state != NULL && (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0);
}

/* Our own functions raise SQLSTATE MRxyz: xy is the exit code wanted, 6 for conflicts. */
static bool fault_from(struct store *s, const PGresult *r, const char *what, struct fault *f)
{
    char message[512];
    const char *state = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *primary = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (state != NULL && (strncmp(state, "MR", 2) == 0 || may_run_again(r)))
        return fault_set(f, FAULT_CONFLICT, "%s", first_line(primary, message, sizeof message));
    if (s->silent) {
        fault_set(f, FAULT_UNAVAILABLE, "database: no answer to %s, and none to a new connection", what);
        return fault_hint(f, "look at the database server: it runs but does not answer");
    }
    bool gone = PQstatus(s->connection) != CONNECTION_OK;
    /* connection exceptions, no resources, no lock in time, ended by an operator: all may pass by themselves
     */
    static const char *const passing[] = {"08", "53", "55P03", "57P"};
    for (size_t i = 0; state != NULL && i < sizeof passing / sizeof *passing; i++)
        gone = gone || strncmp(state, passing[i], strlen(passing[i])) == 0;
    if (gone)
        return fault_set(
            f, FAULT_UNAVAILABLE, "database: %s",
            first_line(primary == NULL ? PQerrorMessage(s->connection) : primary, message, sizeof message));
    return fault_set(f, FAULT_FAILED, "database: %s: %s (%s)", what,
                     first_line(primary, message, sizeof message), state == NULL ? "no state" : state);
}

#define PATIENCE_MS 5000     /* without a word of the server, until it is asked whether it lives */
#define CONNECT_SECONDS "10" /* for a new connection */

/* Does the server still take connections? It says no when it hangs; what it says else does not matter. */
static bool server_answers(const struct store *s)
{
    const char *const keys[] = {"connect_timeout", "dbname", NULL};
    const char *const values[] = {CONNECT_SECONDS, s->conninfo, NULL};
    PGPing ping = PQpingParams(keys, values, 1);
    return ping == PQPING_OK || ping == PQPING_REJECT;
}

/* Waits until the next result is there or the connection has ended. A statement may take as long as it takes
 * while the server lives; false when that answers nobody: then nothing more is expected of this connection.
 */
static bool await_result(struct store *s)
{
    while (PQconsumeInput(s->connection) == 1 && PQisBusy(s->connection)) {
        struct pollfd p = {.fd = PQsocket(s->connection), .events = POLLIN};
        int rc = poll(&p, 1, PATIENCE_MS);
        s->silent = rc == 0 && !server_answers(s);
        if (s->silent)
            return false;
    }
    return true;
}

/* The last result of what is under way: an error ends it early. NULL: there is none, the server hangs. */
static PGresult *last_result(struct store *s)
{
    PGresult *last = NULL;
    while (await_result(s)) {
        PGresult *r = PQgetResult(s->connection);
        if (r == NULL)
            return last;
        PQclear(last);
        last = r;
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
            return last;
    }
    PQclear(last);
    return NULL;
}

static bool ended_well(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static void tell_hook(struct store *s, const char *name, bool after)
{
    if (s->hook != NULL)
        s->hook(s->hook_context, name, after);
}

static void forget_sent(struct store *s)
{
    parameters_free(&s->sent_parameters);
    s->sent_parameters = (struct parameters){0};
    s->sent = NULL;
}

static bool send_statement(struct store *s, const struct statement *q, const char *name,
                           const struct parameters *p)
{
    tell_hook(s, name, false);
    if (store_is_lost(s))
        return false;
    return (q->prepared ? PQsendQueryPrepared(s->connection, name, p->n, p->values, NULL, NULL, 0)
                        : PQsendQueryParams(s->connection, q->file->bytes.p, p->n, NULL, p->values, NULL,
                                            NULL, 0)) == 1;
}

static bool send_once(struct store *s, struct fault *f)
{
    if (send_statement(s, s->sent_statement, s->sent, &s->sent_parameters))
        return true;
    fault_from(s, NULL, s->sent, f);
    forget_sent(s);
    return false;
}

#define PREPARE_AT 3 /* uses in a session */

/* What the session knows of a query; NULL: there is none. Valid until the next new one. */
static struct statement *find_statement(struct store *s, const char *name, struct fault *f)
{
    char path[128];
    snprintf(path, sizeof path, "sql/query/%s.sql", name);
    for (size_t i = 0; i < s->statement_count; i++)
        if (strcmp(s->statements[i].file->path, path) == 0)
            return &s->statements[i];
    const struct embed_file *file = embed_find(path);
    if (file == NULL) {
        fault_set(f, FAULT_FAILED, "no query %s in this program", path);
        return NULL;
    }
    s->statements = arena_grow(s->statements, ++s->statement_count * sizeof *s->statements);
    s->statements[s->statement_count - 1] = (struct statement){.file = file};
    return &s->statements[s->statement_count - 1];
}

/* The same for one that is about to be sent: prepares it when it is worth it. One that can't be prepared is
 * sent as text, and says why then; in a transaction, which that has ended, it says so here. */
static const struct statement *use_statement(struct store *s, const char *name, struct fault *f)
{
    struct statement *q = find_statement(s, name, f);
    if (q == NULL || ++q->uses != PREPARE_AT)
        return q;
    bool asked = !store_is_lost(s) && PQsendPrepare(s->connection, name, q->file->bytes.p, 0, NULL) == 1;
    AUTO_RESULT *r = asked ? last_result(s) : NULL;
    q->prepared = ended_well(r);
    if (PQtransactionStatus(s->connection) != PQTRANS_INERROR)
        return q;
    fault_from(s, r, name, f);
    return NULL;
}

bool store_send(struct store *s, const char *name, struct parameters *p, struct fault *f)
{
    if (s->sent != NULL)
        return fault_set(f, FAULT_FAILED, "database: %s before %s has ended", name, s->sent);
    s->sent_statement = use_statement(s, name, f);
    if (s->sent_statement == NULL)
        return false;
    s->sent = name;
    s->sent_attempts = 0;
    s->sent_parameters = *p;
    *p = (struct parameters){0};
    return send_once(s, f);
}

bool store_receive(struct store *s, bool wait, PGresult **out, struct fault *f)
{
    *out = NULL;
    if (s->sent == NULL)
        return fault_set(f, FAULT_FAILED, "database: nothing is under way");
    for (;;) {
        if (!wait && PQconsumeInput(s->connection) == 1 && PQisBusy(s->connection))
            return true;
        PGresult *r = last_result(s);
        tell_hook(s, s->sent, true);
        if (r != NULL && ended_well(r)) {
            *out = r;
            forget_sent(s);
            return true;
        }
        bool again = r != NULL && may_run_again(r) && ++s->sent_attempts <= STORE_ATTEMPTS &&
                     PQtransactionStatus(s->connection) == PQTRANS_IDLE;
        if (!again) {
            fault_from(s, r, s->sent, f);
            forget_sent(s);
        }
        PQclear(r);
        if (!again || !send_once(s, f))
            return false;
    }
}

static void forget_ahead(struct store *s)
{
    for (size_t i = 0; i < s->ahead_count; i++)
        PQclear(s->ahead[i].result);
    s->ahead_count = 0;
}

/* Sends all, and the mark that ends them. */
static bool send_ahead(struct store *s, const struct parameters *p, const char *const *names, size_t n,
                       struct fault *f)
{
    for (size_t i = 0; i < n; i++)
        if (!send_statement(s, find_statement(s, names[i], f), names[i], p))
            return fault_from(s, NULL, names[i], f);
    return PQpipelineSync(s->connection) == 1 || fault_from(s, NULL, "asking ahead", f);
}

/* Takes the answers in their order; one that fails takes those behind it along. */
static bool receive_ahead(struct store *s, int campaign, const char *const *names, size_t n, struct fault *f)
{
    bool ok = true;
    for (size_t i = 0; i < n && !s->silent; i++) {
        PGresult *r = last_result(s);
        tell_hook(s, names[i], true);
        if (ok && !ended_well(r))
            ok = fault_from(s, r, names[i], f);
        s->ahead[s->ahead_count++] = (struct ahead){names[i], campaign, r};
    }
    PQclear(s->silent ? NULL : last_result(s)); /* the mark */
    return ok;
}

bool store_ahead(struct store *s, int campaign, const char *const *names, size_t n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    for (size_t i = 0; i < n; i++)
        if (use_statement(s, names[i], f) == NULL)
            return false;
    if (n > STORE_AHEAD - s->ahead_count)
        abort();
    if (store_is_lost(s) || PQenterPipelineMode(s->connection) != 1)
        return fault_from(s, NULL, "asking ahead", f);
    bool ok = send_ahead(s, &p, names, n, f) && receive_ahead(s, campaign, names, n, f);
    /* answers that are still to come would be taken for those of the next query */
    s->silent = PQexitPipelineMode(s->connection) != 1 || s->silent;
    return ok;
}

/* The answer of a query that was asked ahead; NULL: it was not. */
static PGresult *take_ahead(struct store *s, const char *name, const struct parameters *p)
{
    for (size_t i = 0; i < s->ahead_count && p->n == 1 && p->values[0] != NULL; i++)
        if (strcmp(s->ahead[i].name, name) == 0 && strtoll(p->values[0], NULL, 10) == s->ahead[i].campaign) {
            PGresult *r = s->ahead[i].result;
            s->ahead[i] = s->ahead[--s->ahead_count];
            return r;
        }
    return NULL;
}

bool store_query(struct store *s, const char *name, struct parameters *p, PGresult **out, struct fault *f)
{
    struct parameters none = {0};
    *out = p == NULL ? NULL : take_ahead(s, name, p);
    if (*out != NULL) {
        parameters_free(p);
        *p = (struct parameters){0};
        return true;
    }
    return store_send(s, name, p == NULL ? &none : p, f) && store_receive(s, true, out, f);
}

bool store_do(struct store *s, const char *name, struct parameters *p, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    return store_query(s, name, p, &r, f);
}

bool store_run(struct store *s, const char *what, const char *sql, struct fault *f)
{
    AUTO_RESULT *r = !store_is_lost(s) && PQsendQuery(s->connection, sql) == 1 ? last_result(s) : NULL;
    return ended_well(r) || fault_from(s, r, what, f);
}

#define READ                                                                                                 \
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout TO 0"
#define LOOK READ "; SET LOCAL plan_cache_mode TO force_generic_plan"

bool store_read_begin(struct store *s, struct fault *f)
{
    return store_run(s, "beginning to read", READ, f);
}

bool store_look_begin(struct store *s, struct fault *f)
{
    return store_run(s, "beginning to look", LOOK, f);
}

void store_read_end(struct store *s)
{
    struct fault ignored = {0};
    forget_ahead(s);
    (void)!store_run(s, "ending to read", "ROLLBACK", &ignored);
}

static bool prepare_session(struct store *s, struct fault *f)
{
    AUTO_ARENA a = {0};
    char *sql =
        arena_format(&a,
                     "SET search_path TO \"%s\"; SET timezone TO 'UTC'; SET client_min_messages TO error;"
                     "SET synchronous_commit TO on; SET idle_in_transaction_session_timeout TO '5s';"
                     "SET client_connection_check_interval TO '1s'; SET lock_timeout TO '60s'",
                     s->schema);
    return store_run(s, "session settings", sql, f);
}

static bool connect_store(struct store *s, struct fault *f)
{
    const char *const keys[] = {
        "connect_timeout", "dbname", "application_name", "keepalives_idle", "tcp_user_timeout",
        "client_encoding", NULL};
    const char *const values[] = {CONNECT_SECONDS, s->conninfo, "massrevoke", "5", "15000", "UTF8", NULL};
    s->silent = false;
    s->connection = PQconnectdbParams(keys, values, 1);
    if (PQstatus(s->connection) == CONNECTION_OK)
        return prepare_session(s, f);
    char message[512];
    return fault_set(f, FAULT_UNAVAILABLE, "database: %s",
                     first_line(PQerrorMessage(s->connection), message, sizeof message));
}

bool store_connect(const char *conninfo, const char *schema, struct store **out, struct fault *f)
{
    struct store *s = arena_grow(NULL, sizeof *s);
    *s = (struct store){0};
    s->conninfo = arena_text(&s->arena, conninfo);
    s->schema = arena_text(&s->arena, schema);
    s->id = "";
    *out = s;
    if (connect_store(s, f))
        return true;
    store_close(s);
    *out = NULL;
    return false;
}

bool store_open_beside(const struct store *first, struct store **out, struct fault *f)
{
    if (!store_connect(first->conninfo, first->schema, out, f))
        return false;
    store_hook(*out, first->hook, first->hook_context);
    return true;
}

int store_fd(const struct store *s)
{
    return PQsocket(s->connection);
}

bool store_reconnect(struct store *s, struct fault *f)
{
    forget_sent(s);
    forget_ahead(s);
    s->statement_count = 0;
    PQfinish(s->connection);
    return connect_store(s, f);
}

bool store_is_lost(struct store *s)
{
    return s->silent || PQstatus(s->connection) != CONNECTION_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    forget_sent(s);
    forget_ahead(s);
    PQfinish(s->connection);
    free(s->statements);
    arena_free(&s->arena);
    free(s);
}

const char *store_id(const struct store *s)
{
    return s->id;
}

void store_hook(struct store *s, store_hook_fn *hook, void *context)
{
    s->hook = hook;
    s->hook_context = context;
}
