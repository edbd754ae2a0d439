/* Alerts: causes from the store and from what this engine sees, calls made through the doors and answered by
 * them. A call is committed before it is made, and its outcome after; a mail goes again under the same
 * Message-ID, so a kill loses none and doubles none that matters. Without a database the calls are kept in
 * memory until it is back. */
#include "internal.h"
#include "massrevoke/alerting.h"
#include "massrevoke/store_alert.h"
#include "massrevoke/store_clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define JUDGE_EVERY 15   /* seconds between looks at the causes */
#define TASKS_EVERY 300  /* reading tasks takes long in a large campaign */
#define SILENT_AFTER 30  /* seconds of the server's clock */
#define CLEARED_FOR 3600 /* so long an ended alert is still called out as over */
#define LOST_TRIES 64    /* calls that are kept while there is no database */
#define END_SECONDS 5    /* so long the end waits for calls under way */
#define MORE_ROOM 64     /* bytes kept for the line that counts what found no room */

/* A call under way or answered, not yet committed. */
struct call {
    int64_t id, alert; /* alert 0: the lost database */
    int step;
    enum alert_path path;
    bool answered;
    enum mail_outcome outcome;
    char text[200];
};

struct alerting {
    struct utc judged, called, beaten, tasks_read;
    struct arena events_arena, tasks_arena;
    int64_t seq; /* of the log, up to which events were read */
    struct alert_event *events;
    size_t event_count;
    struct task *tasks;
    size_t task_count;
    struct utc *away; /* per CA: since when it takes no requests */
    int64_t next_id;
    struct call *calls;
    size_t call_count;
    struct utc lost_at;
    char lost_why[200];
    struct alert_try lost_tries[LOST_TRIES];
    size_t lost_count;
    char lines[1024], beat_fault[200];
    size_t more; /* lines that found no room */
};

void engine_alert_open(struct engine *e)
{
    if (e->parts.alert == NULL)
        return;
    e->alerting = arena_alloc(&e->arena, sizeof *e->alerting);
    *e->alerting = (struct alerting){.judged = UTC_NONE,
                                     .called = UTC_NONE,
                                     .beaten = UTC_NONE,
                                     .tasks_read = UTC_NONE,
                                     .lost_at = UTC_NONE};
    e->alerting->away = arena_array(&e->arena, e->parts.ca_count, sizeof *e->alerting->away);
    for (size_t i = 0; i < e->parts.ca_count; i++)
        e->alerting->away[i] = UTC_NONE;
}

/* --- answers --- */

static void answered(struct alerting *x, int64_t id, enum mail_outcome outcome, const char *text)
{
    for (size_t i = 0; i < x->call_count; i++)
        if (x->calls[i].id == id) {
            x->calls[i].answered = true;
            x->calls[i].outcome = outcome;
            snprintf(x->calls[i].text, sizeof x->calls[i].text, "%.199s", text);
        }
}

static void on_mail(void *context, const struct mail_answer *answer)
{
    answered(context, answer->id, answer->outcome, answer->text);
}

/* Takes what is ready; *busy: some are still owed. A heartbeat that does not arrive is told once, not called
 * out: its absence is the alert. */
static void take_answers(struct engine *e, bool *busy)
{
    struct alerting *x = e->alerting;
    struct alert_answer answer;
    struct fault ignored = {0};
    bool mail_busy = false;
    while (alert_next(e->parts.alert, &answer, busy))
        if (answer.id == ALERT_BEAT)
            snprintf(x->beat_fault, sizeof x->beat_fault, "%s", answer.ok ? "" : answer.text);
        else
            answered(x, answer.id, answer.ok ? MAIL_ACCEPTED : MAIL_LATER, answer.text);
    if (e->parts.alert_mail != NULL && x->call_count > 0)
        (void)!e->parts.alert_mail->ops->step(e->parts.alert_mail, &mail_busy, &ignored);
    *busy = *busy || mail_busy;
}

static void forget(struct alerting *x, size_t i)
{
    x->calls[i] = x->calls[--x->call_count];
}

/* The lost database's calls are facts of memory until it is back. */
static void keep_lost(struct alerting *x, const struct call *c)
{
    for (size_t i = 0; i < x->lost_count; i++)
        if (x->lost_tries[i].step == c->step && x->lost_tries[i].path == c->path) {
            x->lost_tries[i].open = false;
            x->lost_tries[i].outcome = c->outcome;
        }
}

