/* Does the status screen fit a terminal whatever the campaign, and does the JSON keep the contract's shape?
 */
#include "massrevoke/json.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_screen(const struct snapshot *s, int columns)
{
    AUTO_BUF out = {0};
    reporter_status_text(s, columns, &out);
    int lines = 0;
    columns = columns < 40 ? 40 : columns;
    for (struct str rest = buf_str(&out); rest.n > 0; lines++) {
        struct str line = str_cut(&rest, '\n');
        assert_in_range(line.n, 0, columns);
        for (size_t i = 0; i < line.n; i++)
            assert_in_range(line.p[i], 0x20, 0x7e);
    }
    assert_in_range(lines, 10, STATUS_LINES_MAX);
    assert_int_equal(out.p[out.n - 1], '\n');
}

static void a_screen_fits_whatever_the_campaign(void **unused)
{
    (void)unused;
    static char name[500];
    memset(name, 'n', sizeof name - 1);
    static struct snapshot_cohort cohorts[12];
    struct totals ten_million = {10000000, 0, 0, 10000000, 0, 0, 0};
    for (int i = 0; i < 12; i++) {
        cohorts[i] = sample_cohorts[0];
        cohorts[i].cohort = 100 + i;
        cohorts[i].totals = ten_million;
        cohorts[i].verdict = i == 11 ? VERDICT_MISSED : VERDICT_ON_TRACK;
    }
    for (unsigned variant = 0; variant < 256; variant++) {
        struct snapshot s = sample();
        if (variant & 1)
            s.campaign = s.commander = s.pause_reason = s.balance_detail = s.waiting_text = s.next_command =
                name;
        if (variant & 2)
            s.cohorts = cohorts, s.cohort_count = 12;
        if (variant & 4)
            s.totals = (struct totals){10000000, 2500000, 2500000, 2500000, 2500000, 10000000, 10000000};
        if (variant & 8)
            s.balance_ok = false, s.counted_twice = 10000000, s.not_counted = 10000000;
        if (variant & 16)
            s.state = CAMPAIGN_PAUSED, s.engine_count = 0;
        if (variant & 32)
            s.deadline = s.projected_finish = UTC_NONE, s.verdict = VERDICT_DONE, s.hour_count = 0;
        if (variant & 64)
            s.held_yet_revoked = s.revoked_outside_scope = s.not_checkable = 10000000, s.waiting_text = "",
            s.cohort_count = 0;
        if (variant & 128)
            s.tasks = (struct snapshot_tasks){1000, 1000, "findings-subscribers:100", name, {0}, false};
        check_screen(&s, 80);
        check_screen(&s, 60);
        check_screen(&s, 1);
        check_screen(&s, 132);
    }
}

static const char *screen(const struct snapshot *s, struct buf *out)
{
    buf_clear(out);
    reporter_status_text(s, 80, out);
    return out->p;
}

static void words_tell_the_state(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct snapshot s = sample();
    assert_non_null(strstr(screen(&s, &out), "! AT RISK     finish 11-21 21:05Z, 9 h 18 min to spare\n"));
    assert_non_null(strstr(out.p, "in 2 d 02 h 10 min"));
    assert_non_null(strstr(out.p, "59.3 % of 20,852 revoked"));
    s.slack = (struct span){-7200};
    s.verdict = VERDICT_BEHIND;
    assert_non_null(strstr(screen(&s, &out), "2 h 00 min LATE"));
    s.verdict = VERDICT_MISSED;
    assert_non_null(strstr(screen(&s, &out), "8,429 not yet revoked"));
    s.state = CAMPAIGN_PAUSED;
    s.pause_reason = "shard 7 is late";
    assert_non_null(strstr(screen(&s, &out), "! PAUSED      shard 7 is late\n"));
    s.state = CAMPAIGN_RUNNING;
    s.engine_count = 0;
    assert_non_null(strstr(screen(&s, &out), "! ENGINES     none is running"));
}

