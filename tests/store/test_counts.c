/* Does a look that carries on what was kept tell the same as one that counts, whatever happened in between,
 * and does it carry on where nothing changed but the states? The campaign is small; it is told that it is
 * large. */
#include "../lib/check.h"
#include "../lib/small.h"
#include "massrevoke/reporter.h"
#include "massrevoke/store_notice.h"
#include "massrevoke/store_population.h"
#include "massrevoke/store_report.h"
#include "massrevoke/store_safety.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct snapshot look(struct small *s, int hours, bool anew)
{
    static const struct snapshot_terms terms = {
        .quorum = 1, .publish_margin = {3600}, .reserve = {12L * 3600}};
    struct snapshot out;
    CHECK(store_snapshot(s->store, &s->campaign, small_at(hours), &terms, anew, &s->arena, &out, &f));
    return out;
}

/* Everything that comes from counting, as text. */
static const char *told(struct small *s, const struct snapshot *x)
{
    AUTO_BUF text = {0};
    char root[DIGEST_TEXT];
    reporter_status_json(x, &text);
    buf_format(&text, "log %d %s\n", (int)x->log_size, digest_hex(x->log_root, root));
    for (size_t i = 0; i < x->hour_count; i++)
        buf_format(&text, "hour %d: %d %d %d\n", (int)utc_sub(x->hours[i].start, x->received).s / 3600,
                   (int)x->hours[i].planned, (int)x->hours[i].recorded, (int)x->hours[i].published);
    for (size_t i = 0; i < x->issuer_count; i++)
        buf_format(&text, "%s: %d\n", x->issuers[i].subject, (int)x->issuers[i].affected);
    for (size_t i = 0; i < x->cohort_count; i++)
        buf_format(&text, "cohort %d: %d within the SHOULD\n", x->cohorts[i].cohort,
                   (int)x->cohorts[i].should_24h);
    buf_format(&text, "types %d %d %d %d %d, not checkable %d\n", (int)x->types_dv, (int)x->types_ov,
               (int)x->types_iv, (int)x->types_ev, (int)x->types_unknown, (int)x->not_checkable);
    buf_format(&text, "people %d %d %d %d %d, backups %d, sent %d, refused %d, tasks %d\n",
               (int)x->subscribers, (int)x->subscribers_told, (int)x->subscribers_acked,
               (int)x->subscribers_bad_address, (int)x->subscribers_no_contact, (int)x->backups_told,
               (int)x->notices_sent, (int)x->notices_refused, (int)x->tasks.open);
    return arena_copy(&s->arena, text.p, text.n);
}

/* Looks twice and compares; true when the first look carried on what was kept. What is kept stays as the
 * first look left it. */
static bool carried(struct small *s, int hours)
{
    int64_t seq = small_number(s, "SELECT coalesce(max(seq + inventory + contact), -1) FROM kept");
    struct snapshot kept = look(s, hours, false);
    int64_t after = small_number(s, "SELECT seq + inventory + contact FROM kept");
    small_sabotage(s, "CREATE TABLE aside AS SELECT * FROM kept");
    struct snapshot anew = look(s, hours, true);
    small_sabotage(s, "DELETE FROM kept; INSERT INTO kept SELECT * FROM aside; DROP TABLE aside");
    assert_true(kept.balance_ok);
    assert_string_equal(told(s, &kept), told(s, &anew));
    return after == seq;
}

static void enlarge(struct small *s)
{
    small_sabotage(s, "UPDATE campaign SET next_certificate = next_certificate + 1000000");
    small_sabotage(
        s, "INSERT INTO contact (subscriber, role, tier, name, email, language, timezone, phone, class, "
           "address_bad) VALUES ('sub-1', 'primary', 1, 'N', 'n@example.com', 'en', 'UTC', '', '', false),"
           "('sub-1', 'backup', 1, 'B', 'b@example.com', 'en', 'UTC', '', '', true)");
}

static struct listed item(const struct small *s, int i)
{
    return (struct listed){
        .issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, (uint8_t)(i + 1)}}, .line = 1};
}

static const char *drop(struct small *s, int hours, int i)
{
    struct act act = small_act(s, hours, "ann");
    struct listed row = item(s, i);
    const char **verdicts;
    CHECK(store_drop(s->store, &act, &row, 1, "not affected", &s->arena, &verdicts, &f));
    return verdicts[0];
}

static void notify(struct small *s, int hours, const char *role, enum mail_outcome outcome)
{
    struct act act = small_act(s, hours, "engine");
    int64_t notice,
        contact =
            small_number(s, arena_format(&s->arena, "SELECT contact FROM contact WHERE role = '%s'", role));
    struct utc first;
    CHECK(store_notice_begin(s->store, &act, 1, "sub-1", contact, NOTICE_FIRST, 0, &notice, &first, &f));
    struct notice_result result = {notice, outcome, "250"};
    CHECK(store_notice_tried(s->store, &act, &result, 1, &f));
}

