/* Does the CRL walk read what is there, refuse what is malformed, and never see less than OpenSSL does? */
#include "../../lib/forge.h"
#include "../../lib/stock.h"
#include "massrevoke/crl_read.h"
#include "massrevoke/file.h"

#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct forge_ca ca, rsa;
static const uint64_t seed[2] = {0x1234567890abcdef, 42};

static int set_up(void **unused)
{
    (void)unused;
    ca = forge_ca(&arena, FORGE_CA, "Forge CA", NULL);
    rsa = forge_ca(&arena, FORGE_CA_RSA, "Forge RSA", NULL);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    forge_ca_free(&ca);
    forge_ca_free(&rsa);
    arena_free(&arena);
    return 0;
}

static struct crl parsed(struct str bytes)
{
    struct crl crl;
    struct fault f = {0};
    if (!crl_parse(bytes, &arena, &crl, &f))
        fail_msg("%s", f.text);
    return crl;
}

static const char *refusal(struct str bytes)
{
    static struct fault f;
    struct crl crl;
    f = (struct fault){0};
    assert_false(crl_parse(bytes, &arena, &crl, &f));
    return f.text;
}

static struct serial serial(const char *hex)
{
    struct serial s;
    assert_null(serial_from_hex(str_of(hex), &s));
    return s;
}

static void header_and_entries_are_read(void **unused)
{
    (void)unused;
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    struct utc at = {1794000000};
    struct str date =
        forge_extension(&arena, FORGE_BYTES("\x55\x1d\x18"), false, forge_time(&arena, at, true));
    spec.entries =
        forge_join(&arena, spec.entries, forge_entry(&arena, FORGE_BYTES("\x00\xff\x01"), at, -1, date));
    spec.extensions = forge_join(&arena, spec.extensions,
                                 forge_idp(&arena, "http://crl.example/1", FORGE_BYTES("\x81\x01\xff")));
    struct crl crl = parsed(forge_crl_sign(&arena, &ca, &spec));
    assert_int_equal(crl.version, 1);
    assert_true(str_equal(crl.issuer, ca.issuer.subject_der));
    assert_int_equal(crl.this_update.s, FORGE_NOW.s - 3600);
    assert_int_equal(crl.next_update.s, FORGE_NOW.s - 3600 + 7 * 86400);
    assert_true(crl.time_forms_ok && crl.aki.present && str_equal(crl.aki.key, ca.issuer.ski));
    assert_true(crl.number.present && crl.number.octets.n == 1 && crl.number.octets.p[0] == 7);
    assert_true(crl.idp.critical && crl.idp.only_user && !crl.idp.only_ca && crl.idp.uri_count == 1);
    assert_true(str_is(crl.idp.uris[0], "http://crl.example/1"));
    struct crl_walk w = crl_walk(&crl);
    struct crl_entry e;
    assert_true(crl_next(&w, &e));
    struct serial first = serial("1234"), second = serial("ff01");
    assert_true(serial_equal(&e.serial, &first) && e.reason == 4 && e.index == 0);
    assert_false(utc_is_set(e.invalidity));
    assert_true(crl_next(&w, &e));
    assert_true(serial_equal(&e.serial, &second) && e.reason == -1 && e.serial_der.n == 3);
    assert_true(e.at.s == at.s && e.invalidity.s == at.s);
    assert_false(crl_next(&w, &e));
    assert_null(w.problem);
}

