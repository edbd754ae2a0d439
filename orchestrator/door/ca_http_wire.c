#include "ca_http_wire.h"
#include "massrevoke/clock.h"
#include "massrevoke/http.h"
#include "massrevoke/http_answer.h"

#include <openssl/ssl.h>
#include <strings.h>

#define AT_ONCE 16384                        /* octets read at a time */
#define IN_MOST (TRANSFER_REPLY_MAX + 65536) /* octets of an answer with its head */
#define NEVER INT64_MAX

static int64_t ticks(void)
{
    struct clock clock = clock_system();
    return clock.ticks(clock.self);
}

/* --- can it be done? --- */

/* Is this text of a request the same whoever sends it? libcurl would resolve dots and cut a fragment off. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '#')
            return false;
    return s.n == 0 || memmem(s.p, s.n, "/.", 2) == NULL;
}

static bool is_plain_template(const struct backend_template *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].value == BACKEND_TEXT && !is_plain(t->parts[i].text))
            return false;
    return true;
}

static bool is_header(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

/* A profile that sets these steers libcurl, not only the CA. */
static bool is_plain_request(const struct backend_request *r)
{
    static const char *const steering[] = {"Connection", "Content-Length", "Expect", "Transfer-Encoding"};
    for (size_t i = 0; i < r->header_count; i++)
        for (size_t k = 0; k < sizeof steering / sizeof *steering; k++)
            if (is_header(r->headers[i], steering[k]))
                return false;
    return is_plain_template(&r->path) && is_plain_template(&r->dated_path);
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

/* "name" or "name:port" of a URL that is nothing but scheme, host, port and path. */
static bool read_host(const char *text, struct buf *out)
{
    CURLU *url = curl_url();
    char *host = NULL, *port = NULL;
    bool ok = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && is_plain(str_of(host)) &&
              !has_part(url, CURLUPART_USER) && !has_part(url, CURLUPART_PASSWORD) &&
              !has_part(url, CURLUPART_QUERY) && !has_part(url, CURLUPART_FRAGMENT) &&
              !has_part(url, CURLUPART_ZONEID);
    if (ok)
        buf_text(out, host);
    if (ok && curl_url_get(url, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK)
        buf_format(out, ":%s", port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return ok;
}

void wires_open(struct wires *w, const struct settings_http *s, const struct backend *b, struct arena *a,
                struct transfer *transfers, size_t count)
{
    const char *from = strstr(s->url, "://"), *path = from == NULL ? NULL : strchr(from + 3, '/');
    w->url = s->url;
    w->path = path == NULL ? "" : path;
    w->patience = s->timeout.s * 1000;
    w->due = NEVER;
    w->list = arena_array(a, count, sizeof *w->list);
    w->count = count;
    for (size_t i = 0; i < count; i++)
        w->list[i] = (struct wire){.fd = -1, .transfer = &transfers[i]};
    if (s->connections == 0 && is_plain(str_of(w->path)) && is_plain_request(&b->revoke) &&
        is_plain_request(&b->status) && is_plain_request(&b->prepare))
        (void)!read_host(s->url, &w->host);
}

/* --- what is sent --- */

static bool is_given(const struct curl_slist *headers, const char *name)
{
    for (; headers != NULL; headers = headers->next)
        if (is_header(headers->data, name))
            return true;
    return false;
}

void wires_head(const struct wires *w, const struct curl_slist *headers, struct buf *out)
{
    buf_clear(out);
    if (!is_given(headers, "Host"))
        buf_format(out, "Host: %s\r\n", buf_str(&w->host).p);
    if (!is_given(headers, "User-Agent"))
        buf_text(out, "User-Agent: massrevoke/" MASSREVOKE_VERSION "\r\n");
    if (!is_given(headers, "Accept"))
        buf_text(out, "Accept: */*\r\n");
    for (; headers != NULL; headers = headers->next) {
        const char *value = strchr(headers->data, ':');
        if (value != NULL && str_trim(str_of(value + 1)).n > 0) /* a name alone takes a header away */
            buf_format(out, "%s\r\n", headers->data);
    }
}

static void write_request(struct wire *wire, const char *method, struct str head)
{
    struct str target = buf_str(&wire->transfer->url), body = buf_str(&wire->transfer->body);
    struct buf *out = &wire->out;
    buf_clear(out);
    buf_text(out, method);
    buf_text(out, " ");
    buf_add(out, target.p, target.n);
    buf_text(out, " HTTP/1.1\r\n");
    buf_add(out, head.p, head.n);
    if (strcmp(method, "GET") != 0)
        buf_format(out, "Content-Length: %zu\r\n", body.n);
    buf_text(out, "\r\n");
    buf_add(out, body.p, body.n);
}

/* --- a connection --- */

/* libcurl closes a connection of this kind with its handle. */
static void hang_up(struct wires *w, struct wire *wire)
{
    if (wire->fd >= 0)
        curl_events_forget(w->events, wire->fd);
    if (wire->state != WIRE_CLOSED)
        curl_multi_remove_handle(w->events->multi, wire->transfer->easy);
    wire->fd = -1;
    wire->watched = false;
    wire->state = WIRE_CLOSED;
}

/* The request is over; `keeps`: the connection is as good as new. */
static void finish(struct wires *w, struct wire *wire, bool keeps, CURLcode rc)
{
    if (keeps)
        wire->state = WIRE_IDLE;
    else
        hang_up(w, wire);
    w->over(w->context, wire->transfer, rc);
}

static bool dial(struct wires *w, struct wire *wire)
{
    CURL *easy = wire->transfer->easy;
    if (curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, w->url) != CURLE_OK ||
        curl_multi_add_handle(w->events->multi, easy) != CURLM_OK)
        return false;
    wire->state = WIRE_CONNECTING;
    return true;
}

/* Also whether it can take more; each change is a call of the kernel. */
static void watch(struct wires *w, struct wire *wire, bool more)
{
    if (wire->watched && wire->watched_more == more)
        return;
    curl_events_watch(w->events, wire->fd, (uint32_t)(wire - w->list), more);
    wire->watched = true;
    wire->watched_more = more;
}

/* The rest is left to wires_expire: the caller may be about to begin. */
static void fail(struct wires *w, struct wire *wire)
{
    wire->failed = true;
    wire->deadline = w->due = 0;
}

/* Does TLS have to hear before it can send (a server that wants a new handshake)? The socket takes more all
 * the while. */
static bool must_hear(const struct wire *wire)
{
    const struct curl_tlssessioninfo *tls = NULL;
    return curl_easy_getinfo(wire->transfer->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls != NULL &&
           tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals != NULL &&
           SSL_want_read((const SSL *)tls->internals);
}

/* Sends as much as goes. */
static void push(struct wires *w, struct wire *wire)
{
    CURLcode rc = CURLE_OK;
    if (!wire->transfer->begun && !transfer_leaves(wire->transfer)) {
        fail(w, wire);
        return;
    }
    while (rc == CURLE_OK && wire->sent < wire->out.n) {
        size_t n = 0;
        rc = curl_easy_send(wire->transfer->easy, wire->out.p + wire->sent, wire->out.n - wire->sent, &n);
        wire->sent += n;
    }
    watch(w, wire, wire->sent < wire->out.n && !(rc == CURLE_AGAIN && must_hear(wire)));
    if (rc != CURLE_OK && rc != CURLE_AGAIN)
        fail(w, wire);
}

/* Nothing may come on a connection between an answer and the next request: it is over, or was misused. */
static bool is_quiet(const struct wire *wire)
{
    char octet;
    size_t n;
    return curl_easy_recv(wire->transfer->easy, &octet, 1, &n) == CURLE_AGAIN;
}

bool wires_send(struct wires *w, size_t index, const char *method, struct str head)
{
    struct wire *wire = &w->list[index];
    write_request(wire, method, head);
    buf_clear(&wire->in);
    wire->sent = 0;
    wire->failed = false;
    wire->deadline = ticks() + w->patience;
    w->due = wire->deadline < w->due ? wire->deadline : w->due;
    if (wire->state == WIRE_IDLE && !is_quiet(wire))
        hang_up(w, wire);
    if (wire->state == WIRE_CLOSED)
        return dial(w, wire);
    wire->state = WIRE_BUSY;
    push(w, wire);
    return true;
}

bool wires_yield(struct wires *w, size_t index)
{
    hang_up(w, &w->list[index]);
    return curl_easy_setopt(w->list[index].transfer->easy, CURLOPT_CONNECT_ONLY, 0L) == CURLE_OK;
}

bool wires_is_connecting(const struct wires *w, size_t index)
{
    return w->list[index].state == WIRE_CONNECTING;
}

void wires_connected(struct wires *w, size_t index, CURLcode rc)
{
    struct wire *wire = &w->list[index];
    if (rc == CURLE_OK)
        rc = curl_easy_getinfo(wire->transfer->easy, CURLINFO_ACTIVESOCKET, &wire->fd);
    if (rc == CURLE_OK && wire->fd < 0)
        rc = CURLE_COULDNT_CONNECT; /* it is gone already */
    wire->transfer->begun = false;  /* so far nothing but a connection was */
    if (rc != CURLE_OK) {
        finish(w, wire, false, rc);
        return;
    }
    wire->state = WIRE_BUSY;
    push(w, wire);
}

/* --- the answer --- */

static void keep_answer(struct transfer *t, const struct http_answer *answer)
{
    struct str wait = answer->retry_after;
    t->http = answer->status;
    if (wait.n == 0 || wait.n >= HTTP_VALUE)
        return;
    struct http_headers h = {0};
    memcpy(h.retry_after, wait.p, wait.n);
    t->retry_after = http_retry_after(&h, clock_system().now(NULL));
}

/* Looks at what has come; true: the request is over. */
static bool hear(struct wires *w, struct wire *wire, bool ended)
{
    struct transfer *t = wire->transfer;
    struct http_answer answer;
    switch (http_answer_read(buf_str(&wire->in), ended, &answer, &t->reply)) {
    case HTTP_MORE:
        t->too_large = wire->in.n > IN_MOST;
        if (t->too_large)
            finish(w, wire, false, CURLE_WRITE_ERROR);
        return t->too_large;
    case HTTP_WHOLE:
        t->too_large = t->reply.n > TRANSFER_REPLY_MAX;
        keep_answer(t, &answer);
        finish(w, wire, answer.keeps && answer.used == wire->in.n && wire->sent == wire->out.n,
               t->too_large ? CURLE_WRITE_ERROR : CURLE_OK);
        return true;
    case HTTP_WRONG:
        break;
    }
    if (!ended)
        buf_clear(&w->host);
    finish(w, wire, false,
           wire->in.n == 0 ? CURLE_GOT_NOTHING
           : ended         ? CURLE_PARTIAL_FILE
                           : CURLE_WEIRD_SERVER_REPLY);
    return true;
}

static void pull(struct wires *w, struct wire *wire)
{
    char bytes[AT_ONCE];
    for (bool over = false; !over;) {
        size_t n = 0;
        CURLcode rc = curl_easy_recv(wire->transfer->easy, bytes, sizeof bytes, &n);
        if (rc == CURLE_AGAIN)
            return;
        if (rc != CURLE_OK) {
            finish(w, wire, false, rc);
            return;
        }
        buf_add(&wire->in, bytes, n);
        over = hear(w, wire, n == 0);
    }
}

void wires_ready(void *wires, uint32_t index)
{
    struct wires *w = wires;
    struct wire *wire = &w->list[index];
    if (wire->state == WIRE_IDLE && !is_quiet(wire))
        hang_up(w, wire);
    if (wire->state == WIRE_BUSY && wire->sent < wire->out.n && !wire->failed)
        push(w, wire);
    if (wire->state == WIRE_BUSY)
        pull(w, wire);
}

/* --- time --- */

static bool is_under_way(const struct wire *wire)
{
    return wire->state == WIRE_CONNECTING || wire->state == WIRE_BUSY;
}

void wires_expire(struct wires *w)
{
    int64_t now = w->due == NEVER ? 0 : ticks();
    if (now < w->due)
        return;
    w->due = NEVER;
    for (size_t i = 0; i < w->count; i++) {
        struct wire *wire = &w->list[i];
        if (is_under_way(wire) && wire->deadline <= now)
            finish(w, wire, false, wire->failed ? CURLE_SEND_ERROR : CURLE_OPERATION_TIMEDOUT);
        if (is_under_way(wire) && wire->deadline < w->due)
            w->due = wire->deadline;
    }
}

long wires_wait(const struct wires *w)
{
    int64_t now = w->due == NEVER ? 0 : ticks();
    return w->due == NEVER ? -1 : w->due <= now ? 0 : (long)(w->due - now);
}

void wires_close(struct wires *w)
{
    for (size_t i = 0; i < w->count; i++) {
        hang_up(w, &w->list[i]);
        buf_free(&w->list[i].out);
        buf_free(&w->list[i].in);
    }
    buf_free(&w->host);
}
