/* Do the shipped rules and profiles say what BR 2.2.6 and the contract say, and is bad data refused? */
#include "massrevoke/embed.h"
#include "massrevoke/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* BR 4.9.1.1 once more, by hand: hours, CRLReason. */
static const struct {
    int hours, reason;
} items[] = {{24, 0},  {24, 9},  {24, 1},  {24, 1},  {24, 4},  {120, 4}, {120, 9}, {120, 9},
             {120, 5}, {120, 9}, {120, 9}, {120, 4}, {120, 9}, {120, 0}, {120, 0}, {120, 1}};

static void all_items_are_there(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    const struct rule *rules;
    size_t count;
    if (!rules_all(NULL, &a, &rules, &count, &f))
        fail_msg("%s", f.text);
    assert_int_equal(count, 16 + 9);
    for (size_t i = 0; i < 16; i++) {
        char id[20];
        snprintf(id, sizeof id, "4.9.1.1-%zu", i + 1);
        assert_string_equal(rules[i].id, id);
        assert_int_equal(rules[i].deadline.s, items[i].hours * 3600);
        assert_int_equal(rules[i].should.s, items[i].hours == 120 ? 86400 : 0);
        assert_int_equal(rules[i].reason, items[i].reason);
        assert_int_equal(rules[i].expand_by_key, i == 2 || i == 3);
        assert_string_equal(rules[i].version, "2.2.6");
        assert_string_equal(rules[i].effective, "2026-03-31");
        assert_true(strlen(rules[i].text) > 20);
    }
    for (size_t i = 16; i < count; i++) {
        assert_string_equal(rules[i].section, "4.9.1.2");
        assert_int_equal(rules[i].deadline.s, 7 * 86400);
        assert_int_equal(rules[i].should.s, 0);
        assert_int_not_equal(rules[i].reason, REASON_UNSPECIFIED);
        assert_true(reason_is_permitted((int)rules[i].reason));
    }
    const struct embed_file *file = embed_find("plans/rules/tls-br-2.2.6.cfg");
    struct digest digest = digest_of(file->bytes.p, file->bytes.n);
    assert_memory_equal(&rules[0].digest, &digest, sizeof digest);
}

static void an_unknown_rule_is_told_with_the_known(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct rule rule;
    assert_true(rules_find(NULL, "4.9.1.1-12", &a, &rule, &f));
    assert_int_equal(rule.item, 12);
    assert_false(rules_find(NULL, "4.9.1.1-17", &a, &rule, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "no rule '4.9.1.1-17'"));
    assert_non_null(strstr(f.hint, "4.9.1.2-9"));
}

static void every_rule_has_a_profile_that_leaves_room(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    const struct rule *rules;
    size_t count;
    assert_true(rules_all(NULL, &a, &rules, &count, &f));
    for (size_t i = 0; i < count; i++) {
        struct profile p;
        if (!profile_read(NULL, profile_default(&rules[i]), &a, &p, &f))
            fail_msg("%s", f.text);
        assert_string_equal(p.name, profile_default(&rules[i]));
        assert_true(p.first_slot.s + p.reserve.s + p.publish_margin.s + p.outage_floor.s <
                    rules[i].deadline.s);
    }
    assert_string_equal(profile_default(&rules[2]), "key-compromise");
    assert_string_equal(profile_default(&rules[3]), "key-compromise");
    assert_string_equal(profile_default(&rules[4]), "tls-24-hour");
    assert_string_equal(profile_default(&rules[11]), "tls-5-day");
    assert_string_equal(profile_default(&rules[15]), "tls-5-day");
    assert_string_equal(profile_default(&rules[16]), "sub-ca-7-day");
}

