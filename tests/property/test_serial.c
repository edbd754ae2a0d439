/* Do serials agree with OpenSSL's big numbers, in both bases and both directions? */
#include "massrevoke/serial.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* xorshift64*, so that a failure can be repeated. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* Reads text both ways and compares with what OpenSSL makes of the same number. */
static void agree(const BIGNUM *number, const uint8_t *octets, size_t n)
{
    struct serial from_octets, from_hex, from_decimal;
    char hex[SERIAL_HEX_TEXT], decimal[SERIAL_DECIMAL_TEXT];
    char *theirs_hex = BN_bn2hex(number), *theirs_decimal = BN_bn2dec(number);
    assert_non_null(theirs_hex);
    assert_non_null(theirs_decimal);
    const char *problem = serial_from_octets(octets, n, &from_octets);
    bool usable = !BN_is_zero(number) && BN_num_bytes(number) <= SERIAL_MAX;
    assert_true(usable == (problem == NULL));
    assert_true(usable == (serial_from_hex(str_of(theirs_hex), &from_hex) == NULL));
    assert_true(usable == (serial_from_decimal(str_of(theirs_decimal), &from_decimal) == NULL));
    if (usable) {
        assert_memory_equal(&from_octets, &from_hex, sizeof from_hex);
        assert_memory_equal(&from_octets, &from_decimal, sizeof from_decimal);
        assert_string_equal(serial_hex(&from_octets, hex), theirs_hex);
        assert_string_equal(serial_decimal(&from_octets, decimal), theirs_decimal);
    }
    OPENSSL_free(theirs_hex);
    OPENSSL_free(theirs_decimal);
}

static void random_numbers(void **unused)
{
    (void)unused;
    uint64_t state = 20261122;
    for (int round = 0; round < 20000; round++) {
        uint8_t octets[23];
        size_t n = next(&state) % sizeof octets;
        size_t zeros = next(&state) % 4;
        for (size_t i = 0; i < n; i++)
            octets[i] = i < zeros ? 0 : (uint8_t)next(&state);
        BIGNUM *number = BN_bin2bn(octets, (int)n, NULL);
        assert_non_null(number);
        agree(number, octets, n);
        BN_free(number);
    }
}

static void order_is_numeric(void **unused)
{
    (void)unused;
    uint64_t state = 7;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[2][4];
        struct serial s[2];
        uint32_t value[2] = {0};
        for (int i = 0; i < 2; i++) {
            size_t n = 1 + next(&state) % 4;
            for (size_t k = 0; k < n; k++) {
                bytes[i][k] = (uint8_t)(1 + next(&state) % 3);
                value[i] = value[i] << 8 | bytes[i][k];
            }
            assert_null(serial_from_octets(bytes[i], n, &s[i]));
        }
        int order = serial_compare(&s[0], &s[1]);
        assert_true((order < 0) == (value[0] < value[1]) && (order > 0) == (value[0] > value[1]));
        assert_true(serial_equal(&s[0], &s[1]) == (value[0] == value[1]));
    }
}

/* Reads a spelling by the rule of its base. */
static const char *read_back(const char *text, enum serial_spelling spelling, struct serial *out)
{
    return spelling == SERIAL_DECIMAL ? serial_from_decimal(str_of(text), out)
                                      : serial_from_hex(str_of(text), out);
}

/* 1 to 20 octets, the first often with its high bit set, zeros in front: what each spelling writes is read as
 * the same serial, and each has the form its readers insist on. */
static void every_spelling_comes_back(void **unused)
{
    (void)unused;
    uint64_t state = 36;
    size_t high = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t octets[SERIAL_MAX + 4];
        size_t zeros = next(&state) % 4, n = 1 + next(&state) % SERIAL_MAX;
        memset(octets, 0, sizeof octets);
        for (size_t i = 0; i < n; i++)
            octets[zeros + i] = (uint8_t)next(&state);
        octets[zeros] |= (uint8_t)(round % 2 == 0 ? 0x80 : 0x01);
        struct serial s, again;
        assert_null(serial_from_octets(octets, zeros + n, &s));
        assert_int_equal(s.n, n);
        high += s.bytes[0] >= 0x80;
        for (int i = 0; i < SERIAL_SPELLING_COUNT; i++) {
            char text[SERIAL_SPELLING_TEXT];
            serial_spell(&s, (enum serial_spelling)i, text);
            assert_true(strlen(text) < SERIAL_SPELLING_TEXT);
            assert_null(read_back(text, (enum serial_spelling)i, &again));
            assert_memory_equal(&s, &again, sizeof s);
            char padded[SERIAL_SPELLING_TEXT + 8];
            snprintf(padded, sizeof padded, i == SERIAL_PREFIXED ? " %s " : " 00%s ", text);
            assert_null(read_back(padded, (enum serial_spelling)i, &again)); /* zeros in front mean nothing */
            assert_memory_equal(&s, &again, sizeof s);
        }
        char text[SERIAL_SPELLING_TEXT];
        assert_int_equal(strlen(serial_spell(&s, SERIAL_HEX, text)) % 2, 0);
        assert_true(text[0] != '0' || text[1] != '0');
        assert_true(strlen(serial_spell(&s, SERIAL_PADDED, text)) >= 36);
        assert_int_equal(strlen(serial_spell(&s, SERIAL_COLONS, text)), 3 * n - 1);
    }
    assert_true(high >= 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(order_is_numeric),
        cmocka_unit_test(every_spelling_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
