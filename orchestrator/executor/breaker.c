#include "massrevoke/breaker.h"

#include <string.h>

/* least: so many among the last answers, and percent of them; seconds: the first opening and the longest. */
static const struct {
    const char *name;
    uint32_t least, percent;
    int64_t first, longest;
} rows[BREAKER_CLASS_COUNT] = {
    [BREAKER_GOOD] = {"good", 0, 0, 0, 0},
    [BREAKER_BUSY] = {"busy", 48, 95, 15, 300},
    [BREAKER_SILENT] = {"silent", 16, 50, 30, 600},
    [BREAKER_UNKNOWN] = {"unknown", 32, 50, 300, 3600},
    [BREAKER_PERSON] = {"person", 16, 50, 300, 3600},
    [BREAKER_STOP] = {"stop", 1, 0, 60, 600},
};

enum breaker_class breaker_class(enum ca_outcome outcome)
{
    static const enum breaker_class classes[CA_OUTCOME_COUNT] = {
        [CA_WAIT] = BREAKER_BUSY,
        [CA_ASK] = BREAKER_SILENT,
        [CA_UNKNOWN] = BREAKER_UNKNOWN,
        [CA_PERSON] = BREAKER_PERSON,
    };
    return outcome < CA_OUTCOME_COUNT ? classes[outcome] : BREAKER_SILENT;
}

const char *breaker_class_name(enum breaker_class c)
{
    return rows[c].name;
}

static void open_for(struct breaker *b, enum breaker_class c, struct utc now)
{
    int64_t twice = 2 * b->rest;
    b->rest = b->open != c ? rows[c].first : twice < rows[c].longest ? twice : rows[c].longest;
    if (b->open == BREAKER_GOOD)
        b->since = now;
    b->open = c;
    b->probe_at = utc_add(now, (struct span){b->rest});
}

/* Are there enough of this class among the last answers? */
static bool is_too_much(const struct breaker *b, enum breaker_class c)
{
    uint32_t count = 0, all = b->seen < BREAKER_WINDOW ? b->seen : BREAKER_WINDOW;
    for (uint32_t i = 0; i < all; i++)
        count += b->last[i] == c;
    return count >= rows[c].least && count * 100 >= rows[c].percent * all;
}

enum breaker_change breaker_take(struct breaker *b, enum breaker_class c, struct utc now)
{
    if (b->open != BREAKER_GOOD && now.s < b->probe_at.s && c != BREAKER_STOP)
        return BREAKER_SAME;
    if (b->open != BREAKER_GOOD && c == BREAKER_GOOD) {
        *b = (struct breaker){0};
        return BREAKER_CLOSED;
    }
    if (b->open != BREAKER_GOOD) {
        bool other = b->open != c;
        open_for(b, c, now);
        return other ? BREAKER_OPENED : BREAKER_SAME;
    }
    b->last[b->next] = (uint8_t)c;
    b->next = (b->next + 1) % BREAKER_WINDOW;
    b->seen += b->seen < BREAKER_WINDOW;
    if (c == BREAKER_GOOD || !is_too_much(b, c))
        return BREAKER_SAME;
    open_for(b, c, now);
    return BREAKER_OPENED;
}

struct breaker breaker_left_open(enum breaker_class c, struct utc since, struct utc now)
{
    return (struct breaker){.open = c, .since = since, .probe_at = now, .rest = rows[c].first};
}

int64_t breaker_allow(const struct breaker *b, struct utc now)
{
    if (b->open == BREAKER_GOOD)
        return INT64_MAX;
    return now.s >= b->probe_at.s ? 1 : 0;
}

struct utc breaker_next(const struct breaker *b)
{
    return b->open == BREAKER_GOOD ? UTC_NONE : b->probe_at;
}
