/* bench.h - ours against a peer, in pairs, in one run: what `make bench` writes.
 *
 * One program a hot path, one row a name. The two sides of a pair run one after the other, the next pair in
 * the other order; the median of the pairs' ratios counts, for absolute times mean little on a shared
 * machine. Writes build/bench/NAME.json as contract section 5 says. Does not: judge a ratio.
 * Called by: programs of tests/bench. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "massrevoke/store.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#define BENCH_PAIRS_MAX 15

/* One side: does the work once and returns what it took (seconds, or bytes), smaller is better. */
typedef double bench_fn(void *context);

/* One name. Ratio: the peer's cost over ours, so larger is better. */
struct bench {
    const char *name, *peer_name, *unit; /* unit: "s" or "bytes" */
    int pairs;                           /* 3 to BENCH_PAIRS_MAX, odd is best */
    bool extrapolated;                   /* the peer measures a sample at full size and scales it */
    bench_fn *ours, *peer;
    void (*make)(void **context); /* before the first pair; NULL: nothing to prepare */
    void (*free)(void *context);
    bool by_name; /* runs only when it is named: all of the others take 15 minutes */
};

/* Runs the rows that argv names (all without any, but those that want to be named) and writes their files;
 * the program's exit code. */
int bench_main(int argc, char **argv, const struct bench *rows, size_t count);

/* Seconds of a clock that only goes forward. */
double bench_now(void);

/* Ends the program with a message. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Ends the program unless `ok`, saying what failed and the fault. */
void bench_must(bool ok, const char *what, const struct fault *f);

/* Runs statements; rows of the last one. */
int64_t bench_sql(PGconn *sql, const char *text);

/* The suite's server: a fresh store in a schema of that name, and a plain session in it. */
void bench_store(const char *schema, struct store **store, PGconn **sql);

/* A splitmix64 step: the same numbers in every run. */
unsigned long bench_random(unsigned long *state);

#endif
