#include "pki/serial_set.h"
#include "massrevoke/arena.h"

#include <stdlib.h>

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
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
static uint64_t hash(const uint64_t key[2], const struct serial *s)
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

struct serial_set serial_set_make(size_t count, const uint64_t key[static 2])
{
    size_t room = 8;
    while (room < 2 * count)
        room *= 2;
    struct serial_set set = {arena_grow(NULL, room * sizeof *set.slots), room - 1, {key[0], key[1]}};
    memset(set.slots, 0, room * sizeof *set.slots);
    return set;
}

void serial_set_free(struct serial_set *set)
{
    free(set->slots);
    set->slots = NULL;
}

struct serial_probe serial_set_probe(const struct serial_set *set, const struct serial *s)
{
    uint64_t h = hash(set->key, s);
    return (struct serial_probe){(size_t)h & set->mask, h >> 32};
}

bool serial_set_next(const struct serial_set *set, struct serial_probe *p, uint32_t *position)
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

void serial_set_put(struct serial_set *set, struct serial_probe p, uint32_t position)
{
    set->slots[p.slot] = p.fingerprint << 32 | ((uint64_t)position + 1);
}
