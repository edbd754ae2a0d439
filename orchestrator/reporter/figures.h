/* figures.h - the figures that all reports share, derived once from a snapshot, and whether they add up.
 *
 * Does not: format. Pure. Called by: reporter. */
#ifndef REPORTER_FIGURES_H
#define REPORTER_FIGURES_H

#include "massrevoke/snapshot.h"
#include "massrevoke/text.h"
#include <stddef.h>

/* One count of struct totals: its key and where it lies. The first is `affected`, the others its six parts.
 */
struct figures_field {
    const char *key;
    size_t offset;
};
#define FIGURES_FIELDS 7
extern const struct figures_field figures_fields[FIGURES_FIELDS];

/* The count behind a field. */
int64_t figures_count(const struct totals *t, const struct figures_field *field);

/* When the last certificate that can be is published: the latest finish of any cohort with work left.
 * UTC_NONE: nothing left or no estimate. */
struct utc figures_estimate(const struct snapshot *s);

/* Certificates that no estimate covers: held, unknown to the CA, or waiting for a person. */
int64_t figures_outside_estimate(const struct snapshot *s);

/* CCADB's total: what is affected now, what had expired before receipt, what is short-lived. */
int64_t figures_ccadb_total(const struct snapshot *s);

#endif
