/* Writing a plan: everything is sent to temporary tables first, one function call then moves it. */
#include "plan_parts.h"

#include <stdlib.h>

static bool stage_pages(struct store *s, const struct plan_draft *d, struct fault *f)
{
    struct copy c;
    if (!copy_begin(s, &c, "staging_page",
                    "page integer, issuer integer, needs bytea, scope bytea, expires bigint", f))
        return false;
    for (size_t i = 0; i < d->page_count; i++) {
        const struct plan_page *page = &d->pages[i];
        copy_int(&c, page->page);
        copy_int(&c, page->issuer);
        copy_bytes(&c, d->needs + page->first, page->used);
        copy_bytes(&c, page->scope.bytes, DIGEST_SIZE);
        copy_utc(&c, page->expires);
        copy_row(&c);
    }
    return copy_end(&c, f);
}

/* Which certificate each number is. */
static bool stage_members(struct store *s, const struct plan_draft *d, struct fault *f)
{
    struct copy c;
    if (!copy_begin(s, &c, "staging_member", "block integer, ids integer[]", f))
        return false;
    for (size_t i = 0; i < d->page_count; i++) {
        const struct plan_page *page = &d->pages[i];
        for (int from = 0; from < page->used; from += BLOCK_SIZE) {
            int left = page->used - from;
            copy_int(&c, page->page * PAGE_BLOCKS + from / BLOCK_SIZE);
            copy_ints(&c, (const int32_t *)d->ids + page->first + from,
                      (size_t)(left < BLOCK_SIZE ? left : BLOCK_SIZE));
            copy_row(&c);
        }
    }
    return copy_end(&c, f);
}

/* Which number each certificate has, -1 for what is none of this cohort's. */
static bool stage_places(struct store *s, const struct plan_material *m, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct copy c;
    size_t blocks = 0;
    for (size_t i = 0; i < m->certificate_count; i++)
        blocks = m->draft->ids[i] / BLOCK_SIZE >= blocks ? m->draft->ids[i] / BLOCK_SIZE + 1 : blocks;
    int32_t *numbers = arena_array(&a, blocks * BLOCK_SIZE, sizeof *numbers);
    memset(numbers, 0xff, blocks * BLOCK_SIZE * sizeof *numbers);
    bool *used = arena_alloc(&a, blocks + 1);
    memset(used, 0, blocks);
    for (size_t i = 0; i < m->certificate_count; i++) {
        numbers[m->draft->ids[i]] = (int32_t)m->certificates[i].number;
        used[m->draft->ids[i] / BLOCK_SIZE] = true;
    }
    if (!copy_begin(s, &c, "staging_place", "block integer, numbers integer[]", f))
        return false;
    for (size_t i = 0; i < blocks; i++) {
        if (!used[i])
            continue;
        copy_int(&c, (int32_t)i);
        copy_ints(&c, numbers + i * BLOCK_SIZE, BLOCK_SIZE);
        copy_row(&c);
    }
    return copy_end(&c, f);
}

static bool stage_chunks(struct store *s, const struct plan_material *m, const struct plan *plan,
                         struct fault *f)
{
    struct copy c;
    if (!copy_begin(s, &c, "staging_chunk",
                    "nth integer, ca smallint, issuer integer, canary boolean, slot_start bigint, due_at "
                    "bigint, numbers integer[]",
                    f))
        return false;
    for (size_t i = 0; i < plan->chunk_count; i++) {
        const struct plan_chunk *chunk = &plan->chunks[i];
        copy_int(&c, (int32_t)i + 1);
        copy_small(&c, (int16_t)chunk->ca);
        copy_int(&c, m->issuers[chunk->issuer]);
        copy_bool(&c, chunk->canary);
        copy_utc(&c, plan->slots[chunk->slot].start);
        copy_utc(&c, chunk->due);
        copy_ints(&c, (const int32_t *)plan->numbers + chunk->first, chunk->count);
        copy_row(&c);
    }
    return copy_end(&c, f);
}

static int by_number(const void *key, const void *certificate)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct plan_certificate *)certificate)->number;
    return (a > b) - (a < b);
}

