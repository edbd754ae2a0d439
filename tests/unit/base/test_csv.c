/* Does the CSV reader follow RFC 4180, and does one bad row stay one bad row? */
#include "massrevoke/arena.h"
#include "massrevoke/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT(literal) ((struct str){literal, sizeof literal - 1})

/* A source that gives a few bytes at a time. */
struct drip {
    struct str left;
    size_t step;
};

static bool drip_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    (void)f;
    struct drip *d = context;
    *got = d->left.n < d->step ? d->left.n : d->step;
    *got = *got < room ? *got : room;
    memcpy(into, d->left.p, *got);
    d->left.p += *got;
    d->left.n -= *got;
    return true;
}

/* Writes what the reader sees: "line:<cell><cell>" or "line!reason", joined by ' '. */
static void render(struct csv_reader *r, struct buf *out)
{
    struct csv_record row;
    struct fault f;
    for (;;) {
        assert_true(csv_next(r, &row, &f));
        if (row.end)
            return;
        buf_format(out, "%s%zu", out->n == 0 ? "" : " ", row.line);
        if (row.bad != NULL)
            buf_format(out, "!%s", row.bad);
        for (size_t i = 0; i < row.count; i++)
            buf_format(out, "<%.*s>", (int)row.cells[i].n, row.cells[i].p);
    }
}

static void expect(struct str input, char separator, const char *wanted)
{
    for (size_t step = 1; step < 20; step += 9) {
        struct drip d = {input, step};
        AUTO_CSV r;
        AUTO_BUF out = {0};
        buf_text(&out, "");
        csv_open(&r, "list.csv", (struct source){drip_read, &d});
        r.separator = separator;
        render(&r, &out);
        assert_string_equal(out.p, wanted);
    }
}

static void rows_and_line_ends(void **unused)
{
    (void)unused;
    expect(TEXT(""), ',', "");
    expect(TEXT("a,b"), ',', "1<a><b>");
    expect(TEXT("a,b\nc,d\n"), ',', "1<a><b> 2<c><d>");
    expect(TEXT("a,b\r\nc,d\r\n"), ',', "1<a><b> 2<c><d>");
    expect(TEXT("a,b\rc,d\r"), ',', "1<a><b> 2<c><d>");
    expect(TEXT("\n \n\r\na\n"), ',', "4<a>");
    expect(TEXT(",\n,,"), ',', "1<><> 2<><><>");
    expect(TEXT("\xef\xbb\xbf"
                "a\n"),
           ',', "1<a>");
    expect(TEXT("a;b,c\n"), ';', "1<a><b,c>");
    expect(TEXT("a,\"b\n"), CSV_NO_SEPARATOR, "1<a,\"b>");
}

static void quotes(void **unused)
{
    (void)unused;
    expect(TEXT("\"a,b\",\"c\"\"d\",\"\"\n"), ',', "1<a,b><c\"d><>");
    expect(TEXT("\"a\r\nb\",c\nd\n"), ',', "1<a\r\nb><c> 3<d>");
    expect(TEXT("\"a\rb\nc\"\nd"), ',', "1<a\rb\nc> 4<d>");
    expect(TEXT("\"\"\"\"\n"), ',', "1<\">");
    expect(TEXT("\"a\""), ',', "1<a>");
}

static void bad_rows_stay_alone(void **unused)
{
    (void)unused;
    expect(TEXT("a\nb\"c,d\ne\n"), ',', "1<a> 2!a quote inside an unquoted cell 3<e>");
    expect(TEXT("a\n\"b\"c\ne\n"), ',', "1<a> 2!text after a closing quote 3<e>");
    expect(TEXT("a\n\"b\nc\nd"), ',', "1<a> 2!a quote that never closes 3<c> 4<d>");
    expect(TEXT("a\n\"b\"\"\nc"), ',', "1<a> 2!a quote that never closes 3<c>");
    expect(TEXT("a\nb\0c\nd"), ',', "1<a> 2!holds a NUL byte 3<d>");
    expect(TEXT("a\nb\xff\nd"), ',', "1<a> 2!is not UTF-8 3<d>");
    expect(TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), ',', "1<\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80>");
}

static void utf16_is_refused_with_a_remedy(void **unused)
{
    (void)unused;
    static const char *const marks[] = {"\xff\xfe", "\xfe\xff"};
    for (size_t i = 0; i < 2; i++) {
        struct str input = {marks[i], 2};
        struct csv_record row;
        struct fault f;
        AUTO_CSV r;
        csv_open(&r, "list.csv", source_memory(&input));
        assert_false(csv_next(&r, &row, &f));
        assert_int_equal(f.kind, FAULT_FAILED);
        assert_non_null(strstr(f.text, "list.csv is UTF-16"));
        assert_non_null(strstr(f.hint, "iconv"));
    }
}