static void odd_entries_are_marked(void **unused)
{
    (void)unused;
    struct utc at = {1794000000};
    struct str critical = forge_extension(&arena, FORGE_BYTES("\x55\x1d\x1d"), true, FORGE_BYTES("\x30\x00"));
    struct str reason =
        forge_extension(&arena, FORGE_BYTES("\x55\x1d\x15"), false, FORGE_BYTES("\x0a\x01\x01"));
    const struct {
        struct str serial, more;
        int reason;
        bool serial_ok, unknown_critical, duplicate;
    } cases[] = {
        {FORGE_BYTES("\x12"), FORGE_BYTES(""), 4, true, false, false},
        {FORGE_BYTES("\x00\x12"), FORGE_BYTES(""), 4, false, false, false}, /* not the shortest form */
        {FORGE_BYTES("\x80"), FORGE_BYTES(""), 4, false, false, false},     /* negative */
        {FORGE_BYTES("\x00"), FORGE_BYTES(""), 4, false, false, false},     /* zero */
        {FORGE_BYTES("\x01xxxxxxxxxxxxxxxxxxxx"), FORGE_BYTES(""), 4, false, false, false},
        {FORGE_BYTES("\x00\x80xxxxxxxxxxxxxxxxxxx"), FORGE_BYTES(""), 4, true, false, false},
        {FORGE_BYTES("\x12"), critical, 4, true, true, false},
        {FORGE_BYTES("\x12"), reason, 4, true, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forge_crl spec = forge_crl_good(&arena, &ca);
        spec.entries = forge_entry(&arena, cases[i].serial, at, cases[i].reason, cases[i].more);
        struct crl crl = parsed(forge_crl_sign(&arena, &ca, &spec));
        struct crl_walk w = crl_walk(&crl);
        struct crl_entry e;
        assert_true(crl_next(&w, &e));
        assert_int_equal(e.serial_ok, cases[i].serial_ok);
        assert_int_equal(e.unknown_critical, cases[i].unknown_critical);
        assert_int_equal(e.duplicate, cases[i].duplicate);
        assert_true(str_equal(e.serial_der, cases[i].serial));
    }
}

static void malformed_bytes_are_refused(void **unused)
{
    (void)unused;
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    struct str good = forge_crl_sign(&arena, &ca, &spec);
    assert_non_null(strstr(refusal(forge_join(&arena, good, FORGE_BYTES("\0"))), "after the end"));
    assert_non_null(strstr(refusal(FORGE_BYTES("")), "neither DER nor"));
    for (size_t n = 0; n < good.n; n++)
        (void)refusal((struct str){good.p, n});
    spec.this_update = forge_wrap(&arena, 0x17, 1, FORGE_BYTES("261331000000Z"));
    assert_non_null(strstr(refusal(forge_crl_sign(&arena, &ca, &spec)), "thisUpdate"));
    spec = forge_crl_good(&arena, &ca);
    spec.extensions = forge_extension(&arena, FORGE_BYTES("\x55\x1d\x14"), false, FORGE_BYTES("\x02\x00"));
    assert_non_null(strstr(refusal(forge_crl_sign(&arena, &ca, &spec)), "cRLNumber"));
    spec = forge_crl_good(&arena, &ca);
    spec.entries = FORGE_BYTES("\x30\x03\x02\x01\x05");
    struct crl crl = parsed(forge_crl_sign(&arena, &ca, &spec));
    struct crl_walk w = crl_walk(&crl);
    struct crl_entry e;
    assert_false(crl_next(&w, &e));
    assert_non_null(w.problem);
    struct crl_hit hit;
    struct serial wanted = serial("05");
    struct fault f = {0};
    assert_false(crl_match(&crl, &wanted, 1, seed, &hit, &f));
}

/* The exact AlgorithmIdentifier of RSASSA-PSS with SHA-256 in BR 7.1.3.2.1, typed from its hexadecimal form.
 */
static const char pss[] = "304106092a864886f70d01010a3034a00f300d0609608648016503040201"
                          "0500a11c301a06092a864886f70d010108300d0609608648016503040201"
                          "0500a203020120";

static struct str from_hex(const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *out = arena_alloc(&arena, n + 1);
    for (size_t i = 0; i < n; i++)
        out[i] = (char)strtol((char[]){hex[2 * i], hex[2 * i + 1], 0}, NULL, 16);
    return (struct str){out, n};
}

static void signatures_are_checked(void **unused)
{
    (void)unused;
    const struct {
        const struct forge_ca *ca;
        struct str algorithm;
        const char *problem;
    } cases[] = {
        {&ca, FORGE_ECDSA_SHA256, NULL},
        {&ca, FORGE_ECDSA_SHA384, NULL},
        {&rsa, FORGE_BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), NULL},
        {&rsa, from_hex(pss), NULL},
        {&rsa, FORGE_BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"), "none of BR"},
        {&rsa, FORGE_ECDSA_SHA256, "does not fit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forge_crl spec = forge_crl_good(&arena, cases[i].ca);
        spec.inner = spec.outer = cases[i].algorithm;
        struct crl crl = parsed(forge_crl_sign(&arena, cases[i].ca, &spec));
        const char *problem = crl_signature_problem(&crl, &cases[i].ca->issuer);
        if (cases[i].problem == NULL)
            assert_null(problem);
        else
            assert_non_null(strstr(problem, cases[i].problem));
        assert_non_null(crl_signature_problem(&crl, cases[i].ca == &ca ? &rsa.issuer : &ca.issuer));
    }
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    spec.inner = FORGE_ECDSA_SHA384;
    struct crl crl = parsed(forge_crl_sign(&arena, &ca, &spec));
    assert_non_null(strstr(crl_signature_problem(&crl, &ca.issuer), "differ"));
}

/* Serial of the n-th entry of the large list: spread, so that they do not ascend. */
static struct str spread(uint32_t n)
{
    uint32_t mixed = n * 2654435761u;
    char *p = arena_alloc(&arena, 6);
    for (int i = 0; i < 4; i++)
        p[1 + i] = (char)(mixed >> (24 - 8 * i));
    p[0] = 1;
    return (struct str){p, 5};
}

static void matching_finds_all_and_only_the_listed(void **unused)
{
    (void)unused;
    enum { LISTED = 3000, WANTED = 2000 };
    AUTO_BUF entries = {0};
    for (uint32_t i = 0; i < LISTED; i++) {
        struct str e = forge_entry(&arena, spread(i), (struct utc){1794000000 + i}, 4, FORGE_BYTES(""));
        buf_add(&entries, e.p, e.n);
    }
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    spec.entries = buf_str(&entries);
    struct crl crl = parsed(forge_crl_sign(&arena, &ca, &spec));
    struct crl_entry first;
    assert_int_equal(crl_count_doubles(&crl, LISTED + 1, seed, &first), 0);
    static struct serial wanted[WANTED + 1];
    static struct crl_hit hits[WANTED + 1];
    for (uint32_t i = 0; i < WANTED; i++) { /* half of them listed */
        struct str s = spread(i * 3);
        assert_null(serial_from_octets((const uint8_t *)s.p, s.n, &wanted[i]));
    }
    wanted[WANTED] = wanted[7]; /* the same certificate twice among the wanted */
    struct fault f = {0};
    assert_true(crl_match(&crl, wanted, WANTED + 1, seed, hits, &f));
    for (uint32_t i = 0; i < WANTED; i++) {
        assert_int_equal(hits[i].listed, i * 3 < LISTED);
        if (hits[i].listed)
            assert_int_equal(hits[i].at.s, 1794000000 + i * 3);
    }
    assert_true(hits[WANTED].listed && hits[WANTED].entries == 1);
    struct str again = forge_entry(&arena, spread(5), (struct utc){1}, 1, FORGE_BYTES(""));
    buf_add(&entries, again.p, again.n);
    spec.entries = buf_str(&entries);
    crl = parsed(forge_crl_sign(&arena, &ca, &spec));
    assert_int_equal(crl_count_doubles(&crl, LISTED + 1, seed, &first), 1);
    assert_int_equal(first.index, LISTED);
}

static void numbers_compare_as_numbers(void **unused)
{
    (void)unused;
    assert_true(crl_number_compare(FORGE_BYTES("\x02"), FORGE_BYTES("\x01\x00")) < 0);
    assert_true(crl_number_compare(FORGE_BYTES("\x00\x02"), FORGE_BYTES("\x02")) == 0);
    assert_true(crl_number_compare(FORGE_BYTES("\xff"), FORGE_BYTES("\x01")) > 0);
    assert_true(crl_number_compare(FORGE_BYTES(""), FORGE_BYTES("\x01")) < 0);
}

/* Every entry that OpenSSL lists must be found by the walk, in order and with the same bytes. */
static void assert_same_entries(X509_CRL *theirs, const struct crl *ours)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(theirs);
    struct crl_walk w = crl_walk(ours);
    struct crl_entry e;
    for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
        const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, i));
        struct serial s;
        assert_true(crl_next(&w, &e));
        assert_null(
            serial_from_octets(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number), &s));
        assert_true(serial_equal(&s, &e.serial));
    }
    assert_false(crl_next(&w, &e));
    assert_null(w.problem);
}

