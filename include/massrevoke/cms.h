/* cms.h - detached signatures of persons over a text (CMS, RFC 5652), and private keys from files.
 *
 * Reads key and certificate files; verifying is pure. Does not: build chains (a person is known by the exact
 * certificate configured), look at key purposes (a client authentication card is as good as any), trust the
 * signing time inside a signature, or ask for a passphrase on a terminal. Keys never pass through argv.
 * Called by: cli (approve), executor's approval judge through cli, drill, doors (key_load). */
#ifndef MASSREVOKE_CMS_H
#define MASSREVOKE_CMS_H

#include "massrevoke/cert.h"

#define CMS_MAX ((size_t)256 * 1024) /* bytes of the largest signature we read */

/* Reads an unencrypted or passphrase-protected PEM or DER private key; the first line of password_file (may
 * be NULL) is the passphrase. *out is the caller's (key_release). CONFIG: missing, damaged, wrong passphrase.
 */
MUST_USE bool key_load(const char *path, const char *password_file, struct evp_pkey_st **out,
                       struct fault *f);

/* Frees a key; NULL is allowed. */
void key_release(struct evp_pkey_st *key);

/* Can a key of this certificate sign CMS here? NULL when yes, else why not (static text): RSA and EC can,
 * Ed25519 and Ed448 can't in OpenSSL 3.0. */
const char *cms_key_problem(const struct cert *cert);

/* Signs text with the key and certificate in the two files: detached, SHA-256, PEM ("BEGIN CMS") appended to
 * out, certificate included. REFUSED for a kind of key that can't; CONFIG when key and certificate are no
 * pair. */
MUST_USE bool cms_sign(struct str text, const char *key_file, const char *password_file,
                       const char *certificate_file, struct buf *out, struct fault *f);

/* Verifies a detached signature (PEM or DER) over exactly these bytes by exactly one signer out of `persons`,
 * whose certificate is valid at `at`; *who is its index. FAILED: the signature can't be read. REFUSED: it is
 * a stranger's, over another text, by a weak hash, or the certificate is not valid at that time. */
MUST_USE bool cms_verify(struct str signature, struct str text, const struct cert *persons, size_t count,
                         struct utc at, size_t *who, struct fault *f);

#endif
