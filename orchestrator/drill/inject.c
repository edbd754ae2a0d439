/* What an inject does: the same acts that a person would do, or a fault at a door. */
#include "exercise.h"
#include "massrevoke/log.h"
#include "massrevoke/store_report.h"
#include "seed.h"

#include <inttypes.h>

/* Certificates not yet touched, picked by the seed. */
static bool pick(struct exercise *x, size_t wanted, struct arena *a, struct listed **out, struct fault *f)
{
    size_t n = x->world.certificate_count, found = 0;
    int *order = arena_array(a, n, sizeof *order);
    *out = arena_array(a, wanted, sizeof **out);
    seed_shuffle(x->world.seed + x->injects_done, SEED_PICK, order, n);
    for (size_t i = 0; i < n && found < wanted; i++) {
        const struct inventory_row *row = &x->world.inventory[order[i]];
        struct shown *shown;
        size_t count;
        if (!store_show(x->store, x->campaign.id, &row->serial, a, &shown, &count, f))
            return false;
        if (count == 1 && shown->number >= 0 && certificate_state(shown->byte) == CERTIFICATE_WAITING)
            (*out)[found++] = (struct listed){.issuer = x->issuers[0], .serial = row->serial};
    }
    if (found == wanted)
        return true;
    return fault_set(f, FAULT_CONFIG, "only %zu certificates still wait, %zu are wanted", found, wanted);
}

static bool drop(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct listed *items;
    const char **verdicts;
    struct act act = {x->campaign.id, x->clock.now, EXERCISE_COMMANDER};
    return pick(x, (size_t)in->count, &a, &items, f) &&
           store_drop(x->store, &act, items, (size_t)in->count, in->text, &a, &verdicts, f);
}

static bool hold(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct listed *items;
    struct conduct c = exercise_conduct(x, EXERCISE_COMMANDER);
    int number;
    size_t n = (size_t)in->count;
    if (!pick(x, n, &a, &items, f) || !conduct_hold_court(&c, in->text, items, n, &number, f))
        return false;
    struct listed *all = arena_array(&x->arena, x->court_count + n, sizeof *all);
    if (x->court_count > 0)
        memcpy(all, x->court, x->court_count * sizeof *all);
    memcpy(all + x->court_count, items, n * sizeof *all);
    x->court = all;
    x->court_count += n;
    return true;
}

static bool release(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    struct conduct c = exercise_conduct(x, EXERCISE_COMMANDER);
    struct conduct_release released;
    (void)in;
    if (!conduct_release(&c, x->court, x->court_count, &x->arena, &released, f))
        return false;
    x->court_count = 0;
    for (size_t i = 0; i < released.request_count; i++)
        if (!exercise_ask(x, released.requests[i].request, 0, f))
            return false;
    return true;
}

static bool find_late(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    const char *serials = world_serials(&x->world, x->world.late + x->late_done, (size_t)in->count);
    x->late_done += in->count;
    return exercise_add_cohort(x, in->id, serials, f);
}

static bool pause_or_resume(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    struct act act = {x->campaign.id, x->clock.now, EXERCISE_COMMANDER};
    bool resume = in->kind == INJECT_RESUME;
    return store_pause(x->store, &act, !resume, !resume, resume ? "" : in->text, resume, f);
}

static bool fault_begins(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    struct span lasts = in->lasts.s > 0 ? in->lasts : x->scenario.duration;
    struct utc end = utc_add(x->clock.now, lasts);
    struct drill_faults *faults = &x->faults;
    if (in->kind == INJECT_CA_DOWN)
        faults->down = end;
    if (in->kind == INJECT_CRL_LATE)
        faults->late = end;
    if (in->kind == INJECT_CA_LOST_ANSWERS) {
        faults->lost = end;
        faults->lost_percent = in->percent;
    }
    if (in->kind == INJECT_CRL_ISSUER_FLIP) {
        faults->flip = end;
        return world_deliver_crl(&x->world, true, f);
    }
    return true;
}

static bool message(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    (void)x, (void)in, (void)f;
    return true; /* the note in the log is all there is */
}

bool exercise_inject(struct exercise *x, const struct scenario_inject *in, struct fault *f)
{
    static bool (*const acts[INJECT_KIND_COUNT])(struct exercise *, const struct scenario_inject *,
                                                 struct fault *) = {
        [INJECT_MESSAGE] = message,
        [INJECT_PAUSE] = pause_or_resume,
        [INJECT_RESUME] = pause_or_resume,
        [INJECT_CA_DOWN] = fault_begins,
        [INJECT_CA_LOST_ANSWERS] = fault_begins,
        [INJECT_CRL_LATE] = fault_begins,
        [INJECT_CRL_ISSUER_FLIP] = fault_begins,
        [INJECT_DROP] = drop,
        [INJECT_HOLD_COURT] = hold,
        [INJECT_RELEASE_COURT] = release,
        [INJECT_LATE_FOUND] = find_late,
    };
    char at[UTC_TEXT];
    struct act act = {x->campaign.id, x->clock.now, "exercise"};
    AUTO_JSON *data = json_object();
    json_set_text(data, "id", in->id);
    json_set_text(data, "kind", inject_name(in->kind));
    json_set_text(data, "to", in->to);
    json_set_text(data, "text", in->text);
    log_line("%s  > %s %s (%s): %s", utc_format(x->clock.now, at), in->id, inject_name(in->kind), in->to,
             in->text);
    return store_note(x->store, &act, "inject", data, f) && acts[in->kind](x, in, f);
}
