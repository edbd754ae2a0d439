/* replacements: which affected certificates have another one in their place already. */
#include "massrevoke/log.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN 20 /* lines of each kind */

/* FILE, "-", or a query: exactly one of them. */
static bool find_source(struct session *s, const struct invocation *in, struct replacement_source *out,
                        struct fault *f)
{
    const char *conninfo = in->values[OPTION_CONNINFO], *query = in->values[OPTION_QUERY];
    *out = (struct replacement_source){.query = "", .stamp = ""};
    if ((conninfo == NULL) != (query == NULL) || (query != NULL) == (in->arg_count == 1)) {
        fault_set(f, FAULT_USAGE, "replacements come from a file, or from a query and its connection");
        return fault_hint(f, "replacements FILE, or replacements --conninfo C --query SQL");
    }
    if (query != NULL) {
        out->kind = "query";
        out->location = conninfo;
        out->query = query;
        return true;
    }
    out->kind = strcmp(in->args[0], "-") == 0 ? "stream" : "file";
    char *real = realpath(in->args[0], NULL); /* it is read again from wherever the engine runs */
    out->location = real == NULL ? in->args[0] : arena_text(&s->arena, real);
    free(real);
    return true;
}

static enum fault_kind verdict(const struct conduct_replaced *r)
{
    if (r->list.table.rejects.count == 0)
        return FAULT_NONE;
    return r->list.count == 0 ? FAULT_FAILED : FAULT_PARTLY;
}

static json_t *result_json(const struct conduct_replaced *r)
{
    const struct intake_remarks *rejects = &r->list.table.rejects;
    json_t *o = json_object(), *list = json_array(), *unknown = json_array();
    json_set_int(o, "in", (int64_t)r->list.table.in);
    json_set_int(o, "accepted", r->counts.accepted);
    json_set_int(o, "duplicate", r->counts.duplicate);
    json_set_int(o, "unknown", r->counts.unknown);
    json_set_int(o, "rejected", (int64_t)rejects->count);
    for (size_t i = 0; i < rejects->count; i++) {
        json_t *one = json_object();
        json_set_int(one, "line", (int64_t)rejects->items[i].line);
        json_set_text(one, "file", rejects->items[i].file);
        json_set_text(one, "reason", rejects->items[i].reason);
        json_array_append_new(list, one);
    }
    for (size_t i = 0; i < r->counts.unknown_line_count; i++)
        json_array_append_new(unknown, json_integer(r->counts.unknown_lines[i]));
    json_object_set_new(o, "unknown_lines", unknown);
    json_object_set_new(o, "rejects", list);
    return o;
}

static void print_result(const struct conduct_replaced *r)
{
    const struct intake_remarks *rejects = &r->list.table.rejects, *warnings = &r->list.table.warnings;
    printf("%zu in: %" PRId64 " accepted, %" PRId64 " duplicate, %" PRId64 " not affected, %zu rejected\n",
           r->list.table.in, r->counts.accepted, r->counts.duplicate, r->counts.unknown, rejects->count);
    for (size_t i = 0; i < rejects->count && i < SHOWN; i++)
        printf("  rejected line %zu: %s\n", rejects->items[i].line, rejects->items[i].reason);
    if (rejects->count > SHOWN)
        printf("  and %zu more rejected\n", rejects->count - SHOWN);
    for (size_t i = 0; i < warnings->count && i < SHOWN; i++)
        printf("  warning: %s\n", warnings->items[i].reason);
}

static void next_step(const struct replacement_source *source, const struct conduct_replaced *r)
{
    if (r->counts.accepted > 0)
        log_line("A running engine moves them to the next free slot; before the start: massrevoke plan.");
    if (strcmp(source->kind, "stream") != 0 && r->list.count > 0)
        log_line("The source is kept: a running engine reads it again every few minutes.");
}

bool cmd_replacements(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct replacement_source source;
    struct conduct_replaced result;
    int index;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !find_source(&s, in, &source, f) ||
        !session_issuer(&s, in, &index, f))
        return false;
    struct conduct c = session_conduct(&s);
    source.issuer = index < 0 ? 0 : s.issuers[index];
    bool ok = conduct_replacements(&c, &source, false, &s.arena, &result, f);
    if (ok && in->json)
        session_print(result_json(&result));
    else if (ok)
        print_result(&result);
    if (ok) {
        next_step(&source, &result);
        *exit_code = fault_exit_code(verdict(&result));
    }
    replacement_list_free(&result.list);
    return ok;
}
