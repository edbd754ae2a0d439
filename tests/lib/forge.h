/* forge.h - makes CRLs and OCSP responses byte by byte, so that every defect can be made and signed. */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include "massrevoke/arena.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"
#include "massrevoke/verify_issuer.h"

/* A CA or responder with its key; ended by forge_ca_free. */
struct forge_ca {
    void *key;  /* EVP_PKEY */
    void *x509; /* X509 */
    struct str der;
    struct verify_issuer issuer;
};

/* Kinds of certificates to make. */
enum forge_kind {
    FORGE_CA,            /* self-signed, P-256 */
    FORGE_CA_RSA,        /* self-signed, RSA-2048 */
    FORGE_CA_NO_CRLSIGN, /* key usage without cRLSign */
    FORGE_RESPONDER,     /* EKU OCSPSigning, nocheck */
    FORGE_NO_EKU,
    FORGE_EXPIRED_RESPONDER
};

/* parent NULL: self-signed. */
struct forge_ca forge_ca(struct arena *a, enum forge_kind kind, const char *name,
                         const struct forge_ca *parent);
void forge_ca_free(struct forge_ca *ca);

#define FORGE_NOW ((struct utc){1795000000}) /* 2026-11-18T11:06:40Z */
#define FORGE_BYTES(text) ((struct str){text, sizeof(text) - 1})
#define FORGE_ECDSA_SHA256 FORGE_BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define FORGE_ECDSA_SHA384 FORGE_BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")

/* tag, length, the joined parts (struct str each). */
struct str forge_wrap(struct arena *a, unsigned tag, int count, ...);
struct str forge_join(struct arena *a, struct str first, struct str second);
struct str forge_time(struct arena *a, struct utc t, bool generalized);
struct str forge_extension(struct arena *a, struct str oid, bool critical, struct str value);
/* reason -1: none; more: further extensions. */
struct str forge_entry(struct arena *a, struct str serial, struct utc at, int reason, struct str more);
struct str forge_number(struct arena *a, struct str octets);
struct str forge_aki(struct arena *a, const struct forge_ca *ca);
struct str forge_idp(struct arena *a, const char *url, struct str flags);

/* A CRL to make; forge_crl_good fills it with a good one. */
struct forge_crl {
    struct str version, inner, outer, issuer, this_update, next_update, entries, extensions;
};
struct forge_crl forge_crl_good(struct arena *a, const struct forge_ca *ca);
struct str forge_crl_sign(struct arena *a, const struct forge_ca *ca, const struct forge_crl *crl);

/* An OCSP response to make. */
struct forge_ocsp {
    struct str serial, status, this_update, next_update, single_extensions, responder, certificates,
        algorithm;
    struct str others; /* further SingleResponses, before this one */
    enum certid_hash hash;
};
struct forge_ocsp forge_ocsp_good(struct arena *a, const struct forge_ca *signer);
struct str forge_ocsp_revoked(struct arena *a, struct utc at, int reason);
struct str forge_ocsp_single(struct arena *a, const struct forge_ca *ca, const struct forge_ocsp *ocsp);
struct str forge_ocsp_sign(struct arena *a, const struct forge_ca *ca, const struct forge_ca *signer,
                           const struct forge_ocsp *ocsp);

#endif
