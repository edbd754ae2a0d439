/* Do contacts keep everybody, flag bad addresses, and say who can be told? */
#include "massrevoke/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint64_t seed[2] = {5, 6};

static bool read_text(struct intake_contacts *out, const char *text, struct arena *a, struct fault *f)
{
    struct str bytes = str_of(text);
    return intake_contacts_read(out, "contacts.csv", source_memory(&bytes), seed, a, f);
}

static void rows_flags_and_replacements(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF out = {0};
    AUTO_INTAKE_CONTACTS v = {0};
    struct fault f;
    assert_true(read_text(&v,
                          "subscriber,role,tier,name,email,language,timezone,phone,class\n"
                          "s1,primary,0,J\xc3\xbcrgen,j@a.example,de,Europe/Berlin,+49 1,critical\n"
                          "s1,backup,1,Ops,ops@a.example>,en,,,critical\n"
                          "s1,primary,,K,k@a.example,,,,\n"
                          "s1,boss,0,B,b@a.example,,,,\n"
                          ",primary,0,B,b@a.example,,,,\n"
                          "s2,partner,100,B,b@a.example,,,,\n"
                          "s2,partner,9x,B,b@a.example,,,,\n"
                          "s2,primary,0,,,,,+49 2,\n"
                          "s1,primary,2,Jay,j@a.example,en,UTC,,\n",
                          &a, &f));
    assert_int_equal(v.count, 4);
    assert_string_equal(v.rows[0].name, "Jay");
    assert_int_equal(v.rows[0].tier, 2);
    assert_int_equal(v.rows[0].line, 10);
    assert_int_equal(v.rows[1].role, CONTACT_BACKUP);
    assert_true(v.rows[1].address_bad);
    assert_string_equal(v.rows[1].email, "ops@a.example>");
    assert_string_equal(v.rows[1].class, "critical");
    assert_false(v.rows[2].address_bad);
    assert_true(v.rows[3].address_bad);
    assert_int_equal(v.bad_addresses, 2);
    intake_table_summary(&v.table, 10, &out);
    assert_string_equal(
        out.p,
        "9 rows: 4 used, 1 replaced by a later row, 4 rejected\n"
        "  rejected contacts.csv:5: role is not primary, backup or partner\n"
        "  rejected contacts.csv:6: no subscriber\n"
        "  rejected contacts.csv:7: tier is not a number from 0 to 99\n"
        "  rejected contacts.csv:8: tier is not a number from 0 to 99\n"
        "  warning contacts.csv:3: address kept but never sent to: a character in the domain that is not a "
        "letter, digit or dash (write IDN as xn--)\n"
        "  warning contacts.csv:9: address kept but never sent to: no address\n"
        "  warning contacts.csv:10: the same contact as line 2, which it replaces\n");
}

static void headers(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_CONTACTS v = {0};
    struct fault f;
    assert_false(read_text(&v, "subscriber,role\nx,primary\n", &a, &f));
    assert_string_equal(f.text, "contacts.csv:1: no column is named 'email'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_flags_and_replacements),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
