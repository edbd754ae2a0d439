/* Whom to call now: one name after the other, from the tries that were made. */
#include "massrevoke/alerting.h"

#define AGAIN_AFTER 60 /* seconds until a try without proof is made again */
#define TRIES 3

/* The latest try of a step on a path; NULL: none. */
static const struct alert_try *latest(const struct alert *a, int step, enum alert_path path)
{
    const struct alert_try *found = NULL;
    for (size_t i = 0; i < a->try_count; i++)
        if (a->tries[i].step == step && a->tries[i].path == path &&
            (found == NULL || a->tries[i].attempt > found->attempt))
            found = &a->tries[i];
    return found;
}

static int last_step(const struct alert *a)
{
    int last = ALERT_CLEARED;
    for (size_t i = 0; i < a->try_count; i++)
        last = a->tries[i].step > last ? a->tries[i].step : last;
    return last;
}

/* When a step began: its first trace on any path. */
static struct utc began(const struct alert *a, int step)
{
    struct utc at = UTC_NONE;
    for (size_t i = 0; i < a->try_count; i++)
        if (a->tries[i].step == step)
            at = utc_is_set(at) ? utc_min(at, a->tries[i].at) : a->tries[i].at;
    return at;
}

static void sooner(struct utc *wake, struct utc t)
{
    *wake = utc_is_set(*wake) ? utc_min(*wake, t) : t;
}

/* Must this step be tried on this path now? */
static bool is_due(const struct alert *a, int step, enum alert_path path, struct utc now, struct utc *wake)
{
    const struct alert_try *t = latest(a, step, path);
    if (t == NULL)
        return true;
    if (t->open || t->outcome == MAIL_ACCEPTED || t->outcome == MAIL_REFUSED || t->outcome == MAIL_REJECTED ||
        t->attempt >= TRIES)
        return false;
    struct utc again = utc_add(t->at, (struct span){AGAIN_AFTER});
    if (again.s <= now.s)
        return true;
    sooner(wake, again);
    return false;
}

/* The step that the call stands at: the next one once its time has come, or at once when a name has no way
 * in. */
static int step_now(const struct alert *a, const struct settings_alert *s, struct utc now, struct utc *wake)
{
    int last = last_step(a);
    if (last < 0)
        return 0;
    const struct alert_try *mail = latest(a, last, ALERT_MAIL);
    bool refused = mail != NULL && !mail->open && mail->outcome == MAIL_REFUSED && s->oncall_count > 1;
    /* everybody's address may be refused: that is no reason to go round and round without a pause */
    bool round = (size_t)last + 1 < s->oncall_count;
    struct utc next = utc_add(began(a, last), s->after);
    if (next.s <= now.s || (refused && round))
        return last + 1;
    sooner(wake, next);
    return last;
}

size_t alerting_due(const struct alert *a, const struct settings_alert *s, struct utc now,
                    struct alerting_due out[static 2], struct utc *wake)
{
    size_t n = 0;
    *wake = UTC_NONE;
    if (s->command_count == 0 && s->oncall_count == 0)
        return 0;
    if (utc_is_set(a->cleared_at)) {
        if (s->command_count > 0 && last_step(a) >= 0 && is_due(a, ALERT_CLEARED, ALERT_COMMAND, now, wake))
            out[n++] = (struct alerting_due){.step = ALERT_CLEARED, .path = ALERT_COMMAND};
        return n;
    }
    if (utc_is_set(a->acked_at))
        return 0;
    int step = step_now(a, s, now, wake);
    size_t oncall = s->oncall_count > 0 ? (size_t)step % s->oncall_count : 0;
    if (s->command_count > 0 && is_due(a, step, ALERT_COMMAND, now, wake))
        out[n++] = (struct alerting_due){step, ALERT_COMMAND, oncall};
    if (s->oncall_count > 0 && is_due(a, step, ALERT_MAIL, now, wake))
        out[n++] = (struct alerting_due){step, ALERT_MAIL, oncall};
    return n;
}
