/* Does the http door keep the contract with every shipped product? Each is a made-up CA with a record of its
 * own that answers as facts of backends 1.2 to 1.10 tell; the real cfssl is in tests/service. */
#include "../lib/ca_list.h"
#include "../lib/fake_http.h"
#include "../lib/stock.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"
#include "massrevoke/json.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* One certificate in the CA's record. */
struct row {
    bool revoked;
    int64_t at;
    int reason;
};

/* What was asked, cut out of a request. */
struct asked {
    const struct fake_request *q;
    struct row *row; /* NULL: never issued */
    struct serial serial;
    char reason[60]; /* as the product writes it */
};

struct product {
    const char *name, *profile;
    const char *before; /* the serial stands behind this text of request line or body, */
    bool decimal;
    unsigned reasons;
    bool keeps, status, unknown;
    void (*handle)(struct asked *a, struct fake_reply *reply);
    enum ca_outcome busy, away, garbage;
    const char *away_body;
};

static char folder[STOCK_PATH], ca_pem[STOCK_PATH + 32], careful[STOCK_PATH + 32], token[STOCK_PATH + 32],
    key[STOCK_PATH + 32];
static struct fake_http server;
static int port;
static struct ca_list list;
static struct row rows[CA_LIST_COUNT];
static const struct product *product;
static bool losing;
static int odd; /* enum ca_list_odd of the next request, -1: none */
static char jtis[200][40];
static size_t jti_count;
static int nonce;

static struct utc real_now(void *s)
{
    (void)s;
    return (struct utc){time(NULL)};
}

static struct utc list_now(void)
{
    return real_now(NULL);
}

static struct row *row_of(const struct serial *s)
{
    for (size_t i = 0; i < list.count; i++)
        if (serial_equal(&list.serials[i], s))
            return &rows[i];
    return NULL;
}

static void revoke_row(struct row *row, int reason)
{
    *row = (struct row){true, time(NULL), reason};
}

