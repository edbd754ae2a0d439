/* Does the CRL walk read what is there, refuse what is malformed, and never see less than OpenSSL does? */
#include "../../lib/forge.h"
#include "../../lib/stock.h"
#include "massrevoke/crl_read.h"
#include "massrevoke/file.h"
#include "pki/serial_set.h"

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

/* The entries of the last list read, copied. */
static struct crl_listed *seen;
static size_t seen_count;

static void collect(void *context, const struct crl *head, const struct crl_listed *entries, size_t count)
{
    struct arena *a = context;
    (void)head;
    struct crl_listed *all = arena_array(a, seen_count + count, sizeof *all);
    memcpy(all, seen, seen_count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[seen_count] = entries[i];
        all[seen_count].serial_der.p = arena_copy(a, entries[i].serial_der.p, entries[i].serial_der.n);
        seen_count++;
    }
    seen = all;
}

static bool reads(struct str bytes, const struct verify_issuer *issuer, struct arena *a, struct crl *out,
                  struct fault *f)
{
    const struct crl_question q = {
        .issuer = issuer, .seed = {seed[0], seed[1]}, .entries = collect, .context = a};
    seen = arena_alloc(a, 0);
    seen_count = 0;
    return crl_read(bytes, &q, a, out, NULL, f);
}

static struct crl parsed_for(struct str bytes, const struct verify_issuer *issuer)
{
    struct crl crl;
    struct fault f = {0};
    if (!reads(bytes, issuer, &arena, &crl, &f))
        fail_msg("%s", f.text);
    assert_int_equal(seen_count, crl.entry_count);
    return crl;
}

static struct crl parsed(struct str bytes)
{
    return parsed_for(bytes, NULL);
}

static const char *refusal(struct str bytes)
{
    static struct fault f;
    struct crl crl;
    f = (struct fault){0};
    assert_false(reads(bytes, NULL, &arena, &crl, &f));
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
    assert_null(crl.entry_problem);
    assert_int_equal(seen_count, 2);
    struct crl_listed e = seen[0];
    struct serial first = serial("1234"), second = serial("ff01");
    assert_true(serial_equal(&e.serial, &first) && e.reason == 4 && e.index == 0);
    assert_false(utc_is_set(e.invalidity));
    e = seen[1];
    assert_true(serial_equal(&e.serial, &second) && e.reason == -1 && e.serial_der.n == 3);
    assert_true(e.at.s == at.s && e.invalidity.s == at.s);
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
        (void)parsed(forge_crl_sign(&arena, &ca, &spec));
        assert_int_equal(seen_count, 1);
        struct crl_listed e = seen[0];
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
    assert_non_null(crl.entry_problem);
    assert_int_equal(seen_count, 0);
}

/* Parts have limits, so that nobody makes us hold a list. */
static void large_parts_are_refused(void **unused)
{
    (void)unused;
    enum { LARGE = 70000 };
    char *zeros = arena_alloc(&arena, LARGE);
    struct str large = forge_wrap(&arena, 0x04, 1, (struct str){zeros, LARGE});
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    spec.issuer = forge_wrap(&arena, 0x30, 1, large);
    assert_non_null(strstr(refusal(forge_crl_sign(&arena, &ca, &spec)), "before the entries"));
    spec = forge_crl_good(&arena, &ca);
    spec.extensions = forge_extension(&arena, FORGE_BYTES("\x2a\x03"), false, large);
    assert_non_null(strstr(refusal(forge_crl_sign(&arena, &ca, &spec)), "behind the entries"));
    spec = forge_crl_good(&arena, &ca);
    spec.entries = forge_entry(&arena, FORGE_BYTES("\x12"), FORGE_NOW, 4,
                               forge_extension(&arena, FORGE_BYTES("\x2a\x03"), false, large));
    struct crl crl = parsed_for(forge_crl_sign(&arena, &ca, &spec), &ca.issuer);
    assert_non_null(crl.entry_problem);
    assert_null(crl.signature_problem); /* what could not be read was signed all the same */
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
        struct str bytes = forge_crl_sign(&arena, cases[i].ca, &spec);
        const char *problem = parsed_for(bytes, &cases[i].ca->issuer).signature_problem;
        if (cases[i].problem == NULL)
            assert_null(problem);
        else
            assert_non_null(strstr(problem, cases[i].problem));
        const struct forge_ca *other = cases[i].ca == &ca ? &rsa : &ca;
        assert_non_null(parsed_for(bytes, &other->issuer).signature_problem);
    }
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    spec.inner = FORGE_ECDSA_SHA384;
    struct crl crl = parsed_for(forge_crl_sign(&arena, &ca, &spec), &ca.issuer);
    assert_non_null(strstr(crl.signature_problem, "differ"));
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

