/* Opening and cohorts: what prepares a campaign. */
#include "massrevoke/conduct.h"
#include "conduct_parts.h"
#include "massrevoke/cert.h"

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

int conduct_ca_of(const struct conduct *c, int issuer, const struct settings_issuer **out)
{
    size_t at = 0;
    for (size_t ca = 0; ca < c->settings->ca_count; ca++)
        for (size_t i = 0; i < c->settings->cas[ca].issuer_count; i++, at++) {
            if (at >= c->issuer_count || c->issuers[at] != issuer)
                continue;
            if (out != NULL)
                *out = &c->settings->cas[ca].issuers[i];
            return (int)ca;
        }
    return -1;
}

struct snapshot_terms conduct_terms(const struct settings *s, const struct profile *profile)
{
    struct rate slowest = profile->rate_cap;
    for (size_t i = 0; i < s->ca_count; i++) {
        struct rate r = s->cas[i].rate;
        if (r.count > 0 && (slowest.count == 0 || rate_per_hour(r) < rate_per_hour(slowest)))
            slowest = r;
    }
    return (struct snapshot_terms){.plans_dir = s->plans_dir,
                                   .quorum = s->quorum,
                                   .publish_margin = profile->publish_margin,
                                   .reserve = profile->reserve,
                                   .rate = slowest};
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
    struct act act = conduct_act(c);
    return store_campaign_open(c->store, &act, &campaign, "open", id, f);
}

bool conduct_goes(const struct cohort *cohort)
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
        bool is_started = conduct_goes(&cohorts[i]);
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