__attribute__((format(printf, 3, 4))) static void say(struct fake_reply *reply, int http, const char *format,
                                                      ...)
{
    char body[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(body, sizeof body, format, arguments);
    va_end(arguments);
    fake_answer(reply, http, "", body);
}

static const char *date_of(const struct row *row)
{
    static char text[UTC_TEXT];
    return utc_format((struct utc){row->at}, text);
}

/* --- the products --- */

/* cfssl's way of revoking (1.2), with a question for the status beside. */
static void cfssl_like(struct asked *a, struct fake_reply *reply)
{
    if (strncmp(a->q->line, "GET", 3) == 0 && a->row == NULL)
        say(reply, 404, "{\"error\":\"no such certificate\"}");
    else if (strncmp(a->q->line, "GET", 3) == 0)
        say(reply, 200, "{\"revoked\":%s,\"at\":%lld,\"reason\":\"%s\"}", a->row->revoked ? "true" : "false",
            (long long)a->row->at, a->row->revoked ? reason_name(a->row->reason) : "");
    else if (a->row == NULL)
        say(reply, 400,
            "{\"success\":false,\"result\":null,\"errors\":[{\"code\":11200,\"message\":\"certificate not "
            "found\"}],\"messages\":[]}");
    else {
        revoke_row(a->row, reason_from_name(str_of(a->reason))); /* overwritten */
        say(reply, 200, "{\"success\":true,\"result\":{},\"errors\":[],\"messages\":[]}");
    }
}

static void vault(struct asked *a, struct fake_reply *reply)
{
    bool get = strncmp(a->q->line, "GET", 3) == 0;
    assert_non_null(strstr(a->q->head, "X-Vault-Token: s.token"));
    if (a->row == NULL)
        say(reply, get ? 404 : 400,
            get ? "{\"errors\":[]}" : "{\"errors\":[\"certificate with serial xx not found.\"]}");
    else if (get)
        say(reply, 200, "{\"data\":{\"certificate\":\"-----BEGIN\",\"revocation_time\":%lld}}",
            (long long)a->row->at);
    else {
        if (!a->row->revoked)
            revoke_row(a->row, 0);
        say(reply, 200,
            "{\"data\":{\"revocation_time\":%lld,\"revocation_time_rfc3339\":\"%s\",\"state\":\"revoked\"}}",
            (long long)a->row->at, date_of(a->row));
    }
}

static const char *const ejbca_words[] = {
    "UNSPECIFIED",     "KEY_COMPROMISE",         "CA_COMPROMISE",    "AFFILIATION_CHANGED",
    "SUPERSEDED",      "CESSATION_OF_OPERATION", "CERTIFICATE_HOLD", "",
    "REMOVE_FROM_CRL", "PRIVILEGES_WITHDRAWN",   "AA_COMPROMISE"};

static void ejbca(struct asked *a, struct fake_reply *reply)
{
    const char *reason = strstr(a->q->line, "reason=");
    assert_non_null(strstr(a->q->line, "/certificate/CN%3DMy%20CA%2CO%3DA%2FB%2C%20Inc.%2CC%3DSE/"));
    if (a->row == NULL) {
        say(reply, 404, "{\"error_code\":404,\"error_message\":\"Certificate not found\"}");
        return;
    }
    if (reason != NULL && a->row->revoked) {
        say(reply, 409, "{\"error_code\":409,\"error_message\":\"already revoked\"}");
        return;
    }
    for (int code = 0; reason != NULL && code < 11; code++)
        if (strncmp(reason + 7, ejbca_words[code], strcspn(reason + 7, " &")) == 0 &&
            strlen(ejbca_words[code]) == strcspn(reason + 7, " &"))
            revoke_row(a->row, code);
    const char *date = strstr(a->q->line, "&date=");
    struct utc at;
    struct fault f;
    char text[21] = "";
    if (date != NULL && utc_parse(memcpy(text, date + 6, 20), &at, &f))
        a->row->at = at.s;
    assert_true(reason == NULL || a->row->revoked);
    if (a->row->revoked)
        say(reply, 200,
            "{\"issuer_dn\":\"x\",\"serial_number\":\"y\",\"revocation_reason\":\"%s\",\"revocation_date\":"
            "\"%s\",\"message\":\"Successfully revoked\",\"revoked\":true}",
            ejbca_words[a->row->reason], date_of(a->row));
    else
        say(reply, 200, "{\"issuer_dn\":\"x\",\"serial_number\":\"y\",\"revoked\":false}");
}

/* One part of a JWT as JSON. */
static json_t *decode(const char *part, size_t n)
{
    unsigned char bytes[2000];
    char text[2000];
    struct fault f;
    json_t *doc;
    assert_true(n < sizeof text - 4);
    memcpy(text, part, n);
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    while (n % 4 != 0)
        text[n++] = '=';
    int length = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n);
    assert_true(length > 0);
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    assert_true(json_read("JWT", (struct str){(const char *)bytes, (size_t)length}, &doc, &f));
    return doc;
}

/* step-ca (1.3): the token's claims; a serial that was never issued is answered all the same. */
static void step_ca(struct asked *a, struct fake_reply *reply)
{
    char serial[SERIAL_DECIMAL_TEXT], audience[100];
    const char *jwt = strstr(a->q->body, "\"ott\":\"");
    int code = -1;
    assert_non_null(jwt);
    jwt += 7;
    size_t head = strcspn(jwt, "."), body = strcspn(jwt + head + 1, ".");
    AUTO_JSON *header = decode(jwt, head), *claims = decode(jwt + head + 1, body);
    snprintf(audience, sizeof audience, "%s/1.0/revoke", server.url);
    assert_string_equal(json_string_value(json_object_get(header, "alg")), "ES256");
    assert_int_equal(strlen(json_string_value(json_object_get(header, "kid"))), 43);
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), "admin@example");
    assert_string_equal(json_string_value(json_object_get(claims, "aud")), audience);
    assert_string_equal(json_string_value(json_object_get(claims, "sub")),
                        serial_decimal(&a->serial, serial));
    assert_true(json_integer_value(json_object_get(claims, "exp")) > time(NULL));
    assert_true(json_integer_value(json_object_get(claims, "nbf")) <= time(NULL));
    assert_non_null(strstr(a->q->body, "\"passive\":true"));
    assert_int_equal(sscanf(strstr(a->q->body, "\"reasonCode\":"), "\"reasonCode\":%d,", &code), 1);
    const char *jti = json_string_value(json_object_get(claims, "jti"));
    for (size_t i = 0; i < jti_count; i++)
        assert_string_not_equal(jtis[i], jti); /* one token, one use */
    snprintf(jtis[jti_count++ % 200], sizeof jtis[0], "%s", jti);
    if (a->row != NULL && a->row->revoked) {
        say(reply, 400,
            "{\"status\":400,\"message\":\"certificate with serial number '%s' is already revoked\"}",
            serial);
        return;
    }
    if (a->row != NULL)
        revoke_row(a->row, code);
    say(reply, 200, "{\"status\":\"ok\"}");
}

