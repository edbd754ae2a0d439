#include "plan_files.h"

struct plan_files {
    const char *dir, *name; /* "" where there is none */
    const struct milestone *rows;
    size_t count;
    struct profile profile;
    const struct plan_files *next;
};

struct rule_text {
    const char *dir, *rule, *text;
    const struct rule_text *next;
};

static bool same(const char *a, const char *b)
{
    return strcmp(a, b == NULL ? "" : b) == 0;
}

bool plan_files_clocks(struct store *s, const char *dir, const char *profile, const struct milestone **rows,
                       size_t *count, const struct profile **out, struct fault *f)
{
    const struct plan_files *known = s->plan_files;
    while (known != NULL && !(same(known->dir, dir) && same(known->name, profile)))
        known = known->next;
    if (known == NULL) {
        struct plan_files read = {.next = s->plan_files};
        if (!milestones_read(dir, &s->arena, &read.rows, &read.count, f) ||
            !profile_read(dir, profile, &s->arena, &read.profile, f))
            return false;
        read.dir = arena_text(&s->arena, dir == NULL ? "" : dir);
        read.name = arena_text(&s->arena, profile);
        struct plan_files *added = arena_alloc(&s->arena, sizeof *added);
        *added = read;
        s->plan_files = known = added;
    }
    *rows = known->rows;
    *count = known->count;
    *out = &known->profile;
    return true;
}

const char *plan_files_rule(struct store *s, const char *dir, const char *rule)
{
    AUTO_ARENA a = {0};
    struct rule found;
    struct fault ignored = {0};
    for (const struct rule_text *t = s->rule_texts; t != NULL; t = t->next)
        if (same(t->dir, dir) && same(t->rule, rule))
            return t->text;
    if (!rules_find(dir, rule, &a, &found, &ignored))
        return "";
    struct rule_text *added = arena_alloc(&s->arena, sizeof *added);
    *added = (struct rule_text){arena_text(&s->arena, dir == NULL ? "" : dir), arena_text(&s->arena, rule),
                                arena_text(&s->arena, found.text), s->rule_texts};
    s->rule_texts = added;
    return added->text;
}
