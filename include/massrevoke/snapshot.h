/* snapshot.h - one moment of a campaign, computed once; every screen, report and JSON renders from it.
 *
 * Pure data plus derivations. A sentence, a table and a list can never disagree, because they read the same
 * value. Does not: query (store fills it) or format (reporter does). Called by: store, reporter, cli, drill.
 */
#ifndef MASSREVOKE_SNAPSHOT_H
#define MASSREVOKE_SNAPSHOT_H

#include "massrevoke/arena.h"
#include "massrevoke/certificate.h"
#include "massrevoke/digest.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

/* Worst first; DONE is the best. */
enum verdict {
    VERDICT_MISSED,
    VERDICT_BEHIND,
    VERDICT_AT_RISK,
    VERDICT_ON_TRACK,
    VERDICT_DONE,
    VERDICT_COUNT
};

/* Campaign states of the contract. */
enum campaign_state {
    CAMPAIGN_OPEN,
    CAMPAIGN_PLANNED,
    CAMPAIGN_APPROVED,
    CAMPAIGN_RUNNING,
    CAMPAIGN_PAUSED,
    CAMPAIGN_FINISHED,
    CAMPAIGN_CLOSED,
    CAMPAIGN_STATE_COUNT
};

/* The six counts and what they must add up to. */
struct totals {
    int64_t affected; /* counted from the certificates, never summed */
    int64_t revoked, pending_publication, not_revoked, held, expired, unknown;
};

struct snapshot_cohort {
    int cohort;
    enum campaign_state state;
    const char *rule, *rule_text; /* "4.9.1.1-12", paraphrase */
    int reason;                   /* CRLReason code */
    struct utc received, deadline;
    struct totals totals;
    enum verdict verdict;
    struct utc projected_finish; /* UTC_NONE: nothing left, or unknown */
    struct span slack;
    int64_t should_24h;  /* planned or done within the SHOULD */
    int64_t held_late;   /* certificates that holds keep beyond the deadline */
    bool missed;         /* passed its deadline with work left; stays so */
    bool delay_expected; /* missed, or as things stand it will be: by its pace, its plan, or what is held */
};

/* What a hold keeps of a cohort; where several name a certificate, the one that ends last. */
struct snapshot_hold {
    int cohort, hold;
    bool court;           /* by a court's order, else by a decision to delay */
    const char *document; /* the order, or the name of the decision */
    struct utc until;     /* UTC_NONE: no end is known */
    struct utc finish;    /* all published, if it ends then; UTC_NONE: no end is known */
    bool late;            /* that is after the deadline, or never */
    int64_t certificates;
};

struct snapshot_hour {
    struct utc start;
    int64_t planned, recorded, published; /* in that hour */
};

struct snapshot_issuer {
    const char *subject; /* one line, RFC 4514 order as printed by OpenSSL */
    int64_t affected;
};

struct snapshot_event {
    struct utc at;
    const char *actor, *type, *text; /* text: one sentence for a timeline */
};

struct snapshot_engine {
    const char *host, *kind;
    struct utc last_seen;
    bool alive; /* false: it holds its session, but stands still */
};

/* A request that waits for an approval. */
struct snapshot_request {
    int request;
    const char *text; /* what it is and what is missing, one line */
};

/* An issuer that nothing is revoked of (issuer true), or a CA that is left alone because of its answers. */
struct snapshot_stop {
    bool issuer;
    const char *name, *why; /* of a CA: the class of answers and its words */
    struct utc at;
};

/* What people have to do by the clock (milestone.h). */
struct snapshot_tasks {
    int64_t open, overdue;
    const char *next, *title; /* of the open one that is due first; NULL: none */
    struct utc due;
    bool unreadable; /* the dated clocks are wrong: config check tells */
};

/* A replacement that a linter does not like. */
struct snapshot_lint {
    struct serial serial; /* of the affected certificate */
    const char *file, *text;
};

/* Affected certificates whose subscriber has another one in their place. */
struct snapshot_replacements {
    int64_t replaced;      /* however they stand now */
    int64_t live_replaced; /* of these, not published as revoked and not expired */
    int64_t lint_failed;
    const struct snapshot_lint *failures; /* the latest ones */
    size_t failure_count;
};

/* Certificates that get another reason by approved changes, once for each change. */
struct snapshot_reasons {
    int64_t certificates;
    int64_t to_do;              /* not yet done by the CA */
    int64_t unseen;             /* done, and not in what is published */
    int64_t with_administrator; /* of the CA */
    int64_t shown, needs_person;
};

