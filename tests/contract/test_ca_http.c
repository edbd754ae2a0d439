/* What the list of all doors (test_ca_products) does not ask of the http door: the bytes of a request, once
 * and never twice, odd answers of every kind, silence, many at a time. What each product answers is replayed
 * in test_ca_replay. The CA here is made up; the real cfssl is in tests/service. */
#include "../lib/fake_http.h"
#include "../lib/stock.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"
#include "massrevoke/hex.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST_ISSUER 3
#define ISSUED 40
#define NOW INT64_C(1795357316)
#define MOST 3000

static char folder[STOCK_PATH];
static char ca_pem[STOCK_PATH + 32], careful[STOCK_PATH + 32], token[STOCK_PATH + 32];
static char server_pem[STOCK_PATH + 32], server_key[STOCK_PATH + 32];
static struct utc clock_value;

static struct utc fixed_now(void *s)
{
    (void)s;
    return clock_value;
}

/* The CA's record. */
struct row {
    bool revoked;
    int64_t at;
    char reason[40];
};

struct world {
    struct fake_http server;
    const char *trusted; /* certificates; NULL: no TLS */
    int connections;
    struct ca_door *door;
    struct row rows[ISSUED];
    fake_handler *odd;                      /* answers instead of the CA when it fills the reply */
    int odd_count;                          /* so many of the next requests; -1: all */
    char line[400], head[2000], body[1000]; /* of the last request */
    struct ca_answer answers[MOST];
    size_t count;
};

static void collect(void *context, const struct ca_answer *answers, size_t count)
{
    struct world *w = context;
    for (size_t i = 0; i < count; i++) {
        assert_true(w->count < MOST);
        w->answers[w->count++] = answers[i];
    }
}

/* --- the CA: cfssl's way of revoking, with a question for the status beside --- */

/* Serials are 0xF001 and so on. */
static int row_of(const char *decimal)
{
    long n = strtol(decimal, NULL, 10) - 0xF001;
    return n >= 0 && n < ISSUED ? (int)n : -1;
}

static void revoke_row(struct row *row, const char *reason)
{
    row->revoked = true;
    row->at = clock_value.s; /* overwritten, as cfssl does */
    snprintf(row->reason, sizeof row->reason, "%s", reason);
}

static void ca(struct world *w, const struct fake_request *q, struct fake_reply *reply)
{
    char serial[60] = "", reason[40] = "", text[200];
    if (sscanf(q->line, "GET /api/status/%50[0-9]", serial) == 1) {
        int at = row_of(serial);
        if (at < 0) {
            fake_answer(reply, 404, "", "{\"error\":\"no such certificate\"}");
            return;
        }
        const struct row *row = &w->rows[at];
        snprintf(text, sizeof text, "{\"revoked\":%s,\"at\":%lld,\"reason\":\"%s\"}",
                 row->revoked ? "true" : "false", (long long)row->at, row->reason);
        fake_answer(reply, 200, "", text);
        return;
    }
    assert_int_equal(
        sscanf(q->body,
               "{\"serial\":\"%50[0-9]\",\"authority_key_id\":\"%*[0-9a-f]\",\"reason\":\"%30[a-z]\"}",
               serial, reason),
        2);
    if (row_of(serial) < 0) {
        fake_answer(
            reply, 400, "",
            "{\"success\":false,\"result\":null,\"errors\":[{\"code\":11200,\"message\":\"certificate "
            "not found\"}],\"messages\":[]}");
        return;
    }
    revoke_row(&w->rows[row_of(serial)], reason);
    fake_answer(reply, 200, "", "{\"success\":true,\"result\":{},\"errors\":[],\"messages\":[]}");
}

