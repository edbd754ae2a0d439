/* Does the snapshot say what the store holds, and does the balance find and name what was tampered with? */
#include "../lib/small.h"
#include "massrevoke/store_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct snapshot_terms terms = {.quorum = 1, .publish_margin = {3600}, .reserve = {12L * 3600}};

static struct snapshot snap(struct small *s, int hours)
{
    struct snapshot out;
    struct fault f = {0};
    if (!store_snapshot(s->store, &s->campaign, small_at(hours), &terms, true, &s->arena, &out, &f))
        fail_msg("%s", f.text);
    return out;
}

static void before_any_work(void **state)
{
    struct snapshot s = snap(*state, 0);
    assert_string_equal(s.balance_detail, "");
    assert_true(s.balance_ok);
    assert_int_equal(s.state, CAMPAIGN_RUNNING);
    assert_int_equal(s.totals.affected, SMALL_CERTIFICATES);
    assert_int_equal(s.totals.not_revoked, SMALL_CERTIFICATES);
    assert_int_equal(s.projected_finish.s,
                     small_at(3).s); /* the last chunk is due in hour 2, the margin an hour */
    assert_int_equal(s.slack.s, (5 * 24 - 3) * 3600);
    assert_int_equal(s.verdict, VERDICT_ON_TRACK); /* nothing is due yet, so nobody need be at work */
    assert_int_equal(s.cohorts[0].should_24h, SMALL_CERTIFICATES);
    assert_int_equal(s.hour_count, 2);
    assert_int_equal(s.hours[0].planned, SMALL_CHUNK);
    assert_int_equal(s.types_dv, SMALL_CERTIFICATES / 2);
    assert_int_equal(s.issuer_count, 1);
    assert_string_equal(s.next_command, "massrevoke run");
    assert_int_equal(s.events[0].at.s, small_at(0).s);
    assert_string_equal(s.events[0].type, "open");
    assert_string_equal(s.events[s.event_count - 1].text, "cohort 1 was started under request 1");
}

