#include "massrevoke/breaker.h"

/* least of the last `of` open it; seconds of the first opening and of the longest. */
static const struct {
    const char *name;
    uint32_t least, of;
    int64_t first, longest;
} rows[BREAKER_CLASS_COUNT] = {
    [BREAKER_GOOD] = {"good", 0, 0, 0, 0},
    [BREAKER_BUSY] = {"busy", 5, 5, 30, 60},
    [BREAKER_SILENT] = {"silent", 16, BREAKER_WINDOW, 5, 300},
    [BREAKER_STOP] = {"stop", 1, 1, 60, 600},
};

const char *breaker_class_name(enum breaker_class c)
{
    return rows[c].name;
}

enum breaker_class breaker_class_from_name(struct str name)
{
    enum breaker_class c = BREAKER_GOOD;
    while (c < BREAKER_CLASS_COUNT && !str_is(name, rows[c].name))
        c++;
    return c;
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

static bool is_too_much(const struct breaker *b, enum breaker_class c)
{
    uint32_t count = 0, all = b->seen < rows[c].of ? b->seen : rows[c].of;
    for (uint32_t i = 1; i <= all; i++)
        count += b->last[(b->next + BREAKER_WINDOW - i) % BREAKER_WINDOW] == c;
    return count >= rows[c].least;
}

enum breaker_change breaker_hear(struct breaker *b, enum breaker_class c, struct utc now)
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
