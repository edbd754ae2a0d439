/* start, pause, resume: the accelerator asks for the campaign's name, the brake asks nothing. */
#include "massrevoke/notifier.h"
#include "massrevoke/store_report.h"
#include "massrevoke/store_safety.h"
#include "tell.h"

#include <inttypes.h>
#include <stdio.h>

bool cmd_start(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct cohort cohort;
    int64_t wanted = 0, count;
    char due[UTC_TEXT];
    (void)exit_code;
    if (!option_int(in, OPTION_COHORT, 1, INT32_MAX, &wanted, f) ||
        !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!conduct_cohort(&c, (int)wanted, false, &s.arena, &cohort, f) ||
        !store_cohort_count(s.store, s.campaign.id, cohort.cohort, &count, f))
        return false;
    const char *question =
        arena_format(&s.arena, "This revokes %" PRId64 " certificates of cohort %d. It cannot be undone.",
                     count, cohort.cohort);
    if (!session_confirm(&s, in, question, f) || !conduct_start(&c, cohort.cohort, f))
        return false;
    struct queue_next next;
    bool running;
    if (!store_next(s.store, s.campaign.id, NULL, 0, &next, f) ||
        !store_engine_runs(s.store, s.campaign.id, &running, f))
        return false;
    printf("Started cohort %d; the first certificates are due at %s.\n", cohort.cohort,
           utc_format(next.due, due));
    puts(running ? "An engine runs and takes it up." : "No engine runs. Next: massrevoke run");
    puts("Stop at any time, no approval needed: massrevoke pause");
    return true;
}

/* The earliest deadline of a cohort with something not revoked, running or not; UTC_NONE: none has. */
static struct utc first_deadline(const struct snapshot *now)
{
    struct utc first = UTC_NONE;
    for (size_t i = 0; i < now->cohort_count; i++)
        if (now->cohorts[i].totals.not_revoked > 0)
            utc_sooner(&first, now->cohorts[i].deadline);
    return first;
}

/* There is no figure: why, and which deadline goes on meanwhile. */
static void tell_no_cost(struct session *s, const char *why)
{
    struct snapshot now;
    struct fault f = {0};
    char deadline[UTC_TEXT];
    if (!tell_snapshot(s, false, &s->arena, &now, &f))
        printf("What an hour costs is not known: %s\n", f.text);
    else if (now.totals.not_revoked == 0)
        puts("Nothing that has a deadline is left to revoke: waiting costs nothing.");
    else
        printf("What an hour costs is not known: %s. %" PRId64
               " certificates are not revoked; their first deadline is %s.\n",
               why, now.totals.not_revoked, utc_format(first_deadline(&now), deadline));
}

/* By what certificates are held beyond their deadline, in *why; a look that fails knows of none. */
static bool held_late(struct session *s, struct buf *why)
{
    struct snapshot_terms terms = conduct_terms(&s->settings, &s->profile);
    struct snapshot now;
    struct fault ignored = {0};
    if (store_snapshot_brief(s->store, &s->campaign, s->clock.now(s->clock.self), &terms, &s->arena, &now,
                             &ignored))
        snapshot_held_late(&now, 0, why);
    return why->n > 0;
}

static void tell_times(const struct conduct *c, const struct conduct_pause *cost, const char *verb, bool held)
{
    char latest[UTC_TEXT], left[SPAN_TEXT], slack[SPAN_TEXT], takes[SPAN_TEXT];
    int64_t hour = cost->slack.s - cost->slack_after.s; /* may be nothing where the slots lie ahead */
    const char *takes_text = hour > 0 ? span_format((struct span){hour}, takes) : "nothing";
    if (utc_is_set(cost->latest))
        printf("%s by %s (within %s), and every deadline holds%s; slack now %s, another hour takes %s.\n",
               verb, utc_format(cost->latest, latest), span_format(utc_sub(cost->latest, c->now), left),
               held ? " but for what is held" : "", span_format(cost->slack, slack), takes_text);
    else
        printf("Cohort %d is late already, by %s for %" PRIu64 " certificates; another hour adds %s.\n",
               cost->cohort, span_format((struct span){-cost->slack.s}, slack), cost->late, takes_text);
}

