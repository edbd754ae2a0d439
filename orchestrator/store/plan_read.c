/* Reading what a plan is made from: a few COPYs in one snapshot, nothing locked. */
#include "plan_parts.h"

#include <stdlib.h>

/* A reader of one query: called once a row. */
typedef void row_fn(struct copy_out *c, struct plan_rows *rows);

static bool read_rows(struct store *s, const char *query, int campaign, int cohort, struct plan_rows *rows,
                      row_fn *read, struct fault *f)
{
    struct copy_out c;
    const int64_t arguments[] = {campaign, cohort};
    if (!copy_out_begin(s, &c, query, arguments, 2, f))
        return false;
    while (copy_out_next(&c))
        read(&c, rows);
    return copy_out_end(&c, f);
}

static uint16_t find_issuer(const struct plan_rows *rows, int64_t issuer)
{
    size_t low = 0;
    for (size_t high = rows->issuer_count; low + 1 < high;) {
        size_t middle = low + (high - low) / 2;
        if (rows->issuers[middle] <= issuer)
            low = middle;
        else
            high = middle;
    }
    return (uint16_t)low;
}

/* Columns in the order of plan_certificates.sql. */
static void read_certificate(struct copy_out *c, struct plan_rows *r)
{
    if (r->count == r->room) {
        r->room = r->room == 0 ? 4096 : 2 * r->room;
        r->rows = arena_grow(r->rows, r->room * sizeof *r->rows);
    }
    struct plan_row *row = &r->rows[r->count++];
    *row = (struct plan_row){.id = (uint32_t)copy_out_int(c)};
    row->issuer = find_issuer(r, copy_out_int(c));
    row->subscriber = names_index(&r->subscribers, copy_out_bytes(c), &r->arena);
    struct str serial = copy_out_bytes(c);
    row->serial.n = (uint8_t)(serial.n < SERIAL_MAX ? serial.n : SERIAL_MAX);
    memcpy(row->serial.bytes, serial.p, row->serial.n);
    row->not_after = copy_out_utc(c);
    row->reason = (int16_t)copy_out_int(c);
    row->needs = (uint8_t)copy_out_int(c);
    row->shard = names_index(&r->shards, copy_out_bytes(c), &r->arena);
    row->known = copy_out_bool(c);
    row->replaced = copy_out_bool(c);
}

static void read_contact(struct copy_out *c, struct plan_rows *r)
{
    uint32_t subscriber = names_index(&r->subscribers, copy_out_bytes(c), NULL);
    enum plan_class turn = class_from_name(copy_out_bytes(c));
    bool bad = copy_out_bool(c);
    if (subscriber == NAME_NONE)
        return;
    struct plan_contact *contact = &r->contacts[subscriber];
    contact->turn = (uint8_t)(turn < contact->turn ? turn : contact->turn);
    contact->reachable = contact->reachable || !bad;
}

static bool read_contacts(struct store *s, int campaign, int cohort, struct plan_rows *r, struct fault *f)
{
    r->contacts = arena_array(&r->arena, r->subscribers.count, sizeof *r->contacts);
    for (size_t i = 0; i < r->subscribers.count; i++)
        r->contacts[i] = (struct plan_contact){.turn = CLASS_COUNT};
    return read_rows(s, "plan_contacts", campaign, cohort, r, read_contact, f);
}

static void read_page(struct copy_out *c, struct plan_rows *r)
{
    int32_t canaries[PAGE_SIZE];
    if (r->page_count == r->room)
        return; /* a page more than were counted: the count was of the same snapshot */
    struct plan_page *page = &r->pages[r->page_count++];
    *page = (struct plan_page){.page = (int)copy_out_int(c)};
    struct str states = copy_out_bytes(c);
    page->used = (uint16_t)(states.n < PAGE_SIZE ? states.n : PAGE_SIZE);
    page->states = (const uint8_t *)arena_copy(&r->arena, states.p, states.n);
    page->canary_count = copy_out_ints(c, canaries, PAGE_SIZE);
    page->canaries =
        (const int32_t *)memcpy(arena_array(&r->arena, page->canary_count, sizeof *page->canaries), canaries,
                                page->canary_count * sizeof *canaries);
}

