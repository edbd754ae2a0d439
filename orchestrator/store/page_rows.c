/* The certificates of pages, as whoever claims them hashes and sends them: read packed, a row per block. */
#include "massrevoke/store_queue.h"
#include "plan_parts.h"

#include <endian.h>
#include <stdlib.h>

/* One certificate of page_rows.sql. */
struct packed {
    int64_t id;
    int reason;
    struct serial serial;
};

#define PACKED_HEAD 8 /* octets before its serial */

static int by_id(const void *a, const void *b)
{
    const struct packed *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* The certificates of a block, by id; returns how many. */
static size_t unpack(struct str bytes, struct packed *out, size_t room)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    size_t n = 0;
    for (; n < room && end - p >= PACKED_HEAD && end - p >= PACKED_HEAD + p[7]; p += PACKED_HEAD + p[7]) {
        uint32_t id, reason;
        memcpy(&id, p, sizeof id);
        memcpy(&reason, p + sizeof id, sizeof reason);
        out[n] = (struct packed){.id = be32toh(id), .reason = (int)(be32toh(reason) >> 8)};
        (void)serial_from_octets(p + PACKED_HEAD, p[7], &out[n++].serial);
    }
    qsort(out, n, sizeof *out, by_id);
    return n;
}

/* The rows of one block in number order; a number whose certificate is gone has none. Returns how many. */
static size_t rows_of_block(const PGresult *r, int row, struct scoped *out)
{
    AUTO_ARENA a = {0};
    size_t count, n = 0;
    const int64_t *ids = get_ints(r, row, 1, &a, &count);
    struct packed *certificates = arena_array(&a, count, sizeof *certificates);
    size_t found = unpack(get_bytes(r, row, 2, &a), certificates, count);
    const struct scoped first = {.number = get_int(r, row, 0) * BLOCK_SIZE,
                                 .issuer = (int)get_int(r, row, 3),
                                 .issuer_sha256 = get_digest(r, row, 4)};
    for (size_t i = 0; i < count && n < BLOCK_SIZE; i++) {
        struct packed key = {.id = ids[i]};
        const struct packed *c = bsearch(&key, certificates, found, sizeof key, by_id);
        if (c == NULL)
            continue;
        out[n] = first;
        out[n].number += (int64_t)i;
        out[n].serial = c->serial;
        out[n++].reason = c->reason;
    }
    return n;
}

bool store_page_rows_send(struct store *s, int campaign, const int *pages, size_t page_count, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct array list = {{0}};
    for (size_t i = 0; i < page_count; i++)
        array_int(&list, pages[i]);
    put_int(&p, campaign);
    put_array(&p, &list);
    return store_send(s, "page_rows", &p, f);
}

bool store_page_rows_receive(struct store *s, bool wait, struct arena *a, struct scoped **out, size_t *n,
                             bool *done, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_receive(s, wait, &r, f))
        return false;
    *done = r != NULL;
    *n = 0;
    size_t blocks = *done ? (size_t)PQntuples(r) : 0;
    *out = arena_array(a, blocks * BLOCK_SIZE, sizeof **out);
    for (size_t i = 0; i < blocks; i++)
        *n += rows_of_block(r, (int)i, *out + *n);
    return true;
}

bool store_page_rows(struct store *s, int campaign, const int *pages, size_t page_count, struct arena *a,
                     struct scoped **out, size_t *n, struct fault *f)
{
    bool done;
    return store_page_rows_send(s, campaign, pages, page_count, f) &&
           store_page_rows_receive(s, true, a, out, n, &done, f);
}
