/* Does the http door with the shipped profile keep the contract on a real cfssl over PostgreSQL, when either
 * is stopped, killed and restarted in the middle? The database is asked behind the door's back. */
#include "../lib/ca_list.h"
#include "../lib/cfssl.h"
#include "../lib/drop_proxy.h"
#include "../lib/shell.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/crl_write.h"
#include "massrevoke/file.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT 3000
#define ISSUER CA_LIST_ISSUER

static struct cfssl ca;
static struct settings_issuer issuer;
static struct ca_door *door;
static struct ca_answer *answers[COUNT]; /* by number, NULL: none yet */
static struct ca_answer store[COUNT];
static size_t answer_count;

static struct utc now(void *s)
{
    (void)s;
    return (struct utc){time(NULL)};
}

static void collect(void *context, const struct ca_answer *all, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        assert_true(all[i].number < COUNT);
        assert_null(answers[all[i].number]); /* each once */
        store[all[i].number] = all[i];
        answers[all[i].number] = &store[all[i].number];
        answer_count++;
    }
}

static struct settings_http http_settings(void)
{
    return (struct settings_http){
        .profile = "cfssl", .url = ca.url, .record_conninfo = ca.conninfo, .timeout = {2}};
}

static bool open_with(const struct settings_http *http, struct fault *f)
{
    struct settings_ca s = {.name = "t",
                            .backend = "http",
                            .rate = {2000, 1},
                            .http = *http,
                            .issuers = &issuer,
                            .issuer_count = 1};
    ca_close(door);
    door = NULL;
    if (!ca_http_open(&s, ISSUER, (struct clock){.now = now}, &door, f))
        return false;
    door->answer = collect;
    return true;
}

static void reopen(void)
{
    struct fault f;
    struct settings_http http = http_settings();
    if (!open_with(&http, &f))
        fail_msg("%s", f.text);
}

static int make(void **state)
{
    (void)state;
    if (!cfssl_there())
        return 1;
    cfssl_make(&ca, COUNT);
    issuer.certificate_file = file_join(&ca.arena, ca.ca, "ca.pem");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    cfssl_free(&ca);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    cfssl_ask(&ca, "UPDATE certificates SET status = 'good', reason = 0, revoked_at = NULL");
    cfssl_start(&ca, false);
    reopen();
    return 0;
}

static int end(void **state)
{
    (void)state;
    ca_close(door);
    door = NULL;
    cfssl_kill(&ca);
    return 0;
}

/* --- helpers --- */

static struct ca_item item(size_t i, enum reason reason)
{
    return (struct ca_item){
        .number = (uint32_t)i, .issuer = ISSUER, .serial = ca.serials[i], .reason = reason};
}

static void forget(void)
{
    memset(answers, 0, sizeof answers);
    answer_count = 0;
}

/* One step when the door wants one, or after a moment. */
static bool step(bool *busy, struct fault *f)
{
    struct pollfd p = {.fd = door->fd, .events = POLLIN};
    (void)poll(&p, 1, 10);
    return door->ops->step(door, busy, f);
}

static bool settle(struct fault *f)
{
    bool busy = true, ok = true;
    while (ok && busy)
        ok = step(&busy, f);
    return ok;
}

static bool send_range(size_t from, size_t count, enum reason reason, struct fault *f)
{
    static struct ca_item items[COUNT];
    for (size_t i = 0; i < count; i++)
        items[i] = item(from + i, reason);
    forget();
    return door->ops->revoke(door, items, count, f);
}

static void ask_range(size_t from, size_t count)
{
    static struct ca_item items[COUNT];
    struct fault f = {0};
    for (size_t i = 0; i < count; i++)
        items[i] = item(from + i, REASON_UNSPECIFIED);
    forget();
    if (!door->ops->status(door, items, count, &f) || !settle(&f))
        fail_msg("%s", f.text);
    assert_int_equal(answer_count, count);
}

static void must_revoke(size_t from, size_t count, enum reason reason)
{
    struct fault f = {0};
    if (!send_range(from, count, reason, &f) || !settle(&f))
        fail_msg("%s", f.text);
    assert_int_equal(answer_count, count);
    for (size_t i = 0; i < count; i++)
        if (answers[from + i]->outcome != CA_REVOKED_NOW)
            fail_msg("%zu: outcome %d: %s", from + i, answers[from + i]->outcome, answers[from + i]->text);
}

