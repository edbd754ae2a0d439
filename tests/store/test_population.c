/* Lists: what they add, what they leave, what stands beside; versions, differences, two at once, and a death.
 */
#include "../lib/cluster.h"
#include "../lib/small.h"
#include "massrevoke/intake.h"
#include "massrevoke/store_population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        struct fault f = {0};                                                                                \
        if (!(call))                                                                                         \
            fail_msg("%s: %s", #call, f.text);                                                               \
    } while (0)

#define DAYS INT64_C(86400)

/* BR 1.6.1, as far back as the tests reach. */
static const struct short_lived shorts[] = {{{0}, {10 * DAYS}}, {{SMALL_RECEIVED}, {7 * DAYS}}};

/* Small's started campaign, and beside it one that has not started, which the tests fill. */
static int start(void **state)
{
    struct small *s = malloc(sizeof *s);
    small_open(s);
    struct act act = small_act(s, 0, "ann");
    struct campaign c = s->campaign;
    c.name = "c2";
    CHECK(store_campaign_open(s->store, &act, &c, "mail", &s->campaign.id, &f));
    *state = s;
    return 0;
}

static int stop(void **state)
{
    small_close(*state);
    free(*state);
    return 0;
}

/* Serials of the tests: 0x20 and two octets. */
static struct listed row_of(const struct small *s, int n)
{
    return (struct listed){.issuer = s->issuer,
                           .serial = {.n = 3, .bytes = {0x20, (uint8_t)(n >> 8), (uint8_t)n}},
                           .line = n + 1};
}

static struct population list_of(const struct listed *rows, size_t n)
{
    return (struct population){.rule = "4.9.1.1-12",
                               .source = "list.txt",
                               .heuristic = "",
                               .decision = "",
                               .reason = REASON_SUPERSEDED,
                               .received = small_at(0),
                               .deadline = small_at(5 * 24),
                               .should_by = UTC_NONE,
                               .lines = (int64_t)n,
                               .accepted = (int64_t)n,
                               .rows = rows,
                               .count = n};
}

static struct population_result add(struct small *s, const struct population *p)
{
    struct act act = small_act(s, 1, "ann");
    struct population_result r;
    CHECK(store_population_add(s->store, &act, p, shorts, 2, &r, &f));
    return r;
}

/* Adds certificates [first, first + n). */
static struct population_result add_range(struct small *s, int first, int n)
{
    struct listed *rows = arena_array(&s->arena, (size_t)n, sizeof *rows);
    for (int i = 0; i < n; i++)
        rows[i] = row_of(s, first + i);
    struct population p = list_of(rows, (size_t)n);
    return add(s, &p);
}

/* An inventory row for certificate n, with names of its own. */
static struct inventory_row known(struct small *s, int n)
{
    return (struct inventory_row){.issuer = s->issuer,
                                  .serial = row_of(s, n).serial,
                                  .subscriber = arena_format(&s->arena, "sub-%d", n % 7),
                                  .subject = "",
                                  .not_before = small_at(-1000),
                                  .not_after = small_at(2000),
                                  .has_cert_sha256 = true,
                                  .cert_sha256 = digest_of(&n, sizeof n),
                                  .dns_names = arena_format(&s->arena, "host-%d.example", n),
                                  .type = "DV",
                                  .cdp = "http://crl.example/1.crl",
                                  .ocsp = "",
                                  .certificate_file = "",
                                  .line = (size_t)n + 1};
}

static void put(struct small *s, const struct inventory_row *rows, size_t n)
{
    struct act act = small_act(s, 1, "ann");
    CHECK(store_inventory_put(s->store, &act, rows, n, &f));
}

static void drop(struct small *s, int n)
{
    struct act act = small_act(s, 2, "ann");
    struct listed item = row_of(s, n);
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
        struct population p = list_of(rows, list.accepted);
        p.lines = (int64_t)intake_list_in(&list);
        p.duplicate = (int64_t)list.duplicate;
        p.rejected = (int64_t)list.rejects.count;
        struct population_result r = add(s, &p);
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
        *r = known(s, i);
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
        rows[i] = row_of(s, i);
    rows[SUPPLIED].by_hash = true;
    struct population p = list_of(rows, KINDS);
    return add(s, &p);
}

static void kinds_are_told_apart(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[KINDS];
    put(s, rows, every_kind(s, rows));
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
    put(s, rows, every_kind(s, rows));
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
    struct inventory_row rows[KINDS], late[2] = {known(s, 100), known(s, OTHER_TWIN)};
    put(s, rows, every_kind(s, rows));
    assert_int_equal(small_number(s, count), 2);
    late[0].dns_names = "a.example b.example";
    put(s, late, 1);
    assert_int_equal(small_number(s, count), 3);
    late[0].dns_names = "c.example";
    put(s, late, 2);
    assert_int_equal(small_number(s, count), 0);
}

