/* The inventory file (contract section 3). */
#include "intake/set.h"
#include "intake/table.h"
#include "massrevoke/intake.h"

#include <stdlib.h>

#define SUBSCRIBER_MAX 500 /* bytes: it stands in an index, whose rows end at 2.7 kB */

enum {
    IN_ISSUER,
    IN_SERIAL,
    IN_SUBSCRIBER,
    IN_SUBJECT,
    IN_NOT_BEFORE,
    IN_NOT_AFTER,
    IN_CERT_SHA256,
    IN_PRECERT_SHA256,
    IN_SPKI_SHA256,
    IN_DNS_NAMES,
    IN_TYPE,
    IN_CDP,
    IN_OCSP,
    IN_CERTIFICATE_FILE,
    IN_COLUMNS
};

static const struct table_column columns[IN_COLUMNS] = {
    [IN_ISSUER] = {"issuer", false},
    [IN_SERIAL] = {"serial serialnumber", true},
    [IN_SUBSCRIBER] = {"subscriber", false},
    [IN_SUBJECT] = {"subject", false},
    [IN_NOT_BEFORE] = {"notbefore", false},
    [IN_NOT_AFTER] = {"notafter", false},
    [IN_CERT_SHA256] = {"certsha256", false},
    [IN_PRECERT_SHA256] = {"precertsha256", false},
    [IN_SPKI_SHA256] = {"spkisha256", false},
    [IN_DNS_NAMES] = {"dnsnames", false},
    [IN_TYPE] = {"type", false},
    [IN_CDP] = {"cdp", false},
    [IN_OCSP] = {"ocsp", false},
    [IN_CERTIFICATE_FILE] = {"certificatefile", false},
};

/* The state of one reading. */
struct reading {
    struct intake_inventory *out;
    struct intake_issuers *issuers;
    int default_issuer;
    struct table_reader table;
    struct intake_set set;
    struct arena *arena;
};

static struct intake_key key_of(int issuer, const struct serial *serial)
{
    return (struct intake_key){.serial = *serial, .issuer = (uint16_t)issuer};
}

static bool same_row(const void *context, uint32_t number, struct str key)
{
    const struct intake_inventory *inventory = context;
    const struct inventory_row *row = &inventory->rows[number];
    struct intake_key own = key_of(row->issuer, &row->serial);
    return memcmp(&own, key.p, sizeof own) == 0;
}

/* Text of a cell; the same as in the row before is shared: subscribers and URLs repeat over long stretches.
 */
static const char *keep(struct reading *r, int column, const char *before)
{
    struct str cell = r->table.cells[column];
    if (cell.n == 0)
        return "";
    if (before != NULL && str_is(cell, before))
        return before;
    return arena_copy(r->arena, cell.p, cell.n);
}

static const char *read_time(struct reading *r, int column, struct utc *out)
{
    struct str cell = r->table.cells[column];
    char text[64];
    *out = UTC_NONE;
    if (cell.n == 0 || str_is(cell, "N/A"))
        return NULL;
    struct fault f;
    if (cell.n >= sizeof text)
        return "a time longer than 63 characters";
    memcpy(text, cell.p, cell.n);
    text[cell.n] = '\0';
    return utc_parse(text, out, &f) ? NULL : table_reason(&r->table, "%s", f.text);
}

static const char *read_digest(struct reading *r, int column, bool *has, struct digest *out)
{
    struct str cell = r->table.cells[column];
    *has = cell.n > 0 && !str_is(cell, "N/A");
    return *has ? table_digest(cell, out) : NULL;
}

static const char *read_type(struct reading *r)
{
    static const char *const known[] = {"DV", "OV", "IV", "EV", "CA"};
    struct str cell = r->table.cells[IN_TYPE];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(cell, known[i]))
            return known[i];
    if (cell.n > 0)
        remarks_add(&r->out->table.warnings, r->table.name, r->table.line,
                    "type is not DV, OV, IV, EV or CA and was left out");
    return "";
}