static void handle(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    struct world *w = context;
    snprintf(w->line, sizeof w->line, "%s", q->line);
    snprintf(w->head, sizeof w->head, "%s", q->head);
    snprintf(w->body, sizeof w->body, "%s", q->body);
    if (w->odd != NULL && w->odd_count != 0) {
        w->odd_count -= w->odd_count > 0;
        w->odd(w, q, reply);
        return;
    }
    ca(w, q, reply);
}

/* --- making --- */

/* cfssl's profile with a question for the status instead of its database. */
static void write_careful(void)
{
    AUTO_ARENA a = {0};
    struct str bytes;
    struct fault f;
    AUTO_BUF out = {0};
    if (!file_read("plans/backends/cfssl.cfg", 1 << 20, &a, &bytes, &f))
        fail_msg("%s", f.text);
    const char *record = memmem(bytes.p, bytes.n, "record = {", 10);
    assert_non_null(record);
    buf_add(&out, bytes.p, (size_t)(record - bytes.p));
    buf_text(&out, "status = { method = \"GET\"; path = \"/api/status/{serial.decimal}\"; answers = (\n"
                   " { http = 200; json = \"/revoked\"; is = \"false\"; outcome = \"not_revoked\"; },\n"
                   " { http = 200; json = \"/revoked\"; is = \"true\"; outcome = \"revoked_before\";"
                   "   date = \"/at\"; reason = \"/reason\"; },\n"
                   " { http = 404; contains = \"no such\"; outcome = \"unknown\"; } ); };\n");
    stock_write(folder, "careful.cfg", buf_str(&out));
}

static int make(void **state)
{
    (void)state;
    stock_folder(folder);
    if (!stock_ca(folder, 1, 0))
        return 1;
    snprintf(ca_pem, sizeof ca_pem, "%s/ca.pem", folder);
    snprintf(careful, sizeof careful, "%s/careful.cfg", folder);
    snprintf(token, sizeof token, "%s/token", folder);
    snprintf(server_pem, sizeof server_pem, "%s/server.pem", folder);
    snprintf(server_key, sizeof server_key, "%s/server.key", folder);
    if (!stock_server_certificate(folder))
        return 1;
    write_careful();
    stock_write(folder, "token", str_of("s.first\n"));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    stock_remove(folder);
    return 0;
}

static bool open_door(struct world *w, const char *profile, int concurrency, int64_t timeout, struct fault *f)
{
    bool tokened = strcmp(profile, "vault") == 0 || strcmp(profile, "digicert") == 0;
    struct settings_issuer issuer = {.certificate_file = ca_pem, .name = "CN=My CA,O=A/B, Inc.,C=SE"};
    struct settings_ca s = {.name = "t",
                            .backend = "http",
                            .rate = {2000, 1},
                            .concurrency = concurrency,
                            .http = {.profile = profile,
                                     .url = w->server.url,
                                     .ca_file = w->trusted,
                                     .connections = w->connections,
                                     .token_file = tokened ? token : NULL,
                                     .timeout = {timeout}},
                            .issuers = &issuer,
                            .issuer_count = 1};
    if (!ca_http_open(&s, FIRST_ISSUER, (struct clock){.now = fixed_now}, &w->door, f))
        return false;
    w->door->answer = collect;
    w->door->answer_context = w;
    return true;
}

static void must_open(struct world *w, const char *profile, int concurrency, int64_t timeout)
{
    struct fault f;
    ca_close(w->door);
    w->door = NULL;
    if (!open_door(w, profile, concurrency, timeout, &f))
        fail_msg("%s", f.text);
}

static int start(void **state, bool tls)
{
    struct world *w = calloc(1, sizeof *w);
    clock_value.s = NOW;
    w->trusted = tls ? server_pem : NULL;
    if (tls)
        fake_http_start_tls(&w->server, server_pem, server_key, handle, w);
    else
        fake_http_start(&w->server, 0, handle, w);
    must_open(w, careful, 0, 2);
    *state = w;
    return 0;
}

static int begin(void **state)
{
    return start(state, false);
}

