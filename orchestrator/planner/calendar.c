#include "calendar.h"

static bool touches(const struct freeze *f, int64_t from, int64_t to)
{
    return f->from.s < to && f->to.s > from;
}

static bool is_frozen(const struct profile *p, uint64_t mask, int64_t from)
{
    for (size_t i = 0; i < p->freeze_count; i++)
        if ((mask >> i & 1) != 0 && touches(&p->freezes[i], from, from + 3600))
            return true;
    return false;
}

struct calendar calendar_of(const struct profile *p, uint64_t mask, struct utc received, int64_t open,
                            int64_t end, struct arena *a)
{
    struct calendar c = {.open = open, .hours = mask == 0 || end <= open ? 0 : end - open};
    c.place = arena_array(a, (size_t)c.hours, sizeof *c.place);
    c.hour = arena_array(a, (size_t)c.hours, sizeof *c.hour);
    for (int64_t h = 0; h < c.hours; h++) {
        c.place[h] = (int32_t)c.usable;
        if (!is_frozen(p, mask, received.s + (open + h) * 3600))
            c.hour[c.usable++] = (int32_t)h;
    }
    return c;
}

int64_t calendar_place(const struct calendar *c, int64_t hour)
{
    int64_t h = hour - c->open;
    if (h < 0 || c->hours == 0)
        return hour;
    return h < c->hours ? c->open + c->place[h] : hour - (c->hours - c->usable);
}

int64_t calendar_hour(const struct calendar *c, int64_t place)
{
    int64_t p = place - c->open;
    if (p < 0 || c->hours == 0)
        return place;
    return p < c->usable ? c->open + c->hour[p] : place + (c->hours - c->usable);
}
