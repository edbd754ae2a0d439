/* serial.h - certificate serial numbers, one canonical form.
 *
 * Canonical: unsigned big-endian octets without leading zeros, 1 to 20 of them (RFC 5280 4.1.2.2; the 00 that
 * DER puts before a set top bit is not part of it). Identity is issuer + serial, never serial alone (design
 * sentence 7). Pure. Does not: know issuers, or guess between hex and decimal. Called by: intake, planner,
 * doors, verifier, reporter, cli. */
#ifndef MASSREVOKE_SERIAL_H
#define MASSREVOKE_SERIAL_H

#include "massrevoke/text.h"
#include <stdint.h>

#define SERIAL_MAX 20
#define SERIAL_HEX_TEXT 41      /* bytes for serial_hex with the terminator */
#define SERIAL_DECIMAL_TEXT 50  /* bytes for serial_decimal with the terminator */
#define SERIAL_SPELLING_TEXT 64 /* bytes for serial_spell with the terminator */

/* One serial number; n is 1 to SERIAL_MAX; bytes[0] is not 0; octets behind n are 0, so memcmp of whole
 * structs tests equality. */
struct serial {
    uint8_t n;
    uint8_t bytes[SERIAL_MAX];
};

/* Reads hex of either case, with optional "0x", colons, blanks or dashes between groups of at most eight
 * digits (longer groups are rather two serials) and surrounding blanks. NULL on success, else why not (static
 * text). */
const char *serial_from_hex(struct str text, struct serial *out);

/* Reads decimal digits with surrounding blanks. NULL on success, else why not (static text). */
const char *serial_from_decimal(struct str text, struct serial *out);

/* From content octets of a DER INTEGER or raw octets: leading zeros go. NULL or why not (zero, too long). */
const char *serial_from_octets(const uint8_t *bytes, size_t n, struct serial *out);

/* Upper-case hex, even number of digits, no leading 00: the form of `openssl ca` (facts: backends 2). */
const char *serial_hex(const struct serial *s, char out[static SERIAL_HEX_TEXT]);

/* Decimal digits (cfssl, step-ca). */
const char *serial_decimal(const struct serial *s, char out[static SERIAL_DECIMAL_TEXT]);

/* How CA software and people write serials (facts: backends 2); serial_from_hex and serial_from_decimal read
 * them all. */
enum serial_spelling {
    SERIAL_HEX,      /* 9A0B: openssl ca, EJBCA, AD CS */
    SERIAL_DECIMAL,  /* 39435: cfssl, step-ca */
    SERIAL_PREFIXED, /* 0x9a0b: Dogtag */
    SERIAL_COLONS,   /* 9a:0b: Vault, OpenBao, browsers */
    SERIAL_PADDED,   /* 36 digits at least: Boulder */
    SERIAL_SPELLING_COUNT
};

/* "hex", "decimal", "prefixed", "colons", "padded"; static. */
const char *serial_spelling_name(enum serial_spelling spelling);

/* The serial in that spelling. */
const char *serial_spell(const struct serial *s, enum serial_spelling spelling,
                         char out[static SERIAL_SPELLING_TEXT]);

/* Numeric order: <0, 0, >0. */
int serial_compare(const struct serial *a, const struct serial *b);

/* Same serial? */
bool serial_equal(const struct serial *a, const struct serial *b);

#endif
