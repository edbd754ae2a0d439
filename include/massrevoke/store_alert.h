/* store_alert.h - alerts as they are kept: raised once for a subject, called out, taken, over.
 *
 * Every call is one transaction; two engines that raise, call or end the same alert do it once. I/O.
 * Does not: find causes, decide whom to call, or send. Faults: UNAVAILABLE, FAILED. Called by: engine, cli.
 */
#ifndef MASSREVOKE_STORE_ALERT_H
#define MASSREVOKE_STORE_ALERT_H

#include "massrevoke/alert.h"
#include "massrevoke/store_campaign.h"

/* Alerts that are not over, and those that ended at `since` or later, with their calls, by number. `engine`:
 * who asks (0: nobody), for `elsewhere`. */
MUST_USE bool store_alerts(struct store *s, int campaign, struct utc since, int engine, struct arena *a,
                           struct alert **out, size_t *n, struct fault *f);

/* Raises these causes; an own one belongs to `engine`. *numbers of the new ones, in order. */
MUST_USE bool store_alert_raise(struct store *s, const struct act *act, int engine,
                                const struct alert_cause *causes, const size_t *which, size_t n,
                                struct arena *a, int64_t **numbers, size_t *raised, struct fault *f);

/* Ends these alerts. */
MUST_USE bool store_alert_clear(struct store *s, const struct act *act, const int64_t *alerts, size_t n,
                                struct fault *f);

/* act->who takes one alert, or (0) all that nobody has taken; *numbers of those taken. */
MUST_USE bool store_alert_ack(struct store *s, const struct act *act, int64_t alert, struct arena *a,
                              int64_t **numbers, size_t *n, struct fault *f);

/* One call, before it is made: *mine when it is this engine's to make. */
MUST_USE bool store_alert_call(struct store *s, const struct act *act, int engine, int64_t alert, int step,
                               enum alert_path path, const char *to, bool *mine, struct fault *f);

/* What became of a call that was this engine's. */
MUST_USE bool store_alert_told(struct store *s, int campaign, int engine, int64_t alert, int step,
                               enum alert_path path, enum mail_outcome outcome, const char *text,
                               struct fault *f);

/* Engines that stand still or are gone without goodbye; `since` counts back from `now`. */
MUST_USE bool store_silent_engines(struct store *s, int campaign, struct utc now, struct span limit,
                                   struct arena *a, struct alert_engine **out, size_t *n, struct fault *f);

/* What is wrong at the edges of pointers: errors of CRLs at once, and what lasts for minutes: edges that give
 * nothing or differ, errors of responders. One for a URL and finding. */
MUST_USE bool store_edge_alarms(struct store *s, int campaign, struct utc now, struct arena *a,
                                struct alert_finding **out, size_t *n, struct fault *f);

/* Events of the log that begin or end something, read from behind *seq on, which moves. What they leave
 * standing is kept in `list` (arena `a`, both the caller's from call to call). */
MUST_USE bool store_alert_events(struct store *s, int campaign, int64_t *seq, struct arena *a,
                                 struct alert_event **list, size_t *n, struct fault *f);

#endif