static bool commit_answers(struct engine *e, struct fault *f)
{
    struct alerting *x = e->alerting;
    for (size_t i = 0; i < x->call_count;) {
        const struct call *c = &x->calls[i];
        if (!c->answered) {
            i++;
            continue;
        }
        if (c->alert == 0)
            keep_lost(x, c);
        else if (!store_alert_told(e->parts.store, e->parts.campaign, e->id, c->alert, c->step, c->path,
                                   c->outcome, c->text, f))
            return false;
        forget(x, i);
    }
    return true;
}

/* --- calls --- */

static bool is_under_way(const struct alerting *x, int64_t alert, const struct alerting_due *due)
{
    for (size_t i = 0; i < x->call_count; i++)
        if (x->calls[i].alert == alert && x->calls[i].step == due->step && x->calls[i].path == due->path)
            return true;
    return false;
}

/* Hands one call to its door. What the door refuses at once is an answer, too. */
static void call_out(struct engine *e, const struct alert *alert, const struct alerting_due *due,
                     const struct settings_oncall *to)
{
    AUTO_ARENA a = {0};
    struct alerting *x = e->alerting;
    struct fault f = {0};
    int64_t id = ++x->next_id;
    const struct alerting_words words = {e->parts.campaign_name, e->parts.mode, alert, due->step, to};
    x->calls = arena_grow(x->calls, (x->call_count + 1) * sizeof *x->calls);
    x->calls[x->call_count++] =
        (struct call){.id = id, .alert = alert->alert, .step = due->step, .path = due->path};
    bool ok;
    if (due->path == ALERT_COMMAND) {
        AUTO_JSON *json = alerting_json(&words, true);
        AUTO_BUF text = {0};
        json_pretty(json, &text);
        ok = alert_start(e->parts.alert, id, buf_str(&text), alerting_environment(&words, &a), &f);
    } else {
        assert(to != NULL); /* mail goes to somebody */
        struct mail_message m = {.id = id, .from = e->parts.settings->mail_from, .to = to->email};
        int64_t number = alert->alert > 0 ? alert->alert : alert->raised_at.s;
        m.name = arena_format(&a, "alert-%s-%06" PRId64 "-%02d", e->parts.campaign_name, number, due->step);
        e->parts.alert_mail->answer = on_mail;
        e->parts.alert_mail->answer_context = x;
        ok = alerting_mail(&words, e->parts.settings, alert->raised_at, &a, &m.bytes, &f) &&
             e->parts.alert_mail->ops->send(e->parts.alert_mail, &m, &f);
    }
    if (!ok)
        answered(x, id, f.kind == FAULT_REFUSED ? MAIL_REFUSED : MAIL_LATER, f.text);
}

/* Is there room at the door now? If not the call stays due. */
static bool has_room(const struct engine *e, const struct alerting_due *due)
{
    return due->path == ALERT_COMMAND ? alert_room(e->parts.alert) > 0 : e->parts.alert_mail != NULL;
}

/* A call without a database to commit it to. */
static void note_lost(struct alerting *x, const struct alerting_due *due, struct utc at,
                      const struct settings_oncall *to)
{
    size_t i = 0;
    while (i < x->lost_count && (x->lost_tries[i].step != due->step || x->lost_tries[i].path != due->path))
        i++;
    if (i == LOST_TRIES)
        return; /* half a day of calls that nobody answered */
    int attempt = i < x->lost_count ? x->lost_tries[i].attempt + 1 : 1;
    x->lost_count += i == x->lost_count;
    x->lost_tries[i] = (struct alert_try){.step = due->step,
                                          .path = due->path,
                                          .attempt = attempt,
                                          .at = at,
                                          .open = true,
                                          .to = to == NULL ? "" : to->name,
                                          .text = ""};
}

