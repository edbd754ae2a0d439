#include "pki/der_read.h"

#include <openssl/evp.h>

#include <limits.h>
#include <stdio.h>

static uint8_t octet(struct str s, size_t i)
{
    return (uint8_t)s.p[i];
}

/* Length octets at s (behind the tag): header size in *used. Shortest definite form only (X.690 10.1). */
static bool read_length(struct str s, size_t *used, size_t *length)
{
    if (s.n == 0)
        return false;
    size_t first = octet(s, 0);
    *used = 1;
    *length = first;
    if (first < 0x80)
        return true;
    size_t count = first & 0x7f;
    if (count == 0 || count > 4 || s.n < 1 + count || octet(s, 1) == 0)
        return false;
    *length = 0;
    for (size_t i = 1; i <= count; i++)
        *length = *length << 8 | octet(s, i);
    *used = 1 + count;
    return *length >= 0x80;
}

bool der_next(struct str *rest, struct der_value *out)
{
    if (rest->n < 2 || (octet(*rest, 0) & 0x1f) == 0x1f)
        return false;
    size_t used, length;
    if (!read_length((struct str){rest->p + 1, rest->n - 1}, &used, &length))
        return false;
    size_t header = 1 + used;
    if (length > rest->n - header)
        return false;
    *out = (struct der_value){octet(*rest, 0), {rest->p, header + length}, {rest->p + header, length}};
    *rest = (struct str){rest->p + header + length, rest->n - header - length};
    return true;
}

bool der_peek(struct str rest, unsigned tag)
{
    return rest.n > 0 && octet(rest, 0) == tag;
}

bool der_take(struct str *rest, unsigned tag, struct str *body)
{
    struct der_value v;
    if (!der_peek(*rest, tag) || !der_next(rest, &v))
        return false;
    *body = v.body;
    return true;
}

bool der_take_whole(struct str *rest, unsigned tag, struct str *whole)
{
    struct der_value v;
    if (!der_peek(*rest, tag) || !der_next(rest, &v))
        return false;
    *whole = v.whole;
    return true;
}

/* Two digits at i; -1 when they are none. */
static int pair(struct str s, size_t i)
{
    unsigned high = (unsigned)(octet(s, i) - '0'), low = (unsigned)(octet(s, i + 1) - '0');
    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

/* month, day, hour, minute, second of the proleptic Gregorian calendar; no leap seconds (RFC 5280 has none).
 */
static bool is_calendar(int year, const int field[static 5])
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (field[0] < 1 || field[0] > 12)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int last = days[field[0] - 1] + (leap && field[0] == 2 ? 1 : 0);
    return field[1] >= 1 && field[1] <= last && field[2] >= 0 && field[2] < 24 && field[3] >= 0 &&
           field[3] < 60 && field[4] >= 0 && field[4] < 60;
}

bool der_time(struct str *rest, struct utc *out, bool *form_ok)
{
    struct str after = *rest;
    struct der_value v;
    if (!der_next(&after, &v) || (v.tag != DER_UTC_TIME && v.tag != DER_GENERALIZED_TIME))
        return false;
    bool is_short = v.tag == DER_UTC_TIME;
    size_t date = is_short ? 2 : 4;
    if (v.body.n != date + 11 || v.body.p[date + 10] != 'Z')
        return false;
    int century = is_short ? 0 : pair(v.body, 0), year = pair(v.body, date - 2), field[5];
    for (size_t i = 0; i < 5; i++)
        field[i] = pair(v.body, date + 2 * i);
    if (century < 0 || year < 0)
        return false;
    year += is_short ? (year < 50 ? 2000 : 1900) : century * 100;
    if (!is_calendar(year, field))
        return false;
    *out = utc_from_civil(year, field[0], field[1], field[2], field[3], field[4]);
    if (form_ok != NULL)
        *form_ok = is_short == (year >= 1950 && year < 2050);
    *rest = after;
    return true;
}

