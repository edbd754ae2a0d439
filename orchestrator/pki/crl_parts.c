#include "pki/crl_parts.h"

#define ID_CE(last)                                                                                          \
    {                                                                                                        \
        "\x55\x1d" last, 3                                                                                   \
    }
static const struct str id_number = ID_CE("\x14"), id_idp = ID_CE("\x1c"), id_aki = ID_CE("\x23");

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

static const char *read_extensions(struct str *tbs, struct crl *out)
{
    struct str wrapped, list, seen[CRL_EXTENSIONS_MAX];
    if (!der_peek(*tbs, DER_CONTEXT_CONSTRUCTED + 0))
        return NULL;
    if (!der_take(tbs, DER_CONTEXT_CONSTRUCTED + 0, &wrapped) || !der_take(&wrapped, DER_SEQUENCE, &list) ||
        wrapped.n != 0 || list.n == 0)
        return "malformed crlExtensions";
    size_t n = 0;
    for (struct der_extension e; list.n > 0;) {
        if (!der_extension(&list, &e))
            return "malformed crlExtensions";
        if (n == CRL_EXTENSIONS_MAX)
            return "more than 32 extensions";
        bool twice = false;
        for (size_t i = 0; i < n; i++)
            twice = twice || str_equal(seen[i], e.oid);
        if (twice && out->duplicate.n == 0)
            out->duplicate = e.oid;
        seen[n++] = e.oid;
        out->extension_count = n;
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

const char *crl_read_head(struct str *tbs, struct crl *out)
{
    if (!read_version(tbs, &out->version))
        return "malformed version";
    if (!der_take_whole(tbs, DER_SEQUENCE, &out->inner_algorithm))
        return "malformed signature algorithm in tbsCertList";
    if (!der_take_whole(tbs, DER_SEQUENCE, &out->issuer))
        return "malformed issuer name";
    if (!read_times(tbs, out))
        return "malformed thisUpdate or nextUpdate";
    return NULL;
}

const char *crl_read_extensions(struct str tbs, struct crl *out)
{
    const char *problem = read_extensions(&tbs, out);
    return problem == NULL && tbs.n != 0 ? "unexpected bytes in tbsCertList" : problem;
}

const char *crl_read_signature(struct str outer, struct crl *out)
{
    if (!der_take_whole(&outer, DER_SEQUENCE, &out->outer_algorithm))
        return "malformed signatureAlgorithm";
    if (!der_bits(&outer, &out->signature) || outer.n != 0)
        return "malformed signature value";
    return NULL;
}