static void keys_bring_their_others(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[6];
    for (int i = 0; i < 6; i++) {
        rows[i] = known(s, i);
        rows[i].has_spki_sha256 = i < 5;
        rows[i].spki_sha256 = digest_of(i < 3 ? "key a" : "key b", 5);
    }
    put(s, rows, 6);
    struct listed listed[] = {row_of(s, 0), row_of(s, 5), row_of(s, 77)};
    struct population p = list_of(listed, 3);
    p.reason = REASON_KEY_COMPROMISE;
    p.heuristic = "the key was mailed to us";
    p.decision = "the others are of another key ceremony";
    struct population_result r = add(s, &p);
    assert_int_equal(r.added, 3);
    assert_int_equal(r.expanded, 0);
    p.expand_keys = true;
    p.decision = "";
    r = add(s, &p);
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
    assert_int_equal(
        small_number(s,
                     "SELECT count(*) FROM event WHERE campaign = 2 AND leaf LIKE '%another key ceremony%'"),
        1);
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
    add_range(s, 0, 10);
    drop(s, 0);
    add_range(s, 5, 10); /* 10 to 14 are new */
    drop(s, 1);
    drop(s, 12);
    add_range(s, 0, 1); /* withdrawn: the campaign has it already */
    CHECK(store_population_versions(s->store, s->campaign.id, &s->arena, &v, &n, &f));
    assert_int_equal(n, 3);
    assert_int_equal(v[0].added, 10);
    assert_int_equal(v[0].dropped, 1);
    assert_int_equal(v[1].added, 5);
    assert_int_equal(v[1].dropped, 2);
    assert_int_equal(v[2].added, 0);
    assert_int_equal(v[2].cohort, 1);
    CHECK(store_population_since(s->store, s->campaign.id, 1, 3, &s->arena, &d, &f));
    assert_int_equal(d.same, 8);
    assert_int_equal(d.added, 4);
    assert_int_equal(d.dropped, 2); /* both went after version 1; 12 came and went */
    assert_int_equal(d.count, 5);
    assert_true(d.changes[0].added);
    assert_int_equal(d.changes[0].version, 2);
    assert_false(d.changes[3].added);
    assert_string_equal(d.changes[3].state, "withdrawn");
    CHECK(store_population_since(s->store, s->campaign.id, 3, 3, &s->arena, &d, &f));
    assert_int_equal(d.added + d.dropped, 0);
    assert_int_equal(d.same, 12);
}

static void a_list_is_compared_both_ways(void **state)
{
    struct small *s = *state;
    struct inventory_row row = known(s, 20);
    struct population_difference d;
    struct listed rows[12];
    put(s, &row, 1);
    add_range(s, 0, 10);
    drop(s, 9);
    for (int i = 0; i < 12; i++) /* 2 to 11, 20, and 9 twice withdrawn */
        rows[i] = row_of(s, i < 10 ? i + 2 : 10 + i);
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
    assert_int_equal(add_range(s, 0, 3).cohort, 1);
    assert_int_equal(add_range(s, 3, 3).cohort, 1);
    s->campaign.id = 1; /* started */
    assert_int_equal(add_range(s, 0, 3).cohort, 2);
    struct population_result again = add_range(s, 0, 3);
    assert_int_equal(again.added, 0);
    assert_int_equal(again.cohort, 2);
    assert_int_equal(add_range(s, 3, 1).cohort, 3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE campaign = 1"), 3);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE campaign = 1 AND started_at IS NULL"),
                     2);
}

static void an_unknown_list_makes_no_cohort(void **state)
{
    struct small *s = *state;
    struct population p = list_of(NULL, 0);
    struct population_result r = add(s, &p);
    assert_int_equal(r.cohort, 0);
    assert_int_equal(r.version, 1);
    assert_int_equal(add_range(s, 0, 1).cohort, 1);
}

/* ---- asking ---- */

static void hashes_are_found(void **state)
{
    struct small *s = *state;
    struct inventory_row rows[KINDS];
    put(s, rows, every_kind(s, rows));
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
        listed[4 - i] = row_of(s, i); /* not in the order of the key; the last is in no inventory */
    for (int i = 0; i < 4; i++) {
        rows[i] = known(s, i);
        rows[i].not_before = small_at(i);
    }
    listed[4 - 3].by_hash = true;
    put(s, rows, 4);
    CHECK(store_issued_after(s->store, listed, 5, small_at(1), refused, &n, &f));
    assert_int_equal(n, 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(refused[4 - i], i == 2);
}

/* ---- several at once, and a death ---- */

static struct store *another_session(struct small *s)
{
    struct store *store;
    CHECK(store_open(test_conninfo(), s->schema, &store, &f));
    return store;
}

/* In a process of its own: ten lists that overlap with everybody's. Ends 0 when all went well. */
static pid_t importer(struct small *s, int nth)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct small mine = *s;
    mine.store = another_session(s);
    for (int i = 0; i < 10; i++) {
        struct inventory_row row = known(&mine, nth * 10 + i);
        add_range(&mine, (nth * 7 + i * 5) % 40, 20);
        put(&mine, &row, 1);
    }
    store_close(mine.store);
    _exit(0);
}

