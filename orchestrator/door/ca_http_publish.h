/* ca_http_publish.h - asks a CA over HTTP for a new CRL, by the `publish` request of its profile.
 *
 * One request, waited for, at most the CA's `timeout`. Does not: sign, fetch or judge the CRL. Called by:
 * ca_http.c.
 */
#ifndef DOOR_CA_HTTP_PUBLISH_H
#define DOOR_CA_HTTP_PUBLISH_H

#include "ca_http_transfer.h"

/* UNAVAILABLE: no answer, or one that says later; CONFIG: refused. Asking again is harmless. */
MUST_USE bool ca_http_publish(const struct settings_http *s, const struct backend *b,
                              const struct backend_values *values, struct curl_slist *headers,
                              struct fault *f);

#endif
