/* A store made by version 0006, with a campaign that runs, another cohort planned and a third only imported:
 * does it migrate, with the same numbers, digests and invariants, and go on? */
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "massrevoke/embed.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD_MIGRATIONS 6

struct old {
    struct arena arena;
    PGconn *sql;
    const char *schema;
};

static char *ask(struct old *o, const char *sql)
{
    PGresult *r = PQexec(o->sql, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%.200s: %s", sql, PQerrorMessage(o->sql));
    char *value = arena_text(&o->arena, PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    return value;
}

/* The functions that a program makes from its certificate.def, taken from a store of this program. */
static void copy_functions(struct old *o)
{
    struct small model;
    small_open(&model);
    const char *made = ask(
        o, arena_format(&o->arena,
                        "SELECT string_agg(replace(pg_get_functiondef(p.oid), '%s.', '%s.'), E';\\n') "
                        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = '%s' "
                        "AND p.proname IN ('ledger_table', 'ledger_buckets', 'event_count', 'state_code', "
                        "'event_code', 'event_name')",
                        model.schema, o->schema, model.schema));
    (void)ask(o, made);
    small_close(&model);
}

static void open_old(struct old *o)
{
    *o = (struct old){0};
    o->schema = arena_format(&o->arena, "old_%ld", (long)getpid());
    o->sql = PQconnectdb(test_conninfo());
    (void)ask(o, arena_format(&o->arena,
                              "SET client_min_messages TO error; CREATE SCHEMA %s; SET search_path TO %s; "
                              "CREATE TABLE migration (nth integer PRIMARY KEY, name text NOT NULL, sha256 "
                              "bytea NOT NULL)",
                              o->schema, o->schema));
    copy_functions(o);
    const struct embed_file *m = NULL;
    for (int nth = 0; nth < OLD_MIGRATIONS; nth++) {
        char hex[DIGEST_TEXT];
        m = embed_next("sql/schema/", m);
        (void)ask(o, m->bytes.p);
        (void)ask(o, arena_format(&o->arena, "INSERT INTO migration VALUES (%d, '%s', '\\x%s')", nth, m->path,
                                  digest_hex(digest_of(m->bytes.p, m->bytes.n), hex)));
    }
    (void)ask(o, "INSERT INTO meta VALUES ('store', 'old')");
}

static void close_old(struct old *o)
{
    (void)ask(o, arena_format(&o->arena, "DROP SCHEMA %s CASCADE", o->schema));
    PQfinish(o->sql);
    arena_free(&o->arena);
}

/* A list of serials from to to, received that many seconds after the first; its cohort. */
static void import_old(struct old *o, int from, int to, int received)
{
    (void)ask(o, arena_format(
                     &o->arena,
                     "CREATE TEMP TABLE staging AS SELECT 1 AS issuer, decode(lpad(to_hex(i + 268435456), 8, "
                     "'0'), 'hex') AS serial, i::bigint AS line FROM generate_series(%d, %d) i;"
                     "SELECT population_add(1, '4.9.1.1-12', 4::smallint, %d, %d, NULL, 'list', 'ann', "
                     "sha256('x'), 0, 1, 1, 0, 0, '{}'); DROP TABLE staging",
                     from, to, SMALL_RECEIVED + received, SMALL_RECEIVED + 432000));
}

/* Numbered and dealt into chunks of 500 by the functions of that version. */
static void plan_old(struct old *o, int cohort)
{
    (void)ask(o, arena_format(&o->arena, "SELECT plan_number(1, %d, 0, 'ann')", cohort));
    (void)ask(o,
              arena_format(
                  &o->arena,
                  "SELECT plan_deal(1, %d, 0, 'ann', sha256('p'), '{}', '{}', n, array_fill(0::smallint, "
                  "ARRAY[k]), array_fill(1, ARRAY[k]), array_fill(false, ARRAY[k]), array_fill(%d::bigint, "
                  "ARRAY[k]), array_fill(%d::bigint, ARRAY[k]), ARRAY(SELECT 500 * i FROM generate_series(0, "
                  "k - 1) i), ARRAY(SELECT least(500, cardinality(n) - 500 * i) FROM generate_series(0, k - "
                  "1) i), n, '{}', '{}') FROM (SELECT n, (cardinality(n) + 499) / 500 AS k FROM "
                  "plan_scope(1, %d) n) x",
                  cohort, SMALL_RECEIVED, SMALL_RECEIVED, cohort));
}

static void fill_old(struct old *o)
{
    (void)ask(o, arena_format(&o->arena,
                              "SELECT campaign_open('c1', 'live', 0, 'ann', 0, '4.9.1.1-12', %d, "
                              "'tls-5-day', 'mail', '{}');"
                              "INSERT INTO issuer (sha256, subject) VALUES (sha256('issuer'), 'CN=Old CA');"
                              "INSERT INTO inventory SELECT 1, decode(lpad(to_hex(i + 268435456), 8, '0'), "
                              "'hex'), 'sub-' || i %% 97, 'CN=h', 0, %d + i, NULL, NULL, NULL, '', 'DV', "
                              "'http://crl.example/' || i %% 3, '', '' FROM generate_series(1, 4000) i",
                              SMALL_RECEIVED, SMALL_RECEIVED + 9000000));
    import_old(o, 1, 2345, 0);
    plan_old(o, 1);
    (void)ask(o, "SELECT campaign_start(1, 1, 1, 0, 'ann', '{}')");
    import_old(o, 3000, 3600, 60);
    plan_old(o, 2);
    import_old(o, 3601, 3700, 120);
}

/* Requests to release court holds as a whole: of one in force, of one that has ended, and one that was void.
 */
static void ask_releases_old(struct old *o)
{
    (void)ask(o,
              "INSERT INTO hold VALUES (1, 1, 'court', 'order 1', sha256('1'), NULL, 'ann', 0, true, NULL), "
              "(1, 2, 'court', 'order 2', sha256('2'), NULL, 'ann', 0, false, 1);"
              "INSERT INTO request SELECT 1, i, 'release', 1, NULL, (ARRAY[1, 2, 1])[i], 0, 9, '{ann}', "
              "'what: release of court hold', (ARRAY['', '', 'old'])[i] FROM generate_series(1, 3) i");
}

/* What waits to release more than it names never will. */
static void check_releases(struct old *o)
{
    assert_string_equal(ask(o, "SELECT string_agg(void_reason, '; ' ORDER BY request) FROM request"),
                        "it names no certificates: release them anew; ; old");
}

static void check_invariants(struct old *o, const char *when)
{
    for (const struct embed_file *q = NULL; (q = embed_next("sql/invariant/", q)) != NULL;) {
        const char *const campaign[] = {"1"};
        PGresult *r = PQexecParams(o->sql, q->bytes.p, 1, NULL, campaign, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK)
            fail_msg("%s: %s", q->path, PQerrorMessage(o->sql));
        if (PQntuples(r) != 0)
            fail_msg("%s %s: %s: %s", q->path, when, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
        PQclear(r);
    }
}

#define NUMBERS(from)                                                                                        \
    "SELECT md5(string_agg(encode(serial, 'hex') || number, ',' ORDER BY serial)) FROM " from                \
    " WHERE number IS NOT NULL"

static void check_balance(struct store *s, struct arena *a)
{
    struct campaign campaign;
    struct snapshot snapshot;
    struct fault f = {0};
    static const struct snapshot_terms terms = {.quorum = 1};
    assert_true(store_campaign_find(s, "c1", a, &campaign, &f));
    assert_true(store_snapshot(s, &campaign, small_at(1), &terms, true, a, &snapshot, &f));
    assert_string_equal(snapshot.balance_detail, "");
    assert_int_equal(snapshot.totals.affected, 2345 + 601 + 100);
}

static void plan_cohort(struct store *s, int cohort, struct arena *a)
{
    struct act act = {1, small_at(1), "ann"};
    struct plan_material m;
    struct plan plan = {.remedy = "", .text = "{}", .finish = small_at(2)};
    struct fault f = {0};
    int number;
    if (!store_plan_read(s, 1, cohort, a, &m, &f))
        fail_msg("%s", f.text);
    AUTO_JSON *summary = json_object();
    if (!store_plan_write(s, &act, cohort, &m, &plan, summary, &number, &f))
        fail_msg("%s", f.text);
    assert_int_equal(number, 3);
    assert_int_equal(m.certificate_count, 100);
    assert_int_equal(m.shard_count, 3);
    assert_string_equal(m.shards[2].url, "http://crl.example/2");
}

static void a_running_campaign_migrates(void **unused)
{
    (void)unused;
    struct old o;
    struct store *s;
    struct fault f = {0};
    open_old(&o);
    fill_old(&o);
    ask_releases_old(&o);
    const char *before = ask(&o, NUMBERS("certificate"));
    if (!store_open(test_conninfo(), o.schema, &s, &f))
        fail_msg("%s", f.text);
    assert_string_equal(ask(&o, NUMBERS("affected")), before);
    assert_string_equal(ask(&o, "SELECT count(DISTINCT id) || ' ' || max(id) FROM certificate"), "3046 3045");
    check_invariants(&o, "after the migration");
    check_releases(&o);
    check_balance(s, &o.arena);
    plan_cohort(s, 3, &o.arena);
    check_invariants(&o, "after a plan");
    check_balance(s, &o.arena);
    int engine;
    struct claim *claims;
    size_t n;
    struct act act = {1, small_at(1), "engine"};
    assert_true(store_engine_begin(s, 1, "host", 1, "engine", small_at(1), &engine, &f));
    assert_true(store_claim(s, &act, engine, 0, 1000, NULL, 0, &o.arena, &claims, &n, &f));
    assert_int_equal(n, 2);
    check_invariants(&o, "after a claim");
    check_balance(s, &o.arena);
    store_close(s);
    close_old(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_campaign_migrates),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
