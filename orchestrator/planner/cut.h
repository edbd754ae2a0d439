/* cut.h - from the certificates of a plan to lots, in one pass over the input.
 *
 * What a certificate costs the planner is nearly all here, so large inputs are cut in parts side by side,
 * each on a thread of its own; in how many makes no difference to a plan. Does not: place, or choose
 * canaries. Pure. Called by: work. */
#ifndef MASSREVOKE_PLANNER_CUT_H
#define MASSREVOKE_PLANNER_CUT_H

#include "work.h"

#define CUT_LARGE ((size_t)1 << 18) /* certificates that take longer than a thread takes to start */
#define CUT_PARTS 2                 /* of so many or more */

/* Checks the certificates and sets what hangs on them alone: lots, ranks, shards, by_ocsp, the counts of each
 * CA. Offers them to `search`. Cuts in `count` parts, at least one. Faults: USAGE, the first in number order.
 */
MUST_USE bool cut_lots(struct work *w, size_t count, struct canary_search *search, struct fault *f);

#endif
