/* Are the shipped backend profiles sound, is a dangerous one refused, and do answers mean what the rows say?
 */
#include "massrevoke/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/massrevoke-backend-XXXXXX.cfg";

#define HEAD "version = 1; name = \"x\"; keeps_first_date = false; quiet = \"9s\"; concurrency = 2; "
#define REASONS "reasons = ( { reason = \"superseded\"; word = \"SUP\"; } ); "
#define REVOKE(path, body, row)                                                                              \
    "revoke = { method = \"POST\"; path = \"" path "\"; body = \"" body "\"; answers = ( { " row " } ); }; "
#define GOOD                                                                                                 \
    REVOKE("/r/{serial.hex}", "{reason.name}",                                                               \
           "http = 200; json = \"/ok\"; is = \"true\"; outcome = \"revoked\";")

static bool read_text(const char *text, struct arena *a, struct backend *out, struct fault *f)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return backend_read(NULL, path, a, out, f);
}

static int make(void **unused)
{
    (void)unused;
    int fd = mkstemps(path, 4);
    return fd < 0 || close(fd) != 0;
}

static int unmake(void **unused)
{
    (void)unused;
    return unlink(path);
}

static void shipped_profiles_are_sound(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        bool keeps, status, record, token;
        unsigned reasons; /* how many */
    } shipped[] = {{"cfssl", false, false, true, false, 8}, {"ejbca", false, true, false, false, 8},
                   {"vault", true, true, false, true, 1},   {"step-ca", true, false, false, false, 8},
                   {"dogtag", true, true, false, false, 8}, {"digicert", false, false, false, true, 5}};
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        AUTO_ARENA a = {0};
        struct backend b;
        struct fault f = {0};
        unsigned reasons = 0;
        if (!backend_read(NULL, shipped[i].name, &a, &b, &f))
            fail_msg("%s", f.text);
        assert_string_equal(b.name, shipped[i].name);
        assert_int_equal(b.keeps_first_date, shipped[i].keeps);
        assert_int_equal(b.status.method != NULL, shipped[i].status);
        assert_int_equal(b.record.query != NULL, shipped[i].record);
        assert_int_equal(b.token_header != NULL, shipped[i].token);
        for (int code = 0; code < BACKEND_REASONS; code++)
            reasons += b.words[code] != NULL;
        assert_int_equal(reasons, shipped[i].reasons);
        assert_null(b.words[REASON_CERTIFICATE_HOLD]);
    }
    struct backend b;
    struct fault f;
    AUTO_ARENA a = {0};
    assert_false(backend_read(NULL, "cfsl", &a, &b, &f));
    assert_non_null(strstr(f.text, "did you mean cfssl"));
}

