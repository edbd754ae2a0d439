/* Lists: what they add, what they leave, what stands beside; versions and differences. */
#include "../lib/check.h"
#include "../lib/lists.h"
#include "massrevoke/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAYS INT64_C(86400)

static void drop(struct small *s, int n)
{
    struct act act = small_act(s, 2, "ann");
    struct listed item = lists_row(s, n);
    const char **verdicts;
    CHECK(store_drop(s->store, &act, &item, 1, "not ours", &s->arena, &verdicts, &f));
    assert_string_equal(verdicts[0], "withdrawn");
}

/* A messy list of up to 60 lines over 200 serials: spellings, repetitions, lines that are no serial. */
static struct str messy(struct small *s, unsigned *seed)
{
    struct buf text = {0};
    int lines = 1 + rand_r(seed) % 60;
    for (int i = 0; i < lines; i++) {
        static const char *const before[] = {"2000", "0x2000", " 20:00:", "2000", "no serial "};
        static const char *const after[] = {"", "", " ", " # seen", ""};
        size_t form = (size_t)rand_r(seed) % 5;
        buf_format(&text, "%s%02X%s\n", before[form], (unsigned)rand_r(seed) % 200, after[form]);
    }
    const char *kept = arena_text(&s->arena, text.p);
    buf_free(&text);
    return str_of(kept);
}

static void counts_carry_through(void **state)
{
    struct small *s = *state;
    bool seen[200] = {false};
    int64_t total = 0;
    unsigned seed = 7;
    for (int round = 1; round <= 40; round++) {
        struct intake_list list = {.base = INTAKE_BASE_HEX, .seed = {1, 2}, .arena = &s->arena};
        struct str text = messy(s, &seed);
        CHECK(intake_list_read(&list, "list", INTAKE_SERIALS, source_memory(&text), &f));
        struct listed rows[60];
        int64_t fresh = 0;
        for (size_t i = 0; i < list.accepted; i++) {
            uint8_t n = list.keys[i].serial.bytes[2];
            rows[i] = (struct listed){
                .issuer = s->issuer, .serial = list.keys[i].serial, .line = list.places[i].line};
            fresh += !seen[n];
            seen[n] = true;
        }
        struct population p = lists_population(rows, list.accepted);
        p.lines = (int64_t)intake_list_in(&list);
        p.duplicate = (int64_t)list.duplicate;
        p.rejected = (int64_t)list.rejects.count;
        struct population_result r = lists_add(s, &p);
        total += fresh;
        assert_int_equal(r.added, fresh);
        assert_int_equal(r.version, round);
        assert_int_equal(r.orphans, fresh);
        intake_list_free(&list);
    }
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2"), total);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM population WHERE campaign = 2 AND lines <> accepted + "
                        "duplicate + rejected"),
        0);
    struct population_version *versions;
    size_t n;
    CHECK(store_population_versions(s->store, s->campaign.id, &s->arena, &versions, &n, &f));
    assert_int_equal(n, 40);
    for (size_t i = 0; i < n; i++)
        total -= versions[i].added;
    assert_int_equal(total, 0);
}

enum { PLAIN, ORPHAN, SUPPLIED, PRECERTIFICATE, TWIN, OTHER_TWIN, EXPIRED, BRIEF, WAS_BRIEF, KINDS };

static size_t every_kind(struct small *s, struct inventory_row out[KINDS])
{
    size_t n = 0;
    for (int i = 0; i < KINDS; i++) {
        struct inventory_row *r = &out[n];
        if (i == ORPHAN || i == SUPPLIED)
            continue;
        n++;
        *r = lists_known(s, i);
        if (i == PRECERTIFICATE) {
            r->has_cert_sha256 = false;
            r->has_precert_sha256 = true;
            r->precert_sha256 = digest_of("precertificate", 14);
        }
        if (i == TWIN || i == OTHER_TWIN)
            r->dns_names = "a.example b.example";
        if (i == EXPIRED)
            r->not_after = small_at(-1);
        if (i == BRIEF || i == WAS_BRIEF) /* nine days: short before the newer row, not after it */
            r->not_before = small_at(i == BRIEF ? -1 : 1);
        if (i == BRIEF || i == WAS_BRIEF)
            r->not_after = utc_add(r->not_before, (struct span){9 * DAYS});
    }
    return n;
}

static struct population_result add_every_kind(struct small *s)
{
    struct listed rows[KINDS];
    for (int i = 0; i < KINDS; i++)
        rows[i] = lists_row(s, i);
    rows[SUPPLIED].by_hash = true;
    struct population p = lists_population(rows, KINDS);
    return lists_add(s, &p);
}

