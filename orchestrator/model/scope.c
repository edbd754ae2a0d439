#include "massrevoke/scope.h"

/* Big-endian, the last `bytes` octets: what int4send and int2send give in SQL. */
static void add_number(struct buf *b, uint32_t value, size_t bytes)
{
    uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                         (uint8_t)value};
    buf_add(b, octets + 4 - bytes, bytes);
}

void scope_add_row(struct buf *b, uint32_t number, const struct digest *issuer, const struct serial *serial,
                   int reason)
{
    add_number(b, number, 4);
    buf_add(b, issuer->bytes, DIGEST_SIZE);
    add_number(b, serial->n, 1);
    buf_add(b, serial->bytes, serial->n);
    add_number(b, (uint32_t)reason, 2);
}

struct digest scope_of_page(const struct scoped *rows, size_t n)
{
    AUTO_BUF octets = {0};
    for (size_t i = 0; i < n; i++)
        scope_add_row(&octets, (uint32_t)rows[i].number, &rows[i].issuer_sha256, &rows[i].serial,
                      rows[i].reason);
    return digest_of(octets.p, octets.n);
}

struct digest scope_of_pages(const struct page_scope *pages, size_t n)
{
    AUTO_BUF octets = {0};
    for (size_t i = 0; i < n; i++) {
        add_number(&octets, (uint32_t)pages[i].page, 4);
        buf_add(&octets, pages[i].scope.bytes, DIGEST_SIZE);
    }
    return digest_of(octets.p, octets.n);
}