/* What was answered in [0, count), against the database. */
static void agree_with_database(size_t count, size_t *revoked, size_t *asked)
{
    static bool is_revoked[COUNT];
    cfssl_revoked(&ca, is_revoked);
    *revoked = *asked = 0;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(answers[i]);
        enum ca_outcome outcome = answers[i]->outcome;
        *revoked += outcome == CA_REVOKED_NOW;
        *asked += outcome == CA_ASK;
        if (outcome == CA_REVOKED_NOW)
            assert_true(is_revoked[i]);
        else if (outcome == CA_WAIT)
            assert_false(is_revoked[i]);
        else
            assert_int_equal(outcome, CA_ASK);
    }
}

/* --- tests --- */

static void every_reason_every_serial(void **state)
{
    (void)state;
    static const int codes[] = {0, 1, 2, 3, 4, 5, 9, 10};
    int64_t before = time(NULL) - 1;
    for (size_t i = 0; i < 8; i++) {
        int code = -1;
        long long at = 0;
        must_revoke(i * 50, 50, (enum reason)codes[i]);
        for (size_t k = i * 50; k < i * 50 + 50; k += 7) {
            assert_int_equal(sscanf(cfssl_row(&ca, &ca.serials[k]), "revoked %d %lld", &code, &at), 2);
            assert_int_equal(code, codes[i]);
            assert_true(at >= before && at <= time(NULL) + 1);
        }
    }
    assert_int_equal(door->facts.reasons,
                     1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 10);
    assert_string_equal(cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked'"), "400");
    /* the other two of the eleven never leave */
    struct fault f = {0};
    assert_true(send_range(500, 1, REASON_CERTIFICATE_HOLD, &f) && settle(&f));
    assert_int_equal(answers[500]->outcome, CA_PERSON);
}

/* Why nothing may be sent there blind: the second request wins, date and reason. */
static void the_first_date_is_not_kept(void **state)
{
    (void)state;
    must_revoke(3, 1, REASON_KEY_COMPROMISE);
    cfssl_ask(&ca, "UPDATE certificates SET revoked_at = '2020-01-01Z' WHERE status = 'revoked'");
    assert_string_equal(cfssl_row(&ca, &ca.serials[3]), "revoked 1 1577836800");
    ask_range(3, 1);
    assert_int_equal(answers[3]->outcome, CA_REVOKED_BEFORE);
    assert_int_equal(answers[3]->at.s, 1577836800);
    must_revoke(3, 1, REASON_SUPERSEDED);
    assert_true(strncmp(cfssl_row(&ca, &ca.serials[3]), "revoked 4 ", 10) == 0);
    assert_false(door->facts.keeps_first_date);
    assert_true(door->facts.tells_status);
}

static void without_its_database_there_is_no_status(void **state)
{
    (void)state;
    struct fault f = {0};
    struct settings_http http = http_settings();
    struct ca_item one = item(0, REASON_SUPERSEDED);
    http.record_conninfo = NULL;
    assert_true(open_with(&http, &f));
    assert_false(door->facts.tells_status);
    assert_false(door->ops->status(door, &one, 1, &f));
    http.record_conninfo = "host=/nonexistent";
    assert_true(open_with(&http, &f));
    forget();
    assert_true(door->ops->status(door, &one, 1, &f));
    assert_false(settle(&f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_int_equal(answers[0]->outcome, CA_WAIT);
    /* a question to the wrong tables is a person's business */
    http.record_conninfo =
        arena_format(&ca.arena, "%s application_name=x options='-c search_path=public'", ca.conninfo);
    assert_true(open_with(&http, &f));
    forget();
    assert_true(door->ops->status(door, &one, 1, &f));
    assert_false(settle(&f));
    assert_int_equal(f.kind, FAULT_CONFIG);
}

/* --- its database hangs --- */

/* Queues n questions from `from` on; nothing is forgotten. */
static void queue_questions(size_t from, size_t n)
{
    static struct ca_item items[COUNT];
    struct fault f = {0};
    for (size_t i = 0; i < n; i++)
        items[i] = item(from + i, REASON_UNSPECIFIED);
    if (!door->ops->status(door, items, n, &f))
        fail_msg("%s", f.text);
}

/* Questions that get no answer, then requests behind them: these are answered all the same. */
static void requests_pass_questions(size_t asked, size_t sent)
{
    struct fault f = {0};
    bool busy = true;
    assert_true(send_range(COUNT - sent, 1, REASON_SUPERSEDED, &f));
    queue_questions(0, asked); /* more than one batch of them */
    static struct ca_item items[COUNT];
    for (size_t i = 1; i < sent; i++)
        items[i - 1] = item(COUNT - sent + i, REASON_SUPERSEDED);
    assert_true(door->ops->revoke(door, items, sent - 1, &f));
    while (answer_count < sent)
        if (!step(&busy, &f) || !busy)
            fail_msg("%zu of %zu were answered: %s", answer_count, sent, f.text);
    for (size_t i = 0; i < asked; i++)
        assert_null(answers[i]);
    for (size_t i = COUNT - sent; i < COUNT; i++)
        assert_int_equal(answers[i]->outcome, CA_REVOKED_NOW);
}

static void signal_our_session(int signal)
{
    pid_t pid = (pid_t)strtol(
        cfssl_ask(&ca, "SELECT pid FROM pg_stat_activity WHERE application_name = 'massrevoke'"), NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, signal), 0);
}

/* What serves our session is stopped, and cfssl's own sessions go on. */
static void a_question_that_hangs_holds_up_no_request(void **state)
{
    (void)state;
    struct fault f = {0};
    must_revoke(7, 1, REASON_KEY_COMPROMISE);
    ask_range(0, 10);
    signal_our_session(SIGSTOP);
    requests_pass_questions(1500, 400);
    signal_our_session(SIGCONT);
    assert_true(settle(&f));
    assert_int_equal(answer_count, 1900);
    for (size_t i = 0; i < 1500; i++)
        assert_int_equal(answers[i]->outcome, i == 7 ? CA_REVOKED_BEFORE : CA_NOT_REVOKED);
}

/* A server that takes the connection and says nothing: given up in time, and nothing was asked. */
static void a_database_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct fault f = {0};
    struct settings_http http = http_settings();
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &length) == 0);
    http.record_conninfo =
        arena_format(&ca.arena, "host=127.0.0.1 port=%d user=x dbname=x sslmode=disable", ntohs(at.sin_port));
    assert_true(open_with(&http, &f));
    requests_pass_questions(1500, 400);
    assert_false(settle(&f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_int_equal(answer_count, 1900);
    for (size_t i = 0; i < 1500; i++)
        assert_int_equal(answers[i]->outcome, CA_WAIT);
    assert_non_null(strstr(answers[0]->text, "the CA's database"));
    close(fd);
}

/* The session is gone, and the first question after that makes a new one. */
static void a_restart_of_its_database_is_noticed(void **state)
{
    (void)state;
    ask_range(0, 10);
    cfssl_database_crash(&ca);
    cfssl_database_start(&ca);
    ask_range(0, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(answers[i]->outcome, CA_NOT_REVOKED);
}

/* The role may write and the query tries to: the session forbids it from its first statement on. */
static void questions_never_write(void **state)
{
    (void)state;
    struct fault f = {0};
    struct str bytes;
    struct settings_http http = http_settings();
    AUTO_BUF profile = {0};
    cfssl_ask(&ca, "CREATE OR REPLACE FUNCTION spoil() RETURNS boolean LANGUAGE sql AS "
                   "'UPDATE certificates SET reason = 9; SELECT true'");
    if (!file_read("plans/backends/cfssl.cfg", 1 << 20, &ca.arena, &bytes, &f))
        fail_msg("%s", f.text);
    const char *text = arena_copy(&ca.arena, bytes.p, bytes.n), *where = strstr(text, "WHERE");
    assert_non_null(where);
    buf_add(&profile, text, (size_t)(where - text));
    buf_format(&profile, "WHERE spoil() AND %s", where + 6);
    stock_write(ca.folder, "spoil.cfg", buf_str(&profile));
    http.profile = file_join(&ca.arena, ca.folder, "spoil.cfg");
    if (!open_with(&http, &f))
        fail_msg("%s", f.text);
    forget();
    queue_questions(0, 1);
    assert_false(settle(&f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "read-only"));
    assert_string_equal(cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE reason = 9"), "0");
    cfssl_ask(&ca, "DROP FUNCTION spoil");
}

/* Debian's build writes an empty authority key identifier. */
static void an_empty_key_identifier(void **state)
{
    (void)state;
    struct fault f = {0};
    struct settings_http http = http_settings();
    cfssl_ask(&ca, "UPDATE certificates SET authority_key_identifier = ''");
    assert_true(send_range(0, 1, REASON_SUPERSEDED, &f) && settle(&f));
    assert_int_equal(answers[0]->outcome, CA_UNKNOWN);
    http.authority_key = "";
    assert_true(open_with(&http, &f));
    must_revoke(0, 2, REASON_SUPERSEDED);
    ask_range(0, 3);
    assert_int_equal(answers[1]->outcome, CA_REVOKED_BEFORE);
    assert_int_equal(answers[2]->outcome, CA_NOT_REVOKED);
    cfssl_ask(&ca,
              arena_format(&ca.arena, "UPDATE certificates SET authority_key_identifier = '%s'", ca.aki));
}

/* The answer is lost, the status says "not revoked", and then the old request is executed. */
static void an_old_request_runs_after_the_question(void **state)
{
    (void)state;
    struct fault f = {0};
    must_revoke(9, 1, REASON_SUPERSEDED); /* a connection that is kept */
    cfssl_signal(&ca, SIGSTOP);
    assert_true(send_range(10, 1, REASON_SUPERSEDED, &f));
    (void)!settle(&f);
    assert_int_equal(answers[10]->outcome, CA_ASK);
    ask_range(10, 1);
    assert_int_equal(answers[10]->outcome, CA_NOT_REVOKED);
    cfssl_signal(&ca, SIGCONT);
    for (int i = 0; i < 100 && cfssl_row(&ca, &ca.serials[10])[0] != 'r'; i++)
        poll(NULL, 0, 20);
    ask_range(10, 1);
    assert_int_equal(answers[10]->outcome, CA_REVOKED_BEFORE);
    assert_true(door->facts.quiet.s >= 10);
}

/* Sends everything, breaks something when a part is answered, and compares with the database afterwards. */
static void broken_in_the_middle(void (*destroy)(struct cfssl *c), void (*mend)(struct cfssl *c))
{
    struct fault f = {0};
    bool busy = true, ok = true, broken = false;
    size_t revoked, asked, left;
    assert_true(send_range(0, COUNT, REASON_SUPERSEDED, &f));
    while (ok && busy) {
        ok = step(&busy, &f);
        if (!broken && answer_count > COUNT / 4) {
            destroy(&ca);
            broken = true;
        }
    }
    assert_false(ok);
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_int_equal(answer_count, COUNT);
    mend(&ca);
    agree_with_database(COUNT, &revoked, &asked);
    assert_true(revoked >= COUNT / 4 && revoked < COUNT);
    print_message("answered %zu, to be asked about %zu, not sent %zu\n", revoked, asked,
                  COUNT - revoked - asked);
    /* ours starts anew as well, asks about everything, and sends only what is not revoked */
    cfssl_ask(&ca, "CREATE TABLE kept AS SELECT * FROM certificates WHERE status = 'revoked'");
    reopen();
    ask_range(0, COUNT);
    struct ca_item *items = arena_array(&ca.arena, COUNT, sizeof *items);
    left = 0;
    for (size_t i = 0; i < COUNT; i++)
        if (answers[i]->outcome == CA_NOT_REVOKED)
            items[left++] = item(i, REASON_SUPERSEDED);
    forget();
    if (!door->ops->revoke(door, items, left, &f) || !settle(&f))
        fail_msg("%s", f.text);
    assert_string_equal(
        cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked' AND reason = 4"), "3000");
    assert_string_equal(cfssl_ask(&ca,
                                  "SELECT count(*) FROM kept JOIN certificates c USING (serial_number) WHERE "
                                  "c.revoked_at <> kept.revoked_at OR c.reason <> kept.reason"),
                        "0");
    cfssl_ask(&ca, "DROP TABLE kept");
}

static void kill_cfssl(struct cfssl *c)
{
    cfssl_kill(c);
}

static void start_cfssl(struct cfssl *c)
{
    cfssl_start(c, false);
}

static void cfssl_is_killed(void **state)
{
    (void)state;
    broken_in_the_middle(kill_cfssl, start_cfssl);
}

static void its_database_crashes(void **state)
{
    (void)state;
    broken_in_the_middle(cfssl_database_crash, cfssl_database_start);
}

static void mutual_tls(void **state)
{
    (void)state;
    struct fault f = {0};
    cfssl_kill(&ca);
    cfssl_start(&ca, true);
    cfssl_client(&ca, "stranger");
    struct settings_http http = http_settings();
    http.ca_file = file_join(&ca.arena, ca.folder, "server.pem");
    http.client_certificate_file = file_join(&ca.arena, ca.folder, "revoker.pem");
    http.client_key_file = file_join(&ca.arena, ca.folder, "revoker.key");
    assert_true(open_with(&http, &f));
    must_revoke(0, 200, REASON_SUPERSEDED);
    /* somebody else's certificate: nothing more is sent */
    http.client_certificate_file = file_join(&ca.arena, ca.folder, "stranger.pem");
    http.client_key_file = file_join(&ca.arena, ca.folder, "stranger.key");
    assert_true(open_with(&http, &f));
    assert_true(send_range(200, 200, REASON_SUPERSEDED, &f));
    assert_false(settle(&f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    for (size_t i = 200; i < 400; i++)
        assert_int_equal(answers[i]->outcome, CA_WAIT);
    /* a server we do not trust gets nothing at all */
    http.ca_file = file_join(&ca.arena, ca.folder, "client-ca.pem");
    assert_true(open_with(&http, &f));
    assert_true(send_range(200, 3, REASON_SUPERSEDED, &f));
    assert_false(settle(&f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_int_equal(answers[200]->outcome, CA_WAIT);
    http.ca_file = file_join(&ca.arena, ca.folder, "none.pem");
    assert_false(open_with(&http, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_string_equal(cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked'"), "200");
}

/* Schemas made by hand often use text. */
static void text_columns_do_too(void **state)
{
    (void)state;
    cfssl_ask(&ca, "ALTER TABLE certificates ALTER serial_number TYPE text USING convert_from(serial_number, "
                   "'UTF8'), ALTER authority_key_identifier TYPE text USING "
                   "convert_from(authority_key_identifier, 'UTF8'), ALTER status TYPE text USING "
                   "convert_from(status, 'UTF8')");
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    must_revoke(0, COUNT, REASON_SUPERSEDED);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    print_message("%d revocations in %.2f s: %.0f/s\n", COUNT, s, COUNT / s);
    ask_range(0, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(answers[i]->outcome, CA_REVOKED_BEFORE);
}

/* --- its CRL and its OCSP --- */

static const char *crl_text(void)
{
    static struct buf out;
    assert_int_equal(SHELL(ca.ca, &out, "openssl", "crl", "-inform", "DER", "-in", "pub/ca.crl", "-noout",
                           "-text", "-CAfile", "ca.pem"),
                     0);
    assert_non_null(strstr(out.p, "verify OK"));
    return out.p;
}

/* cfssl's own CRL has no reasons, no number and dates of today (facts of backends 1.2): ours comes from its
 * database. */
static void its_crl_is_ours(void **state)
{
    (void)state;
    struct fault f = {0};
    struct settings_http http = http_settings();
    char hex[SERIAL_HEX_TEXT];
    must_revoke(0, 20, REASON_KEY_COMPROMISE);
    must_revoke(20, 5, REASON_UNSPECIFIED);
    assert_false(door->facts.can_publish);
    assert_false(door->ops->publish(door, ISSUER, now(NULL), &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    issuer = (struct settings_issuer){.certificate_file = file_join(&ca.arena, ca.ca, "ca.pem"),
                                      .key_file = file_join(&ca.arena, ca.ca, "private/ca.key"),
                                      .crl_number_file = file_join(&ca.arena, ca.ca, "crlnumber"),
                                      .crl_file = file_join(&ca.arena, ca.ca, "pub/ca.crl")};
    assert_true(open_with(&http, &f));
    assert_true(door->facts.can_publish);
    for (int i = 0; i < 2; i++)
        if (!ca_list_publish(door, now(NULL), &f))
            fail_msg("%s", f.text);
    const char *text = crl_text();
    size_t entries = 0, reasons = 0;
    for (const char *p = text; (p = strstr(p, "Serial Number:")) != NULL; p++)
        entries++;
    for (const char *p = text; (p = strstr(p, "Key Compromise")) != NULL; p++)
        reasons++;
    assert_int_equal(entries, 25);
    assert_int_equal(reasons, 20);
    assert_non_null(strstr(text, serial_hex(&ca.serials[24], hex)));
    struct serial number; /* the CRL that stood there had 1 */
    struct str crl;
    AUTO_ARENA a = {0};
    assert_true(file_read(file_join(&a, ca.ca, "pub/ca.crl"), 1 << 20, &a, &crl, &f) &&
                crl_number(crl, &number));
    assert_int_equal(number.bytes[0], 3);
    issuer = (struct settings_issuer){.certificate_file = issuer.certificate_file};
}

/* What the responder says of certificate i; it reads its file only when it starts. */
static const char *ocsp_says(size_t i, int port)
{
    static struct buf out;
    char hex[SERIAL_HEX_TEXT];
    const char *serial = arena_format(&ca.arena, "0x%s", serial_hex(&ca.serials[i], hex));
    const char *url = arena_format(&ca.arena, "http://127.0.0.1:%d", port);
    SHELL(ca.folder, &out, "openssl", "ocsp", "-issuer", "ca/ca.pem", "-serial", serial, "-url", url,
          "-no_nonce", "-CAfile", "ca/ca.pem", "-VAfile", "ca/ocsp.pem");
    return strstr(out.p, ": revoked") != NULL ? "revoked" : strstr(out.p, ": good") != NULL ? "good" : out.p;
}

static void run_ocsp_tool(const char *command)
{
    AUTO_BUF out = {0};
    if (SHELL(ca.folder, &out, "sh", "-c", command) != 0)
        fail_msg("%s: %s", command, out.p);
}

/* Refreshed, dumped and served again: only then the responder knows of a revocation. */
static pid_t restart_ocsp(pid_t old, int port)
{
    stock_stop(old);
    run_ocsp_tool("cfssl ocsprefresh -db-config db.json -ca ca/ca.pem -responder ca/ocsp.pem -responder-key "
                  "ca/private/ocsp.key -loglevel 2");
    run_ocsp_tool("cfssl ocspdump -db-config db.json -loglevel 2 >ocsp.txt");
    pid_t pid = stock_start(ca.folder, arena_format(&ca.arena,
                                                    "cfssl ocspserve -port %d -address 127.0.0.1 -responses "
                                                    "ocsp.txt -loglevel 2",
                                                    port));
    assert_true(stock_wait_port(port));
    return pid;
}

static void its_ocsp_follows_only_when_told(void **state)
{
    (void)state;
    int port = stock_port();
    run_ocsp_tool(
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ocsp -keyout "
        "ca/private/ocsp.key -out ocsp.csr && echo extendedKeyUsage=OCSPSigning >ocsp.ext && "
        "openssl x509 -req -in ocsp.csr -CA ca/ca.pem -CAkey ca/private/ca.key -set_serial 77 -days 20 "
        "-extfile ocsp.ext -out ca/ocsp.pem");
    /* refreshing signs an answer for every certificate in the table: real ones, a few */
    cfssl_with_certificates(&ca, 3);
    pid_t pid = restart_ocsp(0, port);
    assert_string_equal(ocsp_says(0, port), "good");
    must_revoke(0, 1, REASON_SUPERSEDED);
    assert_string_equal(ocsp_says(0, port), "good");
    pid = restart_ocsp(pid, port);
    assert_string_equal(ocsp_says(0, port), "revoked");
    assert_string_equal(ocsp_says(1, port), "good");
    stock_stop(pid);
    cfssl_ask(&ca, "DELETE FROM ocsp_responses");
    cfssl_with_certificates(&ca, ca.count);
}

/* --- the list of all doors --- */

static struct drop_proxy proxy;

static void list_reset(void)
{
    proxy.drop_after = NULL;
    cfssl_ask(&ca, "UPDATE certificates SET status = 'good', reason = 0, revoked_at = NULL");
}

static bool list_open(struct ca_door **out, struct fault *f)
{
    struct settings_http http = http_settings();
    http.url = arena_format(&ca.arena, "http://127.0.0.1:%d", proxy.port);
    bool ok = open_with(&http, f);
    *out = door;
    door = NULL; /* the list's */
    return ok;
}

static struct utc list_now(void)
{
    return now(NULL);
}

static struct ca_list_row list_row(const struct serial *s)
{
    int reason = -1;
    long long at = 0;
    bool revoked = sscanf(cfssl_row(&ca, s), "revoked %d %lld", &reason, &at) == 2;
    return (struct ca_list_row){revoked, revoked ? at : 0, revoked ? reason : -1};
}

static int64_t list_revoke(const struct serial *s, int64_t at, enum reason reason)
{
    char digits[SERIAL_DECIMAL_TEXT];
    cfssl_ask(&ca, arena_format(&ca.arena,
                                "UPDATE certificates SET status = 'revoked', reason = %d, revoked_at = "
                                "to_timestamp(%lld) WHERE serial_number = '%s'",
                                (int)reason, (long long)at, serial_decimal(s, digits)));
    return at;
}

static void list_lose(bool on)
{
    proxy.drop_after = on ? "POST" : NULL;
}

static void list_kill(void)
{
    cfssl_kill(&ca);
}

static void list_start(void)
{
    cfssl_start(&ca, false);
}

static struct ca_list list = {
    .name = "cfssl",
    .count = 12,
    .reasons = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 10,
    .tells_status = true,
    .tells_unknown = true,
    .needs_quiet = true,
    .reset = list_reset,
    .open = list_open,
    .row = list_row,
    .now = list_now,
    .revoke = list_revoke,
    .lose_answers = list_lose,
    .kill = list_kill,
    .start = list_start,
};

/* Serials of every form are made up; the others are of the CA. */
static int run_list(void)
{
    ca_list_serials(list.serials, 3);
    memcpy(list.serials + 3, ca.serials, (list.count - 3) * sizeof *list.serials);
    for (size_t i = 0; i < 3; i++) {
        char digits[SERIAL_DECIMAL_TEXT];
        cfssl_ask(
            &ca, arena_format(&ca.arena,
                              "INSERT INTO certificates VALUES ('%s','%s','','good',0,'2036-01-01',NULL,'-')",
                              serial_decimal(&list.serials[i], digits), ca.aki));
    }
    cfssl_start(&ca, false);
    drop_proxy_start(&proxy, ca.port);
    int failed = ca_list_run(&list);
    drop_proxy_stop(&proxy);
    cfssl_kill(&ca);
    cfssl_with_certificates(&ca, ca.count);
    return failed;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(every_reason_every_serial),
        TEST(the_first_date_is_not_kept),
        TEST(without_its_database_there_is_no_status),
        TEST(a_question_that_hangs_holds_up_no_request),
        TEST(a_database_that_says_nothing_is_given_up),
        TEST(a_restart_of_its_database_is_noticed),
        TEST(questions_never_write),
        TEST(an_empty_key_identifier),
        TEST(an_old_request_runs_after_the_question),
        TEST(cfssl_is_killed),
        TEST(its_database_crashes),
        TEST(its_crl_is_ours),
        TEST(its_ocsp_follows_only_when_told),
        TEST(mutual_tls),
        TEST(text_columns_do_too),
    };
    void *unused = NULL;
    if (make(&unused) != 0)
        return 1;
    int failed = run_list() + cmocka_run_group_tests(tests, NULL, NULL);
    unmake(&unused);
    return failed;
}
