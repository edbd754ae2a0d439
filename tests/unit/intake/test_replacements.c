/* Are lists of replacements read by column, and is each line that cannot be used named? */
#include "massrevoke/replacement_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const names[] = {"CN=One CA"};
static const struct intake_issuer issuer = {names, 1};

static bool read_text(const char *text, int preferred, struct arena *a, struct replacement_list *out,
                      struct fault *f)
{
    struct str bytes = str_of(text);
    return replacement_list_read(out, "r.csv", source_memory(&bytes), intake_issuers_make(&issuer, 1, a),
                                 preferred, a, f);
}

static void columns_in_any_order(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_REPLACEMENT_LIST list = {0};
    struct fault f = {0};
    assert_true(read_text("at,replacement_file,serial,issuer,replacement_serial\n"
                          "2026-11-20T10:00Z,new/1.pem,0A:01,CN=One CA,0B02\n"
                          ",,0A02,,\n",
                          0, &a, &list, &f));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.rows[0].issuer, 0);
    assert_int_equal(list.rows[0].serial.n, 2);
    assert_true(list.rows[0].has_serial);
    assert_string_equal(list.rows[0].file, "new/1.pem");
    assert_int_equal(list.rows[0].at.s, utc_from_civil(2026, 11, 20, 10, 0, 0).s);
    assert_string_equal(list.rows[1].file, "");
    assert_false(utc_is_set(list.rows[1].at));
    assert_false(list.rows[1].has_serial);
}

static void bad_lines_are_named(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_REPLACEMENT_LIST list = {0};
    struct fault f = {0};
    assert_true(read_text("serial,issuer,replacement_serial,replacement_sha256,at\n"
                          "0A01,CN=Other,,,\n"
                          "0A02,,0A02,,\n"
                          "0A03,,,abc,\n"
                          "0A04,,,,yesterday\n"
                          "xyz,,,,\n"
                          "0A05,,,,\n",
                          0, &a, &list, &f));
    assert_int_equal(list.table.in, 6);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.table.rejects.count, 5);
    assert_int_equal(list.table.rejects.items[0].line, 2);
    assert_string_equal(list.table.rejects.items[0].reason, "issuer is not configured");
    assert_non_null(strstr(list.table.rejects.items[1].reason, "serial of the certificate itself"));
    assert_non_null(strstr(list.table.rejects.items[2].reason, "SHA-256"));
}

static void an_issuer_has_to_be_known(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_REPLACEMENT_LIST list = {0};
    struct fault f = {0};
    assert_false(read_text("serial\n0A01\n", -1, &a, &list, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
    replacement_list_free(&list);
    assert_false(read_text("name\nx\n", 0, &a, &list, &f));
    assert_int_equal(f.kind, FAULT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_in_any_order),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(an_issuer_has_to_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
