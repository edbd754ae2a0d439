#include "massrevoke/milestone.h"

#include <stdlib.h>

static const char *const anchors[ANCHOR_COUNT] = {"received", "acknowledged", "confirmed",
                                                  "scope",    "stopped",      "fixed"};
static const char *const roles[TASK_ROLE_COUNT] = {"commander",  "compliance", "communications",
                                                   "operations", "legal",      "engineering"};

const char *anchor_name(enum anchor anchor)
{
    return anchors[anchor];
}

enum anchor anchor_from_name(struct str name)
{
    for (int i = 0; i < ANCHOR_COUNT; i++)
        if (str_is(name, anchors[i]))
            return (enum anchor)i;
    return ANCHOR_COUNT;
}

const char *task_role_name(enum task_role role)
{
    return roles[role];
}

/* The first must not lie after the second. What is not here is possible: issuance may stop, and the fault may
 * be fixed, before anybody reports it (a routine update), and one without the other. */
static const enum anchor order[][2] = {
    {ANCHOR_RECEIVED, ANCHOR_ACKNOWLEDGED},
    {ANCHOR_RECEIVED, ANCHOR_CONFIRMED},
    {ANCHOR_RECEIVED, ANCHOR_SCOPE},
    {ANCHOR_ACKNOWLEDGED, ANCHOR_CONFIRMED},
};

static bool refuse_order(enum anchor first, struct utc at, enum anchor second, struct utc then,
                         struct fault *f)
{
    char a[UTC_TEXT], b[UTC_TEXT];
    fault_set(f, FAULT_REFUSED, "impossible order: %s %s lies after %s %s", anchor_name(first),
              utc_format(at, a), anchor_name(second), utc_format(then, b));
    return fault_hint(f, "is one of them a local time taken for UTC? record the wrong one anew first");
}

bool anchor_check(enum anchor anchor, struct utc at, const struct utc known[static ANCHOR_COUNT],
                  struct utc first_issued, struct fault *f)
{
    char a[UTC_TEXT], b[UTC_TEXT];
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        enum anchor first = order[i][0], second = order[i][1];
        struct utc from = first == anchor ? at : known[first], to = second == anchor ? at : known[second];
        if ((first == anchor || second == anchor) && utc_is_set(from) && utc_is_set(to) && from.s > to.s)
            return refuse_order(first, from, second, to, f);
    }
    if ((anchor == ANCHOR_FIXED || anchor == ANCHOR_STOPPED) && utc_is_set(first_issued) &&
        at.s < first_issued.s)
        return fault_set(f, FAULT_REFUSED,
                         "impossible order: %s %s lies before the first affected certificate was issued, %s",
                         anchor_name(anchor), utc_format(at, a), utc_format(first_issued, b));
    return true;
}

/* What people said about the task of that name. */
static const struct task *said_of(const struct task *said, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(said[i].name, name) == 0)
            return &said[i];
    return NULL;
}

static const char *task_name(struct arena *a, const struct milestone *m, int cohort, int nth)
{
    const char *cohort_part = cohort == 0 ? "" : arena_format(a, ":%d", cohort);
    return m->every.s == 0 ? arena_format(a, "%s%s", m->id, cohort_part)
                           : arena_format(a, "%s-%d%s", m->id, nth, cohort_part);
}

static struct task work_out(const struct milestone *m, const struct milestone_subject *s, const char *name,
                            int nth, const struct task *said, struct arena *a)
{
    struct utc due = utc_add(s->points[m->from], (struct span){m->after.s + (nth - 1) * m->every.s});
    if (utc_is_set(s->points[POINT_RECEIVED])) /* nothing was due before anybody knew */
        due = utc_max(due, s->points[POINT_RECEIVED]);
    struct task t = {.name = name,
                     .title = m->title,
                     .section = m->section,
                     .document = arena_format(a, "%s %s", m->document, m->version),
                     .cohort = s->cohort,
                     .role = m->role,
                     .by_program = m->done != FACT_NONE,
                     .due = due,
                     .done_at = UTC_NONE,
                     .person = "",
                     .done_by = "",
                     .note = ""};
    if (said != NULL) {
        t.person = said->person;
        t.note = said->note;
    }
    if (said != NULL && said->done) { /* as it was when it was done */
        t.done = true;
        t.due = said->due;
        t.title = said->title;
        t.done_at = said->done_at;
        t.done_by = said->done_by;
    } else if (s->facts[m->done]) {
        t.done = true;
        t.done_at = s->fact_at[m->done];
        t.done_by = "massrevoke";
    }
    return t;
}

