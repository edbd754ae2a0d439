/* Is an OCSP answer believed only from the issuer or its delegate, and only about the certificate asked for?
 */
#include "../../lib/forge.h"
#include "../../lib/stock.h"
#include "massrevoke/file.h"
#include "massrevoke/ocsp.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct forge_ca ca, other, responder, no_eku, expired, stranger;
static struct ocsp_cache cache;

static int set_up(void **unused)
{
    (void)unused;
    ca = forge_ca(&arena, FORGE_CA, "Forge CA", NULL);
    other = forge_ca(&arena, FORGE_CA, "Other CA", NULL);
    responder = forge_ca(&arena, FORGE_RESPONDER, "Responder", &ca);
    no_eku = forge_ca(&arena, FORGE_NO_EKU, "No EKU", &ca);
    expired = forge_ca(&arena, FORGE_EXPIRED_RESPONDER, "Expired", &ca);
    stranger = forge_ca(&arena, FORGE_RESPONDER, "Stranger", &other);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    struct forge_ca *all[] = {&ca, &other, &responder, &no_eku, &expired, &stranger};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        forge_ca_free(all[i]);
    ocsp_cache_free(&cache);
    arena_free(&arena);
    return 0;
}

static struct serial serial(const char *hex)
{
    struct serial s;
    assert_null(serial_from_hex(str_of(hex), &s));
    return s;
}

static struct ocsp_response parsed(struct str bytes)
{
    struct ocsp_response r;
    struct fault f = {0};
    if (!ocsp_parse(bytes, &r, &f))
        fail_msg("%s", f.text);
    return r;
}

static struct ocsp_response made(const struct forge_ca *signer, const struct forge_ocsp *spec)
{
    return parsed(forge_ocsp_sign(&arena, &ca, signer, spec));
}

static void requests_are_what_openssl_would_send(void **unused)
{
    (void)unused;
    const struct {
        enum certid_hash hash;
        const EVP_MD *(*md)(void);
        const char *hex;
    } cases[] = {{CERTID_SHA1, EVP_sha1, "12"},
                 {CERTID_SHA1, EVP_sha1, "F234"},
                 {CERTID_SHA256, EVP_sha256, "FF00112233445566778899AABBCCDDEEFF001122"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct serial s = serial(cases[i].hex);
        struct str ours = ocsp_request(&ca.issuer, &s, cases[i].hash, &arena);
        BIGNUM *number = BN_bin2bn(s.bytes, s.n, NULL);
        ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
        OCSP_CERTID *id = OCSP_cert_id_new(cases[i].md(), X509_get_subject_name(ca.x509),
                                           X509_get0_pubkey_bitstr(ca.x509), integer);
        OCSP_REQUEST *request = OCSP_REQUEST_new();
        assert_non_null(OCSP_request_add0_id(request, id));
        unsigned char *der = NULL;
        int n = i2d_OCSP_REQUEST(request, &der);
        assert_int_equal(n, ours.n);
        assert_memory_equal(der, ours.p, ours.n);
        OPENSSL_free(der);
        OCSP_REQUEST_free(request);
        ASN1_INTEGER_free(integer);
        BN_free(number);
    }
}

static void status_is_read(void **unused)
{
    (void)unused;
    struct utc at = {1794000000};
    const struct {
        struct str status;
        enum ocsp_status expected;
        int64_t revoked_at;
        int reason;
        bool not_issued;
    } cases[] = {
        {FORGE_BYTES("\x80\x00"), OCSP_GOOD, INT64_MIN, -1, false},
        {FORGE_BYTES("\x82\x00"), OCSP_UNKNOWN, INT64_MIN, -1, false},
        {forge_ocsp_revoked(&arena, at, 4), OCSP_REVOKED, at.s, 4, false},
        {forge_ocsp_revoked(&arena, at, -1), OCSP_REVOKED, at.s, -1, false},
        {forge_ocsp_revoked(&arena, (struct utc){0}, 6), OCSP_REVOKED, 0, 6, true},
        {forge_ocsp_revoked(&arena, at, 6), OCSP_REVOKED, at.s, 6, false},
    };
    struct serial asked = serial("1234");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int hash = 0; hash < CERTID_HASH_COUNT; hash++) {
            struct forge_ocsp spec = forge_ocsp_good(&arena, &ca);
            spec.status = cases[i].status;
            spec.hash = (enum certid_hash)hash;
            struct ocsp_response r = made(&ca, &spec);
            struct ocsp_single single;
            assert_null(ocsp_find(&r, &ca.issuer, &asked, &single));
            assert_int_equal(single.status, cases[i].expected);
            assert_int_equal(single.revoked_at.s, cases[i].revoked_at);
            assert_int_equal(single.reason, cases[i].reason);
            assert_int_equal(single.not_issued, cases[i].not_issued);
            assert_int_equal(single.next_update.s - single.this_update.s, 4 * 86400);
        }
}

