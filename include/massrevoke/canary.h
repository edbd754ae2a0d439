/* canary.h - the certificates that go first, and what proves or contradicts them (contract section 2,
 * Canary).
 *
 * A canary stands when it is in a CRL that we fetched, with the reason that was asked for. OCSP alone proves
 * nothing where there is a CRL, and its delay contradicts nothing. When the wait for a CRL is over, the CA's
 * own record is enough: its status where it tells one, else its answer to the request. Pure. Does not: choose
 * canaries (planner), fetch, or stop anybody (engine). Called by: store, engine, tests. */
#ifndef MASSREVOKE_CANARY_H
#define MASSREVOKE_CANARY_H

#include "massrevoke/arena.h"
#include "massrevoke/certificate.h"
#include "massrevoke/outcome.h"

/* A canary of a running cohort that has not shown itself, or has given its place up. */
struct canary {
    int64_t number;
    int cohort, issuer; /* the store's */
    enum certificate_state state;
    struct utc
        recorded_at;  /* when its answer was committed; UTC_NONE: the CA has not said that it is revoked */
    struct utc ca_at; /* the CA's own date; UTC_NONE: it did not say */
    int ca_reason;    /* -1: it did not say */
    int reason;       /* that was asked for */
    int old_reason;   /* as good as that, for a bound change replaces it by the other; -1: none does */
    struct serial serial;
};

/* What became of it. */
enum canary_standing {
    CANARY_ON_ITS_WAY, /* the CA has not recorded it yet, or a person must look at it */
    CANARY_RECORDED,   /* the CA says so; no CRL that we fetched does */
    CANARY_OUT, /* held, unknown, expired, dropped or revoked before: the next of its shard takes its place */
};
enum canary_standing canary_standing(const struct canary *c);

/* What a CRL shows of it. */
struct canary_sight {
    bool complete; /* what the CRL does not list is not revoked there */
    bool listed, revoked;
    int reason;
    struct utc this_update;
};

/* What of a CRL contradicts the CA's record of a canary, as a sentence in `a`; NULL: nothing. An entry that
 * is missing contradicts only in a complete CRL made more than `quiet` after the record: so long a request
 * may still be under way. */
const char *canary_contradiction(const struct canary *c, const struct canary_sight *sight, struct span quiet,
                                 struct arena *a);

/* What of the CA's own record is wrong, as a sentence in `a`; NULL: nothing that it says. */
const char *canary_record_fault(const struct canary *c, struct arena *a);

/* Does an answer to the question for its status say anything of the certificate? */
bool canary_is_told(const struct ca_answer *answer);

/* The same of what the CA says of it now, asked for its status: such an answer, whose date and reason take
 * the place of those that the CA told at first. Not revoked, unknown, or for a person to judge is wrong. */
const char *canary_status_fault(struct canary *c, const struct ca_answer *answer, struct arena *a);

#endif
