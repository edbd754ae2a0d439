/* der_read.h - reading DER (X.690) from hostile bytes, value by value.
 *
 * A cursor is a struct str that shrinks from the front; every function checks bounds, and refuses indefinite
 * and non-minimal lengths and multi-byte tags, so that two readers never see two meanings. What walks
 * millions of entries stands here inline. Pure. Does not: allocate, copy, or know any structure (PEM:
 * pem_read.h). Called by: crl_read, ocsp, pem_read, verify_issuer. */
#ifndef MASSREVOKE_PKI_DER_READ_H
#define MASSREVOKE_PKI_DER_READ_H

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

/* Tag and length of the value that begins here, whose content may lie beyond: false when there is too little
 * of it or it is malformed. Shortest definite form only (X.690 10.1). */
static inline bool der_header(struct str s, uint8_t *tag, size_t *header, size_t *length)
{
    const uint8_t *p = (const uint8_t *)s.p;
    if (s.n < 2 || (p[0] & 0x1f) == 0x1f)
        return false;
    *tag = p[0];
    *header = 2;
    *length = p[1];
    if (p[1] < 0x80)
        return true;
    size_t count = p[1] & 0x7f;
    if (count == 0 || count > 4 || s.n < 2 + count || p[2] == 0)
        return false;
    *length = 0;
    for (size_t i = 0; i < count; i++)
        *length = *length << 8 | p[2 + i];
    *header = 2 + count;
    return *length >= 0x80;
}

/* Takes the next value; false at the end and on malformed bytes (then *rest is unchanged). */
static inline bool der_next(struct str *rest, struct der_value *out)
{
    uint8_t tag;
    size_t header, length;
    if (!der_header(*rest, &tag, &header, &length) || length > rest->n - header)
        return false;
    *out = (struct der_value){tag, {rest->p, header + length}, {rest->p + header, length}};
    *rest = (struct str){rest->p + header + length, rest->n - header - length};
    return true;
}

/* Is the next value's tag this one? */
static inline bool der_peek(struct str rest, unsigned tag)
{
    return rest.n > 0 && (uint8_t)rest.p[0] == tag;
}

/* Takes the next value if it has the tag; *body is its content. */
static inline bool der_take(struct str *rest, unsigned tag, struct str *body)
{
    struct der_value v;
    if (!der_peek(*rest, tag) || !der_next(rest, &v))
        return false;
    *body = v.body;
    return true;
}

/* Takes the next value if it has the tag; *whole is header and content. */
static inline bool der_take_whole(struct str *rest, unsigned tag, struct str *whole)
{
    struct der_value v;
    if (!der_peek(*rest, tag) || !der_next(rest, &v))
        return false;
    *whole = v.whole;
    return true;
}

/* Takes a UTCTime or GeneralizedTime in the form of RFC 5280 4.1.2.5 (seconds, Z, no fraction); a real
 * calendar time. *form_ok (may be NULL) tells whether the type fits the year: UTCTime up to 2049. */
bool der_time(struct str *rest, struct utc *out, bool *form_ok);

/* Takes an optional BOOLEAN DEFAULT FALSE with this tag; absent is false. False when malformed. */
bool der_flag(struct str *rest, unsigned tag, bool *out);

/* Takes a non-empty INTEGER or ENUMERATED; *body keeps its content octets as they stand. */
static inline bool der_integer(struct str *rest, unsigned tag, struct str *body)
{
    return der_take(rest, tag, body) && body->n > 0;
}

/* Is the content of an INTEGER in its shortest form (X.690 8.3.2)? */
static inline bool der_integer_is_minimal(struct str body)
{
    if (body.n < 2)
        return body.n == 1;
    uint8_t first = (uint8_t)body.p[0], top = (uint8_t)body.p[1] & 0x80;
    return !(first == 0 && top == 0) && !(first == 0xff && top != 0);
}

/* Takes one Extension. */
bool der_extension(struct str *rest, struct der_extension *out);

/* Takes a BIT STRING of whole octets; *body is without the count of unused bits. */
bool der_bits(struct str *rest, struct str *body);

/* Dotted form of an OID's content, cut with "..." when too long; returns out. */
const char *der_oid_text(struct str oid, char out[static DER_OID_TEXT]);

#endif
