/* TLS before a real nginx that takes few connections, few streams at a time, and ends each connection after
 * so many requests: is it really HTTP/2 when that is said, over no more connections than said, and does each
 * certificate get the outcome that its own answer means, once? And what is never spoken, whatever a server
 * takes: TLS before 1.2, HTTP/2 without TLS. */
#include "../lib/stock.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define COUNT 2000
#define CONNECTIONS 2
#define AT_ONCE 40   /* more than the server's streams of its connections */
#define STREAMS 8    /* of a connection at a time */
#define REQUESTS 300 /* after which the server ends a connection */

static const char profile_text[] =
    "version = 1;\nname = \"two\";\nkeeps_first_date = true;\nquiet = \"60s\";\nconcurrency = 40;\n"
    "reasons = ( { reason = \"superseded\"; word = \"superseded\"; } );\n"
    "revoke = {\n  method = \"POST\";\n  path = \"/revoke/{serial.hex}\";\n"
    "  headers = [ \"Content-Type: application/json\" ];\n  body = "
    "\"{\\\"reason\\\":\\\"{reason.name}\\\"}\";\n"
    "  answers = (\n    { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked\"; },\n"
    "    { http = 404; contains = \"no such\"; outcome = \"unknown\"; },\n    { http = 409; contains = "
    "\"already\"; outcome = \"revoked_before\"; }\n  "
    ");\n};\n"
    "status = {\n  method = \"GET\";\n  path = \"/status/{serial.hex}\";\n"
    "  answers = ( { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked_before\"; } "
    ");\n};\n";

/* The answer goes by the last digit of the serial. What follows the address of `listen` is each test's. */
static const char nginx_text[] =
    "daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/error.log crit;\n"
    "events { worker_connections 64; }\nhttp {\n  log_format one '$server_protocol $connection $status "
    "$uri [$http_upgrade$http_http2_settings]';\n"
    "  access_log %s/access.log one;\n  keepalive_requests %d;\n  http2_max_concurrent_streams %d;\n"
    "  client_body_temp_path %s;\n  proxy_temp_path %s;\n  fastcgi_temp_path %s;\n  uwsgi_temp_path %s;\n"
    "  scgi_temp_path %s;\n  default_type application/json;\n  server {\n    listen 127.0.0.1:%d %s;\n"
    "    ssl_certificate %s/server.pem;\n    ssl_certificate_key %s/server.key;\n"
    "    location ~ ^/revoke/.*[0-9]$ { return 200 '{\"success\":true}'; }\n"
    "    location ~ ^/revoke/.*[Aa]$ { return 404 'no such'; }\n"
    "    location ~ ^/revoke/.*[Bb]$ { return 409 'already'; }\n"
    "    location ~ ^/revoke/.*[Cc]$ { return 500 '{}'; }\n"
    "    location ~ ^/revoke/ { return 200 'garbage'; }\n  }\n}\n";

struct bed {
    char folder[STOCK_PATH], ca_file[STOCK_PATH + 16], profile[STOCK_PATH + 16], url[64];
    pid_t nginx;
    struct ca_door *door;
    int answered[COUNT];
    enum ca_outcome outcomes[COUNT];
    size_t count;
};

static struct utc now(void *s)
{
    (void)s;
    return (struct utc){time(NULL)};
}

static void collect(void *context, const struct ca_answer *answers, size_t count)
{
    struct bed *b = context;
    for (size_t i = 0; i < count; i++) {
        assert_true(answers[i].number < COUNT);
        b->answered[answers[i].number]++;
        b->outcomes[answers[i].number] = answers[i].outcome;
    }
    b->count += count;
}

