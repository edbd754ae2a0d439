/* The exercise itself: what the command line does by hand, then one loop over engine, subscribers and
 * injects. */
#include "massrevoke/drill.h"
#include "exercise.h"
#include "massrevoke/ca_openssl.h"
#include "massrevoke/cluster.h"
#include "massrevoke/cms.h"
#include "massrevoke/digest.h"
#include "massrevoke/file.h"
#include "massrevoke/log.h"
#include "massrevoke/store_notice.h"

#include <inttypes.h>
#include <stdlib.h>

#define TELL_EVERY (6 * 3600) /* campaign seconds between lines of progress while only counts change */

struct conduct exercise_conduct(const struct exercise *x, const char *who)
{
    return (struct conduct){.store = x->store,
                            .settings = &x->world.settings,
                            .issuers = x->issuers,
                            .issuer_count = x->issuer_count,
                            .now = x->clock.now,
                            .who = who,
                            .campaign = x->campaign};
}

/* --- the store: private cluster, a schema of the folder's --- */

static bool open_store(struct exercise *x, struct fault *f)
{
    struct settings s = {.db_bindir = x->spec->bindir, .db_run_as = x->spec->run_as};
    char hex[DIGEST_TEXT];
    digest_hex(digest_of(x->world.out, strlen(x->world.out)), hex);
    x->schema = arena_format(&x->arena, "drill_%.16s", hex);
    return cluster_start(&s, &x->arena, &x->conninfo, f) && store_drop_schema(x->conninfo, x->schema, f) &&
           store_open(x->conninfo, x->schema, &x->store, f) &&
           conduct_issuers(x->store, &x->world.settings, &x->arena, &x->issuers, &x->issuer_count, f);
}

/* --- what a commander does before the engine runs --- */

/* One slot an hour, whichever plan it comes from. */
static void add_slots(struct exercise *x, const struct plan *plan)
{
    struct plan_slot *all = arena_array(&x->arena, x->slot_count + plan->slot_count, sizeof *all);
    size_t n = 0, i = 0, k = 0;
    while (i < x->slot_count || k < plan->slot_count) {
        bool old = k == plan->slot_count || (i < x->slot_count && x->slots[i].hour <= plan->slots[k].hour);
        bool both = old && k < plan->slot_count && x->slots[i].hour == plan->slots[k].hour;
        all[n] = old ? x->slots[i++] : plan->slots[k++];
        if (both) {
            all[n].certificates += plan->slots[k].certificates;
            all[n].subscribers += plan->slots[k++].subscribers;
        }
        n++;
    }
    x->slots = all;
    x->slot_count = n;
}

bool exercise_ask(struct exercise *x, int request, int cohort, struct fault *f)
{
    if (x->pending_count == EXERCISE_PENDING_MAX)
        return fault_set(f, FAULT_CONFIG, "%s: more than %d requests wait at once", x->scenario.file,
                         EXERCISE_PENDING_MAX);
    x->pending[x->pending_count++] =
        (struct exercise_pending){utc_add(x->clock.now, x->scenario.approval), request, cohort};
    return true;
}

bool exercise_add_cohort(struct exercise *x, const char *name, const char *serials, struct fault *f)
{
    AUTO_INTAKE_LIST list = {0};
    struct conduct c = exercise_conduct(x, EXERCISE_COMMANDER);
    struct conduct_plan plan;
    struct population_result imported;
    if (!world_list(&x->world, name, serials, &list, f))
        return false;
    struct conduct_list import = {
        .list = &list, .sha256 = digest_of(serials, strlen(serials)), .source = name, .received = UTC_NONE};
    if (!conduct_import(&c, &import, &imported, f) ||
        !conduct_plan(&c, imported.cohort, c.now, false, &x->arena, &plan, f))
        return false;
    add_slots(x, &plan.value);
    char finish[UTC_TEXT], at[UTC_TEXT];
    log_line("%s  plan of cohort %d: %zu certificates in %zu slots, %" PRIu64 " expire first, %s, finish %s",
             utc_format(x->clock.now, at), imported.cohort, plan.value.number_count, plan.value.slot_count,
             plan.value.expires_first, plan.value.feasible ? "feasible" : "NOT FEASIBLE",
             utc_format(plan.value.finish, finish));
    return exercise_ask(x, plan.request, imported.cohort, f);
}

