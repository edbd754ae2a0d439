/* task list, assign, done: what people have to do by the clock. */
#include "massrevoke/store_clock.h"
#include "session.h"

#include <stdio.h>

static bool read_tasks(struct session *s, struct task **tasks, size_t *n, struct utc *now, struct fault *f)
{
    *now = s->clock.now(s->clock.self);
    struct task_terms terms = {s->settings.plans_dir, s->settings.quorum, *now};
    return store_tasks(s->store, &s->campaign, &terms, &s->arena, tasks, n, f);
}

static const char *state_of(const struct task *t, struct utc now)
{
    return t->done ? "done" : task_is_overdue(t, now) ? "overdue" : "open";
}

static json_t *task_json(const struct task *t, struct utc now)
{
    json_t *o = json_object();
    json_set_text(o, "task", t->name);
    json_set_int(o, "cohort", t->cohort);
    json_set_text(o, "title", t->title);
    json_set_text(o, "role", task_role_name(t->role));
    json_set_text(o, "person", t->person[0] == '\0' ? NULL : t->person);
    json_set_utc(o, "due", t->due);
    json_set_int(o, "left_seconds", utc_sub(t->due, now).s);
    json_set_text(o, "state", state_of(t, now));
    json_set_utc(o, "done_at", t->done_at);
    json_set_text(o, "done_by", t->done_by[0] == '\0' ? NULL : t->done_by);
    json_set_text(o, "note", t->note[0] == '\0' ? NULL : t->note);
    json_set_text(o, "document", t->document);
    json_set_text(o, "section", t->section);
    return o;
}

/* "3 h 10 min", "OVERDUE 3 h 10 min". */
static const char *left_text(const struct task *t, struct utc now, char out[static SPAN_TEXT + 16])
{
    char span[SPAN_TEXT];
    bool overdue = task_is_overdue(t, now);
    span_format(overdue ? utc_sub(now, t->due) : utc_sub(t->due, now), span);
    snprintf(out, SPAN_TEXT + 16, "%s%s", t->done ? "" : overdue ? "! " : "  ", t->done ? "" : span);
    return out;
}

static void task_line(const struct task *t, struct utc now)
{
    char due[UTC_TEXT], left[SPAN_TEXT + 16];
    utc_format(t->due, due);
    due[10] = ' ';
    printf("%.11sZ  %-18s %-14s %-10.10s %-7s %s: %s%s%s\n", due + 5, left_text(t, now, left),
           task_role_name(t->role), t->person[0] == '\0' ? "-" : t->person, state_of(t, now), t->name,
           t->title, t->note[0] == '\0' ? "" : " -- ", t->note);
}

/* Clocks that something starts which nobody can foresee. */
static void on_event(const struct milestone *rows, size_t n, json_t *list)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        char span[SPAN_TEXT];
        if (rows[i].from != POINT_EVENT)
            continue;
        if (list != NULL) {
            json_t *o = json_object();
            json_set_text(o, "title", rows[i].title);
            json_set_text(o, "role", task_role_name(rows[i].role));
            json_set_int(o, "within_seconds", rows[i].after.s);
            json_set_text(o, "document", rows[i].document);
            json_set_text(o, "section", rows[i].section);
            json_array_append_new(list, o);
            continue;
        }
        printf("%s  within %-18s %-14s %s (%s %s)\n", first ? "When it happens:\n" : "",
               span_format(rows[i].after, span), task_role_name(rows[i].role), rows[i].title,
               rows[i].document, rows[i].section);
        first = false;
    }
}

static void list_json(const struct session *s, const struct task *tasks, size_t n,
                      const struct milestone *rows, size_t row_count, struct utc now)
{
    json_t *object = json_object(), *list = json_array(), *events = json_array();
    int64_t open = 0, overdue = 0;
    for (size_t i = 0; i < n; i++) {
        open += !tasks[i].done;
        overdue += task_is_overdue(&tasks[i], now);
        json_array_append_new(list, task_json(&tasks[i], now));
    }
    on_event(rows, row_count, events);
    json_set_text(object, "campaign", s->campaign.name);
    json_set_utc(object, "as_of", now);
    json_set_int(object, "open", open);
    json_set_int(object, "overdue", overdue);
    json_object_set_new(object, "tasks", list);
    json_object_set_new(object, "on_event", events);
    session_print(object);
}

bool cmd_task_list(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct task *tasks;
    const struct milestone *rows;
    struct utc now;
    size_t n, row_count;
    int overdue = 0;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !read_tasks(&s, &tasks, &n, &now, f) ||
        !milestones_read(s.settings.plans_dir, &s.arena, &rows, &row_count, f))
        return false;
    if (in->json) {
        list_json(&s, tasks, n, rows, row_count, now);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        overdue += task_is_overdue(&tasks[i], now);
    if (overdue > 0)
        printf("! %d OVERDUE\n", overdue);
    printf("%-12s  %-18s %-14s %-10s %-7s %s\n", "DUE", "LEFT", "ROLE", "PERSON", "STATE", "TASK");
    for (size_t i = 0; i < n; i++)
        task_line(&tasks[i], now);
    on_event(rows, row_count, NULL);
    return true;
}

/* The one that is named, if it is still open. */
static bool open_task(struct session *s, const char *name, const struct task **out, struct fault *f)
{
    struct task *tasks;
    struct utc now;
    size_t n;
    char at[UTC_TEXT];
    if (!read_tasks(s, &tasks, &n, &now, f) || !task_find(tasks, n, name, out, f))
        return false;
    if (!(*out)->done)
        return true;
    return fault_set(f, FAULT_CONFLICT, "task %s is done already (%s, %s)", (*out)->name, (*out)->done_by,
                     utc_format((*out)->done_at, at));
}

bool cmd_task_assign(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    const struct task *t;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !open_task(&s, in->args[0], &t, f))
        return false;
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!store_task_assign(s.store, &act, t, in->args[1], f))
        return false;
    char due[UTC_TEXT];
    printf("%s has %s: %s, due %s.\n", in->args[1], t->name, t->title, utc_format(t->due, due));
    return true;
}

bool cmd_task_done(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    const struct task *t;
    const char *note = in->values[OPTION_REASON] == NULL ? "" : in->values[OPTION_REASON];
    char late[SPAN_TEXT];
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !open_task(&s, in->args[0], &t, f))
        return false;
    if (t->by_program && note[0] == '\0') {
        fault_set(f, FAULT_CONFLICT, "%s closes by itself when it has happened, and it has not", t->name);
        return fault_hint(f, "say why it is done all the same: massrevoke task done %s --reason NOTE",
                          t->name);
    }
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!store_task_done(s.store, &act, t, note, f))
        return false;
    bool overdue = task_is_overdue(t, act.at);
    printf("Done: %s: %s%s%s\n", t->name, t->title, overdue ? ", late by " : "",
           overdue ? span_format(utc_sub(act.at, t->due), late) : "");
    return true;
}
