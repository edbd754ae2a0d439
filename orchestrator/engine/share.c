/* Sharing a CA with other engines, of this campaign or another: each tells with its heartbeat to which CAs it
 * sends and has its part of their limits (pace.h has the law). Whoever begins tells it, waits until all
 * others have seen it, and then counts what they sent; who has nothing to send for a while leaves his part to
 * them. */
#include "internal.h"

#include <stdio.h>

#define LEAVES_MS 10000        /* without anything to send */
#define KEPT 3600              /* seconds that a note of questions stays at least */
#define CHECK_MS PACE_LEARN_MS /* an older heartbeat proves nothing of brakes and others (sentences 3, 8) */

static bool is_idle(const struct engine *e, const struct line *line)
{
    return line->requests + line->questions == 0 && engine_queued(e, line->ca) == 0 &&
           engine_ticks(e) - line->used_at >= LEAVES_MS && line->rest.s <= engine_act(e).at.s;
}

static void learn(struct engine *e, struct line *line, const struct engine_use *use)
{
    struct ca_door *door = e->parts.cas[line->ca].door;
    door->away_until = utc_max(door->away_until, use->away);
    line->rest = utc_max(line->rest, use->away);
    if (use->engines != line->engines)
        snprintf(e->warning, sizeof e->warning,
                 use->engines > 1 ? "%s: %d engines send to it, and each keeps to its part of the limits"
                                  : "%s: no other engine sends to it any more",
                 use->ca, use->engines);
    line->engines = use->engines;
    line->rank = use->rank;
    if (line->use == LINE_SHARED)
        pace_share(&line->pace, engine_ticks(e), use->engines, use->rank);
}

/* Whatever was claimed under another generation goes back unsent: a brake was pulled (sentences 3 and 8). */
static void stop_works(struct engine *e)
{
    for (size_t i = 0; i < e->work_count; i++)
        e->works[i]->stopped = e->works[i]->stopped || e->works[i]->claims[0].generation != e->generation;
}

bool engine_beat(struct engine *e, bool *alive, struct fault *f)
{
    struct engine_use *use = e->uses;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++) {
        struct line *line = &e->lines[ca];
        if (line->use == LINE_SHARED && is_idle(e, line))
            line->use = LINE_OUT;
        if (line->use != LINE_OUT)
            *use++ = (struct engine_use){.ca = e->parts.settings->cas[ca].name,
                                         .away = e->parts.cas[ca].door->away_until};
    }
    if (!store_engine_beat(e->beat, e->parts.campaign, e->id, engine_act(e).at, e->uses,
                           (size_t)(use - e->uses), alive, &e->generation, f))
        return false;
    e->checked_at = engine_ticks(e);
    if (!*alive)
        engine_lose_works(e);
    stop_works(e);
    use = e->uses;
    for (size_t ca = 0; ca < e->parts.ca_count && *alive; ca++)
        if (e->lines[ca].use != LINE_OUT)
            learn(e, &e->lines[ca], use++);
    return true;
}

bool engine_check(struct engine *e, bool fresh, struct fault *f)
{
    bool alive;
    return (!fresh && engine_ticks(e) - e->checked_at < CHECK_MS) || engine_beat(e, &alive, f);
}

bool engine_still_holds(struct engine *e)
{
    struct fault lost;
    if (e->blind_until > engine_ticks(e))
        return false;
    if (engine_check(e, false, &lost))
        return true;
    e->blind_until = engine_ticks(e) + CHECK_MS;
    return false;
}

/* How long a request counts there, in whole seconds. */
static int64_t memory_seconds(const struct line *line)
{
    return (pace_memory(&line->pace) + 999) / 1000;
}