/* Cells into a row; NULL or why not. */
static const char *read_row(struct reading *r, struct inventory_row *row)
{
    const struct inventory_row none = {0};
    const struct inventory_row *before = r->out->count == 0 ? &none : &r->out->rows[r->out->count - 1];
    *row = (struct inventory_row){.line = r->table.line};
    const char *problem = serial_from_hex(r->table.cells[IN_SERIAL], &row->serial);
    if (problem == NULL)
        problem = table_issuer(r->issuers, r->table.cells[IN_ISSUER], r->default_issuer, &row->issuer);
    if (problem == NULL && r->table.cells[IN_SUBSCRIBER].n > SUBSCRIBER_MAX)
        problem = "subscriber longer than 500 bytes";
    if (problem == NULL)
        problem = read_time(r, IN_NOT_BEFORE, &row->not_before);
    if (problem == NULL)
        problem = read_time(r, IN_NOT_AFTER, &row->not_after);
    if (problem == NULL)
        problem = read_digest(r, IN_CERT_SHA256, &row->has_cert_sha256, &row->cert_sha256);
    if (problem == NULL)
        problem = read_digest(r, IN_PRECERT_SHA256, &row->has_precert_sha256, &row->precert_sha256);
    if (problem == NULL)
        problem = read_digest(r, IN_SPKI_SHA256, &row->has_spki_sha256, &row->spki_sha256);
    if (problem != NULL)
        return problem;
    row->subscriber = keep(r, IN_SUBSCRIBER, before->subscriber);
    row->subject = keep(r, IN_SUBJECT, before->subject);
    row->dns_names = keep(r, IN_DNS_NAMES, before->dns_names);
    row->type = read_type(r);
    row->cdp = keep(r, IN_CDP, before->cdp);
    row->ocsp = keep(r, IN_OCSP, before->ocsp);
    row->certificate_file = keep(r, IN_CERTIFICATE_FILE, before->certificate_file);
    return NULL;
}

/* The last row of a certificate wins. */
static void put_row(struct reading *r, const struct inventory_row *row)
{
    struct intake_inventory *out = r->out;
    struct intake_key key = key_of(row->issuer, &row->serial);
    struct str bytes = {(const char *)&key, sizeof key};
    uint32_t before = intake_set_put(&r->set, bytes, (uint32_t)out->count, same_row, out);
    if (r->table.cells[IN_ISSUER].n == 0)
        out->default_used = true;
    if (before == INTAKE_SET_NEW) {
        out->rows = grow_array(out->rows, out->count, &out->room, sizeof *out->rows);
        out->rows[out->count++] = *row;
        return;
    }
    remarks_add(&out->table.warnings, r->table.name, row->line,
                arena_format(r->arena, "the same certificate as line %zu, which it replaces",
                             out->rows[before].line));
    out->rows[before] = *row;
    out->table.replaced++;
}

static bool check_header(void *context, struct fault *f)
{
    const struct reading *r = context;
    return table_need_issuer(&r->table, IN_ISSUER, r->default_issuer,
                             "add a column 'issuer' with the issuer's distinguished name", f);
}

static const char *take_row(void *context)
{
    struct reading *r = context;
    struct inventory_row row;
    const char *problem = read_row(r, &row);
    if (problem == NULL)
        put_row(r, &row);
    return problem;
}

bool intake_inventory_read(struct intake_inventory *out, const char *name, struct source source,
                           struct intake_issuers *issuers, int default_issuer, const uint64_t seed[static 2],
                           struct arena *a, struct fault *f)
{
    *out = (struct intake_inventory){.table = {.file = arena_text(a, name)}};
    struct reading r = {.out = out, .issuers = issuers, .default_issuer = default_issuer, .arena = a};
    r.set = (struct intake_set){.seed = {seed[0], seed[1]}};
    r.table =
        (struct table_reader){.name = out->table.file, .columns = columns, .count = IN_COLUMNS, .arena = a};
    bool ok = table_read(&r.table, source, &out->table, &(struct table_use){check_header, take_row, &r}, f);
    intake_set_free(&r.set);
    return ok;
}

void intake_inventory_free(struct intake_inventory *inventory)
{
    free(inventory->rows);
    table_free(&inventory->table);
    *inventory = (struct intake_inventory){0};
}
