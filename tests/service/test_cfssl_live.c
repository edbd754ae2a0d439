/* A whole campaign by hand over a real cfssl, through the program and its configuration, while cfssl and the
 * engine are killed, both databases crash, and an engine is stopped beyond its limit: are exactly the listed
 * certificates revoked, each once, with the dates and reasons that cfssl's database has, and does `status` at
 * every second call revoked what the CRL of that second holds at most, and what the fetch before the last one
 * saw at least? The CRL is signed by the program out of cfssl's database. MASSREVOKE_SOAK=1 (scripts/soak):
 * 20,000 certificates and many more accidents, once with one engine and once with two. */
#include "../lib/cfssl.h"
#include "../lib/fake_http.h"
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
#include <openssl/x509.h>

#define ENGINES 2
#define STOPPED 33 /* seconds; an engine that stands still for 30 is ended */

/* c: cfssl is killed, d: its database crashes, o: ours crashes, e: an engine is killed, s: one is stopped
 * beyond its limit while another one works. */
static size_t count = 1300, listed = 1200; /* the first so many; number 3 is revoked already */
static size_t calm = 600;                  /* of these, the last ones: no accident any more */
static int least_bounded = 3;              /* samples that have something to fall short of */
static const char *rate = "40/s", *accidents = "csdeoc";
#define SOAK "cesdceoeecdecseoedecoeee"

static struct cfssl ca;
static const char *program;

static const char configuration[] =
    "version = 1;\n"
    "ca = { name = \"tls\"; backend = \"http\"; profile = \"./quick.cfg\"; url = \"%s\"; rate = \"%s\";\n"
    "  burst = 40; record_conninfo = \"%s\"; timeout = \"5s\";\n"
    "  issuers = ( { certificate_file = \"ca/ca.pem\"; crl = \"http://crl.demo-ca.example/ca.crl\";\n"
    "    key_file = \"ca/private/ca.key\"; crl_number_file = \"ca/crlnumber\"; crl_file = \"ca/pub/ca.crl\"; "
    "} ); };\n"
    "approvals = { quorum = 1; approvers = (\n"
    "  { name = \"alice\"; certificate_file = \"ca/approvers/alice.crt\"; },\n"
    "  { name = \"bob\"; certificate_file = \"ca/approvers/bob.crt\"; },\n"
    "  { name = \"carol\"; certificate_file = \"revoker.pem\"; } ); };\n"
    "mail = { from = \"revocation@ca.example\"; spool_dir = \"ca/spool\"; };\n";

/* cfssl's profile with a short quiet time: a test cannot wait for minutes. */
static void write_files(void)
{
    AUTO_BUF list = {0};
    char hex[SERIAL_HEX_TEXT];
    stock_edit("plans/backends/cfssl.cfg", "\"60s\"", "\"2s\"", ca.folder, "quick.cfg");
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

/* --- the CRL's web server: who fetched when, and how many entries it got --- */

#define FETCHES 20000

static struct {
    struct fake_http server;
    int fetched[FETCHES];
    atomic_int count;
} web;

/* The CRL that is out; how many entries it holds, -1: it can't be read. */
static int read_crl(struct arena *a, struct str *bytes)
{
    struct fault f = {0};
    if (!file_read(file_join(a, ca.ca, "pub/ca.crl"), 1 << 26, a, bytes, &f))
        return -1;
    const unsigned char *der = (const unsigned char *)bytes->p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &der, (long)bytes->n);
    int n = crl == NULL ? -1 : sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
    bool listed_none = crl != NULL && n < 0; /* RFC 5280 5.1.2.6: then the list is absent */
    X509_CRL_free(crl);
    return listed_none ? 0 : n;
}

