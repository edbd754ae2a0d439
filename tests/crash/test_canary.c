/* Canaries against a CA that is honest, one that forgets, one that takes another reason, one that lies about
 * it, one that is silent when asked, and one whose CRL does not come: does the rest wait, go, or stop as
 * contract section 2 says? */
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

/* What the CA does with a request; of the last three: and how it meets a question. */
enum honesty { HONEST, FORGETS, OTHER_REASON, LIES, SILENT, AWAY };

/* Stands before ca_openssl. */
struct liar {
    struct ca_door door;
    struct ca_door *inner;
    enum honesty honesty;
    struct ca_item *queue; /* forgotten ones */
    size_t queued;
    bool ask;
    int questions; /* certificates it was asked about */
};

static bool take(struct liar *l, const struct ca_item *items, size_t n, bool ask, struct fault *f)
{
    struct ca_item *copy = arena_grow(NULL, n * sizeof *copy);
    memcpy(copy, items, n * sizeof *copy);
    for (size_t i = 0; i < n && (l->honesty == OTHER_REASON || l->honesty == LIES); i++)
        copy[i].reason = REASON_CESSATION_OF_OPERATION;
    l->ask = ask;
    l->questions += ask ? (int)n : 0;
    if (l->honesty == FORGETS || (ask && l->honesty >= SILENT)) {
        free(l->queue);
        l->queue = copy;
        l->queued = l->honesty == FORGETS ? n : 0;
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

/* The record has another reason than the answer to the request. */
static void lie(void *context, const struct ca_answer *answers, size_t n)
{
    struct liar *l = context;
    for (size_t i = 0; i < n; i++) {
        struct ca_answer a = answers[i];
        a.reason = l->ask ? a.reason : (int)REASON_SUPERSEDED;
        l->door.answer(l->door.answer_context, &a, 1);
    }
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct liar *l = (struct liar *)d;
    if (l->honesty == AWAY && l->ask)
        return fault_set(f, FAULT_UNAVAILABLE, "the CA's records are away");
    for (size_t i = 0; i < l->queued; i++) {
        struct ca_answer a = {.number = l->queue[i].number,
                              .outcome = l->ask ? CA_NOT_REVOKED : CA_REVOKED_NOW,
                              .at = l->ask ? UTC_NONE : *world.now,
                              .reason = l->ask ? -1 : (int)l->queue[i].reason};
        d->answer(d->answer_context, &a, 1);
    }
    l->queued = 0;
    *busy = false;
    l->inner->answer = l->honesty == LIES ? lie : d->answer;
    l->inner->answer_context = l->honesty == LIES ? l : d->answer_context;
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

/* The newest event of a type. */
static const char *word(const struct run *r, const char *type)
{
    return world_ask(&world, arena_format(&world.arena,
                                          "SELECT leaf FROM event WHERE campaign = %d AND type = '%s'"
                                          " ORDER BY seq DESC LIMIT 1",
                                          r->campaign, type));
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
    assert_non_null(strstr(word(&r, "canary_unproved"), "its status, asked for now, says"));
    assert_int_equal(r.liar.questions, CANARIES);
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

/* It said yes and did nothing: no CRL tells, so its status does. */
static void a_ca_that_forgets_is_asked(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "asked", FORGETS, false);
    (void)run_for(&r, WAIT - 120);
    assert_int_equal(r.liar.questions, 0);
    (void)run_for(&r, 4 * 3600);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(r.liar.questions, CANARIES);
    assert_int_equal(events(&r, "canary_unproved"), 0);
    assert_int_equal(events(&r, "canary_contradicted"), 1);
    assert_non_null(strstr(word(&r, "canary_contradicted"),
                           "asked for its status, the CA says that it is not revoked, though it recorded"));
    /* it is stopped once: the generation, by which other issuers' work ends, stands still */
    int generation = count(&r, "generation FROM campaign WHERE");
    (void)run_for(&r, 3600);
    assert_int_equal(count(&r, "generation FROM campaign WHERE"), generation);
    finish(&r);
}

/* Where it tells no status there is nothing to ask. */
static void without_a_status_the_answer_is_enough(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "no-status", FORGETS, false);
    r.liar.door.facts.tells_status = false;
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(r.liar.questions, 0);
    assert_int_equal(events(&r, "canary_unproved"), 1);
    assert_non_null(strstr(word(&r, "canary_unproved"), "its answer to the request alone counts"));
    assert_int_equal(asked(&r), CERTIFICATES);
    finish(&r);
}

static void another_reason_in_the_status_stops(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "lies", LIES, false);
    (void)run_for(&r, 4 * 3600);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(events(&r, "canary_unproved"), 0);
    assert_non_null(strstr(word(&r, "canary_contradicted"), "cessationOfOperation instead of superseded"));
    finish(&r);
}

/* Binds a change of the canaries' reason to the one that the CA lies about. */
static void bind_change(const struct run *r)
{
    (void)world_ask(
        &world,
        arena_format(&world.arena,
                     "INSERT INTO reason_change VALUES (%d, 1, %d, NULL, true, 'w', 'alice', 0, 0);"
                     "INSERT INTO reason_item (campaign, change, number, issuer, serial, old_reason, state)"
                     " SELECT campaign, 1, number, issuer, serial, reason, 'elsewhere' FROM current"
                     " WHERE campaign = %d AND number IN (SELECT page * 1000 + unnest(canaries) FROM page"
                     " WHERE campaign = %d) RETURNING 1",
                     r->campaign, (int)REASON_CESSATION_OF_OPERATION, r->campaign, r->campaign));
}

/* What the CA's administrator is given to change says the one or the other reason. */
static void a_change_of_reasons_is_no_contradiction(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "changed", LIES, false);
    (void)run_for(&r, WAIT - 120);
    assert_int_equal(asked(&r), CANARIES);
    bind_change(&r);
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(events(&r, "canary_contradicted"), 0);
    assert_int_equal(events(&r, "canary_unproved"), 1);
    assert_int_equal(asked(&r), CERTIFICATES);
    engine_close(r.engine);
    ca_close(&r.liar.door);
    world_close(&r.parts);
}

