/* Fetching with libcurl, and from the mapped folders without it (fetch_door.h). */
#include "massrevoke/fetch_door.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE 16
#define OCSP_MAX ((size_t)1024 * 1024) /* answers are a few kilobytes */

struct fetch_door {
    const struct settings *settings;
    CURLM *multi;
    CURL *idle[AT_ONCE]; /* kept, so that connections and caches are */
    size_t idle_count;
};

/* One transfer under way. */
struct transfer {
    CURL *easy;
    struct fetch_reply *reply;
    struct buf bytes;
    size_t max;
    struct curl_slist *conditions;
    bool too_large;
    char error[CURL_ERROR_SIZE];
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

/* The longest map entry that begins the URL and ends where a path part does; *rest is what follows. */
static const struct settings_map *mapped(const struct settings *s, const char *url, const char **rest)
{
    const struct settings_map *best = NULL;
    size_t best_n = 0;
    for (size_t i = 0; i < s->map_count; i++) {
        size_t n = strlen(s->map[i].url);
        bool begins = n > 0 && strncmp(url, s->map[i].url, n) == 0;
        bool at_part = begins && (url[n - 1] == '/' || url[n] == '/' || url[n] == '\0');
        if (at_part && n > best_n) {
            best = &s->map[i];
            best_n = n;
        }
    }
    if (best != NULL)
        *rest = url + best_n;
    return best;
}

/* Opens a file below the folder part by part, so that neither ".." nor a symbolic link leads out of it; -1
 * and errno when there is none. */
static int open_below(const char *folder, const char *path)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (struct str rest = str_of(path); fd >= 0 && rest.p != NULL;) {
        struct str part = str_cut(&rest, '/');
        char name[256];
        if (part.n == 0 && rest.p != NULL)
            continue;
        bool bad = part.n == 0 || part.n >= sizeof name || str_is(part, ".") || str_is(part, "..");
        memcpy(name, part.p, bad ? 0 : part.n);
        name[bad ? 0 : part.n] = '\0';
        int flags = rest.p == NULL ? O_NONBLOCK : O_DIRECTORY;
        int next = bad ? -1 : openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags);
        int error = bad ? EINVAL : errno;
        close(fd);
        fd = next;
        errno = error;
    }
    return fd;
}

/* Reads an open regular file of at most max bytes. */
static bool read_open(int fd, size_t max, struct buf *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    char chunk[65536];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) != 0;) {
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && (size_t)n > max - out->n) {
            errno = EFBIG;
            return false;
        }
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
    }
    return true;
}

static void read_mapped(const struct settings_map *map, const char *rest, struct arena *a,
                        struct fetch_reply *reply)
{
    AUTO_BUF bytes = {0};
    int fd = open_below(map->folder, rest);
    reply->ok = fd >= 0 && read_open(fd, FETCH_MAX, &bytes);
    if (!reply->ok) {
        const char *why = errno == ELOOP ? "a symbolic link (not followed)" : strerror(errno);
        snprintf(reply->problem, sizeof reply->problem, "%.80s below %.60s: %s", rest, map->folder, why);
    } else {
        reply->http_status = 200;
        reply->bytes = (struct str){arena_copy(a, bytes.p, bytes.n), bytes.n};
    }
    if (fd >= 0)
        close(fd);
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
    t->too_large = n > t->max - t->bytes.n;
    if (t->too_large)
        return 0;
    buf_add(&t->bytes, bytes, n);
    return n;
}

/* Everything that bounds a transfer by strangers. */
static bool set_up(CURL *easy, struct transfer *t, const char *url, struct span timeout)
{
    long ms = timeout.s <= 0 || timeout.s > 86400 ? 30000 : (long)timeout.s * 1000;
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 3L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 524288L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "massrevoke/" MASSREVOKE_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK;
}

static const struct {
    const char *name;
    size_t at;
} kept[] = {{"ETag", offsetof(struct fetch_headers, etag)},
            {"Last-Modified", offsetof(struct fetch_headers, last_modified)},
            {"Age", offsetof(struct fetch_headers, age)},
            {"Cache-Control", offsetof(struct fetch_headers, cache_control)}};

