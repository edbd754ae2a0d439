/* Every query, invariant and the state table against a migrated schema; claims, late answers and takeovers.
 */
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "massrevoke/embed.h"
#include "massrevoke/hex.h"
#include "massrevoke/store_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

static void every_query_prepares(void **state)
{
    struct small *s = *state;
    int n = 0;
    for (const struct embed_file *q = NULL; (q = embed_next("sql/query/", q)) != NULL; n++) {
        PGresult *r = PQprepare(s->sql, "", q->bytes.p, 0, NULL);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fail_msg("%s: %s", q->path, PQerrorMessage(s->sql));
        PQclear(r);
    }
    assert_true(n > 50);
}

static void check_invariants(struct small *s, const char *when)
{
    const char *const campaign[] = {"1"};
    int n = 0;
    for (const struct embed_file *q = NULL; (q = embed_next("sql/invariant/", q)) != NULL; n++) {
        PGresult *r = PQexecParams(s->sql, q->bytes.p, 1, NULL, campaign, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK)
            fail_msg("%s: %s", q->path, PQerrorMessage(s->sql));
        if (PQntuples(r) != 0)
            fail_msg("%s %s: %s: %s", q->path, when, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
        PQclear(r);
    }
    assert_true(n >= 5);
}

static void invariants_hold(void **state)
{
    struct small *s = *state;
    size_t n;
    check_invariants(s, "at the start");
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    check_invariants(s, "after a claim");
    small_settle(s, 1, c, CA_ASK, CERTIFICATE_EVENT_NO_ANSWER);
    check_invariants(s, "in doubt");
    small_settle(s, 1, c, CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED);
    small_sight(s, 2, 0, SMALL_CHUNK);
    check_invariants(s, "when published");
}

/* An invariant that can find nothing proves nothing. */
static void invariants_find(void **state)
{
    static const struct {
        const char *sql, *invariant;
    } rows[] = {
        {"UPDATE page SET states = set_byte(states, 2, 3)", "sql/invariant/asked.sql"},
        {"UPDATE page SET states = set_byte(states, 2, 11)", "sql/invariant/page_counts.sql"},
        {"UPDATE page SET states = set_byte(states, 2, 2)", "sql/invariant/page_facts.sql"},
        {"DELETE FROM certificate WHERE id = 2", "sql/invariant/numbers.sql"},
        {"UPDATE member SET ids[3] = 4", "sql/invariant/numbers.sql"},
        {"UPDATE place SET numbers[3] = 4", "sql/invariant/numbers.sql"},
        {"DELETE FROM place", "sql/invariant/numbers.sql"},
        {"UPDATE chunk SET numbers = '{1,2,3}'", "sql/invariant/live_chunks.sql"},
    };
    struct small *s = *state;
    const char *const campaign[] = {"1"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PQclear(PQexec(s->sql, "BEGIN"));
        small_sabotage(s, rows[i].sql);
        PGresult *r =
            PQexecParams(s->sql, embed_find(rows[i].invariant)->bytes.p, 1, NULL, campaign, NULL, NULL, 0);
        assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
        if (PQntuples(r) == 0)
            fail_msg("%s did not see: %s", rows[i].invariant, rows[i].sql);
        PQclear(r);
        PQclear(PQexec(s->sql, "ROLLBACK"));
    }
}

static void the_state_table_is_the_programs(void **state)
{
    static uint8_t ours[CERTIFICATE_TABLE_SIZE], theirs[CERTIFICATE_TABLE_SIZE];
    struct small *s = *state;
    certificate_table(ours);
    PGresult *r = PQexec(s->sql, "SELECT encode(ledger_table(), 'hex')");
    assert_int_equal(strlen(PQgetvalue(r, 0, 0)), 2 * CERTIFICATE_TABLE_SIZE);
    assert_true(hex_read(PQgetvalue(r, 0, 0), CERTIFICATE_TABLE_SIZE, theirs));
    assert_memory_equal(ours, theirs, CERTIFICATE_TABLE_SIZE);
    PQclear(r);
}

/* A second engine with a store of its own on the same campaign. */
static struct small second(const struct small *first)
{
    struct small s = {.schema = first->schema, .campaign = first->campaign, .issuer = first->issuer};
    struct fault f = {0};
    if (!store_open(test_conninfo(), s.schema, &s.store, &f))
        fail_msg("%s", f.text);
    small_engine(&s);
    return s;
}

static void two_engines_claim_nothing_twice(void **state)
{
    struct small *a = *state, b = second(a);
    size_t n, m, other;
    small_engine(a);
    struct claim *first = small_claim(a, 1, &n);
    assert_int_equal(n, 1);
    (void)small_claim(&b, 1, &m);
    assert_int_equal(m, 0);
    struct claim *next = small_claim(&b, 2, &other);
    assert_int_equal(other, 1);
    assert_int_not_equal(first[0].chunk, next[0].chunk);
    (void)small_claim(a, 2, &m);
    assert_int_equal(m, 0);
    store_close(b.store);
    arena_free(&b.arena);
}

static void a_dead_owners_asked_are_in_doubt(void **state)
{
    struct small *a = *state, b = second(a);
    size_t n;
    struct claim *lost = small_claim(&b, 1, &n);
    assert_int_equal(n, 1);
    int epoch = lost[0].epoch, chunk = lost[0].chunk;
    store_close(b.store); /* the session ends, and with it the ownership */
    arena_free(&b.arena);
    small_engine(a);
    struct claim *c = NULL;
    for (int tries = 0; tries < 200; tries++) { /* the server needs a moment to notice */
        c = small_claim(a, 1, &n);
        if (n > 0)
            break;
        (void)small_number(a, "SELECT 1 FROM pg_sleep(0.01)");
    }
    assert_int_equal(n, 1);
    assert_int_equal(c[0].chunk, chunk);
    assert_int_equal(c[0].epoch, epoch + 1);
    for (size_t i = 0; i < c[0].count; i++) {
        assert_int_equal(certificate_state(c[0].states[i]), CERTIFICATE_DOUBT);
        assert_int_equal(c[0].intents[i], small_at(1).s);
    }
    check_invariants(a, "after a takeover");
}

/* Sentence 5: revoked counts from any epoch, everything else only from the current one; all are kept. */
static void late_answers(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    size_t n;
    small_engine(s);
    struct claim *old = small_claim(s, 1, &n);
    struct claim stale = old[0];
    struct act act = small_act(s, 1, "engine");
    assert_true(store_give_back(s->store, &act, s->engine, &stale.chunk, 1, &f));
    struct claim *now = small_claim(s, 1, &n);
    assert_int_equal(n, 1);
    assert_int_equal(now[0].epoch, stale.epoch + 1);
    static const enum certificate_event others[] = {CERTIFICATE_EVENT_NO_ANSWER, CERTIFICATE_EVENT_WAIT,
                                                    CERTIFICATE_EVENT_UNSENT, CERTIFICATE_EVENT_NOT_KNOWN,
                                                    CERTIFICATE_EVENT_PERSON};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        small_settle(s, 1, &stale, CA_ASK, others[i]);
        assert_int_equal(
            small_number(s, "SELECT count(*) FROM page, generate_series(0, 9) i WHERE get_byte(states, i) = "
                            "state_code('asked')"),
            SMALL_CHUNK);
    }
    small_settle(s, 1, &stale, CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED);
    assert_int_equal(small_number(s, "SELECT sum(pending_publication) FROM page"), SMALL_CHUNK);
    assert_int_equal(small_number(s, "SELECT count(*) FROM result"), 6);
    check_invariants(s, "after late answers");
}

