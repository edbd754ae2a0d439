/* keytype.h - can the holder of this certificate sign an approval?
 *
 * An approval is a detached CMS signature, and OpenSSL 3.0 cannot make one with an Ed25519 or Ed448 key (no
 * digest of its own: RFC 8419). I/O: reads one file. Does not: judge dates, chains or purposes; an approver's
 * certificate is trusted because the configuration names it. Called by: cli (config check). */
#ifndef MASSREVOKE_KEYTYPE_H
#define MASSREVOKE_KEYTYPE_H

#include "massrevoke/fault.h"

/* Reads one certificate (PEM or DER, at most 1 MiB) and checks that its key can sign CMS. CONFIG: unreadable,
 * not exactly a certificate, or a key that cannot sign; the text begins with the path. */
MUST_USE bool keytype_check(const char *path, struct fault *f);

#endif