/* Dogtag (1.8): look first, for the nonce. */
static void dogtag(struct asked *a, struct fake_reply *reply)
{
    static const char *const words[] = {
        "Unspecified",     "Key_Compromise",         "CA_Compromise",    "Affiliation_Changed",
        "Superseded",      "Cessation_of_Operation", "Certificate_Hold", "",
        "Remove_from_CRL", "Privilege_Withdrawn",    "AA_Compromise"};
    long long got = 0;
    char word[60] = "";
    if (a->row == NULL)
        say(reply, 404, "{\"Code\":404,\"Message\":\"Certificate ID 0x1 not found\"}");
    else if (strstr(a->q->line, "/agent/") == NULL)
        say(reply, 200, "{\"id\":\"0x1\",\"Status\":\"%s\"}", a->row->revoked ? "REVOKED" : "VALID");
    else if (strncmp(a->q->line, "GET", 3) == 0)
        say(reply, 200, "{\"id\":\"0x1\",\"Status\":\"%s\",\"Nonce\":%d}",
            a->row->revoked ? "REVOKED" : "VALID", ++nonce);
    else if (a->row->revoked)
        say(reply, 400, "{\"Code\":400,\"Message\":\"certificate #0x1 has already been revoked\"}");
    else {
        assert_int_equal(sscanf(a->q->body, "{\"Reason\":\"%50[A-Za-z_]\",\"Nonce\":%lld}", word, &got), 2);
        assert_true(got > 0 && got <= nonce);
        for (int code = 0; code < 11; code++)
            if (strcmp(words[code], word) == 0)
                revoke_row(a->row, code);
        assert_true(a->row->revoked);
        say(reply, 200,
            "{\"requestID\":\"0x7\",\"requestType\":\"revocation\",\"requestStatus\":\"complete\","
            "\"operationResult\":\"success\"}");
    }
}