static bool open_campaign(struct exercise *x, struct fault *f)
{
    const struct scenario *s = &x->scenario;
    struct conduct c = exercise_conduct(x, EXERCISE_COMMANDER);
    struct conduct_opening o = {.name = s->name,
                                .mode = "drill",
                                .rule = s->rule,
                                .profile = x->profile.name,
                                .received = s->received};
    int id;
    if (!conduct_open(&c, &o, &id, f) || !store_campaign_find(x->store, s->name, &x->arena, &x->campaign, f))
        return false;
    c = exercise_conduct(x, EXERCISE_COMMANDER);
    return conduct_inventory(&c, x->world.inventory, x->world.certificate_count, f) &&
           conduct_contacts(&c, x->world.contacts, x->world.contact_count, f) &&
           exercise_add_cohort(x, "affected-list.txt", x->world.first_list, f);
}

/* --- the engine with its doors --- */

static bool open_doors(struct exercise *x, struct fault *f)
{
    const struct settings *s = &x->world.settings;
    struct clock clock = drill_clock_face(&x->clock);
    struct ca_door *ca;
    struct mail_door *spool;
    x->faults = (struct drill_faults){.world = &x->world,
                                      .clock = &x->clock,
                                      .down = UTC_NONE,
                                      .lost = UTC_NONE,
                                      .late = UTC_NONE,
                                      .flip = UTC_NONE};
    if (!ca_openssl_open(&s->cas[0], 0, clock, &ca, f))
        return false;
    x->ca.door = faults_ca(&x->faults, ca);
    if (!fetch_open(s, &x->fetch, f) || !mail_open(s, &spool, f))
        return false;
    x->mail = faults_mail(spool, subscribers_refuse, &x->subscribers);
    struct engine_parts parts = {
        .settings = s,
        .conninfo = x->conninfo,
        .schema = x->schema,
        .store = x->store,
        .clock = clock,
        .cas = &x->ca,
        .ca_count = 1,
        .issuers = x->issuers,
        .issuer_count = x->issuer_count,
        .fetch = x->fetch,
        .mail = x->mail,
        .profile = x->profile,
        .campaign = x->campaign.id,
        .campaign_name = x->campaign.name,
        .mode = x->campaign.mode,
        .who = "engine",
        .host = "drill",
    };
    return engine_open(&parts, &x->engine, f);
}

/* --- people --- */

static bool sign(struct exercise *x, int request, const struct settings_approver *person, struct fault *f)
{
    AUTO_ARENA a = {0};
    AUTO_BUF signature = {0};
    struct conduct c = exercise_conduct(x, person->name);
    struct request r;
    int approvals;
    const char *who;
    const char *key = arena_format(&a, "%s/approvers/%s.key", x->world.ca, person->name);
    return conduct_request(&c, request, &a, &r, f) &&
           cms_sign(str_of(r.text), key, NULL, person->certificate_file, &signature, f) &&
           conduct_approve(&c, &r, buf_str(&signature), &approvals, &who, f);
}

static bool approve(struct exercise *x, const struct exercise_pending *p, struct fault *f)
{
    char at[UTC_TEXT];
    for (size_t i = 0; i < x->world.settings.approver_count; i++)
        if (!sign(x, p->request, &x->world.settings.approvers[i], f))
            return false;
    if (!utc_is_set(x->first_approval))
        x->first_approval = x->clock.now;
    log_line("%s  request %d signed by %zu approvers", utc_format(x->clock.now, at), p->request,
             x->world.settings.approver_count);
    struct conduct c = exercise_conduct(x, EXERCISE_COMMANDER);
    return p->cohort == 0 || conduct_start(&c, p->cohort, f);
}

