/* hex.h - bytes to hexadecimal digits and back. Pure. Does not skip separators: the caller knows which are
 * allowed. Called by: serial, digests, reports. */
#ifndef MASSREVOKE_HEX_H
#define MASSREVOKE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of one hexadecimal digit of either case, -1 for anything else. */
int hex_digit(char c);

/* Writes 2n lower-case digits and a terminator into out (2n + 1 bytes); returns out. */
char *hex_lower(const void *bytes, size_t n, char *out);

/* Writes 2n upper-case digits and a terminator into out (2n + 1 bytes); returns out. */
char *hex_upper(const void *bytes, size_t n, char *out);

/* Reads exactly 2n digits of either case from `digits` into out (n bytes); false on any other character. */
bool hex_read(const char *digits, size_t n, uint8_t *out);

#endif
