/* Is every cause found, raised once and ended when it is gone; is the right name called at the right time; do
 * the words say what, since when, what it costs and what to type? */
#include "massrevoke/alerting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define T0 INT64_C(1794896580) /* 2026-11-17T06:23:00Z */
#define MINUTES(n) ((n)*60)
#define HOURS(n) ((n)*3600)

static struct arena memory;
static struct snapshot snapshot;
static struct snapshot_cohort cohorts[2];
static struct alerting_facts facts;
static struct alert_cause *causes;
static size_t cause_count;

/* Nothing is wrong: a day to spare, a floor of twelve hours. */
static int begin(void **unused)
{
    (void)unused;
    cohorts[0] = (struct snapshot_cohort){.cohort = 1,
                                          .deadline = {T0 + HOURS(120)},
                                          .totals = {.affected = 100, .not_revoked = 100},
                                          .verdict = VERDICT_ON_TRACK,
                                          .slack = {HOURS(24)}};
    cohorts[1] = (struct snapshot_cohort){
        .cohort = 2, .totals = {.affected = 5, .revoked = 5}, .verdict = VERDICT_DONE, .slack = {-1}};
    snapshot = (struct snapshot){.campaign = "c",
                                 .mode = "live",
                                 .verdict = VERDICT_ON_TRACK,
                                 .deadline = {T0 + HOURS(120)},
                                 .projected_finish = {T0 + HOURS(96)},
                                 .slack = {HOURS(24)},
                                 .totals = {.affected = 105, .revoked = 5, .not_revoked = 100},
                                 .cohorts = cohorts,
                                 .cohort_count = 2,
                                 .balance_ok = true,
                                 .waiting_text = ""};
    facts = (struct alerting_facts){.now = {T0}, .snapshot = &snapshot, .floor = {HOURS(12)}};
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    arena_free(&memory);
    return 0;
}

/* All causes as "kind subject; ...". */
static const char *found(void)
{
    AUTO_BUF out = {0};
    alerting_causes(&facts, &memory, &causes, &cause_count);
    buf_text(&out, "");
    for (size_t i = 0; i < cause_count; i++)
        buf_format(&out, "%s%s %s", i == 0 ? "" : "; ", alert_kind_name(causes[i].kind), causes[i].subject);
    return arena_copy(&memory, out.p, out.n);
}

static void nothing_is_wrong(void **unused)
{
    (void)unused;
    assert_string_equal(found(), "");
}

static const struct task tasks[] = {
    {.name = "findings-reporter",
     .title = "Send the preliminary findings",
     .section = "4.9.5",
     .document = "TLS Baseline Requirements 2.2.6",
     .role = TASK_COMMUNICATIONS,
     .due = {T0 + HOURS(4)}},
    {.name = "legal-check",
     .title = "Look for court orders",
     .section = "holds",
     .document = "massrevoke 1",
     .due = {T0 + HOURS(1)}},
    {.name = "plan:1",
     .title = "Make the plan",
     .section = "plan",
     .document = "massrevoke 1",
     .due = {T0 - 60}},
    {.name = "preliminary",
     .title = "Open the bug",
     .section = "Timelines",
     .document = "CCADB 3.2",
     .due = {T0 - 60},
     .done = true},
    {.name = "full-report",
     .title = "Post it",
     .section = "Timelines",
     .document = "CCADB 3.2",
     .due = {T0 + HOURS(4) + 1}},
};

