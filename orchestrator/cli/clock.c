/* anchor and rule: when the clock began, and which one runs. */
#include "massrevoke/conduct_clock.h"
#include "session.h"

#include <stdio.h>

static json_t *rows_json(const struct conduct_clock *done)
{
    json_t *list = json_array();
    for (size_t i = 0; i < done->count; i++) {
        const struct clock_row *row = &done->rows[i];
        json_t *o = json_object();
        json_set_int(o, "cohort", row->cohort);
        json_set_text(o, "old_rule", row->old_rule);
        json_set_text(o, "rule", row->rule);
        json_set_text(o, "old_reason", reason_name(row->old_reason));
        json_set_text(o, "reason", reason_name(row->reason));
        json_set_utc(o, "old_received", row->old_received);
        json_set_utc(o, "received", row->received);
        json_set_utc(o, "old_deadline", row->old_deadline);
        json_set_utc(o, "deadline", row->deadline);
        json_array_append_new(list, o);
    }
    return list;
}

/* What both commands tell; takes `o`. */
static void tell_json(json_t *o, const struct conduct_clock *done)
{
    json_t *again = json_array();
    json_set_bool(o, "moved", done->moved);
    if (done->request != 0)
        json_set_int(o, "request", done->request);
    else
        json_object_set_new(o, "request", json_null());
    json_set_text(o, "warning", done->warning[0] == '\0' ? NULL : done->warning);
    json_object_set_new(o, "cohorts", rows_json(done));
    for (size_t i = 0; i < done->plan_again_count; i++)
        json_array_append_new(again, json_integer(done->plan_again[i]));
    json_object_set_new(o, "plan_again", again);
    session_print(o);
}

static void tell_text(const struct session *s, const struct conduct_clock *done)
{
    struct utc now = s->clock.now(s->clock.self);
    for (size_t i = 0; i < done->count; i++) {
        const struct clock_row *row = &done->rows[i];
        char who[32], from[UTC_TEXT], to[UTC_TEXT], left[SPAN_TEXT];
        bool past = row->deadline.s < now.s;
        struct span d = past ? utc_sub(now, row->deadline) : utc_sub(row->deadline, now);
        if (row->cohort == 0)
            snprintf(who, sizeof who, "later lists");
        else
            snprintf(who, sizeof who, "cohort %d", row->cohort);
        printf("  %-12s %s  deadline %s%s%s, %s%s\n", who, row->rule, utc_format(row->old_deadline, from),
               done->moved ? " is now " : " would be ", utc_format(row->deadline, to),
               past ? "MISSED by " : "in ", span_format(d, left));
    }
    if (done->request != 0)
        printf("Nothing has moved yet: that needs %d approval%s.\nNext: massrevoke request show %d; "
               "massrevoke approve %d --key FILE --cert FILE\n",
               s->settings.quorum, s->settings.quorum == 1 ? "" : "s", done->request, done->request);
    for (size_t i = 0; i < done->plan_again_count; i++)
        printf("The plan of cohort %d is for another deadline. Plan again: massrevoke plan --cohort %d\n",
               done->plan_again[i], done->plan_again[i]);
}

static void tell_warning(const struct conduct_clock *done)
{
    if (done->warning[0] != '\0')
        fprintf(stderr, "massrevoke: warning: %s\n", done->warning);
}

bool cmd_anchor(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct anchor_record r = {.raw = in->args[1]};
    struct conduct_clock done;
    int64_t cohort = 0;
    char at[UTC_TEXT];
    (void)exit_code;
    r.anchor = anchor_from_name(str_of(in->args[0]));
    if (r.anchor == ANCHOR_COUNT) {
        fault_set(f, FAULT_USAGE, "'%.40s' is no anchor", in->args[0]);
        return fault_hint(f, "received, acknowledged, confirmed, scope, stopped or fixed");
    }
    if (!utc_parse(in->args[1], &r.at, f) || !option_required(in, OPTION_SOURCE, f) ||
        !option_int(in, OPTION_COHORT, 1, INT32_MAX, &cohort, f) ||
        !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    r.source = in->values[OPTION_SOURCE];
    struct conduct c = session_conduct(&s);
    if ((r.anchor == ANCHOR_RECEIVED &&
         !session_confirm_scope(&s, in, "This moves the clock of a campaign that has started.", f)) ||
        !conduct_anchor(&c, &r, (int)cohort, &s.arena, &done, f))
        return false;
    tell_warning(&done);
    utc_format(r.at, at);
    if (in->json) {
        json_t *o = json_object();
        json_set_text(o, "anchor", anchor_name(r.anchor));
        json_set_utc(o, "at", r.at);
        json_set_text(o, "typed", r.raw);
        json_set_text(o, "source", r.source);
        tell_json(o, &done);
        return true;
    }
    printf("%s %s %s%s\n", done.request != 0 ? "Asked for:" : "Recorded:", anchor_name(r.anchor), at,
           done.count == 0 ? ". It moves no deadline." : "");
    tell_text(&s, &done);
    return true;
}

bool cmd_rule(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct conduct_clock done;
    int64_t cohort = 0;
    (void)exit_code;
    if (!option_int(in, OPTION_COHORT, 1, INT32_MAX, &cohort, f) ||
        !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!session_confirm_scope(&s, in, "This puts another clause on a campaign that has started.", f) ||
        !conduct_rule(&c, in->args[0], (int)cohort, &s.arena, &done, f))
        return false;
    tell_warning(&done);
    if (in->json) {
        json_t *o = json_object();
        json_set_text(o, "rule", done.rule);
        json_set_text(o, "profile", done.profile);
        tell_json(o, &done);
        return true;
    }
    printf("%s clause %s, reason %s; planned with profile %s\n",
           done.request != 0 ? "Asked for:" : "Applies:", done.rule, reason_name(done.rows[0].reason),
           done.profile);
    tell_text(&s, &done);
    return true;
}