static void kinds_are_told_apart(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[KINDS];
    lists_put(s, rows, every_kind(s, rows));
    struct population_result r = add_every_kind(s);
    assert_int_equal(r.added, KINDS);
    assert_int_equal(r.orphans, 1);
    assert_int_equal(r.precertificates, 1);
    assert_int_equal(r.siblings, 2);
    assert_int_equal(r.expired_before_receipt, 1);
    assert_int_equal(r.short_lived, 1);
    assert_int_equal(r.expanded, 0);
    assert_int_equal(r.elsewhere, 0);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2 AND known"),
                     KINDS - 2);
    assert_int_equal(small_number(s, "SELECT sum(needs) FROM certificate WHERE campaign = 2"), KINDS - 2);
}

/* Whichever comes first, list or inventory, the certificates are the same. */
static void order_does_not_matter(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[KINDS];
    struct population_result early = add_every_kind(s);
    assert_int_equal(early.orphans, KINDS - 1);
    lists_put(s, rows, every_kind(s, rows));
    struct act act = small_act(s, 0, "ann");
    struct campaign c = s->campaign;
    c.name = "c3";
    CHECK(store_campaign_open(s->store, &act, &c, "mail", &s->campaign.id, &f));
    assert_int_equal(add_every_kind(s).elsewhere, KINDS);
    static const char differ[] =
        "SELECT count(*) FROM certificate a JOIN certificate b USING (issuer, serial) WHERE a.campaign = 2 "
        "AND "
        "b.campaign = 3 AND (a.known, a.subscriber, a.not_after, a.needs, a.marks, a.excluded) %s "
        "(b.known, b.subscriber, b.not_after, b.needs, b.marks, b.excluded)";
    assert_int_equal(small_number(s, arena_format(&s->arena, differ, "IS DISTINCT FROM")), 0);
    assert_int_equal(small_number(s, arena_format(&s->arena, differ, "IS NOT DISTINCT FROM")), KINDS);
}

/* Marks of the inventory follow its rows: a third twin, then two of them with other names. */
static void siblings_follow_the_inventory(void **state)
{
    struct small *s = *state;
    static const char count[] =
        "SELECT count(*) FROM inventory WHERE sibling AND dns_names <> 'host.example'";
    struct inventory_row rows[KINDS], late[2] = {lists_known(s, 100), lists_known(s, OTHER_TWIN)};
    lists_put(s, rows, every_kind(s, rows));
    assert_int_equal(small_number(s, count), 2);
    late[0].dns_names = "a.example b.example";
    lists_put(s, late, 1);
    assert_int_equal(small_number(s, count), 3);
    late[0].dns_names = "c.example";
    lists_put(s, late, 2);
    assert_int_equal(small_number(s, count), 0);
}

static void keys_bring_their_others(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[6];
    for (int i = 0; i < 6; i++) {
        rows[i] = lists_known(s, i);
        rows[i].has_spki_sha256 = i < 5;
        rows[i].spki_sha256 = digest_of(i < 3 ? "key a" : "key b", 5);
    }
    lists_put(s, rows, 6);
    struct listed listed[] = {lists_row(s, 0), lists_row(s, 5), lists_row(s, 77)};
    struct population p = lists_population(listed, 3);
    p.reason = REASON_KEY_COMPROMISE;
    p.heuristic = "the key was mailed to us";
    p.decision = "the others are of another key ceremony";
    struct population_result r = lists_add(s, &p);
    assert_int_equal(r.added, 3);
    assert_int_equal(r.expanded, 0);
    p.expand_keys = true;
    p.decision = "";
    r = lists_add(s, &p);
    assert_int_equal(r.added, 2);
    assert_int_equal(r.expanded, 2);
    struct population_version *versions;
    struct digest *keys;
    size_t n;
    CHECK(store_population_versions(s->store, s->campaign.id, &s->arena, &versions, &n, &f));
    assert_int_equal(n, 2);
    assert_string_equal(versions[0].heuristic, "the key was mailed to us");
    assert_string_equal(versions[0].decision, "the others are of another key ceremony");
    assert_string_equal(versions[1].decision, "");
    /* the log knows that it was said, not what */
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM event WHERE campaign = 2 AND leaf LIKE '%decision_sha256%'"),
        2);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE leaf LIKE '%key ceremony%'"), 0);
    CHECK(store_blocked_keys(s->store, s->campaign.id, &s->arena, &keys, &n, &f));
    assert_int_equal(n, 1);
    struct digest key = digest_of("key a", 5);
    assert_memory_equal(&keys[0], &key, sizeof key);
    /* what only its key brought is not looked for in a list */
    struct population_difference d;
    CHECK(store_reconcile(s->store, s->campaign.id, listed, 3, 10, &s->arena, &d, &f));
    assert_int_equal(d.same, 3);
    assert_int_equal(d.added + d.dropped, 0);
}

