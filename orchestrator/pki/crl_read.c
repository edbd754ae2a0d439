/* Reading a CRL piece by piece: a header of known size, entries one after another, a small tail. */
#include "massrevoke/crl_read.h"
#include "pki/crl_parts.h"
#include "pki/pem_read.h"
#include "pki/serial_set.h"
#include "pki/signature.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(CRL_OID_TEXT == DER_OID_TEXT, "one buffer size for OID text");

#define BATCH 32    /* entries looked up together, so that memory answers for all at once */
#define SMALLEST 20 /* bytes of the smallest entry */
#define SLICE ((size_t)2 * CRL_PART_MOST)
#define TOP_UP ((size_t)4096) /* added to a held beginning until it is whole */

enum part { PART_HEAD, PART_ENTRIES, PART_SKIPPED, PART_EXTENSIONS, PART_SIGNATURE, PART_AFTER };
enum form { FORM_UNKNOWN, FORM_DER, FORM_PEM };

struct crl_reader {
    struct crl_question q;
    struct arena *arena;
    enum form form;
    struct pem_reader pem;
    struct buf held; /* the piece of the last part that is not complete */
    enum part part;
    size_t tbs_left, after_left, entries_left; /* bytes not yet taken; after_left: behind tbsCertList */
    struct signature signature;
    struct serial_set wanted;
    struct serial_seen seen;
    struct crl_hit *hits;
    struct crl_before before;
    struct crl_listed blank, batch[BATCH];
    uint64_t hashes[BATCH];
    size_t batch_n;
    struct crl crl;
    const char *problem;
};

static const struct serial *wanted_at(const struct crl_question *q, size_t i)
{
    return (const struct serial *)(const void *)((const char *)q->wanted + i * q->stride);
}

static void put_wanted(struct crl_reader *r)
{
    const struct crl_question *q = &r->q;
    r->hits = arena_grow(NULL, (q->wanted_count + 1) * sizeof *r->hits);
    r->wanted = serial_set_make(q->wanted_count);
    assert(r->wanted.slots != NULL);
    uint64_t hashes[BATCH];
    for (size_t from = 0; from < q->wanted_count; from += BATCH) {
        size_t n = q->wanted_count - from < BATCH ? q->wanted_count - from : BATCH;
        for (size_t i = 0; i < n; i++) {
            hashes[i] = serial_hash(q->seed, wanted_at(q, from + i));
            __builtin_prefetch(&r->wanted.slots[hashes[i] & r->wanted.mask], 1);
        }
        for (size_t i = 0; i < n; i++) {
            uint32_t other;
            struct serial_probe p = serial_set_probe(&r->wanted, hashes[i]);
            while (serial_set_next(&r->wanted, &p, &other))
                continue;
            serial_set_put(&r->wanted, p, hashes[i], (uint32_t)(from + i));
            r->hits[from + i] = (struct crl_hit){.at = UTC_NONE, .reason = -1};
        }
    }
}

struct crl_reader *crl_read_begin(const struct crl_question *q, struct arena *a)
{
    struct crl_reader *r = arena_grow(NULL, sizeof *r);
    *r = (struct crl_reader){.q = *q, .arena = a, .crl = {.next_update = UTC_NONE}};
    r->blank = (struct crl_listed){.reason = -1, .invalidity = UTC_NONE};
    if (q->wanted_count > CRL_WANTED_MOST)
        r->problem = "more than 2^31 serials to look up at once";
    else
        put_wanted(r);
    return r;
}

/* --- entries --- */

/* Notes a serial that may be wanted. */
static void note_hits(struct crl_reader *r, struct crl_listed *e, uint64_t hash)
{
    struct serial_probe p = serial_set_probe(&r->wanted, hash);
    for (uint32_t i; serial_set_next(&r->wanted, &p, &i);) {
        if (!serial_equal(wanted_at(&r->q, i), &e->serial))
            continue;
        struct crl_hit *hit = &r->hits[i];
        e->wanted = true;
        e->repeated = e->repeated || hit->entries > 0;
        if (hit->entries == 0)
            *hit = (struct crl_hit){.at = e->at, .reason = (int16_t)e->reason};
        if (hit->entries < UINT16_MAX)
            hit->entries++;
    }
}

/* A batch's entries as bits. */
typedef uint32_t entry_bits;
static_assert(BATCH <= 32, "a bit for each entry");

/* The lowest of the entries left, taken out; there is one. */
static size_t next_of(entry_bits *left)
{
    size_t i = (size_t)__builtin_ctz(*left);
    *left &= *left - 1;
    return i;
}

