/* plan.h - a plan and what it is made from: values between cli, planner, store and reporter.
 *
 * Pure data. Does not: plan (planner.h) or persist. Sizes are for ten million certificates: small, flat,
 * indexed. */
#ifndef MASSREVOKE_PLAN_H
#define MASSREVOKE_PLAN_H

#include "massrevoke/class.h"
#include "massrevoke/digest.h"
#include "massrevoke/rules.h"
#include "massrevoke/time.h"

#define PLAN_ENTRY_BYTES 49 /* of a CRL entry: 16-octet serial, UTCTime, reasonCode (RFC 5280 5.3) */
#define PLAN_CHUNK_MAX 1000 /* numbers in a chunk, design section 3 */
#define PLAN_CHUNK_SECONDS                                                                                   \
    10 /* a chunk holds at most so many seconds of the backend's rate, at least one number */

/* One certificate of the cohort, in number order (issuer, subscriber, serial). 32 bytes. */
struct plan_certificate {
    uint32_t number;      /* the campaign's number */
    uint32_t subscriber;  /* index into plan_input.subscribers */
    uint16_t issuer;      /* index of the issuer */
    uint16_t ca;          /* index of the CA that revokes it */
    uint32_t shard;       /* index into plan_input.shards, dense */
    uint8_t turn;         /* enum plan_class */
    bool held;            /* a hold binds it: dealt, but no part of what can be late */
    bool by_ocsp;         /* it must also be seen in OCSP */
    struct utc not_after; /* UTC_NONE when unknown */
};

/* A subscriber as the planner sees it. */
struct plan_subscriber {
    const char *id;
};

/* One CRL, as its URL or the issuer's configured one. */
struct plan_shard {
    const char *url;
    uint64_t bytes; /* of the CRL as last fetched; 0: not known, counted as empty */
};

/* What the planner reads. */
struct plan_input {
    const struct plan_certificate *certificates;
    size_t certificate_count;
    const struct plan_subscriber *subscribers;
    size_t subscriber_count;
    const struct plan_shard *shards; /* by shard index; NULL: sizes are not projected */
    size_t shard_count;
    const struct rate *ca_rates; /* by CA index; count 0: unlimited */
    const char *const *ca_names; /* by CA index, for the remedy's words; NULL: "CA 0", "CA 1" */
    size_t ca_count;
    struct rate ocsp_rate; /* questions to responders; count 0: unlimited */
    struct utc received;
    struct span deadline; /* from receipt, to published */
    struct span should;   /* 0: none */
    struct utc now;       /* slots never lie before it */
    struct profile profile;
    struct digest rule_digest;
};

/* One hour slot. `hour` counts from receipt (0 is the first hour). */
struct plan_slot {
    int64_t hour;
    struct utc start;
    uint32_t certificates, subscribers;
    uint32_t first_chunk, chunk_count;
    struct utc notice_by;          /* its subscribers are told by then at the latest; UTC_NONE: not at all */
    struct utc ari_start, ari_end; /* suggestedWindow for its certificates (RFC 9773 4.2): wholly before the
                                      slot, end after start; UTC_NONE without a lead */
};

/* What one CRL will carry when the plan is done. */
struct plan_shard_size {
    const char *url;  /* as in the input */
    uint32_t shard;   /* index into plan_input.shards */
    uint64_t entries; /* that the plan adds */
    uint64_t bytes;   /* projected: what it has now and PLAN_ENTRY_BYTES for each entry */
    bool over;        /* larger than profile.crl_limit */
};

/* One chunk: numbers in plan order, all of one CA and one issuer. */
struct plan_chunk {
    uint16_t ca, issuer;
    bool canary;
    uint32_t slot;         /* index into slots */
    struct utc due;        /* slot start, spread inside the slot by the rate; immediate: now */
    uint32_t first, count; /* into plan.numbers */
};

/* What limits a plan. */
enum plan_limit {
    PLAN_LIMIT_NONE,
    PLAN_LIMIT_BACKEND_RATE,
    PLAN_LIMIT_PUBLICATION,
    PLAN_LIMIT_NOTICE,
    PLAN_LIMIT_DEADLINE,
    PLAN_LIMIT_HELPDESK,
    PLAN_LIMIT_COUNT
};

/* The result. `numbers` holds every number once but those that expire before their slot (expires_first);
 * a slot's canary chunks come first, and nothing else lies in or before a canary's slot unless all is canary
 * or the profile publishes at once; what is held comes last. certificate_count of the input = number_count +
 * expires_first. */
struct plan {
    bool feasible;
    const struct plan_slot *slots;
    size_t slot_count;
    const struct plan_chunk *chunks;
    size_t chunk_count;
    const uint32_t *numbers;
    size_t number_count;
    const uint32_t *canaries; /* numbers in canary chunks, ascending */
    size_t canary_count;
    struct utc finish; /* last certificate published; UTC_NONE when there is none */
    struct span slack; /* published deadline minus finish */
    struct span outage_tolerance;
    enum plan_limit limiting;
    const struct plan_shard_size *shards; /* that get entries, largest first; none without input shards */
    size_t shard_count;
    uint64_t late, expires_first, should_24h, shortfall;
    uint64_t held;           /* dealt last; they count in `numbers`, in their slots and in no other figure */
    uint64_t needs_by_clock; /* certificates in 1,000 s that the whole clock, receipt to deadline, asks for */
    uint64_t needs_by_window; /* the same over what is left of it: first usable second to last useful one; 0
                                 when nothing is left */
    struct span work;         /* how long the slowest CA needs at its rate, without waiting for anything */
    const char *remedy;       /* "" when feasible */
    const char *given_up;     /* soft limits not kept, one line each with who loses what; "" when none */
    const char *text;         /* canonical JSON: the bytes that are digested */
    struct digest digest;
};

#endif
