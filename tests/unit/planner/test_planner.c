/* Does the planner give the answers worked out by hand for small campaigns, and for real incidents' sizes? */
#include "massrevoke/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR 3600
#define LEVEL_FIRST CLASS_UNREACHABLE /* classes before it need no notice */
#define RECEIVED INT64_C(1709510400)  /* 2024-03-04T00:00:00Z */

/* A campaign of n certificates, `each` a subscriber, one issuer and CA. */
struct campaign {
    struct plan_certificate *certificates;
    struct plan_subscriber *subscribers;
    struct rate rate;
    struct plan_input in;
};

/* Five days, first slot after 36 h, reserve 6 h, floor 12 h, margin 2 h, as tls-5-day is meant. */
static void make(struct campaign *c, struct arena *a, size_t n, size_t each, struct rate rate)
{
    *c = (struct campaign){.rate = rate};
    size_t subscribers = (n + each - 1) / each;
    c->certificates = arena_array(a, n, sizeof *c->certificates);
    c->subscribers = arena_array(a, subscribers, sizeof *c->subscribers);
    for (size_t i = 0; i < n; i++) {
        c->certificates[i].number = (uint32_t)i;
        c->certificates[i].subscriber = (uint32_t)(i / each);
        c->certificates[i].turn = CLASS_IN_USE;
        c->certificates[i].not_after = UTC_NONE;
    }
    c->in = (struct plan_input){.certificates = c->certificates,
                                .certificate_count = n,
                                .subscribers = c->subscribers,
                                .subscriber_count = subscribers,
                                .ca_count = 1,
                                .received.s = RECEIVED,
                                .now.s = RECEIVED,
                                .deadline.s = 120 * HOUR,
                                .should.s = 24 * HOUR};
    c->in.ca_rates = &c->rate;
    c->in.profile = (struct profile){.first_slot.s = 36 * HOUR,
                                     .reserve.s = 6 * HOUR,
                                     .publish_margin.s = 2 * HOUR,
                                     .outage_floor.s = 12 * HOUR};
    for (int k = LEVEL_FIRST; k < CLASS_COUNT; k++)
        c->in.profile.class_notice[k].s = 36 * HOUR;
}

static struct plan plan_of(const struct campaign *c, struct arena *a)
{
    struct plan p;
    struct fault f = {0};
    if (!planner_build(&c->in, a, &p, &f))
        fail_msg("%s", f.text);
    return p;
}

static void roomy_campaigns_are_level(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 2100, 30, (struct rate){2000, 1});
    struct plan p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.limiting, PLAN_LIMIT_NONE);
    assert_string_equal(p.given_up, "");
    assert_int_equal(p.slots[0].hour, 36);
    assert_int_equal(p.slot_count, 70); /* 36 to 105: 118 - 12 = 106 */
    for (size_t i = 0; i < p.slot_count; i++) {
        assert_int_equal(p.slots[i].certificates, 30);
        assert_int_equal(p.slots[i].subscribers, 1);
    }
    assert_int_equal(p.outage_tolerance.s, 12 * HOUR);
    assert_int_equal(p.finish.s, RECEIVED + 105 * HOUR + 1 + 2 * HOUR);
    assert_int_equal(p.should_24h, 0);
    assert_int_equal(p.canary_count, 0);
}

/* In number order an issuer comes after the other, and the second one's subscribers in another order: what a
 * subscriber has of both still goes in one hour. */
static void a_subscriber_goes_in_one_hour(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 2100, 30, (struct rate){2000, 1});
    for (uint32_t i = 0; i < 2100; i++) {
        uint32_t of_issuer = i % 1050;
        c.certificates[i].issuer = (uint16_t)(i / 1050);
        c.certificates[i].subscriber = i < 1050 ? of_issuer / 15 : 69 - of_issuer / 15;
    }
    struct plan p = plan_of(&c, &a);
    assert_int_equal(p.slot_count, 70);
    for (size_t i = 0; i < p.slot_count; i++) {
        assert_int_equal(p.slots[i].certificates, 30);
        assert_int_equal(p.slots[i].subscribers, 1);
    }
}

