/* population_parts.h - what adding a list and asking about one share.
 *
 * I/O. Does not: leave store/. */
#ifndef MASSREVOKE_STORE_POPULATION_PARTS_H
#define MASSREVOKE_STORE_POPULATION_PARTS_H

#include "internal.h"
#include "massrevoke/store_population.h"

/* Copies the list into temporary table staging in the order of the inventory's key; `line` is the row's place
 * in `rows` when `places`, else its line. */
MUST_USE bool population_stage(struct store *s, const struct listed *rows, size_t count, bool places,
                               struct fault *f);

#endif
