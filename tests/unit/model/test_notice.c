/* Do the tries of a notice add up to one state, and are only plain mailboxes let onto the wire? */
#include "massrevoke/notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static enum notice_state after(const char *outcomes)
{
    static const char letters[] =
        "aruxj"; // by enum mail_outcome: accepted, refused, later, unknown, rejected
    struct notice_try tries[8];
    size_t n = 0;
    for (const char *p = outcomes; *p != '\0'; p++, n++) {
        const char *letter = strchr(letters, *p);
        tries[n] = (struct notice_try){.contact = 7, .kind = NOTICE_FIRST, .attempt = (int)n + 1};
        tries[n].at = (struct utc){1000 + (int64_t)n};
        tries[n].open = *p == '?';
        tries[n].outcome = letter == NULL ? MAIL_ACCEPTED : (enum mail_outcome)(letter - letters);
    }
    return notice_standing(tries, n, 7, NOTICE_FIRST, UTC_NONE).state;
}

static void tries_add_up(void **unused)
{
    (void)unused;
    assert_int_equal(after(""), NOTICE_NEW);
    assert_int_equal(after("?"), NOTICE_SENDING);
    assert_int_equal(after("a"), NOTICE_TOLD);
    assert_int_equal(after("r"), NOTICE_REFUSED);
    assert_int_equal(after("u"), NOTICE_AGAIN);
    assert_int_equal(after("uuuuuu"), NOTICE_AGAIN);
    assert_int_equal(after("x"), NOTICE_AGAIN);
    assert_int_equal(after("xx"), NOTICE_AGAIN);
    assert_int_equal(after("xxx"), NOTICE_DOUBTFUL);
    assert_int_equal(after("xua"), NOTICE_TOLD);
    assert_int_equal(after("j"), NOTICE_REJECTED);
    assert_int_equal(after("u?"), NOTICE_SENDING);
}

static void only_its_own_tries_count(void **unused)
{
    (void)unused;
    const struct notice_try tries[] = {
        {.contact = 1, .kind = NOTICE_FIRST, .attempt = 1, .outcome = MAIL_ACCEPTED, .at = {50}},
        {.contact = 2, .kind = NOTICE_HEADS_UP, .attempt = 1, .outcome = MAIL_REFUSED, .at = {60}},
        {.contact = 2, .kind = NOTICE_FIRST, .attempt = 2, .outcome = MAIL_LATER, .at = {90}},
        {.contact = 2, .kind = NOTICE_FIRST, .attempt = 1, .outcome = MAIL_LATER, .at = {70}},
    };
    struct notice_standing s = notice_standing(tries, 4, 2, NOTICE_FIRST, UTC_NONE);
    assert_int_equal(s.state, NOTICE_AGAIN);
    assert_int_equal(s.attempts, 2);
    assert_int_equal(s.first.s, 70);
    assert_int_equal(s.last.s, 90);
}

static void a_person_can_forgive_a_rejected_text(void **unused)
{
    (void)unused;
    const struct notice_try t = {.contact = 1, .attempt = 1, .outcome = MAIL_REJECTED, .at = {50}};
    assert_int_equal(notice_standing(&t, 1, 1, NOTICE_HEADS_UP, (struct utc){49}).state, NOTICE_REJECTED);
    assert_int_equal(notice_standing(&t, 1, 1, NOTICE_HEADS_UP, (struct utc){50}).state, NOTICE_AGAIN);
}

static void mailboxes(void **unused)
{
    (void)unused;
    static const char *const good[] = {"a@b", "first.last+tag@cust.test", "o'hara@xn--bcher-kva.example",
                                       "{x}@a-b.c"};
    static const char *const bad[] = {"",
                                      "a",
                                      "@b",
                                      "a@",
                                      "a@b@c",
                                      "a b@c",
                                      "a@b c",
                                      "a.@b.c",
                                      ".a@b.c",
                                      "a..b@c.d",
                                      "a@b..c",
                                      "a@-b.c",
                                      "a@b-.c",
                                      "<a@b.c>",
                                      "a@b.c>",
                                      "a@b.c\r",
                                      "a@b.c\n",
                                      "a@b.c\r\nX",
                                      "\"a b\"@c.d",
                                      "a@[1.2.3]",
                                      "m\xc3\xbcller@b.c",
                                      "a@b\xc3\xbc.test",
                                      "a@b.c> NOTIFY=NEVER",
                                      "a@b_c.d"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!notice_address_ok(str_of(good[i])))
            fail_msg("not taken: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (notice_address_ok(str_of(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(notice_address_ok((struct str){"a\0b@c.d", 7}));
    char longest[300];
    memset(longest, 'x', sizeof longest);
    memcpy(longest + 100, "@b.c", 5);
    assert_false(notice_address_ok(str_of(longest)));
}

static void a_message_id_is_the_notices_own(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    const char *id = notice_message_id(&a, "cfca", 12, "revocation@ca.test");
    assert_string_equal(id, notice_message_id(&a, "cfca", 12, "revocation@ca.test"));
    assert_string_equal(strchr(id, '@'), "@ca.test");
    assert_string_not_equal(id, notice_message_id(&a, "cfca", 13, "revocation@ca.test"));
    assert_string_not_equal(id, notice_message_id(&a, "cfcb", 12, "revocation@ca.test"));
}

static void names_go_both_ways(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        assert_int_equal(notice_kind_from_name(str_of(notice_kind_name((enum notice_kind)kind))), kind);
    assert_int_equal(notice_kind_from_name(str_of("final")), NOTICE_KIND_COUNT);
    assert_string_equal(notice_state_name(NOTICE_REJECTED), "rejected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_add_up),
        cmocka_unit_test(only_its_own_tries_count),
        cmocka_unit_test(a_person_can_forgive_a_rejected_text),
        cmocka_unit_test(mailboxes),
        cmocka_unit_test(a_message_id_is_the_notices_own),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
