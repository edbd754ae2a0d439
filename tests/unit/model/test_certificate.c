/* Does the life of a certificate follow contract section 2, for every byte, event and need? */
#include "massrevoke/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* The contract's table, written down a second time by hand: from, event, to. */
static const char *const contract[][3] = {
    {"waiting", "hour", "due"},
    {"due", "claim", "asked"},
    {"due", "close", "waiting"},
    {"asked", "unsent wait", "due"},
    {"asked", "no_answer takeover", "doubt"},
    {"asked doubt", "revoked", "recorded"},
    {"asked doubt", "before", "was_before"},
    {"asked doubt", "not_known", "unknown"},
    {"asked doubt", "person", "needs_person"},
    {"doubt", "not_revoked", "due"},
    {"waiting due needs_person", "hold", "held"},
    {"held", "release", "waiting"},
    {"unknown needs_person", "retry", "waiting"},
    {"waiting due held unknown needs_person", "expire", "expired"},
    {"waiting due held expired unknown needs_person", "revoked before", "recorded"},
    {"waiting due held unknown needs_person", "drop", "withdrawn"},
};

static bool listed(const char *list, const char *word)
{
    for (struct str rest = str_of(list); rest.p != NULL;)
        if (str_is(str_cut(&rest, ' '), word))
            return true;
    return false;
}

static bool is_sighting(enum certificate_event event)
{
    return event >= CERTIFICATE_EVENT_SAW_CRL && event <= CERTIFICATE_EVENT_LOST_OCSP;
}

static const char *contract_edge(const char *from, const char *event)
{
    for (size_t i = 0; i < sizeof contract / sizeof *contract; i++)
        if (listed(contract[i][0], from) && listed(contract[i][1], event))
            return contract[i][2];
    return "none";
}

static void every_edge_is_the_contracts(void **unused)
{
    (void)unused;
    for (int from = 1; from < CERTIFICATE_STATE_COUNT; from++)
        for (int event = 0; event < CERTIFICATE_EVENT_COUNT; event++) {
            if (is_sighting((enum certificate_event)event))
                continue;
            enum certificate_state s = (enum certificate_state)from;
            enum certificate_event e = (enum certificate_event)event;
            assert_string_equal(certificate_state_name(certificate_edge(s, e)),
                                contract_edge(certificate_state_name(s), certificate_event_name(e)));
        }
}

static uint8_t apply(uint8_t byte, enum certificate_event event, unsigned needs)
{
    return certificate_apply(byte, event, needs);
}

static void sightings_lead_where_the_pointers_show(void **unused)
{
    (void)unused;
    for (unsigned from = 1; from < CERTIFICATE_STATE_COUNT; from++) {
        if (from == CERTIFICATE_WITHDRAWN)
            continue;
        uint8_t only = apply((uint8_t)from, CERTIFICATE_EVENT_SAW_CRL, CERTIFICATE_NEEDS_CRL);
        assert_int_equal(certificate_state(only), CERTIFICATE_PUBLISHED);
        uint8_t half = apply((uint8_t)from, CERTIFICATE_EVENT_SAW_CRL, 3);
        assert_int_equal(certificate_state(half), CERTIFICATE_CRL_SEEN);
        uint8_t both = apply(half, CERTIFICATE_EVENT_SAW_OCSP, 3);
        assert_int_equal(certificate_state(both), CERTIFICATE_PUBLISHED);
        uint8_t lost = apply(both, CERTIFICATE_EVENT_LOST_CRL, 3);
        assert_int_equal(certificate_state(lost), CERTIFICATE_VANISHED);
        assert_int_equal(certificate_state(apply(lost, CERTIFICATE_EVENT_SAW_CRL, 3)), CERTIFICATE_PUBLISHED);
        uint8_t gone = apply(lost, CERTIFICATE_EVENT_LOST_OCSP, 3);
        assert_int_equal(certificate_state(apply(gone, CERTIFICATE_EVENT_SAW_CRL, 3)), CERTIFICATE_CRL_SEEN);
    }
}

static void a_loss_without_a_sighting_is_nothing(void **unused)
{
    (void)unused;
    assert_int_equal(apply(CERTIFICATE_RECORDED, CERTIFICATE_EVENT_LOST_CRL, 1), 0);
    uint8_t ocsp = apply(CERTIFICATE_RECORDED, CERTIFICATE_EVENT_SAW_OCSP, 3);
    assert_int_equal(apply(ocsp, CERTIFICATE_EVENT_LOST_CRL, 3), 0);
}