static bool do_approvals(struct exercise *x, struct fault *f)
{
    while (x->pending_count > 0 && x->pending[0].at.s <= x->clock.now.s) {
        struct exercise_pending p = x->pending[0];
        memmove(x->pending, x->pending + 1, --x->pending_count * sizeof *x->pending);
        if (!approve(x, &p, f))
            return false;
    }
    return true;
}

static bool do_injects(struct exercise *x, struct fault *f)
{
    for (; x->injects_done < x->scenario.inject_count; x->injects_done++) {
        const struct scenario_inject *in = &x->scenario.injects[x->injects_done];
        if (utc_add(x->scenario.received, in->at).s > x->clock.now.s)
            break;
        if (!exercise_inject(x, in, f))
            return fault_wrap(f, "inject %s", in->id);
    }
    return true;
}

static bool do_answers(struct exercise *x, struct fault *f)
{
    const struct drill_answer *answer;
    while ((answer = subscribers_next(&x->subscribers)) != NULL && answer->at.s <= x->clock.now.s) {
        bool first;
        struct act act = {x->campaign.id, answer->at, answer->role};
        if (!store_ack(x->store, &act, answer->subscriber, "answered a notice", &first, f))
            return false;
        subscribers_done(&x->subscribers);
    }
    return true;
}

/* --- the loop --- */

/* How long the CA's record waited for publication: batches are published in their order or later, so the
 * oldest batch that is not wholly published bounds it. */
static void measure(struct exercise *x, const struct engine_report *r)
{
    int64_t published = r->counts.n[BUCKET_REVOKED];
    int64_t recorded = published + r->counts.n[BUCKET_PENDING_PUBLICATION];
    if (recorded > x->recorded) {
        x->batches = arena_grow(x->batches, (x->batch_count + 1) * sizeof *x->batches);
        x->batches[x->batch_count++] = (struct exercise_batch){x->clock.now, recorded};
        x->recorded = recorded;
    }
    if (published > x->published) {
        x->published = published;
        x->finish = x->clock.now;
    }
    while (x->batch_done < x->batch_count && x->batches[x->batch_done].recorded <= published) {
        struct span took = utc_sub(x->clock.now, x->batches[x->batch_done++].at);
        if (took.s > x->published_within.s)
            x->published_within = took;
    }
}

static void tell(struct exercise *x, const struct engine_report *r, bool always)
{
    char at[UTC_TEXT], due[UTC_TEXT];
    if (r->warning[0] != '\0' && always)
        log_line("%s  ! %s", utc_format(x->clock.now, at), r->warning);
    if (!always && utc_is_set(x->told) && x->clock.now.s < x->told.s + TELL_EVERY)
        return;
    x->told = x->clock.now;
    log_line("%s  revoked %" PRId64 ", pending publication %" PRId64 ", not revoked %" PRId64
             ", held %" PRId64 ", expired %" PRId64 "%s; next due %s",
             utc_format(x->clock.now, at), r->counts.n[BUCKET_REVOKED],
             r->counts.n[BUCKET_PENDING_PUBLICATION], r->counts.n[BUCKET_NOT_REVOKED],
             r->counts.n[BUCKET_HELD], r->counts.n[BUCKET_EXPIRED],
             r->state == ENGINE_PAUSED ? "; PAUSED" : "",
             utc_is_set(r->due) ? utc_format(r->due, due) : "nothing");
}

static void sooner(struct utc *next, struct utc candidate)
{
    if (utc_is_set(candidate))
        *next = utc_min(*next, candidate);
}

/* The moment something happens next; at the latest the end of the exercise. */
static struct utc next_moment(const struct exercise *x, const struct engine_report *r, struct utc end)
{
    struct utc next = end;
    const struct drill_answer *answer = subscribers_next(&x->subscribers);
    sooner(&next, r->next);
    sooner(&next, faults_next(&x->faults));
    if (answer != NULL)
        sooner(&next, answer->at);
    if (x->pending_count > 0)
        sooner(&next, x->pending[0].at);
    if (x->injects_done < x->scenario.inject_count)
        sooner(&next, utc_add(x->scenario.received, x->scenario.injects[x->injects_done].at));
    return next;
}

