/* subscribers.h - the made-up subscribers: who reads, who answers, whose address bounces.
 *
 * They know only what lies in the spool, and act only through an acknowledgement. Behaviour and patience come
 * from the seed. I/O: reads the spool. Does not: write to the store (the caller does, when `at` has come).
 * Called by: drill. */
#ifndef DRILL_SUBSCRIBERS_H
#define DRILL_SUBSCRIBERS_H

#include "world.h"

/* An answer on its way. */
struct drill_answer {
    struct utc at;
    const char *subscriber, *role;
};

struct drill_subscribers {
    const struct drill_world *world;
    struct arena arena;
    const int *behaviour;     /* by the subscriber's number, from 0 */
    struct drill_answer *due; /* ascending by time, then subscriber */
    size_t count, room, done;
    char **seen;
    size_t seen_count, seen_room;
};

/* Deals the behaviours: each gets its share of the subscribers, largest remainders first. */
void subscribers_deal(struct drill_subscribers *s, const struct drill_world *w);

/* Does this address bounce? (for faults_mail) */
bool subscribers_refuse(void *subscribers, const char *address);

/* Reads what is new in the spool; whoever answers does so some time after `now`. FAILED: the spool can't be
 * read. */
MUST_USE bool subscribers_read(struct drill_subscribers *s, struct utc now, struct fault *f);

/* The next answer, NULL: none is on its way; subscribers_done takes it off. */
const struct drill_answer *subscribers_next(const struct drill_subscribers *s);
void subscribers_done(struct drill_subscribers *s);

/* Frees it. */
void subscribers_free(struct drill_subscribers *s);

#endif
