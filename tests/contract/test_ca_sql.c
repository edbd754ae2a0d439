/* Does the sql door keep the contract on a real PostgreSQL with cfssl's tables, when answers are lost, the
 * server crashes, refuses or deadlocks? And is the CRL out of it one that the stock tools read? */
#include "../lib/ca_list.h"
#include "../lib/cfssl.h"
#include "../lib/drop_proxy.h"
#include "../lib/shell.h"
#include "massrevoke/ca_sql.h"
#include "massrevoke/file.h"
#include "massrevoke/verifier.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct cfssl ca; /* its PostgreSQL only; no cfssl runs */
static struct drop_proxy proxy;
static struct ca_list list;
static const char *conninfo, *profile = "certdb";
static struct settings_issuer issuer;

static struct utc real_now(void *s)
{
    (void)s;
    return (struct utc){time(NULL)};
}

static struct utc list_now(void)
{
    return real_now(NULL);
}

static bool open_with(const char *to, struct ca_door **out, struct fault *f)
{
    struct settings_ca s = {.name = "t",
                            .backend = "sql",
                            .rate = {2000, 1},
                            .crl_validity = {7 * 86400},
                            .http = {.profile = profile, .record_conninfo = to, .timeout = {2}},
                            .issuers = &issuer,
                            .issuer_count = 1};
    return ca_sql_open(&s, CA_LIST_ISSUER, (struct clock){.now = real_now}, out, f);
}

static bool list_open(struct ca_door **out, struct fault *f)
{
    return open_with(conninfo, out, f);
}

static void list_reset(void)
{
    AUTO_BUF sql = {0};
    char digits[SERIAL_DECIMAL_TEXT];
    profile = "certdb";
    buf_text(&sql, "DROP TRIGGER IF EXISTS t ON certificates; DROP FUNCTION IF EXISTS trouble(); TRUNCATE "
                   "certificates; INSERT INTO certificates VALUES ");
    for (size_t i = 0; i < list.count; i++)
        buf_format(&sql, "%s('%s','%s','','good',0,'2036-01-01',NULL,'-')", i == 0 ? "" : ",",
                   serial_decimal(&list.serials[i], digits), ca.aki);
    cfssl_ask(&ca, sql.p);
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
    proxy.drop_after = on ? "COMMIT" : NULL;
}

static void list_kill(void)
{
    cfssl_database_crash(&ca);
}

static void list_start(void)
{
    cfssl_database_start(&ca);
}

/* The server gives this error at each UPDATE, or only at COMMIT. */
static void raise_error(const char *state, bool at_commit)
{
    cfssl_ask(
        &ca,
        arena_format(&ca.arena,
                     "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
                     "EXCEPTION E'made\\x1b up' USING ERRCODE = '%s'; END $$; CREATE %s TRIGGER t AFTER "
                     "UPDATE ON certificates %s FOR EACH ROW EXECUTE FUNCTION trouble()",
                     state, at_commit ? "CONSTRAINT" : "", at_commit ? "DEFERRABLE INITIALLY DEFERRED" : ""));
}

static enum ca_outcome list_odd(enum ca_list_odd odd)
{
    switch (odd) {
    case CA_LIST_BUSY:
        raise_error("40P01", false);
        return CA_WAIT;
    case CA_LIST_AWAY:
        raise_error("40001", true);
        return CA_WAIT;
    case CA_LIST_SLOW:
        cfssl_ask(&ca,
                  "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
                  "pg_sleep(3); RETURN NULL; END $$; CREATE TRIGGER t AFTER UPDATE ON certificates FOR EACH "
                  "ROW EXECUTE FUNCTION trouble()");
        return CA_WAIT; /* COMMIT has not left */
    case CA_LIST_REFUSED:
        raise_error("42501", false);
        return CA_WAIT;
    case CA_LIST_GARBAGE:
    case CA_LIST_ODD_COUNT:
        break;
    }
    return CA_OUTCOME_COUNT;
}

static struct ca_list list = {
    .name = "sql",
    .count = 20,
    .reasons = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 10,
    .keeps_first_date = true,
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
    .odd = list_odd,
};

/* --- what only a database has --- */

