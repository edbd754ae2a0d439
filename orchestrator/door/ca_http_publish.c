#include "ca_http_publish.h"

#include <stdlib.h>

/* One issuer's request. */
struct question {
    struct transfer transfer;
    struct curl_slist *headers;
    bool under_way, over;
    CURLcode code; /* once it is over */
};

struct ca_http_publish {
    const struct settings_http *http;
    const struct backend *backend;
    CURLM *multi;
    size_t count;
    struct question questions[];
};

struct ca_http_publish *ca_http_publish_open(const struct settings_http *s, const struct backend *b,
                                             size_t issuers)
{
    struct ca_http_publish *p = arena_grow(NULL, sizeof *p + issuers * sizeof *p->questions);
    memset(p, 0, sizeof *p + issuers * sizeof *p->questions);
    *p = (struct ca_http_publish){.http = s, .backend = b, .multi = curl_multi_init(), .count = issuers};
    if (p->multi != NULL)
        return p;
    free(p);
    return NULL;
}

bool ca_http_publish_waits(const struct ca_http_publish *p, size_t issuer)
{
    return p->questions[issuer].under_way;
}

static void finish(struct ca_http_publish *p, struct question *q)
{
    if (q->under_way)
        curl_multi_remove_handle(p->multi, q->transfer.easy);
    transfer_close(&q->transfer);
    curl_slist_free_all(q->headers);
    *q = (struct question){.under_way = false};
}

bool ca_http_publish_begin(struct ca_http_publish *p, size_t issuer, const struct backend_values *values,
                           struct curl_slist *headers, struct fault *f)
{
    struct question *q = &p->questions[issuer];
    *q = (struct question){.headers = headers};
    bool ok = transfer_open(&q->transfer, p->http, f);
    if (ok)
        transfer_write(&q->transfer, p->http->url, &p->backend->publish, values);
    q->under_way = ok && transfer_send(&q->transfer, p->multi, p->backend->publish.method, headers);
    if (q->under_way)
        return true;
    finish(p, q);
    return ok ? fault_set(f, FAULT_FAILED, "libcurl does not take a request to %s", p->http->url) : false;
}

/* Lets libcurl work, for a while when q is not over at once; notes what ended. */
static void work(struct ca_http_publish *p, const struct question *q)
{
    int running, left;
    for (int waited = 0;; waited++) {
        (void)curl_multi_perform(p->multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(p->multi, &left)) != NULL;)
            for (size_t i = 0; i < p->count; i++)
                if (p->questions[i].under_way && p->questions[i].transfer.easy == m->easy_handle) {
                    p->questions[i].over = true;
                    p->questions[i].code = m->data.result;
                }
        if (q->over || waited == PUBLISH_PATIENCE_MS / 10)
            return;
        (void)curl_multi_poll(p->multi, NULL, 0, 10, NULL);
    }
}

static bool judge(const struct ca_http_publish *p, struct question *q, struct fault *f)
{
    const struct transfer *t = &q->transfer;
    if (q->code != CURLE_OK)
        return fault_set(f, FAULT_UNAVAILABLE, "%s: %s: %.250s", t->url.p, curl_easy_strerror(q->code),
                         t->error);
    transfer_over(&q->transfer);
    struct backend_verdict v = backend_judge(p->backend, &p->backend->publish, t->http, buf_str(&t->reply));
    if (v.meaning == BACKEND_REVOKED) /* the rows of `publish` write it "done" */
        return true;
    fault_set(f, v.meaning == BACKEND_STOP ? FAULT_CONFIG : FAULT_UNAVAILABLE,
              "CA at %s: no new CRL: HTTP %ld: %.200s", p->http->url, t->http,
              t->reply.p == NULL ? "" : t->reply.p);
    for (char *c = f->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
            *c = ' '; /* foreign bytes must not steer the terminal */
    return false;
}

bool ca_http_publish_end(struct ca_http_publish *p, size_t issuer, bool *done, struct fault *f)
{
    struct question *q = &p->questions[issuer];
    work(p, q);
    *done = q->over;
    if (!q->over)
        return true;
    bool ok = judge(p, q, f);
    finish(p, q);
    return ok;
}

void ca_http_publish_close(struct ca_http_publish *p)
{
    for (size_t i = 0; p != NULL && i < p->count; i++)
        finish(p, &p->questions[i]);
    if (p != NULL)
        curl_multi_cleanup(p->multi);
    free(p);
}
