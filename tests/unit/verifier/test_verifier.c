/* Does each defect bring exactly its finding, and does a bad object prove nothing? */
#include "../../lib/forge.h"
#include "massrevoke/reason.h"
#include "massrevoke/verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define URL "http://crl.example/shard-1"
#define ID(text) FORGE_BYTES("\x55\x1d" text)

static struct arena arena;
static struct forge_ca ca, no_sign, responder;
static struct ocsp_cache cache;

static int set_up(void **unused)
{
    (void)unused;
    ca = forge_ca(&arena, FORGE_CA, "Forge CA", NULL);
    no_sign = forge_ca(&arena, FORGE_CA_NO_CRLSIGN, "Forge CA", NULL);
    responder = forge_ca(&arena, FORGE_RESPONDER, "Responder", &ca);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    forge_ca_free(&ca);
    forge_ca_free(&no_sign);
    forge_ca_free(&responder);
    ocsp_cache_free(&cache);
    arena_free(&arena);
    return 0;
}

static struct verifier_question question(void)
{
    return (struct verifier_question){.issuer = &ca.issuer, .now = FORGE_NOW, .url = URL, .seed = {1, 2}};
}

/* The ids, joined by blanks. */
static const char *ids(const struct findings *list)
{
    AUTO_BUF out = {0};
    for (size_t i = 0; i < list->count; i++)
        buf_format(&out, "%s%s", i == 0 ? "" : " ", list->list[i].id);
    return arena_copy(&arena, buf_str(&out).p, out.n);
}

static struct utc hours(int64_t n)
{
    return utc_add(FORGE_NOW, (struct span){n * 3600});
}

static struct str entry(const char *octets, struct utc at, int reason)
{
    return forge_entry(&arena, str_of(octets), at, reason, FORGE_BYTES(""));
}