/* Of the last answer, after redirects. What goes back to a server or into a record must be plain. */
static void keep_headers(CURL *easy, struct fetch_headers *out)
{
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        struct curl_header *h;
        char *value = (char *)out + kept[i].at;
        if (curl_easy_header(easy, kept[i].name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
            continue;
        size_t n = strlen(h->value);
        bool plain = n < FETCH_HEADER;
        for (size_t at = 0; plain && at < n; at++)
            plain = h->value[at] >= ' ' && h->value[at] <= '~';
        memcpy(value, h->value, plain ? n : 0);
    }
}

/* "Only if it changed" (RFC 9110 13.1). */
static bool set_conditions(struct transfer *t, const struct fetch_headers *known, struct arena *a)
{
    if (known == NULL)
        return true;
    const char *lines[] = {known->etag[0] == '\0' ? NULL : arena_format(a, "If-None-Match: %s", known->etag),
                           known->last_modified[0] == '\0'
                               ? NULL
                               : arena_format(a, "If-Modified-Since: %s", known->last_modified)};
    for (size_t i = 0; i < 2; i++) {
        struct curl_slist *longer = lines[i] == NULL ? NULL : curl_slist_append(t->conditions, lines[i]);
        t->conditions = longer == NULL ? t->conditions : longer;
    }
    return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->conditions) == CURLE_OK;
}

/* Starts one; false (with the problem told) when it did not get that far. */
static bool begin(struct fetch_door *d, const struct fetch_request *request, struct arena *a,
                  struct transfer *t, struct fetch_reply *reply)
{
    bool is_ocsp = request->ocsp_request.n > 0;
    CURL *easy = d->idle_count > 0 ? d->idle[--d->idle_count] : curl_easy_init();
    *t = (struct transfer){.easy = easy, .reply = reply, .max = is_ocsp ? OCSP_MAX : FETCH_MAX};
    if (easy == NULL) {
        fail(reply, "libcurl has no more handles", "");
        return false;
    }
    const char *url = is_ocsp ? ocsp_url(a, easy, request) : request->url;
    if (set_up(easy, t, url, d->settings->fetch_timeout) && set_conditions(t, request->known, a) &&
        curl_multi_add_handle(d->multi, easy) == CURLM_OK)
        return true;
    curl_slist_free_all(t->conditions);
    fail(reply, "libcurl does not take the request", t->error);
    curl_easy_cleanup(easy);
    t->easy = NULL;
    return false;
}

/* Ends a transfer: reply filled, place free again. */
static void finish(struct fetch_door *d, struct transfer *t, CURLcode rc, struct arena *a)
{
    struct fetch_reply *reply = t->reply;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &reply->http_status);
    reply->unchanged = rc == CURLE_OK && reply->http_status == 304 && t->conditions != NULL;
    reply->ok = rc == CURLE_OK && (reply->http_status == 200 || reply->unchanged);
    if (reply->ok)
        keep_headers(t->easy, &reply->headers);
    if (reply->unchanged)
        reply->bytes = (struct str){"", 0};
    else if (reply->ok)
        reply->bytes = (struct str){arena_copy(a, t->bytes.p, t->bytes.n), t->bytes.n};
    else if (t->too_large || rc == CURLE_FILESIZE_EXCEEDED)
        fail(reply, "larger than allowed", "");
    else if (rc != CURLE_OK)
        fail(reply, curl_easy_strerror(rc), t->error);
    else
        snprintf(reply->problem, sizeof reply->problem, "HTTP status %ld", reply->http_status);
    buf_free(&t->bytes);
    curl_multi_remove_handle(d->multi, t->easy);
    curl_easy_reset(t->easy);
    curl_slist_free_all(t->conditions);
    d->idle[d->idle_count++] = t->easy;
    t->easy = NULL;
}

/* What needs no network is answered at once; true when a transfer was begun in t. */
static bool dispatch(struct fetch_door *d, const struct fetch_request *request, struct arena *a,
                     struct transfer *t, struct fetch_reply *reply)
{
    const char *rest = "";
    *reply = (struct fetch_reply){0};
    const struct settings_map *map = mapped(d->settings, request->url, &rest);
    if (map == NULL)
        return begin(d, request, a, t, reply);
    if (request->ocsp_request.n > 0)
        fail(reply, "the URL is mapped to a folder, which answers no OCSP request", "");
    else
        read_mapped(map, rest, a, reply);
    return false;
}

static struct transfer *free_place(struct transfer *all)
{
    for (size_t i = 0; i < AT_ONCE; i++)
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
    struct transfer all[AT_ONCE] = {0};
    CURLMcode rc = CURLM_OK;
    size_t running = 0, next = 0;
    while (rc == CURLM_OK && (next < count || running > 0)) {
        while (next < count && running < AT_ONCE) {
            running += dispatch(d, &requests[next], a, free_place(all), &replies[next]);
            next++;
        }
        int active;
        rc = curl_multi_perform(d->multi, &active);
        running -= reap(d, a);
        if (rc == CURLM_OK && running > 0)
            rc = curl_multi_poll(d->multi, NULL, 0, 1000, NULL);
    }
    for (size_t i = 0; i < AT_ONCE; i++)
        if (all[i].easy != NULL)
            finish(d, &all[i], CURLE_ABORTED_BY_CALLBACK, a);
    return rc == CURLM_OK || fault_set(f, FAULT_FAILED, "libcurl: %s", curl_multi_strerror(rc));
}