static struct ca_answer last;
static size_t answers;

static void collect(void *context, const struct ca_answer *all, size_t n)
{
    (void)context;
    answers += n;
    last = all[n - 1];
}

/* One certificate through a door of its own; the fault's kind. */
static enum fault_kind revoke_one(const char *to, size_t i)
{
    struct ca_door *door;
    struct fault f = {0};
    struct ca_item one = {.number = 7, .issuer = CA_LIST_ISSUER, .serial = list.serials[i], .reason = 4};
    bool busy = true;
    if (!open_with(to, &door, &f))
        fail_msg("%s", f.text);
    door->answer = collect;
    answers = 0;
    bool ok = door->ops->revoke(door, &one, 1, &f);
    while (ok && busy) {
        ca_wait(door, 10000);
        ok = door->ops->step(door, &busy, &f);
    }
    ca_close(door);
    assert_int_equal(answers, 1);
    return f.kind;
}

/* facts of backends 3, the row of the database. */
static void every_state_means_what_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        enum fault_kind kind;
    } cases[] = {{"40001", FAULT_UNAVAILABLE}, {"40P01", FAULT_UNAVAILABLE}, {"57P03", FAULT_UNAVAILABLE},
                 {"53300", FAULT_UNAVAILABLE}, {"53100", FAULT_UNAVAILABLE}, {"XX000", FAULT_UNAVAILABLE},
                 {"28000", FAULT_CONFIG},      {"42P01", FAULT_CONFIG},      {"22001", FAULT_CONFIG},
                 {"23505", FAULT_CONFIG},      {"25006", FAULT_CONFIG}};
    for (int at_commit = 0; at_commit < 2; at_commit++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            list_reset();
            raise_error(cases[i].state, at_commit == 1);
            assert_int_equal(revoke_one(conninfo, 0), cases[i].kind);
            assert_int_equal(last.outcome, CA_WAIT); /* an ERROR rolls back, at COMMIT too */
            assert_non_null(strstr(last.text, "made"));
            assert_false(list_row(&list.serials[0]).revoked);
        }
}

static void a_login_that_is_refused(void **state)
{
    (void)state;
    list_reset();
    const char *wrong = arena_format(&ca.arena, "%s user=nobody_here", conninfo);
    assert_int_equal(revoke_one(wrong, 0), FAULT_CONFIG);
    assert_int_equal(last.outcome, CA_WAIT);
    wrong = arena_format(&ca.arena, "%s dbname=none_such", conninfo);
    assert_int_equal(revoke_one(wrong, 0), FAULT_CONFIG);
    assert_int_equal(revoke_one("host=/nonexistent", 0), FAULT_UNAVAILABLE);
    assert_int_equal(revoke_one("no conninfo", 0), FAULT_CONFIG);
}

/* What may go on until the door has nothing more to do. */
static void settle(struct ca_door *door, struct fault *f)
{
    bool busy = true;
    while (busy && door->ops->step(door, &busy, f) && busy)
        ca_wait(door, 10000);
}

static void only_its_own_issuers_rows(void **state)
{
    (void)state;
    list_reset();
    cfssl_ask(&ca, "UPDATE certificates SET authority_key_identifier = 'abcd'");
    assert_int_equal(revoke_one(conninfo, 0), FAULT_NONE);
    assert_int_equal(last.outcome, CA_UNKNOWN);
    assert_false(list_row(&list.serials[0]).revoked);
}

/* Text columns, as hand-made schemas have them; and a serial as the database writes it. */
static void text_columns_do_too(void **state)
{
    (void)state;
    list_reset();
    cfssl_ask(&ca,
              "CREATE TABLE kept (LIKE certificates); ALTER TABLE certificates ALTER serial_number TYPE text "
              "USING convert_from(serial_number, 'UTF8'), ALTER authority_key_identifier TYPE text USING "
              "convert_from(authority_key_identifier, 'UTF8'), ALTER status TYPE text USING "
              "convert_from(status, 'UTF8')");
    assert_int_equal(revoke_one(conninfo, 0), FAULT_NONE);
    assert_int_equal(last.outcome, CA_REVOKED_NOW);
    assert_int_equal(revoke_one(conninfo, 0), FAULT_NONE);
    assert_int_equal(last.outcome, CA_REVOKED_BEFORE);
    cfssl_ask(
        &ca, "DROP TABLE certificates; ALTER TABLE kept RENAME TO certificates; ALTER TABLE certificates ADD "
             "PRIMARY KEY (serial_number, authority_key_identifier)");
}

