/* plan: the schedule, worked back from the published deadline, and its request for approval; what an outage
 * would do to it; what changed since the last one; or, without any campaign, what an incident would ask for.
 */
#include "massrevoke/incident.h"
#include "massrevoke/planner.h"
#include "massrevoke/store_clock.h"
#include "massrevoke/store_plan.h"
#include "session.h"

#include <stdio.h>

static void print(struct buf *text)
{
    fputs(buf_str(text).p, stdout);
}

/* Open tasks with a time, as entries of the calendar. */
static bool list_tasks(struct session *s, struct plan_event **out, size_t *n, struct fault *f)
{
    struct task_terms terms = {s->settings.plans_dir, s->settings.quorum, s->clock.now(s->clock.self)};
    struct task *tasks;
    size_t count;
    *n = 0;
    if (!store_tasks(s->store, &s->campaign, &terms, &s->arena, &tasks, &count, f))
        return false;
    *out = arena_array(&s->arena, count, sizeof **out);
    for (size_t i = 0; i < count; i++)
        if (!tasks[i].done && utc_is_set(tasks[i].due))
            (*out)[(*n)++] = (struct plan_event){tasks[i].name, tasks[i].due, tasks[i].title};
    return true;
}

static bool show_ics(struct session *s, const struct conduct_plan *p, struct fault *f)
{
    AUTO_BUF text = {0};
    struct plan_event *events;
    size_t n;
    if (!list_tasks(s, &events, &n, f))
        return false;
    planner_ics(&p->value, &p->input, s->campaign.name, s->clock.now(s->clock.self), events, n, &text);
    print(&text);
    return true;
}

static bool format_known(const char *format, struct fault *f)
{
    static const char *const known[] = {"text", "csv", "ics"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (format == NULL || strcmp(format, known[i]) == 0)
            return true;
    return fault_set(f, FAULT_USAGE, "--format of plan is text, csv or ics, not '%.40s'", format);
}

/* As text, CSV or JSON. */
static void show(const struct invocation *in, const struct conduct_plan *p)
{
    const char *format = in->values[OPTION_FORMAT];
    AUTO_BUF text = {0};
    if (in->json) {
        session_print(planner_json(&p->value));
        return;
    }
    if (format != NULL && strcmp(format, "csv") == 0)
        planner_csv(&p->value, &text);
    else
        planner_text(&p->value, &p->input, &text);
    print(&text);
}

static bool is_ics(const struct invocation *in)
{
    const char *format = in->values[OPTION_FORMAT];
    return format != NULL && strcmp(format, "ics") == 0 && !in->json;
}

/* "What if the CA is down for so long?" Ends 9 when a deadline would be missed. */
static bool show_outage(const struct invocation *in, const struct conduct_plan *p, int *exit_code,
                        struct fault *f)
{
    struct span length = {0};
    struct plan_outage outage;
    AUTO_BUF text = {0};
    if (!option_span(in, OPTION_OUTAGE, &length, f))
        return false;
    planner_outage(&p->input, &p->value, length, &outage);
    *exit_code = outage.in_time ? 0 : fault_exit_code(FAULT_INFEASIBLE);
    if (in->json) {
        session_print(planner_outage_json(&outage, &p->input));
        return true;
    }
    planner_outage_text(&outage, &p->input, &text);
    print(&text);
    return true;
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
    if (option_given(in, OPTION_OUTAGE))
        return show_outage(in, &p, exit_code, f);
    if (is_ics(in)) {
        AUTO_BUF text = {0};
        planner_ics(&p.value, &p.input, incident.name, at, NULL, 0, &text);
        print(&text);
    } else {
        show(in, &p);
    }
    return true;
}

/* ---- what changed ---- */

/* The plan of the cohort before `plan`; *found false when there is none. */
static bool plan_before(struct session *s, const struct stored_plan *plan, struct stored_plan *out,
                        bool *found, struct fault *f)
{
    *found = false;
    for (int n = plan->plan - 1; n > 0 && !*found; n--) {
        if (!store_plan_get(s->store, s->campaign.id, n, &s->arena, out, f))
            return false;
        *found = out->cohort == plan->cohort;
    }
    return true;
}

static json_t *moves_json(const struct plan_moves *m)
{
    json_t *o = json_object(), *rows = json_array();
    json_set_int(o, "earlier", m->earlier);
    json_set_int(o, "later", m->later);
    for (size_t i = 0; i < m->count; i++) {
        json_t *row = json_object();
        json_set_text(row, "subscriber", m->rows[i].subscriber);
        json_set_utc(row, "was", m->rows[i].was);
        json_set_utc(row, "is_now", m->rows[i].is_now);
        json_array_append_new(rows, row);
    }
    json_object_set_new(o, "subscribers", rows);
    return o;
}

static void moves_text(const struct plan_moves *m, struct buf *out)
{
    buf_format(out, "\n  subscribers moved  %lld earlier (told again first), %lld later\n",
               (long long)m->earlier, (long long)m->later);
    for (size_t i = 0; i < m->count && i < 6; i++) {
        char was[UTC_TEXT], is_now[UTC_TEXT];
        buf_format(out, "    %-30.30s %s -> %s\n", m->rows[i].subscriber, utc_format(m->rows[i].was, was),
                   utc_format(m->rows[i].is_now, is_now));
    }
}

/* The newest plan of the cohort beside the one before it: what an approver of a replan wants to see. */
static bool plan_diff(const struct invocation *in, struct session *s, int64_t wanted, struct fault *f)
{
    struct conduct c = session_conduct(s);
    struct cohort cohort;
    struct stored_plan fresh, old;
    struct plan_moves moves;
    bool found;
    if (!conduct_cohort(&c, (int)wanted, true, &s->arena, &cohort, f))
        return false;
    if (cohort.plan == 0) {
        fault_set(f, FAULT_FAILED, "cohort %d has no plan", cohort.cohort);
        return fault_hint(f, "massrevoke plan --cohort %d", cohort.cohort);
    }
    if (!store_plan_get(s->store, s->campaign.id, cohort.plan, &s->arena, &fresh, f) ||
        !plan_before(s, &fresh, &old, &found, f))
        return false;
    if (!found)
        return fault_set(f, FAULT_FAILED,
                         "plan %d is the first of cohort %d: there is nothing to compare it with", fresh.plan,
                         cohort.cohort);
    if (!store_plan_moves(s->store, s->campaign.id, old.plan, fresh.plan, &s->arena, &moves, f))
        return false;
    AUTO_JSON *before = json_loads(old.summary, 0, NULL), *after = json_loads(fresh.summary, 0, NULL);
    json_t *diff = planner_diff(before, after);
    json_set_int(diff, "old_plan", old.plan);
    json_set_int(diff, "new_plan", fresh.plan);
    json_object_set_new(diff, "moves", moves_json(&moves));
    if (in->json) {
        session_print(diff);
        return true;
    }
    AUTO_BUF text = {0};
    printf("Plan %d of cohort %d, compared with plan %d:\n", fresh.plan, cohort.cohort, old.plan);
    planner_diff_text(diff, &text);
    moves_text(&moves, &text);
    print(&text);
    json_decref(diff);
    return true;
}

/* ---- planning ---- */

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
    if (p->request != 0 && (s->settings.alert.command_count > 0 || s->settings.alert.oncall_count > 0))
        fputs("Who is on call hears of it from an engine: massrevoke run, or its unit.\n", stderr);
}

