/* store_campaign.h - campaigns, lists, requests, brakes: what people do to the store.
 *
 * Each changing call is one transaction and one event of the log; `data` is the event's content (canonical
 * JSON is made here; no personal data: ids and hashes). `who` is the acting person. Every `at` is campaign
 * time. I/O. Does not: check approvals or permissions (cli does), or decide. Faults: UNAVAILABLE, CONFLICT,
 * FAILED. */
#ifndef MASSREVOKE_STORE_CAMPAIGN_H
#define MASSREVOKE_STORE_CAMPAIGN_H

#include "massrevoke/certificate.h"
#include "massrevoke/contact.h"
#include "massrevoke/inventory.h"
#include "massrevoke/json.h"
#include "massrevoke/plan.h"
#include "massrevoke/store.h"

/* Who acts, when: in every changing call. */
struct act {
    int campaign;
    struct utc at;
    const char *who;
};

/* One campaign. */
struct campaign {
    int id;
    const char *name, *mode, *opened_by, *rule, *profile, *pause_reason;
    const char *first_rule; /* the clause it was opened under; out only */
    struct utc opened_at, received, closed_at;
    int64_t bug, generation;
    bool paused_revoke, paused_notify;
    int64_t
        ids; /* of certificates, withdrawn and excluded ones too: at least as many as there are; out only */
};

/* One cohort, with what waits on it. */
struct cohort {
    int cohort, reason, plan; /* plan 0: none */
    const char *rule;
    struct utc received, deadline, should_by, started_at, voided_at;
    bool missed;
    int request; /* newest request for the plan that is not void; 0: none */
    int approvals;
    struct utc expires_at;     /* of that request; binds until the start */
    struct utc compromised_at; /* of its keys: the date of its entries; UTC_NONE: not known */
};

/* May this cohort be started at `now`, as far as counting its request's approvals tells? */
bool cohort_is_approved(const struct cohort *c, int quorum, struct utc now);

/* Opens; act.campaign is ignored. CONFLICT when the name exists. */
MUST_USE bool store_campaign_open(struct store *s, const struct act *act, const struct campaign *c,
                                  const char *source, int *id, struct fault *f);

/* By name; NULL: the only one that is not closed (CONFLICT lists them when there are several). FAILED: none.
 */
MUST_USE bool store_campaign_find(struct store *s, const char *name, struct arena *a, struct campaign *out,
                                  struct fault *f);

/* Number of the issuing certificate with that digest, made when new. */
MUST_USE bool store_issuer(struct store *s, struct digest sha256, const char *subject, const char *crl,
                           int *issuer, struct fault *f);

/* All cohorts, ascending. */
MUST_USE bool store_cohorts(struct store *s, int campaign, struct arena *a, struct cohort **out, size_t *n,
                            struct fault *f);

/* Affected certificates of a cohort; takes seconds for ten million. */
MUST_USE bool store_cohort_count(struct store *s, int campaign, int cohort, int64_t *n, struct fault *f);

/* When the keys of a cohort were compromised; what was to be approved of it is void. CONFLICT: it has
 * started. */
MUST_USE bool store_compromised(struct store *s, const struct act *act, int cohort, struct utc at,
                                struct fault *f);

/* One (issuer, serial) of a list; issuer is the store's number. */
struct listed {
    int issuer;
    struct serial serial;
    int64_t line;
    bool by_hash; /* named by SHA-256, or the certificate itself was given */
};

/* Orders two of them by issuer and serial; as qsort and bsearch want it. */
int listed_compare(const void *a, const void *b);

/* A list as accepted by intake. */
struct population {
    const char *rule, *source;
    const char *heuristic; /* how these were found, in words; "" when nobody said */
    bool expand_keys;      /* take every inventory certificate with the same key along (BR 6.1.2) */
    const char *decision;  /* why not, when the rule asks for it */
    int reason;
    struct utc received, deadline, should_by;
    struct digest sha256;
    int64_t lines, accepted, duplicate, rejected;
    bool takes; /* somebody named this clock: what the campaign has on a later one moves here */
    const struct listed *rows;
    size_t count;
};

/* Upserts inventory rows (row.issuer is the store's number; of equal ones the last line wins). Certificates
 * of cohorts that have not started take the facts, short-lived ones by the dates of the last import. */
MUST_USE bool store_inventory_put(struct store *s, const struct act *act, const struct inventory_row *rows,
                                  size_t n, struct fault *f);

/* What certificates said of themselves: fills rows that are missing or lack facts, changes nothing that is
 * there, never the subscriber. */
MUST_USE bool store_inventory_learn(struct store *s, const struct act *act, const struct inventory_row *rows,
                                    size_t n, struct fault *f);

/* The CA certificates of the inventory (type CA): issuer and serial. */
MUST_USE bool store_inventory_cas(struct store *s, struct arena *a, struct listed **out, size_t *n,
                                  struct fault *f);

/* Upserts contacts. */
MUST_USE bool store_contacts_put(struct store *s, const struct act *act, const struct contact *rows, size_t n,
                                 struct fault *f);

/* Certificates in the inventory. */
MUST_USE bool store_inventory_count(struct store *s, int64_t *n, struct fault *f);

/* Digest over the page digests of a cohort: what an approval signs. */
MUST_USE bool store_scope_digest(struct store *s, int campaign, int cohort, struct digest *out,
                                 struct fault *f);

