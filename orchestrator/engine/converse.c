/* The conversation with one CA: what may go to its door now, and what its answers mean. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Certificates asked about and not yet sent, where questions cost no place: what was said must not grow old.
 */
#define ASK_AHEAD 1000

struct slot *engine_slot(const struct work *w, int64_t number)
{
    size_t low = 0, high = w->slot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->places[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low == w->slot_count || w->places[low].number != number ? NULL : &w->slots[w->places[low].slot];
}

static struct slot *find_slot(struct engine *e, int ca, int64_t number, struct work **work)
{
    for (size_t i = 0; i < e->work_count; i++) {
        struct work *w = e->works[i];
        struct slot *slot = w->ca == ca ? engine_slot(w, number) : NULL;
        if (slot == NULL)
            continue;
        *work = w;
        return slot;
    }
    return NULL;
}

/* What an answer tells of the CA itself. */
static void hear(struct line *line, struct work *w, const struct slot *slot, const struct ca_answer *answer)
{
    w->at_door--;
    *(slot->question ? &line->questions : &line->requests) -= 1;
    if (answer->withheld)
        return;
    line->heard = true;
    line->halted = line->halted || answer->outcome == CA_WAIT;
    line->met_doubt = line->met_doubt || answer->outcome == CA_ASK;
    if (answer->outcome != CA_WAIT)
        engine_breaker_hear(line, answer->outcome == CA_ASK ? BREAKER_SILENT : BREAKER_GOOD, answer->text);
    if (answer->outcome != CA_WAIT && answer->outcome != CA_ASK) {
        line->served = true;
        line->taken++;
        pace_ease(&line->pace);
    }
}

/* What it comes to for this certificate. */
static enum ca_outcome weigh(struct engine *e, struct work *w, struct slot *slot,
                             const struct ca_answer *answer)
{
    struct line *line = &e->lines[w->ca];
    char hex[SERIAL_HEX_TEXT];
    if (slot->stage != SLOT_AT_DOOR)
        return answer->outcome;
    hear(line, w, slot, answer);
    if (slot->question || !answer->refused || !engine_note_refusal(line, slot, answer->blames))
        return answer->outcome;
    snprintf(e->warning, sizeof e->warning,
             "certificate %s needs a person: the CA turns it away and takes others: %s",
             serial_hex(&slot->serial, hex), answer->text);
    return CA_PERSON;
}

/* The one place where an answer arrives; one from the world comes to a slot that is at no door. */
void engine_take_answer(struct engine *e, struct work *w, struct slot *slot, const struct ca_answer *answer)
{
    enum ca_outcome outcome = weigh(e, w, slot, answer);
    slot->stage = SLOT_ANSWERED;
    if (executor_may_send(slot->state, outcome)) {
        slot->stage = SLOT_OPEN;
        engine_put_send(e, w, (uint32_t)(slot - w->slots));
        return;
    }
    enum certificate_event event;
    /* the date of a compromise lies before our intent: that one of ours bears it proves nothing against us */
    bool ours = utc_is_set(slot->date) && answer->at.s == slot->date.s && slot->intent < INT64_MAX;
    struct utc intent = {slot->intent};
    if (!executor_event(slot->state, intent, outcome, ours ? intent : answer->at, &event))
        return;
    engine_keep(e,
                &(struct settlement){slot->claim->chunk, slot->claim->epoch, slot->number, outcome, event,
                                     answer->at, answer->reason},
                w);
}

static void on_answers(void *context, const struct ca_answer *answers, size_t count)
{
    struct line *line = context;
    for (size_t i = 0; i < count; i++) {
        struct work *w;
        struct slot *slot = find_slot(line->engine, line->ca, answers[i].number, &w);
        if (slot != NULL && slot->stage == SLOT_AT_DOOR)
            engine_take_answer(line->engine, w, slot, &answers[i]);
    }
}

/* What the door owes no answer any more counts as "ask": no proof. */
static void close_unanswered(struct engine *e, int ca)
{
    struct line *line = &e->lines[ca];
    for (size_t i = 0; i < e->work_count && line->requests + line->questions > 0; i++) {
        struct work *w = e->works[i];
        for (size_t k = 0; k < w->slot_count && w->ca == ca && w->at_door > 0; k++)
            if (w->slots[k].stage == SLOT_AT_DOOR)
                engine_take_answer(e, w, &w->slots[k],
                                   &(struct ca_answer){.number = (uint32_t)w->slots[k].number,
                                                       .outcome = CA_ASK,
                                                       .at = UTC_NONE,
                                                       .reason = -1});
    }
}

static const char *file_of(void *context, uint32_t number)
{
    struct line *line = context;
    struct work *w;
    const struct slot *slot = find_slot(line->engine, line->ca, number, &w);
    return slot == NULL ? NULL : slot->file;
}

/* Is the claim still good? What went before the request may have taken longer than a brake does to bind. */
static bool may_leave(void *context, uint32_t number)
{
    struct line *line = context;
    struct work *w;
    const struct slot *slot = find_slot(line->engine, line->ca, number, &w);
    bool owed = slot != NULL && slot->stage == SLOT_AT_DOOR && !slot->question && !w->stopped && !w->lost;
    return owed && engine_still_holds(line->engine) && !w->stopped && !w->lost;
}

static struct ca_door *door_of(struct engine *e, int ca)
{
    struct ca_door *door = e->parts.cas[ca].door;
    door->certificate = file_of;
    door->certificate_context = &e->lines[ca];
    door->may_leave = may_leave;
    door->may_leave_context = &e->lines[ca];
    door->answer = on_answers;
    door->answer_context = &e->lines[ca];
    return door;
}

static void end_badly(struct engine *e, int ca, const struct fault *wrong)
{
    struct line *line = &e->lines[ca];
    close_unanswered(e, ca);
    line->halted = true;
    line->heard = true;
    if (line->wrong.kind == FAULT_NONE || line->wrong.kind == FAULT_UNAVAILABLE)
        line->wrong = *wrong;
}

void engine_step_door(struct engine *e, int ca)
{
    struct ca_door *door = door_of(e, ca);
    struct fault wrong = {0};
    bool busy;
    e->lines[ca].stepped_at = engine_ticks(e);
    do {
        if (!door->ops->step(door, &busy, &wrong)) {
            end_badly(e, ca, &wrong);
            return;
        }
    } while (busy && door->fd < 0);
    if (!busy)
        close_unanswered(e, ca);
}

/* Takes the next n of a list of slots to the door. */
static void hand_over(struct engine *e, struct work *w, bool question, size_t n)
{
    struct line *line = &e->lines[w->ca];
    struct ca_door *door = door_of(e, w->ca);
    const uint32_t *list = question ? w->asks + w->asks_done : w->sends + w->sends_done;
    struct fault wrong = {0};
    if (e->item_room < n) {
        e->item_room = 2 * n;
        e->items = arena_grow(e->items, e->item_room * sizeof *e->items);
    }
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = &w->slots[list[i]];
        e->items[i] = (struct ca_item){.number = (uint32_t)slot->number,
                                       .issuer = (uint16_t)slot->issuer,
                                       .serial = slot->serial,
                                       .reason = (enum reason)slot->reason,
                                       .date = door->facts.takes_date ? slot->date : UTC_NONE};
        slot->stage = SLOT_AT_DOOR;
        slot->question = question;
    }
    *(question ? &w->asks_done : &w->sends_done) += n;
    *(question ? &line->questions : &line->requests) += n;
    w->at_door += n;
    engine_take(e, w->ca, question, (int64_t)n);
    if (!(question ? door->ops->status : door->ops->revoke)(door, e->items, n, &wrong))
        end_badly(e, w->ca, &wrong);
}

