/* The schema of a scenario, and what one key cannot know alone. */
#include "scenario.h"
#include "massrevoke/file.h"
#include "massrevoke/rules.h"
#include "score.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY INT64_C(86400)
#define LONGEST (90 * DAY)
#define CHANGES_MAX 32

static const char *const inject_names[] = {
#define INJECT(id, name) name,
#include "injects.def"
#undef INJECT
    NULL};

static const char *const metric_names[] = {
#define METRIC(name, kind, value) #name,
#include "metrics.def"
#undef METRIC
    NULL};

static const enum metric_kind metric_kinds[] = {
#define METRIC(name, kind, value) METRIC_##kind,
#include "metrics.def"
#undef METRIC
};

static const char *const reactions[] = {"silent", "answers", "refused", NULL};
static const char *const ops[] = {"=", "<=", ">=", NULL};

static const struct guard_key population_keys[] = {
    {.name = "certificates", .type = GUARD_INT, .required = true, .min = 1, .max = 100000},
    {.name = "subscribers", .type = GUARD_INT, .required = true, .min = 1, .max = 10000},
    {.name = "expire_first", .type = GUARD_INT, .min = 0, .max = 100000},
    {.name = "seed", .type = GUARD_INT, .required = true, .min = 0, .max = INT64_MAX},
    {0},
};

static const struct guard_key behaviour_keys[] = {
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 100},
    {.name = "share", .type = GUARD_INT, .required = true, .min = 0, .max = 100},
    {.name = "primary", .type = GUARD_TEXT, .required = true, .words = reactions},
    {.name = "primary_after", .type = GUARD_SPAN, .min = 1, .max = LONGEST},
    {.name = "backup", .type = GUARD_TEXT, .required = true, .words = reactions},
    {.name = "backup_after", .type = GUARD_SPAN, .min = 1, .max = LONGEST},
    {0},
};

static const struct guard_key inject_keys[] = {
    {.name = "id", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "at", .type = GUARD_SPAN, .required = true, .min = 0, .max = LONGEST},
    {.name = "kind", .type = GUARD_TEXT, .required = true, .words = inject_names},
    {.name = "to", .type = GUARD_TEXT, .min = 1, .max = 100},
    {.name = "text", .type = GUARD_TEXT, .required = true, .min = 1, .max = 1000},
    {.name = "lasts", .type = GUARD_SPAN, .min = 1, .max = LONGEST},
    {.name = "count", .type = GUARD_INT, .min = 1, .max = 100000},
    {.name = "percent", .type = GUARD_INT, .min = 1, .max = 100},
    {0},
};

