/* store_safety.h - what stops a campaign before it does harm: canaries, breakers, and another try.
 *
 * I/O. Does not: judge what was seen (canary.h), or decide when a breaker opens (executor). Each changing
 * call is one transaction and one event. Called by: engine, cli. Faults: UNAVAILABLE, FAILED. */
#ifndef MASSREVOKE_STORE_SAFETY_H
#define MASSREVOKE_STORE_SAFETY_H

#include "massrevoke/canary.h"
#include "massrevoke/store_campaign.h"

/* Canaries of running cohorts that the rest of their issuer waits for, and those that gave their place up; by
 * number. None of an issuer that is stopped: it waits for a person. */
MUST_USE bool store_canaries(struct store *s, int campaign, struct arena *a, struct canary **out, size_t *n,
                             struct fault *f);

/* The next of its issuer and shard goes first instead of this one, at the hour it was dealt; *found false:
 * there is none, and that is an event. */
MUST_USE bool store_canary_replace(struct store *s, const struct act *act, const struct canary *c,
                                   bool *found, struct fault *f);

/* The rest of the canary's issuer and cohort goes without proof: the wait is over. Idempotent. */
MUST_USE bool store_canary_pass(struct store *s, const struct act *act, const struct canary *c,
                                const char *why, struct fault *f);

/* The wait is over, and the CA does not tell their status: the rest of them waits on. An event, no more. */
MUST_USE bool store_canary_silent(struct store *s, const struct act *act, const struct canary *c,
                                  const char *why, struct fault *f);

/* Nothing more is revoked of the canary's issuer, by any cohort, until a person lifts it. A brake. */
MUST_USE bool store_canary_stop(struct store *s, const struct act *act, const struct canary *c,
                                const char *why, struct fault *f);

/* All stopped issuers go on, whatever their canaries show; *n of them. */
MUST_USE bool store_stops_lift(struct store *s, const struct act *act, const char *reason, int64_t *n,
                               struct fault *f);

/* An issuer that nothing is revoked of. */
struct issuer_stop {
    const char *issuer, *why;
    struct utc at;
};
MUST_USE bool store_stops(struct store *s, int campaign, struct arena *a, struct issuer_stop **out, size_t *n,
                          struct fault *f);

/* The breaker of a CA opens; `what` is the class of answers that did it, "" closes it. `text`: the CA's
 * words. */
MUST_USE bool store_breaker_set(struct store *s, const struct act *act, const char *ca, const char *what,
                                const char *text, struct fault *f);

/* A CA that is left alone. */
struct open_breaker {
    const char *ca, *what, *text;
    struct utc at;
};
MUST_USE bool store_breakers(struct store *s, int campaign, struct arena *a, struct open_breaker **out,
                             size_t *n, struct fault *f);

/* Is this certificate to be revoked with a cohort? */
MUST_USE bool store_cohort_has(struct store *s, int campaign, int cohort, const struct listed *item,
                               bool *yes, struct fault *f);

/* One that is, with what the inventory knows of it. */
struct cohort_certificate {
    struct serial serial;
    const char *subject, *issuer; /* subject "" when unknown */
};
MUST_USE bool store_cohort_certificates(struct store *s, int campaign, int cohort, int64_t most,
                                        struct arena *a, struct cohort_certificate **out, size_t *n,
                                        struct fault *f);

/* Those of them that the inventory says are certificates of CAs. */
MUST_USE bool store_cohort_cas(struct store *s, int campaign, int cohort, struct arena *a,
                               struct cohort_certificate **out, size_t *n, struct fault *f);

/* Where a certificate shows whether it is revoked: URLs, "" none. */
struct proof_pointer {
    const char *crl, *ocsp;
};

/* Of n numbers, in their order. */
MUST_USE bool store_proof_pointers(struct store *s, int campaign, const int64_t *numbers, size_t n,
                                   struct arena *a, struct proof_pointer **out, struct fault *f);

/* Certificates of running cohorts that are dealt to be revoked before `until`. */
MUST_USE bool store_due_within(struct store *s, int campaign, struct utc until, int64_t *n, struct fault *f);

/* What `retry` came to for one certificate. */
struct retried {
    enum certificate_state state; /* before; CERTIFICATE_NONE: it has no number in this campaign */
    bool waits;                   /* again, by this */
};

/* Another try for certificates the CA did not know or that needed a person. *out has n entries. */
MUST_USE bool store_retry(struct store *s, const struct act *act, const struct listed *items, size_t n,
                          const char *reason, struct arena *a, struct retried **out, struct fault *f);

#endif
