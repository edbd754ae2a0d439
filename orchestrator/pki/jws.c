#include "massrevoke/jws.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define RSA_MIN_BITS 2048 /* RFC 7518 3.3 */
#define SIGNATURE_MAX 1024

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One kind of key. */
static const struct algorithm {
    const char *group; /* NULL: RSA */
    const char *name, *curve, *digest;
    size_t half; /* octets of r and of s */
} algorithms[] = {
    {"prime256v1", "ES256", "P-256", "SHA256", 32},
    {"secp384r1", "ES384", "P-384", "SHA384", 48},
    {"secp521r1", "ES512", "P-521", "SHA512", 66},
    {NULL, "RS256", NULL, "SHA256", 0},
};

static const struct algorithm *algorithm_of(EVP_PKEY *key)
{
    char group[64] = "";
    size_t n;
    bool rsa = EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= RSA_MIN_BITS;
    if (EVP_PKEY_is_a(key, "EC") == 1)
        (void)EVP_PKEY_get_group_name(key, group, sizeof group, &n);
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        const struct algorithm *a = &algorithms[i];
        if (a->group == NULL ? rsa : strcmp(a->group, group) == 0)
            return a;
    }
    return NULL;
}

const char *jws_algorithm(struct evp_pkey_st *key)
{
    const struct algorithm *a = algorithm_of(key);
    return a == NULL ? NULL : a->name;
}

void jws_base64(const void *bytes, size_t n, struct buf *out)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += 3) {
        unsigned three = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) |
                         (i + 2 < n ? (unsigned)p[i + 2] : 0);
        char four[4] = {letters[three >> 18], letters[three >> 12 & 63], letters[three >> 6 & 63],
                        letters[three & 63]};
        buf_add(out, four, n - i >= 3 ? 4 : n - i + 1);
    }
}

bool jws_is_base64(struct str text, size_t most)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr(letters, text.p[i]) == NULL)
            return false;
    return text.n > 0 && text.n <= most;
}

static bool refuse(struct fault *f)
{
    ERR_clear_error();
    return fault_set(f, FAULT_FAILED,
                     "this key can't sign JSON: expected EC P-256, P-384, P-521 or RSA of %d bits and more",
                     RSA_MIN_BITS);
}

/* One number of the key as base64url; `octets` 0: as short as it is. */
static bool add_number(EVP_PKEY *key, const char *name, size_t octets, struct buf *out)
{
    BIGNUM *n = NULL;
    unsigned char bytes[SIGNATURE_MAX];
    bool ok = EVP_PKEY_get_bn_param(key, name, &n) == 1;
    size_t size = ok && octets == 0 ? (size_t)BN_num_bytes(n) : octets;
    ok = ok && size <= sizeof bytes && BN_bn2binpad(n, bytes, (int)size) == (int)size;
    if (ok)
        jws_base64(bytes, size, out);
    BN_free(n);
    return ok;
}

bool jws_public_key(struct evp_pkey_st *key, struct buf *out, struct fault *f)
{
    const struct algorithm *a = algorithm_of(key);
    bool ok = a != NULL;
    if (ok && a->group == NULL) {
        buf_text(out, "{\"e\":\"");
        ok = add_number(key, OSSL_PKEY_PARAM_RSA_E, 0, out);
        buf_text(out, "\",\"kty\":\"RSA\",\"n\":\"");
        ok = ok && add_number(key, OSSL_PKEY_PARAM_RSA_N, 0, out);
    } else if (ok) {
        buf_format(out, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"", a->curve);
        ok = add_number(key, OSSL_PKEY_PARAM_EC_PUB_X, a->half, out);
        buf_text(out, "\",\"y\":\"");
        ok = ok && add_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, a->half, out);
    }
    buf_text(out, "\"}");
    return ok || refuse(f);
}

/* ECDSA's signature in DER becomes r and s side by side (RFC 7518 3.4). */
static bool unpack(const unsigned char *der, size_t n, size_t half, unsigned char *out)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool ok = signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)half) == (int)half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + half, (int)half) == (int)half;
    ECDSA_SIG_free(signature);
    return ok;
}

/* Appends the signature over `input`. */
static bool add_signature(EVP_PKEY *key, struct str input, struct buf *out, struct fault *f)
{
    const struct algorithm *a = algorithm_of(key);
    unsigned char der[SIGNATURE_MAX], raw[SIGNATURE_MAX];
    size_t n = sizeof der;
    EVP_MD_CTX *context = a == NULL ? NULL : EVP_MD_CTX_new();
    bool ok = context != NULL &&
              EVP_DigestSignInit_ex(context, NULL, a->digest, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestSign(context, der, &n, (const unsigned char *)input.p, input.n) == 1 &&
              (a->half == 0 || unpack(der, n, a->half, raw));
    EVP_MD_CTX_free(context);
    if (!ok)
        return refuse(f);
    if (a->half == 0)
        jws_base64(der, n, out);
    else
        jws_base64(raw, 2 * a->half, out);
    return true;
}

bool jws_compact(struct evp_pkey_st *key, struct str header, struct str payload, struct buf *out,
                 struct fault *f)
{
    AUTO_BUF input = {0};
    jws_base64(header.p, header.n, &input);
    buf_text(&input, ".");
    jws_base64(payload.p, payload.n, &input);
    buf_add(out, input.p, input.n);
    buf_text(out, ".");
    return add_signature(key, buf_str(&input), out, f);
}

bool jws_flat(struct evp_pkey_st *key, struct str header, struct str payload, struct buf *out,
              struct fault *f)
{
    AUTO_BUF all = {0};
    if (!jws_compact(key, header, payload, &all, f))
        return false;
    struct str rest = buf_str(&all);
    struct str head = str_cut(&rest, '.'), body = str_cut(&rest, '.');
    buf_format(out, "{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%.*s\"}", (int)head.n,
               head.p, (int)body.n, body.p, (int)rest.n, rest.p);
    return true;
}
