/* store_plan.h - plans in the store: what one is made from, numbering, dealing, and what was dealt.
 *
 * A plan is read without a lock, made by the caller, and written in one transaction that first proves that
 * nothing it was made from has changed; else CONFLICT, and the caller plans again. A cohort that has not
 * started is numbered anew by that write, in the order (issuer, subscriber, serial); the numbers of a started
 * one are permanent. I/O. Does not: plan (planner.h), know rates or configuration, or check approvals.
 * Faults: UNAVAILABLE, CONFLICT, FAILED. Cost: linear in the cohort; about 130 bytes a certificate while it
 * is read, 45 while it is planned and written. Called by: engine (conduct), cli. */
#ifndef MASSREVOKE_STORE_PLAN_H
#define MASSREVOKE_STORE_PLAN_H

#include "massrevoke/plan.h"
#include "massrevoke/store_campaign.h"

struct plan_draft;

/* What the planner needs: certificates in number order; subscribers, shards (by URL) and issuers (the store's
 * numbers) that have one of them, ascending. `ca` of a certificate is the caller's to fill in. Everything
 * lives in the caller's arena. */
struct plan_material {
    struct plan_certificate *certificates;
    size_t certificate_count;
    struct plan_subscriber *subscribers;
    size_t subscriber_count;
    struct plan_shard *shards;
    size_t shard_count;
    int *issuers;
    size_t issuer_count;
    bool canary_open;         /* a canary that has not spoken yet would be dealt anew */
    struct plan_draft *draft; /* what store_plan_write adds to the plan; opaque */
};

/* Takes over what another campaign's import changed in the inventory: before planning a cohort that has not
 * started. One comparison when there is nothing. */
MUST_USE bool store_plan_renew(struct store *s, const struct act *act, struct fault *f);

/* How many certificates of a cohort stand without a file in the inventory, and how many only a list knows. */
struct plan_unproved {
    int issuer; /* the store's number */
    int64_t without_file, strangers;
};
MUST_USE bool store_plan_unproved(struct store *s, int campaign, int cohort, struct arena *a,
                                  struct plan_unproved **out, size_t *n, struct fault *f);

/* Reads a cohort as of one moment: all of it, with the numbers it would get, when it has not started; else
 * what is unsettled and in no claimed chunk. A certificate's turn is the earliest of all that fit it: what
 * its subscriber's contacts say (CLASS_IN_USE when none names a class), replaced, orphan, unreachable. One in
 * doubt never expires: doubt is resolved first, so it must be in a live chunk. Writes nothing. */
MUST_USE bool store_plan_read(struct store *s, int campaign, int cohort, struct arena *a,
                              struct plan_material *out, struct fault *f);

/* The same with what an engine has claimed and not settled: all that is left of a started cohort, to reckon
 * with. A plan made from it is never written: it would deal what is being worked on. */
MUST_USE bool store_plan_read_left(struct store *s, int campaign, int cohort, struct arena *a,
                                   struct plan_material *out, struct fault *f);

/* Writes the plan made from `m`, numbers, deals its chunks, one event; *number is the plan's. */
MUST_USE bool store_plan_write(struct store *s, const struct act *act, int cohort,
                               const struct plan_material *m, const struct plan *plan, json_t *summary,
                               int *number, struct fault *f);

/* A stored plan. */
struct stored_plan {
    int plan, cohort;
    struct utc at;
    const char *author, *text, *summary;
    struct digest digest;
};

/* By number; FAILED when there is none. */
MUST_USE bool store_plan_get(struct store *s, int campaign, int plan, struct arena *a,
                             struct stored_plan *out, struct fault *f);

/* Slots of what is dealt now: start, certificates, subscribers, first due, cohort. */
struct dealt_slot {
    struct utc start, due;
    int64_t certificates, subscribers;
    int cohort;
};

/* All of them, ascending by start and cohort. */
MUST_USE bool store_plan_slots(struct store *s, int campaign, struct arena *a, struct dealt_slot **out,
                               size_t *n, struct fault *f);

/* A subscriber whose earliest hour is another one in a newer plan. */
struct plan_move {
    const char *subscriber;
    struct utc was, is_now; /* start of the slot */
};

#define PLAN_MOVES_MAX 20 /* of each direction, in full */

/* What a newer plan changes for subscribers, counted over the certificates that both plans deal. */
struct plan_moves {
    int64_t earlier, later; /* subscribers, all of them */
    struct plan_move *rows; /* the first PLAN_MOVES_MAX earlier ones, then of the later ones, by new hour */
    size_t count;
};

/* Compares what two plans dealt; empty when nothing moved. */
MUST_USE bool store_plan_moves(struct store *s, int campaign, int old_plan, int new_plan, struct arena *a,
                               struct plan_moves *out, struct fault *f);

#endif
