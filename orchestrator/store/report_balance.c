/* The ledger derived again: rows against pages, counters against bytes, bytes against the journal, rows
 * against what was signed. Everything is read in a few long queries and compared here: one pass, no query a
 * page. */
#include "massrevoke/scope.h"
#include "massrevoke/store_queue.h"
#include "report_parts.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#define PAGE_SIZE 1000
#define PAGES_AT_ONCE 100 /* pages whose certificate rows are in memory together */

/* Columns of report_pages.sql: the counters in the order of enum bucket, from column 4. */
enum {
    COLUMN_PAGE,
    COLUMN_COHORT,
    COLUMN_USED,
    COLUMN_STATES,
    COLUMN_COUNTERS,
    COLUMN_DOUBT = 11,
    COLUMN_PERSON,
    COLUMN_SCOPE
};

struct page {
    int page, cohort;
    int64_t used, counters[BUCKET_COUNT], doubt, person;
    int64_t rows, withdrawn_rows;
    struct str states;
    uint8_t *derived; /* by the journal */
    struct digest scope;
};

struct audit {
    struct balance *out;
    struct arena *a;
    int first, last; /* page numbers */
    struct page *pages;
    size_t count;
};

static void put_range(struct parameters *p, int campaign, const struct audit *u)
{
    put_int(p, campaign);
    put_int(p, u->first);
    put_int(p, u->last);
}

static void __attribute__((format(printf, 2, 3))) complain(struct balance *b, const char *format, ...)
{
    va_list args;
    bool first = b->ok;
    b->ok = false;
    if (!first)
        return;
    va_start(args, format);
    vsnprintf(b->detail, sizeof b->detail, format, args);
    va_end(args);
}

