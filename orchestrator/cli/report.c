/* report: what goes outside, from one snapshot whose balance was derived anew. */
#include "massrevoke/reporter.h"
#include "massrevoke/store_report.h"
#include "tell.h"

#include <stdio.h>

/* "BR 2.2.6" of the campaign's rule, for the incident report's policies. */
static const char *document_of(struct session *s)
{
    struct rule rule;
    struct fault ignored = {0};
    return rules_find(s->settings.plans_dir, s->campaign.rule, &s->arena, &rule, &ignored)
               ? arena_format(&s->arena, "%s %s", rule.document, rule.version)
               : NULL;
}

static bool fill_input(struct session *s, const struct report *report, struct report_input *input,
                       struct fault *f)
{
    struct affected_row *rows = NULL;
    struct conduct c = session_conduct(s);
    struct snapshot_terms terms = conduct_terms(&s->settings, &s->profile);
    if (report->template_path != NULL &&
        !plans_file(s->settings.plans_dir, report->template_path, &s->arena, &input->template, f))
        return false;
    if (report->needs_rows && !conduct_affected(&c, &terms, &s->arena, &rows, &input->row_count, f))
        return false;
    input->rows = rows;
    input->document = document_of(s);
    return true;
}

bool cmd_report(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code;
    AUTO_SESSION s = {0};
    AUTO_BUF text = {0};
    struct snapshot snapshot;
    const struct report *report;
    const char *format = in->values[OPTION_FORMAT];
    if (in->json && format != NULL && strcmp(format, "json") != 0)
        return fault_set(f, FAULT_USAGE, "--json and --format %.40s: one at a time", format);
    if (in->json)
        format = "json";
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !tell_snapshot(&s, true, &s.arena, &snapshot, f))
        return false;
    struct report_input input = {.snapshot = &snapshot};
    if (!reporter_find(in->args[0], format, &snapshot, &report, f) || !fill_input(&s, report, &input, f) ||
        !reporter_render(report, &input, &text, f))
        return false;
    tell_print(&text);
    size_t bare = report->needs_rows ? reporter_without_hash(input.rows, input.row_count) : 0;
    if (bare > 0)
        fprintf(stderr, "note: %zu certificates have no hash in the inventory\n", bare);
    return true;
}
