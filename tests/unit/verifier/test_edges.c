/* What do several ways to one pointer show together? */
#include "../../lib/forge.h"
#include "massrevoke/reason.h"
#include "massrevoke/verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define EDGES 3

static struct arena arena;
static struct forge_ca ca;
static struct ocsp_cache cache;

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
    ocsp_cache_free(&cache);
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

/* What an edge serves: nothing, or a CRL of some number with or without the certificate. */
enum serves { NOTHING, OLD_WITHOUT, OLD_WITH, NEW_WITHOUT, NEW_WITH, EXPIRED_WITH };

static const struct verifier_wanted wanted[2] = {
    {.number = 4, .serial = {2, {0x12, 0x34}}, .reason = -1, .seen = true, .not_after = {INT64_MIN}},
    {.number = 5, .serial = {2, {0x12, 0x35}}, .reason = -1, .not_after = {INT64_MIN}}};

static const struct verifier_crl *serve(enum serves what)
{
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    bool old = what == OLD_WITHOUT || what == OLD_WITH;
    if (old) {
        spec.this_update = forge_time(&arena, hours(-5), false);
        spec.extensions =
            forge_join(&arena, forge_aki(&arena, &ca), forge_number(&arena, FORGE_BYTES("\x06")));
    }
    if (what == OLD_WITHOUT || what == NEW_WITHOUT)
        spec.entries = (struct str){NULL, 0};
    if (what == OLD_WITH)
        spec.entries = forge_entry(&arena, FORGE_BYTES("\x12\x34"), hours(-6), 4, FORGE_BYTES(""));
    struct verifier_question q = {.issuer = &ca.issuer,
                                  .now = what == EXPIRED_WITH ? hours(8 * 24) : FORGE_NOW,
                                  .seed = {1, 2},
                                  .wanted = wanted,
                                  .wanted_count = 2};
    struct verifier_crl *judged = arena_alloc(&arena, sizeof *judged);
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, judged);
    return judged;
}