static const struct guard_key expectation_keys[] = {
    {.name = "id", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "text", .type = GUARD_TEXT, .required = true, .min = 1, .max = 300},
    {.name = "what", .type = GUARD_TEXT, .required = true, .words = metric_names},
    {.name = "op", .type = GUARD_TEXT, .required = true, .words = ops},
    {.name = "value", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {0},
};

static const struct guard_key element_keys[] = {
    {.name = "element", .type = GUARD_INT, .required = true, .min = 1, .max = REPORTER_ELEMENTS},
    {.name = "text", .type = GUARD_TEXT, .required = true, .min = 1, .max = 300},
    {0},
};

/* The last row but one takes the profile's own keys, none of them required. */
static void make_schema(struct guard_key changes[static CHANGES_MAX], struct guard_key out[static 20])
{
    const struct guard_key keys[] = {
        GUARD_VERSION,
        {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
        {.name = "title", .type = GUARD_TEXT, .required = true, .min = 1, .max = 200},
        {.name = "source", .type = GUARD_TEXT, .min = 1, .max = 1000},
        {.name = "population", .type = GUARD_GROUP, .required = true, .keys = population_keys},
        {.name = "rule", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
        {.name = "profile", .type = GUARD_TEXT, .required = true, .min = 1, .max = 200},
        {.name = "profile_changes", .type = GUARD_GROUP, .keys = changes},
        {.name = "rate", .type = GUARD_RATE},
        {.name = "received", .type = GUARD_TIME, .required = true},
        {.name = "begins", .type = GUARD_SPAN, .min = 0, .max = LONGEST},
        {.name = "approval", .type = GUARD_SPAN, .min = 0, .max = 23 * 3600},
        {.name = "duration", .type = GUARD_SPAN, .required = true, .min = 3600, .max = LONGEST},
        {.name = "behaviours",
         .type = GUARD_LIST,
         .required = true,
         .min = 1,
         .max = 20,
         .keys = behaviour_keys},
        {.name = "injects", .type = GUARD_LIST, .max = 200, .keys = inject_keys},
        {.name = "expectations",
         .type = GUARD_LIST,
         .required = true,
         .min = 1,
         .max = 200,
         .keys = expectation_keys},
        {.name = "elements", .type = GUARD_LIST, .max = REPORTER_ELEMENTS, .keys = element_keys},
        {0},
    };
    size_t n = 0;
    for (const struct guard_key *k = profile_schema(); k->name != NULL && n + 1 < CHANGES_MAX; k++)
        if (strcmp(k->name, "version") != 0 && strcmp(k->name, "name") != 0) {
            changes[n] = *k;
            changes[n++].required = false;
        }
    changes[n] = (struct guard_key){0};
    memcpy(out, keys, sizeof keys);
}

/* Index of a word that the schema has checked; 0 for one that did not pass. */
static int word_index(const struct guard_node *group, const char *key, const char *const *words)
{
    const char *text = guard_text(group, key, words[0]);
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return 0;
}

static struct scenario_voice take_voice(struct guard *g, const struct guard_node *n, const char *key,
                                        const char *after)
{
    struct scenario_voice v = {(enum reaction)word_index(n, key, reactions),
                               guard_span(n, after, (struct span){0})};
    if (v.reaction == REACTION_ANSWERS && v.after.s == 0)
        guard_problem(g, guard_get(n, after), "required where %s = \"answers\"", key);
    return v;
}

static void take_behaviours(struct guard *g, struct arena *a, struct scenario *s)
{
    const struct guard_node *list = guard_get(&g->root, "behaviours");
    struct scenario_behaviour *rows = arena_array(a, list->count, sizeof *rows);
    int sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *n = &list->inside[i];
        rows[i] = (struct scenario_behaviour){
            .name = guard_text(n, "name", ""),
            .share = (int)guard_int(n, "share", 0),
            .primary = take_voice(g, n, "primary", "primary_after"),
            .backup = take_voice(g, n, "backup", "backup_after"),
        };
        sum += rows[i].share;
    }
    if (list->given && sum != 100)
        guard_problem(g, list, "the shares add up to %d, expected 100", sum);
    s->behaviours = rows;
    s->behaviour_count = list->count;
}

static bool wants_count(enum inject_kind kind)
{
    return kind == INJECT_DROP || kind == INJECT_HOLD_COURT || kind == INJECT_LATE_FOUND;
}

static void check_inject(struct guard *g, const struct guard_node *n, const struct scenario *s,
                         const struct scenario_inject *in, const struct scenario_inject *before)
{
    if (wants_count(in->kind) && in->count == 0)
        guard_problem(g, guard_get(n, "count"), "required for %s", inject_name(in->kind));
    if (in->kind == INJECT_CA_LOST_ANSWERS && in->percent == 0)
        guard_problem(g, guard_get(n, "percent"), "required for %s", inject_name(in->kind));
    if (before != NULL && in->at.s < before->at.s)
        guard_problem(g, guard_get(n, "at"), "lies before the inject above it; keep them in order of time");
    if (in->at.s < s->begins.s || in->at.s > s->duration.s)
        guard_problem(g, guard_get(n, "at"), "lies outside the exercise (from begins to duration)");
}

static void take_injects(struct guard *g, struct arena *a, struct scenario *s)
{
    const struct guard_node *list = guard_get(&g->root, "injects");
    struct scenario_inject *rows = arena_array(a, list->count, sizeof *rows);
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *n = &list->inside[i];
        rows[i] = (struct scenario_inject){
            .id = guard_text(n, "id", ""),
            .to = guard_text(n, "to", "commander"),
            .text = guard_text(n, "text", ""),
            .at = guard_span(n, "at", (struct span){0}),
            .lasts = guard_span(n, "lasts", (struct span){0}),
            .kind = (enum inject_kind)word_index(n, "kind", inject_names),
            .count = (int)guard_int(n, "count", 0),
            .percent = (int)guard_int(n, "percent", 0),
        };
        check_inject(g, n, s, &rows[i], i == 0 ? NULL : &rows[i - 1]);
        s->late += rows[i].kind == INJECT_LATE_FOUND ? rows[i].count : 0;
    }
    s->injects = rows;
    s->inject_count = list->count;
}

static void take_value(struct guard *g, const struct guard_node *at, struct scenario_expectation *e)
{
    struct fault f = {0};
    struct span span = {0};
    char *end = NULL;
    switch (e->kind) {
    case METRIC_COUNT:
        e->number = strtoll(e->value, &end, 10);
        if (*end != '\0' || end == e->value)
            guard_problem(g, at, "'%s' is no number", e->value);
        break;
    case METRIC_SPAN:
    case METRIC_SINCE:
        if (!span_parse(e->value, &span, &f))
            guard_problem(g, at, "%s", f.text);
        e->number = span.s;
        break;
    case METRIC_WORD:
        e->word = e->value;
        if (e->op != OP_EQUAL)
            guard_problem(g, at, "a word is compared with op = \"=\"");
        break;
    }
}

static void take_expectations(struct guard *g, struct arena *a, struct scenario *s)
{
    const struct guard_node *list = guard_get(&g->root, "expectations");
    struct scenario_expectation *rows = arena_array(a, list->count, sizeof *rows);
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *n = &list->inside[i];
        int metric = word_index(n, "what", metric_names);
        rows[i] = (struct scenario_expectation){
            .id = guard_text(n, "id", ""),
            .text = guard_text(n, "text", ""),
            .what = metric_names[metric],
            .kind = metric_kinds[metric],
            .op = (enum expectation_op)word_index(n, "op", ops),
            .value = guard_text(n, "value", "0"),
        };
        if (guard_get(n, "what")->given && guard_get(n, "value")->given)
            take_value(g, guard_get(n, "value"), &rows[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(rows[k].id, rows[i].id) == 0)
                guard_problem(g, guard_get(n, "id"), "'%s' is the id of another expectation", rows[i].id);
    }
    s->expectations = rows;
    s->expectation_count = list->count;
}

static void take_elements(struct guard *g, struct scenario *s)
{
    const struct guard_node *list = guard_get(&g->root, "elements");
    for (size_t i = 0; i < list->count; i++) {
        int64_t element = guard_int(&list->inside[i], "element", 0);
        if (element >= 1 && element <= REPORTER_ELEMENTS)
            s->elements[element - 1] = guard_text(&list->inside[i], "text", NULL);
    }
}

static void check_population(struct guard *g, const struct scenario *s)
{
    const struct guard_node *p = guard_get(&g->root, "population");
    if (!p->given)
        return;
    if (s->subscribers > s->certificates)
        guard_problem(g, guard_get(p, "subscribers"), "more subscribers than certificates");
    if (s->expire_first + s->late >= s->certificates)
        guard_problem(g, guard_get(p, "certificates"), "none is left: %d expire first, %d are found late",
                      s->expire_first, s->late);
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') != NULL || (n > 4 && strcmp(name + n - 4, ".cfg") == 0);
}

static void check_plans(struct guard *g, struct arena *a, const char *folder, struct scenario *s)
{
    struct fault f = {0};
    struct rule rule;
    struct profile profile;
    if (guard_get(&g->root, "rule")->given && !rules_find(NULL, s->rule, a, &rule, &f))
        guard_problem(g, guard_get(&g->root, "rule"), "%s", f.text);
    if (!guard_get(&g->root, "profile")->given)
        return;
    if (is_path(s->profile) && folder != NULL)
        s->profile = file_join(a, folder, s->profile);
    if (!profile_read(NULL, s->profile, a, &profile, &f))
        guard_problem(g, guard_get(&g->root, "profile"), "%s", f.text);
}

bool scenario_parse(const char *name, const char *folder, struct str bytes, struct arena *a,
                    struct scenario *out, struct fault *f)
{
    static const struct guard_node none = {0};
    struct guard_key *changes = arena_array(a, CHANGES_MAX, sizeof *changes);
    struct guard_key *schema = arena_array(a, 20, sizeof *schema);
    struct guard_problems problems = {.arena = a};
    struct guard g;
    make_schema(changes, schema);
    (void)guard_read(&g, name, folder, bytes, schema, &problems);
    const struct guard_node *root = &g.root, *p = guard_get(root, "population");
    *out = (struct scenario){
        .file = name,
        .name = guard_text(root, "name", ""),
        .title = guard_text(root, "title", ""),
        .source = guard_text(root, "source", ""),
        .digest = digest_of(bytes.p, bytes.n),
        .rule = guard_text(root, "rule", ""),
        .profile = guard_text(root, "profile", ""),
        .changes = guard_get(root, "profile_changes")->given ? guard_get(root, "profile_changes") : &none,
        .rate = guard_rate(root, "rate", (struct rate){0}),
        .received = guard_time(root, "received", (struct utc){0}),
        .begins = guard_span(root, "begins", (struct span){0}),
        .approval = guard_span(root, "approval", (struct span){0}),
        .duration = guard_span(root, "duration", (struct span){0}),
    };
    if (p->given) {
        out->certificates = (int)guard_int(p, "certificates", 1);
        out->subscribers = (int)guard_int(p, "subscribers", 1);
        out->expire_first = (int)guard_int(p, "expire_first", 0);
        out->seed = (uint64_t)guard_int(p, "seed", 0);
    }
    take_behaviours(&g, a, out);
    take_injects(&g, a, out);
    take_expectations(&g, a, out);
    take_elements(&g, out);
    check_population(&g, out);
    check_plans(&g, a, folder, out);
    if (guard_get(root, "begins")->given && out->begins.s > out->duration.s)
        guard_problem(&g, guard_get(root, "begins"), "lies after the end (duration)");
    return guard_clean(&problems, f);
}

bool scenario_read(const char *path, struct arena *a, struct scenario *out, struct fault *f)
{
    struct str bytes;
    char *real = realpath(path, NULL);
    const char *whole = arena_text(a, real == NULL ? path : real);
    free(real);
    if (!file_read(path, GUARD_FILE_MAX, a, &bytes, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    const char *slash = strrchr(whole, '/');
    const char *folder = slash == NULL ? "." : arena_copy(a, whole, (size_t)(slash - whole));
    return scenario_parse(arena_text(a, path), folder, bytes, a, out, f);
}

const char *inject_name(enum inject_kind kind)
{
    return inject_names[kind];
}
