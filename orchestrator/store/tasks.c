/* Tasks: worked out from the rules, the profile and what the store holds, whenever they are read. */
#include "plan_files.h"
#include "report_counts.h"
#include "report_parts.h"

/* A fact without its time is told all the same. */
static void know(struct milestone_subject *s, enum milestone_fact fact, bool holds, struct utc at)
{
    s->facts[fact] = holds;
    s->fact_at[fact] = holds ? at : UTC_NONE;
}

static struct milestone_subject subject(int cohort)
{
    struct milestone_subject s = {.cohort = cohort};
    for (int i = 0; i < POINT_COUNT; i++)
        s.points[i] = UTC_NONE;
    for (int i = 0; i < FACT_COUNT; i++)
        s.fact_at[i] = UTC_NONE;
    return s;
}

/* Points that the profile gives, once receipt and, if dealt, the first slot are known. */
static void add_profile(struct milestone_subject *s, const struct profile *profile)
{
    struct utc received = s->points[POINT_RECEIVED], slot = s->points[POINT_FIRST_SLOT];
    if (!utc_is_set(slot))
        slot = utc_add(received, profile->first_slot);
    s->points[POINT_FIRST_NOTICE] = profile->notices ? utc_add(received, profile->first_notice) : slot;
    if (profile->notices)
        s->points[POINT_BACKUP_NOTICE] = utc_add(s->points[POINT_FIRST_NOTICE], profile->backup_after);
}

/* Columns of task_facts. */
enum { COHORT, PLANNED, INFEASIBLE, APPROVED, SLOT, TOLD, SILENT, CANARIES };

static struct milestone_subject cohort_subject(const PGresult *r, int row, const struct cohort *c,
                                               const struct profile *profile, const struct task_terms *terms,
                                               int64_t undone)
{
    struct milestone_subject s = subject(c->cohort);
    struct utc planned = get_utc(r, row, PLANNED), told = get_utc(r, row, TOLD);
    bool started = utc_is_set(c->started_at), settled = started && c->plan != 0 && undone == 0;
    s.points[POINT_RECEIVED] = c->received;
    s.points[POINT_FIRST_SLOT] = get_utc(r, row, SLOT);
    s.points[POINT_START] = c->started_at;
    s.points[POINT_DEADLINE] = c->deadline;
    if (get_bool(r, row, INFEASIBLE) && !settled)
        s.points[POINT_MISS] = planned;
    else if (c->missed || (!settled && terms->now.s > c->deadline.s))
        s.points[POINT_MISS] = c->deadline;
    add_profile(&s, profile);
    know(&s, FACT_PLANNED, c->plan != 0, planned);
    know(&s, FACT_APPROVED, started || (c->request != 0 && c->approvals >= terms->quorum),
         get_utc(r, row, APPROVED));
    know(&s, FACT_STARTED, started, c->started_at);
    know(&s, FACT_TOLD, utc_is_set(told) || (started && !profile->notices), told);
    know(&s, FACT_BACKUPS, utc_is_set(told) && !get_bool(r, row, SILENT), UTC_NONE);
    know(&s, FACT_CANARY, started && get_int(r, row, CANARIES) == 0, UTC_NONE);
    know(&s, FACT_SETTLED, settled, UTC_NONE);
    return s;
}

/* The campaign: its anchors, its earliest slot, and whether all its cohorts are settled. */
static bool campaign_subject(struct store *store, const struct campaign *c,
                             const struct milestone_subject *cohorts, size_t n, const struct profile *profile,
                             struct milestone_subject *out, struct fault *f)
{
    struct utc anchors[ANCHOR_COUNT];
    if (!store_anchors(store, c->id, 0, anchors, f))
        return false;
    *out = subject(0);
    bool settled = n > 0;
    out->points[POINT_RECEIVED] = c->received;
    for (size_t i = 0; i < n; i++) {
        struct utc slot = cohorts[i].points[POINT_FIRST_SLOT], *first = &out->points[POINT_FIRST_SLOT];
        if (utc_is_set(slot))
            *first = utc_is_set(*first) ? utc_min(*first, slot) : slot;
        settled = settled && cohorts[i].facts[FACT_SETTLED];
    }
    add_profile(out, profile);
    know(out, FACT_STOPPED, utc_is_set(anchors[ANCHOR_STOPPED]), anchors[ANCHOR_STOPPED]);
    know(out, FACT_SCOPE, utc_is_set(anchors[ANCHOR_SCOPE]), anchors[ANCHOR_SCOPE]);
    know(out, FACT_SETTLED, settled || utc_is_set(c->closed_at), c->closed_at);
    return true;
}

