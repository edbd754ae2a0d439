#include "massrevoke/ca_sql.h"
#include "ca_queue.h"
#include "ca_record_crl.h"
#include "issuer_names.h"
#include "massrevoke/backend_sql.h"
#include "pg_wire.h"
#include "record_rows.h"

#include <stdio.h>
#include <stdlib.h>

#define HINT "check this CA's conninfo, the rights of its role, and the statements of its profile"

/* One transaction for the session: limits so that nothing of ours is executed late, and dates we can read. */
#define SETUP                                                                                                \
    "SELECT set_config('statement_timeout', '20s', false), "                                                 \
    "set_config('idle_in_transaction_session_timeout', '20s', false), "                                      \
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "      \
    "ELSE current_setting('synchronous_commit') END, false), set_config('bytea_output', 'escape', false)"

enum stage { RESTING, ASKING, UPDATING, COMMITTING };

/* Jobs [from, from + count) of the queue, of one issuer, reason and date. */
struct batch {
    struct arena arena;
    struct record_forms forms;
    struct record_row *rows;
    bool *changed; /* by our UPDATE */
    bool change;   /* of reasons */
    size_t from, count;
    const char *values[4];
    char seconds[24];
};

struct ca_sql {
    struct ca_door door; /* first: the contract's handle is a pointer to it */
    struct arena arena;
    struct backend_sql how;
    struct issuer_name *names;
    struct pg_wire *wire;
    struct ca_record_crl *crl; /* NULL: we sign none */
    struct ca_queue queue;
    struct batch batch;
    enum stage stage;
};

static struct ca_sql *self(struct ca_door *d)
{
    return (struct ca_sql *)d;
}

static bool queue(struct ca_sql *c, const struct ca_item *items, size_t count, bool ask, struct fault *f)
{
    if (!ca_queue_add(&c->queue, items, count, ask, f))
        return false;
    pg_wire_wake(c->wire);
    return true;
}

static bool queue_revoke(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    return queue(self(d), items, count, false, f);
}

static bool queue_status(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    return queue(self(d), items, count, true, f);
}

/* --- one batch --- */

static const char *word_of(const struct ca_sql *c, const struct ca_job *job)
{
    unsigned code = (unsigned)job->item.reason;
    if (job->ask)
        return "";
    return code < BACKEND_REASONS && (!job->item.change || c->how.change != NULL) ? c->how.words[code] : NULL;
}

/* What can't be expressed never leaves. */
static void refuse_inexpressible(struct ca_sql *c)
{
    const struct ca_job *job;
    while ((job = ca_queue_peek(&c->queue)) != NULL && word_of(c, job) == NULL) {
        c->queue.next++;
        ca_queue_answer(&c->queue, job->item.number, CA_PERSON, UTC_NONE, -1,
                        "the CA's database can't express this reason");
    }
}

static bool same_batch(const struct ca_job *a, const struct ca_job *b)
{
    const struct ca_item *x = &a->item, *y = &b->item;
    return a->ask == b->ask && x->issuer == y->issuer &&
           (a->ask || (x->reason == y->reason && x->change == y->change && x->date.s == y->date.s));
}

static void fill(struct ca_sql *c, const struct ca_job *first)
{
    struct batch *b = &c->batch;
    struct ca_queue *q = &c->queue;
    b->from = q->next;
    b->change = !first->ask && first->item.change;
    while (q->next < q->count && (int)(q->next - b->from) < c->how.batch &&
           same_batch(first, &q->jobs[q->next]))
        q->next++;
    b->count = q->next - b->from;
    q->under_way = b->count;
    struct serial *serials = arena_array(&b->arena, b->count, sizeof *serials);
    for (size_t i = 0; i < b->count; i++)
        serials[i] = q->jobs[b->from + i].item.serial;
    record_forms_make(&b->forms, &c->how.record.serial, serials, b->count, &b->arena);
    b->rows = arena_array(&b->arena, b->count, sizeof *b->rows);
    b->changed = arena_array(&b->arena, b->count, sizeof *b->changed);
    struct utc date = ca_item_is_dated(&first->item) ? first->item.date
                      : first->item.change           ? UTC_NONE
                                                     : c->door.now(c->door.clock);
    if (utc_is_set(date)) /* else "": the date stays */
        snprintf(b->seconds, sizeof b->seconds, "%lld", (long long)date.s);
    b->values[0] = c->names[first->item.issuer - q->first_issuer].aki;
    b->values[1] = b->forms.array.p;
    b->values[2] = word_of(c, first);
    b->values[3] = b->seconds;
}

