/* An index.txt from anywhere: any bytes, no crash; what is read can be revoked and read again. */
#include "door/ca_index.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_revoked(const struct ca_index_row *row)
{
    AUTO_BUF out = {0};
    ca_index_revoke(row, (struct utc){1795357316}, REASON_SUPERSEDED, &out);
    struct ca_index_walk walk = {.path = "again", .rest = buf_str(&out)};
    struct ca_index_row again;
    struct fault f;
    bool end = false;
    if (!ca_index_next(&walk, &again, &end, &f) || end || walk.rest.n != 0)
        abort();
    if (again.type != 'R' || again.at.s != 1795357316 || again.reason != REASON_SUPERSEDED ||
        !serial_equal(&again.serial, &row->serial) || !str_equal(again.tail, row->tail))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct ca_index_walk walk = {.path = "index.txt", .rest = {(const char *)bytes, n}};
    struct ca_index_row row;
    struct fault f;
    bool end = false;
    while (ca_index_next(&walk, &row, &end, &f) && !end)
        check_revoked(&row);
    return 0;
}