static void notice_goes_before_the_floor(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 1060, 1, (struct rate){10, HOUR}); /* 106 hours of work: exactly up to the floor */
    struct plan p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.slots[0].hour, 0);
    assert_int_equal(p.outage_tolerance.s, 12 * HOUR);
    assert_int_equal(p.limiting, PLAN_LIMIT_BACKEND_RATE);
    assert_string_equal(p.given_up, "notice: 360 in_use certificates before their 36 h\n");
    assert_int_equal(p.should_24h, 220);
    make(&c, &a, 1180, 1, (struct rate){10, HOUR});
    p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.outage_tolerance.s, 0);
    assert_int_equal(p.slack.s, 0);
}

static void one_too_many_is_infeasible_and_its_remedy_cures(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 1181, 1, (struct rate){10, HOUR});
    c.in.ca_names = (const char *const[]){"demo"};
    struct plan p = plan_of(&c, &a);
    assert_false(p.feasible);
    assert_int_equal(p.late, 1);
    assert_int_equal(p.shortfall, 1);
    assert_int_equal(p.number_count, 1181);
    assert_int_equal(p.limiting, PLAN_LIMIT_BACKEND_RATE);
    assert_string_equal(p.remedy, "raise the rate of demo to 11/h");
    assert_true(p.slack.s < 0);
    c.rate.count = 11;
    assert_true(plan_of(&c, &a).feasible);
}

static void a_passed_deadline_has_no_cure(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 2098, 13, (struct rate){2000, 1});
    c.in.now.s = RECEIVED + 15 * 24 * HOUR + 8 * HOUR + 1800; /* read on day 15 */
    struct plan p = plan_of(&c, &a);
    assert_false(p.feasible);
    assert_int_equal(p.late, 2098);
    assert_int_equal(p.limiting, PLAN_LIMIT_DEADLINE);
    assert_string_equal(p.remedy, "none: the deadline passed at 2024-03-09T00:00:00Z");
    assert_int_equal(p.slot_count, 1);
    assert_int_equal(p.slots[0].start.s, c.in.now.s);
}

static void a_long_margin_is_the_limit(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 100, 1, (struct rate){100, HOUR});
    c.in.profile.publish_margin.s = 12 * HOUR;
    c.in.now.s = RECEIVED + 110 * HOUR;
    struct plan p = plan_of(&c, &a);
    assert_int_equal(p.late, 100);
    assert_int_equal(p.limiting, PLAN_LIMIT_PUBLICATION);
    assert_non_null(strstr(p.remedy, "publish within 9 h 00 min instead of 12 h 00 min"));
    c.in.profile.publish_margin.s = 9 * HOUR;
    assert_true(plan_of(&c, &a).feasible);
}

static void seven_hours_for_three_million(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 3048289, 100, (struct rate){677, 10}); /* 67.7/s: what was reached in 2020 */
    c.in.now.s = RECEIVED + 113 * HOUR;
    c.in.profile.publish_margin.s = 0;
    struct plan p = plan_of(&c, &a);
    assert_false(p.feasible);
    assert_int_equal((p.finish.s - c.in.now.s) * 10 / HOUR, 125); /* 12.5 h */
    assert_string_equal(p.remedy, "raise the rate of CA 0 to 435470/h");
    c.rate = (struct rate){121, 1};
    assert_true(plan_of(&c, &a).feasible);
}

static void expiring_ones_stand_apart(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 2098, 13, (struct rate){2000, 1});
    for (int i = 0; i < 28; i++) /* out before the first slot of the profile */
        c.certificates[i * 70].not_after.s = RECEIVED + i * HOUR;
    c.certificates[1500].not_after.s = RECEIVED + 37 * HOUR; /* out between: taken first */
    struct plan p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.expires_first, 28);
    assert_int_equal(p.number_count, 2070);
    assert_int_equal(p.numbers[0], 1500);
}

