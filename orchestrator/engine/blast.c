/* How much a plan would take out: CA certificates only by name and under their own clause, and no larger part
 * of the base than the profile allows (BR 4.9.1.2; a revoked parent takes everything below it along). */
#include "conduct_parts.h"
#include "massrevoke/cert.h"
#include "massrevoke/store_safety.h"

#include <inttypes.h>

#define SMALL_BASE 1000 /* a part of so few certificates says nothing */
#define CAS_MOST 1000   /* CA certificates that one approval names */
#define CAS_TOLD 5      /* and that one hint does */

/* The store's number of the configured issuer with that name; -1: none. */
static int issuer_named(const struct conduct *c, const struct cert *certs, struct str name)
{
    for (size_t i = 0; i < c->issuer_count; i++)
        if (str_equal(certs[i].subject, name))
            return c->issuers[i];
    return -1;
}

/* A configured issuer's own certificate among the subscribers'. */
static bool check_issuers(const struct conduct *c, const struct cohort *cohort, struct arena *a,
                          struct fault *f)
{
    struct cert *certs = arena_array(a, c->issuer_count, sizeof *certs);
    size_t n = 0;
    for (size_t ca = 0; ca < c->settings->ca_count; ca++)
        for (size_t i = 0; i < c->settings->cas[ca].issuer_count; i++)
            if (!cert_load(c->settings->cas[ca].issuers[i].certificate_file, a, &certs[n++], f))
                return false;
    for (size_t i = 0; i < n; i++) {
        struct listed item = {.issuer = issuer_named(c, certs, certs[i].issuer), .serial = certs[i].serial};
        bool listed;
        if (item.issuer < 0)
            continue;
        if (!store_cohort_has(c->store, c->campaign.id, cohort->cohort, &item, &listed, f))
            return false;
        if (!listed)
            continue;
        fault_set(f, FAULT_REFUSED, "cohort %d holds the certificate of a CA: %s", cohort->cohort,
                  certs[i].subject_text);
        return fault_hint(
            f, "massrevoke drop it; CA certificates belong to a campaign under a clause of 4.9.1.2");
    }
    return true;
}

/* What the inventory calls the certificate of a CA: import turns it away only when the inventory came first.
 */
static bool check_inventory(const struct conduct *c, const struct cohort *cohort, struct arena *a,
                            struct fault *f)
{
    struct cohort_certificate *rows;
    size_t n;
    char hex[SERIAL_HEX_TEXT];
    AUTO_BUF serials = {0};
    if (!store_cohort_cas(c->store, c->campaign.id, cohort->cohort, a, &rows, &n, f))
        return false;
    if (n == 0)
        return true;
    for (size_t i = 0; i < n && i < CAS_TOLD; i++)
        buf_format(&serials, "%s ", serial_hex(&rows[i].serial, hex));
    fault_set(f, FAULT_REFUSED, "cohort %d holds the certificate of a CA, by the inventory: %s %s%s",
              cohort->cohort, serial_hex(&rows[0].serial, hex), rows[0].subject,
              n > 1 ? arena_format(a, ", and %zu more", n - 1) : "");
    return fault_hint(f,
                      "massrevoke drop %s--reason TEXT; CA certificates belong to a campaign under a clause "
                      "of 4.9.1.2",
                      buf_str(&serials).p);
}

bool conduct_check_cas(const struct conduct *c, const struct cohort *cohort, struct arena *a, bool *named,
                       struct fault *f)
{
    struct rule rule;
    if (!rules_find(c->settings->plans_dir, cohort->rule, a, &rule, f))
        return false;
    *named = strcmp(rule.section, "4.9.1.2") == 0;
    return *named || (check_issuers(c, cohort, a, f) && check_inventory(c, cohort, a, f));
}

/* Under 4.9.1.2 each one stands in the text that is signed. */
static bool name_cas(const struct conduct *c, const struct cohort *cohort, struct arena *a, struct buf *lines,
                     struct fault *f)
{
    struct cohort_certificate *rows;
    size_t n;
    if (!store_cohort_certificates(c->store, c->campaign.id, cohort->cohort, CAS_MOST + 1, a, &rows, &n, f))
        return false;
    if (n > CAS_MOST)
        return fault_set(f, FAULT_REFUSED,
                         "cohort %d has more than %d CA certificates: an approval must name each",
                         cohort->cohort, CAS_MOST);
    for (size_t i = 0; i < n; i++) {
        char hex[SERIAL_HEX_TEXT];
        buf_format(lines, "ca-certificate: %s %s (issued by %s)\n", serial_hex(&rows[i].serial, hex),
                   rows[i].subject[0] == '\0' ? "-" : rows[i].subject, rows[i].issuer);
    }
    return true;
}

/* More than the profile allows. A small inventory says nothing, but a large list that is none of it does. */
static bool is_too_much(const struct profile *p, int64_t affected, int64_t base)
{
    if (p->share_most == 0)
        return false;
    return base < SMALL_BASE ? affected >= SMALL_BASE : affected > base / 100 * p->share_most;
}

static bool refuse_share(const struct profile *p, int64_t affected, int64_t base, struct fault *f)
{
    if (base < SMALL_BASE) {
        fault_set(f, FAULT_REFUSED,
                  "%" PRId64 " certificates would be revoked, more than the %" PRId64
                  " in the inventory: nothing tells what part of the base that is",
                  affected, base);
        return fault_hint(f, "massrevoke inventory FILE; if there is none and the list is right: "
                             "massrevoke plan --override REASON");
    }
    fault_set(f, FAULT_REFUSED,
              "%" PRId64 " of %" PRId64
              " certificates in the inventory would be revoked, more than the %d %% that profile %s allows",
              affected, base, p->share_most, p->name);
    return fault_hint(f, "is it the right list? if so: massrevoke plan --override REASON");
}

static bool check_share(const struct conduct *c, const struct profile *p, struct buf *lines, struct fault *f)
{
    AUTO_ARENA a = {0};
    const char *ignored;
    int64_t affected, base;
    if (!store_scope_issuers(c->store, c->campaign.id, 0, &a, &ignored, &affected, f) ||
        !store_inventory_count(c->store, &base, f))
        return false;
    if (c->settings->demo || !is_too_much(p, affected, base))
        return true;
    if (c->override == NULL)
        return refuse_share(p, affected, base, f);
    struct act act = conduct_act(c);
    AUTO_JSON *data = json_object();
    json_set_int(data, "affected", affected);
    json_set_int(data, "base", base);
    json_set_int(data, "percent", p->share_most);
    json_set_text(data, "reason", c->override);
    buf_format(lines, "override: more than %d %% of the base: %s\n", p->share_most, c->override);
    return store_note(c->store, &act, "blast_radius", data, f);
}

bool conduct_blast(const struct conduct *c, const struct cohort *cohort, struct arena *a, const char **lines,
                   struct fault *f)
{
    AUTO_BUF text = {0};
    struct profile profile;
    bool cas;
    if (c->override != NULL && strpbrk(c->override, "\r\n") != NULL)
        return fault_set(f, FAULT_USAGE, "--override: the reason is one line");
    if (!conduct_check_cas(c, cohort, a, &cas, f) ||
        !profile_read(c->settings->plans_dir, c->campaign.profile, a, &profile, f) ||
        (cas && !name_cas(c, cohort, a, &text, f)) || !check_share(c, &profile, &text, f))
        return false;
    *lines = arena_copy(a, buf_str(&text).p, text.n);
    return true;
}
