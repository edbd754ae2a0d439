/* What proves a canary, what contradicts it, and what merely has not come yet? */
#include "massrevoke/canary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDED 1795000000
#define QUIET 30

static const struct canary good = {.number = 7,
                                   .state = CERTIFICATE_RECORDED,
                                   .recorded_at = {RECORDED},
                                   .ca_at = {RECORDED - 1},
                                   .ca_reason = REASON_SUPERSEDED,
                                   .reason = REASON_SUPERSEDED,
                                   .old_reason = -1};

/* The sentence of a contradiction, "" when there is none. */
static const char *said(const struct canary *c, struct canary_sight s)
{
    static struct arena a;
    const char *why = canary_contradiction(c, &s, (struct span){QUIET}, &a);
    return why == NULL ? "" : why;
}

static void a_good_entry_contradicts_nothing(void **unused)
{
    (void)unused;
    assert_string_equal(said(&good, (struct canary_sight){.complete = true,
                                                          .listed = true,
                                                          .revoked = true,
                                                          .reason = REASON_SUPERSEDED,
                                                          .this_update = {RECORDED + 99}}),
                        "");
}

static void a_missing_entry_contradicts_only_when_it_must_be_there(void **unused)
{
    (void)unused;
    struct canary_sight s = {.complete = true, .reason = -1, .this_update = {RECORDED + QUIET + 1}};
    assert_non_null(strstr(said(&good, s), "missing from the complete CRL of"));
    s.this_update.s--; /* a request may have been under way when it was made */
    assert_string_equal(said(&good, s), "");
    s.this_update.s = RECORDED + 9999;
    s.complete = false; /* another shard, or only some reasons */
    assert_string_equal(said(&good, s), "");
}

static void another_reason_contradicts(void **unused)
{
    (void)unused;
    struct canary_sight s = {.complete = true,
                             .listed = true,
                             .revoked = true,
                             .reason = REASON_KEY_COMPROMISE,
                             .this_update = {RECORDED}};
    assert_non_null(strstr(said(&good, s), "keyCompromise instead of superseded"));
    s.reason = REASON_CERTIFICATE_HOLD;
    s.revoked = false;
    assert_non_null(strstr(said(&good, s), "certificateHold, which is no revocation"));
}

/* A bound change of its reason: until it is seen, both are right in a CRL and in the CA's record. */
static void a_change_has_two_reasons(void **unused)
{
    (void)unused;
    static struct arena a;
    struct canary c = good;
    struct canary_sight s = {.complete = true, .listed = true, .revoked = true, .this_update = {RECORDED}};
    c.reason = REASON_KEY_COMPROMISE;
    c.old_reason = REASON_SUPERSEDED;
    assert_null(canary_record_fault(&c, &a));
    s.reason = REASON_SUPERSEDED;
    assert_string_equal(said(&c, s), "");
    s.reason = c.ca_reason = REASON_KEY_COMPROMISE;
    assert_string_equal(said(&c, s), "");
    assert_null(canary_record_fault(&c, &a));
    s.reason = c.ca_reason = REASON_AFFILIATION_CHANGED;
    assert_non_null(strstr(said(&c, s), "affiliationChanged instead of keyCompromise"));
    assert_non_null(canary_record_fault(&c, &a));
}

/* OCSP that lags, an answer that is still owed, one that was revoked before: none of them is contradicted. */
static void only_what_the_ca_recorded_is_contradicted(void **unused)
{
    (void)unused;
    const struct canary_sight gone = {.complete = true, .reason = -1, .this_update = {RECORDED + 9999}};
    for (int state = 1; state < CERTIFICATE_STATE_COUNT; state++) {
        struct canary c = good;
        c.state = (enum certificate_state)state;
        bool recorded = state == CERTIFICATE_RECORDED || state == CERTIFICATE_OCSP_SEEN;
        assert_int_equal(said(&c, gone)[0] != '\0', recorded);
        c.recorded_at = UTC_NONE;
        assert_int_equal(said(&c, gone)[0] != '\0', false);
    }
}

