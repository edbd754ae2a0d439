/* What is to be fetched for whom: one pointer for all that name it, whatever their order. */
#include "massrevoke/verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 30000

static void one_list_answers_for_all_that_name_it(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct verifier_place *places = arena_array(&a, MANY, sizeof *places);
    struct verifier_pointer *pointers;
    for (size_t i = 0; i < MANY; i++) /* equal text at other addresses; another issuer's list is another */
        places[i] = (struct verifier_place){arena_format(&a, "http://crl.example/%zu", i % 3),
                                            (int)(i % 3 == 0 ? i / 3 % 2 : 7), i};
    size_t n = verifier_pointers(places, MANY, &a, &pointers), total = 0;
    assert_int_equal(n, 4);
    static const struct {
        const char *urls;
        int issuer;
        size_t count;
    } expected[] = {{"http://crl.example/0", 0, MANY / 6},
                    {"http://crl.example/0", 1, MANY / 6},
                    {"http://crl.example/1", 7, MANY / 3},
                    {"http://crl.example/2", 7, MANY / 3}};
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(pointers[i].urls, expected[i].urls);
        assert_int_equal(pointers[i].issuer, expected[i].issuer);
        assert_int_equal(pointers[i].count, expected[i].count);
        for (size_t k = 1; k < pointers[i].count; k++) /* each once, in the caller's order */
            assert_true(pointers[i].places[k - 1].item < pointers[i].places[k].item);
        total += pointers[i].count;
    }
    assert_int_equal(total, MANY);
    assert_int_equal(verifier_pointers(places, 0, &a, &pointers), 0);
}

static void urls_stand_apart_by_blanks(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    const char **urls;
    assert_int_equal(verifier_urls("", &a, &urls), 0);
    assert_int_equal(verifier_urls(" http://a/1  ldap://b/2 ", &a, &urls), 2);
    assert_string_equal(urls[0], "http://a/1");
    assert_string_equal(urls[1], "ldap://b/2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_list_answers_for_all_that_name_it),
        cmocka_unit_test(urls_stand_apart_by_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
