/* Fetching with libcurl (fetch_door.h). */
#include "fetch_parts.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define OCSP_MAX ((size_t)1024 * 1024) /* answers are a few kilobytes */

struct fetch_door {
    const struct settings *settings;
    CURLM *multi;
    CURL *idle[FETCH_AT_ONCE]; /* kept, so that connections and caches are */
    size_t idle_count;
    fetch_meanwhile_fn *meanwhile;
    void *meanwhile_context;
};

/* One transfer under way. */
struct transfer {
    CURL *easy;
    struct fetch_reply *reply;
    struct fetch_body body;
    struct curl_slist *lines, *connect_to; /* of the request's header; where to go */
    char error[CURL_ERROR_SIZE];
    int64_t patience; /* microseconds without counting what came */
    bool late;
};

bool fetch_open(const struct settings *s, struct fetch_door **out, struct fault *f)
{
    struct fetch_door *d = arena_grow(NULL, sizeof *d);
    *d = (struct fetch_door){.settings = s};
    bool ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    d->multi = ok ? curl_multi_init() : NULL;
    if (d->multi == NULL) {
        free(d);
        return fault_set(f, FAULT_FAILED, "libcurl cannot be started");
    }
    *out = d;
    return true;
}

void fetch_close(struct fetch_door *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->idle_count; i++)
        curl_easy_cleanup(d->idle[i]);
    curl_multi_cleanup(d->multi);
    curl_global_cleanup();
    free(d);
}

static void fail(struct fetch_reply *reply, const char *what, const char *why)
{
    snprintf(reply->problem, sizeof reply->problem, "%.90s%s%.100s", what, why[0] == '\0' ? "" : ": ", why);
}

/* RFC 6960 A.1: {url}/{url-encoding of base64 encoding of the DER request}. */
static char *ocsp_url(struct arena *a, CURL *easy, const struct fetch_request *r)
{
    size_t n = strlen(r->url);
    char *base64 = arena_alloc(a, r->ocsp_request.n / 3 * 4 + 5);
    int length = EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)r->ocsp_request.p,
                                 (int)r->ocsp_request.n);
    char *escaped = curl_easy_escape(easy, base64, length);
    char *url = arena_format(a, "%s%s%s", r->url, n > 0 && r->url[n - 1] == '/' ? "" : "/",
                             escaped == NULL ? "" : escaped);
    curl_free(escaped);
    return url;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t n = size * count;
    return fetch_body_add(&t->body, (struct str){bytes, n}) ? n : 0;
}

/* A CRL of hundreds of megabytes is not cut off while it flows, and one that drips holds nobody up: the
 * timeout is what a transfer may take beyond a microsecond for each byte. */
static int watch_pace(void *context, curl_off_t of, curl_off_t came, curl_off_t to_send, curl_off_t sent)
{
    struct transfer *t = context;
    curl_off_t took = 0;
    (void)of, (void)to_send, (void)sent;
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took);
    t->late = took > t->patience + came;
    return t->late;
}

/* Everything that bounds a transfer by strangers. */
static bool set_up(CURL *easy, struct transfer *t, const char *url, struct span timeout)
{
    long ms = timeout.s <= 0 || timeout.s > 86400 ? 30000 : (long)timeout.s * 1000;
    t->patience = (int64_t)ms * 1000;
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 3L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L) == CURLE_OK && /* no body but of an answer */
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch_pace) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->body.max) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 524288L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "massrevoke/" MASSREVOKE_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK;
}