static int begin_tls(void **state)
{
    return start(state, true);
}

static int end(void **state)
{
    struct world *w = *state;
    ca_close(w->door);
    fake_http_stop(&w->server);
    free(w);
    return 0;
}

/* --- helpers --- */

static struct ca_item item(int row, enum reason reason)
{
    unsigned value = 0xF001U + (unsigned)row;
    return (struct ca_item){.number = (uint32_t)row,
                            .issuer = FIRST_ISSUER,
                            .serial = {.n = 2, .bytes = {(uint8_t)(value >> 8), (uint8_t)value}},
                            .reason = reason};
}

/* Steps until all is answered; what the last step said. */
static bool settle(struct world *w, struct fault *f)
{
    bool busy = true, ok = true;
    struct pollfd p = {.fd = w->door->fd, .events = POLLIN};
    for (int i = 0; ok && busy; i++) {
        assert_true(i < 20000);
        (void)poll(&p, 1, 10);
        ok = w->door->ops->step(w->door, &busy, f);
    }
    return ok;
}

static bool send_batch(struct world *w, const struct ca_item *items, size_t count, struct fault *f)
{
    w->count = 0;
    return w->door->ops->revoke(w->door, items, count, f) && settle(w, f);
}

static void must_revoke(struct world *w, const struct ca_item *items, size_t count)
{
    struct fault f = {0};
    if (!send_batch(w, items, count, &f))
        fail_msg("%s", f.text);
}

static void must_ask(struct world *w, const struct ca_item *items, size_t count)
{
    struct fault f = {0};
    w->count = 0;
    if (!w->door->ops->status(w->door, items, count, &f) || !settle(w, &f))
        fail_msg("%s", f.text);
}

static size_t how_many(const struct world *w, enum ca_outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        n += w->answers[i].outcome == outcome;
    return n;
}

/* One certificate; the outcome is compared. */
static void expect(struct world *w, int row, enum ca_outcome outcome)
{
    struct fault f = {0};
    struct ca_item one = item(row, REASON_SUPERSEDED);
    (void)!send_batch(w, &one, 1, &f);
    assert_int_equal(w->count, 1);
    if (w->answers[0].outcome != outcome)
        fail_msg("outcome %d instead of %d: %s", w->answers[0].outcome, outcome, w->answers[0].text);
    assert_int_equal(w->answers[0].number, row);
}

/* --- what the kernel takes --- */

static pthread_t sender; /* whose requests go in parts */
static size_t part;      /* octets at a time; 0: as many as the kernel takes */
static int parts;        /* that went */

/* In place of the C library's: every other call of the sender finds the kernel's buffer full. */
ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    if (part > 0 && pthread_equal(pthread_self(), sender)) {
        errno = EAGAIN;
        if (parts++ % 2 == 1)
            return -1;
        n = n < part ? n : part;
    }
    return sendto(fd, bytes, n, flags, NULL, 0);
}

/* Requests that leave in parts arrive whole, once, and are answered. */
static void requests_may_leave_in_parts(void **state)
{
    static const size_t lengths[] = {1, 7, 64};
    struct world *w = *state;
    struct ca_item items[ISSUED];
    for (size_t i = 0; i < ISSUED; i++)
        items[i] = item((int)i, REASON_SUPERSEDED);
    sender = pthread_self();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        must_open(w, careful, 3, 20);
        memset(w->rows, 0, sizeof w->rows);
        int before = w->server.requests;
        parts = 0;
        part = lengths[i];
        must_revoke(w, items, ISSUED);
        part = 0;
        assert_int_equal(how_many(w, CA_REVOKED_NOW), ISSUED);
        assert_int_equal(w->server.requests - before, ISSUED);
        assert_true(parts > ISSUED * 2);
        for (size_t k = 0; k < ISSUED; k++)
            assert_true(w->rows[k].revoked && strcmp(w->rows[k].reason, "superseded") == 0);
    }
}

