/* Planning: what the store has, made into a plan, written, and put up for approval. */
#include "conduct_parts.h"
#include "massrevoke/planner.h"
#include "massrevoke/store_plan.h"

#define PLAN_AGAIN 5 /* times more, when the set changed while it was planned */

/* CA index of each issuer index of the material. */
static bool assign_cas(const struct conduct *c, struct plan_material *m, struct arena *a, struct fault *f)
{
    uint16_t *cas = arena_array(a, m->issuer_count, sizeof *cas);
    for (size_t k = 0; k < m->issuer_count; k++) {
        size_t first = 0, found = c->issuer_count;
        cas[k] = 0;
        for (size_t i = 0; i < c->issuer_count; i++)
            if (c->issuers[i] == m->issuers[k])
                found = i;
        if (found == c->issuer_count)
            return fault_set(f, FAULT_CONFIG, "an issuer of this cohort is not configured any more");
        for (size_t i = 0; i < c->settings->ca_count; i++) {
            if (found >= first && found < first + c->settings->cas[i].issuer_count)
                cas[k] = (uint16_t)i;
            first += c->settings->cas[i].issuer_count;
        }
    }
    for (size_t i = 0; i < m->certificate_count; i++)
        m->certificates[i].ca = cas[m->certificates[i].issuer];
    return true;
}

bool conduct_profile(const struct conduct *c, const struct rule *rule, struct arena *a, struct profile *out,
                     struct fault *f)
{
    struct rule first;
    const char *name = c->campaign.profile;
    if (!rules_find(c->settings->plans_dir, c->campaign.first_rule, a, &first, f))
        return false;
    if (strcmp(name, profile_default(&first)) == 0)
        name = profile_default(rule);
    return profile_read(c->settings->plans_dir, name, a, out, f);
}

static bool build(const struct conduct *c, const struct cohort *cohort, struct plan_material *m,
                  struct utc at, struct arena *a, struct conduct_plan *out, struct fault *f)
{
    struct rule rule;
    struct profile profile;
    if (!rules_find(c->settings->plans_dir, cohort->rule, a, &rule, f) ||
        !conduct_profile(c, &rule, a, &profile, f) || !assign_cas(c, m, a, f))
        return false;
    struct rate *rates = arena_array(a, c->settings->ca_count, sizeof *rates);
    const char **names = arena_array(a, c->settings->ca_count, sizeof *names);
    for (size_t i = 0; i < c->settings->ca_count; i++) {
        rates[i] = c->measured == NULL ? c->settings->cas[i].rate
                                       : rate_slower(c->settings->cas[i].rate, c->measured[i]);
        names[i] = c->settings->cas[i].name;
    }
    if (utc_is_set(cohort->started_at) && !m->canary_open)
        profile.canary = 0; /* a replan: the canary has spoken, or its chunk is still claimed */
    out->input = (struct plan_input){
        .certificates = m->certificates,
        .certificate_count = m->certificate_count,
        .subscribers = m->subscribers,
        .subscriber_count = m->subscriber_count,
        .shards = m->shards,
        .shard_count = m->shard_count,
        .ca_rates = rates,
        .ca_names = names,
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
    struct act act = conduct_act(c);
    return store_request_add(c->store, &act, &r, all, request, f);
}

bool conduct_request_for_hold(const struct conduct *c, const struct cohort *cohort, const char *what,
                              const char *kind, int hold, struct arena *a, int *request, struct fault *f)
{
    return write_request(c, cohort, what, kind, 0, hold, digest_of(what, strlen(what)), c->now, a, request,
                         f);
}

/* One attempt; *changed tells whether it failed because something came between. */
static bool plan_once(const struct conduct *c, const struct cohort *cohort, struct utc at, bool dry_run,
                      struct arena *a, struct conduct_plan *out, bool *changed, struct fault *f)
{
    struct plan_material m;
    struct act act = conduct_act(c);
    *changed = false;
    if ((!dry_run && !utc_is_set(cohort->started_at) && !store_plan_renew(c->store, &act, f)) ||
        !store_plan_read(c->store, c->campaign.id, cohort->cohort, a, &m, f))
        return false;
    if (m.certificate_count == 0)
        return fault_set(f, FAULT_CONFLICT, "cohort %d has no certificate that could be planned",
                         cohort->cohort);
    if (!build(c, cohort, &m, at, a, out, f))
        return false;
    if (dry_run)
        return true;
    AUTO_JSON *summary = planner_json(&out->value);
    bool ok = store_plan_write(c->store, &act, cohort->cohort, &m, &out->value, summary, &out->plan, f);
    *changed = !ok && f->kind == FAULT_CONFLICT;
    return ok;
}

bool conduct_plan(const struct conduct *c, int wanted, struct utc at, bool dry_run, struct arena *a,
                  struct conduct_plan *out, struct fault *f)
{
    struct cohort cohort;
    bool changed = true;
    *out = (struct conduct_plan){0};
    if (!conduct_cohort(c, wanted, true, a, &cohort, f))
        return false;
    for (int attempt = 0; attempt <= PLAN_AGAIN && changed; attempt++) {
        *f = (struct fault){0};
        if (!plan_once(c, &cohort, at, dry_run, a, out, &changed, f) && !changed)
            return false;
    }
    if (changed)
        return false;
    if (dry_run || conduct_goes(&cohort))
        return true;
    const char *what = arena_format(a, "plan %d of cohort %d", out->plan, cohort.cohort);
    struct utc first = out->value.slot_count > 0 ? out->value.slots[0].start : UTC_NONE;
    return write_request(c, &cohort, what, "plan", out->plan, 0, out->value.digest, first, a, &out->request,
                         f);
}
