/* milestone.h - the anchors of a clock, and the tasks that people have to do by it.
 *
 * An anchor is a moment that somebody knows of: when the report was received, acknowledged, confirmed, when
 * the scope was known, issuance stopped and the fault fixed. Only `received` moves a deadline (BR 4.9.5); the
 * others are told in reports. Pure. Does not: keep anchors (store_clock.h) or move a deadline (conduct.h).
 * Called by: store, engine, reporter, cli. */
#ifndef MASSREVOKE_MILESTONE_H
#define MASSREVOKE_MILESTONE_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

enum anchor {
    ANCHOR_RECEIVED,
    ANCHOR_ACKNOWLEDGED,
    ANCHOR_CONFIRMED,
    ANCHOR_SCOPE,
    ANCHOR_STOPPED,
    ANCHOR_FIXED,
    ANCHOR_COUNT
};

/* "received", "acknowledged", ...; static. */
const char *anchor_name(enum anchor anchor);

/* Reverse; ANCHOR_COUNT when there is none. */
enum anchor anchor_from_name(struct str name);

#endif
