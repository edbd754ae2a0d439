/* Lists, inventory and contacts on their way into the store. */
#include "conduct_parts.h"
#include "massrevoke/cert.h"
#include "massrevoke/conduct.h"
#include "massrevoke/store_clock.h"

#include <stdlib.h>

/* Index in settings of the store's issuer number; -1 when it is not configured any more. */
static int index_of(const struct conduct *c, int issuer)
{
    for (size_t i = 0; i < c->issuer_count; i++)
        if (c->issuers[i] == issuer)
            return (int)i;
    return -1;
}

bool conduct_resolve(const struct conduct *c, struct intake_list *list, struct fault *f)
{
    AUTO_ARENA a = {0};
    size_t n = list->hash_count;
    struct hashed *items = arena_array(&a, n, sizeof *items);
    struct intake_key *keys = arena_array(&a, n, sizeof *keys);
    bool *found = arena_array(&a, n, sizeof *found);
    for (size_t i = 0; i < n; i++)
        items[i].sha256 = list->hashes[i].sha256;
    if (n > 0 && !store_hashes_find(c->store, items, n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        int issuer = items[i].found ? index_of(c, items[i].issuer) : -1;
        found[i] = issuer >= 0;
        if (found[i])
            keys[i] = (struct intake_key){.serial = items[i].serial, .issuer = (uint16_t)issuer};
    }
    intake_list_resolve(list, keys, found);
    return true;
}

/* Entries as the store has them. */
static struct listed *listed_of(const struct conduct *c, const struct intake_list *list, struct arena *a)
{
    struct listed *rows = arena_array(a, list->accepted, sizeof *rows);
    for (size_t i = 0; i < list->accepted; i++)
        rows[i] = (struct listed){.issuer = c->issuers[list->keys[i].issuer],
                                  .serial = list->keys[i].serial,
                                  .line = list->places[i].line,
                                  .by_hash = list->by_hash[i]};
    return rows;
}

/* An entry that was issued after the fix. */
struct late {
    struct listed entry; /* first: by which it is sorted and found */
    size_t place;        /* in the list */
};

/* Takes back what the campaign has already: it was listed by its hash once, or before anybody knew of a fix.
 */
static bool spare_known(const struct conduct *c, const struct listed *rows, size_t count, bool *refused,
                        size_t *n, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct population_difference d;
    struct listed *some = arena_array(&a, *n, sizeof *some);
    struct late *lates = arena_array(&a, *n, sizeof *lates);
    size_t late = 0;
    for (size_t i = 0; i < count; i++)
        if (refused[i]) {
            lates[late] = (struct late){rows[i], i};
            some[late++] = rows[i];
        }
    if (!store_reconcile(c->store, c->campaign.id, some, late, late, &a, &d, f))
        return false;
    qsort(lates, late, sizeof *lates, listed_compare);
    memset(refused, 0, count * sizeof *refused);
    for (size_t i = 0; i < d.count; i++) {
        struct late key = {.entry = {.issuer = d.changes[i].issuer, .serial = d.changes[i].serial}};
        const struct late *found =
            d.changes[i].added ? bsearch(&key, lates, late, sizeof *lates, listed_compare) : NULL;
        if (found != NULL)
            refused[found->place] = true;
    }
    *n = (size_t)d.added;
    return true;
}

/* The certificates of configured issuers that configured issuers signed. */
static bool add_issuers(const struct conduct *c, struct listed *out, size_t *n, struct arena *a,
                        struct fault *f)
{
    struct cert *certs = arena_array(a, c->issuer_count, sizeof *certs);
    size_t count = 0;
    for (size_t ca = 0; ca < c->settings->ca_count; ca++)
        for (size_t i = 0; i < c->settings->cas[ca].issuer_count; i++)
            if (!cert_load(c->settings->cas[ca].issuers[i].certificate_file, a, &certs[count++], f))
                return false;
    for (size_t i = 0; i < count; i++)
        for (size_t by = 0; by < count; by++)
            if (str_equal(certs[by].subject, certs[i].issuer))
                out[(*n)++] = (struct listed){.issuer = c->issuers[by], .serial = certs[i].serial};
    return true;
}

/* A CA certificate by its serial: the inventory says so, or it is a configured issuer. Taken only under a
 * clause of BR 4.9.1.2. */
static bool refuse_cas(const struct conduct *c, struct intake_list *list, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct listed *known, *cas;
    size_t n, refusals = 0;
    if (list->take_ca || list->accepted == 0)
        return true;
    if (!store_inventory_cas(c->store, &a, &known, &n, f))
        return false;
    cas = arena_array(&a, n + c->issuer_count * c->issuer_count, sizeof *cas);
    memcpy(cas, known, n * sizeof *cas);
    if (!add_issuers(c, cas, &n, &a, f))
        return false;
    qsort(cas, n, sizeof *cas, listed_compare);
    bool *refused = arena_array(&a, list->accepted, sizeof *refused);
    for (size_t i = 0; i < list->accepted; i++) {
        struct listed key = {.issuer = c->issuers[list->keys[i].issuer], .serial = list->keys[i].serial};
        refused[i] = n > 0 && bsearch(&key, cas, n, sizeof *cas, listed_compare) != NULL;
        refusals += refused[i];
    }
    if (refusals > 0)
        intake_list_refuse(list, refused, INTAKE_CA_REFUSED);
    return true;
}

/* What was issued after the fix may be what the affected ones were replaced with: nobody lists that by
 * accident. */
static bool refuse_replacements(const struct conduct *c, struct intake_list *list, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct utc fixed;
    size_t n = 0;
    char time[UTC_TEXT];
    if (!store_anchor(c->store, c->campaign.id, 0, ANCHOR_FIXED, &fixed, f))
        return false;
    if (!utc_is_set(fixed) || list->accepted == 0)
        return true;
    bool *refused = arena_array(&a, list->accepted, sizeof *refused);
    const struct listed *rows = listed_of(c, list, &a);
    if (!store_issued_after(c->store, rows, list->accepted, fixed, refused, &n, f) ||
        (n > 0 && !spare_known(c, rows, list->accepted, refused, &n, f)))
        return false;
    if (n > 0)
        intake_list_refuse(
            list, refused,
            arena_format(list->arena,
                         "issued after the fix at %s: it may be a replacement; list it by SHA-256 "
                         "to add it",
                         utc_format(fixed, time)));
    return true;
}

/* The learned rows that are precertificates, or those that are not. */
static bool learn_kind(const struct conduct *c, const struct intake_list *list, bool precertificates,
                       struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct inventory_row *rows = arena_array(&a, list->learned_count, sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < list->learned_count; i++) {
        if (list->learned[i].has_precert_sha256 != precertificates)
            continue;
        rows[n] = list->learned[i];
        rows[n].issuer = c->issuers[rows[n].issuer];
        n++;
    }
    return n == 0 || store_inventory_learn(c->store, &act, rows, n, f);
}

/* Certificates given as such tell the inventory what it lacks. A precertificate and its certificate are one
 * row with two hashes: one after the other. */
static bool learn(const struct conduct *c, const struct intake_list *list, struct fault *f)
{
    return learn_kind(c, list, false, f) && learn_kind(c, list, true, f);
}

/* The population of a list under a rule. */
static struct population population_of(const struct conduct *c, const struct conduct_list *list,
                                       const struct rule *rule, struct arena *a)
{
    const struct intake_list *in = list->list;
    struct utc received = utc_is_set(list->received) ? list->received : c->campaign.received;
    return (struct population){
        .rule = rule->id,
        .source = list->source,
        .heuristic = list->heuristic == NULL ? "" : list->heuristic,
        .expand_keys = rule->expand_by_key && list->no_expand == NULL,
        .decision = list->no_expand == NULL ? "" : list->no_expand,
        .reason = (int)rule->reason,
        .received = received,
        .deadline = utc_add(received, rule->deadline),
        .should_by = rule->should.s > 0 ? utc_add(received, rule->should) : UTC_NONE,
        .sha256 = list->sha256,
        .lines = (int64_t)intake_list_in(in),
        .accepted = (int64_t)in->accepted,
        .duplicate = (int64_t)in->duplicate,
        .rejected = (int64_t)in->rejects.count,
        .takes = list->rule != NULL || utc_is_set(list->received),
        .rows = listed_of(c, in, a),
        .count = in->accepted,
    };
}

bool conduct_import(const struct conduct *c, const struct conduct_list *list, struct population_result *out,
                    struct fault *f)
{
    AUTO_ARENA a = {0};
    struct rule rule;
    const struct short_lived *shorts;
    size_t short_count;
    struct act act = conduct_act(c);
    *out = (struct population_result){0};
    if (!rules_find(c->settings->plans_dir, list->rule == NULL ? c->campaign.rule : list->rule, &a, &rule,
                    f) ||
        !rules_short_lived_rows(c->settings->plans_dir, &a, &shorts, &short_count, f))
        return false;
    if (list->no_expand != NULL && !rule.expand_by_key) {
        fault_set(f, FAULT_USAGE, "%s takes no further certificates along by their key", rule.id);
        return fault_hint(f, "leave out --no-expand");
    }
    if (!refuse_cas(c, list->list, f) || !refuse_replacements(c, list->list, f))
        return false;
    if (list->list->accepted == 0)
        return true;
    struct population p = population_of(c, list, &rule, &a);
    return learn(c, list->list, f) && store_population_add(c->store, &act, &p, shorts, short_count, out, f);
}

bool conduct_reconcile(const struct conduct *c, const struct intake_list *list, size_t most, struct arena *a,
                       struct population_difference *out, struct fault *f)
{
    return store_reconcile(c->store, c->campaign.id, listed_of(c, list, a), list->accepted, most, a, out, f);
}

bool conduct_inventory(const struct conduct *c, struct inventory_row *rows, size_t n, struct fault *f)
{
    struct act act = conduct_act(c);
    for (size_t i = 0; i < n; i++)
        rows[i].issuer = c->issuers[rows[i].issuer];
    return store_inventory_put(c->store, &act, rows, n, f);
}

bool conduct_contacts(const struct conduct *c, const struct contact *rows, size_t n, struct fault *f)
{
    struct act act = conduct_act(c);
    return store_contacts_put(c->store, &act, rows, n, f);
}
