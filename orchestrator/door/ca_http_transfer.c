#include "ca_http_transfer.h"

#include <stdio.h>

#define CONNECT_MS 10000L

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t n = size * count;
    t->too_large = n > TRANSFER_REPLY_MAX - t->reply.n;
    if (t->too_large)
        return 0;
    buf_add(&t->reply, bytes, n);
    return n;
}

bool transfer_leaves(struct transfer *t)
{
    t->withheld = t->gate != NULL && !ca_may_leave(t->gate, t->item.number);
    t->begun = !t->withheld;
    return t->begun;
}

/* Called right before each try of a request. */
static int before_request(void *context, char *to, char *from, int to_port, int from_port)
{
    struct transfer *t = context;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    return !t->begun && transfer_leaves(t) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static bool set_files(CURL *easy, const struct settings_http *s)
{
    return (s->ca_file == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file) == CURLE_OK) &&
           (s->client_certificate_file == NULL ||
            (curl_easy_setopt(easy, CURLOPT_SSLCERT, s->client_certificate_file) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_SSLKEY, s->client_key_file) == CURLE_OK));
}

bool transfer_open(struct transfer *t, const struct settings_http *s, struct fault *f)
{
    const char *scheme = strncmp(s->url, "https:", 6) == 0 ? "https" : "http";
    /* never HTTP/2 without TLS: it lost answers; with it a request waits for a stream rather than for a
     * connection */
    long version = s->connections > 0 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    CURL *easy = curl_easy_init();
    *t = (struct transfer){.easy = easy};
    bool ok = easy != NULL && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, scheme) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PIPEWAIT, s->connections > 0 ? 1L : 0L) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)s->timeout.s * 1000) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_USERAGENT, "massrevoke/" MASSREVOKE_VERSION) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PREREQDATA, t) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK && set_files(easy, s);
    return ok || fault_set(f, FAULT_FAILED, "libcurl does not take an option that is needed");
}

static bool set_method(struct transfer *t, const char *method)
{
    if (strcmp(method, "GET") == 0)
        return curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK &&
               curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    struct str body = buf_str(&t->body);
    return curl_easy_setopt(t->easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body.p) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)body.n) == CURLE_OK;
}

void transfer_clear(struct transfer *t, const char *url)
{
    buf_clear(&t->url);
    buf_clear(&t->body);
    buf_clear(&t->reply);
    t->begun = t->withheld = t->too_large = false;
    t->http = 0;
    t->retry_after = -1;
    t->error[0] = '\0';
    buf_text(&t->url, url);
}

bool transfer_send(struct transfer *t, CURLM *multi, const char *method, struct curl_slist *headers)
{
    return curl_easy_setopt(t->easy, CURLOPT_URL, t->url.p) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK && set_method(t, method) &&
           curl_multi_add_handle(multi, t->easy) == CURLM_OK;
}

void transfer_write(struct transfer *t, const char *base, const struct backend_request *r,
                    const struct backend_values *values)
{
    transfer_clear(t, base);
    backend_expand(values->date == NULL ? &r->path : &r->dated_path, values, &t->url);
    backend_expand(&r->body, values, &t->body);
}

void transfer_over(struct transfer *t)
{
    curl_off_t seconds = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->http);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds);
    t->retry_after = seconds > 0 ? (long)seconds : -1;
}

/* Anything but a refusal will do: the address itself need not mean anything to the CA. */
static bool judge_probe(CURL *easy, const struct settings_http *s, struct ca_probe *out, struct fault *f)
{
    struct curl_header *date = NULL;
    long code = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK) {
        time_t at = curl_getdate(date->value, NULL);
        out->date = at < 0 ? UTC_NONE : (struct utc){at};
    }
    snprintf(out->text, sizeof out->text, "HTTP %ld", code);
    if (code == 401 || code == 403)
        return fault_set(f, FAULT_CONFIG, "%s does not let us in: HTTP %ld", s->url, code);
    return code < 500 || fault_set(f, FAULT_UNAVAILABLE, "%s: HTTP %ld", s->url, code);
}

bool transfer_probe(const struct settings_http *s, struct curl_slist *headers, struct ca_probe *out,
                    struct fault *f)
{
    struct transfer t = {0};
    *out = (struct ca_probe){.date = UTC_NONE};
    bool ok = transfer_open(&t, s, f);
    if (ok && (curl_easy_setopt(t.easy, CURLOPT_URL, s->url) != CURLE_OK ||
               curl_easy_setopt(t.easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK))
        ok = fault_set(f, FAULT_CONFIG, "libcurl refuses %s", s->url);
    if (ok) {
        CURLcode rc = curl_easy_perform(t.easy);
        bool cert = rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_PEER_FAILED_VERIFICATION ||
                    rc == CURLE_SSL_CERTPROBLEM;
        ok = rc == CURLE_OK || fault_set(f, cert ? FAULT_CONFIG : FAULT_UNAVAILABLE, "%s: %s", s->url,
                                         t.error[0] != '\0' ? t.error : curl_easy_strerror(rc));
    }
    ok = ok && judge_probe(t.easy, s, out, f);
    transfer_close(&t);
    return ok;
}

void transfer_close(struct transfer *t)
{
    curl_easy_cleanup(t->easy);
    buf_free(&t->url);
    buf_free(&t->body);
    buf_free(&t->reply);
}
