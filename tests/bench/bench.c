#include "bench.h"
#include "../lib/cluster.h"
#include "massrevoke/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_die(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    exit(1);
}

void bench_must(bool ok, const char *what, const struct fault *f)
{
    if (!ok)
        bench_die("%s: %s", what, f->text);
}

int64_t bench_sql(PGconn *sql, const char *text)
{
    PGresult *r = PQexec(sql, text);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        bench_die("%.80s: %s", text, PQerrorMessage(sql));
    int64_t n = PQntuples(r);
    PQclear(r);
    return n;
}

void bench_store(const char *schema, struct store **store, PGconn **sql)
{
    struct fault f = {0};
    AUTO_ARENA a = {0};
    *sql = PQconnectdb(test_conninfo());
    bench_sql(*sql,
              arena_format(&a, "SET client_min_messages TO error; DROP SCHEMA IF EXISTS %s CASCADE", schema));
    bench_must(store_open(test_conninfo(), schema, store, &f), "store", &f);
    bench_sql(*sql, arena_format(&a, "SET search_path TO %s", schema));
}

unsigned long bench_random(unsigned long *state)
{
    unsigned long z = *state += 0x9e3779b97f4a7c15UL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
    return z ^ z >> 31;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int n)
{
    double sorted[BENCH_PAIRS_MAX];
    memcpy(sorted, values, (size_t)n * sizeof *values);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static void write_result(const struct bench *b, double ours, double peer, double ratio)
{
    char path[256];
    (void)mkdir("build", 0777);
    (void)mkdir("build/bench", 0777);
    snprintf(path, sizeof path, "build/bench/%s.json", b->name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        bench_die("%s: cannot be written", path);
    fprintf(file,
            "{\"name\": \"%s\", \"ours\": %.6g, \"peer\": %.6g, \"peer_name\": \"%s\", \"ratio\": %.4g, "
            "\"unit\": \"%s\", \"pairs\": %d, \"extrapolated\": %s}\n",
            b->name, ours, peer, b->peer_name, ratio, b->unit, b->pairs, b->extrapolated ? "true" : "false");
    if (fclose(file) != 0)
        bench_die("%s: cannot be written", path);
    printf("%-24s %10.4g %s ours, %10.4g %s %s%s: ratio %.3g (median of %d pairs)\n", b->name, ours, b->unit,
           peer, b->unit, b->peer_name, b->extrapolated ? " (extrapolated)" : "", ratio, b->pairs);
}

static void run(const struct bench *b)
{
    double ours[BENCH_PAIRS_MAX], peer[BENCH_PAIRS_MAX], ratio[BENCH_PAIRS_MAX];
    void *context = NULL;
    if (b->make != NULL)
        b->make(&context);
    for (int i = 0; i < b->pairs; i++) {
        if (i % 2 == 0)
            ours[i] = b->ours(context);
        peer[i] = b->peer(context);
        if (i % 2 == 1)
            ours[i] = b->ours(context);
        ratio[i] = peer[i] / ours[i];
        printf("  %s pair %d: %.4g %s ours, %.4g %s, ratio %.3g\n", b->name, i + 1, ours[i], b->unit, peer[i],
               b->unit, ratio[i]);
        fflush(stdout);
    }
    if (b->free != NULL)
        b->free(context);
    write_result(b, median(ours, b->pairs), median(peer, b->pairs), median(ratio, b->pairs));
}

static bool wanted(int argc, char **argv, const struct bench *row)
{
    bool any = argc < 2 && !row->by_name;
    for (int i = 1; i < argc; i++)
        any = any || strcmp(argv[i], row->name) == 0;
    return any;
}

int bench_main(int argc, char **argv, const struct bench *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (wanted(argc, argv, &rows[i]))
            run(&rows[i]);
    return 0;
}
