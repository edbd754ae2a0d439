/* Is somebody called when the engine that should call is killed, when the database is away, when another
 * engine stands still; and is each call made once, whoever makes it? */
#include "../lib/campaign.h"
#include "massrevoke/file.h"
#include "massrevoke/store_alert.h"

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

#define PROFILE "tls-5-day"

static struct world world;
static const struct settings_oncall people[] = {{"Ada", "ada@ca.example"}, {"Ben", "ben@ca.example"}};
static int campaigns;
static const char *name; /* of this test's campaign */
static int campaign;

static int set_up(void **state)
{
    (void)state;
    world_make(&world, 12, (struct rate){1000, 1});
    world.settings.alert =
        (struct settings_alert){.oncall = people, .oncall_count = 2, .after = {900}, .beat_every = {60}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    world_reset(&world);
    name = arena_format(&world.arena, "c%d", ++campaigns);
    campaign = world_campaign(&world, name, PROFILE);
    return 0;
}

/* ---- a relay that may die with the process, or never answers ---- */

struct relay {
    struct mail_door door;
    int *sent; /* shared: messages handed over, of all processes */
    char (*ids)[200];
    bool dies, silent;
    struct mail_answer waiting[64];
    size_t count;
};

static bool take(struct mail_door *d, const struct mail_message *m, struct fault *f)
{
    struct relay *r = (struct relay *)(void *)d;
    const char *id = memmem(m->bytes.p, m->bytes.n, "Message-Id: ", 12);
    (void)f;
    assert_non_null(id);
    snprintf(r->ids[*r->sent], 200, "%.*s", (int)strcspn(id, "\r"), id);
    ++*r->sent;
    if (r->dies)
        _exit(9);
    if (!r->silent)
        r->waiting[r->count++] = (struct mail_answer){.id = m->id, .outcome = MAIL_ACCEPTED};
    return true;
}

static bool give(struct mail_door *d, bool *busy, struct fault *f)
{
    struct relay *r = (struct relay *)(void *)d;
    (void)f;
    for (size_t i = 0; i < r->count; i++)
        d->answer(d->answer_context, &r->waiting[i]);
    r->count = 0;
    *busy = r->silent;
    return true;
}

static void close_relay(struct mail_door *d)
{
    (void)d;
}

static const struct mail_door_ops relay_ops = {take, give, close_relay};

static struct relay relay_new(void)
{
    static struct shared {
        int sent;
        char ids[64][200];
    } * shared;
    if (shared == NULL)
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared->sent = 0;
    return (struct relay){.door = {.ops = &relay_ops, .fd = -1}, .sent = &shared->sent, .ids = shared->ids};
}

/* An engine with a door for alerts, of a process of its own if need be. */
struct run {
    struct world_run world;
    struct engine *engine;
};

static void open_run(struct run *r, struct relay *relay)
{
    struct fault f = {0};
    world_open(&world, campaign, name, PROFILE, &r->world);
    if (!alert_open(&world.settings.alert, &r->world.parts.alert, &f))
        fail_msg("%s", f.text);
    r->world.parts.alert_mail = &relay->door;
    if (!engine_open(&r->world.parts, &r->engine, &f))
        fail_msg("%s", f.text);
}

static void close_run(struct run *r)
{
    engine_close(r->engine);
    alert_close(r->world.parts.alert);
    world_close(&r->world);
}

static void step(struct run *r)
{
    struct fault f = {0};
    struct engine_report report;
    if (!engine_step(r->engine, &report, &f))
        fail_msg("%s", f.text);
}

/* What the tables say of this test's campaign, which is the text's %d. */
#define ask(sql) world_ask(&world, arena_format(&world.arena, sql, campaign))

/* A request that nobody answers is the cause. */
static void plan_late_one(void)
{
    PQclear(
        PQexec(world.sql,
               arena_format(&world.arena,
                            "INSERT INTO request SELECT campaign, 99, 'hold', 1, NULL, 1, at, at + 864000,"
                            " '{olga}', 'text', '' FROM request WHERE campaign = %d AND request = 1",
                            campaign)));
}

static void killed_between_call_and_outcome(void **state)
{
    (void)state;
    int status;
    plan_late_one();
    struct relay relay = relay_new();
    pid_t pid = fork();
    if (pid == 0) {
        struct run r;
        relay.dies = true;
        world.sql = NULL;
        open_run(&r, &relay);
        step(&r);
        step(&r);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 9);
    assert_int_equal(*relay.sent, 1);
    struct run r;
    open_run(&r, &relay);
    for (int i = 0; i < 200 && *relay.sent < 2; i++) { /* the server must notice that the other is gone */
        step(&r);
        world.now->s += 2;
        usleep(10000);
    }
    assert_int_equal(*relay.sent, 2);
    assert_string_equal(relay.ids[0], relay.ids[1]); /* the same message again */
    world.now->s += 2;
    step(&r);
    assert_string_equal(ask("SELECT concat_ws(' ', step, path, recipient, attempt, outcome) FROM alert_try "
                            "WHERE campaign = %d"),
                        "0 mail Ada 2 accepted\n");
    world.now->s += 900;
    step(&r);
    assert_int_equal(*relay.sent, 3);
    assert_string_not_equal(relay.ids[1], relay.ids[2]); /* Ben's is another */
    assert_string_equal(ask("SELECT count(*) FROM alert WHERE campaign = %d AND kind = 'approval'"), "1\n");
    /* the cause is gone */
    PQclear(PQexec(
        world.sql,
        arena_format(&world.arena, "UPDATE request SET void_reason = 'x' WHERE campaign = %d", campaign)));
    world.now->s += 15;
    step(&r);
    assert_string_equal(
        ask("SELECT cleared_at IS NOT NULL FROM alert WHERE campaign = %d AND kind = 'approval'"), "t\n");
    close_run(&r);
    assert_string_equal(ask("SELECT string_agg(type, ' ' ORDER BY seq) FROM event WHERE campaign = %d AND "
                            "type LIKE 'alert%%' AND leaf LIKE '%%approval%%'"),
                        "alert\n");
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void two_engines_call_once(void **state)
{
    (void)state;
    plan_late_one();
    struct relay relay = relay_new(), other = relay;
    struct run a, b;
    open_run(&a, &relay);
    open_run(&b, &other);
    for (int i = 0; i < 5; i++) {
        step(&a);
        step(&b);
        world.now->s += 5;
    }
    assert_int_equal(*relay.sent, 1);
    assert_string_equal(ask("SELECT count(*) FROM alert WHERE campaign = %d"), "1\n");
    struct act act = {campaign, *world.now, "ada"};
    struct fault f = {0};
    int64_t *taken;
    size_t n;
    assert_true(store_alert_ack(world.store, &act, 0, &world.arena, &taken, &n, &f));
    assert_int_equal(n, 1);
    world.now->s += 3600;
    for (int i = 0; i < 3; i++) {
        step(&a);
        step(&b);
        world.now->s += 900;
    }
    assert_int_equal(*relay.sent, 1);
    close_run(&a);
    close_run(&b);
}

static void an_engine_that_goes_without_a_word(void **state)
{
    (void)state;
    struct relay relay = relay_new(), other = relay;
    struct run a, b;
    open_run(&a, &relay);
    world.now->s += 2;
    step(&a); /* has beaten */
    /* the server's own clock is not ours to move: say that it was seen long ago */
    PQclear(PQexec(world.sql, arena_format(&world.arena,
                                           "UPDATE engine SET seen_at = clock_timestamp() - interval '5 "
                                           "seconds', host = 'elsewhere', pid = 4711 WHERE campaign = %d",
                                           campaign)));
    open_run(&b, &other);
    world.now->s += 20;
    step(&b);
    assert_string_equal(ask("SELECT count(*) FROM alert WHERE campaign = %d AND kind = 'engine'"), "0\n");
    PQclear(PQexec(world.sql, arena_format(&world.arena,
                                           "UPDATE engine SET seen_at = clock_timestamp() - interval '31 "
                                           "seconds' WHERE campaign = %d AND host = 'elsewhere'",
                                           campaign)));
    world.now->s += 20;
    step(&b);
    assert_string_equal(ask("SELECT subject FROM alert WHERE campaign = %d AND kind = 'engine'"),
                        "elsewhere-4711\n");
    close_run(&a); /* says goodbye, late */
    PQclear(PQexec(world.sql,
                   arena_format(&world.arena,
                                "UPDATE engine SET ended_at = 1 WHERE campaign = %d AND host = 'elsewhere'",
                                campaign)));
    world.now->s += 20;
    step(&b);
    assert_string_equal(
        ask("SELECT cleared_at IS NOT NULL FROM alert WHERE campaign = %d AND kind = 'engine'"), "t\n");
    close_run(&b);
    assert_string_equal(ask("SELECT count(*) FROM engine WHERE campaign = %d AND ended_at IS NULL"), "0\n");
}

/* Whole lines on the screen, however many are raised at once, and how many more the list has. */
static void many_at_once(void **state)
{
    (void)state;
    struct relay relay = relay_new();
    struct run r;
    struct fault f = {0};
    struct engine_report report;
    int lines = 0, more = 0;
    PQclear(PQexec(world.sql,
                   arena_format(&world.arena,
                                "INSERT INTO engine (campaign, host, pid, backend_pid, kind, started_at, "
                                "seen_at, campaign_seen_at) SELECT %d, 'host-' || n, n, 0, 'engine', 0, "
                                "clock_timestamp() - interval '31 seconds', 1 FROM generate_series(1, 40) n",
                                campaign)));
    open_run(&r, &relay);
    assert_true(engine_step(r.engine, &report, &f));
    assert_string_equal(ask("SELECT count(*) FROM alert WHERE campaign = %d AND kind = 'engine'"), "40\n");
    for (struct str rest = str_of(report.alerts); rest.n > 0; lines++) {
        struct str line = str_cut(&rest, '\n');
        const char *text = arena_copy(&world.arena, line.p, line.n);
        if (rest.n == 0)
            assert_int_equal(sscanf(text, "and %d more: massrevoke alert list", &more), 1);
        else
            assert_non_null(strstr(text, ") is silent"));
    }
    assert_true(lines > 10);
    assert_int_equal(lines - 1 + more, 40);
    assert_non_null(strstr(report.alerts, " more: massrevoke alert list"));
    assert_true(engine_step(r.engine, &report, &f)); /* nothing is left of it */
    assert_string_equal(report.alerts, "");
    close_run(&r);
}

/* The server's socket behind a link, so that it can be taken away. */
static void without_a_database(void **state)
{
    (void)state;
    struct relay relay = relay_new();
    struct run r;
    struct fault f = {0};
    struct engine_report report;
    const char *link = file_join(&world.arena, world.folder, "sock"),
               *gone = file_join(&world.arena, world.folder, "gone");
    const char *before = world.conninfo, *host = strstr(before, "host='") + 6;
    size_t n = strcspn(host, "'");
    assert_int_equal(symlink(arena_copy(&world.arena, host, n), link), 0);
    world.conninfo = arena_format(&world.arena, "host='%s%s", link, host + n);
    open_run(&r, &relay);
    world.conninfo = before;
    step(&r);
    assert_int_equal(rename(link, gone), 0);
    ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND %d > 0 AND "
        "backend_type = 'client backend' AND datname = current_database()");
    for (int i = 0; i < 4; i++) {
        assert_true(engine_step(r.engine, &report, &f));
        world.now->s += 10;
    }
    assert_int_equal(*relay.sent, 1); /* after half a minute */
    world.now->s += 900;
    assert_true(engine_step(r.engine, &report, &f));
    assert_int_equal(*relay.sent, 2);
    assert_true(engine_step(r.engine, &report, &f));
    assert_int_equal(rename(gone, link), 0);
    for (int i = 0; i < 3; i++) {
        world.now->s += 20;
        assert_true(engine_step(r.engine, &report, &f));
    }
    assert_string_equal(
        ask("SELECT concat_ws(' ', kind, cleared_at IS NOT NULL) FROM alert WHERE campaign = %d"),
        "database t\n");
    assert_string_equal(ask("SELECT concat_ws(' ', step, recipient, outcome) FROM alert_try WHERE campaign = "
                            "%d ORDER BY step"),
                        "0 Ada accepted\n1 Ben accepted\n");
    close_run(&r);
    store_close(world.store);
    assert_true(store_open(world.conninfo, world.schema, &world.store, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(killed_between_call_and_outcome, begin),
        cmocka_unit_test_setup(two_engines_call_once, begin),
        cmocka_unit_test_setup(an_engine_that_goes_without_a_word, begin),
        cmocka_unit_test_setup(many_at_once, begin),
        cmocka_unit_test_setup(without_a_database, begin),
    };
    unsetenv("MASSREVOKE_TEST_STATE"); /* a server of its own: it ends everybody's sessions */
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
