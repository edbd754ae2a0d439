/* The planner alone, from certificates in memory to chunks, slots and digests, against qsort of the same
 * certificates by place, subscriber and number: what a plan costs at the least that sorts them.
 *
 * Memory stays with the process, for both: on a virtual machine whose host takes free pages back, touching
 * them again took 2 ms a megabyte, more than planning does, and how many it had taken was chance. */
#include "bench.h"
#include "massrevoke/planner.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define RECEIVED INT64_C(1700000000)
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define ISSUERS 4
#define CAS 2
#define SHARDS 64

/* A campaign: ten certificates a subscriber, a tenth of them with a second issuer. */
struct population {
    size_t n;
    struct plan_certificate *certificates;
    struct plan_subscriber *subscribers;
    struct plan_shard shards[SHARDS];
    struct rate rates[CAS];
    struct plan_input in;
    uint64_t *keys, *work; /* of the peer */
    struct arena arena;    /* has all of them, as in a campaign */
};

static uint8_t random_class(unsigned long *state)
{
    static const uint8_t classes[16] = {CLASS_RISKIEST,  CLASS_UNUSED,    CLASS_UNREACHABLE, CLASS_AUTOMATED,
                                        CLASS_AUTOMATED, CLASS_AUTOMATED, CLASS_CRITICAL,    CLASS_IN_USE,
                                        CLASS_IN_USE,    CLASS_IN_USE,    CLASS_IN_USE,      CLASS_IN_USE,
                                        CLASS_IN_USE,    CLASS_IN_USE,    CLASS_IN_USE,      CLASS_IN_USE};
    return classes[bench_random(state) % 16];
}

/* In number order: issuer, subscriber, serial. `mixed`: a class for every certificate, else for every
 * subscriber with a few replaced ones in between. One in a hundred expires before the deadline. */
static void fill(struct population *p, bool mixed)
{
    unsigned long state = 1;
    size_t at = 0, each = 10, subscribers = p->n / each;
    uint8_t *turns = calloc(subscribers, 1);
    for (size_t s = 0; s < subscribers; s++)
        turns[s] = random_class(&state);
    for (size_t issuer = 0; issuer < ISSUERS; issuer++)
        for (size_t s = 0; s < subscribers; s++) {
            size_t home = s * ISSUERS / subscribers, second = s % 10 == 0 ? (home + 1) % ISSUERS : home;
            size_t count = home == issuer ? (second == home ? each : 7) : second == issuer ? 3 : 0;
            for (size_t k = 0; k < count; k++, at++) {
                unsigned long r = bench_random(&state);
                p->certificates[at] = (struct plan_certificate){
                    .number = (uint32_t)at,
                    .subscriber = (uint32_t)s,
                    .issuer = (uint16_t)issuer,
                    .ca = (uint16_t)(issuer % CAS),
                    .shard = (uint32_t)(issuer * (SHARDS / ISSUERS) + r / 4096 % (SHARDS / ISSUERS)),
                    .turn = mixed         ? random_class(&state)
                            : r % 50 == 0 ? CLASS_REPLACED
                                          : turns[s],
                    .by_ocsp = true,
                    .not_after = {RECEIVED +
                                  (r / 64 % 100 == 0 ? (int64_t)(r / 65536 % 120) * HOUR : 90 * DAY)},
                };
            }
        }
    free(turns);
}

static void population_make(struct population *p, size_t n, bool mixed)
{
    *p = (struct population){.n = n / 10 * 10};
    p->certificates = arena_array(&p->arena, p->n, sizeof *p->certificates);
    p->subscribers = arena_array(&p->arena, p->n / 10, sizeof *p->subscribers);
    fill(p, mixed);
    for (size_t i = 0; i < SHARDS; i++)
        p->shards[i] = (struct plan_shard){"http://crl.example/1", 100000};
    for (size_t i = 0; i < CAS; i++)
        p->rates[i] = (struct rate){(int64_t)p->n / 40 / (int64_t)CAS + 1, HOUR}; /* 40 h of work each */
    p->in = (struct plan_input){.certificates = p->certificates,
                                .certificate_count = p->n,
                                .subscribers = p->subscribers,
                                .subscriber_count = p->n / 10,
                                .shards = p->shards,
                                .shard_count = SHARDS,
                                .ca_rates = p->rates,
                                .ca_count = CAS,
                                .received.s = RECEIVED,
                                .now.s = RECEIVED + 2 * HOUR,
                                .deadline.s = 5 * DAY,
                                .should.s = DAY};
    p->in.profile = (struct profile){.notices = true,
                                     .first_slot.s = DAY,
                                     .reserve.s = 12 * HOUR,
                                     .publish_margin.s = 2 * HOUR,
                                     .ocsp_refresh.s = 2 * HOUR,
                                     .outage_floor.s = 12 * HOUR,
                                     .ari_lead.s = 36 * HOUR,
                                     .crl_limit = 10000000,
                                     .canary = 5};
    for (int c = CLASS_UNREACHABLE; c < CLASS_COUNT; c++)
        p->in.profile.class_notice[c].s = c == CLASS_CRITICAL ? 2 * DAY : DAY;
}

