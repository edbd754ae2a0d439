#include "small.h"
#include "check.h"
#include "cluster.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct utc at(int64_t seconds)
{
    return (struct utc){SMALL_RECEIVED + seconds};
}

struct utc small_at(int hours)
{
    return at((int64_t)hours * 3600);
}

struct act small_act(const struct small *s, int hours, const char *who)
{
    return (struct act){s->campaign.id, small_at(hours), who};
}

int small_late(struct small *s, int hours, uint8_t last, int n)
{
    struct act act = small_act(s, hours, "ann");
    struct listed rows[8];
    struct population_result result;
    assert_in_range(n, 1, 8);
    for (int i = 0; i < n; i++)
        rows[i] = (struct listed){
            .issuer = s->issuer, .serial = {.n = 2, .bytes = {0x10, (uint8_t)(last + i)}}, .line = i + 1};
    struct population p = {.rule = "4.9.1.1-12",
                           .source = "late.txt",
                           .reason = REASON_SUPERSEDED,
                           .received = small_at(hours),
                           .deadline = small_at(hours + 5 * 24),
                           .should_by = UTC_NONE,
                           .lines = n,
                           .accepted = n,
                           .rows = rows,
                           .count = (size_t)n};
    CHECK(store_population_add(s->store, &act, &p, NULL, 0, &result, &f));
    return result.cohort;
}

static struct serial serial_of(int i)
{
    return (struct serial){.n = 2, .bytes = {0x10, (uint8_t)(i + 1)}};
}

static void import_list(struct small *s, const struct act *act)
{
    struct listed rows[SMALL_CERTIFICATES];
    struct population_result result;
    for (int i = 0; i < SMALL_CERTIFICATES; i++)
        rows[i] = (struct listed){.issuer = s->issuer, .serial = serial_of(i), .line = i + 1};
    struct population p = {.rule = "4.9.1.1-12",
                           .source = "list.txt",
                           .reason = REASON_SUPERSEDED,
                           .received = small_at(0),
                           .deadline = small_at(5 * 24),
                           .should_by = small_at(24),
                           .lines = SMALL_CERTIFICATES,
                           .accepted = SMALL_CERTIFICATES,
                           .rows = rows,
                           .count = SMALL_CERTIFICATES};
    CHECK(store_population_add(s->store, act, &p, NULL, 0, &result, &f));
    assert_int_equal(result.added, SMALL_CERTIFICATES);
}

static void put_inventory(struct small *s, const struct act *act)
{
    struct inventory_row rows[SMALL_CERTIFICATES] = {{0}};
    for (int i = 0; i < SMALL_CERTIFICATES; i++) {
        struct inventory_row *r = &rows[i];
        r->issuer = s->issuer;
        r->serial = serial_of(i);
        r->subscriber = i < SMALL_CHUNK ? "sub-1" : "sub-2";
        r->subject = arena_format(&s->arena, "CN=host-%d.example", i);
        r->not_before = small_at(-1000);
        r->not_after = small_at(2000);
        r->dns_names = "host.example";
        r->type = i % 2 == 0 ? "DV" : "OV";
        r->cdp = "http://crl.example/1.crl";
        r->ocsp = r->certificate_file = "";
    }
    CHECK(store_inventory_put(s->store, act, rows, SMALL_CERTIFICATES, &f));
}

/* Two chunks of SMALL_CHUNK, an hour apart. */
static void deal(struct small *s, const struct act *act)
{
    struct plan_material m;
    uint32_t numbers[SMALL_CERTIFICATES];
    int number;
    CHECK(store_plan_read(s->store, s->campaign.id, 1, &s->arena, &m, &f));
    assert_int_equal(m.certificate_count, SMALL_CERTIFICATES);
    struct plan_slot slots[] = {{.hour = 1, .start = small_at(1)}, {.hour = 2, .start = small_at(2)}};
    struct plan_chunk chunks[] = {
        {.slot = 0, .due = small_at(1), .first = 0, .count = SMALL_CHUNK},
        {.slot = 1, .due = small_at(2), .first = SMALL_CHUNK, .count = SMALL_CHUNK}};
    for (size_t i = 0; i < m.certificate_count; i++)
        numbers[i] = m.certificates[i].number;
    struct plan plan = {.feasible = true,
                        .slots = slots,
                        .slot_count = 2,
                        .chunks = chunks,
                        .chunk_count = 2,
                        .numbers = numbers,
                        .number_count = m.certificate_count,
                        .finish = small_at(3),
                        .remedy = "",
                        .text = "{}"};
    AUTO_JSON *summary = json_object();
    json_set_bool(summary, "feasible", true);
    CHECK(store_plan_write(s->store, act, 1, &m, &plan, summary, &number, &f));
}