/* --- serials and reasons --- */

static void random_serial(unsigned *seed, struct serial *out, int round)
{
    size_t n = round < 20 ? (size_t)round + 1 : (size_t)(rand_r(seed) % SERIAL_MAX) + 1;
    *out = (struct serial){.n = (uint8_t)n};
    for (size_t i = 0; i < n; i++)
        out->bytes[i] = (uint8_t)rand_r(seed);
    if (round % 3 == 0)
        out->bytes[0] |= 0x80; /* DER puts a 00 before it */
    if (round % 3 == 1)
        out->bytes[0] = (uint8_t)(out->bytes[0] & 0x0f); /* an odd number of digits */
    if (out->bytes[0] == 0)
        out->bytes[0] = 1;
}

/* Where the serial stands in the last request of each product. */
static struct str between(const char *text, const char *before, const char *after)
{
    const char *from = strstr(text, before);
    assert_non_null(from);
    from += strlen(before);
    const char *to = strstr(from, after);
    assert_non_null(to);
    return (struct str){from, (size_t)(to - from)};
}

static void says_ok(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    (void)context;
    (void)q;
    fake_answer(reply, 200, "", "{\"success\":true,\"revoked\":true}");
}

static void serials_take_each_products_form(void **state)
{
    struct world *w = *state;
    unsigned seed = 7;
    static const char *const profiles[] = {"cfssl", "vault", "ejbca", "digicert"};
    for (size_t p = 0; p < 4; p++) {
        must_open(w, profiles[p], 1, 5);
        for (int round = 0; round < 200; round++) {
            struct ca_item one = item(0, REASON_UNSPECIFIED);
            struct serial back;
            random_serial(&seed, &one.serial, round);
            w->odd = says_ok;
            w->odd_count = -1;
            struct fault f = {0};
            (void)!send_batch(w, &one, 1, &f);
            struct str form = p == 0   ? between(w->body, "\"serial\":\"", "\"")
                              : p == 1 ? between(w->body, "\"serial_number\":\"", "\"")
                              : p == 2 ? between(w->line, "C%3DSE/", "/revoke")
                                       : between(w->line, "/certificate/", "/revoke");
            const char *why = p == 0 ? serial_from_decimal(form, &back) : serial_from_hex(form, &back);
            assert_null(why);
            assert_true(serial_equal(&one.serial, &back));
            assert_true(p == 0 ? form.p[0] != '0' : form.n == (p == 1 ? 3U * back.n - 1 : 2U * back.n));
        }
    }
}

static void a_request_is_what_the_profile_says(void **state)
{
    struct world *w = *state;
    must_open(w, "ejbca", 1, 5);
    w->odd = says_ok;
    w->odd_count = -1;
    expect(w, 0, CA_ASK); /* no date in this answer: the row does not fit */
    assert_string_equal(w->line, "PUT /certificate/CN%3DMy%20CA%2CO%3DA%2FB%2C%20Inc.%2CC%3DSE/F001/"
                                 "revoke?reason=SUPERSEDED HTTP/1.1");
    assert_string_equal(w->body, "");
    assert_non_null(strcasestr(w->head, "Content-Length: 0"));
    assert_null(strcasestr(w->head, "Content-Type"));
    must_open(w, "cfssl", 1, 5);
    expect(w, 1, CA_REVOKED_NOW);
    assert_non_null(strstr(w->head, "Content-Type: application/json"));
    assert_null(strcasestr(w->head, "Expect"));
    assert_null(strcasestr(w->head, "Authorization"));
    assert_string_equal(w->line, "POST /api/v1/cfssl/revoke HTTP/1.1");
    /* the issuer's own key identifier, lower case without colons */
    struct str aki = between(w->body, "\"authority_key_id\":\"", "\"");
    assert_int_equal(aki.n, 40);
    for (size_t i = 0; i < aki.n; i++)
        assert_true(hex_digit(aki.p[i]) >= 0 && (aki.p[i] < 'A' || aki.p[i] > 'F'));
}