static struct crl_hit *hits_in(struct str bytes, const struct verify_issuer *issuer,
                               const struct serial *wanted, size_t count, struct crl *crl)
{
    struct crl_hit *hits;
    struct fault f = {0};
    const struct crl_question q = {.issuer = issuer,
                                   .seed = {seed[0], seed[1]},
                                   .entries = collect,
                                   .context = &arena,
                                   .wanted = wanted,
                                   .stride = sizeof *wanted,
                                   .wanted_count = count};
    seen_count = 0;
    assert_true(crl_read(bytes, &q, &arena, crl, &hits, &f));
    return hits;
}

static size_t repeated(void)
{
    size_t n = 0;
    for (size_t i = 0; i < seen_count; i++)
        n += seen[i].repeated;
    return n;
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
    static struct serial wanted[WANTED + 1];
    for (uint32_t i = 0; i < WANTED; i++) { /* half of them listed */
        struct str s = spread(i * 3);
        assert_null(serial_from_octets((const uint8_t *)s.p, s.n, &wanted[i]));
    }
    wanted[WANTED] = wanted[7]; /* the same certificate twice among the wanted */
    struct crl crl;
    struct str bytes = forge_crl_sign(&arena, &ca, &spec);
    struct crl_hit *hits = hits_in(bytes, &ca.issuer, wanted, WANTED + 1, &crl);
    assert_int_equal(repeated(), 0);
    for (uint32_t i = 0; i < WANTED; i++) {
        assert_int_equal(hits[i].entries, i * 3 < LISTED);
        if (hits[i].entries > 0)
            assert_int_equal(hits[i].at.s, 1794000000 + i * 3);
    }
    assert_int_equal(hits[WANTED].entries, 1);
    free(hits);
    assert_null(hits_in(bytes, &rsa.issuer, wanted, WANTED + 1, &crl)); /* not signed: nothing is told */
    assert_null(hits_in(bytes, NULL, wanted, WANTED + 1, &crl));
    for (uint32_t i = 5; i < 8; i++) { /* one wanted, two not */
        struct str again = forge_entry(&arena, spread(i), (struct utc){1}, 1, FORGE_BYTES(""));
        buf_add(&entries, again.p, again.n);
    }
    spec.entries = buf_str(&entries);
    hits = hits_in(forge_crl_sign(&arena, &ca, &spec), &ca.issuer, wanted, WANTED + 1, &crl);
    assert_int_equal(repeated(), 3);
    assert_true(seen[LISTED].repeated && seen[LISTED + 1].repeated && seen[LISTED + 2].repeated);
    assert_int_equal(hits[2].entries, 2);
    assert_int_equal(hits[2].at.s, 1794000000 + 6); /* the first one is told */
    free(hits);
}

/* Exact while all fit, a keyed share beyond, never more room. */
static void repeats_are_watched_in_bounded_memory(void **unused)
{
    (void)unused;
    struct serial_seen set = serial_seen_make(10);
    size_t repeats = 0, n = 3 * SERIAL_SEEN_MOST;
    for (size_t i = 0; i < n; i++) {
        struct serial s = {.n = 4, .bytes = {1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
        if (i < SERIAL_SEEN_MOST) { /* twice, and found at once */
            assert_false(serial_seen_add(&set, serial_hash(seed, &s)));
            assert_true(serial_seen_add(&set, serial_hash(seed, &s)));
            continue;
        }
        repeats += serial_seen_add(&set, serial_hash(seed, &s));
        repeats += serial_seen_add(&set, serial_hash(seed, &s));
    }
    assert_int_equal(set.mask + 1, 2 * SERIAL_SEEN_MOST);
    assert_true(set.count <= SERIAL_SEEN_MOST && set.top == (uint64_t)3 << 62);
    assert_true(repeats > SERIAL_SEEN_MOST / 2 && repeats < 2 * SERIAL_SEEN_MOST);
    serial_seen_free(&set);
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
    int count = sk_X509_REVOKED_num(list);
    assert_int_equal(seen_count, count < 0 ? 0 : count);
    assert_null(ours->entry_problem);
    for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
        const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, i));
        struct serial s;
        assert_null(
            serial_from_octets(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number), &s));
        assert_true(serial_equal(&s, &seen[i].serial));
    }
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
    assert_null(parsed_for(stock_bytes(folder, "crl.pem"), &issuer).signature_problem);
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
            bool accepted = reads((struct str){bytes, good.n}, &issuer, &scratch, &ours, &f) &&
                            ours.signature_problem == NULL;
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
        cmocka_unit_test(large_parts_are_refused),
        cmocka_unit_test(signatures_are_checked),
        cmocka_unit_test(matching_finds_all_and_only_the_listed),
        cmocka_unit_test(repeats_are_watched_in_bounded_memory),
        cmocka_unit_test(numbers_compare_as_numbers),
        cmocka_unit_test(mutants_are_refused_as_openssl_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
