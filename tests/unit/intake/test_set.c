/* Is the hash SipHash-2-4, and does the set find what was put and nothing else? */
#include "intake/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_papers_vector(void **unused)
{
    (void)unused;
    char bytes[15];
    for (int i = 0; i < 15; i++)
        bytes[i] = (char)i;
    static const uint64_t seed[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    /* Aumasson and Bernstein 2012, appendix A */
    assert_true(intake_hash((struct str){bytes, 15}, seed) == UINT64_C(0xa129ca6149be45e5));
}

static bool same_number(const void *context, uint32_t number, struct str key)
{
    return memcmp((const uint32_t *)context + number, key.p, sizeof number) == 0;
}

static struct str bytes_of(const uint32_t *number)
{
    return (struct str){(const char *)number, sizeof *number};
}

static void puts_and_finds(void **unused)
{
    (void)unused;
    enum { COUNT = 20000 };
    static uint32_t keys[COUNT];
    AUTO_INTAKE_SET set = {.seed = {7, 8}};
    for (uint32_t i = 0; i < COUNT; i++) {
        keys[i] = i * 3;
        assert_true(intake_set_put(&set, bytes_of(&keys[i]), i, same_number, keys) == INTAKE_SET_NEW);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(intake_set_put(&set, bytes_of(&keys[i]), COUNT, same_number, keys) == i);
    }
    assert_int_equal(set.count, COUNT);
    assert_true(set.count * 3 <= set.room * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_vector),
        cmocka_unit_test(puts_and_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
