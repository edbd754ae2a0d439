/* Before a campaign: is a CA that cannot be reached, does not let us in, or has another clock seen for what
 * it is, and is nothing changed by looking? */
#include "../lib/fake_http.h"
#include "../lib/shell.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/ca_openssl.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena memory;
static const char *root, *folder;
static struct settings_issuer issuer;

static struct utc now(void *self)
{
    (void)self;
    return (struct utc){1794896580};
}
static const struct clock fixed = {.now = now};

static int make(void **unused)
{
    (void)unused;
    struct fault f = {0};
    root = shell_folder(&memory);
    folder = file_join(&memory, root, "ca");
    struct ca_new_spec spec = {
        .directory = folder, .count = 2, .subscribers = 1, .seed = 1, .now = now(NULL)};
    if (!ca_new(&spec, &f))
        fail_msg("%s", f.text);
    issuer.certificate_file = file_join(&memory, folder, "ca.pem");
    return 0;
}

static int unmake(void **unused)
{
    (void)unused;
    shell_remove(root);
    arena_free(&memory);
    return 0;
}

static int code;

static void answer(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    (void)context;
    assert_int_equal(strncmp(request->line, "GET ", 4), 0); /* looking asks, it never acts */
    fake_answer(reply, code, "Date: Tue, 17 Nov 2026 06:23:07 GMT\r\n", "hello");
}

static bool probe_http(const char *url, struct ca_probe *out, struct fault *f)
{
    struct ca_door *d;
    struct settings_ca s = {.name = "t",
                            .backend = "http",
                            .rate = {2000, 1},
                            .http = {.profile = "cfssl", .url = url, .timeout = {2}},
                            .issuers = &issuer,
                            .issuer_count = 1};
    if (!ca_http_open(&s, 0, fixed, &d, f))
        fail_msg("%s", f->text);
    bool ok = d->probe(d, out, f);
    ca_close(d);
    return ok;
}

static void over_http(void **unused)
{
    (void)unused;
    static const struct {
        int code;
        enum fault_kind kind;
    } rows[] = {{200, FAULT_NONE},   {404, FAULT_NONE},        {405, FAULT_NONE},       {401, FAULT_CONFIG},
                {403, FAULT_CONFIG}, {500, FAULT_UNAVAILABLE}, {503, FAULT_UNAVAILABLE}};
    struct fake_http server;
    char url[64];
    fake_http_start(&server, 0, answer, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ca_probe p;
        struct fault f = {0};
        code = rows[i].code;
        assert_int_equal(probe_http(server.url, &p, &f), rows[i].kind == FAULT_NONE);
        assert_int_equal(f.kind, rows[i].kind);
        assert_int_equal(p.date.s, 1794896587); /* seven seconds from ours */
        assert_false(p.lets_us);                /* no profile knows a harmless way to ask */
    }
    snprintf(url, sizeof url, "%s", server.url);
    fake_http_stop(&server);
    struct ca_probe p;
    struct fault f = {0};
    assert_false(probe_http(url, &p, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_false(utc_is_set(p.date));
}

static bool probe_folder(struct fault *f)
{
    struct ca_door *d;
    struct ca_probe p;
    struct settings_ca s = {
        .name = "t", .backend = "ca_openssl", .directory = folder, .issuers = &issuer, .issuer_count = 1};
    if (!ca_openssl_open(&s, 0, fixed, &d, f))
        fail_msg("%s", f->text);
    bool ok = d->probe(d, &p, f);
    assert_int_equal(p.lets_us, ok);
    ca_close(d);
    return ok;
}

static void in_a_folder(void **unused)
{
    (void)unused;
    struct fault f = {0};
    const char *key = file_join(&memory, folder, "private/ca.key"),
               *away = file_join(&memory, folder, "away");
    assert_true(probe_folder(&f));
    assert_int_equal(rename(key, away), 0);
    assert_false(probe_folder(&f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_int_equal(rename(away, key), 0);
    const char *index = file_join(&memory, folder, "index.txt");
    assert_int_equal(rename(index, away), 0);
    f = (struct fault){0};
    assert_false(probe_folder(&f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_int_equal(rename(away, index), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(over_http), cmocka_unit_test(in_a_folder)};
    return cmocka_run_group_tests(tests, make, unmake);
}
