#include "massrevoke/scope.h"

/* Big-endian, the last `bytes` octets: what int4send and int2send give in SQL. */
static void add_number(struct digest_state *d, uint32_t value, int bytes)
{
    uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                         (uint8_t)value};
    digest_add(d, octets + 4 - bytes, (size_t)bytes);
}

struct digest scope_of_page(const struct scoped *rows, size_t n)
{
    struct digest_state d = digest_begin();
    for (size_t i = 0; i < n; i++) {
        add_number(&d, (uint32_t)rows[i].number, 4);
        digest_add(&d, rows[i].issuer_sha256.bytes, DIGEST_SIZE);
        add_number(&d, rows[i].serial.n, 1);
        digest_add(&d, rows[i].serial.bytes, rows[i].serial.n);
        add_number(&d, (uint32_t)rows[i].reason, 2);
    }
    return digest_end(&d);
}

struct digest scope_of_pages(const struct page_scope *pages, size_t n)
{
    struct digest_state d = digest_begin();
    for (size_t i = 0; i < n; i++) {
        add_number(&d, (uint32_t)pages[i].page, 4);
        digest_add(&d, pages[i].scope.bytes, DIGEST_SIZE);
    }
    return digest_end(&d);
}
