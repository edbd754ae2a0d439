/* What moves a clock, what it takes, and which tasks hang on it: on a campaign whose cohort 1 has started,
 * and a second cohort that waits. */
#include "../lib/check.h"
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "engine/conduct_parts.h"
#include "massrevoke/conduct_clock.h"
#include "massrevoke/store_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* The call fails with that kind, and its text holds those words. */
#define REFUSES(fault_kind, words, call)                                                                     \
    do {                                                                                                     \
        struct fault f = {0};                                                                                \
        assert_false(call);                                                                                  \
        assert_int_equal(f.kind, fault_kind);                                                                \
        if (strstr(f.text, words) == NULL)                                                                   \
            fail_msg("no '%s' in: %s", words, f.text);                                                       \
    } while (0)

static const struct settings settings = {.quorum = 1, .approval_expiry = {86400}};

static struct conduct at_hour(struct small *s, int hours)
{
    struct fault f = {0};
    if (!store_campaign_find(s->store, "c1", &s->arena, &s->campaign, &f))
        fail_msg("%s", f.text);
    return (struct conduct){.store = s->store,
                            .settings = &settings,
                            .now = small_at(hours),
                            .who = "ann",
                            .campaign = s->campaign};
}

/* One certificate received at that hour, in a cohort that waits with a plan; the cohort. */
static int waiting_cohort(struct small *s, int received)
{
    struct act act = small_act(s, received, "bea");
    struct listed row = {.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x20, 1}}, .line = 1};
    struct population_result result;
    struct population p = {.rule = "4.9.1.1-12",
                           .source = "late.txt",
                           .reason = REASON_SUPERSEDED,
                           .received = small_at(received),
                           .deadline = small_at(received + 5 * 24),
                           .should_by = small_at(received + 24),
                           .lines = 1,
                           .accepted = 1,
                           .rows = &row,
                           .count = 1};
    CHECK(store_population_add(s->store, &act, &p, NULL, 0, &result, &f));
    small_sabotage(s, "UPDATE cohort SET plan = 7 WHERE cohort = 2");
    return result.cohort;
}

static struct conduct_clock anchor(struct small *s, int now, enum anchor what, int hour, int cohort)
{
    struct conduct c = at_hour(s, now);
    struct anchor_record r = {what, small_at(hour), "the mailbox", "as typed"};
    struct conduct_clock done = {0};
    CHECK(conduct_anchor(&c, &r, cohort, &s->arena, &done, &f));
    return done;
}

static struct conduct_clock rule(struct small *s, int now, const char *items, int cohort)
{
    struct conduct c = at_hour(s, now);
    struct conduct_clock done = {0};
    CHECK(conduct_rule(&c, items, cohort, &s->arena, &done, &f));
    return done;
}

/* Hours from SMALL_RECEIVED to a time of cohort k. */
static int hours_of(struct small *s, const char *column, int k)
{
    const char *sql = arena_format(&s->arena, "SELECT (%s - %d) / 3600 FROM cohort WHERE cohort = %d", column,
                                   SMALL_RECEIVED, k);
    return (int)small_number(s, sql);
}

static int64_t events(struct small *s, const char *type)
{
    return small_number(s, arena_format(&s->arena, "SELECT count(*) FROM event WHERE type = '%s'", type));
}

