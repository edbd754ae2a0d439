#include "record_ask.h"
#include "pg_wire.h"
#include "record_rows.h"

#include <stdio.h>
#include <stdlib.h>

#define HINT "check this CA's record_conninfo, its profile, and what the role may read"

struct record_ask {
    const struct backend_record *how;
    const struct issuer_name *names;
    struct ca_queue *queue; /* the door's */
    struct ca_queue line;   /* only keeps: what waits, and behind it what is asked */
    struct pg_wire *wire;
    struct arena arena; /* of the question that is under way */
    struct record_forms forms;
    size_t from; /* its first in the line */
    const char *values[2];
};

struct record_ask *record_ask_open(const char *conninfo, const struct backend_record *how,
                                   const struct issuer_name *names, struct ca_queue *queue, struct fault *f)
{
    struct pg_wire *wire = pg_wire_open(conninfo, PG_READ_ONLY("10s"), RECORD_SECONDS, f);
    if (wire == NULL)
        return NULL;
    struct record_ask *r = arena_grow(NULL, sizeof *r);
    *r = (struct record_ask){.how = how, .names = names, .queue = queue, .wire = wire};
    r->line = (struct ca_queue){
        .where = queue->where, .first_issuer = queue->first_issuer, .issuer_count = queue->issuer_count};
    return r;
}

int record_ask_fd(const struct record_ask *r)
{
    return pg_wire_fd(r->wire);
}

size_t record_ask_pending(const struct record_ask *r)
{
    return r == NULL ? 0 : r->line.under_way + r->line.count - r->line.next;
}

bool record_ask_add(struct record_ask *r, const struct ca_item *items, size_t count, struct fault *f)
{
    if (!ca_queue_add(&r->line, items, count, true, f))
        return false;
    r->queue->under_way += count;
    pg_wire_wake(r->wire);
    return true;
}

/* --- one question --- */

static void begin(struct record_ask *r)
{
    struct ca_queue *l = &r->line;
    if (l->next == l->count || r->queue->halted.kind != FAULT_NONE)
        return;
    uint16_t issuer = l->jobs[l->next].item.issuer;
    struct serial *serials = arena_array(&r->arena, RECORD_BATCH, sizeof *serials);
    size_t n = 0;
    r->from = l->next;
    for (; l->next < l->count && n < RECORD_BATCH && l->jobs[l->next].item.issuer == issuer; l->next++)
        serials[n++] = l->jobs[l->next].item.serial;
    l->under_way = n;
    record_forms_make(&r->forms, &r->how->serial, serials, n, &r->arena);
    r->values[0] = r->names[issuer - l->first_issuer].aki;
    r->values[1] = r->forms.array.p;
    pg_wire_send(r->wire, &(struct pg_query){r->how->query, r->values, 2}, 1, PG_ANY_TIME);
}

/* Certificate i of the question; `row` NULL: it has no answer, and `text` says why. */
static void answer(struct record_ask *r, size_t i, const struct record_row *row, const char *text)
{
    uint32_t number = r->line.jobs[r->from + i].item.number;
    r->line.under_way--;
    r->queue->under_way--;
    enum ca_outcome outcome = row == NULL    ? CA_WAIT
                              : !row->found  ? CA_UNKNOWN
                              : row->revoked ? CA_REVOKED_BEFORE
                                             : CA_NOT_REVOKED;
    ca_queue_answer(r->queue, number, outcome, row == NULL ? UTC_NONE : row->at,
                    row == NULL ? -1 : row->reason,
                    outcome == CA_UNKNOWN ? "not in the CA's database" : text);
}

static void end_question(struct record_ask *r)
{
    buf_free(&r->forms.array);
    arena_free(&r->arena);
    r->forms = (struct record_forms){0};
}

static void refuse(struct record_ask *r, enum fault_kind kind, const char *text)
{
    size_t n = r->line.under_way;
    ca_queue_halt(r->queue, kind, text, HINT);
    for (size_t i = 0; i < n; i++)
        answer(r, i, NULL, text);
    end_question(r);
}

static void done(struct record_ask *r)
{
    size_t n = r->line.under_way;
    struct record_row *rows = arena_array(&r->arena, n, sizeof *rows);
    struct fault f;
    bool ok = record_rows_take(&r->forms, pg_wire_result(r->wire, 0), rows, &f);
    pg_wire_forget(r->wire);
    if (!ok) {
        refuse(r, f.kind, f.text);
        return;
    }
    for (size_t i = 0; i < n; i++)
        answer(r, i, &rows[i], "");
    end_question(r);
}

static void broken(struct record_ask *r)
{
    const char *why;
    bool said;
    char text[440];
    enum pg_meaning meaning = pg_wire_why(r->wire, &why, &said);
    snprintf(text, sizeof text, "the CA's database: %s", why);
    pg_wire_forget(r->wire);
    refuse(r, pg_fault(meaning), text);
}

void record_ask_step(struct record_ask *r)
{
    enum pg_wire_state state;
    do {
        state = pg_wire_step(r->wire);
        if (state == PG_WIRE_DONE)
            done(r);
        else if (state == PG_WIRE_BROKEN)
            broken(r);
        else if (state == PG_WIRE_IDLE)
            begin(r);
    } while (state == PG_WIRE_DONE || state == PG_WIRE_BROKEN);
}

void record_ask_give_back(struct record_ask *r)
{
    while (r != NULL && r->queue->halted.kind != FAULT_NONE && r->line.next < r->line.count) {
        r->queue->under_way--;
        ca_queue_unsent(r->queue, r->line.jobs[r->line.next++].item.number);
    }
}

void record_ask_close(struct record_ask *r)
{
    if (r == NULL)
        return;
    end_question(r);
    pg_wire_close(r->wire);
    ca_queue_free(&r->line);
    free(r);
}