/* Subjects of the issuers of a cohort (0: of all), one a line, and how many certificates. */
MUST_USE bool store_scope_issuers(struct store *s, int campaign, int cohort, struct arena *a,
                                  const char **subjects, int64_t *certificates, struct fault *f);

/* Everybody who opened, imported, moved a clock or planned for the cohort (0: for any); NULL-terminated. */
MUST_USE bool store_requesters(struct store *s, int campaign, int cohort, struct arena *a, const char ***out,
                               struct fault *f);

/* One request; `hold` is the number of a hold, or of the change of a clock. `named`: the certificates that
 * are kept with it from the moment it is added; not filled by store_requests. */
struct request {
    int request, cohort, plan, hold, approvals;
    const char *what, *text, *void_reason, *requesters, *approvers; /* names one a line */
    struct utc at, expires_at;
    const struct listed *named;
    size_t named_count;
};

/* Adds one; "@REQUEST@" in text becomes its number. */
MUST_USE bool store_request_add(struct store *s, const struct act *act, const struct request *r,
                                const char *const *requesters, int *number, struct fault *f);
MUST_USE bool store_requests(struct store *s, int campaign, struct arena *a, struct request **out, size_t *n,
                             struct fault *f);

/* The certificates that were named when it was added, by issuer and serial. */
MUST_USE bool store_request_items(struct store *s, int campaign, int request, struct arena *a,
                                  struct listed **out, size_t *n, struct fault *f);

/* The certificates that a hold names, by issuer and serial; released ones too, once it has bound. */
MUST_USE bool store_hold_items(struct store *s, int campaign, int hold, struct arena *a, struct listed **out,
                               size_t *n, struct fault *f);

/* Stores a checked signature; *count approvals now. CONFLICT when that person has approved it already. */
MUST_USE bool store_approval_add(struct store *s, const struct act *act, int request, const char *approver,
                                 struct str signature, struct digest signed_text, int *count,
                                 struct fault *f);

/* One stored approval. */
struct approval {
    const char *approver;
    struct utc at;
    struct str signature;
};
MUST_USE bool store_approvals(struct store *s, int campaign, int request, struct arena *a,
                              struct approval **out, size_t *n, struct fault *f);

/* Starts a cohort; an approver voids it; pause and resume. */
MUST_USE bool store_start(struct store *s, const struct act *act, int cohort, int request, struct fault *f);
MUST_USE bool store_void(struct store *s, const struct act *act, int cohort, struct fault *f);
MUST_USE bool store_pause(struct store *s, const struct act *act, bool revoke, bool notify,
                          const char *reason, bool resume, struct fault *f);

/* Drops; verdicts[i] is "withdrawn", "noted", "too_late" or "absent" for items[i]. */
MUST_USE bool store_drop(struct store *s, const struct act *act, const struct listed *items, size_t n,
                         const char *reason, struct arena *a, const char ***verdicts, struct fault *f);

/* A hold; active ones bind. */
struct hold {
    int hold;
    const char *kind, *document, *author;
    struct utc until, at;
    bool active;
    int64_t certificates; /* not yet released */
};

/* Adds a hold; it binds only after store_hold_activate (at once for a court order, on approval for a delay).
 */
MUST_USE bool store_hold_add(struct store *s, const struct act *act, const char *kind, const char *document,
                             struct digest sha256, struct utc until, const struct listed *items, size_t n,
                             int *hold, struct fault *f);
MUST_USE bool store_hold_activate(struct store *s, const struct act *act, int hold, struct fault *f);

/* How these certificates stand: states[i] of items[i]; NONE: not in the campaign, WAITING also without a
 * number. */
MUST_USE bool store_standing(struct store *s, int campaign, const struct listed *items, size_t n,
                             struct arena *a, enum certificate_state **states, struct fault *f);

/* What the campaign has of a certificate; cohort 0: it is not in it. */
struct listed_facts {
    int cohort, reason;
    const char *issuer; /* its subject */
};

/* (*out)[i] of items[i]. */
MUST_USE bool store_listed_facts(struct store *s, int campaign, const struct listed *items, size_t n,
                                 struct arena *a, struct listed_facts **out, struct fault *f);

/* Requests to release this hold, other than `request`, become void when all that they name is released. */
MUST_USE bool store_release_over(struct store *s, int campaign, int hold, int request, struct fault *f);

/* Ends a hold for these items (n 0: all of a delay; CONFLICT for a court hold); *released numbers went back
 * to waiting. */
MUST_USE bool store_hold_release(struct store *s, const struct act *act, int hold, const struct listed *items,
                                 size_t n, int64_t *released, struct fault *f);
MUST_USE bool store_holds(struct store *s, int campaign, struct arena *a, struct hold **out, size_t *n,
                          struct fault *f);

/* An active hold that names one of several certificates, items[place]. */
struct holding {
    int hold;
    const char *kind, *document;
    size_t place;
};

/* All of them, by hold and place. */
MUST_USE bool store_holdings(struct store *s, int campaign, const struct listed *items, size_t n,
                             struct arena *a, struct holding **out, size_t *count, struct fault *f);

/* Issuers of the campaign's certificates with that serial: siblings are named, never guessed between. */
MUST_USE bool store_serial_issuers(struct store *s, int campaign, const struct serial *serial,
                                   struct arena *a, int **issuers, size_t *n, struct fault *f);

/* An event without any change of the ledger. `data` may be NULL; it is not consumed. */
MUST_USE bool store_note(struct store *s, const struct act *act, const char *type, json_t *data,
                         struct fault *f);

#endif