void small_open(struct small *s)
{
    static int nth;
    *s = (struct small){0};
    s->schema = arena_format(&s->arena, "small_%ld_%d", (long)getpid(), nth++);
    CHECK(store_open(test_conninfo(), s->schema, &s->store, &f));
    s->sql = PQconnectdb(test_conninfo());
    PQclear(PQexec(s->sql, arena_format(&s->arena, "SET client_min_messages TO error; SET search_path TO %s",
                                        s->schema)));
    s->campaign = (struct campaign){
        .name = "c1", .mode = "live", .rule = "4.9.1.1-12", .profile = "tls-5-day", .received = small_at(0)};
    struct act act = small_act(s, 0, "ann");
    CHECK(store_campaign_open(s->store, &act, &s->campaign, "mail", &s->campaign.id, &f));
    CHECK(store_campaign_find(s->store, "c1", &s->arena, &s->campaign, &f));
    act.campaign = s->campaign.id;
    CHECK(store_issuer(s->store, digest_of("issuer", 6), "CN=Test CA", "", &s->issuer, &f));
    import_list(s, &act);
    put_inventory(s, &act);
    deal(s, &act);
    CHECK(store_start(s->store, &act, 1, 1, &f));
}

void small_close(struct small *s)
{
    store_close(s->store);
    PQclear(PQexec(s->sql, arena_format(&s->arena, "DROP SCHEMA %s CASCADE", s->schema)));
    PQfinish(s->sql);
    arena_free(&s->arena);
}

void small_engine(struct small *s)
{
    CHECK(store_engine_begin(s->store, s->campaign.id, "host", 1, "engine", small_at(1), &s->engine, &f));
}

struct claim *small_claim(struct small *s, int hours, size_t *n)
{
    struct act act = small_act(s, hours, "engine");
    struct claim *claims = NULL;
    CHECK(store_claim(s->store, &act, s->engine, 0, 1000, NULL, 0, &s->arena, &claims, n, &f));
    return claims;
}

void small_settle(struct small *s, int hours, const struct claim *c, enum ca_outcome outcome,
                  enum certificate_event event)
{
    struct act act = small_act(s, hours, "engine");
    struct settlement *items = arena_array(&s->arena, c->count, sizeof *items);
    int64_t stray;
    for (size_t i = 0; i < c->count; i++)
        items[i] = (struct settlement){c->chunk, c->epoch, c->numbers[i], outcome, event, small_at(hours), 4};
    CHECK(store_settle(s->store, &act, items, c->count, &stray, &f));
}

/* Bytes that are read once. */
static ssize_t read_text(void *context, char *out, size_t room)
{
    static size_t at;
    const char *text = context;
    if (out == NULL)
        return (ssize_t)(at = 0);
    size_t n = strlen(text + at) < room ? strlen(text + at) : room;
    memcpy(out, text + at, n);
    at += n;
    return (ssize_t)n;
}

void small_sight(struct small *s, int hours, int64_t first, size_t n)
{
    struct act act = small_act(s, hours, "engine");
    int64_t numbers[SMALL_CERTIFICATES];
    bool fresh;
    for (size_t i = 0; i < n; i++)
        numbers[i] = first + (int64_t)i;
    char *text = arena_format(&s->arena, "crl of hour %d", hours);
    struct sighting sight = {.crl = true,
                             .url = "http://crl.example/1.crl",
                             .issuer = s->issuer,
                             .number = -1,
                             .sha256 = digest_of(text, strlen(text)),
                             .size = (int64_t)strlen(text),
                             .read = read_text,
                             .context = text,
                             .this_update = small_at(hours),
                             .next_update = small_at(hours + 100),
                             .counts = true,
                             .findings = "[]",
                             .seen = numbers,
                             .seen_count = n};
    CHECK(store_sight(s->store, &act, &sight, &fresh, &f));
    assert_true(fresh);
}

void small_finish(struct small *s)
{
    size_t n;
    small_engine(s);
    struct claim *claims = small_claim(s, 2, &n);
    assert_int_equal(n, 2);
    int chunks[] = {claims[0].chunk, claims[1].chunk};
    struct act act = small_act(s, 2, "engine");
    for (size_t i = 0; i < n; i++)
        small_settle(s, 2, &claims[i], CA_REVOKED_NOW, CERTIFICATE_EVENT_REVOKED);
    CHECK(store_give_back(s->store, &act, s->engine, chunks, 2, &f));
    small_sight(s, 3, claims[0].numbers[0], SMALL_CERTIFICATES);
}

void small_sabotage(struct small *s, const char *sql)
{
    PGresult *r = PQexec(s->sql, arena_format(&s->arena, "SET session_replication_role = replica; %s", sql));
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(s->sql));
    PQclear(r);
}

bool small_look(struct small *s, struct snapshot *out, struct fault *f)
{
    static const struct snapshot_terms terms = {.quorum = 1, .publish_margin = {3600}};
    return store_snapshot(s->store, &s->campaign, small_at(0), &terms, true, &s->arena, out, f);
}

int64_t small_number(struct small *s, const char *sql)
{
    PGresult *r = PQexec(s->sql, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) == 0)
        fail_msg("%s: %s", sql, PQerrorMessage(s->sql));
    int64_t value = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return value;
}

int small_set_up(void **state)
{
    struct small *s = malloc(sizeof *s);
    small_open(s);
    *state = s;
    return 0;
}

int small_tear_down(void **state)
{
    small_close(*state);
    free(*state);
    return 0;
}