/* DigiCert (1.10), with an administrator's key. */
static void digicert(struct asked *a, struct fake_reply *reply)
{
    char word[60] = "";
    assert_non_null(strstr(a->q->head, "X-DC-DEVKEY: s.token"));
    assert_int_equal(sscanf(a->q->body, "{\"revocation_reason\":\"%50[a-z_]\",\"skip_approval\":true}", word),
                     1);
    if (a->row == NULL) {
        say(reply, 404,
            "{\"errors\":[{\"code\":\"not_found\",\"message\":\"The certificate was not found\"}]}");
        return;
    }
    for (int code = 0; code < 11; code++) {
        char lower[60];
        size_t n = 0;
        for (const char *c = reason_name(code); c != NULL && *c != '\0' && n < 50; c++) {
            if (*c >= 'A' && *c <= 'Z')
                lower[n++] = '_';
            lower[n++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        }
        lower[n] = '\0';
        if (n > 0 && strcmp(lower, word) == 0)
            revoke_row(a->row, code);
    }
    assert_true(a->row->revoked);
    say(reply, 204, "%s", "");
}

#define EIGHT (1U << 0 | 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5 | 1U << 9 | 1U << 10)
static const struct product products[] = {
    {"cfssl-like", NULL, "serial\":\"|/status/", true, EIGHT, false, true, true, cfssl_like, CA_WAIT, CA_ASK,
     CA_ASK, "busy"},
    {"vault", "vault", "serial_number\":\"|/cert/", false, 1U, true, true, true, vault, CA_WAIT, CA_WAIT,
     CA_ASK, "{\"errors\":[\"Vault is sealed\"]}"},
    {"ejbca", "ejbca", "C%3DSE/", false, EIGHT, false, true, false, ejbca, CA_ASK, CA_WAIT, CA_ASK,
     "{\"error_code\":503}"},
    {"step-ca", "step-ca", "serial\":\"", true, EIGHT, true, false, false, step_ca, CA_WAIT, CA_WAIT, CA_ASK,
     "away"},
    /* trouble comes before anything could be executed: while it looks */
    {"dogtag", "dogtag", "/certs/", false, EIGHT, true, true, true, dogtag, CA_WAIT, CA_WAIT, CA_WAIT,
     "away"},
    {"digicert", "digicert", "/certificate/", false, 1U << 0 | 1U << 1 | 1U << 3 | 1U << 4 | 1U << 5, false,
     false, true, digicert, CA_WAIT, CA_WAIT, CA_ASK, "away"},
};

/* --- the server --- */

/* The serial behind one of the texts of `before`, in line or body. */
static void cut_serial(const struct fake_request *q, struct serial *out)
{
    AUTO_ARENA a = {0};
    struct str rest = str_of(product->before);
    const char *from = NULL;
    while (rest.p != NULL && from == NULL) {
        struct str one = str_cut(&rest, '|');
        const char *text = arena_copy(&a, one.p, one.n);
        from = strstr(q->line, text) != NULL ? strstr(q->line, text) : strstr(q->body, text);
        from = from == NULL ? NULL : from + one.n;
    }
    assert_non_null(from);
    struct str text = {from, strspn(from, "0123456789abcdefABCDEFx:")};
    const char *why = product->decimal ? serial_from_decimal(text, out) : serial_from_hex(text, out);
    if (why != NULL)
        fail_msg("%s: %s: %s", product->name, q->line, why);
}

static void handle(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    (void)context;
    struct asked a = {.q = q};
    int trouble = odd;
    odd = -1;
    if (trouble == CA_LIST_BUSY || trouble == CA_LIST_AWAY || trouble == CA_LIST_REFUSED) {
        say(reply,
            trouble == CA_LIST_BUSY   ? 429
            : trouble == CA_LIST_AWAY ? 503
                                      : 403,
            "%s", trouble == CA_LIST_AWAY ? product->away_body : "no\x1b[2J");
        return;
    }
    if (trouble == CA_LIST_GARBAGE) {
        buf_add(&reply->bytes, "\x16\x03\x01\x02\0\1\0\1\xfc\r\n\r\n", 13);
        reply->close = true;
        return;
    }
    cut_serial(q, &a.serial);
    a.row = row_of(&a.serial);
    (void)sscanf(strstr(q->body, "\"reason\":\"") == NULL ? "" : strstr(q->body, "\"reason\":\""),
                 "\"reason\":\"%50[a-zA-Z]", a.reason);
    product->handle(&a, reply);
    reply->delay_ms = trouble == CA_LIST_SLOW ? 1500 : 0;
    if (losing && (strncmp(q->line, "GET", 3) != 0)) {
        buf_clear(&reply->bytes);
        reply->close = true;
    }
}

/* --- the adapter --- */

static bool list_open(struct ca_door **out, struct fault *f)
{
    struct settings_issuer issuer = {.certificate_file = ca_pem, .name = "CN=My CA,O=A/B, Inc.,C=SE"};
    bool takes_token = strcmp(product->name, "vault") == 0 || strcmp(product->name, "digicert") == 0;
    bool signs = strcmp(product->name, "step-ca") == 0;
    struct settings_ca s = {.name = "t",
                            .backend = "http",
                            .rate = {2000, 1},
                            .concurrency = 3,
                            .http = {.profile = product->profile == NULL ? careful : product->profile,
                                     .url = server.url,
                                     .token_file = takes_token ? token : NULL,
                                     .token_key_file = signs ? key : NULL,
                                     .token_issuer = signs ? "admin@example" : NULL,
                                     .timeout = {1}},
                            .issuers = &issuer,
                            .issuer_count = 1};
    return ca_http_open(&s, CA_LIST_ISSUER, (struct clock){.now = real_now}, out, f);
}

static void list_reset(void)
{
    memset(rows, 0, sizeof rows);
    odd = -1;
    losing = false;
}

static struct ca_list_row list_row(const struct serial *s)
{
    const struct row *row = row_of(s);
    return row == NULL || !row->revoked ? (struct ca_list_row){.reason = -1}
                                        : (struct ca_list_row){true, row->at, row->reason};
}

static int64_t list_revoke(const struct serial *s, int64_t at, enum reason reason)
{
    struct row *row = row_of(s);
    assert_non_null(row);
    if (row != NULL)
        *row = (struct row){true, at, (int)reason};
    return at;
}

static void list_lose(bool on)
{
    losing = on;
}

static void list_kill(void)
{
    fake_http_stop(&server);
}

static void list_start(void)
{
    fake_http_start(&server, port, handle, NULL);
}

static enum ca_outcome list_odd(enum ca_list_odd which)
{
    bool first = product == &products[0];
    odd = (int)which;
    switch (which) {
    case CA_LIST_BUSY:
        return product->busy;
    case CA_LIST_AWAY:
        return product->away;
    case CA_LIST_SLOW:
        odd = first ? odd : -1;
        return first ? CA_ASK : CA_OUTCOME_COUNT; /* alike for all; it takes a while */
    case CA_LIST_GARBAGE:
        return product->garbage;
    case CA_LIST_REFUSED:
        return CA_WAIT;
    case CA_LIST_ODD_COUNT:
        break;
    }
    return CA_OUTCOME_COUNT;
}

/* --- publishing, windows, facts --- */

static const char *publish_body;
static int publish_http, publish_delay_ms;
static char publish_line[400];

static void publish_handle(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    (void)context;
    snprintf(publish_line, sizeof publish_line, "%s", q->line);
    reply->delay_ms = publish_delay_ms;
    fake_answer(reply, publish_http, "", publish_body);
}

/* Asks again until it is done; how often it was not. */
static int publish_at_last(struct ca_door *door)
{
    struct fault f = {0};
    int waits = -1;
    do {
        waits++;
        if (!door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f))
            fail_msg("%s", f.text);
    } while (door->publishing);
    return waits;
}

