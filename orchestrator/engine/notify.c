/* Notices: decided purely (notifier), sent through the mail door without ever waiting for a relay, each
 * outcome one fact. A message without a known outcome goes again under the same Message-ID (sentence 9). */
#include "internal.h"
#include "massrevoke/notifier.h"
#include "massrevoke/store_notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMIT_EVERY 100 /* outcomes a transaction */

/* A message at the door; answered ones wait for their commit. */
struct posted {
    int64_t notice, contact;
    int cohort;
    enum notice_kind kind;
    struct utc at;
    bool answered;
    enum mail_outcome outcome;
    char text[200];
};

struct mailbag {
    struct posted *list;
    size_t count, room;
    int64_t answered, accepted, refused; /* since it was opened */
    struct notice_templates templates;
    struct arena arena;
    bool ready;
};

static void on_answer(void *context, const struct mail_answer *answer)
{
    struct mailbag *bag = context;
    for (size_t i = 0; i < bag->count; i++)
        if (bag->list[i].notice == answer->id && !bag->list[i].answered) {
            bag->list[i].answered = true;
            bag->answered++;
            bag->accepted += answer->outcome == MAIL_ACCEPTED;
            bag->refused += answer->outcome == MAIL_REFUSED;
            bag->list[i].outcome = answer->outcome;
            snprintf(bag->list[i].text, sizeof bag->list[i].text, "%s", answer->text);
            return;
        }
}

static bool open_bag(struct engine *e, struct fault *f)
{
    if (e->bag != NULL && e->bag->ready)
        return true;
    if (e->bag == NULL) {
        e->bag = arena_grow(NULL, sizeof *e->bag);
        *e->bag = (struct mailbag){0};
    }
    e->bag->ready =
        notifier_read_templates(e->parts.settings->plans_dir, &e->bag->arena, &e->bag->templates, f) &&
        notifier_check_templates(&e->bag->templates, f);
    return e->bag->ready;
}

void engine_mailbag_free(struct engine *e)
{
    if (e->bag == NULL)
        return;
    arena_free(&e->bag->arena);
    free(e->bag->list);
    free(e->bag);
    e->bag = NULL;
}

/* Commits answered tries, at most COMMIT_EVERY at once, and forgets them. */
static bool commit_answers(struct engine *e, struct engine_report *r, struct fault *f)
{
    struct mailbag *bag = e->bag;
    struct notice_result results[COMMIT_EVERY];
    for (size_t n = COMMIT_EVERY; n == COMMIT_EVERY;) {
        n = 0;
        for (size_t i = 0; i < bag->count && n < COMMIT_EVERY; i++)
            if (bag->list[i].answered)
                results[n++] =
                    (struct notice_result){bag->list[i].notice, bag->list[i].outcome, bag->list[i].text};
        if (n == 0)
            return true;
        struct act act = engine_act(e);
        if (!store_notice_tried(e->parts.store, &act, results, n, f))
            return false;
        r->notices += (int64_t)n;
        size_t kept = 0, taken = 0;
        for (size_t i = 0; i < bag->count; i++)
            if (bag->list[i].answered && taken < n)
                taken++;
            else
                bag->list[kept++] = bag->list[i];
        bag->count = kept;
    }
    return true;
}

static bool is_open(const struct engine *e, int cohort, int64_t contact, enum notice_kind kind)
{
    for (size_t i = 0; i < e->bag->count; i++)
        if (e->bag->list[i].cohort == cohort && e->bag->list[i].contact == contact &&
            e->bag->list[i].kind == kind)
            return true;
    return false;
}

/* A try at the door counts as open for the decision. */
static void add_open_tries(const struct engine *e, int cohort, enum notice_kind kind,
                           struct notice_subscriber *subs, size_t n)
{
    for (size_t s = 0; s < n; s++)
        for (size_t c = 0; c < subs[s].contact_count; c++)
            for (size_t i = 0; i < e->bag->count; i++) {
                const struct posted *p = &e->bag->list[i];
                if (p->cohort != cohort || p->kind != kind || p->contact != subs[s].contacts[c].id)
                    continue;
                size_t n_tries = subs[s].try_count++;
                subs[s].tries[n_tries] = (struct notice_try){.contact = p->contact,
                                                             .kind = p->kind,
                                                             .attempt = (int)n_tries + 1,
                                                             .open = true,
                                                             .at = p->at};
            }
}

static struct posted *post(struct engine *e)
{
    struct mailbag *bag = e->bag;
    if (bag->count == bag->room) {
        bag->room = bag->room == 0 ? 64 : 2 * bag->room;
        bag->list = arena_grow(bag->list, bag->room * sizeof *bag->list);
    }
    return &bag->list[bag->count++];
}