static size_t fewer(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A breaker that is open lets one certificate through at a time, if any. */
static size_t through_breaker(const struct engine *e, const struct line *line, size_t n)
{
    int64_t allowed = breaker_allow(&line->breaker, engine_act(e).at);
    if (allowed > 1 || n == 0)
        return n;
    return allowed == 1 && line->requests + line->questions == 0 ? 1 : 0;
}

/* How many more the CA has at a time: what waited in the door would leave later than its pace reckons. */
static size_t places(const struct engine *e, const struct line *line)
{
    size_t at_once = pace_at_once(&line->pace),
           taken = line->requests + (engine_counts(e, line->ca, true) ? line->questions : 0);
    return taken < at_once ? at_once - taken : 0;
}

/* How many questions of this work may go now. Where they are requests as any other, what has been asked goes
 * before what has not: the answer must not grow old. */
static size_t questions_now(const struct engine *e, const struct work *w)
{
    struct line *line = &e->lines[w->ca];
    size_t left = engine_asks_outside(e, w) ? 0 : w->ask_count - w->asks_done;
    if (e->parts.cas[w->ca].door->facts.window == 0)
        return line->requests + line->questions == 0 ? left : 0;
    if (engine_counts(e, w->ca, true)) {
        size_t room = fewer(places(e, line), (size_t)pace_allow(&line->pace, engine_ticks(e)));
        return fewer(left, room - fewer(room, w->send_count - w->sends_done));
    }
    size_t ahead = line->questions + w->send_count - w->sends_done;
    return ahead < ASK_AHEAD ? fewer(left, ASK_AHEAD - ahead) : 0;
}

/* Is a call under way behind which no request may wait? */
static bool is_calling(const struct engine *e, int ca)
{
    const struct line *line = &e->lines[ca];
    return e->parts.cas[ca].door->facts.calls && line->requests + line->questions > 0;
}

/* How many of the next n requests one call takes: those like the first. */
static size_t in_one_call(const struct work *w, bool dated, size_t n)
{
    const uint32_t *list = w->sends + w->sends_done;
    const struct slot *first = &w->slots[list[0]], *next;
    size_t same = 1;
    while (same < n && (next = &w->slots[list[same]])->issuer == first->issuer &&
           next->reason == first->reason && (!dated || next->date.s == first->date.s))
        same++;
    return fewer(same, n);
}

/* How many requests may go now. A door that takes whole batches gets a whole one, when the pace allows it or
 * will never allow more. */
static size_t requests_now(const struct engine *e, const struct work *w)
{
    struct line *line = &e->lines[w->ca];
    const struct ca_facts *facts = &e->parts.cas[w->ca].door->facts;
    size_t left = w->send_count - w->sends_done, window = facts->window;
    if (left == 0 || (window > 0 && e->pending_count >= ENGINE_UNCOMMITTED) || is_calling(e, w->ca))
        return 0;
    int64_t pace = pace_allow(&line->pace, engine_ticks(e));
    size_t allowed = pace < (int64_t)left ? (size_t)pace : left;
    if (window == 0) {
        bool whole = allowed == left || pace >= pace_most(&line->pace);
        return whole && line->requests + line->questions == 0 ? allowed : 0;
    }
    allowed = fewer(allowed, places(e, line));
    return facts->calls ? in_one_call(w, facts->takes_date, allowed) : allowed;
}

/* Is the CA left alone, with works that stay claimed meanwhile? */
static bool is_left_alone(const struct engine *e, const struct line *line)
{
    struct utc now = engine_act(e).at;
    return engine_asks_first(e, line->ca) &&
           (line->rest.s > now.s || breaker_allow(&line->breaker, now) == 0);
}

static bool may_go(const struct engine *e, const struct work *w)
{
    const struct line *line = &e->lines[w->ca];
    return !is_left_alone(e, line) && !w->stopped && !w->lost && !line->halted && !line->yields &&
           w->ready.s <= engine_act(e).at.s;
}

/* When more of this work may go, its part of the CA's limits ours from `joined` on. An answer or a commit may
 * be what makes room, and no time: INT64_MAX. */
static int64_t feed_next(const struct engine *e, const struct work *w, int64_t joined)
{
    struct line *line = &e->lines[w->ca];
    size_t asks = engine_asks_outside(e, w) ? 0 : w->ask_count - w->asks_done,
           sends = w->send_count - w->sends_done,
           now = through_breaker(e, line, questions_now(e, w)) + through_breaker(e, line, requests_now(e, w));
    int64_t ticks = engine_ticks(e), at = ticks;
    bool stream = e->parts.cas[w->ca].door->facts.window > 0;
    if (asks + sends == 0)
        return INT64_MAX;
    if (now == 0)
        at = pace_next(&line->pace, ticks, stream ? 1 : (int64_t)sends);
    if (now == 0 && stream && pace_at_once(&line->pace) == 0)
        at = at > ticks + PACE_GRACE_MS ? at : ticks + PACE_GRACE_MS; /* others have all of its places */
    if (joined > ticks)
        return at > joined ? at : joined;
    return now == 0 && at <= ticks ? INT64_MAX : at;
}

int64_t engine_feed_next(const struct engine *e, int ca)
{
    int64_t next = INT64_MAX, joined = engine_joined_at(e, &e->lines[ca]);
    for (size_t i = 0; i < e->work_count; i++) {
        int64_t at =
            e->works[i]->ca == ca && may_go(e, e->works[i]) ? feed_next(e, e->works[i], joined) : INT64_MAX;
        next = at < next ? at : next;
    }
    return next;
}

bool engine_feed(struct engine *e, int ca, struct engine_report *r, bool *moved, struct fault *f)
{
    const struct ca_facts *facts = &e->parts.cas[ca].door->facts;
    bool batch = facts->window == 0 || facts->calls, joined;
    engine_release_refused(e, ca);
    if (engine_queued(e, ca) == 0)
        return true;
    if (!engine_join(e, ca, &joined, f))
        return false;
    for (size_t i = 0; i < e->work_count && joined; i++) {
        struct work *w = e->works[i];
        if (w->ca != ca || !may_go(e, w))
            continue;
        size_t asks = through_breaker(e, &e->lines[ca], questions_now(e, w)),
               sends = through_breaker(e, &e->lines[ca], requests_now(e, w));
        if (asks + sends == 0)
            continue;
        if (!engine_note_questions(e, ca, (int64_t)asks, f) || !engine_check(e, batch, f))
            return false;
        if (!may_go(e, w))
            continue;
        *moved = true;
        asks = fewer(asks, questions_now(e, w)); /* another engine may have come */
        asks = fewer(asks, (size_t)engine_noted(e, ca));
        if (asks > 0)
            hand_over(e, w, true, asks);
        sends = fewer(sends, requests_now(e, w)); /* and questions may have taken their places */
        if (sends == 0 || (asks > 0 && (batch || e->lines[ca].breaker.open != BREAKER_GOOD)) || !may_go(e, w))
            continue;
        r->asked += (int64_t)sends;
        hand_over(e, w, false, sends);
    }
    return true;
}

int64_t engine_queued(const struct engine *e, int ca)
{
    int64_t n = 0;
    for (size_t i = 0; i < e->work_count; i++) {
        const struct work *w = e->works[i];
        if (w->ca == ca && !w->stopped && !w->lost)
            n += (int64_t)(w->ask_count - w->asks_done + w->send_count - w->sends_done);
    }
    return n;
}
