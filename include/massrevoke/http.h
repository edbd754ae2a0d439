/* http.h - reading what strangers put into HTTP headers: ages, lifetimes, dates.
 *
 * A value that does not follow its grammar is taken for absent: nothing is guessed. Pure. Does not: split
 * headers (libcurl does), cache anything, or read the two obsolete forms of dates. Sources: RFC 9110 5.6.7,
 * 10.2.3; RFC 9111 4.2.1, 5.1, 5.2.2, 5.3. Called by: door/fetch_curl, engine, fuzz. */
#ifndef MASSREVOKE_HTTP_H
#define MASSREVOKE_HTTP_H

#include "massrevoke/text.h"
#include "massrevoke/time.h"

#define HTTP_VALUE 128 /* bytes kept of a header's value, with the terminator */

/* Headers that say how fresh an answer is, each terminated; "" when absent. */
struct http_headers {
    char etag[HTTP_VALUE], last_modified[HTTP_VALUE], age[HTTP_VALUE], cache_control[HTTP_VALUE],
        date[HTTP_VALUE], expires[HTTP_VALUE], retry_after[HTTP_VALUE];
};

/* Their names, in the order of the struct; http_header_value gives the value of one. */
enum { HTTP_HEADERS = 7 };
extern const char *const http_header_names[HTTP_HEADERS];
const char *http_header_value(const struct http_headers *h, size_t which);

/* Keeps a value: one with other than printable ASCII, or too long, is taken for absent, for it goes back to a
 * server or into a record. */
void http_header_keep(struct http_headers *h, size_t which, const char *value);

/* Seconds that the answer has lain in caches (Age), at most 2^31; -1 when not told. */
int64_t http_age(const struct http_headers *h);

/* Seconds for which a shared cache may give it out: s-maxage, else max-age, else Expires minus Date; -1 when
 * not told. "no-store" and "no-cache" without any of them: 0. */
int64_t http_fresh_for(const struct http_headers *h);

/* Seconds to leave the server alone, seen from `now`; -1 when not told. */
int64_t http_retry_after(const struct http_headers *h, struct utc now);

/* IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT"); UTC_NONE for anything else. */
struct utc http_date(const char *text);

#endif
