#include "massrevoke/hex.h"

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
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
