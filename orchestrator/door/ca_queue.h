/* ca_queue.h - what every door that works in batches does alike: keeps what is queued, hands answers out, and
 * gives the rest back unsent once the backend turned something away.
 *
 * Pure but for the callback. Does not: talk to a CA. Called by: ca_http, record_ask, ca_sql, ca_exec,
 * ca_acme. */
#ifndef DOOR_CA_QUEUE_H
#define DOOR_CA_QUEUE_H

#include "massrevoke/ca_door.h"

#define CA_QUEUE_ANSWERS 256 /* handed out at a time */

/* One certificate to revoke or to ask about. */
struct ca_job {
    struct ca_item item;
    bool ask;
};

struct ca_queue {
    struct ca_door *door;
    const char *where; /* for faults: "the CA at https://..." */
    uint16_t first_issuer;
    size_t issuer_count;
    struct ca_job *jobs; /* [next, count) are not begun */
    size_t next, count, room;
    size_t under_way;    /* begun and not answered; kept by the door */
    struct fault halted; /* why nothing more of what is queued goes out; kind NONE: it does */
    bool blames;         /* that is CONFIG, and the next answer is the reason for it */
    struct ca_answer answers[CA_QUEUE_ANSWERS];
    size_t answer_count;
};

/* Copies the items behind what is queued; where nothing is under way the queue begins anew. REFUSED: a
 * certificate of an issuer that is not this CA's; then nothing is queued. */
MUST_USE bool ca_queue_add(struct ca_queue *q, const struct ca_item *items, size_t count, bool ask,
                           struct fault *f);

/* The next that is not begun, NULL when there is none or nothing may go out any more. */
const struct ca_job *ca_queue_peek(const struct ca_queue *q);

/* Keeps one answer; bytes of `text` that are not printable ASCII become blanks: foreign bytes must not steer
 * a terminal. */
void ca_queue_answer(struct ca_queue *q, uint32_t number, enum ca_outcome outcome, struct utc at, int reason,
                     const char *text);

/* Gives one back as CA_WAIT that never left, because the queue is halted. */
void ca_queue_unsent(struct ca_queue *q, uint32_t number);

/* May what these jobs revoke leave in one piece? If not, all of them are given back, withheld. */
MUST_USE bool ca_queue_may_leave(struct ca_queue *q, size_t from, size_t count);

/* Gives one back that may not leave. */
void ca_queue_withheld(struct ca_queue *q, uint32_t number);

/* From here on nothing more of what is queued goes out. The first reason stays, but CONFIG wins. Called right
 * before the answer that is the reason. */
void ca_queue_halt(struct ca_queue *q, enum fault_kind kind, const char *why, const char *hint);

/* Ends a step: what may not go out comes back as CA_WAIT, answers are handed out, and once nothing is left a
 * halt becomes the fault. */
MUST_USE bool ca_queue_end_step(struct ca_queue *q, bool *busy, struct fault *f);

/* Frees the jobs. */
void ca_queue_free(struct ca_queue *q);

#endif
