/* Canaries against a CA that is honest, one that forgets, one that takes another reason, and one whose CRL
 * does not come: does the rest wait, go, or stop as contract section 2 says? */
#include "../lib/campaign.h"
#include "massrevoke/file.h"
#include "massrevoke/store_safety.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CERTIFICATES 60
#define CANARIES 3
#define WAIT (INT64_C(2) * 3600)

static struct world world;
static const char *profile;

/* What the CA does with a request. */
enum honesty { HONEST, FORGETS, OTHER_REASON };

/* Stands before ca_openssl. */
struct liar {
    struct ca_door door;
    struct ca_door *inner;
    enum honesty honesty;
    struct ca_item *queue; /* forgotten ones */
    size_t queued;
    bool ask;
};

static bool take(struct liar *l, const struct ca_item *items, size_t n, bool ask, struct fault *f)
{
    struct ca_item *copy = arena_grow(NULL, n * sizeof *copy);
    memcpy(copy, items, n * sizeof *copy);
    for (size_t i = 0; i < n && l->honesty == OTHER_REASON; i++)
        copy[i].reason = REASON_CESSATION_OF_OPERATION;
    if (l->honesty == FORGETS) {
        free(l->queue);
        l->queue = copy;
        l->queued = n;
        l->ask = ask;
        return true;
    }
    bool ok = (ask ? l->inner->ops->status : l->inner->ops->revoke)(l->inner, copy, n, f);
    free(copy);
    return ok;
}

static bool take_requests(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    return take((struct liar *)d, items, n, false, f);
}

static bool take_questions(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    return take((struct liar *)d, items, n, true, f);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct liar *l = (struct liar *)d;
    for (size_t i = 0; i < l->queued; i++) {
        struct ca_answer a = {.number = l->queue[i].number,
                              .outcome = l->ask ? CA_NOT_REVOKED : CA_REVOKED_NOW,
                              .at = l->ask ? UTC_NONE : *world.now,
                              .reason = l->ask ? -1 : (int)l->queue[i].reason};
        d->answer(d->answer_context, &a, 1);
    }
    l->queued = 0;
    *busy = false;
    l->inner->answer = d->answer;
    l->inner->answer_context = d->answer_context;
    return l->inner->ops->step(l->inner, busy, f);
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct liar *l = (struct liar *)d;
    return l->inner->ops->publish(l->inner, issuer, now, f);
}

static void end(struct ca_door *d)
{
    free(((struct liar *)d)->queue);
}

static const struct ca_door_ops ops = {take_requests, take_questions, step, publish, end};

/* An engine on a campaign of its own. */
struct run {
    struct world_run parts;
    struct liar liar;
    struct engine *engine;
    int campaign;
};

static void begin(struct run *r, const char *name, enum honesty honesty, bool publishes)
{
    struct fault f = {0};
    world_reset(&world);
    *r = (struct run){.campaign = world_campaign(&world, name, profile)};
    world_open(&world, r->campaign, name, profile, &r->parts);
    r->liar = (struct liar){.door = *r->parts.door, .inner = r->parts.door, .honesty = honesty};
    r->liar.door.ops = &ops;
    r->liar.door.facts.can_publish = publishes;
    r->parts.ca.door = &r->liar.door;
    assert_true(engine_open(&r->parts.parts, &r->engine, &f));
}

static void finish(struct run *r)
{
    engine_close(r->engine);
    ca_close(&r->liar.door);
    world_close(&r->parts);
    assert_string_equal(world_wrong(&world, r->campaign), "");
}

/* Steps for so long in campaign time. */
static enum engine_state run_for(struct run *r, int64_t seconds)
{
    struct fault f = {0};
    struct engine_report last = {0};
    int64_t until = world.now->s + seconds;
    while (world.now->s < until) {
        if (!engine_step(r->engine, &last, &f))
            fail_msg("%s", f.text);
        if (last.state != ENGINE_WORKING)
            return last.state;
        int64_t next = utc_is_set(last.next) && last.next.s > world.now->s ? last.next.s : world.now->s + 1;
        world.now->s = next < world.now->s + 1800 ? next : world.now->s + 1800;
    }
    return last.state;
}

