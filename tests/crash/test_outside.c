/* A CA that tells no status and may overwrite dates, whose CRL comes every hour by itself: before a first
 * request the world is asked, by the next CRL. Does all that is due wait for the same one and then go at the
 * CA's pace, does it go back when it must, and is what the world said not used when it has grown old? */
#include "../lib/campaign.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CERTIFICATES 60
#define AT_ONCE 10 /* requests a minute, or an hour */
#define HOUR INT64_C(3600)

static const struct rate a_minute = {AT_ONCE, 60}, an_hour = {AT_ONCE, HOUR};

static struct world world;
static const char *profile;

/* Stands before ca_openssl. */
struct blind {
    struct ca_door door;
    struct ca_door *inner;
    struct utc published;
    int requests;
    int64_t patience; /* requests that it takes; then it turns one batch away, for so long: */
    struct span away;
    struct ca_item refused[CERTIFICATES];
    size_t refused_count;
};

static bool take_requests(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    struct blind *b = (struct blind *)d;
    size_t taken = b->patience < (int64_t)n ? (size_t)b->patience : n;
    b->requests += (int)taken;
    b->patience -= (int64_t)taken;
    b->refused_count = n - taken;
    if (taken < n) {
        b->patience = INT64_MAX;
        d->away_until = utc_add(*world.now, b->away);
    }
    memcpy(b->refused, items + taken, b->refused_count * sizeof *items);
    return taken == 0 || b->inner->ops->revoke(b->inner, items, taken, f);
}

static bool take_questions(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    (void)d, (void)items, (void)n;
    return fault_set(f, FAULT_REFUSED, "it tells no status");
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct blind *b = (struct blind *)d;
    for (size_t i = 0; i < b->refused_count; i++) {
        struct ca_answer a = {.number = b->refused[i].number,
                              .outcome = CA_WAIT,
                              .at = UTC_NONE,
                              .reason = -1,
                              .text = "later"};
        d->answer(d->answer_context, &a, 1);
    }
    b->refused_count = 0;
    b->inner->answer = d->answer;
    b->inner->answer_context = d->answer_context;
    return b->inner->ops->step(b->inner, busy, f);
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct blind *b = (struct blind *)d;
    return b->inner->ops->publish(b->inner, issuer, now, f);
}

static void end(struct ca_door *d)
{
    (void)d;
}

static const struct ca_door_ops ops = {take_requests, take_questions, step, publish, end};

struct run {
    struct world_run parts;
    struct blind blind;
    struct engine *engine;
    int campaign;
};

static void begin(struct run *r, const char *name, struct rate pace)
{
    struct fault f = {0};
    world_reset(&world);
    world.ca.limits = (struct rate_limits){.windows = {pace}, .window_count = 1};
    *r = (struct run){.campaign = world_campaign(&world, name, profile)};
    world_open(&world, r->campaign, name, profile, &r->parts);
    r->blind = (struct blind){
        .door = *r->parts.door, .inner = r->parts.door, .patience = INT64_MAX, .published = *world.now};
    r->blind.door.ops = &ops;
    r->blind.door.facts.tells_status = r->blind.door.facts.keeps_first_date = false;
    r->blind.door.facts.can_publish = false;
    r->parts.ca.door = &r->blind.door;
    assert_true(engine_open(&r->parts.parts, &r->engine, &f));
}

static void finish(struct run *r)
{
    engine_close(r->engine);
    ca_close(&r->blind.door);
    world_close(&r->parts);
    assert_string_equal(world_wrong(&world, r->campaign), "");
}

/* Steps for so long in campaign time, with a CRL of the CA at every full hour. */
static void run_for(struct run *r, int64_t seconds)
{
    struct fault f = {0};
    struct engine_report last = {0};
    int64_t until = world.now->s + seconds;
    while (world.now->s < until) {
        if (world.now->s >= r->blind.published.s + HOUR) {
            r->blind.published = *world.now;
            assert_true(r->blind.inner->ops->publish(r->blind.inner, 0, *world.now, &f));
        }
        if (!engine_step(r->engine, &last, &f))
            fail_msg("%s", f.text);
        int64_t next = utc_is_set(last.next) && last.next.s > world.now->s ? last.next.s : world.now->s + 1;
        world.now->s = next < world.now->s + 300 ? next : world.now->s + 300;
    }
}

/* `what` ends where the campaign is compared. */
static int count(const struct run *r, const char *what)
{
    return atoi(world_ask(&world, arena_format(&world.arena, "SELECT %s campaign = %d", what, r->campaign)));
}

