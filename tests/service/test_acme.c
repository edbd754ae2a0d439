/* Does the acme door keep the contract on a real pebble that refuses nonces, and on a made-up server where
 * answers are lost, late, garbage, or Boulder's (facts of backends 1.4)? pebble's own management interface is
 * asked behind the door's back. */
#include "../lib/ca_list.h"
#include "../lib/drop_proxy.h"
#include "../lib/fake_http.h"
#include "../lib/pebble.h"
#include "massrevoke/ca_acme.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define REJECT 20 /* percent of good nonces */

static struct pebble server;
static struct drop_proxy proxy;
static struct ca_list list;
static struct settings_issuer issuer;
static char certs[STOCK_PATH + 32], behind[64];

static struct utc real_now(void *s)
{
    (void)s;
    return (struct utc){time(NULL)};
}

static struct utc list_now(void)
{
    return real_now(NULL);
}

/* The inventory's file of certificate `number` of the list. */
static const char *file_of(void *context, uint32_t number)
{
    static char names[CA_LIST_COUNT][SERIAL_HEX_TEXT + 8];
    char hex[SERIAL_HEX_TEXT];
    (void)context;
    snprintf(names[number], sizeof names[number], "%s.pem", serial_hex(&list.serials[number], hex));
    return names[number];
}

static struct settings_http settings(void)
{
    return (struct settings_http){.url = server.directory,
                                  .ca_file = server.ca_pem,
                                  .account_key_file = server.account_key,
                                  .certificates_dir = certs,
                                  .timeout = {2}};
}

static bool open_with(const struct settings_http *http, struct ca_door **out, struct fault *f)
{
    struct settings_ca s = {.name = "t",
                            .backend = "acme",
                            .rate = {2000, 1},
                            .http = *http,
                            .issuers = &issuer,
                            .issuer_count = 1};
    if (!ca_acme_open(&s, CA_LIST_ISSUER, (struct clock){.now = real_now}, out, f))
        return false;
    (*out)->certificate = file_of;
    return true;
}

static bool list_open(struct ca_door **out, struct fault *f)
{
    struct settings_http http = settings();
    http.url = behind; /* pebble names its resources by the host it is asked at */
    return open_with(&http, out, f);
}

static struct ca_list_row list_row(const struct serial *s)
{
    struct ca_list_row row = {.reason = -1};
    (void)pebble_status(&server, s, &row.reason, &row.at);
    row.revoked = row.reason >= 0;
    return row;
}

/* What is revoked stays so: others take its place. */
static void list_reset(void)
{
    proxy.drop_after = NULL;
    for (size_t i = 0; i < list.count; i++)
        if (list.serials[i].n == 0 || list_row(&list.serials[i]).revoked)
            list.serials[i] = pebble_issue(&server);
}

static struct ca_answer answers[CA_LIST_COUNT];
static size_t count;

static void collect(void *context, const struct ca_answer *all, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        assert_true(count < CA_LIST_COUNT);
        answers[count++] = all[i];
    }
}

static struct ca_item item(size_t i, enum reason reason)
{
    return (struct ca_item){
        .number = (uint32_t)i, .issuer = CA_LIST_ISSUER, .serial = list.serials[i], .reason = reason};
}

static bool revoke_with(const struct settings_http *http, const struct ca_item *items, size_t n,
                        struct fault *f)
{
    struct ca_door *door;
    bool busy = true;
    *f = (struct fault){0};
    if (!open_with(http, &door, f))
        fail_msg("%s", f->text);
    door->answer = collect;
    count = 0;
    bool ok = door->ops->revoke(door, items, n, f);
    while (ok && busy) {
        ca_wait(door, 10000);
        ok = door->ops->step(door, &busy, f);
    }
    ca_close(door);
    assert_int_equal(count, n);
    return ok;
}

/* By somebody else with the same account; the time is the server's. */
static int64_t list_revoke(const struct serial *s, int64_t at, enum reason reason)
{
    struct ca_item one = {.issuer = CA_LIST_ISSUER, .serial = *s, .reason = reason};
    struct settings_http http = settings();
    struct fault f;
    (void)at;
    while (!serial_equal(&list.serials[one.number], s))
        one.number++;
    if (!revoke_with(&http, &one, 1, &f))
        fail_msg("%s", f.text);
    return list_row(s).at;
}