/* --- trouble --- */

static void executes_and_drops(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    ca(context, q, reply);
    buf_clear(&reply->bytes);
    reply->close = true;
}

/* On a connection that worked before, where libcurl by itself would send a second time. */
static void a_lost_answer_is_asked_about_not_repeated(void **state)
{
    struct world *w = *state;
    must_open(w, careful, 1, 2);
    expect(w, 0, CA_REVOKED_NOW);
    int before = atomic_load(&w->server.requests);
    w->odd = executes_and_drops;
    w->odd_count = 1;
    expect(w, 1, CA_ASK);
    assert_int_equal(atomic_load(&w->server.requests), before + 1);
    assert_true(w->rows[1].revoked);
    struct ca_item one = item(1, REASON_SUPERSEDED);
    must_ask(w, &one, 1);
    assert_int_equal(w->answers[0].outcome, CA_REVOKED_BEFORE);
    /* and the same for a request without a body */
    w->odd_count = 1;
    before = atomic_load(&w->server.requests);
    struct fault f = {0};
    w->count = 0;
    assert_true(w->door->ops->status(w->door, &one, 1, &f));
    (void)!settle(w, &f);
    assert_int_equal(w->answers[0].outcome, CA_ASK);
    assert_int_equal(atomic_load(&w->server.requests), before + 1);
}

static const char ok_body[] = "{\"success\":true}";

static void odd_429(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 429, "Retry-After: 30\r\n", "slow down");
}
static void odd_503(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 503, "Retry-After: 999999999\r\n", ok_body);
}
static void odd_slow(void *c, const struct fake_request *q, struct fake_reply *r)
{
    ca(c, q, r);
    r->delay_ms = 2500;
}
static void odd_garbage(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    buf_add(&r->bytes, "\x16\x03\x01\x02\0\1\0\1\xfc\r\n\r\n", 13);
    r->close = true;
}
static void odd_page(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", "<html>please log in; \"success\": true</html>");
}
static void odd_false(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", "{\"success\":false,\"errors\":[{\"code\":11200,\"message\":\"\x1b[2J\"}]}");
}
static void odd_twice(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", "{\"success\":true,\"success\":true}");
}
static void odd_empty(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", "");
}
static void odd_cut(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    buf_format(&r->bytes, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n%s", ok_body);
    r->close = true;
}
static void odd_huge(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    buf_format(&r->bytes, "HTTP/1.1 200 OK\r\n\r\n{\"success\":true,\"x\":\"%0400000d\"}", 0);
    r->close = true;
}
static void odd_redirect(void *c, const struct fake_request *q, struct fake_reply *r)
{
    struct world *w = c;
    AUTO_BUF to = {0};
    (void)q;
    buf_format(&to, "Location: %s/elsewhere\r\n", w->server.url);
    fake_answer(r, 307, to.p, "");
}
static void odd_11000_down(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 400, "",
                "{\"success\":false,\"result\":null,\"errors\":[{\"code\":11000,\"message\":\"dial "
                "tcp 127.0.0.1:5432: connect: connection refused\"}]}");
}
static void odd_11000_reset(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 400, "",
                "{\"success\":false,\"result\":null,\"errors\":[{\"code\":11000,\"message\":\"read: "
                "connection reset by peer\"}]}");
}

