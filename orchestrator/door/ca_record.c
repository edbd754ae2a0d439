#include "ca_record.h"
#include "massrevoke/text.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>

struct ca_record {
    const char *conninfo;
    const struct backend_record *how;
    PGconn *db; /* NULL: not connected */
};

/* One serial as the record writes it. */
struct form {
    char *text;
    size_t index;
};

static void disconnect(struct ca_record *r)
{
    PQfinish(r->db);
    r->db = NULL;
}

/* Which of the two faults an SQLSTATE is: a wrong login (28), object or syntax (42, 22) is a person's. */
static bool refuse(struct ca_record *r, const PGresult *answer, struct fault *f)
{
    const char *state = answer == NULL ? NULL : PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char *words = answer == NULL ? PQerrorMessage(r->db) : PQresultErrorMessage(answer);
    bool ours = state != NULL && (strncmp(state, "28", 2) == 0 || strncmp(state, "42", 2) == 0 ||
                                  strncmp(state, "22", 2) == 0);
    return fault_set(f, ours ? FAULT_CONFIG : FAULT_UNAVAILABLE, "the CA's database: %.*s",
                     (int)strcspn(words, "\n"), words);
}

static bool connect_now(struct ca_record *r, struct fault *f)
{
    static const char *const keys[] = {"connect_timeout", "application_name", "dbname", NULL};
    const char *const values[] = {"5", "massrevoke", r->conninfo, NULL};
    if (r->db != NULL && PQstatus(r->db) == CONNECTION_OK)
        return true;
    disconnect(r);
    r->db = PQconnectdbParams(keys, values, 1);
    if (PQstatus(r->db) != CONNECTION_OK)
        return refuse(r, NULL, f);
    PGresult *set = PQexec(r->db, "SET default_transaction_read_only = on; SET bytea_output = 'escape'; "
                                  "SET statement_timeout = '10s'");
    bool ok = PQresultStatus(set) == PGRES_COMMAND_OK || refuse(r, set, f);
    PQclear(set);
    return ok;
}

/* Waits until libpq has what it needs; false when nothing more came for too long. */
static bool arrived(struct ca_record *r)
{
    while (PQisBusy(r->db) == 1) {
        struct pollfd p = {.fd = PQsocket(r->db), .events = POLLIN};
        if (poll(&p, 1, RECORD_SECONDS * 1000) <= 0 || PQconsumeInput(r->db) == 0)
            return false;
    }
    return true;
}

/* The answer to what was sent, or NULL when none came whole. */
static PGresult *hear(struct ca_record *r)
{
    PGresult *last = NULL;
    while (arrived(r)) {
        PGresult *next = PQgetResult(r->db);
        if (next == NULL)
            return last;
        PQclear(last);
        last = next;
    }
    PQclear(last);
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct form *)a)->text, ((const struct form *)b)->text);
}

/* Puts one row of the answer to every question about its serial. */
static bool take(const PGresult *answer, int row, const struct form *forms, size_t n, struct record_row *out,
                 struct fault *f)
{
    struct form wanted = {.text = PQgetvalue(answer, row, 0)};
    const struct form *found = bsearch(&wanted, forms, n, sizeof *forms, by_text);
    struct record_row is = {.found = true, .at = UTC_NONE, .reason = -1};
    is.revoked = strcmp(PQgetvalue(answer, row, 1), "t") == 0;
    if (is.revoked && !PQgetisnull(answer, row, 2))
        is.at.s = strtoll(PQgetvalue(answer, row, 2), NULL, 10);
    if (is.revoked && !PQgetisnull(answer, row, 3))
        is.reason = (int)strtol(PQgetvalue(answer, row, 3), NULL, 10);
    if (found == NULL)
        return fault_set(f, FAULT_CONFIG, "the CA's database answers with a serial that was not asked for");
    while (found > forms && strcmp(found[-1].text, wanted.text) == 0)
        found--;
    for (; found < forms + n && strcmp(found->text, wanted.text) == 0; found++) {
        if (out[found->index].found)
            return fault_set(f, FAULT_CONFIG, "the CA's database has serial %.60s twice", wanted.text);
        out[found->index] = is;
    }
    return true;
}

static bool ask(struct ca_record *r, const char *aki, const char *array, const struct form *forms, size_t n,
                struct record_row *out, struct fault *f)
{
    const char *const values[] = {aki, array};
    if (PQsendQueryParams(r->db, r->how->query, 2, NULL, values, NULL, NULL, 0) == 0)
        return refuse(r, NULL, f);
    PGresult *answer = hear(r);
    bool ok = PQresultStatus(answer) == PGRES_TUPLES_OK;
    if (!ok && answer != NULL)
        refuse(r, answer, f);
    else if (!ok)
        fault_set(f, FAULT_UNAVAILABLE, "the CA's database does not answer");
    else if (PQnfields(answer) != 4)
        ok = fault_set(f, FAULT_CONFIG, "the record's query gives %d columns, not 4", PQnfields(answer));
    for (int row = 0; ok && row < PQntuples(answer); row++)
        ok = take(answer, row, forms, n, out, f);
    PQclear(answer);
    return ok;
}

struct ca_record *ca_record_open(const char *conninfo, const struct backend_record *how)
{
    struct ca_record *r = arena_grow(NULL, sizeof *r);
    *r = (struct ca_record){.conninfo = conninfo, .how = how};
    return r;
}

bool ca_record_ask(struct ca_record *r, const char *aki, const struct serial *serials, size_t n,
                   struct record_row *out, struct fault *f)
{
    AUTO_ARENA a = {0};
    AUTO_BUF array = {0};
    struct form *forms = arena_array(&a, n, sizeof *forms);
    buf_text(&array, "{");
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF text = {0};
        struct backend_values values = {.serial = &serials[i], .aki = aki};
        backend_expand(&r->how->serial, &values, &text);
        forms[i] = (struct form){arena_text(&a, text.p), i};
        buf_format(&array, "%s\"%s\"", i == 0 ? "" : ",", text.p); /* digits and colons: nothing to quote */
        out[i] = (struct record_row){.at = UTC_NONE, .reason = -1};
    }
    buf_text(&array, "}");
    qsort(forms, n, sizeof *forms, by_text);
    bool ok = connect_now(r, f) && ask(r, aki, array.p, forms, n, out, f);
    if (!ok)
        disconnect(r); /* an answer that comes later must not be taken for the next one */
    return ok;
}

void ca_record_close(struct ca_record *r)
{
    if (r == NULL)
        return;
    disconnect(r);
    free(r);
}
