/* Does fetching get what a real nginx serves, and stop where it must? */
#include "../lib/stock.h"
#include "massrevoke/fetch_door.h"
#include "massrevoke/file.h"
#include "massrevoke/verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena arena;
static char folder[STOCK_PATH];
static int port;
static pid_t nginx;
static struct settings settings;
static struct settings_map map[2];

/* nginx is not on a plain user's PATH in Debian. */
static void widen_path(void)
{
    setenv("PATH", arena_format(&arena, "%s:/usr/sbin:/sbin", getenv("PATH")), 1);
    setenv("NO_PROXY", "127.0.0.1", 1);
}

static const char configuration[] =
    "daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/error.log;\nevents {}\n"
    "http {\naccess_log off;\nclient_body_temp_path %s/t1;\nproxy_temp_path %s/t2;\nfastcgi_temp_path "
    "%s/t3;\n"
    "uwsgi_temp_path %s/t4;\nscgi_temp_path %s/t5;\n"
    "server {\nlisten 127.0.0.1:%d;\nroot %s/www;\nmerge_slashes off;\n"
    "location = /moved { return 302 /file; }\nlocation = /round { return 302 /round; }\n"
    "location = /away { return 302 file:///etc/hostname; }\nlocation = /broken { return 503; }\n"
    "location = /host { return 200 $http_host; }\n"
    "location = /posted { return 200 \"$request_method $content_type $content_length\"; }\n"
    "location = /unposted { limit_except GET { deny all; } }\n"
    "location /echo/ { return 200 $request_uri; }\n"
    "location = /cached { add_header Age 18657; add_header Cache-Control max-age=3600; return 200 x; }\n"
    "location = /long { add_header ETag \"%0200d\"; return 200 x; }\nlocation = /mean { return 304; }\n"
    "location = /slow { limit_rate 1; alias %s/www/file; }\n}\n}\n";

static int set_up(void **unused)
{
    (void)unused;
    widen_path();
    stock_folder(folder);
    port = stock_port();
    char www[2 * STOCK_PATH], text[16384];
    snprintf(www, sizeof www, "%s/www", folder);
    mkdir(www, 0755);
    stock_write(folder, "www/file", str_of("0123456789 the file"));
    for (int i = 0; i < 40; i++)
        stock_write(folder, arena_format(&arena, "www/many-%d", i),
                    str_of(arena_format(&arena, "body %d", i)));
    snprintf(text, sizeof text, configuration, folder, folder, folder, folder, folder, folder, folder, port,
             folder, 0, folder);
    stock_write(folder, "nginx.conf", str_of(text));
    nginx = stock_start(folder, arena_format(&arena, "nginx -p %s -c nginx.conf", folder));
    map[0] = (struct settings_map){"http://crl.example/", arena_text(&arena, www)};
    map[1] = (struct settings_map){"http://crl.example/deep", arena_text(&arena, folder)};
    settings = (struct settings){.map = map, .map_count = 2, .fetch_timeout = {3}};
    if (stock_run(folder, "nginx -v") == 127)
        nginx = 0;
    else if (!stock_wait_port(port))
        fail_msg("nginx did not start: see %s/log", folder);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    stock_stop(nginx);
    stock_remove(folder);
    arena_free(&arena);
    return 0;
}

static void need_nginx(void)
{
    if (nginx == 0) {
        print_message("nginx is not installed: not tested\n");
        skip();
    }
}

static void fetch(const struct fetch_request *requests, size_t count, struct fetch_reply *replies)
{
    struct fault f = {0};
    struct fetch_door *door;
    assert_true(fetch_open(&settings, &door, &f));
    assert_true(fetch_all(door, requests, count, &arena, replies, &f));
    fetch_close(door);
}

static struct fetch_reply fetch_one(const char *url)
{
    struct fetch_reply reply;
    fetch(&(struct fetch_request){.url = url}, 1, &reply);
    return reply;
}