static void read_member(struct copy_out *c, struct plan_rows *r)
{
    int32_t ids[BLOCK_SIZE];
    int64_t first = copy_out_int(c) * BLOCK_SIZE - r->first_number;
    size_t n = copy_out_ints(c, ids, BLOCK_SIZE);
    if (first >= 0 && (size_t)first + n <= r->number_count)
        memcpy(r->ids + first, ids, n * sizeof *ids);
}

static void read_claimed(struct copy_out *c, struct plan_rows *r)
{
    int32_t numbers[PLAN_CHUNK_MAX];
    size_t n = copy_out_ints(c, numbers, PLAN_CHUNK_MAX);
    for (size_t i = 0; i < n; i++) {
        int64_t place = numbers[i] - r->first_number;
        if (place >= 0 && (size_t)place < r->number_count)
            r->claimed[place] = true;
    }
}

/* What a started cohort has: pages, who is who, and what is being worked on. */
static bool read_numbers(struct store *s, int campaign, int cohort, int64_t pages, struct plan_rows *r,
                         struct fault *f)
{
    r->room = (size_t)pages;
    r->pages = arena_array(&r->arena, (size_t)pages, sizeof *r->pages);
    if (!read_rows(s, "plan_pages", campaign, cohort, r, read_page, f))
        return false;
    r->room = 0; /* of the certificates, from here */
    if (r->page_count == 0)
        return true;
    r->first_number = (int64_t)r->pages[0].page * PAGE_SIZE;
    r->number_count = (size_t)((int64_t)(r->pages[r->page_count - 1].page + 1) * PAGE_SIZE - r->first_number);
    r->ids = arena_array(&r->arena, r->number_count, sizeof *r->ids);
    memset(r->ids, 0xff, r->number_count * sizeof *r->ids);
    r->claimed = arena_alloc(&r->arena, r->number_count);
    memset(r->claimed, 0, r->number_count);
    return read_rows(s, "plan_members", campaign, cohort, r, read_member, f) &&
           read_rows(s, "plan_claimed", campaign, cohort, r, read_claimed, f);
}

static bool read_issuers(struct store *s, struct plan_rows *r, struct fault *f)
{
    AUTO_RESULT *result = NULL;
    if (!store_query(s, "plan_issuers", NULL, &result, f))
        return false;
    r->issuer_count = (size_t)PQntuples(result);
    r->issuers = arena_array(&r->arena, r->issuer_count, sizeof *r->issuers);
    r->issuer_sha256 = arena_array(&r->arena, r->issuer_count, sizeof *r->issuer_sha256);
    for (size_t i = 0; i < r->issuer_count; i++) {
        r->issuers[i] = (int)get_int(result, (int)i, 0);
        r->issuer_sha256[i] = get_digest(result, (int)i, 1);
    }
    return true;
}

static bool read_mark(struct store *s, int campaign, int cohort, struct plan_rows *r, int64_t *pages,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *result = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "plan_mark", &p, &result, f))
        return false;
    if (PQntuples(result) == 0)
        return fault_set(f, FAULT_FAILED, "there is no cohort %d", cohort);
    r->mark = arena_text(&r->arena, get_text(result, 0, 0));
    r->fresh = !get_bool(result, 0, 1);
    r->next_page = (int)get_int(result, 0, 2);
    *pages = get_int(result, 0, 3);
    return true;
}