static void daily_work_is_carried_on(void **state)
{
    struct small *s = *state;
    size_t n;
    enlarge(s);
    assert_false(carried(s, 0)); /* the first look counts */
    assert_true(carried(s, 0));
    small_engine(s);
    struct claim *c = small_claim(s, 1, &n);
    assert_true(carried(s, 1));
    c->count = 6;
    small_settle(s, 1, c, CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED);
    assert_true(carried(s, 1));
    c->numbers += 6, c->count = 2;
    small_settle(s, 2, c, CA_ASK, CERTIFICATE_EVENT_NO_ANSWER);
    c->numbers += 2, c->count = 1;
    small_settle(s, 2, c, CA_UNKNOWN, CERTIFICATE_EVENT_NOT_KNOWN);
    c->numbers += 1, c->count = 1;
    small_settle(s, 2, c, CA_PERSON, CERTIFICATE_EVENT_PERSON);
    assert_true(carried(s, 2));
    small_sight(s, 3, 0, 4);
    assert_true(carried(s, 3));
    notify(s, 3, "primary", MAIL_REFUSED);
    assert_true(carried(s, 3));
    notify(s, 3, "primary", MAIL_ACCEPTED);
    assert_true(carried(s, 3));
    notify(s, 4, "backup", MAIL_ACCEPTED);
    notify(s, 4, "primary", MAIL_ACCEPTED);
    assert_true(carried(s, 4));
    assert_int_equal(look(s, 4, false).subscribers_told, 1);
    assert_int_equal(look(s, 4, false).notices_sent, 3);
}

static void what_is_held_or_expires_is_carried_on(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "ann");
    struct listed rows[2];
    int hold;
    int64_t released;
    enlarge(s);
    rows[0] = item(s, 3), rows[1] = item(s, 12);
    (void)carried(s, 0);
    CHECK(store_hold_add(s->store, &act, "court", "order", digest_of("", 0), UTC_NONE, rows, 2, &hold, &f));
    CHECK(store_hold_activate(s->store, &act, hold, &f));
    assert_true(carried(s, 1));
    assert_int_equal(look(s, 1, false).totals.held, 2);
    CHECK(store_hold_release(s->store, &act, hold, rows, 1, &released, &f));
    assert_true(carried(s, 1));
    act = small_act(s, 3000, "engine");
    CHECK(store_expire(s->store, &act, &(int64_t){0}, &f));
    assert_true(carried(s, 3000));
    assert_int_equal(look(s, 3000, false).totals.expired, SMALL_CERTIFICATES);
}

static void a_change_of_the_list_is_counted(void **state)
{
    struct small *s = *state;
    size_t n;
    enlarge(s);
    (void)carried(s, 0);
    small_engine(s);
    assert_string_equal(drop(s, 0, 15), "withdrawn");
    assert_false(carried(s, 0));
    assert_true(carried(s, 0));
    struct claim *c = small_claim(s, 1, &n);
    (void)carried(s, 1);
    assert_string_equal(drop(s, 1, 2), "noted");
    assert_false(carried(s, 1));
    small_settle(s, 1, c, CA_UNKNOWN, CERTIFICATE_EVENT_NOT_KNOWN); /* and the note is applied */
    assert_false(carried(s, 1));
    assert_int_equal(look(s, 1, false).totals.affected, SMALL_CERTIFICATES - 2);
    assert_true(carried(s, 1));
    PQclear(PQexec(
        s->sql, "SET session_replication_role = origin; UPDATE inventory SET type = 'EV' WHERE type = 'DV'"));
    assert_false(carried(s, 1));
    PQclear(PQexec(s->sql, "SET session_replication_role = origin; UPDATE contact SET address_bad = true"));
    assert_false(carried(s, 1));
    (void)small_late(s, 2, 200, 1);
    assert_false(carried(s, 2));
    assert_int_equal(look(s, 2, false).cohort_count, 2);
}

/* A look that had much to carry on leaves less to the next. */
static void much_is_kept_again(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 1, "ann");
    enlarge(s);
    (void)carried(s, 0);
    for (int i = 0; i < 101; i++)
        CHECK(store_ack(s->store, &act, "sub-1", "yes", &(bool){false}, &f));
    assert_false(carried(s, 1));
    assert_true(carried(s, 1));
    assert_int_equal(small_number(s, "SELECT l.size - k.seq FROM log l JOIN kept k USING (campaign)"), 0);
}

/* What is kept is no fact: a damaged text is counted anew. */
static void damage_is_counted(void **state)
{
    struct small *s = *state;
    enlarge(s);
    (void)carried(s, 0);
    small_sabotage(s, "UPDATE kept SET body = 'nonsense'");
    assert_int_equal(look(s, 0, false).totals.affected, SMALL_CERTIFICATES);
    assert_true(carried(s, 0));
    small_sabotage(s, "UPDATE kept SET body = '{\"certificates\":{},\"margin\":3600}'"); /* another receipt */
    assert_int_equal(look(s, 0, false).totals.affected, SMALL_CERTIFICATES);
}

static void a_state_is_counted_by_its_bits(void **state)
{
    struct small *s = *state;
    static const char wrong[] =
        "SELECT count(*) FROM generate_series(1, 300) n CROSS JOIN LATERAL (SELECT decode(string_agg("
        "lpad(to_hex(CASE WHEN n % 3 = 0 THEN 8 ELSE (floor(random() * 256)::integer + g) % 256 END), 2, "
        "'0'), ''), "
        "'hex') "
        "AS bytes FROM generate_series(0, n * 3) g) x CROSS JOIN generate_series(0, 15) c WHERE "
        "count_state(x.bytes, c) <> (SELECT count(*) FROM generate_series(0, length(x.bytes) - 1) i "
        "WHERE get_byte(x.bytes, i) & 15 = c)";
    assert_int_equal(small_number(s, wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(daily_work_is_carried_on, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(what_is_held_or_expires_is_carried_on, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_the_list_is_counted, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(much_is_kept_again, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(damage_is_counted, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(a_state_is_counted_by_its_bits, small_set_up, small_tear_down),
    };
    return cmocka_run_group_tests_name("store counts", tests, NULL, NULL);
}
