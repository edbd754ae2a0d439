/* inventory and contacts: what the CA knows, and who can be told. */
#include "list.h"
#include "massrevoke/store_ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define REMARKS_SHOWN 20

/* Exit 8 when rows were rejected, 1 when nothing was left. */
static int table_exit(const struct intake_table *t, size_t used)
{
    return t->rejects.count == 0 ? 0 : fault_exit_code(used > 0 ? FAULT_PARTLY : FAULT_FAILED);
}

static json_t *table_json(const struct intake_table *t, size_t used)
{
    json_t *o = json_object();
    json_set_int(o, "in", (int64_t)t->in);
    json_set_int(o, "accepted", (int64_t)used);
    json_set_int(o, "rejected", (int64_t)t->rejects.count);
    json_set_int(o, "warnings", (int64_t)t->warnings.count);
    return o;
}

static void table_text(const struct intake_table *t)
{
    AUTO_BUF text = {0};
    intake_table_summary(t, REMARKS_SHOWN, &text);
    fputs(buf_str(&text).p, stdout);
}

static bool read_inventory(struct session *s, const struct invocation *in, const struct issuer *issuers,
                           struct intake_inventory *out, struct fault *f)
{
    uint64_t seed[2];
    int fd, index;
    if (!session_issuer(s, in, &index, f) || !list_seed(seed, f) || !list_open(in->args[0], &fd, f))
        return false;
    struct source_file file = {fd, in->args[0]};
    struct list_watch watch;
    struct source source = list_watch(&watch, source_descriptor(&file), fd, in->args[0]);
    bool ok = intake_inventory_read(out, in->args[0], source, list_issuer_names(s, issuers), index, seed,
                                    &s->arena, f);
    if (fd != STDIN_FILENO)
        close(fd);
    return ok;
}

bool cmd_inventory(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_INTAKE_INVENTORY inventory = {0};
    struct issuer *issuers;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !list_issuers(&s, &issuers, f))
        return false;
    struct conduct c = session_conduct(&s);
    bool ok = read_inventory(&s, in, issuers, &inventory, f) &&
              (inventory.count == 0 || conduct_inventory(&c, inventory.rows, inventory.count, f));
    for (size_t i = 0; i < s.issuer_count; i++)
        issuer_release(&issuers[i]);
    if (!ok)
        return false;
    if (in->json)
        session_print(table_json(&inventory.table, inventory.count));
    else
        table_text(&inventory.table);
    *exit_code = table_exit(&inventory.table, inventory.count);
    return true;
}

/* ---- contacts ---- */

/* Whom a subscriber can be told through. */
enum coverage { BOTH, PRIMARY_ONLY, BACKUP_ONLY, PARTNER_ONLY, NOBODY, COVERAGES };

static const struct {
    const char *key, *text;
} coverage_rows[COVERAGES] = {
    [BOTH] = {"primary_and_backup", "primary and backup"},
    [PRIMARY_ONLY] = {"primary_only", "primary only"},
    [BACKUP_ONLY] = {"backup_only", "backup only"},
    [PARTNER_ONLY] = {"partner_only", "partner only"},
    [NOBODY] = {"nobody", "nobody"},
};

static enum coverage coverage_of(const struct reach *r)
{
    return r->primary && r->backup ? BOTH
           : r->primary            ? PRIMARY_ONLY
           : r->backup             ? BACKUP_ONLY
           : r->partner            ? PARTNER_ONLY
                                   : NOBODY;
}

/* The roles of --missing. */
static const char *const missing_roles[] = {"primary", "backup", "any"};

static bool check_missing(const char *role, struct fault *f)
{
    for (size_t i = 0; role != NULL && i < 3; i++)
        if (strcmp(role, missing_roles[i]) == 0)
            return true;
    return role == NULL ||
           fault_set(f, FAULT_USAGE, "--missing is primary, backup or any, not '%.40s'", role);
}

static bool is_missing(const struct reach *r, const char *role)
{
    return strcmp(role, "primary") == 0  ? !r->primary
           : strcmp(role, "backup") == 0 ? !r->backup
                                         : coverage_of(r) == NOBODY;
}

static void coverage_count(const struct reach *rows, size_t n, int64_t subscribers[static COVERAGES],
                           int64_t certificates[static COVERAGES])
{
    for (size_t i = 0; i < n; i++) {
        subscribers[coverage_of(&rows[i])]++;
        certificates[coverage_of(&rows[i])] += rows[i].certificates;
    }
}

