/* Lists of replacements. */
#include "massrevoke/replacement_list.h"
#include "intake/table.h"
#include "massrevoke/hex.h"

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

static const char *read_issuer(struct reading *r, struct replacement_row *row)
{
    struct str cell = r->table.cells[RE_ISSUER];
    row->issuer = cell.n == 0 ? r->default_issuer : intake_issuer_find(r->issuers, cell, r->default_issuer);
    if (row->issuer >= 0)
        return NULL;
    return cell.n == 0                         ? "no issuer"
           : row->issuer == INTAKE_ISSUER_MANY ? "issuer is configured more than once"
                                               : "issuer is not configured";
}

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
    if (cell.n == 0 ||
        (cell.n == (size_t)2 * DIGEST_SIZE && hex_read(cell.p, DIGEST_SIZE, row->sha256.bytes)))
        return NULL;
    return "a SHA-256 that is not 64 hexadecimal digits";
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
        why = read_issuer(r, row);
    if (why == NULL)
        why = read_sha256(r, row);
    if (why == NULL)
        why = read_at(r, row);
    if (why == NULL && file.n > 0)
        row->file = arena_copy(r->arena, file.p, file.n);
    return why;
}

static bool read_rows(struct reading *r, struct fault *f)
{
    struct replacement_list *out = r->out;
    struct str head;
    bool end;
    const char *why;
    if (!csv_peek(&r->table.csv, &head, f))
        return false;
    r->table.csv.separator = csv_guess_separator(head);
    if (!table_begin(&r->table, f))
        return false;
    if (r->table.width > 0 && r->table.place[RE_ISSUER] < 0 && r->default_issuer < 0) {
        fault_set(f, FAULT_USAGE, "%s has no issuer column, and not exactly one is configured",
                  r->table.name);
        return fault_hint(f, "add a column 'issuer', or name one with --issuer CERT");
    }
    while (table_next(&r->table, &end, &why, f)) {
        struct replacement_row row;
        if (end)
            return true;
        out->table.in++;
        if (why == NULL)
            why = read_row(r, &row);
        if (why != NULL) {
            remarks_add(&out->table.rejects, r->table.name, r->table.line, why);
            continue;
        }
        out->rows = grow_array(out->rows, out->count, &out->room, sizeof *out->rows);
        out->rows[out->count++] = row;
    }
    return false;
}

bool replacement_list_read(struct replacement_list *out, const char *name, struct source source,
                           struct intake_issuers *issuers, int default_issuer, struct arena *a,
                           struct fault *f)
{
    *out = (struct replacement_list){.table = {.file = arena_text(a, name)}};
    struct reading r = {.out = out, .issuers = issuers, .default_issuer = default_issuer, .arena = a};
    r.table = (struct table_reader){.name = out->table.file,
                                    .columns = columns,
                                    .count = RE_COLUMNS,
                                    .unknown = &out->table.warnings,
                                    .arena = a};
    csv_open(&r.table.csv, out->table.file, source);
    bool ok = read_rows(&r, f);
    csv_close(&r.table.csv);
    return ok;
}

void replacement_list_free(struct replacement_list *list)
{
    free(list->rows);
    free(list->table.rejects.items);
    free(list->table.warnings.items);
    *list = (struct replacement_list){0};
}