/* ---- versions and differences ---- */

static void versions_tell_what_came_and_went(void **state)
{
    struct small *s = *state;
    struct population_difference d;
    struct population_version *v;
    size_t n;
    lists_add_range(s, 0, 10);
    drop(s, 0);
    lists_add_range(s, 5, 10); /* 10 to 14 are new */
    drop(s, 1);
    drop(s, 12);
    lists_add_range(s, 0, 1); /* withdrawn and listed again: it is back */
    CHECK(store_population_versions(s->store, s->campaign.id, &s->arena, &v, &n, &f));
    assert_int_equal(n, 3);
    assert_int_equal(v[0].added, 10);
    assert_int_equal(v[0].dropped, 1);
    assert_int_equal(v[1].added, 5);
    assert_int_equal(v[1].dropped, 2);
    assert_int_equal(v[2].added, 1);
    assert_int_equal(v[2].cohort, 1);
    CHECK(store_population_since(s->store, s->campaign.id, 1, 3, &s->arena, &d, &f));
    assert_int_equal(d.same, 9);
    assert_int_equal(d.added, 4);
    assert_int_equal(d.dropped, 1); /* 0 went and is back, 12 came and went */
    assert_int_equal(d.count, 4);
    assert_true(d.changes[0].added);
    assert_int_equal(d.changes[0].version, 2);
    assert_false(d.changes[3].added);
    assert_string_equal(d.changes[3].state, "withdrawn");
    CHECK(store_population_since(s->store, s->campaign.id, 3, 3, &s->arena, &d, &f));
    assert_int_equal(d.added + d.dropped, 0);
    assert_int_equal(d.same, 13);
}

static void a_list_is_compared_both_ways(void **state)
{
    struct small *s = *state;
    struct inventory_row row = lists_known(s, 20);
    struct population_difference d;
    struct listed rows[12];
    lists_put(s, &row, 1);
    lists_add_range(s, 0, 10);
    drop(s, 9);
    for (int i = 0; i < 12; i++) /* 2 to 11, 20, and 9 twice withdrawn */
        rows[i] = lists_row(s, i < 10 ? i + 2 : 10 + i);
    CHECK(store_reconcile(s->store, s->campaign.id, rows, 12, 2, &s->arena, &d, &f));
    assert_int_equal(d.same, 7);    /* 2 to 8 */
    assert_int_equal(d.added, 5);   /* 9, 10, 11, 20, 21 */
    assert_int_equal(d.dropped, 2); /* 0, 1 */
    assert_int_equal(d.count, 4);
    assert_true(d.changes[0].added && d.changes[1].added);
    assert_string_equal(d.changes[0].state, "withdrawn");
    assert_int_equal(d.changes[0].version, 1);
    assert_string_equal(d.changes[1].state, "");
    assert_int_equal(d.changes[1].version, 0);
    assert_false(d.changes[2].added);
    assert_string_equal(d.changes[2].state, "waiting");
    assert_int_equal(d.changes[3].serial.bytes[2], 1);
    CHECK(store_reconcile(s->store, s->campaign.id, rows, 0, 0, &s->arena, &d, &f));
    assert_int_equal(d.dropped, 9);
    assert_int_equal(d.count, 0);
    CHECK(store_reconcile(s->store, s->campaign.id, rows, 12, 10, &s->arena, &d, &f));
    assert_string_equal(d.changes[3].subscriber, "sub-6"); /* 20 is known to the inventory */
}

/* After the first start every addition is a cohort of its own (contract, Cohorts). */
static void late_ones_form_cohorts(void **state)
{
    struct small *s = *state;
    assert_int_equal(lists_add_range(s, 0, 3).cohort, 1);
    assert_int_equal(lists_add_range(s, 3, 3).cohort, 1);
    s->campaign.id = 1; /* started */
    assert_int_equal(lists_add_range(s, 0, 3).cohort, 2);
    struct population_result again = lists_add_range(s, 0, 3);
    assert_int_equal(again.added, 0);
    assert_int_equal(again.cohort, 2);
    assert_int_equal(lists_add_range(s, 3, 1).cohort, 3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE campaign = 1"), 3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE campaign = 1 AND started_at IS NULL"),
                     2);
}

/* A list with a shorter clock takes what runs on a longer one; a longer one takes nothing. */
static void a_shorter_clock_takes(void **state)
{
    struct small *s = *state;
    struct listed rows[4];
    for (int i = 0; i < 4; i++)
        rows[i] = lists_row(s, i + 2);
    lists_add_range(s, 0, 4);
    struct population p = lists_population(rows, 4);
    p.rule = "4.9.1.1-3";
    p.deadline = small_at(24);
    struct population_result r = lists_add(s, &p);
    assert_int_equal(r.cohort, 2);
    assert_int_equal(r.added, 4);
    assert_int_equal(r.moved, 2);
    assert_int_equal(r.orphans, 4);
    assert_int_equal(lists_add_range(s, 0, 6).added, 0);
    assert_int_equal(
        small_number(s,
                     "SELECT count(*) FROM certificate WHERE campaign = 2 AND cohort = 1 AND NOT withdrawn"),
        2);
}

