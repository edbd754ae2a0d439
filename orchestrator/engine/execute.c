/* The turn: every CA's conversation, the claims that feed them and the commits that follow go on at the same
 * time, over descriptors; none waits for another. Design section 3, sentences 2 to 8. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>

#define TURN_MS 2000  /* then publishing, looking and telling have theirs; requests stay under way */
#define BESIDE_MS 200 /* of a turn beside a look outside, whose servers wait for it */
#define BATCH 20000   /* certificates claimed at once: one pass over an openssl index serves them all */
#define STREAM 4000   /* the same where requests go one by one: more only lie in wait */
#define REST_MOST 60  /* seconds that a CA which turns requests away is left alone, at most */
#define STEP_MS 1000  /* a door under way is stepped that often even if its descriptor says nothing */
#define TICK_MS 100   /* a wait at most, where the clock has no ticks */
#define WIND_UP 1200  /* such waits in a row for answers owed at the end; every door's patience is shorter */

int64_t engine_ticks(const struct engine *e)
{
    return clock_ticks(&e->parts.clock);
}

static bool is_under_way(const struct line *line)
{
    return line->requests + line->questions > 0;
}

bool engine_backend_away(struct engine *e, const struct fault *why)
{
    if (why->kind != FAULT_UNAVAILABLE || store_is_lost(e->parts.store) || store_is_lost(e->beat) ||
        store_is_lost(e->writer))
        return false;
    snprintf(e->warning, sizeof e->warning, "%.500s", why->text);
    return true;
}

/* --- a CA that turned something away --- */

/* The same request every second would only fill the log: 1, 2, 4 seconds and so on, until one is taken. One
 * that takes most of what comes, and loses some answers, has a second each time. */
static void rest(struct engine *e, struct line *line, bool away)
{
    int64_t s = line->rest_seconds;
    line->rest_seconds = !away ? 0 : s == 0 || line->served ? 1 : s < REST_MOST / 2 ? 2 * s : REST_MOST;
    line->rest = away ? utc_add(engine_act(e).at, (struct span){line->rest_seconds}) : UTC_NONE;
    line->rest = utc_max(line->rest, e->parts.cas[line->ca].door->away_until);
}

/* Why it turned something away, and the certificate it was about. */
static void explain(const struct line *line, char *text, size_t room)
{
    char hex[SERIAL_HEX_TEXT];
    bool one = line->refused.n > 0;
    snprintf(text, room, "%s%s%.180s", one ? serial_hex(&line->refused, hex) : "", one ? ": " : "",
             line->wrong.kind == FAULT_NONE ? "it turns requests away" : line->wrong.text);
}

/* Everything is answered: what did not go out goes back, and the CA is left alone if it wants to be. */
static bool end_conversation(struct engine *e, struct line *line, struct fault *f)
{
    struct fault wrong = line->wrong;
    bool goes_back = line->halted && !engine_asks_first(e, line->ca); /* else it waited long for its turn */
    for (size_t i = 0; i < e->work_count && goes_back; i++)
        if (e->works[i]->ca == line->ca)
            e->works[i]->stopped = true;
    bool config = wrong.kind == FAULT_CONFIG, alive;
    char text[sizeof line->breaker_text];
    explain(line, text, sizeof text);
    if (config && !line->one_only)
        engine_breaker_hear(line, BREAKER_STOP, text);
    else if (line->halted && !line->served && !line->met_doubt)
        engine_breaker_hear(line, BREAKER_BUSY, text);
    if (line->halted && line->served)
        pace_slow(&line->pace);
    rest(e, line, line->halted || line->met_doubt);
    line->halted = line->met_doubt = line->heard = line->served = line->one_only = false;
    line->wrong = (struct fault){0};
    line->refused = (struct serial){0};
    if (e->parts.cas[line->ca].door->away_until.s > engine_act(e).at.s && !engine_beat(e, &alive, f))
        return false; /* it wants to be left alone: known to all engines before anything else happens */
    if (wrong.kind == FAULT_NONE || config || engine_backend_away(e, &wrong))
        return true;
    *f = wrong;
    return false;
}

/* --- one round --- */

/* How many certificates may be claimed for a CA where all wait for a CRL first: at least as many as go until
 * the next one comes, so that the CA's pace is used, and not so many that what one said is old when they go.
 */
static int64_t room_outside(struct engine *e, struct line *line)
{
    int64_t now = pace_allow(&line->pace, engine_ticks(e)), queued = engine_queued(e, line->ca);
    int64_t until_next = pace_within(&line->pace, e->parts.profile.crl_every.s * 1000);
    int64_t most = least(now > until_next ? now : until_next, BATCH);
    int64_t through = breaker_allow(&line->breaker, engine_act(e).at);
    most = most > 0 ? most : 1;
    return least(least(most - engine_waits_outside(e, line->ca), 2 * most - queued), through - queued);
}

