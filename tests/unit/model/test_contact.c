/* Is an address exactly one mailbox that may stand in an SMTP envelope? */
#include "massrevoke/contact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void good(void **unused)
{
    (void)unused;
    static const char *const addresses[] = {
        "a@b.example",     "ops+pki@mail.b.example", "o'neil_x@xn--bcher-kva.example",
        "a.b@c-d.example", "root@localhost",         "1@2.example",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        assert_null(contact_address_problem(str_of(addresses[i])));
}

static void bad(void **unused)
{
    (void)unused;
    static const char *const addresses[] = {
        "",
        "a",
        "@b.example",
        "a@",
        "a@b",
        "a@b@c.example",
        "a@b.example ",
        " a@b.example",
        "a b@c.example",
        "a@b.example,c@d.example",
        "a@b.example;c@d.example",
        "<a@b.example>",
        "A <a@b.example>",
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example> NOTIFY=NEVER",
        "a\n@b.example",
        "a@b.example\n",
        "\"a b\"@c.example",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a@.example",
        "a@b..example",
        "a@b.example.",
        "a@-b.example",
        "a@b-.example",
        "\xc3\xa4@b.example",
        "a@b\xc3\xbc.example",
        "a(x)@b.example",
        "a@b_c.example",
        "a:b@c.example",
        "a\\b@c.example",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.example",
        "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        if (contact_address_problem(str_of(addresses[i])) == NULL)
            fail_msg("taken for an address: %s", addresses[i]);
    assert_non_null(contact_address_problem((struct str){"a\0b@c.example", 13}));
    assert_non_null(contact_address_problem((struct str){"a@b.exa\0mple", 12}));
}

static void roles(void **unused)
{
    (void)unused;
    for (int role = 0; role < CONTACT_ROLE_COUNT; role++)
        assert_int_equal(contact_role_from_name(str_of(contact_role_name((enum contact_role)role))), role);
    assert_int_equal(contact_role_from_name(str_of("Primary")), CONTACT_ROLE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