/* A large list takes its CA a while: nobody waits for it meanwhile, and it is one request. */
static void a_slow_crl_holds_nothing(void **state)
{
    (void)state;
    struct ca_door *door;
    struct fault f = {0};
    struct timespec from, to;
    fake_http_stop(&server);
    fake_http_start(&server, port, publish_handle, NULL);
    product = &products[1];
    publish_http = 200;
    publish_body = "{\"data\":{\"success\":true}}";
    assert_true(list_open(&door, &f));
    publish_delay_ms = 700; /* the timeout is a second */
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_true(door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f));
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(door->publishing);
    assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 < 600);
    assert_true(publish_at_last(door) > 0);
    assert_int_equal(atomic_load(&server.requests), 1);
    assert_false(door->publishing);
    assert_true(door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f)); /* the next one */
    assert_true(door->publishing);
    ca_close(door); /* in the middle of it */
    publish_delay_ms = 0;
}

static void a_new_crl_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        size_t product;
        const char *line, *good, *bad;
    } cases[] = {
        {1, "GET /crl/rotate HTTP/1.1", "{\"data\":{\"success\":true}}", "{\"data\":{\"success\":false}}"},
        {2, "POST /ca/CN%3DMy%20CA%2CO%3DA%2FB%2C%20Inc.%2CC%3DSE/createcrl?deltacrl=false HTTP/1.1",
         "{\"issuer_dn\":\"x\",\"latest_crl_version\":7,\"all_success\":true}",
         "{\"issuer_dn\":\"x\",\"latest_crl_version\":7,\"all_success\":false}"},
        {4, "GET /ca/agent/ca/updateCRL?xml=true&crlIssuingPoint=MasterCRL&waitForUpdate=true HTTP/1.1",
         "<xml><header><crlIssuingPoint>MasterCRL</crlIssuingPoint><crlUpdate>Success</crlUpdate></header></"
         "xml>",
         "<xml><header><crlUpdate>Failure</crlUpdate></header></xml>"},
    };
    fake_http_stop(&server);
    fake_http_start(&server, port, publish_handle, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ca_door *door;
        struct fault f = {0};
        product = &products[cases[i].product];
        if (!list_open(&door, &f))
            fail_msg("%s", f.text);
        assert_true(door->facts.can_publish);
        publish_http = 200;
        publish_body = cases[i].good;
        (void)publish_at_last(door);
        assert_string_equal(publish_line, cases[i].line);
        publish_body = cases[i].bad;
        assert_false(door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f));
        assert_int_equal(f.kind, FAULT_UNAVAILABLE);
        publish_http = 403;
        assert_false(door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        assert_false(door->ops->publish(door, CA_LIST_ISSUER + 1, list_now(), &f));
        assert_int_equal(f.kind, FAULT_REFUSED);
        ca_close(door);
    }
    product = &products[5]; /* DigiCert signs by itself */
    struct ca_door *door;
    struct fault f = {0};
    assert_true(list_open(&door, &f));
    assert_false(door->facts.can_publish);
    assert_false(door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    /* 1,000 in five minutes is the slowest of its limits */
    assert_int_equal(rate_per_hour(door->facts.rate), 12000);
    assert_int_equal(door->facts.window_count, 2);
    assert_int_equal(door->facts.windows[0].count, 100);
    assert_int_equal(door->facts.windows[1].per, 300);
    assert_false(door->facts.trusts_any_serial);
    ca_close(door);
    product = &products[3];
    assert_true(list_open(&door, &f));
    assert_true(door->facts.trusts_any_serial);
    ca_close(door);
}

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

