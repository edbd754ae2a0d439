/* der_read.h - reading DER (X.690) from hostile bytes, value by value.
 *
 * A cursor is a struct str that shrinks from the front; every function checks bounds, and refuses indefinite
 * and non-minimal lengths and multi-byte tags, so that two readers never see two meanings. Pure. Does not:
 * allocate (but der_from_pem), copy, or know any structure. Called by: crl_read, ocsp, verify_issuer. */
#ifndef MASSREVOKE_PKI_DER_READ_H
#define MASSREVOKE_PKI_DER_READ_H

#include "massrevoke/arena.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT = 0x80,            /* + n: IMPLICIT [n], primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0 /* + n: EXPLICIT [n], or IMPLICIT [n] of a SEQUENCE */
};

#define DER_OID_TEXT 96 /* bytes for der_oid_text */

/* One value: its tag, header and content together, content alone. */
struct der_value {
    uint8_t tag;
    struct str whole, body;
};

/* One Extension (RFC 5280 4.1): OID content octets, critical, content of the OCTET STRING. */
struct der_extension {
    struct str oid, value;
    bool critical;
};

/* Takes the next value; false at the end and on malformed bytes (then *rest is unchanged). */
bool der_next(struct str *rest, struct der_value *out);

/* Is the next value's tag this one? */
bool der_peek(struct str rest, unsigned tag);

/* Takes the next value if it has the tag; *body is its content. */
bool der_take(struct str *rest, unsigned tag, struct str *body);

/* Takes the next value if it has the tag; *whole is header and content. */
bool der_take_whole(struct str *rest, unsigned tag, struct str *whole);

/* Takes a UTCTime or GeneralizedTime in the form of RFC 5280 4.1.2.5 (seconds, Z, no fraction); a real
 * calendar time. *form_ok (may be NULL) tells whether the type fits the year: UTCTime up to 2049. */
bool der_time(struct str *rest, struct utc *out, bool *form_ok);

/* Takes an optional BOOLEAN DEFAULT FALSE with this tag; absent is false. False when malformed. */
bool der_flag(struct str *rest, unsigned tag, bool *out);

/* Takes a non-empty INTEGER or ENUMERATED; *body keeps its content octets as they stand. */
bool der_integer(struct str *rest, unsigned tag, struct str *body);

/* Is the content of an INTEGER in its shortest form (X.690 8.3.2)? */
bool der_integer_is_minimal(struct str body);

/* Takes one Extension. */
bool der_extension(struct str *rest, struct der_extension *out);

/* Takes a BIT STRING of whole octets; *body is without the count of unused bits. */
bool der_bits(struct str *rest, struct str *body);

/* Dotted form of an OID's content, cut with "..." when too long; returns out. */
const char *der_oid_text(struct str oid, char out[static DER_OID_TEXT]);

/* Bytes that begin with a SEQUENCE are taken as DER, others must hold one PEM block with the label (text
 * before it is let through, after it only blanks). NULL or what is wrong (static text). */
const char *der_from_pem(struct str bytes, const char *label, struct arena *a, struct str *out);

#endif
