#include "massrevoke/verifier.h"
#include "verifier/findings.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    enum finding_severity severity;
    bool fatal;
    const char *section, *expected;
} rows[FINDING_ID_COUNT] = {
#define FINDING(id, name, severity, fatal, section, expected)                                                \
    [FINDING_ID_##id] = {name, FINDING_##severity, fatal, section, expected},
#include "verifier/findings.def"
#undef FINDING
};

struct finding verifier_finding(enum finding_id which, struct arena *a, const char *seen)
{
    return (struct finding){.which = which,
                            .id = rows[which].name,
                            .severity = rows[which].severity,
                            .section = rows[which].section,
                            .seen = arena_text(a, seen),
                            .expected = rows[which].expected};
}

void finding_add(struct findings *list, struct arena *a, enum finding_id id, const char *format, ...)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->list[i].which == id)
            return;
    char seen[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(seen, sizeof seen, format, args);
    va_end(args);
    list->list[list->count++] = verifier_finding(id, a, n < 0 ? "" : seen);
    list->errors += rows[id].severity == FINDING_ERROR;
    list->unusable = list->unusable || rows[id].fatal;
}

void finding_if(struct findings *list, struct arena *a, bool bad, enum finding_id id, const char *seen)
{
    if (bad)
        finding_add(list, a, id, "%s", seen);
}

void finding_freshness(struct findings *list, struct arena *a, struct utc this_update, struct utc next_update,
                       struct utc now)
{
    char from[UTC_TEXT], to[UTC_TEXT], at[UTC_TEXT];
    utc_format(this_update, from);
    utc_format(next_update, to);
    struct utc end = utc_is_set(next_update) ? next_update : utc_add(this_update, TEN_DAYS);
    if (end.s <= this_update.s)
        finding_add(list, a, FINDING_ID_UPDATE_ORDER, "thisUpdate %s, nextUpdate %s", from, to);
    if (!utc_is_set(now)) {
        finding_add(list, a, FINDING_ID_TIME_UNCHECKED, "no time was given");
        return;
    }
    utc_format(now, at);
    if (this_update.s > utc_add(now, TOLERANCE).s)
        finding_add(list, a, FINDING_ID_THIS_UPDATE_FUTURE, "thisUpdate %s, now %s", from, at);
    if (end.s < now.s)
        finding_add(list, a, FINDING_ID_EXPIRED, "thisUpdate %s, nextUpdate %s, now %s", from, to, at);
}

const char *finding_severity_name(enum finding_severity severity)
{
    static const char *const names[] = {"error", "warning", "info"};
    return names[severity];
}

json_t *verifier_json(const char *object, const struct findings *findings)
{
    json_t *out = json_object(), *list = json_array();
    json_set_text(out, "object", object);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *one = &findings->list[i];
        json_t *item = json_object();
        json_set_text(item, "id", one->id);
        json_set_text(item, "severity", finding_severity_name(one->severity));
        json_set_text(item, "section", one->section);
        json_set_text(item, "seen", one->seen);
        json_set_text(item, "expected", one->expected);
        json_array_append_new(list, item);
    }
    json_object_set_new(out, "findings", list);
    return out;
}

void verifier_text(const char *object, const struct findings *findings, struct buf *out)
{
    if (findings->count == 0)
        buf_format(out, "%s: no findings\n", object);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *one = &findings->list[i];
        buf_format(out, "%s: %s: %s: seen: %s; expected: %s (%s)\n", object,
                   finding_severity_name(one->severity), one->id, one->seen, one->expected, one->section);
    }
}
