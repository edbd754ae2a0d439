#include "lists.h"
#include "check.h"
#include "cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAYS INT64_C(86400)

/* BR 1.6.1, as far back as the tests reach. */
static const struct short_lived shorts[] = {{{0}, {10 * DAYS}}, {{SMALL_RECEIVED}, {7 * DAYS}}};

int lists_start(void **state)
{
    struct small *s = malloc(sizeof *s);
    small_open(s);
    struct act act = small_act(s, 0, "ann");
    struct campaign c = s->campaign;
    c.name = "c2";
    CHECK(store_campaign_open(s->store, &act, &c, "mail", &s->campaign.id, &f));
    *state = s;
    return 0;
}

int lists_stop(void **state)
{
    small_close(*state);
    free(*state);
    return 0;
}

struct listed lists_row(const struct small *s, int n)
{
    return (struct listed){.issuer = s->issuer,
                           .serial = {.n = 3, .bytes = {0x20, (uint8_t)(n >> 8), (uint8_t)n}},
                           .line = n + 1};
}

struct population lists_population(const struct listed *rows, size_t n)
{
    return (struct population){.rule = "4.9.1.1-12",
                               .source = "list.txt",
                               .heuristic = "",
                               .decision = "",
                               .reason = REASON_SUPERSEDED,
                               .received = small_at(0),
                               .deadline = small_at(5 * 24),
                               .should_by = UTC_NONE,
                               .lines = (int64_t)n,
                               .accepted = (int64_t)n,
                               .rows = rows,
                               .count = n};
}

struct population_result lists_add(struct small *s, const struct population *p)
{
    struct act act = small_act(s, 1, "ann");
    struct population_result r;
    CHECK(store_population_add(s->store, &act, p, shorts, 2, &r, &f));
    return r;
}

struct population_result lists_add_range(struct small *s, int first, int n)
{
    struct listed *rows = arena_array(&s->arena, (size_t)n, sizeof *rows);
    for (int i = 0; i < n; i++)
        rows[i] = lists_row(s, first + i);
    struct population p = lists_population(rows, (size_t)n);
    return lists_add(s, &p);
}

struct inventory_row lists_known(struct small *s, int n)
{
    return (struct inventory_row){.issuer = s->issuer,
                                  .serial = lists_row(s, n).serial,
                                  .subscriber = arena_format(&s->arena, "sub-%d", n % 7),
                                  .subject = "",
                                  .not_before = small_at(-1000),
                                  .not_after = small_at(2000),
                                  .has_cert_sha256 = true,
                                  .cert_sha256 = digest_of(&n, sizeof n),
                                  .dns_names = arena_format(&s->arena, "host-%d.example", n),
                                  .type = "DV",
                                  .cdp = "http://crl.example/1.crl",
                                  .ocsp = "",
                                  .certificate_file = "",
                                  .line = (size_t)n + 1};
}

void lists_put(struct small *s, const struct inventory_row *rows, size_t n)
{
    struct act act = small_act(s, 1, "ann");
    CHECK(store_inventory_put(s->store, &act, rows, n, &f));
}
