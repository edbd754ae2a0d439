/* store_replan.h - what a plan that follows reality asks of the store: how fast the work goes, when it ends
 * at that rate, what is behind, whom a plan moved earlier, and which certificates are replaced.
 *
 * Rates are per CA in settings' order. Every `at` and `now` is campaign time, so a simulated clock gives the
 * same answers twice. I/O. Does not: decide whether to plan again (engine), plan, compose messages, or read
 * files. Faults: UNAVAILABLE, FAILED. Called by: engine, cli. */
#ifndef MASSREVOKE_STORE_REPLAN_H
#define MASSREVOKE_STORE_REPLAN_H

#include "massrevoke/replacement.h"
#include "massrevoke/store_campaign.h"

#define MEASURED_CERTIFICATES 200 /* from so many on, or so many seconds of work, a rate is told */
#define MEASURED_SECONDS 600

/* What each CA really revokes while there is work for it, from the results of the last hours: *rates has
 * ca_count entries, count 0 where there was too little work to tell. Cost: at most some 20,000 results,
 * whatever the size. */
MUST_USE bool store_measured(struct store *s, int campaign, struct utc now, size_t ca_count, struct arena *a,
                             struct rate **rates, struct fault *f);

/* How one cohort's work on one CA goes on at its measured rate. */
struct pace_end {
    int cohort, ca;
    int64_t left;               /* certificates in open chunks */
    struct utc planned, finish; /* when the last of them is due, and done */
};

/* Of running cohorts and CAs with a rate. Cost: linear in the open chunks. */
MUST_USE bool store_pace(struct store *s, int campaign, struct utc now, const struct rate *rates,
                         size_t ca_count, struct arena *a, struct pace_end **out, size_t *n, struct fault *f);

/* What speaks for planning a running cohort anew. */
struct replan_due {
    int cohort, ca;    /* ca -1: nothing of it is due */
    struct utc oldest; /* due and not begun, UTC_NONE: none */
    int64_t backlog;   /* certificates that are due */
    struct utc planned_at;
    bool feasible; /* what the plan said of itself */
    bool replaced; /* certificates that wait were replaced after it was made */
};

/* One entry for each running cohort and CA with something due, one for a cohort without; chunks in `skip` and
 * those that wait for a canary are no backlog. */
MUST_USE bool store_replan_due(struct store *s, int campaign, struct utc now, const int *skip,
                               size_t skip_count, struct arena *a, struct replan_due **out, size_t *n,
                               struct fault *f);

/* Compares the plans of running cohorts with the hours that people were told, once a plan; *moved
 * certificates are earlier than that. One event a cohort that has any. */
MUST_USE bool store_moves_note(struct store *s, const struct act *act, int64_t *moved, struct fault *f);

/* Chunks that must not be claimed yet: people who were moved earlier are told first. looks false: contacts
 * and notices are not read, so all of them wait as long as they may have to. */
MUST_USE bool store_moved_waiting(struct store *s, int campaign, struct utc now, bool looks, struct arena *a,
                                  int **chunks, size_t *n, struct fault *f);

/* Where replacements come from. Kinds: "file" and "query" can be read again, "stream" cannot. */
struct replacement_source {
    const char *kind, *location, *query; /* path or connection, and the query or "" */
    int issuer;                          /* the store's, of rows that name none; 0: none */
    const char *stamp;                   /* what tells that a file changed */
};

/* What marking came to. in = accepted + duplicate + unknown + rejected. */
struct replacement_counts {
    int64_t accepted, duplicate, unknown;
    int64_t *unknown_lines; /* the first thousand */
    size_t unknown_line_count;
};

/* Marks certificates as replaced, in one transaction and one event; with `again` (a source read once more)
 * there is no event when nothing was new. rows[i].issuer is the store's number. */
MUST_USE bool store_replacements_mark(struct store *s, const struct act *act,
                                      const struct replacement_source *source, struct digest sha256,
                                      const struct replacement_row *rows, size_t n, int64_t rejected,
                                      bool again, struct arena *a, struct replacement_counts *out,
                                      struct fault *f);

/* Sources that can be read again. */
MUST_USE bool store_replacement_sources(struct store *s, int campaign, struct arena *a,
                                        struct replacement_source **out, size_t *n, struct fault *f);

/* A replacement that no linter has seen. */
struct replacement_unlinted {
    int issuer;
    struct serial serial;
    const char *file;
};
MUST_USE bool store_replacements_unlinted(struct store *s, int campaign, int64_t most, struct arena *a,
                                          struct replacement_unlinted **out, size_t *n, struct fault *f);

/* Keeps what the linter found, "" nothing: an event only when it found something. */
MUST_USE bool store_replacement_linted(struct store *s, const struct act *act,
                                       const struct replacement_unlinted *which, const char *found,
                                       struct fault *f);

/* Does this connection text hold a password itself? REFUSED then, with a hint; USAGE when it cannot be read.
 */
MUST_USE bool store_conninfo_is_open(const char *conninfo, struct fault *f);

#endif
