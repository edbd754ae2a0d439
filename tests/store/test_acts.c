/* Acts and planning beside a campaign that runs: cohorts, replans, starts, and who counts as alive. */
#include "../lib/check.h"
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* One chunk of everything that a plan of that cohort must deal, due at that hour; no canary. */
static struct plan_material plan_anew(struct small *s, int cohort, int hours)
{
    struct act act = small_act(s, hours, "ann");
    struct plan_material m;
    CHECK(store_plan_read(s->store, s->campaign.id, cohort, &s->arena, &m, &f));
    uint32_t numbers[SMALL_CERTIFICATES];
    for (size_t i = 0; i < m.certificate_count; i++)
        numbers[i] = m.certificates[i].number;
    struct plan_slot slot = {.hour = 1, .start = small_at(hours)};
    struct plan_chunk chunk = {.due = small_at(hours), .count = (uint32_t)m.certificate_count};
    struct plan plan = {.feasible = true,
                        .slots = &slot,
                        .slot_count = 1,
                        .chunks = &chunk,
                        .chunk_count = 1,
                        .numbers = numbers,
                        .number_count = m.certificate_count,
                        .finish = small_at(hours + 1),
                        .remedy = "",
                        .text = "{}"};
    AUTO_JSON *summary = json_object();
    int number;
    CHECK(store_plan_write(s->store, &act, cohort, &m, &plan, summary, &number, &f));
    return m;
}

static struct plan_material replan(struct small *s, int hours)
{
    return plan_anew(s, 1, hours);
}

static void only_a_cohort_with_work_left_is_missed(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 48, "ann");
    small_finish(s);
    int cohort = small_late(s, 48, 200, 1);
    assert_int_equal(cohort, 2);
    (void)plan_anew(s, 2, 48);
    small_sabotage(s, "UPDATE cohort SET started_at = received WHERE cohort = 2");
    act = small_act(s, 6 * 24, "engine");
    CHECK(store_mark_missed(s->store, &act, &f));
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE missed"), 0);
    act = small_act(s, 8 * 24, "engine");
    CHECK(store_mark_missed(s->store, &act, &f));
    CHECK(store_mark_missed(s->store, &act, &f));
    assert_int_equal(small_number(s, "SELECT sum(cohort) FROM cohort WHERE missed"), 2);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'missed'"), 1);
}

/* A canary dealt anew into an ordinary chunk must not wait for itself. */
static void a_replan_before_the_canary_spoke(void **state)
{
    struct small *s = *state;
    size_t n;
    small_sabotage(s, "UPDATE page SET canaries = '{0,3}', canary_open = 2");
    assert_true(replan(s, 1).canary_open);
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    assert_int_equal(n, 1);
    assert_int_equal(c[0].count, SMALL_CERTIFICATES);
    assert_int_equal(small_number(s, "SELECT sum(canary_open) FROM page"), 0);
}

/* One that another chunk still works on keeps the others waiting. */
static void a_replan_while_the_canary_is_asked(void **state)
{
    struct small *s = *state;
    size_t n;
    small_sabotage(
        s,
        "UPDATE page SET canaries = '{0}', canary_open = 1; UPDATE chunk SET canary = true WHERE chunk = 1");
    small_engine(s);
    (void)small_claim(s, 1, &n);
    assert_int_equal(n, 1);
    assert_false(replan(s, 1).canary_open);
    assert_int_equal(small_number(s, "SELECT sum(canary_open) FROM page"), 1);
    (void)small_claim(s, 1, &n);
    assert_int_equal(n, 0);
}

/* Doubt does not expire: a plan that leaves it out would leave it for ever. */
static void doubt_is_dealt_however_soon_it_expires(void **state)
{
    struct small *s = *state;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    struct act act = small_act(s, 1, "engine");
    small_settle(s, 1, c, CA_ASK, CERTIFICATE_EVENT_NO_ANSWER);
    CHECK(store_give_back(s->store, &act, s->engine, &c[0].chunk, 1, &f));
    struct plan_material m = replan(s, 2);
    assert_int_equal(m.certificate_count, SMALL_CERTIFICATES);
    for (size_t i = 0; i < m.certificate_count; i++)
        assert_int_equal(utc_is_set(m.certificates[i].not_after), i >= SMALL_CHUNK);
}

