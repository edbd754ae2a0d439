#include "massrevoke/ca_http.h"
#include "ca_http_publish.h"
#include "ca_http_transfer.h"
#include "ca_http_wire.h"
#include "ca_queue.h"
#include "ca_record_crl.h"
#include "curl_events.h"
#include "http_token.h"
#include "issuer_names.h"
#include "massrevoke/file.h"
#include "record_ask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define RETRY_AFTER_MAX 3600 /* seconds */
#define SKEW INT64_C(60)     /* seconds that the CA's clock may be behind ours */
#define TOKEN_MAX ((size_t)16384)
#define CANT_MAKE "the request can't be made"

/* The headers of one kind of request: for libcurl, and as they go by wire. */
struct head {
    struct curl_slist *lines;
    struct buf wire;
};

struct ca_http {
    struct ca_door door; /* first: the contract's handle is a pointer to it */
    struct arena arena;
    struct settings_http http;
    struct backend backend;
    struct issuer_name *names;
    struct ca_queue queue;
    struct curl_events events;
    struct http_token token;
    struct ca_record_crl *crl;       /* NULL: we sign none */
    struct ca_http_publish *publish; /* NULL: its CRLs are not asked for over HTTP */
    struct record_ask *record;       /* NULL: the status is asked over HTTP, or not at all */
    struct transfer *transfers;
    struct transfer **idle; /* those that are not under way */
    size_t transfer_count;
    struct wires wires; /* host empty: libcurl transfers */
    struct head revoke_head, status_head, side_head;
    size_t silent; /* requests in a row without a clear answer */
};

static struct ca_http *self(struct ca_door *d)
{
    return (struct ca_http *)d;
}

static size_t transfers_under_way(const struct ca_http *c)
{
    return c->queue.under_way - record_ask_pending(c->record);
}

static size_t idle_count(const struct ca_http *c)
{
    return c->transfer_count - transfers_under_way(c);
}

/* --- the queue --- */

static bool add_header(struct curl_slist **list, const char *line, struct fault *f)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return fault_set(f, FAULT_FAILED, "libcurl does not take a header");
    *list = longer;
    return true;
}

