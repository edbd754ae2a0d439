/* ca_http_transfer.h - one request to a CA and its answer, on a libcurl handle that is used again and again.
 *
 * I/O through the multi handle it is given. Knows whether the request may have left: a transfer begins one
 * request and never a second (libcurl would send again on a kept connection that died). Does not: judge the
 * answer. Called by: ca_http.c, ca_acme.c. */
#ifndef DOOR_CA_HTTP_TRANSFER_H
#define DOOR_CA_HTTP_TRANSFER_H

#include "massrevoke/backend.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/settings.h"

#include <curl/curl.h>

#define TRANSFER_REPLY_MAX ((size_t)256 * 1024) /* bytes of an answer */

struct transfer {
    CURL *easy;
    struct buf url, body, reply;
    bool begun;     /* the request may have left */
    bool withheld;  /* it may not, and was not sent */
    bool too_large; /* the answer was cut off */
    char error[CURL_ERROR_SIZE];
    long http, retry_after;     /* of a whole answer; -1: it does not say how many seconds to wait */
    struct ca_item item;        /* whose it is */
    bool ask;                   /* about its status */
    bool preparing;             /* the request before the one that revokes */
    struct utc since;           /* when it was begun */
    const struct ca_door *gate; /* asked before the request leaves; NULL: it revokes nothing */
};

/* Makes the handle with everything that never changes. `token_file` is not read here. The transfer must not
 * move afterwards. */
MUST_USE bool transfer_open(struct transfer *t, const struct settings_http *s, struct fault *f);

/* Makes it ready for a request to this URL, "" when it goes by wire: body and reply are empty. */
void transfer_clear(struct transfer *t, const char *url);

/* The request is about to leave: may it? */
MUST_USE bool transfer_leaves(struct transfer *t);

/* Hands what stands in url and body to libcurl; `headers` must live until it is over. */
MUST_USE bool transfer_send(struct transfer *t, CURLM *multi, const char *method, struct curl_slist *headers);

/* Writes a request: its URL begins with `base`. */
void transfer_write(struct transfer *t, const char *base, const struct backend_request *r,
                    const struct backend_values *values);

/* Reads off libcurl what the answer was: http, retry_after. */
void transfer_over(struct transfer *t);

/* Asks for the interface's address itself, waits for the answer: reached, let in, and what time is it there?
 * As ca_door.probe. */
MUST_USE bool transfer_probe(const struct settings_http *s, struct curl_slist *headers, struct ca_probe *out,
                             struct fault *f);

/* Frees everything; an all-zero one is allowed. */
void transfer_close(struct transfer *t);

#endif
