#include "lane.h"

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t plenty(int64_t n)
{
    return n < LANE_PLENTY ? n : LANE_PLENTY;
}

struct supply supply_of(struct rate rate, int64_t open, int64_t open_seconds)
{
    if (rate.count == 0)
        return (struct supply){open, LANE_PLENTY, LANE_PLENTY, 1};
    int64_t whole = rate_per_hour(rate);
    if (whole == 0) /* slower than one an hour: the first goes at once, the next when its time has come */
        return (struct supply){open, 1, 1, ceil_div(rate.per, rate.count * 3600)};
    return (struct supply){open, plenty(open_seconds * rate.count / rate.per), plenty(whole), 1};
}

int64_t supply_between(const struct supply *s, int64_t from, int64_t to)
{
    if (from < s->open)
        from = s->open;
    if (to <= from)
        return 0;
    if (s->every > 1)
        return ceil_div(to - s->open, s->every) - ceil_div(from - s->open, s->every);
    return (to - from) * s->whole - (from == s->open ? s->whole - s->first : 0);
}

int64_t supply_limit(const struct supply *s, int64_t from, int64_t n)
{
    if (n <= 0)
        return from;
    if (s->every > 1)
        return s->open + (ceil_div(from - s->open, s->every) + n - 1) * s->every + 1;
    if (from > s->open)
        return from + ceil_div(n, s->whole);
    return n <= s->first ? from + 1 : from + 1 + ceil_div(n - s->first, s->whole);
}

struct lane lane_of(struct supply supply, int64_t start, int64_t end, int64_t total)
{
    return (struct lane){supply, end, total, 0, start, supply_between(&supply, start, start + 1)};
}

static void advance(struct lane *l)
{
    l->slot++;
    l->room = supply_between(&l->supply, l->slot, l->slot + 1);
}

void lane_group(struct lane *l, int64_t count)
{
    if (l->end == LANE_NO_END || count <= l->room || count > l->supply.whole)
        return;
    if (l->total - l->next <= supply_between(&l->supply, l->slot + 1, l->end))
        advance(l);
}

/* How many of the items from the next one on no longer fit if they wait for a later slot. */
static int64_t pressed(const struct lane *l)
{
    return l->total - l->next - supply_between(&l->supply, l->slot + 1, l->end);
}

int64_t lane_take(struct lane *l, int64_t wish, int64_t count, int64_t *slot)
{
    bool dense = l->end == LANE_NO_END;
    while (l->room == 0 || (!dense && wish > l->slot && pressed(l) <= 0))
        advance(l);
    int64_t n = count < l->room ? count : l->room;
    if (!dense && wish > l->slot && pressed(l) < n)
        n = pressed(l); /* as few as possible go before their wish */
    l->room -= n;
    l->next += n;
    *slot = l->slot;
    return n;
}
