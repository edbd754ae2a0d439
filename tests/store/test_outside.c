/* Is what the world shows kept as the design says: pages moved by the one table, old objects moving nothing,
 * bytes only where they prove something, edges side by side with an event when their findings change? */
#include "../lib/check.h"
#include "../lib/small.h"
#include "massrevoke/store_alert.h"
#include "massrevoke/store_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct text {
    const char *text;
    size_t at;
};

static ssize_t read_text(void *context, char *out, size_t room)
{
    struct text *t = context;
    if (out == NULL)
        return (ssize_t)(t->at = 0);
    size_t left = strlen(t->text) - t->at, n = left < room ? left : room;
    n = n > 3 ? 3 : n; /* in small pieces */
    memcpy(out, t->text + t->at, n);
    t->at += n;
    return (ssize_t)n;
}

/* A CRL with that number and text, showing [first, first + n). */
static struct sighting crl(struct small *s, char number, struct text *bytes, const int64_t *seen, size_t n)
{
    return (struct sighting){.crl = true,
                             .url = "http://crl.example/1.crl",
                             .issuer = s->issuer,
                             .number = -1,
                             .sha256 = digest_of(bytes->text, strlen(bytes->text)),
                             .size = (int64_t)strlen(bytes->text),
                             .read = read_text,
                             .context = bytes,
                             .crl_number = {arena_copy(&s->arena, &number, 1), 1},
                             .this_update = small_at(number),
                             .next_update = small_at(number + 100),
                             .counts = true,
                             .findings = "{}",
                             .seen = seen,
                             .seen_count = n};
}

static bool keep(struct small *s, const struct sighting *sight, int hours)
{
    struct act act = small_act(s, hours, "engine");
    bool fresh;
    CHECK(store_sight(s->store, &act, sight, &fresh, &f));
    return fresh;
}

static const char *kept(struct small *s)
{
    PGresult *r = PQexec(s->sql, "SELECT string_agg(keep || ':' || (SELECT count(*) FROM object_part p WHERE "
                                 "p.sha256 = o.sha256), ' ' ORDER BY object) FROM object o");
    const char *text = arena_text(&s->arena, PQgetvalue(r, 0, 0));
    PQclear(r);
    return text;
}

