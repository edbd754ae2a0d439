/* Which causes hold: one finder a kind, in the order of alert.def. */
#include "massrevoke/alerting.h"

#include <inttypes.h>

struct finder {
    const struct alerting_facts *facts;
    struct arena *arena;
    struct alert_cause *list;
    size_t count, room;
    const char *left; /* what everything costs: what is not yet revoked, and how much time is left */
};

static void add(struct finder *x, struct alert_cause cause)
{
    if (x->count == x->room) {
        struct alert_cause *more = arena_array(x->arena, 2 * x->room, sizeof *more);
        memcpy(more, x->list, x->count * sizeof *more);
        x->list = more;
        x->room *= 2;
    }
    if (cause.cost == NULL)
        cause.cost = x->left;
    x->list[x->count++] = cause;
}

static const char *length(struct finder *x, int64_t seconds)
{
    char span[SPAN_TEXT];
    return arena_text(x->arena, span_format((struct span){seconds}, span));
}

static const char *moment(struct finder *x, struct utc t)
{
    char text[UTC_TEXT];
    return arena_text(x->arena, utc_format(t, text));
}

/* "2,000 certificates are not yet revoked; ...": the same sentence under every alert. */
static const char *left_text(struct finder *x)
{
    const struct snapshot *s = x->facts->snapshot;
    int64_t left = totals_not_yet_revoked(&s->totals);
    if (s->cohort_count == 0)
        return "no certificate is listed yet";
    if (s->verdict == VERDICT_MISSED)
        return arena_format(x->arena, "a deadline has passed with %" PRId64 " certificates not yet revoked",
                            left);
    if (!utc_is_set(s->projected_finish))
        return arena_format(x->arena, "%" PRId64 " certificates are not yet revoked; the deadline is %s",
                            left, moment(x, s->deadline));
    bool late = s->slack.s < 0;
    const char *held =
        s->held_late == 0 ? "" : arena_format(x->arena, "; %" PRId64 " held beyond it", s->held_late);
    return arena_format(
        x->arena,
        "%" PRId64 " certificates are not yet revoked; as things stand the last one%s is published %s "
        "%s the deadline of %s%s",
        left, s->held_late == 0 ? "" : " that is not held", length(x, late ? -s->slack.s : s->slack.s),
        late ? "AFTER" : "before", moment(x, s->deadline), held);
}

static void find_approval(struct finder *x)
{
    const struct snapshot *s = x->facts->snapshot;
    for (int64_t i = 0; i < s->requests_waiting; i++) {
        const struct snapshot_request *r = &s->requests[i];
        add(x, (struct alert_cause){
                   .kind = ALERT_APPROVAL,
                   .subject = arena_format(x->arena, "request-%d", r->request),
                   .since = UTC_NONE,
                   .text = r->text,
                   .command = arena_format(
                       x->arena, "massrevoke request show %d; massrevoke approve %d --key FILE --cert FILE",
                       r->request, r->request)});
    }
}

/* What events of the log began: stops of a breaker, canaries that were not proved. */
static void find_events(struct finder *x, enum alert_kind kind, const char *command)
{
    for (size_t i = 0; i < x->facts->event_count; i++) {
        const struct alert_event *e = &x->facts->events[i];
        if (e->kind == kind)
            add(x, (struct alert_cause){.kind = kind,
                                        .subject = e->subject,
                                        .since = e->since,
                                        .text = e->text,
                                        .command = command});
    }
}

static void find_breaker(struct finder *x)
{
    find_events(x, ALERT_BREAKER, "massrevoke check; massrevoke status");
}

static void find_engine(struct finder *x)
{
    for (size_t i = 0; i < x->facts->silent_count; i++) {
        const struct alert_engine *e = &x->facts->silent[i];
        add(x, (struct alert_cause){
                   .kind = ALERT_ENGINE,
                   .subject = arena_format(x->arena, "%s-%d", e->host, e->pid),
                   .since = e->since,
                   .text = arena_format(x->arena, "the engine on %s (process %d) is silent", e->host, e->pid),
                   .command = arena_format(x->arena, "on %s: massrevoke run", e->host)});
    }
}

static void find_backend(struct finder *x)
{
    for (size_t i = 0; i < x->facts->away_count; i++) {
        const struct alerting_backend *b = &x->facts->away[i];
        add(x,
            (struct alert_cause){.kind = ALERT_BACKEND,
                                 .subject = b->ca,
                                 .since = b->since,
                                 .text = arena_format(x->arena, "CA %s takes no requests: %s", b->ca, b->why),
                                 .command = "massrevoke check",
                                 .own = true});
    }
}

#define LATE_COMMAND "massrevoke status; massrevoke plan --diff; massrevoke report delayed"

/* Its own cause beside the pace: no rate cures it. */
static void add_held(struct finder *x, const struct snapshot_cohort *c)
{
    AUTO_BUF why = {0};
    snapshot_held_late(x->facts->snapshot, c->cohort, &why);
    add(x, (struct alert_cause){
               .kind = ALERT_SLACK,
               .subject = arena_format(x->arena, "cohort-%d-held", c->cohort),
               .since = UTC_NONE,
               .text = arena_format(
                   x->arena, "cohort %d will miss its deadline of %s for certificates that are held: %s",
                   c->cohort, moment(x, c->deadline), buf_str(&why).p),
               .command = "massrevoke status; massrevoke report delayed"});
}

