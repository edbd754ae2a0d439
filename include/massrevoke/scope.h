/* scope.h - the digests of what people sign: exactly which certificates, with which number and reason.
 *
 * A page's digest is SHA-256 over (number, issuer, serial, reason) of its rows, a cohort's over (page,
 * digest) of its pages (design section 3: what is signed is what, not when). The schema's scope_digest()
 * computes the latter too. Pure. Does not: read rows or know who signed. Called by: engine (before every
 * claim is acted on), store (plan, balance, log), cli. */
#ifndef MASSREVOKE_SCOPE_H
#define MASSREVOKE_SCOPE_H

#include "massrevoke/digest.h"
#include "massrevoke/serial.h"

/* A certificate row as it stands. */
struct scoped {
    int64_t number;
    int issuer, reason;
    struct digest issuer_sha256;
    struct serial serial;
};

/* A page and its digest. */
struct page_scope {
    int page;
    struct digest scope;
};

/* Appends the octets of one row that its page's digest is taken over: number (4), SHA-256 of the issuer's
 * certificate, length of the serial (1), serial, reason (2), integers in network byte order. */
void scope_add_row(struct buf *octets, uint32_t number, const struct digest *issuer,
                   const struct serial *serial, int reason);

/* Digest of one page's rows, in number order. */
struct digest scope_of_page(const struct scoped *rows, size_t n);

/* Digest of a cohort's page digests, in page order. */
struct digest scope_of_pages(const struct page_scope *pages, size_t n);

#endif
