/* Level load: classes in their order of turns, each between its notice and its ceiling, so that the highest
 * load of an hour is as low as it can be.
 *
 * The densest run of classes (certificates over slots between the first one's notice and the last one's
 * ceiling) can't be spread thinner; it gets exactly these slots, and what comes before and after it is
 * spread likewise over what is left (the speed scaling of Yao, Demers and Shenker 1995, for windows in one
 * order). No class then leaves its window: a tail of the run is no denser than the run, so it starts no
 * earlier than its own notice; likewise a head of it ends in time. */
#include "work.h"

#define LEVELS (CLASS_COUNT - LEVEL_FIRST)

/* The windows of one CA's classes: from <= slot < to, both ascending. */
struct windows {
    int64_t from[LEVELS], to[LEVELS], count[LEVELS];
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct windows windows_of(const struct work *w, const struct ca_work *ca)
{
    struct windows s;
    int64_t safe = calendar_place(&w->calendar, w->hours.safe), from = w->rest_slot, to = INT64_MAX;
    for (int c = 0; c < LEVELS; c++) { /* a later turn never has less notice */
        from = larger(from, smaller(window_notice(w, LEVEL_FIRST + (unsigned)c), safe - 1));
        s.from[c] = from;
        s.count[c] = ca->bound[LEVEL_FIRST + c];
    }
    for (int c = LEVELS; c-- > 0;) { /* nor an earlier one a later ceiling */
        int64_t ceiling = w->hours.ceiling[LEVEL_FIRST + c];
        to = smaller(to, smaller(safe, ceiling == INT64_MAX ? safe : calendar_place(&w->calendar, ceiling)));
        s.to[c] = larger(to, s.from[c] + 1);
    }
    return s;
}

/* Spreads classes low to high over the slots left to them. */
static void spread(struct level *levels, struct windows *s, int low, int high)
{
    int first = low, last = low;
    int64_t most = -1, slots = 1, count = 0;
    for (int i = low; i <= high; i++) {
        count = 0;
        for (int j = i; j <= high; j++) {
            count += s->count[j];
            int64_t length = larger(s->to[j] - s->from[i], 1);
            if (most < 0 || count * slots > most * length) { /* below 2^32 times 2^21 */
                first = i, last = j;
                most = count;
                slots = length;
            }
        }
    }
    if (low > high)
        return;
    count = 0;
    for (int c = first; c <= last; c++) {
        levels[c] =
            (struct level){.from = s->from[first], .slots = slots, .before = count, .total = larger(most, 1)};
        count += s->count[c];
    }
    for (int c = low; c < first; c++)
        s->to[c] = larger(smaller(s->to[c], s->from[first]), s->from[c] + 1);
    for (int c = last + 1; c <= high; c++) {
        s->from[c] = larger(s->from[c], s->to[last]);
        s->to[c] = larger(s->to[c], s->from[c] + 1);
    }
    spread(levels, s, low, first - 1);
    spread(levels, s, last + 1, high);
}

void level_all(struct work *w)
{
    for (size_t i = 0; i < w->in->ca_count; i++) {
        struct windows s = windows_of(w, &w->cas[i]);
        spread(w->cas[i].level + LEVEL_FIRST, &s, 0, LEVELS - 1);
    }
}
