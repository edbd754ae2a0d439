/* Where it stands, of ten million certificates: the snapshot that `status` prints, read over an open
 * connection as `status --watch` does, against counting by state what a row per certificate would hold. Half
 * of them are published, half wait; what connecting and starting a process cost is not in it. */
#include "../lib/cluster.h"
#include "bench.h"
#include "massrevoke/store_report.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CERTIFICATES 10000000
#define PAGES (CERTIFICATES / 1000)
#define READS 20 /* whose mean is one measurement */
#define RECEIVED INT64_C(1790000000)
#define NOW (RECEIVED + 36 * 3600)

struct world {
    struct arena arena;
    struct store *store;
    PGconn *sql;
    const char *schema;
    struct campaign campaign;
};

/* What a campaign of one cohort holds when half of its work is done: @C campaign, @N certificates, @P pages,
 * @R receipt. Per chunk of the first half a claim, its answers and its return; one CRL for a hundred pages.
 */
static const char *const fill[] = {
    "INSERT INTO issuer (sha256, subject) VALUES (sha256('issuer'), 'CN=Issuer')",
    "INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, should_by, plan, started_at) "
    "VALUES (@C, 1, '4.9.1.1-12', 4, @R, @R + 432000, @R + 86400, 1, @R + 3600)",
    "INSERT INTO population (campaign, version, cohort, source, author, sha256, at, lines, accepted, "
    "duplicate, rejected, "
    "added) VALUES (@C, 1, 1, 'list', 'ann', sha256(''), @R, @N, @N, 0, 0, @N)",
    "SELECT certificates_table(@C)",
    "INSERT INTO certificate_@C (campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, "
    "reason, needs, "
    "known) SELECT @C, 1, int8send(4611686018427387904 + g::bigint * 922337203) || int8send(g), g, 1, 1, g + "
    "1, "
    "@R + 20000000, 'S' || g / 1000 % 2000, 4, 1, true FROM generate_series(0, @N - 1) g",
    "SELECT certificates_index(@C)",
    "SELECT certificates_attach(@C)",
    "INSERT INTO place SELECT @C, b, ARRAY(SELECT generate_series(b * 250, b * 250 + 249)) FROM "
    "generate_series(0, @P * 4 - 1) b",
    "INSERT INTO member SELECT @C, b, ARRAY(SELECT generate_series(b * 250, b * 250 + 249)) FROM "
    "generate_series(0, @P * 4 - 1) b",
    "INSERT INTO page (campaign, page, cohort, issuer, states, needs, scope, used, not_revoked, revoked, "
    "expires) "
    "SELECT @C, p, 1, 1, bytes_of(state_code(CASE WHEN p < @P / 2 THEN 'published' ELSE 'waiting' END), "
    "1000), "
    "bytes_of(1, 1000), sha256(int4send(p)), 1000, 1000 * (p >= @P / 2)::int, 1000 * (p < @P / 2)::int, @R + "
    "20000000 "
    "FROM generate_series(0, @P - 1) p",
    "INSERT INTO plan VALUES (@C, 1, 1, @R + 3600, 'ann', sha256(''), '', '{\"feasible\":true}')",
    "INSERT INTO chunk (campaign, chunk, plan, cohort, ca, issuer, canary, slot_start, due_at, numbers, "
    "state, epoch, claimed_at) "
    "SELECT @C, p + 1, 1, 1, 0, 1, p = 0, @R + 3600 + p / 150 * 3600, @R + 3600 + p * 24, "
    "ARRAY(SELECT generate_series(p * 1000, p * 1000 + 999)), CASE WHEN p < @P / 2 THEN 'done' ELSE 'ready' "
    "END, "
    "(p < @P / 2)::int, CASE WHEN p < @P / 2 THEN @R + 3600 + p * 24 END FROM generate_series(0, @P - 1) p",
    "INSERT INTO event SELECT @C, x.seq, x.at, 'engine', x.type, "
    "format('{\"data\":{\"chunk\":%s},\"type\":\"%s\"}', x.p, x.type), "
    "sha256(int8send(x.seq)) FROM (SELECT p, 3 * p + k + 1 AS seq, @R + 3600 + p * 24 + 11 * k AS at, "
    "(ARRAY['claim', 'settle', 'give_back'])[k + 1] AS type FROM generate_series(0, @P / 2 - 1) p, "
    "generate_series(0, 2) k "
    "UNION ALL SELECT o, 3 * (@P / 2) + 1 + o, @R + 129000 + o, 'sighting' FROM generate_series(0, @P / 200 "
    "- 1) o) x",
    "UPDATE log SET size = (SELECT count(*) FROM event WHERE campaign = @C) WHERE campaign = @C",
    "INSERT INTO change SELECT @C, 3 * p + 2, 0, p, page_offsets(), bytes_of(event_code('revoked'), 1000), "
    "bytes_of(state_code('waiting'), 1000), bytes_of(state_code('recorded'), 1000) FROM generate_series(0, "
    "@P / 2 - 1) p",
    "INSERT INTO change SELECT @C, 3 * (@P / 2) + 1 + p / 100, 0, p, page_offsets(), "
    "bytes_of(event_code('saw_crl'), 1000), "
    "bytes_of(state_code('recorded'), 1000), bytes_of(state_code('published'), 1000) FROM generate_series(0, "
    "@P / 2 - 1) p",
    "INSERT INTO result SELECT @C, 3 * p + 2, p, 1, p + 1, 1, page_offsets(), bytes_of(0, 1000), "
    "array_fill((@R + 3600 + p * 24)::bigint, ARRAY[1000]), array_fill(4::smallint, ARRAY[1000]) FROM "
    "generate_series(0, @P / 2 - 1) p",
    "INSERT INTO contact (subscriber, role, tier, name, email, language, timezone, phone, class, "
    "address_bad) "
    "SELECT 'S' || g, 'primary', 1, 'N' || g, g || '@example.com', 'en', 'UTC', '', '', g % 100 = 0 FROM "
    "generate_series(0, 1999) g",
    "INSERT INTO notice SELECT @C, contact, 1, subscriber, contact, 'first', @R + 7200 FROM contact",
    "INSERT INTO notice_try SELECT @C, 0, notice, 1, 'accepted', @R + 7200, '' FROM notice WHERE campaign = "
    "@C",
    "UPDATE campaign SET next_page = @P, next_certificate = @N WHERE campaign = @C",
    "CREATE TABLE peer (id bigint PRIMARY KEY, serial bytea, state smallint)",
    "INSERT INTO peer SELECT g, int8send(g) || int8send(g), CASE WHEN g < @N / 2 THEN 9 ELSE 1 END FROM "
    "generate_series(0, @N - 1) g",
    "VACUUM ANALYZE",
    "CHECKPOINT",
};

