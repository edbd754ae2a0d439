/* seed.h - numbers from a drill's seed: splitmix64 (Steele, Lea, Flood 2014), one stream a purpose and index.
 * Pure. Does not: keep secrets. Called by: drill. */
#ifndef DRILL_SEED_H
#define DRILL_SEED_H

#include <stddef.h>
#include <stdint.h>

enum seed_purpose { SEED_POPULATION = 11, SEED_EXPIRY, SEED_BEHAVIOUR, SEED_ANSWER, SEED_LOST, SEED_PICK };

/* The next number of a stream. */
uint64_t seed_draw(uint64_t *state);

/* A new stream. */
uint64_t seed_stream(uint64_t seed, enum seed_purpose purpose, uint64_t index);

/* Fills order[0..n) with 0..n-1 in an order of the seed's (Fisher and Yates). */
void seed_shuffle(uint64_t seed, enum seed_purpose purpose, int *order, size_t n);

#endif