bool engine_compose(struct engine *e, const struct cohort *cohort, const struct rule *rule,
                    enum notice_kind kind, const struct notice_subscriber *sub, const struct contact *contact,
                    int64_t notice, struct utc first, struct arena *a, struct str *eml, struct fault *f)
{
    const struct settings *s = e->parts.settings;
    struct notice_facts facts = {
        .campaign = e->parts.campaign_name,
        .ca = s->ca_count > 0 ? s->cas[0].name : "CA",
        .subscriber = sub->id,
        .rule = rule->id,
        .rule_text = rule->text,
        .received = cohort->received,
        .deadline = cohort->deadline,
        .certificates = sub->certificates,
        .certificate_count = sub->certificate_count,
    };
    struct notice_input in = {
        .templates = &e->bag->templates,
        .kind = kind,
        .facts = &facts,
        .contact = contact,
        .from = s->mail_from,
        .reply_to = s->mail_reply_to,
        .message_id = notice_message_id(a, e->parts.campaign_name, notice, s->mail_from),
        .date = first,
    };
    return notifier_compose(&in, a, eml, f);
}

static bool send_one(struct engine *e, const struct cohort *cohort, const struct rule *rule,
                     enum notice_kind kind, const struct notice_subscriber *sub,
                     const struct contact *contact, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = engine_act(e);
    struct str eml;
    int64_t notice;
    struct utc first;
    if (!store_notice_begin(e->parts.store, &act, cohort->cohort, sub->id, contact->id, kind, sub->about,
                            &notice, &first, f))
        return false;
    if (!engine_compose(e, cohort, rule, kind, sub, contact, notice, first, &a, &eml, f))
        return f->kind == FAULT_CONFLICT; /* nothing planned for this subscriber yet: no notice */
    *post(e) = (struct posted){
        .notice = notice, .contact = contact->id, .cohort = cohort->cohort, .kind = kind, .at = act.at};
    struct mail_message m = {
        .id = notice,
        .from = e->parts.settings->mail_from,
        .to = contact->email,
        .name = arena_format(&a, "%s-%06" PRId64, notice_kind_name(kind), notice),
        .bytes = eml,
    };
    e->parts.mail->answer = on_answer;
    e->parts.mail->answer_context = e->bag;
    bool ok = e->parts.mail->ops->send(e->parts.mail, &m, f);
    for (bool busy = true; !ok && busy && f->kind == FAULT_CONFLICT;) {
        *f = (struct fault){0};
        ok = e->parts.mail->ops->step(e->parts.mail, &busy, f) &&
             e->parts.mail->ops->send(e->parts.mail, &m, f);
    }
    return ok;
}

static bool has_slot(const struct notice_subscriber *sub)
{
    for (size_t i = 0; i < sub->certificate_count; i++)
        if (utc_is_set(sub->certificates[i].planned))
            return true;
    return false;
}

/* Composes and drops, to prove that it can be composed. */
static bool render_one(struct engine *e, const struct cohort *cohort, const struct rule *rule,
                       enum notice_kind kind, const struct notice_subscriber *sub,
                       const struct contact *contact, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct str eml;
    return engine_compose(e, cohort, rule, kind, sub, contact, 0, engine_act(e).at, &a, &eml, f) ||
           f->kind == FAULT_CONFLICT;
}

bool engine_notify_cohort(struct engine *e, const struct cohort *cohort, enum notice_kind kind,
                          struct utc start, bool dry_run, struct utc *wake, struct engine_notified *told,
                          struct fault *f)
{
    AUTO_ARENA a = {0};
    struct rule rule;
    struct notice_subscriber *subs = NULL;
    size_t n = 0;
    *wake = UTC_NONE;
    if (!open_bag(e, f) || !rules_find(e->parts.settings->plans_dir, cohort->rule, &a, &rule, f) ||
        !(kind == NOTICE_MOVED ? store_notice_moved : store_notice_subscribers)(
            e->parts.store, e->parts.campaign, cohort->cohort, &a, &subs, &n, f))
        return false;
    add_open_tries(e, cohort->cohort, kind, subs, n);
    struct notifier_subscriber *asked = arena_array(&a, n, sizeof *asked);
    size_t *origin = arena_array(&a, n, sizeof *origin), count = 0;
    for (size_t i = 0; i < n; i++) {
        if (kind == NOTICE_FIRST && !has_slot(&subs[i]))
            continue;
        origin[count] = i;
        asked[count++] = (struct notifier_subscriber){subs[i].contacts, subs[i].contact_count, subs[i].tries,
                                                      subs[i].try_count, subs[i].acked};
    }
    struct notifier_terms terms = {
        .kind = kind, .start = start, .backup_after = e->parts.profile.backup_after, .resumed = UTC_NONE};
    struct notifier_decision decision;
    notifier_due(&terms, asked, count, engine_act(e).at, &a, &decision);
    *wake = decision.wake;
    if (decision.rejected)
        snprintf(e->warning, sizeof e->warning,
                 "the relay refused the text of the %s notice: mend the template", notice_kind_name(kind));
    for (size_t i = 0; i < decision.due_count; i++) {
        const struct notice_due *due = &decision.due[i];
        const struct notice_subscriber *sub = &subs[origin[due->subscriber]];
        if (is_open(e, cohort->cohort, due->contact->id, kind))
            continue;
        told->messages++;
        if (dry_run ? !render_one(e, cohort, &rule, kind, sub, due->contact, f)
                    : !send_one(e, cohort, &rule, kind, sub, due->contact, f))
            return false;
    }
    told->subscribers += (int64_t)count;
    told->unreachable += (int64_t)decision.unreachable;
    return true;
}