static void canaries_are_published_before_the_rest(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 100, 10, (struct rate){2000, 1});
    c.in.profile.canary = 3;
    for (int i = 0; i < 100; i++) {
        c.certificates[i].issuer = i >= 50;
        c.certificates[i].shard = i % 50 >= 40;
    }
    struct plan p = plan_of(&c, &a);
    static const uint32_t wanted[] = {0, 40, 50, 90}; /* four shards want four, though k is 3 */
    assert_int_equal(p.canary_count, 4);
    assert_memory_equal(p.canaries, wanted, sizeof wanted);
    assert_int_equal(p.slots[0].certificates, 4);
    assert_int_equal(p.slots[0].hour, 36);
    assert_int_equal(p.slots[1].hour, 39); /* the slot's end and two hours of publication */
    make(&c, &a, 5, 1, (struct rate){2000, 1});
    c.in.profile.canary = 5;
    p = plan_of(&c, &a);
    assert_int_equal(p.canary_count, 5);
    assert_int_equal(p.slot_count, 1); /* all canary: nothing waits */
}

/* What is late anyway does not wait for a canary, too; what can be in time keeps it. */
static void late_work_waits_for_no_canary(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 600, 10, (struct rate){100, 1});
    c.in.profile.canary = 5;
    c.in.profile.canary_wait.s = 4 * HOUR;
    c.in.now.s = RECEIVED + 119 * HOUR; /* an hour before the deadline, and two of publication */
    struct plan p = plan_of(&c, &a);
    assert_int_equal(p.late, 600);
    assert_int_equal(p.canary_count, 0);
    assert_non_null(strstr(p.given_up, "canary: none"));
    assert_int_equal(p.slot_count, 1);
    assert_int_equal(p.finish.s, c.in.now.s + 6 + 2 * HOUR);
    c.in.now.s = RECEIVED + 112 * HOUR; /* an hour of canaries, four of waiting, one of the rest */
    p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.canary_count, 5);
    assert_int_equal(p.slots[1].hour, 117);
    make(&c, &a, 5, 1, (struct rate){100, 1});
    c.in.profile.canary = 5;
    c.in.now.s = RECEIVED + 119 * HOUR;
    p = plan_of(&c, &a);
    assert_int_equal(p.late, 5);
    assert_int_equal(p.canary_count, 5); /* all canary: nothing waits, so nothing is won without them */
}

static void immediate_waits_for_nothing(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 3000, 10, (struct rate){100, 1});
    c.in.profile = (struct profile){.publish_at_once = true, .canary = 2, .publish_margin.s = 60};
    c.in.now.s = RECEIVED + 119 * HOUR + 1800;
    struct plan p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.slot_count, 1);
    assert_int_equal(p.slots[0].start.s, c.in.now.s);
    assert_true(p.chunks[0].canary);
    assert_int_equal(p.chunks[0].due.s, c.in.now.s);
    assert_int_equal(p.chunks[p.chunk_count - 1].due.s, c.in.now.s + 20); /* 2 + 998 + 1000 + 1000 */
    assert_int_equal(p.finish.s, c.in.now.s + 30 + 60);
    assert_int_equal(p.outage_tolerance.s, 1800 - 60 - 30);
}

static void the_help_desk_is_spared_while_it_can_be(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 1000, 1, (struct rate){2000, 1});
    for (int i = 0; i < 140; i++) /* 140 subscribers of one, one of 860 */
        c.certificates[i].subscriber = (uint32_t)i;
    for (int i = 140; i < 1000; i++)
        c.certificates[i].subscriber = 140;
    c.in.profile.helpdesk_per_hour = 3;
    struct plan p = plan_of(&c, &a);
    for (size_t i = 0; i < p.slot_count; i++)
        assert_in_range(p.slots[i].subscribers, 1, 3);
    c.in.profile.helpdesk_per_hour = 1;
    p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.limiting, PLAN_LIMIT_HELPDESK);
    assert_non_null(strstr(p.given_up, "help desk: more than 1 subscribers in "));
}

