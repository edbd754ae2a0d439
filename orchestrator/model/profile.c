#include "massrevoke/guard.h"
#include "massrevoke/rules.h"
#include "plans.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define FREEZES_MAX 50

#define LENGTH(key, must, least)                                                                             \
    {                                                                                                        \
        .name = key, .type = GUARD_SPAN, .required = must, .min = least, .max = 30 * DAY                     \
    }

static const struct guard_key class_keys[] = {
    {.name = "class", .type = GUARD_TEXT, .required = true, .min = 1, .max = 20, .words = class_words},
    LENGTH("notice", false, 0),
    LENGTH("ceiling", false, HOUR),
    {0},
};

static const struct guard_key freeze_keys[] = {
    {.name = "from", .type = GUARD_TIME, .required = true},
    {.name = "to", .type = GUARD_TIME, .required = true},
    {.name = "why", .type = GUARD_TEXT, .required = true, .min = 1, .max = 60},
    {0},
};

static const struct guard_key profile_keys[] = {
    GUARD_VERSION,
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "notices", .type = GUARD_BOOL, .required = true},
    {.name = "publish_at_once", .type = GUARD_BOOL, .required = true},
    {.name = "canary", .type = GUARD_INT, .required = true, .min = 0, .max = 1000},
    LENGTH("canary_wait", false, 60),
    {.name = "share_most", .type = GUARD_INT, .min = 1, .max = 100},
    LENGTH("first_slot", true, 0),
    LENGTH("first_notice", false, 0),
    LENGTH("backup_after", false, 1),
    LENGTH("reserve", true, 0),
    LENGTH("publish_margin", true, 0),
    LENGTH("crl_every", true, 60),
    LENGTH("outage_floor", true, 0),
    {.name = "rate_cap", .type = GUARD_RATE},
    {.name = "helpdesk_per_hour", .type = GUARD_INT, .min = 1, .max = 1000000},
    {.name = "classes", .type = GUARD_LIST, .min = 1, .max = CLASS_COUNT, .keys = class_keys},
    {.name = "freezes", .type = GUARD_LIST, .min = 1, .max = FREEZES_MAX, .keys = freeze_keys},
    LENGTH("ari_lead", false, 60),
    LENGTH("ocsp_refresh", false, 0),
    {.name = "crl_limit", .type = GUARD_INT, .min = 1000, .max = INT64_C(1000000000000)},
    {0},
};

/* What needs no notice has none unless the file says so; all others have first_slot's. */
static void read_classes(const struct guard_node *n, struct profile *out)
{
    static const struct span none = {0};
    for (int c = CLASS_UNREACHABLE; c < CLASS_COUNT; c++)
        out->class_notice[c] = out->first_slot;
    const struct guard_node *list = guard_get(n, "classes");
    for (size_t i = 0; i < list->count; i++) {
        enum plan_class c = class_from_name(str_of(guard_text(&list->inside[i], "class", "")));
        if (c == CLASS_COUNT)
            continue; /* told already */
        out->class_notice[c] = guard_span(&list->inside[i], "notice", out->class_notice[c]);
        out->class_ceiling[c] = guard_span(&list->inside[i], "ceiling", none);
    }
}

static void read_freezes(const struct guard_node *n, struct arena *a, struct profile *out)
{
    const struct guard_node *list = guard_get(n, "freezes");
    struct freeze *freezes = arena_array(a, list->count, sizeof *freezes);
    for (size_t i = 0; i < list->count; i++)
        freezes[i] = (struct freeze){.from = guard_time(&list->inside[i], "from", UTC_NONE),
                                     .to = guard_time(&list->inside[i], "to", UTC_NONE),
                                     .why = guard_text(&list->inside[i], "why", "")};
    out->freezes = freezes;
    out->freeze_count = list->count;
}

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
        .canary_wait = guard_span(n, "canary_wait", none),
        .share_most = (int)guard_int(n, "share_most", 0),
        .outage_floor = guard_span(n, "outage_floor", none),
        .rate_cap = guard_rate(n, "rate_cap", (struct rate){0}),
        .helpdesk_per_hour = (int)guard_int(n, "helpdesk_per_hour", 0),
        .ari_lead = guard_span(n, "ari_lead", none),
        .ocsp_refresh = guard_span(n, "ocsp_refresh", none),
        .crl_limit = guard_int(n, "crl_limit", 0),
        .digest = digest,
    };
}