static void only_the_certificate_asked_for_is_found(void **unused)
{
    (void)unused;
    struct forge_ocsp spec = forge_ocsp_good(&arena, &ca);
    struct ocsp_response r = made(&ca, &spec);
    struct ocsp_single single;
    struct serial neighbour = serial("1235"), asked = serial("1234");
    assert_non_null(ocsp_find(&r, &ca.issuer, &neighbour, &single));
    assert_non_null(ocsp_find(&r, &other.issuer, &asked, &single));
    spec.serial = FORGE_BYTES("\x00\x12\x34"); /* not as DER encodes it */
    r = made(&ca, &spec);
    assert_non_null(ocsp_find(&r, &ca.issuer, &asked, &single));
}

/* One answer about several certificates: each is found by its own name, and none twice. */
static void one_of_several_is_found(void **unused)
{
    (void)unused;
    struct forge_ocsp spec = forge_ocsp_good(&arena, &ca), more = spec;
    struct ocsp_single single;
    struct serial asked = serial("1234"), neighbour = serial("1235");
    more.serial = FORGE_BYTES("\x12\x35");
    more.status = FORGE_BYTES("\x80\x00");
    more.hash = CERTID_SHA256;
    spec.others = forge_ocsp_single(&arena, &ca, &more);
    struct ocsp_response r = made(&ca, &spec);
    assert_null(ocsp_find(&r, &ca.issuer, &asked, &single));
    assert_int_equal(single.status, OCSP_REVOKED);
    assert_null(ocsp_find(&r, &ca.issuer, &neighbour, &single));
    assert_int_equal(single.status, OCSP_GOOD);
    more.serial = spec.serial; /* good and revoked in one answer: which is it? */
    spec.others = forge_ocsp_single(&arena, &ca, &more);
    r = made(&ca, &spec);
    assert_non_null(ocsp_find(&r, &ca.issuer, &asked, &single));
}