static void publishes_from_the_database(void **state)
{
    (void)state;
    struct ca_door *door;
    struct fault f = {0};
    AUTO_BUF out = {0};
    list_reset();
    (void)list_revoke(&list.serials[0], 1767225600, REASON_KEY_COMPROMISE);
    (void)list_revoke(&list.serials[2], 1767225600, REASON_UNSPECIFIED);
    if (!open_with(conninfo, &door, &f))
        fail_msg("%s", f.text);
    assert_true(door->facts.can_publish);
    for (int i = 0; i < 2; i++)
        if (!ca_list_publish(door, list_now(), &f))
            fail_msg("%s", f.text);
    assert_false(door->ops->publish(door, CA_LIST_ISSUER + 1, list_now(), &f));
    ca_close(door);
    assert_int_equal(SHELL(ca.ca, &out, "openssl", "crl", "-inform", "DER", "-in", "pub/ca.crl", "-noout",
                           "-text", "-CAfile", "ca.pem"),
                     0);
    assert_non_null(strstr(out.p, "verify OK"));
    assert_non_null(strstr(out.p, "Key Compromise"));
    assert_non_null(strstr(out.p, "Jan  1 00:00:00 2026"));
    assert_null(strstr(out.p, "Unspecified")); /* BR 7.2.2 */
    size_t entries = 0;
    for (const char *p = out.p; (p = strstr(p, "Serial Number:")) != NULL; p++)
        entries++;
    assert_int_equal(entries, 2);
    struct str number;
    AUTO_ARENA a = {0};
    assert_true(file_read(issuer.crl_number_file, 100, &a, &number, &f));
    assert_true(str_is(number, "04\n")); /* the CRL that stood there has 01 */
    char hex[SERIAL_HEX_TEXT];
    assert_non_null(strstr(out.p, serial_hex(&list.serials[2], hex)));
}

/* CRL number file of the issuer. */
static unsigned long next_number(void)
{
    AUTO_ARENA a = {0};
    struct str text;
    struct fault f = {0};
    assert_true(file_read(issuer.crl_number_file, 100, &a, &text, &f));
    return strtoul(arena_copy(&a, text.p, text.n), NULL, 16);
}

/* Is the lock of the issuer's CRL free? */
static bool is_free(void)
{
    struct fault f = {0};
    int lock = -1;
    bool got = file_lock(arena_format(&ca.arena, "%s.lock", issuer.crl_number_file), false, &lock, &f);
    if (got)
        close(lock);
    return got;
}

/* Stops, or lets go on, what serves the session that lists. */
static void signal_list(int signal)
{
    pid_t pid = (pid_t)strtol(cfssl_ask(&ca, "SELECT pid FROM pg_stat_activity WHERE application_name = "
                                             "'massrevoke' AND query NOT IN ('COMMIT', 'BEGIN')"),
                              NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, signal), 0);
}

/* A list that does not come holds up its CRL, whose number nobody else takes meanwhile, and no request; it
 * comes when the database wakes, or is given up. */