static void each_cause_is_found(void **unused)
{
    (void)unused;
    static const struct alert_engine silent = {"ca1", 77, {T0 - 40}};
    static const struct alerting_backend away = {"tls", "it cannot be reached", {T0 - 61}};
    static const struct alert_finding finding = {
        "http://x/a.crl", "crl_issuer", "RFC 5280 5.1.2.3", "CN=b", {T0 - 5}};
    static const struct alert_event events[] = {
        {ALERT_BREAKER, "ca tls", "the breaker stopped CA tls: 5 of 5 failed", {T0 - 9}},
        {ALERT_CANARY, "cohort 1", "the canaries were not proved", {T0 - 9}}};
    static const struct snapshot_request requests[] = {{7, "request 7 (plan): 1 of 2 approvals"},
                                                       {9, "request 9 (release): 0 of 2 approvals"}};
    snapshot.requests_waiting = 2;
    snapshot.requests = requests;
    snapshot.totals.unknown = 3;
    snapshot.revoked_outside_scope = 1;
    snapshot.held_yet_revoked = 2;
    snapshot.dropped_yet_revoked = 1;
    snapshot.balance_ok = false;
    snapshot.balance_detail = "page 3";
    cohorts[0].slack.s = HOURS(12) - 1;
    facts.silent = &silent, facts.silent_count = 1;
    facts.away = &away, facts.away_count = 1;
    facts.findings = &finding, facts.finding_count = 1;
    facts.events = events, facts.event_count = 2;
    facts.tasks = tasks, facts.task_count = sizeof tasks / sizeof *tasks;
    assert_string_equal(
        found(),
        "approval request-7; approval request-9; breaker ca tls; engine ca1-77; backend tls; slack cohort-1; "
        "clock findings-reporter; finding crl_issuer http://x/a.crl; task plan:1; "
        "canary cohort 1; unknown certificates; outside certificates; "
        "brake held; brake dropped; balance ledger");
    for (size_t i = 0; i < cause_count; i++) {
        assert_true(causes[i].text[0] != '\0' && causes[i].cost[0] != '\0');
        assert_non_null(strstr(causes[i].command, "massrevoke "));
    }
    assert_string_equal(causes[0].command,
                        "massrevoke request show 7; massrevoke approve 7 --key FILE --cert FILE");
    assert_non_null(strstr(causes[0].cost,
                           "103 certificates are not yet revoked; as things stand the last one is "
                           "published 1 d 00 h 00 min before the deadline of 2026-11-22T06:23:00Z"));
}

static void less_than_the_floor_then_late_then_missed(void **unused)
{
    (void)unused;
    cohorts[0].slack.s = HOURS(12);
    assert_string_equal(found(), "");
    cohorts[0].slack.s--;
    assert_string_equal(found(), "slack cohort-1");
    cohorts[0].slack.s = -60;
    assert_string_equal(found(), "slack cohort-1-late"); /* worse, so another one */
    assert_non_null(strstr(causes[0].command, "massrevoke report delayed"));
    cohorts[0].slack.s = HOURS(99);
    cohorts[0].missed = true;
    assert_non_null(strstr((found(), causes[0].text), "has missed its deadline"));
    cohorts[0].totals = cohorts[1].totals; /* nothing left: nobody can mend it any more */
    assert_string_equal(found(), "");
}

/* What holds keep too long, and a plan that ends too late, have time to spare. */
static void late_with_time_to_spare(void **unused)
{
    (void)unused;
    static const struct snapshot_hold holds[] = {
        {.cohort = 1,
         .court = true,
         .document = "order 7",
         .until = {INT64_MIN},
         .late = true,
         .certificates = 2},
        {.cohort = 1, .document = "soon", .until = {T0}, .certificates = 5},
        {.cohort = 2, .document = "board", .until = {T0}, .late = true, .certificates = 9},
    };
    snapshot.holds = holds;
    snapshot.hold_count = 3;
    cohorts[0].held_late = snapshot.held_late = 2;
    cohorts[0].delay_expected = true;
    assert_string_equal(found(), "slack cohort-1-held");
    assert_string_equal(causes[0].text,
                        "cohort 1 will miss its deadline of 2026-11-22T06:23:00Z for certificates that are "
                        "held: 2 by court order (order 7), which has no end");
    assert_non_null(strstr(causes[0].cost, "the last one that is not held is published 1 d 00 h 00 min "
                                           "before the deadline of 2026-11-22T06:23:00Z; 2 held beyond it"));
    assert_non_null(strstr(causes[0].command, "massrevoke report delayed"));
    cohorts[0].slack.s = -60; /* the pace, too */
    assert_string_equal(found(), "slack cohort-1-held; slack cohort-1-late");
    cohorts[0].missed = true;
    assert_string_equal(found(), "slack cohort-1-late");
    cohorts[0].missed = false;
    cohorts[0].slack.s = HOURS(24);
    cohorts[0].held_late = snapshot.held_late = 0;
    assert_string_equal(found(), "slack cohort-1-plan");
    assert_non_null(strstr(causes[0].command, "massrevoke plan --diff"));
    cohorts[0].delay_expected = false;
    assert_string_equal(found(), "");
}

static struct alert known_alert(enum alert_kind kind, const char *subject)
{
    return (struct alert){.alert = 1,
                          .cause = {.kind = kind, .subject = subject},
                          .raised_at = {T0},
                          .acked_at = UTC_NONE,
                          .cleared_at = UTC_NONE};
}

