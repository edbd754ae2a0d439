/* A certificate that its subscriber revoked before us, with a reason of its own: is it revoked, named apart
 * from wrong reasons, and still so after it is published? One whose reason is not permitted stays an error.
 */
#include "../lib/campaign.h"
#include "massrevoke/store_outside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PROFILE "immediate"
#define CERTIFICATES 40

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

static void nobody(void *context, const struct ca_answer *answers, size_t count)
{
    (void)context, (void)answers, (void)count;
}

/* The subscribers of the last n come first. */
static void revoke_last(struct ca_door *door, size_t n, enum reason reason)
{
    struct fault f = {0};
    bool busy;
    door->answer = nobody;
    for (size_t i = 0; i < n; i++) {
        struct ca_item one = {
            .number = (uint32_t)i, .serial = world.keys[CERTIFICATES - 1 - i].serial, .reason = reason};
        assert_true(door->ops->revoke(door, &one, 1, &f) && door->ops->step(door, &busy, &f));
    }
}

static const char *findings(int campaign)
{
    return world_ask(&world, arena_format(&world.arena,
                                          "SELECT findings FROM edge WHERE kind = 'crl' AND campaign = %d",
                                          campaign));
}

/* verify --format csv has a line for each. */
static void count_before(void *context, const struct proof *proof)
{
    int64_t *count = context;
    *count += proof->before && utc_is_set(proof->published);
}

static void run(const char *name, enum reason reason, const char *named, const char *not_named)
{
    struct world_run run;
    struct engine *e;
    struct engine_report r;
    struct fault f = {0};
    world_reset(&world);
    int campaign = world_campaign(&world, name, PROFILE);
    world_open(&world, campaign, name, PROFILE, &run);
    revoke_last(run.door, 3, reason);
    *world.now = utc_add(*world.now, (struct span){10});
    assert_true(engine_open(&run.parts, &e, &f));
    assert_int_equal(world_finish(&world, e, &r), ENGINE_SETTLED);
    for (int look = 0; look < 3; look++) {
        assert_non_null(strstr(findings(campaign), named));
        assert_null(strstr(findings(campaign), not_named));
        const char *seen =
            world_ask(&world, arena_format(&world.arena,
                                           "SELECT findings FROM object WHERE campaign = %d AND kind = 'crl' "
                                           "ORDER BY object DESC LIMIT 1",
                                           campaign));
        assert_non_null(strstr(seen, "3 listed"));
        ++world.now->s;
        assert_true(engine_verify_now(e, &r, &f)); /* now they are published */
    }
    assert_int_equal(
        atoi(world_ask(&world, arena_format(&world.arena, "SELECT sum(revoked) FROM page WHERE campaign = %d",
                                            campaign))),
        CERTIFICATES);
    int64_t before = 0;
    assert_true(store_proofs(run.parts.store, campaign, count_before, &before, &f));
    assert_int_equal(before, 3);
    engine_close(e);
    world_close(&run);
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void with_a_permitted_reason_it_is_revoked_and_told_apart(void **state)
{
    (void)state;
    run("permitted", REASON_KEY_COMPROMISE, "entry_earlier", "entry_reason_asked");
}

static void with_another_reason_it_is_an_error(void **state)
{
    (void)state;
    run("forbidden", REASON_CA_COMPROMISE, "entry_reason_asked", "entry_earlier");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_permitted_reason_it_is_revoked_and_told_apart),
        cmocka_unit_test(with_another_reason_it_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