static void begin(struct ca_sql *c)
{
    refuse_inexpressible(c);
    const struct ca_job *first = ca_queue_peek(&c->queue);
    if (first == NULL)
        return;
    bool ask = first->ask;
    fill(c, first);
    const struct pg_query status = {c->how.record.query, c->batch.values, 2};
    const struct pg_query revoke[] = {
        {.sql = "BEGIN"}, {c->batch.change ? c->how.change : c->how.revoke, c->batch.values, 4}, status};
    c->stage = ask ? ASKING : UPDATING;
    pg_wire_send(c->wire, ask ? &status : revoke, ask ? 1 : 3, PG_ANY_TIME);
}

static void end_batch(struct ca_sql *c)
{
    struct batch *b = &c->batch;
    buf_free(&b->forms.array);
    arena_free(&b->arena);
    *b = (struct batch){0};
    c->queue.under_way = 0;
    c->stage = RESTING;
}

static void answer_all(struct ca_sql *c, enum ca_outcome outcome, const char *text)
{
    for (size_t i = 0; i < c->batch.count; i++)
        ca_queue_answer(&c->queue, c->queue.jobs[c->batch.from + i].item.number, outcome, UTC_NONE, -1, text);
    end_batch(c);
}

/* The statements of the profile gave something that can't be read: nothing was committed. */
static void reject(struct ca_sql *c, const char *why)
{
    ca_queue_halt(&c->queue, FAULT_CONFIG, why, HINT);
    answer_all(c, CA_WAIT, why);
}

/* --- answers --- */

/* Does the row say what a change was to make of it? */
static bool is_as_wanted(const struct record_row *row, const struct ca_item *item)
{
    return row->revoked && row->reason == (int)item->reason &&
           (!ca_item_is_dated(item) || row->at.s == item->date.s);
}

static enum ca_outcome outcome_of(const struct ca_sql *c, size_t i)
{
    const struct record_row *row = &c->batch.rows[i];
    const struct ca_job *job = &c->queue.jobs[c->batch.from + i];
    if (!row->found)
        return CA_UNKNOWN;
    if (c->batch.change && (!row->revoked || !is_as_wanted(row, &job->item)))
        return row->revoked ? CA_PERSON : CA_NOT_REVOKED;
    return c->batch.changed[i] ? CA_REVOKED_NOW
           : row->revoked      ? CA_REVOKED_BEFORE
           : job->ask          ? CA_NOT_REVOKED
                               : CA_PERSON;
}

static void answer_row(struct ca_sql *c, size_t i)
{
    const struct record_row *row = &c->batch.rows[i];
    const struct ca_job *job = &c->queue.jobs[c->batch.from + i];
    enum ca_outcome outcome = outcome_of(c, i);
    ca_queue_answer(&c->queue, job->item.number, outcome, row->at, row->reason,
                    outcome == CA_UNKNOWN  ? "not in the CA's database"
                    : outcome == CA_PERSON ? c->batch.change ? "the UPDATE did not make it what it was to be"
                                                             : "not revoked, but the UPDATE passed it over"
                                           : "");
}

static void answer_rows(struct ca_sql *c)
{
    for (size_t i = 0; i < c->batch.count; i++)
        answer_row(c, i);
    end_batch(c);
}

/* Marks what the UPDATE returned; a serial that is queued twice was changed for the first only. */
static bool take_changed(struct ca_sql *c, const PGresult *r)
{
    if (PQnfields(r) != 1)
        return false;
    for (int row = 0; row < PQntuples(r); row++) {
        const size_t *indexes;
        if (record_forms_find(&c->batch.forms, PQgetvalue(r, row, 0), &indexes) == 0)
            return false;
        c->batch.changed[indexes[0]] = true;
    }
    return true;
}

