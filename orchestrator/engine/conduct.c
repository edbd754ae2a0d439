/* Opening, lists, planning: what prepares a campaign. */
#include "massrevoke/conduct.h"
#include "conduct_parts.h"
#include "massrevoke/cert.h"
#include "massrevoke/planner.h"

bool conduct_issuers(struct store *s, const struct settings *settings, struct arena *a, int **out, size_t *n,
                     struct fault *f)
{
    *n = 0;
    for (size_t ca = 0; ca < settings->ca_count; ca++)
        *n += settings->cas[ca].issuer_count;
    *out = arena_array(a, *n, sizeof **out);
    size_t at = 0;
    for (size_t ca = 0; ca < settings->ca_count; ca++)
        for (size_t i = 0; i < settings->cas[ca].issuer_count; i++, at++) {
            const struct settings_issuer *issuer = &settings->cas[ca].issuers[i];
            struct cert cert;
            if (!cert_load(issuer->certificate_file, a, &cert, f) ||
                !store_issuer(s, cert.sha256, cert.subject_text, issuer->crl, &(*out)[at], f))
                return false;
        }
    return true;
}

static struct act act_of(const struct conduct *c)
{
    return (struct act){c->campaign.id, c->now, c->who};
}

bool conduct_open(const struct conduct *c, const struct conduct_opening *o, int *id, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct rule rule;
    struct profile profile;
    char time[UTC_TEXT];
    if (!rules_find(c->settings->plans_dir, o->rule, &a, &rule, f))
        return false;
    const char *name = o->profile != NULL ? o->profile : profile_default(&rule);
    if (!profile_read(c->settings->plans_dir, name, &a, &profile, f))
        return false;
    if (o->received.s > c->now.s)
        return fault_set(f, FAULT_REFUSED, "received %s lies in the future", utc_format(o->received, time));
    if (o->name[0] == '\0' || strlen(o->name) > 64 ||
        strspn(o->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            strlen(o->name))
        return fault_set(f, FAULT_USAGE, "campaign name '%.80s': use 1 to 64 letters, digits, '.', '_', '-'",
                         o->name);
    struct campaign campaign = {.name = o->name,
                                .mode = o->mode,
                                .rule = rule.id,
                                .profile = name,
                                .received = o->received,
                                .bug = o->bug};
    struct act act = act_of(c);
    return store_campaign_open(c->store, &act, &campaign, "open", id, f);
}

/* Context for the dated short-lived rule. */
struct short_context {
    const struct short_lived *rows;
    size_t count;
};

static bool is_short(void *context, struct utc not_before, struct utc not_after)
{
    const struct short_context *c = context;
    return rules_is_short_lived(c->rows, c->count, not_before, not_after);
}

static bool exclude_short_lived(const struct conduct *c, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct short_context context = {0};
    return rules_short_lived_rows(c->settings->plans_dir, &a, &context.rows, &context.count, f) &&
           store_exclude_short_lived(c->store, c->campaign.id, is_short, &context, f);
}

bool conduct_import(const struct conduct *c, const struct conduct_list *list, int *cohort, int64_t *added,
                    struct fault *f)
{
    AUTO_ARENA a = {0};
    struct rule rule;
    const struct intake_list *in = list->list;
    if (!rules_find(c->settings->plans_dir, list->rule == NULL ? c->campaign.rule : list->rule, &a, &rule, f))
        return false;
    struct utc received = utc_is_set(list->received) ? list->received : c->campaign.received;
    struct population p = {
        .rule = rule.id,
        .source = list->source,
        .reason = (int)rule.reason,
        .received = received,
        .deadline = utc_add(received, rule.deadline),
        .should_by = rule.should.s > 0 ? utc_add(received, rule.should) : UTC_NONE,
        .sha256 = list->sha256,
        .lines = (int64_t)intake_list_in(in),
        .accepted = (int64_t)in->accepted,
        .duplicate = (int64_t)in->duplicate,
        .rejected = (int64_t)in->rejects.count,
        .count = in->accepted,
    };
    struct listed *rows = arena_array(&a, in->accepted, sizeof *rows);
    for (size_t i = 0; i < in->accepted; i++)
        rows[i] = (struct listed){.issuer = c->issuers[in->keys[i].issuer],
                                  .serial = in->keys[i].serial,
                                  .line = in->places[i].line};
    p.rows = rows;
    struct act act = act_of(c);
    return store_population_add(c->store, &act, &p, cohort, added, f) && exclude_short_lived(c, f);
}

bool conduct_inventory(const struct conduct *c, struct inventory_row *rows, size_t n, struct fault *f)
{
    struct act act = act_of(c);
    for (size_t i = 0; i < n; i++)
        rows[i].issuer = c->issuers[rows[i].issuer];
    return store_inventory_put(c->store, &act, rows, n, f) && exclude_short_lived(c, f);
}

bool conduct_contacts(const struct conduct *c, const struct contact *rows, size_t n, struct fault *f)
{
    struct act act = act_of(c);
    return store_contacts_put(c->store, &act, rows, n, f);
}

/* Started, and no approver has withdrawn since: everything else waits for an approval. */
static bool goes(const struct cohort *cohort)
{
    return utc_is_set(cohort->started_at) && !utc_is_set(cohort->voided_at);
}

bool conduct_cohort(const struct conduct *c, int wanted, bool started, struct arena *a, struct cohort *out,
                    struct fault *f)
{
    struct cohort *cohorts;
    size_t n, waiting = 0, running = 0;
    const struct cohort *only = NULL, *runner = NULL;
    if (!store_cohorts(c->store, c->campaign.id, a, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool is_started = goes(&cohorts[i]);
        waiting += !is_started;
        running += is_started;
        if (cohorts[i].cohort == wanted || (wanted == 0 && !is_started))
            only = &cohorts[i];
        if (is_started)
            runner = &cohorts[i];
    }
    if (wanted == 0 && waiting == 0 && running == 1 && started)
        only = runner;
    if (wanted == 0 && waiting > 1) {
        fault_set(f, FAULT_CONFLICT, "%zu cohorts wait", waiting);
        return fault_hint(f, "name one with --cohort N (1 to %zu)", n);
    }
    if (only == NULL && wanted != 0)
        return fault_set(f, FAULT_FAILED, "there is no cohort %d", wanted);
    if (only == NULL && n == 0) {
        fault_set(f, FAULT_FAILED, "no certificate has been imported");
        return fault_hint(f, "massrevoke import FILE");
    }
    if (only == NULL)
        return fault_set(f, FAULT_CONFLICT, "no cohort waits: all %zu have started", n);
    *out = *only;
    return true;
}

/* CA index of each issuer index of the material. */
static bool assign_cas(const struct conduct *c, struct plan_material *m, struct fault *f)
{
    for (size_t k = 0; k < m->issuer_count; k++) {
        size_t first = 0, found = c->issuer_count;
        for (size_t i = 0; i < c->issuer_count; i++)
            if (c->issuers[i] == m->issuers[k])
                found = i;
        if (found == c->issuer_count)
            return fault_set(f, FAULT_CONFIG, "an issuer of this cohort is not configured any more");
        uint16_t ca = 0;
        for (size_t i = 0; i < c->settings->ca_count; i++) {
            if (found >= first && found < first + c->settings->cas[i].issuer_count)
                ca = (uint16_t)i;
            first += c->settings->cas[i].issuer_count;
        }
        for (size_t i = 0; i < m->certificate_count; i++)
            if (m->certificates[i].issuer == k)
                m->certificates[i].ca = ca;
    }
    return true;
}

static bool build(const struct conduct *c, const struct cohort *cohort, struct plan_material *m,
                  struct utc at, struct arena *a, struct conduct_plan *out, struct fault *f)
{
    struct rule rule;
    struct profile profile;
    if (!rules_find(c->settings->plans_dir, cohort->rule, a, &rule, f) ||
        !profile_read(c->settings->plans_dir, c->campaign.profile, a, &profile, f) || !assign_cas(c, m, f))
        return false;
    struct rate *rates = arena_array(a, c->settings->ca_count, sizeof *rates);
    for (size_t i = 0; i < c->settings->ca_count; i++)
        rates[i] = c->measured == NULL ? c->settings->cas[i].rate
                                       : rate_slower(c->settings->cas[i].rate, c->measured[i]);
    if (utc_is_set(cohort->started_at) && !m->canary_open)
        profile.canary = 0; /* a replan: the canary has spoken, or its chunk is still claimed */
    out->input = (struct plan_input){
        .certificates = m->certificates,
        .certificate_count = m->certificate_count,
        .subscribers = m->subscribers,
        .subscriber_count = m->subscriber_count,
        .ca_rates = rates,
        .ca_count = c->settings->ca_count,
        .received = cohort->received,
        .deadline = utc_sub(cohort->deadline, cohort->received),
        .should =
            utc_is_set(cohort->should_by) ? utc_sub(cohort->should_by, cohort->received) : (struct span){0},
        .now = at,
        .profile = profile,
        .rule_digest = rule.digest,
    };
    out->cohort = cohort->cohort;
    return planner_build(&out->input, a, &out->value, f);
}

static bool write_request(const struct conduct *c, const struct cohort *cohort, const char *what,
                          const char *kind, int plan, int hold, struct digest plan_digest,
                          struct utc first_hour, struct arena *a, int *request, struct fault *f)
{
    struct approval_subject subject = {
        .mode = c->campaign.mode,
        .campaign = c->campaign.name,
        .store_id = store_id(c->store),
        .what = what,
        .reason = cohort->reason,
        .plan = plan_digest,
        .first_hour = first_hour,
        .requested = c->now,
        .expires = utc_add(c->now, c->settings->approval_expiry),
    };
    const char **requesters;
    if (!store_scope_digest(c->store, c->campaign.id, cohort->cohort, &subject.scope, f) ||
        !store_scope_issuers(c->store, c->campaign.id, cohort->cohort, a, &subject.issuers,
                             &subject.certificates, f) ||
        !store_inventory_count(c->store, &subject.base, f) ||
        !store_requesters(c->store, c->campaign.id, cohort->cohort, a, &requesters, f))
        return false;
    size_t n = 0;
    bool self = false;
    for (; requesters[n] != NULL; n++)
        self = self || strcmp(requesters[n], c->who) == 0;
    const char **all = arena_array(a, n + 2, sizeof *all);
    memcpy(all, requesters, n * sizeof *all);
    if (!self)
        all[n] = c->who;
    subject.requesters = all;
    struct request r = {.what = kind,
                        .cohort = cohort->cohort,
                        .plan = plan,
                        .hold = hold,
                        .expires_at = subject.expires,
                        .text = approval_compose(a, &subject)};
    struct act act = act_of(c);
    return store_request_add(c->store, &act, &r, all, request, f);
}

bool conduct_request_for_hold(const struct conduct *c, const struct cohort *cohort, const char *what,
                              const char *kind, int hold, struct arena *a, int *request, struct fault *f)
{
    return write_request(c, cohort, what, kind, 0, hold, digest_of(what, strlen(what)), c->now, a, request,
                         f);
}

bool conduct_plan(const struct conduct *c, int wanted, struct utc at, bool dry_run, struct arena *a,
                  struct conduct_plan *out, struct fault *f)
{
    struct cohort cohort;
    struct act act = act_of(c);
    int64_t numbered;
    *out = (struct conduct_plan){0};
    if (!conduct_cohort(c, wanted, true, a, &cohort, f))
        return false;
    bool started = utc_is_set(cohort.started_at);
    for (int attempt = 0;; attempt++) {
        struct plan_material m;
        *f = (struct fault){0};
        if (!dry_run && !started && !store_plan_number(c->store, &act, cohort.cohort, &numbered, f))
            return false;
        if (!store_plan_material(c->store, c->campaign.id, cohort.cohort, dry_run && !started, a, &m, f))
            return false;
        if (m.certificate_count == 0)
            return fault_set(f, FAULT_CONFLICT, "cohort %d has no certificate that could be planned",
                             cohort.cohort);
        if (!build(c, &cohort, &m, at, a, out, f))
            return false;
        if (dry_run)
            return true;
        AUTO_JSON *summary = planner_json(&out->value);
        if (store_plan_deal(c->store, &act, cohort.cohort, &m, &out->value, summary, &out->plan, f))
            break;
        if (f->kind != FAULT_CONFLICT || attempt == 5)
            return false;
    }
    if (goes(&cohort))
        return true;
    const char *what = arena_format(a, "plan %d of cohort %d", out->plan, cohort.cohort);
    struct utc first = out->value.slot_count > 0 ? out->value.slots[0].start : UTC_NONE;
    return write_request(c, &cohort, what, "plan", out->plan, 0, out->value.digest, first, a, &out->request,
                         f);
}
