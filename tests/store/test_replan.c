/* Does the store mark replaced certificates once, tell how fast the work goes, and see who moved earlier? */
#include "../lib/check.h"
#include "../lib/small.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_replan.h"
#include "massrevoke/store_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct replacement_row row_of(const struct small *s, uint8_t last, size_t line)
{
    return (struct replacement_row){.issuer = s->issuer,
                                    .serial = {2, {0x10, last}},
                                    .line = line,
                                    .at = UTC_NONE,
                                    .file = last == 3 ? "/new.pem" : ""};
}

static struct replacement_counts mark(struct small *s, int hours, const struct replacement_row *rows,
                                      size_t n, bool again)
{
    struct replacement_source source = {.kind = "file", .location = "/r.csv", .query = "", .stamp = "1"};
    struct act act = small_act(s, hours, "ann");
    struct replacement_counts counts;
    CHECK(store_replacements_mark(s->store, &act, &source, digest_of("x", 1), rows, n, 1, again, &s->arena,
                                  &counts, &f));
    return counts;
}

static void a_list_is_marked_once(void **state)
{
    struct small *s = *state;
    struct replacement_row rows[] = {row_of(s, 2, 2), row_of(s, 3, 3), row_of(s, 2, 4), row_of(s, 99, 5)};
    struct replacement_counts counts = mark(s, 0, rows, 4, false);
    assert_int_equal(counts.accepted, 2);
    assert_int_equal(counts.duplicate, 1);
    assert_int_equal(counts.unknown, 1);
    assert_int_equal(counts.unknown_line_count, 1);
    assert_int_equal(counts.unknown_lines[0], 5);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE replaced"), 2);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'replacements'"), 1);
    /* read again: nothing new, no event; a person's second reading is one */
    assert_int_equal(mark(s, 0, rows, 4, true).duplicate, 3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'replacements'"), 1);
    (void)mark(s, 0, rows, 4, false);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'replacements'"), 2);
    assert_int_equal(small_number(s, "SELECT count(*) FROM replacement_source"), 1);
    /* the plan did not know of them; what is planned is told their class */
    struct replan_due *due;
    struct plan_material m;
    size_t n;
    CHECK(store_replan_due(s->store, s->campaign.id, small_at(0), NULL, 0, &s->arena, &due, &n, &f));
    assert_int_equal(n, 1);
    assert_true(due[0].replaced);
    assert_int_equal(due[0].ca, -1);
    CHECK(store_plan_read(s->store, s->campaign.id, 1, &s->arena, &m, &f));
    assert_int_equal(m.certificates[1].turn, CLASS_REPLACED);
    assert_int_not_equal(m.certificates[0].turn, CLASS_REPLACED);
}

static void lint_is_kept_once(void **state)
{
    struct small *s = *state;
    struct replacement_row rows[] = {row_of(s, 2, 2), row_of(s, 3, 3)};
    struct replacement_unlinted *list;
    struct act act = small_act(s, 0, "engine");
    size_t n;
    (void)mark(s, 0, rows, 2, false);
    CHECK(store_replacements_unlinted(s->store, s->campaign.id, 10, &s->arena, &list, &n, &f));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].file, "/new.pem");
    CHECK(store_replacement_linted(s->store, &act, &list[0], "no SAN", &f));
    CHECK(store_replacement_linted(s->store, &act, &list[0], "later", &f));
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'lint'"), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM replacement WHERE lint = 'no SAN'"), 1);
    struct snapshot_terms terms = {.quorum = 1, .publish_margin = {7200}};
    struct snapshot snap;
    CHECK(store_snapshot(s->store, &s->campaign, small_at(0), &terms, true, &s->arena, &snap, &f));
    assert_int_equal(snap.replacements.replaced, 2);
    assert_int_equal(snap.replacements.live_replaced, 2);
    assert_int_equal(snap.replacements.lint_failed, 1);
    assert_int_equal(snap.replacements.failure_count, 1);
}

