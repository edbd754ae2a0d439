/* What a plan is made from, what overtakes one, and what two plans say of each other. */
#include "../lib/check.h"
#include "../lib/small.h"
#include "massrevoke/embed.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_row(struct small *s, uint8_t last, const char *subscriber, const char *cdp, const char *ocsp)
{
    struct act act = small_act(s, 1, "ann");
    struct inventory_row row = {.issuer = s->issuer,
                                .serial = {.n = 2, .bytes = {0x10, last}},
                                .subscriber = subscriber,
                                .subject = "",
                                .not_before = small_at(-1000),
                                .not_after = small_at(2000),
                                .dns_names = "",
                                .type = "DV",
                                .cdp = cdp,
                                .ocsp = ocsp,
                                .certificate_file = ""};
    CHECK(store_inventory_put(s->store, &act, &row, 1, &f));
}

static void put_contact(struct small *s, const char *subscriber, enum contact_role role, const char *class,
                        bool bad)
{
    struct act act = small_act(s, 1, "ann");
    struct contact row = {.subscriber = subscriber,
                          .role = role,
                          .name = "",
                          .email = "x@example.com",
                          .language = "en",
                          .timezone = "UTC",
                          .phone = "",
                          .class = class,
                          .address_bad = bad};
    CHECK(store_contacts_put(s->store, &act, &row, 1, &f));
}

/* Writes one chunk of all of it, in a slot at that hour. */
static bool write_plan(struct small *s, int cohort, int hours, const struct plan_material *m, int *number,
                       struct fault *f)
{
    struct act act = small_act(s, 1, "ann");
    uint32_t *numbers = arena_array(&s->arena, m->certificate_count, sizeof *numbers);
    for (size_t i = 0; i < m->certificate_count; i++)
        numbers[i] = m->certificates[i].number;
    struct plan_slot slot = {.hour = hours, .start = small_at(hours)};
    struct plan_chunk chunk = {.due = small_at(hours), .count = (uint32_t)m->certificate_count};
    struct plan plan = {.slots = &slot,
                        .slot_count = 1,
                        .chunks = &chunk,
                        .chunk_count = 1,
                        .numbers = numbers,
                        .number_count = m->certificate_count,
                        .finish = small_at(hours + 1),
                        .remedy = "",
                        .text = "{}"};
    AUTO_JSON *summary = json_object();
    return store_plan_write(s->store, &act, cohort, m, &plan, summary, number, f);
}

static struct plan_material read_plan(struct small *s, int cohort)
{
    struct plan_material m;
    CHECK(store_plan_read(s->store, s->campaign.id, cohort, &s->arena, &m, &f));
    return m;
}

static void check_invariants(struct small *s)
{
    for (const struct embed_file *q = NULL; (q = embed_next("sql/invariant/", q)) != NULL;) {
        const char *const campaign[] = {"1"};
        PGresult *r = PQexecParams(s->sql, q->bytes.p, 1, NULL, campaign, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 0)
            fail_msg("%s: %s", q->path, PQerrorMessage(s->sql));
        PQclear(r);
    }
}

