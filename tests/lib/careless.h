/* careless.h - a CA door that forgets answers, executes late, says "wait", and would overwrite a first date.
 *
 * It stands before ca_openssl, so that CRLs are real, and keeps its own record in shared memory, so that it
 * outlives an engine that is killed. It is also the judge of sentences 5 and 7: `crime` tells the first
 * request that should not have been made. Which fault an item meets follows from its serial and how often it
 * was named: no chance. Does not: know the store. Called by: tests/crash. */
#ifndef TESTS_LIB_CARELESS_H
#define TESTS_LIB_CARELESS_H

#include "massrevoke/ca_door.h"

#define CARELESS_MOST 256
#define CARELESS_QUIET 30 /* seconds in which a request may still be executed */

/* What the CA, and we as its judge, know of one certificate. */
struct careless_item {
    struct serial serial;
    int named, executed;   /* how often it was named in a request or question; executions */
    struct utc requested;  /* newest request, UTC_NONE: none */
    struct utc executes;   /* a request that lies in the CA's queue */
    struct utc first_date; /* of the first execution */
    enum reason reason;    /* of the newest request */
    struct utc dated;      /* the date it names; UTC_NONE or 0: none */
    bool cleared;          /* asked about, "not revoked", and no request since */
    bool open;             /* the newest request is without an answer */
};

struct careless_record {
    struct careless_item items[CARELESS_MOST];
    size_t count;
    bool overwrites; /* sentence 7 is judged as for such a backend */
    bool faulty;     /* answers get lost */
    int die_after;   /* ends the process after so many requests; 0: never */
    char crime[128];
};

struct careless {
    struct ca_door door;
    struct ca_door *inner;
    struct careless_record *record;
    struct ca_item *queue; /* of the batch under way */
    size_t queued;
    bool ask;
};

/* Wraps `inner`, whose answers it gives itself. */
void careless_wrap(struct careless *c, struct ca_door *inner, struct careless_record *record);

/* The item of a serial, made when new. */
struct careless_item *careless_find(struct careless_record *record, const struct serial *serial);

#endif
