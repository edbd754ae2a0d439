/* A list of a million messy lines against an inventory of three million: read, normalised, deduplicated with
 * line numbers, joined, written with its keys. Ours through the functions of `massrevoke import`; the peers a
 * psql script and a client that takes row by row, on the same server and the same inventory. */
#include "../lib/cluster.h"
#include "bench.h"
#include "massrevoke/digest.h"
#include "massrevoke/intake.h"
#include "massrevoke/store_population.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INVENTORY 3000000
#define LINES 1000000
#define SAMPLE 20000 /* lines that the row-at-a-time client takes */
#define RECEIVED 1790000000
#define SCHEMA "bench_import"
#define LIST "build/bench/import_1m.txt"
#define SCRIPT "build/bench/import_1m.sql"

#define MUST(call)                                                                                           \
    do {                                                                                                     \
        struct fault f = {0};                                                                                \
        if (!(call))                                                                                         \
            bench_die("%s: %s", #call, f.text);                                                              \
    } while (0)

struct import {
    struct store *store;
    PGconn *sql;
    int campaign, issuer;
    int64_t added; /* by the first round of ours: every other round must come to the same */
};

static struct serial serial_of(unsigned long n)
{
    struct serial serial = {.n = 16};
    unsigned long state = n, high = bench_random(&state), low = bench_random(&state);
    memcpy(serial.bytes, &high, 8);
    memcpy(serial.bytes + 8, &low, 8);
    serial.bytes[0] = (uint8_t)(serial.bytes[0] & 0x7f) | 1;
    return serial;
}

static int64_t ask(PGconn *sql, const char *text)
{
    PGresult *r = PQexec(sql, text);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) == 0)
        bench_die("%s: %s", text, PQerrorMessage(sql));
    int64_t value = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return value;
}

/* ---- what both sides start from ---- */

/* One line in twenty stood before, one in a hundred is no serial, one in thirty is in no inventory; spellings
 * in turn. */
static void write_list(void)
{
    FILE *file = fopen(LIST, "w");
    unsigned long state = 1;
    if (file == NULL)
        bench_die(LIST ": cannot be written");
    for (int i = 0; i < LINES; i++) {
        unsigned long dice = bench_random(&state) % 100, n = (unsigned long)i * 3;
        if (dice == 0) {
            fprintf(file, "www%d.example\n", i);
            continue;
        }
        if (dice <= 5)
            n = bench_random(&state) % ((unsigned long)i + 1) * 3;
        else if (dice <= 8)
            n = INVENTORY + (unsigned long)i;
        struct serial serial = serial_of(n);
        char hex[SERIAL_HEX_TEXT];
        serial_hex(&serial, hex);
        if (i % 4 == 1 || i % 4 == 3)
            for (char *p = hex; *p != '\0'; p++)
                *p = *p >= 'A' ? (char)(*p | 0x20) : *p;
        if (i % 4 == 2)
            for (int k = 0; k < 32; k += 2)
                fprintf(file, "%s%.2s%s", k == 0 ? " " : ":", hex + k, k == 30 ? " \n" : "");
        else
            fprintf(file, "%s%s\n", i % 4 == 3 ? "0x" : "", hex);
    }
    if (fclose(file) != 0)
        bench_die(LIST ": cannot be written");
}

static void load_inventory(struct import *b)
{
    struct arena a = {0};
    struct act act = {b->campaign, {RECEIVED}, "ann"};
    struct inventory_row *rows = arena_array(&a, INVENTORY, sizeof *rows);
    for (unsigned long i = 0; i < INVENTORY; i++) {
        struct serial serial = serial_of(i);
        rows[i] = (struct inventory_row){.issuer = b->issuer,
                                         .serial = serial,
                                         .subscriber = arena_format(&a, "subscriber-%lu", i % 300000),
                                         .subject = "",
                                         .not_before = {RECEIVED - 100 * 86400},
                                         .not_after = {RECEIVED + (int64_t)(i % 400) * 86400 - 10},
                                         .has_cert_sha256 = true,
                                         .cert_sha256 = digest_of(serial.bytes, 16),
                                         .dns_names = arena_format(&a, "www%lu.example", i % 2900000),
                                         .type = "DV",
                                         .cdp = "http://crl.example/1.crl",
                                         .ocsp = i % 2 == 0 ? "http://ocsp.example" : "",
                                         .certificate_file = "",
                                         .line = i + 2};
    }
    double begin = bench_now();
    MUST(store_inventory_put(b->store, &act, rows, INVENTORY, &f));
    printf("  inventory of %d loaded in %.1f s\n", INVENTORY, bench_now() - begin);
    arena_free(&a);
}

