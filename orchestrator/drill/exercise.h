/* exercise.h - a drill under way, shared by the files that run it and write it down. Does not: leave drill/.
 */
#ifndef DRILL_EXERCISE_H
#define DRILL_EXERCISE_H

#include "clock.h"
#include "faults.h"
#include "massrevoke/conduct.h"
#include "massrevoke/drill.h"
#include "massrevoke/engine.h"
#include "score.h"
#include "subscribers.h"
#include "world.h"

#define EXERCISE_COMMANDER "commander"
#define EXERCISE_PENDING_MAX 200

/* A request on the approvers' desks. */
struct exercise_pending {
    struct utc at;
    int request, cohort; /* cohort 0: nothing is started by it */
};

/* What was recorded when, to tell how long publication took. */
struct exercise_batch {
    struct utc at;
    int64_t recorded; /* so far, all together */
};

struct exercise {
    const struct drill_spec *spec;
    struct arena arena;
    struct scenario scenario;
    struct drill_world world;
    struct drill_clock clock;
    struct drill_subscribers subscribers;
    struct drill_faults faults;
    const char *conninfo, *schema;
    struct store *store;
    int *issuers;
    size_t issuer_count;
    struct campaign campaign;
    struct profile profile;
    struct engine_ca ca;
    struct fetch_door *fetch;
    struct mail_door *mail;
    struct engine *engine;
    struct plan_slot *slots; /* of all plans, ascending, one an hour */
    size_t slot_count;
    struct exercise_pending pending[EXERCISE_PENDING_MAX];
    size_t pending_count;
    size_t injects_done;
    int late_done;        /* certificates found late so far */
    struct listed *court; /* what courts hold */
    size_t court_count;
    struct exercise_batch *batches; /* recorded, not yet seen published */
    size_t batch_count, batch_done;
    int64_t recorded, published; /* the highest so far */
    struct utc first_notice, first_approval, finish, told;
    struct span published_within;
};

/* Who acts, at the clock's now. */
struct conduct exercise_conduct(const struct exercise *x, const char *who);

/* Imports serials as a cohort's list, plans it, and puts the request on the approvers' desks. */
MUST_USE bool exercise_add_cohort(struct exercise *x, const char *name, const char *serials, struct fault *f);

/* Puts a request on the approvers' desks: signed `approval` from now, then its cohort starts. */
MUST_USE bool exercise_ask(struct exercise *x, int request, int cohort, struct fault *f);

/* Does what an inject says. */
MUST_USE bool exercise_inject(struct exercise *x, const struct scenario_inject *inject, struct fault *f);

/* Writes all files, judges the expectations. */
MUST_USE bool exercise_deliver(struct exercise *x, struct arena *a, struct drill_outcome *out,
                               struct fault *f);

#endif
