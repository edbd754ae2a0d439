/* http_answer.h - reading one answer of HTTP/1.1 or 1.0 from the bytes of a connection.
 *
 * Strict where the end of an answer depends on it: two lengths, an unknown coding, a name with a blank behind
 * it make it wrong. Pure. Does not: read a connection, decompress, keep headers but those it needs. Sources:
 * RFC 9112 2 to 7, RFC 9110 10.2.3. Called by: door/ca_http_wire, fuzz. */
#ifndef MASSREVOKE_HTTP_ANSWER_H
#define MASSREVOKE_HTTP_ANSWER_H

#include "massrevoke/text.h"

struct http_answer {
    int status;             /* 200 to 999 */
    struct str retry_after; /* the header's value, in the bytes read; empty: it has none */
    bool keeps;             /* the connection may carry another request */
    size_t used;            /* octets, with those of 1xx before it */
};

enum http_reading {
    HTTP_MORE,  /* the rest is still to come */
    HTTP_WHOLE, /* *out and *body are set */
    HTTP_WRONG, /* no answer, and no telling where one would end */
};

/* Reads an answer from its beginning.
 *   bytes  all that came since the request was sent
 *   ended  no more will come: an answer without a length ends here, any other is cut off (WRONG)
 *   body   is filled when the answer is whole, else undefined
 * Cost: linear in `bytes`. */
enum http_reading http_answer_read(struct str bytes, bool ended, struct http_answer *out, struct buf *body);

#endif
