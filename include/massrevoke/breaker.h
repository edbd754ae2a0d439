/* breaker.h - when a CA is left alone because of what it answers, and how it is tried again.
 *
 * One breaker a CA. Answers fall into classes; each class has its row: from how many among the last answers,
 * and from which share, it opens, and how long it stays open. Then one certificate goes as a probe: an answer
 * that is no error closes it, another error opens it again for twice as long. The engine's rests between
 * tries are apart from this: they space tries, a breaker ends work in bulk. Pure. Does not: send, wait, or
 * write events (engine). Source: facts of real backends, section 3. Called by: engine, tests. */
#ifndef MASSREVOKE_BREAKER_H
#define MASSREVOKE_BREAKER_H

#include "massrevoke/outcome.h"

/* What kind of answers it is about. */
enum breaker_class {
    BREAKER_GOOD,    /* an outcome, whichever */
    BREAKER_BUSY,    /* turned away: not executed */
    BREAKER_SILENT,  /* no answer, or one that proves nothing */
    BREAKER_UNKNOWN, /* the CA has no such certificate: many of them mean the wrong CA */
    BREAKER_PERSON,  /* somebody must decide over there: asking for more only makes the pile higher */
    BREAKER_STOP,    /* credentials or configuration: nothing will be executed until somebody mends it */
    BREAKER_CLASS_COUNT
};

#define BREAKER_WINDOW 64 /* answers that are looked back upon */

/* Zero is a closed one that has seen nothing. */
struct breaker {
    uint8_t last[BREAKER_WINDOW]; /* classes of the last answers, a ring */
    uint32_t seen, next;
    enum breaker_class open; /* BREAKER_GOOD: closed */
    struct utc since;        /* when it opened first */
    struct utc probe_at;
    int64_t rest; /* seconds of the current opening */
};

/* The class of an outcome. */
enum breaker_class breaker_class(enum ca_outcome outcome);

/* "busy", "silent", "unknown", "person", "stop"; static. */
const char *breaker_class_name(enum breaker_class c);

/* What an answer changed. */
enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_CLOSED };

/* Takes one answer in. While it is open, answers to what was under way before change nothing; those since the
 * probe was let through decide. */
enum breaker_change breaker_take(struct breaker *b, enum breaker_class c, struct utc now);

/* Begins open, as another engine left it: the first thing that goes is a probe. */
struct breaker breaker_left_open(enum breaker_class c, struct utc since, struct utc now);

/* How many certificates may be sent: any number (INT64_MAX) when closed, 1 when a probe is due, else 0. */
int64_t breaker_allow(const struct breaker *b, struct utc now);

/* Since when it takes probes; UTC_NONE when closed. */
struct utc breaker_next(const struct breaker *b);

#endif