/* The date of a compromise, which the status tells, lies before everything and contradicts nothing. */
static void a_date_that_was_asked_for_is_no_contradiction(void **state)
{
    (void)state;
    struct run r;
    world.compromised = (struct utc){world_begin().s - 86400};
    begin(&r, "dated", HONEST, false);
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(r.liar.questions, CANARIES);
    assert_int_equal(events(&r, "canary_unproved"), 1);
    assert_int_equal(asked(&r), CERTIFICATES);
    finish(&r);
    world.compromised = (struct utc){0};
}

/* A CA that does not tell keeps the gate shut, also for an engine that comes later; when it tells, the rest
 * goes. */
static void shut_until_it_tells(const char *name, enum honesty honesty)
{
    struct run r;
    struct fault f = {0};
    begin(&r, name, honesty, false);
    (void)run_for(&r, WAIT + 3600);
    assert_int_equal(asked(&r), CANARIES);
    assert_int_equal(events(&r, "canary_unproved") + events(&r, "canary_contradicted"), 0);
    assert_int_equal(events(&r, "canary_silent"), 1);
    assert_true(r.liar.questions > CANARIES && r.liar.questions <= CANARIES * 3700 / 30);
    engine_close(r.engine);
    assert_true(engine_open(&r.parts.parts, &r.engine, &f));
    (void)run_for(&r, 600);
    assert_int_equal(asked(&r), CANARIES);
    /* however often it looks, it asks again after a while only */
    int before = r.liar.questions;
    struct engine_report last;
    for (int i = 0; i < 25; i++, world.now->s++)
        assert_true(engine_step(r.engine, &last, &f));
    assert_in_range(r.liar.questions - before, 0, CANARIES);
    r.liar.honesty = HONEST;
    (void)run_for(&r, 60);
    assert_int_equal(events(&r, "canary_unproved"), 1);
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(asked(&r), CERTIFICATES);
    finish(&r);
}