/* Time to spare is no excuse for what is held too long, and both are said. */
static void held_too_long_is_why_it_is_behind(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct snapshot s = sample();
    s.verdict = VERDICT_BEHIND;
    static const struct snapshot_hold holds[] = {
        {.cohort = 1, .document = "D-7", .until = {1795413600}, .late = true, .certificates = 287}};
    s.held_late = 287;
    s.holds = holds;
    s.hold_count = 1;
    assert_non_null(strstr(screen(&s, &out),
                           "! BEHIND      held too long: 287 by decision to delay (D-7) until\n"
                           "              2026-11-23T06:00:00Z\n"
                           "  FINISH      11-21 21:05Z, 9 h 18 min to spare, of the rest\n"));
    s.slack = (struct span){-60}; /* the pace is worse than that */
    assert_non_null(strstr(screen(&s, &out), "! BEHIND      finish 11-21 21:05Z, 1 min LATE\n"));
    assert_null(strstr(out.p, "of the rest"));
}

static void an_engine_that_stands_still_is_no_living_one(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct snapshot s = sample();
    struct snapshot_engine engines[] = {{"host-b", "engine", {1795147500}, false},
                                        {"host-a", "engine", {1795147958}, true}};
    s.engines = engines;
    s.engine_count = 1;
    assert_non_null(strstr(screen(&s, &out),
                           "! ENGINES     1 silent since 11-20 04:05Z on host-b\n"
                           "              end it there if it hangs; a new one takes over: massrevoke run\n"));
    assert_null(strstr(out.p, "1 running"));
    s.state = CAMPAIGN_PAUSED; /* nothing waits for it */
    assert_non_null(strstr(screen(&s, &out), "  ENGINES     1 silent since 11-20 04:05Z on host-b\n"));
    assert_null(strstr(out.p, "takes over"));
    /* the other relieves it */
    s.state = CAMPAIGN_RUNNING;
    s.engine_count = 2;
    assert_non_null(strstr(screen(&s, &out), "  ENGINES     1 running, last seen 11-20 04:12Z on host-a\n"
                                             "! ENGINES     1 silent since 11-20 04:05Z on host-b\n"));
    assert_null(strstr(out.p, "takes over"));
}

static void the_worst_cohort_is_never_cut(void **unused)
{
    (void)unused;
    static struct snapshot_cohort cohorts[30];
    for (int i = 0; i < 30; i++) {
        cohorts[i] = sample_cohorts[0];
        cohorts[i].cohort = 100 + i;
    }
    cohorts[29].verdict = VERDICT_MISSED;
    struct snapshot s = sample();
    s.cohorts = cohorts;
    s.cohort_count = 30;
    AUTO_BUF out = {0};
    assert_non_null(strstr(screen(&s, &out), "\n  129     4.9.1.1-12"));
    assert_non_null(strstr(out.p, "more cohorts"));
}

static void an_unbalanced_ledger_is_loud(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct snapshot s = sample();
    s.balance_ok = false;
    s.counted_twice = 3;
    s.not_counted = 1;
    s.balance_detail = "page 7 of cohort 1";
    assert_non_null(strstr(screen(&s, &out), "COUNTS DO NOT BALANCE"));
    assert_non_null(strstr(out.p, "3 counted twice, 1 not counted"));
    assert_non_null(strstr(out.p, "page 7 of cohort 1"));
    s = sample();
    s.totals.held++; /* the store's check passed, yet the figures do not add up */
    assert_non_null(strstr(screen(&s, &out), "campaign: 20852 affected, but the six counts add up to 20853"));
    s = sample();
    assert_null(strstr(screen(&s, &out), "BALANCE"));
}

static void hostile_bytes_become_ascii(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct snapshot s = sample();
    s.campaign = "a\x1b[31m\nb\xff\xc3\xa4";
    assert_non_null(strstr(screen(&s, &out), "massrevoke  a?[31m?b??  [LIVE]"));
    check_screen(&s, 80);
}

static void check_keys(const json_t *object, const char *keys)
{
    AUTO_BUF got = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) buf_format(&got, "%s ", key);
    assert_string_equal(got.p, keys);
}