/* There is time, and yet the plan ends too late. */
static bool is_planned_late(const struct snapshot_cohort *c)
{
    return c->delay_expected && !c->missed && c->slack.s >= 0 && c->held_late == 0;
}

static void add_planned_late(struct finder *x, const struct snapshot_cohort *c)
{
    add(x, (struct alert_cause){.kind = ALERT_SLACK,
                                .subject = arena_format(x->arena, "cohort-%d-plan", c->cohort),
                                .since = UTC_NONE,
                                .text = arena_format(x->arena,
                                                     "the plan of cohort %d does not meet its deadline of %s",
                                                     c->cohort, moment(x, c->deadline)),
                                .command = LATE_COMMAND});
}

static void find_slack(struct finder *x)
{
    const struct snapshot *s = x->facts->snapshot;
    for (size_t i = 0; i < s->cohort_count; i++) {
        const struct snapshot_cohort *c = &s->cohorts[i];
        bool work = totals_not_yet_revoked(&c->totals) > 0;
        if (work && !c->missed && c->held_late > 0)
            add_held(x, c);
        if (work && is_planned_late(c))
            add_planned_late(x, c);
        if (!work || (!c->missed && c->slack.s >= x->facts->floor.s))
            continue;
        bool late = c->missed || c->slack.s < 0;
        add(x, (struct alert_cause){
                   .kind = ALERT_SLACK,
                   .subject = arena_format(x->arena, "cohort-%d%s", c->cohort, late ? "-late" : ""),
                   .since = UTC_NONE,
                   .text =
                       c->missed ? arena_format(x->arena, "cohort %d has missed its deadline of %s",
                                                c->cohort, moment(x, c->deadline))
                       : late    ? arena_format(x->arena, "cohort %d will miss its deadline of %s by %s",
                                                c->cohort, moment(x, c->deadline), length(x, -c->slack.s))
                              : arena_format(x->arena, "cohort %d has %s to spare, less than the floor of %s",
                                             c->cohort, length(x, c->slack.s), length(x, x->facts->floor.s)),
                   .command = late ? LATE_COMMAND : "massrevoke status; massrevoke plan --outage 1h"});
    }
}

/* House rules are no clocks: nobody outside waits for them. */
static bool is_clock(const struct task *t)
{
    return strncmp(t->document, "massrevoke ", strlen("massrevoke ")) != 0;
}

static void add_task(struct finder *x, const struct task *t, enum alert_kind kind)
{
    struct utc now = x->facts->now;
    bool late = kind == ALERT_TASK;
    add(x, (struct alert_cause){
               .kind = kind,
               .subject = t->name,
               .since = late ? t->due : UTC_NONE,
               .text = arena_format(x->arena,
                                    late ? "\"%s\" is overdue since %s (%s)" : "\"%s\" is due at %s (%s)",
                                    t->title, moment(x, t->due), task_role_name(t->role)),
               .cost = late ? arena_format(x->arena, "%s %s has not been kept for %s", t->document,
                                           t->section, length(x, now.s - t->due.s))
                            : arena_format(x->arena, "in %s %s %s is missed", length(x, t->due.s - now.s),
                                           t->document, t->section),
               .command = arena_format(x->arena, "massrevoke task done %s", t->name)});
}

static void find_clock(struct finder *x)
{
    for (size_t i = 0; i < x->facts->task_count; i++) {
        const struct task *t = &x->facts->tasks[i];
        if (!t->done && is_clock(t) && !task_is_overdue(t, x->facts->now) &&
            t->due.s <= x->facts->now.s + ALERTING_CLOCK_BEFORE)
            add_task(x, t, ALERT_CLOCK);
    }
}

static void find_task(struct finder *x)
{
    for (size_t i = 0; i < x->facts->task_count; i++)
        if (task_is_overdue(&x->facts->tasks[i], x->facts->now))
            add_task(x, &x->facts->tasks[i], ALERT_TASK);
}

static void find_finding(struct finder *x)
{
    for (size_t i = 0; i < x->facts->finding_count; i++) {
        const struct alert_finding *g = &x->facts->findings[i];
        add(x, (struct alert_cause){
                   .kind = ALERT_FINDING,
                   .subject = arena_format(x->arena, "%s %s", g->id, g->url),
                   .since = g->since,
                   .text = arena_format(x->arena, "%s: %s (%s): %s", g->url, g->id, g->section, g->seen),
                   .cost = strcmp(g->id, "edge_unreachable") == 0
                               ? "nothing is seen by this way; the others decide while they answer"
                               : "nothing counts as revoked by this before it is mended",
                   .command = "massrevoke verify"});
    }
}

static void find_canary(struct finder *x)
{
    find_events(x, ALERT_CANARY, "massrevoke status; massrevoke verify");
}

