#include "internal.h"
#include "massrevoke/store_source.h"

#include <stdio.h>
#include <stdlib.h>

struct query_source {
    PGconn *connection;
    char *row; /* libpq's, the part behind `taken` not yet given out */
    size_t length, taken;
    bool ended;
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

static bool run(struct query_source *q, const char *sql, ExecStatusType wanted, struct fault *f)
{
    /* with parameters, even none, the server takes one statement and no more */
    AUTO_RESULT *r = PQexecParams(q->connection, sql, 0, NULL, NULL, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(r);
    if (status == wanted)
        return true;
    if (status != PGRES_FATAL_ERROR)
        return fault_set(f, FAULT_FAILED, "the query is no SELECT");
    return refused(q, r, f);
}

static bool connect_to(struct query_source *q, const char *conninfo, struct fault *f)
{
    const char *const keys[] = {"connect_timeout",  "dbname",          "application_name",
                                "tcp_user_timeout", "client_encoding", NULL};
    const char *const values[] = {"10", conninfo, "massrevoke", "15000", "UTF8", NULL};
    q->connection = PQconnectdbParams(keys, values, 1);
    if (PQstatus(q->connection) != CONNECTION_OK)
        return away(q, f);
    return run(q, "SET timezone TO 'UTC'", PGRES_COMMAND_OK, f) &&
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
    int n = PQgetCopyData(q->connection, &q->row, 0);
    if (n > 0) {
        q->length = (size_t)n;
        return true;
    }
    q->ended = true;
    if (n == -2)
        return away(q, f);
    AUTO_RESULT *r = PQgetResult(q->connection);
    return PQresultStatus(r) == PGRES_COMMAND_OK || refused(q, r, f);
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

bool store_query_source(const char *conninfo, const char *query, struct query_source **out,
                        struct source *bytes, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct query_source *q = arena_grow(NULL, sizeof *q);
    struct str text = str_trim(str_of(query));
    *q = (struct query_source){0};
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
