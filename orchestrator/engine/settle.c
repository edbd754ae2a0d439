/* Outcomes and chunks on their way back into the store: sentences 4 to 6. The second connection commits one
 * batch while the doors converse about the next. */
#include "internal.h"

#include <stdlib.h>

#define SETTLE 1000 /* outcomes that want to be committed at once */

void engine_keep(struct engine *e, const struct settlement *item, struct work *w)
{
    if (e->pending_count == e->pending_room) {
        e->pending_room = e->pending_room == 0 ? 1024 : 2 * e->pending_room;
        e->pending = arena_grow(e->pending, e->pending_room * sizeof *e->pending);
    }
    if (e->pending_count == e->writing_count)
        e->pending_since = engine_ticks(e);
    e->pending[e->pending_count++] = (struct outcome){*item, w};
    w->uncommitted++;
}

bool engine_is_finished(const struct work *w)
{
    bool all_out = w->asks_done == w->ask_count && w->sends_done == w->send_count && w->held_back == 0;
    return w->at_door == 0 && w->uncommitted == 0 && (w->stopped || w->lost || all_out);
}

void engine_free_work(struct engine *e, struct work *w)
{
    for (size_t i = 0; i < e->pending_count; i++)
        if (e->pending[i].work == w)
            e->pending[i].work = NULL;
    for (size_t i = 0; i < e->work_count; i++)
        if (e->works[i] == w) {
            /* the others keep their order: it is the order of the plan */
            memmove(e->works + i, e->works + i + 1, (--e->work_count - i) * sizeof(struct work *));
            break;
        }
    arena_free(&w->arena);
    free(w);
}

void engine_lose_works(struct engine *e)
{
    e->id = 0;
    for (size_t i = 0; i < e->work_count; i++)
        e->works[i]->lost = true;
}

/* Issuers whose CRL must show something new. */
static void mark_dirty(struct engine *e, const struct outcome *outcomes, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n && !any; i++)
        any = outcomes[i].item.event == CERTIFICATE_EVENT_REVOKED ||
              outcomes[i].item.event == CERTIFICATE_EVENT_BEFORE;
    for (size_t k = 0; k < e->parts.issuer_count && any; k++)
        e->dirty[k] = true;
}

/* The first `writing_count` are committed. */
static void committed(struct engine *e, struct engine_report *r, int64_t stray)
{
    size_t n = e->writing_count;
    mark_dirty(e, e->pending, n);
    for (size_t i = 0; i < n; i++)
        if (e->pending[i].work != NULL)
            e->pending[i].work->uncommitted--;
    e->pending_count -= n;
    memmove(e->pending, e->pending + n, e->pending_count * sizeof *e->pending);
    e->writing_count = 0;
    r->settled += (int64_t)n;
    r->stray += stray;
}

static void given_back(struct engine *e)
{
    for (size_t i = 0; i < e->returning_count; i++) {
        e->lines[e->returning[i]->ca].idle = false; /* what was not done may be claimed again */
        engine_free_work(e, e->returning[i]);
    }
    e->returning_count = 0;
}

static bool receive(struct engine *e, bool wait, struct engine_report *r, bool *done, struct fault *f)
{
    enum writing writing = e->writing;
    int64_t stray = 0;
    *done = wait || e->writer_readable;
    if (!*done)
        return true;
    bool ok = writing == WRITING_OUTCOMES ? store_settle_receive(e->writer, wait, &stray, done, f)
                                          : store_give_back_receive(e->writer, wait, done, f);
    if (ok && !*done)
        return true;
    e->writing = WRITING_NOTHING;
    if (ok && writing == WRITING_OUTCOMES)
        committed(e, r, stray);
    else if (ok)
        given_back(e);
    e->writing_count = e->returning_count = 0; /* after a fault: again later, from memory */
    return ok;
}

/* All that wait: a transaction costs as much as hundreds of outcomes. */
static bool send_outcomes(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = engine_act(e);
    size_t n = e->pending_count < ENGINE_UNCOMMITTED ? e->pending_count : ENGINE_UNCOMMITTED;
    struct settlement *items = arena_array(&a, n, sizeof *items);
    for (size_t i = 0; i < n; i++)
        items[i] = e->pending[i].item;
    if (!store_settle_send(e->writer, &act, items, n, f))
        return false;
    e->writing = WRITING_OUTCOMES;
    e->writing_count = n;
    e->pending_since = engine_ticks(e);
    return true;
}

/* Lost works only leave memory; the rest goes back in one transaction. */
static bool send_chunks(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    size_t total = 0, n = 0;
    for (size_t i = e->work_count; i-- > 0;)
        if (e->works[i]->lost && engine_is_finished(e->works[i]) && e->works[i] != e->claiming.work)
            engine_free_work(e, e->works[i]);
    e->returning = arena_grow(e->returning, (e->work_count + 1) * sizeof *e->returning);
    for (size_t i = 0; i < e->work_count; i++)
        if (!e->works[i]->lost && engine_is_finished(e->works[i]) && e->works[i] != e->claiming.work) {
            e->returning[n++] = e->works[i];
            total += e->works[i]->count;
        }
    if (n == 0)
        return true;
    int *chunks = arena_array(&a, total, sizeof *chunks);
    total = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < e->returning[i]->count; c++)
            chunks[total++] = e->returning[i]->claims[c].chunk;
    struct act act = engine_act(e);
    if (!store_give_back_send(e->writer, &act, e->id, chunks, total, f))
        return false;
    e->writing = WRITING_GIVE_BACK;
    e->returning_count = n;
    return true;
}

/* Nothing is at a door or about to go there: waiting would not make the batch larger. */
static bool nothing_comes(const struct engine *e)
{
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        if (e->lines[ca].requests + e->lines[ca].questions > 0 || engine_queued(e, (int)ca) > 0)
            return false;
    return true;
}

static bool is_due(const struct engine *e)
{
    return e->pending_count >= SETTLE || engine_ticks(e) - e->pending_since >= ENGINE_COMMIT_MS ||
           nothing_comes(e);
}

bool engine_settle(struct engine *e, bool all, bool wait, struct engine_report *r, bool *moved,
                   struct fault *f)
{
    for (;;) {
        bool done = true;
        if (e->writing != WRITING_NOTHING && !receive(e, wait, r, &done, f))
            return false;
        if (!done)
            return true;
        if (!send_chunks(e, f))
            return false;
        if (e->writing == WRITING_NOTHING && e->pending_count > 0 && (all || is_due(e)) &&
            !send_outcomes(e, f))
            return false;
        if (e->writing == WRITING_NOTHING)
            return true;
        *moved = true;
        if (!wait)
            return true;
    }
}
