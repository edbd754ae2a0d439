/* Numbering: from a cohort's rows to the planner's certificates, and to the pages of fresh ones. */
#include "massrevoke/certificate.h"
#include "massrevoke/scope.h"
#include "plan_parts.h"

#include <stdlib.h>

void plan_rows_free(struct plan_rows *rows)
{
    free(rows->rows);
    free(rows->subscribers.texts);
    free(rows->subscribers.slots);
    free(rows->shards.texts);
    free(rows->shards.slots);
    arena_free(&rows->arena);
}

/* The last step of splitmix64: every bit of the input reaches every bit of the result. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

/* Eight bytes at a time. */
static uint64_t hash(struct str text)
{
    uint64_t h = text.n;
    for (size_t i = 0; i < text.n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, text.p + i, text.n - i < 8 ? text.n - i : 8);
        h = mix(h ^ word);
    }
    return h;
}

/* Another text in the way is mostly seen by its hash alone, without a look at its bytes. */
static struct name_slot *find_slot(const struct names *n, struct str text, uint64_t hashed)
{
    uint32_t tag = (uint32_t)(hashed >> 32);
    size_t i = hashed & (n->slot_count - 1);
    while (n->slots[i].index != 0 &&
           (n->slots[i].tag != tag || !str_equal(n->texts[n->slots[i].index - 1], text)))
        i = (i + 1) & (n->slot_count - 1);
    return &n->slots[i];
}

static void keep(struct name_slot *slot, uint64_t hashed, size_t index)
{
    *slot = (struct name_slot){(uint32_t)(hashed >> 32), (uint32_t)index + 1};
}

static void widen(struct names *n)
{
    n->room = n->room == 0 ? 1024 : 2 * n->room;
    n->texts = arena_grow(n->texts, n->room * sizeof *n->texts);
    free(n->slots);
    n->slot_count = 2 * n->room;
    n->slots = arena_grow(NULL, n->slot_count * sizeof *n->slots);
    memset(n->slots, 0, n->slot_count * sizeof *n->slots);
    for (size_t i = 0; i < n->count; i++) {
        uint64_t hashed = hash(n->texts[i]);
        keep(find_slot(n, n->texts[i], hashed), hashed, i);
    }
}

uint32_t names_index(struct names *n, struct str text, struct arena *a)
{
    if (n->count == n->room && a != NULL)
        widen(n);
    uint64_t hashed = hash(text);
    struct name_slot *slot = n->slot_count == 0 ? NULL : find_slot(n, text, hashed);
    if (slot == NULL || (slot->index == 0 && a == NULL))
        return NAME_NONE;
    if (slot->index == 0) {
        n->texts[n->count] = (struct str){arena_copy(a, text.p, text.n), text.n};
        keep(slot, hashed, n->count++);
    }
    return slot->index - 1;
}

struct ranked {
    struct str text;
    uint32_t index;
};

/* By bytes, as SQL's COLLATE "C". */
static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = memcmp(x->text.p, y->text.p, x->text.n < y->text.n ? x->text.n : y->text.n);
    return order != 0 ? order : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

/* ranks[index of a name] = its place in order; sorted[place] = the name. */
static struct ranked *rank_names(const struct names *n, struct arena *a, uint32_t **ranks)
{
    struct ranked *sorted = arena_array(a, n->count, sizeof *sorted);
    *ranks = arena_array(a, n->count, sizeof **ranks);
    for (size_t i = 0; i < n->count; i++)
        sorted[i] = (struct ranked){n->texts[i], (uint32_t)i};
    qsort(sorted, n->count, sizeof *sorted, compare_ranked);
    for (size_t i = 0; i < n->count; i++)
        (*ranks)[sorted[i].index] = (uint32_t)i;
    return sorted;
}

/* One stable pass by key, which is below `kinds`: out[] = in[] in the order of keys[in[]]. */
static void sort_by(const uint32_t *keys, size_t kinds, const uint32_t *in, uint32_t *out, size_t n,
                    struct arena *a)
{
    uint32_t *at = arena_array(a, kinds + 1, sizeof *at);
    memset(at, 0, (kinds + 1) * sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[keys[i] + 1]++;
    for (size_t k = 1; k <= kinds; k++)
        at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++)
        out[at[keys[in[i]]]++] = in[i];
}

