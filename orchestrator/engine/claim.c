/* Claiming: which chunks, proof that their rows are what was signed, and what is to be done with each
 * certificate. The store works while others converse; a work comes into being when both its answers are
 * there. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Those that do not match what was signed, and those whose people are not told yet of their earlier hour. */
bool engine_find_barred(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    int *waiting = NULL;
    size_t n = 0;
    bool looks = engine_sees_people(e); /* else another engine tells them */
    if (e->parts.profile.notices && (e->parts.mail != NULL || !looks) &&
        !store_moved_waiting(e->parts.store, e->parts.campaign, engine_act(e).at, looks, &a, &waiting, &n, f))
        return false;
    e->barred = arena_grow(e->barred, (e->skip_count + n + 1) * sizeof *e->barred);
    for (size_t i = 0; i < e->skip_count; i++)
        e->barred[i] = e->skip[i];
    for (size_t i = 0; i < n; i++)
        e->barred[e->skip_count + i] = waiting[i];
    e->barred_count = e->skip_count + n;
    return true;
}

bool engine_claim_begin(struct engine *e, int ca, int64_t most, struct fault *f)
{
    struct act act = engine_act(e);
    if (!store_claim_send(e->parts.store, &act, e->id, ca, most, e->barred, e->barred_count, f))
        return false;
    struct work *w = arena_grow(NULL, sizeof *w);
    *w = (struct work){.ca = ca};
    e->claiming = (struct claiming){.work = w};
    return true;
}

/* Nothing came of it. */
static void drop_claim(struct engine *e)
{
    arena_free(&e->claiming.work->arena);
    free(e->claiming.work);
    e->claiming = (struct claiming){0};
}

void engine_claim_forget(struct engine *e)
{
    if (e->claiming.work != NULL && !e->claiming.reads_rows)
        drop_claim(e);
    e->claiming = (struct claiming){0};
}

/* Does the configuration give this issuer to the CA whose chunk it is? It may have changed since the plan. */
static bool is_of_ca(const struct engine *e, const struct claim *claim, int ca)
{
    int index = engine_issuer_index(e, claim->issuer);
    return index >= 0 && engine_ca_of(e, index) == ca;
}

/* A chunk whose page is not what was signed is never revoked: remembered, noted once, shown to a person. */
static bool refuse_chunk(struct engine *e, const struct claim *claim, bool configured, struct fault *f)
{
    e->skip = arena_grow(e->skip, (e->skip_count + 1) * sizeof *e->skip);
    e->skip[e->skip_count++] = claim->chunk;
    e->barred = arena_grow(e->barred, (e->barred_count + 1) * sizeof *e->barred);
    e->barred[e->barred_count++] = claim->chunk;
    snprintf(e->warning, sizeof e->warning,
             configured
                 ? "chunk %d touches a page whose certificate rows are not what was approved: not revoked"
                 : "chunk %d is of an issuer that is not configured for its CA any more: not revoked",
             claim->chunk);
    if (!configured)
        return true;
    struct act act = engine_act(e);
    AUTO_JSON *data = json_object();
    json_set_int(data, "chunk", claim->chunk);
    json_set_int(data, "page", claim->numbers[0] / 1000);
    return store_note(e->parts.store, &act, "scope_altered", data, f);
}

