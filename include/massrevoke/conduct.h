/* conduct.h - the acts of a campaign as one call each: open, import, plan, approve, start, hold, notify.
 *
 * The command line and the drill call the same functions with another clock (design sentence 6). Each checks
 * what design section 1 forbids before it changes anything. Who acts is an argument. I/O through the store.
 * Does not: parse command lines, print, or ask questions. Faults: APPROVAL, REFUSED, CONFLICT, CONFIG,
 * UNAVAILABLE as the contract's exit codes say. Called by: cli, drill. */
#ifndef MASSREVOKE_CONDUCT_H
#define MASSREVOKE_CONDUCT_H

#include "massrevoke/approval.h"
#include "massrevoke/intake.h"
#include "massrevoke/notice.h"
#include "massrevoke/replacement_list.h"
#include "massrevoke/rules.h"
#include "massrevoke/store_population.h"
#include "massrevoke/store_replan.h"
#include "massrevoke/store_report.h"

/* Whom and what every act works on; `now` is the campaign clock's. */
struct conduct {
    struct store *store;
    const struct settings *settings;
    const int *issuers; /* the store's issuer number for each of settings' issuers */
    size_t issuer_count;
    struct utc now;
    const char *who;
    struct campaign campaign;  /* unused by conduct_open */
    struct utc compromised_at; /* of the keys of what is planned; UTC_NONE or 0: as known before */
    const char *override;      /* why a plan goes on in spite of a safety rule; NULL: it does not */
    const struct rate
        *measured; /* per CA, of a running campaign (store_replan.h); count 0 or NULL: not known */
};

/* What a snapshot of a campaign is judged by: the slower of backend and profile, for a campaign over several
 * CAs goes at the pace of its slowest. */
struct snapshot_terms conduct_terms(const struct settings *s, const struct profile *profile);

/* What `open` needs. */
struct conduct_opening {
    const char *name, *mode; /* mode: "live" or "drill" */
    const char *rule;        /* "4.9.1.1-12" */
    struct utc received;     /* not later than now (REFUSED) */
    const char *profile;     /* NULL: by the rule's deadline */
    int64_t bug;
};

/* The store's numbers for settings' issuers, made when new; *out lives in `a`. Reads the certificate files.
 */
MUST_USE bool conduct_issuers(struct store *s, const struct settings *settings, struct arena *a, int **out,
                              size_t *n, struct fault *f);

/* Opens a campaign; *id is its number. */
MUST_USE bool conduct_open(const struct conduct *c, const struct conduct_opening *o, int *id,
                           struct fault *f);

/* What an import was. */
struct conduct_list {
    struct intake_list *list;
    struct digest sha256; /* of the bytes read */
    const char *source;
    const char *rule;      /* NULL: the campaign's */
    struct utc received;   /* UTC_NONE: the campaign's */
    const char *heuristic; /* how these were found, in words; NULL when nobody said */
    const char *no_expand; /* why the keys' other certificates stay out; NULL: they come along (items 3, 4) */
};

/* Looks up what the list names by SHA-256 alone; what nobody knows becomes a rejected line. */
MUST_USE bool conduct_resolve(const struct conduct *c, struct intake_list *list, struct fault *f);

/* Adds a list read by intake and resolved. What was issued after the `fixed` anchor becomes a rejected line
 * unless it was named by SHA-256 or given itself; certificates given tell the inventory what it lacks.
 * out->version 0: nothing was left, nothing stored. USAGE: no_expand under a rule that does not expand. */
MUST_USE bool conduct_import(const struct conduct *c, const struct conduct_list *list,
                             struct population_result *out, struct fault *f);

/* Compares a list with the ledger; as store_reconcile, with at most `most` differences of each kind. */
MUST_USE bool conduct_reconcile(const struct conduct *c, const struct intake_list *list, size_t most,
                                struct arena *a, struct population_difference *out, struct fault *f);

/* Upserts; issuer indices of the rows are settings' and become the store's. Re-applies the short-lived rule.
 */
MUST_USE bool conduct_inventory(const struct conduct *c, struct inventory_row *rows, size_t n,
                                struct fault *f);
MUST_USE bool conduct_contacts(const struct conduct *c, const struct contact *rows, size_t n,
                               struct fault *f);

/* The only cohort that waits (not started), or `wanted` when it is not 0; CONFLICT lists them when several
 * wait. With `started` also the only started one (a replan). */
MUST_USE bool conduct_cohort(const struct conduct *c, int wanted, bool started, struct arena *a,
                             struct cohort *out, struct fault *f);

/* A plan made, or only shown. */
struct conduct_plan {
    int cohort, plan,
        request; /* plan and request 0 in a dry run, request 0 for a replan of a started cohort */
    struct plan value;
    struct plan_input input;
    const char *unproved; /* which certificates will need a person because of what their CA's interface wants,
                             a CA a line; "" for none */
};

