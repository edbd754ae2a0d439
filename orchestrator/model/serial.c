#include "massrevoke/serial.h"
#include "massrevoke/hex.h"

#include <ctype.h>

#define GROUP_MAX 8 /* digits between two separators */

const char *serial_from_octets(const uint8_t *bytes, size_t n, struct serial *out)
{
    while (n > 0 && bytes[0] == 0)
        bytes++, n--;
    if (n == 0)
        return "the serial is zero";
    if (n > SERIAL_MAX)
        return "more than 20 significant octets (RFC 5280 4.1.2.2)";
    *out = (struct serial){.n = (uint8_t)n};
    memcpy(out->bytes, bytes, n);
    return NULL;
}

static bool separator(char c)
{
    return c == ':' || c == ' ' || c == '-' || c == '\t';
}

const char *serial_from_hex(struct str text, struct serial *out)
{
    struct str s = str_trim(text);
    if (s.n >= 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X'))
        s.p += 2, s.n -= 2;
    uint8_t nibbles[2 * SERIAL_MAX];
    size_t n = 0, group = 0, longest = 0, groups = 1;
    bool any = false;
    for (size_t i = 0; i < s.n; i++) {
        int digit = hex_digit(s.p[i]);
        if (digit < 0 && separator(s.p[i]) && i > 0 && i + 1 < s.n) {
            groups += group > 0;
            group = 0;
            continue;
        }
        if (digit < 0)
            return "not a hexadecimal serial";
        any = true;
        if (++group > longest)
            longest = group;
        if (n == 0 && digit == 0)
            continue;
        if (n == sizeof nibbles)
            return "more than 20 significant octets (RFC 5280 4.1.2.2)";
        nibbles[n++] = (uint8_t)digit;
    }
    if (!any)
        return "the serial is empty";
    /* separators stand between octets or words; between long groups they rather part two serials */
    if (groups > 1 && longest > GROUP_MAX)
        return "more than one serial on the line, or one split oddly";
    uint8_t octets[SERIAL_MAX] = {0};
    size_t count = (n + 1) / 2;
    for (size_t i = 0; i < n; i++) {
        size_t place = i + (n & 1);
        octets[place / 2] = (uint8_t)(octets[place / 2] | nibbles[i] << (place % 2 == 0 ? 4 : 0));
    }
    return serial_from_octets(octets, count, out);
}

const char *serial_from_decimal(struct str text, struct serial *out)
{
    struct str s = str_trim(text);
    uint8_t octets[SERIAL_MAX + 1] = {0};
    if (s.n == 0)
        return "the serial is empty";
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i]))
            return "not a decimal serial";
        unsigned carry = (unsigned)(s.p[i] - '0');
        for (size_t k = sizeof octets; k-- > 0;) {
            carry += octets[k] * 10u;
            octets[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (octets[0] != 0)
            return "more than 20 significant octets (RFC 5280 4.1.2.2)";
    }
    return serial_from_octets(octets, sizeof octets, out);
}

const char *serial_hex(const struct serial *s, char out[static SERIAL_HEX_TEXT])
{
    return hex_upper(s->bytes, s->n, out);
}

const char *serial_decimal(const struct serial *s, char out[static SERIAL_DECIMAL_TEXT])
{
    uint8_t octets[SERIAL_MAX];
    memcpy(octets, s->bytes, sizeof octets);
    char digits[SERIAL_DECIMAL_TEXT];
    size_t n = 0;
    bool more = true;
    while (more) {
        unsigned rest = 0;
        more = false;
        for (size_t i = 0; i < s->n; i++) {
            rest = rest << 8 | octets[i];
            octets[i] = (uint8_t)(rest / 10);
            more = more || octets[i] != 0;
            rest %= 10;
        }
        digits[n++] = (char)('0' + rest);
    }
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
    return out;
}

const char *serial_spelling_name(enum serial_spelling spelling)
{
    static const char *const names[SERIAL_SPELLING_COUNT] = {"hex", "decimal", "prefixed", "colons",
                                                             "padded"};
    return names[spelling];
}

#define PADDED_DIGITS 36

const char *serial_spell(const struct serial *s, enum serial_spelling spelling,
                         char out[static SERIAL_SPELLING_TEXT])
{
    char digits[SERIAL_HEX_TEXT];
    size_t n = 2 * (size_t)s->n;
    hex_lower(s->bytes, s->n, digits);
    switch (spelling) {
    case SERIAL_DECIMAL:
        return serial_decimal(s, out);
    case SERIAL_PREFIXED:
        memcpy(out, "0x", 2);
        memcpy(out + 2, digits, n + 1);
        return out;
    case SERIAL_COLONS:
        for (size_t i = 0; i < s->n; i++)
            memcpy(out + 3 * i, digits + 2 * i, 2), out[3 * i + 2] = ':';
        out[3 * (size_t)s->n - 1] = '\0';
        return out;
    case SERIAL_PADDED:
        memset(out, '0', PADDED_DIGITS);
        memcpy(out + (n < PADDED_DIGITS ? PADDED_DIGITS - n : 0), digits, n + 1);
        return out;
    case SERIAL_HEX:
    case SERIAL_SPELLING_COUNT:
    default:
        return serial_hex(s, out);
    }
}

int serial_compare(const struct serial *a, const struct serial *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return memcmp(a->bytes, b->bytes, a->n);
}

bool serial_equal(const struct serial *a, const struct serial *b)
{
    return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}
