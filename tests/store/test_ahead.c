/* A look asks many queries at once: is each asked once, and what happens when one of them fails or the server
 * goes away in between? */
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "store/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* How often two queries were sent, and how many were under way at a time. */
struct asked {
    int cohorts, alerts, under_way, most;
    struct small *s;
    const char *kill_at; /* the server ends the session when this one has been sent */
};

static void count(void *context, const char *name, bool after)
{
    struct asked *a = context;
    a->under_way += after ? -1 : 1;
    a->most = a->under_way > a->most ? a->under_way : a->most;
    a->cohorts += !after && strcmp(name, "cohort_list") == 0;
    a->alerts += !after && strcmp(name, "alert_count") == 0;
    if (!after && a->kill_at != NULL && strcmp(name, a->kill_at) == 0)
        (void)small_number(a->s, arena_format(&a->s->arena, "SELECT pg_terminate_backend(%d)::int",
                                              PQbackendPID(a->s->store->connection)));
}

/* From the first look, when nothing is prepared yet, to those where all is. */
static void each_is_asked_once(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    struct snapshot first, out;
    for (int round = 1; round < 6; round++) {
        struct asked a = {0};
        store_hook(s->store, count, &a);
        assert_true(small_look(s, round == 1 ? &first : &out, &f));
        assert_int_equal(a.cohorts, 1);
        assert_int_equal(a.alerts, 1);
        assert_true(a.most >= 10);
        assert_int_equal(a.under_way, 0);
    }
    assert_int_equal(first.cohort_count, out.cohort_count);
    assert_int_equal(first.totals.affected, out.totals.affected);
    store_hook(s->store, NULL, NULL);
}

/* What was asked ahead ends with its read: the next one sees what has changed since. */
static void no_answer_outlives_its_read(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    struct snapshot before, after;
    assert_true(small_look(s, &before, &f));
    small_sabotage(s, "INSERT INTO alert (campaign, alert, kind, subject, text, cost, command, raised_at) "
                      "VALUES (1, 1, 'slack', '', 'less than a reserve', '', '', 1790000000)");
    assert_true(small_look(s, &after, &f));
    assert_int_equal(after.alerts_open, before.alerts_open + 1);
}

static void a_failure_is_named_and_passes(void **state)
{
    struct small *s = *state;
    struct snapshot out;
    struct fault f = {0}, none = {0};
    for (int round = 0; round < 5; round++) { /* sent as text, then prepared */
        small_sabotage(s, "ALTER TABLE task RENAME TO task_gone");
        assert_false(small_look(s, &out, &f));
        assert_int_equal(f.kind, FAULT_FAILED);
        if (strstr(f.text, "task_said") == NULL)
            fail_msg("%s", f.text);
        small_sabotage(s, "ALTER TABLE task_gone RENAME TO task");
        assert_true(small_look(s, &out, &none));
    }
}

static void a_server_that_goes_is_told(void **state)
{
    static const char *const moments[] = {"engine_list", "task_facts", "report_edges"};
    struct small *s = *state;
    struct snapshot out;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        struct fault f = {0};
        struct asked a = {.s = s, .kill_at = moments[i]};
        store_hook(s->store, count, &a);
        assert_false(small_look(s, &out, &f));
        assert_int_equal(f.kind, FAULT_UNAVAILABLE);
        store_hook(s->store, NULL, NULL);
        assert_true(store_reconnect(s->store, &f));
        assert_true(small_look(s, &out, &f));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_asked_once, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(no_answer_outlives_its_read, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_named_and_passes, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_goes_is_told, small_set_up, small_tear_down),
    };
    return cmocka_run_group_tests_name("store ahead", tests, NULL, NULL);
}
