/* record_ask.h - questions to the CA's own PostgreSQL database, where its HTTP interface can't be asked.
 *
 * Reads only (the session is set so), by the one query of the profile: $1 is the issuer's key identifier, $2
 * the array of serials; each row is serial, revoked (boolean), seconds since 1970, reason code. A serial
 * without a row is one that the CA never issued. Parameters have no type of their own, so the query works on
 * text and on bytea columns (cfssl's migrations use bytea). They wait in a line of their own, so that a
 * database that hangs keeps back no request; the answers go to the door's queue, where all of them count as
 * under way. What has no answer within RECORD_SECONDS, for connecting and for each question, is CA_WAIT and
 * halts the queue: UNAVAILABLE, or CONFIG for a wrong login, right or query. I/O by pg_wire, never waiting.
 * Does not: know cfssl, write, or repeat a question. Source: facts of backends 1.2. Called by: ca_http.c. */
#ifndef DOOR_RECORD_ASK_H
#define DOOR_RECORD_ASK_H

#include "ca_queue.h"
#include "issuer_names.h"
#include "massrevoke/backend.h"

#define RECORD_SECONDS 15
#define RECORD_BATCH 1000 /* serials a question */

struct record_ask;

/* Keeps all it is given; `names` by issuer of the queue. Connects at the first question. NULL with a fault:
 * the system has no descriptor left. */
struct record_ask *record_ask_open(const char *conninfo, const struct backend_record *how,
                                   const struct issuer_name *names, struct ca_queue *queue, struct fault *f);

/* Readable when record_ask_step has something to do. */
int record_ask_fd(const struct record_ask *r);

/* Copies questions behind those that wait. REFUSED as ca_queue_add. */
MUST_USE bool record_ask_add(struct record_ask *r, const struct ca_item *items, size_t count,
                             struct fault *f);

/* Goes on as far as it can without waiting. */
void record_ask_step(struct record_ask *r);

/* Once the queue is halted: what is not begun comes back unsent. */
void record_ask_give_back(struct record_ask *r);

/* Questions without an answer yet; NULL is allowed, as in closing. */
size_t record_ask_pending(const struct record_ask *r);
void record_ask_close(struct record_ask *r);

#endif
