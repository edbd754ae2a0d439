#include "massrevoke/ca_acme.h"
#include "acme_answer.h"
#include "acme_certificate.h"
#include "ca_http_transfer.h"
#include "ca_queue.h"
#include "curl_events.h"
#include "massrevoke/cms.h"
#include "massrevoke/file.h"
#include "massrevoke/jws.h"

#include <openssl/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONCURRENCY 4 /* pebble is fastest there (facts of backends 1.4) */
#define NONCES 64
#define NONCE_MAX 200
#define RETRY_AFTER_MAX INT64_C(3600)
#define HINT "check this CA's url, ca_file, account_key_file and the rights of the account"
/* A server may hold a request as long as its own time limit; Boulder's is 30 s. */
#define QUIET ((struct span){90})

enum purpose { DIRECTORY, NONCE, ACCOUNT, REVOKE };

/* One certificate under way, or a question about the server itself. */
struct exchange {
    struct transfer t; /* first: libcurl's private pointer is one to it */
    enum purpose purpose;
    bool setup; /* no certificate: what the door itself must know */
    struct cert cert;
    struct arena arena; /* the certificate's */
    EVP_PKEY *own;      /* the certificate's key, NULL: the account signs */
    int tries;
};

struct ca_acme {
    struct ca_door door; /* first: the contract's handle is a pointer to it */
    struct arena arena;
    struct settings_http http;
    struct acme_directory directory; /* NULLs: not read yet */
    const char *kid;                 /* the account's URL, NULL: not known yet */
    EVP_PKEY *account;
    struct issuer *issuers;
    struct curl_events events;
    struct curl_slist *post, *get;
    struct exchange *exchanges, **idle;
    size_t exchange_count, idle_count;
    bool setting_up;
    char nonces[NONCES][NONCE_MAX + 1];
    size_t nonce_count;
    size_t silent; /* requests in a row without a clear answer */
    struct ca_queue queue;
};

static struct ca_acme *self(struct ca_door *d)
{
    return (struct ca_acme *)d;
}

static bool queue_revoke(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    struct ca_acme *c = self(d);
    if (!ca_queue_add(&c->queue, items, count, false, f))
        return false;
    curl_events_wake(&c->events);
    return true;
}

static bool queue_status(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    (void)d, (void)items, (void)count;
    return fault_set(f, FAULT_REFUSED, "an ACME server tells no status (RFC 8555)");
}

/* --- out --- */

static void release(struct ca_acme *c, struct exchange *x)
{
    key_release(x->own);
    x->own = NULL;
    arena_free(&x->arena);
    if (x->setup)
        c->setting_up = false;
    else
        c->queue.under_way--;
    c->idle[c->idle_count++] = x;
}

static void settle(struct ca_acme *c, struct exchange *x, enum ca_outcome outcome, const char *text)
{
    if (!x->setup)
        ca_queue_answer(&c->queue, x->t.item.number, outcome, UTC_NONE, -1, text);
    release(c, x);
}

/* {"alg":...,"nonce":...,"url":..., and who signs}: RFC 8555 6.2. */
static bool add_header(struct ca_acme *c, const struct exchange *x, const char *url, struct buf *out,
                       struct fault *f)
{
    EVP_PKEY *key = x->own != NULL ? x->own : c->account;
    const char *algorithm = jws_algorithm(key);
    buf_format(out, "{\"alg\":\"%s\",\"nonce\":\"%s\",\"url\":\"%s\",", algorithm == NULL ? "" : algorithm,
               c->nonces[--c->nonce_count], url);
    if (x->purpose == ACCOUNT || x->own != NULL) {
        buf_text(out, "\"jwk\":");
        if (!jws_public_key(key, out, f))
            return false;
    } else {
        buf_format(out, "\"kid\":\"%s\"", c->kid);
    }
    buf_text(out, "}");
    return true;
}

/* Only an absent reason is unspecified (BR 7.2.2). */
static void add_payload(const struct exchange *x, struct buf *out)
{
    if (x->purpose == ACCOUNT) {
        buf_text(out, "{\"onlyReturnExisting\":true}");
        return;
    }
    buf_text(out, "{\"certificate\":\"");
    jws_base64(x->cert.der.p, x->cert.der.n, out);
    buf_text(out, "\"");
    if (x->t.item.reason != REASON_UNSPECIFIED)
        buf_format(out, ",\"reason\":%d", (int)x->t.item.reason);
    buf_text(out, "}");
}

