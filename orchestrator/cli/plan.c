/* plan: the schedule, worked back from the published deadline; and its request for approval. */
#include "massrevoke/planner.h"
#include "session.h"

#include <stdio.h>

static bool show(const struct invocation *in, const struct conduct_plan *p, struct fault *f)
{
    const char *format = in->values[OPTION_FORMAT];
    AUTO_BUF text = {0};
    if (in->json) {
        session_print(planner_json(&p->value));
        return true;
    }
    if (format == NULL || strcmp(format, "text") == 0)
        planner_text(&p->value, &p->input, &text);
    else if (strcmp(format, "csv") == 0)
        planner_csv(&p->value, &text);
    else
        return fault_set(f, FAULT_USAGE, "--format of plan is text or csv, not '%.40s'", format);
    fputs(buf_str(&text).p, stdout);
    return true;
}

static void next_step(const struct session *s, const struct conduct_plan *p)
{
    if (p->request != 0)
        fprintf(stderr,
                "Plan %d of cohort %d waits for %d approval%s as request %d.\nNext: massrevoke request show "
                "%d; massrevoke approve %d --key FILE --cert FILE\n",
                p->plan, p->cohort, s->settings.quorum, s->settings.quorum == 1 ? "" : "s", p->request,
                p->request, p->request);
    else if (p->plan != 0)
        fprintf(stderr,
                "Plan %d replaces the rest of the schedule of cohort %d; what was approved stays what is "
                "revoked.\n",
                p->plan, p->cohort);
    else
        fputs("Nothing was changed.\n", stderr);
}

/* A running campaign is planned with what its CAs really do. */
static bool take_measured(struct session *s, struct conduct *c, struct fault *f)
{
    struct rate *measured;
    if (!store_measured(s->store, s->campaign.id, c->now, s->settings.ca_count, &s->arena, &measured, f))
        return false;
    c->measured = measured;
    for (size_t i = 0; i < s->settings.ca_count; i++)
        if (measured[i].count > 0 && rate_per_hour(rate_slower(measured[i], s->settings.cas[i].rate)) <
                                         rate_per_hour(s->settings.cas[i].rate))
            fprintf(stderr,
                    "%s revokes %lld/h as measured, not %lld/h as configured: planned with the former.\n",
                    s->settings.cas[i].name, (long long)rate_per_hour(measured[i]),
                    (long long)rate_per_hour(s->settings.cas[i].rate));
    return true;
}

bool cmd_plan(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct conduct_plan p;
    int64_t cohort = 0;
    const char *format = in->values[OPTION_FORMAT];
    if (!option_int(in, OPTION_COHORT, 1, INT32_MAX, &cohort, f))
        return false;
    if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "csv") != 0)
        return fault_set(f, FAULT_USAGE, "--format of plan is text or csv, not '%.40s'", format);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    struct utc at = c.now;
    if (!option_time(in, OPTION_AT, &at, f) || !take_measured(&s, &c, f) ||
        !conduct_plan(&c, (int)cohort, at, option_given(in, OPTION_DRY_RUN), &s.arena, &p, f) ||
        !show(in, &p, f))
        return false;
    next_step(&s, &p);
    *exit_code = p.value.feasible ? 0 : fault_exit_code(FAULT_INFEASIBLE);
    return true;
}
