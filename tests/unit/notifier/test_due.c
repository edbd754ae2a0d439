/* Are the right people told at the right time: primaries at once, backups on a refusal or on silence, nobody
 * twice? */
#include "massrevoke/notifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define T0 1000000
#define HOURS(n) ((n)*3600)

/* Ann is primary, Bob and Cid back her up, Dan is the partner. */
static const struct contact everybody[] = {
    {.id = 4, .role = CONTACT_PARTNER, .email = "dan@partner.test"},
    {.id = 3, .role = CONTACT_BACKUP, .tier = 1, .email = "cid@cust.test"},
    {.id = 2, .role = CONTACT_BACKUP, .tier = 0, .email = "bob@cust.test"},
    {.id = 1, .role = CONTACT_PRIMARY, .email = "ann@cust.test"},
};

static struct notice_try tries[40];
static size_t try_count;

static void tried(int64_t contact, enum mail_outcome outcome, int64_t at)
{
    int attempt = 1;
    for (size_t i = 0; i < try_count; i++)
        attempt += tries[i].contact == contact;
    tries[try_count++] = (struct notice_try){
        .contact = contact, .kind = NOTICE_FIRST, .attempt = attempt, .outcome = outcome, .at = {at}};
}

static struct notifier_decision decision;
static struct arena memory;
static struct notifier_terms terms;
static struct notifier_subscriber subscriber;

static int begin(void **unused)
{
    (void)unused;
    try_count = 0;
    terms = (struct notifier_terms){NOTICE_FIRST, {T0}, {HOURS(6)}, UTC_NONE};
    subscriber = (struct notifier_subscriber){everybody, 4, tries, 0, UTC_NONE};
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    arena_free(&memory);
    return 0;
}

/* Due at `at` as "id.attempt id.attempt"; checks the wake-up time too (-1: none). */
static void due_at(int64_t at, const char *expected, int64_t wake)
{
    subscriber.try_count = try_count;
    notifier_due(&terms, &subscriber, 1, (struct utc){at}, &memory, &decision);
    AUTO_BUF got = {0};
    buf_text(&got, "");
    for (size_t i = 0; i < decision.due_count; i++)
        buf_format(&got, "%s%lld.%d", i == 0 ? "" : " ", (long long)decision.due[i].contact->id,
                   decision.due[i].attempt);
    assert_string_equal(buf_str(&got).p, expected);
    assert_int_equal(utc_is_set(decision.wake) ? decision.wake.s : -1, wake);
}

static void primaries_first_and_not_before_the_start(void **unused)
{
    (void)unused;
    due_at(T0 - 1, "", T0);
    due_at(T0, "1.1", -1);
}

static void silence_reaches_the_backups_then_the_partner(void **unused)
{
    (void)unused;
    tried(1, MAIL_ACCEPTED, T0);
    due_at(T0 + 1, "", T0 + HOURS(6));
    due_at(T0 + HOURS(6) - 1, "", T0 + HOURS(6));
    due_at(T0 + HOURS(6), "2.1 3.1", -1);
    tried(2, MAIL_ACCEPTED, T0 + HOURS(6));
    tried(3, MAIL_ACCEPTED, T0 + HOURS(6));
    due_at(T0 + HOURS(7), "", T0 + HOURS(12));
    due_at(T0 + HOURS(12), "4.1", -1);
    tried(4, MAIL_ACCEPTED, T0 + HOURS(12));
    due_at(T0 + HOURS(99), "", -1);
}

static void a_refused_address_reaches_the_backups_at_once(void **unused)
{
    (void)unused;
    tried(1, MAIL_REFUSED, T0);
    due_at(T0, "2.1 3.1", -1);
    tried(2, MAIL_REFUSED, T0 + 5);
    tried(3, MAIL_ACCEPTED, T0 + 5);
    due_at(T0 + 6, "4.1", -1);
    tried(4, MAIL_REFUSED, T0 + 7);
    due_at(T0 + 8, "", -1);
    assert_int_equal(decision.unreachable, 0);
}

static void a_bad_or_missing_primary_is_passed_over(void **unused)
{
    (void)unused;
    struct contact bad[] = {everybody[2], everybody[3]};
    bad[1].address_bad = true;
    subscriber.contacts = bad;
    subscriber.contact_count = 2;
    due_at(T0, "2.1", -1);
    bad[1].address_bad = false;
    bad[1].email = "ann@cust.test> NOTIFY=NEVER";
    due_at(T0, "2.1", -1);
    subscriber.contact_count = 1;
    due_at(T0, "2.1", -1);
}

