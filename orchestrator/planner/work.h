/* work.h - what the steps of one planning run hand to each other.
 *
 * Steps, in order: work_open (checks the input, cuts it into lots, counts) -> canary_choose -> window_choose
 * (what is given up) -> place_all (a slot for each lot) -> deal_out (chunks, slots, figures, digest) ->
 * given_up_list, remedy_find. Everything between the first step and the last works on lots, not on
 * certificates. Does not: outlive planner_build. Pure. Called by: planner only. */
#ifndef MASSREVOKE_PLANNER_WORK_H
#define MASSREVOKE_PLANNER_WORK_H

#include "calendar.h"
#include "lane.h"
#include "massrevoke/planner.h"

#define HOUR 3600
#define LEVEL_FIRST CLASS_UNREACHABLE /* classes before it go at once, from it on the load is level */

/* What a lot is to the plan. */
enum role { ROLE_NONE, ROLE_CANARY, ROLE_EXPIRING, ROLE_CLASS, ROLE_HELD };

/* Certificates with consecutive numbers, one after the other in the input, of one subscriber, issuer, CA,
 * role and class; expiring ones also run out in one hour. */
struct lot {
    uint32_t first, count; /* into the certificates */
    uint32_t number;       /* of the first */
    uint32_t rank;         /* of the subscriber: order of first appearance among the numbers */
    uint32_t place;        /* PLACE(role, class, hour) */
    uint16_t issuer, ca;
};

/* Role, class and hour in one word, so that one comparison tells whether two certificates share a lot. The
 * hour: of running out; of a canary 1 when it runs out before the deadline, else 0. */
#define PLACE(role, turn, hour) ((uint32_t)(role) << 28 | (uint32_t)(turn) << 24 | (uint32_t)(hour))

static inline enum role lot_role(const struct lot *l)
{
    return (enum role)(l->place >> 28);
}

static inline unsigned lot_class(const struct lot *l)
{
    return l->place >> 24 & 15;
}

static inline uint32_t lot_hour(const struct lot *l)
{
    return l->place & 0xffffff;
}

/* Does it run out before the deadline, so that it can't be late? */
static inline bool lot_expires(const struct lot *l)
{
    return lot_role(l) == ROLE_EXPIRING || (lot_role(l) == ROLE_CANARY && lot_hour(l) == 1);
}

/* The hours of a plan, as slots counted from receipt. */
struct hours {
    bool at_once;
    struct span margin; /* of publication: the longer of CRL's and, where it counts, OCSP's, and the asking */
    struct utc start;   /* first usable second */
    struct utc deadline;          /* published by then */
    struct utc last;              /* deadline minus margin */
    int64_t open;                 /* slot that holds `start` */
    int64_t safe;                 /* slots before it keep reserve and outage floor */
    int64_t end;                  /* slots before it meet the deadline */
    int64_t cycle;                /* from canaries to the rest in slots, rounded up */
    int64_t notice[CLASS_COUNT];  /* first slot that the profile allows a class, not before open */
    int64_t ceiling[CLASS_COUNT]; /* slots before it are no later than the profile wants; INT64_MAX: none */
    int64_t ari;                  /* first slot that an ARI window opened now leaves its lead */
};

/* Where the load of a class is level: place p of `total` is wished for in slot from + p * slots / total. */
struct level {
    int64_t from, slots;
    int64_t before, total; /* places taken by classes that share these slots, and all of them */
    int64_t seen;          /* of this class, dealt so far */
    int64_t slot, limit;   /* where the next place lies, and the first place behind that slot */
};

/* One CA's share. */
struct ca_work {
    struct rate rate;                 /* that the plan uses: the backend's, or the profile's cap if kept */
    struct supply supply;             /* of that rate */
    int64_t canary, rest, held;       /* certificates to place */
    int64_t canary_bound, rest_bound; /* of these, that outlive the deadline */
    int64_t count[CLASS_COUNT];       /* the rest by class, expiring ones included */
    int64_t bound[CLASS_COUNT];       /* the rest by class that outlives the deadline */
    bool overloaded;                  /* not all fit before hours.end: packed, expiring ones last */
    bool tight;                       /* wishes don't all fit, though notices do */
    struct lane lane;                 /* for the rest */
    struct level level[CLASS_COUNT];
};