static void start(struct bed *b, const char *listen)
{
    AUTO_ARENA a = {0};
    const char *d = b->folder;
    int port = stock_port();
    stock_folder(b->folder);
    snprintf(b->ca_file, sizeof b->ca_file, "%s/server.pem", d);
    snprintf(b->profile, sizeof b->profile, "%s/two.cfg", d);
    snprintf(b->url, sizeof b->url, "%s://127.0.0.1:%d", strncmp(listen, "ssl", 3) == 0 ? "https" : "http",
             port);
    stock_write(d, "two.cfg", str_of(profile_text));
    stock_write(
        d, "nginx.conf",
        str_of(arena_format(&a, nginx_text, d, d, d, REQUESTS, STREAMS, d, d, d, d, d, port, listen, d, d)));
    assert_true(stock_server_certificate(d));
    b->nginx = stock_start(d, arena_format(&a, "nginx -p %s -c nginx.conf", d));
    assert_true(stock_wait_port(port));
}

static void open_door(struct bed *b, int connections)
{
    struct settings_issuer issuer = {.certificate_file = b->ca_file, .name = "CN=127.0.0.1"};
    struct settings_ca s = {.name = "t",
                            .backend = "http",
                            .rate = {100000, 1},
                            .concurrency = AT_ONCE,
                            .http = {.profile = b->profile,
                                     .url = b->url,
                                     .ca_file = b->ca_file,
                                     .connections = connections,
                                     .timeout = {10}},
                            .issuers = &issuer,
                            .issuer_count = 1};
    struct fault f = {0};
    if (!ca_http_open(&s, 0, (struct clock){.now = now}, &b->door, &f))
        fail_msg("%s", f.text);
    b->door->answer = collect;
    b->door->answer_context = b;
}

static int begin(void **state, const char *listen, int connections)
{
    struct bed *b = calloc(1, sizeof *b);
    *state = b;
    if (b == NULL)
        return 1;
    const char *path = getenv("PATH");
    char more[4096]; /* nginx is not on a plain user's PATH in Debian */
    snprintf(more, sizeof more, "%s:/usr/sbin", path == NULL ? "/usr/bin" : path);
    setenv("PATH", more, 1);
    if (stock_run("/", "nginx -v") == 127)
        return 0;
    start(b, listen);
    open_door(b, connections);
    return 0;
}

static int begin_two(void **state)
{
    return begin(state, "ssl http2", CONNECTIONS);
}

static int begin_one(void **state)
{
    return begin(state, "ssl", CONNECTIONS);
}

static int begin_apart(void **state)
{
    return begin(state, "ssl", 0);
}

static int begin_plain(void **state)
{
    return begin(state, "", CONNECTIONS);
}

static int begin_old_tls(void **state)
{
    return begin(state, "ssl; ssl_protocols TLSv1 TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0", CONNECTIONS);
}

static int end(void **state)
{
    struct bed *b = *state;
    ca_close(b->door);
    if (b->nginx != 0) {
        stock_stop(b->nginx);
        stock_remove(b->folder);
    }
    free(b);
    return 0;
}

/* Serials that end in each hexadecimal digit alike, as the engine hands them out: as many as there is room
 * for. */