/* The two ways of moving a page come to the same bytes, journal and counters, whatever stands there. */
static void whole_pages_move_as_single_certificates_do(void **state)
{
    struct small *s = *state;
    small_sabotage(s, "CREATE TABLE twin (LIKE page INCLUDING DEFAULTS); INSERT INTO twin SELECT 9, p, 1, 1, "
                      "decode(string_agg(lpad(to_hex(1 + (o * 7 + p * 3) % 15 + 16 * ((o + p) % 4)), 2, "
                      "'0'), '' ORDER BY o), 'hex'), "
                      "decode(string_agg(lpad(to_hex(1 + (o + p) % 3), 2, '0'), '' ORDER BY o), 'hex'), "
                      "sha256(''), '{}', 1000 "
                      "FROM generate_series(0, 5) p CROSS JOIN generate_series(0, 999) o GROUP BY p");
    small_sabotage(s, "UPDATE twin SET states = decode(repeat('06', 1000), 'hex'), needs = "
                      "decode(repeat('01', 1000), 'hex') "
                      "WHERE page = 3");
    /* a short page and a full one, without any order in them */
    small_sabotage(
        s,
        "UPDATE twin SET used = x.n, states = x.states, needs = x.needs FROM (SELECT p, count(*) AS n, "
        "decode(string_agg(lpad(to_hex(1 + (hashint4(p * 1000 + o) & 1023) % 13 + 16 * (hashint4(o) & 15)), "
        "2, '0'), '' ORDER BY o), 'hex') AS states, "
        "decode(string_agg(lpad(to_hex(hashint4(p * 2000 + o) & 3), 2, '0'), '' ORDER BY o), 'hex') AS "
        "needs FROM generate_series(4, 5) p CROSS JOIN generate_series(0, 999) o WHERE p = 5 OR o < 701 "
        "GROUP BY p) x WHERE x.p = page");
    small_sabotage(
        s,
        "UPDATE twin t SET revoked = x.a[1], pending_publication = x.a[2], not_revoked = x.a[3], held = "
        "x.a[4], "
        "expired = x.a[5], unknown = x.a[6], withdrawn = x.a[7], doubt = x.d, needs_person = x.n, "
        "canary_open = 0 "
        "FROM (SELECT page, (SELECT array_agg(c ORDER BY b) FROM (SELECT b, count(*) FILTER (WHERE "
        "get_byte(ledger_buckets(), get_byte(states, o) & 15) = b) AS c FROM generate_series(1, 7) b "
        "CROSS JOIN "
        "generate_series(0, used - 1) o GROUP BY b) y) AS a, (SELECT count(*) FROM generate_series(0, used - "
        "1) o "
        "WHERE "
        "get_byte(states, o) & 15 = state_code('doubt')) AS d, (SELECT count(*) FROM generate_series(0, "
        "used - 1) o WHERE "
        "get_byte(states, o) & 15 = state_code('needs_person')) AS n FROM twin) x WHERE x.page = t.page");
    /* both ways on copies of the same pages: campaign 9 byte by byte, campaign 8 by pages */
    small_sabotage(s, "INSERT INTO page SELECT * FROM twin; UPDATE twin SET campaign = 8; INSERT INTO page "
                      "SELECT * FROM twin");
    small_sabotage(
        s, "CREATE TABLE hit AS SELECT p * 1000 + o AS n, (o % 5 = 1 AND p <> 3)::boolean AS lost FROM "
           "generate_series(0, 5) p CROSS JOIN generate_series(0, 999) o WHERE ((o * 13 + p) % 4 <> 0 AND (p "
           "<> 2 OR o < 100) AND (p <> 5 OR o % 2 = 1)) OR p = 3");
    small_sabotage(
        s, "DO $x$ BEGIN PERFORM ledger_apply(9, 1, (SELECT array_agg(n ORDER BY n) FROM hit), (SELECT "
           "array_agg((CASE WHEN lost "
           "THEN event_code('lost_crl') ELSE event_code('saw_crl') END)::smallint ORDER BY n) FROM hit)); "
           "END $x$");
    small_sabotage(
        s,
        "DO $x$ BEGIN PERFORM ledger_apply_pages(8, 1, array_agg(p ORDER BY p), array_agg(seen ORDER BY p), "
        "array_agg(missing ORDER BY p), "
        "event_code('saw_crl'), event_code('lost_crl')) FROM (SELECT p, decode(string_agg(a, "
        "'' ORDER BY y), 'hex') AS seen, "
        "decode(string_agg(b, '' ORDER BY y), 'hex') AS missing FROM (SELECT p, y, "
        "lpad(to_hex(coalesce(sum(1 << (n % 8)) "
        "FILTER (WHERE NOT lost), 0)::int), 2, '0') AS a, lpad(to_hex(coalesce(sum(1 << (n % "
        "8)) FILTER (WHERE lost), 0)::int), "
        "2, '0') AS b FROM generate_series(0, 5) p CROSS JOIN generate_series(0, 124) y LEFT "
        "JOIN hit ON n / 1000 = p AND "
        "n % 1000 / 8 = y GROUP BY p, y) z GROUP BY p) w; END $x$");
    assert_int_equal(
        small_number(
            s, "SELECT count(*) FROM page a JOIN page b USING (page) WHERE a.campaign = 9 AND b.campaign = 8 "
               "AND "
               "a.states = b.states AND (a.revoked, a.pending_publication, a.not_revoked, a.held, a.expired, "
               "a.unknown, "
               "a.withdrawn, a.doubt, a.needs_person, a.canary_open) = (b.revoked, b.pending_publication, "
               "b.not_revoked, b.held, b.expired, b.unknown, b.withdrawn, b.doubt, b.needs_person, "
               "b.canary_open)"),
        6);
    assert_int_equal(
        small_number(
            s, "SELECT count(*) FROM change a JOIN change b USING (page, seq, step) WHERE a.campaign = 9 AND "
               "b.campaign = 8 AND (a.offsets, a.events, a.befores, a.afters) = (b.offsets, b.events, "
               "b.befores, b.afters)"),
        6);
    assert_true(
        small_number(
            s, "SELECT count(DISTINCT get_byte(afters, i)) FROM change CROSS JOIN generate_series(0, 300) i "
               "WHERE campaign = 8 AND i < length(afters)") > 4);
    small_sabotage(s,
                   "DELETE FROM page WHERE campaign IN (8, 9); DELETE FROM change WHERE campaign IN (8, 9)");
}

