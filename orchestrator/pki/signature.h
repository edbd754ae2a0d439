/* signature.h - one signature over raw bytes, by the algorithms of BR 7.1.3.2 and no other.
 *
 * Pure. Does not: choose keys, or accept SHA-1 (ended by SC-097 on 2026-09-15) or Ed25519.
 * Called by: crl_read, ocsp. */
#ifndef MASSREVOKE_PKI_SIGNATURE_H
#define MASSREVOKE_PKI_SIGNATURE_H

#include "massrevoke/text.h"

/* A check over a message that comes in pieces; signature_begin starts, signature_end ends and frees. */
struct signature {
    void *context;       /* EVP_MD_CTX */
    const char *problem; /* static text */
};

/* Starts. `algorithm` is the whole AlgorithmIdentifier, compared byte for byte with BR 7.1.3.2; pkey an
 * EVP_PKEY. */
void signature_begin(struct signature *s, struct str algorithm, void *pkey);

/* Adds a piece of the message; one hash over it. */
void signature_add(struct signature *s, struct str piece);

/* Ends and frees: NULL when the signature is good, else why it is not (static text). */
const char *signature_end(struct signature *s, struct str signature);

/* All at once. */
const char *signature_check(struct str algorithm, struct str message, struct str signature, void *pkey);

#endif
