/* ca_issue.h - makes keys and X.509 certificates for the demo CA (BR 7.1.2 subscriber and CA profiles).
 *
 * Pure but for the randomness of keys and signatures. Does not: write files, choose names, serials or dates.
 * Called by: ca_new. */
#ifndef MASSREVOKE_DOOR_CA_ISSUE_H
#define MASSREVOKE_DOOR_CA_ISSUE_H

#include "massrevoke/fault.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

#include <openssl/x509.h>

/* What kind of certificate. */
enum issue_kind { ISSUE_CA, ISSUE_SERVER, ISSUE_RESPONDER, ISSUE_PERSON, ISSUE_KIND_COUNT };

/* Pointers that go into server certificates. */
struct issue_pointers {
    const char *cdp, *ocsp; /* ocsp may be NULL */
};

/* One certificate to be. */
struct issue_request {
    enum issue_kind kind;
    const char *common_name;
    const char *organization; /* NULL: none */
    const char *const *names; /* dNSNames */
    size_t name_count;
    struct serial serial;
    struct utc not_before, not_after;
};

/* The parts that are the same in every certificate, made once. */
struct issuer_kit {
    X509 *certificate;
    EVP_PKEY *key;
    X509_EXTENSION *fixed[ISSUE_KIND_COUNT][8];
};

/* A new P-256 key. */
EVP_PKEY *issue_key(void);

/* Makes the CA's own key and certificate and prepares the rest. FAILED when OpenSSL can't. */
MUST_USE bool issuer_kit_make(struct issuer_kit *kit, const struct issue_request *ca,
                              const struct issue_pointers *pointers, struct fault *f);

/* Signs a certificate for `key`; a person's is self-signed by it, all others are the CA's. *out is the
 * caller's. About 0.1 ms. */
MUST_USE bool issue_certificate(const struct issuer_kit *kit, const struct issue_request *request,
                                EVP_PKEY *key, X509 **out, struct fault *f);

/* Frees everything in it; a zeroed kit is allowed. */
void issuer_kit_release(struct issuer_kit *kit);

#endif