static int claimed(const struct run *r)
{
    return count(r, "coalesce(sum(cardinality(numbers)), 0) FROM chunk WHERE state = 'claimed' AND");
}

static void brake(struct run *r, bool on)
{
    (void)world_ask(&world, arena_format(&world.arena,
                                         "UPDATE campaign SET paused_revoke = %s, generation = generation + 1"
                                         " WHERE campaign = %d",
                                         on ? "true" : "false", r->campaign));
}

static void all_wait_for_the_same_crl(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "same-crl", a_minute);
    run_for(&r, HOUR - 60);
    assert_int_equal(r.blind.requests, 0);
    assert_int_equal(claimed(&r), CERTIFICATES);
    run_for(&r, 180);
    assert_in_range(r.blind.requests, AT_ONCE, 3 * AT_ONCE); /* not faster than it takes them */
    run_for(&r, 600);
    assert_int_equal(r.blind.requests, CERTIFICATES);
    run_for(&r, HOUR + 60);
    assert_int_equal(count(&r, "sum(revoked) FROM page WHERE"), CERTIFICATES);
    finish(&r);
}

/* Nothing of it goes to a door meanwhile, and yet it goes back. */
static void a_pause_takes_back_what_waits(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "pause", a_minute);
    run_for(&r, HOUR / 2);
    assert_int_equal(claimed(&r), CERTIFICATES);
    brake(&r, true);
    run_for(&r, 10);
    assert_int_equal(claimed(&r), 0);
    run_for(&r, HOUR);
    assert_int_equal(r.blind.requests, 0);
    brake(&r, false);
    run_for(&r, 2 * HOUR);
    assert_int_equal(r.blind.requests, CERTIFICATES);
    finish(&r);
}

/* It turns away some: they wait for the next CRL, and the others, who waited an hour for their turn, go on.
 */
static void what_it_turns_away_sets_back_no_other(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "some-away", a_minute);
    r.blind.patience = 25;
    run_for(&r, HOUR + 1200);
    assert_int_equal(r.blind.requests, CERTIFICATES - 1);
    run_for(&r, HOUR);
    assert_int_equal(r.blind.requests, CERTIFICATES);
    finish(&r);
}

/* No more than go until the next CRL, so that what one says is not old when they go; and the next are asked
 * about while they do. */
static void no_more_are_asked_about_than_go_meanwhile(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "slow", an_hour);
    run_for(&r, HOUR - 60);
    assert_int_equal(claimed(&r), AT_ONCE);
    for (int hour = 1; hour < 4; hour++) {
        run_for(&r, 600);
        assert_int_equal(r.blind.requests, hour * AT_ONCE);
        assert_in_range(claimed(&r), 1, 2 * AT_ONCE);
        run_for(&r, HOUR - 600);
    }
    finish(&r);
}

/* It is away for six hours, and somebody else may have revoked since what the CRL called good. */
static void what_the_world_said_grows_old(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "old", a_minute);
    r.blind.patience = 25;
    r.blind.away.s = 6 * HOUR;
    run_for(&r, 5 * HOUR);
    assert_int_equal(r.blind.requests, 25);
    assert_int_equal(claimed(&r), 0);
    run_for(&r, 3 * HOUR - 600); /* it is back, and the next CRL not there yet */
    assert_int_equal(r.blind.requests, 25);
    assert_int_equal(claimed(&r), CERTIFICATES - 25);
    run_for(&r, 1200);
    assert_int_equal(r.blind.requests, CERTIFICATES);
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_wait_for_the_same_crl),
        cmocka_unit_test(a_pause_takes_back_what_waits),
        cmocka_unit_test(what_it_turns_away_sets_back_no_other),
        cmocka_unit_test(no_more_are_asked_about_than_go_meanwhile),
        cmocka_unit_test(what_the_world_said_grows_old),
    };
    struct fault f = {0};
    world_make(&world, CERTIFICATES, (struct rate){1, 6});
    profile = file_join(&world.arena, world.folder, "hourly.cfg");
    static const char text[] = "version = 1; name = \"hourly\"; notices = false; publish_at_once = true;"
                               "canary = 0; first_slot = \"0s\"; reserve = \"0s\"; publish_margin = \"1h\";"
                               "crl_every = \"1h\"; outage_floor = \"0s\";";
    if (!file_write(profile, str_of(text), 0644, &f))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_free(&world);
    return failed;
}