static enum task_role role_from(const char *name)
{
    for (int i = 0; i < TASK_ROLE_COUNT; i++)
        if (strcmp(name, task_role_name((enum task_role)i)) == 0)
            return (enum task_role)i;
    return TASK_COMMANDER;
}

static bool read_said(struct store *store, int campaign, struct arena *a, struct task **out, size_t *n,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(store, "task_said", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct task){.name = arena_text(a, get_text(r, i, 0)),
                                  .cohort = (int)get_int(r, i, 1),
                                  .title = arena_text(a, get_text(r, i, 2)),
                                  .section = arena_text(a, get_text(r, i, 3)),
                                  .document = arena_text(a, get_text(r, i, 4)),
                                  .role = role_from(get_text(r, i, 5)),
                                  .due = get_utc(r, i, 6),
                                  .person = arena_text(a, get_text(r, i, 7)),
                                  .done_at = get_utc(r, i, 8),
                                  .done = !get_null(r, i, 8),
                                  .done_by = arena_text(a, get_text(r, i, 9)),
                                  .note = arena_text(a, get_text(r, i, 10))};
    return true;
}

bool report_tasks(struct store *store, const struct campaign *c, const struct task_terms *terms,
                  const struct cohort *cohorts, size_t cohort_count, const struct counts *counts,
                  struct arena *a, struct task **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    const struct milestone *rows;
    const struct profile *profile;
    struct task *said;
    size_t row_count, said_count;
    put_int(&p, c->id);
    if (!plan_files_clocks(store, terms->plans_dir, c->profile, &rows, &row_count, &profile, f) ||
        !store_query(store, "task_facts", &p, &r, f) || !read_said(store, c->id, a, &said, &said_count, f))
        return false;
    /* two queries: a cohort that came in between has its tasks the next time */
    if ((size_t)PQntuples(r) < cohort_count)
        cohort_count = (size_t)PQntuples(r);
    struct milestone_subject *subjects = arena_array(a, cohort_count + 1, sizeof *subjects);
    for (size_t i = 0; i < cohort_count; i++)
        subjects[i + 1] =
            cohort_subject(r, (int)i, &cohorts[i], profile, terms, counts_undone(counts, cohorts[i].cohort));
    if (!campaign_subject(store, c, subjects + 1, cohort_count, profile, &subjects[0], f))
        return false;
    milestone_tasks(rows, row_count, subjects, cohort_count + 1, said, said_count, a, out, n);
    return true;
}

bool store_tasks(struct store *store, const struct campaign *c, const struct task_terms *terms,
                 struct arena *a, struct task **out, size_t *n, struct fault *f)
{
    struct cohort *cohorts;
    struct counts counts = {0};
    size_t count;
    return store_cohorts(store, c->id, a, &cohorts, &count, f) &&
           report_counts_pages(store, c->id, a, &counts, f) &&
           report_tasks(store, c, terms, cohorts, count, &counts, a, out, n, f);
}

static bool say(struct store *s, const struct act *act, const struct task *t, const char *person, bool done,
                const char *note, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_text(data, "task", t->name);
    json_set_text(data, "title", t->title);
    json_set_utc(data, "due", t->due);
    if (done)
        json_set_text(data, "note", note);
    put_int(&p, act->campaign);
    put_text(&p, t->name);
    put_int(&p, t->cohort);
    put_text(&p, t->title);
    put_text(&p, t->section);
    put_text(&p, t->document);
    put_text(&p, task_role_name(t->role));
    put_utc(&p, t->due);
    put_text(&p, person);
    put_bool(&p, done);
    put_text(&p, note);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, done ? "task_done" : "task_assign");
    put_json(&p, data);
    return store_do(s, "task_say", &p, f);
}

bool store_task_assign(struct store *s, const struct act *act, const struct task *t, const char *person,
                       struct fault *f)
{
    return say(s, act, t, person, false, "", f);
}

bool store_task_done(struct store *s, const struct act *act, const struct task *t, const char *note,
                     struct fault *f)
{
    return say(s, act, t, NULL, true, note, f);
}