static void read_hold(struct copy_out *c, struct plan_rows *r)
{
    uint32_t id = (uint32_t)copy_out_int(c);
    size_t low = 0;
    for (size_t high = r->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (r->rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < r->count && r->rows[low].id == id)
        r->rows[low].held = true;
}

static int compare_ids(const void *a, const void *b)
{
    const struct plan_row *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Rows come as they lie in the table, mostly by id; from here on surely. */
static void sort_by_id(struct plan_rows *r)
{
    bool sorted = true;
    for (size_t i = 1; i < r->count && sorted; i++)
        sorted = r->rows[i - 1].id < r->rows[i].id;
    if (!sorted)
        qsort(r->rows, r->count, sizeof *r->rows, compare_ids);
}

/* URL and size of each shard's CRL, asked for one certificate of it. */
static bool read_shards(struct store *s, int campaign, const struct plan_rows *r, const uint32_t *rows,
                        struct arena *a, struct plan_material *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *result = NULL;
    struct array issuers = {{0}}, serials = {{0}};
    for (size_t i = 0; i < out->shard_count; i++) {
        const struct plan_row *row = &r->rows[rows[i]];
        array_int(&issuers, r->issuers[row->issuer]);
        array_bytes(&serials, row->serial.bytes, row->serial.n);
    }
    put_int(&p, campaign);
    put_array(&p, &issuers);
    put_array(&p, &serials);
    if (!store_query(s, "plan_shards", &p, &result, f))
        return false;
    out->shards = arena_array(a, out->shard_count, sizeof *out->shards);
    for (size_t i = 0; i < out->shard_count; i++)
        out->shards[i] = (struct plan_shard){.url = arena_text(a, get_text(result, (int)i, 0)),
                                             .bytes = (uint64_t)get_int(result, (int)i, 1)};
    return true;
}

struct placed_shard {
    struct plan_shard shard;
    uint32_t index;
};

static int compare_shards(const void *a, const void *b)
{
    const struct placed_shard *x = a, *y = b;
    int order = strcmp(x->shard.url, y->shard.url);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* By URL, so that the plan does not hang on what is seen first. */
static void sort_shards(struct plan_material *m)
{
    AUTO_ARENA scratch = {0};
    struct placed_shard *sorted = arena_array(&scratch, m->shard_count, sizeof *sorted);
    uint32_t *places = arena_array(&scratch, m->shard_count, sizeof *places);
    for (size_t i = 0; i < m->shard_count; i++)
        sorted[i] = (struct placed_shard){m->shards[i], (uint32_t)i};
    qsort(sorted, m->shard_count, sizeof *sorted, compare_shards);
    for (size_t i = 0; i < m->shard_count; i++) {
        m->shards[i] = sorted[i].shard;
        places[sorted[i].index] = (uint32_t)i;
    }
    for (size_t i = 0; i < m->certificate_count; i++)
        m->certificates[i].shard = places[m->certificates[i].shard];
}

static bool read_all(struct store *s, int campaign, int cohort, struct plan_rows *r, struct arena *a,
                     struct plan_material *out, struct fault *f)
{
    int64_t pages = 0;
    uint32_t *representatives;
    if (!read_mark(s, campaign, cohort, r, &pages, f) || !read_issuers(s, r, f) ||
        (!r->fresh && !read_numbers(s, campaign, cohort, pages, r, f)) ||
        !read_rows(s, "plan_certificates", campaign, cohort, r, read_certificate, f))
        return false;
    sort_by_id(r);
    if (!read_contacts(s, campaign, cohort, r, f) ||
        (r->fresh && !read_rows(s, "plan_holds", campaign, cohort, r, read_hold, f)) ||
        !plan_number(r, a, out, &representatives, f) ||
        !read_shards(s, campaign, r, representatives, a, out, f))
        return false;
    sort_shards(out);
    return true;
}

bool store_plan_renew(struct store *s, const struct act *act, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    return store_do(s, "plan_renew", &p, f);
}

static bool read_as_of_now(struct store *s, int campaign, int cohort, bool with_claimed, struct arena *a,
                           struct plan_material *out, struct fault *f)
{
    AUTO_PLAN_ROWS rows = {.with_claimed = with_claimed};
    *out = (struct plan_material){0};
    if (!store_read_begin(s, f))
        return false;
    bool ok = read_all(s, campaign, cohort, &rows, a, out, f);
    store_read_end(s);
    return ok;
}

bool store_plan_read(struct store *s, int campaign, int cohort, struct arena *a, struct plan_material *out,
                     struct fault *f)
{
    return read_as_of_now(s, campaign, cohort, false, a, out, f);
}

bool store_plan_read_left(struct store *s, int campaign, int cohort, struct arena *a,
                          struct plan_material *out, struct fault *f)
{
    return read_as_of_now(s, campaign, cohort, true, a, out, f);
}

bool store_plan_unproved(struct store *s, int campaign, int cohort, struct arena *a,
                         struct plan_unproved **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "plan_unproved", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] =
            (struct plan_unproved){(int)get_int(r, (int)i, 0), get_int(r, (int)i, 1), get_int(r, (int)i, 2)};
    return true;
}