static void commit(struct ca_sql *c)
{
    const struct pg_query end = {.sql = "COMMIT"};
    pg_wire_forget(c->wire);
    c->stage = COMMITTING;
    pg_wire_send(c->wire, &end, 1, PG_NEXT);
}

/* Nothing of it was done; a session that ends before that rolls back all the same. */
static void roll_back(struct ca_sql *c)
{
    const struct pg_query end = {.sql = "ROLLBACK"};
    pg_wire_forget(c->wire);
    pg_wire_send(c->wire, &end, 1, PG_NEXT);
}

static void abandon(struct ca_sql *c, const char *why)
{
    roll_back(c);
    reject(c, why);
}

static void done(struct ca_sql *c)
{
    struct fault f = {0};
    switch (c->stage) {
    case ASKING:
        if (record_rows_take(&c->batch.forms, pg_wire_result(c->wire, 0), c->batch.rows, &f))
            answer_rows(c);
        else
            reject(c, f.text);
        break;
    case UPDATING:
        if (!take_changed(c, pg_wire_result(c->wire, 1)))
            abandon(c, "the UPDATE must return one column, the serials it changed");
        else if (!record_rows_take(&c->batch.forms, pg_wire_result(c->wire, 2), c->batch.rows, &f))
            abandon(c, f.text);
        else if (ca_queue_may_leave(&c->queue, c->batch.from, c->batch.count))
            commit(c);
        else {
            roll_back(c);
            end_batch(c);
        }
        return;
    case COMMITTING: {
        PGresult *r = pg_wire_result(c->wire, 0);
        if (strcmp(PQcmdStatus(r), "COMMIT") == 0)
            answer_rows(c);
        else
            answer_all(c, CA_WAIT, "the CA's database rolled the batch back");
        break;
    }
    case RESTING: /* the answer to a ROLLBACK */
        break;
    }
    pg_wire_forget(c->wire);
}

static void broken(struct ca_sql *c)
{
    const char *text;
    bool said;
    enum pg_meaning why = pg_wire_why(c->wire, &text, &said);
    bool open = c->stage == COMMITTING && !said;
    char words[440];
    snprintf(words, sizeof words, "the CA's database: %s", text);
    if (c->stage != RESTING) {
        ca_queue_halt(&c->queue, pg_fault(why), words, HINT);
        answer_all(c, open ? CA_ASK : CA_WAIT, words);
    }
    pg_wire_forget(c->wire);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct ca_sql *c = self(d);
    for (bool on = true; on;) {
        enum pg_wire_state state = pg_wire_step(c->wire);
        if (state == PG_WIRE_DONE)
            done(c);
        else if (state == PG_WIRE_BROKEN)
            broken(c);
        else if (state == PG_WIRE_IDLE)
            begin(c);
        /* what was begun may be answered already; what was queued in between wants to begin */
        on = state == PG_WIRE_DONE || state == PG_WIRE_BROKEN;
    }
    bool ok = ca_queue_end_step(&c->queue, busy, f);
    if (*busy && c->stage == RESTING)
        pg_wire_wake(c->wire);
    return ok;
}

/* --- before a campaign --- */

/* Sends and waits; the answers are the wire's until pg_wire_forget. */
static bool ask_server(struct ca_sql *c, const struct pg_query *queries, size_t n, struct fault *f)
{
    enum pg_wire_state state;
    const char *text;
    bool said;
    pg_wire_send(c->wire, queries, n, PG_ANY_TIME);
    while ((state = pg_wire_step(c->wire)) == PG_WIRE_BUSY)
        ca_wait(&c->door, 100);
    if (state == PG_WIRE_DONE)
        return true;
    enum pg_meaning why = pg_wire_why(c->wire, &text, &said);
    fault_set(f, pg_fault(why), "%s: %s", c->queue.where, text);
    pg_wire_forget(c->wire);
    return fault_hint(f, HINT);
}