/* A running campaign is planned with what its CAs really do. */
static bool take_measured(struct session *s, struct conduct *c, struct fault *f)
{
    struct rate *measured;
    if (!store_measured(s->store, s->campaign.id, c->now, s->settings.ca_count, &s->arena, &measured, f))
        return false;
    c->measured = measured;
    for (size_t i = 0; i < s->settings.ca_count; i++) {
        struct rate set = s->settings.cas[i].rate;
        if (rate_per_hour(rate_slower(measured[i], set)) < rate_per_hour(set))
            fprintf(stderr,
                    "%s revokes %lld/h as measured, not %lld/h as configured: planned with the former.\n",
                    s->settings.cas[i].name, (long long)rate_per_hour(measured[i]),
                    (long long)rate_per_hour(set));
    }
    return true;
}

static bool check_options(const struct invocation *in, int64_t *cohort, struct fault *f)
{
    if (option_given(in, OPTION_RATE) && !option_given(in, OPTION_INCIDENT))
        return fault_set(f, FAULT_USAGE,
                         "--rate goes with --incident: a campaign takes it from the configuration");
    return option_int(in, OPTION_COHORT, 1, INT32_MAX, cohort, f) &&
           format_known(in->values[OPTION_FORMAT], f);
}

bool cmd_plan(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct conduct_plan p;
    int64_t cohort = 0;
    bool outage = option_given(in, OPTION_OUTAGE), look_only = outage || option_given(in, OPTION_DRY_RUN);
    if (!check_options(in, &cohort, f))
        return false;
    if (option_given(in, OPTION_INCIDENT))
        return plan_incident(in, exit_code, f);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    if (option_given(in, OPTION_DIFF))
        return plan_diff(in, &s, cohort, f);
    struct conduct c = session_conduct(&s);
    struct utc at = c.now;
    c.override = in->values[OPTION_OVERRIDE];
    c.compromised_at = UTC_NONE;
    if (!option_time(in, OPTION_AT, &at, f) ||
        !option_time(in, OPTION_COMPROMISED_AT, &c.compromised_at, f) || !take_measured(&s, &c, f) ||
        !conduct_plan(&c, (int)cohort, at, look_only, &s.arena, &p, f))
        return false;
    fputs(p.unproved, stderr);
    if (outage)
        return show_outage(in, &p, exit_code, f);
    if (is_ics(in) && !show_ics(&s, &p, f))
        return false;
    if (!is_ics(in))
        show(in, &p);
    next_step(&s, &p);
    *exit_code = p.value.feasible ? 0 : fault_exit_code(FAULT_INFEASIBLE);
    return true;
}
