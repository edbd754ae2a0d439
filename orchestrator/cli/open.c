/* open: a campaign begins, with the clock that runs from receipt. */
#include "session.h"

#include <stdio.h>

bool cmd_open(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_ARENA a = {0};
    struct rule rule;
    struct conduct_opening o = {.name = in->args[0],
                                .mode = "live",
                                .rule = in->values[OPTION_RULE],
                                .profile = in->values[OPTION_PROFILE]};
    char received[UTC_TEXT], deadline[UTC_TEXT], left[SPAN_TEXT];
    int id;
    (void)exit_code;
    if (!option_required(in, OPTION_RULE, f) || !option_required(in, OPTION_RECEIVED, f) ||
        !option_time(in, OPTION_RECEIVED, &o.received, f) ||
        !option_int(in, OPTION_BUG, 1, INT64_MAX, &o.bug, f) || !session_open(in, SESSION_STORE, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!conduct_open(&c, &o, &id, f) || !rules_find(s.settings.plans_dir, o.rule, &a, &rule, f))
        return false;
    struct utc end = utc_add(o.received, rule.deadline);
    printf("Opened campaign %s [LIVE].\n  Rule      %s (%s %s), reason %d %s\n            %s\n", o.name,
           rule.id, rule.document, rule.version, (int)rule.reason, reason_name((int)rule.reason), rule.text);
    printf("  Received  %s\n  Deadline  %s, %s%s\n", utc_format(o.received, received),
           utc_format(end, deadline), end.s > c.now.s ? "in " : "MISSED by ",
           span_format(end.s > c.now.s ? utc_sub(end, c.now) : utc_sub(c.now, end), left));
    printf("Next: massrevoke import FILE\n");
    return true;
}
