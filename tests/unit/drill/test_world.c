/* Does a drill refuse whatever it did not make, and leave a folder alone that is not its own? */
#include "../../lib/shell.h"
#include "drill/world.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/file.h"
#include "massrevoke/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char text[] =
    "version = 1;\nname = \"small\";\ntitle = \"Small\";\n"
    "population = { certificates = 6; subscribers = 2; expire_first = 1; seed = 5; };\n"
    "rule = \"4.9.1.1-12\"; profile = \"tls-5-day\"; profile_changes = { backup_after = \"2h\"; canary = 1; "
    "};\n"
    "received = \"2026-09-07T08:00Z\"; duration = \"5d\";\n"
    "behaviours = ( { name = \"all\"; share = 100; primary = \"silent\"; backup = \"silent\"; } );\n"
    "injects = ( { id = \"a\"; at = \"2h\"; kind = \"late_found\"; count = 2; text = \"t\"; } );\n"
    "expectations = ( { id = \"x\"; text = \"t\"; what = \"finish\"; op = \"<=\"; value = \"4d\"; } );\n";

static struct drill_world world;
static struct arena arena;
static struct scenario scenario;
static const char *folder;

static int make(void **unused)
{
    (void)unused;
    struct fault f = {0};
    folder = shell_folder(&arena);
    if (!scenario_parse("s.cfg", NULL, str_of(text), &arena, &scenario, &f) ||
        !drill_world_open(&world, &scenario, 5, file_join(&arena, folder, "out"), &f))
        fail_msg("%s", f.text);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    drill_world_end(&world);
    shell_remove(folder);
    arena_free(&arena);
    return 0;
}

static void refuses(struct settings s, const char *why)
{
    struct fault f = {0};
    assert_false(world_check(&s, world.ca, world.out, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    if (strstr(f.text, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, f.text);
}

static void what_it_made_is_accepted(void **unused)
{
    (void)unused;
    struct fault f = {0};
    assert_true(world_check(&world.settings, world.ca, world.out, &f));
    assert_int_equal(world.settings.quorum, 2);
    assert_int_equal(world.certificate_count, 6);
    struct profile p;
    assert_true(profile_read(world.settings.plans_dir, world.profile, &arena, &p, &f));
    assert_int_equal(p.backup_after.s, 7200);
    assert_int_equal(p.canary, 1);
    assert_int_equal(p.first_slot.s, 86400);
}

static void production_is_refused(void **unused)
{
    (void)unused;
    struct settings s = world.settings;
    s.demo = false;
    refuses(s, "demo CA");
    s = world.settings;
    s.db_conninfo = "host=db";
    refuses(s, "private database");
    s = world.settings;
    s.mail_relay_url = "smtp://mx";
    refuses(s, "spool");
    struct settings_map map = {"http://crl.example/", "/srv/crl"};
    s = world.settings;
    s.map = &map;
    s.map_count = 1;
    refuses(s, "/srv/crl");
    struct settings_ca ca = world.settings.cas[0];
    s = world.settings;
    s.cas = &ca;
    ca.directory = "/srv/ca";
    refuses(s, "another");
    /* a folder whose name only begins like the drill's */
    ca.directory = arena_format(&arena, "%s-other", world.ca);
    refuses(s, "another");
}

static void an_issuer_with_a_foreign_key_is_refused(void **unused)
{
    (void)unused;
    struct fault f = {0};
    const char *other = file_join(&arena, folder, "other");
    struct ca_new_spec spec = {
        .directory = other, .count = 1, .subscribers = 1, .seed = 5, .now = scenario.received};
    assert_true(ca_new(&spec, &f));
    struct settings s = world.settings;
    struct settings_ca ca = s.cas[0];
    struct settings_issuer issuer = {.certificate_file = file_join(&arena, other, "ca.pem")};
    s.cas = &ca;
    ca.issuers = &issuer;
    refuses(s, "whose key it made");
}

static void the_lists_part_the_certificates(void **unused)
{
    (void)unused;
    struct fault f = {0};
    AUTO_INTAKE_LIST first = {0};
    AUTO_INTAKE_LIST late = {0};
    assert_true(world_list(&world, "first", world.first_list, &first, &f));
    assert_true(world_list(&world, "late", world_serials(&world, world.late, 2), &late, &f));
    assert_int_equal(first.accepted, 4);
    assert_int_equal(late.accepted, 2);
    size_t soon = 0;
    for (size_t i = 0; i < world.certificate_count; i++)
        soon += world.inventory[i].not_after.s < scenario.received.s + 86400;
    assert_int_equal(soon, 1);
}

static void a_full_folder_is_left_alone(void **unused)
{
    (void)unused;
    struct drill_world again;
    struct fault f = {0};
    assert_false(drill_world_open(&again, &scenario, 5, world.out, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    drill_world_end(&again);
}

static void one_flipped_byte_reaches_the_distribution_point(void **unused)
{
    (void)unused;
    struct fault f = {0};
    struct str good, bad;
    const char *path = file_join(&arena, world.pub, "ca.crl");
    assert_true(world_deliver_crl(&world, false, &f) && file_read(path, 1 << 20, &arena, &good, &f));
    assert_true(world_deliver_crl(&world, true, &f) && file_read(path, 1 << 20, &arena, &bad, &f));
    size_t differ = 0;
    assert_int_equal(good.n, bad.n);
    for (size_t i = 0; i < good.n; i++)
        differ += good.p[i] != bad.p[i];
    assert_int_equal(differ, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_made_is_accepted),
        cmocka_unit_test(production_is_refused),
        cmocka_unit_test(an_issuer_with_a_foreign_key_is_refused),
        cmocka_unit_test(the_lists_part_the_certificates),
        cmocka_unit_test(a_full_folder_is_left_alone),
        cmocka_unit_test(one_flipped_byte_reaches_the_distribution_point),
    };
    return cmocka_run_group_tests(tests, make, end);
}
