#include "pki/der_read.h"

#include <stdio.h>

static uint8_t octet(struct str s, size_t i)
{
    return (uint8_t)s.p[i];
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

/* Is this the content of an OBJECT IDENTIFIER: whole subidentifiers in shortest form (X.690 8.19.2)? */
static bool is_oid(struct str oid)
{
    bool begins = true;
    for (size_t i = 0; i < oid.n; i++) {
        if (begins && octet(oid, i) == 0x80)
            return false;
        begins = octet(oid, i) < 0x80;
    }
    return oid.n > 0 && begins;
}

bool der_extension(struct str *rest, struct der_extension *out)
{
    struct str body;
    return der_take(rest, DER_SEQUENCE, &body) && der_take(&body, DER_OID, &out->oid) && is_oid(out->oid) &&
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
