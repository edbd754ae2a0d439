/* A batch that a door is given while nothing else of ours is there: changes of reasons, and what is asked
 * about canaries. It is heard out at once; answers of other CAs are taken meanwhile. */
#include "internal.h"

#include <stdio.h>

#define MOST 1000   /* certificates of a batch: a brake binds between two */
#define STEP_MS 100 /* between looks at a door that is at it */

void engine_alone_begin(struct engine *e)
{
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        e->lines[ca].yields = false;
}

bool engine_alone_may(struct engine *e, int ca)
{
    struct line *line = &e->lines[ca];
    line->yields = line->requests + line->questions > 0;
    return !line->yields;
}

bool engine_alone_room(struct engine *e, int ca, bool question, int64_t wanted, int64_t *n, struct fault *f)
{
    struct line *line = &e->lines[ca];
    bool joined;
    *n = 0;
    if (!engine_join(e, ca, &joined, f))
        return false;
    if (!joined)
        return true;
    *n = least(least(wanted, MOST), breaker_allow(&line->breaker, engine_act(e).at));
    if (!question && e->parts.cas[ca].door->facts.window > 0)
        *n = least(*n, (int64_t)pace_at_once(&line->pace));
    if (engine_counts(e, ca, question))
        *n = least(*n, pace_allow(&line->pace, engine_ticks(e)));
    if (!question)
        return true;
    if (!engine_note_questions(e, ca, *n, f))
        return false;
    *n = least(*n, engine_noted(e, ca)); /* the note may have taken long */
    return true;
}

static void take_answers(void *context, const struct ca_answer *answers, size_t count)
{
    struct alone *b = context;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (b->items[k].number == answers[i].number)
                b->answers[k] = answers[i];
}

/* Nothing was pulled and nobody took our place since it was handed over? */
static bool may_leave(void *context, uint32_t number)
{
    struct alone *b = context;
    (void)number;
    return engine_still_holds(b->engine) && b->engine->id != 0 && b->engine->generation == b->generation;
}

/* Steps the door until it is done, and keeps our session alive meanwhile. */
static bool hear_out(struct engine *e, struct ca_door *door, struct fault *wrong, struct fault *f)
{
    bool busy = true, alive;
    while (busy) {
        ca_wait(door, STEP_MS);
        if (!door->ops->step(door, &busy, wrong))
            return true;
        engine_hear(e);
        if (engine_ticks(e) - e->checked_at >= ENGINE_BEAT_MS && !engine_beat(e, &alive, f))
            return false;
    }
    return true;
}

bool engine_alone(struct engine *e, struct alone *b, struct fault *f)
{
    struct ca_door *door = e->parts.cas[b->ca].door;
    for (size_t i = 0; i < b->count; i++)
        b->answers[i] =
            (struct ca_answer){.number = b->items[i].number, .outcome = CA_ASK, .at = UTC_NONE, .reason = -1};
    b->engine = e;
    b->generation = e->generation;
    door->answer = take_answers;
    door->may_leave = may_leave;
    door->answer_context = door->may_leave_context = b;
    engine_take(e, b->ca, b->question, (int64_t)b->count);
    bool heard =
        !(b->question ? door->ops->status : door->ops->revoke)(door, b->items, b->count, &b->wrong) ||
        hear_out(e, door, &b->wrong, f);
    if (b->wrong.kind != FAULT_NONE)
        snprintf(e->warning, sizeof e->warning, "%.500s", b->wrong.text);
    return heard;
}