static const char *const refused[][2] = {
    {HEAD REASONS REVOKE("/r/{serial.hx}", "{reason.name}", "http = 429; outcome = \"wait\";"),
     "unknown value {serial.hx}"},
    {HEAD REASONS REVOKE("/r", "{reason.name}", "http = 429; outcome = \"wait\";"), "names the serial"},
    {HEAD REASONS REVOKE("r/{serial.hex}", "{reason.name}", "http = 429; outcome = \"wait\";"),
     "begins with '/'"},
    {HEAD REASONS REVOKE("/{serial.hex} x", "{reason.name}", "http = 429; outcome = \"wait\";"), "no blanks"},
    {HEAD REASONS REVOKE("/{serial.hex}", "x", "http = 429; outcome = \"wait\";"), "revoke sends no reason"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}", "http = 200; outcome = \"revoked\";"),
     "needs a proof"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}", "http = 404; outcome = \"unknown\";"),
     "needs a proof"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}",
                         "http = 200; to = 500; json = \"/x\"; outcome = \"revoked\";"),
     "only 200 to 299 can say revoked"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}",
                         "http = 200; json = \"/x\"; outcome = \"not_revoked\";"),
     "only a status can say"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}",
                         "http = 200; json = \"x\"; outcome = \"revoked\";"),
     "begins with '/'"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}",
                         "http = 200; is = \"x\"; contains = \"x\"; outcome = \"revoked\";"),
     "no `json` to compare"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}", "http = 200; outcome = \"done\";"),
     "unknown value 'done'"},
    {HEAD "reasons = ( { reason = \"superceded\"; word = \"x\"; } ); " GOOD, "no reason of RFC 5280"},
    {HEAD "reasons = ( { reason = \"superseded\"; word = \"a\\\"b\"; } ); " GOOD, "letters, digits"},
    {HEAD REASONS GOOD "token_header = \"X-A: b\";", "the name of a header"},
    {HEAD REASONS GOOD "token_subject = \"{serial.hex}\";", "token_subject and {token}, or neither"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}{token}", "http = 429; outcome = \"wait\";"),
     "token_subject and {token}, or neither"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}{prepared}", "http = 429; outcome = \"wait\";"),
     "give `prepare` with `take`"},
    {HEAD REASONS REVOKE("/{serial.hex}", "{reason.name}{serials}", "http = 429; outcome = \"wait\";"),
     "a value of exec only"},
    {HEAD REASONS GOOD
     "publish = { method = \"GET\"; path = \"/{serial.hex}\"; answers = ( { http = 200; json = "
     "\"/x\"; outcome = \"done\"; } ); };",
     "a CRL is asked for by"},
    {HEAD REASONS GOOD
     "publish = { method = \"GET\"; path = \"/x\"; answers = ( { http = 200; outcome = \"done\"; "
     "} ); };",
     "needs a proof"},
    {HEAD REASONS GOOD
     "publish = { method = \"GET\"; path = \"/x\"; answers = ( { http = 200; json = \"/x\"; "
     "outcome = \"revoked\"; } ); };",
     "unknown value 'revoked'"},
    {HEAD REASONS GOOD "windows = ( { rate = \"100\"; } );", "windows[0].rate"},
    {HEAD REASONS GOOD "record = { serial = \"{serial.hex}\"; query = \"SELECT 1\"; };", "needs $1"},
    {HEAD REASONS GOOD "record = { serial = \"{aki}\"; query = \"$1 $2\"; };", "one form of the serial"},
    {HEAD REASONS GOOD
     "status = { method = \"GET\"; path = \"/{serial.hex}\"; body = \"x\"; answers = ( { http = 404; "
     "outcome = \"ask\"; } ); };",
     "a GET has no body"},
    {HEAD REASONS GOOD
     "status = { method = \"GET\"; path = \"/{serial.hex}\"; headers = [ \"X: a\\r\\nY: b\" ]; "
     "answers = ( { http = 404; outcome = \"ask\"; } ); };",
     "expected one header line"},
};

static void what_could_lie_is_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA a = {0};
        struct backend b;
        struct fault f = {0};
        if (read_text(refused[i][0], &a, &b, &f))
            fail_msg("accepted: %s", refused[i][0]);
        assert_int_equal(f.kind, FAULT_CONFIG);
        if (strstr(f.text, refused[i][1]) == NULL)
            fail_msg("no '%s' in: %s", refused[i][1], f.text);
    }
}

static void values_are_filled_in(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct backend b;
    struct fault f = {0};
    if (!read_text(HEAD REASONS REVOKE(
                       "/{issuer.name}/{serial.colon}",
                       "{\\\"a\\\":{},{serial.decimal}|{serial.hex}|{aki}|{reason.name}|{reason.code}|{x{",
                       "http = 429; outcome = \"wait\";"),
                   &a, &b, &f))
        fail_msg("%s", f.text);
    struct serial serial = {.n = 3, .bytes = {0x0a, 0, 0xff}};
    struct backend_values v = {
        .serial = &serial, .aki = "00ab", .reason_name = "SUP", .reason_code = 4, .issuer_name = "CN=a/b c"};
    AUTO_BUF out = {0};
    backend_expand(&b.revoke.path, &v, &out);
    assert_string_equal(out.p, "/CN%3Da%2Fb%20c/0a:00:ff");
    buf_clear(&out);
    backend_expand(&b.revoke.body, &v, &out);
    assert_string_equal(out.p, "{\"a\":{},655615|0A00FF|00ab|SUP|4|{x{");
    assert_true(b.uses_issuer_name);
}

