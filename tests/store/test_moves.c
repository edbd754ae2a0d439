/* A certificate that goes to an earlier clock: withdrawn there and added here, whatever its state allows. */
#include "../lib/check.h"
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "massrevoke/embed.h"
#include "massrevoke/json.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_population.h"
#include "massrevoke/store_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Imports serials [first, first + n) of the small campaign with a deadline so many hours after receipt. */
static struct population_result import_within(struct small *s, int first, int n, int hours)
{
    struct act act = small_act(s, 1, "ann");
    struct listed *rows = arena_array(&s->arena, (size_t)n, sizeof *rows);
    struct population_result r;
    for (int i = 0; i < n; i++)
        rows[i] = (struct listed){.issuer = s->issuer,
                                  .serial = {.n = 2, .bytes = {0x10, (uint8_t)(first + i + 1)}},
                                  .line = i + 1};
    struct population p = {.rule = "4.9.1.1-3",
                           .source = "evidence",
                           .reason = 1,
                           .received = small_at(0),
                           .deadline = small_at(hours),
                           .should_by = UTC_NONE,
                           .lines = n,
                           .accepted = n,
                           .rows = rows,
                           .count = (size_t)n};
    CHECK(store_population_add(s->store, &act, &p, NULL, 0, &r, &f));
    return r;
}

/* Every invariant holds, and so does the balance. */
static void check_ledger(struct small *s, const char *when, int64_t affected)
{
    const char *const campaign[] = {"1"};
    struct snapshot snapshot;
    static const struct snapshot_terms terms = {.quorum = 1};
    for (const struct embed_file *q = NULL; (q = embed_next("sql/invariant/", q)) != NULL;) {
        PGresult *r = PQexecParams(s->sql, q->bytes.p, 1, NULL, campaign, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 0)
            fail_msg("%s %s: %s", q->path, when,
                     PQntuples(r) > 0 ? PQgetvalue(r, 0, 1) : PQerrorMessage(s->sql));
        PQclear(r);
    }
    CHECK(store_snapshot(s->store, &s->campaign, small_at(1), &terms, true, &s->arena, &snapshot, &f));
    assert_string_equal(snapshot.balance_detail, "");
    assert_int_equal(snapshot.totals.affected, affected);
    assert_int_equal(snapshot.revoked_outside_scope, 0);
    assert_int_equal(
        small_number(s,
                     "SELECT count(*) FROM (SELECT 1 FROM certificate WHERE campaign = 1 AND NOT withdrawn "
                     "GROUP BY issuer, serial HAVING count(*) > 1) x"),
        0);
}

static int64_t leaving_add(struct small *s)
{
    struct act act = small_act(s, 1, "engine");
    int64_t n;
    CHECK(store_leaving_add(s->store, &act, &n, &f));
    return n;
}

static void what_waits_goes_at_once(void **state)
{
    struct small *s = *state;
    struct population_result r = import_within(s, 9, 3, 24); /* the last of one chunk, two of another */
    assert_int_equal(r.cohort, 2);
    assert_int_equal(r.added, 3);
    assert_int_equal(r.moved, 3);
    assert_int_equal(r.leaving, 0);
    assert_int_equal(r.orphans, 0);
    check_ledger(s, "after the move", SMALL_CERTIFICATES);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM certificate WHERE cohort = 2 AND reason = 1 AND NOT withdrawn"),
        3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE cohort = 1 AND withdrawn"), 3);
    assert_int_equal(import_within(s, 9, 3, 48).added, 0); /* a longer clock moves nothing */
    struct population_difference d;
    CHECK(store_population_since(s->store, 1, 1, 10, &s->arena, &d, &f));
    assert_int_equal(d.same, SMALL_CERTIFICATES);
    assert_int_equal(d.added + d.dropped, 0);
    small_sight(s, 2, 0, SMALL_CERTIFICATES); /* the CRL shows those of the new cohort, too */
    check_ledger(s, "when all are published", SMALL_CERTIFICATES);
}

