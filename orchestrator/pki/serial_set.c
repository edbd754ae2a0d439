#include "pki/serial_set.h"
#include "massrevoke/arena.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

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
    if (seen->count >= SERIAL_SEEN_MOST)
        seen->top = seen->top >> 1 | (uint64_t)1 << 63;
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
