/* ca_http_publish.h - asks a CA over HTTP for new CRLs, by the `publish` request of its profile.
 *
 * One request an issuer at a time, beside those that revoke and never waited for longer than
 * PUBLISH_PATIENCE_MS: a CA may take minutes for a large list. At most the CA's `timeout`. Does not: sign,
 * fetch or judge the CRL. Called by: ca_http.c. */
#ifndef DOOR_CA_HTTP_PUBLISH_H
#define DOOR_CA_HTTP_PUBLISH_H

#include "ca_http_transfer.h"

#define PUBLISH_PATIENCE_MS 200 /* most CAs have answered by then */

struct ca_http_publish;

/* Keeps s and b, which must outlive it; `issuers` is how many there are. NULL: libcurl gives no handle. */
struct ca_http_publish *ca_http_publish_open(const struct settings_http *s, const struct backend *b,
                                             size_t issuers);

/* Is a request for this issuer under way? */
bool ca_http_publish_waits(const struct ca_http_publish *p, size_t issuer);

/* Sends the request; `headers` is taken over, whatever comes. */
MUST_USE bool ca_http_publish_begin(struct ca_http_publish *p, size_t issuer,
                                    const struct backend_values *values, struct curl_slist *headers,
                                    struct fault *f);

/* What became of it: *done tells whether it is over. UNAVAILABLE: no answer, or one that says later; CONFIG:
 * refused. Asking again is harmless. */
MUST_USE bool ca_http_publish_end(struct ca_http_publish *p, size_t issuer, bool *done, struct fault *f);

/* Ends, and with it what is under way; NULL is allowed. */
void ca_http_publish_close(struct ca_http_publish *p);

#endif