static void every_certificate_has_the_earliest_turn_that_fits(void **state)
{
    struct small *s = *state;
    static const struct {
        uint8_t last;
        const char *subscriber; /* NULL: in no inventory */
        const char *class, *backup;
        bool bad;
        enum plan_class turn;
    } rows[] = {
        {101, "a", "critical", "", false, CLASS_CRITICAL},
        {102, "b", "critical", "automated", false, CLASS_AUTOMATED},
        {103, "c", "nonsense", "", false, CLASS_IN_USE},
        {104, "d", "critical", "critical", true, CLASS_UNREACHABLE},
        {105, "e", "riskiest", "", true, CLASS_RISKIEST},
        {106, NULL, NULL, NULL, false, CLASS_ORPHAN},
        {107, "f", "critical", "", false, CLASS_REPLACED},
    };
    enum { N = sizeof rows / sizeof *rows };
    int cohort = small_late(s, 1, 101, N);
    for (size_t i = 0; i < N; i++) {
        if (rows[i].subscriber == NULL)
            continue;
        put_row(s, rows[i].last, rows[i].subscriber, i == 0 ? "http://b/" : "http://a/",
                i == 0 ? "http://o/" : "");
        put_contact(s, rows[i].subscriber, CONTACT_PRIMARY, rows[i].class, rows[i].bad);
        put_contact(s, rows[i].subscriber, CONTACT_BACKUP, rows[i].backup, rows[i].bad);
    }
    small_sabotage(s, "UPDATE certificate SET replaced = true WHERE serial = '\\x106b'");
    struct plan_material m = read_plan(s, cohort);
    assert_int_equal(m.certificate_count, N);
    assert_int_equal(m.subscriber_count, N); /* the orphan's is "", and first */
    for (size_t i = 0; i < N; i++) {
        const struct plan_certificate *c = &m.certificates[i];
        const char *id = m.subscribers[c->subscriber].id;
        for (size_t k = 0; k < N; k++)
            if (strcmp(rows[k].subscriber == NULL ? "" : rows[k].subscriber, id) == 0)
                assert_int_equal(c->turn, rows[k].turn);
        assert_int_equal(c->by_ocsp, strcmp(id, "a") == 0);
        assert_string_equal(m.shards[c->shard].url, id[0] == '\0'  ? ""
                                                    : id[0] == 'a' ? "http://b/"
                                                                   : "http://a/");
    }
}

static void a_shard_knows_the_size_of_its_crl(void **state)
{
    struct small *s = *state;
    size_t n;
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    small_settle(s, 1, c, CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED);
    small_sight(s, 2, 0, SMALL_CHUNK);
    struct act act = small_act(s, 2, "engine");
    CHECK(store_give_back(s->store, &act, s->engine, &c[0].chunk, 1, &f));
    struct plan_material m = read_plan(s, 1);
    assert_int_equal(m.certificate_count, SMALL_CHUNK); /* the others are published */
    assert_int_equal(m.subscriber_count, 1);
    assert_int_equal(m.shard_count, 1);
    assert_string_equal(m.shards[0].url, "http://crl.example/1.crl");
    assert_int_equal(m.shards[0].bytes, strlen("crl of hour 2"));
}

/* The plan made from `m` is refused, for what came between. */
static void is_overtaken(struct small *s, int cohort, const struct plan_material *m)
{
    struct fault f = {0};
    int number;
    assert_false(write_plan(s, cohort, 5, m, &number, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
}

static void what_overtakes_a_plan_leaves_nothing_written(void **state)
{
    struct small *s = *state;
    int number, cohort = small_late(s, 1, 101, 3);
    size_t n;
    struct plan_material fresh = read_plan(s, cohort), running = read_plan(s, 1);
    small_engine(s);
    (void)small_claim(s, 1, &n);
    is_overtaken(s, 1, &running);
    assert_int_equal(small_late(s, 1, 111, 1),
                     cohort + 1); /* after a start an addition is a cohort of its own */
    is_overtaken(s, cohort, &fresh);
    fresh = read_plan(s, cohort);
    assert_int_equal(fresh.certificate_count, 3);
    put_contact(s, "sub-1", CONTACT_PRIMARY, "critical", false);
    is_overtaken(s, cohort, &fresh);
    assert_int_equal(small_number(s, "SELECT count(*) FROM plan"), 1);
    assert_int_equal(small_number(s, "SELECT count(*) FROM page"), 1);
    fresh = read_plan(s, cohort);
    CHECK(write_plan(s, cohort, 5, &fresh, &number, &f));
    check_invariants(s);
}

static void planning_again_numbers_again(void **state)
{
    struct small *s = *state;
    int number, cohort = small_late(s, 1, 101, 3);
    for (int i = 0; i < 3; i++) {
        struct plan_material m = read_plan(s, cohort);
        CHECK(write_plan(s, cohort, 5, &m, &number, &f));
        assert_int_equal(number, 2 + i);
        assert_int_equal(m.certificates[0].number, 1000 * (i + 1));
        check_invariants(s);
    }
    put_row(s, 101, "sub-9", "", ""); /* takes the numbers back */
    assert_int_equal(small_number(s, "SELECT count(*) FROM affected WHERE number IS NOT NULL"),
                     SMALL_CERTIFICATES);
    check_invariants(s);
}

static void a_hold_binds_what_is_numbered_later(void **state)
{
    struct small *s = *state;
    int number, hold, cohort = small_late(s, 1, 101, 3);
    struct act act = small_act(s, 1, "ann");
    struct listed item = {.issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, 102}}};
    CHECK(store_hold_add(s->store, &act, "court", "o.pdf", digest_of("o", 1), UTC_NONE, &item, 1, &hold, &f));
    CHECK(store_hold_activate(s->store, &act, hold, &f));
    struct plan_material m = read_plan(s, cohort);
    assert_true(m.certificates[1].held && !m.certificates[0].held && !m.certificates[2].held);
    CHECK(write_plan(s, cohort, 5, &m, &number, &f));
    assert_int_equal(small_number(s, "SELECT held FROM page WHERE cohort = 2"), 1);
    check_invariants(s);
}

