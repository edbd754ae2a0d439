/* Doubt: a CA that loses answers and requests, executes late, says "wait", and would overwrite a first date.
 * Is nothing sent blind, is every item asked about first and not before the quiet time (sentences 4, 5 and
 * 7)? */
#include "../lib/campaign.h"
#include "../lib/careless.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROFILE "immediate"
#define CERTIFICATES 40

static struct world world;
static struct careless_record *record;

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){1, 1});
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

static int begin(const char *name, bool overwrites, bool faulty)
{
    world_reset(&world);
    *record = (struct careless_record){.overwrites = overwrites, .faulty = faulty};
    return world_campaign(&world, name, PROFILE);
}

static bool tells_status = true;

static enum engine_state run_engine(int campaign, const char *name)
{
    struct world_run run;
    struct careless door;
    struct fault f = {0};
    struct engine *e;
    struct engine_report last;
    world_open(&world, campaign, name, PROFILE, &run);
    careless_wrap(&door, run.door, record);
    door.door.facts.tells_status = tells_status;
    run.ca.door = &door.door;
    assert_true(engine_open(&run.parts, &e, &f));
    enum engine_state state = world_finish(&world, e, &last);
    engine_close(e);
    ca_close(&door.door);
    world_close(&run);
    return state;
}

/* An engine in a child that dies after so many requests have reached the CA. */
static void run_and_die(int campaign, const char *name, int requests)
{
    int status;
    record->die_after = requests;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_engine(campaign, name);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 9);
    record->die_after = 0;
}

/* `what` ends where the campaign is compared. */
static int count(const char *what, int campaign)
{
    return atoi(world_ask(&world, arena_format(&world.arena, "SELECT %s campaign = %d", what, campaign)));
}

static void check_all_published(int campaign)
{
    assert_string_equal(record->crime, "");
    assert_int_equal(count("sum(revoked) FROM page WHERE", campaign), CERTIFICATES);
    assert_string_equal(world_wrong(&world, campaign), "");
    for (size_t i = 0; i < world.key_count; i++)
        assert_true(careless_find(record, &world.keys[i].serial)->executed >= 1);
}

static void test_overwriting_backend_is_never_asked_twice(void **state)
{
    (void)state;
    int campaign = begin("overwriting", true, true);
    assert_int_equal(run_engine(campaign, "overwriting"), ENGINE_SETTLED);
    check_all_published(campaign);
}

static void test_keeping_backend_is_simply_asked_again(void **state)
{
    (void)state;
    int campaign = begin("keeping", false, true);
    assert_int_equal(run_engine(campaign, "keeping"), ENGINE_SETTLED);
    check_all_published(campaign);
    /* our own earlier request is not taken for somebody else's revocation */
    assert_int_equal(count("count(*) FROM change h, generate_series(1, length(h.afters)) i"
                           " WHERE get_byte(afters, i - 1) & 15 = state_code('was_before') AND",
                           campaign),
                     0);
}

/* The CA's date lies before our intent, for that is what was signed: still ours. */
static void test_the_date_of_a_compromise_is_no_earlier_revocation(void **state)
{
    (void)state;
    static const bool overwrites[] = {false, true};
    world.compromised = (struct utc){world_begin().s - 86400};
    for (size_t i = 0; i < 2; i++) {
        const char *name = overwrites[i] ? "dated-overwriting" : "dated-keeping";
        int campaign = begin(name, overwrites[i], true);
        run_and_die(campaign, name, 7);
        assert_int_equal(run_engine(campaign, name), ENGINE_SETTLED);
        check_all_published(campaign);
        assert_int_equal(count("count(*) FROM change h, generate_series(1, length(h.afters)) i"
                               " WHERE get_byte(afters, i - 1) & 15 = state_code('was_before') AND",
                               campaign),
                         0);
        for (size_t k = 0; k < world.key_count; k++)
            assert_int_equal(careless_find(record, &world.keys[k].serial)->first_date.s, world.compromised.s);
    }
    world.compromised = (struct utc){0};
}