static void find_unknown(struct finder *x)
{
    int64_t n = x->facts->snapshot->totals.unknown;
    if (n > 0)
        add(x,
            (struct alert_cause){
                .kind = ALERT_UNKNOWN,
                .subject = "certificates",
                .since = UTC_NONE,
                .text = arena_format(x->arena, "%" PRId64 " certificates are not in the CA's own record", n),
                .command = "massrevoke show SERIAL; massrevoke retry SERIAL"});
}

static void find_outside(struct finder *x)
{
    int64_t n = x->facts->snapshot->revoked_outside_scope;
    if (n > 0)
        add(x, (struct alert_cause){
                   .kind = ALERT_OUTSIDE,
                   .subject = "certificates",
                   .since = UTC_NONE,
                   .text = arena_format(x->arena,
                                        "%" PRId64 " withdrawn certificates are revoked all the same", n),
                   .cost = "subscribers who were told that they are spared may be down",
                   .command = "massrevoke status"});
}

/* A brake that came when the CA had been asked: what it was to spare is revoked. */
static void add_brake(struct finder *x, int64_t n, const char *what, const char *cost)
{
    if (n > 0)
        add(x, (struct alert_cause){
                   .kind = ALERT_BRAKE,
                   .subject = what,
                   .since = UTC_NONE,
                   .text = arena_format(
                       x->arena, "%" PRId64 " %s certificates are revoked: the CA had been asked before", n,
                       what),
                   .cost = cost,
                   .command = "massrevoke status; massrevoke show SERIAL"});
}

static void find_brake(struct finder *x)
{
    add_brake(x, x->facts->snapshot->held_yet_revoked, "held",
              "a court or a decision may forbid it: whoever answers for the hold must know");
    add_brake(x, x->facts->snapshot->dropped_yet_revoked, "dropped",
              "subscribers who were told that they are spared may be down");
}

static void find_balance(struct finder *x)
{
    if (!x->facts->snapshot->balance_ok)
        add(x, (struct alert_cause){.kind = ALERT_BALANCE,
                                    .subject = "ledger",
                                    .since = x->facts->snapshot->balance_checked_at,
                                    .text = arena_format(x->arena, "the counts do not balance: %s",
                                                         x->facts->snapshot->balance_detail),
                                    .cost = "every report is refused",
                                    .command = "massrevoke evidence verify"});
}

/* No fact of the store: the engine makes the cause of a lost database itself, a person that of a test. */
static void find_nothing(struct finder *x)
{
    (void)x;
}

void alerting_causes(const struct alerting_facts *facts, struct arena *a, struct alert_cause **out, size_t *n)
{
    static void (*const find[ALERT_KIND_COUNT])(struct finder *) = {
        [ALERT_APPROVAL] = find_approval, [ALERT_BREAKER] = find_breaker, [ALERT_ENGINE] = find_engine,
        [ALERT_DATABASE] = find_nothing,  [ALERT_BACKEND] = find_backend, [ALERT_SLACK] = find_slack,
        [ALERT_CLOCK] = find_clock,       [ALERT_FINDING] = find_finding, [ALERT_TASK] = find_task,
        [ALERT_CANARY] = find_canary,     [ALERT_UNKNOWN] = find_unknown, [ALERT_OUTSIDE] = find_outside,
        [ALERT_BRAKE] = find_brake,       [ALERT_BALANCE] = find_balance, [ALERT_TEST] = find_nothing,
    };
    struct finder x = {.facts = facts, .arena = a, .room = 16};
    x.list = arena_array(a, x.room, sizeof *x.list);
    x.left = left_text(&x);
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++)
        find[kind](&x);
    *out = x.list;
    *n = x.count;
}

static bool is_same(const struct alert_cause *x, const struct alert_cause *y)
{
    return x->kind == y->kind && strcmp(x->subject, y->subject) == 0;
}

static bool is_known(const struct alert_cause *c, const struct alert *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(c, &known[i].cause))
            return true;
    return false;
}

static bool still_holds(const struct alert *a, const struct alert_cause *causes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(&a->cause, &causes[i]))
            return true;
    return false;
}

void alerting_compare(const struct alert_cause *causes, size_t n, const struct alert *known,
                      size_t known_count, struct utc now, struct arena *a, struct alerting_changes *out)
{
    *out = (struct alerting_changes){.raise = arena_array(a, n, sizeof *out->raise),
                                     .clear = arena_array(a, known_count, sizeof *out->clear)};
    for (size_t i = 0; i < n; i++) {
        struct utc since = utc_is_set(causes[i].since) ? causes[i].since : now;
        struct span lasts = alert_kind_lasts(causes[i].kind);
        bool ripe = lasts.s == 0 || utc_sub(now, since).s >= lasts.s;
        if (ripe && !is_known(&causes[i], known, known_count))
            out->raise[out->raise_count++] = i;
    }
    for (size_t i = 0; i < known_count; i++)
        if (!known[i].elsewhere && !still_holds(&known[i], causes, n))
            out->clear[out->clear_count++] = i;
}
