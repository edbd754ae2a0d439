/* Whatever the bytes: is every line accounted for, and is nothing accepted twice? Also: is a million quick?
 */
#include "massrevoke/csv.h"
#include "massrevoke/intake.h"

#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static const char *const ca_names[] = {"CN=CA,O=X"};
static const struct intake_issuer issuers[] = {{ca_names, 1}};

/* Pieces that lists are made of, good and bad. */
static const struct str pieces[] = {
    {"0A", 2},   {"b", 1},  {"1", 1},         {":", 1},        {"\n", 1},           {"\r\n", 2},
    {"\r", 1},   {",", 1},  {"\"", 1},        {"\"\"", 2},     {"\0", 1},           {" ", 1},
    {"\xff", 1}, {"#", 1},  {"0x", 2},        {"zz", 2},       {"\n", 1},           {"\n", 1},
    {"0B", 2},   {"0C", 2}, {"CN=CA,O=X", 9}, {"\xc3\xa4", 2}, {"-----BEGIN ", 11}, {";", 1},
};

static void compose(uint64_t *state, struct buf *out)
{
    static const char *const heads[] = {"", "serial\n", "serial,issuer\n", "\xef\xbb\xbfissuer,serial,x\r\n",
                                        "x,y\n"};
    buf_text(out, heads[next(state) % 5]);
    for (uint64_t n = next(state) % 60; n > 0; n--) {
        struct str piece = pieces[next(state) % (sizeof pieces / sizeof *pieces)];
        buf_add(out, piece.p, piece.n);
    }
}

/* Lines that are neither blank, nor comment: counted a second way, for lists without quotes. */
static size_t plain_lines(struct str text)
{
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '\n' && text.p[i] != '\r')
            continue;
        struct str line = str_trim((struct str){text.p + from, i - from});
        bool readable = memchr(line.p, '\0', line.n) == NULL && str_is_utf8(line);
        count += line.n > 0 && (line.p[0] != '#' || !readable);
        from = i + 1;
    }
    return count;
}

static void check(const struct intake_list *list)
{
    assert_int_equal(intake_list_in(list), list->accepted + list->duplicate + list->rejects.count);
    for (size_t i = 0; i < list->accepted; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&list->keys[i], &list->keys[k], sizeof *list->keys);
    for (size_t i = 0; i < list->duplicate; i++)
        assert_true(list->duplicates[i].first.line > 0);
    for (size_t i = 0; i < list->rejects.count; i++)
        assert_true(list->rejects.items[i].line > 0 && list->rejects.items[i].reason != NULL);
}

static void every_line_is_accounted_for(void **unused)
{
    (void)unused;
    uint64_t state = 4711;
    size_t read = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        AUTO_ARENA a = {0};
        AUTO_BUF text = {0};
        buf_text(&text, "");
        compose(&state, &text);
        enum intake_format format = (enum intake_format)(next(&state) % 4);
        AUTO_INTAKE_LIST list = {.issuers = intake_issuers_make(issuers, 1, &a),
                                 .base = (enum intake_base)(next(&state) % 3),
                                 .seed = {next(&state), next(&state)},
                                 .arena = &a};
        struct str left = buf_str(&text);
        struct fault f = {0};
        bool ok = intake_list_read(&list, "x", format, source_memory(&left), &f);
        assert_true(ok == (f.kind == FAULT_NONE));
        check(&list);
        if (ok && format == INTAKE_SERIALS && text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) != 0)
            assert_int_equal(intake_list_in(&list), plain_lines(buf_str(&text)));
        read += ok;
        refused += !ok;
    }
    assert_true(read > 1000 && refused > 1000);
}

static void tables_account_for_every_row(void **unused)
{
    (void)unused;
    static const uint64_t seed[2] = {1, 2};
    uint64_t state = 815;
    for (int round = 0; round < 5000; round++) {
        AUTO_ARENA a = {0};
        AUTO_BUF text = {0};
        AUTO_INTAKE_INVENTORY inventory = {0};
        AUTO_INTAKE_CONTACTS contacts = {0};
        struct fault f;
        buf_text(&text, "");
        compose(&state, &text);
        struct str left = buf_str(&text);
        if (intake_inventory_read(&inventory, "x", source_memory(&left), intake_issuers_make(issuers, 1, &a),
                                  0, seed, &a, &f))
            assert_int_equal(inventory.table.in,
                             inventory.count + inventory.table.replaced + inventory.table.rejects.count);
        AUTO_BUF people = {0};
        buf_format(&people, "subscriber,role,email\n%s,primary,a@b.example\n", text.p);
        left = buf_str(&people);
        if (intake_contacts_read(&contacts, "x", source_memory(&left), seed, &a, &f))
            assert_int_equal(contacts.table.in,
                             contacts.count + contacts.table.replaced + contacts.table.rejects.count);
    }
}

/* What the writer writes, the reader reads. */
static void rows_survive_writing(void **unused)
{
    (void)unused;
    static const char *const cells[] = {"a",   "",     "\"",     ",",  "\n", "\r\n",
                                        " b ", "\"\"", "x\"y,z", "\t", "=1"};
    uint64_t state = 99;
    for (int round = 0; round < 5000; round++) {
        AUTO_BUF text = {0};
        struct csv_writer w = {.out = &text, .crlf = round % 2 == 0};
        const char *wrote[8];
        size_t n = 2 + next(&state) % 6;
        for (size_t i = 0; i < n; i++)
            csv_text(&w, wrote[i] = cells[next(&state) % (sizeof cells / sizeof *cells)]);
        csv_end_row(&w);
        struct str left = buf_str(&text);
        struct csv_record row;
        struct fault f;
        AUTO_CSV r;
        csv_open(&r, "x", source_memory(&left));
        assert_true(csv_next(&r, &row, &f));
        assert_null(row.bad);
        assert_int_equal(row.count, n);
        for (size_t i = 0; i < n; i++)
            assert_true(str_is(row.cells[i], wrote[i]));
        assert_true(csv_next(&r, &row, &f));
        assert_true(row.end);
    }
}

/* Reading is linear: four times the lines take about four times as long, not sixteen. */
static double seconds_for(size_t lines)
{
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    uint64_t state = 1;
    for (size_t i = 0; i < lines; i++)
        buf_format(&text, "%016llx%016llx\n", (unsigned long long)next(&state),
                   (unsigned long long)next(&state));
    AUTO_INTAKE_LIST list = {.base = INTAKE_BASE_HEX, .seed = {1, 2}, .arena = &a};
    list.issuers = intake_issuers_make(issuers, 1, &a);
    struct str left = buf_str(&text);
    struct fault f;
    clock_t before = clock();
    assert_true(intake_list_read(&list, "x", INTAKE_AUTO, source_memory(&left), &f));
    double took = (double)(clock() - before) / CLOCKS_PER_SEC;
    assert_int_equal(list.accepted, lines);
    return took;
}

static void reading_is_linear(void **unused)
{
    (void)unused;
    double small = seconds_for(50000), large = seconds_for(200000);
    print_message("200,000 lines in %.3f s\n", large);
    assert_true(large < 12 * small + 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_accounted_for),
        cmocka_unit_test(tables_account_for_every_row),
        cmocka_unit_test(rows_survive_writing),
        cmocka_unit_test(reading_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
