/* breaker.h - when a CA is left alone because of what it answers, and how it is tried again.
 *
 * One breaker a CA. What it hears falls into classes; each class has its row: how many of so many last ones
 * open it, and how long it stays open. Then one certificate goes as a probe: an answer that is no error
 * closes it, another error opens it again for twice as long. Certificates that need a person or are unknown
 * are answers like any other: they stay where they are until a person says `retry`. The engine's rests
 * between tries are apart from this: they space tries, a breaker ends work in bulk and is an event. Pure.
 * Does not: send, wait, or write events (engine). Source: facts of real backends, section 3. Called by:
 * engine, tests. */
#ifndef MASSREVOKE_BREAKER_H
#define MASSREVOKE_BREAKER_H

#include "massrevoke/outcome.h"
#include "massrevoke/text.h"

/* What is heard of a CA. */
enum breaker_class {
    BREAKER_GOOD,   /* an outcome, whichever */
    BREAKER_BUSY,   /* a whole conversation turned away: nothing was executed */
    BREAKER_SILENT, /* no answer, or one that proves nothing */
    BREAKER_STOP,   /* credentials or configuration: nothing will be executed until somebody mends it */
    BREAKER_CLASS_COUNT
};

#define BREAKER_WINDOW 32 /* so many are looked back upon */

/* Zero is a closed one that has heard nothing. */
struct breaker {
    uint8_t last[BREAKER_WINDOW]; /* classes, a ring */
    uint32_t seen, next;
    enum breaker_class open; /* BREAKER_GOOD: closed */
    struct utc since;        /* when it opened first */
    struct utc probe_at;
    int64_t rest; /* seconds of the current opening */
};

/* "good", "busy", "silent", "stop"; static. BREAKER_CLASS_COUNT for a name that is none. */
const char *breaker_class_name(enum breaker_class c);
enum breaker_class breaker_class_from_name(struct str name);

/* What was changed. */
enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_CLOSED };

/* Hears one. While it is open, what belongs to work from before changes nothing; what comes after the probe
 * was let through decides. */
enum breaker_change breaker_hear(struct breaker *b, enum breaker_class c, struct utc now);

/* Begins open, as another engine left it: the first thing that goes is a probe. */
struct breaker breaker_left_open(enum breaker_class c, struct utc since, struct utc now);

/* How many certificates may be sent: any number (INT64_MAX) when closed, 1 when a probe is due, else 0. */
int64_t breaker_allow(const struct breaker *b, struct utc now);

/* Since when it takes probes; UTC_NONE when closed. */
struct utc breaker_next(const struct breaker *b);

#endif