static json_t *status_json(const struct snapshot *s)
{
    AUTO_BUF out = {0};
    struct fault f = {0};
    json_t *object = NULL;
    reporter_status_json(s, &out);
    assert_true(json_read("status", buf_str(&out), &object, &f));
    return object;
}

static int64_t number(const json_t *object, const char *group, const char *key)
{
    return json_integer_value(json_object_get(group == NULL ? object : json_object_get(object, group), key));
}

static void json_has_the_keys_of_the_contract_in_order(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    AUTO_JSON *o = status_json(&s);
    check_keys(
        o, "campaign mode state as_of deadline projected_finish slack_seconds verdict totals in_doubt "
           "needs_person not_checkable excluded revoked_outside_scope balance cohorts engines stops tasks "
           "measured_rate_per_hour behind replacements reasons alerts delayed_report outside "
           "held_late held_yet_revoked dropped_yet_revoked ");
    check_keys(json_object_get(o, "tasks"), "open overdue next ");
    check_keys(json_object_get(o, "totals"),
               "affected revoked pending_publication not_revoked held expired unknown ");
    check_keys(json_object_get(o, "excluded"), "expired_before_receipt short_lived withdrawn ");
    check_keys(json_object_get(o, "balance"), "ok checked_at counted_twice not_counted ");
    check_keys(json_array_get(json_object_get(o, "cohorts"), 1),
               "cohort state rule received deadline totals held_late verdict ");
    check_keys(json_array_get(json_object_get(o, "engines"), 0), "host kind last_seen ");
    check_keys(json_object_get(o, "replacements"),
               "replaced live_replaced live_unreplaced lint_failed failures ");
}

static void json_holds_the_figures_of_the_snapshot(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    AUTO_JSON *o = status_json(&s);
    assert_int_equal(number(o, "totals", "affected"), s.totals.affected);
    assert_int_equal(number(o, "totals", "revoked"), s.totals.revoked);
    assert_int_equal(number(o, "totals", "pending_publication"), s.totals.pending_publication);
    assert_int_equal(number(o, "totals", "not_revoked"), s.totals.not_revoked);
    assert_int_equal(number(o, "totals", "held"), s.totals.held);
    assert_int_equal(number(o, "totals", "expired"), s.totals.expired);
    assert_int_equal(number(o, "totals", "unknown"), s.totals.unknown);
    assert_int_equal(number(o, "excluded", "expired_before_receipt"), 28);
    assert_int_equal(number(o, "excluded", "withdrawn"), 4);
    assert_int_equal(number(o, NULL, "slack_seconds"), 33480);
    assert_int_equal(number(o, NULL, "in_doubt"), 2);
    assert_string_equal(json_string_value(json_object_get(o, "as_of")), "2026-11-20T04:12:40Z");
    assert_string_equal(json_string_value(json_object_get(o, "verdict")), "at_risk");
    assert_true(json_is_true(json_object_get(json_object_get(o, "balance"), "ok")));
}

static void pace_and_replacements_are_told(void **unused)
{
    (void)unused;
    static const struct snapshot_lint lint = {{2, {0x0a, 0x01}}, "/new/1.pem", "no SAN"};
    static const char behind[] =
        "behind: at 40/h you finish at 2026-11-23T09:00:00Z, 3 h 00 min after the deadline; raise the rate "
        "to 55/h or add "
        "an engine, then massrevoke plan; if neither can be, prepare the report of a delayed revocation";
    struct snapshot s = sample();
    AUTO_BUF out = {0};
    s.verdict = VERDICT_BEHIND;
    s.measured_per_hour = 40;
    s.behind = behind;
    s.replacements = (struct snapshot_replacements){1200, 1000, 1, &lint, 1};
    for (int columns = 60; columns <= 120; columns += 20)
        check_screen(&s, columns);
    const char *text = screen(&s, &out);
    assert_non_null(strstr(text, "! PACE        behind: at 40/h you finish at 2026-11-23T09:00:00Z"));
    assert_non_null(strstr(text, "REPLACED    1,000 of "));
    AUTO_JSON *o = status_json(&s);
    const json_t *r = json_object_get(o, "replacements");
    assert_string_equal(json_string_value(json_object_get(o, "behind")), behind);
    assert_int_equal(number(o, NULL, "measured_rate_per_hour"), 40);
    assert_int_equal(number(o, "replacements", "live_unreplaced"), totals_not_yet_revoked(&s.totals) - 1000);
    const json_t *one = json_array_get(json_object_get(r, "failures"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "serial")), "0A01");
    assert_string_equal(json_string_value(json_object_get(one, "found")), "no SAN");
}

