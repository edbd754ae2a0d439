/* Does OpenSSL read from our CRLs what we wrote, and is nothing in them that BR 7.2 forbids? */
#include "massrevoke/crl_write.h"
#include "massrevoke/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

static const char name_der[] = "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\xc3\xa4";
static const char key_id[] = "01234567890123456789";

static struct crl_head head_of(uint64_t number, int64_t next)
{
    struct crl_head head = {.issuer = {name_der, sizeof name_der - 1},
                            .key_id = {key_id, 20},
                            .this_update = {1795357316},
                            .next_update = {next}};
    uint8_t bytes[8];
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    assert_null(serial_from_octets(bytes, 8, &head.number));
    return head;
}

static X509_CRL *written(const struct crl_head *head, const struct crl_entry *entries, size_t count,
                         EVP_PKEY *key)
{
    AUTO_BUF out = {0};
    struct fault f = {0};
    if (!crl_write(head, entries, count, key, &out, &f))
        fail_msg("%s", f.text);
    const unsigned char *p = (const unsigned char *)out.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)out.n);
    assert_non_null(crl);
    assert_ptr_equal(p, (const unsigned char *)out.p + out.n);
    assert_int_equal(X509_CRL_verify(crl, key), 1);
    /* OpenSSL's own encoding of what it read has the same bytes: it is DER */
    unsigned char *again = NULL;
    X509_CRL *copy = X509_CRL_dup(crl);
    int n = i2d_re_X509_CRL_tbs(copy, &again);
    assert_true(n > 0 && (size_t)n < out.n);
    assert_memory_equal(again, out.p + (out.n > 65535 + 5 ? 5 : out.n > 255 + 4 ? 4 : 3), (size_t)n);
    OPENSSL_free(again);
    X509_CRL_free(copy);
    struct serial number;
    assert_true(crl_number(buf_str(&out), &number));
    assert_true(serial_equal(&number, &head->number));
    for (size_t cut = 0; cut < out.n && cut < 300; cut++) {
        (void)crl_number((struct str){out.p, cut}, &number);
    }
    return crl;
}

static void check_profile(X509_CRL *crl, const struct crl_head *head)
{
    assert_int_equal(X509_CRL_get_version(crl), 1);
    assert_int_equal(X509_CRL_get_ext_count(crl), head->point.n > 0 ? 3 : 2);
    AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
    assert_non_null(aki);
    assert_int_equal(aki->keyid->length, 20);
    assert_memory_equal(aki->keyid->data, key_id, 20);
    assert_null(aki->issuer);
    assert_null(aki->serial);
    AUTHORITY_KEYID_free(aki);
    const unsigned char *bytes;
    size_t n;
    assert_int_equal(X509_NAME_get0_der(X509_CRL_get_issuer(crl), &bytes, &n), 1);
    assert_int_equal(n, head->issuer.n);
    assert_memory_equal(bytes, head->issuer.p, n);
    for (int i = 0; i < 2; i++)
        assert_int_equal(X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)), 0);
}

/* One of several: a critical IDP with that URI and nothing else. */
static void check_point(X509_CRL *crl, struct str point)
{
    int critical = -1;
    ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
    assert_int_equal(idp != NULL, point.n > 0);
    if (idp == NULL)
        return;
    assert_int_equal(critical, 1);
    assert_int_equal(idp->distpoint->type, 0);
    assert_int_equal(sk_GENERAL_NAME_num(idp->distpoint->name.fullname), 1);
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
    assert_int_equal(name->type, GEN_URI);
    assert_int_equal(name->d.ia5->length, point.n);
    assert_memory_equal(name->d.ia5->data, point.p, point.n);
    assert_false(idp->onlyuser || idp->onlyCA || idp->indirectCRL || idp->onlyattr);
    assert_null(idp->onlysomereasons);
    ISSUING_DIST_POINT_free(idp);
}

static int64_t seconds(const ASN1_TIME *t)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, rest = 0;
    assert_int_equal(ASN1_TIME_diff(&days, &rest, epoch, t), 1);
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + rest;
}