static void a_start_that_something_overtook(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "ann");
    struct fault f = {0};
    assert_false(store_start(s->store, &act, 1, 1, &f)); /* another start */
    assert_int_equal(f.kind, FAULT_CONFLICT);
    int cohort = small_late(s, 1, 201, 1); /* has no plan, or not any more */
    f = (struct fault){0};
    assert_false(store_start(s->store, &act, cohort, 2, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    small_sabotage(s, "UPDATE cohort SET plan = 1 WHERE cohort = 2; INSERT INTO request VALUES"
                      " (1, 2, 'plan', 2, 1, NULL, 0, 0, '{}', '', 'the list changed')");
    f = (struct fault){0};
    assert_false(store_start(s->store, &act, cohort, 2, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE started_at IS NOT NULL"), 1);
}

static void a_list_with_nothing_new_makes_no_cohort(void **state)
{
    struct small *s = *state;
    assert_int_equal(small_late(s, 5, 1, 1), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort"), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM population"), 2);
}

/* Who claims from a dead owner tries the owner's lock: that is neither the owner alive nor one that stands
 * still. */
static void a_tried_lock_is_no_life(void **state)
{
    struct small *s = *state, dead = {.schema = s->schema, .campaign = s->campaign, .issuer = s->issuer};
    int64_t generation;
    bool alive;
    CHECK(store_open(test_conninfo(), dead.schema, &dead.store, &f));
    small_engine(&dead);
    small_engine(s);
    CHECK(store_engine_beat(s->store, s->campaign.id, dead.engine, small_at(1), NULL, 0, &alive, &generation,
                            &f));
    assert_true(alive);
    store_close(dead.store);
    PQclear(PQexec(s->sql, "BEGIN"));
    const char *try = arena_format(&s->arena, "SELECT engine_is_dead(%d)::int", dead.engine);
    for (int tries = 0; tries < 200 && small_number(s, try) == 0; tries++)
        (void)small_number(s, "SELECT 1 FROM pg_sleep(0.01)");
    CHECK(store_engine_beat(s->store, s->campaign.id, dead.engine, small_at(1), NULL, 0, &alive, &generation,
                            &f));
    assert_false(alive);
    PQclear(PQexec(s->sql, "COMMIT; BEGIN"));
    small_sabotage(
        s, arena_format(&s->arena, "UPDATE engine SET seen_at = 'epoch' WHERE engine = %d", dead.engine));
    PQclear(PQexec(s->sql, "COMMIT; BEGIN"));
    assert_int_equal(small_number(s, try), 1);
    CHECK(store_engine_beat(s->store, s->campaign.id, s->engine, small_at(1), NULL, 0, &alive, &generation,
                            &f));
    assert_true(alive);
    assert_int_equal(small_number(s, "SELECT 1 FROM pg_sleep(0.05)"), 1);
    PQclear(PQexec(s->sql, "COMMIT"));
    arena_free(&dead.arena);
}

static struct listed nth_serial(struct small *s, uint8_t last)
{
    return (struct listed){.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, last}}};
}

static void a_release_keeps_what_it_names(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "ann");
    struct listed two[] = {nth_serial(s, 9), nth_serial(s, 3)}, *kept;
    struct request r = {.what = "release", .expires_at = small_at(60), .text = "x", .named = two};
    const char *const nobody[] = {NULL};
    struct fault refused = {0};
    int hold;
    int64_t released;
    size_t n;
    CHECK(store_hold_add(s->store, &act, "court", "order", digest_of("", 0), UTC_NONE, two, 2, &hold, &f));
    CHECK(store_hold_activate(s->store, &act, hold, &f));
    r.hold = hold, r.named_count = 2;
    CHECK(store_request_add(s->store, &act, &r, nobody, &r.request, &f));
    CHECK(store_request_items(s->store, s->campaign.id, r.request, &s->arena, &kept, &n, &f));
    assert_int_equal(n, 2);
    assert_int_equal(kept[0].serial.bytes[1], 3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'request' AND leaf LIKE "
                                     "'%certificates%/1003%'"),
                     1);
    /* none named is never all of a court's */
    assert_false(store_hold_release(s->store, &act, hold, NULL, 0, &released, &refused));
    assert_int_equal(refused.kind, FAULT_CONFLICT);
    assert_int_equal(small_number(s, "SELECT sum(held) FROM page"), 2);
    CHECK(store_hold_release(s->store, &act, hold, kept, 1, &released, &f));
    assert_int_equal(released, 1);
    assert_int_equal(small_number(s, "SELECT sum(held) FROM page"), 1);
}

int main(void)
{
#define ON_A_CAMPAIGN(test) cmocka_unit_test_setup_teardown(test, small_set_up, small_tear_down)
    const struct CMUnitTest tests[] = {
        ON_A_CAMPAIGN(only_a_cohort_with_work_left_is_missed),
        ON_A_CAMPAIGN(a_replan_before_the_canary_spoke),
        ON_A_CAMPAIGN(a_replan_while_the_canary_is_asked),
        ON_A_CAMPAIGN(doubt_is_dealt_however_soon_it_expires),
        ON_A_CAMPAIGN(a_start_that_something_overtook),
        ON_A_CAMPAIGN(a_list_with_nothing_new_makes_no_cohort),
        ON_A_CAMPAIGN(a_tried_lock_is_no_life),
        ON_A_CAMPAIGN(a_release_keeps_what_it_names),
    };
    return cmocka_run_group_tests_name("acts", tests, NULL, NULL);
}
