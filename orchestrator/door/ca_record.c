#include "ca_record.h"
#include "massrevoke/text.h"
#include "pg_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What reads slowly is no query that runs away, so the server's patience is longer than ours. */
#define SETUP PG_READ_ONLY("10min")

struct ca_record {
    const struct backend_record *how;
    struct pg_wire *wire;
    int turn; /* a timer: how long a call may take */
    bool asked;
    const char *values[1];
};

struct ca_record *ca_record_open(const char *conninfo, const struct backend_record *how, struct fault *f)
{
    struct ca_record *r = arena_grow(NULL, sizeof *r);
    *r = (struct ca_record){.how = how, .turn = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)};
    if (r->turn < 0)
        fault_set(f, FAULT_FAILED, "no descriptor for the CA's database: %s", strerror(errno));
    else
        r->wire = pg_wire_open(conninfo, SETUP, RECORD_LIST_SECONDS, f);
    if (r->wire != NULL)
        return r;
    ca_record_close(r);
    return NULL;
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

/* Lets the wire work: as long as something comes, or something may, within limits. */
static enum pg_wire_state work(struct ca_record *r)
{
    const struct itimerspec turn = {
        .it_value = {.tv_sec = RECORD_TURN_MS / 1000, .tv_nsec = RECORD_TURN_MS % 1000 * 1000000L + 1}};
    struct pollfd p[] = {{.fd = pg_wire_fd(r->wire), .events = POLLIN}, {.fd = r->turn, .events = POLLIN}};
    enum pg_wire_state state;
    (void)timerfd_settime(r->turn, 0, &turn, NULL);
    while ((state = pg_wire_step(r->wire)) == PG_WIRE_BUSY && poll(p, 2, RECORD_PATIENCE_MS) > 0 &&
           p[1].revents == 0)
        continue;
    return state;
}

bool ca_record_revoked(struct ca_record *r, const char *aki, const char *const *points, size_t point_count,
                       struct crl_entry **entries, size_t *counts, bool *done, struct fault *f)
{
    const char *words;
    bool said, ok;
    *entries = NULL;
    if (!r->asked) {
        r->values[0] = aki;
        (void)pg_wire_step(r->wire); /* notices a session that the server ended */
        pg_wire_send(r->wire, &(struct pg_query){r->how->revoked, r->values, 1}, 1, PG_ANY_TIME);
    }
    enum pg_wire_state state = work(r);
    *done = state != PG_WIRE_BUSY;
    r->asked = !*done;
    if (!*done)
        return true;
    if (state == PG_WIRE_DONE)
        ok = take_answer(r, pg_wire_result(r->wire, 0), points, point_count, entries, counts, f);
    else {
        /* a login that is refused meanwhile must not end what else goes on */
        enum pg_meaning why = pg_wire_why(r->wire, &words, &said);
        ok = fault_set(f, why == PG_STOP ? FAULT_CONFIG : FAULT_UNAVAILABLE, "the CA's database: %s", words);
    }
    pg_wire_forget(r->wire);
    return ok;
}

void ca_record_close(struct ca_record *r)
{
    if (r == NULL)
        return;
    pg_wire_close(r->wire);
    if (r->turn >= 0)
        close(r->turn);
    free(r);
}
