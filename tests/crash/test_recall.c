/* A CA with a rolling window, and an engine that ends: does the next one leave the CA alone until the window
 * allows, as if it had been there all the time? */
#include "../lib/campaign.h"
#include "../lib/careless.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CERTIFICATES 60
#define WINDOW 20
#define SECONDS 600

static struct world world;
static struct careless_record record;
static struct careless careful;
static bool asks_first; /* the CA would overwrite a date, and counts questions as requests */

static int make(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){1000, 1});
    world.ca.limits = (struct rate_limits){.windows = {{WINDOW, SECONDS}}, .window_count = 1};
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

static int revoked(void)
{
    return atoi(world_ask(&world, "SELECT coalesce(sum(cardinality(offsets)), 0) FROM result"));
}

static void wrap(struct world_run *run)
{
    careless_wrap(&careful, run->door, &record);
    careful.door.facts.tells_status = careful.door.facts.counts_questions = careful.door.facts.calls = true;
    careful.door.facts.window = WINDOW;
    run->ca.door = &careful.door;
}

static struct engine *open_engine(int campaign, const char *name, struct world_run *run)
{
    struct engine *e;
    struct fault f = {0};
    world_open(&world, campaign, name, "immediate", run);
    if (asks_first)
        wrap(run);
    if (!engine_open(&run->parts, &e, &f))
        fail_msg("%s", f.text);
    return e;
}

/* So many seconds of campaign time, one step each `every`. */
static void step_for(struct engine *e, int64_t seconds, int64_t every)
{
    struct engine_report r;
    struct fault f = {0};
    for (int64_t end = world.now->s + seconds; world.now->s < end; world.now->s += every)
        if (!engine_step(e, &r, &f))
            fail_msg("%s", f.text);
}

static void close_engine(struct engine *e, struct world_run *run)
{
    engine_close(e);
    if (asks_first)
        ca_close(&careful.door);
    world_close(run);
}

/* An engine of its own, for some seconds of campaign time. */
static void run_for(int campaign, const char *name, int64_t seconds)
{
    struct world_run run;
    struct engine *e = open_engine(campaign, name, &run);
    step_for(e, seconds, 5);
    close_engine(e, &run);
}

static void the_next_engine_keeps_the_window(void **state)
{
    (void)state;
    world_reset(&world);
    int campaign = world_campaign(&world, "recall", "immediate");
    run_for(campaign, "recall", 100);
    assert_int_equal(revoked(), WINDOW);
    int64_t first = world.now->s;
    for (int i = 0; i < 4; i++) {
        run_for(campaign, "recall", 100);
        assert_int_equal(revoked(), WINDOW);
    }
    assert_true(world.now->s < first + SECONDS);
    run_for(campaign, "recall", 300);
    assert_int_equal(revoked(), 2 * WINDOW);
    run_for(campaign, "recall", 1200);
    assert_int_equal(revoked(), CERTIFICATES);
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* An engine dies with everything claimed and no answer written down: all of it may have been sent. */
static void what_was_claimed_may_have_been_sent(void **state)
{
    (void)state;
    struct world_run run;
    struct claim *claims;
    struct fault f = {0};
    size_t n = 0;
    int dead;
    AUTO_ARENA a = {0};
    world_reset(&world);
    world.now->s += 2 * SECONDS;
    int before = revoked();
    int campaign = world_campaign(&world, "claimed", "immediate");
    struct act act = {campaign, *world.now, "engine"};
    world_open(&world, campaign, "claimed", "immediate", &run);
    if (!store_engine_begin(run.parts.store, campaign, "host", 1, "engine", act.at, &dead, &f) ||
        !store_claim(run.parts.store, &act, dead, 0, CERTIFICATES, NULL, 0, &a, &claims, &n, &f))
        fail_msg("%s", f.text);
    size_t claimed = 0;
    for (size_t i = 0; i < n; i++)
        claimed += claims[i].count;
    assert_true(claimed >= WINDOW);
    world_close(&run);
    run_for(campaign, "claimed", SECONDS - 50);
    assert_int_equal(revoked(), before);
    run_for(campaign, "claimed", 200);
    assert_in_range(revoked() - before, 1, WINDOW);
    run_for(campaign, "claimed", 4 * SECONDS);
    assert_int_equal(revoked() - before, CERTIFICATES);
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* Requests and questions that reached the CA. */
static int reached(void)
{
    int n = 0;
    for (size_t i = 0; i < record.count; i++)
        n += record.items[i].named;
    return n;
}

/* Answers to questions are written nowhere, and yet they were asked. */
static void what_was_asked_counts(void **state)
{
    (void)state;
    asks_first = record.overwrites = true;
    world_reset(&world);
    world.now->s += 20 * SECONDS;
    int campaign = world_campaign(&world, "asked", "immediate"), last = 0;
    run_for(campaign, "asked", 100);
    assert_int_equal(reached(), WINDOW);
    assert_true(atoi(world_ask(&world, "SELECT sum(asked) FROM question")) > 0);
    for (int i = 0; i < 4; i++)
        run_for(campaign, "asked", 100);
    assert_int_equal(reached(), WINDOW);
    for (int i = 0; i < 20 && reached() < 2 * CERTIFICATES; i++) {
        last = reached();
        run_for(campaign, "asked", SECONDS);
        assert_in_range(reached() - last, 1, 2 * WINDOW);
    }
    assert_int_equal(reached(), 2 * CERTIFICATES);
    assert_string_equal(record.crime, "");
    assert_string_equal(world_wrong(&world, campaign), "");
    asks_first = false;
}

/* Holds up the next note of questions, nearly for the length of the window. */
static void *hold_up(void *ready)
{
    char lock[200];
    PGconn *c = PQconnectdb(world.conninfo);
    snprintf(lock, sizeof lock, "BEGIN; LOCK TABLE %s.question IN EXCLUSIVE MODE", world.schema);
    PQclear(PQexec(c, lock));
    atomic_store((atomic_bool *)ready, true);
    for (bool waits = false; !waits; usleep(1000)) {
        PGresult *r = PQexec(c, "SELECT 1 FROM pg_locks WHERE NOT granted");
        waits = PQntuples(r) > 0;
        PQclear(r);
    }
    world.now->s += SECONDS - 1;
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    return NULL;
}

/* Questions count from when they leave, however long it took to write down that they will. */
static void a_slow_note_counts_as_late_as_it_is(void **state)
{
    (void)state;
    struct world_run run;
    pthread_t other;
    static atomic_bool ready;
    asks_first = record.overwrites = true;
    world_reset(&world);
    world.now->s += 60 * SECONDS;
    int campaign = world_campaign(&world, "slow", "immediate"), before = reached();
    struct engine *e = open_engine(campaign, "slow", &run);
    assert_int_equal(pthread_create(&other, NULL, hold_up, &ready), 0);
    while (!atomic_load(&ready))
        usleep(1000);
    step_for(e, SECONDS + 5, 1);
    pthread_join(other, NULL);
    assert_in_range(reached() - before, 1, WINDOW);
    close_engine(e, &run);
    asks_first = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_engine_keeps_the_window),
        cmocka_unit_test(what_was_claimed_may_have_been_sent),
        cmocka_unit_test(what_was_asked_counts),
        cmocka_unit_test(a_slow_note_counts_as_late_as_it_is),
    };
    return cmocka_run_group_tests_name("crash recall", tests, make, unmake);
}
