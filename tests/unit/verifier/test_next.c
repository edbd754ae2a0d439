/* Is a CRL held against the one before it, and its entries against what was asked for? */
#include "../../lib/forge.h"
#include "massrevoke/reason.h"
#include "massrevoke/verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct forge_ca ca;

static int set_up(void **unused)
{
    (void)unused;
    ca = forge_ca(&arena, FORGE_CA, "Forge CA", NULL);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    forge_ca_free(&ca);
    arena_free(&arena);
    return 0;
}

static struct utc hours(int64_t n)
{
    return utc_add(FORGE_NOW, (struct span){n * 3600});
}

static const char *ids(const struct findings *list)
{
    AUTO_BUF out = {0};
    for (size_t i = 0; i < list->count; i++)
        buf_format(&out, "%s%s", i == 0 ? "" : " ", list->list[i].id);
    return arena_copy(&arena, buf_str(&out).p, out.n);
}

/* forge's good list: number 7, thisUpdate an hour ago, one entry 1234 with reason 4. */
static void judge(const struct verifier_wanted *wanted, const struct verifier_before *before, const char *url,
                  struct verifier_crl *out)
{
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    if (url != NULL)
        spec.extensions = forge_join(&arena, spec.extensions, forge_idp(&arena, url, FORGE_BYTES("")));
    struct verifier_question q = {.issuer = &ca.issuer,
                                  .now = FORGE_NOW,
                                  .seed = {1, 2},
                                  .wanted = wanted,
                                  .wanted_count = wanted == NULL ? 0 : 1,
                                  .before = before};
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, out);
    assert_true(out->counts);
}

