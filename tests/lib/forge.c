#include "forge.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) ((what) ? (void)0 : (fprintf(stderr, "forge: %s\n", #what), abort()))

struct str forge_wrap(struct arena *a, unsigned tag, int count, ...)
{
    AUTO_BUF body = {0};
    va_list args;
    va_start(args, count);
    for (int i = 0; i < count; i++) {
        struct str part = va_arg(args, struct str);
        buf_add(&body, part.p, part.n);
    }
    va_end(args);
    uint8_t header[6] = {(uint8_t)tag, (uint8_t)body.n};
    size_t n = 2, size = body.n < 0x100 ? 1 : body.n < 0x10000 ? 2 : 3;
    if (body.n >= 0x80) {
        header[1] = (uint8_t)(0x80 + size);
        for (size_t i = 0; i < size; i++)
            header[n++] = (uint8_t)(body.n >> (8 * (size - 1 - i)));
    }
    char *out = arena_alloc(a, n + body.n + 1);
    memcpy(out, header, n);
    if (body.n > 0)
        memcpy(out + n, body.p, body.n);
    return (struct str){out, n + body.n};
}

struct str forge_join(struct arena *a, struct str first, struct str second)
{
    char *out = arena_alloc(a, first.n + second.n + 1);
    if (first.n > 0)
        memcpy(out, first.p, first.n);
    if (second.n > 0)
        memcpy(out + first.n, second.p, second.n);
    return (struct str){out, first.n + second.n};
}

struct str forge_time(struct arena *a, struct utc t, bool generalized)
{
    struct civil c = utc_to_civil(t);
    char *text = generalized ? arena_format(a, "%04d%02d%02d%02d%02d%02dZ", c.year, c.month, c.day, c.hour,
                                            c.minute, c.second)
                             : arena_format(a, "%02d%02d%02d%02d%02d%02dZ", c.year % 100, c.month, c.day,
                                            c.hour, c.minute, c.second);
    return forge_wrap(a, generalized ? 0x18 : 0x17, 1, str_of(text));
}

struct str forge_extension(struct arena *a, struct str oid, bool critical, struct str value)
{
    return forge_wrap(a, 0x30, 3, forge_wrap(a, 0x06, 1, oid),
                      critical ? FORGE_BYTES("\x01\x01\xff") : FORGE_BYTES(""),
                      forge_wrap(a, 0x04, 1, value));
}

static struct str enumerated(struct arena *a, int code)
{
    char octet = (char)code;
    return forge_wrap(a, 0x0a, 1, (struct str){&octet, 1});
}

struct str forge_entry(struct arena *a, struct str serial, struct utc at, int reason, struct str more)
{
    struct str extensions = more;
    if (reason >= 0)
        extensions = forge_join(
            a, forge_extension(a, FORGE_BYTES("\x55\x1d\x15"), false, enumerated(a, reason)), more);
    return forge_wrap(a, 0x30, 3, forge_wrap(a, 0x02, 1, serial), forge_time(a, at, false),
                      extensions.n > 0 ? forge_wrap(a, 0x30, 1, extensions) : extensions);
}

struct str forge_number(struct arena *a, struct str octets)
{
    return forge_extension(a, FORGE_BYTES("\x55\x1d\x14"), false, forge_wrap(a, 0x02, 1, octets));
}

struct str forge_aki(struct arena *a, const struct forge_ca *ca)
{
    return forge_extension(a, FORGE_BYTES("\x55\x1d\x23"), false,
                           forge_wrap(a, 0x30, 1, forge_wrap(a, 0x80, 1, ca->issuer.ski)));
}

struct str forge_idp(struct arena *a, const char *url, struct str flags)
{
    struct str point = forge_wrap(a, 0xa0, 1, forge_wrap(a, 0xa0, 1, forge_wrap(a, 0x86, 1, str_of(url))));
    return forge_extension(a, FORGE_BYTES("\x55\x1d\x1c"), true,
                           forge_wrap(a, 0x30, 2, url == NULL ? FORGE_BYTES("") : point, flags));
}

