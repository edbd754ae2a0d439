#include "internal.h"
#include "massrevoke/store_source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_PATIENCE 10 /* seconds, when nothing else bounds the wait */

struct query_source {
    PGconn *connection;
    char *row; /* libpq's, the part behind `taken` not yet given out */
    size_t length, taken;
    bool ended;
    int patience; /* seconds; 0: for ever */
};

/* The first line of what libpq or the server says, in front of anything it quotes. */
static const char *message_of(const char *message, char *out, size_t room)
{
    snprintf(out, room, "%s", message == NULL ? "" : message);
    out[strcspn(out, "\n")] = '\0';
    return out;
}

static bool away(struct query_source *q, struct fault *f)
{
    char text[400];
    fault_set(f, FAULT_UNAVAILABLE, "the query's database: %s",
              message_of(PQerrorMessage(q->connection), text, sizeof text));
    return fault_hint(f, "try: psql CONNINFO; passwords belong in ~/.pgpass or PGPASSFILE");
}

static bool refused(struct query_source *q, const PGresult *r, struct fault *f)
{
    char text[400];
    if (PQstatus(q->connection) != CONNECTION_OK)
        return away(q, f);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    fault_set(f, FAULT_FAILED, "the query was refused: %s", message_of(primary, text, sizeof text));
    return fault_hint(f, "one SELECT, read only, whose columns have the names of a CSV list");
}

/* More from the server, or why not. */
static bool await(struct query_source *q, struct fault *f)
{
    struct pollfd wait = {.fd = PQsocket(q->connection), .events = POLLIN};
    int n;
    while ((n = poll(&wait, 1, q->patience == 0 ? -1 : (q->patience + 1) * 1000)) < 0 && errno == EINTR)
        continue;
    if (n == 0) {
        fault_set(f, FAULT_UNAVAILABLE, "the query's database: silent for %d s", q->patience + 1);
        return fault_hint(f,
                          "it is asked again later; a query that takes long belongs into a table of its own");
    }
    return (n > 0 && PQconsumeInput(q->connection) == 1) || away(q, f);
}

/* The next result of what was sent; NULL in *out behind the last. */
static bool next_result(struct query_source *q, PGresult **out, struct fault *f)
{
    while (PQisBusy(q->connection))
        if (!await(q, f))
            return false;
    *out = PQgetResult(q->connection);
    return true;
}

static bool run(struct query_source *q, const char *sql, ExecStatusType wanted, struct fault *f)
{
    /* with parameters, even none, the server takes one statement and no more */
    AUTO_RESULT *r = NULL, *end = NULL;
    if (PQsendQueryParams(q->connection, sql, 0, NULL, NULL, NULL, NULL, 0) != 1)
        return away(q, f);
    if (!next_result(q, &r, f))
        return false;
    ExecStatusType status = PQresultStatus(r);
    if (status == wanted)
        return status == PGRES_COPY_OUT || next_result(q, &end, f);
    if (status != PGRES_FATAL_ERROR)
        return fault_set(f, FAULT_FAILED, "the query is no SELECT");
    return refused(q, r, f);
}

static bool connect_to(struct query_source *q, const char *conninfo, struct fault *f)
{
    const char *const keys[] = {"connect_timeout",  "dbname",          "application_name",
                                "tcp_user_timeout", "client_encoding", NULL};
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%d", q->patience == 0 ? CONNECT_PATIENCE : q->patience);
    const char *const values[] = {seconds, conninfo, "massrevoke", "15000", "UTF8", NULL};
    q->connection = PQconnectdbParams(keys, values, 1);
    if (PQstatus(q->connection) != CONNECTION_OK)
        return away(q, f);
    char limit[64];
    snprintf(limit, sizeof limit, "SET statement_timeout TO '%ds'", q->patience);
    return (q->patience == 0 || run(q, limit, PGRES_COMMAND_OK, f)) &&
           run(q, "SET timezone TO 'UTC'", PGRES_COMMAND_OK, f) &&
           run(q, "SET datestyle TO 'ISO'", PGRES_COMMAND_OK, f) &&
           run(q, "SET bytea_output TO 'hex'", PGRES_COMMAND_OK, f) &&
           run(q, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", PGRES_COMMAND_OK, f);
}

/* The next row of the COPY; at its end whether it ended well. */
static bool next_row(struct query_source *q, struct fault *f)
{
    PQfreemem(q->row);
    q->row = NULL;
    q->length = q->taken = 0;
    int n;
    while ((n = PQgetCopyData(q->connection, &q->row, 1)) == 0)
        if (!await(q, f))
            return false;
    if (n > 0) {
        q->length = (size_t)n;
        return true;
    }
    q->ended = true;
    if (n == -2)
        return away(q, f);
    AUTO_RESULT *r = NULL;
    return next_result(q, &r, f) && (PQresultStatus(r) == PGRES_COMMAND_OK || refused(q, r, f));
}

static bool read_rows(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    struct query_source *q = context;
    *got = 0;
    while (!q->ended && q->taken == q->length)
        if (!next_row(q, f))
            return false;
    if (q->ended)
        return true;
    *got = q->length - q->taken < room ? q->length - q->taken : room;
    memcpy(into, q->row + q->taken, *got);
    q->taken += *got;
    return true;
}

bool store_query_source(const char *conninfo, const char *query, int patience, struct query_source **out,
                        struct source *bytes, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct query_source *q = arena_grow(NULL, sizeof *q);
    struct str text = str_trim(str_of(query));
    *q = (struct query_source){.patience = patience};
    *out = q;
    *bytes = (struct source){read_rows, q};
    while (text.n > 0 && text.p[text.n - 1] == ';')
        text = str_trim((struct str){text.p, text.n - 1});
    /* the bracket stands on a line of its own: the query may end in a remark */
    const char *sql = arena_format(&a, "COPY (%.*s\n) TO STDOUT (FORMAT csv, HEADER)", (int)text.n, text.p);
    if (connect_to(q, conninfo, f) && run(q, sql, PGRES_COPY_OUT, f))
        return true;
    query_source_close(q);
    *out = NULL;
    return false;
}

void query_source_close(struct query_source *q)
{
    if (q == NULL)
        return;
    PQfreemem(q->row);
    PQfinish(q->connection);
    free(q);
}
