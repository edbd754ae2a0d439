/* The ledger alone: claims and outcomes of 100,000 certificates with their facts, pages and log, against a
 * table of rows that workers lease with SKIP LOCKED and update a thousand at a time. Chunks once as the
 * planner deals them, and once so that each touches every page. */
#include "../lib/cluster.h"
#include "bench.h"
#include "massrevoke/store_queue.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CERTIFICATES 100000
#define BATCH 1000
#define RECEIVED INT64_C(1790000000)

struct world {
    struct arena arena;
    struct store *store;
    PGconn *sql;
    const char *schema;
    int campaign, engine;
    bool scattered;
};

static void make(void **context, bool scattered)
{
    struct world *w = calloc(1, sizeof *w);
    struct fault f = {0};
    if (w == NULL)
        bench_die("no memory");
    *context = w;
    w->scattered = scattered;
    w->schema = arena_format(&w->arena, "bench_ledger_%ld", (long)getpid());
    bench_store(w->schema, &w->store, &w->sql);
    struct campaign c = {.name = "bench",
                         .mode = "live",
                         .rule = "4.9.1.1-12",
                         .profile = "tls-5-day",
                         .received = {RECEIVED}};
    struct act act = {0, {RECEIVED}, "ann"};
    bench_must(store_campaign_open(w->store, &act, &c, "mail", &w->campaign, &f) &&
                   store_engine_begin(w->store, w->campaign, "host", 1, "engine", act.at, &w->engine, &f),
               "campaign", &f);
    bench_sql(w->sql, arena_format(&w->arena,
                                   "INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, "
                                   "started_at) VALUES (%d, 1, '4.9.1.1-12', 4, %lld, %lld, %lld);"
                                   "CREATE TABLE peer (id bigint PRIMARY KEY, serial bytea, state smallint, "
                                   "lease_until bigint, owner integer, outcome smallint, at bigint) WITH "
                                   "(autovacuum_enabled = off);"
                                   "CREATE INDEX peer_state ON peer (id) WHERE state = 0",
                                   w->campaign, (long long)RECEIVED, (long long)RECEIVED + 432000,
                                   (long long)RECEIVED));
}

static void make_dealt(void **context)
{
    make(context, false);
}

static void make_scattered(void **context)
{
    make(context, true);
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

/* Pages and chunks as a plan leaves them. */
static void deal(struct world *w)
{
    bench_sql(
        w->sql,
        arena_format(
            &w->arena,
            "TRUNCATE chunk, page;"
            "INSERT INTO page (campaign, page, cohort, issuer, states, needs, scope, used, not_revoked) "
            "SELECT %d, p, 1, 1, bytes_of(state_code('waiting'), 1000), bytes_of(1, 1000), sha256(''), "
            "1000, 1000 FROM generate_series(0, %d) p;"
            "INSERT INTO chunk (campaign, chunk, plan, cohort, ca, issuer, canary, slot_start, due_at, "
            "numbers) SELECT %d, k + 1, 1, 1, 0, 1, false, 0, 0, ARRAY(SELECT %s FROM "
            "generate_series(0, 999) g) FROM generate_series(0, %d) k",
            w->campaign, CERTIFICATES / 1000 - 1, w->campaign,
            w->scattered ? "g / 10 * 1000 + k * 10 + g % 10" : "k * 1000 + g", CERTIFICATES / 1000 - 1));
    bench_sql(w->sql, "VACUUM ANALYZE page, chunk");
    bench_sql(w->sql, "CHECKPOINT");
}

static double ours(void *context)
{
    struct world *w = context;
    struct fault f = {0};
    struct act act = {w->campaign, {RECEIVED}, "engine"};
    int64_t done = 0;
    deal(w);
    double begun = bench_now();
    for (size_t n = 1; n > 0;) {
        AUTO_ARENA a = {0};
        struct claim *claims;
        int chunks[64];
        bench_must(store_claim(w->store, &act, w->engine, 0, 4 * BATCH, NULL, 0, &a, &claims, &n, &f),
                   "claim", &f);
        for (size_t c = 0; c < n; c++) {
            struct settlement *items = arena_array(&a, claims[c].count, sizeof *items);
            int64_t stray;
            chunks[c] = claims[c].chunk;
            for (size_t i = 0; i < claims[c].count; i++)
                items[i] = (struct settlement){claims[c].chunk,
                                               claims[c].epoch,
                                               claims[c].numbers[i],
                                               CA_REVOKED_NOW,
                                               CERTIFICATE_EVENT_REVOKED,
                                               act.at,
                                               4};
            bench_must(store_settle(w->store, &act, items, claims[c].count, &stray, &f), "settle", &f);
            done += (int64_t)claims[c].count - stray;
        }
        if (n > 0)
            bench_must(store_give_back(w->store, &act, w->engine, chunks, n, &f), "give back", &f);
    }
    if (done != CERTIFICATES)
        bench_die("%lld outcomes", (long long)done);
    return bench_now() - begun;
}

static double row_lease(void *context)
{
    struct world *w = context;
    bench_sql(w->sql,
              arena_format(&w->arena,
                           "TRUNCATE peer; INSERT INTO peer SELECT g, substr(sha256(int4send(g)), 1, 16), 0 "
                           "FROM generate_series(1, %d) g",
                           CERTIFICATES));
    bench_sql(w->sql, "VACUUM ANALYZE peer");
    bench_sql(w->sql, "CHECKPOINT");
    double begun = bench_now();
    int64_t done = 0;
    for (int64_t n = 1; n > 0; done += n) {
        AUTO_ARENA a = {0};
        AUTO_BUF ids = {0};
        PGresult *r = PQexec(w->sql, "UPDATE peer SET state = 1, owner = 1, lease_until = 60 WHERE id = ANY "
                                     "(ARRAY(SELECT id FROM peer WHERE state = 0 ORDER BY id LIMIT 1000 FOR "
                                     "UPDATE SKIP LOCKED)) RETURNING id, serial");
        n = PQntuples(r);
        for (int i = 0; i < PQntuples(r); i++)
            buf_format(&ids, "%s%s", i == 0 ? "{" : ",", PQgetvalue(r, i, 0));
        PQclear(r);
        if (n == 0)
            break;
        bench_sql(w->sql, arena_format(&a,
                                       "UPDATE peer p SET state = 2, outcome = 0, at = 1790000000 FROM "
                                       "unnest('%s}'::bigint[]) u(id) WHERE p.id = u.id",
                                       ids.p));
    }
    if (done != CERTIFICATES)
        bench_die("%lld rows", (long long)done);
    return bench_now() - begun;
}

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        {.name = "ledger",
         .peer_name = "row-lease design",
         .unit = "s",
         .pairs = 5,
         .ours = ours,
         .peer = row_lease,
         .make = make_dealt,
         .free = drop},
        {.name = "ledger_scattered",
         .peer_name = "row-lease design",
         .unit = "s",
         .pairs = 3,
         .ours = ours,
         .peer = row_lease,
         .make = make_scattered,
         .free = drop},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