/* One defect of a CRL; each changes a good one. */
static void break_nothing(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    (void)q;
}
static void break_issuer(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->issuer = responder.issuer.subject_der;
}
static void break_key(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    q->issuer = &no_sign.issuer; /* the same name, another key, no cRLSign */
}
static void drop_issuer(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    q->issuer = NULL;
}
static void drop_now(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    q->now = UTC_NONE;
}
static void break_algorithm(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->inner = FORGE_ECDSA_SHA384;
}
static void make_v1(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->version = FORGE_BYTES("");
    c->extensions = FORGE_BYTES("");
}
static void make_future(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    q->now = hours(-2);
}
static void make_slightly_future(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    q->now = utc_add(hours(-1), (struct span){-300});
}
static void make_expired(struct forge_crl *c, struct verifier_question *q)
{
    (void)c;
    q->now = hours(7 * 24);
}
static void drop_next(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->next_update = FORGE_BYTES("");
}
static void make_long(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->next_update = forge_time(&arena, hours(10 * 24), false);
}
static void make_ten_days(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->next_update = forge_time(&arena, hours(10 * 24 - 1), false);
}
static void make_long_for_ca(struct forge_crl *c, struct verifier_question *q)
{
    q->kind = VERIFIER_CA;
    c->next_update = forge_time(&arena, hours(367 * 24), false);
}
static void swap_times(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->next_update = forge_time(&arena, hours(-2), false);
}
static void wrong_form(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->this_update = forge_time(&arena, hours(-1), true);
}
static void drop_extensions(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->extensions = FORGE_BYTES("");
}
static void foreign_aki(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->extensions =
        forge_join(&arena, forge_aki(&arena, &responder), forge_number(&arena, FORGE_BYTES("\x01")));
}
static void critical_aki(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    struct str key = forge_wrap(&arena, 0x80, 1, ca.issuer.ski);
    c->extensions =
        forge_join(&arena, forge_extension(&arena, ID("\x23"), true, forge_wrap(&arena, 0x30, 1, key)),
                   forge_number(&arena, FORGE_BYTES("\x01")));
}
static void negative_number(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->extensions = forge_join(&arena, forge_aki(&arena, &ca), forge_number(&arena, FORGE_BYTES("\xff")));
}
static void large_number(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    struct str number = forge_number(&arena, FORGE_BYTES("\x00\x80xxxxxxxxxxxxxxxxxxx"));
    c->extensions = forge_join(&arena, forge_aki(&arena, &ca), number);
}
static void add(struct forge_crl *c, struct str extension)
{
    c->extensions = forge_join(&arena, c->extensions, extension);
}
static void add_delta(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_extension(&arena, ID("\x1b"), true, FORGE_BYTES("\x02\x01\x01")));
}
static void add_freshest(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_extension(&arena, ID("\x2e"), false, FORGE_BYTES("\x30\x00")));
}
static void number_twice(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_number(&arena, FORGE_BYTES("\x07")));
}
static void idp_good(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_idp(&arena, URL, FORGE_BYTES("\x81\x01\xff")));
}
static void idp_other_shard(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_idp(&arena, "http://crl.example/shard-2", FORGE_BYTES("")));
}
static void idp_indirect(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_idp(&arena, URL, FORGE_BYTES("\x84\x01\xff")));
}
static void idp_only_ca(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_idp(&arena, URL, FORGE_BYTES("\x82\x01\xff")));
}
static void idp_reasons(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_idp(&arena, URL, FORGE_BYTES("\x83\x02\x01\x02")));
}
static void idp_no_point(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    add(c, forge_idp(&arena, NULL, FORGE_BYTES("\x81\x01\xff")));
}
static void no_entries(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = (struct str){NULL, 0};
}
static void empty_entries(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = FORGE_BYTES("");
}
static void malformed_entry(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = forge_join(&arena, c->entries, FORGE_BYTES("\x30\x01\x02"));
}
static void padded_serial(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    struct str padded = forge_entry(&arena, FORGE_BYTES("\x00\x12\x34"), hours(-5), 4, FORGE_BYTES(""));
    c->entries = forge_join(&arena, c->entries, padded);
}
static void entry_twice(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = forge_join(&arena, c->entries, c->entries);
}
static void late_entry(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = entry("\x12\x34", hours(0), 4);
}
static void early_entry(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = entry("\x12\x34", (struct utc){631151999}, 4);
}
static void zero_reason(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = entry("\x12\x34", hours(-5), 0);
}
static void hold_reason(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = entry("\x12\x34", hours(-5), 6);
}
static void no_reason(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    c->entries = entry("\x12\x34", hours(-5), -1);
}
static void no_reason_for_ca(struct forge_crl *c, struct verifier_question *q)
{
    q->kind = VERIFIER_CA;
    c->entries = entry("\x12\x34", hours(-5), -1);
}
static void with_extension(struct forge_crl *c, struct str more, int reason)
{
    c->entries = forge_entry(&arena, FORGE_BYTES("\x12\x34"), hours(-5), reason, more);
}
static void critical_reason(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    with_extension(c, forge_extension(&arena, ID("\x15"), true, FORGE_BYTES("\x0a\x01\x04")), -1);
}
static void certificate_issuer(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    with_extension(c, forge_extension(&arena, ID("\x1d"), true, FORGE_BYTES("\x30\x00")), 4);
}
static void reason_twice(struct forge_crl *c, struct verifier_question *q)
{
    (void)q;
    with_extension(c, forge_extension(&arena, ID("\x15"), false, FORGE_BYTES("\x0a\x01\x04")), 1);
}

