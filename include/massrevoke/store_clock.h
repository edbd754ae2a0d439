/* store_clock.h - the clock of a campaign: its anchors, changes of it, and the tasks that hang on it.
 *
 * An anchor that nobody recorded for a cohort is the campaign's. A change of a receipt or a clause is written
 * down with the clock it was made from, and applied once, to that clock only. Tasks are worked out when they
 * are read (milestone.h), so that none is ever stale; what people said about them is kept. Every changing
 * call is one transaction and one event (but store_clock_propose, whose request is the event). I/O. Does not:
 * judge an order of anchors (milestone.h), decide what needs an approval (conduct_clock.h), or read a clock.
 * Faults: UNAVAILABLE, CONFLICT, FAILED; CONFIG from the rule files. Called by: engine, cli. */
#ifndef MASSREVOKE_STORE_CLOCK_H
#define MASSREVOKE_STORE_CLOCK_H

#include "massrevoke/milestone.h"
#include "massrevoke/store_campaign.h"

/* The time of an anchor as last recorded for this cohort, else for the campaign; with cohort 0 the
 * campaign's. UTC_NONE when nobody recorded it. */
MUST_USE bool store_anchor(struct store *s, int campaign, int cohort, enum anchor anchor, struct utc *at,
                           struct fault *f);

/* All of them, by enum anchor. */
MUST_USE bool store_anchors(struct store *s, int campaign, int cohort, struct utc out[static ANCHOR_COUNT],
                            struct fault *f);

/* When the first known certificate of a cohort (0: of all) was issued (UTC_NONE: none is known), and how many
 * after `at`. Cost: linear in the certificates. */
MUST_USE bool store_issued(struct store *s, int campaign, int cohort, struct utc at, struct utc *first,
                           int64_t *after, struct fault *f);

/* A time as somebody knows it. */
struct anchor_record {
    enum anchor anchor;
    struct utc at;
    const char *source, *raw; /* how they know; the time as typed */
};

/* Records one that moves nothing, for these cohorts (0: the campaign). */
MUST_USE bool store_anchor_add(struct store *s, const struct act *act, const struct anchor_record *r,
                               const int *cohorts, size_t n, struct fault *f);

/* One cohort's clock (cohort 0: what the campaign gives to later lists), before and after a change. */
struct clock_row {
    int cohort;
    const char *old_rule, *rule;
    int old_reason, reason;
    struct utc old_received, received, old_deadline, deadline, should_by;
};

/* A change: "clock" moves receipts, "rule" clauses. */
struct clock_change {
    const char *kind, *source, *raw;
    const struct clock_row *rows; /* ascending by cohort */
    size_t count;
};

/* Writes a change down; it moves nothing until store_clock_apply. */
MUST_USE bool store_clock_propose(struct store *s, const struct act *act, const struct clock_change *change,
                                  int *number, struct fault *f);

/* Applies one that was written down, once. CONFLICT when a clock it names has changed since, or a cohort has
 * started whose reason it changes. A cohort that has not started loses its plan. */
MUST_USE bool store_clock_apply(struct store *s, const struct act *act, int number, struct fault *f);

/* Both at once, for what needs no approval. */
MUST_USE bool store_clock_move(struct store *s, const struct act *act, const struct clock_change *change,
                               struct fault *f);

/* A change as it was written down. FAILED: there is none. */
MUST_USE bool store_clock_get(struct store *s, int campaign, int number, struct arena *a,
                              struct clock_change *out, struct fault *f);

/* What tasks are worked out by. */
struct task_terms {
    const char *plans_dir; /* may be NULL */
    int quorum;            /* approvals a plan needs */
    struct utc now;
};

/* The tasks of a campaign now, open ones first, each by due time and name. Reads rules and profile. */
MUST_USE bool store_tasks(struct store *s, const struct campaign *c, const struct task_terms *terms,
                          struct arena *a, struct task **out, size_t *n, struct fault *f);

/* Gives an open task to a person. CONFLICT: it is done. */
MUST_USE bool store_task_assign(struct store *s, const struct act *act, const struct task *t,
                                const char *person, struct fault *f);

/* A person says that it is done. CONFLICT: it is already. */
MUST_USE bool store_task_done(struct store *s, const struct act *act, const struct task *t, const char *note,
                              struct fault *f);

#endif