/* Ten in 700 seconds of work, of which the second chunk of ten would take as long. */
static void the_rate_is_measured(void **state)
{
    struct small *s = *state;
    struct rate *rates;
    struct pace_end *ends;
    size_t n;
    small_engine(s);
    struct claim *claims = small_claim(s, 1, &n);
    assert_int_equal(n, 1);
    CHECK(store_measured(s->store, s->campaign.id, small_at(1), 1, &s->arena, &rates, &f));
    assert_int_equal(rates[0].count, 0);
    struct settlement items[SMALL_CHUNK];
    struct act act = small_act(s, 1, "engine");
    act.at.s += 700;
    for (size_t i = 0; i < SMALL_CHUNK; i++)
        items[i] = (struct settlement){claims[0].chunk,
                                       claims[0].epoch,
                                       claims[0].numbers[i],
                                       CA_REVOKED_NOW,
                                       CERTIFICATE_EVENT_REVOKED,
                                       act.at,
                                       -1};
    int64_t stray;
    CHECK(store_settle(s->store, &act, items, SMALL_CHUNK, &stray, &f));
    CHECK(store_measured(s->store, s->campaign.id, small_at(2), 1, &s->arena, &rates, &f));
    assert_int_equal(rates[0].count, SMALL_CHUNK);
    assert_int_equal(rates[0].per, 700);
    int chunk = claims[0].chunk;
    CHECK(store_give_back(s->store, &act, s->engine, &chunk, 1, &f));
    CHECK(store_pace(s->store, s->campaign.id, act.at, rates, 1, &s->arena, &ends, &n, &f));
    assert_int_equal(n, 1);
    assert_int_equal(ends[0].left, SMALL_CHUNK);
    assert_int_equal(ends[0].planned.s, small_at(2).s);
    assert_int_equal(ends[0].finish.s, small_at(2).s + 700);
    /* two hours after the second chunk was due it is told as behind */
    struct replan_due *due;
    CHECK(store_replan_due(s->store, s->campaign.id, small_at(4), NULL, 0, &s->arena, &due, &n, &f));
    assert_int_equal(due[0].oldest.s, small_at(2).s);
    assert_int_equal(due[0].backlog, SMALL_CHUNK);
    assert_false(due[0].replaced);
}

/* The same by running sums in the database, of certificates and seconds of CA 0, campaign and now. A row's
 * first column is cohort * 10 + CA. */
static const char running_sums[] =
    "WITH open AS ("
    "SELECT h.cohort, h.ca, h.due_at, h.size, m.certs, m.secs, sum(h.size) OVER w AS upto "
    "FROM chunk h JOIN (VALUES (0, %d, %d), (3, 5, 7)) m(ca, certs, secs) USING (ca) "
    "WHERE h.campaign = %d AND h.cohort < 3 AND h.state IN ('ready', 'claimed') "
    "WINDOW w AS (PARTITION BY h.ca ORDER BY h.due_at, h.size, h.cohort, h.chunk)), "
    "ended AS ("
    "SELECT *, max(greatest(due_at, %ld) * certs - (upto - size) * secs) OVER w + upto * secs AS scaled "
    "FROM open WINDOW w AS (PARTITION BY ca ORDER BY upto)) "
    "SELECT cohort * 10 + ca, sum(size), max(due_at), max((scaled + certs - 1) / certs) "
    "FROM ended GROUP BY cohort, ca ORDER BY cohort, ca";

static void the_pace_is_that_of_running_sums(void **state)
{
    struct small *s = *state;
    /* three cohorts on two CAs, the third one does not run; due times meet, sizes differ */
    small_sabotage(
        s, "INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, plan, started_at) "
           "SELECT campaign, g, rule, reason, received, deadline, 1, nullif(g, 3) FROM cohort, "
           "generate_series(2, 3) g");
    small_sabotage(
        s,
        "INSERT INTO chunk (campaign, chunk, plan, cohort, ca, issuer, canary, slot_start, due_at, numbers) "
        "SELECT campaign, 100 + g, plan, 1 + g % 3, g % 2 * 3, issuer, false, slot_start, "
        "due_at + 37 * g * (g % 5), numbers[1 : 1 + g % 9] FROM chunk, generate_series(1, 90) g WHERE chunk "
        "= 1");
    for (int i = 1; i < 12; i++) {
        struct rate rates[4] = {[0] = {i, 400 / i}, [3] = {5, 7}};
        struct utc now = small_at(i - 2);
        struct pace_end *ends;
        size_t n;
        CHECK(store_pace(s->store, s->campaign.id, now, rates, 4, &s->arena, &ends, &n, &f));
        PGresult *r =
            PQexec(s->sql, arena_format(&s->arena, running_sums, i, 400 / i, s->campaign.id, (long)now.s));
        if (PQntuples(r) == 0)
            fail_msg("%s", PQerrorMessage(s->sql));
        assert_int_equal(n, PQntuples(r));
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(ends[k].cohort * 10 + ends[k].ca, atoi(PQgetvalue(r, (int)k, 0)));
            assert_int_equal(ends[k].left, atol(PQgetvalue(r, (int)k, 1)));
            assert_int_equal(ends[k].planned.s, atol(PQgetvalue(r, (int)k, 2)));
            assert_int_equal(ends[k].finish.s, atol(PQgetvalue(r, (int)k, 3)));
        }
        PQclear(r);
    }
}

static void a_password_is_refused(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_false(store_conninfo_is_open("host=x password=secret", &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_null(strstr(f.text, "secret"));
    assert_false(store_conninfo_is_open("postgres://u:secret@x/db", &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_false(store_conninfo_is_open("nonsense", &f));
    assert_int_equal(f.kind, FAULT_USAGE);
    assert_true(store_conninfo_is_open("service=ca passfile=/etc/x", &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_is_marked_once, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(lint_is_kept_once, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(the_rate_is_measured, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(the_pace_is_that_of_running_sums, small_set_up, small_tear_down),
        cmocka_unit_test(a_password_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
