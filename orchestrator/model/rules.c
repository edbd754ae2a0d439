#include "massrevoke/rules.h"
#include "massrevoke/guard.h"
#include "massrevoke/nearest.h"
#include "plans.h"

#define DAY INT64_C(86400)

static const char *const reasons[] = {
    "unspecified", "keyCompromise",        "affiliationChanged",
    "superseded",  "cessationOfOperation", "privilegeWithdrawn",
    NULL,
};

static const struct guard_key item_keys[] = {
    {.name = "section", .type = GUARD_TEXT, .required = true, .min = 1, .max = 20},
    {.name = "item", .type = GUARD_INT, .required = true, .min = 1, .max = 99},
    {.name = "deadline", .type = GUARD_SPAN, .required = true, .min = 3600, .max = 365 * DAY},
    {.name = "should", .type = GUARD_SPAN, .min = 3600, .max = 365 * DAY},
    {.name = "reason", .type = GUARD_TEXT, .required = true, .words = reasons},
    {.name = "expand_by_key", .type = GUARD_BOOL},
    {.name = "text", .type = GUARD_TEXT, .required = true, .min = 1, .max = 400},
    {0},
};

static const struct guard_key short_keys[] = {
    {.name = "issued_from", .type = GUARD_TIME, .required = true},
    {.name = "longest", .type = GUARD_SPAN, .required = true, .min = 1, .max = 365 * DAY},
    {0},
};

static const struct guard_key file_keys[] = {
    GUARD_VERSION,
    GUARD_DOCUMENT,
    {.name = "rules", .type = GUARD_LIST, .required = true, .min = 1, .max = 99, .keys = item_keys},
    {.name = "short_lived", .type = GUARD_LIST, .min = 0, .max = 20, .keys = short_keys},
    {0},
};

/* Everything the rule files say. */
struct book {
    struct rule *rules;
    size_t rule_count;
    const struct guard_node *short_lived;
    size_t short_count;
};

static struct rule rule_of(struct arena *a, const struct guard_node *root, const struct guard_node *n,
                           struct digest digest)
{
    const char *section = guard_text(n, "section", ""), *reason = guard_text(n, "reason", "");
    int item = (int)guard_int(n, "item", 0), code = reason_from_name(str_of(reason));
    char effective[UTC_TEXT];
    utc_format(guard_time(root, "effective", UTC_NONE), effective);
    return (struct rule){
        .id = arena_format(a, "%s-%d", section, item),
        .section = section,
        .item = item,
        .text = guard_text(n, "text", ""),
        .deadline = guard_span(n, "deadline", (struct span){0}),
        .should = guard_span(n, "should", (struct span){0}),
        .reason = code < 0 ? REASON_UNSPECIFIED : (enum reason)code,
        .expand_by_key = guard_bool(n, "expand_by_key", false),
        .document = guard_text(root, "document", ""),
        .version = guard_text(root, "document_version", ""),
        .effective = arena_copy(a, effective, strcspn(effective, "T")),
        .digest = digest,
    };
}

static void add_rule(struct guard *g, struct book *b, const struct guard_node *n, struct digest digest)
{
    struct rule rule = rule_of(g->arena, &g->root, n, digest);
    for (size_t i = 0; i < b->rule_count; i++)
        if (strcmp(b->rules[i].id, rule.id) == 0)
            guard_problem(g, n, "%s is defined already, by %s %s", rule.id, b->rules[i].document,
                          b->rules[i].version);
    if (rule.should.s >= rule.deadline.s)
        guard_problem(g, guard_get(n, "should"), "not earlier than the deadline");
    b->rules[b->rule_count++] = rule;
}