static void only_issuer_and_delegate_are_believed(void **unused)
{
    (void)unused;
    const struct {
        const struct forge_ca *signer;
        const char *problem; /* NULL: good */
    } cases[] = {
        {&ca, NULL},
        {&responder, NULL},
        {&responder, NULL}, /* out of the cache */
        {&no_eku, "OCSPSigning"},
        {&expired, "not valid now"},
        {&expired, "not valid now"},
        {&stranger, "not issued directly"},
        {&other, "not issued directly"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int by_key = 0; by_key < 2; by_key++) {
            const struct forge_ca *signer = cases[i].signer;
            struct forge_ocsp spec = forge_ocsp_good(&arena, signer);
            struct str key = {(const char *)signer->issuer.key_hash[CERTID_SHA1], 20};
            if (by_key)
                spec.responder = forge_wrap(&arena, 0xa2, 1, forge_wrap(&arena, 0x04, 1, key));
            /* a decoy first: the right one is found by its name */
            spec.certificates = forge_join(&arena, responder.der, signer->der);
            struct ocsp_response r = made(signer, &spec);
            struct ocsp_signer who;
            const char *problem = ocsp_signature_problem(&r, &ca.issuer, FORGE_NOW, &cache, &who);
            if (cases[i].problem == NULL)
                assert_null(problem);
            else
                assert_non_null(strstr(problem, cases[i].problem));
            assert_int_equal(who.is_issuer, signer == &ca);
            if (signer == &responder)
                assert_true(who.has_nocheck);
        }
    assert_int_equal(cache.count, 2); /* the good one and the expired one, each decoded once */
    struct forge_ocsp spec = forge_ocsp_good(&arena, &responder);
    struct ocsp_response r = made(&responder, &spec); /* no certificate sent along */
    struct ocsp_signer who;
    assert_non_null(ocsp_signature_problem(&r, &ca.issuer, FORGE_NOW, &cache, &who));
}

static void error_answers_and_malformed_ones(void **unused)
{
    (void)unused;
    struct ocsp_response r = parsed(FORGE_BYTES("\x30\x03\x0a\x01\x03"));
    assert_string_equal(ocsp_response_status_name(r.response_status), "tryLater");
    assert_null(ocsp_response_status_name(4));
    struct fault f = {0};
    struct forge_ocsp spec = forge_ocsp_good(&arena, &ca);
    struct str good = forge_ocsp_sign(&arena, &ca, &ca, &spec);
    for (size_t n = 0; n < good.n; n++)
        assert_false(ocsp_parse((struct str){good.p, n}, &r, &f));
    assert_false(ocsp_parse(forge_join(&arena, good, FORGE_BYTES("x")), &r, &f));
    assert_non_null(strstr(f.text, "after the end"));
}

/* Each byte changed in turn: an answer that is still believed must say the same, and OpenSSL must believe it.
 */
static void mutants_change_nothing(void **unused)
{
    (void)unused;
    struct forge_ocsp spec = forge_ocsp_good(&arena, &responder);
    spec.certificates = responder.der;
    struct str good = forge_ocsp_sign(&arena, &ca, &responder, &spec);
    struct serial asked = serial("1234");
    STACK_OF(X509) *certificates = sk_X509_new_null();
    sk_X509_push(certificates, responder.x509);
    size_t believed = 0;
    for (size_t i = 0; i <= good.n; i++) {
        AUTO_ARENA scratch = {0};
        struct fault f;
        char *bytes = arena_copy(&scratch, good.p, good.n);
        if (i < good.n)
            bytes[i] = (char)(bytes[i] ^ 0x11);
        struct ocsp_response r;
        struct ocsp_single single;
        struct ocsp_signer who;
        bool good_here = ocsp_parse((struct str){bytes, good.n}, &r, &f) && r.response_status == 0 &&
                         ocsp_signature_problem(&r, &ca.issuer, FORGE_NOW, &cache, &who) == NULL &&
                         ocsp_find(&r, &ca.issuer, &asked, &single) == NULL;
        if (!good_here)
            continue;
        believed++;
        assert_int_equal(single.status, OCSP_REVOKED);
        const unsigned char *p = (const unsigned char *)bytes;
        OCSP_RESPONSE *theirs = d2i_OCSP_RESPONSE(NULL, &p, (long)good.n);
        OCSP_BASICRESP *basic = theirs == NULL ? NULL : OCSP_response_get1_basic(theirs);
        assert_non_null(basic);
        assert_int_equal(OCSP_basic_verify(basic, certificates, NULL, OCSP_NOVERIFY), 1);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(theirs);
    }
    assert_true(believed >= 1);
    sk_X509_free(certificates);
}

/* Asks the stock responder's code with our request, and reads its answer. */
static void the_stock_responder_understands_us(void **unused)
{
    (void)unused;
    char folder[STOCK_PATH];
    stock_folder(folder);
    struct str pem, answer;
    struct fault f = {0};
    struct verify_issuer issuer;
    assert_true(stock_ca(folder, 4, 2));
    assert_true(file_read(file_join(&arena, folder, "ca.pem"), 65536, &arena, &pem, &f));
    assert_true(verify_issuer_load(pem, &arena, &issuer, &f));
    const struct {
        const char *hex;
        enum certid_hash hash;
        enum ocsp_status expected;
    } cases[] = {{"1001", CERTID_SHA1, OCSP_REVOKED},
                 {"1002", CERTID_SHA256, OCSP_REVOKED},
                 {"1003", CERTID_SHA1, OCSP_GOOD},
                 {"1999", CERTID_SHA1, OCSP_UNKNOWN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct serial s = serial(cases[i].hex);
        stock_write(folder, "request", ocsp_request(&issuer, &s, cases[i].hash, &arena));
        assert_int_equal(stock_run(folder, "openssl ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA "
                                           "ca.pem -ndays 4 -reqin request -respout answer"),
                         0);
        assert_true(file_read(file_join(&arena, folder, "answer"), 65536, &arena, &answer, &f));
        struct ocsp_response r = parsed(answer);
        struct ocsp_single single;
        struct ocsp_signer who;
        assert_null(ocsp_find(&r, &issuer, &s, &single));
        assert_null(ocsp_signature_problem(&r, &issuer, UTC_NONE, &cache, &who));
        assert_true(who.is_issuer);
        assert_int_equal(single.status, cases[i].expected);
        if (single.status == OCSP_REVOKED)
            assert_true(single.reason == 4 && single.revoked_at.s == 1761998400);
    }
    verify_issuer_free(&issuer);
    stock_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_what_openssl_would_send),
        cmocka_unit_test(status_is_read),
        cmocka_unit_test(only_the_certificate_asked_for_is_found),
        cmocka_unit_test(one_of_several_is_found),
        cmocka_unit_test(only_issuer_and_delegate_are_believed),
        cmocka_unit_test(error_answers_and_malformed_ones),
        cmocka_unit_test(mutants_change_nothing),
        cmocka_unit_test(the_stock_responder_understands_us),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