/* The token file's one line; what it holds is never printed. */
static bool read_token(struct ca_http *c, struct arena *a, const char **token, struct fault *f)
{
    struct str bytes;
    if (!file_read(c->http.token_file, TOKEN_MAX, a, &bytes, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    struct str line = str_trim(bytes);
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ' || (unsigned char)line.p[i] >= 0x7f)
            return fault_set(f, FAULT_CONFIG, "%s: a token is one line of printable ASCII",
                             c->http.token_file);
    if (line.n == 0)
        return fault_set(f, FAULT_CONFIG, "%s: is empty", c->http.token_file);
    *token = arena_copy(a, line.p, line.n);
    return true;
}

static bool make_headers(struct ca_http *c, const struct backend_request *r, struct curl_slist **out,
                         struct fault *f)
{
    AUTO_ARENA a = {0};
    bool typed = false;
    const char *token = NULL;
    curl_slist_free_all(*out);
    *out = NULL;
    for (size_t i = 0; i < r->header_count; i++) {
        typed = typed || strncasecmp(r->headers[i], "content-type:", 13) == 0;
        if (!add_header(out, r->headers[i], f))
            return false;
    }
    /* waiting for 100 Continue costs a round trip; a form is never what is sent */
    if (!add_header(out, "Expect:", f) || (!typed && !add_header(out, "Content-Type:", f)))
        return false;
    if (c->backend.token_header == NULL || c->http.token_file == NULL)
        return true;
    return read_token(c, &a, &token, f) &&
           add_header(out, arena_format(&a, "%s: %s", c->backend.token_header, token), f);
}

static bool make_head(struct ca_http *c, const struct backend_request *r, struct head *out, struct fault *f)
{
    if (!make_headers(c, r, &out->lines, f))
        return false;
    wires_head(&c->wires, out->lines, &out->wire);
    return true;
}

static bool queue(struct ca_http *c, const struct ca_item *items, size_t count, bool ask, struct fault *f)
{
    bool anew = c->queue.next == c->queue.count && transfers_under_way(c) == 0;
    c->silent = anew ? 0 : c->silent;
    if (anew && (!make_head(c, &c->backend.revoke, &c->revoke_head, f) ||
                 !make_head(c, &c->backend.status, &c->status_head, f) ||
                 !make_head(c, &c->backend.prepare, &c->side_head, f)))
        return false;
    curl_events_wake(&c->events);
    return ca_queue_add(&c->queue, items, count, ask, f);
}

static bool queue_revoke(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    return queue(self(d), items, count, false, f);
}

static bool queue_status(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    struct ca_http *c = self(d);
    if (!d->facts.tells_status)
        return fault_set(f, FAULT_REFUSED, "backend %s tells no status", c->backend.name);
    if (c->record == NULL)
        return queue(c, items, count, true, f);
    curl_events_wake(&c->events);
    return record_ask_add(c->record, items, count, f);
}

/* --- answers --- */

static void halt(struct ca_http *c, enum fault_kind kind, const char *why)
{
    ca_queue_halt(&c->queue, kind, why,
                  "check this CA's url, token_file, client certificate, record_conninfo and profile");
}

/* The outcome of each meaning. */
static const enum ca_outcome outcomes[BACKEND_MEANING_COUNT] = {
    [BACKEND_REVOKED] = CA_REVOKED_NOW,
    [BACKEND_BEFORE] = CA_REVOKED_BEFORE,
    [BACKEND_NOT_REVOKED] = CA_NOT_REVOKED,
    [BACKEND_UNKNOWN] = CA_UNKNOWN,
    [BACKEND_WAIT] = CA_WAIT,
    [BACKEND_ASK] = CA_ASK,
    [BACKEND_STOP] = CA_WAIT,
    [BACKEND_PERSON] = CA_PERSON,
};

/* What the last answer tells about the backend as a whole. */
static void watch(struct ca_http *c, enum backend_meaning meaning, const char *text)
{
    c->silent = meaning == BACKEND_ASK ? c->silent + 1 : 0;
    if (meaning == BACKEND_STOP)
        halt(c, FAULT_CONFIG, text);
    else if (meaning == BACKEND_WAIT || c->silent >= c->transfer_count)
        halt(c, FAULT_UNAVAILABLE, text);
}

static void keep_retry_after(struct ca_http *c, const struct transfer *t)
{
    if (t->retry_after <= 0)
        return;
    struct utc until = c->door.now(c->door.clock);
    until.s += t->retry_after < RETRY_AFTER_MAX ? t->retry_after : RETRY_AFTER_MAX;
    c->door.away_until = utc_max(c->door.away_until, until);
}

static const struct backend_request *request_of(const struct ca_http *c, const struct transfer *t)
{
    return t->ask ? &c->backend.status : t->preparing ? &c->backend.prepare : &c->backend.revoke;
}

/* Does a request to revoke this one name the date of the entry? */
static bool names_date(const struct ca_http *c, const struct ca_item *item)
{
    return c->door.facts.takes_date && ca_item_is_dated(item);
}

/* Hands what is written to the wire or to libcurl. */
static bool hand_over(struct ca_http *c, struct transfer *t)
{
    const struct head *head = t->ask ? &c->status_head : t->preparing ? &c->side_head : &c->revoke_head;
    const char *method = request_of(c, t)->method;
    size_t index = (size_t)(t - c->transfers);
    t->gate = t->ask || t->preparing ? NULL : &c->door;
    if (c->wires.host.n == 0)
        return wires_yield(&c->wires, index) && transfer_send(t, c->events.multi, method, head->lines);
    return wires_send(&c->wires, index, method, buf_str(&head->wire));
}

/* Writes and begins the transfer's request. */
static bool send_request(struct ca_http *c, struct transfer *t, const char *prepared)
{
    const struct issuer_name *name = &c->names[t->item.issuer - c->queue.first_issuer];
    AUTO_BUF token = {0};
    AUTO_BUF subject = {0};
    AUTO_BUF audience = {0};
    char date[UTC_TEXT];
    bool dated = !t->ask && !t->preparing && names_date(c, &t->item);
    struct fault f;
    struct backend_values values = {.serial = &t->item.serial,
                                    .aki = name->aki,
                                    .issuer_name = name->name,
                                    .reason_name = t->ask ? "" : c->backend.words[t->item.reason],
                                    .reason_code = (int)t->item.reason,
                                    .prepared = prepared,
                                    .date = dated ? utc_format(t->item.date, date) : NULL};
    if (c->backend.signs_token && !t->ask && !t->preparing) {
        buf_text(&audience, c->http.url);
        backend_expand(dated ? &c->backend.revoke.dated_path : &c->backend.revoke.path, &values, &audience);
        backend_expand(&c->backend.token_subject, &values, &subject);
        if (!http_token_make(&c->token, audience.p, subject.p, t->since, &token, &f))
            return false;
        values.token = token.p;
    }
    transfer_write(t, c->wires.host.n > 0 ? c->wires.path : c->http.url, request_of(c, t), &values);
    return hand_over(c, t);
}

/* The request that was prepared for; false when the answer holds nothing for it, or it can't be made. */
static bool go_on(struct ca_http *c, struct transfer *t)
{
    AUTO_BUF prepared = {0};
    if (!backend_taken(&c->backend, buf_str(&t->reply), &prepared))
        return false;
    t->preparing = false;
    t->since = c->door.now(c->door.clock);
    if (send_request(c, t, prepared.p))
        return true;
    t->preparing = true;
    halt(c, FAULT_CONFIG, CANT_MAKE);
    return false;
}

/* In words for people. */
static void describe_end(const struct transfer *t, CURLcode rc, char *text, size_t room)
{
    if (rc == CURLE_OK)
        snprintf(text, room, "HTTP %ld: %.300s", t->http, t->reply.p == NULL ? "" : t->reply.p);
    else
        snprintf(text, room, "%s%s: %.250s", t->begun ? "" : "not sent: ",
                 t->too_large ? "an answer larger than allowed" : curl_easy_strerror(rc), t->error);
}

/* A transfer that is over becomes one answer, or goes on to what it prepared; false then. */
static bool settle(struct ca_http *c, struct transfer *t, CURLcode rc)
{
    struct backend_verdict v = {
        .meaning = t->begun ? BACKEND_ASK : BACKEND_WAIT, .at = UTC_NONE, .reason = -1};
    char text[400] = "";
    if (t->withheld) {
        ca_queue_withheld(&c->queue, t->item.number);
        return true;
    }
    if (rc == CURLE_OK)
        v = backend_judge(&c->backend, request_of(c, t), t->http, buf_str(&t->reply));
    if (t->preparing && v.meaning == BACKEND_REVOKED && go_on(c, t))
        return false;
    if (t->preparing && (v.meaning == BACKEND_REVOKED || v.meaning == BACKEND_ASK))
        v.meaning = BACKEND_WAIT; /* nothing was executed, whatever that was */
    bool as_named = names_date(c, &t->item) && v.at.s == t->item.date.s;
    if (v.meaning == BACKEND_REVOKED && utc_is_set(v.at) && v.at.s < t->since.s - SKEW && !as_named)
        v.meaning = BACKEND_BEFORE;
    bool clear = v.meaning <= BACKEND_NOT_REVOKED;
    if (!clear) {
        keep_retry_after(c, t);
        describe_end(t, rc, text, sizeof text);
    }
    watch(c, v.meaning, text);
    ca_queue_answer(&c->queue, t->item.number, outcomes[v.meaning], v.at, v.reason, text);
    return true;
}

/* A request that went by wire is over. */
static void over(void *context, struct transfer *t, CURLcode rc)
{
    struct ca_http *c = context;
    if (!settle(c, t, rc))
        return;
    c->idle[idle_count(c)] = t;
    c->queue.under_way--;
}

static void reap(struct ca_http *c)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->events.multi, &left)) != NULL;) {
        char *mine = NULL;
        CURL *easy = m->easy_handle;
        CURLcode rc = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &mine);
        struct transfer *t = (struct transfer *)(void *)mine;
        size_t index = (size_t)(t - c->transfers);
        if (wires_is_connecting(&c->wires, index)) {
            wires_connected(&c->wires, index, rc);
            continue;
        }
        transfer_over(t);
        curl_multi_remove_handle(c->events.multi, easy);
        over(c, t, rc);
    }
}