static void revoke_all(struct bed *b)
{
    struct ca_item items[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        items[i] = (struct ca_item){.number = i,
                                    .serial = {.n = 2, .bytes = {(uint8_t)(0x40 + (i >> 8)), (uint8_t)i}},
                                    .reason = REASON_SUPERSEDED};
    for (size_t sent = 0; b->count < COUNT;) {
        struct fault f = {0};
        bool busy;
        size_t room = b->door->facts.window - (sent - b->count), left = COUNT - sent,
               n = room < left ? room : left;
        if (n > 0 && !b->door->ops->revoke(b->door, items + sent, n, &f))
            fail_msg("%s", f.text);
        sent += n;
        struct pollfd p = {.fd = b->door->fd, .events = POLLIN};
        if (n == 0)
            poll(&p, 1, 1000);
        if (!b->door->ops->step(b->door, &busy, &f))
            fail_msg("%s", f.text);
    }
}

static enum ca_outcome wanted(uint32_t number)
{
    static const enum ca_outcome odd[] = {CA_UNKNOWN, CA_REVOKED_BEFORE, CA_ASK, CA_ASK, CA_ASK, CA_ASK};
    return number % 16 < 10 ? CA_REVOKED_NOW : odd[number % 16 - 10];
}

struct seen {
    int requests, serials, by_two, connections, upgrades;
};

/* What nginx wrote down. */
static struct str log_text(const struct bed *b, struct arena *a)
{
    struct fault f = {0};
    struct str text;
    if (!file_read(arena_format(a, "%s/access.log", b->folder), 1 << 24, a, &text, &f))
        fail_msg("%s", f.text);
    return text;
}

/* The same, counted. */
static struct seen read_log(struct bed *b)
{
    AUTO_ARENA a = {0};
    struct str text = log_text(b, &a);
    static bool known[65536], sent[65536];
    struct seen s = {0};
    memset(known, 0, sizeof known);
    memset(sent, 0, sizeof sent);
    for (const char *line = text.p; line < text.p + text.n; line = strchr(line, '\n') + 1) {
        char protocol[16], upgrade[80];
        long connection;
        unsigned serial;
        if (sscanf(line, "%15s %ld %*d /revoke/%x %79s", protocol, &connection, &serial, upgrade) != 4 ||
            serial >= sizeof sent)
            fail_msg("%.80s", line);
        s.requests++;
        s.serials += !sent[serial];
        sent[serial] = true;
        s.by_two += strcmp(protocol, "HTTP/2.0") == 0;
        s.upgrades += strcmp(upgrade, "[--]") != 0; /* neither header */
        assert_in_range(connection, 0, sizeof known - 1);
        s.connections += !known[connection];
        known[connection] = true;
    }
    return s;
}

static int lines_of_log(const struct bed *b)
{
    AUTO_ARENA a = {0};
    struct str text = log_text(b, &a);
    int n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* The same once it is complete: the server answers before it has heard the whole body and writes its line
 * behind that, which its end would cut off. It is not started again. */
static struct seen whole_log(struct bed *b, int requests)
{
    for (int i = 0; i < 200 && lines_of_log(b) < requests; i++)
        (void)poll(NULL, 0, 10);
    stock_stop(b->nginx);
    struct seen s = read_log(b);
    b->nginx = stock_start(b->folder, "true");
    return s;
}

/* How many are in doubt although they were answered, or would have been. */
static int check_outcomes(const struct bed *b)
{
    int doubt = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        if (b->answered[i] == 1 && b->outcomes[i] == CA_ASK && wanted(i) != CA_ASK) {
            doubt++;
            continue;
        }
        if (b->answered[i] != 1 || b->outcomes[i] != wanted(i))
            fail_msg("certificate %u: %d answers, outcome %d, wanted %d", i, b->answered[i], b->outcomes[i],
                     wanted(i));
    }
    return doubt;
}

static void few_connections_carry_all(void **state)
{
    struct bed *b = *state;
    if (b->nginx == 0)
        skip();
    revoke_all(b);
    /* a stream that the end of its connection turned away may go again by libcurl's own word, which it must
     * not: it is asked about, and only what was open on a connection that ended can be */
    assert_in_range(check_outcomes(b), 0, (COUNT / REQUESTS + 1) * CONNECTIONS * STREAMS);
    struct seen s = whole_log(b, COUNT);
    assert_int_equal(s.by_two, s.requests);
    assert_int_equal(s.requests, s.serials); /* none was sent twice */
    /* as many as the server's ends need, and the open ones */
    assert_in_range(s.connections, COUNT / REQUESTS, COUNT / REQUESTS + 2 * CONNECTIONS);
}

/* HTTP/1.1, a connection for each at a time. The server says beforehand which answer is a connection's last,
 * so nothing is in doubt. */
static void one_connection_for_each_at_a_time(void **state)
{
    struct bed *b = *state;
    if (b->nginx == 0)
        skip();
    revoke_all(b);
    assert_int_equal(check_outcomes(b), 0);
    struct seen s = whole_log(b, COUNT);
    assert_int_equal(s.by_two, 0);
    assert_int_equal(s.requests, COUNT);
    assert_int_equal(s.serials, COUNT);
    assert_in_range(s.connections, COUNT / REQUESTS, COUNT / REQUESTS + AT_ONCE);
}

/* A server that speaks HTTP/1.1 only is served by as many connections as were allowed. */
static void an_older_server_is_served(void **state)
{
    struct bed *b = *state;
    if (b->nginx == 0)
        skip();
    revoke_all(b);
    assert_int_equal(check_outcomes(b), 0);
    struct seen s = read_log(b);
    assert_int_equal(s.by_two, 0);
}

/* Without TLS it is HTTP/1.1 from the first request on, and no other is asked for. */
static void never_two_without_tls(void **state)
{
    struct bed *b = *state;
    if (b->nginx == 0)
        skip();
    revoke_all(b);
    assert_int_equal(check_outcomes(b), 0);
    struct seen s = whole_log(b, COUNT);
    assert_int_equal(s.requests, COUNT);
    assert_int_equal(s.by_two, 0);
    assert_int_equal(s.upgrades, 0);
}

/* An answer to a client that speaks no more than TLS 1.1. */
static bool answers_old_clients(const struct bed *b)
{
    AUTO_ARENA a = {0};
    stock_write(b->folder, "old.sh",
                str_of(arena_format(&a,
                                    "printf 'GET /revoke/A HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet "
                                    "-tls1_1 -cipher DEFAULT@SECLEVEL=0 -connect %s | grep 'no such'\n",
                                    b->url + strlen("https://"))));
    return stock_run(b->folder, "sh old.sh") == 0;
}

/* The client's OpenSSL would do it (main): it is our own limit, of the connections that libcurl uses as of
 * those that it only opens. */
static void no_tls_before_1_2(void **state)
{
    struct bed *b = *state;
    struct ca_item one = {.serial = {.n = 2, .bytes = {0x40, 0}}, .reason = REASON_SUPERSEDED};
    if (b->nginx == 0)
        skip();
    assert_true(answers_old_clients(b));
    for (int connections = 0; connections <= CONNECTIONS; connections += CONNECTIONS) {
        struct fault f = {0};
        struct ca_probe probe;
        bool busy = true;
        ca_close(b->door);
        open_door(b, connections);
        b->count = 0;
        bool ok = b->door->ops->revoke(b->door, &one, 1, &f);
        while (ok && busy) {
            ca_wait(b->door, 1000);
            ok = b->door->ops->step(b->door, &busy, &f);
        }
        assert_int_equal(f.kind, FAULT_UNAVAILABLE);
        assert_int_equal(b->count, 1);
        assert_int_equal(b->outcomes[0], CA_WAIT);
        assert_false(b->door->probe(b->door, &probe, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
    }
    struct seen s = whole_log(b, 1);
    assert_int_equal(s.requests, 1); /* the old client's */
}

/* A system whose OpenSSL forbids nothing, for this process and what it starts. */
static void allow_old_tls(char folder[static STOCK_PATH])
{
    static const char text[] =
        "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = old\n[old]\n"
        "MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n"
        "[req]\ndistinguished_name = name\n[name]\n";
    char path[STOCK_PATH + 16];
    stock_folder(folder);
    stock_write(folder, "openssl.cnf", str_of(text));
    snprintf(path, sizeof path, "%s/openssl.cnf", folder);
    setenv("OPENSSL_CONF", path, 1);
}

int main(void)
{
    char folder[STOCK_PATH];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(few_connections_carry_all, begin_two, end),
        cmocka_unit_test_setup_teardown(an_older_server_is_served, begin_one, end),
        cmocka_unit_test_setup_teardown(one_connection_for_each_at_a_time, begin_apart, end),
        cmocka_unit_test_setup_teardown(never_two_without_tls, begin_plain, end),
        cmocka_unit_test_setup_teardown(no_tls_before_1_2, begin_old_tls, end),
    };
    allow_old_tls(folder);
    int failed = cmocka_run_group_tests_name("service http2", tests, NULL, NULL);
    stock_remove(folder);
    return failed;
}