/* Numbers the cohort (when it has not started), plans, deals the chunks and writes the request to approve.
 * Reckons with the slower of the configured and the measured rate. dry_run writes nothing. `at` replaces now
 * in the plan. When the set changes meanwhile it is planned again, five times; then CONFLICT. An infeasible
 * plan is written too: out->value.feasible. */
MUST_USE bool conduct_plan(const struct conduct *c, int cohort, struct utc at, bool dry_run, struct arena *a,
                           struct conduct_plan *out, struct fault *f);

/* What it costs to wait: of the running cohort that can wait least. */
struct conduct_pause {
    int cohort;              /* 0: no running cohort has anything left but what is held */
    struct utc latest;       /* begin again by then and every deadline holds; UTC_NONE: none does even now */
    struct span slack;       /* if it begins again at once */
    struct span slack_after; /* if it begins again in an hour */
    uint64_t late;           /* certificates, even if it begins again at once */
    int64_t hour;            /* certificates of all running cohorts that are due within an hour */
};

/* Plans what is left of each running cohort, claimed or not, from c->now and later on; writes nothing. Found
 * to the minute. */
MUST_USE bool conduct_pause_cost(const struct conduct *c, struct conduct_pause *out, struct fault *f);

struct notifier_waiting;

/* What a pause of notices costs: messages of running cohorts that are not sent, against the profile's latest
 * first notice, the silence after it, and the hours that they tell of. What lies at a relay counts as sent.
 */
MUST_USE bool conduct_pause_notices(const struct conduct *c, const struct profile *profile,
                                    struct notifier_waiting *out, struct fault *f);

/* A list of replacements, read and marked. */
struct conduct_replaced {
    struct replacement_list list; /* rows 0 and no counts: a file that has not changed */
    struct replacement_counts counts;
};

/* Reads the source (a "stream" is standard input) and marks what it names as replaced; `again` as in
 * store_replacements_mark. source->issuer is the store's number. *out is freed by
 * replacement_list_free(&out->list), also after a fault. Faults: FAILED, USAGE, UNAVAILABLE, REFUSED (a
 * password in the connection). */
MUST_USE bool conduct_replacements(const struct conduct *c, struct replacement_source *source, bool again,
                                   struct arena *a, struct conduct_replaced *out, struct fault *f);

/* The request to approve: number `wanted`, or (0) the only one that waits. */
MUST_USE bool conduct_request(const struct conduct *c, int wanted, struct arena *a, struct request *out,
                              struct fault *f);

/* Checks a signature and stores it; *approvals and *quorum tell how far it is. A hold or release that reaches
 * its quorum binds at once. REFUSED: stranger, requester, doubled, other campaign or mode, expired. */
MUST_USE bool conduct_approve(const struct conduct *c, const struct request *r, struct str signature,
                              int *approvals, const char **who, struct fault *f);

/* An approver (known by login or name) takes the approval of a cohort's plan back: acts as a pause.
 * *cohort 0: the only one that runs, which it then names. */
MUST_USE bool conduct_withdraw(const struct conduct *c, int *cohort, struct fault *f);

/* Starts a cohort: its request must be valid, unexpired, and name what stands in the store now. APPROVAL
 * otherwise. */
MUST_USE bool conduct_start(const struct conduct *c, int cohort, struct fault *f);

/* A court order: binds at once, ends only by a signed release. CONFLICT: nothing has been imported. */
MUST_USE bool conduct_hold_court(const struct conduct *c, const char *document, const struct listed *items,
                                 size_t n, int *hold, struct fault *f);

/* A delay: binds after its request is approved, which names exactly those of the items that are left to hold;
 * ends by itself. CONFLICT when none is; USAGE: its end is past. */
MUST_USE bool conduct_hold_delay(const struct conduct *c, const char *decision, struct utc until,
                                 const struct listed *items, size_t n, int *hold, int *request,
                                 struct fault *f);

/* What became of a certificate that was to be released: of a delay it goes at once, of a court order after
 * the approval of a request. */
enum release_verdict { RELEASE_NOT_HELD, RELEASE_DONE, RELEASE_ASKED };

/* A request to end one court hold for some of its certificates, and for no others. */
struct release_request {
    int hold, request;
    size_t certificates;
    bool waited; /* it had been made before, for the same certificates */
};

struct conduct_release {
    enum release_verdict *verdicts; /* of each item */
    struct release_request *requests;
    size_t request_count;
};

/* Releases items of every active hold that names them. CONFLICT when none names any. */
MUST_USE bool conduct_release(const struct conduct *c, const struct listed *items, size_t n, struct arena *a,
                              struct conduct_release *out, struct fault *f);

/* The affected list in number order, judged by the terms of the snapshot it goes with. What the CA revoked
 * without telling a date has date and reason of the newest CRL that we keep of its pointer, read again with
 * its signature. Costs a walk over each such CRL. */
MUST_USE bool conduct_affected(const struct conduct *c, const struct snapshot_terms *terms, struct arena *a,
                               struct affected_row **rows, size_t *n, struct fault *f);

#endif
