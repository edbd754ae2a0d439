/* Our way with an `openssl ca` directory against the openssl program: 10,000 revocations with their CRL, from
 * the start of the process to the last published one, and a CRL of a million entries, in time and memory.
 * Every run of either side is a process of its own. */
#include "../lib/stock.h"
#include "bench.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/ca_openssl.h"
#include "massrevoke/clock.h"
#include "massrevoke/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REVOCATIONS 10000
#define SAMPLE 100 /* of `openssl ca -revoke` on the whole index, scaled */
#define ENTRIES 1000000

struct bed {
    struct arena arena;
    char folder[STOCK_PATH];
    const char *ca, *program;
    int runs;
};

/* Runs a command with its output in FOLDER/log; seconds, and its memory at the highest. */
static double spend(const struct bed *b, const char *command, double *bytes)
{
    AUTO_ARENA a = {0};
    struct rusage used;
    int status;
    const char *line =
        arena_format(&a, "cd %s && exec %s >>%s/log 2>&1 </dev/null", b->folder, command, b->folder);
    double begun = bench_now();
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        bench_die("failed: %s; see %s/log", command, b->folder);
    if (bytes != NULL)
        *bytes = (double)used.ru_maxrss * 1024;
    return bench_now() - begun;
}

static struct bed *open_bed(int count)
{
    struct bed *b = calloc(1, sizeof *b);
    struct fault f = {0};
    if (b == NULL)
        bench_die("no memory");
    stock_folder(b->folder);
    b->ca = arena_format(&b->arena, "%s/ca", b->folder);
    const char *program = getenv("MASSREVOKE");
    b->program = program != NULL ? realpath(program, NULL) : NULL;
    struct ca_new_spec spec = {
        .directory = b->ca, .count = count, .subscribers = 7, .seed = 5, .now = clock_system().now(NULL)};
    if (!ca_new(&spec, &f))
        bench_die("ca new: %s", f.text);
    return b;
}

static void drop(void *context)
{
    struct bed *b = context;
    stock_remove(b->folder);
    free((void *)(uintptr_t)b->program);
    arena_free(&b->arena);
    free(b);
}

/* --- 10,000 revocations --- */

static void make_revocations(void **context)
{
    struct bed *b = open_bed(REVOCATIONS);
    *context = b;
    const char *state = getenv("MASSREVOKE_TEST_STATE");
    if (b->program == NULL || state == NULL)
        bench_die(
            "MASSREVOKE and MASSREVOKE_TEST_STATE name the program and the database's folder: make bench");
    setenv("MASSREVOKE_STATE", state, 1);
    setenv("MASSREVOKE_CONFIG", arena_format(&b->arena, "%s/massrevoke.cfg", b->ca), 1);
    /* the backend is what limits, not the default rate */
    spend(b,
          "sh -c 'sed -i \"s,backend = .ca_openssl.;,& rate = \\\"1000000/s\\\";,\" ca/massrevoke.cfg;"
          " cut -f4 ca/index.txt >list; cp -r ca before'",
          NULL);
}

/* A campaign over all of them, started; then `run` alone is measured. */
static double run_program(void *context)
{
    struct bed *b = context;
    AUTO_ARENA a = {0};
    const char *p = b->program, *name = arena_format(&a, "bench-%ld-%d", (long)getpid(), b->runs++);
    spend(b,
          arena_format(
              &a,
              "sh -c 'set -e; rm -rf ca; cp -r before ca; MASSREVOKE_CAMPAIGN=%s; export MASSREVOKE_CAMPAIGN;"
              " %s open %s --rule 4.9.1.1-12 --received $(date -u +%%FT%%TZ) --profile immediate;"
              " %s import list --serials hex; %s inventory ca/inventory.csv; %s plan;"
              " %s approve --key ca/approvers/alice.key --cert ca/approvers/alice.crt;"
              " %s start --confirm %s'",
              name, p, name, p, p, p, p, p, name),
          NULL);
    return spend(b, arena_format(&a, "%s -c %s run", p, name), NULL);
}

/* One process a certificate, each over the whole index; one CRL at the end. */
static double loop_openssl(void *context)
{
    struct bed *b = context;
    spend(b, "sh -c 'rm -rf peer; cp -r before peer; head -n 100 list >sample'", NULL);
    double one =
        spend(b,
              "sh -c 'cd peer && while read -r s; do openssl ca -config openssl.cnf -revoke newcerts/$s.pem"
              " -crl_reason superseded || exit 1; done <../sample'",
              NULL) /
        SAMPLE;
    return one * REVOCATIONS +
           spend(b, "sh -c 'cd peer && openssl ca -config openssl.cnf -gencrl -out peer.pem'", NULL);
}

/* --- a CRL of a million --- */

static void make_crl(void **context)
{
    struct bed *b = open_bed(8);
    AUTO_BUF index = {0};
    unsigned long state = 3;
    *context = b;
    buf_text(&index, "");
    for (int i = 0; i < ENTRIES; i++) {
        unsigned long high = (bench_random(&state) >> 1) | 1UL << 56, low = bench_random(&state);
        buf_format(&index,
                   "R\t301231235959Z\t260101000000Z,superseded\t%016lX%016lX\tunknown\t/CN=%d.example\n",
                   high, low, i);
    }
    stock_write(b->ca, "index.txt", buf_str(&index));
}

static double publish_ours(struct bed *b, double *bytes)
{
    AUTO_ARENA a = {0};
    return spend(b, arena_format(&a, "%s --publish %s", realpath("/proc/self/exe", NULL), b->ca), bytes);
}

static double publish_openssl(struct bed *b, double *bytes)
{
    return spend(b, "sh -c 'cd ca && exec openssl ca -config openssl.cnf -gencrl -crldays 7 -out peer.pem'",
                 bytes);
}

static double ours_time(void *context)
{
    return publish_ours(context, NULL);
}

static double openssl_time(void *context)
{
    return publish_openssl(context, NULL);
}

static double ours_memory(void *context)
{
    double bytes;
    publish_ours(context, &bytes);
    return bytes;
}

static double openssl_memory(void *context)
{
    double bytes;
    publish_openssl(context, &bytes);
    return bytes;
}

/* The child: the door as the engine uses it. */
static int publish(const char *folder)
{
    AUTO_ARENA a = {0};
    struct settings s;
    struct fault f = {0};
    struct ca_door *door;
    if (!settings_read(file_join(&a, folder, "massrevoke.cfg"), &a, &s, &f) ||
        !ca_openssl_open(&s.cas[0], 0, clock_system(), &door, &f) ||
        !door->ops->publish(door, 0, clock_system().now(NULL), &f))
        bench_die("%s", f.text);
    ca_close(door);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--publish") == 0)
        return publish(argv[2]);
    static const struct bench rows[] = {
        {.name = "openssl_ca_revoke_10k",
         .peer_name = "openssl ca -revoke",
         .unit = "s",
         .pairs = 3,
         .extrapolated = true,
         .ours = run_program,
         .peer = loop_openssl,
         .make = make_revocations,
         .free = drop},
        {.name = "crl_build_1m",
         .peer_name = "openssl ca -gencrl",
         .unit = "s",
         .pairs = 3,
         .ours = ours_time,
         .peer = openssl_time,
         .make = make_crl,
         .free = drop},
        {.name = "crl_build_memory_1m",
         .peer_name = "openssl ca -gencrl",
         .unit = "bytes",
         .pairs = 3,
         .ours = ours_memory,
         .peer = openssl_memory,
         .make = make_crl,
         .free = drop},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