static void list_lose(bool on)
{
    proxy.drop_after = on ? "" : NULL;
}

static void list_kill(void)
{
    kill(server.pid, SIGSTOP); /* all it knows is in its memory */
}

static void list_start(void)
{
    kill(server.pid, SIGCONT);
}

static struct ca_list list = {
    .name = "acme",
    .count = 8,
    .reasons = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9,
    .keeps_first_date = true,
    .refuses = true,
    .needs_quiet = true,
    .reset = list_reset,
    .open = list_open,
    .row = list_row,
    .now = list_now,
    .races = true,
    .revoke = list_revoke,
    .lose_answers = list_lose,
    .kill = list_kill,
    .start = list_start,
};

/* --- what only ACME has --- */

static void expect(enum ca_outcome outcome)
{
    if (answers[0].outcome != outcome)
        fail_msg("outcome %d instead of %d: %s", answers[0].outcome, outcome, answers[0].text);
}

static void without_its_certificate_a_person_is_needed(void **state)
{
    (void)state;
    struct fault f;
    struct settings_http http = settings();
    list_reset();
    struct ca_item one = item(0, REASON_SUPERSEDED);
    http.certificates_dir = "/nonexistent";
    assert_true(revoke_with(&http, &one, 1, &f));
    expect(CA_PERSON);
    assert_non_null(strstr(answers[0].text, "/nonexistent/"));
    /* the file of another certificate */
    http = settings();
    one.serial = list.serials[1];
    assert_true(revoke_with(&http, &one, 1, &f));
    expect(CA_PERSON);
    assert_non_null(strstr(answers[0].text, "holds no certificate of this serial"));
    assert_false(list_row(&list.serials[0]).revoked || list_row(&list.serials[1]).revoked);
}

/* Names alone are not believed: same file, another CA. */
static void a_certificate_of_another_ca_is_not_sent(void **state)
{
    (void)state;
    struct fault f;
    struct settings_http http = settings();
    struct settings_issuer right = issuer;
    struct ca_item one = item(0, REASON_SUPERSEDED);
    issuer.certificate_file = server.ca_pem; /* a CA certificate, but not this one's */
    (void)revoke_with(&http, &one, 1, &f);
    issuer = right;
    expect(CA_PERSON);
    assert_false(list_row(&list.serials[0]).revoked);
}

static void another_account_stops(void **state)
{
    (void)state;
    struct fault f;
    struct settings_http http = settings();
    struct ca_item two[] = {item(0, REASON_SUPERSEDED), item(1, REASON_SUPERSEDED)};
    http.account_key_file = server.other_key;
    assert_false(revoke_with(&http, two, 2, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "unauthorized"));
    expect(CA_WAIT);
    /* and one that does not exist */
    http.account_key_file = server.subscriber_key;
    assert_false(revoke_with(&http, two, 2, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "accountDoesNotExist"));
    assert_false(list_row(&list.serials[0]).revoked || list_row(&list.serials[1]).revoked);
}

static void its_own_key_signs(void **state)
{
    (void)state;
    struct fault f;
    struct settings_http http = settings();
    char command[400], keys[STOCK_PATH + 32], hex[SERIAL_HEX_TEXT];
    struct ca_item one = item(0, REASON_KEY_COMPROMISE);
    snprintf(keys, sizeof keys, "%s/keys", server.folder);
    assert_int_equal(stock_run(server.folder, "mkdir -p keys"), 0);
    snprintf(command, sizeof command, "cp other.key keys/%s.key", serial_hex(&one.serial, hex));
    assert_int_equal(stock_run(server.folder, command), 0);
    http.account_key_file = NULL;
    http.keys_dir = keys;
    assert_true(revoke_with(&http, &one, 1, &f));
    expect(CA_PERSON);
    assert_non_null(strstr(answers[0].text, "is not the key of this certificate"));
    snprintf(command, sizeof command, "cp subscriber.key keys/%s.key", hex);
    assert_int_equal(stock_run(server.folder, command), 0);
    if (!revoke_with(&http, &one, 1, &f))
        fail_msg("%s", f.text);
    expect(CA_REVOKED_NOW);
    assert_int_equal(list_row(&one.serial).reason, REASON_KEY_COMPROMISE);
    /* no key, no account */
    one = item(1, REASON_KEY_COMPROMISE);
    assert_true(revoke_with(&http, &one, 1, &f));
    expect(CA_PERSON);
}

