#include "massrevoke/backend_sql.h"
#include "backend_parts.h"
#include "plans.h"

#include <stdio.h>
#include <strings.h>

static const char *const interface[] = {"sql", NULL};

static const struct guard_key keys[] = {
    GUARD_VERSION,
    {.name = "interface", .type = GUARD_TEXT, .required = true, .words = interface},
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "quiet", .type = GUARD_SPAN, .required = true, .min = 1, .max = 3600},
    {.name = "batch", .type = GUARD_INT, .required = true, .min = 1, .max = 10000},
    {.name = "reasons",
     .type = GUARD_LIST,
     .required = true,
     .min = 1,
     .max = 10,
     .keys = backend_reason_keys},
    {.name = "serial", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "revoke", .type = GUARD_TEXT, .required = true, .min = 1, .max = 4000},
    {.name = "change", .type = GUARD_TEXT, .min = 1, .max = 4000},
    {.name = "status", .type = GUARD_TEXT, .required = true, .min = 1, .max = 4000},
    {.name = "revoked", .type = GUARD_TEXT, .min = 1, .max = 4000},
    {0},
};

/* A statement must name its parameters and each of these words: one that was cut off is noticed. */
static void check_statement(struct guard *g, const char *key, int parameters, const char *const *words)
{
    const struct guard_node *n = guard_get(&g->root, key);
    char parameter[4];
    for (int i = 1; n->given && i <= parameters; i++) {
        snprintf(parameter, sizeof parameter, "$%d", i);
        if (strstr(n->text, parameter) == NULL)
            guard_problem(g, n, "needs $1 to $%d; %s is missing", parameters, parameter);
    }
    for (; n->given && *words != NULL; words++)
        if (strcasestr(n->text, *words) == NULL)
            guard_problem(g, n, "expected %s in it", *words);
}

bool backend_sql_read(const char *plans_dir, const char *name, struct arena *a, struct backend_sql *out,
                      struct fault *f)
{
    static const char *const update[] = {"UPDATE", "WHERE", "RETURNING", NULL}, *const none[] = {NULL};
    struct guard_problems p = {.arena = a};
    struct guard g;
    struct str bytes;
    const char *file;
    *out = (struct backend_sql){0};
    if (!plans_named(plans_dir, "backends", "backend profile", name, a, &file, &bytes, f))
        return false;
    (void)guard_read(&g, file, NULL, bytes, keys, &p);
    out->name = guard_text(&g.root, "name", "");
    out->quiet = guard_span(&g.root, "quiet", (struct span){0});
    out->batch = (int)guard_int(&g.root, "batch", 1);
    out->revoke = guard_text(&g.root, "revoke", "");
    out->change = guard_text(&g.root, "change", NULL);
    out->record = (struct backend_record){.query = guard_text(&g.root, "status", ""),
                                          .revoked = guard_text(&g.root, "revoked", NULL),
                                          .serial = backend_take_serial(&g, guard_get(&g.root, "serial"))};
    backend_take_reasons(&g, out->words, true);
    check_statement(&g, "revoke", 4, update);
    check_statement(&g, "change", 4, update);
    check_statement(&g, "status", 2, none);
    check_statement(&g, "revoked", 1, none);
    return guard_clean(&p, f);
}
