/* start, pause, resume: the accelerator asks for the campaign's name, the brake asks nothing. */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>

bool cmd_start(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct cohort cohort;
    int64_t wanted = 0;
    char due[UTC_TEXT];
    (void)exit_code;
    if (!option_int(in, OPTION_COHORT, 1, INT32_MAX, &wanted, f) ||
        !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!conduct_cohort(&c, (int)wanted, false, &s.arena, &cohort, f))
        return false;
    const char *question =
        arena_format(&s.arena, "This revokes %" PRId64 " certificates of cohort %d. It cannot be undone.",
                     cohort.certificates, cohort.cohort);
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
    printf("Paused (%s). No deadline moves: each hour costs an hour.\nNext: massrevoke status; massrevoke "
           "resume\n",
           what);
    return true;
}

bool cmd_resume(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    if (!s.campaign.paused_revoke && !s.campaign.paused_notify)
        return fault_set(f, FAULT_CONFLICT, "campaign %s is not paused", s.campaign.name);
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!session_confirm(&s, in, "Revocation goes on where it stopped.", f) ||
        !store_pause(s.store, &act, false, false, "", true, f))
        return false;
    puts("Resumed.");
    return true;
}