static void serve_crl(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    AUTO_ARENA a = {0};
    struct str bytes;
    (void)context;
    (void)request;
    int holds = read_crl(&a, &bytes);
    if (holds < 0)
        return;
    buf_format(&reply->bytes, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", bytes.n);
    buf_add(&reply->bytes, bytes.p, bytes.n);
    int at = atomic_load(&web.count);
    if (at < FETCHES)
        web.fetched[at] = holds;
    atomic_store(&web.count, at < FETCHES ? at + 1 : at);
}

/* What status must count by now: the CRL of two fetch intervals ago. Each engine fetches and commits one
 * after the other, so of the last n + 1 fetches of n engines one engine made two, and the earlier of these is
 * committed; of what it showed the answer may still have been under way when that look began, then the next
 * one counts it. Fetches before an accident may be lost. */
static int surely_judged(int fetches, int spoiled, int engines)
{
    int sure = fetches - engines - 2;
    return sure < spoiled ? 0 : web.fetched[sure];
}

/* --- engines --- */

static struct {
    pid_t pid[ENGINES]; /* 0: does not run */
    size_t wanted;      /* how many work from the beginning */
    int64_t stopped_at; /* the first one; 0: runs */
    int restarts;
    size_t happened; /* accidents so far: spread evenly over the certificates */
    int spoiled;     /* fetches that an accident may have cost */
    int samples, bounded, lowest;
} run;

static int make_world(size_t engines)
{
    if (!cfssl_there())
        return 1;
    const char *given = getenv("MASSREVOKE");
    if (getenv("MASSREVOKE_SOAK") != NULL) {
        count = 20100;
        listed = 20000;
        calm = 4000;
        least_bounded = 20;
        rate = "150/s";
        accidents = SOAK;
    }
    memset(&run, 0, sizeof run);
    run.wanted = engines;
    run.lowest = INT32_MAX;
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
    memset(&web, 0, sizeof web);
    fake_http_start(&web.server, 0, serve_crl, NULL);
    setenv("http_proxy", web.server.url, 1); /* the pointer's host exists nowhere */
    return 0;
}

static int make(void **state)
{
    (void)state;
    return make_world(1);
}

static int make_for_two(void **state)
{
    (void)state;
    return make_world(2);
}

static int unmake(void **state)
{
    AUTO_BUF out = {0};
    (void)state;
    for (size_t i = 0; i < ENGINES; i++)
        if (run.pid[i] > 0 && kill(run.pid[i], SIGKILL) == 0)
            waitpid(run.pid[i], NULL, 0);
    SHELL(ca.folder, &out, program, "db", "stop");
    fake_http_stop(&web.server);
    unsetenv("http_proxy");
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

/* One count of status; -1 while its database comes back. */
static long totals(const char *key)
{
    AUTO_BUF out = {0};
    struct fault f;
    json_t *read = NULL;
    int code = SHELL(ca.folder, &out, program, "status", "--json");
    if (code == 7)
        return -1;
    const char *from = code != 0 ? NULL : strchr(out.p, '{');
    if (from == NULL || !json_read("status", str_of(from), &read, &f))
        fail_msg("status ends %d: %s", code, out.p);
    AUTO_JSON *doc = read;
    return (long)json_integer_value(json_object_get(json_object_get(doc, "totals"), key));
}

static long in_database(void)
{
    return strtol(cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked'"), NULL, 10);
}

static void start_engine(size_t i)
{
    run.pid[i] = stock_start(ca.folder, arena_format(&ca.arena, "%s run", program));
}

static void end_engine(size_t i)
{
    if (run.pid[i] > 0 && kill(run.pid[i], SIGKILL) == 0)
        waitpid(run.pid[i], NULL, 0);
    run.pid[i] = 0;
}

/* --- accidents --- */

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

/* The first engine stands still; another one must be there to end it and do its work. */
static void stop_engine(void)
{
    if (run.pid[1] == 0)
        start_engine(1);
    if (run.pid[0] == 0)
        start_engine(0);
    poll(NULL, 0, 1500); /* both are at it */
    assert_int_equal(kill(run.pid[0], SIGSTOP), 0);
    run.stopped_at = time(NULL);
}

/* It goes on, and must find out that nothing is its own any more; the other one goes if it was only lent. */
static void wake_engine(void)
{
    if (run.stopped_at == 0 || time(NULL) < run.stopped_at + STOPPED)
        return;
    kill(run.pid[0], SIGCONT);
    run.stopped_at = 0;
    if (run.wanted == 1) {
        poll(NULL, 0, 2000);
        end_engine(1);
    }
    run.spoiled = atomic_load(&web.count);
}

/* Whose turn it is: never the one that stands still. */
static size_t victim(void)
{
    return run.stopped_at != 0 || (run.wanted == 2 && run.happened % 2 == 0) ? 1 : 0;
}

static void break_things(long revoked)
{
    size_t all = strlen(accidents), who = victim();
    if (run.happened == all || (size_t)revoked < (run.happened + 1) * (listed - calm) / (all + 1))
        return;
    if (accidents[run.happened] == 's' && run.stopped_at != 0)
        return; /* one after the other */
    switch (accidents[run.happened++]) {
    case 'c': /* this and the next cost no fetch */
        cfssl_kill(&ca);
        poll(NULL, 0, 300);
        cfssl_start(&ca, false);
        return;
    case 'd':
        cfssl_database_crash(&ca);
        poll(NULL, 0, 300);
        cfssl_database_start(&ca);
        return;
    case 'o':
        crash_our_database();
        break;
    case 's':
        stop_engine();
        break;
    default:
        end_engine(who);
        start_engine(who);
    }
    run.spoiled = atomic_load(&web.count);
}

/* Has everything ended? One that finds no database when it starts ends with 7 and is started again, as its
 * unit does; one that was ended by the other's word is a dead session, not a dead process. */
static bool is_over(int *status)
{
    bool any = false;
    for (size_t i = 0; i < ENGINES; i++) {
        if (run.pid[i] == 0)
            continue;
        if (waitpid(run.pid[i], status, WNOHANG) == 0) {
            any = true;
            continue;
        }
        run.pid[i] = 0;
        if (WIFEXITED(*status) && WEXITSTATUS(*status) == 7 && run.restarts++ < 20) {
            start_engine(i);
            any = true;
        } else if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0)
            return true;
    }
    return !any;
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

/* What status says lies between what a fetch before has shown for sure and what the CRL, which only grows,
 * holds right afterwards. */
static void sample(void)
{
    AUTO_ARENA a = {0};
    struct str bytes;
    int fetches = atomic_load(&web.count);
    int engines = (run.pid[0] > 0) + (run.pid[1] > 0);
    long revoked = totals("revoked");
    int out = read_crl(&a, &bytes);
    if (revoked >= 0) {
        int sure = surely_judged(fetches, run.spoiled, engines);
        if (revoked > out || revoked < sure)
            fail_msg("status says %ld revoked; the CRL holds %d, the fetch before the last one saw %d",
                     revoked, out, sure);
        run.samples++;
        run.bounded += sure > 0;
        run.lowest = out - (int)revoked < run.lowest ? out - (int)revoked : run.lowest;
    }
}

/* --- afterwards: row by row --- */

/* The last five cells of a row of the affected list: serial, names, revoked?, date, reason. */
static bool last_cells(struct str line, struct str cells[static 5])
{
    for (int i = 4; i >= 0; i--) {
        const char *comma = memrchr(line.p, ',', line.n);
        if (comma == NULL)
            return false;
        cells[i] = (struct str){comma + 1, line.n - (size_t)(comma + 1 - line.p)};
        line.n = (size_t)(comma - line.p);
    }
    return true;
}

/* Our list against the CA's table: the same certificates, reasons and dates. cfssl's answers tell no date:
 * the CRL does. */
static void compare_rows(void)
{
    AUTO_BUF out = {0}, dates = {0};
    struct str cells[5], rest;
    size_t rows = 0;
    PGconn *db = PQconnectdb(ca.conninfo);
    assert_int_equal(SHELL(ca.folder, &out, program, "report", "affected", "--format", "csv"), 0);
    rest = buf_str(&out);
    for (struct str line = str_cut(&rest, '\n'); rest.p != NULL; line = str_cut(&rest, '\n')) {
        struct serial serial;
        struct utc at = UTC_NONE;
        struct fault f;
        char digits[SERIAL_DECIMAL_TEXT];
        if (!last_cells(str_trim(line), cells) || serial_from_hex(cells[0], &serial) != NULL)
            continue; /* the header, notes */
        rows++;
        assert_true(str_is(cells[2], "Yes"));
        assert_true(str_is(cells[4], "superseded"));
        if (!utc_parse(arena_copy(&ca.arena, cells[3].p, cells[3].n), &at, &f))
            fail_msg("%s", f.text);
        buf_format(&dates, "%s('%s'::bytea,%lld)", rows == 1 ? "" : ",", serial_decimal(&serial, digits),
                   (long long)at.s);
    }
    assert_int_equal(rows, listed);
    AUTO_BUF sql = {0};
    buf_format(
        &sql,
        "SELECT count(*) FROM (VALUES %s) v (serial_number, at) FULL JOIN (SELECT * FROM certificates WHERE "
        "status = 'revoked') c USING (serial_number) WHERE v.at IS NULL OR c.status IS NULL OR c.reason <> 4 "
        "OR v.at <> floor(extract(epoch FROM c.revoked_at))",
        dates.p);
    PGresult *r = PQexec(db, sql.p);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s", PQerrorMessage(db));
    assert_string_equal(PQgetvalue(r, 0, 0), "0");
    PQclear(r);
    PQfinish(db);
}

static void a_campaign_over_cfssl(void **state)
{
    (void)state;
    char digits[SERIAL_DECIMAL_TEXT];
    int status = 0;
    cfssl_start(&ca, false);
    cfssl_ask(&ca, arena_format(
                       &ca.arena,
                       "UPDATE certificates SET status = 'revoked', reason = 4, revoked_at = '2026-01-01Z' "
                       "WHERE serial_number = '%s'",
                       serial_decimal(&ca.serials[3], digits)));
    begin_campaign();
    int64_t sampled = 0, begun = time(NULL), until = begun + 120 + (int64_t)listed / 10;
    for (size_t i = 0; i < run.wanted; i++)
        start_engine(i);
    while (!is_over(&status)) {
        assert_true(time(NULL) < until);
        wake_engine();
        break_things(in_database());
        if (time(NULL) > sampled) {
            sampled = time(NULL);
            sample();
        }
        poll(NULL, 0, 20);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        AUTO_BUF out = {0};
        SHELL(ca.folder, &out, "sh", "-c", "grep -v WARNING log | tail -n 6");
        fail_msg("run ended with %d: %s", status, out.p);
    }
    assert_int_equal(run.happened, strlen(accidents));
    assert_int_equal(totals("revoked"), listed);
    assert_int_equal(totals("affected"), listed);
    assert_int_equal(in_database(), listed);
    bool *revoked = arena_array(&ca.arena, count, sizeof *revoked);
    cfssl_revoked(&ca, revoked);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(revoked[i], i < listed);
    /* each once: no date, no reason was ever replaced */
    assert_string_equal(cfssl_ask(&ca, "SELECT string_agg(serial, ' ') FROM again"), "");
    assert_string_equal(cfssl_row(&ca, &ca.serials[3]), "revoked 4 1767225600");
    compare_rows();
    MUST("evidence", "verify");
    print_message("%zu certificates in %lld s, %zu accidents; %d samples, %d of them bounded below, %d "
                  "fetches\n",
                  listed, (long long)(time(NULL) - begun), run.happened, run.samples, run.bounded,
                  atomic_load(&web.count));
    assert_true(run.bounded >= least_bounded);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_campaign_over_cfssl, make, unmake),
        {"two_engines_over_cfssl", a_campaign_over_cfssl, make_for_two, unmake, NULL},
    };
    /* the short form has two engines for as long as one of them is stopped */
    return getenv("MASSREVOKE_SOAK") == NULL ? _cmocka_run_group_tests("cfssl", tests, 1, NULL, NULL)
                                             : _cmocka_run_group_tests("cfssl", tests, 2, NULL, NULL);
}
