/* work.h - what the steps of one planning run hand to each other.
 *
 * Steps, in order: work_open (checks the input, hours, counts) -> canary_choose -> window_choose (what is
 * given up)
 * -> place_all (a slot for each) -> deal_out (chunks, slots, figures, digest) -> remedy_find. Does not:
 * outlive planner_build. Pure. Called by: planner only. */
#ifndef MASSREVOKE_PLANNER_WORK_H
#define MASSREVOKE_PLANNER_WORK_H

#include "lane.h"
#include "massrevoke/planner.h"

#define HOUR 3600

/* What a certificate is to the plan; the order of the list is the order within a slot. */
enum role { ROLE_NONE, ROLE_CANARY, ROLE_EXPIRING, ROLE_URGENT, ROLE_OTHER, ROLE_COUNT };

/* The hours of a plan, as slots counted from receipt. */
struct hours {
    bool at_once;
    struct utc start;    /* first usable second */
    struct utc deadline; /* published by then */
    struct utc last;     /* deadline minus publication margin */
    int64_t open;        /* slot that holds `start` */
    int64_t notice;      /* first slot that the profile allows, not before open */
    int64_t safe;        /* slots before it keep reserve and outage floor */
    int64_t end;         /* slots before it meet the deadline */
    int64_t cycle;       /* publication margin in slots, rounded up */
};

/* One CA's share. */
struct ca_work {
    struct rate rate;     /* that the plan uses: the backend's, or the profile's cap while that is kept */
    struct supply supply; /* of that rate */
    int64_t canary, rest; /* certificates to place */
    int64_t canary_bound, rest_bound; /* of these, that outlive the deadline */
    bool overloaded;                  /* not all fit before hours.end: packed, expiring ones last */
    struct lane lane;                 /* for the rest */
};

/* One planning run. */
struct work {
    const struct plan_input *in;
    struct arena *arena;
    struct hours hours;
    struct ca_work *cas;
    uint8_t *role;                /* enum role, by certificate */
    uint32_t *rank;               /* by subscriber: order of first appearance among the numbers */
    uint32_t *slot;               /* by certificate, hours from receipt; meaningless for ROLE_NONE */
    size_t canaries;              /* certificates of that role */
    int64_t canary_slot;          /* where canaries start */
    int64_t rest_slot;            /* nothing else lies before it */
    int64_t level_from, level_to; /* the load is level over these slots */
    bool forced;                  /* time or rate made notice, reserve, floor or canary give way */
    bool gave_cap, gave_canary;   /* soft limits given up before any slot was dealt */
};

/* Start of slot k; the slot that holds hours.start begins there. */
static inline struct utc slot_start(const struct work *w, int64_t k)
{
    return utc_max((struct utc){w->in->received.s + k * HOUR}, w->hours.start);
}

/* End of slot k. */
static inline struct utc slot_end(const struct work *w, int64_t k)
{
    return (struct utc){w->in->received.s + (k + 1) * HOUR};
}

/* Does it run out before the deadline, so that it can't be late? */
static inline bool expires(const struct work *w, const struct plan_certificate *c)
{
    return utc_is_set(c->not_after) && c->not_after.s < w->hours.deadline.s;
}

/* Checks the input, works out the hours, gives every certificate its role but the canary's. */
MUST_USE bool work_open(struct work *w, const struct plan_input *in, struct arena *a, struct fault *f);

/* The hours of an input; also for what-if questions. */
struct hours hours_of(const struct plan_input *in);

/* Usable seconds of the first slot. */
int64_t hours_open_seconds(const struct hours *h, struct utc received);

/* How many certificates a CA of this rate can revoke within the hard limits. */
int64_t hours_capacity(const struct hours *h, struct utc received, struct rate rate);

/* Counts the roles into cas and canaries; resets the rates. */
void work_count(struct work *w);

/* A certificate's role when it is no canary. */
enum role work_role(const struct work *w, const struct plan_certificate *c);

/* Makes k certificates canaries, at least one per issuer and shard; all when there are at most k. */
void canary_choose(struct work *w);

/* Makes canaries ordinary again. */
void canary_drop(struct work *w);

/* Chooses windows and what is given up. Faults: CONFIG when a rate is too slow to end. */
MUST_USE bool window_choose(struct work *w, struct fault *f);

/* Second, counted from hours.start, at which the i-th certificate is due at this rate; 0 without a rate. */
static inline int64_t rate_due(struct rate r, int64_t i)
{
    return r.count == 0 ? 0 : i / r.count * r.per + i % r.count * r.per / r.count;
}

/* Fills w->slot; certificates that run out before their slot become ROLE_NONE. */
void place_all(struct work *w);

/* Makes chunks, slots, figures, text and digest. */
void deal_out(struct work *w, struct plan *out);

/* The place of a role within a slot: expiring ones go last where they would take room from the others. */
static inline int role_place(const struct work *w, uint32_t ca, enum role role)
{
    return role == ROLE_EXPIRING && w->cas[ca].overloaded ? ROLE_COUNT : (int)role;
}

/* Sets out->limiting, remedy and given_up. */
void remedy_find(const struct work *w, struct plan *out);

/* Stable counting sort of n indexes by key[index] (below `keys`), from -> to. Linear; gives its memory back.
 */
void work_sort(const uint32_t *key, size_t keys, const uint32_t *from, uint32_t *to, size_t n);

#endif
