/* http_token.h - a JWT for one request and one serial, as step-ca wants it (facts of backends 1.3): signed by
 * the provisioner's key, good for five minutes, used once.
 *
 * Reads the key's file. Does not: refresh, or keep a token. Called by: ca_http.c. */
#ifndef DOOR_HTTP_TOKEN_H
#define DOOR_HTTP_TOKEN_H

#include "massrevoke/arena.h"
#include "massrevoke/settings.h"
#include "massrevoke/text.h"

struct http_token {
    struct evp_pkey_st *key; /* NULL: nothing is signed */
    const char *issuer, *key_id;
};

/* Reads the key; without a configured id the key is named by its thumbprint (RFC 7638). CONFIG: it can't be
 * read, or can't sign. */
MUST_USE bool http_token_open(const struct settings_http *s, struct arena *a, struct http_token *out,
                              struct fault *f);

/* Appends a token for this audience and subject. */
MUST_USE bool http_token_make(const struct http_token *t, const char *audience, const char *subject,
                              struct utc now, struct buf *out, struct fault *f);

/* Frees the key; an all-zero one is allowed. */
void http_token_close(struct http_token *t);

#endif