static bool write_body(struct ca_acme *c, struct exchange *x, const char *url, struct buf *out,
                       struct fault *f)
{
    AUTO_BUF header = {0};
    AUTO_BUF payload = {0};
    EVP_PKEY *key = x->own != NULL ? x->own : c->account;
    add_payload(x, &payload);
    return add_header(c, x, url, &header, f) && jws_flat(key, buf_str(&header), buf_str(&payload), out, f);
}

/* Hands the exchange's next request to libcurl. */
static void go(struct ca_acme *c, struct exchange *x, enum purpose purpose)
{
    const char *const urls[] = {c->http.url, c->directory.nonce, c->directory.account, c->directory.revoke};
    struct fault f = {0};
    bool post = purpose == ACCOUNT || purpose == REVOKE;
    if (post && c->nonce_count == 0) {
        x->purpose = NONCE;
        post = false;
    } else {
        x->purpose = purpose;
    }
    x->t.gate = x->purpose == REVOKE ? &c->door : NULL;
    transfer_clear(&x->t, urls[x->purpose]);
    if ((!post || write_body(c, x, urls[x->purpose], &x->t.body, &f)) &&
        transfer_send(&x->t, c->events.multi, post ? "POST" : "GET", post ? c->post : c->get))
        return;
    const char *why = f.kind == FAULT_NONE ? "libcurl does not take the request" : f.text;
    ca_queue_halt(&c->queue, FAULT_CONFIG, why, HINT);
    settle(c, x, CA_WAIT, why);
}

/* --- in --- */

static void keep_nonce(struct ca_acme *c, struct exchange *x, bool *has)
{
    struct curl_header *h = NULL;
    *has = curl_easy_header(x->t.easy, "Replay-Nonce", 0, CURLH_HEADER, -1, &h) == CURLHE_OK &&
           jws_is_base64(str_of(h->value), NONCE_MAX);
    if (*has && c->nonce_count < NONCES)
        snprintf(c->nonces[c->nonce_count++], NONCE_MAX + 1, "%s", h->value);
}

static void keep_retry_after(struct ca_acme *c, const struct exchange *x)
{
    curl_off_t seconds = 0;
    curl_easy_getinfo(x->t.easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0)
        return;
    struct utc until = c->door.now(c->door.clock);
    until.s += seconds < RETRY_AFTER_MAX ? (int64_t)seconds : RETRY_AFTER_MAX;
    c->door.away_until = utc_max(c->door.away_until, until);
}

/* What the server said of itself. A setup that fails stops everything; a nonce that fails only its own. */
static void hear_setup(struct ca_acme *c, struct exchange *x, long http, const char *text)
{
    struct fault f = {0};
    struct curl_header *h = NULL;
    bool ok = false;
    if (x->purpose == DIRECTORY) {
        ok = http == 200 && acme_read_directory(buf_str(&x->t.reply), &c->arena, &c->directory, &f);
    } else {
        ok = http == 200 && curl_easy_header(x->t.easy, "Location", 0, CURLH_HEADER, -1, &h) == CURLHE_OK &&
             strlen(h->value) < 1000 && strpbrk(h->value, "\"\\ ") == NULL;
        c->kid = ok ? arena_text(&c->arena, h->value) : NULL;
    }
    if (!ok)
        ca_queue_halt(&c->queue, http >= 500 || http == 429 ? FAULT_UNAVAILABLE : FAULT_CONFIG,
                      f.kind == FAULT_NONE ? text : f.text, HINT);
    settle(c, x, CA_WAIT, "");
}

static void watch(struct ca_acme *c, enum backend_meaning meaning, const char *text)
{
    c->silent = meaning == BACKEND_ASK ? c->silent + 1 : 0;
    if (meaning == BACKEND_STOP)
        ca_queue_halt(&c->queue, FAULT_CONFIG, text, HINT);
    else if (meaning == BACKEND_WAIT || c->silent >= c->exchange_count)
        ca_queue_halt(&c->queue, FAULT_UNAVAILABLE, text, HINT);
}