/* And elsewhere: what its pace allows, less what waits for its turn. */
static int64_t room(struct engine *e, struct line *line)
{
    if (engine_asks_first(e, line->ca))
        return room_outside(e, line);
    bool batch = e->parts.cas[line->ca].door->facts.window == 0;
    int64_t most = pace_allow(&line->pace, engine_ticks(e)), queued = engine_queued(e, line->ca);
    int64_t through = breaker_allow(&line->breaker, engine_act(e).at);
    most = least(least(most, through), batch ? BATCH : STREAM);
    return batch || queued < STREAM / 2 ? most - queued : 0;
}

static bool may_claim(struct engine *e, struct line *line)
{
    if (engine_ticks(e) >= e->turn_ends || e->claiming.work != NULL || line->idle || line->halted ||
        line->yields || engine_act(e).at.s < line->rest.s)
        return false;
    for (size_t i = 0; i < e->work_count; i++)
        if (e->works[i]->lost) /* what was heard is committed before anything new is claimed (sentence 4) */
            return false;
    return room(e, line) > 0;
}

/* A door without a descriptor works while it is stepped, so there is nothing to overlap with: each of its
 * batches is committed and given back before the next thing is done. */
static bool serve(struct engine *e, struct line *line, struct engine_report *r, bool *moved, struct fault *f)
{
    bool passive = e->parts.cas[line->ca].door->fd < 0, fed = false;
    if (line->readable)
        engine_step_door(e, line->ca);
    *moved = *moved || line->readable;
    line->readable = false;
    if (!engine_feed(e, line->ca, r, &fed, f))
        return false;
    if (fed)
        engine_step_door(e, line->ca);
    *moved = *moved || fed;
    if (line->heard && !is_under_way(line) && (line->halted || engine_queued(e, line->ca) == 0) &&
        !end_conversation(e, line, f))
        return false;
    if (passive && !engine_settle(e, true, true, r, moved, f))
        return false;
    if (!may_claim(e, line))
        return true;
    *moved = true;
    return engine_claim_begin(e, line->ca, room(e, line), f) &&
           (!passive || engine_claim_go_on(e, true, moved, f));
}

static bool go_round(struct engine *e, struct engine_report *r, bool *moved, struct fault *f)
{
    if (!engine_settle(e, false, false, r, moved, f) || !engine_claim_go_on(e, false, moved, f))
        return false;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        if (!serve(e, &e->lines[ca], r, moved, f))
            return false;
    return true;
}

/* --- waiting --- */

/* Waits at most `ms` for what is under way; false: a signal came. */
static bool wait_for(struct engine *e, int ms)
{
    size_t n = 0, ca_count = e->parts.ca_count;
    e->polls = arena_grow(e->polls, (ca_count + 2) * sizeof *e->polls);
    for (size_t ca = 0; ca < ca_count; ca++)
        e->polls[n++] = (struct pollfd){.fd = is_under_way(&e->lines[ca]) ? e->parts.cas[ca].door->fd : -1,
                                        .events = POLLIN};
    e->polls[n++] =
        (struct pollfd){.fd = e->writing == WRITING_NOTHING ? -1 : store_fd(e->writer), .events = POLLIN};
    e->polls[n++] =
        (struct pollfd){.fd = e->claiming.work == NULL ? -1 : store_fd(e->parts.store), .events = POLLIN};
    int rc = poll(e->polls, n, ms);
    e->writer_readable = rc > 0 && e->polls[ca_count].revents != 0;
    e->store_readable = rc > 0 && e->polls[ca_count + 1].revents != 0;
    int64_t now = engine_ticks(e);
    for (size_t ca = 0; ca < ca_count; ca++) {
        struct line *line = &e->lines[ca];
        bool still = e->parts.clock.ticks == NULL ? rc == 0 && ms > 0 : now - line->stepped_at >= STEP_MS;
        bool silent = is_under_way(line) && still;
        line->readable = silent || (rc > 0 && e->polls[ca].revents != 0);
    }
    return rc >= 0 || errno != EINTR;
}

static bool anything_under_way(const struct engine *e)
{
    bool any = e->writing != WRITING_NOTHING || e->claiming.work != NULL;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        any = any || is_under_way(&e->lines[ca]);
    return any;
}

/* When the round must go on at the latest, in milliseconds of the clock. */
static int64_t next_moment(const struct engine *e)
{
    int64_t next = INT64_MAX;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++) {
        int64_t at = engine_feed_next(e, (int)ca);
        next = at < next ? at : next;
    }
    int64_t commit = e->pending_since + ENGINE_COMMIT_MS;
    return e->pending_count > e->writing_count && commit < next ? commit : next;
}