static int compare_places(const void *a, const void *b)
{
    const struct slot_place *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* One slot a certificate of the claims that are not bad, in the order of the plan. */
static void make_slots(struct work *w, const bool *bad, const struct utc *dates)
{
    size_t total = 0;
    for (size_t c = 0; c < w->count; c++)
        total += bad[c] ? 0 : w->claims[c].count;
    w->slots = arena_array(&w->arena, total, sizeof *w->slots);
    w->places = arena_array(&w->arena, total, sizeof *w->places);
    w->asks = arena_array(&w->arena, total, sizeof *w->asks);
    w->sends = arena_array(&w->arena, total, sizeof *w->sends);
    for (size_t c = 0; c < w->count; c++) {
        const struct claim *claim = &w->claims[c];
        for (size_t i = 0; i < claim->count && !bad[c]; i++) {
            w->places[w->slot_count] = (struct slot_place){claim->numbers[i], (uint32_t)w->slot_count};
            w->slots[w->slot_count++] = (struct slot){.claim = claim,
                                                      .number = claim->numbers[i],
                                                      .intent = claim->intents[i],
                                                      .issuer = -1,
                                                      .date = dates[c],
                                                      .state = claim->states[i]};
        }
    }
    qsort(w->places, w->slot_count, sizeof *w->places, compare_places);
}

/* Serial, reason and issuer come from the re-hashed rows. */
static void fill_slots(struct engine *e, struct work *w, const struct scoped *rows, size_t row_count)
{
    size_t row = 0;
    for (size_t i = 0; i < w->slot_count; i++) {
        struct slot *slot = &w->slots[w->places[i].slot];
        while (row < row_count && rows[row].number < slot->number)
            row++;
        if (row == row_count || rows[row].number != slot->number)
            continue; /* the page digest has matched, so this cannot be; the item stays unsent */
        slot->serial = rows[row].serial;
        slot->reason = rows[row].reason;
        slot->issuer = engine_issuer_index(e, rows[row].issuer);
    }
}

/* What the door's requests need to know besides the serial. */
static bool learn(struct engine *e, struct work *w, struct fault *f)
{
    const struct ca_facts *facts = &e->parts.cas[w->ca].door->facts;
    struct certificate_file *files;
    size_t n, at = 0;
    if (!facts->needs_certificate && !facts->trusts_any_serial)
        return true;
    int64_t *numbers = arena_array(&w->arena, w->slot_count, sizeof *numbers);
    for (size_t i = 0; i < w->slot_count; i++)
        numbers[i] = w->places[i].number;
    if (!store_certificate_files(e->parts.store, e->parts.campaign, numbers, w->slot_count, &w->arena, &files,
                                 &n, f))
        return false;
    for (size_t i = 0; i < w->slot_count; i++) {
        struct slot *slot = &w->slots[w->places[i].slot];
        while (at < n && files[at].number < slot->number)
            at++;
        bool found = at < n && files[at].number == slot->number;
        slot->file = found ? files[at].file : NULL;
        slot->stranger = facts->trusts_any_serial && !(found && files[at].known);
    }
    return true;
}

/* What is done with each certificate: sent, asked about, or given to a person. */
static void decide(struct engine *e, struct work *w)
{
    bool keeps = e->parts.cas[w->ca].door->facts.keeps_first_date;
    for (size_t i = 0; i < w->slot_count; i++) {
        struct slot *slot = &w->slots[i];
        enum executor_step step = executor_step(slot->state, keeps);
        if (slot->serial.n == 0 || slot->issuer < 0)
            step = EXECUTOR_NOTHING;
        if (step == EXECUTOR_SEND && slot->stranger) /* a "yes" would prove nothing */
            engine_take_answer(
                e, w, slot,
                &(struct ca_answer){
                    .number = (uint32_t)slot->number, .outcome = CA_PERSON, .at = UTC_NONE, .reason = -1});
        else if (step == EXECUTOR_SEND)
            engine_put_send(e, w, (uint32_t)i);
        else if (step == EXECUTOR_ASK)
            w->asks[w->ask_count++] = (uint32_t)i;
    }
}

static bool has_doubt(const struct work *w)
{
    for (size_t c = 0; c < w->count; c++)
        for (size_t i = 0; i < w->claims[c].count; i++)
            if (certificate_state(w->claims[c].states[i]) == CERTIFICATE_DOUBT)
                return true;
    return false;
}

/* The chunks are ours. From here on the work is among the engine's: whatever fails, it goes back. */
static bool take_chunks(struct engine *e, struct fault *f)
{
    struct claiming *c = &e->claiming;
    struct work *w = c->work;
    struct utc now = engine_act(e).at;
    if (w->count == 0) {
        e->lines[w->ca].idle = true;
        drop_claim(e);
        return true;
    }
    w->ready = has_doubt(w) ? utc_add(now, e->parts.cas[w->ca].door->facts.quiet) : now;
    w->stopped = true; /* until its rows are proved */
    e->works = arena_grow(e->works, (e->work_count + 1) * sizeof *e->works);
    e->works[e->work_count++] = w;
    c->page_count = engine_touched(w->claims, w->count, &w->arena, &c->pages);
    c->reads_rows = true;
    if (store_page_rows_send(e->parts.store, e->parts.campaign, c->pages, c->page_count, f))
        return true;
    e->claiming = (struct claiming){0};
    return false;
}

static bool take_rows(struct engine *e, const struct scoped *rows, size_t row_count, struct fault *f)
{
    struct claiming c = e->claiming;
    struct work *w = c.work;
    e->claiming = (struct claiming){0};
    bool *bad = arena_array(&w->arena, w->count, sizeof *bad);
    struct utc *dates = arena_array(&w->arena, w->count, sizeof *dates);
    if (!engine_check_scope(e, w->claims, w->count, c.pages, c.page_count, rows, row_count, &w->arena, bad,
                            dates, f))
        return false;
    for (size_t i = 0; i < w->count; i++) {
        bool configured = is_of_ca(e, &w->claims[i], w->ca);
        if ((bad[i] || !configured) && !refuse_chunk(e, &w->claims[i], configured, f))
            return false;
        bad[i] = bad[i] || !configured;
    }
    make_slots(w, bad, dates);
    fill_slots(e, w, rows, row_count);
    if (!learn(e, w, f))
        return false;
    /* what was seen while the rows came: a brake, a breaker */
    w->stopped =
        e->generation > w->claims[0].generation ||
        (!engine_asks_first(e, w->ca) && breaker_allow(&e->lines[w->ca].breaker, engine_act(e).at) == 0);
    decide(e, w);
    return true;
}

bool engine_claim_go_on(struct engine *e, bool wait, bool *moved, struct fault *f)
{
    bool done = wait || e->store_readable;
    while (e->claiming.work != NULL && done) {
        struct work *w = e->claiming.work;
        struct scoped *rows;
        size_t row_count;
        bool reads = e->claiming.reads_rows;
        if (reads ? !store_page_rows_receive(e->parts.store, wait, &w->arena, &rows, &row_count, &done, f)
                  : !store_claim_receive(e->parts.store, wait, &w->arena, &w->claims, &w->count, &done, f)) {
            engine_claim_forget(e);
            return false;
        }
        *moved = *moved || done;
        if (done && !(reads ? take_rows(e, rows, row_count, f) : take_chunks(e, f)))
            return false;
    }
    return true;
}