static void odd_answers(void **state)
{
    static const struct {
        fake_handler *odd;
        enum ca_outcome outcome;
        int64_t away;
    } cases[] = {
        {odd_429, CA_WAIT, 30},       {odd_503, CA_ASK, 3600},   {odd_slow, CA_ASK, 0},
        {odd_garbage, CA_ASK, 0},     {odd_page, CA_ASK, 0},     {odd_false, CA_ASK, 0},
        {odd_twice, CA_ASK, 0},       {odd_empty, CA_ASK, 0},    {odd_cut, CA_ASK, 0},
        {odd_huge, CA_ASK, 0},        {odd_redirect, CA_ASK, 0}, {odd_11000_down, CA_WAIT, 0},
        {odd_11000_reset, CA_ASK, 0},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int before = atomic_load(&w->server.requests);
        w->odd = cases[i].odd;
        w->odd_count = 1;
        expect(w, (int)i, cases[i].outcome);
        assert_int_equal(atomic_load(&w->server.requests), before + 1);
        for (const char *p = w->answers[0].text; *p != '\0'; p++)
            assert_true(*p >= ' ' && *p < 0x7f);
        if (cases[i].away > 0) {
            assert_int_equal(w->door->away_until.s, clock_value.s + cases[i].away);
            expect(w, (int)i, CA_WAIT); /* and nothing is sent until then */
            assert_int_equal(atomic_load(&w->server.requests), before + 1);
            clock_value.s += cases[i].away;
        }
        expect(w, (int)i, CA_REVOKED_NOW);
    }
}

/* --- the end of an answer --- */

static void chunks(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    buf_format(&r->bytes,
               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3\r\n%.3s\r\nd\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n",
               ok_body, ok_body + 3);
}
static void until_it_ends(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    buf_format(&r->bytes, "HTTP/1.0 200 OK\r\n\r\n%s", ok_body);
    r->close = true;
}
static void last_one(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "Connection: close\r\n", ok_body); /* and the server waits for us to do it */
}
static void one_too_many(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", ok_body);
    fake_answer(r, 200, "", ok_body);
}
static void closes_behind(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", ok_body);
    r->close = true;
}

/* What is no part of an answer is never taken for the next one, and a connection that cannot go on is not
 * used again. */
static void an_answer_ends_where_it_says(void **state)
{
    static const struct {
        fake_handler *odd;
        int fresh; /* connections that the request after it needs */
    } cases[] = {{chunks, 0}, {until_it_ends, 1}, {last_one, 1}, {one_too_many, 1}, {closes_behind, 1}};
    struct world *w = *state;
    must_open(w, "cfssl", 1, 5);
    expect(w, 0, CA_REVOKED_NOW);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        w->odd = cases[i].odd;
        w->odd_count = 1;
        expect(w, 1, CA_REVOKED_NOW);
        (void)poll(NULL, 0, 50); /* what the server does behind its answer has come */
        int connections = atomic_load(&w->server.connections), requests = atomic_load(&w->server.requests);
        w->odd = odd_page;
        w->odd_count = 1;
        expect(w, 2, CA_ASK);
        assert_int_equal(atomic_load(&w->server.connections), connections + cases[i].fresh);
        assert_int_equal(atomic_load(&w->server.requests), requests + 1);
    }
}

static void wants_anew(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", ok_body);
    r->anew = true;
}

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* TLS can't send before it has heard, the socket takes more all the while: waiting costs nothing. */
static void a_server_that_shakes_hands_anew_is_waited_for(void **state)
{
    struct world *w = *state;
    SSL_CTX_set_max_proto_version(w->server.tls, TLS1_2_VERSION);
    must_open(w, "cfssl", 1, 2);
    w->odd = wants_anew;
    w->odd_count = 1;
    expect(w, 0, CA_REVOKED_NOW);
    (void)poll(NULL, 0, 50);
    double begun = cpu();
    expect(w, 1, CA_ASK);
    assert_true(cpu() - begun < 0.5);
    assert_int_equal(atomic_load(&w->server.requests), 1);
}