/* --- one step --- */

/* Begins one; what needs no request is answered at once. */
static void begin(struct ca_http *c, const struct ca_job *job)
{
    unsigned code = (unsigned)job->item.reason;
    if (!job->ask && (code >= BACKEND_REASONS || c->backend.words[code] == NULL)) {
        ca_queue_answer(&c->queue, job->item.number, CA_PERSON, UTC_NONE, -1,
                        "the CA's interface can't express this reason");
        return;
    }
    struct transfer *t = c->idle[idle_count(c) - 1];
    t->item = job->item;
    t->ask = job->ask;
    t->preparing = !job->ask && c->backend.prepare.method != NULL;
    t->since = c->door.now(c->door.clock);
    if (send_request(c, t, NULL)) {
        c->queue.under_way++;
        return;
    }
    halt(c, FAULT_CONFIG, CANT_MAKE);
    ca_queue_answer(&c->queue, job->item.number, CA_WAIT, UTC_NONE, -1, "not sent: " CANT_MAKE);
}

/* A descriptor that libcurl does not watch: the database's stands behind those of the wires. */
static void ready(void *context, uint32_t index)
{
    struct ca_http *c = context;
    if (index == c->transfer_count)
        record_ask_step(c->record);
    else
        wires_ready(&c->wires, index);
}

