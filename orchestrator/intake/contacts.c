/* The contacts file (contract section 3). */
#include "intake/set.h"
#include "intake/table.h"
#include "massrevoke/intake.h"

#include <stdlib.h>

#define TIER_MAX 99

enum {
    IN_SUBSCRIBER,
    IN_ROLE,
    IN_TIER,
    IN_NAME,
    IN_EMAIL,
    IN_LANGUAGE,
    IN_TIMEZONE,
    IN_PHONE,
    IN_CLASS,
    IN_COLUMNS
};

static const struct table_column columns[IN_COLUMNS] = {
    [IN_SUBSCRIBER] = {"subscriber", true},
    [IN_ROLE] = {"role", true},
    [IN_TIER] = {"tier", false},
    [IN_NAME] = {"name", false},
    [IN_EMAIL] = {"email", true},
    [IN_LANGUAGE] = {"language", false},
    [IN_TIMEZONE] = {"timezone", false},
    [IN_PHONE] = {"phone", false},
    [IN_CLASS] = {"class", false},
};

/* The state of one reading. */
struct reading {
    struct intake_contacts *out;
    struct table_reader table;
    struct intake_set set;
    struct arena *arena;
};

/* Who a contact is: subscriber, role and address; two people of one role are two contacts. */
static void key_of(const struct contact *c, struct buf *out)
{
    buf_clear(out);
    buf_format(out, "%s%c%d%c%s", c->subscriber, '\n', (int)c->role, '\n', c->email);
    if (c->email[0] == '\0')
        buf_format(out, "%s\n%s", c->name, c->phone);
}

static bool same_contact(const void *context, uint32_t number, struct str key)
{
    const struct intake_contacts *contacts = context;
    AUTO_BUF own = {0};
    key_of(&contacts->rows[number], &own);
    return str_equal(buf_str(&own), key);
}

static const char *read_tier(struct str cell, int *out)
{
    *out = 0;
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] < '0' || cell.p[i] > '9' || *out > TIER_MAX)
            return "tier is not a number from 0 to 99";
        *out = *out * 10 + (cell.p[i] - '0');
    }
    return *out > TIER_MAX ? "tier is not a number from 0 to 99" : NULL;
}

/* Text of a cell; shared with the row before when it is the same. */
static const char *keep(struct reading *r, int column, const char *before)
{
    struct str cell = r->table.cells[column];
    if (cell.n == 0)
        return "";
    return before != NULL && str_is(cell, before) ? before : arena_copy(r->arena, cell.p, cell.n);
}

/* Cells into a contact; NULL or why not. */
static const char *read_row(struct reading *r, struct contact *row)
{
    const struct contact none = {0};
    const struct contact *before = r->out->count == 0 ? &none : &r->out->rows[r->out->count - 1];
    *row = (struct contact){.line = r->table.line};
    if (r->table.cells[IN_SUBSCRIBER].n == 0)
        return "no subscriber";
    row->role = contact_role_from_name(r->table.cells[IN_ROLE]);
    if (row->role == CONTACT_ROLE_COUNT)
        return "role is not primary, backup or partner";
    const char *problem = read_tier(r->table.cells[IN_TIER], &row->tier);
    if (problem != NULL)
        return problem;
    row->subscriber = keep(r, IN_SUBSCRIBER, before->subscriber);
    row->name = keep(r, IN_NAME, before->name);
    row->email = keep(r, IN_EMAIL, before->email);
    row->language = keep(r, IN_LANGUAGE, before->language);
    row->timezone = keep(r, IN_TIMEZONE, before->timezone);
    row->phone = keep(r, IN_PHONE, before->phone);
    row->class = keep(r, IN_CLASS, before->class);
    row->address_bad = contact_address_problem(str_of(row->email)) != NULL;
    return NULL;
}

static void warn(struct reading *r, const char *text)
{
    remarks_add(&r->out->table.warnings, r->table.name, r->table.line, text);
}

/* The last row of a contact wins. */
static void put_row(struct reading *r, const struct contact *row)
{
    struct intake_contacts *out = r->out;
    AUTO_BUF key = {0};
    key_of(row, &key);
    uint32_t before = intake_set_put(&r->set, buf_str(&key), (uint32_t)out->count, same_contact, out);
    if (before == INTAKE_SET_NEW) {
        out->rows = grow_array(out->rows, out->count, &out->room, sizeof *out->rows);
        out->rows[out->count++] = *row;
        out->bad_addresses += row->address_bad;
        if (row->address_bad)
            warn(r, table_reason(&r->table, "address kept but never sent to: %s",
                                 contact_address_problem(str_of(row->email))));
        return;
    }
    warn(r,
         arena_format(r->arena, "the same contact as line %zu, which it replaces", out->rows[before].line));
    out->rows[before] = *row; /* the address is part of the key, so bad_addresses stays right */
    out->table.replaced++;
}

static const char *take_row(void *context)
{
    struct reading *r = context;
    struct contact row;
    const char *problem = read_row(r, &row);
    if (problem == NULL)
        put_row(r, &row);
    return problem;
}

bool intake_contacts_read(struct intake_contacts *out, const char *name, struct source source,
                          const uint64_t seed[static 2], struct arena *a, struct fault *f)
{
    *out = (struct intake_contacts){.table = {.file = arena_text(a, name)}};
    struct reading r = {.out = out, .arena = a};
    r.set = (struct intake_set){.seed = {seed[0], seed[1]}};
    r.table =
        (struct table_reader){.name = out->table.file, .columns = columns, .count = IN_COLUMNS, .arena = a};
    bool ok = table_read(&r.table, source, &out->table, &(struct table_use){NULL, take_row, &r}, f);
    intake_set_free(&r.set);
    return ok;
}

void intake_contacts_free(struct intake_contacts *contacts)
{
    free(contacts->rows);
    table_free(&contacts->table);
    *contacts = (struct intake_contacts){0};
}
