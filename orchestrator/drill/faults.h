/* faults.h - what goes wrong in a drill: decorators around the real doors.
 *
 * The doors inside are the live ones, the faults are scheduled by injects. I/O: the distribution point's
 * folder. Does not: know campaigns, or decide when a fault begins (drill). Called by: drill. */
#ifndef DRILL_FAULTS_H
#define DRILL_FAULTS_H

#include "clock.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/mail_door.h"
#include "world.h"

/* When each fault ends; UTC_NONE: it is not there. */
struct drill_faults {
    struct drill_world *world;
    const struct drill_clock *clock;
    struct utc down, lost, late, flip;
    int lost_percent;
    bool undelivered;     /* the CA has signed what the distribution point does not have */
    int64_t lost_answers; /* so far */
    uint64_t draws;
};

/* Wraps the CA's door; the result owns it. Lost answers, outage, late and damaged delivery follow `faults`.
 */
struct ca_door *faults_ca(struct drill_faults *faults, struct ca_door *inner);

/* Wraps the spool; the result owns it. `refuses` says whose address bounces. */
struct mail_door *faults_mail(struct mail_door *inner, bool (*refuses)(void *context, const char *address),
                              void *context);

/* Delivers what waits when a fault has ended; call when the clock has moved. */
MUST_USE bool faults_settle(struct drill_faults *faults, struct fault *f);

/* When the next fault ends; UTC_NONE: none is there. */
struct utc faults_next(const struct drill_faults *faults);

#endif