static const struct {
    void (*change)(struct forge_crl *c, struct verifier_question *q);
    const char *ids; /* exactly these findings */
    bool counts;
} defects[] = {
    {break_nothing, "", true},
    {break_issuer, "crl_issuer", false},
    {break_key, "crl_issuer_usage signature crl_aki_key", false},
    {drop_issuer, "signature_unchecked", false},
    {drop_now, "time_unchecked", false},
    {break_algorithm, "crl_algorithm", false},
    {make_v1, "crl_version crl_aki crl_number", false},
    {make_future, "this_update_future", false},
    {make_slightly_future, "", true},
    {make_expired, "expired", false},
    {drop_next, "crl_next_update", false},
    {make_long, "crl_validity", true},
    {make_ten_days, "", true},
    {make_long_for_ca, "crl_validity_ca", true},
    {swap_times, "update_order expired", false},
    {wrong_form, "crl_time_form", true},
    {drop_extensions, "crl_aki crl_number", true},
    {foreign_aki, "crl_aki_key", true},
    {critical_aki, "crl_aki_form", true},
    {negative_number, "crl_number_form", true},
    {large_number, "crl_number_form", true},
    {add_delta, "crl_extension_critical", false},
    {add_freshest, "crl_extension_other", true},
    {number_twice, "crl_extension_twice", false},
    {idp_good, "", true},
    {idp_other_shard, "crl_idp_url", false},
    {idp_indirect, "crl_idp_indirect", false},
    {idp_only_ca, "crl_idp_scope", false},
    {idp_reasons, "crl_idp_reasons", true},
    {idp_no_point, "crl_idp_point", true},
    {no_entries, "", true},
    {empty_entries, "crl_empty_list", true},
    {malformed_entry, "unparsable", false},
    {padded_serial, "entry_serial entry_serial_der", false},
    {entry_twice, "entry_twice", true},
    {late_entry, "entry_date_after", true},
    {early_entry, "entry_date_early", true},
    {zero_reason, "entry_reason_zero", true},
    {hold_reason, "entry_reason", true},
    {no_reason, "", true},
    {no_reason_for_ca, "entry_reason_missing", true},
    {critical_reason, "entry_reason_critical", true},
    {certificate_issuer, "entry_critical", false},
    {reason_twice, "entry_extension_twice", false},
};

static void judge(size_t i, const struct verifier_wanted *wanted, size_t count, struct verifier_crl *out)
{
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    struct verifier_question q = question();
    q.wanted = wanted;
    q.wanted_count = count;
    defects[i].change(&spec, &q);
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, out);
}

static void every_defect_has_its_finding(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        struct verifier_crl judged;
        judge(i, NULL, 0, &judged);
        if (strcmp(ids(&judged.findings), defects[i].ids) != 0)
            fail_msg("defect %zu: findings \"%s\", expected \"%s\"", i, ids(&judged.findings),
                     defects[i].ids);
        assert_int_equal(judged.counts, defects[i].counts);
        bool partial = defects[i].change == idp_reasons;
        assert_int_equal(judged.complete, defects[i].counts && !partial);
    }
}

static void a_shard_without_its_pointer_is_not_complete(void **unused)
{
    (void)unused;
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    struct verifier_question q = question();
    struct verifier_crl judged;
    q.url = NULL;
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
    assert_true(judged.counts && judged.complete);
    idp_good(&spec, &q);
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
    assert_true(judged.counts && !judged.complete);
}

static void what_does_not_count_proves_nothing(void **unused)
{
    (void)unused;
    struct verifier_wanted wanted = {.number = 9, .reason = -1, .serial = {2, {0x12, 0x34}}};
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        struct verifier_crl judged;
        judge(i, &wanted, 1, &judged);
        if (!defects[i].counts) {
            assert_null(judged.sights);
            continue;
        }
        assert_int_equal(judged.sights[0].number, 9);
        if (!judged.sights[0].listed)
            assert_true(defects[i].change == no_entries || defects[i].change == empty_entries);
    }
}

static void sights_tell_date_and_reason(void **unused)
{
    (void)unused;
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    AUTO_BUF entries = {0};
    const int reasons[] = {4, -1, 1, 6, 8};
    for (int i = 0; i < 5; i++) {
        char octets[] = {0x41, (char)(0x41 + i), 0};
        struct str e = entry(octets, hours(-10 + i), reasons[i]);
        buf_add(&entries, e.p, e.n);
    }
    spec.entries = buf_str(&entries);
    struct verifier_question q = question();
    struct verifier_crl judged;
    struct verifier_wanted wanted[6];
    for (uint32_t i = 0; i < 6; i++)
        wanted[i] = (struct verifier_wanted){
            .number = i, .serial = {2, {0x41, (uint8_t)(0x41 + i)}}, .reason = REASON_SUPERSEDED};
    q.wanted = wanted;
    q.wanted_count = 6;
    verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
    assert_int_equal(judged.crl.entry_count, 5);
    assert_string_equal(ids(&judged.findings), "entry_reason entry_reason_asked");
    assert_non_null(strstr(judged.findings.list[0].seen, "2 entries, the first at position 4: serial 4144"));
    const struct verifier_sight *sights = judged.sights;
    const struct {
        bool listed, revoked, differs;
        int reason;
    } expected[] = {{true, true, false, 4}, {true, true, true, 0},  {true, true, true, 1},
                    {true, false, true, 6}, {true, false, true, 8}, {false, false, false, -1}};
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(sights[i].number, i);
        assert_int_equal(sights[i].listed, expected[i].listed);
        assert_int_equal(sights[i].revoked, expected[i].revoked);
        assert_int_equal(sights[i].reason_differs, expected[i].differs);
        assert_int_equal(sights[i].reason, expected[i].reason);
        assert_int_equal(sights[i].at.s, sights[i].listed ? hours(-10 + (int)i).s : INT64_MIN);
    }
}