/* What the world shows, edge by edge (a URL by one way), at the last look. */
struct snapshot_outside {
    int64_t edges, unreachable, odd;  /* odd: what it gave does not count, or others give something else */
    const char *worst;                /* "" or the first of these */
    int64_t hour_certificates;        /* published in the last hour that saw any; 0: none, or not reckoned */
    struct span median, p90, slowest; /* of these, from the CA's record to published */
};

struct snapshot {
    const char *campaign, *mode; /* "live" or "drill" */
    const char *commander;       /* who opened it */
    int64_t bug;                 /* 0: none */
    enum campaign_state state;
    const char *pause_reason; /* "" unless paused */
    struct utc as_of, received, deadline, projected_finish;
    struct span slack;
    enum verdict verdict;
    bool delay_expected;       /* of any cohort: a report of its own is due */
    int64_t held_late;         /* certificates that holds keep beyond their deadline */
    int64_t measured_per_hour; /* what the slowest CA really revokes; 0: too little work to tell */
    const char *behind;        /* "" or the sentence of snapshot_behind */
    struct snapshot_replacements replacements;
    struct snapshot_reasons reasons;
    struct snapshot_outside outside;
    struct totals totals;
    int64_t in_doubt, needs_person, not_checkable;
    int64_t excluded_expired, excluded_short_lived, excluded_withdrawn;
    int64_t revoked_outside_scope;
    int64_t held_yet_revoked, dropped_yet_revoked; /* the CA had been asked before the hold or drop came */
    bool balance_ok;
    struct utc balance_checked_at;
    int64_t counted_twice, not_counted;
    const char *balance_detail; /* "" or which page, cohort or certificate is off */
    const struct snapshot_cohort *cohorts;
    size_t cohort_count;
    const struct snapshot_hold *holds; /* in force, by cohort */
    size_t hold_count;
    const struct snapshot_hour *hours;
    size_t hour_count;
    const struct snapshot_issuer *issuers;
    size_t issuer_count;
    const struct snapshot_event *events; /* decisions and milestones, oldest first */
    size_t event_count;
    const struct snapshot_stop *stops;
    size_t stop_count;
    const struct snapshot_engine *engines;
    size_t engine_count;
    int64_t subscribers, subscribers_told, subscribers_acked, subscribers_bad_address, subscribers_no_contact;
    int64_t notices_sent, notices_refused, backups_told;
    struct snapshot_tasks tasks;
    const struct snapshot_request *requests; /* that wait, oldest first */
    int64_t requests_waiting;
    int64_t alerts_open, alerts_unacked;
    const char *waiting_text; /* the newest of the requests and how many more, one line, or "" */
    const char *next_command; /* the command to type next */
    int64_t log_size;         /* leaves */
    struct digest log_root;
    int64_t types_dv, types_ov, types_iv, types_ev, types_unknown; /* affected by validation type */
    bool simulated_time;                                           /* a drill */
};

/* A row of the affected list (CCADB IRG 3.2, appendix), in number order. */
struct affected_row {
    const char *precert_sha256, *cert_sha256; /* lower-case hex or "" */
    const char *subject, *issuer, *serial, *dns_names;
    struct utc not_before, not_after;
    enum certificate_state state;
    struct utc planned, revoked; /* slot or end of its hold, if it has one; the CA's date (UTC_NONE) */
    int issuer_number;           /* the store's */
    struct serial serial_number; /* n 0: not one */
    int reason;                  /* CRLReason of entry or plan; REASON_UNSPECIFIED prints N/A */
    bool delayed;                /* revoked, planned or held beyond the deadline */
    bool excluded_expired;       /* expired before receipt */
};

/* Names as in the contract; static storage. */
const char *verdict_name(enum verdict v);
const char *campaign_state_name(enum campaign_state s);

/* Publicly "not yet revoked" = pending_publication + not_revoked + held + unknown (contract section 2). */
int64_t totals_not_yet_revoked(const struct totals *t);

/* What a cohort that cannot meet its deadline as things go is told by. */
struct behind {
    int64_t per_hour; /* the rate that is reckoned with */
    int64_t left;     /* certificates */
    struct utc now;
    struct utc finish; /* the last one published at that rate */
    struct utc deadline;
    struct span publish_margin;
};

/* "behind: at N/h you finish at T, X after the deadline; ..." with what to do; "" when it is not behind. */
const char *snapshot_behind(const struct behind *b, struct arena *a);

/* Appends by what certificates of a cohort (0: of all) are held beyond the deadline, as "1 by court order
 * (a), which has no end; 2 by decision to delay (b) until T"; a few holds, the rest as a number; nothing when
 * none is.
 */
void snapshot_held_late(const struct snapshot *s, int cohort, struct buf *out);

/* Does affected equal the sum of the six? */
bool totals_balance(const struct totals *t);

#endif
