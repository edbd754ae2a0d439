/* Does massrevoke.cfg become the right value, and is everything unsafe in it told? */
#include "massrevoke/guard.h"
#include "massrevoke/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/massrevoke-settings-XXXXXX";

static const char *place(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(place(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *const files[] = {"a.pem", "b.pem", "copy.pem", "p1", "p2", "p3", "p4", "massrevoke.cfg"};

static int make_folder(void **unused)
{
    (void)unused;
    if (mkdtemp(folder) == NULL)
        return -1;
    write_file("a.pem", "issuer a");
    write_file("b.pem", "issuer b");
    write_file("copy.pem", "issuer a");
    for (int i = 1; i <= 4; i++)
        write_file((const char *[]){"p1", "p2", "p3", "p4"}[i - 1],
                   (const char *[]){"one", "two", "three", "four"}[i - 1]);
    unsetenv("MASSREVOKE_CONFIG");
    return 0;
}

static int remove_folder(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(place(files[i]));
    return rmdir(folder);
}

#define CA(name, file)                                                                                       \
    "{ name = \"" name "\"; backend = \"ca_openssl\"; directory = \"ca\";"                                   \
    " issuers = ( { certificate_file = \"" file "\"; } ); }"
#define PERSON(n) "{ name = \"" n "\"; certificate_file = \"" n "\"; logins = [ \"" n "\" ]; }"

static void everything_lands_in_its_place(void **unused)
{
    (void)unused;
    write_file(
        "massrevoke.cfg",
        "version = 1;\nplans_dir = \".\";\n"
        "db = { conninfo = \"service=mr\"; bindir = \"/opt/pg/bin\"; run_as = \"postgres\"; };\n"
        "cas = ( { name = \"one\"; backend = \"ca_openssl\"; directory = \"ca\"; rate = \"320/h\";\n"
        "  key_password_file = \"secret\"; crl_validity = \"9d\"; config_file = \"/etc/o.cnf\";\n"
        "  issuers = ( { certificate_file = \"a.pem\"; crl = \"http://x/a.crl\"; } ); },\n" CA(
            "two",
            "b.pem") ");\n"
                     "approvals = { quorum = 2; expiry = \"12h\"; approvers = (" PERSON("p1") "," PERSON(
                         "p2") "," PERSON("p3") "," PERSON("p4") ");"
                                                                 "};\n"
                                                                 "mail = { from = \"ca@example.org\"; "
                                                                 "spool_dir = \"spool\"; };\n"
                                                                 "lint = { command = [ \"zlint\", \"-x\" ]; "
                                                                 "};"
                                                                 "fetch = { timeout = \"10s\"; map = ( { url "
                                                                 "= \"http://x/\"; folder = \"pub\"; } ); "
                                                                 "vantage = ( { name = \"here\"; }, { name = "
                                                                 "\"fra\"; address = \"[2001:db8::7]:8080\"; "
                                                                 "}, { name = \"us\"; proxy = "
                                                                 "\"http://p:3128\"; } ); ocsp_rate = "
                                                                 "\"20/s\"; ocsp_sample = 7; "
                                                                 "};\n");
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
        fail_msg("%s", f.text);
    assert_false(s.demo);
    assert_string_equal(s.db_conninfo, "service=mr");
    assert_string_equal(s.db_bindir, "/opt/pg/bin");
    assert_string_equal(s.db_run_as, "postgres");
    assert_int_equal(s.ca_count, 2);
    assert_string_equal(s.cas[0].directory, place("ca"));
    assert_string_equal(s.cas[0].config_file, "/etc/o.cnf");
    assert_string_equal(s.cas[0].key_password_file, place("secret"));
    assert_int_equal(s.cas[0].rate.per, 3600);
    assert_int_equal(s.cas[0].crl_validity.s, 9 * 86400);
    assert_string_equal(s.cas[0].issuers[0].crl, "http://x/a.crl");
    assert_string_equal(s.cas[1].config_file, place("ca/openssl.cnf"));
    assert_int_equal(s.cas[1].rate.count, 2000);
    assert_int_equal(s.cas[1].crl_validity.s, 7 * 86400);
    assert_string_equal(s.cas[1].issuers[0].certificate_file, place("b.pem"));
    assert_null(s.cas[1].issuers[0].crl);
    assert_int_equal(s.quorum, 2);
    assert_int_equal(s.approval_expiry.s, 12 * 3600);
    assert_int_equal(s.approver_count, 4);
    assert_string_equal(s.approvers[3].name, "p4");
    assert_string_equal(s.approvers[3].logins[0], "p4");
    assert_string_equal(s.mail_from, "ca@example.org");
    assert_string_equal(s.mail_reply_to, "ca@example.org");
    assert_string_equal(s.mail_spool_dir, place("spool"));
    assert_null(s.mail_relay_url);
    assert_int_equal(s.fetch_timeout.s, 10);
    assert_int_equal(s.lint_count, 2);
    assert_string_equal(s.lint_command[1], "-x");
    assert_string_equal(s.map[0].folder, place("pub"));
    assert_int_equal(s.alert.after.s, 900); /* who wants no alert has defaults that call nobody */
    assert_int_equal(s.alert.oncall_count + s.alert.command_count, 0);
    assert_int_equal(s.vantage_count, 3);
    assert_true(s.vantages[0].address == NULL && s.vantages[0].proxy == NULL);
    assert_string_equal(s.vantages[1].address, "[2001:db8::7]:8080");
    assert_string_equal(s.vantages[2].proxy, "http://p:3128");
    assert_true(settings_address_has_port("h:1") && settings_address_has_port("[::1]:1"));
    assert_false(settings_address_has_port("h") || settings_address_has_port("[::1]"));
    assert_int_equal(s.ocsp_rate.count, 20);
    assert_int_equal(s.ocsp_sample, 7);
}

static void alerts_and_their_ways(void **unused)
{
    (void)unused;
    write_file("massrevoke.cfg",
               "version = 1; mail = { relay_url = \"smtp://localhost:25\"; };\n"
               "alert = { command = [ \"/bin/page\", \"-x\" ]; after = \"10m\";\n"
               "  oncall = ( { name = \"Ada\"; email = \"ada@ca.example\"; }, { name = \"Ben\"; email = "
               "\"b@x\"; } );\n"
               "  heartbeat = { file = \"beat\"; url_file = \"p1\"; every = \"30s\"; }; };\n"
               "fetch = { disclosed = \"ccadb.csv\"; };\n");
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
        fail_msg("%s", f.text);
    assert_int_equal(s.alert.command_count, 2);
    assert_string_equal(s.alert.command[1], "-x");
    assert_int_equal(s.alert.oncall_count, 2);
    assert_string_equal(s.alert.oncall[1].name, "Ben");
    assert_int_equal(s.alert.after.s, 600);
    assert_string_equal(s.alert.beat_file, place("beat"));
    assert_string_equal(s.alert.beat_url_file, place("p1"));
    assert_null(s.alert.beat_url);
    assert_int_equal(s.alert.beat_every.s, 30);
    assert_string_equal(s.fetch_disclosed, place("ccadb.csv"));
}

#define BACKEND(name, keys, issuer_keys)                                                                     \
    "ca = { backend = \"" name "\"; " keys " issuers = ( { certificate_file = \"a.pem\"; " issuer_keys       \
    " } ); };"
#define HTTP(keys)                                                                                           \
    "ca = { backend = \"http\"; " keys                                                                       \
    " issuers = ( { certificate_file = \"a.pem\"; name = \"CN=a, b\"; } ); };"

static void a_ca_over_http(void **unused)
{
    (void)unused;
    write_file("massrevoke.cfg",
               "version = 1; plans_dir = \".\"; " HTTP(
                   "profile = \"own/x.cfg\"; url = \"https://ca.example:8443/base//\"; token_file = \"t\";"
                   "ca_file = \"b.pem\"; client_certificate_file = \"c\"; client_key_file = \"k\";"
                   "authority_key = \"AB01\"; timeout = \"7s\"; concurrency = 9;"));
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
        fail_msg("%s", f.text);
    const struct settings_http *h = &s.cas[0].http;
    assert_string_equal(h->profile, place("own/x.cfg"));
    assert_string_equal(h->plans_dir, s.plans_dir);
    assert_string_equal(h->url, "https://ca.example:8443/base");
    assert_string_equal(h->token_file, place("t"));
    assert_string_equal(h->ca_file, place("b.pem"));
    assert_string_equal(h->client_certificate_file, place("c"));
    assert_string_equal(h->client_key_file, place("k"));
    assert_string_equal(h->authority_key, "ab01");
    assert_int_equal(h->timeout.s, 7);
    assert_int_equal(s.cas[0].concurrency, 9);
    assert_string_equal(s.cas[0].issuers[0].name, "CN=a, b");
    write_file("massrevoke.cfg", "version = 1; " HTTP("profile = \"cfssl\"; url = \"http://127.0.0.1:8888\";"
                                                      "authority_key = \"none\";"));
    if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
        fail_msg("%s", f.text);
    h = &s.cas[0].http;
    assert_string_equal(h->profile, "cfssl");
    assert_string_equal(h->authority_key, "");
    assert_int_equal(h->timeout.s, 30);
    assert_null(h->token_file);
    assert_int_equal(s.cas[0].concurrency, 0);
}

static void the_slowest_limit_of_a_backend_counts(void **unused)
{
    (void)unused;
    static const struct {
        const char *keys;
        int64_t per_hour;
    } cases[] = {
        {"windows = ( { rate = \"100/5s\"; }, { rate = \"1000/5m\"; } );", 12000},
        {"rate = \"1/s\"; windows = ( { rate = \"100/5s\"; } );", 3600},
        {"concurrency = 10; latency_ms = 250;", 144000},
        {"concurrency = 10;", 7200000},
        {"rate = \"10/s\"; reserve = 25;", 27000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA a = {0};
        struct settings s;
        struct fault f = {0};
        write_file(
            "massrevoke.cfg",
            arena_format(&a,
                         "version = 1; demo = true; ca = { backend = \"ca_openssl\"; directory = \".\"; %s"
                         " issuers = ( { certificate_file = \"a.pem\"; } ); };"
                         "approvals = { approvers = (" PERSON("p1") "," PERSON("p2") "); };",
                         cases[i].keys));
        if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
            fail_msg("%s", f.text);
        assert_int_equal(rate_per_hour(s.cas[0].rate), cases[i].per_hour);
    }
}

static void windows_burst_and_reserve_are_kept_apart(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    write_file("massrevoke.cfg", "version = 1; demo = true; ca = { backend = \"ca_openssl\"; directory = "
                                 "\".\"; burst = 5; reserve = 20;"
                                 " windows = ( { rate = \"100/5s\"; }, { rate = \"1000/5m\"; } );"
                                 " issuers = ( { certificate_file = \"a.pem\"; } ); };"
                                 "approvals = { approvers = (" PERSON("p1") "," PERSON("p2") "); };");
    if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
        fail_msg("%s", f.text);
    const struct rate_limits *l = &s.cas[0].limits;
    assert_int_equal(l->rate.count, 0);
    assert_int_equal(l->burst, 5);
    assert_int_equal(l->window_count, 2);
    assert_int_equal(l->windows[0].count, 80);
    assert_int_equal(l->windows[0].per, 5);
    assert_int_equal(l->windows[1].count, 800);
    assert_int_equal(rate_per_hour(s.cas[0].rate), 9600);
}

static void a_demo_needs_little(void **unused)
{
    (void)unused;
    write_file("massrevoke.cfg",
               "version = 1; demo = true; ca = { backend = \"ca_openssl\"; directory = \".\";"
               " issuers = ( { certificate_file = \"a.pem\"; } ); };"
               "approvals = { approvers = (" PERSON("p1") "," PERSON("p2") "); };");
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    if (!settings_read(place("massrevoke.cfg"), &a, &s, &f))
        fail_msg("%s", f.text);
    assert_true(s.demo);
    assert_int_equal(s.quorum, 1);
    assert_string_equal(s.cas[0].name, "ca");
    assert_string_equal(s.mail_reply_to, "massrevoke@localhost");
}

/* Content, and a part of the one problem it must give. */
static const char *const refused[][2] = {
    {"demo = true; ca = { backend = \"cfssl\"; directory = \".\"; issuers = ( { certificate_file = "
     "\"a.pem\"; } "
     "); };",
     "demo = true is refused with any backend but ca_openssl"},
    {"ca = { backend = \"ca_opensll\"; directory = \".\"; issuers = ( { certificate_file = \"a.pem\"; } ); "
     "};",
     "unknown value 'ca_opensll', did you mean ca_openssl (known: ca_openssl, http, sql, acme, exec)"},
    {HTTP("url = \"https://x\";"), "ca.profile: required by backend http, but missing"},
    {HTTP("profile = \"x\"; url = \"https://x\"; directory = \".\";"),
     "ca.directory: is a key of backend ca_openssl, not of http"},
    {HTTP("profile = \"x\"; url = \"https://x\"; command = [ \"a\" ];"),
     "ca.command: is a key of backend exec, not of http"},
    {HTTP("profile = \"x\"; url = \"https://x\"; timeout = \"11m\"; ca_file = \"x\";"), "ca.timeout"},
    {HTTP("profile = \"x\"; url = \"https://x\"; token_key_file = \"x\";"),
     "ca.token_issuer: is missing beside token_key_file"},
    {BACKEND("sql", "profile = \"certdb\"; conninfo = \"host=x password=y\";", ""),
     "ca.conninfo: a password has no place here"},
    {BACKEND("sql", "profile = \"certdb\";", ""), "ca.conninfo: required by backend sql, but missing"},
    {BACKEND("sql", "profile = \"certdb\"; conninfo = \"host=x\";", "key_file = \"k\";"),
     "crl_file: is missing beside key_file"},
    {BACKEND("sql", "profile = \"certdb\"; conninfo = \"host=x\";",
             "key_file = \"k\"; crl_number_file = \"n\"; crl_file = \"c\"; crl_shards = ( { url = \"u\"; "
             "crl_file = "
             "\"d\"; } );"),
     "crl_shards: an issuer has either crl_file or crl_shards"},
    {BACKEND("sql", "profile = \"certdb\"; conninfo = \"host=x\";",
             "crl_number_file = \"n\"; crl_shards = ( { url = \"u\"; crl_file = \"c\"; } );"),
     "key_file: is missing beside crl_number_file"},
    {BACKEND("sql", "profile = \"certdb\"; conninfo = \"host=x\";",
             "key_file = \"k\"; crl_number_file = \"n\"; crl_shards = ( { url = \"u\"; crl_file = \"c\"; }, "
             "{ url = "
             "\"v\"; crl_file = \"c\"; } );"),
     "crl_file: is that of another shard, too"},
    {BACKEND("exec", "profile = \"lines\"; command = [ \"a\" ];",
             "key_file = \"k\"; crl_file = \"c\"; crl_number_file = \"n\";"),
     "a CRL of our own needs the CA's database"},
    {BACKEND("exec", "profile = \"lines\";", ""), "ca.command: required by backend exec, but missing"},
    {BACKEND("acme", "url = \"https://x/dir\";", ""), "signs with account_key_file or with"},
    {HTTP("profile = \"x\"; url = \"http://127.0.0.1.example\";"), "http:// only for 127.0.0.1"},
    {HTTP("profile = \"x\"; url = \"https://me:secret@x\";"), "a user or password has no place here"},
    {HTTP("profile = \"x\"; url = \"https://x/?a=b\";"), "have no place here"},
    {HTTP("profile = \"x\"; url = \"https://x\"; authority_key = \"AB:01\";"),
     "\"none\" or hexadecimal octets"},
    {HTTP("profile = \"x\"; url = \"https://x\"; client_key_file = \"k\";"),
     "client_certificate_file: is missing beside client_key_file"},
    {"ca = { backend = \"ca_openssl\"; issuers = ( { certificate_file = \"a.pem\"; } ); };",
     "ca.directory: required by backend ca_openssl, but missing"},
    {"cas = (" CA("x", "a.pem") "," CA("y", "copy.pem") ");", "this issuer belongs to another CA already"},
    {"cas = (" CA("x", "a.pem") "," CA("x", "b.pem") ");", "two CAs are named 'x'"},
    {"cas = (" CA("x", "a.pem") "); ca = " CA("y", "b.pem") ";", "either one group `ca` or the list `cas`"},
    {"cas = (" CA("x", "none.pem") ");", "none.pem: No such file or directory"},
    {"approvals = { approvers = (" PERSON("p1") "," PERSON("p2") "," PERSON("p3") "); };",
     "2 of 3 approvers cannot be reached when the requester and one more person are away"},
    {"approvals = { quorum = 1; approvers = (" PERSON("p1") "," PERSON("p2") "); };",
     "1 of 2 approvers cannot be reached"},
    {"demo = true; approvals = { approvers = (" PERSON("p1") "," PERSON("p1") "); };",
     "two approvers are named 'p1'"},
    {"demo = true; approvals = { approvers = (" PERSON("p1") "," PERSON("p1") "); };",
     "another approver has this certificate"},
    {"demo = true; approvals = { approvers = (" PERSON("p1") "," PERSON("p1") "); };",
     "the login 'p1' belongs to another approver"},
    {"demo = true; approvals = { approvers = (" PERSON("p9") "); };", "p9: No such file or directory"},
    {"mail = { spool_dir = \"s\"; relay_url = \"smtp://localhost\"; };", "either spool_dir or relay_url"},
    {"mail = { relay_url = \"http://localhost\"; };", "expected smtp://host"},
    {"mail = { from = \"a b@example.org\"; };", "is not one bare mail address"},
    {"mail = { from = \"a@b@c\"; };", "is not one bare mail address"},
    {"db = { conninfo = \"host=x password=geheim\"; };", "a password has no place here"},
    {"db = { conninfo = \"postgresql://u:geheim@h/db\"; };", "a password has no place here"},
    {"fetch = { map = ( { url = \"x\"; folder = \"pub\"; } ); };", "expected a URL"},
    {"fetch = { vantage = ( { name = \"a\"; address = \"h\"; proxy = \"http://p\"; } ); };", "not both"},
    {"fetch = { vantage = ( { name = \"a\"; }, { name = \"a\"; } ); };", "two vantage points are named 'a'"},
    {"fetch = { vantage = ( { name = \"a\"; address = \"http://h/\"; } ); };", "expected host, host:port"},
    {"fetch = { vantage = ( { name = \"a\"; address = \"2001:db8::7\"; } ); };", "expected host, host:port"},
    {"fetch = { vantage = ( { name = \"a\"; address = \"h:\"; } ); };", "expected host, host:port"},
    {"fetch = { vantage = ( { name = \"a\"; proxy = \"p:3128\"; } ); };", "expected the URL of a proxy"},
    {"fetch = { vantage = ( { address = \"h\"; } ); };", "name: required, but missing"},
    {"fetch = { ocsp_rate = \"fast\"; };", "ocsp_rate"},
    {"plans_dir = \"nowhere\";", "is not a folder"},
    {"alarm = { };", "alarm: unknown key"},
    {"alert = { oncall = ( { name = \"a\"; email = \"a@x\"; } ); };",
     "alert.oncall: needs mail.relay_url or"},
    {"mail = { spool_dir = \"s\"; }; alert = { oncall = ( { name = \"a\"; email = \"a x\"; } ); };",
     "alert.oncall[0].email: 'a x' is not one bare mail address"},
    {"alert = { heartbeat = { every = \"1m\"; }; };", "alert.heartbeat: needs a file, a url or a url_file"},
    {"alert = { heartbeat = { url = \"ftp://x\"; }; };", "alert.heartbeat.url: expected http:// or https://"},
    {"alert = { heartbeat = { url = \"http://x\"; url_file = \"p1\"; }; };", "either url or url_file"},
    {"alert = { command = [ ]; };", "alert.command"},
};

static void what_is_unsafe_is_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_BUF text = {0};
        buf_format(&text, "version = 1;\n%s\n", refused[i][0]);
        write_file("massrevoke.cfg", text.p);
        AUTO_ARENA a = {0};
        struct settings s;
        struct fault f = {0};
        if (settings_read(place("massrevoke.cfg"), &a, &s, &f) || f.kind != FAULT_CONFIG ||
            strstr(f.text, refused[i][1]) == NULL)
            fail_msg("%zu: %s\ngives %s\nexpected %s", i, refused[i][0], f.text, refused[i][1]);
        assert_non_null(strstr(f.text, "massrevoke.cfg:2: "));
        assert_null(strstr(f.text, "geheim"));
    }
}

static void a_url_without_a_password_is_fine(void **unused)
{
    (void)unused;
    write_file("massrevoke.cfg", "version = 1; db = { conninfo = \"postgresql://u@h:5432/db\"; };");
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    assert_true(settings_read(place("massrevoke.cfg"), &a, &s, &f));
}

static void the_file_is_found_by_option_then_environment(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    assert_false(settings_read(place("missing.cfg"), &a, &s, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "missing.cfg: No such file"));
    write_file("massrevoke.cfg", "version = 1;");
    setenv("MASSREVOKE_CONFIG", place("massrevoke.cfg"), 1);
    assert_true(settings_read(NULL, &a, &s, &f));
    assert_string_equal(s.file, place("massrevoke.cfg"));
    assert_int_equal(s.quorum, 2);
    assert_int_equal(s.approval_expiry.s, 86400);
    setenv("MASSREVOKE_CONFIG", place("missing.cfg"), 1);
    assert_false(settings_read(NULL, &a, &s, &f));
    unsetenv("MASSREVOKE_CONFIG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_lands_in_its_place),
        cmocka_unit_test(alerts_and_their_ways),
        cmocka_unit_test(a_ca_over_http),
        cmocka_unit_test(the_slowest_limit_of_a_backend_counts),
        cmocka_unit_test(windows_burst_and_reserve_are_kept_apart),
        cmocka_unit_test(a_demo_needs_little),
        cmocka_unit_test(what_is_unsafe_is_refused),
        cmocka_unit_test(a_url_without_a_password_is_fine),
        cmocka_unit_test(the_file_is_found_by_option_then_environment),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