static void changes_of_reasons_are_told_until_shown(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    AUTO_BUF out = {0};
    assert_null(strstr(screen(&s, &out), "REASONS"));
    s.reasons = (struct snapshot_reasons){1500, 300, 100, 50, 1050, 0};
    assert_non_null(strstr(screen(&s, &out), "\n  REASONS     1,050 of 1,500 changes shown: massrevoke"));
    s.reasons = (struct snapshot_reasons){1500, 300, 100, 45, 1050, 5};
    for (int columns = 60; columns <= 120; columns += 20)
        check_screen(&s, columns);
    assert_non_null(
        strstr(screen(&s, &out), "\n! REASONS     1,050 of 1,500 changes shown, 5 need a person: "));
    AUTO_JSON *o = status_json(&s);
    check_keys(json_object_get(o, "reasons"),
               "certificates to_do not_seen with_administrator shown needs_person ");
    assert_int_equal(number(o, "reasons", "certificates"), 1500);
    assert_int_equal(number(o, "reasons", "to_do"), 300);
    assert_int_equal(number(o, "reasons", "not_seen"), 100);
    assert_int_equal(number(o, "reasons", "with_administrator"), 45);
    assert_int_equal(number(o, "reasons", "shown"), 1050);
    assert_int_equal(number(o, "reasons", "needs_person"), 5);
    s.reasons = (struct snapshot_reasons){.certificates = 7, .shown = 7};
    assert_null(strstr(screen(&s, &out), "REASONS"));
}

static void json_says_null_and_false_where_due(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    s.projected_finish = s.deadline = UTC_NONE;
    s.totals.affected--;
    AUTO_JSON *o = status_json(&s);
    assert_true(json_is_null(json_object_get(o, "projected_finish")));
    assert_true(json_is_null(json_object_get(o, "deadline")));
    assert_true(json_is_null(json_object_get(o, "slack_seconds")));
    assert_true(json_is_false(json_object_get(json_object_get(o, "balance"), "ok")));
}

static void golden_screens(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct snapshot s = sample();
    screen(&s, &out);
    assert_true(sample_golden("status.txt", &out));
    s.mode = "drill";
    s.balance_ok = false;
    s.not_counted = 1;
    s.balance_detail = "cohort 1 page 3: 1000 used, counters say 999";
    screen(&s, &out);
    assert_true(sample_golden("status-unbalanced.txt", &out));
    s = sample();
    buf_clear(&out);
    reporter_status_json(&s, &out);
    assert_true(sample_golden("status.json", &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_screen_fits_whatever_the_campaign),
        cmocka_unit_test(words_tell_the_state),
        cmocka_unit_test(held_too_long_is_why_it_is_behind),
        cmocka_unit_test(an_engine_that_stands_still_is_no_living_one),
        cmocka_unit_test(the_worst_cohort_is_never_cut),
        cmocka_unit_test(an_unbalanced_ledger_is_loud),
        cmocka_unit_test(hostile_bytes_become_ascii),
        cmocka_unit_test(json_has_the_keys_of_the_contract_in_order),
        cmocka_unit_test(json_holds_the_figures_of_the_snapshot),
        cmocka_unit_test(pace_and_replacements_are_told),
        cmocka_unit_test(changes_of_reasons_are_told_until_shown),
        cmocka_unit_test(json_says_null_and_false_where_due),
        cmocka_unit_test(golden_screens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