/* Looks a batch up: first all places are asked for, then all are read; no branch until it is known which few
 * entries need one. */
static void look_up(struct crl_reader *r)
{
    entry_bits watched = 0, wanted = 0;
    for (size_t i = 0; i < r->batch_n; i++) {
        uint64_t hash = serial_hash(r->q.seed, &r->batch[i].serial);
        r->hashes[i] = hash;
        __builtin_prefetch(serial_set_word(&r->wanted, hash));
        watched |= (entry_bits)(r->batch[i].serial_ok & serial_seen_watches(&r->seen, hash)) << i;
    }
    for (entry_bits left = watched; left != 0;)
        serial_seen_prefetch(&r->seen, r->hashes[next_of(&left)]);
    for (size_t i = 0; i < r->batch_n; i++)
        wanted |= (entry_bits)(r->batch[i].serial_ok & serial_set_may(&r->wanted, r->hashes[i])) << i;
    for (entry_bits left = wanted; left != 0;)
        __builtin_prefetch(&r->wanted.slots[r->hashes[next_of(&left)] & r->wanted.mask]);
    while (watched != 0) {
        size_t i = next_of(&watched);
        r->batch[i].repeated = serial_seen_add(&r->seen, r->hashes[i]);
    }
    while (wanted != 0) {
        size_t i = next_of(&wanted);
        note_hits(r, &r->batch[i], r->hashes[i]);
    }
}

/* The batch is over: entries point into the piece, which goes. */
static void flush(struct crl_reader *r)
{
    look_up(r);
    if (r->q.entries != NULL && r->batch_n > 0)
        r->q.entries(r->q.context, &r->crl, r->batch, r->batch_n);
    r->batch_n = 0;
}

/* The entry that begins here: taken, not all there yet, or malformed. */
enum taken { TAKEN, TAKEN_CUT, TAKEN_BAD };

static enum taken take_entry(struct crl_reader *r, struct str *view, bool all_there)
{
    struct str rest = *view, body;
    struct crl_listed *e = &r->batch[r->batch_n];
    if (!der_take(&rest, DER_SEQUENCE, &body)) {
        bool cut = !all_there && der_peek(*view, DER_SEQUENCE) && view->n < CRL_PART_MOST;
        return cut ? TAKEN_CUT : TAKEN_BAD;
    }
    *e = r->blank; /* copied: gcc clears by an instruction that is slow to start */
    e->index = r->crl.entry_count;
    if (view->n - rest.n > CRL_PART_MOST || !crl_read_entry(body, &r->before, e))
        return TAKEN_BAD;
    *view = rest;
    r->crl.entry_count++;
    r->batch_n++;
    return TAKEN;
}

static void advance(struct str *in, size_t n)
{
    in->p += n;
    in->n -= n;
}

/* Takes complete entries; what is left of *in is the beginning of one. */
static void take_entries(struct crl_reader *r, struct str *in)
{
    size_t n = in->n < r->entries_left ? in->n : r->entries_left;
    struct str view = {in->p, n};
    enum taken taken = TAKEN;
    while (view.n > 0 && (taken = take_entry(r, &view, n == r->entries_left)) == TAKEN)
        if (r->batch_n == BATCH)
            flush(r);
    flush(r);
    r->entries_left -= n - view.n;
    advance(in, n - view.n);
    if (taken == TAKEN_BAD) {
        r->crl.entry_problem = "malformed entry in revokedCertificates";
        r->part = PART_SKIPPED;
    } else if (r->entries_left == 0) {
        r->part = PART_EXTENSIONS;
    }
}

/* What follows a malformed entry is part of what was signed, and no more. */
static void skip_entries(struct crl_reader *r, struct str *in)
{
    size_t n = in->n < r->entries_left ? in->n : r->entries_left;
    r->entries_left -= n;
    advance(in, n);
    if (r->entries_left == 0)
        r->part = PART_EXTENSIONS;
}

/* --- the small parts --- */

static const char cut_short[] = "not one DER SEQUENCE: empty, cut short or BER";

/* Sizes that the first bytes tell. */
struct head {
    size_t outer_header, outer, tbs_header, tbs; /* bytes of headers and contents */
    size_t used;                                 /* up to the first entry, from the very beginning */
    size_t entries;
};

