/* A whole campaign by hand over a real cfssl, through the program and its configuration, while cfssl and the
 * engine are killed and both databases crash: are exactly the listed certificates revoked, each once, and is
 * nothing called revoked that the published CRL does not hold? The CRL is signed by the program out of
 * cfssl's database. MASSREVOKE_SOAK=1: 20,000 certificates and many more accidents. */
#include "../lib/cfssl.h"
#include "../lib/shell.h"
#include "massrevoke/file.h"
#include "massrevoke/json.h"

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

static size_t count = 1000, listed = 900; /* the first so many; number 3 is revoked already */
static const char *rate = "40/s", *accidents = "cdeoc";
#define SOAK "cedcoeecdeceoedecoeee"

static struct cfssl ca;
static const char *program;

static const char configuration[] =
    "version = 1;\n"
    "ca = { name = \"tls\"; backend = \"http\"; profile = \"./quick.cfg\"; url = \"%s\"; rate = \"%s\";\n"
    "  record_conninfo = \"%s\"; timeout = \"5s\";\n"
    "  issuers = ( { certificate_file = \"ca/ca.pem\"; crl = \"http://crl.demo-ca.example/ca.crl\";\n"
    "    key_file = \"ca/private/ca.key\"; crl_number_file = \"ca/crlnumber\"; crl_file = \"ca/pub/ca.crl\"; "
    "} ); };\n"
    "approvals = { quorum = 1; approvers = (\n"
    "  { name = \"alice\"; certificate_file = \"ca/approvers/alice.crt\"; },\n"
    "  { name = \"bob\"; certificate_file = \"ca/approvers/bob.crt\"; },\n"
    "  { name = \"carol\"; certificate_file = \"revoker.pem\"; } ); };\n"
    "mail = { from = \"revocation@ca.example\"; spool_dir = \"ca/spool\"; };\n"
    "fetch = { map = ( { url = \"http://crl.demo-ca.example/\"; folder = \"ca/pub\"; } ); };\n";

/* cfssl's profile with a short quiet time: a test cannot wait for minutes. */
static void write_files(void)
{
    struct fault f;
    struct str bytes;
    AUTO_BUF profile = {0}, list = {0};
    char hex[SERIAL_HEX_TEXT];
    if (!file_read("plans/backends/cfssl.cfg", 1 << 20, &ca.arena, &bytes, &f))
        fail_msg("%s", f.text);
    const char *quiet = memmem(bytes.p, bytes.n, "\"60s\"", 5);
    assert_non_null(quiet);
    buf_add(&profile, bytes.p, (size_t)(quiet - bytes.p));
    buf_text(&profile, "\"2s\"");
    buf_add(&profile, quiet + 5, (size_t)(bytes.p + bytes.n - quiet - 5));
    stock_write(ca.folder, "quick.cfg", buf_str(&profile));
    for (size_t i = 0; i < listed; i++)
        buf_format(&list, "%s\n", serial_hex(&ca.serials[i], hex));
    stock_write(ca.folder, "list.txt", buf_str(&list));
    cfssl_client(&ca, "revoker"); /* lends its certificate to a third approver */
    stock_write(ca.folder, "massrevoke.cfg",
                str_of(arena_format(&ca.arena, configuration, ca.url, rate, ca.conninfo)));
}

/* Every change of a row that is revoked already is kept. */
static const char watch[] =
    "CREATE TABLE again (serial text);"
    "CREATE FUNCTION note_again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO certdb.again VALUES (convert_from(OLD.serial_number, 'UTF8')); RETURN NEW; END $$;"
    "CREATE TRIGGER again BEFORE UPDATE ON certificates FOR EACH ROW WHEN (OLD.status = 'revoked')"
    " EXECUTE FUNCTION note_again()";

static int make(void **state)
{
    (void)state;
    if (!cfssl_there())
        return 1;
    const char *given = getenv("MASSREVOKE");
    if (getenv("MASSREVOKE_SOAK") != NULL) {
        count = 20100;
        listed = 20000;
        rate = "300/s";
        accidents = SOAK;
    }
    cfssl_make(&ca, (int)count);
    program = realpath(given == NULL ? "build/release/massrevoke" : given, NULL);
    assert_non_null(program);
    snprintf(ca.url, sizeof ca.url, "http://127.0.0.1:%d", ca.port);
    write_files();
    cfssl_ask(&ca, watch);
    setenv("MASSREVOKE_STATE", file_join(&ca.arena, ca.folder, "ours"), 1);
    setenv("MASSREVOKE_CONFIG", file_join(&ca.arena, ca.folder, "massrevoke.cfg"), 1);
    setenv("MASSREVOKE_CAMPAIGN", "live", 1);
    setenv("SUDO_USER", "olga", 1);
    return 0;
}

static int unmake(void **state)
{
    AUTO_BUF out = {0};
    (void)state;
    SHELL(ca.folder, &out, program, "db", "stop");
    cfssl_free(&ca);
    return 0;
}

static void must(const char *const *argv)
{
    AUTO_BUF out = {0};
    int code = shell_run(ca.folder, &out, argv);
    if (code != 0)
        fail_msg("exit %d of %s: %s", code, argv[1], out.p);
}
#define MUST(...) must((const char *const[]){program, __VA_ARGS__, NULL})