static bool concerns(const struct milestone *m, const struct milestone_subject *s,
                     const struct milestone_subject *campaign)
{
    switch (m->per) {
    case PER_CAMPAIGN:
        return s->cohort == 0;
    case PER_RECEIPT:
        return s->cohort == 0 || s->points[POINT_RECEIVED].s != campaign->points[POINT_RECEIVED].s;
    case PER_COHORT:
        return s->cohort != 0;
    case PER_COUNT:
        break;
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct task *x = a, *y = b;
    if (x->done != y->done)
        return x->done ? 1 : -1;
    if (x->due.s != y->due.s)
        return x->due.s < y->due.s ? -1 : 1;
    return strcmp(x->name, y->name);
}

void milestone_tasks(const struct milestone *rows, size_t row_count, const struct milestone_subject *subjects,
                     size_t subject_count, const struct task *said, size_t said_count, struct arena *a,
                     struct task **out, size_t *count)
{
    bool over = subjects[0].facts[FACT_SETTLED];
    size_t n = 0; /* one open instance a row and subject, and each done one was said */
    *out = arena_array(a, row_count * subject_count + said_count, sizeof **out);
    for (size_t i = 0; i < row_count; i++)
        for (size_t k = 0; k < subject_count; k++) {
            const struct milestone *m = &rows[i];
            const struct milestone_subject *s = &subjects[k];
            if (!concerns(m, s, &subjects[0]) || !utc_is_set(s->points[m->from]))
                continue;
            for (int nth = 1;; nth++) {
                const char *name = task_name(a, m, s->cohort, nth);
                const struct task *known = said_of(said, said_count, name);
                struct task t = work_out(m, s, name, nth, known, a);
                if (m->every.s > 0 && over && !t.done)
                    break;
                (*out)[n++] = t;
                if (m->every.s == 0 || !t.done || known == NULL)
                    break;
            }
        }
    for (size_t i = 0; i < said_count; i++) /* done under rules that are gone: still done */
        if (said[i].done && said_of(*out, n, said[i].name) == NULL)
            (*out)[n++] = said[i];
    qsort(*out, n, sizeof **out, compare);
    *count = n;
}

bool task_is_overdue(const struct task *t, struct utc now)
{
    return !t->done && t->due.s < now.s;
}

/* "start" for "start:1", "update" for "update-2". */
static bool is_short_for(const char *name, const char *full)
{
    size_t n = strlen(name);
    return strncmp(full, name, n) == 0 &&
           (full[n] == ':' || (full[n] == '-' && full[n + 1] >= '0' && full[n + 1] <= '9'));
}

bool task_find(const struct task *tasks, size_t count, const char *name, const struct task **out,
               struct fault *f)
{
    AUTO_BUF names = {0};
    size_t open = 0, all = 0;
    const struct task *any = NULL;
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tasks[i].name, name) == 0) {
            *out = &tasks[i];
            return true;
        }
        if (!is_short_for(name, tasks[i].name))
            continue;
        all++;
        any = &tasks[i];
        if (!tasks[i].done) {
            open++;
            *out = &tasks[i];
            buf_format(&names, " %s", tasks[i].name);
        }
    }
    if (open == 0 && all == 1)
        *out = any;
    if (open == 1 || (open == 0 && all == 1))
        return true;
    if (open == 0) {
        fault_set(f, FAULT_FAILED, "there is no task '%.60s'", name);
        return fault_hint(f, "massrevoke task list");
    }
    fault_set(f, FAULT_FAILED, "'%.60s' is more than one task", name);
    return fault_hint(f, "name one of:%.300s", names.p);
}
