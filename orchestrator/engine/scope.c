/* Re-hashing pages against what was signed: whoever claims a chunk proves its rows first (design section 3).
 */
#include "internal.h"
#include "massrevoke/approval.h"

#include <stdlib.h>

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

size_t engine_touched(const struct claim *claims, size_t n, struct arena *a, int **pages)
{
    size_t total = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        total += claims[i].count;
    *pages = arena_array(a, total, sizeof **pages);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < claims[i].count; k++) {
            int page = (int)(claims[i].numbers[k] / 1000);
            if (count == 0 || (*pages)[count - 1] != page)
                (*pages)[count++] = page;
        }
    qsort(*pages, count, sizeof **pages, compare_ints);
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++)
        if (distinct == 0 || (*pages)[distinct - 1] != (*pages)[i])
            (*pages)[distinct++] = (*pages)[i];
    return distinct;
}

static const struct page_scope *find_scope(const struct page_scope *scopes, size_t n, int page)
{
    for (size_t low = 0, high = n; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (scopes[middle].page == page)
            return &scopes[middle];
        if (scopes[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Is this page, as its rows stand, the one whose digest is in the signed scope? */
static bool page_matches(const struct page_scope *scope, const struct scoped *rows, size_t n)
{
    struct digest now = scope_of_page(rows, n);
    return scope != NULL && memcmp(now.bytes, scope->scope.bytes, DIGEST_SIZE) == 0;
}

/* Page digests of one cohort, good when together they are what the approvers signed: as long as the
 * campaign's generation stays, for whatever takes a signature away changes it. */
struct cohort_scope {
    int cohort;
    bool good;
    struct utc compromised_at; /* as signed */
    struct page_scope *pages;
    size_t count;
};

struct scope_cache {
    struct arena arena;
    int64_t generation;
    struct cohort_scope *cohorts;
    size_t count;
};

static bool load_cohort(struct engine *e, int cohort, struct arena *a, struct cohort_scope *out,
                        struct fault *f)
{
    struct approval_signed approved;
    out->cohort = cohort;
    if (!store_page_scopes(e->parts.store, e->parts.campaign, cohort, a, &out->pages, &out->count, f))
        return false;
    struct fault why = {0};
    out->good = approval_signed_scope(e->parts.store, e->parts.settings, e->parts.campaign,
                                      e->parts.campaign_name, e->parts.mode, cohort, &approved, &why);
    if (!out->good && why.kind == FAULT_UNAVAILABLE) {
        *f = why;
        return false;
    }
    struct digest now = scope_of_pages(out->pages, out->count);
    out->good = out->good && memcmp(now.bytes, approved.scope.bytes, DIGEST_SIZE) == 0;
    out->compromised_at = approved.compromised_at;
    return true;
}

void engine_scopes_free(struct engine *e)
{
    if (e->scopes == NULL)
        return;
    arena_free(&e->scopes->arena);
    free(e->scopes->cohorts);
    free(e->scopes);
    e->scopes = NULL;
}

/* What is remembered of a generation; an older one's is forgotten. */
static struct scope_cache *cache_of(struct engine *e, int64_t generation)
{
    if (e->scopes != NULL && e->scopes->generation != generation)
        engine_scopes_free(e);
    if (e->scopes == NULL) {
        e->scopes = arena_grow(NULL, sizeof *e->scopes);
        *e->scopes = (struct scope_cache){.generation = generation};
    }
    return e->scopes;
}

static bool find_cohort(struct engine *e, const struct claim *claim, const struct cohort_scope **out,
                        struct fault *f)
{
    struct scope_cache *cache = cache_of(e, claim->generation);
    for (size_t i = 0; i < cache->count; i++)
        if (cache->cohorts[i].cohort == claim->cohort) {
            *out = &cache->cohorts[i];
            return true;
        }
    struct cohort_scope fresh;
    if (!load_cohort(e, claim->cohort, &cache->arena, &fresh, f))
        return false;
    if (!fresh.good) { /* not remembered: it may be signed at any time */
        struct cohort_scope *bad = arena_array(&cache->arena, 1, sizeof *bad);
        *bad = fresh;
        *out = bad;
        return true;
    }
    cache->cohorts = arena_grow(cache->cohorts, (cache->count + 1) * sizeof *cache->cohorts);
    cache->cohorts[cache->count] = fresh;
    *out = &cache->cohorts[cache->count++];
    return true;
}

static bool is_bad(const struct cohort_scope *c, const struct claim *claim, const int *pages,
                   const bool *good, size_t page_count)
{
    if (!c->good)
        return true;
    for (size_t i = 0; i < claim->count; i++) {
        int page = (int)(claim->numbers[i] / 1000);
        if (i > 0 && page == claim->numbers[i - 1] / 1000)
            continue;
        const int *at = bsearch(&page, pages, page_count, sizeof *pages, compare_ints);
        if (at == NULL || !good[at - pages])
            return true;
    }
    return false;
}

/* Which of the pages are what this cohort's signed scope says; pages of other cohorts stay as they are. */
static void judge_pages(const struct cohort_scope *c, const int *pages, size_t page_count,
                        const struct scoped *rows, size_t row_count, bool *good)
{
    size_t row = 0;
    for (size_t p = 0; p < page_count; p++) {
        size_t first = row;
        while (row < row_count && rows[row].number / 1000 == pages[p])
            row++;
        const struct page_scope *scope = find_scope(c->pages, c->count, pages[p]);
        if (scope != NULL)
            good[p] = page_matches(scope, rows + first, row - first);
    }
}

bool engine_check_scope(struct engine *e, const struct claim *claims, size_t n, const int *pages,
                        size_t page_count, const struct scoped *rows, size_t row_count, struct arena *a,
                        bool *bad, struct utc *dates, struct fault *f)
{
    bool *good = arena_array(a, page_count, sizeof *good);
    const struct cohort_scope *cohort = NULL;
    for (size_t c = 0; c < n; c++) {
        if (cohort == NULL || claims[c].cohort != cohort->cohort) {
            if (!find_cohort(e, &claims[c], &cohort, f))
                return false;
            judge_pages(cohort, pages, page_count, rows, row_count, good);
        }
        bad[c] = is_bad(cohort, &claims[c], pages, good, page_count);
        dates[c] = cohort->compromised_at;
    }
    return true;
}
