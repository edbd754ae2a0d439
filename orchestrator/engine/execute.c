/* Claim, check what was signed, ask or send, settle, give back: sentences 2 to 8 of design section 3. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 20000 /* certificates claimed at once: one pass over an openssl index serves them all */
#define SETTLE 1000 /* outcomes a transaction */
#define TURN 10 /* seconds of a step for one CA: a slow one must not keep publishing and telling waiting */
#define STEP_MS 1000 /* a door is stepped that often even if its descriptor says nothing */
#define REST_MOST 60 /* seconds that a CA which turns requests away is left alone, at most */

/* Where an answer belongs: claims flattened in the order of their numbers. */
struct slot {
    const struct claim *claim;
    size_t place;
    struct serial serial;
    int reason, issuer; /* issuer: index of settings */
};

/* One exchange with a door: collects the answers. */
struct exchange {
    struct engine *engine;
    int ca;
    struct slot *slots;
    size_t slot_count;
    bool *answered;
    struct ca_item *allowed; /* items that a status answer lets through to be sent */
    size_t allowed_count;
    bool turned_away; /* some answer was "wait" */
};

static int compare_slots(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    int64_t n = x->claim->numbers[x->place], m = y->claim->numbers[y->place];
    return (n > m) - (n < m);
}

static struct slot *find_slot(const struct exchange *x, int64_t number)
{
    size_t low = 0, high = x->slot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t n = x->slots[middle].claim->numbers[x->slots[middle].place];
        if (n == number)
            return &x->slots[middle];
        if (n < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void keep(struct engine *e, const struct settlement *item)
{
    if (e->pending_count == e->pending_room) {
        e->pending_room = e->pending_room == 0 ? 1024 : 2 * e->pending_room;
        e->pending = arena_grow(e->pending, e->pending_room * sizeof *e->pending);
    }
    e->pending[e->pending_count++] = *item;
}

static void take_answer(struct exchange *x, const struct ca_answer *answer)
{
    struct slot *slot = find_slot(x, answer->number);
    if (slot == NULL)
        return;
    const struct claim *claim = slot->claim;
    uint8_t state = claim->states[slot->place];
    x->answered[slot - x->slots] = true;
    x->turned_away = x->turned_away || answer->outcome == CA_WAIT || answer->outcome == CA_ASK;
    if (executor_may_send(state, answer->outcome)) {
        x->allowed[x->allowed_count++] =
            (struct ca_item){answer->number, (uint16_t)slot->issuer, slot->serial, (enum reason)slot->reason};
        return;
    }
    enum certificate_event event;
    struct utc intent = {claim->intents[slot->place]};
    if (!executor_event(state, intent, answer->outcome, answer->at, &event))
        return;
    keep(x->engine, &(struct settlement){claim->chunk, claim->epoch, answer->number, answer->outcome, event,
                                         answer->at, answer->reason});
}

static void on_answers(void *context, const struct ca_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        take_answer(context, &answers[i]);
}

/* Sentence 3: right before something leaves: is the session alive, the generation the one of the claim? */
static bool may_act(struct engine *e, const struct work *w, bool *yes, struct fault *f)
{
    bool alive;
    int64_t generation;
    if (!store_engine_beat(e->beat, e->parts.campaign, e->id, e->parts.clock.now(e->parts.clock.self), &alive,
                           &generation, f))
        return false;
    *yes = alive;
    for (size_t i = 0; i < w->count; i++)
        *yes = *yes && w->claims[i].generation == generation;
    return true;
}

/* The same request every second would only fill the log: 1, 2, 4 seconds and so on, until one is taken. */
static void rest(struct engine *e, int ca, bool away)
{
    struct rest *r = &e->rests[ca];
    r->seconds = !away ? 0 : r->seconds == 0 ? 1 : r->seconds < REST_MOST / 2 ? 2 * r->seconds : REST_MOST;
    r->until = away ? utc_add(engine_act(e).at, (struct span){r->seconds}) : UTC_NONE;
}

/* Hands a batch to the door and waits for its answers. What stays unanswered counts as "ask": no proof. */
static bool converse(struct engine *e, struct exchange *x, int ca, const struct ca_item *items, size_t n,
                     bool revoke, struct fault *f)
{
    struct ca_door *door = e->parts.cas[ca].door;
    door->answer = on_answers;
    door->answer_context = x;
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        x->answered[find_slot(x, items[i].number) - x->slots] = false;
    bool ok = revoke ? door->ops->revoke(door, items, n, f) : door->ops->status(door, items, n, f);
    for (bool busy = ok; ok && busy;) {
        ca_wait(door, STEP_MS);
        ok = door->ops->step(door, &busy, f);
    }
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = find_slot(x, items[i].number);
        if (!x->answered[slot - x->slots])
            take_answer(x, &(struct ca_answer){
                               .number = items[i].number, .outcome = CA_ASK, .at = UTC_NONE, .reason = -1});
    }
    rest(e, ca, !ok || x->turned_away);
    return ok;
}

/* Rows come from the re-hashed pages, so what is sent is what was signed. */
static size_t fill_slots(struct engine *e, const struct work *w, const bool *bad, const struct scoped *rows,
                         size_t row_count, struct slot *slots)
{
    size_t n = 0;
    for (size_t c = 0; c < w->count; c++)
        for (size_t i = 0; i < w->claims[c].count && !bad[c]; i++)
            slots[n++] = (struct slot){.claim = &w->claims[c], .place = i};
    qsort(slots, n, sizeof *slots, compare_slots);
    size_t row = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t number = slots[i].claim->numbers[slots[i].place];
        while (row < row_count && rows[row].number < number)
            row++;
        if (row == row_count || rows[row].number != number)
            continue; /* the page digest has matched, so this cannot be; the item stays unsent */
        slots[i].serial = rows[row].serial;
        slots[i].reason = rows[row].reason;
        slots[i].issuer = engine_issuer_index(e, rows[row].issuer);
    }
    return n;
}