static void crls_are_shown_only_together(void **unused)
{
    (void)unused;
    static const struct {
        enum serves edges[EDGES];
        bool counts, shown, vanished;
        const char *ids;
    } cases[] = {
        {{NEW_WITH, NEW_WITH, NEW_WITH}, true, true, false, ""},
        {{NEW_WITH, NOTHING, NEW_WITH}, true, true, false, "edge_unreachable"},
        {{NOTHING, NOTHING, NOTHING}, false, false, false, "edge_unreachable"},
        {{NEW_WITH, OLD_WITHOUT, NEW_WITH}, true, false, false, "edge_differs edge_older"},
        {{NEW_WITH, OLD_WITH, NEW_WITH}, true, true, false, "edge_older"},
        {{NEW_WITH, EXPIRED_WITH, NEW_WITH}, false, false, false, ""}, /* its own finding tells */
        {{NEW_WITHOUT, NEW_WITH, NOTHING}, true, false, true, "edge_unreachable edge_differs"},
        {{NEW_WITHOUT, NEW_WITHOUT, NEW_WITHOUT}, true, false, true, ""},
        {{OLD_WITHOUT, NEW_WITH, NOTHING}, true, false, false, "edge_unreachable edge_differs edge_older"},
        {{OLD_WITHOUT, OLD_WITHOUT, OLD_WITHOUT}, true, false, true, ""}, /* the newest there is */
        {{EXPIRED_WITH, EXPIRED_WITH, NOTHING}, false, false, false, "edge_unreachable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verifier_edge edges[EDGES] = {{.name = "fra"}, {.name = "nyc"}, {.name = "sin"}};
        struct verifier_shown out;
        for (size_t e = 0; e < EDGES; e++) {
            edges[e].problem = cases[i].edges[e] == NOTHING ? "Connection refused" : NULL;
            edges[e].crl = cases[i].edges[e] == NOTHING ? NULL : serve(cases[i].edges[e]);
        }
        verifier_combine_crls(edges, EDGES, wanted, 2, &arena, &out);
        if (strcmp(ids(&out.findings), cases[i].ids) != 0)
            fail_msg("case %zu: \"%s\"", i, ids(&out.findings));
        assert_int_equal(out.counts, cases[i].counts);
        assert_int_equal(out.shown[0], cases[i].shown);
        assert_int_equal(out.vanished[0], cases[i].vanished);
        assert_false(out.shown[1] || out.vanished[1]); /* listed nowhere, and never seen */
    }
}

static void names_and_reasons_are_told(void **unused)
{
    (void)unused;
    const struct verifier_edge edges[EDGES] = {{.name = "fra", .problem = "HTTP status 404"},
                                               {.name = "nyc", .problem = "Timeout was reached"},
                                               {.name = "sin", .crl = serve(NEW_WITH)}};
    struct verifier_shown out;
    verifier_combine_crls(edges, EDGES, wanted, 2, &arena, &out);
    assert_int_equal(out.answered, 1);
    assert_string_equal(out.findings.list[0].seen, "nothing at fra, nyc: HTTP status 404");
    assert_int_equal(out.newest, 2);
    struct findings cached = {0};
    verifier_add_cache(&cached, &arena, "fra", 18657, 3600);
    assert_string_equal(ids(&cached), "edge_cache");
    cached = (struct findings){0};
    verifier_add_cache(&cached, &arena, "fra", 3600, 3600);
    verifier_add_cache(&cached, &arena, "fra", -1, 3600);
    verifier_add_cache(&cached, &arena, "fra", 3600, -1);
    assert_int_equal(cached.count, 0);
}

enum says { SILENT, SAYS_GOOD_OLD, SAYS_GOOD_NEW, SAYS_REVOKED, SAYS_LATER, SAYS_NEVER_ISSUED };

static const struct verifier_ocsp *say(enum says what)
{
    static const struct serial asked = {2, {0x12, 0x34}};
    struct forge_ocsp spec = forge_ocsp_good(&arena, &ca);
    struct verifier_question q = {.issuer = &ca.issuer, .now = FORGE_NOW, .seed = {1, 2}};
    if (what == SAYS_GOOD_OLD || what == SAYS_GOOD_NEW)
        spec.status = FORGE_BYTES("\x80\x00");
    if (what == SAYS_GOOD_OLD)
        spec.this_update = forge_time(&arena, hours(-9), true);
    if (what == SAYS_NEVER_ISSUED)
        spec.status = forge_ocsp_revoked(&arena, (struct utc){0}, 6);
    struct verifier_ocsp *judged = arena_alloc(&arena, sizeof *judged);
    struct str bytes =
        what == SAYS_LATER ? FORGE_BYTES("\x30\x03\x0a\x01\x03") : forge_ocsp_sign(&arena, &ca, &ca, &spec);
    verifier_judge_ocsp(bytes, &asked, &q, &cache, &arena, judged);
    return judged;
}

static void answers_are_believed_only_together(void **unused)
{
    (void)unused;
    static const struct {
        enum says edges[EDGES];
        bool revoked, good;
        size_t deciding;
        const char *ids;
    } cases[] = {
        {{SAYS_REVOKED, SAYS_REVOKED, SAYS_REVOKED}, true, false, 0, ""},
        {{SILENT, SAYS_REVOKED, SILENT}, true, false, 1, "edge_unreachable"},
        {{SAYS_REVOKED, SAYS_GOOD_OLD, SAYS_GOOD_NEW}, false, true, 2, "edge_differs"},
        {{SAYS_GOOD_NEW, SAYS_GOOD_OLD, SAYS_REVOKED}, false, true, 0, "edge_differs"},
        {{SAYS_REVOKED, SAYS_LATER, SAYS_REVOKED}, false, false, 0, ""}, /* its own finding tells */
        {{SAYS_NEVER_ISSUED, SAYS_NEVER_ISSUED, SAYS_NEVER_ISSUED}, false, true, 0, ""},
        {{SILENT, SILENT, SILENT}, false, false, 0, "edge_unreachable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verifier_edge edges[EDGES] = {{.name = "fra"}, {.name = "nyc"}, {.name = "sin"}};
        struct verifier_told out;
        for (size_t e = 0; e < EDGES; e++) {
            edges[e].problem = cases[i].edges[e] == SILENT ? "Connection refused" : NULL;
            edges[e].ocsp = cases[i].edges[e] == SILENT ? NULL : say(cases[i].edges[e]);
        }
        verifier_combine_ocsp(edges, EDGES, &arena, &out);
        if (strcmp(ids(&out.findings), cases[i].ids) != 0)
            fail_msg("case %zu: \"%s\"", i, ids(&out.findings));
        assert_int_equal(out.revoked, cases[i].revoked);
        assert_int_equal(out.good, cases[i].good);
        if (out.revoked || out.good)
            assert_int_equal(out.deciding, cases[i].deciding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crls_are_shown_only_together),
        cmocka_unit_test(names_and_reasons_are_told),
        cmocka_unit_test(answers_are_believed_only_together),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