/* BIT STRING of a signature over the message. */
static struct str sign(struct arena *a, const struct forge_ca *ca, struct str algorithm, struct str message)
{
    bool is_pss = algorithm.n > 20;
    bool is_384 = str_equal(algorithm, FORGE_ECDSA_SHA384);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    size_t n = 1024;
    unsigned char *out = arena_alloc(a, n + 1);
    CHECK(EVP_DigestSignInit(context, &key, is_384 ? EVP_sha384() : EVP_sha256(), NULL, ca->key) == 1);
    if (is_pss) {
        CHECK(EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    CHECK(EVP_DigestSign(context, out + 1, &n, (const unsigned char *)message.p, message.n) == 1);
    EVP_MD_CTX_free(context);
    return forge_wrap(a, 0x03, 1, (struct str){(char *)out, n + 1});
}

struct forge_crl forge_crl_good(struct arena *a, const struct forge_ca *ca)
{
    struct utc at = utc_add(FORGE_NOW, (struct span){-3600});
    return (struct forge_crl){
        .version = FORGE_BYTES("\x02\x01\x01"),
        .inner = FORGE_ECDSA_SHA256,
        .outer = FORGE_ECDSA_SHA256,
        .issuer = ca->issuer.subject_der,
        .this_update = forge_time(a, at, false),
        .next_update = forge_time(a, utc_add(at, (struct span){7 * 86400}), false),
        .entries =
            forge_entry(a, FORGE_BYTES("\x12\x34"), utc_add(at, (struct span){-60}), 4, FORGE_BYTES("")),
        .extensions = forge_join(a, forge_aki(a, ca), forge_number(a, FORGE_BYTES("\x07"))),
    };
}

struct str forge_crl_sign(struct arena *a, const struct forge_ca *ca, const struct forge_crl *crl)
{
    struct str entries = crl->entries.p == NULL ? FORGE_BYTES("") : forge_wrap(a, 0x30, 1, crl->entries);
    struct str extensions = crl->extensions.n == 0
                                ? FORGE_BYTES("")
                                : forge_wrap(a, 0xa0, 1, forge_wrap(a, 0x30, 1, crl->extensions));
    struct str tbs = forge_wrap(a, 0x30, 7, crl->version, crl->inner, crl->issuer, crl->this_update,
                                crl->next_update, entries, extensions);
    return forge_wrap(a, 0x30, 3, tbs, crl->outer, sign(a, ca, crl->outer, tbs));
}

struct forge_ocsp forge_ocsp_good(struct arena *a, const struct forge_ca *signer)
{
    struct utc at = utc_add(FORGE_NOW, (struct span){-3600});
    return (struct forge_ocsp){
        .serial = FORGE_BYTES("\x12\x34"),
        .status = forge_ocsp_revoked(a, utc_add(at, (struct span){-60}), 4),
        .this_update = forge_time(a, at, true),
        .next_update = forge_wrap(a, 0xa0, 1, forge_time(a, utc_add(at, (struct span){4 * 86400}), true)),
        .responder = forge_wrap(a, 0xa1, 1, signer->issuer.subject_der),
        .algorithm = FORGE_ECDSA_SHA256,
    };
}

struct str forge_ocsp_revoked(struct arena *a, struct utc at, int reason)
{
    struct str code = reason < 0 ? FORGE_BYTES("") : forge_wrap(a, 0xa0, 1, enumerated(a, reason));
    return forge_wrap(a, 0xa1, 2, forge_time(a, at, true), code);
}

struct str forge_ocsp_single(struct arena *a, const struct forge_ca *ca, const struct forge_ocsp *ocsp)
{
    bool is_sha1 = ocsp->hash == CERTID_SHA1;
    size_t n = is_sha1 ? 20 : 32;
    struct str oid = is_sha1 ? FORGE_BYTES("\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00")
                             : FORGE_BYTES("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00");
    struct str name = {(const char *)ca->issuer.name_hash[ocsp->hash], n};
    struct str key = {(const char *)ca->issuer.key_hash[ocsp->hash], n};
    struct str id = forge_wrap(a, 0x30, 4, forge_wrap(a, 0x30, 1, oid), forge_wrap(a, 0x04, 1, name),
                               forge_wrap(a, 0x04, 1, key), forge_wrap(a, 0x02, 1, ocsp->serial));
    struct str more = ocsp->single_extensions.n == 0
                          ? FORGE_BYTES("")
                          : forge_wrap(a, 0xa1, 1, forge_wrap(a, 0x30, 1, ocsp->single_extensions));
    return forge_wrap(a, 0x30, 5, id, ocsp->status, ocsp->this_update, ocsp->next_update, more);
}

struct str forge_ocsp_sign(struct arena *a, const struct forge_ca *ca, const struct forge_ca *signer,
                           const struct forge_ocsp *ocsp)
{
    struct str singles = forge_ocsp_single(a, ca, ocsp);
    if (ocsp->others.n > 0)
        singles = forge_join(a, ocsp->others, singles);
    struct str tbs = forge_wrap(a, 0x30, 3, ocsp->responder, forge_time(a, FORGE_NOW, true),
                                forge_wrap(a, 0x30, 1, singles));
    struct str certificates = ocsp->certificates.n == 0
                                  ? FORGE_BYTES("")
                                  : forge_wrap(a, 0xa0, 1, forge_wrap(a, 0x30, 1, ocsp->certificates));
    struct str basic =
        forge_wrap(a, 0x30, 4, tbs, ocsp->algorithm, sign(a, signer, ocsp->algorithm, tbs), certificates);
    struct str bytes = forge_wrap(a, 0x30, 2, FORGE_BYTES("\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01"),
                                  forge_wrap(a, 0x04, 1, basic));
    return forge_wrap(a, 0x30, 2, FORGE_BYTES("\x0a\x01\x00"), forge_wrap(a, 0xa0, 1, bytes));
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(e != NULL && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

struct forge_ca forge_ca(struct arena *a, enum forge_kind kind, const char *name,
                         const struct forge_ca *parent)
{
    static const struct {
        const char *usage, *purpose;
        bool nocheck, expired;
    } kinds[] = {
        [FORGE_CA] = {.usage = "critical,keyCertSign,cRLSign"},
        [FORGE_CA_RSA] = {.usage = "critical,keyCertSign,cRLSign"},
        [FORGE_CA_NO_CRLSIGN] = {.usage = "critical,keyCertSign"},
        [FORGE_RESPONDER] = {"critical,digitalSignature", "OCSPSigning", true, false},
        [FORGE_NO_EKU] = {.usage = "critical,digitalSignature"},
        [FORGE_EXPIRED_RESPONDER] = {"critical,digitalSignature", "OCSPSigning", true, true},
    };
    struct forge_ca ca = {0};
    EVP_PKEY *key = kind == FORGE_CA_RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *x = X509_new(), *issuer = parent == NULL ? x : parent->x509;
    CHECK(key != NULL && x != NULL);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 77);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                               -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(FORGE_NOW.s - 30 * 86400));
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(FORGE_NOW.s + (kinds[kind].expired ? -1 : 30 * 86400)));
    X509_set_pubkey(x, key);
    extend(x, issuer, NID_subject_key_identifier, "hash");
    extend(x, issuer, NID_key_usage, kinds[kind].usage);
    if (kinds[kind].purpose != NULL)
        extend(x, issuer, NID_ext_key_usage, kinds[kind].purpose);
    if (kinds[kind].nocheck)
        extend(x, issuer, NID_id_pkix_OCSP_noCheck, "ignored");
    CHECK(X509_sign(x, parent == NULL ? key : parent->key, EVP_sha256()) > 0);
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    CHECK(n > 0);
    ca = (struct forge_ca){.key = key, .x509 = x, .der = {arena_copy(a, der, (size_t)n), (size_t)n}};
    OPENSSL_free(der);
    struct fault f = {0};
    CHECK(verify_issuer_load(ca.der, a, &ca.issuer, &f));
    return ca;
}

void forge_ca_free(struct forge_ca *ca)
{
    verify_issuer_free(&ca->issuer);
    X509_free(ca->x509);
    EVP_PKEY_free(ca->key);
}
