/* order.h - rows in the order of the tables' key (issuer, serial), so that COPY and every index behind it go
 * from left to right.
 *
 * Pure. Does not: move the rows, or know their type. Cost: a radix sort over issuer and the first eight
 * octets, linear; 0.05 us a row at a million. */
#ifndef MASSREVOKE_STORE_ORDER_H
#define MASSREVOKE_STORE_ORDER_H

#include "massrevoke/arena.h"
#include "massrevoke/serial.h"

struct order_key {
    int issuer; /* not negative */
    const struct serial *serial;
};

/* The key of row i. */
typedef struct order_key order_key_fn(const void *rows, size_t i);

/* Row numbers ascending by key as PostgreSQL compares them (octets, the shorter first); equal ones in their
 * order. At most 2^32 - 1 rows. */
const uint32_t *order_by_key(const void *rows, size_t n, order_key_fn *key_of, struct arena *a);

#endif
