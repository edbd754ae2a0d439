/* How fast is a plan end to end, database included, against the SQL way on the same server? */
#include "../lib/cluster.h"
#include "bench.h"
#include "massrevoke/planner.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_queue.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CERTIFICATES 1000000
#define SUBSCRIBERS 100000
#define SLOTS 96
#define RECEIVED INT64_C(1790000000)

struct world {
    struct arena arena;
    struct store *store;
    PGconn *sql;
    const char *schema;
    int campaign;
};

/* A campaign as after import: rows in the order of a sorted list, facts taken over, subscribers shuffled. The
 * peer's table has the same keys, the same rows in the same order, and a slot. */
static void make(void **context)
{
    struct world *w = calloc(1, sizeof *w);
    struct fault f = {0};
    if (w == NULL)
        bench_die("no memory");
    *context = w;
    w->schema = arena_format(&w->arena, "bench_plan_%ld", (long)getpid());
    bench_store(w->schema, &w->store, &w->sql);
    struct campaign c = {.name = "bench",
                         .mode = "live",
                         .rule = "4.9.1.1-12",
                         .profile = "tls-5-day",
                         .received = {RECEIVED}};
    struct act act = {0, {RECEIVED}, "ann"};
    int issuer = 0;
    bench_must(store_campaign_open(w->store, &act, &c, "mail", &w->campaign, &f) &&
                   store_issuer(w->store, digest_of("issuer", 6), "CN=Bench CA", "http://crl.example/ca.crl",
                                &issuer, &f),
               "campaign", &f);
    bench_sql(
        w->sql,
        arena_format(
            &w->arena,
            "INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline) VALUES (%d, 1, "
            "'4.9.1.1-12', 4, "
            "%lld, %lld);"
            "SELECT certificates_table(%d), certificates_index(%d), certificates_attach(%d);"
            "INSERT INTO certificate (campaign, issuer, serial, cohort, version, line, reason, id, known, "
            "subscriber, not_after, needs, shard) SELECT %d, %d, z, 1, 1, i, 4, i - 1, true, 'subscriber-' "
            "|| "
            "(i * 7919::bigint %% %d), %lld + i %% 8000000, 1, shard_of('http://crl.example/' || i %% 8 || "
            "'.crl', "
            "'') FROM (SELECT z, row_number() OVER (ORDER BY z) AS i FROM (SELECT "
            "substr(sha256(int4send(g)), 1, 16) AS z FROM generate_series(1, %d) g) x) y;"
            "INSERT INTO contact (subscriber, role, tier, name, email, language, timezone, phone, class, "
            "address_bad) SELECT 'subscriber-' || g, 'primary', 1, '', g || '@example.com', 'en', 'UTC', '', "
            "'', "
            "false FROM generate_series(0, %d) g;"
            "UPDATE campaign SET next_certificate = %d;"
            "CREATE TABLE peer (issuer integer, serial bytea, subscriber text, slot integer, PRIMARY KEY "
            "(issuer, "
            "serial)) WITH (autovacuum_enabled = off);"
            "INSERT INTO peer SELECT issuer, serial, subscriber FROM certificate ORDER BY id",
            w->campaign, (long long)RECEIVED, (long long)RECEIVED + 432000, w->campaign, w->campaign,
            w->campaign, w->campaign, issuer, SUBSCRIBERS, (long long)RECEIVED + 500000, CERTIFICATES,
            SUBSCRIBERS - 1, CERTIFICATES));
    bench_sql(w->sql, "VACUUM ANALYZE certificate");
    bench_sql(w->sql, "VACUUM ANALYZE contact");
    bench_sql(w->sql, "CHECKPOINT");
}

static void drop(void *context)
{
    struct world *w = context;
    bench_sql(w->sql, arena_format(&w->arena, "DROP SCHEMA %s CASCADE", w->schema));
    PQfinish(w->sql);
    store_close(w->store);
    arena_free(&w->arena);
    free(w);
}

static void build(const struct plan_material *m, struct arena *a, struct plan *out)
{
    struct fault f = {0};
    static const struct rate rate = {100, 1};
    struct plan_input in = {
        .certificates = m->certificates,
        .certificate_count = m->certificate_count,
        .subscribers = m->subscribers,
        .subscriber_count = m->subscriber_count,
        .shards = m->shards,
        .shard_count = m->shard_count,
        .ca_rates = &rate,
        .ca_count = 1,
        .received = {RECEIVED},
        .deadline = {432000},
        .should = {86400},
        .now = {RECEIVED},
        .profile = {.first_slot = {43200},
                    .publish_margin = {7200},
                    .reserve = {21600},
                    .canary = 10,
                    .crl_every = {3600}},
    };
    bench_must(planner_build(&in, a, out, &f), "planner", &f);
}

/* Read, number, hash, plan, write, commit. */
static double ours(void *context)
{
    struct world *w = context;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct plan_material m;
    struct plan plan;
    int number;
    struct act act = {w->campaign, {RECEIVED}, "ann"};
    bench_sql(w->sql, "UPDATE cohort SET plan = NULL; TRUNCATE chunk, plan, page, member, place");
    bench_sql(w->sql, "CHECKPOINT");
    double start = bench_now();
    bench_must(store_plan_read(w->store, w->campaign, 1, &a, &m, &f), "read", &f);
    double read = bench_now();
    build(&m, &a, &plan);
    double planned = bench_now();
    AUTO_JSON *summary = planner_json(&plan);
    bench_must(store_plan_write(w->store, &act, 1, &m, &plan, summary, &number, &f), "write", &f);
    double end = bench_now();
    if (m.certificate_count != CERTIFICATES)
        bench_die("%zu certificates", m.certificate_count);
    printf("    read, number and hash %.3f s, plan %.3f s (%zu chunks), write %.3f s\n", read - start,
           planned - read, plan.chunk_count, end - planned);
    return end - start;
}

/* A slot for every certificate by one window function over the order of subscribers, in place. */
static double peer(void *context)
{
    struct world *w = context;
    bench_sql(w->sql, "VACUUM ANALYZE peer");
    bench_sql(w->sql, "CHECKPOINT");
    double start = bench_now();
    bench_sql(w->sql,
              arena_format(&w->arena,
                           "UPDATE peer t SET slot = x.slot FROM (SELECT issuer, serial, (row_number() "
                           "OVER (ORDER BY issuer, "
                           "subscriber COLLATE \"C\", length(serial), serial) - 1) * %d / %d AS slot "
                           "FROM peer) x WHERE t.issuer = "
                           "x.issuer AND t.serial = x.serial",
                           SLOTS, CERTIFICATES));
    return bench_now() - start;
}

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        {.name = "plan_1m",
         .peer_name = "sql",
         .unit = "s",
         .pairs = 5,
         .ours = ours,
         .peer = peer,
         .make = make,
         .free = drop},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
