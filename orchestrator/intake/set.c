#include "intake/set.h"

#include <stdlib.h>

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void mix(uint64_t v[static 4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
}

/* n bytes, at most 8, as a number. In the machine's order: no hash leaves the process. */
static uint64_t word_at(const char *p, size_t n)
{
    uint64_t word = 0;
    if (n > 0)
        memcpy(&word, p, n);
    return word;
}

/* J.-P. Aumasson, D. J. Bernstein: SipHash, a fast short-input PRF (2012), section 2. */
uint64_t intake_hash(struct str bytes, const uint64_t seed[static 2])
{
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573)};
    size_t whole = bytes.n / 8 * 8;
    for (size_t i = 0; i <= whole; i += 8) {
        uint64_t word = i < whole ? word_at(bytes.p + i, 8)
                                  : word_at(bytes.p + i, bytes.n - whole) | (uint64_t)bytes.n << 56;
        v[3] ^= word;
        mix(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    mix(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The slot with an equal key, or the free one where it belongs. The tag (high half) also says where to look
 * first, so growing needs no key. */
static size_t probe(const struct intake_set *set, uint64_t hash, struct str key, intake_same_fn *same,
                    const void *context)
{
    size_t at = (size_t)(hash >> 32) & (set->room - 1);
    for (; set->slots[at] != 0; at = (at + 1) & (set->room - 1))
        if (set->slots[at] >> 32 == hash >> 32 && same != NULL &&
            same(context, (uint32_t)set->slots[at] - 1, key))
            break;
    return at;
}

static void grow(struct intake_set *set)
{
    struct intake_set old = *set;
    set->room = old.room == 0 ? 1024 : old.room * 2;
    set->slots = arena_grow(NULL, set->room * sizeof *set->slots);
    memset(set->slots, 0, set->room * sizeof *set->slots);
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i] != 0)
            set->slots[probe(set, old.slots[i], str_of(""), NULL, NULL)] = old.slots[i];
    free(old.slots);
}

uint32_t intake_set_put(struct intake_set *set, struct str key, uint32_t number, intake_same_fn *same,
                        const void *context)
{
    if (set->count * 3 >= set->room * 2)
        grow(set);
    uint64_t hash = intake_hash(key, set->seed);
    size_t at = probe(set, hash, key, same, context);
    if (set->slots[at] != 0)
        return (uint32_t)set->slots[at] - 1;
    set->slots[at] = hash >> 32 << 32 | (uint64_t)(number + 1);
    set->count++;
    return INTAKE_SET_NEW;
}

void intake_set_free(struct intake_set *set)
{
    free(set->slots);
    *set = (struct intake_set){0};
}