bool profile_bytes(const char *plans_dir, const char *name, struct arena *a, const char **file,
                   struct str *bytes, struct fault *f)
{
    return plans_named(plans_dir, "profiles", "profile", name, a, file, bytes, f);
}

/* Each class once, ceilings behind notices, and no notice later than that of a class whose turn comes later:
 * turns and notices must not pull apart. */
static void check_classes(struct guard *g, const struct profile *p)
{
    const struct guard_node *list = guard_get(&g->root, "classes");
    bool seen[CLASS_COUNT + 1] = {false};
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *one = &list->inside[i];
        enum plan_class c = class_from_name(str_of(guard_text(one, "class", "")));
        if (c == CLASS_COUNT)
            continue;
        if (seen[c])
            guard_problem(g, guard_get(one, "class"), "%s is listed already", class_name(c));
        seen[c] = true;
        if (p->class_ceiling[c].s > 0 && p->class_ceiling[c].s <= p->class_notice[c].s)
            guard_problem(g, guard_get(one, "ceiling"), "not later than the notice");
        if (p->publish_at_once && (p->class_notice[c].s > 0 || p->class_ceiling[c].s > 0))
            guard_problem(g, one, "publish_at_once waits for no slot; a class has no notice then");
    }
    for (int c = CLASS_UNREACHABLE; c < CLASS_COUNT; c++)
        if (p->notices && p->class_notice[c].s < p->first_notice.s && p->first_notice.s <= p->first_slot.s)
            guard_problem(g, list, "%s: its first notice would come after its slot",
                          class_name((enum plan_class)c));
    for (int c = CLASS_UNREACHABLE + 1; c < CLASS_COUNT; c++)
        if (p->class_notice[c].s < p->class_notice[c - 1].s)
            guard_problem(g, list, "%s has less notice than %s, whose turn comes before",
                          class_name((enum plan_class)c), class_name((enum plan_class)(c - 1)));
}

static void check_freezes(struct guard *g, const struct profile *p)
{
    const struct guard_node *list = guard_get(&g->root, "freezes");
    for (size_t i = 0; i < p->freeze_count; i++)
        if (utc_is_set(p->freezes[i].from) && utc_is_set(p->freezes[i].to) &&
            p->freezes[i].to.s <= p->freezes[i].from.s)
            guard_problem(g, guard_get(&list->inside[i], "to"), "not later than from");
    if (p->publish_at_once && p->freeze_count > 0)
        guard_problem(g, list, "publish_at_once waits for nothing; expected no freezes");
}

/* What one key cannot know alone. */
static void check(struct guard *g, const struct profile *p)
{
    check_classes(g, p);
    check_freezes(g, p);
    if (p->ocsp_refresh.s > 0 && p->ocsp_refresh.s < p->publish_margin.s)
        guard_problem(g, guard_get(&g->root, "ocsp_refresh"),
                      "shorter than publish_margin, which covers it: leave it out");

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
    read_classes(&g.root, out);
    read_freezes(&g.root, a, out);
    check(&g, out);
    return guard_clean(&p, f);
}

const struct guard_key *profile_schema(void)
{
    return profile_keys;
}

struct span profile_canary_wait(const struct profile *p, struct span deadline)
{
    if (p->canary_wait.s > 0)
        return p->canary_wait;
    return (struct span){deadline.s <= DAY ? HOUR : 4 * HOUR};
}

const char *profile_default(const struct rule *rule)
{
    if (rule->expand_by_key && rule->deadline.s <= DAY)
        return "key-compromise";
    if (rule->deadline.s <= DAY)
        return "tls-24-hour";
    return rule->deadline.s <= 5 * DAY ? "tls-5-day" : "sub-ca-7-day";
}