static void many_import_at_once(void **state)
{
    struct small *s = *state;
    pid_t children[4];
    int status;
    for (int i = 0; i < 4; i++)
        children[i] = importer(s, i);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(small_number(s, "SELECT count(DISTINCT version) FROM population WHERE campaign = 2"),
                     40);
    assert_int_equal(small_number(s,
                                  "SELECT (SELECT sum(added) FROM population WHERE campaign = 2) - (SELECT "
                                  "count(*) FROM certificate WHERE campaign = 2)"),
                     0);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2"), 59);
    assert_int_equal(small_number(s, "SELECT count(*) FROM cohort WHERE campaign = 2"), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE campaign = 2 AND type = 'import'"),
                     40);
    assert_int_equal(
        small_number(s, "SELECT count(*) FROM certificate k LEFT JOIN inventory v USING (issuer, serial) "
                        "WHERE campaign = 2 AND known <> (v.serial IS NOT NULL)"),
        0);
}

static void nothing_is_left(struct small *s)
{
    assert_int_equal(
        small_number(s,
                     "SELECT (SELECT count(*) FROM certificate WHERE campaign = 2) + (SELECT count(*) "
                     "FROM population WHERE campaign = 2) + (SELECT count(*) FROM cohort WHERE "
                     "campaign = 2) + (SELECT count(*) FROM event WHERE campaign = 2 AND type = 'import')"),
        0);
}

static void die(void *context, const char *query, bool after)
{
    if (after == *(bool *)context && strcmp(query, "population_add") == 0)
        _exit(9);
}

/* A process that imports 1,000 and dies before or after its one statement, or, with neither, in the middle.
 */
static pid_t doomed(struct small *s, bool *after)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct small mine = *s;
    mine.store = another_session(s);
    if (after != NULL)
        store_hook(mine.store, die, after);
    add_range(&mine, 0, 1000);
    _exit(0);
}

static void wait_until(struct small *s, const char *sql, int64_t wanted)
{
    for (int i = 0; small_number(s, sql) != wanted; i++) {
        assert_true(i < 300);
        usleep(50000);
        PQclear(PQexec(s->sql, "SELECT pg_stat_clear_snapshot()"));
    }
}

static void a_death_leaves_all_or_nothing(void **state)
{
    struct small *s = *state;
    static const char waiting[] =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
        "'%population_add%' AND query NOT LIKE '%pg_stat%'";
    bool after = false;
    int status;
    waitpid(doomed(s, &after), &status, 0);
    assert_int_equal(WEXITSTATUS(status), 9);
    nothing_is_left(s);
    PQclear(PQexec(s->sql, "BEGIN; UPDATE log SET size = size WHERE campaign = 2"));
    pid_t child = doomed(s, NULL);
    wait_until(s, waiting, 1); /* everything is written but the event */
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    wait_until(s, waiting, 0);
    PQclear(PQexec(s->sql, "COMMIT"));
    nothing_is_left(s);
    after = true;
    waitpid(doomed(s, &after), &status, 0);
    assert_int_equal(WEXITSTATUS(status), 9);
    assert_int_equal(small_number(s, "SELECT count(*) FROM certificate WHERE campaign = 2"), 1000);
    assert_int_equal(small_number(s, "SELECT added FROM population WHERE campaign = 2"), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_carry_through, start, stop),
        cmocka_unit_test_setup_teardown(kinds_are_told_apart, start, stop),
        cmocka_unit_test_setup_teardown(order_does_not_matter, start, stop),
        cmocka_unit_test_setup_teardown(siblings_follow_the_inventory, start, stop),
        cmocka_unit_test_setup_teardown(keys_bring_their_others, start, stop),
        cmocka_unit_test_setup_teardown(versions_tell_what_came_and_went, start, stop),
        cmocka_unit_test_setup_teardown(a_list_is_compared_both_ways, start, stop),
        cmocka_unit_test_setup_teardown(late_ones_form_cohorts, start, stop),
        cmocka_unit_test_setup_teardown(an_unknown_list_makes_no_cohort, start, stop),
        cmocka_unit_test_setup_teardown(hashes_are_found, start, stop),
        cmocka_unit_test_setup_teardown(replacements_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(many_import_at_once, start, stop),
        cmocka_unit_test_setup_teardown(a_death_leaves_all_or_nothing, start, stop),
    };
    return cmocka_run_group_tests_name("population", tests, NULL, NULL);
}
