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
        cmocka_unit_test(notice_goes_before_the_floor),
        cmocka_unit_test(one_too_many_is_infeasible_and_its_remedy_cures),
        cmocka_unit_test(a_passed_deadline_has_no_cure),
        cmocka_unit_test(a_long_margin_is_the_limit),
        cmocka_unit_test(seven_hours_for_three_million),
        cmocka_unit_test(expiring_ones_stand_apart),
        cmocka_unit_test(canaries_are_published_before_the_rest),
        cmocka_unit_test(immediate_waits_for_nothing),
        cmocka_unit_test(the_help_desk_is_spared_while_it_can_be),
        cmocka_unit_test(bad_input_is_named),
        cmocka_unit_test(texts_are_for_people_and_pipes),
        cmocka_unit_test(bytes_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