static int run_product(const struct product *p)
{
    product = p;
    list = (struct ca_list){.name = p->name,
                            .count = 12,
                            .reasons = p->reasons,
                            .keeps_first_date = p->keeps,
                            .tells_status = p->status,
                            .tells_unknown = p->unknown,
                            .vague_status = strcmp(p->name, "vault") == 0,
                            .races = strcmp(p->name, "vault") == 0, /* both get the one time */
                            .tells_no_date = strcmp(p->name, "dogtag") == 0,
                            .needs_quiet = true,
                            .reset = list_reset,
                            .open = list_open,
                            .row = list_row,
                            .now = list_now,
                            .revoke = list_revoke,
                            .lose_answers = list_lose,
                            .kill = list_kill,
                            .start = list_start,
                            .odd = list_odd};
    ca_list_serials(list.serials, list.count);
    return ca_list_run(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_new_crl_is_asked_for),
                                       cmocka_unit_test(a_slow_crl_holds_nothing)};
    int failed = 0;
    stock_folder(folder);
    if (!stock_ca(folder, 1, 0))
        return 1;
    snprintf(ca_pem, sizeof ca_pem, "%s/ca.pem", folder);
    snprintf(careful, sizeof careful, "%s/careful.cfg", folder);
    snprintf(token, sizeof token, "%s/token", folder);
    snprintf(key, sizeof key, "%s/ca.key", folder);
    stock_write(folder, "token", str_of("s.token\n"));
    write_careful();
    fake_http_start(&server, 0, handle, NULL);
    port = server.port;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        failed += run_product(&products[i]);
    failed += cmocka_run_group_tests_name("publish", tests, NULL, NULL);
    fake_http_stop(&server);
    stock_remove(folder);
    return failed;
}