static void raised_once_and_ended(void **unused)
{
    (void)unused;
    const struct alert_cause now[] = {
        {.kind = ALERT_UNKNOWN, .subject = "certificates", .since = UTC_NONE},
        {.kind = ALERT_BACKEND, .subject = "tls", .since = {T0 - 59}}, /* must last a minute */
        {.kind = ALERT_BACKEND, .subject = "smime", .since = {T0 - 60}},
    };
    struct alert known[] = {known_alert(ALERT_UNKNOWN, "certificates"), known_alert(ALERT_SLACK, "cohort-1"),
                            known_alert(ALERT_BACKEND, "other")};
    known[2].elsewhere = true; /* another engine alone can see it */
    struct alerting_changes changes;
    alerting_compare(now, 3, known, 3, (struct utc){T0}, &memory, &changes);
    assert_int_equal(changes.raise_count, 1);
    assert_int_equal(changes.raise[0], 2);
    assert_int_equal(changes.clear_count, 1);
    assert_int_equal(changes.clear[0], 1);
}

/* ---- who is called ---- */

static const char *const program[] = {"/bin/page"};
static const struct settings_oncall people[] = {{"Ada", "ada@ca.example"}, {"Ben", "ben@ca.example"}};
static struct settings_alert terms;
static struct alert alert;
static struct alert_try tries[40];

static int begin_calls(void **unused)
{
    (void)unused;
    terms = (struct settings_alert){
        .command = program, .command_count = 1, .oncall = people, .oncall_count = 2, .after = {MINUTES(15)}};
    alert = known_alert(ALERT_SLACK, "cohort-1");
    alert.tries = tries;
    return 0;
}

static void tried(int step, enum alert_path path, enum mail_outcome outcome, int64_t at, int attempt)
{
    tries[alert.try_count++] = (struct alert_try){
        .step = step, .path = path, .attempt = attempt, .at = {at}, .outcome = outcome, .to = "", .text = ""};
}

/* "0 command 0; 0 mail 0", and the wake-up in seconds from T0 (-1: none). */
static void due_at(int64_t at, const char *expected, int64_t wake)
{
    struct alerting_due due[2];
    struct utc when;
    AUTO_BUF got = {0};
    size_t n = alerting_due(&alert, &terms, (struct utc){at}, due, &when);
    buf_text(&got, "");
    for (size_t i = 0; i < n; i++)
        buf_format(&got, "%s%d %s %zu", i == 0 ? "" : "; ", due[i].step, alert_path_name(due[i].path),
                   due[i].oncall);
    assert_string_equal(got.p, expected);
    assert_int_equal(utc_is_set(when) ? when.s - T0 : -1, wake);
}

static void one_name_after_the_other(void **unused)
{
    (void)unused;
    due_at(T0, "0 command 0; 0 mail 0", -1);
    tried(0, ALERT_COMMAND, MAIL_ACCEPTED, T0, 1);
    tried(0, ALERT_MAIL, MAIL_ACCEPTED, T0 + 1, 1);
    due_at(T0 + 2, "", MINUTES(15));
    due_at(T0 + MINUTES(15) - 1, "", MINUTES(15));
    due_at(T0 + MINUTES(15), "1 command 1; 1 mail 1", -1);
    tried(1, ALERT_COMMAND, MAIL_ACCEPTED, T0 + MINUTES(15), 1);
    tried(1, ALERT_MAIL, MAIL_ACCEPTED, T0 + MINUTES(15), 1);
    due_at(T0 + MINUTES(30), "2 command 0; 2 mail 0", -1); /* round and round */
    due_at(T0 + HOURS(5), "2 command 0; 2 mail 0", -1);    /* an engine was away: nobody is left out */
    alert.acked_at = (struct utc){T0 + MINUTES(16)};
    due_at(T0 + MINUTES(30), "", -1);
    alert.cleared_at = (struct utc){T0 + MINUTES(31)};
    due_at(T0 + MINUTES(31), "-1 command 0", -1);
    tried(ALERT_CLEARED, ALERT_COMMAND, MAIL_ACCEPTED, T0 + MINUTES(31), 1);
    due_at(T0 + MINUTES(32), "", -1);
}

static void what_may_not_have_arrived_goes_again(void **unused)
{
    (void)unused;
    tried(0, ALERT_COMMAND, MAIL_LATER, T0, 1);
    tried(0, ALERT_MAIL, MAIL_UNKNOWN, T0, 1);
    due_at(T0 + 59, "", 60);
    due_at(T0 + 60, "0 command 0; 0 mail 0", MINUTES(15));
    tries[0].attempt = tries[1].attempt = 3;
    due_at(T0 + 60, "", MINUTES(15)); /* three times are enough: the next name is called */
    tries[0].open = true, tries[0].attempt = 1;
    due_at(T0 + 60, "", MINUTES(15)); /* somebody waits for the answer */
}

