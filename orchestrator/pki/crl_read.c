#include "massrevoke/crl_read.h"
#include "pki/der_read.h"
#include "pki/serial_set.h"
#include "pki/signature.h"

#include <assert.h>

static_assert(CRL_OID_TEXT == DER_OID_TEXT, "one buffer size for OID text");

#define ID_CE(last)                                                                                          \
    {                                                                                                        \
        "\x55\x1d" last, 3                                                                                   \
    }
static const struct str id_number = ID_CE("\x14"), id_reason = ID_CE("\x15"), id_invalidity = ID_CE("\x18"),
                        id_idp = ID_CE("\x1c"), id_aki = ID_CE("\x23");

static bool read_aki(struct str value, bool critical, struct crl *out)
{
    struct str body, skipped;
    out->aki = (struct crl_aki){.present = true, .critical = critical};
    if (!der_take(&value, DER_SEQUENCE, &body) || value.n != 0)
        return false;
    if (der_peek(body, DER_CONTEXT + 0) && !der_take(&body, DER_CONTEXT + 0, &out->aki.key))
        return false;
    out->aki.other_fields = body.n != 0;
    (void)der_take(&body, DER_CONTEXT_CONSTRUCTED + 1, &skipped);
    (void)der_take(&body, DER_CONTEXT + 2, &skipped);
    return body.n == 0;
}

static bool read_number(struct str value, bool critical, struct crl *out)
{
    struct str body;
    if (!der_integer(&value, DER_INTEGER, &body) || value.n != 0)
        return false;
    out->number = (struct crl_number){.present = true, .critical = critical};
    out->number.negative = (body.p[0] & 0x80) != 0;
    out->number.minimal = der_integer_is_minimal(body);
    while (body.n > 0 && body.p[0] == 0)
        body.p++, body.n--;
    out->number.octets = body;
    return true;
}

/* DistributionPointName: only [0] fullName with URIs is of use to anybody (BR 7.2.2.1). */
static bool read_point(struct str point, struct crl_idp *idp)
{
    struct str names;
    idp->other_names = !der_peek(point, DER_CONTEXT_CONSTRUCTED + 0);
    if (idp->other_names)
        return true;
    if (!der_take(&point, DER_CONTEXT_CONSTRUCTED + 0, &names) || point.n != 0)
        return false;
    for (struct der_value name; names.n > 0;) {
        if (!der_next(&names, &name))
            return false;
        bool is_uri = name.tag == DER_CONTEXT + 6;
        idp->other_names = idp->other_names || !is_uri;
        if (is_uri && idp->uri_count == CRL_URIS_MAX)
            return false;
        if (is_uri)
            idp->uris[idp->uri_count++] = name.body;
    }
    return true;
}

static bool read_idp(struct str value, bool critical, struct crl *out)
{
    struct crl_idp *idp = &out->idp;
    struct str body, point, reasons;
    *idp = (struct crl_idp){.present = true, .critical = critical};
    if (!der_take(&value, DER_SEQUENCE, &body) || value.n != 0)
        return false;
    if (der_peek(body, DER_CONTEXT_CONSTRUCTED + 0) &&
        (!der_take(&body, DER_CONTEXT_CONSTRUCTED + 0, &point) || !read_point(point, idp)))
        return false;
    bool ok =
        der_flag(&body, DER_CONTEXT + 1, &idp->only_user) && der_flag(&body, DER_CONTEXT + 2, &idp->only_ca);
    idp->only_some_reasons = ok && der_take(&body, DER_CONTEXT + 3, &reasons);
    return ok && der_flag(&body, DER_CONTEXT + 4, &idp->indirect) &&
           der_flag(&body, DER_CONTEXT + 5, &idp->only_attribute) && body.n == 0;
}

/* The extensions we process; any other is unknown, deltaCRLIndicator on purpose: a delta says nothing about
 * what it leaves out. */
static const struct {
    const struct str *oid;
    bool (*read)(struct str value, bool critical, struct crl *out);
    const char *problem;
} known[] = {
    {&id_aki, read_aki, "malformed authorityKeyIdentifier"},
    {&id_number, read_number, "malformed cRLNumber"},
    {&id_idp, read_idp, "malformed issuingDistributionPoint"},
};
#define KNOWN (sizeof known / sizeof *known)

static const char *read_extension(const struct der_extension *e, struct crl *out)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (str_equal(e->oid, *known[i].oid))
            return known[i].read(e->value, e->critical, out) ? NULL : known[i].problem;
    struct str *unknown = e->critical ? &out->unknown_critical : &out->unknown;
    if (unknown->n == 0)
        *unknown = e->oid;
    return NULL;
}