static const enum ca_outcome outcomes[BACKEND_MEANING_COUNT] = {
    [BACKEND_REVOKED] = CA_REVOKED_NOW,
    [BACKEND_BEFORE] = CA_REVOKED_BEFORE,
    [BACKEND_UNKNOWN] = CA_UNKNOWN,
    [BACKEND_WAIT] = CA_WAIT,
    [BACKEND_ASK] = CA_ASK,
    [BACKEND_STOP] = CA_WAIT,
    [BACKEND_PERSON] = CA_PERSON,
    [BACKEND_NOT_REVOKED] = CA_ASK,
};

static void hear_revoke(struct ca_acme *c, struct exchange *x, long http, bool has_nonce, const char *text)
{
    struct acme_verdict v = acme_judge(http, buf_str(&x->t.reply), has_nonce);
    if (v.again && ++x->tries < ACME_TRIES) {
        go(c, x, REVOKE);
        return;
    }
    if (v.who && x->own != NULL) /* its own key is refused: that says nothing of other certificates */
        v.meaning = BACKEND_PERSON;
    if (v.meaning > BACKEND_UNKNOWN)
        keep_retry_after(c, x);
    watch(c, v.meaning, text);
    settle(c, x, outcomes[v.meaning], v.meaning <= BACKEND_NOT_REVOKED ? "" : text);
}

/* A nonce alone proves nothing about the request it is for: without one it has not left. */
static void hear_nonce(struct ca_acme *c, struct exchange *x, bool has_nonce, const char *text)
{
    if (has_nonce) {
        go(c, x, x->setup ? ACCOUNT : REVOKE);
        return;
    }
    ca_queue_halt(&c->queue, FAULT_UNAVAILABLE, text, HINT);
    settle(c, x, CA_WAIT, text);
}

static void hear_failure(struct ca_acme *c, struct exchange *x, CURLcode rc)
{
    char text[400];
    bool open = x->purpose == REVOKE && x->t.begun;
    if (x->t.withheld) {
        ca_queue_withheld(&c->queue, x->t.item.number);
        release(c, x);
        return;
    }
    snprintf(text, sizeof text, "%s%s: %.250s", x->t.begun ? "" : "not sent: ",
             x->t.too_large ? "an answer larger than allowed" : curl_easy_strerror(rc), x->t.error);
    if (open)
        watch(c, BACKEND_ASK, text);
    else
        ca_queue_halt(&c->queue, FAULT_UNAVAILABLE, text, HINT);
    settle(c, x, open ? CA_ASK : CA_WAIT, text);
}

static void hear(struct ca_acme *c, struct exchange *x, CURLcode rc)
{
    char text[400];
    long http = 0;
    bool has_nonce;
    if (rc != CURLE_OK) {
        hear_failure(c, x, rc);
        return;
    }
    curl_easy_getinfo(x->t.easy, CURLINFO_RESPONSE_CODE, &http);
    snprintf(text, sizeof text, "HTTP %ld: %.300s", http, x->t.reply.p == NULL ? "" : x->t.reply.p);
    keep_nonce(c, x, &has_nonce);
    bool again = x->purpose == ACCOUNT && acme_judge(http, buf_str(&x->t.reply), has_nonce).again;
    if (again && ++x->tries < ACME_TRIES)
        go(c, x, ACCOUNT);
    else if (x->purpose == NONCE)
        hear_nonce(c, x, has_nonce, text);
    else if (x->purpose == REVOKE)
        hear_revoke(c, x, http, has_nonce, text);
    else
        hear_setup(c, x, http, text);
}

static void reap(struct ca_acme *c)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->events.multi, &left)) != NULL;) {
        char *mine = NULL;
        CURL *easy = m->easy_handle;
        CURLcode rc = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &mine);
        curl_multi_remove_handle(c->events.multi, easy);
        hear(c, (struct exchange *)(void *)mine, rc);
    }
}

/* --- one step --- */

static struct exchange *take_idle(struct ca_acme *c)
{
    struct exchange *x = c->idle[--c->idle_count];
    x->tries = 0;
    x->setup = false;
    return x;
}

