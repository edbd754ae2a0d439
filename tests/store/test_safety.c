/* Which chunks the queue gives out while canaries are open or an issuer is stopped, and another try. */
#include "../lib/check.h"
#include "../lib/small.h"
#include "massrevoke/store_safety.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Claims at that hour and gives back; the chunk, 0 when there is none. */
static int next_chunk(struct small *s, int hours)
{
    struct act act = small_act(s, hours, "engine");
    struct claim *c;
    size_t n;
    CHECK(store_claim(s->store, &act, s->engine, 0, 1, NULL, 0, &s->arena, &c, &n, &f));
    if (n == 0)
        return 0;
    CHECK(store_give_back(s->store, &act, s->engine, &c->chunk, 1, &f));
    return c->chunk;
}

/* The second chunk belongs to another issuer of the same CA. */
static int other_issuer(struct small *s)
{
    int other;
    CHECK(store_issuer(s->store, digest_of("other", 5), "CN=Other CA", "", &other, &f));
    small_sabotage(s, arena_format(&s->arena, "UPDATE chunk SET issuer = %d WHERE chunk = 2", other));
    return other;
}

static void one_issuer_waits_and_another_goes(void **state)
{
    struct small *s = *state;
    small_engine(s);
    (void)other_issuer(s);
    assert_int_equal(next_chunk(s, 3), 1);
    small_sabotage(s, "UPDATE page SET canaries = '{0}', canary_open = 1");
    assert_int_equal(next_chunk(s, 3), 2);
    struct queue_next q;
    CHECK(store_next(s->store, s->campaign.id, NULL, 0, &q, &f));
    assert_int_equal(q.due.s, small_at(2).s);
    /* without its canaries' proof it goes as well, once that is said */
    struct act act = small_act(s, 3, "engine");
    struct canary c = {.number = 0, .cohort = 1, .issuer = s->issuer};
    CHECK(store_canary_pass(s->store, &act, &c, "waited", &f));
    CHECK(store_canary_pass(s->store, &act, &c, "waited", &f));
    assert_int_equal(next_chunk(s, 3), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'canary_unproved'"), 1);
}

static void a_stopped_issuer_stands_still_and_another_goes(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 3, "engine");
    struct issuer_stop *stops;
    int64_t lifted;
    size_t n;
    small_engine(s);
    (void)other_issuer(s);
    int64_t before = small_number(s, "SELECT generation FROM campaign");
    struct canary c = {.number = 0, .cohort = 1, .issuer = s->issuer};
    CHECK(store_canary_stop(s->store, &act, &c, "missing", &f));
    CHECK(store_canary_stop(s->store, &act, &c, "missing again", &f));
    assert_true(small_number(s, "SELECT generation FROM campaign") > before);
    assert_int_equal(next_chunk(s, 3), 2);
    CHECK(store_stops(s->store, s->campaign.id, &s->arena, &stops, &n, &f));
    assert_int_equal(n, 1);
    assert_string_equal(stops[0].issuer, "CN=Test CA");
    assert_string_equal(stops[0].why, "missing");
    CHECK(store_stops_lift(s->store, &act, "found", &lifted, &f));
    assert_int_equal(lifted, 1);
    assert_int_equal(next_chunk(s, 3), 1);
    CHECK(store_stops_lift(s->store, &act, "found", &lifted, &f));
    assert_int_equal(lifted, 0);
}

/* The canary is out of the running: the next of its CRL in the earliest hour takes its place and keeps its
 * hour. */
static void a_lost_canary_is_replaced(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "engine");
    bool found;
    small_sabotage(
        s, "UPDATE page SET canaries = '{0}', canary_open = 1;"
           "UPDATE chunk SET canary = true, numbers = '{0}' WHERE chunk = 1;"
           "UPDATE chunk SET numbers = '{1,2,3,4}' WHERE chunk = 2;"
           "UPDATE certificate SET shard = 7 WHERE id = (ids_of(1, '{3}'))[1] OR id = (ids_of(1, '{0}'))[1]");
    struct canary c = {.number = 0, .cohort = 1, .issuer = s->issuer};
    CHECK(store_canary_replace(s->store, &act, &c, &found, &f));
    assert_true(found);
    assert_int_equal(small_number(s, "SELECT canaries[1] FROM page"), 3); /* of the same shard */
    assert_int_equal(small_number(s, "SELECT canary_open FROM page"), 1);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM chunk WHERE state = 'ready' AND canary AND numbers = '{3}'"
                        " AND due_at = (SELECT due_at FROM chunk WHERE chunk = 2)"),
        1);
    assert_int_equal(
        small_number(
            s, "SELECT count(*) FROM chunk WHERE state = 'ready' AND NOT canary AND numbers = '{1,2,4}'"),
        1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM chunk WHERE chunk = 2 AND state = 'closed'"), 1);
    /* twice by two engines: nothing happens; and then there is none left */
    CHECK(store_canary_replace(s->store, &act, &c, &found, &f));
    assert_false(found);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'canary_unproved'"), 0);
    c.number = 3;
    CHECK(store_canary_replace(s->store, &act, &c, &found, &f));
    assert_false(found);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'canary_unproved'"), 1);
    assert_int_equal(small_number(s, "SELECT canary_open + cardinality(canaries) FROM page"), 0);
}

static void another_try(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 2, "ann");
    struct retried *r;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    small_settle(s, 1, c, CA_UNKNOWN, CERTIFICATE_EVENT_NOT_KNOWN);
    CHECK(store_give_back(s->store, &act, s->engine, &c->chunk, 1, &f));
    assert_int_equal(small_number(s, "SELECT count(*) FROM chunk WHERE chunk = 1 AND state = 'idle'"), 1);
    struct listed items[] = {{.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, 1}}},
                             {.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, 0xEE}}},
                             {.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, 15}}}};
    CHECK(store_retry(s->store, &act, items, 3, "asked", &s->arena, &r, &f));
    assert_true(r[0].waits && r[0].state == CERTIFICATE_UNKNOWN);
    assert_true(!r[1].waits && r[1].state == CERTIFICATE_NONE);
    assert_true(!r[2].waits && r[2].state == CERTIFICATE_WAITING);
    assert_int_equal(small_number(s, "SELECT unknown FROM page"), SMALL_CHUNK - 1);
    assert_int_equal(next_chunk(s, 2), 1);
    /* nothing to try: no event */
    CHECK(store_retry(s->store, &act, items + 1, 2, "asked", &s->arena, &r, &f));
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'retry'"), 1);
}

#define ON_A_CAMPAIGN(test) cmocka_unit_test_setup_teardown(test, small_set_up, small_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_CAMPAIGN(one_issuer_waits_and_another_goes),
        ON_A_CAMPAIGN(a_stopped_issuer_stands_still_and_another_goes),
        ON_A_CAMPAIGN(a_lost_canary_is_replaced),
        ON_A_CAMPAIGN(another_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
