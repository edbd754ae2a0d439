#include "faults.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>

static bool lasts(const struct drill_faults *faults, struct utc end)
{
    return utc_is_set(end) && faults->clock->now.s < end.s;
}

/* --- the CA --- */

struct ca_wrap {
    struct ca_door door;
    struct ca_door *inner;
    struct drill_faults *faults;
    struct ca_item *turned_away; /* owed a CA_WAIT or, for a question, a CA_ASK */
    size_t count;
    bool revoking;
};

/* A lost answer was one: the CA did it, and nobody heard. */
static void relay(void *context, const struct ca_answer *answers, size_t count)
{
    struct ca_wrap *w = context;
    for (size_t i = 0; i < count; i++) {
        struct ca_answer a = answers[i];
        uint64_t state = seed_stream(w->faults->world->seed, SEED_LOST, w->faults->draws++);
        bool lost = w->revoking && lasts(w->faults, w->faults->lost) &&
                    (int)(seed_draw(&state) % 100) < w->faults->lost_percent;
        if (lost) {
            w->faults->lost_answers++;
            a = (struct ca_answer){
                .number = a.number, .outcome = CA_ASK, .at = UTC_NONE, .reason = -1, .text = "timeout"};
        }
        w->door.answer(w->door.answer_context, &a, 1);
    }
}

static bool turn_away(struct ca_wrap *w, const struct ca_item *items, size_t count)
{
    w->turned_away = arena_grow(w->turned_away, (count + 1) * sizeof *items);
    memcpy(w->turned_away, items, count * sizeof *items);
    w->count = count;
    return true;
}

static bool wrap_revoke(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    struct ca_wrap *w = (struct ca_wrap *)d;
    w->revoking = true;
    return lasts(w->faults, w->faults->down) ? turn_away(w, items, count)
                                             : w->inner->ops->revoke(w->inner, items, count, f);
}

static bool wrap_status(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    struct ca_wrap *w = (struct ca_wrap *)d;
    w->revoking = false;
    return lasts(w->faults, w->faults->down) ? turn_away(w, items, count)
                                             : w->inner->ops->status(w->inner, items, count, f);
}

static bool wrap_step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct ca_wrap *w = (struct ca_wrap *)d;
    for (size_t i = 0; i < w->count; i++)
        w->door.answer(w->door.answer_context,
                       &(struct ca_answer){.number = w->turned_away[i].number,
                                           .outcome = w->revoking ? CA_WAIT : CA_ASK,
                                           .at = UTC_NONE,
                                           .reason = -1,
                                           .text = "503 service unavailable"},
                       1);
    w->count = 0;
    w->inner->answer = relay;
    w->inner->answer_context = w;
    w->inner->may_leave = d->may_leave;
    w->inner->may_leave_context = d->may_leave_context;
    return w->inner->ops->step(w->inner, busy, f);
}

static bool deliver(struct drill_faults *faults, struct fault *f)
{
    faults->undelivered = lasts(faults, faults->late);
    return faults->undelivered || world_deliver_crl(faults->world, lasts(faults, faults->flip), f);
}

static bool wrap_publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct ca_wrap *w = (struct ca_wrap *)d;
    bool ok = w->inner->ops->publish(w->inner, issuer, now, f);
    d->publishing = w->inner->publishing;
    return ok && (d->publishing || deliver(w->faults, f));
}

static void wrap_close(struct ca_door *d)
{
    struct ca_wrap *w = (struct ca_wrap *)d;
    ca_close(w->inner);
    free(w->turned_away);
    free(w);
}

struct ca_door *faults_ca(struct drill_faults *faults, struct ca_door *inner)
{
    static const struct ca_door_ops ops = {wrap_revoke, wrap_status, wrap_step, wrap_publish, wrap_close};
    struct ca_wrap *w = arena_grow(NULL, sizeof *w);
    *w = (struct ca_wrap){.door = *inner, .inner = inner, .faults = faults};
    w->door.ops = &ops;
    w->door.fd = -1;
    return &w->door;
}

/* --- mail --- */

struct mail_wrap {
    struct mail_door door;
    struct mail_door *inner;
    bool (*refuses)(void *context, const char *address);
    void *context;
    int64_t *bounced; /* ids, answered at the next step */
    size_t count, room;
};

static void mail_relay(void *context, const struct mail_answer *answer)
{
    struct mail_wrap *w = context;
    w->door.answer(w->door.answer_context, answer);
}

static bool mail_send(struct mail_door *d, const struct mail_message *m, struct fault *f)
{
    struct mail_wrap *w = (struct mail_wrap *)d;
    if (!w->refuses(w->context, m->to))
        return w->inner->ops->send(w->inner, m, f);
    if (w->count == w->room) {
        w->room = w->room == 0 ? 64 : 2 * w->room;
        w->bounced = arena_grow(w->bounced, w->room * sizeof *w->bounced);
    }
    w->bounced[w->count++] = m->id;
    return true;
}

static bool mail_step(struct mail_door *d, bool *busy, struct fault *f)
{
    struct mail_wrap *w = (struct mail_wrap *)d;
    for (size_t i = 0; i < w->count; i++)
        w->door.answer(w->door.answer_context,
                       &(struct mail_answer){w->bounced[i], MAIL_REFUSED, "550 5.1.1 no such mailbox"});
    w->count = 0;
    w->inner->answer = mail_relay;
    w->inner->answer_context = w;
    return w->inner->ops->step(w->inner, busy, f);
}

static void mail_end(struct mail_door *d)
{
    struct mail_wrap *w = (struct mail_wrap *)d;
    mail_close(w->inner);
    free(w->bounced);
    free(w);
}

struct mail_door *faults_mail(struct mail_door *inner, bool (*refuses)(void *context, const char *address),
                              void *context)
{
    static const struct mail_door_ops ops = {mail_send, mail_step, mail_end};
    struct mail_wrap *w = arena_grow(NULL, sizeof *w);
    *w = (struct mail_wrap){.inner = inner, .refuses = refuses, .context = context};
    w->door.ops = &ops;
    w->door.fd = -1;
    return &w->door;
}

/* --- the end of faults --- */

bool faults_settle(struct drill_faults *faults, struct fault *f)
{
    bool flip_ended = utc_is_set(faults->flip) && !lasts(faults, faults->flip);
    struct utc *ends[] = {&faults->down, &faults->lost, &faults->late, &faults->flip};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (utc_is_set(*ends[i]) && !lasts(faults, *ends[i]))
            *ends[i] = UTC_NONE;
    if ((faults->undelivered || flip_ended) && !lasts(faults, faults->late))
        return deliver(faults, f);
    return true;
}

struct utc faults_next(const struct drill_faults *faults)
{
    const struct utc ends[] = {faults->down, faults->lost, faults->late, faults->flip};
    struct utc next = UTC_NONE;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (utc_is_set(ends[i]))
            next = utc_is_set(next) ? utc_min(next, ends[i]) : ends[i];
    return next;
}