/* The list must mean the same however it is cut, as DER and as PEM. */
static void pieces_do_not_matter(void **unused)
{
    (void)unused;
    struct verifier_wanted wanted = {.number = 9, .reason = -1, .serial = {2, {0x12, 0x34}}};
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        struct forge_crl spec = forge_crl_good(&arena, &ca);
        struct verifier_question q = question();
        defects[i].change(&spec, &q);
        q.wanted = &wanted;
        q.wanted_count = 1;
        struct str bytes = forge_crl_sign(&arena, &ca, &spec);
        for (size_t size = 1; size < bytes.n; size += size < 20 ? 1 : 97) {
            struct verifier_crl judged;
            struct verifier_reader *r = verifier_crl_begin(&q, &arena);
            for (size_t at = 0; at < bytes.n; at += size) {
                size_t n = bytes.n - at < size ? bytes.n - at : size;
                char *piece = arena_grow(NULL, n); /* so that a tool sees who keeps it */
                memcpy(piece, bytes.p + at, n);
                verifier_crl_add(r, (struct str){piece, n});
                free(piece);
            }
            verifier_crl_end(r, &judged);
            assert_string_equal(ids(&judged.findings), defects[i].ids);
            assert_int_equal(judged.counts, defects[i].counts);
        }
    }
}

static void ocsp_answers_are_judged(void **unused)
{
    (void)unused;
    struct forge_ocsp good = forge_ocsp_good(&arena, &ca), spec[16];
    for (size_t i = 0; i < 16; i++)
        spec[i] = good;
    struct verifier_question q[16];
    for (size_t i = 0; i < 16; i++)
        q[i] = question();
    const char *expected[16] = {"",
                                "ocsp_match",
                                "",
                                "ocsp_unknown",
                                "ocsp_not_issued",
                                "ocsp_reason",
                                "ocsp_next_update",
                                "expired",
                                "this_update_future ocsp_produced_future",
                                "ocsp_validity_long",
                                "ocsp_validity_short",
                                "ocsp_reason_extension",
                                "ocsp_good_before",
                                "ocsp_good_after",
                                "",
                                "ocsp_critical"};
    const bool counts[16] = {true,  false, true, true, true, true, true, false,
                             false, true,  true, true, true, true, true, false};
    const bool revoked[16] = {[0] = true, [6] = true, [9] = true, [10] = true, [11] = true, [14] = true};
    spec[1].serial = FORGE_BYTES("\x12\x35");
    spec[2].status = FORGE_BYTES("\x80\x00");
    spec[3].status = FORGE_BYTES("\x82\x00");
    spec[4].status = forge_ocsp_revoked(&arena, (struct utc){0}, 6);
    spec[5].status = forge_ocsp_revoked(&arena, hours(-5), 6);
    spec[6].next_update = FORGE_BYTES("");
    q[7].now = hours(5 * 24);
    q[8].now = hours(-24);
    spec[9].next_update = forge_wrap(&arena, 0xa0, 1, forge_time(&arena, hours(10 * 24), true));
    spec[10].next_update = forge_wrap(&arena, 0xa0, 1, forge_time(&arena, hours(6), true));
    spec[11].single_extensions = forge_extension(&arena, ID("\x15"), false, FORGE_BYTES("\x0a\x01\x04"));
    spec[12].status = spec[13].status = FORGE_BYTES("\x80\x00");
    q[12].revoked_at = hours(-1); /* the moment it was made */
    q[13].revoked_at = utc_add(hours(-1), (struct span){-1});
    const struct str nonce = FORGE_BYTES("\x2b\x06\x01\x05\x05\x07\x30\x01\x02");
    spec[14].single_extensions = forge_extension(&arena, nonce, true, FORGE_BYTES("\x04\x01\x05"));
    spec[15].single_extensions = forge_extension(&arena, ID("\x1d"), true, FORGE_BYTES("\x30\x00"));
    struct serial asked = {2, {0x12, 0x34}};
    for (size_t i = 0; i < 16; i++) {
        struct verifier_ocsp judged;
        verifier_judge_ocsp(forge_ocsp_sign(&arena, &ca, &ca, &spec[i]), &asked, &q[i], &cache, &arena,
                            &judged);
        if (strcmp(ids(&judged.findings), expected[i]) != 0)
            fail_msg("answer %zu: \"%s\", expected \"%s\"", i, ids(&judged.findings), expected[i]);
        assert_int_equal(judged.counts, counts[i]);
        assert_int_equal(judged.revoked, revoked[i]);
    }
}

