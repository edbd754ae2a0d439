#include "massrevoke/hex.h"

/* Value + 1 of each digit, so that everything else is 0: digits of serials are random, a branch on them
 * costs. */
static const signed char values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(char c)
{
    return values[(unsigned char)c] - 1;
}

static char *write_digits(const uint8_t *bytes, size_t n, char *out, const char *alphabet)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = alphabet[bytes[i] >> 4];
        out[2 * i + 1] = alphabet[bytes[i] & 15];
    }
    out[2 * n] = '\0';
    return out;
}

char *hex_lower(const void *bytes, size_t n, char *out)
{
    return write_digits(bytes, n, out, "0123456789abcdef");
}

char *hex_upper(const void *bytes, size_t n, char *out)
{
    return write_digits(bytes, n, out, "0123456789ABCDEF");
}

bool hex_read(const char *digits, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(digits[2 * i]);
        int low = high < 0 ? -1 : hex_digit(digits[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