static void an_older_object_moves_nothing(void **state)
{
    struct small *s = *state;
    const int64_t first[] = {0, 1, 2}, more[] = {3, 4};
    struct text five = {"five", 0}, six = {"six", 0}, four = {"four, late", 0};
    struct sighting sight = crl(s, 5, &five, first, 3);
    assert_true(keep(s, &sight, 5));
    sight = crl(s, 4, &four, more, 2);
    assert_false(keep(s, &sight, 6)); /* sentence 9 */
    assert_int_equal(small_number(s, "SELECT revoked FROM page"), 3);
    sight = crl(s, 4, &four, NULL, 0);
    sight.missing = first;
    sight.missing_count = 3;
    assert_false(keep(s, &sight, 6));
    assert_int_equal(small_number(s, "SELECT revoked FROM page"), 3);
    sight = crl(s, 6, &six, more, 2);
    sight.counts = false;
    assert_false(keep(s, &sight, 7));
    sight.counts = true;
    assert_true(keep(s, &sight, 7));
    assert_int_equal(small_number(s, "SELECT revoked FROM page"), 5);
    struct pointer *pointers;
    size_t n;
    CHECK(store_pointers(s->store, s->campaign.id, &s->arena, &pointers, &n, &f));
    assert_int_equal(n, 1);
    assert_int_equal(pointers[0].number.n, 20);
    assert_int_equal(pointers[0].number.p[19], 6);
    assert_int_equal(pointers[0].this_update.s, small_at(6).s);
}

static void bytes_stay_where_they_prove_something(void **state)
{
    struct small *s = *state;
    const int64_t first[] = {0, 1, 2};
    struct text texts[6] = {{"proof", 0}, {"idle 1", 0}, {"idle 2", 0},
                            {"odd", 0},   {"idle 3", 0}, {"late", 0}};
    struct sighting sight = crl(s, 1, &texts[0], first, 3);
    assert_true(keep(s, &sight, 1));
    for (int i = 1; i < 5; i++) {
        sight = crl(s, (char)(i + 1), &texts[i], NULL, 0);
        sight.anomaly = i == 3;
        assert_true(keep(s, &sight, i + 1));
    }
    sight = crl(s, 2, &texts[5], NULL, 0);
    assert_false(keep(s, &sight, 9));
    assert_string_equal(kept(s), "proof:1 hash:0 hash:0 anomaly:1 latest:1 anomaly:1");
    int64_t events = small_number(s, "SELECT count(*) FROM event");
    sight = crl(s, 5, &texts[4], NULL, 0); /* the same once more: nothing is stored */
    assert_false(keep(s, &sight, 10));
    assert_int_equal(small_number(s, "SELECT count(*) FROM event"), events);
    sight = crl(s, 5, &texts[4], first, 1); /* known, but now it proves something: nothing moves twice */
    sight.seen = (int64_t[]){7};
    assert_true(keep(s, &sight, 10));
    assert_string_equal(kept(s), "proof:1 hash:0 hash:0 anomaly:1 proof:1 anomaly:1");
    struct log_verdict v;
    CHECK(store_log_verify(s->store, s->campaign.id, NULL, &v, &f));
    assert_string_equal(v.what, "");
    small_sabotage(s, "DELETE FROM object_part WHERE sha256 = (SELECT sha256 FROM object WHERE object = 5); "
                      "UPDATE object SET keep = 'hash' WHERE object = 5");
    CHECK(store_log_verify(s->store, s->campaign.id, NULL, &v, &f));
    assert_non_null(strstr(v.what, "the bytes of fetched object")); /* a sighting names it */
}

