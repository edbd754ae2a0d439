/* fetch_door.h - getting CRLs and OCSP responses as an outsider would.
 *
 * Blocking is bounded by the timeout; libcurl multi is inside. A URL that begins with an entry of the
 * configured map is read from that folder (design: `file:` only through the map). Does not: judge what it
 * fetched (verifier), follow redirects to other schemes, or trust a length. Called by: engine, cli verify. */
#ifndef MASSREVOKE_FETCH_DOOR_H
#define MASSREVOKE_FETCH_DOOR_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/settings.h"
#include "massrevoke/text.h"

#define FETCH_MAX ((size_t)700 * 1024 * 1024) /* CRLs reach 600 MB */

#define FETCH_HEADER 128 /* bytes kept of a header's value, with the terminator */

/* Headers that say how fresh an answer is (RFC 9110 8.8, RFC 9111 5); "" when absent. A value with other than
 * printable ASCII, or too long, is taken for absent. */
struct fetch_headers {
    char etag[FETCH_HEADER], last_modified[FETCH_HEADER], age[FETCH_HEADER], cache_control[FETCH_HEADER];
};

/* One thing to get. `ocsp_request` empty: plain GET of url; else the DER request, sent by GET (RFC 6960 A.1).
 * `known`: headers of a reply whose bytes are still good to the caller, so that "unchanged" is answer enough.
 */
struct fetch_request {
    const char *url;
    struct str ocsp_request;
    const struct fetch_headers *known;
};

/* What came back; bytes live in the arena. ok false: `problem` says why (for people). */
struct fetch_reply {
    bool ok;
    bool unchanged;   /* 304 to a request with `known`: no bytes */
    long http_status; /* 200 for mapped files */
    struct str bytes;
    struct fetch_headers headers;
    char problem[200];
};

struct fetch_door;

/* Opens; keeps pointers into settings. */
MUST_USE bool fetch_open(const struct settings *s, struct fetch_door **out, struct fault *f);

/* Fetches all, several at a time; replies[i] belongs to requests[i]. False only when nothing could be tried.
 */
MUST_USE bool fetch_all(struct fetch_door *d, const struct fetch_request *requests, size_t count,
                        struct arena *a, struct fetch_reply *replies, struct fault *f);

/* Ends; NULL is allowed. */
void fetch_close(struct fetch_door *d);

#endif
