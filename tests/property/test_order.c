/* The order of the tables' key against its definition: ascending octets, the shorter first, equal ones in
 * their order; serials that share their first octets among them. */
#include "store/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct row {
    int issuer;
    struct serial serial;
};

static struct order_key key_of(const void *rows, size_t i)
{
    const struct row *row = (const struct row *)rows + i;
    return (struct order_key){row->issuer, &row->serial};
}

/* Few issuers and octets, so that long common beginnings and equal serials are frequent. */
static void fill(struct row *rows, size_t n, unsigned *seed)
{
    int octets = 1 + rand_r(seed) % 3;
    for (size_t i = 0; i < n; i++) {
        rows[i] = (struct row){.issuer = 1 + rand_r(seed) % 3 * 300};
        rows[i].serial.n = (uint8_t)(1 + rand_r(seed) % SERIAL_MAX);
        for (int k = 0; k < rows[i].serial.n; k++)
            rows[i].serial.bytes[k] = (uint8_t)(k == 0 ? 1 : rand_r(seed) % octets * 127);
    }
}

static int compare(const struct row *x, const struct row *y)
{
    if (x->issuer != y->issuer)
        return x->issuer - y->issuer;
    size_t common = x->serial.n < y->serial.n ? x->serial.n : y->serial.n;
    int order = memcmp(x->serial.bytes, y->serial.bytes, common);
    return order != 0 ? order : x->serial.n - y->serial.n;
}

static void rows_are_in_order(void **state)
{
    (void)state;
    unsigned seed = 3;
    for (size_t round = 0; round < 2000; round++) {
        AUTO_ARENA a = {0};
        size_t n = round % 200;
        struct row *rows = arena_array(&a, n, sizeof *rows);
        bool *seen = arena_array(&a, n, sizeof *seen);
        memset(seen, 0, n * sizeof *seen);
        fill(rows, n, &seed);
        const uint32_t *order = order_by_key(rows, n, key_of, &a);
        for (size_t i = 0; i < n; i++) {
            assert_true(order[i] < n && !seen[order[i]]);
            seen[order[i]] = true;
            int step = i == 0 ? -1 : compare(&rows[order[i - 1]], &rows[order[i]]);
            assert_true(step < 0 || (step == 0 && order[i - 1] < order[i]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
