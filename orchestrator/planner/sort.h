/* sort.h - the one sort of the planner: stable, linear, the same everywhere.
 *
 * An item is a key in the upper 32 bits and an index in the lower. Does not: compare. Pure. Called by:
 * planner. */
#ifndef MASSREVOKE_PLANNER_SORT_H
#define MASSREVOKE_PLANNER_SORT_H

#include <stddef.h>
#include <stdint.h>

#define SORT_ITEM(key, index) ((uint64_t)(key) << 32 | (uint32_t)(index))

/* Sorts n items by key, stable; `spare` has room for n. Every key is at most `most`. Returns which of the two
 * arrays holds the result. Digits of at most 13 bits: O(n) for each of at most three; only a look when it
 * is sorted already.
 */
uint64_t *sort_items(uint64_t *items, uint64_t *spare, size_t n, uint32_t most);

#endif
