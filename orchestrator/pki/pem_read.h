/* pem_read.h - taking PEM's clothes off, piece by piece (RFC 7468).
 *
 * Text before the block is let through, behind it only blanks. Memory is a few hundred bytes whatever the
 * size; where the input is cut into pieces does not matter. Pure. Does not: read labels other than the one
 * asked for, headers inside the block, or a second block. Called by: crl_read, ocsp, verify_issuer. */
#ifndef MASSREVOKE_PKI_PEM_READ_H
#define MASSREVOKE_PKI_PEM_READ_H

#include "massrevoke/arena.h"
#include "massrevoke/text.h"

#define PEM_MARK 40 /* bytes for the longest marker */

/* Takes what was decoded. */
typedef void pem_sink(void *context, struct str bytes);

enum pem_part { PEM_BEFORE, PEM_BODY, PEM_END, PEM_AFTER };

/* A block being read; pem_begin starts, pem_end ends. */
struct pem_reader {
    char first[PEM_MARK], last[PEM_MARK]; /* the markers */
    char held[PEM_MARK];                  /* the last bytes before the block */
    size_t held_n, end_n;                 /* end_n: of the end marker seen so far */
    enum pem_part part;
    void *base64;
    bool padded; /* padding was seen: only blanks may follow */
    pem_sink *sink;
    void *context;
    const char *problem;
};

/* Starts; label as in "X509 CRL", static. */
void pem_begin(struct pem_reader *r, const char *label, pem_sink *sink, void *context);

/* Reads a piece. */
void pem_add(struct pem_reader *r, struct str piece);

/* Ends and frees: NULL or what is wrong (static text). */
const char *pem_end(struct pem_reader *r);

/* All at once: bytes that begin with a SEQUENCE are taken as DER, others must hold one PEM block with the
 * label. NULL or what is wrong (static text). */
const char *der_from_pem(struct str bytes, const char *label, struct arena *a, struct str *out);

#endif
