/* verify_issuer.h - an issuing CA as the verifier needs it: name, key, and hashes of both.
 *
 * Trust comes from who hands the certificate in (configuration or --issuer); nothing is built or fetched.
 * Pure. Does not: check the CA certificate's own signature, validity or chain. Sources: RFC 5280 6.3.3 (f),
 * RFC 6960 4.1.1. Called by: cli, engine (load), verifier, pki/ocsp. */
#ifndef MASSREVOKE_VERIFY_ISSUER_H
#define MASSREVOKE_VERIFY_ISSUER_H

#include "massrevoke/arena.h"
#include "massrevoke/digest.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"

/* Hash functions of an OCSP CertID. */
enum certid_hash { CERTID_SHA1, CERTID_SHA256, CERTID_HASH_COUNT };

/* One issuer. All bytes live in the arena of verify_issuer_load; pkey is freed by verify_issuer_free. */
struct verify_issuer {
    struct str subject_der;                            /* the Name as encoded */
    struct str ski;                                    /* subjectKeyIdentifier octets, empty when absent */
    void *pkey;                                        /* EVP_PKEY */
    struct str certificate_der;                        /* the whole certificate */
    bool may_sign_crl;                                 /* keyUsage absent, or with cRLSign */
    uint8_t name_hash[CERTID_HASH_COUNT][DIGEST_SIZE]; /* of subject_der; SHA-1 fills 20 octets */
    uint8_t key_hash[CERTID_HASH_COUNT][DIGEST_SIZE];  /* of the key's BIT STRING octets */
};

/* Reads one certificate, PEM or DER; copies what it keeps. Faults: FAILED when it is no certificate or its
 * key cannot be read. About 100 us. */
MUST_USE bool verify_issuer_load(struct str pem_or_der, struct arena *a, struct verify_issuer *out,
                                 struct fault *f);

/* Frees the key; a zeroed struct is allowed. */
void verify_issuer_free(struct verify_issuer *issuer);

#endif