static void the_two_named_profiles_are_what_the_contract_says(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct profile p;
    assert_true(profile_read(NULL, "tls-5-day", &a, &p, &f));
    assert_int_equal(p.outage_floor.s, 12 * 3600);
    assert_true(p.notices && !p.publish_at_once && p.canary > 0);
    assert_int_equal(p.first_slot.s, 24 * 3600);
    assert_int_equal(p.rate_cap.count, 0);
    assert_true(profile_read(NULL, "immediate", &a, &p, &f));
    assert_true(!p.notices && p.publish_at_once);
    assert_int_equal(p.first_slot.s, 0);
    assert_false(profile_read(NULL, "imediate", &a, &p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_string_equal(f.text, "no profile 'imediate', did you mean immediate (there are: immediate, "
                                "key-compromise, sub-ca-7-day, tls-24-hour, tls-5-day)");
    assert_false(profile_read(NULL, "../rules/tls-br-2.2.6.cfg", &a, &p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
}

static char folder[] = "/tmp/massrevoke-rules-XXXXXX";

static const char *place(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(place(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A profile file of the test's own with `more` in it; the fault's text when it is wrong, else NULL. */
static const char *own_profile(const char *more, struct arena *a, struct profile *out)
{
    static struct fault f;
    f = (struct fault){0};
    write_file(
        "profiles/own.cfg",
        arena_format(a,
                     "version = 1; name = \"own\"; notices = true; publish_at_once = false; canary = 0;"
                     "first_slot = \"24h\"; first_notice = \"2h\"; backup_after = \"6h\";"
                     "reserve = \"0s\"; publish_margin = \"2h\"; crl_every = \"1h\";"
                     "outage_floor = \"0s\"; %s",
                     more));
    bool ok = profile_read(folder, "own", a, out, &f);
    unlink(place("profiles/own.cfg"));
    return ok ? NULL : f.text;
}

static void profiles_know_classes_and_freezes(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct profile p;
    assert_null(own_profile("", &a, &p));
    assert_int_equal(p.class_notice[CLASS_REPLACED].s, 0);
    assert_int_equal(p.class_notice[CLASS_UNREACHABLE].s, 24 * 3600);
    assert_int_equal(p.class_notice[CLASS_CRITICAL].s, 24 * 3600);
    assert_int_equal(p.freeze_count, 0);
    assert_null(own_profile("classes = ( { class = \"critical\"; notice = \"48h\"; ceiling = \"96h\"; } );"
                            "freezes = ( { from = \"2026-12-24T00:00Z\"; to = \"2026-12-27T00:00Z\";"
                            "why = \"Christmas\"; } ); ari_lead = \"48h\"; ocsp_refresh = \"4h\";"
                            "crl_limit = 10000000;",
                            &a, &p));
    assert_int_equal(p.class_notice[CLASS_CRITICAL].s, 48 * 3600);
    assert_int_equal(p.class_ceiling[CLASS_CRITICAL].s, 96 * 3600);
    assert_int_equal(p.freeze_count, 1);
    assert_int_equal(p.freezes[0].from.s, utc_from_civil(2026, 12, 24, 0, 0, 0).s);
    assert_string_equal(p.freezes[0].why, "Christmas");
    assert_int_equal(p.ari_lead.s, 48 * 3600);
    assert_int_equal(p.ocsp_refresh.s, 4 * 3600);
    assert_int_equal(p.crl_limit, 10000000);
    assert_true(profile_read(NULL, "tls-5-day", &a, &p, &(struct fault){0}));
    assert_int_equal(p.crl_limit, 10000000);
    assert_int_equal(p.ari_lead.s, 48 * 3600);
}

static void wrong_classes_and_freezes_are_told(void **unused)
{
    (void)unused;
    static const char *const wrong[][2] = {
        {"classes = ( { class = \"critcal\"; } );", "did you mean critical"},
        {"classes = ( { class = \"orphan\"; }, { class = \"orphan\"; } );", "orphan is listed already"},
        {"classes = ( { class = \"in_use\"; ceiling = \"20h\"; } );", "not later than the notice"},
        {"classes = ( { class = \"automated\"; notice = \"48h\"; } );",
         "in_use has less notice than automated"},
        {"classes = ( { class = \"unreachable\"; notice = \"1h\"; } );",
         "unreachable: its first notice would come after its slot"},
        {"freezes = ( { from = \"2026-12-24T00:00Z\"; to = \"2026-12-24T00:00Z\"; why = \"x\"; } );",
         "not later than from"},
        {"freezes = ( { from = \"2026-12-24T00:00Z\"; to = \"2026-12-25T00:00Z\"; } );", "why"},
        {"ocsp_refresh = \"1h\";", "shorter than publish_margin"},
        {"crl_limit = 5;", "out of range"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO_ARENA a = {0};
        struct profile p;
        const char *text = own_profile(wrong[i][0], &a, &p);
        if (text == NULL || strstr(text, wrong[i][1]) == NULL)
            fail_msg("%zu gives '%s', expected '%s'", i, text == NULL ? "-" : text, wrong[i][1]);
    }
}

static bool is_short(struct utc from, int64_t seconds)
{
    AUTO_ARENA a = {0};
    struct fault f;
    bool answer = false;
    assert_true(rules_short_lived(NULL, from, (struct utc){from.s + seconds}, &a, &answer, &f));
    return answer;
}

static void short_lived_goes_by_date_and_counts_both_ends(void **unused)
{
    (void)unused;
    struct utc first = utc_from_civil(2024, 3, 15, 0, 0, 0), second = utc_from_civil(2026, 3, 15, 0, 0, 0);
    assert_true(is_short(second, 604799));
    assert_false(is_short(second, 604800));
    assert_true(is_short((struct utc){second.s - 1}, 863999));
    assert_false(is_short((struct utc){second.s - 1}, 864000));
    assert_true(is_short(first, 863999));
    assert_false(is_short((struct utc){first.s - 1}, 3600));
    AUTO_ARENA a = {0};
    struct fault f;
    bool answer = true;
    assert_true(rules_short_lived(NULL, UTC_NONE, second, &a, &answer, &f));
    assert_false(answer);
}

#define HEAD "version = 1; document = \"D\"; document_version = \"9\"; effective = \"2027-01-01T00:00Z\";\n"
#define ITEM(more)                                                                                           \
    "{ section = \"1\"; item = 2; deadline = \"24h\"; reason = \"superseded\"; text = \"t\";" more "}"

static void an_override_folder_wins(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct profile p;
    const struct rule *rules;
    size_t count;
    bool answer = true;
    write_file("rules/own.cfg", HEAD "rules = (" ITEM("") ");");
    assert_true(rules_all(folder, &a, &rules, &count, &f));
    assert_int_equal(count, 1);
    assert_string_equal(rules[0].id, "1-2");
    assert_string_equal(rules[0].effective, "2027-01-01");
    struct utc from = utc_from_civil(2027, 1, 1, 0, 0, 0);
    assert_true(rules_short_lived(folder, from, from, &a, &answer, &f));
    assert_false(answer); /* the own file names no exemption */
    write_file("profiles/tls-5-day.cfg",
               "version = 1; name = \"own\"; notices = true; publish_at_once = true;"
               "canary = 0; first_slot = \"1h\"; reserve = \"0s\";"
               "publish_margin = \"0s\"; crl_every = \"1h\"; outage_floor = \"0s\";"
               "first_notice = \"2h\";");
    assert_false(profile_read(folder, "tls-5-day", &a, &p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "backup_after: required where notices = true"));
    assert_non_null(strstr(f.text, "first_notice: the notice would come after the first slot"));
    assert_non_null(strstr(f.text, "first_slot: publish_at_once waits for no slot"));
    assert_true(profile_read(folder, "immediate", &a, &p, &f));
    unlink(place("profiles/tls-5-day.cfg"));
}

static void wrong_rules_are_refused(void **unused)
{
    (void)unused;
    static const char *const wrong[][2] = {
        {HEAD "rules = (" ITEM("") "," ITEM("") ");", "1-2 is defined already"},
        {HEAD "rules = (" ITEM("should = \"24h\";") ");", "not earlier than the deadline"},
        {HEAD "rules = ();", "0 entries"},
        {HEAD "rules = (" ITEM("deadlin = \"1h\";") ");", "did you mean deadline"},
        {HEAD
         "rules = (" ITEM("") "); short_lived = ( { issued_from = \"2026-01-01T00:00Z\"; longest = \"7d\"; },"
                              "{ issued_from = \"2025-01-01T00:00Z\"; longest = \"7d\"; } );",
         "issued_from must ascend"},
        {"@include \"/etc/passwd\"\n", "own.cfg:1: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO_ARENA a = {0};
        struct fault f = {0};
        struct rule rule;
        write_file("rules/own.cfg", wrong[i][0]);
        if (rules_find(folder, "1-2", &a, &rule, &f) || f.kind != FAULT_CONFIG ||
            strstr(f.text, wrong[i][1]) == NULL)
            fail_msg("%zu gives '%s', expected '%s'", i, f.text, wrong[i][1]);
    }
}

static int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) == NULL || mkdir(place("rules"), 0700) != 0 || mkdir(place("profiles"), 0700) != 0;
}

static int remove_folder(void **unused)
{
    (void)unused;
    unlink(place("rules/own.cfg"));
    rmdir(place("rules"));
    rmdir(place("profiles"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_items_are_there),
        cmocka_unit_test(an_unknown_rule_is_told_with_the_known),
        cmocka_unit_test(every_rule_has_a_profile_that_leaves_room),
        cmocka_unit_test(the_two_named_profiles_are_what_the_contract_says),
        cmocka_unit_test(profiles_know_classes_and_freezes),
        cmocka_unit_test(wrong_classes_and_freezes_are_told),
        cmocka_unit_test(short_lived_goes_by_date_and_counts_both_ends),
        cmocka_unit_test(an_override_folder_wins),
        cmocka_unit_test(wrong_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