static void an_unknown_list_makes_no_cohort(void **state)
{
    struct small *s = *state;
    struct population p = lists_population(NULL, 0);
    struct population_result r = lists_add(s, &p);
    assert_int_equal(r.cohort, 0);
    assert_int_equal(r.version, 1);
    assert_int_equal(lists_add_range(s, 0, 1).cohort, 1);
}

/* ---- asking ---- */

static void hashes_are_found(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[KINDS];
    lists_put(s, rows, every_kind(s, rows));
    int plain = PLAIN;
    struct hashed items[] = {{.sha256 = digest_of("nobody's", 8)},
                             {.sha256 = digest_of("precertificate", 14)},
                             {.sha256 = digest_of(&plain, sizeof plain)}};
    CHECK(store_hashes_find(s->store, items, 3, &f));
    assert_false(items[0].found);
    assert_true(items[1].found && items[2].found);
    assert_int_equal(items[1].serial.bytes[2], PRECERTIFICATE);
    assert_int_equal(items[2].serial.bytes[2], PLAIN);
    assert_int_equal(items[2].issuer, s->issuer);
}

static void replacements_are_refused(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[4];
    struct listed listed[5];
    bool refused[5];
    size_t n;
    for (int i = 0; i < 5; i++)
        listed[4 - i] = lists_row(s, i); /* not in the order of the key; the last is in no inventory */
    for (int i = 0; i < 4; i++) {
        rows[i] = lists_known(s, i);
        rows[i].not_before = small_at(i);
    }
    listed[4 - 3].by_hash = true;
    lists_put(s, rows, 4);
    CHECK(store_issued_after(s->store, listed, 5, small_at(1), refused, &n, &f));
    assert_int_equal(n, 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(refused[4 - i], i == 2);
}

/* A big inventory into an empty table goes in without indexes, which are made again. A big list is merged
 * with all of the inventory; what it says of its certificates is what refreshing them says. */
static void big_lists_are_as_small_ones(void **state)
{
    struct small *s = *state;
    static const char indexes[] =
        "SELECT hashtext(string_agg(indexdef, ';' ORDER BY indexname)) FROM pg_indexes WHERE "
        "schemaname = current_schema() AND tablename = 'inventory'";
    static const char keys[] =
        "SELECT count(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid WHERE inhparent IN "
        "('certificate_pkey'::regclass, 'certificate_id'::regclass) AND x.indisvalid AND x.indisunique";
    enum { MANY = 60000, KNOWN = 55000 };
    struct inventory_row *rows = arena_array(&s->arena, KNOWN, sizeof *rows);
    int64_t before = small_number(s, indexes);
    small_sabotage(s, "TRUNCATE inventory");
    size_t n = every_kind(s, rows);
    for (int i = KNOWN; i > KINDS; i--)
        rows[n++] = lists_known(s, i - 1);
    lists_put(s, rows, n);
    assert_int_equal(small_number(s, indexes), before);
    struct population_result r = lists_add_range(s, 0, MANY);
    assert_int_equal(r.added, MANY);
    assert_int_equal(r.orphans, MANY - KNOWN + 2);
    assert_int_equal(r.precertificates + r.expired_before_receipt + r.short_lived, 3);
    assert_int_equal(small_number(s, keys), 4); /* of two campaigns */
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2 AND id = line - 1"),
                     MANY);
    assert_int_equal(small_number(s, "SELECT certificates_refresh(2)"), 0);
    assert_int_equal(lists_add_range(s, 0, MANY).added, 0);
    assert_int_equal(lists_add_range(s, 100, MANY).added, 100);
    assert_int_equal(small_number(s, "SELECT certificates_refresh(2)"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_carry_through, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(kinds_are_told_apart, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(order_does_not_matter, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(siblings_follow_the_inventory, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(keys_bring_their_others, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(versions_tell_what_came_and_went, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(a_list_is_compared_both_ways, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(late_ones_form_cohorts, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(a_shorter_clock_takes, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(an_unknown_list_makes_no_cohort, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(hashes_are_found, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(replacements_are_refused, lists_start, lists_stop),
        cmocka_unit_test_setup_teardown(big_lists_are_as_small_ones, lists_start, lists_stop),
    };
    return cmocka_run_group_tests_name("population", tests, NULL, NULL);
}
