/* Lists of replacements. */
#include "massrevoke/replacement_list.h"
#include "intake/table.h"

#include <stdlib.h>

enum { RE_ISSUER, RE_SERIAL, RE_NEW_SERIAL, RE_NEW_SHA256, RE_NEW_FILE, RE_AT, RE_COLUMNS };

static const struct table_column columns[RE_COLUMNS] = {
    [RE_ISSUER] = {"issuer", false},
    [RE_SERIAL] = {"serial serialnumber", true},
    [RE_NEW_SERIAL] = {"replacementserial", false},
    [RE_NEW_SHA256] = {"replacementsha256", false},
    [RE_NEW_FILE] = {"replacementfile", false},
    [RE_AT] = {"at", false},
};

/* The state of one reading. */
struct reading {
    struct replacement_list *out;
    struct intake_issuers *issuers;
    int default_issuer;
    struct table_reader table;
    struct arena *arena;
};

static const char *read_at(struct reading *r, struct replacement_row *row)
{
    struct str cell = r->table.cells[RE_AT];
    struct fault f = {0};
    row->at = UTC_NONE;
    if (cell.n == 0 || utc_parse(arena_copy(r->arena, cell.p, cell.n), &row->at, &f))
        return NULL;
    return table_reason(&r->table, "%s", f.text);
}

static const char *read_sha256(struct reading *r, struct replacement_row *row)
{
    struct str cell = r->table.cells[RE_NEW_SHA256];
    row->has_sha256 = cell.n > 0;
    return cell.n == 0 ? NULL : table_digest(cell, &row->sha256);
}

/* A certificate is no replacement of itself. */
static const char *read_serials(struct reading *r, struct replacement_row *row)
{
    struct str cell = r->table.cells[RE_NEW_SERIAL];
    const char *why = serial_from_hex(r->table.cells[RE_SERIAL], &row->serial);
    row->has_serial = cell.n > 0;
    if (why == NULL && row->has_serial)
        why = serial_from_hex(cell, &row->replacement_serial);
    if (why == NULL && row->has_serial && row->serial.n == row->replacement_serial.n &&
        memcmp(row->serial.bytes, row->replacement_serial.bytes, row->serial.n) == 0)
        why = "the replacement has the serial of the certificate itself";
    return why;
}

static const char *read_row(struct reading *r, struct replacement_row *row)
{
    struct str file = r->table.cells[RE_NEW_FILE];
    *row = (struct replacement_row){.line = r->table.line, .file = ""};
    const char *why = read_serials(r, row);
    if (why == NULL)
        why = table_issuer(r->issuers, r->table.cells[RE_ISSUER], r->default_issuer, &row->issuer);
    if (why == NULL)
        why = read_sha256(r, row);
    if (why == NULL)
        why = read_at(r, row);
    if (why == NULL && file.n > 0)
        row->file = arena_copy(r->arena, file.p, file.n);
    return why;
}

static bool check_header(void *context, struct fault *f)
{
    const struct reading *r = context;
    return table_need_issuer(&r->table, RE_ISSUER, r->default_issuer,
                             "add a column 'issuer', or name one with --issuer CERT", f);
}

static const char *take_row(void *context)
{
    struct reading *r = context;
    struct replacement_list *out = r->out;
    struct replacement_row row;
    const char *why = read_row(r, &row);
    if (why != NULL)
        return why;
    out->rows = grow_array(out->rows, out->count, &out->room, sizeof *out->rows);
    out->rows[out->count++] = row;
    return NULL;
}

bool replacement_list_read(struct replacement_list *out, const char *name, struct source source,
                           struct intake_issuers *issuers, int default_issuer, struct arena *a,
                           struct fault *f)
{
    *out = (struct replacement_list){.table = {.file = arena_text(a, name)}};
    struct reading r = {.out = out, .issuers = issuers, .default_issuer = default_issuer, .arena = a};
    r.table =
        (struct table_reader){.name = out->table.file, .columns = columns, .count = RE_COLUMNS, .arena = a};
    return table_read(&r.table, source, &out->table, &(struct table_use){check_header, take_row, &r}, f);
}

void replacement_list_free(struct replacement_list *list)
{
    free(list->rows);
    table_free(&list->table);
    *list = (struct replacement_list){0};
}
