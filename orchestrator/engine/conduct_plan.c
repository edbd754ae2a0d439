/* Planning: what the store has, made into a plan, written, and put up for approval. */
#include "conduct_parts.h"
#include "massrevoke/ca_doors.h"
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

/* Can the CA revoke for this reason at all? Asked of every backend alike, before anything is planned. */
static bool check_reason(const struct settings_ca *ca, const struct ca_facts *facts, int reason,
                         struct fault *f)
{
    if ((facts->reasons >> reason & 1) != 0)
        return true;
    AUTO_BUF can = {0};
    for (int code = 0; code <= REASON_AA_COMPROMISE; code++)
        if ((facts->reasons >> code & 1) != 0 && reason_is_permitted(code))
            buf_format(&can, "%s%s", can.n == 0 ? "" : ", ", reason_name(code));
    fault_set(f, FAULT_REFUSED, "CA %s: backend %s can't express the reason %s: nothing was planned",
              ca->name, facts->name, reason_name(reason));
    return fault_hint(f, "it can say %s; configure another backend for this CA",
                      can.p == NULL ? "none" : can.p);
}

/* What each CA that has a part in it is like. */
static bool describe_cas(const struct conduct *c, const struct plan_material *m, int reason, struct arena *a,
                         struct ca_facts *facts, struct fault *f)
{
    bool *used = arena_array(a, c->settings->ca_count, sizeof *used);
    for (size_t i = 0; i < m->certificate_count; i++)
        used[m->certificates[i].ca] = true;
    for (size_t i = 0; i < c->settings->ca_count; i++) {
        const struct settings_ca *ca = &c->settings->cas[i];
        facts[i] = (struct ca_facts){.rate = ca->rate};
        if (used[i] && (!ca_doors_describe(ca, a, &facts[i], f) || !check_reason(ca, &facts[i], reason, f)))
            return false;
    }
    return true;
}

