/* Level load: classes in the order of notices and turns, each between its notice and its ceiling, so that the
 * highest load of an hour is as low as it can be.
 *
 * The densest run of classes (certificates over slots between the first one's notice and the last one's
 * ceiling) can't be spread thinner; it gets exactly these slots, and what comes before and after it is
 * spread likewise over what is left (the speed scaling of Yao, Demers and Shenker 1995, for windows in one
 * order). No class then leaves its window: a tail of the run is no denser than the run, so it starts no
 * earlier than its own notice; likewise a head of it ends in time. */
#include "work.h"

#define LEVELS (CLASS_COUNT - LEVEL_FIRST)

/* The windows of one CA's classes: from <= slot < to, both ascending; `turn` says whose each is. */
struct windows {
    unsigned turn[LEVELS];
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

/* In the order of their notices, then of their turns: an ARI lead may put automated ones behind the next. */
static struct windows windows_of(const struct work *w, const struct ca_work *ca)
{
    struct windows s = {0};
    int64_t safe = calendar_place(&w->calendar, w->hours.safe), to = INT64_MAX;
    for (unsigned turn = LEVEL_FIRST; turn < CLASS_COUNT; turn++) {
        unsigned at = turn - LEVEL_FIRST;
        int64_t from = larger(w->rest_slot, smaller(window_notice(w, turn), safe - 1));
        for (; at > 0 && s.from[at - 1] > from; at--) {
            s.from[at] = s.from[at - 1];
            s.turn[at] = s.turn[at - 1];
        }
        s.from[at] = from;
        s.turn[at] = turn;
    }
    for (int c = LEVELS; c-- > 0;) { /* who goes earlier has no later ceiling */
        int64_t ceiling = w->hours.ceiling[s.turn[c]];
        to = smaller(to, smaller(safe, ceiling == INT64_MAX ? safe : calendar_place(&w->calendar, ceiling)));
        s.to[c] = larger(to, s.from[c] + 1);
        s.count[c] = ca->bound[s.turn[c]];
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
        levels[s->turn[c]] =
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
        spread(w->cas[i].level, &s, 0, LEVELS - 1);
    }
}
