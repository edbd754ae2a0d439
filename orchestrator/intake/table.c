#include "intake/table.h"
#include "massrevoke/hex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_LENGTH 64

void *grow_array(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room == 0 ? 64 : *room * 2;
    return arena_grow(items, *room * size);
}

void remarks_add(struct intake_remarks *remarks, const char *file, size_t line, const char *reason)
{
    remarks->items = grow_array(remarks->items, remarks->count, &remarks->room, sizeof *remarks->items);
    remarks->items[remarks->count++] = (struct intake_remark){file, line, reason};
}

const char *table_reason(struct table_reader *t, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (t->last_reason == NULL || strcmp(t->last_reason, text) != 0)
        t->last_reason = arena_text(t->arena, text);
    return t->last_reason;
}

bool table_canonical(struct str cell, char *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < cell.n; i++) {
        if (!isalnum((unsigned char)cell.p[i]))
            continue;
        if (n + 1 >= room)
            return false;
        out[n++] = (char)tolower((unsigned char)cell.p[i]);
    }
    out[n] = '\0';
    return true;
}

static bool among(const char *names, const char *name)
{
    for (struct str rest = str_of(names); rest.p != NULL;)
        if (str_is(str_cut(&rest, ' '), name))
            return true;
    return false;
}

static int first_name_length(const struct table_column *column)
{
    return (int)strcspn(column->names, " ");
}

static bool place_cell(struct table_reader *t, size_t cell, size_t line, struct fault *f)
{
    char name[NAME_MAX_LENGTH];
    bool named = table_canonical(t->csv.cells[cell], name, sizeof name);
    for (size_t i = 0; named && i < t->count; i++) {
        if (!among(t->columns[i].names, name))
            continue;
        if (t->place[i] >= 0)
            return fault_set(f, FAULT_FAILED, "%s:%zu: two columns mean '%.*s'", t->name, line,
                             first_name_length(&t->columns[i]), t->columns[i].names);
        t->place[i] = (int)cell;
        return true;
    }
    if (t->unknown != NULL)
        remarks_add(t->unknown, t->name, line,
                    arena_format(t->arena, "column %zu '%s' is not known and was left out", cell + 1,
                                 named ? name : "..."));
    return true;
}

bool table_begin(struct table_reader *t, struct fault *f)
{
    struct csv_record header;
    for (size_t i = 0; i < t->count; i++)
        t->place[i] = -1;
    t->width = 0;
    t->last_reason = NULL;
    if (!csv_next(&t->csv, &header, f))
        return false;
    if (header.end)
        return true;
    if (header.bad != NULL)
        return fault_set(f, FAULT_FAILED, "%s:%zu: the header cannot be read: %s", t->name, header.line,
                         header.bad);
    t->width = header.count;
    for (size_t cell = 0; cell < header.count; cell++)
        if (!place_cell(t, cell, header.line, f))
            return false;
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].required && t->place[i] < 0) {
            fault_set(f, FAULT_FAILED, "%s:%zu: no column is named '%.*s'", t->name, header.line,
                      first_name_length(&t->columns[i]), t->columns[i].names);
            return fault_hint(f, "the first line must name the columns");
        }
    return true;
}

/* C0, DEL and (as UTF-8) C1: they steer terminals and mail headers, and no honest cell has them. */
static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f)
            return true;
        if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
            return true;
    }
    return false;
}

bool table_next(struct table_reader *t, bool *end, const char **bad, struct fault *f)
{
    struct csv_record row;
    if (!csv_next(&t->csv, &row, f))
        return false;
    *end = row.end;
    *bad = row.bad;
    t->line = row.line;
    if (row.end || row.bad != NULL)
        return true;
    if (row.count != t->width) {
        *bad = table_reason(t, "%zu cells, but the header has %zu", row.count, t->width);
        return true;
    }
    for (size_t i = 0; i < t->count && *bad == NULL; i++) {
        t->cells[i] = t->place[i] < 0 ? str_of("") : str_trim(row.cells[t->place[i]]);
        if (has_control(t->cells[i]))
            *bad = table_reason(t, "a control character in column '%.*s'", first_name_length(&t->columns[i]),
                                t->columns[i].names);
    }
    return true;
}

static bool read_rows(struct table_reader *t, struct intake_table *out, const struct table_use *use,
                      struct fault *f)
{
    struct str head;
    bool end;
    const char *why;
    if (!csv_peek(&t->csv, &head, f))
        return false;
    t->csv.separator = csv_guess_separator(head);
    if (!table_begin(t, f) || (use->start != NULL && !use->start(use->context, f)))
        return false;
    while (table_next(t, &end, &why, f)) {
        if (end)
            return true;
        out->in++;
        if (why == NULL)
            why = use->row(use->context);
        if (why != NULL)
            remarks_add(&out->rejects, t->name, t->line, why);
    }
    return false;
}

bool table_read(struct table_reader *t, struct source source, struct intake_table *out,
                const struct table_use *use, struct fault *f)
{
    t->unknown = &out->warnings;
    csv_open(&t->csv, t->name, source);
    bool ok = read_rows(t, out, use, f);
    csv_close(&t->csv);
    return ok;
}

bool table_need_issuer(const struct table_reader *t, int column, int default_issuer, const char *hint,
                       struct fault *f)
{
    if (t->width == 0 || t->place[column] >= 0 || default_issuer >= 0)
        return true;
    fault_set(f, FAULT_USAGE, "%s has no issuer column, and not exactly one is configured", t->name);
    return fault_hint(f, "%s", hint);
}

const char *table_issuer(struct intake_issuers *issuers, struct str cell, int default_issuer, int *issuer)
{
    *issuer = cell.n == 0 ? default_issuer : intake_issuer_find(issuers, cell, default_issuer);
    if (*issuer >= 0)
        return NULL;
    return cell.n == 0                     ? "no issuer"
           : *issuer == INTAKE_ISSUER_MANY ? "issuer is configured more than once"
                                           : "issuer is not configured";
}

const char *table_digest(struct str cell, struct digest *out)
{
    if (cell.n == (size_t)2 * DIGEST_SIZE && hex_read(cell.p, DIGEST_SIZE, out->bytes))
        return NULL;
    return "a SHA-256 that is not 64 hexadecimal digits";
}

void table_free(struct intake_table *t)
{
    free(t->rejects.items);
    free(t->warnings.items);
}
