/* store_clock.h - the anchors of a campaign's clock.
 *
 * An anchor that nobody recorded for a cohort is the campaign's. I/O. Does not: judge an order of anchors
 * (milestone.h) or read a clock. Faults: UNAVAILABLE, CONFLICT, FAILED. */
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

#endif
