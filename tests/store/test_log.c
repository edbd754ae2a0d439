/* Does evidence verify find and name every changed, dropped, reordered or added event and fact? */
#include "../lib/cluster.h"
#include "../lib/shell.h"
#include "../lib/small.h"
#include "massrevoke/store_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOTICE                                                                                               \
    "SELECT notice_begin(1, 1, 'sub-1', 1, 'first', 1790000000);"                                            \
    "SELECT notice_tried(1, '{1}', '{accepted}', '{250 ok}', 1790000000, 'engine')"

static void build(struct small *s)
{
    small_open(s);
    small_finish(s);
    PGresult *r = PQexec(s->sql, NOTICE);
    assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
    PQclear(r);
}

static struct log_verdict verify(struct small *s, const struct log_head *claimed)
{
    struct log_verdict v;
    struct fault f = {0};
    if (!store_log_verify(s->store, s->campaign.id, claimed, &v, &f))
        fail_msg("%s", f.text);
    return v;
}

#define REHASH(set)                                                                                          \
    "UPDATE event SET " set "; UPDATE event SET hash = sha256('\\x00'::bytea || convert_to(leaf, 'UTF8'))"

/* 0 open, 1 import, 2 inventory, 3 plan, 4 start, 5 claim, 6 and 7 settle, 8 give_back, 9 sighting, 10
 * notices. */
static const struct {
    const char *sql, *what;
} sabotages[] = {
    {"UPDATE event SET leaf = replace(leaf, 'ann', 'bob') WHERE seq = 1", "event 1: its leaf was changed"},
    {"UPDATE event SET hash = sha256('x') WHERE seq = 3", "event 3: its leaf was changed"},
    {REHASH("leaf = replace(leaf, 'ann', 'bob') WHERE seq = 1"),
     "event 1: its columns are not what its leaf says"},
    {"UPDATE event SET actor = 'bob' WHERE seq = 4", "event 4: its columns are not what its leaf says"},
    {"UPDATE event SET at = at + 1 WHERE seq = 4", "event 4: its columns are not what its leaf says"},
    {"UPDATE event SET type = 'resume' WHERE seq = 4", "event 4: its columns are not what its leaf says"},
    {REHASH("leaf = replace(leaf, ',\"seq\"', ', \"seq\"') WHERE seq = 2"),
     "event 2: its leaf is not in canonical form"},
    {REHASH("leaf = 'x' WHERE seq = 2"), "event 2: its leaf is no JSON"},
    {"DELETE FROM event WHERE seq = 3", "event 3 is missing"},
    {"DELETE FROM event WHERE seq = 10", "event 10 is missing: 11 were written"},
    {"UPDATE event SET seq = -1 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3; UPDATE event SET seq "
     "= 3 "
     "WHERE seq = -1",
     "event 2: its leaf is that of another place in the log"},
    {"INSERT INTO event SELECT campaign, 11, at, actor, type, replace(leaf, '\"seq\":4', '\"seq\":11'), "
     "sha256('\\x00'::bytea || convert_to(replace(leaf, '\"seq\":4', '\"seq\":11'), 'UTF8')) FROM event "
     "WHERE seq = 4",
     "event 11 was added: 11 were written"},
    {"UPDATE change SET afters = set_byte(afters, 0, 12) WHERE seq = 6",
     "event 6: the change row of page 0 was changed"},
    {"DELETE FROM change WHERE seq = 5 AND step = 1", "event 5: the change row of page 0 is missing"},
    {"INSERT INTO change SELECT campaign, seq, 9, page, offsets, events, befores, afters FROM change WHERE "
     "seq = 7",
     "event 7: a change row of page 0 was added"},
    {"UPDATE result SET ca_at[1] = 5 WHERE seq = 6", "event 6: the result row of page 0 was changed"},
    {"DELETE FROM result WHERE seq = 6", "event 6: the result row of page 0 is missing"},
    {"INSERT INTO result SELECT campaign, 6, page, plan, chunk, epoch, offsets, outcomes, ca_at, ca_reasons "
     "FROM "
     "result WHERE seq = 7",
     "event 6: a result row of page 0 was added"},
    {"INSERT INTO result SELECT campaign, 99, page, plan, chunk, epoch, offsets, outcomes, ca_at, ca_reasons "
     "FROM "
     "result WHERE seq = 7",
     "a result row of page 0 names event 99, which is not there"},
    {"UPDATE sighting SET seen = set_bit(seen, 1, 0)", "event 9: the sighting row of page 0 was changed"},
    {"DELETE FROM sighting", "event 9: the sighting row of page 0 is missing"},
    {"INSERT INTO sighting SELECT campaign, seq, page, 2, seen, missing FROM sighting",
     "event 9: a sighting row of page 0 was added"},
    {"UPDATE object SET sha256 = sha256('x')", "event 9: the sighting row of page 0 was changed"},
    {"UPDATE object_part SET bytes = 'x'", "the bytes of fetched object "},
    {"DELETE FROM object_part", "the bytes of fetched object "},
    {"UPDATE notice_try SET outcome = 'refused'", "event 10: the notice_try row of notice 1 was changed"},
    {"UPDATE notice_try SET text = 'never said'", "event 10: the notice_try row of notice 1 was changed"},
    {"DELETE FROM notice_try", "event 10: the notice_try row of notice 1 is missing"},
    {"INSERT INTO notice_try SELECT campaign, seq, notice, 2, outcome, at, text FROM notice_try",
     "event 10: a notice_try row of notice 1 was added"},
    {"UPDATE page SET states = set_byte(states, 3, 6)",
     "page 0: its counter says 20 revoked, its state bytes 19"},
    {"UPDATE certificate SET serial = '\\x1234' WHERE id = 3", "page 0: its certificate rows are not those"},
    {"UPDATE certificate SET reason = 1 WHERE id = 3", "page 0: its certificate rows are not those"},
};