/* Begins as many as may run at a time. */
static void begin_all(struct ca_http *c)
{
    const struct ca_job *next = ca_queue_peek(&c->queue);
    if (next != NULL && c->door.now(c->door.clock).s < c->door.away_until.s)
        halt(c, FAULT_UNAVAILABLE, "it asked to be left alone for a while (Retry-After)");
    while ((next = ca_queue_peek(&c->queue)) != NULL && idle_count(c) > 0) {
        struct ca_job job = *next; /* a copy: delivering may queue */
        c->queue.next++;
        begin(c, &job);
    }
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct ca_http *c = self(d);
    struct fault why = {0};
    begin_all(c);
    bool ok = curl_events_run(&c->events, f);
    reap(c);
    wires_expire(&c->wires);
    begin_all(c);
    record_ask_give_back(c->record);
    bool good = ca_queue_end_step(&c->queue, busy, ok ? f : &why);
    if (ca_queue_peek(&c->queue) != NULL && idle_count(c) > 0)
        curl_events_wake(&c->events);
    else
        curl_events_arm(&c->events, wires_wait(&c->wires));
    return ok && good;
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct ca_http *c = self(d);
    size_t index = (size_t)(issuer - c->queue.first_issuer);
    bool done = false;
    d->publishing = false;
    if (issuer < c->queue.first_issuer || index >= c->queue.issuer_count)
        return fault_set(f, FAULT_REFUSED, "issuer %u is not of the CA at %s", issuer, c->http.url);
    const struct issuer_name *name = &c->names[index];
    if (c->crl != NULL) {
        bool placed = ca_record_crl_publish(c->crl, index, name->aki, now, &done, f);
        d->publishing = placed && !done;
        return placed;
    }
    if (c->backend.publish.method == NULL)
        return fault_set(f, FAULT_REFUSED, "backend %s signs its CRLs by itself", c->backend.name);
    struct backend_values values = {.aki = name->aki, .issuer_name = name->name};
    struct curl_slist *headers = NULL;
    if (!ca_http_publish_waits(c->publish, index)) {
        if (!make_headers(c, &c->backend.publish, &headers, f)) {
            curl_slist_free_all(headers);
            return false;
        }
        if (!ca_http_publish_begin(c->publish, index, &values, headers, f))
            return false;
    }
    bool ok = ca_http_publish_end(c->publish, index, &done, f);
    d->publishing = ok && !done;
    return ok;
}