/* Somebody else's server, or one that nobody vouches for, gets no request: neither the serial nor a token. */
static void another_server_is_told_nothing(void **state)
{
    struct world *w = *state;
    char url[sizeof w->server.url];
    memcpy(url, w->server.url, sizeof url);
    w->odd = odd_page;
    w->odd_count = -1;
    for (int connections = 0; connections <= 2; connections += 2) {
        w->connections = connections;
        w->trusted = ca_pem;
        must_open(w, "digicert", 1, 5);
        expect(w, 0, CA_WAIT);
        w->trusted = server_pem;
        snprintf(w->server.url, sizeof w->server.url, "https://localhost:%d", w->server.port);
        must_open(w, "digicert", 1, 5);
        expect(w, 0, CA_WAIT);
        assert_int_equal(atomic_load(&w->server.requests), 0);
        memcpy(w->server.url, url, sizeof url);
        must_open(w, "digicert", 1, 5);
        expect(w, 0, CA_ASK);
        assert_true(atomic_exchange(&w->server.requests, 0) > 0);
    }
}

static void of_odd_length(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    buf_format(&r->bytes, "HTTP/1.1 200 OK\r\nContent-Length: %012zu\r\n\r\n%s", sizeof ok_body - 1, ok_body);
}

/* One is in doubt, then libcurl, which knows more of what servers do, takes over: also for what goes on. */
static void what_cannot_be_read_is_left_to_libcurl(void **state)
{
    struct world *w = *state;
    must_open(w, "cfssl", 1, 5);
    expect(w, 0, CA_REVOKED_NOW);
    w->odd = of_odd_length;
    w->odd_count = 3;
    expect(w, 1, CA_ASK);
    expect(w, 2, CA_REVOKED_NOW);
    expect(w, 3, CA_REVOKED_NOW);
    expect(w, 4, CA_REVOKED_NOW);
    assert_int_equal(atomic_load(&w->server.requests), 5);
}

static void drops(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    (void)context, (void)q;
    reply->close = true;
}