static void a_ca_that_does_not_tell_keeps_the_gate_shut(void **state)
{
    (void)state;
    shut_until_it_tells("silent", SILENT);
    shut_until_it_tells("away", AWAY);
}

/* Where a question counts as any request, the CA's limits hold for them: each is asked once, in turns. */
static void questions_go_at_the_pace_of_the_ca(void **state)
{
    (void)state;
    struct run r;
    const struct rate_limits before = world.ca.limits;
    world.ca.limits = (struct rate_limits){.windows = {{2, 60}}, .window_count = 1};
    begin(&r, "pace", HONEST, false);
    r.liar.door.facts.counts_questions = true;
    (void)run_for(&r, WAIT - 120);
    assert_int_equal(asked(&r), CANARIES);
    for (int i = 0; i < 300 && r.liar.questions == 0; i++)
        (void)run_for(&r, 1);
    assert_int_equal(r.liar.questions, 2);
    (void)run_for(&r, 55);
    assert_int_equal(r.liar.questions, 2);
    (void)run_for(&r, 10);
    assert_int_equal(r.liar.questions, CANARIES);
    assert_int_equal(atoi(world_ask(&world, "SELECT sum(asked) FROM question")), CANARIES); /* for others */
    (void)run_for(&r, 12 * 3600);
    assert_int_equal(r.liar.questions, CANARIES);
    assert_int_equal(asked(&r), CERTIFICATES);
    finish(&r);
    world.ca.limits = before;
}

/* What another engine, which only tells and looks, must not do. */
static void only_who_revokes_asks(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "looks-on", HONEST, false);
    (void)run_for(&r, 1800);
    assert_int_equal(asked(&r), CANARIES);
    engine_only(r.engine, ENGINE_VERIFY | ENGINE_PUBLISH);
    (void)run_for(&r, WAIT);
    assert_int_equal(r.liar.questions, 0);
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

/* A delay that was decided ends at its hour without anybody's word, and the work goes on. */
static void a_delay_ends_by_itself(void **state)
{
    (void)state;
    struct run r;
    struct fault f = {0};
    begin(&r, "delay", HONEST, true);
    struct act act = {r.campaign, *world.now, "olga"};
    (void)world_ask(&world,
                    arena_format(&world.arena,
                                 "SELECT hold_add(%d, 'delay', 'board minute 7', '\\x00', %lld,"
                                 " array_agg(issuer), array_agg(serial), %lld, 'olga') FROM numbered WHERE"
                                 " campaign = %d",
                                 r.campaign, (long long)world.now->s + 7200, (long long)world.now->s,
                                 r.campaign));
    assert_true(store_hold_activate(world.store, &act, 1, &f));
    assert_int_equal(run_for(&r, 3600), ENGINE_LEFT);
    assert_int_equal(asked(&r), 0);
    world.now->s = act.at.s + 7200;
    assert_int_equal(run_for(&r, 12 * 3600), ENGINE_SETTLED);
    assert_int_equal(count(&r, "sum(revoked) FROM page WHERE"), CERTIFICATES);
    assert_int_equal(events(&r, "release"), 1);
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
        cmocka_unit_test(a_ca_that_forgets_is_asked),
        cmocka_unit_test(without_a_status_the_answer_is_enough),
        cmocka_unit_test(another_reason_in_the_status_stops),
        cmocka_unit_test(a_change_of_reasons_is_no_contradiction),
        cmocka_unit_test(a_date_that_was_asked_for_is_no_contradiction),
        cmocka_unit_test(a_ca_that_does_not_tell_keeps_the_gate_shut),
        cmocka_unit_test(questions_go_at_the_pace_of_the_ca),
        cmocka_unit_test(only_who_revokes_asks),
        cmocka_unit_test(lost_canaries_are_replaced),
        cmocka_unit_test(a_delay_ends_by_itself),
        cmocka_unit_test(none_is_left_to_go_first),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