static void test_deaths_before_an_overwriting_backend(void **state)
{
    (void)state;
    for (int n = 1; n <= 41; n += 5) {
        const char *name = arena_format(&world.arena, "overwriting-death-%d", n);
        int campaign = begin(name, true, n % 2 == 0);
        if (n <= CERTIFICATES) {
            run_and_die(campaign, name, n);
            run_and_die(campaign, name, 1);
        }
        assert_int_equal(run_engine(campaign, name), ENGINE_SETTLED);
        check_all_published(campaign);
    }
}

/* A court order meets certificates in doubt: they are asked about on every backend, and only what the CA says
 * was not revoked is held; nothing is sent again (models: NOTE, RESEND). */
static void hold_in_doubt(bool overwrites)
{
    const char *name = overwrites ? "hold-overwriting" : tells_status ? "hold-keeping" : "hold-blind";
    struct fault f = {0};
    int campaign = begin(name, overwrites, false), hold;
    run_and_die(campaign, name, 5); /* ten were asked, five of them revoked */
    struct conduct c = {.store = world.store,
                        .settings = &world.settings,
                        .issuers = world.issuers,
                        .issuer_count = world.issuer_count,
                        .now = *world.now,
                        .who = "olga"};
    assert_true(store_campaign_find(world.store, name, &world.arena, &c.campaign, &f));
    struct listed items[CERTIFICATES];
    int before[CERTIFICATES];
    for (size_t i = 0; i < world.key_count; i++) {
        items[i] = (struct listed){.issuer = world.issuers[0], .serial = world.keys[i].serial};
        before[i] = careless_find(record, &world.keys[i].serial)->executed;
    }
    assert_true(conduct_hold_court(&c, "order 4 O 12/26", items, world.key_count, &hold, &f));
    assert_int_equal(run_engine(campaign, name), ENGINE_LEFT);
    assert_string_equal(record->crime, "");
    for (size_t i = 0; i < world.key_count; i++)
        assert_int_equal(careless_find(record, &world.keys[i].serial)->executed, before[i]);
    assert_int_equal(count("sum(revoked) FROM page WHERE", campaign), 5);
    assert_int_equal(count("sum(held) FROM page WHERE", campaign), CERTIFICATES - 5);
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void test_hold_of_doubtful_items(void **state)
{
    (void)state;
    hold_in_doubt(false);
    hold_in_doubt(true);
}

/* No status: the CRL made after the quiet time decides, for what was asked and for what was not asked yet. */
static void test_a_ca_that_tells_no_status(void **state)
{
    (void)state;
    tells_status = false;
    int campaign = begin("blind", true, true);
    for (size_t i = 0; i < world.key_count; i++) /* the judge knows all of them from the beginning */
        (void)careless_find(record, &world.keys[i].serial);
    assert_int_equal(run_engine(campaign, "blind"), ENGINE_SETTLED);
    check_all_published(campaign);
    for (int n = 3; n <= 23; n += 20) {
        const char *name = arena_format(&world.arena, "blind-death-%d", n);
        campaign = begin(name, true, false);
        for (size_t i = 0; i < world.key_count; i++)
            (void)careless_find(record, &world.keys[i].serial);
        run_and_die(campaign, name, n);
        assert_int_equal(run_engine(campaign, name), ENGINE_SETTLED);
        check_all_published(campaign);
    }
    hold_in_doubt(false);
    tells_status = true;
}

/* Nor a CRL: then a person has to look. */
static void test_neither_status_nor_crl(void **state)
{
    (void)state;
    int campaign = begin("dark", true, false);
    struct world_run run;
    struct careless door;
    struct fault f = {0};
    struct engine *e;
    struct engine_report last;
    world_open(&world, campaign, "dark", PROFILE, &run);
    careless_wrap(&door, run.door, record);
    door.door.facts.tells_status = door.door.facts.can_publish = false;
    run.ca.door = &door.door;
    assert_true(engine_open(&run.parts, &e, &f));
    assert_int_equal(world_finish(&world, e, &last), ENGINE_LEFT);
    assert_int_equal(count("sum(needs_person) FROM page WHERE", campaign), CERTIFICATES);
    assert_string_equal(record->crime, "");
    engine_close(e);
    ca_close(&door.door);
    world_close(&run);
    assert_string_equal(world_wrong(&world, campaign), "");
}

static int requests(void)
{
    int n = 0;
    for (size_t i = 0; i < record->count; i++)
        n += record->items[i].named;
    return n;
}

/* The outcomes are committed, and the database turns the giving back away for a moment: the states that the
 * engine remembers are old then, and nothing may be sent by them again. */
static void test_work_that_cannot_be_given_back_is_not_done_again(void **state)
{
    (void)state;
    const char *name = "given-back-late";
    int campaign = begin(name, false, false);
    struct world_run run;
    struct careless door;
    struct fault f = {0};
    struct engine *e;
    struct engine_report r;
    world_open(&world, campaign, name, PROFILE, &run);
    careless_wrap(&door, run.door, record);
    run.ca.door = &door.door;
    assert_true(engine_open(&run.parts, &e, &f));
    (void)world_ask(&world, "ALTER FUNCTION queue_give_back RENAME TO kept_give_back");
    (void)world_ask(
        &world, "CREATE FUNCTION queue_give_back(integer, integer, bigint, text, integer[]) RETURNS integer"
                " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53300'; END $$");
    assert_true(engine_step(e, &r, &f));
    int once = requests();
    assert_true(once > 0);
    for (int i = 0; i < 3; i++) {
        ++world.now->s;
        assert_true(engine_step(e, &r, &f));
        assert_int_equal(requests(), once);
    }
    (void)world_ask(&world, "DROP FUNCTION queue_give_back");
    (void)world_ask(&world, "ALTER FUNCTION kept_give_back RENAME TO queue_give_back");
    assert_int_equal(world_finish(&world, e, &r), ENGINE_SETTLED);
    engine_close(e);
    ca_close(&door.door);
    world_close(&run);
    check_all_published(campaign);
}

/* A configuration that has lost the issuer of a chunk: refused with a word, not claimed again and again. */
static void test_issuer_that_is_not_configured_any_more(void **state)
{
    (void)state;
    const char *name = "lost-issuer";
    int campaign = begin(name, false, false), other[] = {world.issuers[0] + 1000};
    struct world_run run;
    struct fault f = {0};
    struct engine *e;
    struct engine_report r;
    world_open(&world, campaign, name, PROFILE, &run);
    run.parts.issuers = other;
    assert_true(engine_open(&run.parts, &e, &f));
    assert_true(engine_step(e, &r, &f));
    assert_int_equal(r.asked, 0);
    assert_non_null(strstr(r.warning, "not configured"));
    engine_close(e);
    world_close(&run);
    assert_string_equal(world_wrong(&world, campaign), "");
}

static bool publish_unheard(struct ca_door *door, uint16_t issuer, struct utc now, struct fault *f)
{
    struct careless *c = (struct careless *)door;
    return c->inner->ops->publish(c->inner, issuer, now, f) &&
           fault_set(f, FAULT_UNAVAILABLE, "the signer does not answer");
}

/* A signer that is away stops nobody from looking at what is out there. */
static void test_signer_that_is_away(void **state)
{
    (void)state;
    const char *name = "signer-away";
    int campaign = begin(name, false, false);
    struct world_run run;
    struct careless door;
    struct fault f = {0};
    struct engine *e;
    struct engine_report r;
    world_open(&world, campaign, name, PROFILE, &run);
    careless_wrap(&door, run.door, record);
    struct ca_door_ops ops = *door.door.ops;
    ops.publish = publish_unheard;
    door.door.ops = &ops;
    run.ca.door = &door.door;
    assert_true(engine_open(&run.parts, &e, &f));
    assert_int_equal(world_finish(&world, e, &r), ENGINE_SETTLED);
    engine_close(e);
    ca_close(&door.door);
    world_close(&run);
    check_all_published(campaign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overwriting_backend_is_never_asked_twice),
        cmocka_unit_test(test_keeping_backend_is_simply_asked_again),
        cmocka_unit_test(test_the_date_of_a_compromise_is_no_earlier_revocation),
        cmocka_unit_test(test_deaths_before_an_overwriting_backend),
        cmocka_unit_test(test_hold_of_doubtful_items),
        cmocka_unit_test(test_a_ca_that_tells_no_status),
        cmocka_unit_test(test_neither_status_nor_crl),
        cmocka_unit_test(test_work_that_cannot_be_given_back_is_not_done_again),
        cmocka_unit_test(test_issuer_that_is_not_configured_any_more),
        cmocka_unit_test(test_signer_that_is_away),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
