/* serial_set.h - keyed hashes of serials: those wanted (fingerprint and position), and those seen before.
 *
 * The hash is keyed, because serials may be chosen by whoever wants the lookup slow; one hash serves both. 8
 * bytes a slot, load at most one half. The set of the wanted does not hold the serials: the caller compares
 * at the position. Does not: delete, or be shared. Pure. Called by: crl_read. */
#ifndef MASSREVOKE_PKI_SERIAL_SET_H
#define MASSREVOKE_PKI_SERIAL_SET_H

#include "massrevoke/serial.h"

/* Made by serial_set_make, ended by serial_set_free. */
struct serial_set {
    uint64_t *slots; /* fingerprint << 32 | position + 1; 0 is free */
    size_t mask;
    uint64_t *filter; /* a bit for each serial that is in, 4 bits a slot: small enough to stay in a cache */
    size_t filter_mask;
};

/* A probe: the slot and the fingerprint looked for. */
struct serial_probe {
    size_t slot;
    uint64_t fingerprint;
};

/* Room for `count` serials (fewer than 2^31). */
struct serial_set serial_set_make(size_t count);

/* Frees. */
void serial_set_free(struct serial_set *set);

/* Both halves of a product, folded. */
static inline uint64_t serial_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = a;
    product *= b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The hash of a serial under a random key: products of words masked by the key, as in wyhash. Who does not
 * know the key cannot choose serials that collide. About 3 ns. */
static inline uint64_t serial_hash(const uint64_t key[static 2], const struct serial *s)
{
    uint64_t high, middle;
    uint32_t low;
    memcpy(&high, s->bytes, sizeof high);
    memcpy(&middle, s->bytes + 8, sizeof middle);
    memcpy(&low, s->bytes + 16, sizeof low);
    uint64_t first = serial_mix(high ^ key[0], middle ^ key[1]);
    uint64_t second =
        serial_mix((low | (uint64_t)s->n << 32) ^ key[1] ^ 0x9e3779b97f4a7c15, key[0] ^ 0xbf58476d1ce4e5b9);
    return serial_mix(first ^ key[0] ^ 0x94d049bb133111eb, second ^ key[1]);
}

/* Where the filter holds a hash. */
static inline uint64_t *serial_set_word(const struct serial_set *set, uint64_t hash)
{
    return &set->filter[(hash >> 32 & set->filter_mask) / 64];
}

/* May a serial with this hash be in? False is certain. */
static inline bool serial_set_may(const struct serial_set *set, uint64_t hash)
{
    return (*serial_set_word(set, hash) >> (hash >> 32 & 63) & 1) != 0;
}

/* Begins a search for the serial with this hash. */
static inline struct serial_probe serial_set_probe(const struct serial_set *set, uint64_t hash)
{
    return (struct serial_probe){(size_t)hash & set->mask, hash >> 32};
}

/* The next position with this fingerprint; false at a free slot, which *p then names. */
static inline bool serial_set_next(const struct serial_set *set, struct serial_probe *p, uint32_t *position)
{
    for (; set->slots[p->slot] != 0; p->slot = (p->slot + 1) & set->mask) {
        if (set->slots[p->slot] >> 32 != p->fingerprint)
            continue;
        *position = (uint32_t)(set->slots[p->slot] & UINT32_MAX) - 1;
        p->slot = (p->slot + 1) & set->mask;
        return true;
    }
    return false;
}

/* Puts a position at the free slot where serial_set_next, begun with this hash, ended. */
void serial_set_put(struct serial_set *set, struct serial_probe p, uint64_t hash, uint32_t position);

#define SERIAL_SEEN_MOST ((size_t)1 << 17) /* hashes kept: 2 MiB of slots, which a cache holds */

/* Hashes seen so far. Up to SERIAL_SEEN_MOST serials it keeps all; beyond, the keyed share 1/2, 1/4, ... of
 * them whose top bits are 0, so that memory stays bounded and nobody outside knows which. */
struct serial_seen {
    uint64_t *slots; /* 0 is free */
    size_t mask, count;
    uint64_t top; /* the bits of a hash that must be 0 */
};

/* Made for about `count` serials (a guess: more are taken as well), ended by serial_seen_free. */
struct serial_seen serial_seen_make(size_t count);

/* Frees. */
void serial_seen_free(struct serial_seen *seen);

/* Is this hash in the share that is watched? */
static inline bool serial_seen_watches(const struct serial_seen *seen, uint64_t hash)
{
    return (hash & seen->top) == 0;
}

/* Asks memory for the place of a hash. */
static inline void serial_seen_prefetch(const struct serial_seen *seen, uint64_t hash)
{
    __builtin_prefetch(&seen->slots[hash & seen->mask], 1);
}

/* Adds a hash; true when it came before. Two serials with one hash are taken for the same: once in 2^64
 * pairs. */
bool serial_seen_add(struct serial_seen *seen, uint64_t hash);

#endif
