/* alert.h - an alert: something that a campaign cannot mend itself, who was told of it, and who took it.
 *
 * What raises one is alert.def. An alert is raised once for its subject, stays until its cause is gone, and
 * is called out to one name of the on-call list after the other until somebody acknowledges it. Pure.
 * Does not: find causes or decide whom to call (alerting.h), keep anything (store_alert.h), or send. Called
 * by: notifier, store, engine, cli. */
#ifndef MASSREVOKE_ALERT_H
#define MASSREVOKE_ALERT_H

#include "massrevoke/outcome.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

enum alert_kind {
#define ALERT(id, name, lasts, what) ALERT_##id,
#include "../../orchestrator/model/alert.def"
#undef ALERT
    ALERT_KIND_COUNT
};

/* Name ("approval"), title, and how long a cause must last before it is one; static. */
const char *alert_kind_name(enum alert_kind kind);
const char *alert_kind_what(enum alert_kind kind);
struct span alert_kind_lasts(enum alert_kind kind);

/* Reverse of the name; ALERT_KIND_COUNT when there is none. */
enum alert_kind alert_kind_from_name(struct str name);

/* The two ways an alert goes. */
enum alert_path { ALERT_COMMAND, ALERT_MAIL, ALERT_PATH_COUNT };
const char *alert_path_name(enum alert_path path); /* "command", "mail" */

/* A cause, as it is found. Text terminated. */
struct alert_cause {
    enum alert_kind kind;
    const char *subject;        /* which one: "request-3", "tls"; the same as long as it lasts */
    struct utc since;           /* when it began, as far as is known */
    const char *text;           /* what, in one sentence */
    const char *cost, *command; /* what it costs while it lasts; the command to type */
    bool own;                   /* only this engine can see it: nobody else ends it while this engine lives */
};

/* One try to tell somebody. */
struct alert_try {
    int step; /* 0: when it was raised, then one for each call; ALERT_CLEARED: that it is over */
    enum alert_path path;
    int attempt;               /* from 1 */
    struct utc at;             /* of the latest attempt */
    bool open;                 /* its answer is owed by a living engine */
    enum mail_outcome outcome; /* means nothing while open */
    const char *to, *text;     /* a name of the list, "" for the command; what it answered */
};
#define ALERT_CLEARED (-1)

/* One alert as it is kept. */
struct alert {
    int64_t alert; /* its number in the campaign */
    struct alert_cause cause;
    struct utc raised_at, acked_at, cleared_at; /* UTC_NONE: not */
    const char *acked_by;
    bool elsewhere; /* its cause is seen by another living engine alone */
    const struct alert_try *tries;
    size_t try_count;
};

/* An engine that has not said goodbye and is not heard of. */
struct alert_engine {
    const char *host;
    int pid;
    struct utc since;
};

/* What a published CRL showed last, if that was an error. */
struct alert_finding {
    const char *url, *id, *section, *seen;
    struct utc since; /* something is wrong there */
};

/* Something that an event of the log began and none has ended. */
struct alert_event {
    enum alert_kind kind;
    const char *subject, *text;
    struct utc since;
};

/* "open", "acknowledged" or "cleared". */
const char *alert_state(const struct alert *a);

#endif
