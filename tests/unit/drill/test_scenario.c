/* Is a scenario read as written, is every mistake told with its line, and does the clock only jump forward?
 */
#include "drill/clock.h"
#include "drill/scenario.h"
#include "drill/score.h"
#include "drill/seed.h"
#include "massrevoke/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char good[] =
    "version = 1;\nname = \"small\";\ntitle = \"Small\";\n"
    "population = { certificates = 10; subscribers = 3; seed = 5; };\n"
    "rule = \"4.9.1.1-12\"; profile = \"tls-5-day\"; profile_changes = { backup_after = \"2h\"; };\n"
    "received = \"2026-09-07T08:00Z\"; begins = \"1h\"; duration = \"5d\";\n"
    "behaviours = ( { name = \"all\"; share = 100; primary = \"answers\"; primary_after = \"2h\"; backup = "
    "\"silent\"; } );\n"
    "injects = ( { id = \"a\"; at = \"2h\"; kind = \"late_found\"; count = 4; text = \"t\"; } );\n"
    "expectations = ( { id = \"x\"; text = \"t\"; what = \"finish\"; op = \"<=\"; value = \"4d\"; } );\n";

static bool parse(const char *text, struct arena *a, struct scenario *s, struct fault *f)
{
    *f = (struct fault){0};
    return scenario_parse("s.cfg", NULL, str_of(text), a, s, f);
}

/* `good` with one text replaced. */
static const char *with(struct arena *a, const char *from, const char *to)
{
    const char *at = strstr(good, from);
    assert_non_null(at);
    return arena_format(a, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static void a_scenario_is_read_as_written(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct scenario s;
    struct fault f;
    if (!parse(good, &a, &s, &f))
        fail_msg("%s", f.text);
    assert_string_equal(s.name, "small");
    assert_int_equal(s.certificates, 10);
    assert_int_equal(s.seed, 5);
    assert_int_equal(s.late, 4);
    assert_int_equal(s.injects[0].kind, INJECT_LATE_FOUND);
    assert_int_equal(s.injects[0].at.s, 7200);
    assert_int_equal(s.behaviours[0].primary.reaction, REACTION_ANSWERS);
    assert_int_equal(s.behaviours[0].primary.after.s, 7200);
    assert_int_equal(s.expectations[0].kind, METRIC_SINCE);
    assert_int_equal(s.expectations[0].op, OP_AT_MOST);
    assert_int_equal(s.expectations[0].number, 4 * 86400);
    assert_int_equal(guard_span(s.changes, "backup_after", (struct span){0}).s, 7200);
}

static void the_shipped_scenario_is_right(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct scenario s;
    struct fault f = {0};
    const struct embed_file *file = embed_find("plans/drills/cfca-2098.cfg");
    assert_non_null(file);
    if (!scenario_parse("cfca-2098.cfg", NULL, file->bytes, &a, &s, &f))
        fail_msg("%s", f.text);
    assert_int_equal(s.certificates, 2098);
    assert_int_equal(s.subscribers, 160);
    assert_int_equal(s.expire_first, 28);
}

static void a_mistake_is_told_with_its_line(void **unused)
{
    (void)unused;
    static const struct {
        const char *from, *to, *told;
    } rows[] = {
        {"seed = 5", "sead = 5", "s.cfg:4: population.sead"},
        {"share = 100", "share = 99", "s.cfg:7: behaviours: the shares add up to 99"},
        {"primary_after = \"2h\"; ", "", "s.cfg:7: behaviours[0].primary_after: required"},
        {"count = 4; ", "", "s.cfg:8: injects[0].count: required for late_found"},
        {"count = 4", "count = 10", "s.cfg:4: population.certificates: none is left"},
        {"at = \"2h\"", "at = \"30m\"", "s.cfg:8: injects[0].at: lies outside"},
        {"late_found", "lost_found", "s.cfg:8: injects[0].kind"},
        {"\"finish\"", "\"finnish\"", "s.cfg:9: expectations[0].what"},
        {"value = \"4d\"", "value = \"4\"", "s.cfg:9: expectations[0].value"},
        {"\"4.9.1.1-12\"", "\"4.9.1.1-99\"", "s.cfg:5: rule"},
        {"backup_after", "backup_aftr", "s.cfg:5: profile_changes.backup_aftr"},
        {"Z\"", "\"", "s.cfg:6: received"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA a = {0};
        struct scenario s;
        struct fault f;
        assert_false(parse(with(&a, rows[i].from, rows[i].to), &a, &s, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        if (strstr(f.text, rows[i].told) == NULL)
            fail_msg("'%s' is not in '%s'", rows[i].told, f.text);
    }
}

static void the_clock_jumps_forward_only(void **unused)
{
    (void)unused;
    struct drill_clock c = {{1000}};
    struct clock clock = drill_clock_face(&c);
    clock.wait(clock.self, (struct utc){1500}, (struct span){60}, -1);
    assert_int_equal(clock.now(clock.self).s, 1060);
    clock.wait(clock.self, (struct utc){1070}, (struct span){60}, -1);
    assert_int_equal(clock.now(clock.self).s, 1070);
    clock.wait(clock.self, (struct utc){10}, (struct span){60}, -1);
    assert_int_equal(clock.now(clock.self).s, 1070);
    clock.wait(clock.self, UTC_NONE, (struct span){5}, -1);
    assert_int_equal(clock.now(clock.self).s, 1075);
}

static void what_did_not_happen_meets_nothing(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct scenario s;
    struct fault f;
    struct snapshot snapshot = {.received = {0}};
    struct score_facts facts = {.snapshot = &snapshot, .finish = UTC_NONE};
    assert_true(parse(good, &a, &s, &f));
    assert_false(score(&s, &facts, &a)[0].met);
    facts.finish.s = 4 * 86400;
    assert_true(score(&s, &facts, &a)[0].met);
    facts.finish.s++;
    assert_false(score(&s, &facts, &a)[0].met);
}

static void a_shuffle_is_a_permutation_of_the_seed(void **unused)
{
    (void)unused;
    int one[100], two[100], other[100], seen[100] = {0};
    seed_shuffle(7, SEED_PICK, one, 100);
    seed_shuffle(7, SEED_PICK, two, 100);
    seed_shuffle(8, SEED_PICK, other, 100);
    assert_memory_equal(one, two, sizeof one);
    assert_memory_not_equal(one, other, sizeof one);
    for (int i = 0; i < 100; i++)
        seen[one[i]]++;
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scenario_is_read_as_written),
        cmocka_unit_test(the_shipped_scenario_is_right),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
        cmocka_unit_test(the_clock_jumps_forward_only),
        cmocka_unit_test(what_did_not_happen_meets_nothing),
        cmocka_unit_test(a_shuffle_is_a_permutation_of_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
