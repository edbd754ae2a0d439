/* serial_set.h - a keyed hash of serials that holds only fingerprints and positions, 8 bytes a slot.
 *
 * SipHash-1-3, because serials may be chosen by whoever wants the lookup slow. The set does not hold the
 * serials: the caller compares at the position. Load at most one half. Does not: delete, grow, or be shared.
 * Pure. Called by: crl_read. */
#ifndef MASSREVOKE_PKI_SERIAL_SET_H
#define MASSREVOKE_PKI_SERIAL_SET_H

#include "massrevoke/serial.h"

/* Made by serial_set_make, ended by serial_set_free. */
struct serial_set {
    uint64_t *slots; /* fingerprint << 32 | position + 1; 0 is free */
    size_t mask;
    uint64_t key[2];
};

/* A probe: the slot and the fingerprint looked for. */
struct serial_probe {
    size_t slot;
    uint64_t fingerprint;
};

/* Room for `count` serials (fewer than 2^31). */
struct serial_set serial_set_make(size_t count, const uint64_t key[static 2]);

/* Frees. */
void serial_set_free(struct serial_set *set);

/* Begins a search. */
struct serial_probe serial_set_probe(const struct serial_set *set, const struct serial *s);

/* The next position with this fingerprint; false at a free slot, which *p then names. */
bool serial_set_next(const struct serial_set *set, struct serial_probe *p, uint32_t *position);

/* Puts a position at the free slot where serial_set_next ended. */
void serial_set_put(struct serial_set *set, struct serial_probe p, uint32_t position);

#endif
