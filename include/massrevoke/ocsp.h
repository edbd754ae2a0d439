/* ocsp.h - asking a responder about one certificate, and reading what it answers.
 *
 * Structure and signature are checked here, dates and profile by the verifier; `now` is always an argument
 * (OpenSSL's own validity check reads the wall clock). Pure. Does not: send, judge freshness, use nonces, or
 * follow chains: the signer is the issuer itself or a responder it certified directly. Sources: RFC 6960 4,
 * BR 7.1.2.8, facts: perf e. Called by: verifier, engine (request), tests, fuzz. */
#ifndef MASSREVOKE_OCSP_H
#define MASSREVOKE_OCSP_H

#include "massrevoke/serial.h"
#include "massrevoke/time.h"
#include "massrevoke/verify_issuer.h"

/* certStatus. */
enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN, OCSP_STATUS_COUNT };

/* responseStatus */
#define OCSP_SUCCESSFUL 0
#define OCSP_MALFORMED 1
#define OCSP_TRY_LATER 3
#define OCSP_UNAUTHORIZED 6

/* A parsed OCSPResponse; slices point into the bytes it was parsed from. */
struct ocsp_response {
    int response_status; /* 0 successful, 1 malformedRequest, 2, 3, 5, 6 (RFC 6960 4.2.1) */
    struct str tbs, algorithm, signature;
    struct str responder_name; /* byName: the Name; empty when by key */
    struct str responder_key;  /* byKey: 20 octets; empty when by name */
    struct utc produced_at;
    struct str responses;    /* SEQUENCE OF SingleResponse, content */
    struct str certificates; /* SEQUENCE OF Certificate, content; may be empty */
    bool unknown_critical;   /* a critical response extension we do not process */
};

/* The part about one certificate. */
struct ocsp_single {
    enum ocsp_status status;
    struct utc this_update, next_update; /* next_update UTC_NONE when absent */
    struct utc revoked_at;               /* UTC_NONE unless revoked */
    int reason;                          /* revocationReason, -1 when absent */
    bool has_reason_extension;           /* reasonCode among singleExtensions (forbidden, BR 7.3) */
    bool unknown_critical;
    bool not_issued; /* revoked, certificateHold, 1970-01-01: the answer for serials never issued (RFC 6960
                        2.2); proves nothing */
};

/* A responder whose certificate was found good for an issuer; times are compared at every use. */
struct ocsp_responder {
    struct digest certificate, issuer;
    struct digest name;   /* of its subject Name */
    uint8_t key_hash[20]; /* SHA-1 of its key, as in responderID byKey */
    void *pkey;           /* EVP_PKEY */
    struct utc not_before, not_after;
    bool has_nocheck;
};

#define OCSP_RESPONDERS_MAX 32

/* Responders seen so far, so that a certificate is decoded once and not per answer. Zero-initialise to start;
 * not for two threads at once. */
struct ocsp_cache {
    struct ocsp_responder responders[OCSP_RESPONDERS_MAX];
    size_t count, next;
};

/* Who signed. */
struct ocsp_signer {
    bool is_issuer;                   /* else delegated, and the rest is set */
    bool has_nocheck;                 /* id-pkix-ocsp-nocheck (BR 7.1.2.8) */
    struct utc not_before, not_after; /* of the responder certificate */
};

/* The DER request for one certificate, without nonce, in the arena. SHA-1 CertIDs are what every responder
 * knows; SHA-256 is what RFC 9919 asks for. */
struct str ocsp_request(const struct verify_issuer *issuer, const struct serial *serial,
                        enum certid_hash hash, struct arena *a);

/* As der_from_pem for an OCSP response: PEM is for files, a responder answers in DER (RFC 6960 A.1). NULL, or
 * what is wrong (static text). */
const char *ocsp_from_pem(struct str bytes, struct arena *a, struct str *out);

/* Reads a response; an unsuccessful one has only response_status. FAILED: what is malformed. */
MUST_USE bool ocsp_parse(struct str bytes, struct ocsp_response *out, struct fault *f);

/* The single response whose CertID (SHA-1 or SHA-256) names this issuer and serial. NULL, or why there is
 * none (static text). */
const char *ocsp_find(const struct ocsp_response *r, const struct verify_issuer *issuer,
                      const struct serial *serial, struct ocsp_single *out);

/* NULL when the issuer, or a responder certified directly by it with EKU OCSPSigning and valid at `now`,
 * signed; else why not (static text). One signature check; for a responder not yet in the cache two and the
 * decoding of its certificate. */
const char *ocsp_signature_problem(const struct ocsp_response *r, const struct verify_issuer *issuer,
                                   struct utc now, struct ocsp_cache *cache, struct ocsp_signer *out);

/* Frees the keys; the cache can be used again. */
void ocsp_cache_free(struct ocsp_cache *cache);

/* Name of a responseStatus ("tryLater"); NULL for a number RFC 6960 does not have. */
const char *ocsp_response_status_name(int status);

#endif