/* `what` ends where the campaign is compared. */
static int count(const struct run *r, const char *what)
{
    return atoi(world_ask(&world, arena_format(&world.arena, "SELECT %s campaign = %d", what, r->campaign)));
}

static int events(const struct run *r, const char *type)
{
    return count(r, arena_format(&world.arena, "count(*) FROM event WHERE type = '%s' AND", type));
}

static int asked(const struct run *r)
{
    return count(r, "coalesce(sum(cardinality(offsets)), 0) FROM result WHERE");
}

static void the_rest_follows_proof(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "honest", HONEST, true);
    assert_int_equal(run_for(&r, 12 * 3600), ENGINE_SETTLED);
    assert_int_equal(count(&r, "sum(revoked) FROM page WHERE"), CERTIFICATES);
    /* a CRL was made for them at once, and nothing else was claimed before they were seen in it */
    int64_t seen = count(&r, "min(seq) FROM event WHERE type = 'sighting' AND");
    assert_int_equal(
        count(&r, arena_format(&world.arena,
                               "coalesce(sum(cardinality(offsets)), 0) FROM result WHERE seq < %d AND",
                               (int)seen)),
        CANARIES);
    assert_true(
        count(&r,
              "(SELECT at FROM event WHERE type = 'sighting' AND campaign = k.campaign ORDER BY seq LIMIT 1)"
              " - (SELECT at FROM event WHERE type = 'settle' AND campaign = k.campaign ORDER BY seq LIMIT 1)"
              " FROM campaign k WHERE") < 300);
    assert_int_equal(events(&r, "canary_unproved") + events(&r, "canary_contradicted"), 0);
    finish(&r);
}

static void without_a_crl_the_record_is_enough_in_the_end(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "no-crl", HONEST, false);
    assert_int_equal(run_for(&r, WAIT - 120), ENGINE_WORKING);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(events(&r, "canary_unproved"), 0);
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(events(&r, "canary_unproved"), 1);
    assert_int_equal(asked(&r), CERTIFICATES);
    assert_int_equal(count(&r, "sum(pending_publication) FROM page WHERE"), CERTIFICATES);
    finish(&r);
}

static void a_ca_that_forgets_is_found_out(void **state)
{
    (void)state;
    struct run r;
    struct fault f = {0};
    int64_t lifted;
    begin(&r, "forgets", FORGETS, true);
    (void)run_for(&r, 4 * 3600);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(events(&r, "canary_contradicted"), 1);
    assert_non_null(strstr(world_ask(&world, "SELECT why FROM issuer_stop ORDER BY campaign DESC LIMIT 1"),
                           "is missing from the complete CRL"));
    /* a person lets it go on; the CA is honest now */
    r.liar.honesty = HONEST;
    struct act act = {r.campaign, *world.now, "olga"};
    assert_true(store_stops_lift(world.store, &act, "index restored", &lifted, &f));
    assert_int_equal(lifted, 1);
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(asked(&r), CERTIFICATES);
    assert_int_equal(events(&r, "canary_contradicted"), 1);
    assert_int_equal(count(&r, "sum(revoked) FROM page WHERE"), CERTIFICATES - CANARIES);
    finish(&r);
}

static void another_reason_stops(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "reason", OTHER_REASON, true);
    (void)run_for(&r, 4 * 3600);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(events(&r, "canary_contradicted"), 1);
    assert_non_null(strstr(world_ask(&world, "SELECT why FROM issuer_stop ORDER BY campaign DESC LIMIT 1"),
                           "cessationOfOperation instead of superseded"));
    finish(&r);
}

