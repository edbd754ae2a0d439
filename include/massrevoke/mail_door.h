/* mail_door.h - the contract of the ways a message leaves the house: spool folder or SMTP relay.
 *
 * A message is complete bytes with its own Message-ID; sending it again under the same id is allowed and
 * idempotent for the reader (design sentence 9). Answers come by callback from step(). The SMTP door has
 * worker threads, because libcurl blocks on SMTP replies. Does not: compose, choose recipients, or retry.
 * Called by: engine, cli notify, drill. */
#ifndef MASSREVOKE_MAIL_DOOR_H
#define MASSREVOKE_MAIL_DOOR_H

#include "massrevoke/outcome.h"
#include "massrevoke/settings.h"
#include "massrevoke/text.h"

/* One message; bytes are CRLF RFC 5322, copied by send. */
struct mail_message {
    int64_t id;            /* the caller's, comes back */
    const char *from, *to; /* bare addresses, validated by the caller and again here */
    const char *name;      /* file name stem for the spool */
    struct str bytes;
};

/* One answer. */
struct mail_answer {
    int64_t id;
    enum mail_outcome outcome;
    char text[200]; /* the relay's words */
};

typedef void mail_answer_fn(void *context, const struct mail_answer *answer);

struct mail_door;

struct mail_door_ops {
    /* Queues one message (copied). CONFLICT when the queue is full: step() first. */
    bool (*send)(struct mail_door *d, const struct mail_message *m, struct fault *f);
    /* Delivers answers that are ready; *busy says whether any is still owed. */
    bool (*step)(struct mail_door *d, bool *busy, struct fault *f);
    void (*close)(struct mail_door *d);
};

struct mail_door {
    const struct mail_door_ops *ops;
    int fd; /* readable when step() has answers; -1: call step() */
    mail_answer_fn *answer;
    void *answer_context;
};

/* The door the settings name: spool_dir, relay_url, or NULL in *out when mail is not configured. */
MUST_USE bool mail_open(const struct settings *s, struct mail_door **out, struct fault *f);

/* One writes .eml files: NAME.tmp, fsync, rename, 0600 (contract section 3). */
MUST_USE bool mail_spool_open(const char *folder, struct mail_door **out, struct fault *f);

/* One speaks SMTP to smtp://host:port with `threads` workers. */
MUST_USE bool mail_smtp_open(const char *url, int threads, struct mail_door **out, struct fault *f);

/* Ends; NULL is allowed. */
static inline void mail_close(struct mail_door *d)
{
    if (d != NULL)
        d->ops->close(d);
}

#endif
