/* Does the executor do what the ten sentences say, for every state, note, outcome and kind of backend? */
#include "massrevoke/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const bool keeping = true, overwriting = false;

static void asked_is_sent_only_where_first_dates_are_kept(void **unused)
{
    (void)unused;
    assert_int_equal(executor_step(CERTIFICATE_ASKED, keeping), EXECUTOR_SEND);
    assert_int_equal(executor_step(CERTIFICATE_ASKED, overwriting), EXECUTOR_ASK);
}

static void doubt_is_asked_about_where_a_date_could_be_overwritten(void **unused)
{
    (void)unused;
    assert_int_equal(executor_step(CERTIFICATE_DOUBT, keeping), EXECUTOR_SEND);
    assert_int_equal(executor_step(CERTIFICATE_DOUBT, overwriting), EXECUTOR_ASK);
}

static void a_noted_one_is_never_sent(void **unused)
{
    (void)unused;
    static const uint8_t notes[] = {CERTIFICATE_NOTE_HOLD, CERTIFICATE_NOTE_DROP};
    static const uint8_t states[] = {CERTIFICATE_ASKED, CERTIFICATE_DOUBT};
    for (size_t n = 0; n < 2; n++)
        for (size_t s = 0; s < 2; s++) {
            uint8_t byte = (uint8_t)(states[s] | notes[n]);
            assert_int_equal(executor_step(byte, keeping), EXECUTOR_ASK);
            assert_false(executor_may_send(byte, CA_NOT_REVOKED));
        }
}

static void other_states_are_left_alone(void **unused)
{
    (void)unused;
    for (int s = 1; s < CERTIFICATE_STATE_COUNT; s++)
        if (s != CERTIFICATE_ASKED && s != CERTIFICATE_DOUBT)
            assert_int_equal(executor_step((uint8_t)s, keeping), EXECUTOR_NOTHING);
}

static void only_an_asked_one_that_is_not_revoked_may_be_sent(void **unused)
{
    (void)unused;
    assert_true(executor_may_send(CERTIFICATE_ASKED, CA_NOT_REVOKED));
    assert_false(executor_may_send(CERTIFICATE_DOUBT, CA_NOT_REVOKED));
    for (int o = 0; o < CA_OUTCOME_COUNT; o++)
        if (o != CA_NOT_REVOKED)
            assert_false(executor_may_send(CERTIFICATE_ASKED, (enum ca_outcome)o));
}

static enum certificate_event event(uint8_t state, enum ca_outcome outcome, int64_t at)
{
    enum certificate_event e = CERTIFICATE_EVENT_COUNT;
    return executor_event(state, (struct utc){1000}, outcome, (struct utc){at}, &e) ? e
                                                                                    : CERTIFICATE_EVENT_COUNT;
}

static void answers_become_events(void **unused)
{
    (void)unused;
    assert_int_equal(event(CERTIFICATE_ASKED, CA_REVOKED_NOW, 1000), CERTIFICATE_EVENT_REVOKED);
    assert_int_equal(event(CERTIFICATE_ASKED, CA_UNKNOWN, 0), CERTIFICATE_EVENT_NOT_KNOWN);
    assert_int_equal(event(CERTIFICATE_ASKED, CA_WAIT, 0), CERTIFICATE_EVENT_WAIT);
    assert_int_equal(event(CERTIFICATE_ASKED, CA_ASK, 0), CERTIFICATE_EVENT_NO_ANSWER);
    assert_int_equal(event(CERTIFICATE_ASKED, CA_PERSON, 0), CERTIFICATE_EVENT_PERSON);
    assert_int_equal(event(CERTIFICATE_DOUBT, CA_NOT_REVOKED, 0), CERTIFICATE_EVENT_NOT_REVOKED);
    /* neither proves anything about the earlier request */
    assert_int_equal(event(CERTIFICATE_DOUBT, CA_WAIT, 0), CERTIFICATE_EVENT_COUNT);
    assert_int_equal(event(CERTIFICATE_DOUBT, CA_ASK, 0), CERTIFICATE_EVENT_COUNT);
}

static void revoked_before_is_ours_only_after_our_intent(void **unused)
{
    (void)unused;
    assert_int_equal(event(CERTIFICATE_DOUBT, CA_REVOKED_BEFORE, 1000), CERTIFICATE_EVENT_REVOKED);
    assert_int_equal(event(CERTIFICATE_DOUBT, CA_REVOKED_BEFORE, 999), CERTIFICATE_EVENT_BEFORE);
    assert_int_equal(event(CERTIFICATE_DOUBT, CA_REVOKED_BEFORE, INT64_MIN), CERTIFICATE_EVENT_BEFORE);
    /* asked anew after an earlier intent of ours: the earlier request was executed late */
    assert_int_equal(event(CERTIFICATE_ASKED, CA_REVOKED_BEFORE, 2000), CERTIFICATE_EVENT_REVOKED);
    enum certificate_event first;
    assert_true(executor_event(CERTIFICATE_ASKED, (struct utc){INT64_MAX}, CA_REVOKED_BEFORE,
                               (struct utc){2000}, &first));
    assert_int_equal(first, CERTIFICATE_EVENT_BEFORE);
}

static void every_event_an_answer_becomes_has_an_edge(void **unused)
{
    (void)unused;
    static const uint8_t states[] = {CERTIFICATE_ASKED, CERTIFICATE_DOUBT};
    for (size_t s = 0; s < 2; s++)
        for (int o = 0; o < CA_OUTCOME_COUNT; o++) {
            enum certificate_event e = event(states[s], (enum ca_outcome)o, 1000);
            if (e != CERTIFICATE_EVENT_COUNT)
                assert_int_not_equal(certificate_apply(states[s], e, 1), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_is_sent_only_where_first_dates_are_kept),
        cmocka_unit_test(doubt_is_asked_about_where_a_date_could_be_overwritten),
        cmocka_unit_test(a_noted_one_is_never_sent),
        cmocka_unit_test(other_states_are_left_alone),
        cmocka_unit_test(only_an_asked_one_that_is_not_revoked_may_be_sent),
        cmocka_unit_test(answers_become_events),
        cmocka_unit_test(revoked_before_is_ours_only_after_our_intent),
        cmocka_unit_test(every_event_an_answer_becomes_has_an_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