static int compare_serials(const void *a, const void *b, void *context)
{
    const struct plan_row *rows = context;
    return serial_compare(&rows[*(const uint32_t *)a].serial, &rows[*(const uint32_t *)b].serial);
}

/* Row indices in number order: (issuer, subscriber, serial). */
static uint32_t *order_rows(const struct plan_rows *r, const uint32_t *ranks, struct arena *a)
{
    size_t n = r->count;
    uint32_t *order = arena_array(a, n, sizeof *order), *other = arena_array(a, n, sizeof *other),
             *ranked = arena_array(a, n, sizeof *ranked), *issuers = arena_array(a, n, sizeof *issuers);
    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
        ranked[i] = ranks[r->rows[i].subscriber];
        issuers[i] = r->rows[i].issuer;
    }
    sort_by(ranked, r->subscribers.count, order, other, n, a);
    sort_by(issuers, r->issuer_count, other, order, n, a);
    for (size_t from = 0, to; from < n; from = to) {
        bool sorted = true; /* as lists mostly are */
        for (to = from + 1;
             to < n && ranked[order[to]] == ranked[order[from]] && issuers[order[to]] == issuers[order[from]];
             to++)
            sorted = sorted && serial_compare(&r->rows[order[to - 1]].serial, &r->rows[order[to]].serial) < 0;
        if (!sorted)
            qsort_r(order + from, to - from, sizeof *order, compare_serials, r->rows);
    }
    return order;
}

/* The earliest turn of all that fit. */
static uint8_t turn_of(const struct plan_row *row, const struct plan_contact *contact, bool named)
{
    unsigned turn = contact->turn == CLASS_COUNT ? CLASS_IN_USE : contact->turn;
    if (row->replaced && turn > CLASS_REPLACED)
        turn = CLASS_REPLACED;
    if ((!row->known || !named) && turn > CLASS_ORPHAN)
        turn = CLASS_ORPHAN;
    if (!contact->reachable && turn > CLASS_UNREACHABLE)
        turn = CLASS_UNREACHABLE;
    return (uint8_t)turn;
}

static void add(struct plan_material *m, const struct plan_rows *r, const struct plan_row *row,
                const uint32_t *ranks, uint32_t number, enum certificate_state state)
{
    m->certificates[m->certificate_count++] = (struct plan_certificate){
        .number = number,
        .subscriber = ranks[row->subscriber],
        .issuer = row->issuer,
        .shard = row->shard,
        .turn = turn_of(row, &r->contacts[row->subscriber], r->subscribers.texts[row->subscriber].n > 0),
        .held = row->held || state == CERTIFICATE_HELD,
        .by_ocsp = (row->needs & CERTIFICATE_NEEDS_OCSP) != 0,
        .not_after = state == CERTIFICATE_DOUBT ? UTC_NONE : row->not_after,
    };
}

static void change(struct plan_draft *d, uint32_t number)
{
    d->changed[d->changed_count++] = (int32_t)number;
}

/* One page from place `at` of the order; the number of certificates on it. */
static size_t fill_page(const struct plan_rows *r, const uint32_t *order, const uint32_t *ranks, size_t at,
                        struct buf *octets, struct plan_material *m)
{
    struct plan_draft *d = m->draft;
    struct plan_page *page = &d->pages[d->page_count];
    size_t issuer = r->rows[order[at]].issuer, i = 0;
    *page = (struct plan_page){.page = r->next_page + (int)d->page_count,
                               .issuer = r->issuers[issuer],
                               .first = (uint32_t)at,
                               .expires = UTC_NONE};
    buf_clear(octets);
    for (; i < PAGE_SIZE && at + i < r->count && r->rows[order[at + i]].issuer == issuer; i++) {
        const struct plan_row *row = &r->rows[order[at + i]];
        uint32_t number = (uint32_t)page->page * PAGE_SIZE + (uint32_t)i;
        add(m, r, row, ranks, number, CERTIFICATE_WAITING);
        d->ids[at + i] = row->id;
        d->needs[at + i] = row->needs;
        if (!utc_is_set(page->expires) || (utc_is_set(row->not_after) && row->not_after.s < page->expires.s))
            page->expires = row->not_after;
        if (row->held)
            change(d, number);
        scope_add_row(octets, number, &r->issuer_sha256[issuer], &row->serial, row->reason);
    }
    page->used = (uint16_t)i;
    page->scope = digest_of(octets->p, octets->n);
    d->page_count++;
    return i;
}