static const char *url(const char *path)
{
    return arena_format(&arena, "http://127.0.0.1:%d%s", port, path);
}

/* What did not change is not sent again; how old it is, is told. */
static void unchanged_is_answer_enough(void **unused)
{
    (void)unused;
    need_nginx();
    struct fetch_reply first = fetch_one(url("/file")), again;
    assert_true(first.ok && !first.unchanged);
    assert_true(first.headers.etag[0] == '"' && first.headers.last_modified[0] != '\0');
    assert_string_equal(first.headers.age, "");
    fetch(&(struct fetch_request){.url = url("/file"), .known = &first.headers}, 1, &again);
    assert_true(again.ok && again.unchanged);
    assert_int_equal(again.http_status, 304);
    assert_int_equal(again.bytes.n, 0);
    struct http_headers other = first.headers;
    other.etag[1] = (char)(other.etag[1] == '1' ? '2' : '1');
    fetch(&(struct fetch_request){.url = url("/file"), .known = &other}, 1, &again);
    assert_true(again.ok && !again.unchanged && str_is(again.bytes, "0123456789 the file"));
    const struct fetch_reply cached = fetch_one(url("/cached"));
    assert_string_equal(cached.headers.age, "18657");
    assert_string_equal(cached.headers.cache_control, "max-age=3600");
    assert_string_equal(fetch_one(url("/long")).headers.etag, ""); /* too long to be kept */
    const struct fetch_reply mean = fetch_one(url("/mean"));       /* 304 that nobody asked for */
    assert_true(!mean.ok && !mean.unchanged);
}

static void files_are_fetched_and_redirects_followed(void **unused)
{
    (void)unused;
    need_nginx();
    const char *const paths[] = {"/file", "/moved"};
    for (size_t i = 0; i < 2; i++) {
        struct fetch_reply r = fetch_one(url(paths[i]));
        assert_true(r.ok);
        assert_int_equal(r.http_status, 200);
        assert_true(str_is(r.bytes, "0123456789 the file"));
    }
}

static void what_is_no_answer_is_told(void **unused)
{
    (void)unused;
    need_nginx();
    const struct {
        const char *url, *problem;
    } cases[] = {
        {url("/absent"), "HTTP status 404"},
        {url("/broken"), "HTTP status 503"},
        {url("/round"), "redirects"},
        {url("/away"), "rotocol"},
        {url("/slow"), "imeout"},
        {"file:///etc/hostname", "rotocol"},
        {"gopher://127.0.0.1/", "rotocol"},
        {"http://127.0.0.1:1/", "connect"},
        {"not a url", "URL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fetch_reply r = fetch_one(cases[i].url);
        assert_false(r.ok);
        assert_int_equal(r.bytes.n, 0);
        if (strstr(r.problem, cases[i].problem) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].url, r.problem, cases[i].problem);
    }
}

static void many_at_once_each_gets_its_own(void **unused)
{
    (void)unused;
    need_nginx();
    struct fetch_request requests[40];
    struct fetch_reply replies[40];
    for (int i = 0; i < 40; i++)
        requests[i] = (struct fetch_request){
            .url = url(arena_format(&arena, i % 7 == 3 ? "/absent-%d" : "/many-%d", i))};
    fetch(requests, 40, replies);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(replies[i].ok, i % 7 != 3);
        assert_int_equal(replies[i].http_status, i % 7 == 3 ? 404 : 200);
        if (replies[i].ok)
            assert_true(str_is(replies[i].bytes, arena_format(&arena, "body %d", i)));
    }
}

static void ocsp_goes_into_the_url(void **unused)
{
    (void)unused;
    need_nginx();
    struct str der = {"\x30\x03\xff\xfe\xfb", 5}; /* base64 MAP//vs= */
    const char *const paths[] = {"/echo/r", "/echo/r/"};
    for (size_t i = 0; i < 2; i++) {
        struct fetch_request request = {.url = url(paths[i]), .ocsp_request = der};
        struct fetch_reply r;
        fetch(&request, 1, &r);
        assert_true(r.ok);
        assert_true(str_is(r.bytes, "/echo/r/MAP%2F%2Fvs%3D"));
    }
}