/* crlExtensions [0]: NULL or the problem. */
static const char *read_extensions(struct str *tbs, struct crl *out)
{
    struct str wrapped, list, seen[CRL_EXTENSIONS_MAX];
    if (!der_peek(*tbs, DER_CONTEXT_CONSTRUCTED + 0))
        return NULL;
    if (!der_take(tbs, DER_CONTEXT_CONSTRUCTED + 0, &wrapped) || !der_take(&wrapped, DER_SEQUENCE, &list) ||
        wrapped.n != 0 || list.n == 0)
        return "malformed crlExtensions";
    for (struct der_extension e; list.n > 0;) {
        if (!der_extension(&list, &e))
            return "malformed crlExtensions";
        if (out->extension_count == CRL_EXTENSIONS_MAX)
            return "more than 32 extensions";
        bool twice = false;
        for (size_t i = 0; i < out->extension_count; i++)
            twice = twice || str_equal(seen[i], e.oid);
        if (twice && out->duplicate.n == 0)
            out->duplicate = e.oid;
        seen[out->extension_count++] = e.oid;
        const char *problem = read_extension(&e, out);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

static bool read_version(struct str *tbs, int *version)
{
    struct str body;
    *version = 0;
    if (!der_peek(*tbs, DER_INTEGER))
        return true;
    if (!der_integer(tbs, DER_INTEGER, &body) || body.n != 1)
        return false;
    *version = (uint8_t)body.p[0];
    return true;
}

static bool read_times(struct str *tbs, struct crl *out)
{
    bool this_ok, next_ok = true;
    if (!der_time(tbs, &out->this_update, &this_ok))
        return false;
    out->next_update = UTC_NONE;
    bool has_next = der_peek(*tbs, DER_UTC_TIME) || der_peek(*tbs, DER_GENERALIZED_TIME);
    if (has_next && !der_time(tbs, &out->next_update, &next_ok))
        return false;
    out->time_forms_ok = this_ok && next_ok;
    return true;
}

/* TBSCertList (RFC 5280 5.1): NULL or the problem. */
static const char *read_tbs(struct str tbs, struct crl *out)
{
    if (!read_version(&tbs, &out->version))
        return "malformed version";
    if (!der_take_whole(&tbs, DER_SEQUENCE, &out->inner_algorithm))
        return "malformed signature algorithm in tbsCertList";
    if (!der_take_whole(&tbs, DER_SEQUENCE, &out->issuer))
        return "malformed issuer name";
    if (!read_times(&tbs, out))
        return "malformed thisUpdate or nextUpdate";
    out->has_entries = der_peek(tbs, DER_SEQUENCE);
    if (out->has_entries && !der_take(&tbs, DER_SEQUENCE, &out->entries))
        return "malformed revokedCertificates";
    const char *problem = read_extensions(&tbs, out);
    if (problem == NULL && tbs.n != 0)
        problem = "unexpected bytes in tbsCertList";
    return problem;
}

static const char *read_crl(struct str der, struct crl *out)
{
    struct str outer, tbs;
    if (!der_take(&der, DER_SEQUENCE, &outer))
        return "not one DER SEQUENCE: empty, cut short or BER";
    if (der.n != 0)
        return "bytes after the end";
    if (!der_take_whole(&outer, DER_SEQUENCE, &out->tbs))
        return "malformed tbsCertList";
    if (!der_take_whole(&outer, DER_SEQUENCE, &out->outer_algorithm))
        return "malformed signatureAlgorithm";
    if (!der_bits(&outer, &out->signature) || outer.n != 0)
        return "malformed signature value";
    struct str whole = out->tbs;
    return der_take(&whole, DER_SEQUENCE, &tbs) ? read_tbs(tbs, out) : "malformed tbsCertList";
}

bool crl_parse(struct str bytes, struct arena *a, struct crl *out, struct fault *f)
{
    struct str der;
    *out = (struct crl){.next_update = UTC_NONE};
    const char *problem = der_from_pem(bytes, "X509 CRL", a, &der);
    if (problem == NULL)
        problem = read_crl(der, out);
    return problem == NULL || fault_set(f, FAULT_FAILED, "CRL: %s", problem);
}

struct crl_walk crl_walk(const struct crl *crl)
{
    return (struct crl_walk){.rest = crl->entries, .start = crl->entries.p};
}

/* One extension of an entry; false when malformed. */
static bool read_entry_extension(const struct der_extension *e, struct crl_entry *out)
{
    struct str value = e->value, code;
    if (str_equal(e->oid, id_reason)) {
        out->duplicate = out->duplicate || out->reason >= 0;
        out->reason_critical = e->critical;
        if (!der_integer(&value, DER_ENUMERATED, &code) || code.n != 1 || value.n != 0)
            return false;
        out->reason = (uint8_t)code.p[0];
        return true;
    }
    if (str_equal(e->oid, id_invalidity)) {
        out->duplicate = out->duplicate || utc_is_set(out->invalidity);
        return der_time(&value, &out->invalidity, NULL) && value.n == 0;
    }
    out->unknown_critical = out->unknown_critical || e->critical;
    return true;
}

static void read_serial(struct crl_entry *out)
{
    const uint8_t *octets = (const uint8_t *)out->serial_der.p;
    out->serial_ok = (octets[0] & 0x80) == 0 && der_integer_is_minimal(out->serial_der) &&
                     serial_from_octets(octets, out->serial_der.n, &out->serial) == NULL;
    if (!out->serial_ok)
        out->serial = (struct serial){0};
}

static bool read_entry(struct str body, struct crl_entry *out)
{
    struct str list;
    if (!der_integer(&body, DER_INTEGER, &out->serial_der) || !der_time(&body, &out->at, &out->time_form_ok))
        return false;
    read_serial(out);
    if (body.n == 0)
        return true;
    if (!der_take(&body, DER_SEQUENCE, &list) || body.n != 0 || list.n == 0)
        return false;
    for (struct der_extension e; list.n > 0;)
        if (!der_extension(&list, &e) || !read_entry_extension(&e, out))
            return false;
    return true;
}

bool crl_next(struct crl_walk *w, struct crl_entry *out)
{
    struct str body;
    if (w->problem != NULL || w->rest.n == 0)
        return false;
    *out = (struct crl_entry){
        .index = w->index++, .offset = (size_t)(w->rest.p - w->start), .reason = -1, .invalidity = UTC_NONE};
    if (der_take(&w->rest, DER_SEQUENCE, &body) && read_entry(body, out)) {
        w->unordered = w->unordered || serial_compare(&w->last, &out->serial) >= 0;
        w->last = out->serial;
        return true;
    }
    w->problem = "malformed entry in revokedCertificates";
    return false;
}

const char *crl_signature_problem(const struct crl *crl, const struct verify_issuer *issuer)
{
    if (!str_equal(crl->inner_algorithm, crl->outer_algorithm))
        return "the signature algorithms inside and outside tbsCertList differ";
    return signature_check(crl->inner_algorithm, crl->tbs, crl->signature, issuer->pkey);
}

static void note_hits(const struct serial_set *set, const struct serial *wanted, const struct crl_entry *e,
                      struct crl_hit *hits)
{
    struct serial_probe p = serial_set_probe(set, &e->serial);
    for (uint32_t i; serial_set_next(set, &p, &i);) {
        if (!serial_equal(&wanted[i], &e->serial))
            continue;
        if (hits[i].entries++ == 0)
            hits[i] = (struct crl_hit){.listed = true, .at = e->at, .reason = e->reason, .entries = 1};
    }
}

bool crl_match(const struct crl *crl, const struct serial *wanted, size_t count,
               const uint64_t seed[static 2], struct crl_hit *hits, struct fault *f)
{
    if (count >= INT32_MAX)
        return fault_set(f, FAULT_FAILED, "CRL: more than 2^31 serials to look up at once");
    struct serial_set set = serial_set_make(count, seed);
    for (size_t i = 0; i < count; i++) {
        uint32_t other;
        hits[i] = (struct crl_hit){.at = UTC_NONE, .reason = -1};
        struct serial_probe p = serial_set_probe(&set, &wanted[i]);
        while (serial_set_next(&set, &p, &other))
            continue;
        serial_set_put(&set, p, (uint32_t)i);
    }
    struct crl_walk w = crl_walk(crl);
    for (struct crl_entry e; crl_next(&w, &e);)
        if (e.serial_ok)
            note_hits(&set, wanted, &e, hits);
    serial_set_free(&set);
    return w.problem == NULL || fault_set(f, FAULT_FAILED, "CRL: entry %zu: %s", w.index, w.problem);
}

static struct crl_entry entry_at(const struct crl *crl, size_t offset)
{
    struct crl_walk w = {.rest = {crl->entries.p + offset, crl->entries.n - offset}, .start = crl->entries.p};
    struct crl_entry e = {0};
    (void)crl_next(&w, &e);
    return e;
}

size_t crl_count_doubles(const struct crl *crl, size_t count, const uint64_t seed[static 2],
                         struct crl_entry *first)
{
    size_t doubles = 0;
    if (crl->entries.n >= INT32_MAX)
        return 0;
    struct serial_set set = serial_set_make(count, seed);
    struct crl_walk w = crl_walk(crl);
    for (struct crl_entry e; crl_next(&w, &e);) {
        struct serial_probe p = serial_set_probe(&set, &e.serial);
        bool twice = false;
        for (uint32_t offset; e.serial_ok && !twice && serial_set_next(&set, &p, &offset);) {
            struct crl_entry other = entry_at(crl, offset);
            twice = serial_equal(&other.serial, &e.serial);
        }
        if (twice && doubles++ == 0)
            *first = e;
        if (!twice && e.serial_ok)
            serial_set_put(&set, p, (uint32_t)e.offset);
    }
    serial_set_free(&set);
    return doubles;
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

const char *crl_oid_text(struct str oid, char out[static CRL_OID_TEXT])
{
    return der_oid_text(oid, out);
}
