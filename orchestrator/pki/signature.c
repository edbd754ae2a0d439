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

const char *signature_check(struct str algorithm, struct str message, struct str signature, void *pkey)
{
    size_t i = 0;
    while (i < ALGORITHMS && !str_equal(algorithm, algorithms[i].der))
        i++;
    if (i == ALGORITHMS)
        return "the signature algorithm is none of BR 7.1.3.2";
    if (EVP_PKEY_get_base_id(pkey) != algorithms[i].key)
        return "the signature algorithm does not fit the issuer's key";
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    bool good =
        context != NULL && EVP_DigestVerifyInit(context, &key, algorithms[i].digest(), NULL, pkey) == 1 &&
        (!algorithms[i].pss || (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
                                EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
        EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                         (const unsigned char *)message.p, message.n) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good ? NULL : "the signature does not verify with the issuer's key";
}
