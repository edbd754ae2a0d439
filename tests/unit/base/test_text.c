/* Do slices, buffers, hex digits, arenas and digests keep their promises? */
#include "massrevoke/arena.h"
#include "massrevoke/digest.h"
#include "massrevoke/fault.h"
#include "massrevoke/hex.h"
#include "massrevoke/text.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void trimming_and_cutting(void **unused)
{
    (void)unused;
    assert_true(str_is(str_trim(str_of(" \t\r\n a b \n")), "a b"));
    assert_true(str_is(str_trim(str_of("  ")), ""));
    assert_true(str_is(str_trim(str_of(NULL)), ""));
    AUTO_BUF out = {0};
    for (struct str rest = str_of("a,,b,"); rest.p != NULL;) {
        struct str part = str_cut(&rest, ',');
        buf_format(&out, "<%.*s>", (int)part.n, part.p);
    }
    assert_string_equal(out.p, "<a><><b><>");
    struct str empty = str_of("");
    assert_int_equal(str_cut(&empty, ',').n, 0);
    assert_null(empty.p);
}

/* RFC 3629 section 4, written down a second time: by code point. */
static bool by_code_point(const unsigned char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        unsigned c = p[i++];
        size_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        static const unsigned least[] = {1, 0x80, 0x800, 0x10000};
        if ((c >= 0x80 && c < 0xc0) || c >= 0xf8 || i + more > n)
            return false;
        unsigned point = more == 0 ? c : c & (0x3fu >> more);
        for (size_t k = 0; k < more; k++, i++) {
            if ((p[i] & 0xc0) != 0x80)
                return false;
            point = point << 6 | (p[i] & 0x3f);
        }
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
            return false;
    }
    return true;
}

static void utf8(void **unused)
{
    (void)unused;
    unsigned char bytes[12];
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (unsigned rest = 0; rest < 4; rest++)
                for (size_t at = 0; at < 9; at += 8) {
                    static const unsigned char third[] = {0x80, 'a', 0xbf, 0};
                    memset(bytes, 'x', sizeof bytes);
                    bytes[at] = (unsigned char)first;
                    bytes[at + 1] = (unsigned char)second;
                    bytes[at + 2] = third[rest];
                    bytes[at + 3] = third[rest == 1 ? 1 : 0];
                    for (size_t n = at + 1; n <= at + 4; n++)
                        assert_true(str_is_utf8((struct str){(char *)bytes, n}) == by_code_point(bytes, n));
                }
    assert_true(str_is_utf8(str_of("")));
    for (size_t i = 0; i < 12; i++) {
        memset(bytes, 'x', sizeof bytes);
        bytes[i] = 0;
        assert_false(str_is_utf8((struct str){(char *)bytes, sizeof bytes}));
    }
}

static void buffers_grow(void **unused)
{
    (void)unused;
    AUTO_BUF b = {0};
    assert_string_equal(buf_str(&b).p, "");
    for (int i = 0; i < 1000; i++) {
        buf_format(&b, "%d,", i);
        assert_int_equal(b.p[b.n], '\0');
        assert_true(b.n < b.room);
    }
    assert_int_equal(b.n, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(b.p + b.n - 8, "998,999,", 8);
    buf_clear(&b);
    assert_string_equal(b.p, "");
    for (size_t n = 250; n < 260; n++) { /* around the first size */
        AUTO_BUF edge = {0};
        char text[300];
        memset(text, 'x', sizeof text);
        buf_add(&edge, text, n);
        assert_int_equal(strlen(edge.p), n);
        buf_add(&edge, NULL, 0);
        assert_int_equal(edge.n, n);
    }
}

static void hex_both_ways(void **unused)
{
    (void)unused;
    uint8_t bytes[256], back[256];
    char text[513];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    assert_true(hex_read(hex_lower(bytes, 256, text), 256, back));
    assert_memory_equal(bytes, back, 256);
    assert_true(hex_read(hex_upper(bytes, 256, text), 256, back));
    assert_memory_equal(bytes, back, 256);
    assert_memory_equal(text + 2 * 0xab, "ABAC", 4);
    for (int c = 0; c < 256; c++) {
        bool is_digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;
        char pair[2] = {'0', (char)c};
        assert_true((hex_digit((char)c) >= 0) == is_digit);
        assert_true(hex_read(pair, 1, back) == is_digit);
    }
}

static void arenas(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    char *kept[300];
    for (size_t i = 0; i < 300; i++) {
        unsigned char *p = arena_alloc(&a, i * 37);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < i * 37; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xaa, i * 37);
        kept[i] = arena_format(&a, "number %zu", i);
    }
    for (size_t i = 0; i < 300; i++) {
        char text[32];
        snprintf(text, sizeof text, "number %zu", i);
        assert_string_equal(kept[i], text);
    }
    unsigned char *large = arena_alloc(&a, (size_t)1 << 20);
    assert_int_equal(large[((size_t)1 << 20) - 1], 0);
    assert_null(arena_text(&a, NULL));
    assert_string_equal(arena_copy(&a, "a\0b", 2), "a");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    arena_free(&a);
    assert_string_equal(arena_text(&a, "again"), "again");
}

static void digests(void **unused)
{
    (void)unused;
    char text[DIGEST_TEXT];
    /* FIPS 180-4 examples */
    assert_string_equal(digest_hex(digest_of("abc", 3), text),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(digest_hex(digest_of("", 0), text),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    struct digest_state s = digest_begin();
    digest_add(&s, "a", 1);
    digest_add(&s, "", 0);
    digest_add(&s, "bc", 2);
    struct digest parts = digest_end(&s), whole = digest_of("abc", 3);
    assert_memory_equal(&parts, &whole, sizeof whole);
}

static void faults(void **unused)
{
    (void)unused;
    struct fault f = {0};
    assert_false(fault_set(&f, FAULT_CONFLICT, "%s is %d", "it", 3));
    assert_false(fault_hint(&f, "try %d", 4));
    assert_false(fault_wrap(&f, "file %s", "x"));
    assert_string_equal(f.text, "file x: it is 3");
    assert_string_equal(f.hint, "try 4");
    assert_int_equal(fault_exit_code(f.kind), 6);
    assert_string_equal(fault_word(FAULT_NONE), "done");
    char longer[3000];
    memset(longer, 'y', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (size_t n = sizeof f.text - 4; n < sizeof f.text + 4; n++) {
        fault_set(&f, FAULT_FAILED, "end");
        assert_int_equal(f.hint[0], '\0');
        fault_wrap(&f, "%.*s", (int)n, longer);
        assert_true(memchr(f.text, '\0', sizeof f.text) != NULL);
    }
    fault_wrap(&f, "%s", longer);
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trimming_and_cutting),
        cmocka_unit_test(utf8),
        cmocka_unit_test(buffers_grow),
        cmocka_unit_test(hex_both_ways),
        cmocka_unit_test(arenas),
        cmocka_unit_test(digests),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