/* The peers' tables have the columns and keys of ours. */
static void make_peer_table(PGconn *sql)
{
    bench_sql(sql, "CREATE TABLE peer (LIKE certificate INCLUDING ALL)");
    bench_sql(sql, "CREATE TABLE peer_reject (line bigint, text text)");
}

static void make(void **context)
{
    struct import *b = *context = calloc(1, sizeof *b);
    struct act act = {0, {RECEIVED}, "ann"};
    struct campaign c = {
        .name = "c", .mode = "live", .rule = "4.9.1.1-12", .profile = "tls-5-day", .received = {RECEIVED}};
    bench_store(SCHEMA, &b->store, &b->sql);
    MUST(store_campaign_open(b->store, &act, &c, "mail", &b->campaign, &f));
    MUST(store_issuer(b->store, digest_of("issuer", 6), "CN=Bench CA", "", &b->issuer, &f));
    make_peer_table(b->sql);
    write_list();
    load_inventory(b);
}

static void leave(void *context)
{
    struct import *b = context;
    store_close(b->store);
    bench_sql(b->sql, "DROP SCHEMA " SCHEMA " CASCADE");
    PQfinish(b->sql);
    (void)unlink(LIST);
    (void)unlink(SCRIPT);
    free(b);
}

/* Takes back what a round added, and what it left to be done later. */
static void clear(struct import *b)
{
    bench_sql(b->sql,
              "DROP TABLE IF EXISTS certificate_1; TRUNCATE population, cohort, clock, peer, peer_reject; "
              "UPDATE campaign SET next_certificate = 0");
    bench_sql(b->sql, "CHECKPOINT");
}

static void check_rows(struct import *b, const char *what, int64_t added)
{
    if (b->added == 0)
        b->added = added;
    if (added != b->added)
        bench_die("%s added %" PRId64 " certificates, not %" PRId64, what, added, b->added);
}

/* ---- ours ---- */

struct tap {
    struct source source;
    struct digest_state digest;
};

static bool tap_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    struct tap *t = context;
    if (!t->source.read(t->source.context, into, room, got, f))
        return false;
    digest_add(&t->digest, into, *got);
    return true;
}

static struct digest read_list(struct intake_list *list)
{
    int fd = open(LIST, O_RDONLY | O_CLOEXEC);
    struct source_file file = {fd, LIST};
    struct tap tap = {source_descriptor(&file), digest_begin()};
    if (fd < 0)
        bench_die(LIST ": cannot be read");
    MUST(intake_list_read(list, LIST, INTAKE_AUTO, (struct source){tap_read, &tap}, &f));
    close(fd);
    return digest_end(&tap.digest);
}