static void ocsp_without_proof_is_nothing(void **unused)
{
    (void)unused;
    struct serial asked = {2, {0x12, 0x34}};
    struct forge_ocsp good = forge_ocsp_good(&arena, &ca);
    struct str bytes = forge_ocsp_sign(&arena, &ca, &ca, &good);
    char *forged = arena_copy(&arena, bytes.p, bytes.n);
    forged[bytes.n - 1] ^= 1;
    struct verifier_question q = question(), blind = question();
    blind.issuer = NULL;
    const struct {
        struct str bytes;
        const struct verifier_question *q;
        const char *ids;
    } cases[] = {{{forged, bytes.n}, &q, "signature"},
                 {bytes, &blind, "signature_unchecked"},
                 {FORGE_BYTES("\x30\x03\x0a\x01\x06"), &q, "ocsp_status"},
                 {FORGE_BYTES("<html>"), &q, "unparsable"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verifier_ocsp judged;
        verifier_judge_ocsp(cases[i].bytes, &asked, cases[i].q, &cache, &arena, &judged);
        assert_string_equal(ids(&judged.findings), cases[i].ids);
        assert_false(judged.counts || judged.revoked);
    }
}

static void findings_are_told_as_the_contract_says(void **unused)
{
    (void)unused;
    struct verifier_question q = question();
    struct verifier_crl judged;
    verifier_judge_crl(str_of("no list"), &q, &arena, &judged);
    assert_false(judged.parsed || judged.counts);
    assert_int_equal(judged.findings.errors, 1);
    AUTO_JSON *json = verifier_json("x.crl", &judged.findings);
    AUTO_BUF out = {0};
    json_canonical(json, &out);
    assert_string_equal(out.p,
                        "{\"findings\":[{\"expected\":\"one well-formed DER object\",\"id\":\"unparsable\","
                        "\"section\":\"RFC 5280 5.1, RFC 6960 4.2.1\",\"seen\":\"CRL: neither DER nor a "
                        "PEM block of the right kind\",\"severity\":\"error\"}],\"object\":\"x.crl\"}");
    buf_clear(&out);
    verifier_text("x.crl", &judged.findings, &out);
    assert_non_null(strstr(out.p, "x.crl: error: unparsable: seen: CRL: neither"));
    buf_clear(&out);
    verifier_text("x.crl", &(struct findings){.count = 0}, &out);
    assert_string_equal(out.p, "x.crl: no findings\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_defect_has_its_finding),
        cmocka_unit_test(a_shard_without_its_pointer_is_not_complete),
        cmocka_unit_test(what_does_not_count_proves_nothing),
        cmocka_unit_test(sights_tell_date_and_reason),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(ocsp_answers_are_judged),
        cmocka_unit_test(ocsp_without_proof_is_nothing),
        cmocka_unit_test(findings_are_told_as_the_contract_says),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