static void bad_input_is_named(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    struct plan p;
    struct fault f = {0};
    make(&c, &a, 10, 1, (struct rate){1, 1});
    c.certificates[4].number = 3;
    assert_false(planner_build(&c.in, &a, &p, &f));
    assert_string_equal(f.text, "plan: number 3 does not come after 3");
    make(&c, &a, 10, 1, (struct rate){1, 900000000});
    assert_false(planner_build(&c.in, &a, &p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    make(&c, &a, 10, 1, (struct rate){1, 1});
    c.certificates[9].ca = 1;
    assert_false(planner_build(&c.in, &a, &p, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
}

static void texts_are_for_people_and_pipes(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0}, csv = {0};
    struct campaign c;
    make(&c, &a, 1181, 1, (struct rate){10, HOUR});
    struct plan p = plan_of(&c, &a);
    planner_text(&p, &c.in, &text);
    int lines = 0;
    for (struct str rest = buf_str(&text); rest.p != NULL; lines++)
        assert_in_range(str_cut(&rest, '\n').n, 0, 80);
    assert_in_range(lines, 10, 24);
    assert_non_null(strstr(text.p, "INFEASIBLE: 1 of 1181 certificates are late"));
    planner_csv(&p, &csv);
    assert_non_null(strstr(csv.p, "hour,start,certificates,subscribers\r\n0,2024-03-04T00:00:00Z,10,10\r\n"));
    AUTO_JSON *doc = planner_json(&p);
    static const char *const keys[] = {"feasible",
                                       "certificates",
                                       "slots",
                                       "finish",
                                       "slack_seconds",
                                       "outage_tolerance_seconds",
                                       "limiting_resource",
                                       "late",
                                       "expires_first",
                                       "should_24h",
                                       "digest",
                                       "shortfall_certificates",
                                       "remedy"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(doc, keys[i]));
    assert_int_equal(json_integer_value(json_object_get(doc, "certificates")), 1181);
}

static void real_incidents_have_their_figures(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    struct campaign c;
    make(&c, &a, 83267, 12, (struct rate){2000, 1}); /* 2024: 24 hours, no exception */
    c.in.deadline.s = 24 * HOUR;
    c.in.profile = (struct profile){.publish_margin.s = HOUR, .notices = true};
    c.in.now.s = RECEIVED + 1800;
    struct plan p = plan_of(&c, &a);
    assert_int_equal(p.needs_by_clock, 963);
    planner_text(&p, &c.in, &text);
    assert_non_null(
        strstr(text.p, "needs              0.96/s over the 24 h clock; 1.03/s in what is left of it"));
    make(&c, &a, 3048289, 100, (struct rate){677, 10}); /* 2020: a tail of seven hours */
    c.in.now.s = RECEIVED + 113 * HOUR;
    c.in.profile.publish_margin.s = 0;
    p = plan_of(&c, &a);
    assert_int_equal(p.needs_by_window, 120963);
    assert_int_equal(p.work.s, 45027);
    AUTO_JSON *doc = planner_json(&p);
    double needs = json_real_value(json_object_get(doc, "needs_per_second_window"));
    assert_true(needs > 120.955 && needs < 120.965);
    assert_int_equal(json_integer_value(json_object_get(doc, "work_seconds")), 45027);
}

static void classes_go_in_their_turns(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 800, 1, (struct rate){2000, 1});
    for (int i = 0; i < 800; i++)
        c.certificates[i].turn = (uint8_t)(i % CLASS_COUNT);
    c.in.profile.class_notice[CLASS_CRITICAL].s = 72 * HOUR;
    c.in.profile.class_ceiling[CLASS_UNREACHABLE].s = 48 * HOUR;
    struct plan p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_string_equal(p.given_up, "");
    assert_int_equal(p.slots[0].hour, 0);
    assert_int_equal(p.slots[0].certificates, 400); /* riskiest, replaced, unused, orphan: at once */
    for (int i = 0; i < 400; i++)
        assert_int_equal(p.numbers[i] % CLASS_COUNT, i / 100);
    assert_int_equal(p.slots[1].hour, 36);
    uint32_t most = 0;
    for (size_t i = 1; i < p.slot_count; i++)
        most = p.slots[i].certificates > most ? p.slots[i].certificates : most;
    assert_in_range(most, 8, 9); /* 100 in 36..48: that is as level as it gets */
    for (size_t i = 400; i < 800; i++)
        assert_true(i == 400 || p.numbers[i] % CLASS_COUNT >= p.numbers[i - 1] % CLASS_COUNT ||
                    p.numbers[i] > p.numbers[i - 1]);
}

static void held_ones_come_last_and_count_in_nothing(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    struct campaign c;
    make(&c, &a, 100, 1, (struct rate){2000, 1});
    for (int i = 0; i < 7; i++)
        c.certificates[i].held = true;
    struct plan p = plan_of(&c, &a);
    assert_int_equal(p.held, 7);
    assert_int_equal(p.number_count, 100);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(p.numbers[93 + i], i);
    assert_int_equal(p.slots[p.slot_count - 1].certificates, 7);
    assert_int_equal(p.outage_tolerance.s, 12 * HOUR);
    planner_text(&p, &c.in, &text);
    assert_non_null(strstr(text.p, "FEASIBLE: all 93 certificates"));
    assert_non_null(strstr(text.p, "held 7"));
    for (int i = 0; i < 100; i++)
        c.certificates[i].held = true;
    p = plan_of(&c, &a);
    assert_true(p.feasible && !utc_is_set(p.finish));
}

static void freezes_and_ari_are_kept_while_they_can_be(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    struct freeze freezes[] = {{{RECEIVED + 40 * HOUR}, {RECEIVED + 60 * HOUR}, "bank holiday"}};
    for (size_t n = 900; n <= 1180; n += 100) {
        make(&c, &a, n, 1, (struct rate){20, HOUR});
        c.in.profile.freezes = freezes;
        c.in.profile.freeze_count = 1;
        c.in.profile.ari_lead.s = 48 * HOUR;
        for (size_t i = 0; i < n; i++)
            c.certificates[i].turn = CLASS_AUTOMATED;
        struct plan p = plan_of(&c, &a);
        bool in_freeze = false;
        for (size_t i = 0; i < p.slot_count; i++)
            in_freeze = in_freeze || (p.slots[i].hour >= 40 && p.slots[i].hour < 60);
        /* 46 slots from the freeze to the floor, 58 with it, from the lead on */
        assert_int_equal(in_freeze, n > 920);
        assert_int_equal(strstr(p.given_up, "freeze: ") != NULL, n > 920);
        assert_int_equal(p.slots[0].hour, n > 920 ? 48 : 60);
        assert_null(strstr(p.given_up, "ARI"));
        assert_int_equal(p.slots[0].ari_start.s, p.slots[0].start.s - 48 * HOUR);
        assert_int_equal(p.slots[0].ari_end.s, p.slots[0].start.s - 36 * HOUR);
    }
}

static void too_large_crls_are_named(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    struct plan_shard shards[] = {{"http://crl.example/1", 9990000}, {"http://crl.example/2", 0}};
    make(&c, &a, 1000, 1, (struct rate){2000, 1});
    for (int i = 0; i < 1000; i++)
        c.certificates[i].shard = (uint32_t)i % 2;
    c.in.shards = shards;
    c.in.shard_count = 2;
    c.in.profile.crl_limit = 10000000;
    struct plan p = plan_of(&c, &a);
    assert_true(p.feasible);
    assert_int_equal(p.shard_count, 2);
    assert_int_equal(p.shards[0].bytes, 9990000 + 500 * PLAN_ENTRY_BYTES);
    assert_true(p.shards[0].over && !p.shards[1].over);
    assert_string_equal(p.given_up, "CRL size: 10.1 MB, more than 10.0 MB: http://crl.example/1\n");
}

static void ocsp_lengthens_publication(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 1180, 1, (struct rate){10, HOUR});
    c.in.profile.ocsp_refresh.s = 4 * HOUR;
    assert_true(plan_of(&c, &a).feasible);
    c.certificates[5].by_ocsp = true;
    struct plan p = plan_of(&c, &a);
    assert_int_equal(p.late, 20);
    assert_string_equal(p.remedy, "raise the rate of CA 0 to 11/h");
    c.certificates[5].held = true;
    assert_true(plan_of(&c, &a).feasible);
}

/* Asking about them takes its time, at the rate that is polite. */
static void the_rate_of_questions_counts(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    make(&c, &a, 1180, 1, (struct rate){10, HOUR});
    struct utc before = plan_of(&c, &a).finish;
    c.in.ocsp_rate = (struct rate){100, HOUR};
    assert_true(plan_of(&c, &a).feasible); /* none has a responder */
    for (size_t i = 0; i < 60; i++)
        c.certificates[i].by_ocsp = true;
    struct plan p = plan_of(&c, &a); /* 36 minutes: the last slot is lost */
    assert_int_equal(p.late, 10);
    assert_int_equal(p.finish.s, before.s + 2160);
    c.in.ocsp_rate = (struct rate){1, 2 * PLANNER_RATE_MAX};
    struct fault f = {0};
    assert_false(planner_build(&c.in, &a, &p, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
}

static void an_outage_has_an_answer(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    struct campaign c;
    struct plan_outage o;
    make(&c, &a, 2100, 30, (struct rate){2000, 1});
    struct plan p = plan_of(&c, &a);
    planner_outage(&c.in, &p, (struct span){6 * HOUR}, &o);
    assert_true(o.in_time && o.late == 0);
    assert_int_equal(o.finish.s, RECEIVED + 106 * HOUR + 6 * HOUR + 2 * HOUR);
    assert_int_equal(o.worst.s, RECEIVED + 106 * HOUR - 1);
    planner_outage(&c.in, &p, p.outage_tolerance, &o);
    assert_true(o.in_time);
    planner_outage(&c.in, &p, (struct span){p.outage_tolerance.s + HOUR + 1}, &o);
    assert_false(o.in_time);
    assert_int_equal(o.late, 60); /* the last two hours' */
    planner_outage_text(&o, &c.in, &text);
    assert_non_null(strstr(text.p, "NOT IN TIME: 60 certificates are late if the CA is down for 13 h"));
    AUTO_JSON *doc = planner_outage_json(&o, &c.in);
    assert_int_equal(json_integer_value(json_object_get(doc, "late")), 60);
}

static void a_diff_tells_what_changed(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    struct campaign c;
    make(&c, &a, 2100, 30, (struct rate){2000, 1});
    struct plan p = plan_of(&c, &a);
    AUTO_JSON *old = planner_json(&p);
    AUTO_JSON *none = planner_diff(old, old);
    planner_diff_text(none, &text);
    assert_string_equal(text.p, "The two plans are the same.\n");
    make(&c, &a, 2100, 30, (struct rate){2000, 1});
    c.in.now.s = RECEIVED + 40 * HOUR;
    p = plan_of(&c, &a);
    AUTO_JSON *fresh = planner_json(&p), *diff = planner_diff(old, fresh);
    const json_t *slots = json_object_get(diff, "slots");
    assert_string_equal(json_string_value(json_object_get(json_array_get(slots, 0), "change")), "went");
    buf_clear(&text);
    planner_diff_text(diff, &text);
    int lines = 0;
    for (struct str rest = buf_str(&text); rest.p != NULL; lines++)
        assert_in_range(str_cut(&rest, '\n').n, 0, 80);
    assert_in_range(lines, 5, 24);
    assert_non_null(strstr(text.p, "plan digest"));
}

static void the_calendar_is_rfc_5545(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF ics = {0}, again = {0};
    struct campaign c;
    make(&c, &a, 2100, 30, (struct rate){2000, 1});
    struct plan p = plan_of(&c, &a);
    const struct plan_event task = {"findings", {RECEIVED + 24 * HOUR}, "findings to reporter; and, all"};
    planner_ics(&p, &c.in, "autumn", (struct utc){RECEIVED}, &task, 1, &ics);
    planner_ics(&p, &c.in, "autumn", (struct utc){RECEIVED}, &task, 1, &again);
    assert_string_equal(ics.p, again.p);
    static const char *const wanted[] = {
        "BEGIN:VCALENDAR\r\n",
        "UID:autumn-36@massrevoke\r\n",
        "DTSTAMP:20240304T000000Z\r\n",
        "DTSTART:20240305T120000Z\r\n",
        "SUMMARY:autumn: revoke 30 certificates of 1 subscribers\r\n",
        "TRANSP:TRANSPARENT\r\n",
        "UID:autumn-deadline@massrevoke\r\n",
        "TRIGGER:-PT24H\r\n",
        "UID:autumn-findings@massrevoke\r\n",
        "SUMMARY:findings to reporter\\; and\\, all\r\n",
        "END:VCALENDAR\r\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(ics.p, wanted[i]) == NULL)
            fail_msg("no '%s' in\n%.1500s", wanted[i], ics.p);
}

/* The digest of a fixed campaign: changes only with the plan's form, never with compiler or machine. */
static void bytes_are_the_same_everywhere(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct campaign c;
    char hex[DIGEST_TEXT];
    make(&c, &a, 100, 7, (struct rate){20, HOUR});
    c.in.profile.canary = 3;
    struct plan p = plan_of(&c, &a);
    assert_string_equal(digest_hex(p.digest, hex),
                        "84c96c426c187b976152027a30cfbaf43c893ab3980890a62e87c6632ad1999f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roomy_campaigns_are_level),
        cmocka_unit_test(a_subscriber_goes_in_one_hour),
        cmocka_unit_test(notice_goes_before_the_floor),
        cmocka_unit_test(one_too_many_is_infeasible_and_its_remedy_cures),
        cmocka_unit_test(a_passed_deadline_has_no_cure),
        cmocka_unit_test(a_long_margin_is_the_limit),
        cmocka_unit_test(seven_hours_for_three_million),
        cmocka_unit_test(expiring_ones_stand_apart),
        cmocka_unit_test(canaries_are_published_before_the_rest),
        cmocka_unit_test(late_work_waits_for_no_canary),
        cmocka_unit_test(immediate_waits_for_nothing),
        cmocka_unit_test(the_help_desk_is_spared_while_it_can_be),
        cmocka_unit_test(bad_input_is_named),
        cmocka_unit_test(texts_are_for_people_and_pipes),
        cmocka_unit_test(real_incidents_have_their_figures),
        cmocka_unit_test(classes_go_in_their_turns),
        cmocka_unit_test(held_ones_come_last_and_count_in_nothing),
        cmocka_unit_test(freezes_and_ari_are_kept_while_they_can_be),
        cmocka_unit_test(too_large_crls_are_named),
        cmocka_unit_test(ocsp_lengthens_publication),
        cmocka_unit_test(the_rate_of_questions_counts),
        cmocka_unit_test(an_outage_has_an_answer),
        cmocka_unit_test(a_diff_tells_what_changed),
        cmocka_unit_test(the_calendar_is_rfc_5545),
        cmocka_unit_test(bytes_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
