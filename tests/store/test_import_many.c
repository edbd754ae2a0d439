/* Several imports at once, and one that dies on the way. */
#include "../lib/check.h"
#include "../lib/cluster.h"
#include "../lib/lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store *another_session(struct small *s)
{
    struct store *store;
    CHECK(store_open(test_conninfo(), s->schema, &store, &f));
    return store;
}

/* In a process of its own: ten lists that overlap with everybody's. Ends 0 when all went well. */
static pid_t importer(struct small *s, int nth)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct small mine = *s;
    mine.store = another_session(s);
    for (int i = 0; i < 10; i++) {
        struct inventory_row row = lists_known(&mine, nth * 10 + i);
        lists_add_range(&mine, (nth * 7 + i * 5) % 40, 20);
        lists_put(&mine, &row, 1);
    }
    store_close(mine.store);
    _exit(0);
}

static void many_import_at_once(void **state)
{
    struct small *s = *state;
    pid_t children[4];
    int status;
    for (int i = 0; i < 4; i++)
        children[i] = importer(s, i);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(small_number(s, "SELECT count(DISTINCT version) FROM population WHERE campaign = 2"),
                     40);
    assert_int_equal(small_number(s,
                                  "SELECT (SELECT sum(added) FROM population WHERE campaign = 2) - (SELECT "
                                  "count(*) FROM certificate WHERE campaign = 2)"),
                     0);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2"), 59);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE campaign = 2"), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE campaign = 2 AND type = 'import'"),
                     40);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM certificate k LEFT JOIN inventory v USING (issuer, serial) "
                        "WHERE campaign = 2 AND known <> (v.serial IS NOT NULL)"),
        0);
}

static void nothing_is_left(struct small *s)
{
    assert_int_equal(
        small_number(s,
                     "SELECT (SELECT count(*) FROM certificate WHERE campaign = 2) + (SELECT count(*) "
                     "FROM population WHERE campaign = 2) + (SELECT count(*) FROM cohort WHERE "
                     "campaign = 2) + (SELECT count(*) FROM event WHERE campaign = 2 AND type = 'import')"),
        0);
}

static void die(void *context, const char *query, bool after)
{
    if (after == *(bool *)context && strcmp(query, "commit") == 0)
        _exit(9);
}

/* A process that imports 1,000 and dies before or after its commit, or, with neither, in the middle.
 */
static pid_t doomed(struct small *s, bool *after)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct small mine = *s;
    mine.store = another_session(s);
    if (after != NULL)
        store_hook(mine.store, die, after);
    lists_add_range(&mine, 0, 1000);
    _exit(0);
}

static void wait_until(struct small *s, const char *sql, int64_t wanted)
{
    for (int i = 0; small_number(s, sql) != wanted; i++) {
        assert_true(i < 300);
        usleep(50000);
        PQclear(PQexec(s->sql, "SELECT pg_stat_clear_snapshot()"));
    }
}

static void a_death_leaves_all_or_nothing(void **state)
{
    struct small *s = *state;
    static const char waiting[] =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
        "'%population_add%' AND query NOT LIKE '%pg_stat%'";
    bool after = false;
    int status;
    waitpid(doomed(s, &after), &status, 0);
    assert_int_equal(WEXITSTATUS(status), 9);
    nothing_is_left(s);
    PQclear(PQexec(s->sql, "BEGIN; UPDATE log SET size = size WHERE campaign = 2"));
    pid_t child = doomed(s, NULL);
    wait_until(s, waiting, 1); /* everything is written but the event */
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    wait_until(s, waiting, 0);
    PQclear(PQexec(s->sql, "COMMIT"));
    nothing_is_left(s);
    after = true;
    waitpid(doomed(s, &after), &status, 0);
    assert_int_equal(WEXITSTATUS(status), 9);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2"), 1000);
    assert_int_equal(small_number(s, "SELECT added FROM population WHERE campaign = 2"), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_import_at_once, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(a_death_leaves_all_or_nothing, lists_start, lists_stop),
    };
    return cmocka_run_group_tests_name("import_many", tests, NULL, NULL);
}