/* One CRL: the candidate for its canary, and what it will carry. */
struct shard_work {
    uint64_t mark;  /* of the candidate: CANARY_MARK(issuer, cost), 0 without one */
    uint32_t index; /* of the candidate */
    uint32_t entries;
};

/* What the lots of a plan lose of soft limits, by class. */
struct losses {
    uint64_t early[CLASS_COUNT],
        after[CLASS_COUNT]; /* certificates before their notice, after their ceiling */
    uint64_t ari;           /* automated ones with less than the lead */
};

/* Soft limits that the plan keeps. */
struct kept {
    bool cap, ari, notice;
    uint64_t freezes; /* bit i: freeze i */
};

/* One planning run. */
struct work {
    const struct plan_input *in;
    struct arena *arena;
    struct hours hours;
    struct ca_work *cas;
    struct lot *lots; /* by number */
    size_t lot_count;
    struct buf cuts;    /* struct lot: canaries and what follows them, then what goes into another slot */
    uint32_t *slots;    /* by lot index, hours from receipt, once placed; as long as slot_room */
    uint64_t *items[2]; /* room for sorting as many */
    size_t slot_room;
    uint32_t last_slot;  /* no lot has a later one */
    bool grouped;        /* no lot but held ones has a smaller rank than one before it */
    size_t ranks;        /* subscribers seen */
    uint32_t *rank_lots; /* by rank: how many lots are no cuts */
    size_t by_ocsp;      /* certificates that count and must be seen in OCSP */
    struct shard_work *shards;
    size_t shard_count;
    struct kept kept;
    struct calendar calendar;
    size_t canaries; /* certificates of that role */
    int64_t canary_class[CLASS_COUNT];
    int64_t canary_slot; /* where canaries start; on the calendar's axis, as the next one */
    int64_t rest_slot;   /* nothing else lies before it */
    bool forced;         /* time or rate made notice, reserve, floor or canary give way */
    bool gave_canary;    /* no canary: there is no time to wait for it */
    struct losses losses;
};

/* A lot by index; those behind lot_count are cuts. Valid until the next cut. */
static inline struct lot *work_lot(struct work *w, size_t i)
{
    return i < w->lot_count ? &w->lots[i] : (struct lot *)(void *)w->cuts.p + (i - w->lot_count);
}

/* How many lots were cut off. */
static inline size_t work_cuts(const struct work *w)
{
    return w->cuts.n / sizeof(struct lot);
}

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

/* When the first certificate of a lot runs out; all of an expiring lot do in the same hour. */
static inline struct utc lot_runs_out(const struct work *w, const struct lot *l)
{
    return w->in->certificates[l->first].not_after;
}

/* Checks the input, works out the hours, cuts lots, finds canary candidates. */
MUST_USE bool work_open(struct work *w, const struct plan_input *in, struct arena *a, struct fault *f);

/* The hours of an input; also for what-if questions. */
struct hours hours_of(const struct plan_input *in, size_t by_ocsp);

/* Usable seconds of the first slot. */
int64_t hours_open_seconds(const struct hours *h, struct utc received);

/* How many certificates a CA of this rate can revoke within the hard limits. */
int64_t hours_capacity(const struct hours *h, struct utc received, struct rate rate);

/* The place of a certificate when it is no canary; PLACE(ROLE_NONE..) when it runs out too early. */
uint32_t work_place(const struct work *w, const struct plan_certificate *c);

/* Counts a lot in cas and canaries: 1 in, -1 out. */
void work_tally(struct work *w, const struct lot *l, int64_t sign);

/* Counts all lots anew; resets the rates. */
void work_count(struct work *w);

/* A walk over all lots by number: `struct walk k = work_walk(w, a); while (walk_next(&k, &i))`. */
struct walk {
    const struct lot *lots;
    const uint64_t *cut; /* the next of the cuts as sort items, first and index; then WALK_END */
    uint32_t lot, count; /* the next one, and how many are no cuts */
};

#define WALK_END UINT64_MAX

/* Begins one; it ends with the next cut. Sorts the cuts, which are few, in memory of `a`. */
struct walk work_walk(struct work *w, struct arena *a);

/* The index of the next lot; false behind the last one. */
static inline bool walk_next(struct walk *k, uint32_t *i)
{
    if (k->lot < k->count && k->lots[k->lot].first <= *k->cut >> 32) {
        *i = k->lot++;
        return true;
    }
    *i = (uint32_t)*k->cut;
    return *k->cut != WALK_END && k->cut++ != NULL;
}