static struct str stock_bytes(const char *folder, const char *name)
{
    struct str out;
    struct fault f = {0};
    if (!file_read(file_join(&arena, folder, name), 1 << 20, &arena, &out, &f))
        fail_msg("%s", f.text);
    return out;
}

/* What the stock tool wrote, with each byte changed in turn: never accept what OpenSSL refuses. */
static void mutants_are_refused_as_openssl_does(void **unused)
{
    (void)unused;
    char folder[STOCK_PATH];
    stock_folder(folder);
    bool made = stock_ca(folder, 8, 5);
    if (!made) {
        stock_remove(folder);
        fail_msg("openssl is needed for this test");
    }
    struct verify_issuer issuer;
    struct fault f = {0};
    assert_true(verify_issuer_load(stock_bytes(folder, "ca.pem"), &arena, &issuer, &f));
    struct crl from_pem = parsed(stock_bytes(folder, "crl.pem"));
    assert_null(crl_signature_problem(&from_pem, &issuer));
    struct str good = stock_bytes(folder, "crl.der");
    stock_remove(folder);
    size_t both = 0;
    for (size_t i = 0; i <= good.n; i++)
        for (int change = 0; change < 4; change++) {
            AUTO_ARENA scratch = {0};
            char *bytes = arena_copy(&scratch, good.p, good.n);
            static const char changes[] = {1, 0x10, (char)0x80, (char)0xff};
            if (i < good.n)
                bytes[i] = (char)(bytes[i] ^ changes[change]);
            struct crl ours;
            bool accepted = crl_parse((struct str){bytes, good.n}, &scratch, &ours, &f) &&
                            crl_signature_problem(&ours, &issuer) == NULL;
            const unsigned char *p = (const unsigned char *)bytes;
            X509_CRL *theirs = d2i_X509_CRL(NULL, &p, (long)good.n);
            if (accepted) {
                assert_non_null(theirs);
                assert_int_equal(X509_CRL_verify(theirs, issuer.pkey), 1);
                assert_same_entries(theirs, &ours);
                both++;
            }
            X509_CRL_free(theirs);
        }
    assert_true(both >= 4); /* the unchanged one was accepted each time */
    verify_issuer_free(&issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_and_entries_are_read),
        cmocka_unit_test(odd_entries_are_marked),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(signatures_are_checked),
        cmocka_unit_test(matching_finds_all_and_only_the_listed),
        cmocka_unit_test(numbers_compare_as_numbers),
        cmocka_unit_test(mutants_are_refused_as_openssl_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