static void nobody_to_reach_is_counted(void **unused)
{
    (void)unused;
    subscriber.contact_count = 0;
    due_at(T0, "", -1);
    assert_int_equal(decision.unreachable, 1);
    subscriber.contact_count = 4;
    for (int64_t id = 1; id <= 4; id++)
        tried(id, MAIL_REFUSED, T0);
    due_at(T0 + 1, "", -1);
    assert_int_equal(decision.unreachable, 1);
}

static void an_acknowledgement_ends_it(void **unused)
{
    (void)unused;
    subscriber.acked = (struct utc){T0 - 100};
    due_at(T0, "1.1", -1); // it was for something said before
    tried(1, MAIL_ACCEPTED, T0);
    due_at(T0 + HOURS(6), "2.1 3.1", -1);
    subscriber.acked = (struct utc){T0 + 60};
    due_at(T0 + HOURS(6), "", -1);
    tried(1, MAIL_LATER, T0 + 1);
    due_at(T0 + HOURS(7), "", -1);
}

static void later_is_tried_again_with_patience(void **unused)
{
    (void)unused;
    static const int64_t waits[] = {1, 5, 15, 30, 60, 60, 60};
    terms.backup_after = (struct span){HOURS(1000)};
    int64_t at = T0;
    for (int i = 0; i < 7; i++) {
        tried(1, MAIL_LATER, at);
        due_at(at + waits[i] * 60 - 1, "", at + waits[i] * 60);
        at += waits[i] * 60;
        char expected[16];
        snprintf(expected, sizeof expected, "1.%d", i + 2);
        due_at(at, expected, T0 + HOURS(1000));
    }
}

static void a_relay_that_is_down_does_not_hide_silence(void **unused)
{
    (void)unused;
    tried(1, MAIL_LATER, T0);
    due_at(T0 + HOURS(6), "1.2 2.1 3.1", -1);
}

static void unknown_goes_out_twice_more_at_most(void **unused)
{
    (void)unused;
    tried(1, MAIL_UNKNOWN, T0);
    due_at(T0 + 60, "1.2", T0 + HOURS(6));
    tried(1, MAIL_UNKNOWN, T0 + 60);
    due_at(T0 + 360, "1.3", T0 + HOURS(6));
    tried(1, MAIL_UNKNOWN, T0 + 360);
    due_at(T0 + HOURS(5), "", T0 + HOURS(6));
    due_at(T0 + HOURS(6), "2.1 3.1", -1);
}

static void a_try_under_way_is_not_doubled(void **unused)
{
    (void)unused;
    tried(1, MAIL_ACCEPTED, T0);
    tries[0].open = true;
    due_at(T0 + 1, "", T0 + HOURS(6));
}

static void a_rejected_text_stops_everybody_until_resumed(void **unused)
{
    (void)unused;
    tried(1, MAIL_REJECTED, T0);
    subscriber.try_count = try_count;
    const struct notifier_subscriber two[] = {subscriber, {everybody, 4, NULL, 0, UTC_NONE}};
    notifier_due(&terms, two, 2, (struct utc){T0 + HOURS(7)}, &memory, &decision);
    assert_true(decision.rejected);
    assert_int_equal(decision.due_count, 0);
    assert_false(utc_is_set(decision.wake));
    terms.resumed = (struct utc){T0 + 10};
    notifier_due(&terms, two, 2, (struct utc){T0 + 120}, &memory, &decision);
    assert_false(decision.rejected);
    assert_int_equal(decision.due_count, 2);
    assert_int_equal(decision.due[0].attempt, 2);
    assert_int_equal(decision.due[1].subscriber, 1);
}

static void a_heads_up_waits_for_nobody(void **unused)
{
    (void)unused;
    terms.kind = NOTICE_HEADS_UP;
    tried(1, MAIL_ACCEPTED, T0);
    tries[0].kind = NOTICE_HEADS_UP;
    due_at(T0 + HOURS(99), "", -1);
    tried(1, MAIL_REFUSED, T0);
    tries[0].outcome = MAIL_REFUSED;
    due_at(T0 + HOURS(99), "2.1 3.1", -1);
    // and the first notice is a matter of its own
    terms.kind = NOTICE_FIRST;
    try_count = 1;
    due_at(T0 + HOURS(99), "1.1", -1);
}

/* Whatever the relay answers, the loop ends, nobody gets a second accepted message, and time moves forward.
 */
