/* What an import came to, for programs and for people. */
#include "massrevoke/intake.h"

size_t intake_list_in(const struct intake_list *list)
{
    return list->accepted + list->duplicate + list->rejects.count + list->hash_count;
}

enum fault_kind intake_list_verdict(const struct intake_list *list)
{
    if (list->rejects.count == 0)
        return FAULT_NONE;
    return list->accepted == 0 ? FAULT_FAILED : FAULT_PARTLY;
}

json_t *intake_list_json(const struct intake_list *list)
{
    json_t *result = json_object();
    json_set_int(result, "in", (int64_t)intake_list_in(list));
    json_set_int(result, "accepted", (int64_t)list->accepted);
    json_set_int(result, "duplicate", (int64_t)list->duplicate);
    json_set_int(result, "rejected", (int64_t)list->rejects.count);
    json_t *rejects = json_array();
    for (size_t i = 0; i < list->rejects.count; i++) {
        json_t *one = json_object();
        json_set_int(one, "line", (int64_t)list->rejects.items[i].line);
        json_set_text(one, "file", list->rejects.items[i].file);
        json_set_text(one, "reason", list->rejects.items[i].reason);
        json_array_append_new(rejects, one);
    }
    json_object_set_new(result, "rejects", rejects);
    return result;
}

static void more(const char *what, size_t count, size_t lines, struct buf *out)
{
    if (count > lines)
        buf_format(out, "  and %zu more %s\n", count - lines, what);
}

static void remarks(const char *what, const struct intake_remarks *list, size_t lines, struct buf *out)
{
    for (size_t i = 0; i < list->count && i < lines; i++)
        buf_format(out, "  %s %s:%zu: %s\n", what, list->items[i].file, list->items[i].line,
                   list->items[i].reason);
    more(what, list->count, lines, out);
}

void intake_list_summary(const struct intake_list *list, size_t lines, struct buf *out)
{
    buf_format(out, "%zu in: %zu accepted, %zu duplicate, %zu rejected\n", intake_list_in(list),
               list->accepted, list->duplicate, list->rejects.count);
    remarks("rejected", &list->rejects, lines, out);
    for (size_t i = 0; i < list->duplicate && i < lines; i++) {
        const struct intake_duplicate *d = &list->duplicates[i];
        const struct intake_place *first = &d->first;
        buf_format(out, "  duplicate %s:%zu: first at %s:%zu\n", list->files[d->place.file],
                   (size_t)d->place.line, list->files[first->file], (size_t)first->line);
    }
    more("duplicate", list->duplicate, lines, out);
}

void intake_table_summary(const struct intake_table *table, size_t lines, struct buf *out)
{
    buf_format(out, "%zu rows: %zu used, %zu replaced by a later row, %zu rejected\n", table->in,
               table->in - table->replaced - table->rejects.count, table->replaced, table->rejects.count);
    remarks("rejected", &table->rejects, lines, out);
    remarks("warning", &table->warnings, lines, out);
}
