/* Does the linter's door keep the first line, the time limit and its places? */
#include "massrevoke/lint_door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

static struct lint_answer wait_answer(struct lint_door *d)
{
    struct lint_answer answer;
    bool busy;
    for (int i = 0; i < 2000; i++) {
        if (lint_next(d, &answer, &busy))
            return answer;
        assert_true(busy);
        usleep(5000);
    }
    fail_msg("no answer");
    return answer;
}

static struct lint_answer run(const char *script, const char *file)
{
    const char *const command[] = {"/bin/sh", "-c", script, "lint"};
    struct lint_door *d;
    struct fault f = {0};
    assert_true(lint_open(command, 4, &d, &f));
    assert_true(lint_start(d, 7, file, &f));
    struct lint_answer answer = wait_answer(d);
    assert_int_equal(answer.id, 7);
    assert_int_equal(lint_room(d), LINT_AT_ONCE);
    lint_close(d);
    return answer;
}

static void exit_codes_and_first_lines(void **unused)
{
    (void)unused;
    assert_string_equal(run("echo fine; exit 0", "x").found, "");
    assert_string_equal(run("echo; echo \"bad $1\"; echo more; exit 1", "a b;c").found, "bad a b;c");
    assert_string_equal(run("exit 3", "x").found, "exit code 3");
    assert_string_equal(run("printf 'a\\303\\244\\n' >&2; exit 1", "x").found, "a??");
    assert_string_equal(run("kill -TERM $$", "x").found, "ended by signal 15");
    assert_int_equal(strlen(run("head -c 300000 /dev/zero | tr '\\0' x; exit 1", "x").found), LINT_LINE - 1);
}

static void a_few_at_once_and_none_outlives_the_door(void **unused)
{
    (void)unused;
    const char *const command[] = {"/bin/sleep"};
    struct lint_door *d;
    struct fault f = {0};
    assert_true(lint_open(command, 1, &d, &f));
    for (int i = 0; i < LINT_AT_ONCE; i++)
        assert_true(lint_start(d, i, "1000", &f));
    assert_int_equal(lint_room(d), 0);
    assert_false(lint_start(d, 9, "1000", &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    lint_close(d); /* would wait for ever if it did not end them */
}

static void what_cannot_be_run_is_said(void **unused)
{
    (void)unused;
    const char *const command[] = {"/nonexistent/linter"};
    struct lint_door *d;
    struct fault f = {0};
    assert_true(lint_open(command, 1, &d, &f));
    assert_false(lint_start(d, 1, "x", &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    lint_close(d);
    assert_true(lint_open(command, 0, &d, &f));
    assert_null(d);
    assert_int_equal(lint_room(d), 0);
    lint_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_and_first_lines),
        cmocka_unit_test(a_few_at_once_and_none_outlives_the_door),
        cmocka_unit_test(what_cannot_be_run_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
