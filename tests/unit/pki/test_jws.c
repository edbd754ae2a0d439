/* Is what we sign what others verify: OpenSSL's own verification over the parts, RFC 7515 and 7638's
 * examples? */
#include "massrevoke/jws.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t decode(struct str text, unsigned char *out)
{
    AUTO_BUF all = {0};
    buf_add(&all, text.p, text.n);
    for (size_t i = 0; i < all.n; i++)
        all.p[i] = all.p[i] == '-' ? '+' : all.p[i] == '_' ? '/' : all.p[i];
    size_t pad = (4 - text.n % 4) % 4;
    buf_add(&all, "===", pad);
    int n = EVP_DecodeBlock(out, (unsigned char *)all.p, (int)all.n);
    assert_true(n >= 0);
    return (size_t)n - pad;
}

static bool verifies(EVP_PKEY *key, const char *digest, size_t half, struct str input, struct str signature)
{
    unsigned char raw[1100], *der = NULL;
    size_t n = decode(signature, raw);
    if (half > 0) {
        assert_int_equal(n, 2 * half);
        ECDSA_SIG *s = ECDSA_SIG_new();
        ECDSA_SIG_set0(s, BN_bin2bn(raw, (int)half, NULL), BN_bin2bn(raw + half, (int)half, NULL));
        n = (size_t)i2d_ECDSA_SIG(s, &der);
        ECDSA_SIG_free(s);
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok =
        EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key, NULL) == 1 &&
        EVP_DigestVerify(context, der == NULL ? raw : der, n, (const unsigned char *)input.p, input.n) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    return ok;
}

static void every_kind_of_key_signs(void **unused)
{
    (void)unused;
    static const struct {
        const char *type, *group, *name, *digest;
        size_t half;
    } kinds[] = {{"EC", "P-256", "ES256", "SHA256", 32},
                 {"EC", "P-384", "ES384", "SHA384", 48},
                 {"EC", "P-521", "ES512", "SHA512", 66},
                 {"RSA", NULL, "RS256", "SHA256", 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        EVP_PKEY *key = kinds[i].group != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", kinds[i].group)
                                               : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        assert_string_equal(jws_algorithm(key), kinds[i].name);
        for (int round = 0; round < 40; round++) { /* r or s begins with zeros now and then */
            AUTO_BUF out = {0};
            struct fault f;
            assert_true(jws_compact(key, str_of("{\"a\":1}"), str_of("payload"), &out, &f));
            struct str rest = buf_str(&out);
            struct str head = str_cut(&rest, '.'), body = str_cut(&rest, '.');
            assert_true(str_is(head, "eyJhIjoxfQ") && str_is(body, "cGF5bG9hZA"));
            assert_true(verifies(key, kinds[i].digest, kinds[i].half,
                                 (struct str){out.p, head.n + 1 + body.n}, rest));
            round += kinds[i].half == 0 ? 20 : 0;
        }
        EVP_PKEY_free(key);
    }
}

static void other_keys_are_refused(void **unused)
{
    (void)unused;
    EVP_PKEY *keys[] = {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
                        EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1")};
    for (size_t i = 0; i < 3; i++) {
        AUTO_BUF out = {0};
        struct fault f;
        assert_null(jws_algorithm(keys[i]));
        assert_false(jws_compact(keys[i], str_of("{}"), str_of(""), &out, &f));
        assert_false(jws_public_key(keys[i], &out, &f));
        EVP_PKEY_free(keys[i]);
    }
}

static void base64_as_in_rfc_7515(void **unused)
{
    (void)unused;
    static const unsigned char octets[] = {3, 236, 255, 224, 193}; /* appendix C */
    for (size_t n = 0; n <= 5; n++) {
        AUTO_BUF out = {0};
        unsigned char back[12];
        jws_base64(octets, n, &out);
        assert_true(n == 0 || decode(buf_str(&out), back) == n);
        assert_true(n == 0 || memcmp(back, octets, n) == 0);
        if (n == 5)
            assert_string_equal(out.p, "A-z_4ME");
    }
    assert_true(jws_is_base64(str_of("A-z_4ME"), 7));
    assert_false(jws_is_base64(str_of("A-z_4ME"), 6));
    assert_false(jws_is_base64(str_of(""), 6));
    assert_false(jws_is_base64(str_of("a\"b"), 6));
    assert_false(jws_is_base64((struct str){"a\0b", 3}, 6));
}

static void flattened_and_public_key(void **unused)
{
    (void)unused;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO_BUF out = {0};
    AUTO_BUF jwk = {0};
    struct fault f;
    assert_true(jws_flat(key, str_of("{\"a\":1}"), str_of(""), &out, &f));
    assert_memory_equal(out.p, "{\"protected\":\"eyJhIjoxfQ\",\"payload\":\"\",\"signature\":\"", 52);
    assert_int_equal(out.n, 52 + 86 + 2);
    assert_true(jws_public_key(key, &jwk, &f));
    /* RFC 7638 3.2: the order of the members */
    assert_memory_equal(jwk.p, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", 31);
    assert_non_null(strstr(jwk.p, "\",\"y\":\""));
    assert_int_equal(jwk.n, 31 + 43 + 7 + 43 + 2);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_signs),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(base64_as_in_rfc_7515),
        cmocka_unit_test(flattened_and_public_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
