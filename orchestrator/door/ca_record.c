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
        if (poll(&p, 1, RECORD_LIST_SECONDS * 1000) <= 0 || PQconsumeInput(r->db) == 0)
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

struct ca_record *ca_record_open(const char *conninfo, const struct backend_record *how)
{
    struct ca_record *r = arena_grow(NULL, sizeof *r);
    *r = (struct ca_record){.conninfo = conninfo, .how = how};
    return r;
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

/* The list that a row goes to, by its fourth column; most rows go where the one before went. */
static bool find_list(const PGresult *answer, int row, const char *const *points, size_t count, size_t *list,
                      struct fault *f)
{
    const char *point = PQgetvalue(answer, row, 3);
    for (size_t tried = 0; tried < count; tried++, *list = (*list + 1) % count)
        if (strcmp(points[*list], point) == 0)
            return true;
    fault_set(f, FAULT_CONFIG,
              "the CA's database: row %d is for the CRL '%.200s', which is none of crl_shards", row + 1,
              point);
    return fault_hint(f, "name each URL that the issuer's certificates name in crl_shards");
}

/* Which list each row goes to, and how many go to each. */
static bool find_lists(const PGresult *answer, const char *const *points, size_t point_count, size_t *lists,
                       size_t *counts, struct fault *f)
{
    size_t list = 0;
    memset(counts, 0, (point_count == 0 ? 1 : point_count) * sizeof *counts);
    for (int row = 0; row < PQntuples(answer); row++) {
        if (point_count > 0 && !find_list(answer, row, points, point_count, &list, f))
            return false;
        lists[row] = list;
        counts[list]++;
    }
    return true;
}

/* The rows as entries, list after list. */
static bool take_entries(const struct ca_record *r, const PGresult *answer, const size_t *lists,
                         const size_t *counts, size_t list_count, struct crl_entry *entries, struct fault *f)
{
    AUTO_ARENA a = {0};
    size_t *next = arena_array(&a, list_count, sizeof *next);
    for (size_t k = 1; k < list_count; k++)
        next[k] = next[k - 1] + counts[k - 1];
    for (int row = 0; row < PQntuples(answer); row++)
        if (!take_entry(r, answer, row, &entries[next[lists[row]]++]))
            return fault_set(f, FAULT_CONFIG,
                             "the CA's database: row %d has no serial, date and reason: %.60s", row + 1,
                             PQgetvalue(answer, row, 0));
    return true;
}

static bool take_answer(const struct ca_record *r, const PGresult *answer, const char *const *points,
                        size_t point_count, struct crl_entry **entries, size_t *counts, struct fault *f)
{
    AUTO_ARENA a = {0};
    int columns = point_count == 0 ? 3 : 4;
    size_t rows = (size_t)PQntuples(answer), *lists = arena_array(&a, rows, sizeof *lists);
    if (PQnfields(answer) != columns)
        return fault_set(f, FAULT_CONFIG, "the record's list gives %d columns, not %d%s", PQnfields(answer),
                         columns, columns == 4 ? ": crl_shards need the URL of each certificate's CRL" : "");
    *entries = arena_grow(NULL, (rows + 1) * sizeof **entries);
    return find_lists(answer, points, point_count, lists, counts, f) &&
           take_entries(r, answer, lists, counts, point_count == 0 ? 1 : point_count, *entries, f);
}

bool ca_record_revoked(struct ca_record *r, const char *aki, const char *const *points, size_t point_count,
                       struct crl_entry **entries, size_t *counts, struct fault *f)
{
    const char *const values[] = {aki};
    *entries = NULL;
    if (!connect_now(r, f))
        return false;
    PGresult *answer =
        PQsendQueryParams(r->db, r->how->revoked, 1, NULL, values, NULL, NULL, 0) == 1 ? hear(r) : NULL;
    bool ok = PQresultStatus(answer) == PGRES_TUPLES_OK
                  ? take_answer(r, answer, points, point_count, entries, counts, f)
                  : refuse(r, answer, f);
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
