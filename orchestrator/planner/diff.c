/* What an approver needs to see: how a plan differs from the one before. Reads summaries, not plans, for the
 * store keeps text. */
#include "massrevoke/planner.h"

#include <inttypes.h>
#include <stdlib.h>

#define SCREEN 24

/* The figures that are compared, in the order in which they are told, and how they are. */
enum form { FORM_PLAIN, FORM_SPAN, FORM_DIGEST };
static const struct {
    const char *key, *name;
    enum form form;
} figures[] = {
    {"feasible", "feasible", FORM_PLAIN},
    {"certificates", "certificates", FORM_PLAIN},
    {"held", "held", FORM_PLAIN},
    {"expires_first", "expire first", FORM_PLAIN},
    {"late", "late", FORM_PLAIN},
    {"finish", "published by", FORM_PLAIN},
    {"slack_seconds", "slack", FORM_SPAN},
    {"outage_tolerance_seconds", "outage tolerance", FORM_SPAN},
    {"should_24h", "within 24 h", FORM_PLAIN},
    {"limiting_resource", "limited by", FORM_PLAIN},
    {"digest", "plan digest", FORM_DIGEST},
};

static json_t *value_of(const json_t *summary, const char *key)
{
    json_t *value = json_object_get(summary, key);
    return value == NULL ? json_null() : json_incref(value);
}

static json_t *figures_diff(const json_t *old, const json_t *fresh)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        AUTO_JSON *a = value_of(old, figures[i].key), *b = value_of(fresh, figures[i].key);
        if (json_equal(a, b))
            continue;
        json_t *one = json_object();
        json_set_text(one, "name", figures[i].key);
        json_object_set(one, "old", a);
        json_object_set(one, "new", b);
        json_array_append_new(list, one);
    }
    return list;
}

static const char *start_of(const json_t *slots, size_t i)
{
    const char *start = json_string_value(json_object_get(json_array_get(slots, i), "start"));
    return start == NULL ? "" : start;
}

static void add_slot(json_t *list, const char *change, const char *start, const json_t *old,
                     const json_t *fresh)
{
    json_t *one = json_object();
    json_set_text(one, "start", start);
    json_set_text(one, "change", change);
    json_object_set_new(one, "old", value_of(old, "certificates"));
    json_object_set_new(one, "new", value_of(fresh, "certificates"));
    json_array_append_new(list, one);
}

/* Both lists ascend by start, and times of one form sort as text: one walk. */
static json_t *slots_diff(const json_t *old, const json_t *fresh)
{
    json_t *list = json_array();
    size_t a = 0, b = 0;
    while (a < json_array_size(old) || b < json_array_size(fresh)) {
        const json_t *x = json_array_get(old, a), *y = json_array_get(fresh, b);
        int order = x == NULL ? 1 : y == NULL ? -1 : strcmp(start_of(old, a), start_of(fresh, b));
        if (order < 0) {
            add_slot(list, "went", start_of(old, a++), x, NULL);
        } else if (order > 0) {
            add_slot(list, "came", start_of(fresh, b++), NULL, y);
        } else {
            if (!json_equal(json_object_get(x, "certificates"), json_object_get(y, "certificates")))
                add_slot(list, "changed", start_of(old, a), x, y);
            a++, b++;
        }
    }
    return list;
}

json_t *planner_diff(const json_t *old, const json_t *fresh)
{
    json_t *doc = json_object();
    json_t *a = json_object_get(old, "digest"), *b = json_object_get(fresh, "digest");
    json_set_bool(doc, "same", a != NULL && b != NULL && json_equal(a, b));
    json_object_set_new(doc, "figures", figures_diff(old, fresh));
    json_object_set_new(doc, "slots",
                        slots_diff(json_object_get(old, "slots"), json_object_get(fresh, "slots")));
    return doc;
}

static void put_value(const json_t *value, enum form form, struct buf *out)
{
    char span[SPAN_TEXT];
    if (json_is_integer(value) && form == FORM_SPAN)
        buf_text(out, span_format((struct span){json_integer_value(value)}, span));
    else if (json_is_integer(value))
        buf_format(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value))
        buf_format(out, form == FORM_DIGEST ? "%.12s..." : "%.40s", json_string_value(value));
    else
        buf_text(out, json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "-");
}

static void put_figure(const json_t *one, struct buf *out)
{
    const char *key = json_string_value(json_object_get(one, "name"));
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (key == NULL || strcmp(figures[i].key, key) != 0)
            continue;
        buf_format(out, "  %-17s  ", figures[i].name);
        put_value(json_object_get(one, "old"), figures[i].form, out);
        buf_text(out, " -> ");
        put_value(json_object_get(one, "new"), figures[i].form, out);
        buf_text(out, "\n");
    }
}

static size_t count_of(const json_t *slots, const char *change)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(slots); i++)
        n += strcmp(json_string_value(json_object_get(json_array_get(slots, i), "change")), change) == 0;
    return n;
}

void planner_diff_text(const json_t *diff, struct buf *out)
{
    const json_t *list = json_object_get(diff, "figures"), *slots = json_object_get(diff, "slots");
    size_t n = json_array_size(slots), used = json_array_size(list) + 6;
    if (json_is_true(json_object_get(diff, "same"))) {
        buf_text(out, "The two plans are the same.\n");
        return;
    }
    buf_format(out, "The plans differ: %zu hours came, %zu went, %zu changed.\n\n", count_of(slots, "came"),
               count_of(slots, "went"), count_of(slots, "changed"));
    for (size_t i = 0; i < json_array_size(list); i++)
        put_figure(json_array_get(list, i), out);
    size_t room = used + 3 < SCREEN ? SCREEN - used : 3, shown = n > room ? room - 1 : n;
    if (n > 0)
        buf_text(out, "\n  start                 change     certificates\n");
    for (size_t i = 0; i < shown; i++) {
        const json_t *s = json_array_get(slots, i);
        buf_format(out, "  %-20s  %-9s  ", start_of(slots, i),
                   json_string_value(json_object_get(s, "change")));
        put_value(json_object_get(s, "old"), FORM_PLAIN, out);
        buf_text(out, " -> ");
        put_value(json_object_get(s, "new"), FORM_PLAIN, out);
        buf_text(out, "\n");
    }
    if (shown < n)
        buf_format(out, "  ...  %zu more hours\n", n - shown);
}
