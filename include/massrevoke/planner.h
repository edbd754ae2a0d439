/* planner.h - from a cohort and its limits to an hour-by-hour schedule, worked back from publication.
 *
 * The model. Time is cut into slots of one hour counted from receipt and used whole: a certificate of slot k
 * counts as revoked by the end of slot k and as published one margin later. The margin is publish_margin, or
 * ocsp_refresh where that is longer and any certificate that counts must be seen in OCSP, and the time it
 * takes to ask about all of those once at ocsp_rate: one margin a plan, so that all work has one end, which
 * is what makes counting exact. Only the slot that contains `now` is short: it starts at `now`. A CA revokes
 * at most rate * (length of the slot) certificates in a slot, rounded down; a CA slower than one an hour gets
 * one certificate every so many slots.
 *
 * Hard: the rate of each CA, the margin, the deadline, `now`, holds. A held certificate is dealt after
 * everything else, for a release to find it, and changes nothing for the rest. A certificate that expires
 * before the deadline can never be late, so it is not hard; it is taken first, by date, while there is room,
 * and counts as `expires_first`, in no chunk, when it runs out before its slot or its class's first slot, or
 * when only a slot published after the deadline is left for it. Certificates cost the same, so with w(c) the
 * certificates of CA c that outlive the deadline and s(c) the sum of its slots from `now` to the last one
 * that ends a margin before the deadline: a plan without a late certificate exists  <=>  w(c) <= s(c) for
 * every CA c, because filling the slots one after the other places min(w, s), and nothing can place more. The
 * planner packs slots exactly so whenever that is needed, hence it finds a feasible plan whenever there is
 * one, and otherwise the fewest late, and then ends as early as the rate lets it.
 *
 * Soft, given up in this order (`given_up` says so, with who loses what): class ceilings; help desk;
 * rate_cap; freezes, from the last to the first; ARI lead; notice, by class (certificates move forward, as
 * few and as little as possible); reserve; outage floor; the wait for the canary's publication (then there is
 * no canary: only where some are late, and without it fewer are or the last one ends earlier). Tried from the
 * other end: with everything else off, does all fit before what reserve and floor leave, each class after its
 * notice? Then ARI lead, freezes one by one and the cap are kept, each if all still fits. All fits <=> for
 * every notice, what may not go before it fits between it and the end; by the same counting, so notice is
 * kept whenever it can be. Too large a CRL is named and changes nothing.
 *
 * Among what is left: canaries; then riskiest, replaced, unused and orphan, each at once after its notice;
 * then the other classes in their turns, at the lowest peak that notices and ceilings allow (level.c). Waits
 * for notice, not load, decide when a CA is short of room. A subscriber's certificates of one class share a
 * slot unless capacity forbids it. Canaries have the least notice there is; they go before it only for
 * riskiest certificates, or for more certificates than there are canaries to lose it.
 *
 * publish_at_once: no slots are waited for. A certificate is due `i / rate` after the start, the canary comes
 * first but nothing waits in the plan; slots are then only the hours into which the due times fall, and ends
 * are counted by the second.
 *
 * Outage tolerance: work of a slot may lie as late in it as the rate allows. If the backend is away in
 * [t, t+L) and then works off the rest in plan order at full rate, the last one ends at
 * max(planned end, t + L + rest(t)/rate); t + rest(t)/rate never falls with t and reaches the end of the last
 * slot, so the tolerance is (deadline - margin) minus the end of the last slot that holds a certificate with
 * a deadline: per CA, the smallest counts. 0 when one is late without any outage.
 *
 * Cost: linear in certificates, subscribers, slots and CAs. One pass over the certificates, on two threads
 * from 2^18 of them, cuts them into lots (consecutive numbers of one subscriber, issuer, CA and class), all
 * else works on lots by stable countings and radix sorts: 68 bytes of working memory a lot, at most as many
 * lots as certificates; 12 bytes a subscriber; the result takes 4 bytes a certificate and 40 a chunk. About
 * 12 ns a certificate at ten a subscriber, 45 when the ten differ in class. No floating point, no pointers or
 * hash order in the result: same input, same bytes, whatever the order of subscribers and CRLs. A replan
 * passes only its own numbers, and profile.canary 0 once the canary has been seen.
 *
 * Pure. Does not: read a clock, know states or contacts, compose notices, count other campaigns' use of a
 * backend, or store anything. Sources: BR 4.9.1.1, 4.9.5 (deadline to published revocation), 4.9.7; RFC 9773
 * 4.2 (windows); design section 4. Called by: cli (plan, check), drill, engine (replan). */