bool der_flag(struct str *rest, unsigned tag, bool *out)
{
    struct str body;
    *out = false;
    if (!der_peek(*rest, tag))
        return true;
    if (!der_take(rest, tag, &body) || body.n != 1 || (octet(body, 0) != 0 && octet(body, 0) != 0xff))
        return false;
    *out = octet(body, 0) != 0;
    return true;
}

bool der_integer(struct str *rest, unsigned tag, struct str *body)
{
    return der_take(rest, tag, body) && body->n > 0;
}

bool der_integer_is_minimal(struct str body)
{
    if (body.n < 2)
        return body.n == 1;
    bool top = octet(body, 1) & 0x80;
    return !(octet(body, 0) == 0 && !top) && !(octet(body, 0) == 0xff && top);
}

bool der_extension(struct str *rest, struct der_extension *out)
{
    struct str body;
    return der_take(rest, DER_SEQUENCE, &body) && der_take(&body, DER_OID, &out->oid) && out->oid.n > 0 &&
           der_flag(&body, DER_BOOLEAN, &out->critical) && der_take(&body, DER_OCTET_STRING, &out->value) &&
           body.n == 0;
}

bool der_bits(struct str *rest, struct str *body)
{
    if (!der_take(rest, DER_BIT_STRING, body) || body->n < 1 || body->p[0] != 0)
        return false;
    *body = (struct str){body->p + 1, body->n - 1};
    return true;
}

const char *der_oid_text(struct str oid, char out[static DER_OID_TEXT])
{
    size_t n = 0;
    uint64_t arc = 0;
    for (size_t i = 0; i < oid.n; i++) {
        arc = (arc & (UINT64_MAX >> 7)) << 7 | (octet(oid, i) & 0x7f);
        if (octet(oid, i) & 0x80)
            continue;
        unsigned long long value = arc, top = value < 40 ? 0 : value < 80 ? 1 : 2;
        arc = 0;
        int more = n == 0 ? snprintf(out, DER_OID_TEXT, "%llu.%llu", top, value - 40 * top)
                          : snprintf(out + n, DER_OID_TEXT - n, ".%llu", value);
        if (more < 0 || n + (size_t)more >= DER_OID_TEXT) {
            memcpy(out + DER_OID_TEXT - 4, "...", 4);
            return out;
        }
        n += (size_t)more;
    }
    out[n] = '\0';
    return out;
}

static const char *decode_base64(struct str text, struct arena *a, struct str *out)
{
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    unsigned char *bytes = arena_alloc(a, text.n / 4 * 3 + 4);
    int n = 0, last = 0;
    bool ok = context != NULL && text.n < INT_MAX;
    if (ok) {
        EVP_DecodeInit(context);
        ok = EVP_DecodeUpdate(context, bytes, &n, (const unsigned char *)text.p, (int)text.n) >= 0 &&
             EVP_DecodeFinal(context, bytes + n, &last) == 1;
    }
    EVP_ENCODE_CTX_free(context);
    *out = (struct str){(const char *)bytes, ok ? (size_t)(n + last) : 0};
    return ok ? NULL : "the PEM block is not base64";
}

const char *der_from_pem(struct str bytes, const char *label, struct arena *a, struct str *out)
{
    *out = bytes;
    if (der_peek(bytes, DER_SEQUENCE))
        return NULL;
    AUTO_ARENA scratch = {0};
    struct str begin = str_of(arena_format(&scratch, "-----BEGIN %s-----", label));
    struct str end = str_of(arena_format(&scratch, "-----END %s-----", label));
    const char *from = bytes.n == 0 ? NULL : memmem(bytes.p, bytes.n, begin.p, begin.n);
    if (from == NULL)
        return "neither DER nor a PEM block of the right kind";
    struct str text = {from + begin.n, bytes.n - (size_t)(from - bytes.p) - begin.n};
    const char *to = text.n == 0 ? NULL : memmem(text.p, text.n, end.p, end.n);
    if (to == NULL)
        return "the PEM block has no end";
    struct str tail = {to + end.n, text.n - (size_t)(to - text.p) - end.n};
    if (str_trim(tail).n != 0)
        return "bytes after the PEM block";
    text.n = (size_t)(to - text.p);
    return decode_base64(str_trim(text), a, out);
}