static double ours(void *context)
{
    struct import *b = context;
    struct arena a = {0};
    struct act act = {b->campaign, {RECEIVED}, "ann"};
    static const struct short_lived shorts[] = {{{1710460800}, {864000}}, {{1773532800}, {604800}}};
    clear(b);
    double begin = bench_now();
    struct intake_list list = {.base = INTAKE_BASE_HEX, .seed = {1, 2}, .arena = &a};
    struct digest sha256 = read_list(&list);
    struct listed *rows = arena_array(&a, list.accepted, sizeof *rows);
    for (size_t i = 0; i < list.accepted; i++)
        rows[i] =
            (struct listed){.issuer = b->issuer, .serial = list.keys[i].serial, .line = list.places[i].line};
    struct population p = {.rule = "4.9.1.1-12",
                           .source = LIST,
                           .reason = REASON_SUPERSEDED,
                           .received = {RECEIVED},
                           .deadline = {RECEIVED + 5 * 86400},
                           .should_by = UTC_NONE,
                           .sha256 = sha256,
                           .lines = (int64_t)intake_list_in(&list),
                           .accepted = (int64_t)list.accepted,
                           .duplicate = (int64_t)list.duplicate,
                           .rejected = (int64_t)list.rejects.count,
                           .rows = rows,
                           .count = list.accepted};
    double read = bench_now();
    struct population_result result;
    MUST(store_population_add(b->store, &act, &p, shorts, 2, &result, &f));
    double end = bench_now();
    printf("    ours: read, normalised, deduplicated %.2f s; sorted, joined, written %.2f s; %" PRId64
           " added, %" PRId64 " duplicates, %" PRId64 " rejected, %" PRId64 " orphans, %" PRId64
           " siblings\n",
           read - begin, end - read, result.added, p.duplicate, p.rejected, result.orphans, result.siblings);
    check_rows(b, "ours", result.added);
    intake_list_free(&list);
    arena_free(&a);
    return end - begin;
}

/* ---- psql ---- */

/* What somebody who knows PostgreSQL writes in an hour: no regular expressions where translate() does, enough
 * memory for sorts and hashes, statistics before the join. */
static const char script[] =
    "\\set ON_ERROR_STOP on\n"
    "SET client_min_messages TO error; SET search_path TO " SCHEMA "; SET work_mem TO '256MB';\n"
    "BEGIN;\n"
    "CREATE TEMP TABLE raw (line bigint GENERATED ALWAYS AS IDENTITY, t text) ON COMMIT DROP;\n"
    "\\copy raw (t) FROM '" LIST "' WITH (FORMAT text, DELIMITER E'\\x01')\n"
    "CREATE TEMP TABLE clean ON COMMIT DROP AS\n"
    "SELECT line, CASE WHEN translate(hex, '0123456789abcdef', '') = '' AND length(hex) BETWEEN 1 AND 40\n"
    "                  THEN decode(CASE length(hex) % 2 WHEN 1 THEN '0' ELSE '' END || hex, 'hex') END AS "
    "serial\n"
    "  FROM (SELECT line, CASE WHEN starts_with(t, '0x') THEN substr(t, 3) ELSE t END AS hex\n"
    "          FROM (SELECT line, lower(translate(t, ': -', '')) AS t FROM raw OFFSET 0) x OFFSET 0) y;\n"
    "INSERT INTO peer_reject SELECT r.line, r.t FROM raw r JOIN clean USING (line) WHERE serial IS NULL;\n"
    "CREATE TEMP TABLE list ON COMMIT DROP AS\n"
    "SELECT serial, min(line) AS line FROM clean WHERE serial IS NOT NULL GROUP BY serial;\n"
    "ANALYZE list;\n"
    "INSERT INTO peer (id, campaign, issuer, serial, cohort, version, line, reason, known, subscriber, "
    "not_after, needs,\n"
    "                  shard, excluded)\n"
    "SELECT row_number() OVER () - 1, 1, 1, l.serial, 1, 1, l.line, 4, v.serial IS NOT "
    "NULL,\n"
    "       coalesce(v.subscriber, ''), v.not_after,\n"
    "       (coalesce(v.cdp, '') <> '')::int + 2 * (coalesce(v.ocsp, '') <> '')::int, "
    "hashtext(coalesce(v.cdp, '')),\n"
    "       CASE WHEN v.not_after < 1790000000 THEN 'expired_before_receipt'\n"
    "            WHEN v.not_after - v.not_before < 604800 THEN 'short_lived' END\n"
    "  FROM list l LEFT JOIN inventory v ON v.issuer = 1 AND v.serial = l.serial;\n"
    "COMMIT;\n"
    "ANALYZE peer;\n";