/* Applies request r as an approval would. */
static bool bind(struct small *s, int now, int number, struct fault *f)
{
    struct conduct c = at_hour(s, now);
    struct request *requests;
    size_t n;
    if (!store_requests(s->store, s->campaign.id, &s->arena, &requests, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (requests[i].request == number)
            return conduct_clock_bind(&c, &requests[i], f);
    return fault_set(f, FAULT_FAILED, "no request %d", number);
}

static void anchors_are_told_and_move_nothing(void **state)
{
    struct small *s = *state;
    struct utc at;
    int late = waiting_cohort(s, 30);
    assert_int_equal(anchor(s, 40, ANCHOR_ACKNOWLEDGED, 2, 0).count, 0);
    anchor(s, 40, ANCHOR_CONFIRMED, 3, 0);
    anchor(s, 40, ANCHOR_CONFIRMED, 4, 0); /* the last word counts, though both stay */
    anchor(s, 40, ANCHOR_FIXED, 5, 0);
    assert_int_equal(hours_of(s, "deadline", 1), 120);
    assert_int_equal(hours_of(s, "deadline", late), 150);
    assert_int_equal(small_number(s, "SELECT count(*) FROM clock WHERE raw = 'as typed' AND cohort = 0"), 4);
    assert_int_equal(events(s, "anchor"), 4);
    CHECK(store_anchor(s->store, s->campaign.id, 0, ANCHOR_CONFIRMED, &at, &f));
    assert_int_equal(at.s, small_at(4).s);
    CHECK(store_anchor(s->store, s->campaign.id, 1, ANCHOR_CONFIRMED, &at, &f));
    assert_int_equal(at.s, small_at(4).s);
    /* a report of its own has an acknowledgement of its own, but the fault is one */
    CHECK(store_anchor(s->store, s->campaign.id, late, ANCHOR_CONFIRMED, &at, &f));
    assert_false(utc_is_set(at));
    CHECK(store_anchor(s->store, s->campaign.id, late, ANCHOR_FIXED, &at, &f));
    assert_int_equal(at.s, small_at(5).s);
    CHECK(store_anchor(s->store, s->campaign.id, late, ANCHOR_RECEIVED, &at, &f));
    assert_int_equal(at.s, small_at(30).s);
}

static void impossible_anchors_change_nothing(void **state)
{
    struct small *s = *state;
    struct conduct c = at_hour(s, 10);
    struct conduct_clock done;
    struct anchor_record r = {ANCHOR_RECEIVED, small_at(11), "mail", "x"};
    anchor(s, 10, ANCHOR_ACKNOWLEDGED, 1, 0);
    int64_t before = small_number(s, "SELECT count(*) FROM event");
    REFUSES(FAULT_REFUSED, "lies in the future", conduct_anchor(&c, &r, 0, &s->arena, &done, &f));
    r.at = small_at(2);
    REFUSES(FAULT_REFUSED, "received", conduct_anchor(&c, &r, 0, &s->arena, &done, &f));
    REFUSES(FAULT_REFUSED, "acknowledged", conduct_anchor(&c, &r, 1, &s->arena, &done, &f));
    r = (struct anchor_record){ANCHOR_CONFIRMED, small_at(0), "mail", "x"};
    REFUSES(FAULT_REFUSED, "impossible order", conduct_anchor(&c, &r, 0, &s->arena, &done, &f));
    r = (struct anchor_record){ANCHOR_FIXED, small_at(-1001), "mail", "x"};
    REFUSES(FAULT_REFUSED, "first affected certificate", conduct_anchor(&c, &r, 0, &s->arena, &done, &f));
    r.at = small_at(1);
    REFUSES(FAULT_FAILED, "no cohort 9", conduct_anchor(&c, &r, 9, &s->arena, &done, &f));
    assert_int_equal(small_number(s, "SELECT count(*) FROM event"), before);
    /* possible, and said */
    assert_non_null(strstr(anchor(s, 10, ANCHOR_STOPPED, -5, 0).warning, "before the report was received"));
    assert_non_null(strstr(anchor(s, 10, ANCHOR_FIXED, -1000, 0).warning, "before the report"));
}

static void earlier_is_free(void **state)
{
    struct small *s = *state;
    int late = waiting_cohort(s, 30);
    struct conduct_clock done = anchor(s, 40, ANCHOR_RECEIVED, -2, 0);
    assert_true(done.moved);
    assert_int_equal(done.request, 0);
    assert_int_equal(done.count, 2); /* the campaign and cohort 1; not the one with a receipt of its own */
    assert_int_equal(done.plan_again_count, 1);
    assert_int_equal(done.plan_again[0], 1);
    assert_int_equal(hours_of(s, "received", 1), -2);
    assert_int_equal(hours_of(s, "deadline", 1), 118);
    assert_int_equal(hours_of(s, "should_by", 1), 22);
    assert_int_equal(hours_of(s, "deadline", late), 150);
    assert_int_equal(at_hour(s, 40).campaign.received.s, small_at(-2).s);
    assert_int_equal(events(s, "clock"), 1);
    /* what was approved stays */
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE cohort = 1 AND plan IS NOT NULL"), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM page WHERE cohort = 1"), 1);
    /* one cohort alone; it waits, so its plan falls */
    done = anchor(s, 40, ANCHOR_RECEIVED, 20, late);
    assert_true(done.moved);
    assert_int_equal(done.count, 1);
    assert_int_equal(done.plan_again[0], late);
    assert_int_equal(hours_of(s, "deadline", late), 140);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE cohort = 2 AND plan IS NULL"), 1);
    /* the same again moves nothing, and is kept as another witness */
    done = anchor(s, 40, ANCHOR_RECEIVED, 20, late);
    assert_false(done.moved);
    assert_int_equal(done.request, 0);
    assert_int_equal(events(s, "anchor"), 1);
}

