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
    out->serial_minimal = der_integer_is_minimal(out->serial_der);
    out->serial_ok = (octets[0] & 0x80) == 0 && out->serial_minimal &&
                     serial_from_octets(octets, out->serial_der.n, &out->serial) == NULL;
    if (!out->serial_ok)
        out->serial = (struct serial){0};
}

static uint64_t eight(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* hhmmssZ as seconds; -1 when it is none. */
static int time_of_day(const char *p)
{
    static const int limits[3] = {24, 60, 60};
    int seconds = 0;
    for (size_t i = 0; i < 3; i++) {
        unsigned high = (unsigned)(p[2 * i] - '0'), low = (unsigned)(p[2 * i + 1] - '0');
        int value = (int)(high * 10 + low);
        if (high > 9 || low > 9 || value >= limits[i])
            return -1;
        seconds = seconds * 60 + value;
    }
    return p[6] == 'Z' ? seconds : -1;
}

/* revocationDate; a day met before need not be counted out again. */
static bool read_time(struct str *body, struct crl_before *before, struct crl_listed *out)
{
    enum { SHORT = 15 }; /* bytes of a UTCTime of RFC 5280 */
    if (body->n >= SHORT && eight(body->p) == before->day) {
        int seconds = time_of_day(body->p + 8);
        out->at = (struct utc){before->dawn.s + seconds};
        out->time_form_ok = before->day_form_ok;
        *body = (struct str){body->p + SHORT, body->n - SHORT};
        return seconds >= 0;
    }
    struct str start = *body;
    if (!der_time(body, &out->at, &out->time_form_ok))
        return false;
    if (body->p - start.p == SHORT) {
        before->day = eight(start.p);
        before->dawn.s = out->at.s - time_of_day(start.p + 8);
        before->day_form_ok = out->time_form_ok;
    }
    return true;
}

static bool same(struct str bytes, const char *other, size_t n)
{
    if (bytes.n != n || n < 8 || n > 16)
        return n > 0 && bytes.n == n && memcmp(bytes.p, other, n) == 0;
    return eight(bytes.p) == eight(other) && eight(bytes.p + n - 8) == eight(other + n - 8);
}

static bool read_extensions(struct str bytes, struct crl_before *before, struct crl_listed *out)
{
    struct str list, body = bytes;
    if (same(bytes, before->extensions, before->extensions_n)) {
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
    if (bytes.n <= sizeof before->extensions) {
        before->entry = *out;
        before->extensions_n = bytes.n;
        memcpy(before->extensions, bytes.p, bytes.n);
    }
    return true;
}

bool crl_read_entry(struct str body, struct crl_before *before, struct crl_listed *out)
{
    if (!der_integer(&body, DER_INTEGER, &out->serial_der) || !read_time(&body, before, out))
        return false;
    read_serial(out);
    return body.n == 0 || read_extensions(body, before, out);
}