static void a_known_account_is_not_looked_up(void **state)
{
    (void)state;
    struct fault f;
    struct settings_http http = settings();
    list_reset();
    struct ca_item one = item(0, REASON_SUPERSEDED);
    http.account_url = server.account;
    if (!revoke_with(&http, &one, 1, &f))
        fail_msg("%s", f.text);
    expect(CA_REVOKED_NOW);
    http.url = "https://127.0.0.1:1/dir";
    one = item(1, REASON_SUPERSEDED);
    assert_false(revoke_with(&http, &one, 1, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    expect(CA_WAIT);
}

/* --- a made-up server --- */

struct world {
    struct fake_http http;
    int status;
    const char *headers, *body;
    int bad_nonces; /* so many of the next revocations are refused for their nonce */
    int revocations;
    bool close, no_nonce;
    int delay_ms;
};
static struct world fake;

static void handle(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    struct world *w = context;
    static int nonces;
    char headers[400], body[600];
    snprintf(headers, sizeof headers, "Replay-Nonce: n-%d_A\r\n%s", ++nonces, "");
    if (strstr(q->line, "/dir") != NULL) {
        snprintf(body, sizeof body,
                 "{\"newNonce\":\"%s/nonce\",\"newAccount\":\"%s/account\",\"revokeCert\":\"%s/revoke\"}",
                 w->http.url, w->http.url, w->http.url);
        fake_answer(reply, 200, "", body);
        return;
    }
    if (strstr(q->line, "/nonce") != NULL) {
        fake_answer(reply, 204, headers, "");
        return;
    }
    if (strstr(q->line, "/account") != NULL) {
        snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "Location: %s/account/1\r\n",
                 w->http.url);
        fake_answer(reply, 200, headers, "{\"status\":\"valid\"}");
        return;
    }
    assert_non_null(strstr(q->head, "Content-Type: application/jose+json"));
    w->revocations++;
    if (w->bad_nonces > 0) {
        w->bad_nonces--;
        fake_answer(reply, 400, headers,
                    "{\"type\":\"urn:ietf:params:acme:error:badNonce\",\"detail\":\"x\"}");
        return;
    }
    snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "%s", w->headers);
    fake_answer(reply, w->status, w->no_nonce ? w->headers : headers, w->body);
    reply->delay_ms = w->delay_ms;
    reply->close = w->close;
    if (w->close)
        buf_clear(&reply->bytes);
}

#define PROBLEM(type, detail) "{\"type\":\"urn:ietf:params:acme:error:" type "\",\"detail\":\"" detail "\"}"

static void answers_of_boulder_and_worse(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *headers, *body;
        enum ca_outcome outcome;
        enum fault_kind kind;
    } cases[] = {
        {200, "", "", CA_REVOKED_NOW, FAULT_NONE},
        {200, "", "<html>log in</html>", CA_ASK, FAULT_NONE},
        {400, "", PROBLEM("alreadyRevoked", "Certificate already revoked"), CA_REVOKED_BEFORE, FAULT_NONE},
        {404, "", PROBLEM("malformed", "No such certificate"), CA_UNKNOWN, FAULT_NONE},
        {400, "", PROBLEM("malformed", "Unable to find specified certificate."), CA_UNKNOWN, FAULT_NONE},
        {400, "", PROBLEM("malformed", "JWS verification error"), CA_WAIT, FAULT_CONFIG},
        {403, "", PROBLEM("unauthorized", "not your certificate"), CA_WAIT, FAULT_CONFIG},
        {400, "", PROBLEM("badRevocationReason", "no"), CA_WAIT, FAULT_CONFIG},
        {429, "Retry-After: 60\r\n", PROBLEM("rateLimited", "slow down"), CA_WAIT, FAULT_UNAVAILABLE},
        {503, "Retry-After: 60\r\n", "", CA_WAIT, FAULT_UNAVAILABLE},
        {500, "", PROBLEM("serverInternal", "oops"), CA_ASK, FAULT_NONE},
        {400, "", "{\"type\":\"about:blank\"}", CA_ASK, FAULT_NONE},
        {400, "", "not JSON \x1b[2J", CA_ASK, FAULT_NONE},
        {307, "Location: /elsewhere\r\n", "", CA_ASK, FAULT_NONE},
    };
    struct settings_http http = settings();
    char url[80];
    fake_http_start(&fake.http, 0, handle, &fake);
    snprintf(url, sizeof url, "%s/dir", fake.http.url);
    http.url = url;
    struct ca_item one = item(1, REASON_SUPERSEDED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault f;
        fake.status = cases[i].status;
        fake.headers = cases[i].headers;
        fake.body = cases[i].body;
        bool ok = revoke_with(&http, &one, 1, &f);
        expect(cases[i].outcome);
        assert_int_equal(ok, cases[i].kind == FAULT_NONE);
        assert_int_equal(f.kind, cases[i].kind);
        for (const char *p = answers[0].text; *p != '\0'; p++)
            assert_true(*p >= ' ' && *p < 0x7f);
    }
}