static void later_waits_for_an_approval(void **state)
{
    struct small *s = *state;
    struct conduct_clock done = anchor(s, 10, ANCHOR_RECEIVED, 3, 0);
    assert_false(done.moved);
    assert_int_equal(done.request, 1);
    assert_int_equal(done.plan_again_count, 0);
    assert_int_equal(hours_of(s, "deadline", 1), 120);
    assert_int_equal(at_hour(s, 10).campaign.received.s, small_at(0).s);
    assert_int_equal(events(s, "clock"), 0);
    struct request *requests;
    size_t n;
    CHECK(store_requests(s->store, s->campaign.id, &s->arena, &requests, &n, &f));
    assert_string_equal(requests[0].what, "clock");
    assert_non_null(
        strstr(requests[0].text, "clause 4.9.1.1-12 to 4.9.1.1-12, reason superseded to superseded"));
    assert_non_null(strstr(requests[0].text, "requested-by: ann\n"));
    CHECK(bind(s, 11, 1, &f));
    assert_int_equal(hours_of(s, "deadline", 1), 123);
    assert_int_equal(hours_of(s, "should_by", 1), 27);
    assert_int_equal(at_hour(s, 11).campaign.received.s, small_at(3).s);
    CHECK(bind(s, 12, 1, &f)); /* whoever died after the last signature does it again */
    assert_int_equal(events(s, "clock"), 1);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM clock WHERE anchor = 'received' AND raw = 'as typed'"), 2);
}

/* Whoever moves a clock, or works on any cohort it moves, may not approve it; whoever only tells may. */
static void all_whom_it_concerns_are_requesters(void **state)
{
    struct small *s = *state;
    struct request *requests;
    size_t n;
    struct conduct c = at_hour(s, 10);
    struct conduct_clock done;
    struct anchor_record r = {ANCHOR_ACKNOWLEDGED, small_at(9), "mail", "x"};
    c.who = "zoe";
    CHECK(conduct_anchor(&c, &r, 0, &s->arena, &done, &f));
    c.who = "yan";
    r = (struct anchor_record){ANCHOR_RECEIVED, small_at(-1), "mail", "x"};
    CHECK(conduct_anchor(&c, &r, 1, &s->arena, &done, &f));
    assert_int_equal(waiting_cohort(s, 0), 2); /* by bea */
    r.at = small_at(1);
    CHECK(conduct_anchor(&c, &r, 2, &s->arena, &done, &f));
    anchor(s, 10, ANCHOR_RECEIVED, 2, 0);
    CHECK(store_requests(s->store, s->campaign.id, &s->arena, &requests, &n, &f));
    assert_int_equal(n, 2);
    assert_int_equal(requests[0].cohort, 2);
    assert_non_null(strstr(requests[0].text, "certificates: 1\n"));
    assert_non_null(strstr(requests[0].text, "requested-by: bea\n"));
    assert_null(strstr(requests[0].text, "requested-by: zoe\n"));
    anchor(s, 10, ANCHOR_RECEIVED, 0, 1); /* both have the campaign's receipt again, after an approval */
    CHECK(bind(s, 10, 3, &f));
    anchor(s, 10, ANCHOR_RECEIVED, 2, 0);
    CHECK(store_requests(s->store, s->campaign.id, &s->arena, &requests, &n, &f));
    assert_int_equal(requests[3].cohort, 0);
    assert_non_null(strstr(requests[3].text, "certificates: 21\n"));
    assert_non_null(strstr(requests[3].text, "requested-by: bea\n"));
    assert_non_null(strstr(requests[3].text, "requested-by: yan\n"));
    assert_null(strstr(requests[3].text, "requested-by: zoe\n"));
}