static bool is_over(const struct exercise *x, const struct engine_report *r, struct utc end)
{
    bool more = x->injects_done < x->scenario.inject_count || x->pending_count > 0;
    bool settled = r->state == ENGINE_SETTLED || r->state == ENGINE_LEFT;
    return x->clock.now.s >= end.s || (settled && !more);
}

static bool loop(struct exercise *x, struct fault *f)
{
    struct clock clock = drill_clock_face(&x->clock);
    struct utc end = utc_add(x->scenario.received, x->scenario.duration);
    for (;;) {
        struct engine_report r = {0};
        size_t injects = x->injects_done;
        if (x->spec->stop != NULL && *x->spec->stop)
            return fault_set(f, FAULT_INTERRUPTED, "interrupted; what the drill wrote so far is in %s",
                             x->world.out);
        if (!faults_settle(&x->faults, f) || !do_injects(x, f) || !do_approvals(x, f) || !do_answers(x, f) ||
            !engine_step(x->engine, &r, f))
            return false;
        measure(x, &r);
        if (r.notices > 0) {
            if (!utc_is_set(x->first_notice))
                x->first_notice = x->clock.now;
            if (!subscribers_read(&x->subscribers, x->clock.now, f))
                return false;
        }
        bool over = is_over(x, &r, end);
        tell(x, &r, over || x->injects_done > injects);
        if (over)
            return true;
        /* the engine may ask to be called again at once; a moment of its own keeps the loop moving */
        struct utc next = utc_max(next_moment(x, &r, end), utc_add(x->clock.now, (struct span){1}));
        clock.wait(clock.self, next, utc_sub(next, x->clock.now), -1);
    }
}

static void close_exercise(struct exercise *x)
{
    struct fault ignored = {0};
    engine_close(x->engine);
    mail_close(x->mail);
    fetch_close(x->fetch);
    ca_close(x->ca.door);
    bool stored = x->store != NULL;
    store_close(x->store);
    if (stored)
        (void)!store_drop_schema(x->conninfo, x->schema,
                                 &ignored); /* the next drill of this folder drops it too */
    subscribers_free(&x->subscribers);
    free(x->batches);
    drill_world_end(&x->world);
    arena_free(&x->arena);
}

static bool run(struct exercise *x, struct arena *a, struct drill_outcome *out, struct fault *f)
{
    const struct drill_spec *spec = x->spec;
    struct scenario *s = &x->scenario;
    if (!scenario_read(spec->scenario, &x->arena, s, f))
        return false;
    uint64_t seed = spec->seed >= 0 ? (uint64_t)spec->seed : s->seed;
    x->clock.now = utc_add(s->received, s->begins);
    log_line("drill %s: %d certificates, %d subscribers, seed %" PRIu64, s->name, s->certificates,
             s->subscribers, seed);
    if (!drill_world_open(&x->world, s, seed, spec->out, f) || !open_store(x, f))
        return false;
    subscribers_deal(&x->subscribers, &x->world);
    if (!profile_read(x->world.settings.plans_dir, x->world.profile, &x->arena, &x->profile, f) ||
        !open_campaign(x, f) || !open_doors(x, f) || !loop(x, f))
        return false;
    engine_close(x->engine); /* its chunks go back, so that what is written down stands still */
    x->engine = NULL;
    return exercise_deliver(x, a, out, f);
}

bool drill_run(const struct drill_spec *spec, struct arena *a, struct drill_outcome *out, struct fault *f)
{
    struct exercise x = {.spec = spec,
                         .first_notice = UTC_NONE,
                         .first_approval = UTC_NONE,
                         .finish = UTC_NONE,
                         .told = UTC_NONE};
    *out = (struct drill_outcome){0};
    bool ok = run(&x, a, out, f);
    close_exercise(&x);
    return ok;
}
