/* The breakers of the CAs: what they hear, and what is written of them (breaker.h has the law). */
#include "internal.h"
#include "massrevoke/store_safety.h"

#include <stdio.h>

void engine_breaker_hear(struct line *line, enum breaker_class c, const char *text)
{
    enum breaker_change change = breaker_hear(&line->breaker, c, engine_act(line->engine).at);
    /* open: what has not gone out goes back, so that it lies with nobody */
    line->halted = line->halted || (line->breaker.open != BREAKER_GOOD && c != BREAKER_GOOD);
    if (change == BREAKER_SAME)
        return;
    line->breaker_changed = true;
    snprintf(line->breaker_text, sizeof line->breaker_text, "%s", text);
}

bool engine_breakers_note(struct engine *e, struct fault *f)
{
    struct act act = engine_act(e);
    char probe[UTC_TEXT];
    for (size_t ca = 0; ca < e->parts.ca_count; ca++) {
        struct line *line = &e->lines[ca];
        const char *name = e->parts.settings->cas[ca].name;
        bool open = line->breaker.open != BREAKER_GOOD;
        if (!line->breaker_changed)
            continue;
        snprintf(e->warning, sizeof e->warning,
                 open ? "%s is left alone until %s: %.300s" : "%s answers again", name,
                 utc_format(line->breaker.probe_at, probe), line->breaker_text);
        if (!store_breaker_set(e->parts.store, &act, name, open ? breaker_class_name(line->breaker.open) : "",
                               line->breaker_text, f))
            return false;
        line->breaker_changed = false;
    }
    return true;
}

bool engine_breakers_open(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct open_breaker *left;
    size_t n;
    if (!store_breakers(e->parts.store, e->parts.campaign, &a, &left, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        enum breaker_class c = breaker_class_from_name(str_of(left[i].what));
        for (size_t ca = 0; ca < e->parts.ca_count && c < BREAKER_CLASS_COUNT; ca++)
            if (strcmp(e->parts.settings->cas[ca].name, left[i].ca) == 0)
                e->lines[ca].breaker = breaker_left_open(c, left[i].at, engine_act(e).at);
    }
    return true;
}