/* --- opening --- */

static void close_door(struct ca_door *d)
{
    struct ca_http *c = self(d);
    struct head *const heads[] = {&c->revoke_head, &c->status_head, &c->side_head};
    wires_close(&c->wires);
    for (size_t i = 0; i < c->transfer_count; i++) {
        curl_multi_remove_handle(c->events.multi, c->transfers[i].easy);
        transfer_close(&c->transfers[i]);
    }
    curl_events_close(&c->events);
    record_ask_close(c->record);
    ca_record_crl_close(c->crl);
    ca_http_publish_close(c->publish);
    http_token_close(&c->token);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        curl_slist_free_all(heads[i]->lines);
        buf_free(&heads[i]->wire);
    }
    arena_free(&c->arena);
    ca_queue_free(&c->queue);
    free(c);
}

static void copy_settings(struct ca_http *c, const struct settings_http *s)
{
    struct arena *a = &c->arena;
    c->http = (struct settings_http){
        .profile = arena_text(a, s->profile),
        .plans_dir = arena_text(a, s->plans_dir),
        .url = arena_text(a, s->url),
        .token_file = arena_text(a, s->token_file),
        .ca_file = arena_text(a, s->ca_file),
        .client_certificate_file = arena_text(a, s->client_certificate_file),
        .client_key_file = arena_text(a, s->client_key_file),
        .authority_key = arena_text(a, s->authority_key),
        .record_conninfo = arena_text(a, s->record_conninfo),
        .token_key_file = arena_text(a, s->token_key_file),
        .token_issuer = arena_text(a, s->token_issuer),
        .token_key_id = arena_text(a, s->token_key_id),
        .timeout = s->timeout,
        .connections = s->connections,
    };
}

/* libcurl would find out at the first request only. */
static bool check_files(const struct ca_http *c, struct fault *f)
{
    const struct settings_http *s = &c->http;
    const char *const paths[] = {s->ca_file, s->client_certificate_file, s->client_key_file, s->token_file};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] != NULL && access(paths[i], R_OK) != 0)
            return fault_set(f, FAULT_CONFIG, "%s: can't be read", paths[i]);
    if (s->token_file != NULL && c->backend.token_header == NULL)
        return fault_set(f, FAULT_CONFIG, "%s: backend %s takes no token", s->token_file, c->backend.name);
    if (s->record_conninfo != NULL && c->backend.record.query == NULL)
        return fault_set(f, FAULT_CONFIG, "CA at %s: backend %s knows no database to ask (record_conninfo)",
                         s->url, c->backend.name);
    if (c->backend.signs_token != (s->token_key_file != NULL))
        return fault_set(f, FAULT_CONFIG, "CA at %s: backend %s %s", s->url, c->backend.name,
                         c->backend.signs_token ? "signs a token for each request: it needs a token_key_file"
                                                : "signs no tokens (token_key_file)");
    if (s->token_file == NULL && c->backend.token_header != NULL)
        return fault_set(f, FAULT_CONFIG, "CA at %s: backend %s needs a token_file", s->url, c->backend.name);
    return true;
}

static bool make_transfers(struct ca_http *c, size_t count, struct fault *f)
{
    bool shared = c->http.connections > 0;
    if (!curl_events_open(&c->events, shared ? c->http.connections : (long)count, shared, f))
        return false;
    c->transfers = arena_array(&c->arena, count, sizeof *c->transfers);
    c->idle = arena_array(&c->arena, count, sizeof(struct transfer *));
    while (c->transfer_count < count) {
        struct transfer *t = &c->transfers[c->transfer_count++];
        c->idle[c->transfer_count - 1] = t;
        if (!transfer_open(t, &c->http, f))
            return false;
    }
    c->events.ready = ready;
    c->events.context = c;
    c->wires = (struct wires){.events = &c->events, .over = over, .context = c};
    wires_open(&c->wires, &c->http, &c->backend, &c->arena, c->transfers, count);
    return true;
}

