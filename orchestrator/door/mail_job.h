/* mail_job.h - what both mail doors do alike: check a message, copy it, queue it, hand its answer back.
 *
 * Pure. Does not: write anywhere, lock (the SMTP door holds its own mutex around queues). Called by:
 * mail_spool.c, mail_smtp.c. */
#ifndef DOOR_MAIL_JOB_H
#define DOOR_MAIL_JOB_H

#include "massrevoke/arena.h"
#include "massrevoke/mail_door.h"

#define MAIL_QUEUE_MAX 256 /* messages a door owes an answer for */

/* One message on its way and its answer; lives in its own arena. */
struct mail_job {
    struct mail_job *next;
    struct arena memory;
    struct mail_message message;
    struct mail_answer answer;
    bool addressable; /* `to` is one mailbox: a relay may see it */
};

/* First in, first out. Zero-initialise to start. */
struct mail_queue {
    struct mail_job *first, *last;
};

/* Checks and copies m. An unusable `to` is an answer of the world, not a fault: the job is born with
 * MAIL_REFUSED. Faults: CONFIG (`from`), FAILED (a name that is no file name, bytes with a bare CR or LF or a
 * line over 998 octets, RFC 5321 4.5.3.1.6). Owned by the caller, ended by mail_job_free. */
MUST_USE bool mail_job_new(const struct mail_message *m, struct mail_job **out, struct fault *f);

/* Ends a job; NULL is allowed. */
void mail_job_free(struct mail_job *job);

/* Puts a job at the end. */
void mail_queue_add(struct mail_queue *q, struct mail_job *job);

/* Takes the first; NULL when empty. */
struct mail_job *mail_queue_take(struct mail_queue *q);

/* Frees all jobs. */
void mail_queue_free(struct mail_queue *q);

/* Sets outcome and the relay's words, cut to fit, controls made blanks. */
void mail_job_answer(struct mail_job *job, enum mail_outcome outcome, const char *text);

/* Calls the door's answer function for every job of q and frees them; the function may send again. Returns
 * how many there were. */
size_t mail_queue_deliver(struct mail_queue *q, struct mail_door *d);

#endif
