/* jws.h - signed JSON for the interfaces that want it: JWS (RFC 7515) by ES256, ES384, ES512 or RS256 (RFC
 * 7518), flattened as ACME has it (RFC 8555 6.2) or compact as a JWT (RFC 7519).
 *
 * Pure but for the signature's randomness. Does not: verify, read keys, or compose headers and payloads; both
 * come as JSON text. Called by: doors. */
#ifndef MASSREVOKE_JWS_H
#define MASSREVOKE_JWS_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"

struct evp_pkey_st;

/* Appends base64url without padding (RFC 7515 appendix C). */
void jws_base64(const void *bytes, size_t n, struct buf *out);

/* "ES256" and the like; NULL for a key that can't sign here. Static. */
const char *jws_algorithm(struct evp_pkey_st *key);

/* Appends the public key as a JWK (RFC 7517), members in the order of RFC 7638. FAILED: another kind of key.
 */
MUST_USE bool jws_public_key(struct evp_pkey_st *key, struct buf *out, struct fault *f);

/* Appends HEADER.PAYLOAD.SIGNATURE. FAILED: another kind of key. */
MUST_USE bool jws_compact(struct evp_pkey_st *key, struct str header, struct str payload, struct buf *out,
                          struct fault *f);

/* Appends {"protected":...,"payload":...,"signature":...}. */
MUST_USE bool jws_flat(struct evp_pkey_st *key, struct str header, struct str payload, struct buf *out,
                       struct fault *f);

/* May it stand inside a header field or a JSON text as it is: 1 to `most` characters of base64url? Nonces of
 * a server (RFC 8555 6.5.1). */
bool jws_is_base64(struct str text, size_t most);

#endif
