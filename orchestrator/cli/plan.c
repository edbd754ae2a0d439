/* plan: the schedule, worked back from the published deadline, and its request for approval; or, without any
 * campaign, what an incident would ask for. */
#include "massrevoke/incident.h"
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

/* An incident of the shipped ones or of a file: nothing is stored, no database is asked. */
static bool plan_incident(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct settings settings;
    struct incident incident;
    struct conduct_plan p = {0};
    if (!settings_read(in->values[OPTION_CONFIG], &a, &settings, f) ||
        !incident_read(settings.plans_dir, in->values[OPTION_INCIDENT], &a, &incident, f))
        return false;
    struct utc at = utc_add(incident.received, incident.read_after);
    struct rate rate = incident.rate;
    const char *given = in->values[OPTION_RATE];
    if (!option_time(in, OPTION_AT, &at, f) || (given != NULL && !rate_parse(given, &rate, f)))
        return false;
    p.input = incident_input(&incident, &rate, at, &a);
    if (!planner_build(&p.input, &a, &p.value, f))
        return false;
    fprintf(stderr, "%s (%s)\n", incident.title, incident.source);
    *exit_code = p.value.feasible ? 0 : fault_exit_code(FAULT_INFEASIBLE);
    return show(in, &p, f);
}

bool cmd_plan(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct conduct_plan p;
    int64_t cohort = 0;
    const char *format = in->values[OPTION_FORMAT];
    if (option_given(in, OPTION_INCIDENT))
        return plan_incident(in, exit_code, f);
    if (option_given(in, OPTION_RATE))
        return fault_set(f, FAULT_USAGE,
                         "--rate goes with --incident: a campaign takes it from the configuration");
    if (!option_int(in, OPTION_COHORT, 1, INT32_MAX, &cohort, f))
        return false;
    if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "csv") != 0)
        return fault_set(f, FAULT_USAGE, "--format of plan is text or csv, not '%.40s'", format);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    struct utc at = c.now;
    if (!option_time(in, OPTION_AT, &at, f) ||
        !conduct_plan(&c, (int)cohort, at, option_given(in, OPTION_DRY_RUN), &s.arena, &p, f) ||
        !show(in, &p, f))
        return false;
    next_step(&s, &p);
    *exit_code = p.value.feasible ? 0 : fault_exit_code(FAULT_INFEASIBLE);
    return true;
}