static long totals(const char *key)
{
    AUTO_BUF out = {0};
    struct fault f;
    json_t *read = NULL;
    (void)SHELL(ca.folder, &out, program, "status", "--json");
    const char *from = out.p == NULL ? NULL : strchr(out.p, '{');
    if (from == NULL || !json_read("status", str_of(from), &read, &f))
        fail_msg("status: %s", out.p == NULL ? "" : out.p);
    AUTO_JSON *doc = read;
    return (long)json_integer_value(json_object_get(json_object_get(doc, "totals"), key));
}

static long in_database(void)
{
    return strtol(cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked'"), NULL, 10);
}

static long in_crl(void)
{
    AUTO_BUF out = {0};
    (void)SHELL(ca.folder, &out, "sh", "-c",
                "openssl crl -inform DER -in ca/pub/ca.crl -noout -text | grep -c 'Serial Number:'");
    return strtol(out.p, NULL, 10);
}

static pid_t start_engine(void)
{
    return stock_start(ca.folder, arena_format(&ca.arena, "%s run", program));
}

static void crash_our_database(void)
{
    struct fault f;
    struct str bytes;
    AUTO_ARENA a = {0};
    const char *file = file_join(&a, getenv("MASSREVOKE_STATE"), "cluster/data/postmaster.pid");
    if (!file_read(file, 4096, &a, &bytes, &f))
        fail_msg("%s", f.text);
    pid_t pid = (pid_t)strtol(bytes.p, NULL, 10);
    assert_true(pid > 0 && kill(pid, SIGQUIT) == 0);
    for (int i = 0; i < 500 && kill(pid, 0) == 0; i++)
        poll(NULL, 0, 10);
    MUST("db", "start");
}

static size_t happened; /* accidents so far: spread evenly over the certificates */

static pid_t break_things(pid_t engine, long revoked)
{
    size_t all = strlen(accidents);
    if (happened == all || (size_t)revoked < (happened + 1) * listed / (all + 1))
        return engine;
    switch (accidents[happened++]) {
    case 'c':
        cfssl_kill(&ca);
        poll(NULL, 0, 300);
        cfssl_start(&ca, false);
        break;
    case 'd':
        cfssl_database_crash(&ca);
        poll(NULL, 0, 300);
        cfssl_database_start(&ca);
        break;
    case 'o':
        crash_our_database();
        break;
    default:
        kill(engine, SIGKILL);
        waitpid(engine, NULL, 0);
        engine = start_engine();
    }
    return engine;
}

/* Has `run` ended? One that finds no database when it starts ends with 7 and is started again, as its unit
 * does. */
static bool is_over(pid_t *engine, int *status)
{
    static int again;
    if (waitpid(*engine, status, WNOHANG) == 0)
        return false;
    if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 7 || again++ == 5)
        return true;
    *engine = start_engine();
    return false;
}

static void begin_campaign(void)
{
    char text[UTC_TEXT];
    struct utc received = {time(NULL) - 7200};
    MUST("config", "check");
    MUST("open", "live", "--rule", "4.9.1.1-12", "--received", utc_format(received, text), "--profile",
         "immediate");
    MUST("import", "--serials", "hex", "list.txt");
    MUST("inventory", "ca/inventory.csv");
    MUST("contacts", "ca/contacts.csv");
    MUST("plan");
    MUST("approve", "--key", "ca/approvers/bob.key", "--cert", "ca/approvers/bob.crt");
    MUST("start", "--confirm", "live");
}

static void a_campaign_over_cfssl(void **state)
{
    (void)state;
    char digits[SERIAL_DECIMAL_TEXT];
    int status = 0;
    long held = 0;
    cfssl_start(&ca, false);
    cfssl_ask(&ca, arena_format(
                       &ca.arena,
                       "UPDATE certificates SET status = 'revoked', reason = 4, revoked_at = '2026-01-01Z' "
                       "WHERE serial_number = '%s'",
                       serial_decimal(&ca.serials[3], digits)));
    begin_campaign();
    pid_t engine = start_engine();
    int64_t looked = 0, until = time(NULL) + 60 + (int64_t)listed / 20;
    while (!is_over(&engine, &status)) {
        assert_true(time(NULL) < until);
        engine = break_things(engine, in_database());
        if (time(NULL) > looked + 1) {
            looked = time(NULL);
            long revoked = totals("revoked");
            if (revoked > held) /* a CRL only grows */
                held = in_crl();
            assert_true(revoked <= held);
        }
        poll(NULL, 0, 20);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        AUTO_BUF out = {0};
        SHELL(ca.folder, &out, "sh", "-c", "grep -v WARNING log | tail -n 6");
        fail_msg("run ended with %d: %s", status, out.p);
    }
    assert_int_equal(happened, strlen(accidents));
    assert_int_equal(totals("revoked"), listed);
    assert_int_equal(totals("affected"), listed);
    assert_int_equal(in_crl(), listed);
    assert_int_equal(in_database(), listed);
    bool *revoked = arena_array(&ca.arena, count, sizeof *revoked);
    cfssl_revoked(&ca, revoked);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(revoked[i], i < listed);
    /* each once: no date, no reason was ever replaced */
    assert_string_equal(cfssl_ask(&ca, "SELECT string_agg(serial, ' ') FROM again"), "");
    assert_string_equal(
        cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked' AND reason <> 4"), "0");
    assert_string_equal(cfssl_row(&ca, &ca.serials[3]), "revoked 4 1767225600");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_campaign_over_cfssl)};
    return cmocka_run_group_tests(tests, make, unmake);
}
