/* When is a CA left alone, for how long, and what lets it in again? */
#include "massrevoke/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct utc start = {1795000000};

static struct utc at(int64_t seconds)
{
    return utc_add(start, (struct span){seconds});
}

/* Answers of one class until something changes; how many it took. */
static int answers_until(struct breaker *b, enum breaker_class c, enum breaker_change change, int most)
{
    for (int n = 1; n <= most; n++)
        if (breaker_take(b, c, start) == change)
            return n;
    return 0;
}

static void credentials_stop_at_once(void **unused)
{
    (void)unused;
    struct breaker b = {0};
    assert_int_equal(breaker_allow(&b, start), INT64_MAX);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(breaker_take(&b, BREAKER_GOOD, start), BREAKER_SAME);
    assert_int_equal(breaker_take(&b, BREAKER_STOP, start), BREAKER_OPENED);
    assert_int_equal(breaker_allow(&b, start), 0);
    assert_int_equal(breaker_allow(&b, at(59)), 0);
    assert_int_equal(breaker_allow(&b, at(60)), 1);
    assert_int_equal(breaker_next(&b).s, at(60).s);
}

static void a_rate_of_errors_opens_and_a_single_one_does_not(void **unused)
{
    (void)unused;
    static const struct {
        enum breaker_class c;
        int alone, half; /* how many open it: nothing else seen; after a full window of good ones */
    } rows[] = {{BREAKER_BUSY, 48, 61},
                {BREAKER_SILENT, 16, 32},
                {BREAKER_UNKNOWN, 32, 32},
                {BREAKER_PERSON, 16, 32}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct breaker b = {0};
        assert_int_equal(answers_until(&b, rows[i].c, BREAKER_OPENED, 100), rows[i].alone);
        b = (struct breaker){0};
        for (int n = 0; n < 2 * BREAKER_WINDOW; n++)
            (void)breaker_take(&b, BREAKER_GOOD, start);
        assert_int_equal(answers_until(&b, rows[i].c, BREAKER_OPENED, 100), rows[i].half);
    }
}

/* One error in ten for ever opens nothing. */
static void scattered_errors_open_nothing(void **unused)
{
    (void)unused;
    for (enum breaker_class c = BREAKER_BUSY; c < BREAKER_STOP; c++) {
        struct breaker b = {0};
        for (int n = 0; n < 10000; n++)
            assert_int_equal(breaker_take(&b, n % 10 == 0 ? c : BREAKER_GOOD, start), BREAKER_SAME);
    }
}

static void a_probe_decides(void **unused)
{
    (void)unused;
    struct breaker b = {0};
    assert_int_equal(answers_until(&b, BREAKER_SILENT, BREAKER_OPENED, 100), 16);
    /* what was under way when it opened decides nothing */
    assert_int_equal(breaker_take(&b, BREAKER_GOOD, at(5)), BREAKER_SAME);
    assert_int_equal(breaker_allow(&b, at(29)), 0);
    assert_int_equal(breaker_allow(&b, at(30)), 1);
    assert_int_equal(breaker_take(&b, BREAKER_SILENT, at(31)), BREAKER_SAME);
    assert_int_equal(breaker_allow(&b, at(31 + 59)), 0);
    assert_int_equal(breaker_allow(&b, at(31 + 60)), 1);
    assert_int_equal(b.since.s, start.s);
    assert_int_equal(breaker_take(&b, BREAKER_GOOD, at(100)), BREAKER_CLOSED);
    assert_int_equal(breaker_allow(&b, at(100)), INT64_MAX);
    /* it begins to count anew */
    assert_int_equal(answers_until(&b, BREAKER_SILENT, BREAKER_OPENED, 100), 16);
}

static void it_is_never_left_alone_for_long(void **unused)
{
    (void)unused;
    static const int64_t longest[BREAKER_CLASS_COUNT] = {0, 300, 600, 3600, 3600, 600};
    for (enum breaker_class c = BREAKER_BUSY; c < BREAKER_CLASS_COUNT; c++) {
        struct breaker b = {0};
        assert_true(answers_until(&b, c, BREAKER_OPENED, 100) > 0);
        struct utc now = start;
        for (int n = 0; n < 20; n++) {
            assert_true(breaker_next(&b).s > now.s && breaker_next(&b).s <= now.s + longest[c]);
            now = breaker_next(&b);
            (void)breaker_take(&b, c, now);
        }
        assert_int_equal(breaker_next(&b).s, now.s + longest[c]);
    }
}

/* Another kind of trouble at the probe is told, and begins with its own first rest. */
static void another_class_takes_over(void **unused)
{
    (void)unused;
    struct breaker b = breaker_left_open(BREAKER_SILENT, start, at(1000));
    assert_int_equal(breaker_allow(&b, at(1000)), 1);
    assert_int_equal(breaker_take(&b, BREAKER_STOP, at(1000)), BREAKER_OPENED);
    assert_int_equal(b.open, BREAKER_STOP);
    assert_int_equal(b.since.s, start.s);
    assert_int_equal(breaker_next(&b).s, at(1060).s);
}

static void outcomes_have_classes(void **unused)
{
    (void)unused;
    static const enum breaker_class wanted[CA_OUTCOME_COUNT] = {BREAKER_GOOD,    BREAKER_GOOD, BREAKER_GOOD,
                                                                BREAKER_UNKNOWN, BREAKER_BUSY, BREAKER_SILENT,
                                                                BREAKER_PERSON};
    for (int o = 0; o < CA_OUTCOME_COUNT; o++)
        assert_int_equal(breaker_class((enum ca_outcome)o), wanted[o]);
    assert_string_equal(breaker_class_name(BREAKER_STOP), "stop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_stop_at_once),
        cmocka_unit_test(a_rate_of_errors_opens_and_a_single_one_does_not),
        cmocka_unit_test(scattered_errors_open_nothing),
        cmocka_unit_test(a_probe_decides),
        cmocka_unit_test(it_is_never_left_alone_for_long),
        cmocka_unit_test(another_class_takes_over),
        cmocka_unit_test(outcomes_have_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
