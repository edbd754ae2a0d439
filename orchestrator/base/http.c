#include "massrevoke/http.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

#define LONGEST (INT64_C(1) << 31) /* RFC 9111 1.2.2: a larger number counts as this one */

const char *const http_header_names[HTTP_HEADERS] = {"ETag", "Last-Modified", "Age",        "Cache-Control",
                                                     "Date", "Expires",       "Retry-After"};

static_assert(sizeof(struct http_headers) == HTTP_HEADERS * HTTP_VALUE, "one value a name");

const char *http_header_value(const struct http_headers *h, size_t which)
{
    return (const char *)h + which * HTTP_VALUE;
}

void http_header_keep(struct http_headers *h, size_t which, const char *value)
{
    char *place = (char *)h + which * HTTP_VALUE;
    size_t n = strlen(value);
    bool plain = n < HTTP_VALUE;
    for (size_t i = 0; plain && i < n; i++)
        plain = value[i] >= ' ' && value[i] <= '~';
    memset(place, 0, HTTP_VALUE);
    memcpy(place, value, plain ? n : 0);
}

/* delta-seconds: digits and nothing else. */
static int64_t seconds(struct str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        n = n * 10 + (s.p[i] - '0');
        n = n > LONGEST ? LONGEST : n;
    }
    return s.n == 0 ? -1 : n;
}

int64_t http_age(const struct http_headers *h)
{
    return seconds(str_of(h->age));
}

/* What a cache-control directive says: "name=123" or "name=\"123\""; -1 when another one. */
static int64_t directive(struct str one, const char *name)
{
    size_t n = strlen(name);
    if (one.n <= n || one.p[n] != '=' || strncasecmp(one.p, name, n) != 0)
        return -1;
    struct str value = {one.p + n + 1, one.n - n - 1};
    bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
    return seconds(quoted ? (struct str){value.p + 1, value.n - 2} : value);
}

static bool is_word(struct str one, const char *name)
{
    return one.n == strlen(name) && strncasecmp(one.p, name, one.n) == 0;
}

int64_t http_fresh_for(const struct http_headers *h)
{
    int64_t shared = -1, any = -1;
    bool never = false;
    for (struct str rest = str_of(h->cache_control); rest.p != NULL;) {
        struct str one = str_trim(str_cut(&rest, ','));
        int64_t s = directive(one, "s-maxage"), m = directive(one, "max-age");
        shared = shared < 0 ? s : shared; /* the first one counts */
        any = any < 0 ? m : any;
        never = never || is_word(one, "no-store") || is_word(one, "no-cache");
    }
    if (shared >= 0 || any >= 0)
        return shared >= 0 ? shared : any;
    if (never)
        return 0;
    struct utc expires = http_date(h->expires), date = http_date(h->date);
    if (!utc_is_set(expires) || !utc_is_set(date))
        return -1;
    return expires.s > date.s ? utc_sub(expires, date).s : 0;
}

int64_t http_retry_after(const struct http_headers *h, struct utc now)
{
    int64_t n = seconds(str_of(h->retry_after));
    struct utc at = n < 0 ? http_date(h->retry_after) : UTC_NONE;
    if (!utc_is_set(at))
        return n;
    return at.s > now.s ? utc_sub(at, now).s : 0;
}

static int two(const char *p)
{
    return p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9' ? -1 : (p[0] - '0') * 10 + (p[1] - '0');
}

static int month_of(const char *p)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int m = 0; m < 12; m++)
        if (memcmp(p, names + (size_t)3 * (size_t)m, 3) == 0)
            return m + 1;
    return -1;
}

struct utc http_date(const char *text)
{
    static const char days[] = "MonTueWedThuFriSatSun", like[] = "day, dd mmm yyyy hh:mm:ss GMT";
    bool named = false;
    if (text == NULL || strlen(text) != sizeof like - 1)
        return UTC_NONE;
    for (size_t i = 0; i < sizeof days - 1; i += 3)
        named = named || memcmp(text, days + i, 3) == 0;
    for (size_t i = 0; i < sizeof like - 1; i++) /* what stands between the fields */
        if (strchr(", :GMT", like[i]) != NULL && text[i] != like[i])
            return UTC_NONE;
    int day = two(text + 5), month = month_of(text + 8), century = two(text + 12), year = two(text + 14),
        hour = two(text + 17), minute = two(text + 20), second = two(text + 23);
    if (!named || day < 1 || month < 1 || century < 0 || year < 0 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60)
        return UTC_NONE;
    struct utc t = utc_from_civil(century * 100 + year, month, day, hour, minute, second);
    return second < 60 && utc_to_civil(t).day != day ? UTC_NONE : t; /* 31 Feb is no day */
}