static bool number_anew(struct plan_rows *r, const uint32_t *ranks, struct arena *a, struct plan_material *m,
                        struct fault *f)
{
    AUTO_BUF octets = {0};
    size_t pages = r->count / PAGE_SIZE + r->issuer_count;
    if ((int64_t)r->next_page + (int64_t)pages > INT32_MAX / PAGE_SIZE)
        return fault_set(f, FAULT_FAILED, "no numbers are left in this campaign");
    m->draft->pages = arena_array(a, pages, sizeof *m->draft->pages);
    m->draft->ids = arena_array(a, r->count, sizeof *m->draft->ids);
    m->draft->needs = arena_alloc(a, r->count + 1);
    const uint32_t *order = order_rows(r, ranks, &r->arena);
    for (size_t at = 0; at < r->count;)
        at += fill_page(r, order, ranks, at, &octets, m);
    return true;
}

static bool is_unsettled(enum certificate_state state)
{
    enum bucket b = state == CERTIFICATE_NONE || state >= CERTIFICATE_STATE_COUNT ? BUCKET_OUTSIDE
                                                                                  : certificate_bucket(state);
    return b == BUCKET_NOT_REVOKED || b == BUCKET_HELD || b == BUCKET_UNKNOWN;
}

static bool is_canary(const struct plan_page *page, int offset)
{
    for (size_t i = 0; i < page->canary_count; i++)
        if (page->canaries[i] == offset)
            return true;
    return false;
}

/* Can a canary in this state still prove itself? (canaries_open() of the schema, of unsettled ones) */
static bool may_speak(enum certificate_state state)
{
    return state == CERTIFICATE_WAITING || state == CERTIFICATE_DUE || state == CERTIFICATE_ASKED ||
           state == CERTIFICATE_DOUBT;
}

/* Row index + 1 of each id. */
static uint32_t *rows_by_id(const struct plan_rows *r, struct arena *a, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < r->count; i++)
        *n = r->rows[i].id >= *n ? r->rows[i].id + 1 : *n;
    uint32_t *by_id = arena_array(a, *n, sizeof *by_id);
    memset(by_id, 0, *n * sizeof *by_id);
    for (size_t i = 0; i < r->count; i++)
        by_id[r->rows[i].id] = (uint32_t)i + 1;
    return by_id;
}

static void pick_unsettled(struct plan_rows *r, const uint32_t *ranks, struct plan_material *m)
{
    size_t id_count;
    const uint32_t *by_id = rows_by_id(r, &r->arena, &id_count);
    for (size_t p = 0; p < r->page_count; p++) {
        const struct plan_page *page = &r->pages[p];
        for (int o = 0; o < page->used; o++) {
            uint32_t number = (uint32_t)page->page * PAGE_SIZE + (uint32_t)o;
            size_t place = (size_t)(number - r->first_number);
            enum certificate_state state = certificate_state(page->states[o]);
            int32_t id = r->ids[place];
            bool taken = r->claimed[place] && !r->with_claimed;
            if (!is_unsettled(state) || taken || id < 0 || (size_t)id >= id_count || by_id[id] == 0)
                continue;
            add(m, r, &r->rows[by_id[id] - 1], ranks, number, state);
            m->canary_open = m->canary_open || (may_speak(state) && is_canary(page, o));
            if (state == CERTIFICATE_DUE)
                change(m->draft, number);
        }
    }
}

