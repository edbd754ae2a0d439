/* The affected list. */
#include "massrevoke/intake.h"
#include "intake/set.h"
#include "intake/table.h"

#include <stdlib.h>

_Static_assert(sizeof(struct intake_key) == 24, "a key is hashed and compared as bytes");

#define REASON_TEXT_MAX 160 /* bytes of a foreign text shown in a reason */

static const char no_base[] = "all digits: hex or decimal? say --serials hex or --serials decimal";

const char *intake_serial(struct str text, enum intake_base base, struct serial *out)
{
    struct str s = str_trim(text);
    if (base == INTAKE_BASE_DECIMAL)
        return serial_from_decimal(s, out);
    const char *problem = serial_from_hex(s, out);
    if (problem != NULL || base == INTAKE_BASE_HEX)
        return problem;
    for (size_t i = 0; i < s.n; i++)
        if (memchr("abcdefABCDEFxX:", s.p[i], 15) != NULL)
            return NULL;
    return no_base;
}

uint32_t intake_list_file(struct intake_list *list, const char *name)
{
    list->files = grow_array(list->files, list->file_count, &list->file_room, sizeof *list->files);
    list->files[list->file_count] = arena_text(list->arena, name);
    return (uint32_t)list->file_count++;
}

static struct str key_bytes(const struct intake_key *key)
{
    return (struct str){(const char *)key, sizeof *key};
}

static bool same_key(const void *context, uint32_t number, struct str key)
{
    const struct intake_list *list = context;
    return memcmp(&list->keys[number], key.p, sizeof list->keys[number]) == 0;
}

void intake_list_add(struct intake_list *list, uint32_t file, size_t line, uint16_t issuer,
                     const struct serial *serial)
{
    struct intake_key key = {.serial = *serial, .issuer = issuer};
    struct intake_place place = {file, (uint32_t)line};
    memcpy(list->set.seed, list->seed, sizeof list->seed);
    uint32_t first = intake_set_put(&list->set, key_bytes(&key), (uint32_t)list->accepted, same_key, list);
    if (first != INTAKE_SET_NEW) {
        list->duplicates =
            grow_array(list->duplicates, list->duplicate, &list->duplicate_room, sizeof *list->duplicates);
        list->duplicates[list->duplicate++] = (struct intake_duplicate){place, first};
        return;
    }
    size_t room = list->accepted_room; /* keys and places have the same room */
    list->keys = grow_array(list->keys, list->accepted, &room, sizeof *list->keys);
    list->places = grow_array(list->places, list->accepted, &list->accepted_room, sizeof *list->places);
    list->keys[list->accepted] = key;
    list->places[list->accepted++] = place;
}

void intake_list_reject(struct intake_list *list, uint32_t file, size_t line, const char *reason)
{
    remarks_add(&list->rejects, list->files[file], line, reason);
}

static bool need_issuer(const struct intake_list *list, const char *name, struct fault *f)
{
    if (list->default_issuer >= 0)
        return true;
    fault_set(f, FAULT_USAGE, "%s names no issuer, and not exactly one is configured", name);
    return fault_hint(f, "say whose serials these are: --issuer CERTIFICATE");
}

/* One serial a line. */
static bool read_serials(struct intake_list *list, uint32_t file, struct csv_reader *csv, struct fault *f)
{
    csv->separator = CSV_NO_SEPARATOR;
    if (!need_issuer(list, csv->name, f))
        return false;
    struct csv_record row;
    while (csv_next(csv, &row, f)) {
        if (row.end)
            return true;
        struct serial serial;
        const char *problem = row.bad;
        if (problem == NULL) {
            struct str text = str_trim(row.cells[0]);
            const char *comment = memchr(text.p, '#', text.n);
            if (comment != NULL)
                text = str_trim((struct str){text.p, (size_t)(comment - text.p)});
            if (text.n == 0)
                continue;
            problem = intake_serial(text, list->base, &serial);
        }
        if (problem != NULL) {
            intake_list_reject(list, file, row.line, problem);
            continue;
        }
        list->default_used = true;
        intake_list_add(list, file, row.line, (uint16_t)list->default_issuer, &serial);
    }
    return false;
}