static void fill_with(struct world *w)
{
    for (size_t i = 0; i < sizeof fill / sizeof *fill; i++) {
        AUTO_BUF text = {0};
        for (const char *p = fill[i]; *p != '\0'; p++) {
            const char key = *p == '@' ? p[1] : '\0';
            const int64_t value = key == 'C'   ? w->campaign.id
                                  : key == 'N' ? CERTIFICATES
                                  : key == 'P' ? PAGES
                                               : RECEIVED;
            if (key == 'C' || key == 'N' || key == 'P' || key == 'R') {
                buf_format(&text, "%lld", (long long)value);
                p++;
            } else {
                buf_add(&text, p, 1);
            }
        }
        bench_sql(w->sql, text.p);
    }
}

static void make(void **context)
{
    struct world *w = calloc(1, sizeof *w);
    struct fault f = {0};
    if (w == NULL)
        bench_die("no memory");
    *context = w;
    w->schema = arena_format(&w->arena, "bench_status_%ld", (long)getpid());
    bench_store(w->schema, &w->store, &w->sql);
    struct campaign c = {.name = "bench",
                         .mode = "live",
                         .rule = "4.9.1.1-12",
                         .profile = "tls-5-day",
                         .received = {RECEIVED}};
    struct act act = {0, {RECEIVED}, "ann"};
    bench_must(store_campaign_open(w->store, &act, &c, "mail", &w->campaign.id, &f), "campaign", &f);
    bench_must(store_campaign_find(w->store, "bench", &w->arena, &w->campaign, &f), "campaign", &f);
    double begun = bench_now();
    fill_with(w);
    printf("  %d certificates in a store, made in %.0f s\n", CERTIFICATES, bench_now() - begun);
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

static void look(struct world *w)
{
    AUTO_ARENA a = {0};
    struct snapshot s;
    struct fault f = {0};
    struct snapshot_terms terms = {
        .quorum = 1, .publish_margin = {3600}, .reserve = {43200}, .rate = {100, 1}};
    bench_must(store_snapshot(w->store, &w->campaign, (struct utc){NOW}, &terms, false, &a, &s, &f),
               "snapshot", &f);
    if (s.totals.affected != CERTIFICATES || s.totals.revoked != CERTIFICATES / 2 ||
        !totals_balance(&s.totals))
        bench_die("%lld affected, %lld revoked", (long long)s.totals.affected, (long long)s.totals.revoked);
}

/* The first look after a change of the list counts the certificates: told, and not in the mean. */
static double ours(void *context)
{
    static bool counted;
    double begun = bench_now();
    look(context);
    if (!counted)
        printf("  the first look, which counts every certificate: %.3g s\n", bench_now() - begun);
    counted = true;
    begun = bench_now();
    for (int i = 0; i < READS; i++)
        look(context);
    return (bench_now() - begun) / READS;
}

static double by_row(void *context)
{
    struct world *w = context;
    double begun = bench_now();
    bench_sql(w->sql, "SELECT state, count(*) FROM peer GROUP BY state");
    return bench_now() - begun;
}

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        {.name = "status_10m",
         .peer_name = "count over a row per certificate",
         .unit = "s",
         .pairs = 5,
         .ours = ours,
         .peer = by_row,
         .make = make,
         .free = drop},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