bool engine_recall(struct engine *e, struct line *line, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct recent_sends *sends;
    size_t n;
    struct utc now = engine_act(e).at, since;
    int64_t ticks = engine_ticks(e), memory = pace_memory(&line->pace);
    if (memory == 0) {
        pace_share(&line->pace, ticks, line->engines, line->rank);
        return true;
    }
    since = utc_add(now, (struct span){-memory_seconds(line) - 1});
    if (!store_recent_sends(e->beat, since, now, e->id, line->ca, e->parts.settings->cas[line->ca].name, &a,
                            &sends, &n, f))
        return false;
    pace_join(&line->pace, ticks - memory, line->engines, line->rank);
    for (size_t i = 0; i < n; i++) {
        int64_t ago =
            utc_sub(now, sends[i].at).s - 1; /* the second that it was written down in counts whole */
        pace_recall(&line->pace, ticks - 1000 * (ago > 0 ? ago : 0), sends[i].n, sends[i].answered);
    }
    return true;
}

bool engine_counts(const struct engine *e, int ca, bool question)
{
    return !question || e->parts.cas[ca].door->facts.counts_questions;
}

/* Must others know of questions to it? */
static bool are_noted(const struct engine *e, const struct line *line)
{
    return engine_counts(e, line->ca, true) && pace_memory(&line->pace) > 0;
}

bool engine_note_questions(struct engine *e, int ca, int64_t n, struct fault *f)
{
    struct line *line = &e->lines[ca];
    struct utc now = engine_act(e).at;
    int64_t kept = memory_seconds(line), allowed, more;
    kept = kept > KEPT ? kept : KEPT;
    if (!are_noted(e, line))
        return true;
    if (line->noted_at.s != now.s) {
        line->noted_at = now;
        line->noted = line->notes_left = 0;
    }
    more = n - line->notes_left;
    if (more > 0) {
        allowed = pace_allow(&line->pace, engine_ticks(e)) - line->notes_left;
        allowed = allowed < line->noted ? allowed : line->noted;
        more = allowed > more ? allowed : more;
        if (!store_question_note(e->beat, e->parts.settings->cas[ca].name, now,
                                 utc_add(now, (struct span){-kept}), e->id, more, f))
            return false;
        line->noted += more;
        line->notes_left += more;
    }
    return true;
}

int64_t engine_noted(const struct engine *e, int ca)
{
    const struct line *line = &e->lines[ca];
    if (!are_noted(e, line))
        return INT64_MAX;
    return line->noted_at.s == engine_act(e).at.s ? line->notes_left : 0;
}

void engine_take(struct engine *e, int ca, bool question, int64_t n)
{
    struct line *line = &e->lines[ca];
    if (!engine_counts(e, ca, question))
        return;
    pace_take(&line->pace, n);
    if (question && are_noted(e, line))
        line->notes_left -= n;
}

/* Tells the others; true when that is done, which may be in vain: the session is gone. */
static bool announce(struct engine *e, struct line *line, struct fault *f)
{
    bool alive;
    line->use = LINE_ANNOUNCED;
    line->opens_at = INT64_MAX;
    if (!engine_beat(e, &alive, f))
        return false;
    if (alive)
        line->opens_at = engine_ticks(e) + (line->engines > 1 ? PACE_GRACE_MS : 0);
    return true;
}

bool engine_join(struct engine *e, int ca, bool *yes, struct fault *f)
{
    struct line *line = &e->lines[ca];
    line->used_at = engine_ticks(e);
    if (line->use == LINE_OUT && !announce(e, line, f))
        return false;
    if (line->use == LINE_ANNOUNCED && engine_ticks(e) >= line->opens_at) {
        if (!engine_recall(e, line, f))
            return false;
        line->use = LINE_SHARED;
    }
    *yes = line->use == LINE_SHARED && line->rest.s <= engine_act(e).at.s;
    return true;
}

int64_t engine_joined_at(const struct engine *e, const struct line *line)
{
    int64_t ticks = engine_ticks(e), rest = utc_is_set(line->rest) ? line->rest.s - engine_act(e).at.s : 0;
    int64_t at = rest > 0 ? ticks + 1000 * rest : ticks;
    return line->use == LINE_ANNOUNCED && line->opens_at > at ? line->opens_at : at;
}

void engine_leave_all(struct engine *e)
{
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        e->lines[ca].use = LINE_OUT;
}