/* Two epochs of a chunk in one commit: outcomes that waited out a lost connection. */
static void two_epochs_in_one_commit(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    size_t n;
    int64_t stray;
    small_engine(s);
    struct claim c = small_claim(s, 1, &n)[0];
    struct act act = small_act(s, 1, "engine");
    struct settlement items[2] = {
        {c.chunk, c.epoch, c.numbers[0], CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED, small_at(1), 4},
        {c.chunk, c.epoch - 1, c.numbers[1], CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED, small_at(1), 4},
    };
    if (!store_settle(s->store, &act, items, 2, &stray, &f))
        fail_msg("%s", f.text);
    assert_int_equal(small_number(s, "SELECT sum(pending_publication) FROM page"), 2);
}

static void facts_are_append_only(void **state)
{
    static const char *const tables[] = {"event", "change", "result", "sighting", "notice_try"};
    struct small *s = *state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        PGresult *r = PQexec(s->sql, arena_format(&s->arena, "DELETE FROM %s", tables[i]));
        assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "MR001");
        PQclear(r);
    }
}

/* What whoever claims a page hashes and sends, against the rows themselves. */
static void the_rows_of_a_page_are_those_that_stand(void **state)
{
    struct small *s = *state;
    struct fault f = {0};
    struct scoped *rows;
    size_t n;
    const int pages[] = {0, 7};
    PGresult *r =
        PQexec(s->sql, "SELECT b.block * 250 + x.o - 1, k.issuer, k.reason, encode(k.serial, 'hex'), "
                       "encode(i.sha256, 'hex') FROM member b, unnest(b.ids) WITH ORDINALITY x(id, o), "
                       "certificate k JOIN issuer i USING (issuer) WHERE k.id = x.id ORDER BY 1");
    if (!store_page_rows(s->store, s->campaign.id, pages, 2, &s->arena, &rows, &n, &f))
        fail_msg("%s", f.text);
    assert_int_equal(n, SMALL_CERTIFICATES);
    assert_int_equal(n, PQntuples(r));
    for (int i = 0; i < (int)n; i++) {
        char serial[SERIAL_HEX_TEXT], digest[DIGEST_TEXT];
        assert_int_equal(rows[i].number, atoi(PQgetvalue(r, i, 0)));
        assert_int_equal(rows[i].issuer, atoi(PQgetvalue(r, i, 1)));
        assert_int_equal(rows[i].reason, atoi(PQgetvalue(r, i, 2)));
        assert_int_equal(strcasecmp(serial_hex(&rows[i].serial, serial), PQgetvalue(r, i, 3)), 0);
        digest_hex(rows[i].issuer_sha256, digest);
        assert_string_equal(digest, PQgetvalue(r, i, 4));
    }
    PQclear(r);
}