static double psql(void *context)
{
    struct import *b = context;
    char command[1024];
    FILE *file = fopen(SCRIPT, "w");
    if (file == NULL || fputs(script, file) < 0 || fclose(file) != 0)
        bench_die(SCRIPT ": cannot be written");
    clear(b);
    snprintf(command, sizeof command, "psql -X -q -f %s '%s'", SCRIPT, test_conninfo());
    double begin = bench_now();
    if (system(command) != 0)
        bench_die("%s failed", command);
    double end = bench_now();
    check_rows(b, "psql", ask(b->sql, "SELECT count(*) FROM peer"));
    return end - begin;
}

/* ---- row at a time ---- */

static void prepare(PGconn *sql, const char *name, const char *text)
{
    PGresult *r = PQprepare(sql, name, text, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        bench_die("%s: %s", text, PQerrorMessage(sql));
    PQclear(r);
}

/* Looks one serial up and inserts it; parameters and results in binary where that is easy. */
static void take_row(struct import *b, const struct serial *serial, int line)
{
    char issuer[16], number[16];
    snprintf(issuer, sizeof issuer, "%d", b->issuer);
    snprintf(number, sizeof number, "%d", line);
    const char *values[7] = {issuer, (const char *)serial->bytes, number, "f", "", NULL, "0"};
    const int lengths[7] = {0, serial->n, 0, 0, 0, 0, 0}, formats[7] = {0, 1, 0, 0, 0, 0, 0};
    PGresult *found = PQexecPrepared(b->sql, "find", 2, values, lengths, formats, 0);
    if (PQntuples(found) == 1) {
        values[3] = "t";
        values[4] = PQgetvalue(found, 0, 0);
        values[5] = PQgetvalue(found, 0, 1);
        values[6] = PQgetvalue(found, 0, 2);
    }
    PGresult *put = PQexecPrepared(b->sql, "put", 7, values, lengths, formats, 0);
    if (PQresultStatus(found) != PGRES_TUPLES_OK || PQresultStatus(put) != PGRES_COMMAND_OK)
        bench_die("row at a time: %s", PQerrorMessage(b->sql));
    PQclear(found);
    PQclear(put);
}

/* On average over all its rows such a client finds the table half full: half a million serials that no list
 * has. */
static const char half_full[] = "INSERT INTO peer (id, campaign, issuer, serial, cohort, version, line, "
                                "reason, known, subscriber, not_after, needs) "
                                "SELECT 1000000 + row_number() OVER (), 1, 1, set_byte(serial, 0, "
                                "get_byte(serial, 0) | 128), 1, 1, 0, 4, true, "
                                "subscriber, not_after, 1 FROM inventory LIMIT 500000; CHECKPOINT";

static double row_at_a_time(void *context)
{
    struct import *b = context;
    char line[256];
    FILE *file = fopen(LIST, "r");
    if (file == NULL)
        bench_die(LIST ": cannot be read");
    clear(b);
    bench_sql(b->sql, "DEALLOCATE ALL");
    prepare(b->sql, "find",
            "SELECT subscriber, not_after, (cdp <> '')::int + 2 * (ocsp <> '')::int FROM inventory WHERE "
            "issuer = $1 AND "
            "serial = $2::bytea");
    prepare(b->sql, "put",
            "INSERT INTO peer (id, campaign, issuer, serial, cohort, version, line, reason, known, "
            "subscriber, not_after, "
            "needs) VALUES ($3::integer, 1, $1, $2::bytea, 1, 1, $3::integer, 4, $4, $5, $6, $7) ON CONFLICT "
            "DO NOTHING");
    bench_sql(b->sql, half_full);
    double begin = bench_now();
    bench_sql(b->sql, "BEGIN");
    for (int n = 1; n <= SAMPLE && fgets(line, sizeof line, file) != NULL; n++) {
        struct serial serial;
        if (serial_from_hex((struct str){line, strcspn(line, "\n")}, &serial) == NULL)
            take_row(b, &serial, n);
    }
    bench_sql(b->sql, "COMMIT");
    double taken = bench_now() - begin;
    fclose(file);
    return taken * (LINES / SAMPLE);
}

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        {"import_1m", "psql", "s", 3, false, ours, psql, make, leave, false},
        {"import_rows", "row-at-a-time", "s", 3, true, ours, row_at_a_time, make, leave, false},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
