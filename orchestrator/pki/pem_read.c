#include "pki/pem_read.h"
#include "pki/der_read.h"

#include <openssl/evp.h>

#include <stdio.h>

#define PIECE 4096 /* base64 characters decoded at once */

void pem_begin(struct pem_reader *r, const char *label, pem_sink *sink, void *context)
{
    *r = (struct pem_reader){.base64 = EVP_ENCODE_CTX_new(), .sink = sink, .context = context};
    snprintf(r->first, sizeof r->first, "-----BEGIN %s-----", label);
    snprintf(r->last, sizeof r->last, "-----END %s-----", label);
    if (r->base64 == NULL)
        r->problem = "out of memory";
    else
        EVP_DecodeInit(r->base64);
}

/* Looks for the first marker, which may lie across pieces; what follows it is left in *piece. */
static void seek(struct pem_reader *r, struct str *piece)
{
    size_t mark = strlen(r->first), old = r->held_n;
    char joint[2 * PEM_MARK];
    size_t more = piece->n < mark ? piece->n : mark;
    memcpy(joint, r->held, old);
    memcpy(joint + old, piece->p, more);
    const char *at = memmem(joint, old + more, r->first, mark);
    size_t used = piece->n;
    if (at != NULL)
        used = (size_t)(at - joint) + mark - old;
    else if ((at = memmem(piece->p, piece->n, r->first, mark)) != NULL)
        used = (size_t)(at - piece->p) + mark;
    if (at != NULL) {
        r->part = PEM_BODY;
    } else if (piece->n >= mark) {
        r->held_n = mark - 1;
        memcpy(r->held, piece->p + piece->n - r->held_n, r->held_n);
    } else {
        size_t whole = old + more, keep = whole < mark - 1 ? whole : mark - 1;
        memcpy(r->held, joint + whole - keep, keep);
        r->held_n = keep;
    }
    piece->p += used;
    piece->n -= used;
}

static void decode(struct pem_reader *r, struct str text)
{
    unsigned char out[PIECE];
    int n = 0;
    if (str_trim(text).n == 0)
        return;
    int rc =
        r->padded ? -1 : EVP_DecodeUpdate(r->base64, out, &n, (const unsigned char *)text.p, (int)text.n);
    r->padded = rc == 0;
    if (rc < 0)
        r->problem = "the PEM block is not base64";
    else if (n > 0)
        r->sink(r->context, (struct str){(const char *)out, (size_t)n});
}

static void read_body(struct pem_reader *r, struct str *piece)
{
    size_t n = piece->n < PIECE ? piece->n : PIECE;
    const char *dash = memchr(piece->p, '-', n);
    if (dash != NULL) {
        r->part = PEM_END;
        n = (size_t)(dash - piece->p);
    }
    decode(r, (struct str){piece->p, n});
    piece->p += n;
    piece->n -= n;
}

static void read_end(struct pem_reader *r, struct str *piece)
{
    unsigned char out[4];
    int n = 0;
    for (; piece->n > 0 && r->part == PEM_END; piece->p++, piece->n--) {
        if (piece->p[0] != r->last[r->end_n++]) {
            r->problem = "the PEM block is not base64";
            return;
        }
        if (r->last[r->end_n] == '\0')
            r->part = PEM_AFTER;
    }
    if (r->part == PEM_AFTER && EVP_DecodeFinal(r->base64, out, &n) != 1)
        r->problem = "the PEM block is not base64";
}

void pem_add(struct pem_reader *r, struct str piece)
{
    while (piece.n > 0 && r->problem == NULL) {
        switch (r->part) {
        case PEM_BEFORE:
            seek(r, &piece);
            break;
        case PEM_BODY:
            read_body(r, &piece);
            break;
        case PEM_END:
            read_end(r, &piece);
            break;
        case PEM_AFTER:
            if (str_trim(piece).n != 0)
                r->problem = "bytes after the PEM block";
            return;
        }
    }
}

const char *pem_end(struct pem_reader *r)
{
    static const char *const missing[] = {"neither DER nor a PEM block of the right kind",
                                          "the PEM block has no end", "the PEM block has no end", NULL};
    EVP_ENCODE_CTX_free(r->base64);
    r->base64 = NULL;
    return r->problem != NULL ? r->problem : missing[r->part];
}

static void collect(void *context, struct str bytes)
{
    buf_add(context, bytes.p, bytes.n);
}

const char *der_from_pem(struct str bytes, const char *label, struct arena *a, struct str *out)
{
    *out = bytes;
    if (der_peek(bytes, DER_SEQUENCE))
        return NULL;
    AUTO_BUF b = {0};
    struct pem_reader r;
    pem_begin(&r, label, collect, &b);
    pem_add(&r, bytes);
    const char *problem = pem_end(&r);
    *out = (struct str){arena_copy(a, buf_str(&b).p, b.n), b.n};
    return problem;
}