/* Where no CRL comes the record is read, and it must not say anything else. */
static void another_reason_in_the_record_stops(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "record", OTHER_REASON, false);
    (void)run_for(&r, 4 * 3600);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(events(&r, "canary_contradicted"), 1);
    assert_int_equal(events(&r, "canary_unproved"), 0);
    finish(&r);
}

/* One is held before its hour, and the CA does not know another: the next of the shard go first instead. */
static void lost_canaries_are_replaced(void **state)
{
    (void)state;
    struct run r;
    struct fault f = {0};
    begin(&r, "replaced", HONEST, true);
    (void)world_ask(
        &world, arena_format(
                    &world.arena,
                    "SELECT hold_add(%d, 'court', 'order', '\\x00', NULL, ARRAY[issuer], ARRAY[serial], %lld,"
                    " 'olga') FROM numbered WHERE campaign = %d AND number = (SELECT min(numbers[1]) FROM"
                    " chunk WHERE canary AND campaign = %d)",
                    r.campaign, (long long)world.now->s, r.campaign, r.campaign));
    struct act act = {r.campaign, *world.now, "olga"};
    assert_true(store_hold_activate(world.store, &act, 1, &f));
    (void)run_for(&r, 120);
    assert_int_equal(events(&r, "canary_replaced"), 1);
    assert_int_equal(count(&r, "sum(cardinality(canaries)) FROM page WHERE"), CANARIES);
    /* two are proved already; the new one waits for the hour its people were told */
    assert_int_equal(count(&r, "sum(canary_open) FROM page WHERE"), 1);
    assert_int_equal(run_for(&r, 12 * 3600), ENGINE_LEFT);
    assert_int_equal(count(&r, "sum(revoked) FROM page WHERE"), CERTIFICATES - 1);
    assert_int_equal(events(&r, "canary_unproved"), 0);
    finish(&r);
}

/* All of a shard is out of the running but for the canary: the shard goes on without, and says so. */
static void none_is_left_to_go_first(void **state)
{
    (void)state;
    struct run r;
    struct fault f = {0};
    begin(&r, "none-left", HONEST, true);
    struct act act = {r.campaign, *world.now, "olga"};
    (void)world_ask(&world,
                    arena_format(&world.arena,
                                 "SELECT hold_add(%d, 'court', 'order', '\\x00', NULL, array_agg(issuer),"
                                 " array_agg(serial), %lld, 'olga') FROM numbered WHERE campaign = %d",
                                 r.campaign, (long long)world.now->s, r.campaign));
    assert_true(store_hold_activate(world.store, &act, 1, &f));
    assert_int_equal(run_for(&r, 600), ENGINE_LEFT);
    assert_int_equal(events(&r, "canary_unproved"), CANARIES);
    assert_int_equal(count(&r, "sum(canary_open) FROM page WHERE"), 0);
    finish(&r);
}

static int set_up(void **state)
{
    (void)state;
    struct fault f = {0};
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    profile = file_join(&world.arena, world.folder, "canary.cfg");
    static const char text[] = "version = 1; name = \"canary\"; notices = false; publish_at_once = false;"
                               "canary = 3; canary_wait = \"2h\"; first_slot = \"0s\"; reserve = \"0s\";"
                               "publish_margin = \"1h\"; crl_every = \"3h\"; outage_floor = \"0s\";"
                               "classes = ({ class = \"unreachable\"; ceiling = \"5h\"; });";
    return !file_write(profile, str_of(text), 0644, &f);
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_follows_proof),
        cmocka_unit_test(without_a_crl_the_record_is_enough_in_the_end),
        cmocka_unit_test(a_ca_that_forgets_is_found_out),
        cmocka_unit_test(another_reason_stops),
        cmocka_unit_test(another_reason_in_the_record_stops),
        cmocka_unit_test(lost_canaries_are_replaced),
        cmocka_unit_test(none_is_left_to_go_first),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
