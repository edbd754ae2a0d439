/* What a pause of notices costs: decided as the engine decides, about what is not sent. */
#include "conduct_parts.h"
#include "massrevoke/notifier.h"
#include "massrevoke/rules.h"
#include "massrevoke/store_notice.h"

/* The first hour of what a subscriber has left; UTC_NONE: none is dealt. */
static struct utc first_hour(const struct notice_subscriber *s)
{
    struct utc first = UTC_NONE;
    for (size_t i = 0; i < s->certificate_count; i++)
        utc_sooner(&first, s->certificates[i].planned);
    return first;
}

/* Of those that have an hour: nobody else gets a first notice, and who is told of an earlier hour has one. */
static void add_kind(const struct conduct *c, const struct profile *profile, const struct cohort *cohort,
                     enum notice_kind kind, const struct notice_subscriber *subs, size_t n, struct arena *a,
                     struct notifier_waiting *sum)
{
    struct notifier_subscriber *asked = arena_array(a, n, sizeof *asked);
    struct utc *hours = arena_array(a, n, sizeof *hours);
    struct notifier_limits limits = {UTC_NONE, UTC_NONE};
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct utc hour = first_hour(&subs[i]);
        if (!utc_is_set(hour))
            continue;
        hours[count] = hour;
        asked[count++] = (struct notifier_subscriber){subs[i].contacts, subs[i].contact_count, subs[i].tries,
                                                      subs[i].try_count, subs[i].acked};
    }
    if (kind == NOTICE_FIRST) {
        limits.first = utc_add(cohort->received, profile->first_notice);
        limits.backup = utc_add(limits.first, profile->backup_after);
    }
    struct notifier_terms terms = {kind, cohort->started_at, profile->backup_after, UTC_NONE};
    notifier_wait(&terms, &limits, asked, hours, count, c->now, a, sum);
}

static bool add_cohort(const struct conduct *c, const struct profile *profile, const struct cohort *cohort,
                       struct notifier_waiting *sum, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct notice_subscriber *first, *moved;
    size_t n, m;
    if (!store_notice_subscribers(c->store, c->campaign.id, cohort->cohort, &a, &first, &n, f) ||
        !store_notice_moved(c->store, c->campaign.id, cohort->cohort, &a, &moved, &m, f))
        return false;
    add_kind(c, profile, cohort, NOTICE_FIRST, first, n, &a, sum);
    add_kind(c, profile, cohort, NOTICE_MOVED, moved, m, &a, sum);
    return true;
}

bool conduct_pause_notices(const struct conduct *c, const struct profile *profile,
                           struct notifier_waiting *out, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    size_t n;
    *out = (struct notifier_waiting){.latest = UTC_NONE};
    if (!store_cohorts(c->store, c->campaign.id, &a, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (conduct_goes(&cohorts[i]) && !add_cohort(c, profile, &cohorts[i], out, f))
            return false;
    return true;
}
