/* signature.h - one signature over raw bytes, by the algorithms of BR 7.1.3.2 and no other.
 *
 * Pure. Does not: choose keys, or accept SHA-1 (ended by SC-097 on 2026-09-15) or Ed25519.
 * Called by: crl_read, ocsp. */
#ifndef MASSREVOKE_PKI_SIGNATURE_H
#define MASSREVOKE_PKI_SIGNATURE_H

#include "massrevoke/text.h"

/* `algorithm` is the whole AlgorithmIdentifier, compared byte for byte with BR 7.1.3.2; pkey an EVP_PKEY.
 * NULL when the signature is good, else why it is not (static text). Costs one hash over the message. */
const char *signature_check(struct str algorithm, struct str message, struct str signature, void *pkey);

#endif