static void edges_stand_side_by_side(void **state)
{
    struct small *s = *state;
    struct act act = small_act(s, 3, "engine");
    struct edge edge = {.crl = true,
                        .issuer = s->issuer,
                        .url = "http://crl.example/1.crl",
                        .vantage = "fra",
                        .at = small_at(3),
                        .http_status = 200,
                        .problem = "",
                        .headers = "{\"Age\":\"7\"}",
                        .sha256 = digest_of("x", 1),
                        .size = 1,
                        .crl_number = {"\x05", 1},
                        .this_update = small_at(1),
                        .next_update = UTC_NONE,
                        .counts = true,
                        .findings = "",
                        .data = "{}"},
                *list;
    bool changed;
    size_t n;
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    assert_false(changed);
    edge.findings = "edge_older";
    edge.data = "{\"id\":\"edge_older\"}";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    assert_true(changed);
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    assert_false(changed); /* told once */
    edge.vantage = "nyc";
    edge.size = 0;
    edge.problem = "HTTP status 404";
    edge.findings = "edge_unreachable";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    assert_true(changed);
    assert_int_equal(small_number(s, "SELECT count(*) FROM event WHERE type = 'finding'"), 2);
    CHECK(store_edges(s->store, s->campaign.id, &s->arena, &list, &n, &f));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].vantage, "fra");
    assert_string_equal(list[0].findings, "edge_older");
    assert_int_equal(list[0].size, 1);
    assert_string_equal(list[1].problem, "HTTP status 404");
    /* what lasts is an alarm, an error in a CRL at once */
    struct alert_finding *alarms;
    edge.data =
        "{\"errors\":0,\"findings\":[{\"id\":\"edge_unreachable\",\"section\":\"BR\",\"seen\":\"404\","
        "\"severity\":\"warning\"}]}";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    CHECK(store_edge_alarms(s->store, s->campaign.id, small_at(3), &s->arena, &alarms, &n, &f));
    assert_int_equal(n, 0);
    edge.vantage = "sin";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    CHECK(store_edge_alarms(s->store, s->campaign.id, utc_add(small_at(3), (struct span){300}), &s->arena,
                            &alarms, &n, &f));
    assert_int_equal(n, 1); /* one for both */
    assert_string_equal(alarms[0].id, "edge_unreachable");
    edge.at = small_at(4);
    edge.findings = "";
    edge.data = "{\"errors\":0,\"findings\":[]}";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    edge.vantage = "nyc";
    edge.findings = "crl_issuer";
    edge.data =
        "{\"errors\":1,\"findings\":[{\"id\":\"crl_issuer\",\"section\":\"BR 7.2\",\"seen\":\"other bytes\","
        "\"severity\":\"error\"}]}";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    CHECK(store_edge_alarms(s->store, s->campaign.id, small_at(4), &s->arena, &alarms, &n, &f));
    assert_int_equal(n, 1);
    assert_string_equal(alarms[0].id, "crl_issuer");
    assert_int_equal(alarms[0].since.s, small_at(3).s); /* it was not well in between */
    edge.crl = false;
    edge.data = "{\"errors\":1,\"findings\":[{\"id\":\"ocsp_good_after\",\"section\":\"BR 4.9.9\","
                "\"seen\":\"good\",\"severity\":\"error\"}]}";
    CHECK(store_edge(s->store, &act, &edge, &changed, &f));
    CHECK(store_edge_alarms(s->store, s->campaign.id, small_at(4), &s->arena, &alarms, &n, &f));
    assert_int_equal(n, 1);
    CHECK(store_edge_alarms(s->store, s->campaign.id, small_at(5), &s->arena, &alarms, &n, &f));
    assert_int_equal(n, 2);
    assert_string_equal(alarms[1].id, "ocsp_good_after");
}

