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

static bool ask(struct ca_record *r, const char *aki, const struct record_forms *forms,
                struct record_row *out, struct fault *f)
{
    const char *const values[] = {aki, forms->array.p};
    if (PQsendQueryParams(r->db, r->how->query, 2, NULL, values, NULL, NULL, 0) == 0)
        return refuse(r, NULL, f);
    PGresult *answer = hear(r);
    bool ok = PQresultStatus(answer) == PGRES_TUPLES_OK;
    if (!ok && answer != NULL)
        refuse(r, answer, f);
    else if (!ok)
        fault_set(f, FAULT_UNAVAILABLE, "the CA's database does not answer");
    ok = ok && record_rows_take(forms, answer, out, f);
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
    struct record_forms forms = {0};
    record_forms_make(&forms, &r->how->serial, serials, n, &a);
    bool ok = connect_now(r, f) && ask(r, aki, &forms, out, f);
    if (!ok)
        disconnect(r); /* an answer that comes later must not be taken for the next one */
    buf_free(&forms.array);
    return ok;
}

static bool take_entry(const struct ca_record *r, const PGresult *answer, int row, struct crl_entry *out)
{
    bool decimal = r->how->serial.parts[0].value == BACKEND_SERIAL_DECIMAL;
    struct str text = str_of(PQgetvalue(answer, row, 0));
    *out = (struct crl_entry){.at = {strtoll(PQgetvalue(answer, row, 1), NULL, 10)},
                              .reason = (int)strtol(PQgetvalue(answer, row, 2), NULL, 10),
                              .invalid_since = UTC_NONE};
    return !PQgetisnull(answer, row, 1) && reason_name(out->reason) != NULL &&
           (decimal ? serial_from_decimal(text, &out->serial) : serial_from_hex(text, &out->serial)) == NULL;
}

bool ca_record_revoked(struct ca_record *r, const char *aki, struct crl_entry **entries, size_t *count,
                       struct fault *f)
{
    const char *const values[] = {aki};
    *entries = NULL;
    *count = 0;
    if (!connect_now(r, f))
        return false;
    PGresult *answer =
        PQsendQueryParams(r->db, r->how->revoked, 1, NULL, values, NULL, NULL, 0) == 1 ? hear(r) : NULL;
    bool ok = PQresultStatus(answer) == PGRES_TUPLES_OK;
    if (!ok)
        refuse(r, answer, f);
    else if (PQnfields(answer) != 3)
        ok = fault_set(f, FAULT_CONFIG, "the record's list gives %d columns, not 3", PQnfields(answer));
    *entries = ok ? arena_grow(NULL, ((size_t)PQntuples(answer) + 1) * sizeof **entries) : NULL;
    for (int row = 0; ok && row < PQntuples(answer); row++)
        if (take_entry(r, answer, row, &(*entries)[*count]))
            ++*count;
        else
            ok = fault_set(f, FAULT_CONFIG, "the CA's database: row %d has no serial, date and reason: %.60s",
                           row + 1, PQgetvalue(answer, row, 0));
    PQclear(answer);
    if (!ok)
        disconnect(r);
    return ok;
}

void ca_record_close(struct ca_record *r)
{
    if (r == NULL)
        return;
    disconnect(r);
    free(r);
}