#ifndef MASSREVOKE_PLANNER_H
#define MASSREVOKE_PLANNER_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/json.h"
#include "massrevoke/plan.h"
#include "massrevoke/text.h"

#define PLANNER_HOURS_MAX 1000000      /* longest schedule; a plan that needs more is a fault */
#define PLANNER_RATE_MAX 1000000000    /* largest count and per of a rate */
#define PLANNER_DEADLINE_MAX 316224000 /* seconds; ten years */
#define PLANNER_FREEZES_MAX 60         /* freeze windows of a profile */

/* Makes the plan; everything in *out lives in `a`. Infeasible is an answer (out->feasible), not a fault.
 * Faults: USAGE for input that breaks its contract (numbers not ascending, an index out of range), CONFIG for
 * a rate so slow that the schedule passes PLANNER_HOURS_MAX. */
MUST_USE bool planner_build(const struct plan_input *in, struct arena *a, struct plan *out, struct fault *f);

/* The object of `plan --json` (contract section 1); owned by the caller. */
json_t *planner_json(const struct plan *plan);

/* One screen of 80 columns for people: headline, figures, what was given up, the hours shortened. */
void planner_text(const struct plan *plan, const struct plan_input *in, struct buf *out);

/* schedule.csv (contract section 3): hour,start,certificates,subscribers; CRLF after each line (RFC 4180). */
void planner_csv(const struct plan *plan, struct buf *out);

/* The answer to "what if a CA is down for so long?". */
struct plan_outage {
    struct span length;
    bool in_time;          /* every deadline still holds, whenever it begins */
    size_t ca;             /* whose outage is the worst */
    struct utc worst;      /* a moment to begin at which no other is worse, to the second before */
    struct utc finish;     /* when it begins then: last certificate with a deadline published */
    uint64_t late;         /* that then miss the deadline, with those that miss it anyway */
    struct span tolerance; /* the plan's own figure: the longest that harms nothing */
};

/* The outage of one CA for `length`, at the worst moment for the CA that bears it worst: most late, then the
 * latest finish. The backlog is worked off at full rate in plan order; what happens in a slot happens as late
 * in it as the rate allows, what has a deadline last. A job is never delayed by more than `length`, and by
 * all of it when the outage begins as it should start, and then all behind it are at least as late as their
 * own time: so the late ones are those that end less than `length` before the last useful second. O(numbers
 * log certificates). `plan` must be of `in`. Pure. */
void planner_outage(const struct plan_input *in, const struct plan *plan, struct span length,
                    struct plan_outage *out);

/* The same as an object of `plan --outage --json`, owned by the caller; and as a few lines for people. */
json_t *planner_outage_json(const struct plan_outage *o, const struct plan_input *in);
void planner_outage_text(const struct plan_outage *o, const struct plan_input *in, struct buf *out);

/* What changed from one plan to another, from their stored summaries (planner_json's objects): `same`,
 * `figures` [{name, old, new}] that differ, `slots` [{start, change: came|went|changed, old, new}] with
 * certificates. A figure that a summary does not have counts as null. Owned by the caller. */
json_t *planner_diff(const json_t *old, const json_t *fresh);

/* One screen of it for an approver. */
void planner_diff_text(const json_t *diff, struct buf *out);

/* One more entry for the calendar. */
struct plan_event {
    const char *uid; /* unique within the campaign, stable */
    struct utc start;
    const char *summary;
};

/* The schedule as iCalendar (RFC 5545), the same bytes every time: an event for each slot, the deadline with
 * an alarm a day before, and `extra`. UIDs are "campaign-hour@massrevoke", stable over replans, so that a
 * calendar moves its entries; `stamp` is when the plan was made. */
void planner_ics(const struct plan *plan, const struct plan_input *in, const char *campaign, struct utc stamp,
                 const struct plan_event *extra, size_t count, struct buf *out);

/* The contract's word for a limit, e.g. "backend_rate"; static storage. */
const char *planner_limit_name(enum plan_limit limit);

#endif