static void mapped_urls_are_read_from_their_folder(void **unused)
{
    (void)unused;
    assert_int_equal(symlink("/etc/hostname", file_join(&arena, folder, "www/link")), 0);
    assert_int_equal(symlink("/etc", file_join(&arena, folder, "www/etc")), 0);
    assert_int_equal(mkfifo(file_join(&arena, folder, "www/fifo"), 0600), 0);
    stock_write(folder, "secret", str_of("above"));
    const struct {
        const char *url, *bytes; /* NULL: no answer */
    } cases[] = {
        {"http://crl.example/file", "0123456789 the file"},
        {"http://crl.example//file", "0123456789 the file"},
        {"http://crl.example/deep/secret", "above"}, /* the longer entry wins */
        {"http://crl.example/../secret", NULL},
        {"http://crl.example/x/../../secret", NULL},
        {"http://crl.example/./file", NULL},
        {"http://crl.example/link", NULL},
        {"http://crl.example/etc/hostname", NULL},
        {"http://crl.example/fifo", NULL},
        {"http://crl.example/", NULL},
        {"http://crl.example/deep", NULL},
        {"http://crl.example/deeper", NULL}, /* no part of /deep, and absent in www */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fetch_reply r = fetch_one(cases[i].url);
        if (r.ok != (cases[i].bytes != NULL))
            fail_msg("%s: ok %d (%s)", cases[i].url, r.ok, r.problem);
        if (r.ok)
            assert_true(str_is(r.bytes, cases[i].bytes));
        else
            assert_true(r.problem[0] != '\0');
    }
    struct fetch_request asked = {.url = "http://crl.example/file", .ocsp_request = {"\x30\x00", 2}};
    struct fetch_reply r;
    fetch(&asked, 1, &r);
    assert_false(r.ok);
}

static bool count_bytes(void *context, struct str piece)
{
    size_t *n = context;
    *n += piece.n;
    return *n < 1000;
}

