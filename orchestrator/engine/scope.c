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

/* Pages that the claims touch, ascending, each once. */
static size_t touched(const struct claim *claims, size_t n, struct arena *a, int **pages)
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

struct cohort_scope {
    int cohort;
    bool good;
    struct page_scope *scopes;
    size_t count;
};

/* Page digests of a cohort, good only when together they are what the approvers signed. */
static bool load_cohort(struct engine *e, int cohort, struct arena *a, struct cohort_scope *out,
                        struct fault *f)
{
    struct digest approved;
    out->cohort = cohort;
    if (!store_page_scopes(e->parts.store, e->parts.campaign, cohort, a, &out->scopes, &out->count, f))
        return false;
    struct fault why = {0};
    out->good = approval_signed_scope(e->parts.store, e->parts.settings, e->parts.campaign,
                                      e->parts.campaign_name, e->parts.mode, cohort, &approved, &why);
    if (!out->good && why.kind == FAULT_UNAVAILABLE) {
        *f = why;
        return false;
    }
    struct digest now = scope_of_pages(out->scopes, out->count);
    out->good = out->good && memcmp(now.bytes, approved.bytes, DIGEST_SIZE) == 0;
    return true;
}

static bool mark_bad(const struct cohort_scope *c, const struct claim *claim, const int *pages,
                     const bool *good, size_t page_count)
{
    if (!c->good)
        return true;
    for (size_t i = 0; i < claim->count; i++) {
        int page = (int)(claim->numbers[i] / 1000);
        const int *at = bsearch(&page, pages, page_count, sizeof *pages, compare_ints);
        if (at == NULL || !good[at - pages])
            return true;
    }
    return false;
}

bool engine_check_scope(struct engine *e, const struct claim *claims, size_t n, struct arena *a, bool *bad,
                        struct scoped **rows, size_t *row_count, struct fault *f)
{
    int *pages;
    size_t page_count = touched(claims, n, a, &pages), row = 0;
    bool *good = arena_array(a, page_count, sizeof *good);
    if (!store_page_rows(e->parts.store, e->parts.campaign, pages, page_count, a, rows, row_count, f))
        return false;
    struct cohort_scope cohort = {.cohort = -1};
    for (size_t c = 0; c < n; c++) {
        if (claims[c].cohort != cohort.cohort) {
            if (!load_cohort(e, claims[c].cohort, a, &cohort, f))
                return false;
            row = 0;
            for (size_t p = 0; p < page_count; p++) {
                size_t first = row;
                while (row < *row_count && (*rows)[row].number / 1000 == pages[p])
                    row++;
                const struct page_scope *scope = find_scope(cohort.scopes, cohort.count, pages[p]);
                if (scope != NULL)
                    good[p] = page_matches(scope, *rows + first, row - first);
            }
        }
        bad[c] = mark_bad(&cohort, &claims[c], pages, good, page_count);
    }
    return true;
}
