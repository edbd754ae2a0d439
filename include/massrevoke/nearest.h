/* nearest.h - "did you mean": the known word closest to a mistyped one.
 *
 * Pure. Does not: run the guess, or decide what is known. Called by: config (keys), cli (commands, options),
 * model (profile and rule names). */
#ifndef MASSREVOKE_NEAREST_H
#define MASSREVOKE_NEAREST_H

#include <stddef.h>

/* The best candidate so far. Start with `struct nearest n = {.wanted = word};`; `word` stays NULL until a
 * candidate is near enough: at most 1 + a third of the wanted word's length edits, and fewer than its length.
 */
struct nearest {
    const char *wanted, *word;
    size_t distance;
};

/* Compares one known word (kept by pointer) with the wanted one. O(length * length); words of more than 63
 * bytes are never near. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