/* What waiting costs. The brake has been pulled already: whatever goes wrong here is only told. */
static void tell_cost(struct session *s, const char *verb)
{
    struct conduct c = session_conduct(s);
    struct conduct_pause cost;
    struct fault f = {0};
    AUTO_BUF held = {0};
    bool late = held_late(s, &held);
    if (!conduct_pause_cost(&c, &cost, &f)) {
        tell_no_cost(s, f.text);
    } else if (cost.cohort == 0) {
        tell_no_cost(s, "no cohort that runs has work left");
    } else {
        printf("The next hour is dealt %" PRId64 " certificates.\n", cost.hour);
        tell_times(&c, &cost, verb, late);
    }
    if (late)
        printf("Late whatever is resumed: %s.\n", buf_str(&held).p);
}

/* What a pause of notices costs; as with the other, what goes wrong is only told. */
static void tell_notices(struct session *s)
{
    struct conduct c = session_conduct(s);
    struct notifier_waiting wait;
    struct fault f = {0};
    char latest[UTC_TEXT], left[SPAN_TEXT];
    bool mail = s->settings.mail_spool_dir != NULL || s->settings.mail_relay_url != NULL;
    if (!s->profile.notices || !mail) {
        printf("No notice would go: %s.\n",
               s->profile.notices ? "mail is not configured" : "the profile sends none");
        return;
    }
    if (!conduct_pause_notices(&c, &s->profile, &wait, &f)) {
        printf("What a pause of notices costs is not known: %s\n", f.text);
        return;
    }
    if (wait.left == 0)
        puts("No notice is left to send: for notices waiting costs nothing.");
    else
        printf("Notices that are not sent: %zu, due within an hour: %zu.\n", wait.left, wait.hour);
    if (wait.late > 0)
        printf("Too late already: %zu, and later each hour.\n", wait.late);
    if (utc_is_set(wait.latest))
        printf("Notices must go on by %s (within %s), and none%s comes later than its milestone or hour.\n",
               utc_format(wait.latest, latest), span_format(utc_sub(wait.latest, c.now), left),
               wait.late > 0 ? " but these" : "");
}

bool cmd_pause(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    const char *what = in->arg_count == 0 ? "all" : in->args[0];
    bool all = strcmp(what, "all") == 0;
    (void)exit_code;
    if (!all && strcmp(what, "revoke") != 0 && strcmp(what, "notify") != 0)
        return fault_set(f, FAULT_USAGE, "pause what: revoke, notify or all, not '%.40s'", what);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    const char *reason = in->values[OPTION_REASON] == NULL ? "" : in->values[OPTION_REASON];
    bool revoke = s.campaign.paused_revoke || all || strcmp(what, "revoke") == 0;
    bool notify = s.campaign.paused_notify || all || strcmp(what, "notify") == 0;
    if (!store_pause(s.store, &act, revoke, notify, reason, false, f))
        return false;
    printf("Paused (%s). No deadline moves.\n", what);
    fflush(stdout); /* the brake works; what it costs may take a moment to work out */
    if (revoke)
        tell_cost(&s, "Resume");
    if (notify)
        tell_notices(&s);
    puts("Next: massrevoke status; massrevoke resume");
    return true;
}

/* Issuers that the world stopped go on only by a person's reason. */
static bool lift_stops(struct session *s, const struct invocation *in, struct fault *f)
{
    struct issuer_stop *stops;
    size_t n;
    int64_t lifted;
    if (!store_stops(s->store, s->campaign.id, &s->arena, &stops, &n, f))
        return false;
    if (n > 0 && in->values[OPTION_OVERRIDE] == NULL) {
        fault_set(f, FAULT_REFUSED, "%s is stopped, its canary is contradicted: %.300s", stops[0].issuer,
                  stops[0].why);
        return fault_hint(f, "find out why; then massrevoke resume --override REASON");
    }
    struct act act = {s->campaign.id, s->clock.now(s->clock.self), s->who};
    return n == 0 || store_stops_lift(s->store, &act, in->values[OPTION_OVERRIDE], &lifted, f);
}

bool cmd_resume(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct issuer_stop *stops;
    size_t n;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_stops(s.store, s.campaign.id, &s.arena, &stops, &n, f))
        return false;
    bool paused = s.campaign.paused_revoke || s.campaign.paused_notify;
    if (!paused && n == 0)
        return fault_set(f, FAULT_CONFLICT, "campaign %s is not paused", s.campaign.name);
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!session_confirm(&s, in, "Revocation goes on where it stopped.", f) || !lift_stops(&s, in, f) ||
        (paused && !store_pause(s.store, &act, false, false, "", true, f)))
        return false;
    puts("Resumed.");
    tell_cost(&s, "It must go on");
    return true;
}