/* Of the last answer, after redirects. */
static void keep_headers(CURL *easy, struct http_headers *out)
{
    for (size_t i = 0; i < HTTP_HEADERS; i++) {
        struct curl_header *h;
        if (curl_easy_header(easy, http_header_names[i], 0, CURLH_HEADER, -1, &h) == CURLHE_OK)
            http_header_keep(out, i, h->value);
    }
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* "Only if it changed" (RFC 9110 13.1), and what a POST is. */
static bool set_lines(struct transfer *t, const struct fetch_request *r, struct arena *a)
{
    bool ok = true;
    if (r->known != NULL && r->known->etag[0] != '\0')
        ok = add_line(&t->lines, arena_format(a, "If-None-Match: %s", r->known->etag));
    if (r->known != NULL && r->known->last_modified[0] != '\0')
        ok = ok && add_line(&t->lines, arena_format(a, "If-Modified-Since: %s", r->known->last_modified));
    if (r->post)
        ok = ok && add_line(&t->lines, "Content-Type: application/ocsp-request") &&
             curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, r->ocsp_request.p) == CURLE_OK &&
             curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)r->ocsp_request.n) == CURLE_OK;
    return ok && curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines) == CURLE_OK;
}

/* Host and port of the URL go to the edge's address, whatever the name resolves to and the environment's
 * proxies are; a redirect to another host goes its own way. */
static bool set_way(struct transfer *t, const char *url, const struct settings_vantage *v, struct arena *a)
{
    char *host = NULL;
    CURLU *parsed = NULL;
    if (v == NULL || (v->address == NULL && v->proxy == NULL))
        return true;
    if (v->proxy != NULL)
        return curl_easy_setopt(t->easy, CURLOPT_PROXY, v->proxy) == CURLE_OK &&
               curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "") == CURLE_OK;
    parsed = curl_url();
    bool ok = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    const char *port = settings_address_has_port(v->address) ? "" : ":"; /* none: the URL's */
    ok = ok && add_line(&t->connect_to, arena_format(a, "%s::%s%s", host, v->address, port)) &&
         curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to) == CURLE_OK &&
         curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "*") == CURLE_OK;
    curl_free(host);
    curl_url_cleanup(parsed);
    return ok;
}

static void free_lists(struct transfer *t)
{
    curl_slist_free_all(t->lines);
    curl_slist_free_all(t->connect_to);
    t->lines = t->connect_to = NULL;
}

/* Starts one; false (with the problem told) when it did not get that far. */
static bool begin(struct fetch_door *d, const struct fetch_request *request, struct arena *a,
                  struct transfer *t, struct fetch_reply *reply)
{
    bool is_ocsp = request->ocsp_request.n > 0;
    CURL *easy = d->idle_count > 0 ? d->idle[--d->idle_count] : curl_easy_init();
    *t = (struct transfer){
        .easy = easy, .reply = reply, .body = {.request = request, .max = is_ocsp ? OCSP_MAX : FETCH_MAX}};
    if (easy == NULL) {
        fail(reply, "libcurl has no more handles", "");
        return false;
    }
    const char *url = is_ocsp && !request->post ? ocsp_url(a, easy, request) : request->url;
    if (set_up(easy, t, url, d->settings->fetch_timeout) && set_lines(t, request, a) &&
        set_way(t, url, request->through, a) && curl_multi_add_handle(d->multi, easy) == CURLM_OK)
        return true;
    free_lists(t);
    fail(reply, "libcurl does not take the request", t->error);
    curl_easy_cleanup(easy);
    t->easy = NULL;
    return false;
}

static void fail_late(struct fetch_reply *reply, const struct transfer *t)
{
    curl_off_t came = 0, took = 0, of = -1;
    char size[40] = "";
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &came);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &of);
    if (of > 0)
        snprintf(size, sizeof size, " of %lld", (long long)of);
    snprintf(reply->problem, sizeof reply->problem,
             "Timeout: %lld%s bytes in %lld s; fetch.timeout allows more", (long long)came, size,
             (long long)(took / 1000000));
}

