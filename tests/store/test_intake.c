/* What a list becomes on its way into the store: hashes looked up, replacements refused, certificates learned
 * from. */
#include "../lib/campaign.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT 40

static struct world w;
static struct conduct c;
static struct utc fixed;

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int make(void **state)
{
    (void)state;
    struct fault f = {0};
    int64_t issued[COUNT];
    int id;
    world_make(&w, COUNT, (struct rate){1000, 1});
    c = (struct conduct){.store = w.store,
                         .settings = &w.settings,
                         .issuers = w.issuers,
                         .issuer_count = w.issuer_count,
                         .now = *w.now,
                         .who = "ann"};
    struct conduct_opening opening = {.name = "c1", .mode = "live", .rule = "4.9.1.1-12", .received = *w.now};
    assert_true(conduct_open(&c, &opening, &id, &f));
    assert_true(store_campaign_find(w.store, "c1", &w.arena, &c.campaign, &f));
    struct inventory_row *rows = arena_array(&w.arena, w.row_count, sizeof *rows);
    memcpy(rows, w.rows, w.row_count * sizeof *rows);
    assert_true(conduct_inventory(&c, rows, w.row_count, &f));
    for (size_t i = 0; i < COUNT; i++)
        issued[i] = w.rows[i].not_before.s;
    qsort(issued, COUNT, sizeof *issued, by_time);
    fixed.s = issued[COUNT / 2]; /* what was issued in that very second is no replacement */
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

static struct intake_list begin(void)
{
    return (struct intake_list){
        .default_issuer = 0, .base = INTAKE_BASE_HEX, .seed = {1, 2}, .arena = &w.arena};
}

static void read_text(struct intake_list *list, const char *text)
{
    struct str bytes = str_of(text);
    struct fault f = {0};
    if (!intake_list_read(list, "list", INTAKE_AUTO, source_memory(&bytes), &f) ||
        !conduct_resolve(&c, list, &f))
        fail_msg("%s", f.text);
}

static struct population_result import(struct intake_list *list)
{
    struct fault f = {0};
    struct population_result result;
    struct conduct_list in = {.list = list,
                              .sha256 = digest_of("x", 1),
                              .source = "test",
                              .received = UTC_NONE,
                              .heuristic = "all of them"};
    if (!conduct_import(&c, &in, &result, &f))
        fail_msg("%s", f.text);
    return result;
}

static const char *all_serials(void)
{
    AUTO_BUF text = {0};
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < COUNT; i++)
        buf_format(&text, "%s\n", serial_hex(&w.rows[i].serial, hex));
    return arena_copy(&w.arena, text.p, text.n);
}

static bool is_late(size_t i)
{
    return w.rows[i].not_before.s > fixed.s;
}

static void what_may_be_a_replacement_is_refused(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    size_t late = 0;
    for (size_t i = 0; i < COUNT; i++)
        late += is_late(i);
    assert_true(late > COUNT / 4);
    world_ask(&w, arena_format(
                      &w.arena,
                      "INSERT INTO clock (campaign, cohort, anchor, at, source, author, recorded_at) VALUES "
                      "(%d, 0, 'fixed', %lld, 'call', 'ann', 0)",
                      c.campaign.id, (long long)fixed.s));
    read_text(&list, all_serials());
    struct population_result r = import(&list);
    assert_int_equal(r.added, COUNT - late);
    assert_int_equal(list.accepted, COUNT - late);
    assert_int_equal(list.rejects.count, late);
    assert_int_equal(intake_list_in(&list), COUNT);
    assert_non_null(strstr(list.rejects.items[0].reason, "issued after the fix at 20"));
    assert_non_null(strstr(list.rejects.items[0].reason, "list it by SHA-256"));
    for (size_t i = 0; i < late; i++)
        assert_true(is_late(list.rejects.items[i].line - 1));
}

