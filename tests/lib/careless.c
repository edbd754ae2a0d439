#include "careless.h"

#include "massrevoke/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct careless_item *careless_find(struct careless_record *record, const struct serial *serial)
{
    for (size_t i = 0; i < record->count; i++)
        if (serial_equal(&record->items[i].serial, serial))
            return &record->items[i];
    if (record->count == CARELESS_MOST)
        abort();
    struct careless_item *item = &record->items[record->count++];
    *item = (struct careless_item){
        .serial = *serial, .requested = UTC_NONE, .executes = UTC_NONE, .first_date = UTC_NONE};
    return item;
}

static void accuse(struct careless *c, const struct careless_item *item, const char *crime)
{
    char hex[SERIAL_HEX_TEXT];
    if (c->record->crime[0] == '\0')
        snprintf(c->record->crime, sizeof c->record->crime, "%s: %s", serial_hex(&item->serial, hex), crime);
}

/* What happens to a request or question. */
enum luck { FINE, ANSWER_LOST, REQUEST_LOST, LATE, WAIT, LUCK_COUNT };

static enum luck luck_of(const struct careless *c, const struct careless_item *item)
{
    unsigned sum = 0;
    for (size_t i = 0; i < item->serial.n; i++)
        sum = sum * 31 + item->serial.bytes[i];
    /* each item meets each fault once, in an order of its own, and is then served well */
    int nth = item->named - 1;
    return !c->record->faulty || nth >= LUCK_COUNT ? FINE : (enum luck)((sum + (unsigned)nth) % LUCK_COUNT);
}

static void nobody(void *context, const struct ca_answer *answers, size_t count)
{
    (void)context, (void)answers, (void)count;
}

/* The CA revokes; a second time it would overwrite the date. */
static void execute(struct careless *c, struct careless_item *item, struct utc at)
{
    struct fault f = {0};
    struct ca_item one = {.serial = item->serial, .reason = item->reason, .date = item->dated};
    bool busy;
    item->executes = UTC_NONE;
    if (item->executed++ > 0) {
        if (c->record->overwrites)
            accuse(c, item, "revoked twice");
        return;
    }
    item->first_date = ca_item_is_dated(&one) ? one.date : at;
    c->inner->answer = nobody;
    if (!c->inner->ops->revoke(c->inner, &one, 1, &f) || !c->inner->ops->step(c->inner, &busy, &f))
        abort();
}

/* Requests that lay in the CA's queue and whose hour has come. */
static void catch_up(struct careless *c, struct utc now)
{
    for (size_t i = 0; i < c->record->count; i++)
        if (utc_is_set(c->record->items[i].executes) && c->record->items[i].executes.s <= now.s)
            execute(c, &c->record->items[i], now);
}

static struct ca_answer revoke_one(struct careless *c, struct careless_item *item, struct utc now)
{
    enum luck luck = luck_of(c, item);
    bool before = item->executed > 0;
    if (c->record->overwrites && !item->cleared)
        accuse(c, item, "sent blind");
    item->cleared = false;
    if (luck == WAIT)
        return (struct ca_answer){.outcome = CA_WAIT, .at = UTC_NONE, .reason = -1};
    item->requested = now;
    item->open = luck != FINE;
    if (luck == LATE)
        item->executes = utc_add(now, (struct span){CARELESS_QUIET - 1});
    else if (luck != REQUEST_LOST)
        execute(c, item, now);
    if (luck != FINE)
        return (struct ca_answer){.outcome = CA_ASK, .at = UTC_NONE, .reason = -1};
    return (struct ca_answer){.outcome = before ? CA_REVOKED_BEFORE : CA_REVOKED_NOW,
                              .at = item->first_date,
                              .reason = (int)item->reason};
}

static struct ca_answer tell_one(struct careless *c, struct careless_item *item, struct utc now)
{
    enum luck luck = luck_of(c, item);
    if (item->open && now.s < item->requested.s + CARELESS_QUIET)
        accuse(c, item, "asked about before the quiet time was over");
    if (luck == WAIT)
        return (struct ca_answer){.outcome = CA_WAIT, .at = UTC_NONE, .reason = -1};
    if (luck != FINE)
        return (struct ca_answer){.outcome = CA_ASK, .at = UTC_NONE, .reason = -1};
    item->open = false;
    item->cleared = item->executed == 0;
    return (struct ca_answer){.outcome = item->cleared ? CA_NOT_REVOKED : CA_REVOKED_BEFORE,
                              .at = item->first_date,
                              .reason = item->cleared ? -1 : (int)item->reason};
}

static bool take(struct ca_door *d, const struct ca_item *items, size_t count, bool ask)
{
    struct careless *c = (struct careless *)d;
    c->queue = arena_grow(c->queue, count * sizeof *c->queue);
    memcpy(c->queue, items, count * sizeof *c->queue);
    c->queued = count;
    c->ask = ask;
    return true;
}

static bool take_requests(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    (void)f;
    return take(d, items, count, false);
}

static bool take_questions(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    (void)f;
    return take(d, items, count, true);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct careless *c = (struct careless *)d;
    struct utc now = d->now(d->clock);
    (void)f;
    catch_up(c, now);
    for (size_t i = 0; i < c->queued; i++) {
        struct careless_item *item = careless_find(c->record, &c->queue[i].serial);
        item->named++;
        if (!c->ask) {
            item->reason = c->queue[i].reason;
            item->dated = c->queue[i].date;
        }
        struct ca_answer answer = c->ask ? tell_one(c, item, now) : revoke_one(c, item, now);
        if (!c->ask && c->record->die_after > 0 && --c->record->die_after == 0)
            _exit(9);
        answer.number = c->queue[i].number;
        d->answer(d->answer_context, &answer, 1);
    }
    c->queued = 0;
    *busy = false;
    return true;
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct careless *c = (struct careless *)d;
    catch_up(c, now);
    /* a CRL made now clears what lies in nobody's queue */
    for (size_t i = 0; i < c->record->count && !c->door.facts.tells_status; i++) {
        struct careless_item *item = &c->record->items[i];
        bool quiet = !utc_is_set(item->requested) || now.s > item->requested.s + CARELESS_QUIET;
        item->cleared = item->cleared || (quiet && item->executed == 0);
    }
    return c->inner->ops->publish(c->inner, issuer, now, f);
}

static void end(struct ca_door *d)
{
    free(((struct careless *)d)->queue);
}

static const struct ca_door_ops ops = {
    .revoke = take_requests, .status = take_questions, .step = step, .publish = publish, .close = end};

void careless_wrap(struct careless *c, struct ca_door *inner, struct careless_record *record)
{
    *c = (struct careless){.door = *inner, .inner = inner, .record = record};
    c->door.ops = &ops;
    c->door.facts.quiet = (struct span){CARELESS_QUIET};
    c->door.facts.keeps_first_date = !record->overwrites;
}