/* What stays of the pages when the rows go. */
static void keep_pages(const struct plan_rows *r, struct arena *a, struct plan_draft *d)
{
    d->page_count = r->page_count;
    d->pages = arena_array(a, r->page_count, sizeof *d->pages);
    for (size_t i = 0; i < r->page_count; i++) {
        const struct plan_page *page = &r->pages[i];
        int32_t *canaries = arena_array(a, page->canary_count, sizeof *canaries);
        memcpy(canaries, page->canaries, page->canary_count * sizeof *canaries);
        d->pages[i] =
            (struct plan_page){.page = page->page, .canaries = canaries, .canary_count = page->canary_count};
    }
}

/* Which of `kinds` values appear gets a dense new number in the same order: dense[value]; how many. */
static size_t make_dense(const bool *seen, size_t kinds, uint32_t *dense)
{
    size_t n = 0;
    for (size_t i = 0; i < kinds; i++)
        dense[i] = seen[i] ? (uint32_t)n++ : NAME_NONE;
    return n;
}

/* Subscribers, issuers and shards that no certificate of the material has go. */
static void compact(struct plan_rows *r, const struct ranked *sorted, struct arena *a,
                    struct plan_material *m, uint32_t **shard_names)
{
    struct arena *scratch = &r->arena;
    size_t kinds[3] = {r->subscribers.count, r->issuer_count, r->shards.count}, n[3];
    bool *seen[3];
    uint32_t *dense[3];
    for (int k = 0; k < 3; k++) {
        seen[k] = arena_alloc(scratch, kinds[k] + 1);
        dense[k] = arena_array(scratch, kinds[k], sizeof *dense[k]);
        memset(seen[k], 0, kinds[k]);
    }
    for (size_t i = 0; i < m->certificate_count; i++) {
        const struct plan_certificate *c = &m->certificates[i];
        seen[0][c->subscriber] = seen[1][c->issuer] = seen[2][c->shard] = true;
    }
    for (int k = 0; k < 3; k++)
        n[k] = make_dense(seen[k], kinds[k], dense[k]);
    for (size_t i = 0; i < m->certificate_count; i++) {
        struct plan_certificate *c = &m->certificates[i];
        c->subscriber = dense[0][c->subscriber];
        c->issuer = (uint16_t)dense[1][c->issuer];
        c->shard = dense[2][c->shard];
    }
    m->subscribers = arena_array(a, n[0], sizeof *m->subscribers);
    for (size_t i = 0; i < kinds[0]; i++)
        if (seen[0][i])
            m->subscribers[m->subscriber_count++].id = arena_copy(a, sorted[i].text.p, sorted[i].text.n);
    m->issuers = arena_array(a, n[1], sizeof *m->issuers);
    for (size_t i = 0; i < kinds[1]; i++)
        if (seen[1][i])
            m->issuers[m->issuer_count++] = r->issuers[i];
    m->shard_count = n[2];
    *shard_names = dense[2];
}

/* A row of each shard of the material. */
static uint32_t *represent(const struct plan_rows *r, const uint32_t *dense, size_t shards, struct arena *a)
{
    uint32_t *rows = arena_array(a, shards, sizeof *rows);
    for (size_t i = r->count; i-- > 0;)
        if (dense[r->rows[i].shard] != NAME_NONE)
            rows[dense[r->rows[i].shard]] = (uint32_t)i;
    return rows;
}

bool plan_number(struct plan_rows *r, struct arena *a, struct plan_material *out, uint32_t **representatives,
                 struct fault *f)
{
    uint32_t *ranks, *dense;
    const struct ranked *sorted = rank_names(&r->subscribers, &r->arena, &ranks);
    out->certificates = arena_array(a, r->count, sizeof *out->certificates);
    out->draft = arena_alloc(a, sizeof *out->draft);
    *out->draft = (struct plan_draft){.fresh = r->fresh, .mark = arena_text(a, r->mark)};
    out->draft->changed = arena_array(a, r->count, sizeof *out->draft->changed);
    if (r->fresh && !number_anew(r, ranks, a, out, f))
        return false;
    if (!r->fresh) {
        pick_unsettled(r, ranks, out);
        keep_pages(r, a, out->draft);
    }
    compact(r, sorted, a, out, &dense);
    *representatives = represent(r, dense, out->shard_count, &r->arena);
    return true;
}