static void population_free(struct population *p)
{
    arena_free(&p->arena);
}

/* Bytes that the result takes. */
static size_t result_bytes(const struct plan *p)
{
    return p->number_count * sizeof *p->numbers + p->chunk_count * sizeof *p->chunks +
           p->slot_count * sizeof *p->slots;
}

static double plan_once(struct population *p, size_t *bytes)
{
    struct plan plan;
    struct fault f = {0};
    struct arena a = {0};
    double begin = bench_now();
    if (!planner_build(&p->in, &a, &plan, &f))
        bench_die("plan kernel: %s", f.text);
    double took = bench_now() - begin;
    if (!plan.feasible || plan.number_count + plan.expires_first != p->n)
        bench_die("plan kernel: the plan is not what it should be");
    if (bytes != NULL)
        *bytes = result_bytes(&plan);
    arena_free(&a);
    return took;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Place 8 bits, subscriber 24, number 32, in the order of the input: as a plain planner would sort. */
static void make_keys(struct population *p)
{
    p->keys = arena_array(&p->arena, p->n, sizeof *p->keys);
    p->work = arena_array(&p->arena, p->n, sizeof *p->work);
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_certificate *c = &p->certificates[i];
        int64_t hour = (c->not_after.s - RECEIVED) / HOUR;
        uint64_t place = hour < 120 ? (uint64_t)hour : 120U + c->turn;
        p->keys[i] = place << 56 | (uint64_t)c->subscriber << 32 | c->number;
    }
}

static double sort_once(struct population *p)
{
    memcpy(p->work, p->keys, p->n * sizeof *p->keys);
    double begin = bench_now();
    qsort(p->work, p->n, sizeof *p->work, by_key);
    return bench_now() - begin;
}

/* Cost and memory from ten thousand to ten million: both grow with the certificates alone. */
static void print_table(void)
{
    printf("  certificates  ns/certificate  result bytes/certificate  qsort ns/certificate\n");
    for (size_t n = 10000; n <= 10000000; n *= 10)
        for (int mixed = 0; mixed < 2; mixed++) {
            struct population p;
            size_t bytes;
            population_make(&p, n, mixed == 1);
            make_keys(&p);
            double best = plan_once(&p, &bytes), sorted = sort_once(&p);
            for (int i = 0; i < 2; i++) {
                double again = plan_once(&p, NULL);
                best = again < best ? again : best;
            }
            printf("  %12zu  %14.1f  %24.1f  %20.1f  %s\n", p.n, best * 1e9 / (double)p.n,
                   (double)bytes / (double)p.n, sorted * 1e9 / (double)p.n,
                   mixed ? "a class for every certificate" : "a class for every subscriber");
            population_free(&p);
        }
}

static void make(void **context)
{
    static struct population p;
    (void)mallopt(M_MMAP_MAX, 0);
    (void)mallopt(M_TRIM_THRESHOLD, -1);
    print_table();
    population_make(&p, 10000000, false);
    make_keys(&p);
    *context = &p;
}

static double ours(void *context)
{
    struct population *p = context;
    double took = plan_once(p, NULL);
    printf("  %.1f ns/certificate\n", took * 1e9 / (double)p->n);
    return took;
}

static double peer(void *context)
{
    return sort_once(context);
}

static void release(void *context)
{
    population_free(context);
}

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        {"plan_kernel_10m", "qsort", "s", 5, false, ours, peer, make, release, false},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