static int by_value(const void *a, const void *b)
{
    return *(const int16_t *)a - *(const int16_t *)b;
}

/* The canaries a page has after this plan: those it leaves alone, and its own, of which *next is the first.
 * How many; *same when they are what they were. */
static size_t canaries_of(const struct plan_page *page, const struct plan_material *m,
                          const struct plan *plan, size_t *next, int16_t *out, bool *same)
{
    size_t n = 0;
    for (size_t i = 0; i < page->canary_count; i++) {
        uint32_t number = (uint32_t)page->page * PAGE_SIZE + (uint32_t)page->canaries[i];
        if (bsearch(&number, m->certificates, m->certificate_count, sizeof *m->certificates, by_number) ==
            NULL)
            out[n++] = (int16_t)page->canaries[i];
    }
    while (*next < plan->canary_count && plan->canaries[*next] / PAGE_SIZE < (uint32_t)page->page)
        ++*next;
    for (; *next < plan->canary_count && plan->canaries[*next] / PAGE_SIZE == (uint32_t)page->page; ++*next)
        out[n++] = (int16_t)(plan->canaries[*next] % PAGE_SIZE);
    qsort(out, n, sizeof *out, by_value);
    *same = n == page->canary_count;
    for (size_t i = 0; i < n && *same; i++)
        *same = out[i] == page->canaries[i];
    return n;
}

static bool stage_canaries(struct store *s, const struct plan_material *m, const struct plan *plan,
                           struct fault *f)
{
    struct copy c;
    size_t next = 0;
    if (!copy_begin(s, &c, "staging_canary", "page integer, canaries smallint[]", f))
        return false;
    for (size_t i = 0; i < m->draft->page_count; i++) {
        int16_t canaries[2 * PAGE_SIZE];
        bool same;
        size_t n = canaries_of(&m->draft->pages[i], m, plan, &next, canaries, &same);
        if (same)
            continue;
        copy_int(&c, m->draft->pages[i].page);
        copy_smalls(&c, canaries, n);
        copy_row(&c);
    }
    return copy_end(&c, f);
}

static bool stage_events(struct store *s, const struct plan_draft *d, struct fault *f)
{
    struct copy c;
    if (!copy_begin(s, &c, "staging_event", "number integer", f))
        return false;
    for (size_t i = 0; i < d->changed_count; i++) {
        copy_int(&c, d->changed[i]);
        copy_row(&c);
    }
    return copy_end(&c, f);
}

static bool stage(struct store *s, const struct plan_material *m, const struct plan *plan, struct fault *f)
{
    if (m->draft->fresh &&
        (!stage_pages(s, m->draft, f) || !stage_members(s, m->draft, f) || !stage_places(s, m, f)))
        return false;
    return stage_chunks(s, m, plan, f) && stage_canaries(s, m, plan, f) && stage_events(s, m->draft, f);
}

/* What the event says. */
static json_t *describe(int cohort, const struct plan_draft *d, const struct plan *plan)
{
    json_t *data = json_object();
    char hex[DIGEST_TEXT];
    json_set_int(data, "cohort", cohort);
    json_set_text(data, "sha256", digest_hex(plan->digest, hex));
    json_set_bool(data, "feasible", plan->feasible);
    json_set_int(data, "certificates", (int64_t)plan->number_count);
    json_set_utc(data, "finish", plan->finish);
    if (d->fresh && d->page_count > 0) {
        json_set_int(data, "first_page", d->pages[0].page);
        json_set_int(data, "pages", (int64_t)d->page_count);
    }
    return data;
}

bool store_plan_write(struct store *s, const struct act *act, int cohort, const struct plan_material *m,
                      const struct plan *plan, json_t *summary, int *number, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = describe(cohort, m->draft, plan);
    if (!stage(s, m, plan, f))
        return false;
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_bool(&p, m->draft->fresh);
    put_text(&p, m->draft->mark);
    put_digest(&p, plan->digest);
    put_text(&p, plan->text);
    put_json(&p, summary);
    put_json(&p, data);
    if (!store_query(s, "plan_write", &p, &r, f))
        return false;
    *number = (int)get_int(r, 0, 0);
    store_analyze(s, "page, member, place, chunk");
    return true;
}