static void number_and_time_grow_together(void **unused)
{
    (void)unused;
    const struct {
        int64_t this_update; /* of the one before, in hours */
        struct str number;
        const char *ids;
    } cases[] = {
        {-2, FORGE_BYTES("\x06"), ""},
        {-2, {NULL, 0}, ""}, /* its number is not known */
        {-2, FORGE_BYTES(""), ""},
        {-2, FORGE_BYTES("\x07"), "crl_number_grows"},
        {-2, FORGE_BYTES("\x01\x00"), "crl_number_grows"},
        {-1, FORGE_BYTES("\x07"), "crl_number_grows"}, /* other bytes, the same number */
        {-1, FORGE_BYTES("\x06"), "crl_number_grows"}, /* two at one time */
        {0, FORGE_BYTES("\x08"), "crl_older"},
        {0, {NULL, 0}, "crl_older"},
        {0, FORGE_BYTES("\x06"), "crl_number_grows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verifier_crl judged;
        const struct verifier_before before = {hours(cases[i].this_update), cases[i].number};
        judge(NULL, &before, NULL, &judged);
        if (strcmp(ids(&judged.findings), cases[i].ids) != 0)
            fail_msg("case %zu: \"%s\"", i, ids(&judged.findings));
    }
}

static void entries_stay_until_a_list_after_the_end(void **unused)
{
    (void)unused;
    const struct {
        int64_t not_after, before; /* hours; thisUpdate is -1 */
        struct str number;         /* of the one before; this one is 7 */
        bool seen;
        const char *ids;
        bool vanished;
    } cases[] = {
        {100, -2, {NULL, 0}, true, "entry_vanished", true},
        {100, -2, {NULL, 0}, false, "", false},                      /* never shown: not lost */
        {-1, -2, {NULL, 0}, true, "entry_vanished", true},           /* thisUpdate is not after notAfter */
        {-2, -3, FORGE_BYTES("\x06"), true, "entry_vanished", true}, /* the first one after the end */
        {-2, -2, FORGE_BYTES("\x06"), true, "entry_vanished", true},
        {-2, -3, FORGE_BYTES("\x05"), true, "entry_gone", false}, /* one between, which we did not see */
        {-2, -3, {NULL, 0}, true, "entry_gone", false},
        {-4, -3, FORGE_BYTES("\x06"), true, "", false},          /* it was on one after the end */
        {100, 0, FORGE_BYTES("\x08"), true, "crl_older", false}, /* an old copy shows no loss */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verifier_crl judged;
        const struct verifier_before before = {hours(cases[i].before), cases[i].number};
        const struct verifier_wanted wanted = {.number = 3,
                                               .serial = {2, {0x12, 0x35}},
                                               .reason = 4,
                                               .seen = cases[i].seen,
                                               .not_after = hours(cases[i].not_after)};
        judge(&wanted, &before, NULL, &judged);
        if (strcmp(ids(&judged.findings), cases[i].ids) != 0)
            fail_msg("case %zu: \"%s\"", i, ids(&judged.findings));
        assert_int_equal(judged.sights[0].vanished, cases[i].vanished);
    }
    struct verifier_crl judged;
    struct verifier_wanted wanted = {
        .number = 3, .serial = {2, {0x12, 0x35}}, .reason = -1, .seen = true, .not_after = UTC_NONE};
    judge(&wanted, NULL, NULL, &judged); /* no end known, nothing before: still lost */
    assert_string_equal(ids(&judged.findings), "entry_vanished");
    judge(&wanted, NULL, "http://another.example/", &judged); /* a shard that need not hold it */
    assert_string_equal(ids(&judged.findings), "");
    wanted.serial.bytes[1] = 0x34; /* listed */
    judge(&wanted, NULL, NULL, &judged);
    assert_string_equal(ids(&judged.findings), "");
}

static void entries_are_held_against_what_was_asked(void **unused)
{
    (void)unused;
    const struct {
        struct verifier_wanted wanted;
        const char *ids;
        enum finding_severity severity;
    } cases[] = {
        {{.reason = REASON_SUPERSEDED}, "", 0},
        {{.reason = -1}, "", 0},
        {{.reason = REASON_KEY_COMPROMISE}, "entry_reason_asked", FINDING_ERROR},
        {{.reason = REASON_KEY_COMPROMISE, .earlier = true}, "entry_earlier", FINDING_INFO},
        {{.reason = REASON_SUPERSEDED, .earlier = true}, "", 0},
        {{.reason = -1, .told = {FORGE_NOW.s - 3660}}, "", 0},
        {{.reason = -1, .told = {FORGE_NOW.s - 3660 - 300}}, "", 0}, /* clocks differ by moments */
        {{.reason = -1, .told = {FORGE_NOW.s - 3660 + 301}}, "entry_date_ledger", FINDING_WARNING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verifier_crl judged;
        struct verifier_wanted wanted = cases[i].wanted;
        wanted.serial = (struct serial){2, {0x12, 0x34}};
        wanted.not_after = hours(100);
        judge(&wanted, NULL, NULL, &judged);
        assert_string_equal(ids(&judged.findings), cases[i].ids);
        assert_true(judged.sights[0].revoked);
        if (judged.findings.count == 0)
            continue;
        assert_int_equal(judged.findings.list[0].severity, cases[i].severity);
        assert_non_null(strstr(judged.findings.list[0].seen, "1 listed"));
        assert_non_null(strstr(judged.findings.list[0].seen, "the first: serial 1234"));
    }
}

/* Entries of the campaign's time that it does not ask for are handed out, once the list counts. */
static void strangers_are_handed_out(void **unused)
{
    (void)unused;
    AUTO_BUF entries = {0};
    for (int i = 0; i < 1500; i++) {
        char serial[3] = {0x20, (char)(i >> 8), (char)i};
        struct str e = forge_entry(&arena, (struct str){serial, 3}, hours(i < 300 ? -100 : -10),
                                   i % 2 == 0 ? 4 : -1, FORGE_BYTES(""));
        buf_add(&entries, e.p, e.n);
    }
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    spec.entries = buf_str(&entries);
    const struct verifier_wanted wanted = {.serial = {3, {0x20, 0x02, 0x00}}, .reason = -1};
    struct verifier_question q = {.issuer = &ca.issuer,
                                  .now = FORGE_NOW,
                                  .seed = {1, 2},
                                  .wanted = &wanted,
                                  .wanted_count = 1,
                                  .since = hours(-50)};
    struct verifier_crl judged;
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
    assert_true(judged.counts && judged.sights[0].revoked);
    assert_int_equal(judged.stranger_total, 1199); /* not the one that was looked for */
    assert_int_equal(judged.stranger_count, VERIFIER_STRANGERS);
    assert_int_equal(judged.strangers[0].serial.bytes[2], 300 & 0xff);
    assert_int_equal(judged.strangers[0].reason, 4);
    assert_int_equal(judged.strangers[1].reason, -1);
    struct findings found = {0};
    verifier_add_strangers(&found, &arena, judged.strangers, 2, judged.strangers + 1, 1);
    assert_string_equal(ids(&found), "entry_unasked entry_shard");
    assert_non_null(strstr(found.list[0].seen, "2 listed, the first: serial 20012C"));
    verifier_add_strangers(&found, &arena, NULL, 0, NULL, 0);
    assert_int_equal(found.count, 2);
    q.issuer = NULL; /* nobody vouches for them */
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
    assert_int_equal(judged.stranger_total, 0);
    q.issuer = &ca.issuer;
    q.since = UTC_NONE;
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
    assert_int_equal(judged.stranger_total, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_and_time_grow_together),
        cmocka_unit_test(entries_stay_until_a_list_after_the_end),
        cmocka_unit_test(entries_are_held_against_what_was_asked),
        cmocka_unit_test(strangers_are_handed_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
