/* A CA that says yes to any serial, and one whose requests hold the certificate: does what only a list knows
 * wait for a person, unsent, and does each request get the file that the inventory names? */
#include "../lib/campaign.h"
#include "../lib/check.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/store_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PROFILE "immediate"
#define CERTIFICATES 40
#define STRANGERS 5

static struct world world;
static const struct ca_door_ops *real;
static size_t named, unnamed;

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    world.row_count -= STRANGERS; /* the list has them, the inventory not */
    for (size_t i = 0; i < 3; i++)
        world.rows[i].certificate_file = "";
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

/* Asks for each certificate's file, as a door that needs it does. */
static bool look_at_files(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    char wanted[SERIAL_HEX_TEXT + 20], hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < count; i++) {
        const char *file = d->certificate(d->certificate_context, items[i].number);
        snprintf(wanted, sizeof wanted, "newcerts/%s.pem", serial_hex(&items[i].serial, hex));
        if (file == NULL || file[0] == '\0')
            unnamed++;
        else if (strcmp(file, wanted) == 0)
            named++;
        else
            fail_msg("%s instead of %s", file, wanted);
    }
    return real->revoke(d, items, count, f);
}

static enum engine_state run_engine(const char *name, int campaign, bool trusts, bool needs)
{
    struct world_run run;
    struct fault f = {0};
    struct engine *e;
    struct engine_report last;
    world_open(&world, campaign, name, PROFILE, &run);
    real = run.door->ops;
    struct ca_door_ops ops = *real;
    ops.revoke = needs ? look_at_files : real->revoke;
    run.door->ops = &ops;
    run.door->facts.trusts_any_serial = trusts;
    run.door->facts.needs_certificate = needs;
    assert_true(engine_open(&run.parts, &e, &f));
    enum engine_state state = world_finish(&world, e, &last);
    engine_close(e);
    run.door->ops = real;
    world_close(&run);
    return state;
}

static size_t revoked(void)
{
    size_t n = 0;
    for (const char *p = world_revoked(&world, world_index(&world)); *p != '\0'; p++)
        n += *p == '\n';
    return n;
}

static void what_only_a_list_knows_is_a_persons(void **state)
{
    (void)state;
    world_reset(&world);
    int campaign = world_campaign(&world, "strangers", PROFILE);
    assert_int_equal(run_engine("strangers", campaign, true, false), ENGINE_LEFT);
    assert_int_equal(revoked(), CERTIFICATES - STRANGERS);
    const char *sql =
        arena_format(&world.arena, "SELECT sum(needs_person) FROM page WHERE campaign = %d", campaign);
    assert_string_equal(world_ask(&world, sql), "5\n");
    assert_string_equal(world_wrong(&world, campaign), "");
    /* and the plan knew it before */
    struct plan_unproved *rows;
    size_t n;
    CHECK(store_plan_unproved(world.store, campaign, 1, &world.arena, &rows, &n, &f));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].strangers, STRANGERS);
    assert_int_equal(rows[0].without_file, STRANGERS + 3);
}

static void each_request_gets_its_file(void **state)
{
    (void)state;
    world_reset(&world);
    int campaign = world_campaign(&world, "files", PROFILE);
    assert_int_equal(run_engine("files", campaign, false, true), ENGINE_SETTLED);
    assert_int_equal(revoked(), CERTIFICATES);
    assert_int_equal(named, CERTIFICATES - STRANGERS - 3);
    assert_int_equal(unnamed, STRANGERS + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_a_list_knows_is_a_persons),
        cmocka_unit_test(each_request_gets_its_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
