#include "ca_queue.h"
#include "massrevoke/arena.h"

#include <stdio.h>
#include <stdlib.h>

bool ca_queue_add(struct ca_queue *q, const struct ca_item *items, size_t count, bool ask, struct fault *f)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].issuer < q->first_issuer || items[i].issuer - q->first_issuer >= (int)q->issuer_count)
            return fault_set(f, FAULT_REFUSED, "certificate %u belongs to issuer %u, not to %s",
                             items[i].number, items[i].issuer, q->where);
    if (q->next == q->count && q->under_way == 0)
        q->next = q->count = 0;
    if (q->count + count > UINT32_MAX / 4)
        return fault_set(f, FAULT_CONFLICT, "too many certificates are queued for %s", q->where);
    while (q->room < q->count + count) {
        q->room = q->room == 0 ? 1024 : q->room * 2;
        q->jobs = arena_grow(q->jobs, q->room * sizeof *q->jobs);
    }
    for (size_t i = 0; i < count; i++)
        q->jobs[q->count++] = (struct ca_job){.item = items[i], .ask = ask};
    return true;
}

const struct ca_job *ca_queue_peek(const struct ca_queue *q)
{
    return q->next < q->count && q->halted.kind == FAULT_NONE ? &q->jobs[q->next] : NULL;
}

static void deliver(struct ca_queue *q)
{
    size_t n = q->answer_count;
    q->answer_count = 0; /* the receiver may queue again from inside its callback */
    if (n > 0)
        q->door->answer(q->door->answer_context, q->answers, n);
}

/* `refused`: for this very request. */
static void keep(struct ca_queue *q, struct ca_answer answer, bool refused, const char *text)
{
    struct ca_answer *out = &q->answers[q->answer_count++];
    *out = answer;
    out->refused = refused;
    out->blames = refused && q->blames;
    q->blames = false;
    snprintf(out->text, sizeof out->text, "%.*s", (int)sizeof out->text - 1, text);
    for (char *p = out->text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            *p = ' ';
    if (q->answer_count == CA_QUEUE_ANSWERS)
        deliver(q);
}

void ca_queue_answer(struct ca_queue *q, uint32_t number, enum ca_outcome outcome, struct utc at, int reason,
                     const char *text)
{
    keep(q, (struct ca_answer){.number = number, .outcome = outcome, .at = at, .reason = reason},
         outcome == CA_WAIT, text);
}

void ca_queue_unsent(struct ca_queue *q, uint32_t number)
{
    keep(q, (struct ca_answer){.number = number, .outcome = CA_WAIT, .at = UTC_NONE, .reason = -1}, false,
         "not sent: the CA turned an earlier request away");
}

bool ca_queue_may_leave(struct ca_queue *q, size_t from, size_t count)
{
    bool may = true;
    for (size_t i = from; i < from + count && may; i++)
        may = q->jobs[i].ask || ca_may_leave(q->door, q->jobs[i].item.number);
    for (size_t i = from; i < from + count && !may; i++)
        ca_queue_withheld(q, q->jobs[i].item.number);
    return may;
}

void ca_queue_withheld(struct ca_queue *q, uint32_t number)
{
    keep(q,
         (struct ca_answer){
             .number = number, .outcome = CA_WAIT, .at = UTC_NONE, .reason = -1, .withheld = true},
         false, CA_WITHHELD);
}

void ca_queue_halt(struct ca_queue *q, enum fault_kind kind, const char *why, const char *hint)
{
    q->blames = kind == FAULT_CONFIG;
    if (q->halted.kind == FAULT_CONFIG || q->halted.kind == kind)
        return;
    fault_set(&q->halted, kind, "%s: %.300s", q->where, why);
    for (char *p = q->halted.text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            *p = ' ';
    if (kind == FAULT_CONFIG)
        fault_hint(&q->halted, "%s", hint);
}

bool ca_queue_end_step(struct ca_queue *q, bool *busy, struct fault *f)
{
    while (q->next < q->count && q->halted.kind != FAULT_NONE)
        ca_queue_unsent(q, q->jobs[q->next++].item.number);
    deliver(q);
    *busy = q->under_way > 0 || q->next < q->count;
    if (*busy)
        return true;
    struct fault why = q->halted;
    q->halted = (struct fault){0};
    if (why.kind != FAULT_NONE)
        *f = why;
    return why.kind == FAULT_NONE;
}

void ca_queue_free(struct ca_queue *q)
{
    free(q->jobs);
    q->jobs = NULL;
}