/* What must be known before the first certificate; true when all is. */
static bool set_up(struct ca_acme *c)
{
    bool ready = c->directory.revoke != NULL && (c->account == NULL || c->kid != NULL);
    if (ready || c->setting_up)
        return ready;
    struct exchange *x = take_idle(c);
    x->setup = c->setting_up = true;
    go(c, x, c->directory.revoke == NULL ? DIRECTORY : ACCOUNT);
    return false;
}

static const char *find_certificate(struct ca_acme *c, struct exchange *x)
{
    const char *file = c->door.certificate == NULL
                           ? NULL
                           : c->door.certificate(c->door.certificate_context, x->t.item.number);
    const struct issuer *issuer = &c->issuers[x->t.item.issuer - c->queue.first_issuer];
    if (file != NULL && file[0] != '\0' && c->http.certificates_dir != NULL)
        file = file_join(&x->arena, c->http.certificates_dir, file);
    const char *why = acme_certificate_read(file, &x->t.item.serial, issuer, &x->arena, &x->cert);
    if (why == NULL && acme_certificate_key(c->http.keys_dir, &x->cert, &x->arena, &x->own, &why) &&
        x->own == NULL && c->account == NULL)
        why = "keys_dir has no key of this certificate, and there is no account_key_file";
    return why;
}

static void begin(struct ca_acme *c)
{
    struct exchange *x = take_idle(c);
    x->t.item = c->queue.jobs[c->queue.next++].item;
    c->queue.under_way++;
    unsigned code = (unsigned)x->t.item.reason;
    const char *why = code > REASON_AA_COMPROMISE || (c->door.facts.reasons >> code & 1) == 0
                          ? "the server does not take this reason"
                          : find_certificate(c, x);
    if (why != NULL)
        settle(c, x, CA_PERSON, why);
    else
        go(c, x, REVOKE);
}

static void begin_all(struct ca_acme *c)
{
    if (ca_queue_peek(&c->queue) != NULL && c->door.now(c->door.clock).s < c->door.away_until.s)
        ca_queue_halt(&c->queue, FAULT_UNAVAILABLE, "it asked to be left alone for a while (Retry-After)",
                      HINT);
    while (ca_queue_peek(&c->queue) != NULL && c->idle_count > 0 && set_up(c))
        begin(c);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct ca_acme *c = self(d);
    begin_all(c);
    bool ok = curl_events_run(&c->events, f);
    reap(c);
    begin_all(c);
    bool more = ca_queue_peek(&c->queue) != NULL && c->idle_count > 0 && !c->setting_up;
    if (more)
        curl_events_wake(&c->events);
    else
        curl_events_arm(&c->events, -1);
    return ca_queue_end_step(&c->queue, busy, f) && ok;
}

static bool no_publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    (void)d, (void)issuer, (void)now;
    return fault_set(f, FAULT_REFUSED, "an ACME server signs its CRLs by itself");
}

/* The directory is read and the account found, as before the first certificate. */
static bool probe(struct ca_door *d, struct ca_probe *out, struct fault *f)
{
    struct ca_acme *c = self(d);
    bool ok = transfer_probe(&c->http, NULL, out, f), busy;
    while (ok && !set_up(c)) {
        ca_wait(d, 100);
        ok = step(d, &busy, f);
    }
    out->lets_us = c->account != NULL;
    snprintf(out->text, sizeof out->text,
             c->account == NULL ? "its directory is read" : "it knows the account");
    return ok;
}

/* --- opening --- */

static void close_door(struct ca_door *d)
{
    struct ca_acme *c = self(d);
    for (size_t i = 0; i < c->exchange_count; i++) {
        struct exchange *x = &c->exchanges[i];
        curl_multi_remove_handle(c->events.multi, x->t.easy);
        transfer_close(&x->t);
        key_release(x->own);
        arena_free(&x->arena);
    }
    curl_events_close(&c->events);
    curl_slist_free_all(c->post);
    curl_slist_free_all(c->get);
    for (size_t i = 0; i < c->queue.issuer_count && c->issuers != NULL; i++)
        issuer_release(&c->issuers[i]);
    key_release(c->account);
    ca_queue_free(&c->queue);
    arena_free(&c->arena);
    free(c);
}

static const struct ca_door_ops ops = {
    .revoke = queue_revoke, .status = queue_status, .step = step, .publish = no_publish, .close = close_door};