/* Makes the calls of one alert that are due. */
static bool call(struct engine *e, const struct alert *alert, struct utc *wake, struct fault *f)
{
    struct alerting *x = e->alerting;
    const struct settings_alert *s = &e->parts.settings->alert;
    struct act act = engine_act(e);
    struct alerting_due due[2];
    struct utc again;
    size_t n = alerting_due(alert, s, act.at, due, &again);
    utc_sooner(wake, again);
    for (size_t i = 0; i < n; i++) {
        const struct settings_oncall *to =
            s->oncall_count > 0 && due[i].step >= 0 ? &s->oncall[due[i].oncall] : NULL;
        bool mine = true;
        if (is_under_way(x, alert->alert, &due[i]))
            continue;
        if (!has_room(e, &due[i])) {
            utc_sooner(wake, utc_add(act.at, (struct span){1}));
            continue;
        }
        if (alert->alert == 0) {
            note_lost(x, &due[i], act.at, to);
        } else if (!store_alert_call(e->parts.store, &act, e->id, alert->alert, due[i].step, due[i].path,
                                     to == NULL ? "" : to->name, &mine, f))
            return false;
        if (mine)
            call_out(e, alert, &due[i], to);
    }
    return true;
}

/* --- causes --- */

/* The measure is whether the engine leaves the CA alone because of its answers. */
static void look_at_backends(struct engine *e, struct arena *a, struct alerting_facts *facts)
{
    struct alerting_backend *list = arena_array(a, e->parts.ca_count, sizeof *list);
    for (size_t i = 0; i < e->parts.ca_count; i++) {
        struct utc *away = &e->alerting->away[i];
        bool rests = e->lines[i].rest_seconds > 0;
        *away = !rests ? UTC_NONE : utc_is_set(*away) ? *away : facts->now;
        if (rests)
            list[facts->away_count++] = (struct alerting_backend){
                e->parts.settings->cas[i].name, "it cannot be reached, or turns requests away", *away};
    }
    facts->away = list;
}

static bool read_tasks(struct engine *e, const struct campaign *c, struct utc now, struct fault *f)
{
    struct alerting *x = e->alerting;
    struct task_terms terms = {e->parts.settings->plans_dir, e->parts.settings->quorum, now};
    if (utc_is_set(x->tasks_read) && now.s < x->tasks_read.s + TASKS_EVERY)
        return true;
    arena_free(&x->tasks_arena);
    x->task_count = 0;
    x->tasks_read = now;
    if (store_tasks(e->parts.store, c, &terms, &x->tasks_arena, &x->tasks, &x->task_count, f))
        return true;
    x->task_count = 0;
    return f->kind == FAULT_CONFIG; /* clocks that are wrong cost their tasks: status tells */
}

static bool gather(struct engine *e, struct arena *a, struct snapshot *snapshot, struct alerting_facts *facts,
                   struct fault *f)
{
    struct alerting *x = e->alerting;
    struct campaign campaign;
    struct snapshot_terms terms = conduct_terms(e->parts.settings, &e->parts.profile);
    struct alert_engine *silent;
    struct alert_finding *findings;
    *facts = (struct alerting_facts){
        .now = engine_act(e).at, .snapshot = snapshot, .floor = e->parts.profile.outage_floor};
    if (!store_campaign_find(e->parts.store, e->parts.campaign_name, a, &campaign, f) ||
        !store_snapshot_brief(e->parts.store, &campaign, facts->now, &terms, a, snapshot, f) ||
        !store_silent_engines(e->parts.store, campaign.id, facts->now, (struct span){SILENT_AFTER}, a,
                              &silent, &facts->silent_count, f) ||
        !store_edge_alarms(e->parts.store, campaign.id, facts->now, a, &findings, &facts->finding_count, f) ||
        !store_alert_events(e->parts.store, campaign.id, &x->seq, &x->events_arena, &x->events,
                            &x->event_count, f) ||
        (engine_sees_people(e) && !read_tasks(e, &campaign, facts->now, f)))
        return false;
    *f = (struct fault){0};
    facts->silent = silent;
    facts->findings = findings;
    facts->events = x->events;
    facts->event_count = totals_not_yet_revoked(&snapshot->totals) > 0 ? x->event_count : 0;
    facts->tasks = x->tasks;
    facts->task_count = x->task_count;
    look_at_backends(e, a, facts);
    return true;
}

/* One line for the screen: "ALERT 3: text", "alert 3 is over: text"; a whole one, or it is counted. */
static void tell(struct alerting *x, const char *what, int64_t alert, const char *verb, const char *text)
{
    size_t n = strlen(x->lines), room = sizeof x->lines - MORE_ROOM - n;
    int length =
        snprintf(x->lines + n, room, "%s%s %" PRId64 "%s: %s", n == 0 ? "" : "\n", what, alert, verb, text);
    if ((size_t)length < room)
        return;
    x->lines[n] = '\0';
    x->more++;
}

