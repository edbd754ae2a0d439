/* Campaigns, cohorts, lists, inventory, contacts. */
#include "copy.h"
#include "internal.h"
#include "massrevoke/store_campaign.h"

#include <stdio.h>

static void read_campaign(const PGresult *r, int row, struct arena *a, struct campaign *c)
{
    *c = (struct campaign){
        .id = (int)get_int(r, row, 0),
        .name = arena_text(a, get_text(r, row, 1)),
        .mode = arena_text(a, get_text(r, row, 2)),
        .opened_at = get_utc(r, row, 3),
        .opened_by = arena_text(a, get_text(r, row, 4)),
        .bug = get_int(r, row, 5),
        .rule = arena_text(a, get_text(r, row, 6)),
        .received = get_utc(r, row, 7),
        .profile = arena_text(a, get_text(r, row, 8)),
        .generation = get_int(r, row, 9),
        .paused_revoke = get_bool(r, row, 10),
        .paused_notify = get_bool(r, row, 11),
        .pause_reason = arena_text(a, get_text(r, row, 12)),
        .closed_at = get_utc(r, row, 13),
        .first_rule = arena_text(a, get_text(r, row, 14)),
        .ids = get_int(r, row, 15),
    };
}

bool store_campaign_open(struct store *s, const struct act *act, const struct campaign *c, const char *source,
                         int *id, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_set_text(data, "campaign", c->name);
    json_set_text(data, "mode", c->mode);
    json_set_text(data, "rule", c->rule);
    json_set_utc(data, "received", c->received);
    put_text(&p, c->name);
    put_text(&p, c->mode);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_int(&p, c->bug);
    put_text(&p, c->rule);
    put_utc(&p, c->received);
    put_text(&p, c->profile);
    put_text(&p, source);
    put_json(&p, data);
    if (!store_query(s, "campaign_open", &p, &r, f)) {
        if (strstr(f->text, "23505") == NULL)
            return false;
        return fault_set(f, FAULT_CONFLICT, "a campaign named %s exists already", c->name);
    }
    *id = (int)get_int(r, 0, 0);
    return true;
}

static bool several(const PGresult *r, struct fault *f)
{
    AUTO_BUF names = {0};
    for (int i = 0; i < PQntuples(r); i++)
        buf_format(&names, "%s%s", i == 0 ? "" : ", ", get_text(r, i, 1));
    fault_set(f, FAULT_CONFLICT, "%d campaigns are open: %.800s", PQntuples(r), names.p);
    return fault_hint(f, "name one with -c NAME");
}

bool store_campaign_find(struct store *s, const char *name, struct arena *a, struct campaign *out,
                         struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_text(&p, name);
    if (!store_query(s, "campaign_find", &p, &r, f))
        return false;
    if (PQntuples(r) > 1)
        return several(r, f);
    if (PQntuples(r) == 0 && name != NULL)
        return fault_set(f, FAULT_FAILED, "there is no campaign named %s", name);
    if (PQntuples(r) == 0) {
        fault_set(f, FAULT_FAILED, "no campaign is open");
        return fault_hint(f, "massrevoke open NAME --rule 4.9.1.1-12 --received TIME");
    }
    read_campaign(r, 0, a, out);
    return true;
}

bool store_issuer(struct store *s, struct digest sha256, const char *subject, const char *crl, int *issuer,
                  struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_digest(&p, sha256);
    put_text(&p, subject);
    put_text(&p, crl == NULL ? "" : crl);
    if (!store_query(s, "issuer_register", &p, &r, f))
        return false;
    *issuer = (int)get_int(r, 0, 0);
    return true;
}

bool store_cohorts(struct store *s, int campaign, struct arena *a, struct cohort **out, size_t *n,
                   struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "cohort_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct cohort){
            .cohort = (int)get_int(r, i, 0),
            .rule = arena_text(a, get_text(r, i, 1)),
            .reason = (int)get_int(r, i, 2),
            .received = get_utc(r, i, 3),
            .deadline = get_utc(r, i, 4),
            .should_by = get_utc(r, i, 5),
            .plan = (int)get_int(r, i, 6),
            .started_at = get_utc(r, i, 7),
            .voided_at = get_utc(r, i, 8),
            .missed = get_bool(r, i, 9),
            .request = (int)get_int(r, i, 10),
            .approvals = (int)get_int(r, i, 11),
            .expires_at = get_utc(r, i, 12),
            .compromised_at = get_utc(r, i, 13),
        };
    return true;
}

bool store_cohort_count(struct store *s, int campaign, int cohort, int64_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "cohort_count", &p, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    return true;
}

bool store_compromised(struct store *s, const struct act *act, int cohort, struct utc at, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_int(data, "cohort", cohort);
    json_set_utc(data, "compromised_at", at);
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_utc(&p, at);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "cohort_compromised", &p, f);
}

bool cohort_is_approved(const struct cohort *c, int quorum, struct utc now)
{
    return c->request != 0 && c->approvals >= quorum && c->expires_at.s > now.s;
}

void store_analyze(struct store *s, const char *tables)
{
    AUTO_ARENA a = {0};
    struct fault ignored = {0};
    (void)!store_run(s, "statistics", arena_format(&a, "ANALYZE %s", tables), &ignored);
}

bool store_contacts_put(struct store *s, const struct act *act, const struct contact *rows, size_t n,
                        struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct copy copy;
    if (!copy_begin(
            s, &copy, "staging_contact",
            "subscriber text, role text, tier integer, name text, email text, language text, timezone text, "
            "phone text, class text, address_bad boolean, line bigint",
            f))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct contact *row = &rows[i];
        copy_text(&copy, row->subscriber);
        copy_text(&copy, contact_role_name(row->role));
        copy_int(&copy, row->tier);
        copy_text(&copy, row->name);
        copy_text(&copy, row->email);
        copy_text(&copy, row->language);
        copy_text(&copy, row->timezone);
        copy_text(&copy, row->phone);
        copy_text(&copy, row->class);
        copy_bool(&copy, row->address_bad);
        copy_big(&copy, (int64_t)row->line);
        copy_row(&copy);
    }
    if (!copy_end(&copy, f))
        return false;
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_do(s, "contact_merge", &p, f))
        return false;
    store_analyze(s, "contact");
    return true;
}

bool store_note(struct store *s, const struct act *act, const char *type, json_t *data, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, type);
    put_json(&p, data);
    return store_do(s, "log_note", &p, f);
}

bool store_serial_issuers(struct store *s, int campaign, const struct serial *serial, struct arena *a,
                          int **issuers, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_bytes(&p, serial->bytes, serial->n);
    if (!store_query(s, "serial_issuers", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *issuers = arena_array(a, *n, sizeof **issuers);
    for (int i = 0; i < PQntuples(r); i++)
        (*issuers)[i] = (int)get_int(r, i, 0);
    return true;
}