struct seen {
    size_t count, published;
};

static void count_proof(void *context, const struct proof *p)
{
    struct seen *seen = context;
    seen->count++;
    seen->published +=
        utc_is_set(p->published) && utc_sub(p->published, p->recorded).s == 3600 && p->checkable;
}

static void publication_is_timed(void **state)
{
    struct small *s = *state;
    struct publication *hours;
    struct not_checkable *dark;
    struct seen seen = {0};
    size_t n;
    int64_t total;
    small_finish(s); /* recorded in hour 2, published in hour 3 */
    CHECK(store_publication(s->store, &s->campaign, &s->arena, &hours, &n, &f));
    assert_int_equal(n, 1);
    assert_int_equal(hours[0].hour, 3);
    assert_int_equal(hours[0].certificates, SMALL_CERTIFICATES);
    assert_true(hours[0].median == 3600 && hours[0].p99 == 3600 && hours[0].slowest == 3600);
    CHECK(store_proofs(s->store, s->campaign.id, count_proof, &seen, &f));
    assert_int_equal(seen.count, SMALL_CERTIFICATES);
    assert_int_equal(seen.published, SMALL_CERTIFICATES);
    CHECK(store_not_checkable(s->store, s->campaign.id, 5, &s->arena, &dark, &n, &total, &f));
    assert_int_equal(total, 0);
    small_sabotage(
        s, "UPDATE page SET states = set_byte(states, 0, 6), revoked = revoked - 1, pending_publication = 1");
    small_sabotage(s, "UPDATE certificate SET needs = 0");
    CHECK(store_not_checkable(s->store, s->campaign.id, 5, &s->arena, &dark, &n, &total, &f));
    assert_int_equal(total, 1);
    assert_true(dark[0].known);
}

static void strangers_are_told_apart(void **state)
{
    struct small *s = *state;
    struct stranger *known;
    size_t n;
    small_sabotage(s, "INSERT INTO inventory (issuer, serial, subscriber, subject, dns_names, type, cdp, "
                      "ocsp, certificate_file) "
                      "SELECT issuer, '\\x7e01', '', '', '', '', '', '', '' FROM inventory LIMIT 1");
    PGresult *r = PQexec(s->sql, "SELECT serial FROM certificate ORDER BY id LIMIT 1");
    const char *hex = PQgetvalue(r, 0, 0);
    struct serial serials[3] = {{2, {0x7e, 0x01}}, {2, {0x7e, 0x02}}, {0}};
    for (const char *p = hex + 2; *p != '\0'; p += 2) {
        char two[3] = {p[0], p[1], '\0'};
        serials[2].bytes[serials[2].n++] = (uint8_t)strtoul(two, NULL, 16);
    }
    PQclear(r);
    CHECK(store_strangers(s->store, s->issuer, "http://another.example/", serials, 3, &s->arena, &known, &n,
                          &f));
    assert_int_equal(n, 2);
    assert_true(known[0].place == 0 && !known[0].elsewhere);
    assert_true(known[1].place == 2 && known[1].elsewhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_pages_move_as_single_certificates_do, small_set_up,
                                        small_tear_down),
        cmocka_unit_test_setup_teardown(an_older_object_moves_nothing, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(bytes_stay_where_they_prove_something, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(edges_stand_side_by_side, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(publication_is_timed, small_set_up, small_tear_down),
        cmocka_unit_test_setup_teardown(strangers_are_told_apart, small_set_up, small_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