static void only_what_was_signed_is_applied(void **state)
{
    struct small *s = *state;
    anchor(s, 10, ANCHOR_RECEIVED, 3, 0);
    small_sabotage(s, "UPDATE clock_change SET deadline = deadline + 86400");
    REFUSES(FAULT_APPROVAL, "is not the one that request 1 names", bind(s, 11, 1, &f));
    small_sabotage(s, "UPDATE clock_change SET deadline = deadline - 86400");
    /* a clock that moved meanwhile is not the one that was signed about */
    anchor(s, 11, ANCHOR_RECEIVED, -1, 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM request WHERE void_reason <> ''"), 1);
    REFUSES(FAULT_CONFLICT, "changed meanwhile", bind(s, 11, 1, &f));
    assert_int_equal(hours_of(s, "deadline", 1), 119);
    assert_int_equal(at_hour(s, 11).campaign.received.s, small_at(0).s);
}

static void a_shorter_clause_applies_at_once(void **state)
{
    struct small *s = *state;
    int late = waiting_cohort(s, 30);
    struct act act = small_act(s, 31, "bea");
    struct request plan = {
        .what = "plan", .cohort = late, .plan = 7, .expires_at = small_at(60), .text = "text"};
    const char *const nobody[] = {NULL};
    int request;
    CHECK(store_request_add(s->store, &act, &plan, nobody, &request, &f));
    struct conduct_clock done = rule(s, 31, "4.9.1.1-2", late); /* 24 h, privilegeWithdrawn */
    assert_true(done.moved);
    assert_int_equal(hours_of(s, "deadline", late), 54);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE cohort = 2 AND should_by IS NULL"),
                     1);
    assert_int_equal(small_number(s, "SELECT reason FROM certificate WHERE cohort = 2"),
                     REASON_PRIVILEGE_WITHDRAWN);
    assert_int_equal(small_number(s, "SELECT reason FROM certificate WHERE cohort = 1 LIMIT 1"),
                     REASON_SUPERSEDED);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE cohort = 2 AND plan IS NULL"), 1);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM request WHERE void_reason LIKE 'the clock of cohort 2%'"), 1);
    assert_string_equal(at_hour(s, 31).campaign.rule, "4.9.1.1-12"); /* later lists keep theirs */
    /* back to the longer one: by approval */
    done = rule(s, 31, "4.9.1.1-12", late);
    assert_false(done.moved);
    assert_int_equal(hours_of(s, "deadline", late), 54);
    CHECK(bind(s, 32, done.request, &f));
    assert_int_equal(hours_of(s, "deadline", late), 150);
    assert_int_equal(hours_of(s, "should_by", late), 54);
    assert_int_equal(small_number(s, "SELECT reason FROM certificate WHERE cohort = 2"), REASON_SUPERSEDED);
    /* an equal clock with another reason as well, with the same reason not */
    assert_int_equal(rule(s, 32, "4.9.1.1-13", late).moved, false);
    assert_int_equal(rule(s, 32, "4.9.1.1-6", late).moved, true);
}

