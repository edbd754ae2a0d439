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
        if (breaker_hear(b, c, start) == change)
            return n;
    return 0;
}

static void credentials_stop_at_once(void **unused)
{
    (void)unused;
    struct breaker b = {0};
    assert_int_equal(breaker_allow(&b, start), INT64_MAX);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(breaker_hear(&b, BREAKER_GOOD, start), BREAKER_SAME);
    assert_int_equal(breaker_hear(&b, BREAKER_STOP, start), BREAKER_OPENED);
    assert_int_equal(breaker_allow(&b, start), 0);
    assert_int_equal(breaker_allow(&b, at(59)), 0);
    assert_int_equal(breaker_allow(&b, at(60)), 1);
    assert_int_equal(breaker_next(&b).s, at(60).s);
}

static void enough_of_the_last_open_it(void **unused)
{
    (void)unused;
    static const struct {
        enum breaker_class c;
        int wanted;
    } rows[] = {{BREAKER_BUSY, 5}, {BREAKER_SILENT, 16}, {BREAKER_STOP, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int good = 0; good <= 2 * BREAKER_WINDOW; good += BREAKER_WINDOW) {
            struct breaker b = {0};
            for (int n = 0; n < good; n++)
                (void)breaker_hear(&b, BREAKER_GOOD, start);
            assert_int_equal(answers_until(&b, rows[i].c, BREAKER_OPENED, 100), rows[i].wanted);
        }
}

/* One error in three for ever opens nothing. */
static void scattered_errors_open_nothing(void **unused)
{
    (void)unused;
    for (enum breaker_class c = BREAKER_BUSY; c < BREAKER_STOP; c++) {
        struct breaker b = {0};
        for (int n = 0; n < 10000; n++)
            assert_int_equal(breaker_hear(&b, n % 3 == 0 ? c : BREAKER_GOOD, start), BREAKER_SAME);
    }
}

static void a_probe_decides(void **unused)
{
    (void)unused;
    struct breaker b = {0};
    assert_int_equal(answers_until(&b, BREAKER_SILENT, BREAKER_OPENED, 100), 16);
    /* what was under way when it opened decides nothing */
    assert_int_equal(breaker_hear(&b, BREAKER_GOOD, at(4)), BREAKER_SAME);
    assert_int_equal(breaker_hear(&b, BREAKER_SILENT, at(4)), BREAKER_SAME);
    assert_int_equal(breaker_allow(&b, at(4)), 0);
    assert_int_equal(breaker_allow(&b, at(5)), 1);
    assert_int_equal(breaker_hear(&b, BREAKER_SILENT, at(6)), BREAKER_SAME);
    assert_int_equal(breaker_allow(&b, at(6 + 9)), 0);
    assert_int_equal(breaker_allow(&b, at(6 + 10)), 1);
    assert_int_equal(b.since.s, start.s);
    assert_int_equal(breaker_hear(&b, BREAKER_GOOD, at(100)), BREAKER_CLOSED);
    assert_int_equal(breaker_allow(&b, at(100)), INT64_MAX);
    /* it begins to count anew */
    assert_int_equal(answers_until(&b, BREAKER_SILENT, BREAKER_OPENED, 100), 16);
}

static void it_is_never_left_alone_for_long(void **unused)
{
    (void)unused;
    static const int64_t longest[BREAKER_CLASS_COUNT] = {0, 60, 300, 600};
    for (enum breaker_class c = BREAKER_BUSY; c < BREAKER_CLASS_COUNT; c++) {
        struct breaker b = {0};
        assert_true(answers_until(&b, c, BREAKER_OPENED, 100) > 0);
        struct utc now = start;
        for (int n = 0; n < 20; n++) {
            assert_true(breaker_next(&b).s > now.s && breaker_next(&b).s <= now.s + longest[c]);
            now = breaker_next(&b);
            (void)breaker_hear(&b, c, now);
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
    assert_int_equal(breaker_hear(&b, BREAKER_STOP, at(1000)), BREAKER_OPENED);
    assert_int_equal(b.open, BREAKER_STOP);
    assert_int_equal(b.since.s, start.s);
    assert_int_equal(breaker_next(&b).s, at(1060).s);
}

static void names(void **unused)
{
    (void)unused;
    for (enum breaker_class c = BREAKER_GOOD; c < BREAKER_CLASS_COUNT; c++)
        assert_int_equal(breaker_class_from_name(str_of(breaker_class_name(c))), c);
    assert_int_equal(breaker_class_from_name(str_of("tired")), BREAKER_CLASS_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_stop_at_once),
        cmocka_unit_test(enough_of_the_last_open_it),
        cmocka_unit_test(scattered_errors_open_nothing),
        cmocka_unit_test(a_probe_decides),
        cmocka_unit_test(it_is_never_left_alone_for_long),
        cmocka_unit_test(another_class_takes_over),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