static void rows_decide_in_their_order(void **unused)
{
    (void)unused;
    static const char rows[] =
        HEAD REASONS "revoke = { method = \"PUT\"; path = \"/{serial.hex}/{reason.name}\"; answers = (\n"
                     "{ http = 200; json = \"/a~1b/1/~0\"; is = \"7\"; outcome = \"revoked\"; date = \"/t\"; "
                     "reason = \"/r\"; },\n"
                     "{ http = 200; json = \"/n\"; is = \"null\"; outcome = \"person\"; },\n"
                     "{ http = 200; to = 204; empty = true; outcome = \"unknown\"; },\n"
                     "{ http = 500; to = 599; contains = \"Busy NOW\"; outcome = \"wait\"; },\n"
                     "{ http = 403; outcome = \"stop\"; } ); };";
    static const struct {
        long http;
        const char *body;
        enum backend_meaning meaning;
        int64_t at;
        int reason;
    } cases[] = {
        {200, "{\"a/b\":[0,{\"~\":7}],\"t\":99,\"r\":\"sup\"}", BACKEND_REVOKED, 99, 4},
        {200, "{\"a/b\":[0,{\"~\":\"7\"}],\"t\":\"1970-01-01T00:01:00.5Z\",\"r\":9}", BACKEND_REVOKED, 60, 9},
        {200, "{\"a/b\":[0,{\"~\":7}],\"t\":\"1970-01-01T01:01:00+01:00\",\"r\":\"keyCompromise\"}",
         BACKEND_REVOKED, 60, 1},
        {200, "{\"a/b\":[0,{\"~\":7}],\"t\":99,\"r\":7}", BACKEND_REVOKED, 99, -1},
        {200, "{\"a/b\":[0,{\"~\":7}],\"t\":\"yesterday\"}", BACKEND_ASK, 0, -1},
        {200, "{\"a/b\":[0,{\"~\":7}],\"t\":-5}", BACKEND_ASK, 0, -1},
        {200, "{\"a/b\":[{\"~\":7}],\"t\":99}", BACKEND_ASK, 0, -1},
        {200, "{\"n\":null}", BACKEND_PERSON, 0, -1},
        {200, "{\"n\":null", BACKEND_ASK, 0, -1},
        {200, "[]", BACKEND_ASK, 0, -1},
        {204, "", BACKEND_UNKNOWN, 0, -1},
        {205, "", BACKEND_ASK, 0, -1},
        {503, "we are busy now.", BACKEND_WAIT, 0, -1},
        {503, "we are busy", BACKEND_ASK, 0, -1},
        {403, "\xff\xfe", BACKEND_STOP, 0, -1},
        {0, "", BACKEND_ASK, 0, -1},
    };
    AUTO_ARENA a = {0};
    struct backend b;
    struct fault f = {0};
    if (!read_text(rows, &a, &b, &f))
        fail_msg("%s", f.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct backend_verdict v = backend_judge(&b, &b.revoke, cases[i].http, str_of(cases[i].body));
        if (v.meaning != cases[i].meaning || v.reason != cases[i].reason ||
            v.at.s != (cases[i].at == 0 ? UTC_NONE.s : cases[i].at))
            fail_msg("case %zu: %d at %lld, reason %d", i, v.meaning, (long long)v.at.s, v.reason);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_profiles_are_sound),
        cmocka_unit_test(what_could_lie_is_refused),
        cmocka_unit_test(values_are_filled_in),
        cmocka_unit_test(rows_decide_in_their_order),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