static void verdicts_follow_time(void **state)
{
    static const struct {
        int hours;
        enum verdict verdict;
    } rows[] = {
        {1, VERDICT_AT_RISK},   /* a chunk is due and no engine lives */
        {117, VERDICT_AT_RISK}, /* two hours to spare: less than a quarter of the reserve */
        {120, VERDICT_BEHIND},  /* an hour of margin does not fit any more */
        {121, VERDICT_MISSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(snap(*state, rows[i].hours).verdict, rows[i].verdict);
}

static void a_living_engine_is_seen(void **state)
{
    small_engine(*state);
    struct snapshot s = snap(*state, 1);
    assert_int_equal(s.engine_count, 1);
    assert_string_equal(s.engines[0].host, "host");
    assert_int_equal(s.verdict, VERDICT_ON_TRACK);
    assert_string_equal(s.next_command, "massrevoke status --watch");
}

/* It keeps its lock; under a simulated clock the server's own tells nothing. */
static void an_engine_that_stands_still_is_silent(void **state)
{
    struct small *c = *state;
    small_engine(c);
    small_sabotage(c, "UPDATE engine SET seen_at = clock_timestamp() - interval '29 seconds'");
    assert_true(snap(c, 1).engines[0].alive);
    small_sabotage(c, "UPDATE engine SET seen_at = clock_timestamp() - interval '31 seconds'");
    struct snapshot s = snap(c, 1);
    assert_int_equal(s.engine_count, 1);
    assert_false(s.engines[0].alive);
    assert_int_equal(s.verdict, VERDICT_AT_RISK);
    assert_string_equal(s.next_command, "massrevoke run");
    assert_int_equal(snap(c, 0).verdict, VERDICT_ON_TRACK); /* nothing is due yet */
    small_sabotage(c, "UPDATE campaign SET mode = 'drill'");
    assert_true(snap(c, 1).engines[0].alive);
    small_sabotage(c, "UPDATE campaign SET mode = 'live'");
    /* another is at work */
    small_engine(c);
    s = snap(c, 1);
    assert_int_equal(s.engine_count, 2);
    assert_int_equal(s.verdict, VERDICT_ON_TRACK);
    assert_string_equal(s.next_command, "massrevoke status --watch");
}

static void everything_published(void **state)
{
    struct small *c = *state;
    small_finish(c);
    struct snapshot s = snap(c, 4);
    assert_string_equal(s.balance_detail, "");
    assert_int_equal(s.totals.revoked, SMALL_CERTIFICATES);
    assert_int_equal(s.state, CAMPAIGN_FINISHED);
    assert_int_equal(s.verdict, VERDICT_DONE);
    assert_false(utc_is_set(s.projected_finish));
    assert_int_equal(s.hours[1].recorded, SMALL_CERTIFICATES);
    assert_int_equal(s.hours[2].published, SMALL_CERTIFICATES);

    struct affected_row *rows;
    struct shown *shown;
    size_t n;
    struct fault f = {0};
    assert_true(store_affected(c->store, c->campaign.id, small_at(4), &terms, &c->arena, &rows, &n, &f));
    assert_int_equal(n, SMALL_CERTIFICATES);
    assert_int_equal(rows[0].state, CERTIFICATE_PUBLISHED);
    assert_int_equal(rows[0].revoked.s, small_at(2).s);
    assert_int_equal(rows[0].planned.s, small_at(1).s);
    assert_int_equal(rows[0].reason, REASON_SUPERSEDED);
    assert_false(rows[0].delayed);
    struct serial serial = {.n = 2, .bytes = {0x10, 1}};
    assert_true(store_show(c->store, c->campaign.id, &serial, &c->arena, &shown, &n, &f));
    assert_int_equal(n, 1);
    assert_int_equal(shown[0].history_count, 4); /* hour, claim, revoked, seen */
    assert_int_equal(shown[0].history[3].state, CERTIFICATE_PUBLISHED);
}

/* What is planned for an hour that begins at the deadline comes too late. */
static void planned_at_the_deadline(void **state)
{
    struct small *c = *state;
    struct affected_row *rows;
    size_t n;
    struct fault f = {0};
    for (int late = 0; late <= 1; late++) {
        small_sabotage(c, arena_format(&c->arena, "UPDATE cohort SET deadline = %lld",
                                       (long long)small_at(1).s + 1 - late));
        assert_true(store_affected(c->store, c->campaign.id, small_at(0), &terms, &c->arena, &rows, &n, &f));
        assert_int_equal(rows[0].planned.s, small_at(1).s);
        assert_int_equal(rows[0].delayed, late);
    }
}

static void paused_and_held(void **state)
{
    struct small *c = *state;
    struct fault f = {0};
    struct act act = small_act(c, 1, "ann");
    struct listed item = {.issuer = c->issuer, .serial = {.n = 2, .bytes = {0x10, 3}}};
    int hold;
    assert_true(store_hold_add(c->store, &act, "court", "order.pdf", digest_of("o", 1), UTC_NONE, &item, 1,
                               &hold, &f));
    assert_true(store_hold_activate(c->store, &act, hold, &f));
    assert_true(store_pause(c->store, &act, true, false, "phones melt", false, &f));
    struct snapshot s = snap(c, 1);
    assert_string_equal(s.balance_detail, "");
    assert_int_equal(s.totals.held, 1);
    assert_int_equal(s.state, CAMPAIGN_PAUSED);
    assert_string_equal(s.pause_reason, "phones melt");
    assert_string_equal(s.next_command, "massrevoke resume");
}

/* Holds certificate 0x10xx by a court's order (hours 0) or until an hour. */
static void hold(struct small *c, int serial, const char *document, int hours)
{
    struct fault f = {0};
    struct act act = small_act(c, 1, "ann");
    struct listed item = {.issuer = c->issuer, .serial = {.n = 2, .bytes = {0x10, (uint8_t)serial}}};
    int number;
    if (!store_hold_add(c->store, &act, hours == 0 ? "court" : "delay", document,
                        digest_of(document, strlen(document)), hours == 0 ? UTC_NONE : small_at(hours), &item,
                        1, &number, &f) ||
        !store_hold_activate(c->store, &act, number, &f))
        fail_msg("%s", f.text);
}

/* The row of certificate 0x10xx. */
static struct affected_row row_of(struct small *c, int serial, int hours)
{
    struct affected_row *rows;
    size_t n;
    struct fault f = {0};
    if (!store_affected(c->store, c->campaign.id, small_at(hours), &terms, &c->arena, &rows, &n, &f))
        fail_msg("%s", f.text);
    for (size_t i = 0; i < n; i++)
        if (rows[i].serial_number.bytes[1] == serial)
            return rows[i];
    fail_msg("no row of %d", serial);
    return rows[0];
}

/* Snapshot and list say the same of what is held: late when the end and an hour to publish do not fit. */
static void held_beyond_the_deadline(void **state)
{
    static const struct {
        int until, now; /* until 0: a court's order */
        bool late;
    } cases[] = {
        {119, 1, false}, {120, 1, true}, {0, 1, true}, {2, 119, false}, /* it should have ended long ago */
        {2, 120, true},
    };
    struct small *c = *state;
    hold(c, 3, "first", 1); /* ends before the others: it says nothing */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hold(c, 3, arena_format(&c->arena, "paper %zu", i), cases[i].until);
        struct snapshot s = snap(c, cases[i].now);
        struct affected_row row = row_of(c, 3, cases[i].now);
        assert_int_equal(s.hold_count, 1);
        assert_int_equal(s.holds[0].court, cases[i].until == 0);
        assert_int_equal(s.held_late, cases[i].late);
        assert_int_equal(s.cohorts[0].held_late, cases[i].late);
        assert_int_equal(row.state, CERTIFICATE_HELD);
        assert_int_equal(row.delayed, cases[i].late);
        if (cases[i].now == 1) {
            assert_int_equal(s.delay_expected, cases[i].late);
            assert_int_equal(s.verdict, cases[i].late ? VERDICT_BEHIND : VERDICT_AT_RISK);
            assert_true(cases[i].until == 0 ? !utc_is_set(row.planned)
                                            : row.planned.s == small_at(cases[i].until).s);
        }
        assert_false(row_of(c, 4, cases[i].now).delayed);
        small_sabotage(c, arena_format(&c->arena, "UPDATE hold SET active = false WHERE hold = %zu", i + 2));
    }
}

/* What a delay names is no delay once it is revoked. */
static void a_hold_of_what_is_published_delays_nothing(void **state)
{
    struct small *c = *state;
    small_finish(c);
    hold(c, 3, "too late", 300);
    struct snapshot s = snap(c, 4);
    assert_int_equal(s.hold_count, 0);
    assert_int_equal(s.verdict, VERDICT_DONE);
    assert_false(row_of(c, 3, 4).delayed);
}

/* What is done to the database, and what the balance must say of it. */
static const struct {
    const char *sql, *detail;
    int64_t twice, not_counted;
} sabotages[] = {
    {"UPDATE page SET states = set_byte(states, 4, 6)",
     "page 0: its counter says 20 revoked, its state bytes 19", 1, 1},
    {"UPDATE page SET revoked = revoked - 1, held = held + 1",
     "page 0: its counter says 19 revoked, its state bytes 20", 1, 1},
    {"UPDATE page SET states = set_byte(states, 4, 6), revoked = 19, pending_publication = 1",
     "page 0: certificate 4 is recorded, its facts say published", 1, 1},
    {"DELETE FROM certificate WHERE id = 7", "page 0: it counts 20 certificates, the list has 19", 1, 0},
    {"UPDATE certificate SET excluded = 'short_lived' WHERE id = 7",
     "page 0: it counts 20 certificates, the list has 19", 1, 0},
    {"UPDATE certificate SET withdrawn = true WHERE id = 7",
     "page 0: 1 certificate rows are withdrawn, its state bytes say 0", 0, 0},
    {"UPDATE certificate SET serial = '\\x1234' WHERE id = 7",
     "page 0: its certificate rows are not those that were planned and signed", 0, 0},
    {"DELETE FROM page", "page 0 is gone: its 20 certificates are counted nowhere", 0, 20},
    {"DELETE FROM change WHERE seq = (SELECT min(seq) FROM change)",
     "page 0: event 6 found certificate 0 asked, the events before left it waiting", 0, 0},
    {"INSERT INTO certificate (campaign, issuer, serial, cohort, version, line, reason, id) SELECT campaign, "
     "issuer, "
     "'\\x99', 1, 1, 99, 4, 99 FROM certificate LIMIT 1",
     "cohort 1: its lists brought 20 certificates, 21 are there", 0, 0},
};

static void sabotage_is_named(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sabotages / sizeof *sabotages; i++) {
        struct small c;
        small_open(&c);
        small_finish(&c);
        small_sabotage(&c, sabotages[i].sql);
        struct snapshot s = snap(&c, 4);
        assert_false(s.balance_ok);
        assert_string_equal(s.balance_detail, sabotages[i].detail);
        assert_int_equal(s.counted_twice, sabotages[i].twice);
        assert_int_equal(s.not_counted, sabotages[i].not_counted);
        assert_string_equal(s.next_command, "massrevoke evidence verify");
        small_close(&c);
    }
}

