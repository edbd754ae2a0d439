/* Is a serial read the same from every spelling, and refused when it is none? */
#include "massrevoke/serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void hex(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"1", "01"},
        {"a0b", "0A0B"},
        {"0xA0B", "0A0B"},
        {"0XaB", "AB"},
        {" 0A:0b\t", "0A0B"},
        {"0A 0B", "0A0B"},
        {"0a-0b", "0A0B"},
        {"009A0B", "9A0B"},
        {"00000000000000000000000000000000000000000000000001", "01"},
        {"9A0B9A0B 9A0B9A0B", "9A0B9A0B9A0B9A0B"},
        {"00FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct serial s;
        char text[SERIAL_HEX_TEXT];
        assert_null(serial_from_hex(str_of(cases[i].text), &s));
        assert_string_equal(serial_hex(&s, text), cases[i].hex);
    }
}

static void bad_hex(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "the serial is empty"},
        {"0x", "the serial is empty"},
        {"0", "the serial is zero"},
        {"00:00", "the serial is zero"},
        {"-1", "not a hexadecimal serial"},
        {":1", "not a hexadecimal serial"},
        {"1:", "not a hexadecimal serial"},
        {"1G", "not a hexadecimal serial"},
        {"0x0x1", "not a hexadecimal serial"},
        {"01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "more than 20 significant octets (RFC 5280 4.1.2.2)"},
        {"1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "more than 20 significant octets (RFC 5280 4.1.2.2)"},
        {"112233445 1122334455", "more than one serial on the line, or one split oddly"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct serial s;
        assert_string_equal(serial_from_hex(str_of(cases[i].text), &s), cases[i].reason);
    }
    struct serial s;
    assert_non_null(serial_from_hex((struct str){"1\0002", 3}, &s));
}

static void decimal(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *hex, *back;
    } cases[] = {
        {"1", "01", "1"},
        {" 00255 ", "FF", "255"},
        {"256", "0100", "256"},
        {"65536", "010000", "65536"},
        {"1461501637330902918203684832716283019655932542975", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
         "1461501637330902918203684832716283019655932542975"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct serial s;
        char text[SERIAL_HEX_TEXT], back[SERIAL_DECIMAL_TEXT];
        assert_null(serial_from_decimal(str_of(cases[i].text), &s));
        assert_string_equal(serial_hex(&s, text), cases[i].hex);
        assert_string_equal(serial_decimal(&s, back), cases[i].back);
    }
    static const char *const bad[] = {
        "",
        " ",
        "0",
        "000",
        "-1",
        "+1",
        "1 2",
        "1:2",
        "0x1",
        "1F",
        "1.0",
        "1461501637330902918203684832716283019655932542976",
        "99999999999999999999999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct serial s;
        assert_non_null(serial_from_decimal(str_of(bad[i]), &s));
    }
}

static void octets_and_order(void **unused)
{
    (void)unused;
    static const uint8_t der[23] = {0, 0, 0x9a, 0x0b};
    struct serial a, b;
    assert_null(serial_from_octets(der, 4, &a));
    assert_int_equal(a.n, 2);
    assert_string_equal(serial_from_octets(der, 2, &b), "the serial is zero");
    assert_string_equal(serial_from_octets(der, 0, &b), "the serial is zero");
    assert_null(serial_from_octets(der, 22, &b)); /* 20 significant */
    assert_string_equal(serial_from_octets(der, 23, &b),
                        "more than 20 significant octets (RFC 5280 4.1.2.2)");
    assert_true(serial_compare(&a, &b) < 0 && serial_compare(&b, &a) > 0);
    assert_false(serial_equal(&a, &b));
    assert_null(serial_from_hex(str_of("9A0B"), &b));
    assert_true(serial_equal(&a, &b));
    assert_int_equal(serial_compare(&a, &b), 0);
    assert_memory_equal(&a, &b, sizeof a);
    assert_null(serial_from_hex(str_of("9A0C"), &b));
    assert_true(serial_compare(&a, &b) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex),
        cmocka_unit_test(bad_hex),
        cmocka_unit_test(decimal),
        cmocka_unit_test(octets_and_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