static void copy_settings(struct ca_acme *c, const struct settings_http *s)
{
    struct arena *a = &c->arena;
    c->http = (struct settings_http){.url = arena_text(a, s->url),
                                     .ca_file = arena_text(a, s->ca_file),
                                     .account_key_file = arena_text(a, s->account_key_file),
                                     .keys_dir = arena_text(a, s->keys_dir),
                                     .certificates_dir = arena_text(a, s->certificates_dir),
                                     .timeout = s->timeout};
    c->kid = arena_text(a, s->account_url);
}

static bool load_keys(struct ca_acme *c, const struct settings_ca *ca, struct fault *f)
{
    if (c->http.ca_file != NULL && access(c->http.ca_file, R_OK) != 0)
        return fault_set(f, FAULT_CONFIG, "%s: can't be read", c->http.ca_file);
    if (c->http.account_key_file != NULL && !key_load(c->http.account_key_file, NULL, &c->account, f))
        return false;
    if (c->account != NULL && jws_algorithm(c->account) == NULL)
        return fault_set(f, FAULT_CONFIG, "%s: no EC or RSA key that can sign for ACME",
                         c->http.account_key_file);
    c->issuers = arena_array(&c->arena, ca->issuer_count, sizeof *c->issuers);
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (!issuer_load(ca->issuers[i].certificate_file, &c->arena, &c->issuers[i], f))
            return false;
    return true;
}

static bool make_exchanges(struct ca_acme *c, size_t count, struct fault *f)
{
    if (!curl_events_open(&c->events, (long)count, false, f))
        return false;
    c->exchanges = arena_array(&c->arena, count, sizeof *c->exchanges);
    c->idle = arena_array(&c->arena, count, sizeof(struct exchange *));
    while (c->exchange_count < count) {
        struct exchange *x = &c->exchanges[c->exchange_count++];
        c->idle[c->idle_count++] = x;
        if (!transfer_open(&x->t, &c->http, f))
            return false;
    }
    c->post = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/jose+json"), "Expect:");
    return c->post != NULL || fault_set(f, FAULT_FAILED, "libcurl does not take a header");
}

bool ca_acme_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f)
{
    (void)a;
    /* what BR 7.2.2 permits; what the server refuses of it stops the campaign at its first certificate */
    unsigned reasons = 0;
    for (int code = 0; code <= REASON_AA_COMPROMISE && ca->http.reason_count == 0; code++)
        reasons |= (reason_is_permitted(code) ? 1U : 0U) << code;
    for (size_t i = 0; i < ca->http.reason_count; i++) {
        int code = reason_from_name(str_of(ca->http.reasons[i]));
        if (code < 0)
            return fault_set(f, FAULT_CONFIG, "CA %s: reasons: '%.40s' is no reason of RFC 5280", ca->name,
                             ca->http.reasons[i]);
        reasons |= 1U << code;
    }
    *out = (struct ca_facts){.name = "acme",
                             .keeps_first_date = true,
                             .needs_certificate = true,
                             .quiet = QUIET,
                             .rate = ca->rate,
                             .reasons = reasons,
                             .window = ca->concurrency > 0 ? (size_t)ca->concurrency : CONCURRENCY};
    return true;
}

bool ca_acme_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                  struct ca_door **out, struct fault *f)
{
    struct ca_acme *c = arena_grow(NULL, sizeof *c);
    *c = (struct ca_acme){0};
    c->door = (struct ca_door){
        .ops = &ops, .probe = probe, .fd = -1, .now = clock.now, .clock = clock.self, .away_until = UTC_NONE};
    c->queue = (struct ca_queue){.door = &c->door,
                                 .where = arena_format(&c->arena, "CA %s at %s", ca->name, ca->http.url),
                                 .first_issuer = first_issuer,
                                 .issuer_count = ca->issuer_count};
    copy_settings(c, &ca->http);
    bool ok = ca_acme_describe(ca, &c->arena, &c->door.facts, f) && load_keys(c, ca, f) &&
              make_exchanges(c, c->door.facts.window, f);
    c->door.fd = c->events.epoll;
    if (ok)
        *out = &c->door;
    else
        close_door(&c->door);
    return ok;
}