/* Which will need a person, told before anything is approved. */
static bool note_unproved(const struct conduct *c, int cohort, const struct ca_facts *facts, struct arena *a,
                          const char **out, struct fault *f)
{
    AUTO_BUF text = {0};
    struct plan_unproved *rows;
    size_t n;
    bool asked = false;
    *out = "";
    for (size_t i = 0; i < c->settings->ca_count; i++)
        asked = asked || facts[i].needs_certificate || facts[i].trusts_any_serial;
    if (!asked)
        return true;
    if (!store_plan_unproved(c->store, c->campaign.id, cohort, a, &rows, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        int ca = conduct_ca_of(c, rows[i].issuer, NULL);
        const char *name = ca < 0 ? "" : c->settings->cas[ca].name;
        if (ca >= 0 && facts[ca].needs_certificate && rows[i].without_file > 0)
            buf_format(&text,
                       "CA %s: a request holds the certificate, and %lld have no certificate_file in the "
                       "inventory: each will need a person\n",
                       name, (long long)rows[i].without_file);
        if (ca >= 0 && facts[ca].trusts_any_serial && rows[i].strangers > 0)
            buf_format(
                &text,
                "CA %s says yes to serials it never issued, and %lld stand in no inventory and were not "
                "supplied: each will need a person\n",
                name, (long long)rows[i].strangers);
    }
    *out = arena_text(a, text.p == NULL ? "" : text.p);
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

/* A date that a backend can't be given is told before anything is approved. */
static const char *note_undated(const struct conduct *c, const struct cohort *cohort,
                                const struct ca_facts *facts, const char *before, struct arena *a)
{
    AUTO_BUF text = {0};
    buf_text(&text, before);
    for (size_t i = 0; i < c->settings->ca_count && utc_is_set(cohort->compromised_at); i++)
        if (facts[i].name != NULL && !facts[i].takes_date)
            buf_format(&text,
                       "CA %s: backend %s can't be given a date: entries will bear the time of the "
                       "revocation, not that of the compromise\n",
                       c->settings->cas[i].name, facts[i].name);
    return arena_text(a, text.p == NULL ? "" : text.p);
}

/* Where such a CA tells no status and replaces dates, nothing goes before a CRL that is made after it is due:
 * everything comes that much later. */
static void allow_for_crls(const struct ca_facts *facts, size_t n, struct profile *p)
{
    bool waits = false;
    for (size_t i = 0; i < n; i++)
        waits = waits || (facts[i].name != NULL && !facts[i].tells_status && !facts[i].keeps_first_date);
    if (waits)
        p->publish_margin.s += p->crl_every.s;
}

static bool build(const struct conduct *c, const struct cohort *cohort, struct plan_material *m,
                  struct utc at, struct arena *a, struct conduct_plan *out, struct fault *f)
{
    struct rule rule;
    struct profile profile;
    if (!rules_find(c->settings->plans_dir, cohort->rule, a, &rule, f) ||
        !conduct_profile(c, &rule, a, &profile, f) || !assign_cas(c, m, a, f))
        return false;
    struct ca_facts *facts = arena_array(a, c->settings->ca_count, sizeof *facts);
    if (!describe_cas(c, m, cohort->reason, a, facts, f) ||
        !note_unproved(c, cohort->cohort, facts, a, &out->unproved, f))
        return false;
    out->unproved = note_undated(c, cohort, facts, out->unproved, a);
    struct rate *rates = arena_array(a, c->settings->ca_count, sizeof *rates);
    const char **names = arena_array(a, c->settings->ca_count, sizeof *names);
    for (size_t i = 0; i < c->settings->ca_count; i++) {
        rates[i] = c->measured == NULL ? facts[i].rate : rate_slower(facts[i].rate, c->measured[i]);
        names[i] = c->settings->cas[i].name;
    }
    allow_for_crls(facts, c->settings->ca_count, &profile);
    if (utc_is_set(cohort->started_at) && !m->canary_open)
        profile.canary = 0; /* a replan: the canary has spoken, or its chunk is still claimed */
    profile.canary_wait = profile_canary_wait(&profile, utc_sub(cohort->deadline, cohort->received));
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
        .ocsp_rate = c->settings->ocsp_rate,
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

bool conduct_send_request(const struct conduct *c, const struct approval_subject *wanted, struct request *r,
                          struct arena *a, int *request, struct fault *f)
{
    struct approval_subject subject = *wanted;
    const char **requesters;
    subject.mode = c->campaign.mode;
    subject.campaign = c->campaign.name;
    subject.store_id = store_id(c->store);
    subject.requested = c->now;
    subject.expires = utc_add(c->now, c->settings->approval_expiry);
    if (!store_inventory_count(c->store, &subject.base, f) ||
        !store_requesters(c->store, c->campaign.id, r->cohort, a, &requesters, f))
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
    r->expires_at = subject.expires;
    r->text = approval_compose(a, &subject);
    struct act act = conduct_act(c);
    return store_request_add(c->store, &act, r, all, request, f);
}

static bool write_request(const struct conduct *c, const struct cohort *cohort, const char *what,
                          const char *kind, int plan, int change, struct digest plan_digest,
                          struct utc first_hour, const char *more, struct arena *a, int *request,
                          struct fault *f)
{
    struct approval_subject subject = {
        .more = more,
        .what = what,
        .reason = cohort->reason,
        .plan = plan_digest,
        .compromised_at = strcmp(kind, "plan") == 0 ? cohort->compromised_at : UTC_NONE,
        .first_hour = first_hour,
    };
    struct request r = {.what = kind, .cohort = cohort->cohort, .plan = plan, .hold = change};
    return store_scope_digest(c->store, c->campaign.id, cohort->cohort, &subject.scope, f) &&
           store_scope_issuers(c->store, c->campaign.id, cohort->cohort, a, &subject.issuers,
                               &subject.certificates, f) &&
           conduct_send_request(c, &subject, &r, a, request, f);
}

bool conduct_request_for_clock(const struct conduct *c, const struct cohort *cohort, const char *what,
                               const char *kind, int change, struct arena *a, int *request, struct fault *f)
{
    return write_request(c, cohort, what, kind, 0, change, digest_of(what, strlen(what)), c->now, "", a,
                         request, f);
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

bool conduct_plan_left(const struct conduct *c, const struct cohort *cohort, struct arena *a,
                       struct conduct_plan *out, bool *any, struct fault *f)
{
    struct plan_material m;
    *out = (struct conduct_plan){0};
    if (!store_plan_read_left(c->store, c->campaign.id, cohort->cohort, a, &m, f))
        return false;
    *any = m.certificate_count > 0;
    return !*any || build(c, cohort, &m, c->now, a, out, f);
}

#define EARLIEST ((struct utc){631152000}) /* 1990-01-01: BR 7.2 knows no earlier date of an entry */

/* Takes the date of a compromise that was named now. */
static bool take_compromise(const struct conduct *c, struct cohort *cohort, bool dry_run, struct fault *f)
{
    struct utc at = c->compromised_at;
    struct act act = conduct_act(c);
    char time[UTC_TEXT];
    if (cohort->reason != REASON_KEY_COMPROMISE) /* another clause was put on it since */
        cohort->compromised_at = UTC_NONE;
    if (!utc_is_set(at) || at.s == 0 || at.s == cohort->compromised_at.s)
        return true;
    if (!conduct_compromise_date(c, cohort->reason, at, f))
        return false;
    if (utc_is_set(cohort->started_at)) {
        fault_set(f, FAULT_CONFLICT, "cohort %d has started: the dates of its entries are approved",
                  cohort->cohort);
        return fault_hint(f, "massrevoke reason SERIALS... --to keyCompromise --compromised-at %s",
                          utc_format(at, time));
    }
    cohort->compromised_at = at;
    return dry_run || store_compromised(c->store, &act, cohort->cohort, at, f);
}

bool conduct_compromise_date(const struct conduct *c, int reason, struct utc at, struct fault *f)
{
    char time[UTC_TEXT];
    if (reason != REASON_KEY_COMPROMISE)
        return fault_set(f, FAULT_USAGE,
                         "the date of a compromise goes with the reason keyCompromise, not with %s",
                         reason_name(reason));
    if (at.s > c->now.s || at.s < EARLIEST.s)
        return fault_set(f, FAULT_USAGE, "a compromise at %s: expected a time from 1990 until now",
                         utc_format(at, time));
    return true;
}

bool conduct_plan(const struct conduct *c, int wanted, struct utc at, bool dry_run, struct arena *a,
                  struct conduct_plan *out, struct fault *f)
{
    struct cohort cohort;
    bool changed = true;
    *out = (struct conduct_plan){0};
    const char *more = "";
    if (!conduct_cohort(c, wanted, true, a, &cohort, f) || !take_compromise(c, &cohort, dry_run, f) ||
        (!dry_run && !conduct_goes(&cohort) && !conduct_blast(c, &cohort, a, &more, f)))
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
    return write_request(c, &cohort, what, "plan", out->plan, 0, out->value.digest, first, more, a,
                         &out->request, f);
}
