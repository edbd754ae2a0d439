/* conduct_clock.h - moving a clock: anchors and clauses as acts of a campaign (design section 1, sentence 2).
 *
 * Only `received` and the clause move a deadline. To earlier is free and applies at once; to later, or an
 * equal clock with another reason, is written down, asks for an approval, and applies when that reaches its
 * quorum (conduct_approve). A cohort that has not started loses its plan by any change, and with it what
 * waits for an approval; one that has started keeps what was approved, and its reason. The profile of the
 * campaign stays. I/O through the store. Does not: plan again, print, or ask questions. Faults: REFUSED (an
 * impossible order, a time in the future), CONFLICT, USAGE, CONFIG, UNAVAILABLE. Called by: cli. */
#ifndef MASSREVOKE_CONDUCT_CLOCK_H
#define MASSREVOKE_CONDUCT_CLOCK_H

#include "massrevoke/conduct.h"
#include "massrevoke/store_clock.h"

/* What became of it. */
struct conduct_clock {
    bool moved;      /* a deadline moved, now */
    int request;     /* that moves it once approved; 0: none */
    int *plan_again; /* cohorts whose plan fell, or is for another deadline now */
    size_t plan_again_count;
    const char *rule;    /* the clause that was taken; conduct_rule only */
    const char *profile; /* that plans under it are made with; conduct_rule only */
    const char *warning;
    const struct clock_row *rows; /* what it moves, or would; cohort 0: the campaign itself */
    size_t count;
};

/* Records when something happened, for cohort `wanted`; 0: for the campaign and every cohort with the
 * campaign's receipt. `raw` is the time as typed. REFUSED in the future, or when the order is impossible. */
MUST_USE bool conduct_anchor(const struct conduct *c, const struct anchor_record *r, int wanted,
                             struct arena *a, struct conduct_clock *out, struct fault *f);

/* Puts another clause on cohort `wanted`; 0: on the campaign and every cohort under its clause. `items` are
 * one or more, separated by commas: of several that fit the shortest clock is taken, with a warning. CONFLICT
 * when a started cohort would need another reason. */
MUST_USE bool conduct_rule(const struct conduct *c, const char *items, int wanted, struct arena *a,
                           struct conduct_clock *out, struct fault *f);

#endif