/* A batch of thousands must not be thrown at a backend that has stopped answering. */
static void silence_ends_a_batch(void **state)
{
    struct world *w = *state;
    struct ca_item items[ISSUED];
    struct fault f = {0};
    for (int i = 0; i < ISSUED; i++)
        items[i] = item(i, REASON_SUPERSEDED);
    w->odd = drops;
    w->odd_count = -1;
    assert_false(send_batch(w, items, ISSUED, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_int_equal(w->count, ISSUED);
    assert_true(how_many(w, CA_ASK) >= 4 && how_many(w, CA_ASK) <= 8);
    assert_int_equal(how_many(w, CA_ASK) + how_many(w, CA_WAIT), ISSUED);
    assert_int_equal(atomic_load(&w->server.requests), how_many(w, CA_ASK));
    w->odd_count = 0;
    must_revoke(w, items, ISSUED);
    assert_int_equal(how_many(w, CA_REVOKED_NOW), ISSUED);
}

static void forbidden(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    (void)context, (void)q;
    fake_answer(reply, 403, "", "{\"success\":false,\"errors\":[{\"code\":403,\"message\":\"Invalid CN\"}]}");
}

static void refused_credentials_stop_everything(void **state)
{
    struct world *w = *state;
    struct ca_item items[ISSUED];
    struct fault f = {0};
    for (int i = 0; i < ISSUED; i++)
        items[i] = item(i, REASON_SUPERSEDED);
    w->odd = forbidden;
    w->odd_count = -1;
    assert_false(send_batch(w, items, ISSUED, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "Invalid CN"));
    assert_true(f.hint[0] != '\0');
    assert_int_equal(how_many(w, CA_WAIT), ISSUED);
    assert_true(atomic_load(&w->server.requests) <= 4);
}

/* --- many, the descriptor --- */

static void many_at_a_time_each_once(void **state)
{
    enum { N = 2000 };
    struct world *w = *state;
    static struct ca_item items[N];
    static bool seen[N];
    memset(seen, 0, sizeof seen);
    must_open(w, careful, 8, 5);
    for (int i = 0; i < N; i++) {
        items[i] = item(i % ISSUED, REASON_SUPERSEDED);
        items[i].number = (uint32_t)i;
    }
    int connections = atomic_load(&w->server.connections);
    must_revoke(w, items, N);
    assert_int_equal(w->count, N);
    for (size_t i = 0; i < N; i++) {
        assert_false(seen[w->answers[i].number]);
        seen[w->answers[i].number] = true;
        assert_int_equal(w->answers[i].outcome, CA_REVOKED_NOW);
    }
    assert_true(atomic_load(&w->server.connections) - connections <= 8);
    assert_int_equal(atomic_load(&w->server.requests), N);
}

static void the_descriptor_tells_when_to_step(void **state)
{
    struct world *w = *state;
    struct ca_item one = item(3, REASON_SUPERSEDED);
    struct pollfd p = {.fd = w->door->fd, .events = POLLIN};
    struct fault f = {0};
    bool busy = true;
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_true(w->door->ops->revoke(w->door, &one, 1, &f));
    for (int i = 0; busy; i++) {
        assert_true(i < 100);
        assert_int_equal(poll(&p, 1, 1000), 1);
        assert_true(w->door->ops->step(w->door, &busy, &f));
    }
    assert_int_equal(w->answers[0].outcome, CA_REVOKED_NOW);
}

/* --- the token --- */

static void vault_revoked(void *c, const struct fake_request *q, struct fake_reply *r)
{
    (void)c, (void)q;
    fake_answer(r, 200, "", "{\"data\":{\"revocation_time\":1795357316,\"state\":\"revoked\"}}");
}

static void a_token_is_read_anew_for_every_batch(void **state)
{
    struct world *w = *state;
    struct fault f = {0};
    struct ca_item one = item(0, REASON_UNSPECIFIED);
    w->odd = vault_revoked;
    w->odd_count = -1;
    must_open(w, "vault", 1, 5);
    must_revoke(w, &one, 1);
    assert_non_null(strstr(w->head, "\r\nX-Vault-Token: s.first\r\n"));
    stock_write(folder, "token", str_of("s.second"));
    must_revoke(w, &one, 1);
    assert_non_null(strstr(w->head, "\r\nX-Vault-Token: s.second\r\n"));
    assert_null(strstr(w->head, "s.first"));
    stock_write(folder, "token", str_of("s.third\r\nX-Other: 1"));
    assert_false(send_batch(w, &one, 1, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_null(strstr(f.text, "third"));
    stock_write(folder, "token", str_of("s.first\n"));
    one.reason = REASON_SUPERSEDED; /* no reason can be said there */
    must_revoke(w, &one, 1);
    assert_int_equal(w->answers[0].outcome, CA_PERSON);
    assert_int_equal(w->door->facts.reasons, 1);
}

/* Without TLS and over it. */
#define TESTS(name)                                                                                          \
    cmocka_unit_test_setup_teardown(name, begin, end),                                                       \
    {                                                                                                        \
#name " over TLS", name, begin_tls, end, NULL                                                        \
    }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TESTS(requests_may_leave_in_parts),
        TESTS(serials_take_each_products_form),
        TESTS(a_request_is_what_the_profile_says),
        TESTS(a_lost_answer_is_asked_about_not_repeated),
        TESTS(odd_answers),
        TESTS(an_answer_ends_where_it_says),
        cmocka_unit_test_setup_teardown(a_server_that_shakes_hands_anew_is_waited_for, begin_tls, end),
        cmocka_unit_test_setup_teardown(another_server_is_told_nothing, begin_tls, end),
        TESTS(what_cannot_be_read_is_left_to_libcurl),
        TESTS(silence_ends_a_batch),
        TESTS(refused_credentials_stop_everything),
        TESTS(many_at_a_time_each_once),
        TESTS(the_descriptor_tells_when_to_step),
        TESTS(a_token_is_read_anew_for_every_batch),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