static bool is_missed(struct small *s, int hours)
{
    struct fault f = {0};
    struct act act = small_act(s, hours, "engine");
    assert_true(store_mark_missed(s->store, &act, &f));
    return small_number(s, "SELECT missed::int FROM cohort") == 1;
}

static void late_with_work_left_is_missed(void **state)
{
    struct small *c = *state;
    assert_false(is_missed(c, 120)); /* at the deadline is in time */
    assert_true(is_missed(c, 121));
    assert_int_equal(small_number(c, "SELECT count(*) FROM event WHERE type = 'missed'"), 1);
    small_finish(c);
    assert_int_equal(snap(c, 122).verdict, VERDICT_MISSED); /* what comes after does not undo it */
    assert_true(is_missed(c, 123));
    assert_int_equal(small_number(c, "SELECT count(*) FROM event WHERE type = 'missed'"), 1);
}

static void done_in_time_is_not_missed(void **state)
{
    small_finish(*state);
    assert_false(is_missed(*state, 200));
    assert_int_equal(snap(*state, 200).verdict, VERDICT_DONE);
}

/* One turn of the engine's check over `pages` pages; does it end the round? */
static bool turn(struct small *s, struct balance_round *round, int hours, int pages)
{
    struct fault f = {0};
    bool done;
    if (!store_balance_turn(s->store, s->campaign.id, small_at(hours), pages, round, &done, &f))
        fail_msg("%s", f.text);
    return done;
}

