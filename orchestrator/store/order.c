/* A radix sort over issuer and the first eight octets, least significant first; what ties there, by
 * comparison. */
#include "order.h"

#include <endian.h>
#include <stdlib.h>

#define OCTETS 12 /* eight of the serial, four of the issuer */

struct item {
    uint64_t serial; /* its first octets */
    uint32_t issuer, row;
};

static size_t octet(const struct item *item, int nth)
{
    return nth < 8 ? item->serial >> 8 * nth & 255 : item->issuer >> 8 * (nth - 8) & 255;
}

/* One stable pass; false, and nothing done, when all have the same octet there. */
static bool pass(const struct item *from, struct item *to, size_t n, int nth)
{
    size_t ends[256] = {0}, at = 0;
    for (size_t i = 0; i < n; i++)
        ends[octet(&from[i], nth)]++;
    if (ends[octet(&from[0], nth)] == n)
        return false;
    for (size_t i = 0; i < 256; i++) {
        size_t count = ends[i];
        ends[i] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[ends[octet(&from[i], nth)]++] = from[i];
    return true;
}

/* What qsort_r compares with. */
struct tied {
    const void *rows;
    order_key_fn *key_of;
};

static int by_serial_and_row(const void *a, const void *b, void *context)
{
    const struct item *x = a, *y = b;
    const struct tied *t = context;
    const struct serial *p = t->key_of(t->rows, x->row).serial, *q = t->key_of(t->rows, y->row).serial;
    int order = memcmp(p->bytes, q->bytes, SERIAL_MAX);
    if (order == 0)
        order = p->n - q->n;
    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static void settle_ties(struct item *items, size_t n, struct tied *t)
{
    for (size_t from = 0, to; from < n; from = to) {
        to = from + 1;
        while (to < n && items[to].serial == items[from].serial && items[to].issuer == items[from].issuer)
            to++;
        if (to - from > 1)
            qsort_r(&items[from], to - from, sizeof *items, by_serial_and_row, t);
    }
}

const uint32_t *order_by_key(const void *rows, size_t n, order_key_fn *key_of, struct arena *a)
{
    AUTO_ARENA scratch = {0};
    struct item *items = arena_array(&scratch, n, sizeof *items);
    struct item *other = arena_array(&scratch, n, sizeof *other);
    uint32_t *order = arena_array(a, n, sizeof *order);
    for (size_t i = 0; i < n; i++) {
        struct order_key key = key_of(rows, i);
        memcpy(&items[i].serial, key.serial->bytes, sizeof items[i].serial);
        items[i].serial = be64toh(items[i].serial);
        items[i].issuer = (uint32_t)key.issuer;
        items[i].row = (uint32_t)i;
    }
    for (int nth = 0; n > 0 && nth < OCTETS; nth++)
        if (pass(items, other, n, nth)) {
            struct item *swapped = items;
            items = other;
            other = swapped;
        }
    settle_ties(items, n, &(struct tied){rows, key_of});
    for (size_t i = 0; i < n; i++)
        order[i] = items[i].row;
    return order;
}
