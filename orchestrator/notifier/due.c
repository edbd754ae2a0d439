/* Whom to tell now: a ladder of roles for each subscriber. */
#include "massrevoke/notifier.h"

#include <stdlib.h>

/* Which kinds an unanswered message climbs the ladder for. */
static const bool waits_for_ack[NOTICE_KIND_COUNT] = {
    [NOTICE_HEADS_UP] = false, [NOTICE_FIRST] = true, [NOTICE_MOVED] = false};

/* One subscriber while it is being decided. */
struct ladder {
    const struct notifier_terms *terms;
    const struct notifier_subscriber *subscriber;
    struct notice_standing *standings; /* as contacts */
    struct utc now;
};

/* Minutes until the try after the n-th. */
static struct span backoff(int attempts)
{
    static const int minutes[] = {0, 1, 5, 15, 30};
    return (struct span){60 * (attempts < 5 ? minutes[attempts] : 60)};
}

static void wake_at(struct notifier_decision *out, struct utc t)
{
    out->wake = utc_is_set(out->wake) ? utc_min(out->wake, t) : t;
}

static bool usable(const struct contact *c)
{
    return !c->address_bad && notice_address_ok(str_of(c->email));
}

static bool lost(const struct contact *c, const struct notice_standing *s)
{
    return !usable(c) || s->state == NOTICE_REFUSED;
}

static bool rejected(const struct notifier_terms *terms, const struct notifier_subscriber *s)
{
    for (size_t i = 0; i < s->try_count; i++) {
        const struct notice_try *t = &s->tries[i];
        bool forgiven = utc_is_set(terms->resumed) && t->at.s <= terms->resumed.s;
        if (t->kind == terms->kind && !t->open && t->outcome == MAIL_REJECTED && !forgiven)
            return true;
    }
    return false;
}

/* When the rung above `role` opens: UTC_NONE not yet known, else a time, perhaps in the past. */
static struct utc next_opens(const struct ladder *l, enum contact_role role)
{
    struct utc silence = UTC_NONE;
    bool any = false, missing = false;
    for (size_t i = 0; i < l->subscriber->contact_count; i++) {
        const struct contact *c = &l->subscriber->contacts[i];
        const struct notice_standing *s = &l->standings[i];
        if (c->role != role)
            continue;
        any = true;
        missing = missing || lost(c, s);
        if (utc_is_set(s->first) && waits_for_ack[l->terms->kind]) {
            struct utc t = utc_add(s->first, l->terms->backup_after);
            silence = utc_is_set(silence) ? utc_min(silence, t) : t;
        }
    }
    if (!any || missing)
        return l->now;
    return silence;
}

static void add_due(struct ladder *l, size_t index, size_t contact, struct notice_due *due,
                    struct notifier_decision *out)
{
    const struct contact *c = &l->subscriber->contacts[contact];
    const struct notice_standing *s = &l->standings[contact];
    if (!usable(c) || (s->state != NOTICE_NEW && s->state != NOTICE_AGAIN))
        return;
    struct utc when = s->attempts == 0 ? l->now : utc_add(s->last, backoff(s->attempts));
    if (when.s > l->now.s)
        wake_at(out, when);
    else
        due[out->due_count++] = (struct notice_due){index, c, s->attempts + 1};
}

/* Messages of one subscriber; opens rung after rung. */
static void climb(struct ladder *l, size_t index, struct notice_due *due, struct notifier_decision *out)
{
    const struct notifier_subscriber *s = l->subscriber;
    for (int role = CONTACT_PRIMARY; role < CONTACT_ROLE_COUNT; role++) {
        for (size_t i = 0; i < s->contact_count; i++)
            if ((int)s->contacts[i].role == role)
                add_due(l, index, i, due, out);
        struct utc opens = next_opens(l, (enum contact_role)role);
        if (utc_is_set(opens) && opens.s <= l->now.s)
            continue;
        if (utc_is_set(opens) && role + 1 < CONTACT_ROLE_COUNT)
            wake_at(out, opens);
        return;
    }
}

static bool acknowledged(const struct ladder *l)
{
    struct utc first = UTC_NONE;
    for (size_t i = 0; i < l->subscriber->contact_count; i++) {
        struct utc t = l->standings[i].first;
        if (utc_is_set(t))
            first = utc_is_set(first) ? utc_min(first, t) : t;
    }
    struct utc acked = l->subscriber->acked;
    return utc_is_set(acked) && utc_is_set(first) && acked.s >= first.s && acked.s <= l->now.s;
}

static bool unreachable(const struct ladder *l)
{
    for (size_t i = 0; i < l->subscriber->contact_count; i++)
        if (!lost(&l->subscriber->contacts[i], &l->standings[i]))
            return false;
    return true;
}

static int by_rank(const void *x, const void *y)
{
    const struct notice_due *a = x, *b = y;
    const struct contact *c = a->contact, *d = b->contact;
    if (a->subscriber != b->subscriber)
        return a->subscriber < b->subscriber ? -1 : 1;
    if (c->role != d->role)
        return c->role < d->role ? -1 : 1;
    if (c->tier != d->tier)
        return c->tier < d->tier ? -1 : 1;
    return (c->id > d->id) - (c->id < d->id);
}

static void decide(struct ladder *l, size_t index, struct notice_due *due, struct notifier_decision *out)
{
    const struct notifier_subscriber *s = l->subscriber;
    for (size_t i = 0; i < s->contact_count; i++)
        l->standings[i] =
            notice_standing(s->tries, s->try_count, s->contacts[i].id, l->terms->kind, l->terms->resumed);
    if (unreachable(l))
        out->unreachable++;
    else if (!acknowledged(l))
        climb(l, index, due, out);
}

void notifier_due(const struct notifier_terms *terms, const struct notifier_subscriber *subscribers,
                  size_t count, struct utc now, struct arena *a, struct notifier_decision *out)
{
    *out = (struct notifier_decision){.wake = UTC_NONE};
    size_t contacts = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        contacts += subscribers[i].contact_count;
        most = most > subscribers[i].contact_count ? most : subscribers[i].contact_count;
        out->rejected = out->rejected || rejected(terms, &subscribers[i]);
    }
    struct notice_due *due = arena_array(a, contacts, sizeof *due);
    out->due = due;
    struct ladder l = {terms, NULL, arena_array(a, most, sizeof *l.standings), now};
    for (size_t i = 0; i < count; i++) {
        l.subscriber = &subscribers[i];
        decide(&l, i, due, out);
    }
    if (now.s < terms->start.s) {
        out->due_count = 0;
        out->wake = terms->start;
    }
    if (out->rejected) {
        out->due_count = 0;
        out->wake = UTC_NONE;
    }
    qsort(due, out->due_count, sizeof *due, by_rank);
}
