/* Milestones as dated data: the files below plans/clocks. */
#include "massrevoke/guard.h"
#include "massrevoke/milestone.h"
#include "massrevoke/rules.h"
#include "plans.h"

#define DAY INT64_C(86400)

static const char *const points[POINT_COUNT + 1] = {
    "received", "first_notice", "backup_notice", "first_slot", "start", "deadline", "miss", "event", NULL};
static const char *const facts[FACT_COUNT + 1] = {"nobody",   "stopped", "scope", "planned",
                                                  "approved", "started", "told",  "backups",
                                                  "canary",   "settled", NULL};
static const char *const pers[PER_COUNT + 1] = {"campaign", "receipt", "cohort", NULL};
static const char *const role_words[TASK_ROLE_COUNT + 1] = {
    "commander", "compliance", "communications", "operations", "legal", "engineering", NULL};

static const struct guard_key task_keys[] = {
    {.name = "id", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "title", .type = GUARD_TEXT, .required = true, .min = 1, .max = 60},
    {.name = "role", .type = GUARD_TEXT, .required = true, .words = role_words},
    {.name = "section", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "from", .type = GUARD_TEXT, .required = true, .words = points},
    {.name = "after", .type = GUARD_SPAN},
    {.name = "before", .type = GUARD_SPAN},
    {.name = "every", .type = GUARD_SPAN, .min = 3600, .max = 365 * DAY},
    {.name = "per", .type = GUARD_TEXT, .required = true, .words = pers},
    {.name = "done", .type = GUARD_TEXT, .words = facts},
    {0},
};

static const struct guard_key file_keys[] = {
    GUARD_VERSION,
    GUARD_DOCUMENT,
    {.name = "tasks", .type = GUARD_LIST, .required = true, .min = 1, .max = 99, .keys = task_keys},
    {0},
};

/* Index of a word that has passed the schema; 0 for one that has not. */
static int word(const char *const *words, const char *text)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return 0;
}

static struct milestone row_of(struct arena *a, const struct guard_node *root, const struct guard_node *n,
                               struct digest digest)
{
    char effective[UTC_TEXT];
    int64_t after = guard_span(n, "after", (struct span){0}).s,
            before = guard_span(n, "before", (struct span){0}).s;
    utc_format(guard_time(root, "effective", UTC_NONE), effective);
    return (struct milestone){
        .id = guard_text(n, "id", ""),
        .title = guard_text(n, "title", ""),
        .section = guard_text(n, "section", ""),
        .role = (enum task_role)word(role_words, guard_text(n, "role", "")),
        .from = (enum milestone_point)word(points, guard_text(n, "from", "")),
        .after = {after - before},
        .every = guard_span(n, "every", (struct span){0}),
        .per = (enum milestone_per)word(pers, guard_text(n, "per", "")),
        .done = (enum milestone_fact)word(facts, guard_text(n, "done", "nobody")),
        .document = guard_text(root, "document", ""),
        .version = guard_text(root, "document_version", ""),
        .effective = arena_copy(a, effective, strcspn(effective, "T")),
        .digest = digest,
    };
}

static void check_row(struct guard *g, const struct guard_node *n, const struct milestone *rows, size_t count)
{
    const struct milestone *m = &rows[count];
    size_t plain = strspn(m->id, "abcdefghijklmnopqrstuvwxyz-");
    if (m->id[plain] != '\0')
        guard_problem(g, guard_get(n, "id"), "use letters and hyphens: a number behind it names an instance");
    if (guard_get(n, "after")->given == guard_get(n, "before")->given)
        guard_problem(g, n, "either 'after' or 'before'");
    if (m->every.s > 0 && m->done != FACT_NONE)
        guard_problem(g, guard_get(n, "done"), "a repeated task is done by people");
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].id, m->id) == 0)
            guard_problem(g, n, "%s is defined already, by %s %s", m->id, rows[i].document, rows[i].version);
}

bool milestones_read(const char *plans_dir, struct arena *a, const struct milestone **rows, size_t *count,
                     struct fault *f)
{
    struct guard_problems p = {.arena = a};
    size_t files, n = 0;
    struct milestone *all = NULL;
    const char **names = plans_list(plans_dir, "clocks", true, a, &files);
    for (size_t i = 0; i < files; i++) {
        struct guard g;
        struct str bytes;
        if (!plans_file(plans_dir, names[i], a, &bytes, f))
            return false;
        struct digest digest = digest_of(bytes.p, bytes.n);
        (void)guard_read(&g, names[i], NULL, bytes, file_keys, &p);
        const struct guard_node *list = guard_get(&g.root, "tasks");
        struct milestone *grown = arena_array(a, n + list->count, sizeof *grown);
        if (n > 0)
            memcpy(grown, all, n * sizeof *grown);
        all = grown;
        for (size_t k = 0; k < list->count; k++) {
            all[n] = row_of(a, &g.root, &list->inside[k], digest);
            check_row(&g, &list->inside[k], all, n++);
        }
    }
    *rows = all;
    *count = n;
    return guard_clean(&p, f);
}