static struct backend_manners manners_of(const struct ca_door *door)
{
    return (struct backend_manners){door->facts.keeps_first_date, door->facts.tells_status};
}

/* Sorts the slots into what is sent, asked about, or given to a person. */
static void sort_steps(struct engine *e, struct exchange *x, int ca, struct ca_item *send, size_t *sends,
                       struct ca_item *ask, size_t *asks)
{
    struct backend_manners manners = manners_of(e->parts.cas[ca].door);
    *sends = *asks = 0;
    for (size_t i = 0; i < x->slot_count; i++) {
        const struct slot *slot = &x->slots[i];
        struct ca_item item = {(uint32_t)slot->claim->numbers[slot->place], (uint16_t)slot->issuer,
                               slot->serial, (enum reason)slot->reason};
        enum executor_step step = executor_step(slot->claim->states[slot->place], manners);
        if (slot->serial.n == 0 || slot->issuer < 0)
            step = EXECUTOR_NOTHING;
        if (step == EXECUTOR_SEND)
            send[(*sends)++] = item;
        else if (step == EXECUTOR_ASK)
            ask[(*asks)++] = item;
        else if (step == EXECUTOR_PERSON)
            take_answer(x, &(struct ca_answer){
                               .number = item.number, .outcome = CA_PERSON, .at = UTC_NONE, .reason = -1});
    }
}

static bool send_and_ask(struct engine *e, struct work *w, struct exchange *x, struct engine_report *r,
                         struct fault *f)
{
    struct ca_item *send = arena_array(&w->arena, x->slot_count, sizeof *send);
    struct ca_item *ask = arena_array(&w->arena, x->slot_count, sizeof *ask);
    size_t sends, asks;
    bool yes;
    sort_steps(e, x, w->ca, send, &sends, ask, &asks);
    if (!may_act(e, w, &yes, f) || !yes)
        return yes || f->kind == FAULT_NONE;
    if (!converse(e, x, w->ca, ask, asks, false, f))
        return false;
    if (asks > 0 && x->allowed_count > 0 && (!may_act(e, w, &yes, f) || !yes))
        return yes || f->kind == FAULT_NONE;
    for (size_t i = 0; i < x->allowed_count; i++)
        send[sends++] = x->allowed[i];
    x->allowed_count = 0;
    r->asked += (int64_t)sends;
    pace_take(&e->paces[w->ca], (int64_t)sends);
    return converse(e, x, w->ca, send, sends, true, f);
}