static bool open_record(struct ca_http *c, struct fault *f)
{
    c->record = record_ask_open(c->http.record_conninfo, &c->backend.record, c->names, &c->queue, f);
    if (c->record != NULL)
        curl_events_watch(&c->events, record_ask_fd(c->record), (uint32_t)c->transfer_count, false);
    return c->record != NULL;
}

static bool describe(const struct settings_ca *ca, struct arena *a, struct backend *how, struct ca_facts *out,
                     struct fault *f)
{
    if (!backend_read(ca->http.plans_dir, ca->http.profile, a, how, f))
        return false;
    bool record = ca->http.record_conninfo != NULL;
    struct rate rate = ca->rate;
    for (size_t i = 0; i < how->window_count; i++)
        rate = rate_slower(rate, how->windows[i]);
    *out = (struct ca_facts){.name = how->name,
                             .takes_date = how->revoke.dated_path.count > 0,
                             .keeps_first_date = how->keeps_first_date,
                             .tells_status = how->status.method != NULL || record,
                             .counts_questions = !record,
                             .prepares = how->prepare.method != NULL,
                             .can_publish = ca_record_crl_wanted(ca) || how->publish.method != NULL,
                             .trusts_any_serial = !how->tells_unknown,
                             .quiet = how->quiet,
                             .rate = rate,
                             .reasons = backend_reasons(how->words),
                             .window = (size_t)(ca->concurrency > 0 ? ca->concurrency : how->concurrency),
                             .window_count = how->window_count};
    memcpy(out->windows, how->windows, sizeof out->windows);
    return true;
}

bool ca_http_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f)
{
    struct backend how;
    return describe(ca, a, &how, out, f);
}

static bool probe(struct ca_door *d, struct ca_probe *out, struct fault *f)
{
    struct ca_http *c = self(d);
    struct curl_slist *headers = NULL;
    bool ok = make_headers(c, &c->backend.revoke, &headers, f) && transfer_probe(&c->http, headers, out, f);
    curl_slist_free_all(headers);
    return ok;
}

static const struct ca_door_ops ops = {
    .revoke = queue_revoke, .status = queue_status, .step = step, .publish = publish, .close = close_door};

bool ca_http_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                  struct ca_door **out, struct fault *f)
{
    struct ca_http *c = arena_grow(NULL, sizeof *c);
    *c = (struct ca_http){0};
    c->door = (struct ca_door){
        .ops = &ops, .probe = probe, .fd = -1, .now = clock.now, .clock = clock.self, .away_until = UTC_NONE};
    copy_settings(c, &ca->http);
    c->queue = (struct ca_queue){.door = &c->door,
                                 .where = arena_format(&c->arena, "CA at %s", c->http.url),
                                 .first_issuer = first_issuer,
                                 .issuer_count = ca->issuer_count};
    bool ok = describe(ca, &c->arena, &c->backend, &c->door.facts, f) &&
              issuer_names_load(ca, c->backend.uses_issuer_name, c->backend.name, &c->arena, &c->names, f) &&
              http_token_open(&c->http, &c->arena, &c->token, f) && check_files(c, f) &&
              make_transfers(c, (size_t)(ca->concurrency > 0 ? ca->concurrency : c->backend.concurrency), f);
    if (ok && ca_record_crl_wanted(ca))
        ok = ca_record_crl_open(ca, &c->backend.record, &c->arena, &c->crl, f);
    if (ok && c->backend.publish.method != NULL) {
        c->publish = ca_http_publish_open(&c->http, &c->backend, ca->issuer_count);
        ok = c->publish != NULL || fault_set(f, FAULT_FAILED, "libcurl does not start");
    }
    ok = ok && (c->http.record_conninfo == NULL || open_record(c, f));
    c->door.facts.window = c->transfer_count;
    c->door.fd = c->events.epoll;
    if (ok)
        *out = &c->door;
    else
        close_door(&c->door);
    return ok;
}
