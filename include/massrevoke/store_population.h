/* store_population.h - lists of affected certificates: what is added, refused, compared, and every version.
 *
 * A list is staged once in its session (COPY, sorted by issuer and serial), asked about, then added in one
 * transaction with one event. A version is never changed: it keeps who, when, source, digest, heuristic and
 * counts. I/O. Does not: read files or decide which clause fits. Faults: UNAVAILABLE, CONFLICT, FAILED. */
#ifndef MASSREVOKE_STORE_POPULATION_H
#define MASSREVOKE_STORE_POPULATION_H

#include "massrevoke/rules.h"
#include "massrevoke/store_campaign.h"

/* A certificate named by the SHA-256 of itself or of its precertificate. */
struct hashed {
    struct digest sha256;
    bool found; /* out: the inventory has it, and then: */
    int issuer; /* the store's number */
    struct serial serial;
};

/* Looks the hashes up in the inventory (one pass over it). */
MUST_USE bool store_hashes_find(struct store *s, struct hashed *items, size_t n, struct fault *f);

/* Marks in refused[i] the rows that the inventory says were issued after `fixed`, unless they were listed by
 * hash: they may be replacements. *n of them. */
MUST_USE bool store_issued_after(struct store *s, const struct listed *rows, size_t count, struct utc fixed,
                                 bool *refused, size_t *n, struct fault *f);

/* What an import came to, beside what intake counted. Of `added`, unless said otherwise. */
struct population_result {
    int cohort, version;     /* cohort: the newest there is when nothing was added; 0: there is none */
    int64_t added;           /* new to the campaign; the others of the list it has already */
    int64_t expanded;        /* by key: the inventory's others with the same SPKI (BR 6.1.2) */
    int64_t orphans;         /* known to no inventory, and not supplied themselves */
    int64_t precertificates; /* known by their precertificate only */
    int64_t siblings;        /* share all their names with another certificate of the inventory */
    int64_t expired_before_receipt, short_lived; /* excluded */
    int64_t elsewhere;                           /* also in another open campaign */
    int64_t moved;                               /* withdrawn from a later clock of this campaign */
    int64_t leaving; /* not added yet: on a later clock, and the CA was asked; they come when it says no */
};

/* Adds the list to its cohort (contract section 1, Cohorts): one transaction, one event, whole rows. What the
 * campaign has on a later clock moves; what is revoked, or on an earlier one, stays. `rules` are the dated
 * rows of the short-lived exemption (BR 1.6.1); the campaign keeps them for later facts of the inventory. The
 * first list of a campaign makes the table that it lies in. Cost: one pass over the inventory's key, or a
 * look-up for each of a few; about 2 us a row. */
MUST_USE bool store_population_add(struct store *s, const struct act *act, const struct population *p,
                                   const struct short_lived *rules, size_t rule_count,
                                   struct population_result *out, struct fault *f);

/* One version. */
struct population_version {
    int version, cohort;
    const char *source, *author, *heuristic, *decision; /* decision: why keys were not expanded, or "" */
    struct digest sha256;
    struct utc at;
    int64_t lines, accepted, duplicate, rejected, added;
    int64_t dropped; /* withdrawn while this version was the newest */
};

/* Adds what was `leaving` and is not revoked; *n of them. Part of every step of an engine. */
MUST_USE bool store_leaving_add(struct store *s, const struct act *act, int64_t *n, struct fault *f);

/* All versions, ascending. */
MUST_USE bool store_population_versions(struct store *s, int campaign, struct arena *a,
                                        struct population_version **out, size_t *n, struct fault *f);

/* One difference between a list and the ledger, or between two versions. */
struct population_change {
    int issuer;
    struct serial serial;
    bool added;        /* else dropped */
    const char *state; /* state of the certificate now, "" when it is in no cohort */
    const char *subscriber;
    int version; /* that added it; 0: none yet */
};

/* Compares rows with the ledger: `added` are in the list alone, the others in the ledger alone (withdrawn
 * ones count as gone). At most `most` of each kind come back in *out; the totals are exact. */
struct population_difference {
    int64_t same, added, dropped;
    struct population_change *changes;
    size_t count;
};
MUST_USE bool store_reconcile(struct store *s, int campaign, const struct listed *rows, size_t n, size_t most,
                              struct arena *a, struct population_difference *out, struct fault *f);

/* What came and went after version `since`. */
MUST_USE bool store_population_since(struct store *s, int campaign, int since, size_t most, struct arena *a,
                                     struct population_difference *out, struct fault *f);

/* SPKI hashes of the campaign's certificates whose reason is keyCompromise, ascending, each once. */
MUST_USE bool store_blocked_keys(struct store *s, int campaign, struct arena *a, struct digest **out,
                                 size_t *n, struct fault *f);

#endif
