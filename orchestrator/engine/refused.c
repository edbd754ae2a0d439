/* Certificates that a CA turns away by themselves, whatever it does with others: they go last, so that none
 * of the others waits for them, and a person gets those for which the CA blames us while it takes the rest.
 * Nothing of this outlives the engine: the next one learns it again from the CA. */
#include "internal.h"

static struct refusal *find(const struct line *line, int64_t number)
{
    for (size_t i = 0; i < line->refusal_count; i++)
        if (line->refusals[i].number == number)
            return &line->refusals[i];
    return NULL;
}

bool engine_note_refusal(struct line *line, const struct slot *slot, bool blames)
{
    struct refusal *known = find(line, slot->number);
    bool person = blames && known != NULL && line->taken > known->taken;
    line->refused = slot->serial;
    line->one_only = line->one_only || person;
    if (known == NULL) {
        line->refusals = arena_grow(line->refusals, (line->refusal_count + 1) * sizeof *line->refusals);
        line->refusals[line->refusal_count++] = (struct refusal){slot->number, line->taken};
    }
    return person;
}

void engine_put_send(const struct engine *e, struct work *w, uint32_t slot)
{
    if (find(&e->lines[w->ca], w->slots[slot].number) != NULL)
        w->sends[w->slot_count - ++w->held_back] = slot;
    else
        w->sends[w->send_count++] = slot;
}

void engine_release_refused(struct engine *e, int ca)
{
    const struct line *line = &e->lines[ca];
    if (!line->idle || line->heard || line->requests + line->questions > 0 || engine_queued(e, ca) > 0)
        return;
    for (size_t i = 0; i < e->work_count; i++) {
        struct work *w = e->works[i];
        while (w->ca == ca && w->held_back > 0)
            w->sends[w->send_count++] = w->sends[w->slot_count - w->held_back--];
    }
}
