/* internal.h - the engine's state, shared by the files of engine/. Does not: leave engine/. */
#ifndef MASSREVOKE_ENGINE_INTERNAL_H
#define MASSREVOKE_ENGINE_INTERNAL_H

#include "massrevoke/conduct.h"
#include "massrevoke/engine.h"
#include "massrevoke/executor.h"
#include "massrevoke/notifier.h"
#include "massrevoke/store_notice.h"
#include "massrevoke/store_replan.h"
#include "massrevoke/store_report.h"

/* A claim being worked on; lives in its own arena until it is given back. */
struct work {
    struct arena arena;
    struct claim *claims;
    size_t count;
    int ca;
    struct utc ready; /* not before: the quiet time of what is in doubt */
    bool performed;   /* its states are not those of the store any more: only to be given back */
};

/* A CA that turned requests away is left alone for a while, twice as long each time. */
struct rest {
    struct utc until;
    int64_t seconds;
};

struct fetched; /* what a CRL pointer showed last (look.c) */

struct engine {
    struct engine_parts parts;
    struct arena arena;
    struct store *beat; /* the second connection */
    int id;             /* engine number of this session; 0: none */
    unsigned only;
    struct pace *paces;  /* per CA */
    struct rest *rests;  /* per CA */
    struct work **works; /* claimed, not yet given back */
    size_t work_count;
    struct settlement *pending; /* outcomes not yet committed */
    size_t pending_count, pending_room;
    int *skip; /* chunks whose pages do not match what was signed */
    size_t skip_count;
    bool *dirty;           /* per issuer of settings: recorded since the last publication */
    struct utc *published; /* per issuer of settings: last publication by this engine */
    struct utc last_full_look, last_pending_look;
    struct utc last_notify, notify_wake; /* when notices were decided last, and want to be again */
    struct span look_gap;                /* to the next look at what is pending; 0: a CRL of ours is new */
    int64_t recorded;                    /* not yet in a CRL we have seen, at the end of the last step */
    struct state_counts counts;          /* of the last step that reached its end */
    char warning[512];
    struct utc pace_checked; /* when the measured rate was held against the plan last */
    int64_t *planned_rate;   /* per CA, an hour, of the last plan this engine made; 0: none */
    char behind[512];
    size_t next_source; /* of replacements: the first to be read again */
    struct utc sources_read, lint_due;
    struct replacement_unlinted linting[LINT_AT_ONCE]; /* by the id of its process; serial.n 0: free */
    struct balance_round balance;
    struct utc balance_due; /* the next turn of the check of the ledger */
    bool saw_work;          /* something was left at an earlier step: the end is worth an event */
    struct mailbag *bag;    /* messages at the door */
    struct fetched *fetched;
    size_t fetched_count;
};

/* Act of the engine at its clock's now. */
struct act engine_act(const struct engine *e);

/* The same for acts of conduct.h, on the engine's campaign by number and name. */
struct conduct engine_conduct(const struct engine *e);

/* Claims, sends, asks, settles, gives back: everything due now. */
MUST_USE bool engine_execute(struct engine *e, struct engine_report *r, struct fault *f);

/* Commits outcomes kept in memory. */
MUST_USE bool engine_settle_pending(struct engine *e, struct engine_report *r, struct fault *f);

/* Gives back all chunks that this session still owns; frees the works. */
MUST_USE bool engine_give_back_all(struct engine *e, struct fault *f);

/* A backend that cannot be reached stops neither the other CAs nor publishing and looking: warned of, true.
 * Not so the database: the step ends. */
bool engine_backend_away(struct engine *e, const struct fault *why);

/* Frees works without telling the store (the session is gone). */
void engine_forget_works(struct engine *e);

/* Is each claim's page, as the certificate rows stand now, what was signed? bad[i] is set where not. */
MUST_USE bool engine_check_scope(struct engine *e, const struct claim *claims, size_t n, struct arena *a,
                                 bool *bad, struct scoped **rows, size_t *row_count, struct fault *f);

/* Plans cohorts anew whose plan is not kept, and notes whom a plan moved earlier. */
MUST_USE bool engine_replan(struct engine *e, struct fault *f);

/* Reads lists of replacements again and runs the linter; *wake: when it wants to go on, UTC_NONE: no hurry.
 */
MUST_USE bool engine_replacements(struct engine *e, struct utc *wake, struct fault *f);

/* Publishes CRLs that are wanted. */
MUST_USE bool engine_publish(struct engine *e, struct engine_report *r, struct fault *f);

/* Fetches and judges what is due; `now` true: everything. */
MUST_USE bool engine_look(struct engine *e, bool all, struct engine_report *r, struct fault *f);

/* When engine_look wants to run next, given that something is pending. */
struct utc engine_look_due(const struct engine *e);

/* Sends notices that are due; *next is when it wants to run again. */
MUST_USE bool engine_notify(struct engine *e, struct engine_report *r, struct utc *next, struct fault *f);

/* Sends what the notifier says is due for one kind and cohort; *wake: when to ask again. */
MUST_USE bool engine_notify_cohort(struct engine *e, const struct cohort *cohort, enum notice_kind kind,
                                   struct utc start, bool dry_run, struct utc *wake,
                                   struct engine_notified *told, struct fault *f);

/* Takes the relay's answers without waiting; *busy: some are still owed. */
MUST_USE bool engine_mail_step(struct engine *e, struct engine_report *r, bool *busy, struct fault *f);

/* One message, complete. */
MUST_USE bool engine_compose(struct engine *e, const struct cohort *cohort, const struct rule *rule,
                             enum notice_kind kind, const struct notice_subscriber *sub,
                             const struct contact *contact, int64_t notice, struct utc first, struct arena *a,
                             struct str *eml, struct fault *f);

/* Frees what engine_notify kept. */
void engine_mailbag_free(struct engine *e);

/* Index into settings' issuers for the store's number; -1 when it is not configured. */
int engine_issuer_index(const struct engine *e, int issuer);

/* CA of an issuer index of settings. */
int engine_ca_of(const struct engine *e, int issuer_index);

#endif