static void check_entry(X509_CRL *crl, const struct crl_entry *e)
{
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    BIGNUM *n = BN_bin2bn(e->serial.bytes, e->serial.n, NULL);
    BN_to_ASN1_INTEGER(n, serial);
    X509_REVOKED *r = NULL;
    assert_int_equal(X509_CRL_get0_by_serial(crl, &r, serial), 1);
    assert_int_equal(seconds(X509_REVOKED_get0_revocationDate(r)), e->at.s);
    int found = 0;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, &found, NULL);
    assert_int_equal(reason == NULL ? 0 : ASN1_ENUMERATED_get(reason), e->reason);
    assert_int_equal(reason == NULL, e->reason == 0);
    ASN1_ENUMERATED_free(reason);
    ASN1_GENERALIZEDTIME *since = X509_REVOKED_get_ext_d2i(r, NID_invalidity_date, &found, NULL);
    assert_int_equal(since != NULL, utc_is_set(e->invalid_since));
    if (since != NULL)
        assert_int_equal(seconds(since), e->invalid_since.s);
    ASN1_GENERALIZEDTIME_free(since);
    ASN1_INTEGER_free(serial);
    BN_free(n);
}

static EVP_PKEY *key_named(const char *kind)
{
    return strcmp(kind, "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                                    : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
}

static void fill(struct crl_entry *entries, size_t count)
{
    static const int reasons[] = {0, 1, 3, 4, 5, 9};
    for (size_t i = 0; i < count; i++) {
        uint8_t octets[SERIAL_MAX] = {(uint8_t)(0x7f + i % 3), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                                      (uint8_t)i};
        assert_null(serial_from_octets(octets, 4 + i % 17, &entries[i].serial));
        /* 2049-12-31T23:59:59Z and a second later among them: the switch of time types */
        entries[i].at.s = i % 7 == 0 ? 2524607999 + (int64_t)(i & 1) : 1795000000 + (int64_t)(i / 100);
        entries[i].reason = reasons[i % 6];
        entries[i].invalid_since = i % 11 == 3 ? (struct utc){1700000000 + (int64_t)i} : UTC_NONE;
    }
}

static void every_size_and_key(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-256", "RSA", "P-384", "P-521"};
    static const size_t counts[] = {0, 1, 2, 130, 20000};
    struct crl_entry *entries = calloc(20000, sizeof *entries);
    char url[300];
    memset(url, 'a', sizeof url);
    fill(entries, 20000);
    for (size_t k = 0; k < 4; k++) {
        EVP_PKEY *key = key_named(kinds[k]);
        assert_non_null(key);
        for (size_t c = 0; c < (k == 0 ? 5 : 3); c++) {
            struct crl_head head = head_of(0x80 + c, 1795357316 + 604800);
            head.point = (struct str){url, c % 2 == 0 ? 0 : c == 1 ? sizeof url : 40};
            X509_CRL *crl = written(&head, entries, counts[c], key);
            check_profile(crl, &head);
            check_point(crl, head.point);
            assert_int_equal(seconds(X509_CRL_get0_lastUpdate(crl)), head.this_update.s);
            assert_int_equal(seconds(X509_CRL_get0_nextUpdate(crl)), head.next_update.s);
            STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
            if (counts[c] == 0)
                assert_null(all);
            else
                assert_int_equal(sk_X509_REVOKED_num(all), (int)counts[c]);
            for (size_t i = 0; i < counts[c]; i++)
                check_entry(crl, &entries[i]);
            X509_CRL_free(crl);
        }
        EVP_PKEY_free(key);
    }
    free(entries);
}

static void refuses(void **state)
{
    (void)state;
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *ec = key_named("P-256");
    struct crl_head head = head_of(1, 1795357316);
    struct crl_entry entry = {.serial = {1, {5}}, .at = {1795000000}, .reason = 7, .invalid_since = UTC_NONE};
    AUTO_BUF out = {0};
    struct fault f;
    assert_false(crl_write(&head, NULL, 0, ed, &out, &f));
    assert_false(crl_write(&head, &entry, 1, ec, &out, &f));
    assert_non_null(strstr(f.text, "code 7"));
    entry.reason = 4;
    entry.at = UTC_NONE;
    assert_false(crl_write(&head, &entry, 1, ec, &out, &f));
    head.number = (struct serial){.n = 20, .bytes = {0x80}};
    assert_false(crl_write(&head, NULL, 0, ec, &out, &f));
    assert_int_equal(out.n, 0);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(ec);
}

static void number_of_rubbish(void **state)
{
    (void)state;
    struct serial number;
    static const char *const rubbish[] = {"", "0", "0\x80", "0\x84\xff\xff\xff\xff",
                                          "-----BEGIN X509 CRL-----"};
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++)
        assert_false(crl_number(str_of(rubbish[i]), &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_key),
        cmocka_unit_test(refuses),
        cmocka_unit_test(number_of_rubbish),
    };
    return cmocka_run_group_tests_name("crl_write", tests, NULL, NULL);
}