static bool read_file(const char *plans_dir, const char *name, struct book *b, struct guard_problems *p,
                      struct fault *f)
{
    struct guard g;
    struct str bytes;
    if (!plans_file(plans_dir, name, p->arena, &bytes, f))
        return false;
    struct digest digest = digest_of(bytes.p, bytes.n);
    (void)guard_read(&g, name, NULL, bytes, file_keys, p);
    const struct guard_node *list = guard_get(&g.root, "rules"), *brief = guard_get(&g.root, "short_lived");
    struct rule *grown = arena_array(p->arena, b->rule_count + list->count, sizeof *grown);
    if (b->rule_count > 0)
        memcpy(grown, b->rules, b->rule_count * sizeof *grown);
    b->rules = grown;
    for (size_t i = 0; i < list->count; i++)
        add_rule(&g, b, &list->inside[i], digest);
    if (brief->given && b->short_lived != NULL)
        guard_problem(&g, brief, "another rule file defines short_lived already");
    for (size_t i = 1; i < brief->count; i++)
        if (guard_time(&brief->inside[i], "issued_from", UTC_NONE).s <=
            guard_time(&brief->inside[i - 1], "issued_from", UTC_NONE).s)
            guard_problem(&g, &brief->inside[i], "issued_from must ascend");
    if (brief->given) {
        b->short_lived = brief->inside;
        b->short_count = brief->count;
    }
    return true;
}

static bool read_book(const char *plans_dir, struct arena *a, struct book *b, struct fault *f)
{
    struct guard_problems p = {.arena = a};
    size_t count;
    const char **names = plans_list(plans_dir, "rules", true, a, &count);
    *b = (struct book){0};
    for (size_t i = 0; i < count; i++)
        if (!read_file(plans_dir, names[i], b, &p, f))
            return false;
    return guard_clean(&p, f);
}

bool rules_all(const char *plans_dir, struct arena *a, const struct rule **out, size_t *count,
               struct fault *f)
{
    struct book b;
    if (!read_book(plans_dir, a, &b, f))
        return false;
    *out = b.rules;
    *count = b.rule_count;
    return true;
}

bool rules_find(const char *plans_dir, const char *id, struct arena *a, struct rule *out, struct fault *f)
{
    struct book b;
    if (!read_book(plans_dir, a, &b, f))
        return false;
    AUTO_BUF known = {0};
    struct nearest near = {.wanted = id};
    for (size_t i = 0; i < b.rule_count; i++) {
        if (strcmp(b.rules[i].id, id) == 0) {
            *out = b.rules[i];
            return true;
        }
        nearest_offer(&near, b.rules[i].id);
        buf_format(&known, "%s%s", i == 0 ? "" : " ", b.rules[i].id);
    }
    fault_set(f, FAULT_CONFIG, "no rule '%.60s'%s%s", id, near.word ? ", did you mean " : "",
              near.word ? near.word : "");
    return fault_hint(f, "known rules: %s", known.n == 0 ? "none" : known.p);
}

bool rules_short_lived_rows(const char *plans_dir, struct arena *a, const struct short_lived **rows,
                            size_t *count, struct fault *f)
{
    struct book b;
    if (!read_book(plans_dir, a, &b, f))
        return false;
    struct short_lived *out = arena_array(a, b.short_count, sizeof *out);
    for (size_t i = 0; i < b.short_count; i++)
        out[i] = (struct short_lived){guard_time(&b.short_lived[i], "issued_from", UTC_NONE),
                                      guard_span(&b.short_lived[i], "longest", (struct span){0})};
    *rows = out;
    *count = b.short_count;
    return true;
}

bool rules_is_short_lived(const struct short_lived *rows, size_t count, struct utc not_before,
                          struct utc not_after)
{
    if (!utc_is_set(not_before) || !utc_is_set(not_after) || not_after.s < not_before.s)
        return false;
    /* the last row that applies decides; the validity period counts both ends (BR 6.3.2) */
    while (count > 0 && rows[count - 1].issued_from.s > not_before.s)
        count--;
    return count > 0 && not_after.s - not_before.s + 1 <= rows[count - 1].longest.s;
}

bool rules_short_lived(const char *plans_dir, struct utc not_before, struct utc not_after, struct arena *a,
                       bool *short_lived, struct fault *f)
{
    const struct short_lived *rows;
    size_t count;
    if (!rules_short_lived_rows(plans_dir, a, &rows, &count, f))
        return false;
    *short_lived = rules_is_short_lived(rows, count, not_before, not_after);
    return true;
}