/* Takes what the relay has answered by now; never waits for it. */
bool engine_mail_step(struct engine *e, struct engine_report *r, bool *busy, struct fault *f)
{
    *busy = false;
    if (e->bag == NULL || e->parts.mail == NULL)
        return true;
    return e->parts.mail->ops->step(e->parts.mail, busy, f) && commit_answers(e, r, f);
}

#define DECIDE_EVERY 3600 /* seconds between decisions when nothing said that one is due */

/* Deciding reads every subscriber: done when its own wake-up time has come, when people did something that
 * could change it, and now and then for what this campaign's log does not tell (contacts loaded for another
 * one). */
static bool decide(struct engine *e, struct utc now, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    struct campaign campaign;
    struct engine_notified told = {0};
    size_t n;
    if (!store_campaign_find(e->parts.store, e->parts.campaign_name, &a, &campaign, f) ||
        !store_cohorts(e->parts.store, e->parts.campaign, &a, &cohorts, &n, f))
        return false;
    static const enum notice_kind kinds[] = {NOTICE_MOVED, NOTICE_FIRST}; /* what hurries goes first */
    e->notify_wake = UTC_NONE;
    for (size_t i = 0; i < 2 * n; i++) {
        const struct cohort *cohort = &cohorts[i / 2];
        struct utc wake;
        if (campaign.paused_notify || !utc_is_set(cohort->started_at) || utc_is_set(cohort->voided_at))
            continue;
        if (!engine_notify_cohort(e, cohort, kinds[i % 2], cohort->started_at, false, &wake, &told, f))
            return false;
        if (utc_is_set(wake))
            e->notify_wake = utc_is_set(e->notify_wake) ? utc_min(e->notify_wake, wake) : wake;
    }
    e->last_notify = now;
    return true;
}

static int64_t failures(const struct engine *e)
{
    return e->bag == NULL ? 0 : e->bag->answered - e->bag->accepted;
}

bool engine_notify(struct engine *e, struct engine_report *r, struct utc *next, struct fault *f)
{
    struct utc now = engine_act(e).at;
    bool news;
    *next = UTC_NONE;
    if (!e->parts.profile.notices || e->parts.mail == NULL)
        return true;
    if (!store_notice_news(e->parts.store, e->parts.campaign, &e->notice_seen, &news, f))
        return false;
    bool due = news || !utc_is_set(e->last_notify) || now.s >= e->last_notify.s + DECIDE_EVERY ||
               (utc_is_set(e->notify_wake) && now.s >= e->notify_wake.s);
    if (due && !decide(e, now, f))
        return false;
    int64_t failed = failures(e);
    if (!engine_mail_step(e, r, &r->mail_open, f))
        return false;
    /* a failure may open the way to a backup contact at once; the rest is decided when all have answered */
    if (failures(e) > failed || (r->notices > 0 && e->bag->count == 0))
        e->notify_wake = now;
    *next = e->notify_wake;
    if (r->mail_open)
        utc_sooner(next, utc_add(now, (struct span){1}));
    return true;
}

bool engine_notify_now(struct engine *e, enum notice_kind kind, bool dry_run, struct engine_notified *out,
                       struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    struct engine_report r = {0};
    size_t n;
    *out = (struct engine_notified){0};
    if (!store_cohorts(e->parts.store, e->parts.campaign, &a, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct utc wake;
        if (!engine_notify_cohort(e, &cohorts[i], kind, cohorts[i].received, dry_run, &wake, out, f))
            return false;
    }
    for (bool busy = !dry_run; busy;) {
        if (!engine_mail_step(e, &r, &busy, f))
            return false;
        if (busy)
            e->parts.clock.wait(e->parts.clock.self, UTC_NONE, (struct span){1}, e->parts.mail->fd);
    }
    if (e->bag != NULL) {
        out->accepted = e->bag->accepted;
        out->refused = e->bag->refused;
    }
    return true;
}