static void what_is_asked_goes_when_it_may(void **state)
{
    struct small *s = *state;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    struct population_result r = import_within(s, 0, 2, 24);
    assert_int_equal(r.cohort, 2);
    assert_int_equal(r.added, 0);
    assert_int_equal(r.leaving, 2);
    check_ledger(s, "while the CA is asked", SMALL_CERTIFICATES);
    assert_int_equal(leaving_add(s), 0);
    small_settle(s, 1, c, CA_WAIT, CERTIFICATE_EVENT_WAIT); /* proved not executed */
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE cohort = 1 AND withdrawn"), 2);
    assert_int_equal(leaving_add(s), 2);
    assert_int_equal(leaving_add(s), 0);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE cohort = 2 AND reason = 1"), 2);
    check_ledger(s, "after the answer", SMALL_CERTIFICATES);
}

static void what_is_revoked_stays(void **state)
{
    struct small *s = *state;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    assert_int_equal(import_within(s, 0, 2, 24).leaving, 2);
    small_settle(s, 1, c, CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED);
    assert_int_equal(leaving_add(s), 0);
    assert_int_equal(small_number(s, "SELECT count(*) FROM leaving"), 0);
    struct population_result r = import_within(s, 0, 2, 24);
    assert_int_equal(r.added + r.leaving, 0);
    check_ledger(s, "after the answer", SMALL_CERTIFICATES);
}

static void a_started_cohort_is_not_added_to(void **state)
{
    struct small *s = *state;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    assert_int_equal(import_within(s, 9, 2, 24).leaving, 1);
    small_sabotage(s, "UPDATE cohort SET started_at = received WHERE cohort = 2");
    small_settle(s, 1, c, CA_WAIT, CERTIFICATE_EVENT_WAIT);
    assert_int_equal(leaving_add(s), 1);
    assert_int_equal(
        small_number(s, "SELECT cohort FROM certificate WHERE cohort > 1 ORDER BY id DESC LIMIT 1"), 3);
    assert_int_equal(
        small_number(s,
                     "SELECT count(*) FROM cohort a JOIN cohort b USING (rule, received, deadline, reason) "
                     "WHERE a.cohort = 2 AND b.cohort = 3"),
        1);
}

/* Dropped while it was about to leave: dropped is the last word. */
static void a_drop_ends_a_move(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "ann");
    struct listed item = {.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, 1}}};
    const char **verdicts;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    assert_int_equal(import_within(s, 0, 1, 24).leaving, 1);
    CHECK(store_drop(s->store, &act, &item, 1, "not ours", &s->arena, &verdicts, &f));
    assert_string_equal(verdicts[0], "noted");
    small_settle(s, 1, c, CA_WAIT, CERTIFICATE_EVENT_WAIT);
    assert_int_equal(leaving_add(s), 0);
    check_ledger(s, "after the drop", SMALL_CERTIFICATES - 1);
    assert_int_equal(import_within(s, 0, 1, 24).added, 1); /* listed again: it is back */
    check_ledger(s, "when it is back", SMALL_CERTIFICATES);
}

/* A cohort that is planned and not started loses its plan with its certificates. */
static void a_planned_cohort_is_planned_anew(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "ann");
    struct plan_material m;
    struct plan plan = {.remedy = "", .text = "{}", .finish = small_at(2)};
    int number;
    assert_int_equal(import_within(s, 20, 5, 48).cohort, 2);
    CHECK(store_plan_read(s->store, 1, 2, &s->arena, &m, &f));
    AUTO_JSON *summary = json_object();
    CHECK(store_plan_write(s->store, &act, 2, &m, &plan, summary, &number, &f));
    struct population_result r = import_within(s, 22, 5, 24);
    assert_int_equal(r.added, 5);
    assert_int_equal(r.moved, 3);
    assert_int_equal(r.orphans, 5);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE plan IS NOT NULL"), 1);
    check_ledger(s, "after the move", SMALL_CERTIFICATES + 7);
    CHECK(store_plan_read(s->store, 1, 2, &s->arena, &m, &f));
    assert_int_equal(m.certificate_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_goes_at_once, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(what_is_asked_goes_when_it_may, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(what_is_revoked_stays, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_started_cohort_is_not_added_to, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_drop_ends_a_move, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_planned_cohort_is_planned_anew, small_set_up, small_tear_down),
    };
    return cmocka_run_group_tests_name("moves", tests, NULL, NULL);
}
