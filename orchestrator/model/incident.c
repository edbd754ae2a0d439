#include "massrevoke/incident.h"
#include "massrevoke/guard.h"
#include "plans.h"

#define DAY INT64_C(86400)

static const struct guard_key limit_keys[] = {
    {.name = "first_slot", .type = GUARD_SPAN, .max = 30 * DAY},
    {.name = "reserve", .type = GUARD_SPAN, .max = 30 * DAY},
    {.name = "publish_margin", .type = GUARD_SPAN, .max = 30 * DAY},
    {.name = "outage_floor", .type = GUARD_SPAN, .max = 30 * DAY},
    {0},
};

static const struct guard_key incident_keys[] = {
    GUARD_VERSION,
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "title", .type = GUARD_TEXT, .required = true, .min = 1, .max = 100},
    {.name = "source", .type = GUARD_TEXT, .required = true, .min = 1, .max = 200},
    {.name = "received", .type = GUARD_TIME, .required = true},
    {.name = "read_after", .type = GUARD_SPAN, .max = 3650 * DAY},
    {.name = "certificates", .type = GUARD_INT, .required = true, .min = 1, .max = INCIDENT_CERTIFICATES_MAX},
    {.name = "subscribers", .type = GUARD_INT, .required = true, .min = 1, .max = INCIDENT_CERTIFICATES_MAX},
    {.name = "issuers", .type = GUARD_INT, .min = 1, .max = 60000},
    {.name = "riskiest", .type = GUARD_INT, .min = 0, .max = INCIDENT_CERTIFICATES_MAX},
    {.name = "replaced", .type = GUARD_INT, .min = 0, .max = INCIDENT_CERTIFICATES_MAX},
    {.name = "rule", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "profile", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "limits", .type = GUARD_GROUP, .keys = limit_keys},
    {.name = "rate", .type = GUARD_RATE, .required = true},
    {0},
};

static void take_limits(const struct guard_node *limits, struct profile *p)
{
    if (!limits->given)
        return;
    p->first_slot = guard_span(limits, "first_slot", p->first_slot);
    p->reserve = guard_span(limits, "reserve", p->reserve);
    p->publish_margin = guard_span(limits, "publish_margin", p->publish_margin);
    p->outage_floor = guard_span(limits, "outage_floor", p->outage_floor);
}

/* What one key cannot know alone. */
static void check(struct guard *g, const struct incident *i)
{
    const struct guard_node *root = &g->root;
    if (i->subscribers > i->certificates)
        guard_problem(g, guard_get(root, "subscribers"), "more than there are certificates");
    if (i->issuers > i->subscribers)
        guard_problem(g, guard_get(root, "issuers"), "more than there are subscribers");
    if (i->riskiest + i->replaced > i->certificates)
        guard_problem(g, guard_get(root, "replaced"), "with the riskiest more than there are certificates");
}

bool incident_read(const char *plans_dir, const char *name, struct arena *a, struct incident *out,
                   struct fault *f)
{
    struct guard_problems p = {.arena = a};
    struct guard g;
    struct str bytes;
    const char *file;
    if (!plans_named(plans_dir, "incidents", "incident", name, a, &file, &bytes, f))
        return false;
    (void)guard_read(&g, file, NULL, bytes, incident_keys, &p);
    *out = (struct incident){
        .name = guard_text(&g.root, "name", ""),
        .title = guard_text(&g.root, "title", ""),
        .source = guard_text(&g.root, "source", ""),
        .certificates = guard_int(&g.root, "certificates", 1),
        .subscribers = guard_int(&g.root, "subscribers", 1),
        .issuers = guard_int(&g.root, "issuers", 1),
        .riskiest = guard_int(&g.root, "riskiest", 0),
        .replaced = guard_int(&g.root, "replaced", 0),
        .received = guard_time(&g.root, "received", UTC_NONE),
        .read_after = guard_span(&g.root, "read_after", (struct span){0}),
        .rate = guard_rate(&g.root, "rate", (struct rate){0}),
    };
    check(&g, out);
    if (!guard_clean(&p, f) || !rules_find(plans_dir, guard_text(&g.root, "rule", ""), a, &out->rule, f))
        return false;
    const char *profile = guard_text(&g.root, "profile", profile_default(&out->rule));
    if (!profile_read(plans_dir, profile, a, &out->profile, f))
        return false;
    take_limits(guard_get(&g.root, "limits"), &out->profile);
    return true;
}

struct plan_input incident_input(const struct incident *incident, const struct rate *rate, struct utc now,
                                 struct arena *a)
{
    size_t n = (size_t)incident->certificates, people = (size_t)incident->subscribers,
           issuers = (size_t)incident->issuers;
    struct plan_certificate *all = arena_array(a, n, sizeof *all);
    struct plan_subscriber *subscribers = arena_array(a, people, sizeof *subscribers);
    struct plan_shard *shards = arena_array(a, issuers, sizeof *shards);
    static const char *const names[] = {"the CA"};
    for (size_t i = 0; i < people; i++)
        subscribers[i].id = "";
    for (size_t i = 0; i < issuers; i++)
        shards[i].url = arena_format(a, "CRL of issuer %zu", i + 1);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct plan_certificate){
            .number = (uint32_t)i,
            .subscriber = (uint32_t)(i * people / n),
            .issuer = (uint16_t)(i * issuers / n),
            .shard = (uint32_t)(i * issuers / n),
            .turn = i < (size_t)incident->riskiest                                ? CLASS_RISKIEST
                    : i < (size_t)incident->riskiest + (size_t)incident->replaced ? CLASS_REPLACED
                                                                                  : CLASS_IN_USE,
            .not_after = UTC_NONE,
        };
    return (struct plan_input){
        .certificates = all,
        .certificate_count = n,
        .subscribers = subscribers,
        .subscriber_count = people,
        .shards = shards,
        .shard_count = issuers,
        .ca_rates = rate,
        .ca_names = names,
        .ca_count = 1,
        .received = incident->received,
        .deadline = incident->rule.deadline,
        .should = incident->rule.should,
        .now = now,
        .profile = incident->profile,
        .rule_digest = incident->rule.digest,
    };
}