static void any_story_ends(void **unused)
{
    (void)unused;
    for (unsigned seed = 0; seed < 300; seed++) {
        begin(NULL);
        unsigned r = seed * 2654435761U + 1;
        int64_t now = T0;
        for (int steps = 0; steps < 60 && try_count < 36; steps++) {
            subscriber.try_count = try_count;
            notifier_due(&terms, &subscriber, 1, (struct utc){now}, &memory, &decision);
            assert_true(!utc_is_set(decision.wake) || decision.wake.s > now);
            for (size_t i = 0; i < decision.due_count; i++) {
                int64_t id = decision.due[i].contact->id;
                struct notice_standing s = notice_standing(tries, try_count, id, NOTICE_FIRST, UTC_NONE);
                assert_true(s.state == NOTICE_NEW || s.state == NOTICE_AGAIN);
                assert_int_equal(decision.due[i].attempt, s.attempts + 1);
                r = r * 1103515245U + 12345U;
                tried(id, (enum mail_outcome)(r >> 16 & 3U), now);
            }
            if (decision.due_count == 0 && !utc_is_set(decision.wake))
                break;
            now = decision.due_count > 0 ? now + 1 : decision.wake.s;
        }
        arena_free(&memory);
    }
}

/* What waits for Ann's customer at `at`, told of the hour `hour` (-1: none): "left hour late latest". */
static void waits(int64_t at, int64_t hour, const char *expected)
{
    struct notifier_limits limits = {{T0 + HOURS(12)}, {T0 + HOURS(18)}};
    struct utc hours[] = {hour < 0 ? UTC_NONE : (struct utc){hour}};
    struct notifier_waiting sum = {.latest = UTC_NONE};
    AUTO_BUF got = {0};
    subscriber.try_count = try_count;
    notifier_wait(&terms, &limits, &subscriber, hours, 1, (struct utc){at}, &memory, &sum);
    buf_format(&got, "%zu %zu %zu %lld", sum.left, sum.hour, sum.late,
               utc_is_set(sum.latest) ? (long long)sum.latest.s - T0 : -1);
    assert_string_equal(buf_str(&got).p, expected);
}

static void what_waits_has_its_milestone(void **unused)
{
    (void)unused;
    waits(T0, -1, "1 1 0 43200");              /* Ann, at the latest 12 h after receipt */
    waits(T0, T0 + HOURS(8), "1 1 0 28800");   /* her certificates go before that */
    waits(T0 + HOURS(12), -1, "1 1 0 43200");  /* just in time */
    waits(T0 + HOURS(12) + 1, -1, "1 1 1 -1"); /* late whatever is done */
    tried(1, MAIL_ACCEPTED, T0);               /* now her silence counts */
    waits(T0 + 1, -1, "2 0 0 64800");          /* the backups, none of them within an hour */
    waits(T0 + HOURS(5), -1, "2 2 0 64800");   /* an hour later both */
    waits(T0 + HOURS(18) + 1, -1, "2 2 2 -1");
    subscriber.acked = (struct utc){T0 + HOURS(4)};
    waits(T0 + HOURS(5), -1, "0 0 0 -1");
}

/* A bad address makes the backup the first to be told; a try that failed for now is left, and due again. */
static void who_is_told_first_has_the_first_milestone(void **unused)
{
    (void)unused;
    static const struct contact two[] = {
        {.id = 2, .role = CONTACT_BACKUP, .email = "bob@cust.test"},
        {.id = 1, .role = CONTACT_PRIMARY, .email = "ann@cust.test", .address_bad = true},
    };
    subscriber.contacts = two;
    subscriber.contact_count = 2;
    waits(T0, -1, "1 1 0 43200");
    tried(2, MAIL_LATER, T0);
    waits(T0, -1, "1 1 0 43200");
    subscriber.contact_count = 0; /* nobody can be told */
    waits(T0, -1, "0 0 0 -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(primaries_first_and_not_before_the_start, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_has_its_milestone, begin, end),
        cmocka_unit_test_setup_teardown(who_is_told_first_has_the_first_milestone, begin, end),
        cmocka_unit_test_setup_teardown(silence_reaches_the_backups_then_the_partner, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_address_reaches_the_backups_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_bad_or_missing_primary_is_passed_over, begin, end),
        cmocka_unit_test_setup_teardown(nobody_to_reach_is_counted, begin, end),
        cmocka_unit_test_setup_teardown(an_acknowledgement_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(later_is_tried_again_with_patience, begin, end),
        cmocka_unit_test_setup_teardown(a_relay_that_is_down_does_not_hide_silence, begin, end),
        cmocka_unit_test_setup_teardown(unknown_goes_out_twice_more_at_most, begin, end),
        cmocka_unit_test_setup_teardown(a_try_under_way_is_not_doubled, begin, end),
        cmocka_unit_test_setup_teardown(a_rejected_text_stops_everybody_until_resumed, begin, end),
        cmocka_unit_test_setup_teardown(a_heads_up_waits_for_nobody, begin, end),
        cmocka_unit_test(any_story_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
