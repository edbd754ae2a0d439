/* crl_write.h - a CRL encoded straight to DER and signed (RFC 5280 5, BR 7.2).
 *
 * Version 2, with AKI keyIdentifier, CRLNumber and, when it is one of several, the IDP that says so
 * (critical, one fullName, a URI: BR 7.2.2.1); nothing else. No reason is ever encoded as 0 (BR 7.2.2). Pure
 * but for the signature's randomness. Does not: use OpenSSL's CRL objects (a hundred times slower, facts:
 * perf a), sort, remove duplicates, number, or place a CRL. Called by: ca_openssl, ca_new. */
#ifndef MASSREVOKE_CRL_WRITE_H
#define MASSREVOKE_CRL_WRITE_H

#include "massrevoke/fault.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

struct evp_pkey_st;

/* One revoked certificate. */
struct crl_entry {
    struct serial serial;
    struct utc at;            /* revocationDate */
    int reason;               /* RFC 5280 code; 0: no reasonCode */
    struct utc invalid_since; /* invalidityDate (5.3.2); UTC_NONE: none */
};

/* What stands around the entries. */
struct crl_head {
    struct str issuer;    /* the issuer's subject, DER, byte for byte */
    struct str key_id;    /* its SKI octets; not empty */
    struct serial number; /* CRLNumber, below 2^159 */
    struct utc this_update, next_update;
    struct str point; /* URL of one of several CRLs, printable ASCII, as the certificates name it; empty: a
                         full one */
};

/* Appends the signed CRL to out. RSA with SHA-256; EC with the hash BR 7.1.3.2.2 pairs with the curve.
 * FAILED: another kind of key, a time outside 1950 to 9999, a number or CRL too large, a URL that is none. 1M
 * entries: about 60 ms. */
MUST_USE bool crl_write(const struct crl_head *head, const struct crl_entry *entries, size_t count,
                        struct evp_pkey_st *key, struct buf *out, struct fault *f);

/* CRLNumber of a CRL in DER; false when the bytes are no CRL with a number other than 0. Jumps over the
 * entries. The signature is not looked at. */
bool crl_number(struct str der, struct serial *out);

#endif