/* Rows that were tampered with do not hash to what was signed, however they were. */
static void no_tampered_page_hashes_as_signed(void **state)
{
    static const char another_issuer[] =
        "WITH i AS (INSERT INTO issuer (sha256, subject) VALUES (sha256('other'), 'CN=Other') RETURNING "
        "issuer) "
        "UPDATE certificate SET issuer = (SELECT issuer FROM i) WHERE id = 2";
    static const char *const tampering[] = {
        another_issuer,
        "UPDATE certificate SET serial = '\\x1234' WHERE id = 2",
        "UPDATE certificate SET serial = serial || '\\x00' WHERE id = 2",
        "UPDATE certificate SET reason = 1 WHERE id = 2",
        "UPDATE certificate SET reason = reason + 256 WHERE id = 2",
        "UPDATE certificate SET reason = -1 WHERE id = 2",
        "UPDATE issuer SET sha256 = sha256('other')",
        "DELETE FROM certificate WHERE id = 2",
        "UPDATE member SET ids[3] = ids[4]",
        "UPDATE member SET ids = ids || 1",
        "UPDATE member SET ids = ('[' || ids[1] || ':' || ids[1] + 19 || ']={99' || "
        "substr(ids::text, strpos(ids::text, ',')))::integer[]",
        "UPDATE member SET ids[1:2] = ARRAY[ids[2], ids[1]]",
        "DELETE FROM member",
    };
    struct small *s = *state;
    struct fault f = {0};
    struct scoped *rows;
    size_t n;
    const int page = 0;
    for (size_t i = 0; i <= sizeof tampering / sizeof *tampering; i++) {
        char digest[DIGEST_TEXT];
        if (i > 0) {
            small_sabotage(s,
                           "CREATE TABLE saved_c AS TABLE certificate; CREATE TABLE saved_m AS TABLE member; "
                           "CREATE TABLE saved_i AS TABLE issuer");
            small_sabotage(s, tampering[i - 1]);
        }
        if (!store_page_rows(s->store, s->campaign.id, &page, 1, &s->arena, &rows, &n, &f))
            fail_msg("%s", f.text);
        digest_hex(scope_of_page(rows, n), digest);
        bool same = small_number(s, arena_format(&s->arena, "SELECT count(*) FROM page WHERE scope = '\\x%s'",
                                                 digest)) == 1;
        if (same != (i == 0))
            fail_msg("%s", i == 0 ? "untouched rows do not hash as signed" : tampering[i - 1]);
        if (i > 0)
            small_sabotage(s, "DELETE FROM certificate; DELETE FROM member; DELETE FROM issuer; "
                              "INSERT INTO issuer OVERRIDING SYSTEM VALUE TABLE saved_i; "
                              "INSERT INTO certificate TABLE saved_c; INSERT INTO member TABLE saved_m; "
                              "DROP TABLE saved_c, saved_m, saved_i");
    }
}

int main(void)
{
#define ON_A_CAMPAIGN(test) cmocka_unit_test_setup_teardown(test, small_set_up, small_tear_down)
    const struct CMUnitTest tests[] = {
        ON_A_CAMPAIGN(every_query_prepares),
        ON_A_CAMPAIGN(invariants_hold),
        ON_A_CAMPAIGN(invariants_find),
        ON_A_CAMPAIGN(the_state_table_is_the_programs),
        ON_A_CAMPAIGN(two_engines_claim_nothing_twice),
        ON_A_CAMPAIGN(a_dead_owners_asked_are_in_doubt),
        ON_A_CAMPAIGN(late_answers),
        ON_A_CAMPAIGN(two_epochs_in_one_commit),
        ON_A_CAMPAIGN(facts_are_append_only),
        ON_A_CAMPAIGN(the_rows_of_a_page_are_those_that_stand),
        ON_A_CAMPAIGN(no_tampered_page_hashes_as_signed),
    };
    return cmocka_run_group_tests_name("store queries", tests, NULL, NULL);
}
