/* Are impossible orders of anchors refused, do the shipped clocks say what the documents say, and do tasks
 * follow from them? */
#include "massrevoke/milestone.h"
#include "massrevoke/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define T0 INT64_C(1790000000)

static struct utc at(int64_t hours)
{
    return (struct utc){T0 + hours * HOUR};
}

static void anchors_have_names(void **unused)
{
    (void)unused;
    for (int i = 0; i < ANCHOR_COUNT; i++)
        assert_int_equal(anchor_from_name(str_of(anchor_name((enum anchor)i))), i);
    assert_int_equal(anchor_from_name(str_of("recieved")), ANCHOR_COUNT);
}

/* Every pair of anchors, both ways round: which of the two may come first. */
static void impossible_orders_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        enum anchor first, second;
    } law[] = {{ANCHOR_RECEIVED, ANCHOR_ACKNOWLEDGED},
               {ANCHOR_RECEIVED, ANCHOR_CONFIRMED},
               {ANCHOR_RECEIVED, ANCHOR_SCOPE},
               {ANCHOR_ACKNOWLEDGED, ANCHOR_CONFIRMED}};
    for (int x = 0; x < ANCHOR_COUNT; x++)
        for (int y = 0; y < ANCHOR_COUNT; y++) {
            struct utc known[ANCHOR_COUNT];
            struct fault f = {0};
            bool forbidden = false; /* x an hour after y, y known and x new */
            if (x == y)
                continue;
            for (int i = 0; i < ANCHOR_COUNT; i++)
                known[i] = UTC_NONE;
            for (size_t i = 0; i < sizeof law / sizeof *law; i++)
                forbidden = forbidden || ((int)law[i].first == x && (int)law[i].second == y);
            known[y] = at(1);
            assert_int_equal(anchor_check((enum anchor)x, at(2), known, UTC_NONE, &f), !forbidden);
            if (forbidden) {
                assert_int_equal(f.kind, FAULT_REFUSED);
                assert_non_null(strstr(f.text, anchor_name((enum anchor)x)));
                assert_non_null(strstr(f.text, anchor_name((enum anchor)y)));
            }
            /* the same with x known and y new */
            known[x] = at(2);
            known[y] = UTC_NONE;
            assert_int_equal(anchor_check((enum anchor)y, at(1), known, UTC_NONE, &f), !forbidden);
            /* at the same second nothing is impossible */
            known[y] = at(2);
            assert_true(anchor_check((enum anchor)x, at(2), known, UTC_NONE, &f));
        }
}

static void nothing_was_fixed_before_it_was_issued(void **unused)
{
    (void)unused;
    struct utc none[ANCHOR_COUNT];
    struct fault f = {0};
    for (int i = 0; i < ANCHOR_COUNT; i++)
        none[i] = UTC_NONE;
    assert_false(anchor_check(ANCHOR_FIXED, at(1), none, at(2), &f));
    assert_non_null(strstr(f.text, "first affected certificate"));
    assert_false(anchor_check(ANCHOR_STOPPED, at(1), none, at(2), &f));
    assert_true(anchor_check(ANCHOR_FIXED, at(2), none, at(2), &f));
    assert_true(
        anchor_check(ANCHOR_RECEIVED, at(1), none, at(2), &f)); /* more may be issued after a report */
}

/* The documents once more, by hand. */
static void shipped_clocks(void **unused)
{
    (void)unused;
    static const struct {
        const char *id;
        enum milestone_point from;
        int64_t after, every;
        const char *version;
    } want[] = {{"findings-reporter", POINT_RECEIVED, DAY, 0, "2.2.6"},
                {"findings-subscribers", POINT_RECEIVED, DAY, 0, "2.2.6"},
                {"preliminary", POINT_RECEIVED, 3 * DAY, 0, "3.2"},
                {"full-report", POINT_RECEIVED, 14 * DAY, 0, "3.2"},
                {"update", POINT_RECEIVED, 6 * DAY, 3 * DAY, "3.2"},
                {"delayed-report", POINT_MISS, 3 * DAY, 0, "3.2"},
                {"answer-comments", POINT_EVENT, 7 * DAY, 0, "3.2"},
                {"action-item", POINT_EVENT, 3 * DAY, 0, "3.2"},
                {"crl-disclosed", POINT_FIRST_SLOT, 4 * HOUR, 0, "2.1"},
                {"microsoft-notice", POINT_RECEIVED, DAY, 0, "1.2"},
                {"microsoft-update", POINT_RECEIVED, 2 * DAY, DAY, "1.2"},
                {"chrome-answer", POINT_EVENT, 14 * DAY, 0, "1.8"},
                {"apple-answer", POINT_EVENT, 14 * DAY, 0, "2.0"}};
    AUTO_ARENA a = {0};
    struct fault f = {0};
    const struct milestone *shipped;
    size_t n;
    if (!milestones_read(NULL, &a, &shipped, &n, &f))
        fail_msg("%s", f.text);
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        size_t i = 0;
        while (i < n && strcmp(shipped[i].id, want[w].id) != 0)
            i++;
        assert_in_range(i, 0, n - 1);
        const struct milestone *m = &shipped[i];
        assert_int_equal(m->from, want[w].from);
        assert_int_equal(m->after.s, want[w].after);
        assert_int_equal(m->every.s, want[w].every);
        assert_string_equal(m->version, want[w].version);
        assert_int_equal(strlen(m->effective), 10);
    }
    struct str bytes;
    assert_true(plans_file(NULL, "clocks/apple-2.0.cfg", &a, &bytes, &f));
    struct digest digest = digest_of(bytes.p, bytes.n);
    assert_memory_equal(&shipped[0].digest, &digest,
                        sizeof digest); /* files come in the order of their names */
}

