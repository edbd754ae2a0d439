/* cert.h - one X.509 certificate, from bytes to the values that revoking needs, and the issuer that signed
 * it.
 *
 * Pure but for issuer_load, which reads one file. Foreign bytes: every slice is bounded and copied, damaged
 * extensions count as absent (but see is_ca). Does not: build chains, judge validity against a time, follow
 * any pointer, or trust what a certificate says of itself. Sources: RFC 5280 4.1 and 4.2, BR 7.1.
 * Called by: intake, doors, verifier, cms, cli. */
#ifndef MASSREVOKE_CERT_H
#define MASSREVOKE_CERT_H

#include "massrevoke/arena.h"
#include "massrevoke/digest.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

#define CERT_MAX ((size_t)1024 * 1024) /* bytes of the largest certificate we read */

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* One certificate; everything lives in the arena it was parsed into. Texts are "" when absent; lists inside a
 * text are separated by one blank; bytes of a name or URL that are blank or not printable ASCII read '?'. */
struct cert {
    struct str der;                     /* the whole certificate */
    struct str issuer, subject;         /* names as DER, byte for byte */
    const char *issuer_text;            /* "CN=x,O=y" (RFC 4514), UTF-8 */
    const char *subject_text;           /* likewise */
    struct serial serial;               /* canonical */
    struct utc not_before, not_after;   /* not_after is the last valid second (RFC 5280 4.1.2.5) */
    struct digest sha256, spki_sha256;  /* of der; of the SubjectPublicKeyInfo */
    const char *dns_names, *cdp, *ocsp; /* dNSNames of the SAN, CRL URLs, responder URLs */
    const char *type;                   /* DV, OV, IV, EV by CA/B Forum policy OID, else "" */
    const char *key_type;               /* "RSA", "EC", "ED25519", ..., "" when OpenSSL can't read it */
    int key_bits;                       /* 0 when it can't */
    bool is_ca;                         /* basicConstraints says CA, or is there and can't be read */
    bool is_precertificate;             /* carries the CT poison (RFC 6962 3.1) */
    struct str ski, authority_key;      /* SKI and AKI keyIdentifier octets, empty when absent */
};

/* Cuts the first certificate's DER (PEM or DER, DER copied into the arena) off *rest, which then begins
 * behind it. Text between PEM blocks and blocks of other kinds are skipped. *der is empty when nothing but
 * such text is left; bytes that are neither are FAILED. Cost: one pass over what is cut. */
MUST_USE bool cert_cut(struct str *rest, struct arena *a, struct str *der, struct fault *f);

/* Parses one DER certificate. FAILED when the bytes are no certificate, or its serial is zero, negative or
 * longer than 20 octets, or a time can't be read. About 0.1 ms. */
MUST_USE bool cert_parse(struct str der, struct arena *a, struct cert *out, struct fault *f);

/* The first certificate of PEM or DER bytes; FAILED when there is none. */
MUST_USE bool cert_read(struct str bytes, struct arena *a, struct cert *out, struct fault *f);

/* The same from a file; faults name it. I/O. */
MUST_USE bool cert_load(const char *path, struct arena *a, struct cert *out, struct fault *f);

/* A CA certificate that we trust because it is configured. */
struct issuer {
    struct cert cert;
    struct evp_pkey_st *key; /* its public key */
};

/* Reads an issuer's certificate from a file (PEM or DER). CONFIG when it is missing, damaged or no CA
 * certificate. issuer_release at the end. I/O. */
MUST_USE bool issuer_load(const char *path, struct arena *a, struct issuer *out, struct fault *f);

/* Did this issuer issue the certificate: same name bytes and a good signature? NULL when yes, else why not
 * (static text). A hundred microseconds. */
const char *issuer_check(const struct issuer *issuer, const struct cert *cert);

/* Frees the key handle; an all-zero issuer is allowed. */
void issuer_release(struct issuer *issuer);

#endif
