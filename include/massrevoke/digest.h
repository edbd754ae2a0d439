/* digest.h - SHA-256 (FIPS 180-4) through OpenSSL.
 *
 * Pure. Does not: offer any other hash. A failure inside OpenSSL (no provider) ends the process: no record
 * may be written with a wrong digest. Called by: pages, plans, the log, evidence. */
#ifndef MASSREVOKE_DIGEST_H
#define MASSREVOKE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_TEXT 65 /* bytes for digest_hex, with the terminator */

/* One SHA-256 value. */
struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

/* A running computation; digest_begin, digest_add as often as wanted, digest_end exactly once. */
struct digest_state {
    void *context;
};

/* SHA-256 of n bytes. */
struct digest digest_of(const void *bytes, size_t n);

/* Starts a computation; owns memory until digest_end. */
struct digest_state digest_begin(void);

/* Adds n bytes. */
void digest_add(struct digest_state *s, const void *bytes, size_t n);

/* Ends it, frees it, gives the value. */
struct digest digest_end(struct digest_state *s);

/* 64 lower-case digits and a terminator; returns out. */
const char *digest_hex(struct digest d, char out[static DIGEST_TEXT]);

#endif