static void the_facts_of_another_campaigns_import_are_taken_over(void **state)
{
    struct small *s = *state;
    struct campaign other = {
        .name = "c2", .mode = "live", .rule = "4.9.1.1-12", .profile = "tls-5-day", .received = small_at(0)};
    struct act act = small_act(s, 1, "ann");
    int cohort = small_late(s, 1, 101, 1), first = s->campaign.id;
    CHECK(store_campaign_open(s->store, &act, &other, "mail", &s->campaign.id, &f));
    put_row(s, 101, "new", "http://n/", "");
    s->campaign.id = first;
    CHECK(store_plan_renew(s->store, &act, &f));
    CHECK(store_plan_renew(s->store, &act, &f)); /* nothing new */
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'renew'"), 1);
    struct plan_material m = read_plan(s, cohort);
    assert_string_equal(m.subscribers[0].id, "new");
    assert_string_equal(m.shards[0].url, "http://n/");
}

static void two_plans_compared(void **state)
{
    struct small *s = *state;
    struct plan_moves moves;
    int number;
    struct plan_material m = read_plan(s, 1);
    CHECK(write_plan(s, 1, 2, &m, &number, &f)); /* sub-1 was due in hour 1, sub-2 in hour 2 */
    CHECK(store_plan_moves(s->store, s->campaign.id, 1, number, &s->arena, &moves, &f));
    assert_int_equal(moves.earlier, 0);
    assert_int_equal(moves.later, 1);
    assert_int_equal(moves.count, 1);
    assert_string_equal(moves.rows[0].subscriber, "sub-1");
    assert_int_equal(moves.rows[0].was.s, small_at(1).s);
    assert_int_equal(moves.rows[0].is_now.s, small_at(2).s);
    CHECK(store_plan_moves(s->store, s->campaign.id, number, 1, &s->arena, &moves, &f));
    assert_int_equal(moves.earlier, 1);
    CHECK(store_plan_moves(s->store, s->campaign.id, 1, 1, &s->arena, &moves, &f));
    assert_int_equal(moves.count, 0);
}

int main(void)
{
#define ON_A_CAMPAIGN(test) cmocka_unit_test_setup_teardown(test, small_set_up, small_tear_down)
    const struct CMUnitTest tests[] = {
        ON_A_CAMPAIGN(every_certificate_has_the_earliest_turn_that_fits),
        ON_A_CAMPAIGN(a_shard_knows_the_size_of_its_crl),
        ON_A_CAMPAIGN(what_overtakes_a_plan_leaves_nothing_written),
        ON_A_CAMPAIGN(planning_again_numbers_again),
        ON_A_CAMPAIGN(a_hold_binds_what_is_numbered_later),
        ON_A_CAMPAIGN(the_facts_of_another_campaigns_import_are_taken_over),
        ON_A_CAMPAIGN(two_plans_compared),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