static void by_hash_they_come_in_and_stay(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST hashes = begin(), again = begin(), whole = begin();
    AUTO_BUF text = {0};
    char hex[DIGEST_TEXT];
    size_t named = 0, late = 0;
    for (size_t i = 0; i < COUNT; i++)
        if (is_late(i) && late++ % 2 == 0 && ++named > 0)
            buf_format(&text, "%s\n", digest_hex(w.rows[i].cert_sha256, hex));
    buf_text(&text, "00000000000000000000000000000000000000000000000000000000000000ff\n");
    read_text(&hashes, text.p);
    assert_int_equal(hashes.rejects.count, 1);
    struct population_result r = import(&hashes);
    assert_int_equal(r.added, named);
    assert_int_equal(r.version, 2);
    /* by serial, those are part of the campaign now, and the others are refused as before */
    read_text(&again, all_serials());
    r = import(&again);
    assert_int_equal(r.added, 0);
    assert_int_equal(again.rejects.count, late - named);
    assert_int_equal(again.accepted, COUNT - late + named);
    struct population_difference d;
    struct fault f = {0};
    read_text(&whole, all_serials());
    assert_true(conduct_reconcile(&c, &whole, 5, &w.arena, &d, &f));
    assert_int_equal(d.same, COUNT - late + named);
    assert_int_equal(d.added, late - named);
    assert_int_equal(d.dropped, 0);
    assert_string_equal(world_ask(&w, "SELECT heuristic FROM population WHERE version = 2"), "all of them\n");
}

/* The inventory knows little of the first; its certificate fills the gaps and nothing else. */
static void certificates_fill_gaps(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    struct fault f = {0};
    struct issuer issuer;
    struct str bytes;
    char serial[SERIAL_HEX_TEXT], path[256];
    serial_hex(&w.rows[0].serial, serial);
    world_ask(&w, arena_format(
                      &w.arena,
                      "UPDATE inventory SET dns_names = '', cdp = '', not_after = NULL, spki_sha256 = NULL, "
                      "subject = 'CN=as the CA has it' WHERE serial = '\\x%s'",
                      serial));
    snprintf(path, sizeof path, "%s/newcerts/%s.pem", w.folder, serial);
    assert_true(file_read(path, CERT_MAX, &w.arena, &bytes, &f));
    assert_true(issuer_load(w.ca.issuers[0].certificate_file, &w.arena, &issuer, &f));
    intake_certificates_read(&list, path, bytes, &issuer, 1);
    issuer_release(&issuer);
    assert_int_equal(list.accepted, 1);
    (void)import(&list);
    const char *row = world_ask(
        &w, arena_format(
                &w.arena,
                "SELECT concat_ws('|', subscriber, subject, dns_names, cdp, not_after, encode(spki_sha256, "
                "'hex')) FROM inventory WHERE serial = '\\x%s'",
                serial));
    char hex[DIGEST_TEXT];
    assert_string_equal(row,
                        arena_format(&w.arena, "%s|CN=as the CA has it|%s|%s|%lld|%s\n", w.rows[0].subscriber,
                                     w.rows[0].dns_names, w.rows[0].cdp, (long long)w.rows[0].not_after.s,
                                     digest_hex(w.rows[0].spki_sha256, hex)));
}

static void nothing_left_is_nothing_stored(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    char hex[SERIAL_HEX_TEXT];
    const char *before = world_ask(&w, "SELECT max(version) FROM population");
    for (size_t i = 0, late = 0; i < COUNT; i++)
        if (is_late(i) && late++ % 2 == 1)
            read_text(&list, arena_format(&w.arena, "%s\n", serial_hex(&w.rows[i].serial, hex)));
    assert_true(list.accepted > 0);
    struct population_result r = import(&list);
    assert_int_equal(r.version, 0);
    assert_int_equal(list.accepted, 0);
    assert_int_equal(intake_list_verdict(&list), FAULT_FAILED);
    assert_string_equal(world_ask(&w, "SELECT max(version) FROM population"), before);
}

static void only_some_rules_expand(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    struct population_result r;
    struct fault f = {0};
    read_text(&list, all_serials());
    struct conduct_list in = {.list = &list, .source = "x", .received = UTC_NONE, .no_expand = "because"};
    assert_false(conduct_import(&c, &in, &r, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_a_replacement_is_refused),
        cmocka_unit_test(by_hash_they_come_in_and_stay),
        cmocka_unit_test(certificates_fill_gaps),
        cmocka_unit_test(nothing_left_is_nothing_stored),
        cmocka_unit_test(only_some_rules_expand),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