/* Takes a lot out of the plan: its certificates run out before their turn. */
void work_drop(struct work *w, struct lot *l);

/* Makes slots and items long enough for all lots. */
void work_make_room(struct work *w);

/* Whose candidate it is and at what cost, the less the better, in one word: marks of one issuer differ in
 * nothing but the cost. */
#define CANARY_MARK(issuer, cost) (((uint64_t)(issuer) + 1) << 44 | (uint64_t)(cost))

/* Finds canaries while lots are cut. `wanted` indexes for each class (the last one: expiring) are kept. */
struct canary_search {
    const struct plan_certificate *certificates;
    size_t wanted;
    uint64_t cost[CLASS_COUNT + 1];
    uint64_t least[CLASS_COUNT + 1]; /* what costs so much or more is worth a note: 0 until enough are kept */
    uint32_t *first[CLASS_COUNT + 1];
    size_t count[CLASS_COUNT + 1];
    struct buf best;  /* uint32_t: those of shards whose issuer has ended */
    struct buf noted; /* uint32_t: all of which note was taken, in their order */
};

/* Starts a search; memory from `a`, and until canary_end. */
void canary_begin(struct canary_search *s, const struct work *w, struct arena *a);
void canary_end(struct canary_search *s);

/* Takes note of a certificate of a category in its shard. */
void canary_note(struct canary_search *s, struct shard_work *shard, size_t category,
                 const struct plan_certificate *c);

/* Offers one certificate of a category (a class or CLASS_COUNT: expiring) to its shard; `issuer` is the mark
 * of its issuer at no cost. Hardly ever is there anything to note. A search over a later part of the input
 * takes note of everything that this one would, so that offering it what that noted is enough. */
static inline void canary_offer(struct canary_search *s, struct shard_work *shard, uint64_t issuer,
                                size_t category, const struct plan_certificate *c)
{
    if ((shard->mark ^ issuer) >= s->least[category])
        canary_note(s, shard, category, c);
}

/* Cuts the canaries out of their lots: at least one per issuer and shard, `wanted` in all; least notice
 * first, so that few lose any. */
void canary_choose(struct canary_search *s, struct work *w);

/* Makes canaries ordinary again. */
void canary_drop(struct work *w);

/* Chooses windows and what is given up. Faults: CONFIG when a rate is too slow to end. */
MUST_USE bool window_choose(struct work *w, struct fault *f);

/* The slot, on the axis, before which a class should not lie, as far as that is kept. */
int64_t window_notice(const struct work *w, unsigned turn);

/* Spreads the classes of every CA: the highest load of an hour is as low as notice and ceilings allow. */
void level_all(struct work *w);

/* Second, counted from hours.start, at which the i-th certificate is due at this rate; 0 without a rate. */
static inline int64_t rate_due(struct rate r, int64_t i)
{
    return r.count == 0 ? 0 : i / r.count * r.per + i % r.count * r.per / r.count;
}

/* How many are wholly done in so many seconds. */
int64_t rate_done(struct rate r, int64_t seconds);

/* Gives every lot its slot, cutting those that need several; what runs out before gets ROLE_NONE. */
void place_all(struct work *w);

/* Makes chunks, slots, figures, text and digest. */
void deal_out(struct work *w, struct plan *out);

/* Figures that need no slot: work, needs, shards. */
void figures_add(const struct work *w, struct plan *out);

/* The canonical text and its digest. */
void text_write(const struct work *w, struct digest numbers, struct plan *out);

/* Sets out->given_up. */
void given_up_list(struct work *w, struct plan *out);

/* Slots in which the help desk has more subscribers than it can serve. */
size_t given_up_crowded(const struct work *w, const struct plan *p);

/* Sets out->limiting and, when the plan is infeasible, remedy: a cure only after planning with it has shown a
 * feasible plan. Unless `wanted` none is looked for. */
void remedy_find(const struct work *w, bool wanted, struct plan *out);

/* planner_build, with or without looking for cures: for planning with a cure. */
MUST_USE bool planner_make(const struct plan_input *in, bool cures, struct arena *a, struct plan *out,
                           struct fault *f);

#endif
