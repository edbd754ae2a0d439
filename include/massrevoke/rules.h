/* rules.h - policy as dated data: revocation rules (below plans/rules) and campaign profiles
 * (below plans/profiles).
 *
 * Design sentence 8: clauses, deadlines and reasons are data with document, version and date; the digest of
 * the file's bytes goes into the plan. An override folder (settings.plans_dir) wins over the embedded files.
 * I/O only for an override. Does not: decide which item fits an incident. Called by: cli, planner, reporter,
 * drill. */
#ifndef MASSREVOKE_RULES_H
#define MASSREVOKE_RULES_H

#include "massrevoke/arena.h"
#include "massrevoke/class.h"
#include "massrevoke/digest.h"
#include "massrevoke/fault.h"
#include "massrevoke/reason.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

struct guard_key;

/* One clause, e.g. 4.9.1.1 item 12 (BR 2.2.6). */
struct rule {
    const char *id;      /* "4.9.1.1-12": section, dash, item */
    const char *section; /* "4.9.1.1" */
    int item;
    const char *text;     /* our own paraphrase of the trigger */
    struct span deadline; /* from receipt to published revocation: 24 h, 5 d or 7 d */
    struct span should;   /* the earlier SHOULD (24 h), 0 when there is none */
    enum reason reason;   /* CRLReason the entry must carry; REASON_UNSPECIFIED: absent */
    bool expand_by_key;   /* items 3 and 4: every certificate with that key falls under it (BR 6.1.2) */
    const char *document, *version, *effective; /* "TLS Baseline Requirements", "2.2.6", "2026-03-31" */
    struct digest digest;                       /* of the rule file's bytes */
};

/* No slot that touches this time is wished for (soft): from <= t < to. */
struct freeze {
    struct utc from, to;
    const char *why;
};

/* How a campaign is driven; durations count from receipt unless said otherwise. */
struct profile {
    const char *name;
    struct span first_slot;   /* notice of classes that name none of their own, from receipt; immediate: 0 */
    struct span first_notice; /* notices go out at start, at the latest receipt + this */
    struct span backup_after; /* silence without ack for so long: the backup contacts are told */
    struct span reserve;      /* kept free before the published deadline */
    struct span publish_margin; /* from the CA's record to seen in the fetched CRL and OCSP */
    struct span crl_every;      /* a CRL is published at least so often while work is pending */
    bool publish_at_once;       /* immediate: publish after each batch, no waiting for slots */
    bool notices;               /* immediate: false */
    int canary;                 /* certificates that go first, at least one per issuer and shard; 0: none */
    struct span canary_wait; /* how long the rest waits for their proof, from the CA's record; 0: not given */
    int share_most;          /* percent of the inventory that a campaign may revoke; 0: any */
    struct span outage_floor;               /* soft floor of outage tolerance */
    struct rate rate_cap;                   /* soft ceiling on revocations; count 0: the backend's */
    int helpdesk_per_hour;                  /* subscribers an hour; 0: no limit (soft) */
    struct span class_notice[CLASS_COUNT];  /* least notice, counted from receipt (soft); default first_slot,
                                               0 for riskiest, replaced, unused and orphan */
    struct span class_ceiling[CLASS_COUNT]; /* no slot later than this is wished for (soft); 0: none */
    struct span ari_lead;     /* from an ARI window's start to the slot of an automated one (soft); 0: none */
    struct span ocsp_refresh; /* until every responder answers with news; 0: within publish_margin */
    int64_t crl_limit;        /* bytes of the largest CRL that a root program asks for (soft); 0: none */
    const struct freeze *freezes; /* the first is given up last */
    size_t freeze_count;
    struct digest digest; /* of the profile file's bytes */
};

/* The rule with that id; CONFIG lists the known ids when there is none. Values live in `a`. */
MUST_USE bool rules_find(const char *plans_dir, const char *id, struct arena *a, struct rule *out,
                         struct fault *f);

/* All rules in file order. */
MUST_USE bool rules_all(const char *plans_dir, struct arena *a, const struct rule **out, size_t *count,
                        struct fault *f);

/* A profile by shipped name or by path (a name with '/' or ending in .cfg). CONFIG lists every problem. */
MUST_USE bool profile_read(const char *plans_dir, const char *name, struct arena *a, struct profile *out,
                           struct fault *f);

/* The bytes of a profile named as for profile_read, and the file they are in (or its embedded name). */
MUST_USE bool profile_bytes(const char *plans_dir, const char *name, struct arena *a, const char **file,
                            struct str *bytes, struct fault *f);

/* The keys of a profile, for whoever writes one (guard.h). */
const struct guard_key *profile_schema(void);

/* How long the rest waits for its canaries' proof: the profile's word, else 1 h where the whole clock is 24 h
 * or less, and 4 h. */
struct span profile_canary_wait(const struct profile *p, struct span deadline);

/* The default profile's name for a rule (contract section 3): by deadline, items 3 and 4 key-compromise. */
const char *profile_default(const struct rule *rule);

/* One row of the dated exemption of short-lived certificates (BR 1.6.1): issued at or after `issued_from`,
 * and valid no longer than `longest`, both ends counted. */
struct short_lived {
    struct utc issued_from;
    struct span longest;
};

/* The rows, ascending by date; read once for a list of many certificates. */
MUST_USE bool rules_short_lived_rows(const char *plans_dir, struct arena *a, const struct short_lived **rows,
                                     size_t *count, struct fault *f);

/* Is a certificate short-lived by these rows? Pure, O(rows). False when a date is unknown. */
bool rules_is_short_lived(const struct short_lived *rows, size_t count, struct utc not_before,
                          struct utc not_after);

/* Is a certificate short-lived by the dated rule of BR 1.6.1 (7 d from 2026-03-15, 10 d from 2024-03-15)?
 * False when a date is unknown. BR 4.9.1.1 exempts these. Reads the rule files at every call. */
MUST_USE bool rules_short_lived(const char *plans_dir, struct utc not_before, struct utc not_after,
                                struct arena *a, bool *short_lived, struct fault *f);

/* The bytes of a data file "profiles/immediate.cfg": from plans_dir when it is there, else embedded; CONFIG
 * if neither has it. */
MUST_USE bool plans_file(const char *plans_dir, const char *path, struct arena *a, struct str *out,
                         struct fault *f);

#endif
