#include "massrevoke/guard.h"
#include "massrevoke/rules.h"
#include "plans.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

#define LENGTH(key, must, least)                                                                             \
    {                                                                                                        \
        .name = key, .type = GUARD_SPAN, .required = must, .min = least, .max = 30 * DAY                     \
    }

static const struct guard_key profile_keys[] = {
    GUARD_VERSION,
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "notices", .type = GUARD_BOOL, .required = true},
    {.name = "publish_at_once", .type = GUARD_BOOL, .required = true},
    {.name = "canary", .type = GUARD_INT, .required = true, .min = 0, .max = 1000},
    LENGTH("first_slot", true, 0),
    LENGTH("first_notice", false, 0),
    LENGTH("backup_after", false, 1),
    LENGTH("reserve", true, 0),
    LENGTH("publish_margin", true, 0),
    LENGTH("crl_every", true, 60),
    LENGTH("outage_floor", true, 0),
    {.name = "rate_cap", .type = GUARD_RATE},
    {.name = "helpdesk_per_hour", .type = GUARD_INT, .min = 1, .max = 1000000},
    {0},
};

static struct profile profile_of(const struct guard_node *n, struct digest digest)
{
    static const struct span none = {0};
    return (struct profile){
        .name = guard_text(n, "name", ""),
        .first_slot = guard_span(n, "first_slot", none),
        .first_notice = guard_span(n, "first_notice", none),
        .backup_after = guard_span(n, "backup_after", none),
        .reserve = guard_span(n, "reserve", none),
        .publish_margin = guard_span(n, "publish_margin", none),
        .crl_every = guard_span(n, "crl_every", none),
        .publish_at_once = guard_bool(n, "publish_at_once", false),
        .notices = guard_bool(n, "notices", true),
        .canary = (int)guard_int(n, "canary", 0),
        .outage_floor = guard_span(n, "outage_floor", none),
        .rate_cap = guard_rate(n, "rate_cap", (struct rate){0}),
        .helpdesk_per_hour = (int)guard_int(n, "helpdesk_per_hour", 0),
        .digest = digest,
    };
}

bool profile_bytes(const char *plans_dir, const char *name, struct arena *a, const char **file,
                   struct str *bytes, struct fault *f)
{
    return plans_named(plans_dir, "profiles", "profile", name, a, file, bytes, f);
}

/* What one key cannot know alone. */
static void check(struct guard *g, const struct profile *p)
{
    static const char *const notice_keys[] = {"first_notice", "backup_after"};
    for (size_t i = 0; i < 2; i++)
        if (p->notices && !guard_get(&g->root, notice_keys[i])->given)
            guard_problem(g, guard_get(&g->root, notice_keys[i]), "required where notices = true");
    if (p->notices && p->first_notice.s > p->first_slot.s)
        guard_problem(g, guard_get(&g->root, "first_notice"), "the notice would come after the first slot");
    if (p->publish_at_once && p->first_slot.s > 0)
        guard_problem(g, guard_get(&g->root, "first_slot"), "publish_at_once waits for no slot; expected 0s");
}

bool profile_read(const char *plans_dir, const char *name, struct arena *a, struct profile *out,
                  struct fault *f)
{
    struct guard_problems p = {.arena = a};
    struct guard g;
    struct str bytes;
    const char *file;
    if (!profile_bytes(plans_dir, name, a, &file, &bytes, f))
        return false;
    (void)guard_read(&g, file, NULL, bytes, profile_keys, &p);
    *out = profile_of(&g.root, digest_of(bytes.p, bytes.n));
    check(&g, out);
    return guard_clean(&p, f);
}

const struct guard_key *profile_schema(void)
{
    return profile_keys;
}

const char *profile_default(const struct rule *rule)
{
    if (rule->expand_by_key && rule->deadline.s <= DAY)
        return "key-compromise";
    if (rule->deadline.s <= DAY)
        return "tls-24-hour";
    return rule->deadline.s <= 5 * DAY ? "tls-5-day" : "sub-ca-7-day";
}
