/* import: the affected list, all of it or nothing. */
#include "list.h"

#include <inttypes.h>
#include <stdio.h>

#define REJECTS_SHOWN 20

/* The clock and the words of these certificates, when they are not the campaign's. */
static bool conduct_options(const struct list_input *input, struct conduct_list *list, struct fault *f)
{
    const struct invocation *in = input->in;
    list->rule = in->values[OPTION_RULE];
    list->heuristic = in->values[OPTION_HEURISTIC];
    list->no_expand = in->values[OPTION_NO_EXPAND];
    list->source = input->source;
    list->received = UTC_NONE;
    if (!option_time(in, OPTION_RECEIVED, &list->received, f))
        return false;
    if (utc_is_set(list->received) && in->values[OPTION_SOURCE] == NULL) {
        fault_set(f, FAULT_USAGE, "another receipt needs its evidence");
        return fault_hint(f, "add --source TEXT: how that evidence arrived");
    }
    if (in->values[OPTION_SOURCE] != NULL)
        list->source = in->values[OPTION_SOURCE];
    return true;
}

/* The keys of `import --json`: what intake counted, and what the store made of it. */
static json_t *result_json(const struct intake_list *list, const struct population_result *r)
{
    json_t *o = intake_list_json(list), *excluded = json_object();
    bool stored = r->version > 0;
    json_object_set_new(o, "cohort", stored ? json_integer(r->cohort) : json_null());
    json_object_set_new(o, "version", stored ? json_integer(r->version) : json_null());
    json_set_int(o, "added", r->added);
    json_set_int(o, "expanded", r->expanded);
    json_set_int(o, "orphans", r->orphans);
    json_set_int(o, "precertificates", r->precertificates);
    json_set_int(o, "siblings", r->siblings);
    json_set_int(excluded, "expired_before_receipt", r->expired_before_receipt);
    json_set_int(excluded, "short_lived", r->short_lived);
    json_object_set_new(o, "excluded", excluded);
    json_set_int(o, "elsewhere", r->elsewhere);
    json_set_int(o, "moved", r->moved);
    json_set_int(o, "leaving", r->leaving);
    return o;
}

static void tell_result(const struct list_input *input, const struct population_result *r)
{
    const struct {
        int64_t n;
        const char *text;
    } rows[] = {
        {r->expanded, "came along by their key (BR 6.1.2): to leave them out, --no-expand REASON at import"},
        {r->orphans,
         "in no inventory: affected all the same, and nobody is told until an inventory names them"},
        {r->precertificates, "known by their precertificate only: affected all the same"},
        {r->siblings, "share all their names with another certificate: massrevoke find HOST lists both"},
        {r->expired_before_receipt, "expired before receipt: stand apart, not revoked"},
        {r->short_lived, "short-lived (BR 1.6.1): stand apart, not revoked"},
        {r->elsewhere, "also in another open campaign"},
        {r->moved, "withdrawn from a cohort with a later deadline: here they are due earlier"},
    };
    if (r->version == 0) {
        puts("Nothing was stored.");
        return;
    }
    if (r->added == 0)
        printf("Version %d: nothing new to campaign %s.\n", r->version, input->session->campaign.name);
    else
        printf("Version %d: %" PRId64 " new in cohort %d of campaign %s.\n", r->version, r->added, r->cohort,
               input->session->campaign.name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].n > 0)
            printf("  %" PRId64 " %s\n", rows[i].n, rows[i].text);
    if (r->leaving > 0)
        printf("  %" PRId64
               " more of a cohort with a later deadline are with the CA just now: revoked there, or added "
               "here once it says they are not\n",
               r->leaving);
    puts("Next: massrevoke inventory FILE; massrevoke contacts FILE; massrevoke plan");
}

static void tell(const struct list_input *input, const struct population_result *r)
{
    AUTO_BUF text = {0};
    list_tell_issuer(input);
    if (input->in->json) {
        session_print(result_json(&input->list, r));
        return;
    }
    intake_list_summary(&input->list, REJECTS_SHOWN, &text);
    fputs(buf_str(&text).p, stdout);
    tell_result(input, r);
}

bool cmd_import(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_LIST input = {0};
    struct conduct_list list = {.list = &input.list};
    struct population_result result = {0};
    if (!list_check(in, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) || !list_read(&input, &s, in, f) ||
        !conduct_options(&input, &list, f))
        return false;
    struct conduct c = session_conduct(&s);
    list.sha256 = input.sha256;
    if (input.list.accepted > 0 &&
        (!session_confirm_scope(&s, in, "Certificates are added to a campaign that has started.", f) ||
         !conduct_import(&c, &list, &result, f)))
        return false;
    *exit_code = fault_exit_code(intake_list_verdict(&input.list));
    tell(&input, &result);
    return true;
}