/* The columns of a list; the last two only tell a CCADB list (facts: policy 3.4) from another. */
enum { LIST_SERIAL, LIST_ISSUER, LIST_PRECERTIFICATE, LIST_IS_REVOKED, LIST_COLUMNS };

static const struct table_column list_columns[LIST_COLUMNS] = {
    {"serial serialnumber serialno certificateserial certificateserialnumber", true},
    {"issuer issuerdn issuername issuersubject issuerdistinguishedname", false},
    {"precertificatesha256hash", false},
    {"isrevoked", false},
};

/* Issuer of a row, with the default for an empty cell; NULL or why there is none. */
static const char *row_issuer(struct intake_list *list, struct table_reader *t, int *issuer)
{
    struct str text = t->cells[LIST_ISSUER];
    if (text.n == 0) {
        *issuer = list->default_issuer;
        list->default_used = list->default_used || *issuer >= 0;
        return *issuer >= 0 ? NULL : "no issuer";
    }
    *issuer = intake_issuer_find(list->issuers, text, list->default_issuer);
    if (*issuer >= 0)
        return NULL;
    int shown = text.n < REASON_TEXT_MAX ? (int)text.n : REASON_TEXT_MAX;
    while (shown < (int)text.n && shown > 0 && ((unsigned char)text.p[shown] & 0xc0) == 0x80)
        shown--; /* not in the middle of a character */
    return table_reason(t,
                        *issuer == INTAKE_ISSUER_MANY ? "issuer is configured more than once: %.*s"
                                                      : "issuer is not configured: %.*s",
                        shown, text.p);
}

static bool read_table(struct intake_list *list, uint32_t file, struct table_reader *t, bool ccadb,
                       struct fault *f)
{
    if (!table_begin(t, f))
        return false;
    if (t->place[LIST_ISSUER] < 0 && !need_issuer(list, t->name, f))
        return false;
    ccadb = ccadb || (t->place[LIST_PRECERTIFICATE] >= 0 && t->place[LIST_IS_REVOKED] >= 0);
    enum intake_base base = list->base == INTAKE_BASE_UNDECLARED && ccadb ? INTAKE_BASE_HEX : list->base;
    bool end;
    const char *problem;
    while (table_next(t, &end, &problem, f)) {
        if (end)
            return true;
        struct serial serial;
        int issuer = 0;
        if (problem == NULL)
            problem = intake_serial(t->cells[LIST_SERIAL], base, &serial);
        if (problem == NULL)
            problem = row_issuer(list, t, &issuer);
        if (problem != NULL)
            intake_list_reject(list, file, t->line, problem);
        else
            intake_list_add(list, file, t->line, (uint16_t)issuer, &serial);
    }
    return false;
}

static bool read_any(struct intake_list *list, struct table_reader *t, enum intake_format format,
                     struct fault *f)
{
    struct str head;
    if (!csv_peek(&t->csv, &head, f))
        return false;
    if (format == INTAKE_AUTO)
        format = intake_detect(head);
    if (format != INTAKE_SERIALS && format != INTAKE_CSV && format != INTAKE_CCADB)
        return fault_set(f, FAULT_FAILED, "%s holds certificates (%s), not a list of serials", t->name,
                         intake_format_name(format));
    uint32_t file = intake_list_file(list, t->name);
    if (format == INTAKE_SERIALS)
        return read_serials(list, file, &t->csv, f);
    t->csv.separator = csv_guess_separator(head);
    return read_table(list, file, t, format == INTAKE_CCADB, f);
}

bool intake_list_read(struct intake_list *list, const char *name, enum intake_format format,
                      struct source source, struct fault *f)
{
    struct table_reader t = {
        .name = name, .columns = list_columns, .count = LIST_COLUMNS, .arena = list->arena};
    csv_open(&t.csv, name, source);
    bool ok = read_any(list, &t, format, f);
    csv_close(&t.csv);
    return ok;
}

void intake_list_free(struct intake_list *list)
{
    free(list->files);
    free(list->keys);
    free(list->places);
    free(list->duplicates);
    free(list->rejects.items);
    intake_set_free(&list->set);
    *list = (struct intake_list){0};
}
