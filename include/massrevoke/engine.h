/* engine.h - the one loop: claim, perform, settle, doubt, publish, verify, notify, check (design section 3).
 *
 * engine_step does what is due now and returns when it wants to be called again; calling early is harmless,
 * late only delays. Effects happen only between a committed intent and a committed outcome. The clock and
 * every door are arguments: the drill hands in others, the code is the same. I/O through doors and store.
 * Does not: sleep (the caller waits on its clock), print, or decide what is approved. Called by: cli run,
 * drill, tests. */
#ifndef MASSREVOKE_ENGINE_H
#define MASSREVOKE_ENGINE_H

#include "massrevoke/alert_door.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/fetch_door.h"
#include "massrevoke/lint_door.h"
#include "massrevoke/mail_door.h"
#include "massrevoke/notice.h"
#include "massrevoke/rules.h"
#include "massrevoke/settings.h"
#include "massrevoke/store_queue.h"

/* One CA with its door. */
struct engine_ca {
    struct ca_door *door;
};

/* Everything the engine works with; owned by the caller, must outlive the engine. */
struct engine_parts {
    const struct settings *settings;
    const char *conninfo, *schema;
    struct store *store;
    struct clock clock;
    const struct engine_ca *cas; /* in settings' order */
    size_t ca_count;
    const int *issuers; /* the store's issuer number for each of settings' issuers, in order over all CAs */
    size_t issuer_count;
    struct fetch_door *fetch;
    struct mail_door *mail;       /* NULL: mail is not configured */
    struct lint_door *lint;       /* NULL: no linter is configured */
    struct alert_door *alert;     /* NULL: nothing is an alert here */
    struct mail_door *alert_mail; /* a door of its own beside `mail`; NULL: mail is not configured */
    struct profile profile;
    int campaign;
    const char *campaign_name, *mode;
    const char *who;  /* actor in the log: "engine" */
    const char *host; /* for the engine table */
    /* folder of lock files, the same for every engine of this host; NULL: all of them are in this process, or
     * no backend can overwrite a date (drills) */
    const char *locks;
    /* may anybody act on this store? Asked at the beginning of every session; NULL: yes */
    bool (*may_act)(void *context, struct store *s, struct fault *f);
    void *may_act_context;
    const char *gone; /* why another host is gone for good; NULL: it is not */
};

/* How things stand after a step. */
enum engine_state {
    ENGINE_WORKING,      /* work is left; see `next` */
    ENGINE_PAUSED,       /* waits for resume (or an approver's signature) */
    ENGINE_SETTLED,      /* every certificate is published, expired or withdrawn */
    ENGINE_LEFT,         /* only held, unknown, needs-person or not-checkable ones are left */
    ENGINE_NOT_APPROVED, /* no cohort is approved */
    ENGINE_NOT_STARTED,  /* approved, but not started */
};

/* What a step did, for the screen. */
struct engine_report {
    enum engine_state state;
    struct utc next; /* when to step again; UTC_NONE: nothing is scheduled */
    struct state_counts counts;
    struct utc due;       /* when the next chunk is due, UTC_NONE: none */
    bool mail_open;       /* messages are at the relay without an answer */
    int64_t reasons_left; /* certificates whose change of reason needs a person */
    int64_t ocsp_left;    /* after engine_verify_now: certificates that politeness left unasked */
    int64_t asked, settled, published, vanished, notices, expired, stray;
    const char *behind; /* the sentence of snapshot_behind at the measured rate, "" otherwise; as `warning` */
    const char *alerts; /* alerts raised or over since the last step, a line each; "" none */
    const char *warning; /* something a person must see, "" otherwise; valid until the next step */
};

struct engine;

/* Begins: a second connection, an engine number, checks of what was signed. Faults: UNAVAILABLE, CONFLICT. */
MUST_USE bool engine_open(const struct engine_parts *parts, struct engine **out, struct fault *f);

/* Does everything that is due. A lost database is not a fault: the step reports WORKING, keeps outcomes in
 * memory and tries again a second later. Faults: what a person must mend (approval void, CA configuration).
 */
MUST_USE bool engine_step(struct engine *e, struct engine_report *report, struct fault *f);

/* Gives chunks back and ends; NULL is allowed. */
void engine_close(struct engine *e);

/* Parts of the work, for `run --only`. */
#define ENGINE_EXECUTE 1u
#define ENGINE_PUBLISH 2u
#define ENGINE_VERIFY 4u
#define ENGINE_NOTIFY 8u
#define ENGINE_ALL 15u

/* Restricts what the engine does; ENGINE_ALL at first. */
void engine_only(struct engine *e, unsigned parts);

/* Fetches and judges at once, whatever is scheduled (`verify` without files). */
MUST_USE bool engine_verify_now(struct engine *e, struct engine_report *report, struct fault *f);

/* What notices came to. */
struct engine_notified {
    int64_t subscribers, messages, accepted, refused, unreachable;
};

/* Tells everybody who is due one kind of notice for every cohort, waits for the relay's answers; dry_run
 * renders everything and sends nothing. Faults: CONFIG (template), UNAVAILABLE. */
MUST_USE bool engine_notify_now(struct engine *e, enum notice_kind kind, bool dry_run,
                                struct engine_notified *out, struct fault *f);

#endif
