/* Does the inventory become rows, with every oddity named? */
#include "massrevoke/hex.h"
#include "massrevoke/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const ca_names[] = {"CN=CA,O=X"};
static const struct intake_issuer issuers[] = {{ca_names, 1}};
static const uint64_t seed[2] = {3, 4};

static bool read_text(struct intake_inventory *out, const char *text, int default_issuer, struct arena *a,
                      struct fault *f)
{
    struct str bytes = str_of(text);
    return intake_inventory_read(out, "inv.csv", source_memory(&bytes), intake_issuers_make(issuers, 1, a),
                                 default_issuer, seed, a, f);
}

static void a_full_row(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_INVENTORY v = {0};
    struct fault f;
    char hex[DIGEST_TEXT];
    assert_true(read_text(
        &v,
        "issuer,serial,subscriber,subject,not_before,not_after,cert_sha256,precert_sha256,spki_sha256,"
        "dns_names,type,cdp,ocsp,certificate_file\n"
        "\"CN=CA,O=X\",0a0b,s-1,\"CN=a.example,O=Y\",2026-01-01T00:00:00Z,2026-03-01T00:00:00+01:00,"
        "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f,,N/A,a.example b.example,OV,"
        "http://c.example/a.crl,http://o.example,certs/0A0B.pem\n",
        -1, &a, &f));
    assert_int_equal(v.count, 1);
    const struct inventory_row *row = v.rows;
    assert_int_equal(row->issuer, 0);
    assert_int_equal(row->serial.n, 2);
    assert_string_equal(row->subscriber, "s-1");
    assert_string_equal(row->subject, "CN=a.example,O=Y");
    assert_int_equal(row->not_before.s, 1767225600);
    assert_int_equal(row->not_after.s, 1772319600);
    assert_true(row->has_cert_sha256);
    assert_string_equal(digest_hex(row->cert_sha256, hex),
                        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    assert_false(row->has_precert_sha256);
    assert_false(row->has_spki_sha256);
    assert_string_equal(row->dns_names, "a.example b.example");
    assert_string_equal(row->type, "OV");
    assert_string_equal(row->cdp, "http://c.example/a.crl");
    assert_string_equal(row->ocsp, "http://o.example");
    assert_string_equal(row->certificate_file, "certs/0A0B.pem");
    assert_int_equal(row->line, 2);
    assert_false(v.default_used);
    assert_int_equal(v.table.warnings.count, 0);
}

static void order_defaults_and_unknown_columns(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_INVENTORY v = {0};
    struct fault f;
    assert_true(read_text(&v, "Colour;Subscriber;Serial\r\nred;s-1;12\r\n;s-2;13\r\n", 0, &a, &f));
    assert_int_equal(v.count, 2);
    assert_true(v.default_used);
    assert_int_equal(v.rows[0].serial.bytes[0], 0x12); /* the contract: inventory serials are hex */
    assert_string_equal(v.rows[1].subscriber, "s-2");
    assert_string_equal(v.rows[1].cdp, "");
    assert_false(utc_is_set(v.rows[1].not_after));
    assert_int_equal(v.table.warnings.count, 1);
    assert_string_equal(v.table.warnings.items[0].reason, "column 1 'colour' is not known and was left out");
}

static void the_last_of_equal_rows_wins(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF out = {0};
    AUTO_INTAKE_INVENTORY v = {0};
    struct fault f;
    assert_true(read_text(&v, "serial,subscriber,type\n0A,x,DV\n0B,x,XX\n000a,y,EV\n", 0, &a, &f));
    assert_int_equal(v.count, 2);
    assert_string_equal(v.rows[0].subscriber, "y");
    assert_string_equal(v.rows[1].type, "");
    intake_table_summary(&v.table, 10, &out);
    assert_string_equal(out.p, "3 rows: 2 used, 1 replaced by a later row, 0 rejected\n"
                               "  warning inv.csv:3: type is not DV, OV, IV, EV or CA and was left out\n"
                               "  warning inv.csv:4: the same certificate as line 2, which it replaces\n");
}

static void a_subscriber_fits_an_index(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_INVENTORY v = {0};
    struct fault f;
    char text[1200];
    snprintf(text, sizeof text, "serial,subscriber\n0A,%0500d\n0B,%0501d\n", 1, 1);
    assert_true(read_text(&v, text, 0, &a, &f));
    assert_int_equal(v.count, 1);
    assert_string_equal(v.table.rejects.items[0].reason, "subscriber longer than 500 bytes");
}

static void bad_rows_have_reasons(void **unused)
{
    (void)unused;
    static const struct {
        const char *row, *reason;
    } cases[] = {
        {"CN=Other,0A,,,", "issuer is not configured"},
        {",0A,,,", "no issuer"},
        {"CN=CA+O=X,0A,,,", "issuer is not configured"},
        {"\"O=X,CN=CA\",zz,,,", "not a hexadecimal serial"},
        {"\"O=X,CN=CA\",0A,2026-01-01T00:00:00,,", "time '2026-01-01T00:00:00' has no zone"},
        {"\"O=X,CN=CA\",0A,,2026-13-01T00:00:00Z,", "'2026-13-01T00:00:00Z' is not a time"},
        {"\"O=X,CN=CA\",0A,,,abc", "a SHA-256 that is not 64 hexadecimal digits"},
        {"\"O=X,CN=CA\",0A,,", "4 cells, but the header has 5"},
        {"\"O=X,CN=CA\",\"0\nA\",,,", "a control character in column 'serial'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA a = {0};
        AUTO_INTAKE_INVENTORY v = {0};
        struct fault f;
        char *text = arena_format(&a, "issuer,serial,not_before,not_after,cert_sha256\n%s\n", cases[i].row);
        assert_true(read_text(&v, text, -1, &a, &f));
        assert_int_equal(v.count, 0);
        assert_int_equal(v.table.in, 1);
        assert_int_equal(v.table.rejects.items[0].line, 2);
        assert_string_equal(v.table.rejects.items[0].reason, cases[i].reason);
    }
}

static void headers_that_are_refused(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_INVENTORY v = {0};
    struct fault f;
    assert_false(read_text(&v, "subscriber\nx\n", 0, &a, &f));
    assert_string_equal(f.text, "inv.csv:1: no column is named 'serial'");
    intake_inventory_free(&v);
    assert_false(read_text(&v, "serial\n0A\n", -1, &a, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
    intake_inventory_free(&v);
    assert_true(read_text(&v, "", -1, &a, &f));
    assert_int_equal(v.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_row),
        cmocka_unit_test(order_defaults_and_unknown_columns),
        cmocka_unit_test(the_last_of_equal_rows_wins),
        cmocka_unit_test(a_subscriber_fits_an_index),
        cmocka_unit_test(bad_rows_have_reasons),
        cmocka_unit_test(headers_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