static void notes_wait_for_the_first_state_that_allows_them(void **unused)
{
    (void)unused;
    static const enum certificate_event back[] = {CERTIFICATE_EVENT_UNSENT, CERTIFICATE_EVENT_WAIT};
    for (size_t i = 0; i < 2; i++) {
        uint8_t held = apply(CERTIFICATE_ASKED, CERTIFICATE_EVENT_HOLD, 1);
        assert_int_equal(certificate_state(held), CERTIFICATE_ASKED);
        assert_int_equal(apply(held, back[i], 1), CERTIFICATE_HELD);
        uint8_t dropped = apply(CERTIFICATE_ASKED, CERTIFICATE_EVENT_DROP, 1);
        assert_int_equal(apply(dropped, back[i], 1), CERTIFICATE_WITHDRAWN);
    }
    uint8_t doubt =
        apply(apply(CERTIFICATE_ASKED, CERTIFICATE_EVENT_HOLD, 1), CERTIFICATE_EVENT_NO_ANSWER, 1);
    assert_int_equal(certificate_state(doubt), CERTIFICATE_DOUBT);
    assert_int_equal(apply(doubt, CERTIFICATE_EVENT_NOT_REVOKED, 1), CERTIFICATE_HELD);
    assert_int_equal(apply(doubt, CERTIFICATE_EVENT_PERSON, 1), CERTIFICATE_HELD);
    assert_int_equal(apply(doubt, CERTIFICATE_EVENT_REVOKED, 1), CERTIFICATE_RECORDED);
    uint8_t released = apply(doubt, CERTIFICATE_EVENT_RELEASE, 1);
    assert_int_equal(apply(released, CERTIFICATE_EVENT_NOT_REVOKED, 1), CERTIFICATE_DUE);
    uint8_t both = apply(doubt, CERTIFICATE_EVENT_DROP, 1);
    assert_int_equal(apply(both, CERTIFICATE_EVENT_NOT_REVOKED, 1), CERTIFICATE_WITHDRAWN);
}

static void a_withdrawn_one_found_revoked_is_marked(void **unused)
{
    (void)unused;
    uint8_t marked = apply(CERTIFICATE_WITHDRAWN, CERTIFICATE_EVENT_REVOKED, 1);
    assert_int_equal(certificate_state(marked), CERTIFICATE_WITHDRAWN);
    assert_true(marked & CERTIFICATE_SEEN_CRL);
    assert_int_equal(apply(CERTIFICATE_WITHDRAWN, CERTIFICATE_EVENT_CLAIM, 1), 0);
}

static void no_event_makes_an_unfit_byte(void **unused)
{
    (void)unused;
    static uint8_t table[CERTIFICATE_TABLE_SIZE];
    certificate_table(table);
    for (size_t i = 0; i < CERTIFICATE_TABLE_SIZE; i++) {
        assert_true(table[i] == 0 || certificate_state(table[i]) != CERTIFICATE_NONE);
        bool noted = table[i] & (CERTIFICATE_NOTE_HOLD | CERTIFICATE_NOTE_DROP);
        bool plain = (i & (CERTIFICATE_NOTE_HOLD | CERTIFICATE_NOTE_DROP)) == 0;
        if (noted && plain) /* a note arises only where it cannot be applied at once */
            assert_true(certificate_state(table[i]) == CERTIFICATE_ASKED ||
                        certificate_state(table[i]) == CERTIFICATE_DOUBT ||
                        certificate_state(table[i]) == CERTIFICATE_UNKNOWN);
    }
}

static void names_go_both_ways(void **unused)
{
    (void)unused;
    for (int s = 1; s < CERTIFICATE_STATE_COUNT; s++)
        assert_int_equal(
            certificate_state_from_name(str_of(certificate_state_name((enum certificate_state)s))), s);
    assert_int_equal(certificate_state_from_name(str_of("none")), CERTIFICATE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_the_contracts),
        cmocka_unit_test(sightings_lead_where_the_pointers_show),
        cmocka_unit_test(a_loss_without_a_sighting_is_nothing),
        cmocka_unit_test(notes_wait_for_the_first_state_that_allows_them),
        cmocka_unit_test(a_withdrawn_one_found_revoked_is_marked),
        cmocka_unit_test(no_event_makes_an_unfit_byte),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
