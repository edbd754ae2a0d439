#include "pki/crl_parts.h"

static const struct str id_reason = {"\x55\x1d\x15", 3}, id_invalidity = {"\x55\x1d\x18", 3};

/* One extension of an entry; false when malformed. */
static bool read_entry_extension(const struct der_extension *e, struct crl_listed *out)
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

static void read_serial(struct crl_listed *out)
{
    const uint8_t *octets = (const uint8_t *)out->serial_der.p;
    out->serial_ok = (octets[0] & 0x80) == 0 && der_integer_is_minimal(out->serial_der) &&
                     serial_from_octets(octets, out->serial_der.n, &out->serial) == NULL;
    if (!out->serial_ok)
        out->serial = (struct serial){0};
}

/* revocationDate; the same bytes as those of the entry before need not be read again. */
static bool read_time(struct str *body, struct crl_before *before, struct crl_listed *out)
{
    struct str start = *body;
    if (before->time_n > 0 && body->n >= before->time_n &&
        memcmp(body->p, before->time, before->time_n) == 0) {
        out->at = before->entry.at;
        out->time_form_ok = before->entry.time_form_ok;
        *body = (struct str){body->p + before->time_n, body->n - before->time_n};
        return true;
    }
    if (!der_time(body, &out->at, &out->time_form_ok))
        return false;
    before->time_n = (size_t)(body->p - start.p); /* 15 or 17, as der_time takes no other form */
    memcpy(before->time, start.p, before->time_n);
    before->entry.at = out->at;
    before->entry.time_form_ok = out->time_form_ok;
    return true;
}

static bool read_extensions(struct str bytes, struct crl_before *before, struct crl_listed *out)
{
    struct str list, body = bytes;
    if (before->extensions_n > 0 &&
        str_equal(bytes, (struct str){before->extensions, before->extensions_n})) {
        out->reason = before->entry.reason;
        out->reason_critical = before->entry.reason_critical;
        out->invalidity = before->entry.invalidity;
        out->unknown_critical = before->entry.unknown_critical;
        out->duplicate = before->entry.duplicate;
        return true;
    }
    if (!der_take(&body, DER_SEQUENCE, &list) || body.n != 0 || list.n == 0)
        return false;
    for (struct der_extension e; list.n > 0;)
        if (!der_extension(&list, &e) || !read_entry_extension(&e, out))
            return false;
    if (bytes.n > sizeof before->extensions)
        return true;
    struct utc at = before->entry.at;
    bool form_ok = before->entry.time_form_ok;
    before->entry = *out;
    before->entry.at = at;
    before->entry.time_form_ok = form_ok;
    before->extensions_n = bytes.n;
    memcpy(before->extensions, bytes.p, bytes.n);
    return true;
}

bool crl_read_entry(struct str body, struct crl_before *before, struct crl_listed *out)
{
    if (!der_integer(&body, DER_INTEGER, &out->serial_der) || !read_time(&body, before, out))
        return false;
    read_serial(out);
    return body.n == 0 || read_extensions(body, before, out);
}