/* After a round in which nothing moved; false: the turn is over. */
static bool wait_a_while(struct engine *e, int64_t end)
{
    bool under_way = anything_under_way(e);
    if (e->parts.clock.ticks == NULL)
        return under_way && wait_for(e, TICK_MS);
    int64_t now = engine_ticks(e), next = next_moment(e);
    if (!under_way && next >= end)
        return false;
    next = next < end ? next : end;
    next = next < now + STEP_MS ? next : now + STEP_MS;
    return wait_for(e, next > now ? (int)(next - now) : 1);
}

/* --- the turn --- */

static bool turn(struct engine *e, int64_t ms, struct engine_report *r, struct fault *f)
{
    int64_t end = e->turn_ends = engine_ticks(e) + ms;
    if (!engine_find_barred(e, f))
        return false;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        e->lines[ca].idle = false;
    for (;;) {
        bool moved = false;
        if (!go_round(e, r, &moved, f))
            return false;
        if (engine_ticks(e) >= end && e->parts.clock.ticks != NULL)
            return true;
        if (moved ? !wait_for(e, 0) : !wait_a_while(e, end))
            return true;
    }
}

static bool execute_for(struct engine *e, int64_t ms, struct engine_report *r, struct fault *f)
{
    struct fault later = {0};
    bool ignored;
    bool ok = turn(e, ms, r, f);
    /* others read and write now: nothing may be under way on the first connection */
    bool claimed = engine_claim_go_on(e, true, &ignored, &later);
    if (ok && claimed)
        return engine_settle(e, true, true, r, &ignored, f) && engine_breakers_note(e, f);
    if (ok)
        *f = later;
    return false;
}

bool engine_execute(struct engine *e, struct engine_report *r, struct fault *f)
{
    return execute_for(e, TURN_MS, r, f);
}

bool engine_execute_beside(struct engine *e, struct engine_report *r, bool *busy, struct fault *f)
{
    if (!execute_for(e, BESIDE_MS, r, f))
        return false;
    *busy = anything_under_way(e) || e->work_count > 0;
    return true;
}

void engine_hear(struct engine *e)
{
    if (!wait_for(e, 0))
        return;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++) {
        if (e->lines[ca].readable)
            engine_step_door(e, (int)ca);
        e->lines[ca].readable = false;
    }
}

bool engine_wind_up(struct engine *e, struct engine_report *r, struct fault *f)
{
    bool ignored;
    (void)!engine_claim_go_on(e, true, &ignored, f);
    for (size_t i = 0; i < e->work_count; i++)
        e->works[i]->stopped = true;
    for (int waits = 0; waits < WIND_UP; waits++) {
        bool under_way = false;
        for (size_t ca = 0; ca < e->parts.ca_count; ca++)
            under_way = under_way || is_under_way(&e->lines[ca]);
        if (!under_way)
            break;
        wait_for(e, TICK_MS);
        engine_hear(e);
        if (!engine_settle(e, false, false, r, &ignored, f))
            break;
    }
    return engine_settle(e, true, true, r, &ignored, f);
}

static struct utc left_alone_until(const struct line *line)
{
    return utc_max(line->rest, breaker_next(&line->breaker));
}

/* When a CA that turned something away may be sent to again. */
static struct utc free_at(const struct engine *e, struct line *line)
{
    return utc_max(engine_pace_next(e, &line->pace), left_alone_until(line));
}

struct utc engine_execute_next(const struct engine *e)
{
    struct utc now = engine_act(e).at, next = UTC_NONE;
    for (size_t i = 0; i < e->work_count; i++) {
        struct utc at = utc_max(e->works[i]->ready, now);
        if (e->works[i]->at_door == 0 && !e->works[i]->stopped && at.s == now.s) {
            int64_t ticks = engine_ticks(e), go = engine_feed_next(e, e->works[i]->ca);
            if (go == INT64_MAX && engine_asks_outside(e, e->works[i]))
                continue; /* engine_doubts says when */
            if (go == INT64_MAX && e->works[i]->held_back > 0)
                at = utc_max(now, free_at(e, &e->lines[e->works[i]->ca]));
            else if (go == INT64_MAX)
                at = utc_max(now, left_alone_until(&e->lines[e->works[i]->ca]));
            else
                at = utc_add(now, (struct span){(go - ticks + 999) / 1000});
        }
        utc_sooner(&next, at);
    }
    return next;
}

struct utc engine_pace_next(const struct engine *e, struct pace *pace)
{
    int64_t ticks = engine_ticks(e), go = pace_next(pace, ticks, 1);
    return utc_add(engine_act(e).at, (struct span){(go - ticks + 999) / 1000});
}

struct utc engine_free_next(const struct engine *e)
{
    struct utc first = UTC_NONE;
    for (size_t ca = 0; ca < e->parts.ca_count; ca++)
        utc_sooner(&first, free_at(e, &e->lines[ca]));
    return first;
}
