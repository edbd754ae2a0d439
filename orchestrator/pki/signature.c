#include "pki/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* AlgorithmIdentifiers with exactly the bytes that BR 7.1.3.2.1 and 7.1.3.2.2 list. */
#define PKCS1(last) "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00"
#define ECDSA(last) "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last
#define SHA2(last) "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" last "\x05\x00"
#define PSS(hash, salt)                                                                                      \
    "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f" SHA2(                             \
        hash) "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" SHA2(hash) "\xa2\x03\x02"       \
                                                                                        "\x01" salt

static const struct {
    struct str der;
    int key;
    bool pss;
    const EVP_MD *(*digest)(void);
} algorithms[] = {
#define ROW(bytes, key, pss, digest)                                                                         \
    {                                                                                                        \
        {bytes, sizeof(bytes) - 1}, key, pss, digest                                                         \
    }
    ROW(PKCS1("\x0b"), EVP_PKEY_RSA, false, EVP_sha256),
    ROW(PKCS1("\x0c"), EVP_PKEY_RSA, false, EVP_sha384),
    ROW(PKCS1("\x0d"), EVP_PKEY_RSA, false, EVP_sha512),
    ROW(ECDSA("\x02"), EVP_PKEY_EC, false, EVP_sha256),
    ROW(ECDSA("\x03"), EVP_PKEY_EC, false, EVP_sha384),
    ROW(ECDSA("\x04"), EVP_PKEY_EC, false, EVP_sha512),
    ROW(PSS("\x01", "\x20"), EVP_PKEY_RSA, true, EVP_sha256),
    ROW(PSS("\x02", "\x30"), EVP_PKEY_RSA, true, EVP_sha384),
    ROW(PSS("\x03", "\x40"), EVP_PKEY_RSA, true, EVP_sha512),
#undef ROW
};
#define ALGORITHMS (sizeof algorithms / sizeof *algorithms)

static const char bad[] = "the signature does not verify with the issuer's key";

void signature_begin(struct signature *s, struct str algorithm, void *pkey)
{
    size_t i = 0;
    *s = (struct signature){0};
    while (i < ALGORITHMS && !str_equal(algorithm, algorithms[i].der))
        i++;
    if (i == ALGORITHMS) {
        s->problem = "the signature algorithm is none of BR 7.1.3.2";
        return;
    }
    if (EVP_PKEY_get_base_id(pkey) != algorithms[i].key) {
        s->problem = "the signature algorithm does not fit the issuer's key";
        return;
    }
    EVP_PKEY_CTX *key = NULL;
    s->context = EVP_MD_CTX_new();
    bool ok = s->context != NULL &&
              EVP_DigestVerifyInit(s->context, &key, algorithms[i].digest(), NULL, pkey) == 1 &&
              (!algorithms[i].pss || (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
                                      EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1));
    s->problem = ok ? NULL : bad;
}

void signature_add(struct signature *s, struct str piece)
{
    if (s->problem == NULL && EVP_DigestVerifyUpdate(s->context, piece.p, piece.n) != 1)
        s->problem = bad;
}

const char *signature_end(struct signature *s, struct str signature)
{
    if (s->problem == NULL &&
        EVP_DigestVerifyFinal(s->context, (const unsigned char *)signature.p, signature.n) != 1)
        s->problem = bad;
    EVP_MD_CTX_free(s->context);
    s->context = NULL;
    ERR_clear_error();
    return s->problem;
}

const char *signature_check(struct str algorithm, struct str message, struct str signature, void *pkey)
{
    struct signature s;
    signature_begin(&s, algorithm, pkey);
    signature_add(&s, message);
    return signature_end(&s, signature);
}
