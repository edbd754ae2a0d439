/* Are header values of strangers read as the RFCs say, and taken for absent when they are not? */
#include "massrevoke/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ETAG, LAST_MODIFIED, AGE, CACHE_CONTROL, DATE, EXPIRES, RETRY_AFTER };

static void dates(void **unused)
{
    (void)unused;
    assert_int_equal(http_date("Sun, 06 Nov 1994 08:49:37 GMT").s, 784111777);
    assert_int_equal(http_date("Thu, 29 Feb 2096 00:00:00 GMT").s, 3981312000);
    assert_int_equal(http_date("Sat, 31 Dec 2016 23:59:60 GMT").s, 1483228800); /* a leap second */
    static const char *const wrong[] = {"",
                                        "0",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994",
                                        "Sun, 06 Nov 1994 08:49:37 UTC",
                                        "Xxx, 06 Nov 1994 08:49:37 GMT",
                                        "Sun, 31 Feb 1994 08:49:37 GMT",
                                        "Sun, 06 nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 24:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:60:37 GMT",
                                        "Sun, 0x Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:49:37 GMT "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (utc_is_set(http_date(wrong[i])))
            fail_msg("\"%s\" is no date", wrong[i]);
}

static void ages_and_lifetimes(void **unused)
{
    (void)unused;
    static const struct {
        const char *age, *cache_control, *date, *expires;
        int64_t is, fresh_for;
    } cases[] = {
        {"", "", "", "", -1, -1},
        {"18657", "max-age=3600", "", "", 18657, 3600},
        {"0", "public, max-age=3600, s-maxage=\"60\"", "", "", 0, 60},
        {"1.5", "MAX-AGE=5", "", "", -1, 5},
        {"-1", "max-age=-5", "", "", -1, -1},
        {"99999999999999999999999", "max-age=99999999999999999999", "", "", INT64_C(1) << 31,
         INT64_C(1) << 31},
        {" 5", "max-age = 5", "", "", -1, -1},
        {"", "no-store", "", "", -1, 0},
        {"", "private, no-cache, max-age=7", "", "", -1, 7},
        {"", "max-age=1, max-age=2", "", "", -1, 1},
        {"", "xmax-age=1,,", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT", -1, 3600},
        {"", "", "Sun, 06 Nov 1994 08:49:37 GMT", "0", -1, -1},
        {"", "", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:00:00 GMT", -1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_headers h = {0};
        http_header_keep(&h, AGE, cases[i].age);
        http_header_keep(&h, CACHE_CONTROL, cases[i].cache_control);
        http_header_keep(&h, DATE, cases[i].date);
        http_header_keep(&h, EXPIRES, cases[i].expires);
        if (http_age(&h) != cases[i].is || http_fresh_for(&h) != cases[i].fresh_for)
            fail_msg("case %zu: %ld, %ld", i, (long)http_age(&h), (long)http_fresh_for(&h));
    }
}

static void waits(void **unused)
{
    (void)unused;
    struct http_headers h = {0};
    const struct utc now = {784111777};
    assert_int_equal(http_retry_after(&h, now), -1);
    http_header_keep(&h, RETRY_AFTER, "120");
    assert_int_equal(http_retry_after(&h, now), 120);
    http_header_keep(&h, RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT");
    assert_int_equal(http_retry_after(&h, now), 60);
    http_header_keep(&h, RETRY_AFTER, "Sun, 06 Nov 1994 08:00:00 GMT");
    assert_int_equal(http_retry_after(&h, now), 0);
    http_header_keep(&h, RETRY_AFTER, "soon");
    assert_int_equal(http_retry_after(&h, now), -1);
}

static void only_plain_short_values_are_kept(void **unused)
{
    (void)unused;
    struct http_headers h = {0};
    char longest[HTTP_VALUE + 1];
    memset(longest, 'a', sizeof longest);
    longest[HTTP_VALUE - 1] = '\0';
    http_header_keep(&h, ETAG, longest);
    assert_string_equal(h.etag, longest);
    longest[HTTP_VALUE - 1] = 'a';
    longest[HTTP_VALUE] = '\0';
    http_header_keep(&h, ETAG, longest);
    assert_string_equal(h.etag, "");
    http_header_keep(&h, LAST_MODIFIED, "a\tb");
    assert_string_equal(h.last_modified, "");
    http_header_keep(&h, LAST_MODIFIED, "\xc3\xa4");
    assert_string_equal(h.last_modified, "");
    http_header_keep(&h, LAST_MODIFIED, "x");
    http_header_keep(&h, LAST_MODIFIED, "");
    assert_string_equal(http_header_value(&h, LAST_MODIFIED), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(ages_and_lifetimes),
        cmocka_unit_test(waits),
        cmocka_unit_test(only_plain_short_values_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