static void tell_more(struct alerting *x)
{
    size_t n = strlen(x->lines);
    if (x->more > 0)
        snprintf(x->lines + n, sizeof x->lines - n, "%sand %zu more: massrevoke alert list",
                 n == 0 ? "" : "\n", x->more);
}

static void tell_nothing(struct alerting *x)
{
    x->lines[0] = '\0';
    x->more = 0;
}

/* Writes down what is new and what is over. */
static bool judge(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct alerting *x = e->alerting;
    struct snapshot snapshot;
    struct alerting_facts facts;
    struct alert_cause *causes;
    struct alert *known;
    struct alerting_changes changes;
    struct act act = engine_act(e);
    size_t n, known_count, raised = 0;
    int64_t *numbers = NULL, *over;
    if (!gather(e, &a, &snapshot, &facts, f) ||
        !store_alerts(e->parts.store, e->parts.campaign, utc_add(act.at, (struct span){1}), e->id, &a, &known,
                      &known_count, f))
        return false;
    alerting_causes(&facts, &a, &causes, &n);
    for (size_t i = 0; i < known_count && !engine_sees_people(e); i++) /* tasks are seen by others */
        known[i].elsewhere =
            known[i].elsewhere || known[i].cause.kind == ALERT_TASK || known[i].cause.kind == ALERT_CLOCK;
    alerting_compare(causes, n, known, known_count, act.at, &a, &changes);
    if (changes.raise_count > 0 && !store_alert_raise(e->parts.store, &act, e->id, causes, changes.raise,
                                                      changes.raise_count, &a, &numbers, &raised, f))
        return false;
    over = arena_array(&a, changes.clear_count, sizeof *over);
    for (size_t i = 0; i < changes.clear_count; i++) {
        over[i] = known[changes.clear[i]].alert;
        tell(x, "alert", over[i], " is over", known[changes.clear[i]].cause.text);
    }
    if (changes.clear_count > 0 && !store_alert_clear(e->parts.store, &act, over, changes.clear_count, f))
        return false;
    for (size_t i = 0; i < changes.raise_count && raised == changes.raise_count; i++)
        tell(x, "ALERT", numbers[i], "", causes[changes.raise[i]].text);
    tell_more(x);
    x->judged = act.at;
    return true;
}

/* --- the database itself --- */

static struct alert_cause lost_cause(const struct alerting *x)
{
    return (struct alert_cause){.kind = ALERT_DATABASE,
                                .subject = "database",
                                .since = x->lost_at,
                                .text = x->lost_why,
                                .cost = "nothing is revoked, told or proved meanwhile, and no deadline moves",
                                .command = "massrevoke db status",
                                .own = true};
}

void engine_alert_lost(struct engine *e, struct engine_report *r, const char *why)
{
    struct alerting *x = e->alerting;
    struct utc now = engine_act(e).at, wake = UTC_NONE;
    struct fault ignored = {0};
    bool busy;
    if (x == NULL)
        return;
    tell_nothing(x);
    r->alerts = x->lines;
    if (!utc_is_set(x->lost_at)) {
        x->lost_at = now;
        x->lost_count = 0;
        snprintf(x->lost_why, sizeof x->lost_why, "the database does not answer: %.160s", why);
    }
    take_answers(e, &busy);
    for (size_t i = 0; i < x->call_count;)
        if (x->calls[i].alert == 0 && x->calls[i].answered) {
            keep_lost(x, &x->calls[i]);
            forget(x, i);
        } else
            i++;
    if (utc_sub(now, x->lost_at).s < alert_kind_lasts(ALERT_DATABASE).s)
        return;
    if (x->lost_count == 0)
        snprintf(x->lines, sizeof x->lines, "ALERT: %s", x->lost_why);
    const struct alert alert = {.cause = lost_cause(x),
                                .raised_at = x->lost_at,
                                .acked_at = UTC_NONE,
                                .cleared_at = UTC_NONE,
                                .tries = x->lost_tries,
                                .try_count = x->lost_count};
    (void)!call(e, &alert, &wake, &ignored);
}