static void standings(void **unused)
{
    (void)unused;
    static const enum certificate_state out[] = {CERTIFICATE_WAS_BEFORE, CERTIFICATE_HELD,
                                                 CERTIFICATE_UNKNOWN, CERTIFICATE_EXPIRED,
                                                 CERTIFICATE_WITHDRAWN};
    struct canary c = good;
    assert_int_equal(canary_standing(&c), CANARY_RECORDED);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        c.state = out[i];
        assert_int_equal(canary_standing(&c), CANARY_OUT);
    }
    c.state = CERTIFICATE_NEEDS_PERSON;
    assert_int_equal(canary_standing(&c), CANARY_ON_ITS_WAY);
}

static void the_record_alone(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct canary c = good;
    assert_null(canary_record_fault(&c, &a));
    c.ca_reason = -1; /* a CA that tells neither says nothing wrong */
    c.ca_at = UTC_NONE;
    assert_null(canary_record_fault(&c, &a));
    c.ca_reason = REASON_UNSPECIFIED;
    assert_non_null(strstr(canary_record_fault(&c, &a), "instead of superseded"));
    c.ca_reason = -1;
    c.ca_at.s = RECORDED + 3600;
    assert_non_null(strstr(canary_record_fault(&c, &a), "later than its answer"));
}

/* The words of a status answer, "" when they are good; *c then bears what it told. */
static const char *status(struct canary *c, struct ca_answer answer)
{
    static struct arena a;
    const char *why = canary_status_fault(c, &answer, &a);
    return why == NULL ? "" : why;
}

/* What the CA says now counts more than what it said at first, either way. */
static void the_status(void **unused)
{
    (void)unused;
    const struct ca_answer revoked = {.outcome = CA_REVOKED_BEFORE, .at = UTC_NONE, .reason = -1};
    struct canary c = good;
    struct ca_answer told = revoked;
    assert_string_equal(status(&c, told), "");
    assert_int_equal(c.ca_at.s, good.ca_at.s); /* it told neither: the first answer's stay */
    told.at = (struct utc){RECORDED - 86400 * 30};
    assert_string_equal(status(&c, told), "");
    assert_int_equal(c.ca_at.s, told.at.s);
    told.at.s = RECORDED + 3600;
    assert_non_null(strstr(status(&c, told), "later than its answer"));
    c = good;
    told = revoked;
    told.reason = REASON_CESSATION_OF_OPERATION;
    assert_non_null(strstr(status(&c, told), "cessationOfOperation instead of superseded"));
    told.reason = REASON_SUPERSEDED;
    assert_string_equal(status(&c, told), "");
}

static void only_revoked_is_good(void **unused)
{
    (void)unused;
    for (int o = 0; o < CA_OUTCOME_COUNT; o++) {
        struct ca_answer told = {.outcome = (enum ca_outcome)o, .at = UTC_NONE, .reason = -1, .text = "hm"};
        struct canary c = good;
        bool says = o != CA_WAIT && o != CA_ASK, fine = o == CA_REVOKED_NOW || o == CA_REVOKED_BEFORE;
        assert_int_equal(canary_is_told(&told), says);
        if (says)
            assert_int_equal(status(&c, told)[0] == '\0', fine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_entry_contradicts_nothing),
        cmocka_unit_test(a_missing_entry_contradicts_only_when_it_must_be_there),
        cmocka_unit_test(another_reason_contradicts),
        cmocka_unit_test(a_change_has_two_reasons),
        cmocka_unit_test(only_what_the_ca_recorded_is_contradicted),
        cmocka_unit_test(standings),
        cmocka_unit_test(the_record_alone),
        cmocka_unit_test(the_status),
        cmocka_unit_test(only_revoked_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
