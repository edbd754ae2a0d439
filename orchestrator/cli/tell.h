/* tell.h - what the watching and telling commands share: the snapshot of a session's campaign.
 * I/O. Does not: print. Called by: status, report, schedule, pause. */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include "massrevoke/snapshot.h"
#include "session.h"

/* The snapshot now, judged by the session's profile and settings; check_balance as in store_snapshot. */
MUST_USE bool tell_snapshot(struct session *s, bool check_balance, struct arena *a, struct snapshot *out,
                            struct fault *f);

/* Writes a buffer to standard output. */
void tell_print(const struct buf *text);

#endif
