/* numbers.h - the digest of a plan's numbers, worked out on a second thread while they are dealt.
 *
 * SHA-256 over the numbers in plan order, 4 bytes each, big endian. A large plan is hashed behind the
 * dealing; a small one, or all of it where no thread starts, at the end. The result is the same either way.
 * Called by: deal, text. */
#ifndef MASSREVOKE_PLANNER_NUMBERS_H
#define MASSREVOKE_PLANNER_NUMBERS_H

#include "massrevoke/digest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Made by numbers_begin, ended by numbers_end; must not move in between. */
struct numbers_hash {
    const uint32_t *numbers;
    struct digest_state state;
    size_t done;         /* numbers that are in the digest */
    atomic_size_t ready; /* numbers that no longer change */
    atomic_bool over;    /* there will be no more */
    bool beside;         /* a thread follows */
    pthread_t thread;
};

/* Begins with none of the `most` numbers ready. */
void numbers_begin(struct numbers_hash *h, const uint32_t *numbers, size_t most);

/* The first n are as they stay. */
static inline void numbers_are_ready(struct numbers_hash *h, size_t n)
{
    atomic_store_explicit(&h->ready, n, memory_order_release);
}

/* The digest of all that are ready; ends the thread. */
struct digest numbers_end(struct numbers_hash *h);

#endif