bool engine_settle_pending(struct engine *e, struct engine_report *r, struct fault *f)
{
    struct act act = engine_act(e);
    size_t done = 0;
    bool ok = true;
    while (ok && done < e->pending_count) {
        size_t n = e->pending_count - done < SETTLE ? e->pending_count - done : SETTLE;
        int64_t stray = 0;
        ok = store_settle(e->parts.store, &act, e->pending + done, n, &stray, f);
        if (ok) {
            done += n;
            r->settled += (int64_t)n;
            r->stray += stray;
        }
    }
    for (size_t i = 0; i < done; i++)
        if (e->pending[i].event == CERTIFICATE_EVENT_REVOKED ||
            e->pending[i].event == CERTIFICATE_EVENT_BEFORE)
            for (size_t k = 0; k < e->parts.issuer_count; k++)
                e->dirty[k] = true;
    if (done > 0) /* before the first outcome there is no array */
        memmove(e->pending, e->pending + done, (e->pending_count - done) * sizeof *e->pending);
    e->pending_count -= done;
    return ok;
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

static bool perform(struct engine *e, struct work *w, struct engine_report *r, struct fault *f)
{
    bool *bad = arena_array(&w->arena, w->count, sizeof *bad);
    struct scoped *rows;
    size_t row_count, total = 0;
    if (!engine_check_scope(e, w->claims, w->count, &w->arena, bad, &rows, &row_count, f))
        return false;
    for (size_t i = 0; i < w->count; i++) {
        total += w->claims[i].count;
        bool configured = is_of_ca(e, &w->claims[i], w->ca);
        if ((bad[i] || !configured) && !refuse_chunk(e, &w->claims[i], configured, f))
            return false;
        bad[i] = bad[i] || !configured;
    }
    struct exchange x = {
        .engine = e,
        .ca = w->ca,
        .slots = arena_array(&w->arena, total, sizeof *x.slots),
        .answered = arena_array(&w->arena, total, sizeof *x.answered),
        .allowed = arena_array(&w->arena, total, sizeof *x.allowed),
    };
    x.slot_count = fill_slots(e, w, bad, rows, row_count, x.slots);
    return send_and_ask(e, w, &x, r, f);
}

static void free_work(struct engine *e, size_t index)
{
    struct work *w = e->works[index];
    arena_free(&w->arena);
    free(w);
    e->works[index] = e->works[--e->work_count];
}

void engine_forget_works(struct engine *e)
{
    while (e->work_count > 0)
        free_work(e, e->work_count - 1);
}

static bool give_back(struct engine *e, size_t index, struct fault *f)
{
    struct work *w = e->works[index];
    struct act act = engine_act(e);
    int *chunks = arena_array(&w->arena, w->count, sizeof *chunks);
    for (size_t i = 0; i < w->count; i++)
        chunks[i] = w->claims[i].chunk;
    if (!store_give_back(e->parts.store, &act, e->id, chunks, w->count, f))
        return false;
    free_work(e, index);
    return true;
}

bool engine_give_back_all(struct engine *e, struct fault *f)
{
    while (e->work_count > 0)
        if (!give_back(e, e->work_count - 1, f))
            return false;
    return true;
}

static bool has_doubt(const struct work *w)
{
    for (size_t c = 0; c < w->count; c++)
        for (size_t i = 0; i < w->claims[c].count; i++)
            if (certificate_state(w->claims[c].states[i]) == CERTIFICATE_DOUBT)
                return true;
    return false;
}

/* Chunks that this engine must not take, or not yet. */
struct barred {
    int *chunks;
    size_t count;
};

/* Those that do not match what was signed, and those whose people are not told yet of their earlier hour. */
static bool find_barred(struct engine *e, struct arena *a, struct barred *out, struct fault *f)
{
    int *waiting = NULL;
    size_t n = 0;
    if (e->parts.profile.notices && e->parts.mail != NULL &&
        !store_moved_waiting(e->parts.store, e->parts.campaign, engine_act(e).at, a, &waiting, &n, f))
        return false;
    out->count = e->skip_count + n;
    out->chunks = arena_array(a, out->count, sizeof *out->chunks);
    for (size_t i = 0; i < out->count; i++)
        out->chunks[i] = i < e->skip_count ? e->skip[i] : waiting[i - e->skip_count];
    return true;
}

/* Claims once; *got tells whether there was anything. */
static bool claim(struct engine *e, int ca, int64_t most, bool *got, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct barred barred;
    if (!find_barred(e, &a, &barred, f))
        return false;
    struct work *w = arena_grow(NULL, sizeof *w);
    *w = (struct work){.ca = ca};
    struct act act = engine_act(e);
    if (!store_claim(e->parts.store, &act, e->id, ca, most, barred.chunks, barred.count, &w->arena,
                     &w->claims, &w->count, f) ||
        w->count == 0) {
        *got = false;
        arena_free(&w->arena);
        free(w);
        return f->kind == FAULT_NONE;
    }
    w->ready = has_doubt(w) ? utc_add(act.at, e->parts.cas[ca].door->facts.quiet) : act.at;
    e->works = arena_grow(e->works, (e->work_count + 1) * sizeof *e->works);
    e->works[e->work_count++] = w;
    *got = true;
    return true;
}

bool engine_backend_away(struct engine *e, const struct fault *why)
{
    if (why->kind != FAULT_UNAVAILABLE || store_is_lost(e->parts.store) || store_is_lost(e->beat))
        return false;
    snprintf(e->warning, sizeof e->warning, "%.500s", why->text);
    return true;
}

static bool work_on(struct engine *e, struct engine_report *r, struct fault *f)
{
    struct utc now = e->parts.clock.now(e->parts.clock.self);
    for (size_t i = 0; i < e->work_count;) {
        if (e->works[i]->ready.s > now.s) {
            i++;
            continue;
        }
        struct fault wrong = {0};
        bool performed = e->works[i]->performed || perform(e, e->works[i], r, &wrong);
        e->works[i]->performed = true; /* if it cannot be given back now, it is not done again */
        /* whatever the door said, what was answered is committed and the chunk goes back */
        if (!engine_settle_pending(e, r, f) || !give_back(e, i, f))
            return false;
        if (!performed && !engine_backend_away(e, &wrong)) {
            *f = wrong;
            return false;
        }
    }
    return true;
}

/* How many certificates of this CA may still be claimed: what its pace allows, less what is claimed already
 * and waits for its quiet time. */
static int64_t room(struct engine *e, int ca)
{
    int64_t most = pace_allow(&e->paces[ca], e->parts.clock.now(e->parts.clock.self));
    most = most < BATCH ? most : BATCH;
    for (size_t i = 0; i < e->work_count; i++)
        for (size_t c = 0; c < e->works[i]->count && e->works[i]->ca == ca; c++)
            most -= (int64_t)e->works[i]->claims[c].count;
    return most;
}

bool engine_execute(struct engine *e, struct engine_report *r, struct fault *f)
{
    if (!engine_settle_pending(e, r, f))
        return false;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++) {
        struct utc end = utc_add(engine_act(e).at, (struct span){TURN});
        for (bool got = true; got && engine_act(e).at.s < end.s;) {
            if (!work_on(e, r, f))
                return false;
            int64_t most = room(e, (int)ca);
            if (most <= 0 || engine_act(e).at.s < e->rests[ca].until.s)
                break;
            if (!claim(e, (int)ca, most, &got, f))
                return false;
        }
    }
    return work_on(e, r, f);
}
