/* ca_door.h - the contract of every CA backend: revoke a batch, ask a batch, publish.
 *
 * One pollable descriptor and one step each; answers come by callback from inside step(). A door reports what
 * the CA said, one of the outcomes below per certificate and never two; what it means for the campaign is the
 * executor's business. `openssl ca` is door/ca_openssl.c, interfaces over HTTP are door/ca_http.c. Does not:
 * retry, pace, wait, or know campaigns. Sources: facts of real backends, section 3. Called by: engine, cli,
 * drill (decorated with faults). */
#ifndef MASSREVOKE_CA_DOOR_H
#define MASSREVOKE_CA_DOOR_H

#include "massrevoke/outcome.h"

#include <poll.h>

/* Gets answers; called from inside step(), any number at a time. */
typedef void ca_answer_fn(void *context, const struct ca_answer *answers, size_t count);

/* Path of a certificate's file as the inventory has it, NULL or "" when it names none; asked from inside
 * step(), only by doors that need certificates. */
typedef const char *ca_certificate_fn(void *context, uint32_t number);

/* May this certificate be revoked, as of now? */
typedef bool ca_may_leave_fn(void *context, uint32_t number);

/* What a backend is like. */
struct ca_facts {
    const char *name;      /* "ca_openssl" */
    bool keeps_first_date; /* a second revoke never changes date or reason */
    bool tells_status;     /* status() can answer */
    bool counts_questions; /* a question is a request as any other: its limits hold for both together */
    bool prepares;         /* a revocation is two requests: windows hold half as many */
    bool can_publish;      /* publish() signs a CRL */
    struct span quiet;     /* after so long no earlier request can still be executed */
    struct rate rate;      /* ceiling, of configuration and profile */
    unsigned reasons;      /* bit 1 << code for each reason it can express */
    unsigned changes;      /* the same for reasons that a revoked one can be given later, its date kept */
    bool takes_date;       /* the date of a revocation can be named: ca_item.date */
    /* OK for a serial never issued proves nothing: what stands in no inventory and was not supplied itself is
     * a person's before any request */
    bool trusts_any_serial;
    bool needs_certificate; /* a request holds the certificate: ca_door.certificate */
    /* The most requests to revoke that it has at a time; more are handed over as answers come in, questions
     * at any time, so that a brake binds within a second. 0: it takes a whole batch of one kind, and no other
     * before all of it is answered. */
    size_t window;
    /* Works in calls, one at a time: it gets requests of one issuer, reason and, with takes_date, date, and
     * only while it has nothing to do, for what waited behind a call would leave later without a look at the
     * brakes. Needs a window. */
    bool calls;
    struct rate windows[RATE_WINDOWS]; /* rolling limits that the product is known for */
    size_t window_count;
};

struct ca_door;

/* What a backend shows before anything is asked of it. */
struct ca_probe {
    struct utc date; /* its clock; UTC_NONE when it shows none */
    bool lets_us;    /* it showed that we may revoke there; not all can without a revocation */
    char text[120];  /* how it answered, for people */
};

/* The operations. Every function may be called only from the thread that made the door. */
struct ca_door_ops {
    /* Queues a batch to revoke (copied), of at most `window`. What makes it fail need not prove anything:
     * the batch counts as unanswered. */
    bool (*revoke)(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f);
    /* Queues a batch of questions (copied). */
    bool (*status)(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f);
    /* Works on what is queued without waiting for the other side, or for one pass over the CA's record;
     * *busy says whether anything is left. UNAVAILABLE: the backend cannot be reached; unanswered items then
     * got CA_WAIT or CA_ASK. */
    bool (*step)(struct ca_door *d, bool *busy, struct fault *f);
    /* Signs and places one CRL for the issuer: number, signing and placing are one critical section per
     * issuer; thisUpdate is `now`, the number grows. Idempotent. Sets `publishing` of the door: still at it,
     * and publish() again, for the same issuer, tells whether it is done. */
    bool (*publish)(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f);
    void (*close)(struct ca_door *d);
};

/* A door; made by ca_openssl_open and the like, ended by ca_close. */
struct ca_door {
    const struct ca_door_ops *ops;
    struct ca_facts facts;
    int fd; /* readable when step() has something to do; -1: call step() until it is not busy */
    ca_answer_fn *answer;
    void *answer_context;
    /* Can the backend be reached, and does it let us in? Blocks for its timeout at most. Changes nothing.
     * NULL: only status() tells. UNAVAILABLE: it cannot be reached; CONFIG: it does not let us in. */
    bool (*probe)(struct ca_door *d, struct ca_probe *out, struct fault *f);
    ca_certificate_fn *certificate; /* may be NULL */
    void *certificate_context;
    /* Asked from inside step() right before what revokes leaves, be it a request, the rename of a file or the
     * COMMIT of a transaction: what had to go before it (a connection, a nonce) may have taken long. What may
     * not leave comes back `withheld`, with all that would leave in one piece with it. NULL: everything may.
     */
    ca_may_leave_fn *may_leave;
    void *may_leave_context;
    struct utc (*now)(void *clock); /* campaign time, for the revocation date */
    void *clock;
    bool publishing; /* see publish() */
    /* The backend asked to be left alone until then (Retry-After), by its answers here or, as the engine sets
     * it, by those that another engine got; past: it did not. */
    struct utc away_until;
};

/* Waits until step() has something to do, at most `ms`; not at all where there is no descriptor. */
static inline void ca_wait(const struct ca_door *d, int ms)
{
    struct pollfd p = {.fd = d->fd, .events = POLLIN};
    if (d->fd >= 0)
        (void)poll(&p, 1, ms);
}

/* What a door asks right before something leaves. */
static inline bool ca_may_leave(const struct ca_door *d, uint32_t number)
{
    return d->may_leave == NULL || d->may_leave(d->may_leave_context, number);
}

#define CA_WITHHELD "not sent: it may no longer leave"

/* Ends a door; NULL is allowed. */
static inline void ca_close(struct ca_door *d)
{
    if (d != NULL)
        d->ops->close(d);
}

#endif
