/* What waits while notices are paused, and how long it may. */
#include "massrevoke/notifier.h"

#define HOUR 3600
#define EVER (INT64_C(100) * 365 * 86400) /* every silence has lasted long enough then */

/* Has anybody but this contact been told? */
static bool others_told(const struct notifier_subscriber *s, enum notice_kind kind, int64_t contact)
{
    for (size_t i = 0; i < s->try_count; i++)
        if (s->tries[i].kind == kind && s->tries[i].contact != contact)
            return true;
    return false;
}

/* The first to be told of a subscriber has the first milestone, whoever it is; those who follow the other. No
 * message is worth anything after the hour that it tells of. */
static struct utc limit_of(const struct notifier_terms *terms, const struct notifier_limits *limits,
                           const struct notifier_subscriber *s, const struct contact *contact,
                           struct utc hour)
{
    bool follows = contact->role != CONTACT_PRIMARY && others_told(s, terms->kind, contact->id);
    struct utc limit = follows ? limits->backup : limits->first;
    utc_sooner(&limit, hour);
    return limit;
}

void notifier_wait(const struct notifier_terms *terms, const struct notifier_limits *limits,
                   const struct notifier_subscriber *subscribers, const struct utc *hours, size_t count,
                   struct utc now, struct arena *a, struct notifier_waiting *sum)
{
    struct notifier_decision soon, ever;
    notifier_due(terms, subscribers, count, utc_add(now, (struct span){HOUR}), a, &soon);
    notifier_due(terms, subscribers, count, utc_add(now, (struct span){EVER}), a, &ever);
    sum->hour += soon.due_count;
    for (size_t i = 0; i < ever.due_count; i++) {
        size_t at = ever.due[i].subscriber;
        struct utc limit = limit_of(terms, limits, &subscribers[at], ever.due[i].contact, hours[at]);
        sum->left++;
        if (utc_is_set(limit) && limit.s < now.s)
            sum->late++;
        else
            utc_sooner(&sum->latest, limit);
    }
}