static void wrong_clocks_are_named_by_line(void **unused)
{
    (void)unused;
    static const char head[] = "version = 1; document = \"D\"; document_version = \"1\"; effective = "
                               "\"2026-01-01T00:00Z\";\n";
    static const struct {
        const char *rows, *says;
    } cases[] = {
        {"{ id = \"a\"; title = \"A\"; role = \"chef\"; section = \"1\"; from = \"received\"; after = "
         "\"1h\"; per = "
         "\"campaign\"; }",
         "role"},
        {"{ id = \"a\"; title = \"A\"; role = \"legal\"; section = \"1\"; from = \"received\"; per = "
         "\"campaign\"; }",
         "either 'after' or 'before'"},
        {"{ id = \"a-1\"; title = \"A\"; role = \"legal\"; section = \"1\"; from = \"received\"; after = "
         "\"1h\"; per = "
         "\"campaign\"; }",
         "letters and hyphens"},
        {"{ id = \"a\"; title = \"A\"; role = \"legal\"; section = \"1\"; from = \"received\"; after = "
         "\"1h\"; every = "
         "\"1d\"; per = \"campaign\"; done = \"told\"; }",
         "done by people"},
        {"{ id = \"a\"; title = \"A\"; role = \"legal\"; section = \"1\"; from = \"event\"; after = \"1h\"; "
         "per = "
         "\"campaign\"; },\n{ id = \"a\"; title = \"A\"; role = \"legal\"; section = \"1\"; from = "
         "\"event\"; after = "
         "\"1h\"; per = \"campaign\"; }",
         ":3: tasks[1]: a is defined already, by D 1"},
    };
    char folder[] = "/tmp/clocks.XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_ARENA a = {0};
    const char *clocks = arena_format(&a, "%s/clocks", folder), *file = arena_format(&a, "%s/x.cfg", clocks);
    assert_int_equal(mkdir(clocks, 0700), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct milestone *read;
        size_t n;
        struct fault f = {0};
        FILE *out = fopen(file, "w");
        fprintf(out, "%stasks = ( %s );\n", head, cases[i].rows);
        fclose(out);
        assert_false(milestones_read(folder, &a, &read, &n, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        if (strstr(f.text, cases[i].says) == NULL)
            fail_msg("no '%s' in: %s", cases[i].says, f.text);
    }
    unlink(file);
    rmdir(clocks);
    rmdir(folder);
}

static const struct milestone rows[] = {
    {.id = "once", .title = "Once", .from = POINT_RECEIVED, .after = {DAY}, .per = PER_CAMPAIGN},
    {.id = "often", .title = "Often", .from = POINT_RECEIVED, .after = {2 * DAY}, .every = {DAY}},
    {.id = "each",
     .title = "Each",
     .from = POINT_FIRST_NOTICE,
     .after = {-2 * HOUR},
     .per = PER_COHORT,
     .done = FACT_PLANNED},
    {.id = "told", .title = "Told", .from = POINT_RECEIVED, .after = {DAY}, .per = PER_RECEIPT},
    {.id = "asked", .title = "Asked", .from = POINT_EVENT, .after = {DAY}},
};
#define ROWS (sizeof rows / sizeof *rows)

static struct milestone_subject subject(int cohort, int64_t received)
{
    struct milestone_subject s = {.cohort = cohort};
    for (int i = 0; i < POINT_COUNT; i++)
        s.points[i] = UTC_NONE;
    for (int i = 0; i < FACT_COUNT; i++)
        s.fact_at[i] = UTC_NONE;
    s.points[POINT_RECEIVED] = at(received);
    s.points[POINT_FIRST_NOTICE] = at(received + 12);
    return s;
}

/* "often-1@48 each:1@10 ..." with a "+" before what is done. */
static const char *listed(struct arena *a, const struct milestone_subject *subjects, size_t n,
                          const struct task *said, size_t said_count)
{
    AUTO_BUF text = {0};
    struct task *tasks;
    size_t count;
    milestone_tasks(rows, ROWS, subjects, n, said, said_count, a, &tasks, &count);
    for (size_t i = 0; i < count; i++)
        buf_format(&text, "%s%s%s@%d", i == 0 ? "" : " ", tasks[i].done ? "+" : "", tasks[i].name,
                   (int)((tasks[i].due.s - T0) / HOUR));
    return arena_copy(a, buf_str(&text).p, text.n);
}

static void tasks_follow_from_points_and_facts(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct milestone_subject s[] = {subject(0, 0), subject(1, 0), subject(2, 30)};
    assert_string_equal(listed(&a, s, 1, NULL, 0), "once@24 told@24 often-1@48");
    assert_string_equal(listed(&a, s, 2, NULL, 0), "each:1@10 once@24 told@24 often-1@48");
    /* a cohort with a receipt of its own has findings of its own */
    assert_string_equal(listed(&a, s, 3, NULL, 0),
                        "each:1@10 once@24 told@24 each:2@40 often-1@48 told:2@54");
    s[1].facts[FACT_PLANNED] = true;
    assert_string_equal(listed(&a, s, 2, NULL, 0), "once@24 told@24 often-1@48 +each:1@10");
    /* nothing is due before anybody knew */
    s[1].points[POINT_FIRST_NOTICE] = at(1);
    assert_string_equal(listed(&a, s, 2, NULL, 0), "once@24 told@24 often-1@48 +each:1@0");
}

static void what_people_said_stays(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct milestone_subject s[] = {subject(0, 0)};
    struct task said[] = {
        {.name = "often-1",
         .title = "Often",
         .due = at(47),
         .done = true,
         .done_at = at(40),
         .done_by = "ann",
         .person = "",
         .note = ""},
        {.name = "often-2",
         .title = "Often",
         .due = at(72),
         .done = true,
         .done_at = at(70),
         .done_by = "ann",
         .person = "",
         .note = ""},
        {.name = "once",
         .title = "Once",
         .due = at(24),
         .done_at = UTC_NONE,
         .done_by = "",
         .person = "bob",
         .note = ""},
        {.name = "gone",
         .title = "Of older rules",
         .due = at(5),
         .done = true,
         .done_at = at(4),
         .done_by = "ann",
         .person = "",
         .note = ""},
    };
    /* the next instance is open, what was done keeps its time, also when its rule is gone */
    assert_string_equal(listed(&a, s, 1, said, 4),
                        "once@24 told@24 often-3@96 +gone@5 +often-1@47 +often-2@72");
    struct task *tasks;
    size_t n;
    milestone_tasks(rows, ROWS, s, 1, said, 4, &a, &tasks, &n);
    assert_string_equal(tasks[0].person, "bob");
    assert_true(task_is_overdue(&tasks[0], at(25)));
    assert_false(task_is_overdue(&tasks[0], at(24)));
    assert_false(task_is_overdue(&tasks[n - 1], at(100)));
    /* a settled campaign is not told about again */
    s[0].facts[FACT_SETTLED] = true;
    assert_string_equal(listed(&a, s, 1, said, 3), "once@24 told@24 +often-1@47 +often-2@72");
}

static void tasks_are_found_by_what_is_clear(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct milestone_subject s[] = {subject(0, 0), subject(1, 0), subject(2, 0)};
    const struct task *t;
    struct task *tasks;
    size_t n;
    milestone_tasks(rows, ROWS, s, 2, NULL, 0, &a, &tasks, &n);
    assert_true(task_find(tasks, n, "each", &t, &f));
    assert_string_equal(t->name, "each:1");
    assert_true(task_find(tasks, n, "often", &t, &f));
    assert_string_equal(t->name, "often-1");
    assert_true(task_find(tasks, n, "once", &t, &f));
    assert_false(task_find(tasks, n, "on", &t, &f));
    assert_int_equal(f.kind, FAULT_FAILED);
    milestone_tasks(rows, ROWS, s, 3, NULL, 0, &a, &tasks, &n);
    assert_false(task_find(tasks, n, "each", &t, &f));
    assert_non_null(strstr(f.hint, "each:1 each:2"));
    s[1].facts[FACT_PLANNED] = true;
    milestone_tasks(rows, ROWS, s, 3, NULL, 0, &a, &tasks, &n);
    assert_true(task_find(tasks, n, "each", &t, &f));
    assert_string_equal(t->name, "each:2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchors_have_names),
        cmocka_unit_test(impossible_orders_are_refused),
        cmocka_unit_test(nothing_was_fixed_before_it_was_issued),
        cmocka_unit_test(shipped_clocks),
        cmocka_unit_test(wrong_clocks_are_named_by_line),
        cmocka_unit_test(tasks_follow_from_points_and_facts),
        cmocka_unit_test(what_people_said_stays),
        cmocka_unit_test(tasks_are_found_by_what_is_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
