/* A million certificates of one CRL marked published in the ledger: journal, sightings, pages and log leaf in
 * one transaction, durable. The peer is what a table with a state column would do: one UPDATE of a million
 * rows that keeps no record of what moved. Same server, each round on rows of its own. Once every page is of
 * one kind, once states and needs are mixed on each and the CRL lacks some. */
#include "../lib/cluster.h"
#include "bench.h"
#include "massrevoke/store_outside.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATES 1000000
#define RECEIVED 1790000000
#define SCHEMA "bench_publish"

#define MUST(call)                                                                                           \
    do {                                                                                                     \
        struct fault f = {0};                                                                                \
        if (!(call))                                                                                         \
            bench_die("%s: %s", #call, f.text);                                                              \
    } while (0)

struct publish {
    struct store *store;
    PGconn *sql;
    int64_t *numbers;
    int rounds;
};

static void make(void **context)
{
    struct publish *b = *context = calloc(1, sizeof *b);
    bench_store(SCHEMA, &b->store, &b->sql);
    b->numbers = calloc(CERTIFICATES, sizeof *b->numbers);
    for (int i = 0; i < CERTIFICATES; i++)
        b->numbers[i] = i;
}

static void done(void *context)
{
    struct publish *b = context;
    bench_sql(b->sql, "DROP SCHEMA " SCHEMA " CASCADE");
    PQfinish(b->sql);
    store_close(b->store);
    free(b->numbers);
    free(b);
}

/* States and needs of a page: all alike, or every byte by chance, most of them recorded and proved by the
 * CRL. */
static const char uniform[] =
    "decode(repeat(lpad(to_hex(state_code('recorded')::int), 2, '0'), 1000), 'hex'), "
    "decode(repeat('01', 1000), 'hex')";
static const char mixed[] =
    "decode((SELECT string_agg(lpad(to_hex((CASE WHEN hashint4(p * 1000 + o) % 20 = 0 THEN "
    "state_code('was_before') ELSE state_code('recorded') END)::int), 2, '0'), '' ORDER BY o) "
    "FROM generate_series(0, 999) o), 'hex'), "
    "decode((SELECT string_agg(CASE WHEN hashint4(p * 1000 + o) % 7 = 0 THEN '03' ELSE '01' END, '' ORDER BY "
    "o) "
    "FROM generate_series(0, 999) o), 'hex')";

/* A campaign whose every certificate the CA has recorded. */
static int recorded(struct publish *b, const char *kind)
{
    char name[16], sql[1600];
    int campaign;
    struct act act = {0, {RECEIVED}, "ann"};
    snprintf(name, sizeof name, "c%d", ++b->rounds);
    struct campaign c = {
        .name = name, .mode = "live", .rule = "4.9.1.1-12", .profile = "tls-5-day", .received = {RECEIVED}};
    MUST(store_campaign_open(b->store, &act, &c, "mail", &campaign, &f));
    snprintf(
        sql, sizeof sql,
        "INSERT INTO page (campaign, page, cohort, issuer, states, needs, scope, used, pending_publication) "
        "SELECT %d, p, 1, 1, %s, sha256(''), 1000, 1000 FROM generate_series(0, %d) p",
        campaign, kind, CERTIFICATES / 1000 - 1);
    bench_sql(b->sql, sql);
    bench_sql(b->sql, "VACUUM ANALYZE page");
    bench_sql(b->sql, "CHECKPOINT");
    return campaign;
}

static ssize_t read_text(void *context, char *out, size_t room)
{
    size_t *at = context, n = 3 - *at < room ? 3 - *at : room;
    if (out == NULL)
        return (ssize_t)(*at = 0);
    memcpy(out, "CRL", n);
    *at += n;
    return (ssize_t)n;
}

static double sight(struct publish *b, const char *kind, const int64_t *numbers, size_t count)
{
    struct act act = {recorded(b, kind), {RECEIVED + 100}, "engine"};
    size_t at = 0;
    bool fresh;
    struct sighting sight = {.crl = true,
                             .url = "http://crl.example/1.crl",
                             .issuer = 1,
                             .number = -1,
                             .sha256 = digest_of("CRL", 3),
                             .size = 3,
                             .read = read_text,
                             .context = &at,
                             .crl_number = {"\x07", 1},
                             .this_update = {RECEIVED + 50},
                             .next_update = {RECEIVED + 90000},
                             .counts = true,
                             .findings = "{}",
                             .seen = numbers,
                             .seen_count = count};
    double begun = bench_now();
    MUST(store_sight(b->store, &act, &sight, &fresh, &f));
    double took = bench_now() - begun;
    char sql[200];
    snprintf(
        sql, sizeof sql,
        "SELECT 1 / (sum(c) = %zu)::int FROM (SELECT cardinality(offsets) AS c FROM change WHERE campaign = "
        "%d) x",
        count, act.campaign);
    bench_sql(b->sql, sql);
    return took;
}

static double ours(void *context)
{
    struct publish *b = context;
    return sight(b, uniform, b->numbers, CERTIFICATES);
}

static double ours_mixed(void *context)
{
    struct publish *b = context;
    size_t n = 0;
    int64_t *numbers = calloc(CERTIFICATES, sizeof *numbers);
    for (int64_t i = 0; i < CERTIFICATES; i++)
        if (i * 7 % 997 != 0)
            numbers[n++] = i;
    double took = sight(b, mixed, numbers, n);
    free(numbers);
    return took;
}

static double plain_update(void *context)
{
    struct publish *b = context;
    bench_sql(b->sql, "DROP TABLE IF EXISTS peer; CREATE TABLE peer (issuer integer, serial bytea, state "
                      "smallint NOT NULL, "
                      "published_at bigint, PRIMARY KEY (issuer, serial)); INSERT INTO peer "
                      "SELECT 1, substr(sha256(int4send(n)), 1, 16), 6 FROM generate_series(1, 1000000) n");
    bench_sql(b->sql, "VACUUM ANALYZE peer");
    bench_sql(b->sql, "CHECKPOINT");
    double begun = bench_now();
    bench_sql(b->sql, "UPDATE peer SET state = 11, published_at = 1790000100 WHERE state = 6");
    return bench_now() - begun;
}

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        {.name = "publish_1m",
         .peer_name = "plain UPDATE",
         .unit = "s",
         .pairs = 3,
         .ours = ours,
         .peer = plain_update,
         .make = make,
         .free = done},
        {.name = "publish_1m_mixed",
         .peer_name = "plain UPDATE",
         .unit = "s",
         .pairs = 3,
         .ours = ours_mixed,
         .peer = plain_update,
         .make = make,
         .free = done},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