static void lost_slow_and_without_proof(void **state)
{
    (void)state;
    struct settings_http http = settings();
    struct fault f;
    char url[80];
    snprintf(url, sizeof url, "%s/dir", fake.http.url);
    http.url = url;
    struct ca_item one = item(1, REASON_SUPERSEDED);
    fake.status = 200;
    fake.headers = fake.body = "";
    fake.no_nonce = true; /* RFC 8555 6.5: a success brings a nonce */
    (void)revoke_with(&http, &one, 1, &f);
    expect(CA_ASK);
    fake.no_nonce = false;
    int before = fake.revocations;
    fake.close = true;
    (void)revoke_with(&http, &one, 1, &f);
    expect(CA_ASK);
    assert_int_equal(fake.revocations, before + 1); /* never twice by itself */
    fake.close = false;
    fake.delay_ms = 2500;
    (void)revoke_with(&http, &one, 1, &f);
    expect(CA_ASK);
    fake.delay_ms = 0;
    /* nonces: 19 refusals are borne, 20 are not */
    fake.bad_nonces = ACME_TRIES - 1;
    assert_true(revoke_with(&http, &one, 1, &f));
    expect(CA_REVOKED_NOW);
    fake.bad_nonces = ACME_TRIES;
    assert_false(revoke_with(&http, &one, 1, &f));
    expect(CA_WAIT);
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    fake.bad_nonces = 0;
    fake_http_stop(&fake.http);
    assert_false(revoke_with(&http, &one, 1, &f));
    expect(CA_WAIT);
}

/* A server that knows the account lets us in; another key is nobody there. */
static void probed_before_a_campaign(void **state)
{
    (void)state;
    struct ca_door *door;
    struct ca_probe p;
    struct fault f = {0};
    struct settings_http http = settings();
    assert_true(open_with(&http, &door, &f));
    assert_true(door->probe(door, &p, &f));
    ca_close(door);
    http.account_key_file = server.subscriber_key;
    assert_true(open_with(&http, &door, &f));
    assert_false(door->probe(door, &p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    ca_close(door);
    f = (struct fault){0};
    http = settings();
    http.url = "https://127.0.0.1:1/dir";
    assert_true(open_with(&http, &door, &f));
    assert_false(door->probe(door, &p, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    ca_close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_certificate_a_person_is_needed),
        cmocka_unit_test(a_certificate_of_another_ca_is_not_sent),
        cmocka_unit_test(another_account_stops),
        cmocka_unit_test(probed_before_a_campaign),
        cmocka_unit_test(its_own_key_signs),
        cmocka_unit_test(a_known_account_is_not_looked_up),
        cmocka_unit_test(answers_of_boulder_and_worse),
        cmocka_unit_test(lost_slow_and_without_proof),
    };
    if (!pebble_there()) {
        fprintf(stderr, "pebble is missing: scripts/install-deps check\n");
        return 1;
    }
    pebble_start(&server, REJECT);
    snprintf(certs, sizeof certs, "%s/certs", server.folder);
    issuer = (struct settings_issuer){.certificate_file = server.issuer_pem};
    drop_proxy_start(&proxy, server.port);
    snprintf(behind, sizeof behind, "https://127.0.0.1:%d/dir", proxy.port);
    int failed = ca_list_run(&list);
    failed += cmocka_run_group_tests_name("ca_acme", tests, NULL, NULL);
    drop_proxy_stop(&proxy);
    pebble_stop(&server);
    return failed;
}
