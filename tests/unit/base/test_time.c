/* Do times, spans and rates mean what they say, and are unclear ones refused? */
#include "massrevoke/time.h"

#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void times_in(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t s;
    } cases[] = {
        {"1970-01-01T00:00Z", 0},
        {"2026-11-22T14:41Z", 1795358460},
        {"2026-11-22T14:41:56Z", 1795358516},
        {"2026-11-22T15:41:56+01:00", 1795358516},
        {"2026-11-22t09:11:56-05:30", 1795358516},
        {"2024-02-29T00:00:00z", 1709164800},
        {"1950-01-01 00:00:00Z", -631152000},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct utc t;
        struct fault f;
        assert_true(utc_parse(cases[i].text, &t, &f));
        assert_int_equal(t.s, cases[i].s);
    }
}

static void times_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T14:41",
        "2026-11-22T14:41:56",
        "2026-13-01T00:00Z",
        "2026-00-01T00:00Z",
        "2026-11-31T00:00Z",
        "2025-02-29T00:00Z",
        "2026-11-22T24:00Z",
        "2026-11-22T14:60Z",
        "2026-11-22T14:41:60Z",
        "2026-11-22T14:41:56Zx",
        "2026-11-22T14:41:56+24:00",
        "2026-11-22T14:41:56+0100",
        "1949-12-31T23:59Z",
        " 2026-11-22T14:41Z",
        "2026-11-22T14:41:5Z",
        "26-11-22T14:41Z",
        "2026-11-22T14:41:56.5Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct utc t;
        struct fault f;
        if (utc_parse(bad[i], &t, &f))
            fail_msg("taken for a time: %s", bad[i]);
        assert_int_equal(f.kind, FAULT_USAGE);
        assert_true(f.hint[0] != '\0');
    }
    struct utc t;
    struct fault f;
    assert_false(utc_parse("2026-11-22T14:41", &t, &f));
    assert_non_null(strstr(f.text, "no zone"));
}

/* Against the C library's calendar, through four centuries and before 1970. */
static void the_calendar(void **unused)
{
    (void)unused;
    for (int64_t s = -631152000; s < INT64_C(13000000000); s += 86400 * 11 + 12345) {
        char ours[UTC_TEXT], theirs[32];
        struct tm tm;
        time_t t = (time_t)s;
        struct utc back;
        struct fault f;
        gmtime_r(&t, &tm);
        strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm);
        assert_string_equal(utc_format((struct utc){s}, ours), theirs);
        assert_true(utc_parse(ours, &back, &f));
        assert_int_equal(back.s, s);
        struct civil c = utc_to_civil((struct utc){s});
        assert_int_equal(utc_from_civil(c.year, c.month, c.day, c.hour, c.minute, c.second).s, s);
    }
    char text[UTC_TEXT];
    assert_string_equal(utc_format(UTC_NONE, text), "-");
}

static void spans(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t s;
        const char *back;
    } cases[] = {
        {"0s", 0, "0 s"},
        {"45s", 45, "45 s"},
        {"30m", 1800, "30 min"},
        {"3h27m", 12420, "3 h 27 min"},
        {"36h", 129600, "1 d 12 h 00 min"},
        {"5d", 432000, "5 d 00 h 00 min"},
    };
    char text[SPAN_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span d;
        struct fault f;
        assert_true(span_parse(cases[i].text, &d, &f));
        assert_int_equal(d.s, cases[i].s);
        assert_string_equal(span_format(d, text), cases[i].back);
    }
    assert_string_equal(span_format((struct span){-90000}, text), "-1 d 01 h 00 min");
    assert_true(strlen(span_format((struct span){INT64_MIN}, text)) < SPAN_TEXT);
    static const char *const bad[] = {"",   "5", "-5s", "s", "5x", "5 d", "5d ", "1.5h", "99999999999999s",
                                      "5s6"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct span d;
        struct fault f;
        assert_false(span_parse(bad[i], &d, &f));
        assert_int_equal(f.kind, FAULT_USAGE);
    }
}

static void rates(void **unused)
{
    (void)unused;
    struct rate r;
    struct fault f;
    assert_true(rate_parse("2000/s", &r, &f));
    assert_int_equal(rate_per_hour(r), 7200000);
    assert_int_equal(rate_seconds(r, 2001), 2);
    assert_true(rate_parse("320/h", &r, &f));
    assert_int_equal(rate_per_hour(r), 320);
    assert_int_equal(rate_seconds(r, 320), 3600);
    assert_int_equal(rate_seconds(r, 1), 12); /* 11.25 */
    assert_true(rate_parse("100/5s", &r, &f));
    assert_int_equal(rate_per_hour(r), 72000);
    assert_int_equal(rate_seconds(r, 0), 0);
    assert_int_equal(rate_seconds((struct rate){0}, 5), 0);
    assert_int_equal(rate_per_hour((struct rate){0}), 0);
    assert_int_equal(rate_seconds((struct rate){1, 86400}, INT64_MAX), INT64_MAX);
    assert_int_equal(rate_seconds((struct rate){INT64_C(999999999999), INT64_C(86400000000)}, 999999999998),
                     INT64_C(86400000000));
    static const char *const bad[] = {"",     "5",    "/s",   "0/s",  "5/",        "5/x",
                                      "5/0s", "-5/s", "5/s ", "5/s5", "5/1000000s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rate_parse(bad[i], &r, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_in), cmocka_unit_test(times_refused), cmocka_unit_test(the_calendar),
        cmocka_unit_test(spans),    cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
