/* store_reason.h - changes of the reason of what is revoked already: proposed, bound, carried out, seen.
 *
 * A change is an act beside the ledger: its certificates stay revoked, no state and no count moves. Facts are
 * append-only (reason_fact) and stand in the log. I/O. Does not: decide who may, talk to a CA, or look
 * outside. Called by: engine, cli. Faults: UNAVAILABLE, CONFLICT, FAILED. */
#ifndef MASSREVOKE_STORE_REASON_H
#define MASSREVOKE_STORE_REASON_H

#include "massrevoke/certificate.h"
#include "massrevoke/outcome.h"
#include "massrevoke/store_campaign.h"

/* A certificate that somebody wants to change. */
struct reason_target {
    int64_t number; /* -1: it has none */
    enum certificate_state state;
    int reason;      /* that its entry bears, as far as known */
    struct utc told; /* its date; UTC_NONE: the CA did not say */
    int busy;        /* number of a bound change of it that is not over; 0: none */
};

/* Of each item, in their order. */
MUST_USE bool store_reason_look(struct store *s, int campaign, const struct listed *items, size_t n,
                                struct arena *a, struct reason_target **out, struct fault *f);

/* A change, and how far it is. */
struct reason_change {
    int change, request; /* request 0: none */
    enum reason reason;
    struct utc compromised_at; /* UTC_NONE: each date stays */
    bool elsewhere;            /* the CA's administrator makes it */
    const char *why, *author;
    struct utc at, bound_at; /* bound_at UTC_NONE: not approved */
    int64_t certificates, waits, asked, changed, elsewhere_open, shown, person;
};

/* Writes one; it does nothing before it is bound. */
MUST_USE bool store_reason_propose(struct store *s, const struct act *act, const struct reason_change *c,
                                   const struct listed *items, const struct reason_target *targets, size_t n,
                                   int *change, struct fault *f);

/* All of the campaign, newest last. */
MUST_USE bool store_reasons(struct store *s, int campaign, struct arena *a, struct reason_change **out,
                            size_t *n, struct fault *f);

/* One certificate of a change. */
struct reason_item {
    int64_t number;
    int issuer; /* the store's */
    const char *issuer_subject;
    struct serial serial;
    int old_reason;
    struct utc old_at; /* UTC_NONE: not known */
    const char *state, *said;
};

/* In number order. */
MUST_USE bool store_reason_items(struct store *s, int campaign, int change, struct arena *a,
                                 struct reason_item **out, size_t *n, struct fault *f);

/* It is approved. CONFLICT: another change of one of them is not over. Idempotent. */
MUST_USE bool store_reason_bind(struct store *s, const struct act *act, int change, struct fault *f);

/* One claimed certificate. */
struct reason_claim {
    int change;
    int64_t number;
    int issuer; /* the store's */
    struct serial serial;
};

/* Claims of these changes and issuers; the commit is the durable intent. */
MUST_USE bool store_reason_claim(struct store *s, const struct act *act, int engine, const int *changes,
                                 size_t change_count, const int *issuers, size_t issuer_count,
                                 struct span quiet, int64_t most, struct arena *a, struct reason_claim **out,
                                 size_t *n, struct fault *f);

/* Commits answers to what was claimed, one each. */
MUST_USE bool store_reason_settle(struct store *s, const struct act *act, int engine,
                                  const struct reason_claim *claims, const struct ca_answer *answers,
                                  size_t n, struct fault *f);

/* A certificate that shows what its change wants. */
struct reason_sight {
    int64_t number;
    struct utc at; /* the date it bears */
};

/* Seen in the object with that digest. */
MUST_USE bool store_reason_shown(struct store *s, const struct act *act, const struct reason_sight *seen,
                                 size_t n, struct digest object, struct fault *f);

#endif