static void a_refused_name_is_passed_over_at_once(void **unused)
{
    (void)unused;
    tried(0, ALERT_COMMAND, MAIL_ACCEPTED, T0, 1);
    tried(0, ALERT_MAIL, MAIL_REFUSED, T0, 1);
    due_at(T0 + 1, "1 command 1; 1 mail 1", -1);
    tried(1, ALERT_COMMAND, MAIL_ACCEPTED, T0 + 1, 1);
    tried(1, ALERT_MAIL, MAIL_REFUSED, T0 + 1, 1);
    due_at(T0 + 2, "", MINUTES(15) + 1); /* not round and round without a pause */
}

static void what_is_not_configured_is_not_due(void **unused)
{
    (void)unused;
    terms.oncall_count = 0;
    due_at(T0, "0 command 0", -1);
    tried(0, ALERT_COMMAND, MAIL_ACCEPTED, T0, 1);
    due_at(T0 + MINUTES(15), "1 command 0", -1);
    terms.command_count = 0;
    due_at(T0 + MINUTES(15), "", -1);
    terms.oncall_count = 2;
    alert.cleared_at = (struct utc){T0};
    due_at(T0, "", -1); /* only a pager closes what it opened */
}

/* ---- words ---- */

static void words_for_people_and_programs(void **unused)
{
    (void)unused;
    alert.cause.text = "cohort 1 has 3 h to spare";
    alert.cause.since = UTC_NONE;
    alert.cause.cost = "100 certificates";
    alert.cause.command = "massrevoke status";
    struct alerting_words words = {"rdn", "drill", &alert, 1, &people[1]};
    const struct settings s = {.mail_from = "revocation@ca.example", .mail_reply_to = "war@ca.example"};
    struct str eml, again;
    struct fault f = {0};
    assert_true(alerting_mail(&words, &s, alert.raised_at, &memory, &eml, &f));
    assert_true(alerting_mail(&words, &s, alert.raised_at, &memory, &again, &f));
    assert_true(str_equal(eml, again)); /* sending it twice is one message */
    const char *text = arena_copy(&memory, eml.p, eml.n);
    static const char *const lines[] = {"Subject: [EXERCISE] [rdn] alert 1, call 2: less time is left",
                                        "To: Ben <ben@ca.example>",
                                        "Auto-Submitted: auto-generated",
                                        "What:    cohort 1 has 3 h to spare",
                                        "Since:   2026-11-17T06:23:00Z",
                                        "Cost:    100 certificates",
                                        "Do:      massrevoke status",
                                        "massrevoke -c rdn alert ack 1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("no '%s' in %s", lines[i], text);
    words.step = 2;
    assert_true(alerting_mail(&words, &s, alert.raised_at, &memory, &again, &f));
    assert_false(str_equal(eml, again)); /* another call is another message */
    words.to = &(struct settings_oncall){"Eve", "eve@ca.example\r\nBcc: all@ca.example"};
    assert_false(alerting_mail(&words, &s, alert.raised_at, &memory, &again, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);

    words.to = NULL, words.step = ALERT_CLEARED;
    AUTO_JSON *json = alerting_json(&words, true);
    assert_string_equal(json_string_value(json_object_get(json, "event")), "cleared");
    assert_string_equal(json_string_value(json_object_get(json, "command")), "massrevoke status");
    assert_true(json_is_null(json_object_get(json, "to")));
    const char *const *environment = alerting_environment(&words, &memory);
    assert_string_equal(environment[0], "MASSREVOKE_ALERT=1");
    assert_string_equal(environment[4], "MASSREVOKE_ALERT_TO=");
}

static void every_kind_has_a_name(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        const char *name = alert_kind_name((enum alert_kind)kind);
        assert_int_equal(alert_kind_from_name(str_of(name)), kind);
    }
    assert_int_equal(alert_kind_from_name(str_of("nothing")), ALERT_KIND_COUNT);
}

int main(void)
{
#define FACTS(test) cmocka_unit_test_setup_teardown(test, begin, end)
#define CALLS(test) cmocka_unit_test_setup_teardown(test, begin_calls, end)
    const struct CMUnitTest tests[] = {
        FACTS(nothing_is_wrong),
        FACTS(each_cause_is_found),
        FACTS(less_than_the_floor_then_late_then_missed),
        FACTS(late_with_time_to_spare),
        CALLS(raised_once_and_ended),
        CALLS(one_name_after_the_other),
        CALLS(what_may_not_have_arrived_goes_again),
        CALLS(a_refused_name_is_passed_over_at_once),
        CALLS(what_is_not_configured_is_not_due),
        CALLS(words_for_people_and_programs),
        cmocka_unit_test(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
