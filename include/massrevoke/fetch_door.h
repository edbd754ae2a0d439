/* fetch_door.h - getting CRLs and OCSP responses as an outsider would, by one way or by several.
 *
 * Blocking is bounded by the timeout and a second for each megabyte that came; libcurl multi is inside. A URL
 * that begins with an entry of the configured map is read from that folder (design: `file:` only through the
 * map). A way (settings: vantage) is an address to go to instead of the name's, or a proxy; name, Host and
 * TLS stay the URL's. Does not: judge what it fetched (verifier), follow redirects to other schemes, or trust
 * a length. Called by: engine.
 */
#ifndef MASSREVOKE_FETCH_DOOR_H
#define MASSREVOKE_FETCH_DOOR_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/http.h"
#include "massrevoke/settings.h"

#define FETCH_MAX ((size_t)700 * 1024 * 1024) /* CRLs reach 600 MB */
#define FETCH_AT_ONCE 16                      /* transfers under way in one call */

/* Takes a piece of the body as it comes; false ends the transfer (the taker has said why elsewhere). */
typedef bool fetch_piece_fn(void *context, struct str piece);

/* One thing to get. `ocsp_request` empty: plain GET of url; else the DER request, by GET (RFC 6960 A.1), or
 * by POST. `known`: headers of a reply whose bytes are still good to the caller, so that "unchanged" is
 * answer enough. With `piece` the body goes there, piece by piece, and `bytes` of the reply stays empty: what
 * came counts only when the reply is ok. */
struct fetch_request {
    const char *url;
    struct str ocsp_request;
    bool post;
    const struct http_headers *known;
    const struct settings_vantage *through; /* NULL: this machine's own way */
    fetch_piece_fn *piece;
    void *context;
};

/* What came back; bytes live in the arena. ok false: `problem` says why (for people). */
struct fetch_reply {
    bool ok;
    bool unchanged;   /* 304 to a request with `known`: no bytes */
    long http_status; /* 200 for mapped files */
    struct str bytes;
    struct http_headers headers; /* also when not ok, but for a server that was not reached */
    char problem[200];
};

struct fetch_door;

/* Opens; keeps pointers into settings. */
MUST_USE bool fetch_open(const struct settings *s, struct fetch_door **out, struct fault *f);

/* Is this URL read from a folder? Then every way is the same. */
bool fetch_is_mapped(const struct fetch_door *d, const char *url);

/* Fetches all, FETCH_AT_ONCE at a time; replies[i] belongs to requests[i]. False only when nothing could be
 * tried. */
MUST_USE bool fetch_all(struct fetch_door *d, const struct fetch_request *requests, size_t count,
                        struct arena *a, struct fetch_reply *replies, struct fault *f);

/* While a fetch waits for servers, `fn` is called again and again, and a tenth of a second later when it says
 * that it has nothing to do; NULL: nobody is. */
typedef bool fetch_meanwhile_fn(void *context);
void fetch_meanwhile(struct fetch_door *d, fetch_meanwhile_fn *fn, void *context);

/* Ends; NULL is allowed. */
void fetch_close(struct fetch_door *d);

#endif