/* Reads everything before the first entry: NULL, or what is wrong with it so far (more may come). */
static const char *read_head(struct str in, bool ended, struct head *h, struct crl *crl)
{
    uint8_t tag;
    struct str rest = in;
    *crl = (struct crl){.next_update = UTC_NONE};
    if (!der_peek(rest, DER_SEQUENCE) || !der_header(rest, &tag, &h->outer_header, &h->outer))
        return cut_short;
    advance(&rest, h->outer_header);
    if (ended && h->outer != rest.n)
        return h->outer > rest.n ? cut_short : "bytes after the end";
    rest.n = rest.n < h->outer ? rest.n : h->outer;
    if (!der_peek(rest, DER_SEQUENCE) || !der_header(rest, &tag, &h->tbs_header, &h->tbs) ||
        h->tbs > h->outer - h->tbs_header)
        return "malformed tbsCertList";
    advance(&rest, h->tbs_header);
    bool whole = rest.n >= h->tbs;
    rest.n = whole ? h->tbs : rest.n;
    struct str tbs = rest;
    const char *problem = crl_read_head(&rest, crl);
    if (problem != NULL)
        return problem;
    if (rest.n == 0 && !whole)
        return "malformed tbsCertList";
    crl->has_entries = der_peek(rest, DER_SEQUENCE);
    size_t header = 0, taken = tbs.n - rest.n;
    h->entries = 0;
    if (crl->has_entries &&
        (!der_header(rest, &tag, &header, &h->entries) || h->entries > h->tbs - taken - header))
        return "malformed revokedCertificates";
    h->used = h->outer_header + h->tbs_header + taken + header;
    return h->used > CRL_PART_MOST ? "more than 64 KiB before the entries" : NULL;
}

static void take_head(struct crl_reader *r, struct str *in, bool ended)
{
    struct head h;
    const char *problem = read_head(*in, ended, &h, &r->crl);
    if (problem != NULL) {
        if (ended || in->n >= CRL_PART_MOST + 16) /* 16: the header of what follows */
            r->problem = problem;
        return;
    }
    /* again on a copy that stays */
    struct str copy = {arena_copy(r->arena, in->p, h.used), h.used}, tbs = copy;
    advance(&tbs, h.outer_header + h.tbs_header);
    (void)crl_read_head(&tbs, &r->crl);
    r->entries_left = h.entries;
    r->tbs_left = h.outer_header + h.tbs_header + h.tbs - h.used;
    r->after_left = h.outer - h.tbs_header - h.tbs;
    r->seen = serial_seen_make(h.entries / SMALLEST);
    if (r->q.issuer != NULL) {
        signature_begin(&r->signature, r->crl.inner_algorithm, r->q.issuer->pkey);
        signature_add(&r->signature, (struct str){in->p + h.outer_header, h.used - h.outer_header});
    }
    advance(in, h.used);
    r->part = h.entries > 0 ? PART_ENTRIES : PART_EXTENSIONS;
}

/* Takes n bytes that must stay, when they are there. */
static bool take_rest(struct crl_reader *r, struct str *in, size_t n, struct str *out)
{
    if (n > CRL_PART_MOST)
        r->problem = "more than 64 KiB behind the entries";
    if (r->problem != NULL || in->n < n)
        return false;
    *out = (struct str){arena_copy(r->arena, in->p, n), n};
    advance(in, n);
    return true;
}

static void take_extensions(struct crl_reader *r, struct str *in)
{
    struct str bytes;
    if (!take_rest(r, in, r->tbs_left, &bytes))
        return;
    r->problem = crl_read_extensions(bytes, &r->crl);
    r->part = PART_SIGNATURE;
}

static void take_signature(struct crl_reader *r, struct str *in)
{
    struct str bytes;
    if (!take_rest(r, in, r->after_left, &bytes))
        return;
    r->problem = crl_read_signature(bytes, &r->crl);
    r->part = PART_AFTER;
}

/* One step; what it took of the signed bytes is hashed while it is warm. */
static void step(struct crl_reader *r, struct str *in, bool ended)
{
    struct str start = *in;
    enum part part = r->part;
    switch (part) {
    case PART_HEAD:
        take_head(r, in, ended);
        return;
    case PART_ENTRIES:
        take_entries(r, in);
        break;
    case PART_SKIPPED:
        skip_entries(r, in);
        break;
    case PART_EXTENSIONS:
        take_extensions(r, in);
        break;
    case PART_SIGNATURE:
        take_signature(r, in);
        return;
    case PART_AFTER:
        r->problem = in->n > 0 ? "bytes after the end" : NULL;
        return;
    }
    size_t used = (size_t)(in->p - start.p);
    r->tbs_left -= used;
    if (r->q.issuer != NULL && used > 0)
        signature_add(&r->signature, (struct str){start.p, used});
}