static void sabotage_is_named(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sabotages / sizeof *sabotages; i++) {
        struct small s;
        build(&s);
        small_sabotage(&s, sabotages[i].sql);
        struct log_verdict v = verify(&s, NULL);
        assert_false(v.ok);
        if (strncmp(v.what, sabotages[i].what, strlen(sabotages[i].what)) != 0)
            fail_msg("%s: said \"%s\", not \"%s\"", sabotages[i].sql, v.what, sabotages[i].what);
        small_close(&s);
    }
}

static void whole_and_grown_from_a_head(void **unused)
{
    (void)unused;
    struct small s;
    struct log_head then, none = {0};
    struct fault f = {0};
    small_open(&s);
    assert_true(store_log_head(s.store, s.campaign.id, &then, &f));
    assert_int_equal(then.size, 5);
    small_finish(&s);
    struct log_verdict v = verify(&s, &then);
    assert_string_equal(v.what, "");
    assert_true(v.ok);
    assert_int_equal(v.head.size, 10);
    assert_true(store_log_head_parse("0:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                     &none, &f));
    assert_true(verify(&s, &none).ok); /* SHA-256 of nothing: the empty tree */
    struct log_head longer = {12, v.head.root};
    assert_string_equal(verify(&s, &longer).what, "the head given has 12 events, the log has 10");
    /* a history rewritten without a flaw is whole in itself; only the head that was published tells */
    small_sabotage(&s, REHASH("leaf = replace(leaf, 'ann', 'bob'), actor = 'bob' WHERE seq = 1"));
    assert_true(verify(&s, NULL).ok);
    v = verify(&s, &then);
    assert_false(v.ok);
    assert_memory_equal(v.what, "the first 5 events have root ", 29);
    small_close(&s);
}

static void heads_are_read_strictly(void **unused)
{
    (void)unused;
    static const char *const wrong[] = {
        "",
        "5",
        "5:",
        "5:abc",
        "-1:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "5:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct log_head head;
        struct fault f = {0};
        assert_false(store_log_head_parse(wrong[i], &head, &f));
        assert_int_equal(f.kind, FAULT_USAGE);
    }
}

/* The folder is checked by what it says itself: sha256sum, and the two recipes when there is a python3. */
static void an_export_checks_itself(void **unused)
{
    (void)unused;
    struct small s;
    struct log_head head;
    struct fault f = {0};
    char hex[DIGEST_TEXT];
    build(&s);
    char *parent = test_folder();
    const char *folder = arena_format(&s.arena, "%s/evidence", parent);
    free(parent);
    assert_true(store_log_export(s.store, s.campaign.id, folder, &head, &f));
    assert_false(store_log_export(s.store, s.campaign.id, folder, &head, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    const char *expected =
        arena_format(&s.arena, "%lld:%s\n", (long long)head.size, digest_hex(head.root, hex));
    static const char script[] =
        "sha256sum -c --quiet SHA256SUMS && ls objects/*.crl >/dev/null && test $(wc -l < events.jsonl) = 11 "
        "|| exit 1; "
        "if command -v python3 >/dev/null; then "
        "sed -n '/^```python/,/^```$/{/^```/!p}' VERIFY.md > check.py && python3 check.py; "
        "else cat head; echo every fact belongs to its event; fi";
    AUTO_BUF said = {0};
    assert_int_equal(SHELL(folder, &said, "sh", "-c", script), 0);
    assert_string_equal(said.p, arena_format(&s.arena, "%severy fact belongs to its event\n", expected));
    small_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_grown_from_a_head),
        cmocka_unit_test(heads_are_read_strictly),
        cmocka_unit_test(sabotage_is_named),
        cmocka_unit_test(an_export_checks_itself),
    };
    return cmocka_run_group_tests_name("store log", tests, NULL, NULL);
}
