/* Does the door of alerts run its command as it promises (input, environment, no shell, an end), and beat? */
#include "../lib/fake_http.h"
#include "../lib/shell.h"
#include "massrevoke/alert_door.h"
#include "massrevoke/file.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena memory;
static const char *folder;

static int make(void **unused)
{
    (void)unused;
    folder = shell_folder(&memory);
    return 0;
}

static int unmake(void **unused)
{
    (void)unused;
    shell_remove(folder);
    arena_free(&memory);
    return 0;
}

/* Waits on the door's descriptor alone, which says so when there is something to do, and not all the time. */
static struct alert_answer wait_answer(struct alert_door *d)
{
    struct alert_answer answer = {0};
    bool busy = true;
    for (int i = 0; i < 40 && busy; i++) {
        if (alert_next(d, &answer, &busy))
            return answer;
        struct pollfd p = {.fd = alert_fd(d), .events = POLLIN};
        assert_true(poll(&p, 1, 5000) >= 0);
    }
    fail_msg("no answer");
    return answer;
}

static struct alert_answer run(const char *script, struct str json, const char *const *environment)
{
    const char *const command[] = {"/bin/sh", "-c", script};
    const struct settings_alert s = {.command = command, .command_count = 3};
    struct alert_door *d;
    struct fault f = {0};
    assert_true(alert_open(&s, &d, &f));
    assert_int_equal(alert_room(d), ALERT_AT_ONCE);
    assert_true(alert_start(d, 5, json, environment, &f));
    struct alert_answer answer = wait_answer(d);
    assert_int_equal(answer.id, 5);
    alert_close(d);
    return answer;
}

static void input_environment_and_first_line(void **unused)
{
    (void)unused;
    const char *const environment[] = {"MASSREVOKE_ALERT=3", "MASSREVOKE_ALERT_TO=Ada; rm -rf /", NULL};
    struct alert_answer a = run("cat; echo; echo \"$MASSREVOKE_ALERT $MASSREVOKE_ALERT_TO\" >&2",
                                str_of("{\"a\":1}"), environment);
    assert_true(a.ok);
    assert_string_equal(a.text, "{\"a\":1}");
    a = run("echo \"$MASSREVOKE_ALERT $MASSREVOKE_ALERT_TO\"", str_of("x"), environment);
    assert_string_equal(a.text, "3 Ada; rm -rf /");
    a = run("exit 0", str_of("x"), NULL);
    assert_true(a.ok);
    assert_string_equal(a.text, "");
}

static void failures_are_told(void **unused)
{
    (void)unused;
    struct alert_answer a = run("echo no carrier; exit 9", str_of("x"), NULL);
    assert_false(a.ok);
    assert_string_equal(a.text, "no carrier");
    assert_string_equal(run("exec >/dev/null 2>&1; sleep 0.3; exit 9", str_of("x"), NULL).text,
                        "exit code 9");
    assert_string_equal(run("kill -9 $$", str_of("x"), NULL).text, "ended by signal 9");
}

/* A megabyte of input to a program that reads nothing neither blocks us nor ends us. */
static void input_that_nobody_reads(void **unused)
{
    (void)unused;
    char *much = arena_alloc(&memory, 1 << 20);
    memset(much, 'x', 1 << 20);
    assert_true(run("exit 0", (struct str){much, 1 << 20}, NULL).ok);
}

static void a_few_at_once_and_none_outlives_the_door(void **unused)
{
    (void)unused;
    const char *const command[] = {"/bin/sh", "-c", "sleep 1000 & echo $! > child; wait"};
    const struct settings_alert s = {.command = command, .command_count = 3};
    struct alert_door *d;
    struct fault f = {0};
    assert_int_equal(chdir(folder), 0);
    assert_true(alert_open(&s, &d, &f));
    for (int i = 0; i < ALERT_AT_ONCE; i++)
        assert_true(alert_start(d, i, str_of("x"), NULL, &f));
    assert_int_equal(alert_room(d), 0);
    assert_false(alert_start(d, 9, str_of("x"), NULL, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    struct str pid = {0};
    for (int i = 0; i < 500 && pid.n < 2; i++) {
        poll(NULL, 0, 10);
        if (!file_read("child", 20, &memory, &pid, &f))
            pid.n = 0;
    }
    alert_close(d);
    pid_t child = (pid_t)strtol(arena_copy(&memory, pid.p, pid.n), NULL, 10);
    assert_true(child > 1);
    for (int i = 0; i < 500 && kill(child, 0) == 0; i++) /* its parent is gone: somebody else reaps it */
        poll(NULL, 0, 10);
    assert_int_not_equal(kill(child, 0), 0);
}

static void what_cannot_be_run_is_said(void **unused)
{
    (void)unused;
    const char *const command[] = {"/nonexistent/pager"};
    const struct settings_alert s = {.command = command, .command_count = 1}, none = {0};
    struct alert_door *d;
    struct fault f = {0};
    assert_true(alert_open(&s, &d, &f));
    assert_false(alert_start(d, 1, str_of("x"), NULL, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    alert_close(d);
    assert_true(alert_open(&none, &d, &f));
    assert_int_equal(alert_room(d), 0);
    bool open;
    assert_true(alert_beat(d, "x", &open, &f));
    assert_false(open);
    alert_close(d);
    alert_close(NULL);
}

static void say_ok(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    (void)context;
    assert_string_equal(request->line, "GET /beat HTTP/1.1");
    fake_answer(reply, 200, "", "ok");
}

static void the_heartbeat(void **unused)
{
    (void)unused;
    struct fault f = {0};
    struct alert_door *d;
    struct str bytes;
    bool open;
    const char *file = file_join(&memory, folder, "beat"), *secret = file_join(&memory, folder, "url");
    struct fake_http web;
    fake_http_start(&web, 0, say_ok, NULL);
    const char *url = arena_format(&memory, "%s/beat\n", web.url);
    assert_true(file_write(secret, str_of(url), 0644, &f));
    const struct settings_alert s = {.beat_file = file, .beat_url_file = secret};
    assert_false(alert_open(&s, &d, &f)); /* others could beat for us */
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_int_equal(chmod(secret, 0600), 0);
    assert_true(alert_open(&s, &d, &f));
    assert_true(alert_beat(d, "2026-11-22T06:23:00Z live host\n", &open, &f));
    assert_true(open);
    struct alert_answer a = wait_answer(d);
    assert_int_equal(a.id, ALERT_BEAT);
    if (!a.ok)
        fail_msg("%s", a.text);
    assert_true(file_read(file, 100, &memory, &bytes, &f));
    assert_true(str_is(bytes, "2026-11-22T06:23:00Z live host\n"));
    assert_int_equal(atomic_load(&web.requests), 1);
    fake_http_stop(&web);
    assert_true(alert_beat(d, "again\n", &open, &f));
    a = wait_answer(d);
    assert_false(a.ok);
    assert_true(a.text[0] != '\0');
    assert_true(file_read(file, 100, &memory, &bytes, &f)); /* the file beats all the same */
    assert_true(str_is(bytes, "again\n"));
    alert_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_environment_and_first_line),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(input_that_nobody_reads),
        cmocka_unit_test(a_few_at_once_and_none_outlives_the_door),
        cmocka_unit_test(what_cannot_be_run_is_said),
        cmocka_unit_test(the_heartbeat),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