static void coverage_text(const struct reach *rows, size_t n)
{
    int64_t subscribers[COVERAGES] = {0}, certificates[COVERAGES] = {0};
    coverage_count(rows, n, subscribers, certificates);
    if (n == 0) {
        puts("No certificate is affected yet: coverage is told once a list is imported.");
        return;
    }
    puts("Affected subscribers by whom we can tell (contacts with a good address):");
    for (int i = 0; i < COVERAGES; i++)
        printf("  %-20s %8" PRId64 " subscribers  %10" PRId64 " certificates\n", coverage_rows[i].text,
               subscribers[i], certificates[i]);
}

static json_t *coverage_json(const struct reach *rows, size_t n)
{
    int64_t subscribers[COVERAGES] = {0}, certificates[COVERAGES] = {0};
    json_t *o = json_object();
    coverage_count(rows, n, subscribers, certificates);
    for (int i = 0; i < COVERAGES; i++)
        json_set_int(o, coverage_rows[i].key, subscribers[i]);
    return o;
}

static void missing_text(const struct reach *rows, size_t n, const char *role)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_missing(&rows[i], role))
            continue;
        count++;
        printf("%10" PRId64 "  %-18s  %s\n", rows[i].certificates, coverage_rows[coverage_of(&rows[i])].text,
               rows[i].subscriber[0] == '\0' ? "(no subscriber known)" : rows[i].subscriber);
    }
    printf("%zu of %zu affected subscribers have no %s contact.\n", count, n,
           strcmp(role, "any") == 0 ? "reachable" : role);
}

static json_t *missing_json(const struct reach *rows, size_t n, const char *role)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        if (!is_missing(&rows[i], role))
            continue;
        json_t *one = json_object();
        json_set_text(one, "subscriber", rows[i].subscriber);
        json_set_int(one, "certificates", rows[i].certificates);
        json_set_text(one, "reach", coverage_rows[coverage_of(&rows[i])].key);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *bad_addresses_json(const struct intake_contacts *contacts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < contacts->count; i++) {
        const struct contact *c = &contacts->rows[i];
        if (!c->address_bad)
            continue;
        json_t *one = json_object();
        json_set_int(one, "line", (int64_t)c->line);
        json_set_text(one, "subscriber", c->subscriber);
        json_set_text(one, "reason", contact_address_problem(str_of(c->email)));
        json_array_append_new(list, one);
    }
    return list;
}

static bool read_contacts(struct session *s, const struct invocation *in, struct intake_contacts *out,
                          struct fault *f)
{
    uint64_t seed[2];
    int fd;
    struct conduct c = session_conduct(s);
    if (!list_seed(seed, f) || !list_open(in->args[0], &fd, f))
        return false;
    struct source_file file = {fd, in->args[0]};
    struct list_watch watch;
    struct source source = list_watch(&watch, source_descriptor(&file), fd, in->args[0]);
    bool ok = intake_contacts_read(out, in->args[0], source, seed, &s->arena, f);
    if (fd != STDIN_FILENO)
        close(fd);
    return ok && (out->count == 0 || conduct_contacts(&c, out->rows, out->count, f));
}

static void tell_contacts(const struct invocation *in, const struct intake_contacts *contacts,
                          const struct reach *rows, size_t n)
{
    const char *role = in->values[OPTION_MISSING];
    bool read = in->arg_count == 1;
    if (in->json) {
        json_t *o = read ? table_json(&contacts->table, contacts->count) : json_object();
        json_object_set_new(o, "coverage", coverage_json(rows, n));
        if (read)
            json_object_set_new(o, "bad_addresses", bad_addresses_json(contacts));
        if (role != NULL)
            json_object_set_new(o, "missing", missing_json(rows, n, role));
        session_print(o);
        return;
    }
    if (read)
        table_text(&contacts->table);
    if (read || role == NULL)
        coverage_text(rows, n);
    if (role != NULL)
        missing_text(rows, n, role);
}

bool cmd_contacts(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_INTAKE_CONTACTS contacts = {0};
    struct reach *rows;
    size_t n;
    bool read = in->arg_count == 1;
    if (!check_missing(in->values[OPTION_MISSING], f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        (read && !read_contacts(&s, in, &contacts, f)) ||
        !store_reach(s.store, s.campaign.id, &s.arena, &rows, &n, f))
        return false;
    tell_contacts(in, &contacts, rows, n);
    if (read)
        *exit_code = table_exit(&contacts.table, contacts.count);
    return true;
}
