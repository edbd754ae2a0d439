/* set.h - keys by number, under a seeded hash. The table is in intake.h; the keys stay with the caller. */
#ifndef MASSREVOKE_INTAKE_SET_H
#define MASSREVOKE_INTAKE_SET_H

#include "massrevoke/intake.h"

/* Has the key that was put as `number` these bytes? */
typedef bool intake_same_fn(const void *context, uint32_t number, struct str key);

#define INTAKE_SET_NEW UINT32_MAX

/* Number under which an equal key was put before; INTAKE_SET_NEW when there is none, and the key then has
 * `number`. At most 4e9 keys; 8 bytes a slot, at most two thirds full. */
uint32_t intake_set_put(struct intake_set *set, struct str key, uint32_t number, intake_same_fn *same,
                        const void *context);

/* SipHash-2-4 of the bytes. */
uint64_t intake_hash(struct str bytes, const uint64_t seed[static 2]);

/* Frees the slots. */
void intake_set_free(struct intake_set *set);
#define AUTO_INTAKE_SET __attribute__((cleanup(intake_set_free))) struct intake_set

#endif
