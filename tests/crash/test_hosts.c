/* A backend that can overwrite a date: does an engine that is stopped keep what it claimed although its
 * session was ended, is one that is killed relieved at once, and is an engine of another host turned away? */
#include "../lib/campaign.h"
#include "../lib/careless.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROFILE "immediate"
#define CERTIFICATES 20

static struct world world;
static struct careless_record *record;
static const char *locks;
static bool stops; /* this process stops itself before it sends */
static bool (*inner_revoke)(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f);

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){1, 1});
    locks = file_join(&world.arena, world.folder, "engines");
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return record == MAP_FAILED;
}

static int tear_down(void **state)
{
    (void)state;
    munmap(record, sizeof *record);
    world_free(&world);
    return 0;
}

static bool stop_first(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    if (stops) {
        stops = false;
        (void)raise(SIGSTOP);
    }
    return inner_revoke(d, items, n, f);
}

/* An engine of this host, with its doors. */
struct actor {
    struct world_run run;
    struct careless door;
    struct ca_door_ops ops;
    struct engine *engine;
};

static bool act_open(struct actor *a, int campaign, const char *name, const char *host, const char *gone)
{
    struct fault f = {0};
    world_open(&world, campaign, name, PROFILE, &a->run);
    careless_wrap(&a->door, a->run.door, record);
    a->ops = *a->door.door.ops;
    inner_revoke = a->ops.revoke;
    a->ops.revoke = stop_first;
    a->door.door.ops = &a->ops;
    a->run.ca.door = &a->door.door;
    a->run.parts.host = host;
    a->run.parts.locks = locks;
    a->run.parts.gone = gone;
    return engine_open(&a->run.parts, &a->engine, &f);
}

static void act_close(struct actor *a)
{
    engine_close(a->engine);
    ca_close(&a->door.door);
    world_close(&a->run);
}

static int begin(const char *name)
{
    world_reset(&world);
    *record = (struct careless_record){.overwrites = true};
    return world_campaign(&world, name, PROFILE);
}

/* A child that has claimed, asked, and stopped before its first request. */
static pid_t stopped_engine(int campaign, const char *name)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct actor a = {0};
        struct engine_report last;
        stops = true;
        if (!act_open(&a, campaign, name, "here", NULL))
            _exit(1);
        world_finish(&world, a.engine, &last);
        act_close(&a);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

static int owner(int campaign)
{
    return atoi(world_ask(&world, arena_format(&world.arena,
                                               "SELECT coalesce(max(owner), 0) FROM chunk WHERE campaign = "
                                               "%d AND state = 'claimed'",
                                               campaign)));
}

static void end_session(int engine)
{
    world_ask(&world,
              arena_format(&world.arena,
                           "UPDATE engine SET seen_at = seen_at - interval '1 minute' WHERE engine = %d",
                           engine));
}

static bool has_session(int engine)
{
    return strcmp(world_ask(&world, arena_format(&world.arena, "SELECT engine_lives(%d)", engine)), "t\n") ==
           0;
}

/* Steps on for a while; the clock goes along. */
static void step_on(struct actor *a, int steps)
{
    struct engine_report r;
    struct fault f = {0};
    for (int i = 0; i < steps; i++) {
        if (!engine_step(a->engine, &r, &f))
            fail_msg("%s", f.text);
        world.now->s += 60;
        usleep(50000);
    }
}

static bool must_be_refused(int campaign, const char *name, const char *host, const char *gone,
                            const char *why)
{
    struct actor a = {0};
    struct engine_report r;
    struct fault f = {0};
    assert_true(act_open(&a, campaign, name, host, gone));
    bool went = engine_step(a.engine, &r, &f);
    act_close(&a);
    if (went)
        return false;
    assert_int_equal(f.kind, FAULT_CONFLICT);
    assert_non_null(strstr(f.text, why));
    assert_non_null(strstr(f.hint, "--override REASON"));
    return true;
}

static void finish(int campaign, struct actor *a)
{
    struct engine_report last;
    assert_int_equal(world_finish(&world, a->engine, &last), ENGINE_SETTLED);
    assert_string_equal(record->crime, "");
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void test_stopped_keeps_and_killed_is_relieved(void **state)
{
    (void)state;
    int campaign = begin("stopped"), status;
    pid_t child = stopped_engine(campaign, "stopped");
    int first = owner(campaign);
    assert_true(first > 0 && has_session(first));
    struct actor relief = {0};
    assert_true(act_open(&relief, campaign, "stopped", "here", NULL));
    end_session(first);
    step_on(&relief, 10);
    assert_false(has_session(first)); /* and yet */
    assert_int_equal(owner(campaign), first);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    step_on(&relief, 1);
    assert_int_not_equal(owner(campaign), first);
    finish(campaign, &relief);
    act_close(&relief);
}

static void test_stopped_goes_on(void **state)
{
    (void)state;
    int campaign = begin("woken"), status;
    pid_t child = stopped_engine(campaign, "woken");
    int first = owner(campaign);
    struct actor relief = {0};
    assert_true(act_open(&relief, campaign, "woken", "here", NULL));
    end_session(first);
    step_on(&relief, 3);
    assert_int_equal(owner(campaign), first);
    assert_int_equal(kill(child, SIGCONT), 0);
    finish(campaign, &relief);
    act_close(&relief);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_another_host_is_refused(void **state)
{
    (void)state;
    int campaign = begin("far"), status;
    pid_t child = stopped_engine(campaign, "far");
    int first = owner(campaign);
    assert_true(must_be_refused(campaign, "far", "there", NULL, "runs on host here"));
    assert_true(must_be_refused(campaign, "far", "there", "burnt down", "runs on host here"));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; i < 100 && has_session(first); i++)
        usleep(20000);
    assert_true(must_be_refused(campaign, "far", "there", NULL, "may only be stopped"));
    struct actor other = {0};
    assert_true(act_open(&other, campaign, "far", "there", "burnt down"));
    finish(campaign, &other);
    act_close(&other);
    assert_string_equal(world_ask(&world, arena_format(&world.arena,
                                                       "SELECT leaf::json->'data'->>'reason' FROM event "
                                                       "WHERE campaign = %d AND type = 'host_gone'",
                                                       campaign)),
                        "burnt down\n");
}

/* An engine that does not send has nothing to do with it, nor has one before a backend that keeps dates. */
static void test_only_those_that_send_before_such_a_backend(void **state)
{
    (void)state;
    int campaign = begin("looks"), status;
    pid_t child = stopped_engine(campaign, "looks");
    struct actor a = {0};
    struct engine_report r;
    struct fault f = {0};
    assert_true(act_open(&a, campaign, "looks", "there", NULL));
    engine_only(a.engine, ENGINE_VERIFY);
    assert_true(engine_step(a.engine, &r, &f));
    act_close(&a);
    record->overwrites = false;
    struct actor b = {0};
    assert_true(act_open(&b, campaign, "looks", "there", NULL));
    assert_true(engine_step(b.engine, &r, &f));
    act_close(&b);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_keeps_and_killed_is_relieved),
        cmocka_unit_test(test_stopped_goes_on),
        cmocka_unit_test(test_another_host_is_refused),
        cmocka_unit_test(test_only_those_that_send_before_such_a_backend),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