static void a_started_cohort_keeps_its_reason(void **state)
{
    struct small *s = *state;
    struct conduct c = at_hour(s, 5);
    struct conduct_clock done;
    REFUSES(FAULT_CONFLICT, "has started with reason superseded",
            conduct_rule(&c, "4.9.1.1-3", 0, &s->arena, &done, &f));
    REFUSES(FAULT_CONFLICT, "applies already", conduct_rule(&c, "4.9.1.1-12", 0, &s->arena, &done, &f));
    REFUSES(FAULT_CONFIG, "no rule", conduct_rule(&c, "4.9.1.1-12,4.9.1.1-99", 0, &s->arena, &done, &f));
    /* the clause behind Buypass's delay: 24 h with the same reason */
    done = rule(s, 5, "4.9.1.1-12,4.9.1.1-5", 0);
    assert_true(done.moved);
    assert_string_equal(done.rule, "4.9.1.1-5");
    assert_non_null(strstr(done.warning, "4.9.1.1-12 and 4.9.1.1-5 fit"));
    assert_int_equal(hours_of(s, "deadline", 1), 24);
    assert_string_equal(at_hour(s, 5).campaign.rule, "4.9.1.1-5");
    assert_int_equal(small_number(s, "SELECT count(*) FROM page WHERE cohort = 1"), 1);
    c = at_hour(s, 5);
    REFUSES(FAULT_USAGE, "same clock", conduct_rule(&c, "4.9.1.1-12,4.9.1.1-13", 0, &s->arena, &done, &f));
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'rule'"), 1);
}

static struct task *tasks_at(struct small *s, int hours, size_t *n)
{
    struct conduct c = at_hour(s, hours);
    struct task_terms terms = {NULL, 1, c.now};
    struct task *tasks = NULL;
    CHECK(store_tasks(s->store, &c.campaign, &terms, &s->arena, &tasks, n, &f));
    return tasks;
}

/* Index of the task of that name among `all`; n when there is none. */
static size_t find(const struct task *all, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcmp(all[i].name, name) != 0)
        i++;
    return i;
}

static bool is_there(struct small *s, int hours, const char *name)
{
    size_t n;
    const struct task *all = tasks_at(s, hours, &n);
    return find(all, n, name) < n;
}

static struct task task(struct small *s, int hours, const char *name)
{
    size_t n;
    const struct task *all = tasks_at(s, hours, &n);
    if (find(all, n, name) == n)
        fail_msg("no task %s", name);
    return all[find(all, n, name)];
}

static void is_due(struct small *s, const char *name, int hour, bool done)
{
    struct task t = task(s, 1, name);
    if (t.due.s != small_at(hour).s || t.done != done)
        fail_msg("%s is due at hour %d, %s", name, (int)((t.due.s - SMALL_RECEIVED) / 3600),
                 t.done ? "done" : "open");
}

static void tasks_hang_on_the_clock(void **state)
{
    struct small *s = *state;
    is_due(s, "stop-issuance", 4, false);
    is_due(s, "findings-reporter", 24, false);
    is_due(s, "preliminary", 72, false);
    is_due(s, "update-1", 144, false);
    is_due(s, "full-report", 14 * 24, false);
    is_due(s, "plan:1", 11, true);
    is_due(s, "start:1", 12, true);
    is_due(s, "first-notice:1", 12, false);
    is_due(s, "backup-notice:1", 18, false);
    is_due(s, "canary:1", 4, true); /* it has none */
    is_due(s, "crl-disclosed", 5, false);
    is_due(s, "unreached:1", 4, false);
    is_due(s, "all-published:1", 120, false);
    assert_false(is_there(s, 1, "delayed-report:1"));
    anchor(s, 5, ANCHOR_STOPPED, 1, 0);
    is_due(s, "stop-issuance", 4, true);
    anchor(s, 5, ANCHOR_RECEIVED, -2, 0);
    is_due(s, "findings-reporter", 22, false);
    is_due(s, "all-published:1", 118, false);
    /* a deadline that has passed with work left asks for a bug of its own */
    assert_int_equal(task(s, 119, "delayed-report:1").due.s, small_at(118 + 72).s);
    small_sabotage(s, "UPDATE plan SET summary = '{\"feasible\":false}'");
    is_due(s, "delayed-report:1", 72, false);
    small_sabotage(s, "UPDATE plan SET summary = 'nonsense'");
    assert_false(is_there(s, 1, "delayed-report:1"));
}