static void turns_make_a_round(void **state)
{
    struct small *c = *state;
    struct balance_round round = {0};
    small_finish(c);
    small_sabotage(c, "UPDATE campaign SET next_page = 3");
    assert_false(turn(c, &round, 4, 1));
    assert_false(turn(c, &round, 4, 1));
    assert_int_equal(small_number(c, "SELECT count(*) FROM balance"), 0); /* good news waits for the end */
    assert_true(turn(c, &round, 5, 1));
    assert_true(round.found.ok);
    assert_int_equal(small_number(c, "SELECT checked_at FROM balance"), small_at(5).s);
    small_sabotage(c, "UPDATE page SET revoked = revoked - 1, held = held + 1");
    assert_false(turn(c, &round, 6, 1));
    assert_false(round.found.ok); /* bad news is kept at once */
    assert_int_equal(small_number(c, "SELECT not_counted FROM balance"), 1);
    assert_false(turn(c, &round, 6, 1)); /* and is not forgotten by the pages that are right */
    assert_true(turn(c, &round, 6, 1));
    assert_string_equal(round.found.detail, "page 0: its counter says 19 revoked, its state bytes 20");
    small_sabotage(c, "UPDATE page SET revoked = revoked + 1, held = held - 1");
    assert_true(turn(c, &round, 7, 100));
    assert_true(round.found.ok);
}

/* Above STORE_BALANCE_ALWAYS a snapshot for the screen tells what the last round found. */
static void a_large_campaign_tells_the_last_round(void **state)
{
    struct small *c = *state;
    struct balance_round round = {0};
    struct snapshot s;
    struct fault f = {0};
    small_sabotage(
        c, "INSERT INTO certificate (campaign, issuer, serial, cohort, version, line, reason, id) SELECT "
           "k.campaign, "
           "k.issuer, decode(lpad(to_hex(n), 8, '0'), 'hex'), 1, 1, n + 100, 4, (n - 16777216 + 20)::integer "
           "FROM certificate k, "
           "generate_series(16777216, 16877216) n WHERE k.id = 0; "
           "UPDATE population SET added = added + 100001");
    assert_true(store_snapshot(c->store, &c->campaign, small_at(1), &terms, false, &c->arena, &s, &f));
    assert_false(utc_is_set(s.balance_checked_at)); /* no round yet */
    assert_true(s.balance_ok);
    assert_true(turn(c, &round, 1, 100));
    assert_true(store_snapshot(c->store, &c->campaign, small_at(2), &terms, false, &c->arena, &s, &f));
    assert_int_equal(s.balance_checked_at.s, small_at(1).s);
    assert_string_equal(s.balance_detail, "");
    assert_true(s.balance_ok);
    small_sabotage(c, "UPDATE page SET states = set_byte(states, 4, 6)");
    assert_true(turn(c, &round, 3, 100));
    assert_true(store_snapshot(c->store, &c->campaign, small_at(4), &terms, false, &c->arena, &s, &f));
    assert_int_equal(s.balance_checked_at.s, small_at(3).s);
    assert_false(s.balance_ok);
    assert_string_equal(s.balance_detail,
                        "page 0: its counter says 0 pending_publication, its state bytes 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(before_any_work, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(verdicts_follow_time, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_living_engine_is_seen, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(an_engine_that_stands_still_is_silent, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(everything_published, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(planned_at_the_deadline, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(paused_and_held, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(held_beyond_the_deadline, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_hold_of_what_is_published_delays_nothing, small_set_up,
                                        small_tear_down),
        cmocka_unit_test(sabotage_is_named),
        cmocka_unit_test_setup_teardown(late_with_work_left_is_missed, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(done_in_time_is_not_missed, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(turns_make_a_round, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_large_campaign_tells_the_last_round, small_set_up, small_tear_down),
    };
    return cmocka_run_group_tests_name("store report", tests, NULL, NULL);
}
