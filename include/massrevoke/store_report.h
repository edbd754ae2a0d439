/* store_report.h - what the store tells: the snapshot, the affected list, one certificate.
 *
 * Every call reads one moment (a REPEATABLE READ transaction). The counts of a snapshot
 * come from the pages, `affected` from the certificate rows; the balance derives every page again from the
 * journal of changes. I/O. Does not: change anything but the
 * balance and the counts it keeps, read a clock, or format. Source: contract sections 1
 * and 2. Called by: cli, drill, engine. Faults: UNAVAILABLE, FAILED. */
#ifndef MASSREVOKE_STORE_REPORT_H
#define MASSREVOKE_STORE_REPORT_H

#include "massrevoke/snapshot.h"
#include "massrevoke/store_campaign.h"

/* Certificates up to which a snapshot always derives the balance anew. */
#define STORE_BALANCE_ALWAYS 100000

/* What a snapshot is judged by. */
struct snapshot_terms {
    const char *plans_dir;      /* of the rules' texts; may be NULL */
    int quorum;                 /* approvals a plan needs */
    struct span publish_margin; /* from recorded to published, of the profile */
    struct span reserve;        /* of the profile: less than a quarter of it left is a risk */
    struct rate rate;           /* at which due work can be done; count 0: not known */
};

/* Fills *out completely, in the arena. With check_balance (every report) the balance is derived anew whatever
 * the size, without it only up to STORE_BALANCE_ALWAYS certificates: above, what the engine's last round
 * found is told; balance_checked_at says when. An unbalanced ledger is no fault. Cost: linear in certificates
 * and journal when the balance is derived. Above STORE_BALANCE_ALWAYS certificates a look without
 * check_balance takes over what the last one counted as long as no event changed which certificates there are
 * or what is dealt, and keeps what it counted itself; then it costs the journal since, and some statements
 * over chunks. */
MUST_USE bool store_snapshot(struct store *s, const struct campaign *c, struct utc now,
                             const struct snapshot_terms *terms, bool check_balance, struct arena *a,
                             struct snapshot *out, struct fault *f);

/* Its counts, cohorts, verdicts, finish, slack, engines, pace and what waits, with the balance that was kept
 * last: cheap enough to be asked every few seconds. Everything else of *out is empty. */
MUST_USE bool store_snapshot_brief(struct store *s, const struct campaign *c, struct utc now,
                                   const struct snapshot_terms *terms, struct arena *a, struct snapshot *out,
                                   struct fault *f);

/* The ledger derived again. */
struct balance {
    bool ok;
    int64_t counted_twice, not_counted;
    char detail[200]; /* the first place that is off, "" when none */
};

/* A check of the whole ledger in turns, so that none takes long; zero-initialise. */
struct balance_round {
    int next_page;
    struct balance found; /* up to here */
};

/* One turn: derives the next `pages` pages anew, and at the end of the round the lists. What is found is kept
 * for status at once when it is bad, else at the end; then *done and the round begins anew. */
MUST_USE bool store_balance_turn(struct store *s, int campaign, struct utc now, int pages,
                                 struct balance_round *round, bool *done, struct fault *f);

/* Rows of the affected list, numbered ones first; withdrawn and short-lived ones are not in it. What is held
 * is late by the same terms as in a snapshot. */
MUST_USE bool store_affected(struct store *s, int campaign, struct utc now,
                             const struct snapshot_terms *terms, struct arena *a, struct affected_row **out,
                             size_t *n, struct fault *f);

/* One thing that happened to a certificate. */
struct shown_event {
    struct utc at;
    const char *actor;
    enum certificate_event event;
    enum certificate_state state; /* after it */
    int64_t seq;                  /* of the log */
};

/* One certificate of a campaign. */
struct shown {
    int issuer, cohort, reason, chunk; /* chunk 0: in none */
    const char *issuer_subject, *subscriber, *subject, *dns_names, *cdp, *ocsp;
    const char *excluded;    /* "" or why it is outside the scope */
    const char *cert_sha256; /* lower-case hex or "" */
    struct serial serial;
    int64_t number, line; /* number -1: not numbered; line of its list */
    bool known, withdrawn;
    uint8_t byte; /* its state byte; waiting when it has no number */
    struct utc not_after, planned;
    const struct shown_event *history;
    size_t history_count;
};

/* All certificates with this serial, one an issuer; *n 0: none in this campaign. */
MUST_USE bool store_show(struct store *s, int campaign, const struct serial *serial, struct arena *a,
                         struct shown **out, size_t *n, struct fault *f);

#endif