static void people_say_what_they_did(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 30, "ann");
    struct task t = task(s, 30, "findings-reporter");
    CHECK(store_task_assign(s->store, &act, &t, "bob", &f));
    assert_string_equal(task(s, 30, "findings-reporter").person, "bob");
    CHECK(store_task_done(s->store, &act, &t, "mail 7", &f));
    t = task(s, 31, "findings-reporter");
    assert_true(t.done);
    assert_string_equal(t.person, "bob");
    assert_string_equal(t.done_by, "ann");
    assert_string_equal(t.note, "mail 7");
    REFUSES(FAULT_CONFLICT, "done already", store_task_done(s->store, &act, &t, "again", &f));
    REFUSES(FAULT_CONFLICT, "done already", store_task_assign(s->store, &act, &t, "eve", &f));
    assert_int_equal(events(s, "task_assign") + events(s, "task_done"), 2);
    /* what was done keeps its time when the clock moves */
    anchor(s, 31, ANCHOR_RECEIVED, -2, 0);
    assert_int_equal(task(s, 31, "findings-reporter").due.s, small_at(24).s);
    /* the next of a repeated one comes when the last is done, until everything is settled */
    t = task(s, 31, "update-1");
    CHECK(store_task_done(s->store, &act, &t, "", &f));
    assert_int_equal(task(s, 31, "update-2").due.s, small_at(-2 + 9 * 24).s);
    assert_false(is_there(s, 31, "update-3"));
    small_finish(s);
    assert_false(is_there(s, 31, "update-2"));
    assert_true(task(s, 31, "update-1").done);
    assert_true(task(s, 31, "all-published:1").done);
    assert_false(task(s, 31, "full-report").done);
}

static void overdue_tasks_are_in_the_snapshot(void **state)
{
    static const struct snapshot_terms terms = {
        .quorum = 1, .publish_margin = {3600}, .reserve = {12L * 3600}};
    struct small *s = *state;
    struct snapshot out;
    CHECK(store_snapshot(s->store, &s->campaign, small_at(1), &terms, true, &s->arena, &out, &f));
    assert_int_equal(out.tasks.overdue, 0);
    assert_string_equal(out.tasks.next, "stop-issuance");
    CHECK(store_snapshot(s->store, &s->campaign, small_at(23), &terms, true, &s->arena, &out, &f));
    assert_int_equal(out.tasks.overdue, 6);
    assert_string_equal(out.tasks.next, "stop-issuance");
    assert_int_equal(out.tasks.due.s, small_at(4).s);
    static const struct snapshot_terms wrong = {.plans_dir = "/nowhere", .quorum = 1};
    small_sabotage(s, "UPDATE campaign SET profile = 'nowhere'");
    CHECK(store_snapshot(s->store, &s->campaign, small_at(23), &wrong, true, &s->arena, &out, &f));
    assert_true(out.tasks.unreadable);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, small_set_up, small_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(anchors_are_told_and_move_nothing),
        TEST(impossible_anchors_change_nothing),
        TEST(earlier_is_free),
        TEST(later_waits_for_an_approval),
        TEST(all_whom_it_concerns_are_requesters),
        TEST(only_what_was_signed_is_applied),
        TEST(a_shorter_clause_applies_at_once),
        TEST(a_started_cohort_keeps_its_reason),
        TEST(tasks_hang_on_the_clock),
        TEST(people_say_what_they_did),
        TEST(overdue_tasks_are_in_the_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