/* The profile's own statements for no serial at all, rolled back: that needs every right they need. */
static bool probe(struct ca_door *d, struct ca_probe *out, struct fault *f)
{
    struct ca_sql *c = self(d);
    unsigned reason = 0;
    while (reason + 1 < BACKEND_REASONS && c->how.words[reason] == NULL)
        reason++;
    const char *const values[] = {c->names[0].aki, "{}", c->how.words[reason], "0"};
    const struct pg_query clock = {.sql = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint"};
    const struct pg_query statements[] = {
        {.sql = "BEGIN"}, {c->how.revoke, values, 4}, {c->how.record.query, values, 2}, {.sql = "ROLLBACK"}};
    *out = (struct ca_probe){.date = UTC_NONE};
    if (!ask_server(c, &clock, 1, f))
        return false;
    out->date = (struct utc){strtoll(PQgetvalue(pg_wire_result(c->wire, 0), 0, 0), NULL, 10)};
    pg_wire_forget(c->wire);
    if (!ask_server(c, statements, sizeof statements / sizeof *statements, f))
        return false;
    pg_wire_forget(c->wire);
    out->lets_us = true;
    snprintf(out->text, sizeof out->text, "its statements may be run");
    return true;
}

/* --- opening --- */

static void close_door(struct ca_door *d)
{
    struct ca_sql *c = self(d);
    end_batch(c);
    pg_wire_close(c->wire);
    ca_record_crl_close(c->crl);
    ca_queue_free(&c->queue);
    arena_free(&c->arena);
    free(c);
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct ca_sql *c = self(d);
    size_t index = (size_t)(issuer - c->queue.first_issuer);
    bool done;
    d->publishing = false;
    if (issuer < c->queue.first_issuer || index >= c->queue.issuer_count)
        return fault_set(f, FAULT_REFUSED, "issuer %u is not of %s", issuer, c->queue.where);
    if (c->crl == NULL)
        return fault_set(f, FAULT_REFUSED, "%s: no issuer has a key_file, so no CRL can be signed",
                         c->queue.where);
    bool ok = ca_record_crl_publish(c->crl, index, c->names[index].aki, now, &done, f);
    d->publishing = ok && !done;
    return ok;
}

static const struct ca_door_ops ops = {
    .revoke = queue_revoke, .status = queue_status, .step = step, .publish = publish, .close = close_door};

static bool describe(const struct settings_ca *ca, struct arena *a, struct backend_sql *how,
                     struct ca_facts *out, struct fault *f)
{
    if (!backend_sql_read(ca->http.plans_dir, ca->http.profile, a, how, f))
        return false;
    *out = (struct ca_facts){.name = how->name,
                             .keeps_first_date = true,
                             .tells_status = true,
                             .can_publish = ca_record_crl_wanted(ca),
                             .quiet = how->quiet,
                             .rate = ca->rate,
                             .reasons = backend_reasons(how->words),
                             .changes = how->change == NULL ? 0 : backend_reasons(how->words),
                             .takes_date = true,
                             .window = (size_t)how->batch,
                             .calls = true};
    return true;
}

bool ca_sql_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f)
{
    struct backend_sql how;
    return describe(ca, a, &how, out, f);
}

bool ca_sql_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                 struct ca_door **out, struct fault *f)
{
    struct ca_sql *c = arena_grow(NULL, sizeof *c);
    *c = (struct ca_sql){0};
    c->door = (struct ca_door){
        .ops = &ops, .probe = probe, .fd = -1, .now = clock.now, .clock = clock.self, .away_until = UTC_NONE};
    c->queue = (struct ca_queue){.door = &c->door,
                                 .where = arena_format(&c->arena, "CA %s", ca->name),
                                 .first_issuer = first_issuer,
                                 .issuer_count = ca->issuer_count};
    bool ok = describe(ca, &c->arena, &c->how, &c->door.facts, f) &&
              issuer_names_load(ca, false, c->how.name, &c->arena, &c->names, f);
    if (ok) {
        const char *conninfo = arena_text(&c->arena, ca->http.record_conninfo);
        c->wire = pg_wire_open(conninfo, SETUP, (int)ca->http.timeout.s, f);
        ok = c->wire != NULL &&
             (!c->door.facts.can_publish || ca_record_crl_open(ca, &c->how.record, &c->arena, &c->crl, f));
    }
    if (!ok) {
        close_door(&c->door);
        return false;
    }
    c->door.fd = pg_wire_fd(c->wire);
    *out = &c->door;
    return true;
}