/* `before`, then n times x, then `after`. */
static void long_row(const char *before, size_t n, const char *after, const char *wanted)
{
    AUTO_BUF b = {0};
    AUTO_BUF out = {0};
    buf_text(&b, before);
    for (size_t i = 0; i < n; i++)
        buf_add(&b, "x", 1);
    buf_text(&b, after);
    struct str left = buf_str(&b);
    AUTO_CSV r;
    struct csv_record row;
    struct fault f;
    csv_open(&r, "list.csv", source_memory(&left));
    for (;;) {
        assert_true(csv_next(&r, &row, &f));
        if (row.end)
            break;
        buf_format(&out, "%s%zu%s", out.n == 0 ? "" : " ", row.line, row.bad == NULL ? "" : "!");
        if (row.bad == NULL)
            buf_format(&out, "(%zu)", row.cells[0].n);
    }
    assert_string_equal(out.p, wanted);
}

static void the_longest_row(void **unused)
{
    (void)unused;
    long_row("a\n", CSV_RECORD_MAX, "\nb\n", "1(1) 2(65536) 3(1)");
    long_row("a\n", CSV_RECORD_MAX + 1, "\nb\n", "1(1) 2! 3(1)");
    long_row("a\n", CSV_RECORD_MAX + 1, "", "1(1) 2!");
    long_row("a\n", (size_t)100 * 1024 * 1024, "\r\nb\n", "1(1) 2! 3(1)");
    long_row("a\n", (size_t)1024 * 1024, "", "1(1) 2!");
    /* an open quote gives up its own line, not the 64 KiB behind it */
    long_row("a\n\"b\nc\n", CSV_RECORD_MAX, "\nd\n", "1(1) 2! 3(1) 4(65536) 5(1)");
    /* whatever the window's edge falls on */
    for (size_t n = 4 * CSV_RECORD_MAX - 6; n < 4 * CSV_RECORD_MAX + 2; n++)
        long_row("a\n", n, "\r\nb\r\n", "1(1) 2! 3(1)");
}

static void a_source_fault_comes_through(void **unused)
{
    (void)unused;
    struct source_file closed = {-1, "list.csv"};
    struct csv_record row;
    struct fault f;
    AUTO_CSV r;
    csv_open(&r, "list.csv", source_descriptor(&closed));
    assert_false(csv_next(&r, &row, &f));
    assert_string_equal(f.text, "list.csv: Bad file descriptor");
}

static void too_many_cells(void **unused)
{
    (void)unused;
    AUTO_BUF b = {0};
    for (int i = 0; i < CSV_CELL_MAX; i++)
        buf_text(&b, ",");
    buf_text(&b, "\nb");
    expect(buf_str(&b), ',', "1!more than 256 cells 2<b>");
}

static void separators(void **unused)
{
    (void)unused;
    assert_int_equal(csv_guess_separator(str_of("a;b,c")), ';');
    assert_int_equal(csv_guess_separator(str_of("\"a;b\",c")), ',');
    assert_int_equal(csv_guess_separator(str_of("a\tb\n")), '\t');
    assert_int_equal(csv_guess_separator(str_of("serial\na;b")), ',');
}

static void writes_what_it_reads(void **unused)
{
    (void)unused;
    AUTO_BUF b = {0};
    struct csv_writer w = {.out = &b, .crlf = true, .guard = true};
    static const char *const cells[] = {"a", "b,c", "d\"e\"", "f\ng", " h", "", "=1+1", "+1", "-1", "@x"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        csv_text(&w, cells[i]);
    csv_end_row(&w);
    csv_text(&w, NULL);
    csv_text(&w, "z");
    csv_end_row(&w);
    assert_string_equal(b.p, "a,\"b,c\",\"d\"\"e\"\"\",\"f\ng\",\" h\",,'=1+1,'+1,'-1,'@x\r\n,z\r\n");
    expect(buf_str(&b), ',', "1<a><b,c><d\"e\"><f\ng>< h><><'=1+1><'+1><'-1><'@x> 3<><z>");
    buf_clear(&b);
    w = (struct csv_writer){.out = &b};
    csv_text(&w, "=x");
    csv_end_row(&w);
    assert_string_equal(b.p, "=x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_line_ends),   cmocka_unit_test(quotes),
        cmocka_unit_test(bad_rows_stay_alone),  cmocka_unit_test(utf16_is_refused_with_a_remedy),
        cmocka_unit_test(the_longest_row),      cmocka_unit_test(a_source_fault_comes_through),
        cmocka_unit_test(too_many_cells),       cmocka_unit_test(separators),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
