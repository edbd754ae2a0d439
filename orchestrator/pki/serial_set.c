#include "pki/serial_set.h"
#include "massrevoke/arena.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein) over the fixed 24 bytes: 20 octets, length, three zeros. */
uint64_t serial_hash(const uint64_t key[static 2], const struct serial *s)
{
    uint64_t words[4] = {0, 0, 0, (uint64_t)24 << 56};
    memcpy(words, s->bytes, SERIAL_MAX);
    words[2] |= (uint64_t)s->n << 32;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    for (size_t i = 0; i < 4; i++) {
        v[3] ^= words[i];
        sip_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t *make_slots(size_t count, size_t *mask)
{
    size_t room = 8;
    while (room < 2 * count)
        room *= 2;
    *mask = room - 1;
    size_t size = room * sizeof(uint64_t);
    uint64_t *slots = size < HUGE_PAGE ? NULL : aligned_alloc(HUGE_PAGE, size);
    if (slots == NULL)
        slots = arena_grow(NULL, size);
    else
        (void)madvise(slots, size, MADV_HUGEPAGE); /* a hint: slots are hit at random */
    memset(slots, 0, size);
    return slots;
}

struct serial_set serial_set_make(size_t count)
{
    struct serial_set set = {0};
    set.slots = make_slots(count, &set.mask);
    size_t bits = 4 * (set.mask + 1);
    bits = bits < 64 ? 64 : bits;
    set.filter_mask = bits - 1;
    set.filter = arena_grow(NULL, bits / 8);
    memset(set.filter, 0, bits / 8);
    return set;
}

void serial_set_free(struct serial_set *set)
{
    free(set->slots);
    free(set->filter);
    *set = (struct serial_set){0};
}

void serial_set_put(struct serial_set *set, struct serial_probe p, uint64_t hash, uint32_t position)
{
    set->slots[p.slot] = p.fingerprint << 32 | ((uint64_t)position + 1);
    *serial_set_word(set, hash) |= (uint64_t)1 << (hash >> 32 & 63);
}

struct serial_seen serial_seen_make(size_t count)
{
    struct serial_seen seen = {0};
    seen.slots = make_slots(count < SERIAL_SEEN_MOST ? count : SERIAL_SEEN_MOST, &seen.mask);
    return seen;
}

void serial_seen_free(struct serial_seen *seen)
{
    free(seen->slots);
    seen->slots = NULL;
}

/* More room while there may be more, then a smaller share. */
static void make_room(struct serial_seen *seen)
{
    size_t room = seen->mask + 1;
    uint64_t *old = seen->slots;
    if (seen->count < SERIAL_SEEN_MOST)
        seen->slots = make_slots(room, &seen->mask);
    else
        seen->slots = make_slots(room / 2, &seen->mask);
    seen->top += seen->count >= SERIAL_SEEN_MOST;
    seen->count = 0;
    for (size_t i = 0; i < room; i++)
        if (old[i] != 0)
            (void)serial_seen_add(seen, old[i]);
    free(old);
}

bool serial_seen_add(struct serial_seen *seen, uint64_t hash)
{
    hash += hash == 0; /* 0 is a free slot */
    if (!serial_seen_watches(seen, hash))
        return false;
    size_t slot = (size_t)hash & seen->mask;
    for (; seen->slots[slot] != 0; slot = (slot + 1) & seen->mask)
        if (seen->slots[slot] == hash)
            return true;
    seen->slots[slot] = hash;
    if (++seen->count > (seen->mask + 1) / 2)
        make_room(seen);
    return false;
}
