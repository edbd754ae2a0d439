#include "massrevoke/verify_issuer.h"
#include "pki/pem_read.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <limits.h>

static void hash_both(const unsigned char *bytes, size_t n, uint8_t out[CERTID_HASH_COUNT][DIGEST_SIZE])
{
    /* SHA-1 only names the issuer to a responder (RFC 6960 4.1.1); nothing rests on its strength */
    (void)EVP_Digest(bytes, n, out[CERTID_SHA1], NULL, EVP_sha1(), NULL);
    struct digest d = digest_of(bytes, n);
    memcpy(out[CERTID_SHA256], d.bytes, DIGEST_SIZE);
}

static bool fill(X509 *x, struct arena *a, struct verify_issuer *out)
{
    const unsigned char *name;
    size_t name_size;
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
    out->pkey = X509_get_pubkey(x);
    if (out->pkey == NULL || key == NULL ||
        X509_NAME_get0_der(X509_get_subject_name(x), &name, &name_size) != 1)
        return false;
    out->subject_der = (struct str){arena_copy(a, name, name_size), name_size};
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x);
    size_t ski_size = ski == NULL ? 0 : (size_t)ASN1_STRING_length(ski);
    out->ski = (struct str){ski == NULL ? "" : arena_copy(a, ASN1_STRING_get0_data(ski), ski_size), ski_size};
    out->may_sign_crl = (X509_get_key_usage(x) & KU_CRL_SIGN) != 0;
    hash_both(name, name_size, out->name_hash);
    hash_both(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), out->key_hash);
    return true;
}

bool verify_issuer_load(struct str pem_or_der, struct arena *a, struct verify_issuer *out, struct fault *f)
{
    *out = (struct verify_issuer){0};
    struct str der;
    const char *problem = der_from_pem(pem_or_der, "CERTIFICATE", a, &der);
    if (problem != NULL)
        return fault_set(f, FAULT_FAILED, "issuer certificate: %s", problem);
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *x = der.n > INT_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);
    bool ok = x != NULL && p == (const unsigned char *)der.p + der.n && fill(x, a, out);
    X509_free(x);
    ERR_clear_error();
    if (!ok) {
        verify_issuer_free(out);
        return fault_set(f, FAULT_FAILED, "issuer certificate: not one readable X.509 certificate");
    }
    out->certificate_der = (struct str){arena_copy(a, der.p, der.n), der.n};
    return true;
}

void verify_issuer_free(struct verify_issuer *issuer)
{
    EVP_PKEY_free(issuer->pkey);
    *issuer = (struct verify_issuer){0};
}