/* Ends a transfer: reply filled, place free again. */
static void finish(struct fetch_door *d, struct transfer *t, CURLcode rc, struct arena *a)
{
    struct fetch_reply *reply = t->reply;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &reply->http_status);
    reply->unchanged = rc == CURLE_OK && reply->http_status == 304 && t->body.request->known != NULL;
    reply->ok = rc == CURLE_OK && (reply->http_status == 200 || reply->unchanged);
    keep_headers(t->easy, &reply->headers);
    if (t->body.too_large || rc == CURLE_FILESIZE_EXCEEDED)
        fail(reply, "larger than allowed", "");
    else if (t->body.refused)
        fail(reply, "no room to keep it", "");
    else if (t->late && rc == CURLE_ABORTED_BY_CALLBACK)
        fail_late(reply, t);
    else if (rc == CURLE_HTTP_RETURNED_ERROR || (rc == CURLE_OK && !reply->ok))
        snprintf(reply->problem, sizeof reply->problem, "HTTP status %ld", reply->http_status);
    else if (rc != CURLE_OK)
        fail(reply, curl_easy_strerror(rc), t->error);
    fetch_body_end(&t->body, a, reply);
    curl_multi_remove_handle(d->multi, t->easy);
    curl_easy_reset(t->easy);
    free_lists(t);
    d->idle[d->idle_count++] = t->easy;
    t->easy = NULL;
}

/* What needs no network is answered at once; true when a transfer was begun in t. */
static bool dispatch(struct fetch_door *d, const struct fetch_request *request, struct arena *a,
                     struct transfer *t, struct fetch_reply *reply)
{
    const char *rest = "";
    *reply = (struct fetch_reply){0};
    const struct settings_map *map = fetch_mapped(d->settings, request->url, &rest);
    if (map == NULL)
        return begin(d, request, a, t, reply);
    if (request->ocsp_request.n > 0)
        fail(reply, "the URL is mapped to a folder, which answers no OCSP request", "");
    else
        fetch_read_mapped(map, rest, request, a, reply);
    return false;
}

bool fetch_is_mapped(const struct fetch_door *d, const char *url)
{
    const char *rest;
    return fetch_mapped(d->settings, url, &rest) != NULL;
}

void fetch_meanwhile(struct fetch_door *d, fetch_meanwhile_fn *fn, void *context)
{
    d->meanwhile = fn;
    d->meanwhile_context = context;
}

static struct transfer *free_place(struct transfer *all)
{
    for (size_t i = 0; i < FETCH_AT_ONCE; i++)
        if (all[i].easy == NULL)
            return &all[i];
    return NULL;
}

static size_t reap(struct fetch_door *d, struct arena *a)
{
    size_t finished = 0;
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(d->multi, &left)) != NULL;) {
        if (m->msg != CURLMSG_DONE)
            continue;
        char *mine = NULL;
        CURLcode rc = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &mine);
        finish(d, (struct transfer *)(void *)mine, rc, a);
        finished++;
    }
    return finished;
}

bool fetch_all(struct fetch_door *d, const struct fetch_request *requests, size_t count, struct arena *a,
               struct fetch_reply *replies, struct fault *f)
{
    struct transfer all[FETCH_AT_ONCE] = {0};
    CURLMcode rc = CURLM_OK;
    size_t running = 0, next = 0;
    while (rc == CURLM_OK && (next < count || running > 0)) {
        while (next < count && running < FETCH_AT_ONCE) {
            running += dispatch(d, &requests[next], a, free_place(all), &replies[next]);
            next++;
        }
        int active;
        rc = curl_multi_perform(d->multi, &active);
        running -= reap(d, a);
        bool busy = running > 0 && d->meanwhile != NULL && d->meanwhile(d->meanwhile_context);
        if (rc == CURLM_OK && running > 0)
            rc = curl_multi_poll(d->multi, NULL, 0, busy ? 0 : d->meanwhile != NULL ? 100 : 1000, NULL);
    }
    for (size_t i = 0; i < FETCH_AT_ONCE; i++)
        if (all[i].easy != NULL)
            finish(d, &all[i], CURLE_ABORTED_BY_CALLBACK, a);
    return rc == CURLM_OK || fault_set(f, FAULT_FAILED, "libcurl: %s", curl_multi_strerror(rc));
}