static void a_list_that_hangs_holds_up_its_crl_only(void **state)
{
    (void)state;
    struct ca_door *door;
    struct fault f = {0};
    struct ca_item one = {.number = 7, .issuer = CA_LIST_ISSUER, .reason = 4};
    list_reset();
    assert_true(open_with(conninfo, &door, &f));
    door->answer = collect;
    assert_true(ca_list_publish(door, list_now(), &f));
    unsigned long number = next_number();
    signal_list(SIGSTOP);
    for (int i = 0; i < 3; i++) {
        assert_true(door->ops->publish(door, CA_LIST_ISSUER, list_now(), &f));
        assert_true(door->publishing);
        one.serial = list.serials[i];
        assert_true(door->ops->revoke(door, &one, 1, &f));
        settle(door, &f);
        assert_int_equal(f.kind, FAULT_NONE);
        assert_int_equal(last.outcome, CA_REVOKED_NOW);
    }
    assert_false(is_free());
    assert_int_equal(next_number(), number);
    signal_list(SIGCONT);
    if (!ca_list_publish(door, list_now(), &f))
        fail_msg("%s", f.text);
    assert_int_equal(next_number(), number + 1);
    assert_true(is_free());

    signal_list(SIGSTOP);
    assert_false(ca_list_publish(door, list_now(), &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_false(door->publishing);
    assert_true(is_free());
    signal_list(SIGCONT);
    assert_true(ca_list_publish(door, list_now(), &f));
    assert_int_equal(next_number(), number + 2);
    assert_true(door->ops->revoke(door, &one, 1, &f)); /* the session of requests is not the one that ended */
    settle(door, &f);
    assert_int_equal(last.outcome, CA_REVOKED_BEFORE);

    cfssl_database_crash(&ca);
    cfssl_database_start(&ca);
    assert_true(ca_list_publish(door, list_now(), &f)); /* that its session is gone is noticed */
    assert_int_equal(next_number(), number + 3);
    ca_close(door);
}

/* certdb, but its list tells the CRL of each certificate, too. */
static const char *sharded_profile(void)
{
    struct str text;
    struct fault f = {0};
    assert_true(file_read("plans/backends/certdb.cfg", 1 << 20, &ca.arena, &text, &f));
    const char *whole = arena_copy(&ca.arena, text.p, text.n), *query = strstr(whole, "\nrevoked = \"");
    const char *from = query == NULL ? NULL : strstr(query, " FROM certificates");
    assert_non_null(from);
    const char *path = file_join(&ca.arena, ca.folder, "sharded.cfg");
    text = str_of(arena_format(&ca.arena, "%.*s, crl_url%s", (int)(from - whole), whole, from));
    assert_true(file_write(path, text, 0644, &f));
    return path;
}

static const struct settings_shard shards[] = {{"http://crl.example/0.crl", "0.crl"},
                                               {"http://crl.example/1.crl", "1.crl"},
                                               {"http://crl.example/2.crl", "2.crl"}};

/* One shard as anybody would read it: how many of the list's serials it has, with no finding. */
static size_t judge_shard(const struct settings_shard *shard, const struct verify_issuer *by)
{
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct str bytes;
    struct verifier_crl judged;
    struct verifier_question q = {.issuer = by, .url = shard->url, .now = real_now(NULL), .seed = {1, 2}};
    assert_true(file_read(shard->crl_file, 1 << 20, &a, &bytes, &f));
    verifier_judge_crl(bytes, &q, &a, &judged);
    if (judged.findings.count != 0)
        fail_msg("%s: %s", shard->url, judged.findings.list[0].seen);
    assert_true(judged.counts && judged.complete && judged.crl.idp.critical);
    return judged.crl.entry_count;
}

/* Every certificate stands on the CRL that it names; together they are the full one, or nothing is placed. */
static void publishes_shards(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct ca_door *door;
    struct fault f = {0};
    struct str pem;
    struct verify_issuer by = {0};
    struct settings_shard placed[3];
    const struct settings_issuer full = issuer;
    list_reset();
    cfssl_ask(&ca, "ALTER TABLE certificates ADD crl_url text");
    for (size_t i = 0; i < 7; i++)
        (void)list_revoke(&list.serials[i], 1767225600, REASON_SUPERSEDED);
    cfssl_ask(&ca,
              "UPDATE certificates c SET crl_url = format('http://crl.example/%s.crl', n % 2) FROM (SELECT "
              "serial_number, row_number() OVER () n FROM certificates WHERE status = 'revoked') r WHERE "
              "c.serial_number = r.serial_number");
    for (size_t i = 0; i < 3; i++)
        placed[i] = (struct settings_shard){shards[i].url, file_join(&a, ca.folder, shards[i].crl_file)};
    profile = sharded_profile();
    issuer.crl_file = NULL;
    issuer.shards = placed;
    issuer.shard_count = 2;
    assert_true(open_with(conninfo, &door, &f) && ca_list_publish(door, list_now(), &f));
    assert_true(file_read(issuer.certificate_file, 1 << 20, &a, &pem, &f) &&
                verify_issuer_load(pem, &a, &by, &f));
    size_t first = judge_shard(&placed[0], &by), second = judge_shard(&placed[1], &by);
    assert_in_range(first, 3, 4);
    assert_int_equal(first + second, 7);
    ca_close(door);

    struct str before, after;
    cfssl_ask(&ca,
              "UPDATE certificates SET crl_url = 'http://crl.example/2.crl' WHERE serial_number = (SELECT "
              "serial_number FROM certificates WHERE crl_url = 'http://crl.example/0.crl' LIMIT 1)");
    assert_true(file_read(placed[0].crl_file, 1 << 20, &a, &before, &f));
    assert_true(open_with(conninfo, &door, &f));
    assert_false(ca_list_publish(door, list_now(), &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "http://crl.example/2.crl"));
    assert_true(file_read(placed[0].crl_file, 1 << 20, &a, &after, &f) && str_equal(before, after));
    ca_close(door);
    issuer.shard_count = 3;
    assert_true(open_with(conninfo, &door, &f) && ca_list_publish(door, list_now(), &f));
    assert_int_equal(judge_shard(&placed[0], &by) + judge_shard(&placed[1], &by), 6);
    assert_int_equal(judge_shard(&placed[2], &by), 1);
    ca_close(door);

    profile = "certdb"; /* tells no URL */
    assert_true(open_with(conninfo, &door, &f));
    assert_false(ca_list_publish(door, list_now(), &f));
    assert_non_null(strstr(f.text, "3 columns, not 4"));
    ca_close(door);
    issuer = full;
    cfssl_ask(&ca, "ALTER TABLE certificates DROP crl_url");
    verify_issuer_free(&by);
}

/* A statement is larger than what a socket holds, the first of a session and the next: it goes all the same,
 * without anybody who pushes but the descriptor. */
static void large_statements(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct ca_door *door;
    struct fault f = {0};
    struct ca_item *items = arena_array(&ca.arena, N, sizeof *items);
    for (size_t i = 0; i < N; i++) {
        items[i] = (struct ca_item){
            .number = (uint32_t)i, .issuer = CA_LIST_ISSUER, .reason = 4, .serial = list.serials[2]};
        items[i].serial.bytes[5] ^= (uint8_t)(i >> 8) | 0x80;
        items[i].serial.bytes[6] = (uint8_t)i;
    }
    list_reset();
    stock_edit("plans/backends/certdb.cfg", "batch = 1000;", "batch = 10000;", ca.folder, "large.cfg");
    profile = file_join(&ca.arena, ca.folder, "large.cfg");
    assert_true(list_open(&door, &f));
    door->answer = collect;
    answers = 0;
    for (int i = 1; i <= 2; i++) {
        assert_true(door->ops->revoke(door, items, N, &f));
        settle(door, &f);
        assert_int_equal(f.kind, FAULT_NONE);
        assert_int_equal(answers, i * N);
        assert_int_equal(last.outcome, CA_UNKNOWN);
    }
    ca_close(door);
    profile = "certdb";
}

/* With the timings of a real batch. */
static void thousands_at_once(void **state)
{
    (void)state;
    enum { N = 5000 };
    struct ca_door *door;
    struct fault f = {0};
    struct ca_item *items = arena_array(&ca.arena, N, sizeof *items);
    bool busy = true, ok;
    AUTO_BUF sql = {0};
    char digits[SERIAL_DECIMAL_TEXT];
    struct timespec a, b;
    buf_text(&sql, "INSERT INTO certificates VALUES ");
    for (size_t i = 0; i < N; i++) {
        items[i] = (struct ca_item){.number = (uint32_t)i, .issuer = CA_LIST_ISSUER, .reason = 4};
        items[i].serial =
            (struct serial){.n = 8, .bytes = {0x55, 1, 2, 3, 4, 5, (uint8_t)(i >> 8), (uint8_t)i}};
        buf_format(&sql, "%s('%s','%s','','good',0,'2036-01-01',NULL,'-')", i == 0 ? "" : ",",
                   serial_decimal(&items[i].serial, digits), ca.aki);
    }
    list_reset();
    cfssl_ask(&ca, sql.p);
    cfssl_ask(&ca, "ANALYZE certificates");
    assert_true(list_open(&door, &f));
    door->answer = collect;
    answers = 0;
    clock_gettime(CLOCK_MONOTONIC, &a);
    ok = door->ops->revoke(door, items, N, &f);
    while (ok && busy) {
        ca_wait(door, 10000);
        ok = door->ops->step(door, &busy, &f);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    ca_close(door);
    if (!ok)
        fail_msg("%s", f.text);
    assert_int_equal(answers, N);
    assert_string_equal(cfssl_ask(&ca, "SELECT count(*) FROM certificates WHERE status = 'revoked'"), "5000");
    print_message("%d in %.3f s\n", N, (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
}

/* --- wiring --- */

/* The conninfo with the proxy's folder for the server's. */
static void start_proxy(void)
{
    const char *host = strstr(ca.conninfo, "host='"), *end = host == NULL ? NULL : strchr(host + 6, '\'');
    assert_non_null(end);
    const char *folder = arena_copy(&ca.arena, host + 6, (size_t)(end - host - 6));
    const char *ours = file_join(&ca.arena, ca.folder, "p");
    assert_int_equal(mkdir(ours, 0700), 0);
    drop_proxy_start_unix(&proxy, file_join(&ca.arena, ours, ".s.PGSQL.5432"),
                          file_join(&ca.arena, folder, ".s.PGSQL.5432"));
    conninfo = arena_format(&ca.arena, "host='%s%s", ours, end);
}

/* Looking needs the rights that the work will need, and changes nothing. */
static void probed_before_a_campaign(void **state)
{
    (void)state;
    struct ca_door *door;
    struct ca_probe p;
    struct fault f = {0};
    list_reset();
    assert_true(open_with(conninfo, &door, &f));
    assert_true(door->probe(door, &p, &f));
    assert_in_range(p.date.s, real_now(NULL).s - 60, real_now(NULL).s + 60);
    for (size_t i = 0; i < list.count; i++)
        assert_false(list_row(&list.serials[i]).revoked);
    cfssl_ask(&ca, "CREATE ROLE reader LOGIN; GRANT SELECT ON certificates TO reader");
    ca_close(door);
    assert_true(open_with(arena_format(&ca.arena, "%s user=reader", conninfo), &door, &f));
    assert_false(door->probe(door, &p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG); /* it may read, and not revoke */
    ca_close(door);
    cfssl_ask(&ca, "DROP OWNED BY reader; DROP ROLE reader");
    f = (struct fault){0};
    assert_true(open_with("host=127.0.0.1 port=1 dbname=none connect_timeout=2", &door, &f));
    assert_false(door->probe(door, &p, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    ca_close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_means_what_the_table_says),
        cmocka_unit_test(a_login_that_is_refused),
        cmocka_unit_test(probed_before_a_campaign),
        cmocka_unit_test(only_its_own_issuers_rows),
        cmocka_unit_test(text_columns_do_too),
        cmocka_unit_test(publishes_from_the_database),
        cmocka_unit_test(a_list_that_hangs_holds_up_its_crl_only),
        cmocka_unit_test(publishes_shards),
        cmocka_unit_test(large_statements),
        cmocka_unit_test(thousands_at_once),
    };
    cfssl_make(&ca, 40);
    ca_list_serials(list.serials, list.count);
    issuer = (struct settings_issuer){.certificate_file = file_join(&ca.arena, ca.ca, "ca.pem"),
                                      .key_file = file_join(&ca.arena, ca.ca, "private/ca.key"),
                                      .crl_number_file = file_join(&ca.arena, ca.ca, "crlnumber"),
                                      .crl_file = file_join(&ca.arena, ca.ca, "pub/ca.crl")};
    start_proxy();
    int failed = ca_list_run(&list);
    failed += cmocka_run_group_tests_name("ca_sql", tests, NULL, NULL);
    drop_proxy_stop(&proxy);
    cfssl_free(&ca);
    return failed;
}