/* It is back: what happened meanwhile becomes an alert like any other, which the next look ends. */
static bool write_lost(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct alerting *x = e->alerting;
    struct act act = engine_act(e);
    int64_t *numbers;
    size_t raised, first = 0;
    if (!utc_is_set(x->lost_at))
        return true;
    if (x->lost_count > 0) {
        struct alert_cause cause = lost_cause(x);
        if (!store_alert_raise(e->parts.store, &act, e->id, &cause, &first, 1, &a, &numbers, &raised, f))
            return false;
        for (size_t i = 0; i < x->lost_count && raised == 1; i++) {
            const struct alert_try *t = &x->lost_tries[i];
            bool mine;
            if (!store_alert_call(e->parts.store, &act, e->id, numbers[0], t->step, t->path, t->to, &mine,
                                  f) ||
                !store_alert_told(e->parts.store, e->parts.campaign, e->id, numbers[0], t->step, t->path,
                                  t->open ? MAIL_UNKNOWN : t->outcome, "", f))
                return false;
        }
        x->judged = UTC_NONE;
    }
    x->lost_at = UTC_NONE;
    return true;
}

/* --- the turn --- */

/* A step that came so far had its database: others may know that we live. */
static void beat(struct engine *e, struct utc now)
{
    struct alerting *x = e->alerting;
    char at[UTC_TEXT], text[512];
    struct fault f = {0};
    bool open;
    if (utc_is_set(x->beaten) && now.s < x->beaten.s + e->parts.settings->alert.beat_every.s)
        return;
    x->beaten = now;
    snprintf(text, sizeof text, "%s %s %s\n", utc_format(now, at), e->parts.campaign_name, e->parts.host);
    if (!alert_beat(e->parts.alert, text, &open, &f))
        snprintf(x->beat_fault, sizeof x->beat_fault, "%.199s", f.text);
}

static bool call_all(struct engine *e, struct utc *wake, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct alert *list;
    size_t n;
    struct utc now = engine_act(e).at, since = utc_add(now, (struct span){-CLEARED_FOR});
    if (now.s == e->alerting->called.s) /* steps may follow each other much faster */
        return true;
    e->alerting->called = now;
    if (e->parts.settings->alert.command_count == 0 && e->parts.settings->alert.oncall_count == 0)
        return true;
    if (!store_alerts(e->parts.store, e->parts.campaign, since, e->id, &a, &list, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!call(e, &list[i], wake, f))
            return false;
    return true;
}

bool engine_alert(struct engine *e, struct engine_report *r, bool over, struct utc *wake, struct fault *f)
{
    struct alerting *x = e->alerting;
    struct utc now = engine_act(e).at;
    bool busy;
    *wake = UTC_NONE;
    if (x == NULL)
        return true;
    tell_nothing(x);
    r->alerts = x->lines;
    take_answers(e, &busy);
    if (!write_lost(e, f) || !commit_answers(e, f))
        return false;
    if ((over || !utc_is_set(x->judged) || now.s >= x->judged.s + JUDGE_EVERY) && !judge(e, f))
        return false;
    if (!call_all(e, wake, f))
        return false;
    beat(e, now);
    if (x->beat_fault[0] != '\0' && e->warning[0] == '\0')
        snprintf(e->warning, sizeof e->warning, "the heartbeat does not get out: %s", x->beat_fault);
    if (busy || x->call_count > 0)
        utc_sooner(wake, utc_add(now, (struct span){1}));
    return true;
}

void engine_alert_close(struct engine *e)
{
    struct alerting *x = e->alerting;
    struct fault ignored = {0};
    bool busy = true;
    if (x == NULL)
        return;
    struct utc end = utc_add(engine_act(e).at, (struct span){END_SECONDS});
    while (x->call_count > 0 && busy && engine_act(e).at.s < end.s) {
        take_answers(e, &busy);
        if (store_is_lost(e->parts.store) || !commit_answers(e, &ignored))
            break;
        if (busy && x->call_count > 0)
            e->parts.clock.wait(e->parts.clock.self, UTC_NONE, (struct span){1}, alert_fd(e->parts.alert));
    }
    arena_free(&x->events_arena);
    arena_free(&x->tasks_arena);
    free(x->calls);
    e->alerting = NULL;
}