/* Name and Host stay the URL's; where it goes is the edge's address, or a proxy. */
static void edges_are_reached_by_address_and_proxy(void **unused)
{
    (void)unused;
    need_nginx();
    const char *here = arena_format(&arena, "127.0.0.1:%d", port);
    const struct settings_vantage fra = {"fra", here, NULL}, dead = {"dead", "127.0.0.1:1", NULL},
                                  proxy = {"proxy", NULL, arena_format(&arena, "http://%s", here)},
                                  bare = {"bare", "127.0.0.1", NULL};
    const struct {
        const char *url;
        const struct settings_vantage *through;
        const char *body, *problem;
    } cases[] = {
        {"http://crl.nowhere.example/host", &fra, "crl.nowhere.example", NULL},
        {"http://crl.nowhere.example:81/host", &fra, "crl.nowhere.example:81", NULL},
        {arena_format(&arena, "http://crl.nowhere.example:%d/host", port), &bare,
         arena_format(&arena, "crl.nowhere.example:%d", port), NULL}, /* the URL's port */
        {"http://crl.nowhere.example/host", &proxy, "crl.nowhere.example", NULL},
        {"http://crl.nowhere.example/host", &dead, NULL, "connect"},
        {"http://crl.nowhere.example/host", NULL, NULL, "resolve"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fetch_reply r;
        fetch(&(struct fetch_request){.url = cases[i].url, .through = cases[i].through}, 1, &r);
        if (r.ok != (cases[i].body != NULL))
            fail_msg("case %zu: %s", i, r.problem);
        if (r.ok && !str_is(r.bytes, cases[i].body))
            fail_msg("case %zu: %.*s", i, (int)r.bytes.n, r.bytes.p);
        if (!r.ok && strstr(r.problem, cases[i].problem) == NULL)
            fail_msg("case %zu: %s", i, r.problem);
    }
}

static void bodies_come_in_pieces(void **unused)
{
    (void)unused;
    need_nginx();
    size_t n = 0;
    struct fetch_reply r;
    struct fetch_request request = {.url = url("/file"), .piece = count_bytes, .context = &n};
    fetch(&request, 1, &r);
    assert_true(r.ok && n == 19 && r.bytes.n == 0);
    request.url = "http://crl.example/file";
    fetch(&request, 1, &r);
    assert_true(r.ok && n == 38);
    request.url = url("/absent"); /* the body of an error is nobody's */
    fetch(&request, 1, &r);
    assert_true(!r.ok && n == 38);
    n = 999;
    request.url = url("/file");
    fetch(&request, 1, &r);
    assert_false(r.ok);
    assert_string_equal(r.problem, "no room to keep it");
}

static void ocsp_goes_by_post_too(void **unused)
{
    (void)unused;
    need_nginx();
    struct fetch_request request = {
        .url = url("/posted"), .ocsp_request = {"\x30\x03\xff\xfe\xfb", 5}, .post = true};
    struct fetch_reply r;
    fetch(&request, 1, &r);
    assert_true(r.ok && str_is(r.bytes, "POST application/ocsp-request 5"));
    request.url = url("/unposted");
    fetch(&request, 1, &r);
    assert_false(r.ok);
    assert_int_equal(r.http_status, 403);
}

/* From a stock CA and responder to a verdict: the whole way of one certificate. */
static void a_stock_responder_is_asked_by_get(void **unused)
{
    (void)unused;
    char ca[STOCK_PATH];
    stock_folder(ca);
    assert_true(stock_ca(ca, 4, 2));
    int at = stock_port();
    pid_t responder =
        stock_start(ca, arena_format(&arena,
                                     "openssl ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem "
                                     "-ndays 4 -port %d",
                                     at));
    assert_true(stock_wait_log(ca, "waiting for OCSP client"));
    struct str pem;
    struct fault f = {0};
    struct verify_issuer issuer;
    assert_true(file_read(file_join(&arena, ca, "ca.pem"), 65536, &arena, &pem, &f));
    assert_true(verify_issuer_load(pem, &arena, &issuer, &f));
    const char *host = arena_format(&arena, "http://127.0.0.1:%d", at);
    struct serial serials[2] = {{2, {0x10, 0x01}}, {2, {0x10, 0x04}}};
    for (int i = 0; i < 2; i++) {
        struct fetch_request asked = {
            .url = host, .ocsp_request = ocsp_request(&issuer, &serials[i], CERTID_SHA1, &arena)};
        struct fetch_reply r;
        fetch(&asked, 1, &r);
        if (!r.ok)
            fail_msg("%s", r.problem);
        struct ocsp_response parsed;
        assert_true(ocsp_parse(r.bytes, &parsed, &f));
        struct verifier_question q = {.issuer = &issuer, .now = parsed.produced_at, .seed = {3, 4}};
        struct ocsp_cache cache = {0};
        struct verifier_ocsp judged;
        verifier_judge_ocsp(r.bytes, &serials[i], &q, &cache, &arena, &judged);
        assert_true(judged.counts);
        assert_int_equal(judged.revoked, i == 0);
        ocsp_cache_free(&cache);
    }
    stock_stop(responder);
    verify_issuer_free(&issuer);
    stock_remove(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unchanged_is_answer_enough),
        cmocka_unit_test(files_are_fetched_and_redirects_followed),
        cmocka_unit_test(what_is_no_answer_is_told),
        cmocka_unit_test(many_at_once_each_gets_its_own),
        cmocka_unit_test(ocsp_goes_into_the_url),
        cmocka_unit_test(mapped_urls_are_read_from_their_folder),
        cmocka_unit_test(edges_are_reached_by_address_and_proxy),
        cmocka_unit_test(bodies_come_in_pieces),
        cmocka_unit_test(ocsp_goes_by_post_too),
        cmocka_unit_test(a_stock_responder_is_asked_by_get),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