/* Takes what it can; how much that was. */
static size_t consume(struct crl_reader *r, struct str in, bool ended)
{
    const char *start = in.p;
    for (bool moved = true; moved && r->problem == NULL;) {
        struct str before = in;
        enum part part = r->part;
        step(r, &in, ended);
        moved = in.p != before.p || r->part != part;
    }
    return (size_t)(in.p - start);
}

static void add_der(void *context, struct str piece)
{
    struct crl_reader *r = context;
    while (piece.n > 0 && r->problem == NULL) {
        size_t more = r->held.n == 0 ? SLICE : TOP_UP, old = r->held.n;
        more = piece.n < more ? piece.n : more;
        if (old > 0)
            buf_add(&r->held, piece.p, more);
        size_t used = consume(r, old > 0 ? buf_str(&r->held) : (struct str){piece.p, more}, false);
        if (used > 0 && used >= old) { /* on from the piece itself */
            buf_clear(&r->held);
            advance(&piece, used - old);
            continue;
        }
        if (old == 0)
            buf_add(&r->held, piece.p, more);
        else
            memmove(r->held.p, r->held.p + used, r->held.n -= used);
        advance(&piece, more);
    }
}

/* --- the whole --- */

void crl_read_add(struct crl_reader *r, struct str piece)
{
    if (piece.n == 0 || r->problem != NULL)
        return;
    if (r->form == FORM_UNKNOWN) {
        r->form = der_peek(piece, DER_SEQUENCE) ? FORM_DER : FORM_PEM;
        if (r->form == FORM_PEM)
            pem_begin(&r->pem, "X509 CRL", add_der, r);
    }
    if (r->form == FORM_DER)
        add_der(r, piece);
    else
        pem_add(&r->pem, piece);
}

static void finish(struct crl_reader *r)
{
    const char *pem_problem = r->form == FORM_PEM       ? pem_end(&r->pem)
                              : r->form == FORM_UNKNOWN ? "neither DER nor a PEM block of the right kind"
                                                        : NULL;
    if (r->problem == NULL)
        r->problem = pem_problem;
    if (r->problem == NULL)
        (void)consume(r, buf_str(&r->held), true);
    if (r->problem == NULL && r->part != PART_AFTER)
        r->problem = cut_short;
}

/* Also frees what the check holds. */
static const char *signature_problem(struct crl_reader *r)
{
    if (r->q.issuer == NULL)
        return "no issuer certificate was given";
    if (r->part == PART_HEAD)
        return "nothing that could be signed";
    const char *problem = signature_end(&r->signature, r->crl.signature);
    bool differ = !str_equal(r->crl.inner_algorithm, r->crl.outer_algorithm);
    return differ ? "the signature algorithms inside and outside tbsCertList differ" : problem;
}

bool crl_read_end(struct crl_reader *r, struct crl *out, struct crl_hit **hits, struct fault *f)
{
    finish(r);
    r->crl.signature_problem = signature_problem(r);
    const char *problem = r->problem;
    *out = r->crl;
    bool good = problem == NULL && out->signature_problem == NULL && out->entry_problem == NULL;
    if (hits != NULL)
        *hits = good ? r->hits : NULL;
    if (hits == NULL || !good)
        free(r->hits);
    serial_set_free(&r->wanted);
    serial_seen_free(&r->seen);
    buf_free(&r->held);
    free(r);
    return problem == NULL || fault_set(f, FAULT_FAILED, "CRL: %s", problem);
}

bool crl_read(struct str bytes, const struct crl_question *q, struct arena *a, struct crl *out,
              struct crl_hit **hits, struct fault *f)
{
    struct crl_reader *r = crl_read_begin(q, a);
    crl_read_add(r, bytes);
    return crl_read_end(r, out, hits, f);
}

int crl_number_compare(struct str a, struct str b)
{
    while (a.n > 0 && a.p[0] == 0)
        a.p++, a.n--;
    while (b.n > 0 && b.p[0] == 0)
        b.p++, b.n--;
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

const char *crl_algorithm_text(struct str algorithm, char out[static CRL_OID_TEXT])
{
    struct str body, oid;
    if (!der_take(&algorithm, DER_SEQUENCE, &body) || !der_take(&body, DER_OID, &oid))
        return "malformed";
    der_oid_text(oid, out);
    const char *parameters = body.n == 0                                ? ", no parameters"
                             : str_equal(body, (struct str){"\x05", 2}) ? ", NULL parameters"
                                                                        : "";
    size_t n = strlen(out);
    snprintf(out + n, CRL_OID_TEXT - n, "%s", parameters);
    return out;
}

const char *crl_oid_text(struct str oid, char out[static CRL_OID_TEXT])
{
    return der_oid_text(oid, out);
}