static struct page *find_page(struct audit *u, int64_t page)
{
    for (size_t low = 0, high = u->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (u->pages[middle].page == page)
            return &u->pages[middle];
        if (u->pages[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool read_pages(struct store *s, int campaign, struct audit *u, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_range(&p, campaign, u);
    if (!store_query(s, "report_pages", &p, &r, f))
        return false;
    u->count = (size_t)PQntuples(r);
    u->pages = arena_array(u->a, u->count, sizeof *u->pages);
    for (int i = 0; i < PQntuples(r); i++) {
        struct page *g = &u->pages[i];
        *g = (struct page){
            .page = (int)get_int(r, i, COLUMN_PAGE),
            .cohort = (int)get_int(r, i, COLUMN_COHORT),
            .used = get_int(r, i, COLUMN_USED),
            .states = get_bytes(r, i, COLUMN_STATES, u->a),
            .doubt = get_int(r, i, COLUMN_DOUBT),
            .person = get_int(r, i, COLUMN_PERSON),
            .scope = get_digest(r, i, COLUMN_SCOPE),
            .derived = arena_alloc(u->a, PAGE_SIZE),
        };
        for (int b = 0; b < BUCKET_COUNT; b++)
            g->counters[b] = get_int(r, i, COLUMN_COUNTERS + b);
        memset(g->derived, CERTIFICATE_WAITING, PAGE_SIZE);
    }
    return true;
}

static bool read_rows(struct store *s, int campaign, struct audit *u, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_range(&p, campaign, u);
    if (!store_query(s, "report_page_certificates", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        struct page *g = find_page(u, get_int(r, i, 0));
        if (g == NULL) {
            u->out->not_counted += get_int(r, i, 1);
            complain(u->out, "page %" PRId64 " is gone: its %" PRId64 " certificates are counted nowhere",
                     get_int(r, i, 0), get_int(r, i, 1));
            continue;
        }
        g->rows = get_int(r, i, 1);
        g->withdrawn_rows = get_int(r, i, 2);
    }
    return true;
}

/* Applies one journal row; the byte it found must be the one the rows before it left. */
static void replay(struct audit *u, const PGresult *r, int row)
{
    AUTO_ARENA a = {0};
    size_t n;
    struct page *g = find_page(u, get_int(r, row, 0));
    const int64_t *offsets = get_ints(r, row, 2, &a, &n);
    struct str befores = get_bytes(r, row, 3, &a), afters = get_bytes(r, row, 4, &a);
    if (g == NULL || befores.n != n || afters.n != n) {
        complain(u->out, "page %" PRId64 ": the change of event %" PRId64 " is malformed", get_int(r, row, 0),
                 get_int(r, row, 1));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (offsets[i] < 0 || offsets[i] >= g->used) {
            complain(u->out, "page %d: event %" PRId64 " changes place %" PRId64 ", which it does not have",
                     g->page, get_int(r, row, 1), offsets[i]);
            return;
        }
        uint8_t *byte = &g->derived[offsets[i]];
        if (*byte != (uint8_t)befores.p[i])
            complain(u->out,
                     "page %d: event %" PRId64 " found certificate %" PRId64
                     " %s, the events before left it %s",
                     g->page, get_int(r, row, 1), (int64_t)g->page * PAGE_SIZE + offsets[i],
                     certificate_state_name(certificate_state((uint8_t)befores.p[i])),
                     certificate_state_name(certificate_state(*byte)));
        *byte = (uint8_t)afters.p[i];
    }
}

static bool read_journal(struct store *s, int campaign, struct audit *u, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_range(&p, campaign, u);
    if (!store_query(s, "report_changes", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        replay(u, r, i);
    return true;
}

struct tally {
    int64_t buckets[BUCKET_COUNT], doubt, person, none;
};

static struct tally tally(const uint8_t *bytes, size_t n)
{
    struct tally t = {{0}, 0, 0, 0};
    for (size_t i = 0; i < n; i++) {
        enum certificate_state state = certificate_state(bytes[i]);
        if (state == CERTIFICATE_NONE || state >= CERTIFICATE_STATE_COUNT) {
            t.none++;
            continue;
        }
        t.buckets[certificate_bucket(state)]++;
        t.doubt += state == CERTIFICATE_DOUBT;
        t.person += state == CERTIFICATE_NEEDS_PERSON;
    }
    return t;
}

static void check_counters(struct audit *u, const struct page *g, const struct tally *t)
{
    for (int b = 0; b < BUCKET_COUNT; b++)
        if (g->counters[b] != t->buckets[b])
            complain(u->out, "page %d: its counter says %" PRId64 " %s, its state bytes %" PRId64, g->page,
                     g->counters[b], b == BUCKET_OUTSIDE ? "withdrawn" : bucket_name((enum bucket)b),
                     t->buckets[b]);
    if (g->doubt != t->doubt || g->person != t->person)
        complain(u->out, "page %d: its counters of doubt and needs_person are not what its state bytes say",
                 g->page);
    if (t->none > 0)
        complain(u->out, "page %d: %" PRId64 " state bytes are none of the states", g->page, t->none);
}

static void check_bytes(struct audit *u, const struct page *g)
{
    for (int64_t i = 0; i < g->used && (size_t)i < g->states.n; i++) {
        uint8_t byte = (uint8_t)g->states.p[i];
        if (byte != g->derived[i])
            complain(u->out, "page %d: certificate %" PRId64 " is %s, its facts say %s", g->page,
                     (int64_t)g->page * PAGE_SIZE + i, certificate_state_name(certificate_state(byte)),
                     certificate_state_name(certificate_state(g->derived[i])));
    }
}

/* What the counters say too much and too little, against the bytes or the journal, whichever differs more. */
static void count_difference(struct audit *u, const struct page *g, const struct tally *bytes,
                             const struct tally *facts)
{
    int64_t more[2] = {0}, less[2] = {0};
    for (int b = 0; b < BUCKET_COUNT; b++) {
        int64_t difference[2] = {g->counters[b] - bytes->buckets[b], g->counters[b] - facts->buckets[b]};
        for (int k = 0; k < 2; k++) {
            more[k] += difference[k] > 0 ? difference[k] : 0;
            less[k] -= difference[k] < 0 ? difference[k] : 0;
        }
    }
    u->out->counted_twice += more[0] > more[1] ? more[0] : more[1];
    u->out->not_counted += less[0] > less[1] ? less[0] : less[1];
}

static void check_page(struct audit *u, const struct page *g)
{
    struct tally bytes = tally((const uint8_t *)g->states.p, g->states.n),
                 facts = tally(g->derived, (size_t)g->used);
    if (g->rows != g->used) {
        complain(u->out, "page %d: it counts %" PRId64 " certificates, the list has %" PRId64, g->page,
                 g->used, g->rows);
        if (g->used > g->rows)
            u->out->counted_twice += g->used - g->rows;
        else
            u->out->not_counted += g->rows - g->used;
    }
    check_counters(u, g, &bytes);
    check_bytes(u, g);
    count_difference(u, g, &bytes, &facts);
    if (g->withdrawn_rows != bytes.buckets[BUCKET_OUTSIDE])
        complain(u->out, "page %d: %" PRId64 " certificate rows are withdrawn, its state bytes say %" PRId64,
                 g->page, g->withdrawn_rows, bytes.buckets[BUCKET_OUTSIDE]);
}

/* Re-hashes the rows of some pages. */
static bool check_scopes(struct store *s, int campaign, struct audit *u, size_t first, size_t count,
                         struct fault *f)
{
    AUTO_ARENA a = {0};
    struct scoped *rows;
    size_t n, row = 0;
    int pages[PAGES_AT_ONCE];
    for (size_t i = 0; i < count; i++)
        pages[i] = u->pages[first + i].page;
    if (!store_page_rows(s, campaign, pages, count, &a, &rows, &n, f))
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t start = row;
        while (row < n && rows[row].number / PAGE_SIZE == pages[i])
            row++;
        struct digest now = scope_of_page(rows + start, row - start);
        if (memcmp(now.bytes, u->pages[first + i].scope.bytes, DIGEST_SIZE) != 0)
            complain(u->out, "page %d: its certificate rows are not those that were planned and signed",
                     pages[i]);
    }
    return true;
}

/* Rows that left or joined without a list. */
static bool check_lists(struct store *s, int campaign, struct balance *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "report_lists", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t cohort = get_int(r, i, 0), listed = get_int(r, i, 1), rows = get_int(r, i, 2);
        bool numbered = get_bool(r, i, 3); /* then the pages have told it in numbers already */
        complain(out, "cohort %" PRId64 ": its lists brought %" PRId64 " certificates, %" PRId64 " are there",
                 cohort, listed, rows);
        if (!numbered && listed > rows)
            out->not_counted += listed - rows;
        else if (!numbered)
            out->counted_twice += rows - listed;
    }
    return true;
}

bool report_balance_pages(struct store *store, int campaign, int first, int last, bool lists,
                          struct balance *out, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct audit u = {.out = out, .a = &a, .first = first, .last = last};
    if (!read_pages(store, campaign, &u, f) || !read_rows(store, campaign, &u, f) ||
        !read_journal(store, campaign, &u, f))
        return false;
    for (size_t i = 0; i < u.count; i++)
        check_page(&u, &u.pages[i]);
    for (size_t i = 0; i < u.count; i += PAGES_AT_ONCE)
        if (!check_scopes(store, campaign, &u, i, u.count - i < PAGES_AT_ONCE ? u.count - i : PAGES_AT_ONCE,
                          f))
            return false;
    return !lists || check_lists(store, campaign, out, f);
}

bool report_balance(struct store *store, int campaign, struct balance *out, struct fault *f)
{
    *out = (struct balance){.ok = true};
    return report_balance_pages(store, campaign, 0, INT_MAX, true, out, f);
}

static bool keep(struct store *s, int campaign, struct utc now, const struct balance *b, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    put_utc(&p, now);
    put_int(&p, b->counted_twice);
    put_int(&p, b->not_counted);
    put_text(&p, b->detail);
    return store_do(s, "balance_keep", &p, f);
}

static bool turn(struct store *s, int campaign, int pages, struct balance_round *round, bool *done,
                 struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "balance_pages", &p, &r, f))
        return false;
    int next = round->next_page + pages;
    *done = next >= get_int(r, 0, 0);
    if (!report_balance_pages(s, campaign, round->next_page, next - 1, *done, &round->found, f))
        return false;
    round->next_page = next;
    return true;
}

bool store_balance_turn(struct store *s, int campaign, struct utc now, int pages, struct balance_round *round,
                        bool *done, struct fault *f)
{
    if (round->next_page == 0)
        round->found = (struct balance){.ok = true};
    if (!store_read_begin(s, f))
        return false;
    bool ok = turn(s, campaign, pages, round, done, f);
    store_read_end(s);
    if (ok && (*done || !round->found.ok))
        ok = keep(s, campaign, now, &round->found, f);
    if (ok && *done)
        round->next_page = 0;
    return ok;
}
