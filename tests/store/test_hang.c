/* A database server that hangs: does a caller get its word back, and the store its work, once it goes on? A
 * server of this program's own is stopped, for others work with the suite's. */
#include "../lib/cluster.h"
#include "../lib/small.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_int_equal(sscanf(strrchr(text, ')'), ") %*c %d", &parent), 1);
    return parent;
}

static pid_t backend_of(PGconn *c)
{
    return PQbackendPID(c);
}

static bool look(struct small *s, struct fault *f)
{
    struct snapshot out;
    return small_look(s, &out, f);
}

/* The server and the backend of the store's session. */
struct server {
    pid_t all, own;
};

static struct server server_of(struct small *s)
{
    return (struct server){parent_of(backend_of(s->sql)),
                           (pid_t)small_number(s, "SELECT pid FROM pg_stat_activity WHERE application_name = "
                                                  "'massrevoke'")};
}

static void stop(struct server server)
{
    kill(server.all, SIGSTOP);
    kill(server.own, SIGSTOP);
}

/* A look failed because the server stands still: does it say so in time, and is all well when that goes on?
 */
static void comes_back(struct small *s, struct server server, bool answered, double took,
                       const struct fault *f)
{
    struct fault again = {0};
    bool connected = store_reconnect(s->store, &again);
    kill(server.own, SIGCONT);
    kill(server.all, SIGCONT);
    assert_false(answered);
    assert_int_equal(f->kind, FAULT_UNAVAILABLE);
    assert_non_null(strstr(f->text, "no answer"));
    assert_true(took < 25);
    assert_true(store_is_lost(s->store));
    assert_false(connected);
    assert_int_equal(again.kind, FAULT_UNAVAILABLE);
    assert_true(store_reconnect(s->store, &again));
    assert_true(look(s, &again));
}

static void a_server_that_hangs_is_given_up(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    struct server server = server_of(s);
    assert_true(look(s, &f));
    stop(server);
    double begun = seconds();
    bool answered = look(s, &f);
    comes_back(s, server, answered, seconds() - begun, &f);
}

static void stop_behind_campaign(void *context, const char *query, bool after)
{
    if (after && strcmp(query, "campaign_find") == 0)
        stop(*(struct server *)context);
}

/* What a look asks ahead is prepared when it is asked for the third time, by a wait of its own. */
static void a_server_that_hangs_while_a_look_is_prepared_is_given_up(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    struct server server = server_of(s);
    assert_true(look(s, &f) && look(s, &f));
    store_hook(s->store, stop_behind_campaign, &server);
    double begun = seconds();
    bool answered = look(s, &f);
    store_hook(s->store, NULL, NULL);
    comes_back(s, server, answered, seconds() - begun, &f);
}

/* A statement that takes long is none: the server lives. */
static void a_long_statement_is_waited_for(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    PQclear(PQexec(s->sql, "BEGIN; LOCK TABLE campaign"));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* ends the wait through the connection that both hold */
        sleep(7);
        PQclear(PQexec(s->sql, "COMMIT"));
        _exit(0);
    }
    double begun = seconds();
    assert_true(look(s, &f));
    assert_true(seconds() - begun > 6);
    kill(child, SIGKILL);
}

int main(void)
{
    unsetenv("MASSREVOKE_TEST_STATE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_server_that_hangs_is_given_up, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_hangs_while_a_look_is_prepared_is_given_up,
                                        small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_long_statement_is_waited_for, small_set_up, small_tear_down),
    };
    return cmocka_run_group_tests_name("store hang", tests, NULL, NULL);
}
