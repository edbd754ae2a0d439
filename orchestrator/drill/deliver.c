/* The files of a drill, all from one snapshot, and the verdict. */
#include "exercise.h"
#include "massrevoke/crl_read.h"
#include "massrevoke/file.h"
#include "massrevoke/planner.h"
#include "massrevoke/store_log.h"
#include "massrevoke/store_report.h"
#include "massrevoke/verify_issuer.h"

#include <errno.h>
#include <inttypes.h>

#define CRL_MOST ((size_t)64 * 1024 * 1024)

/* Everything the files are made from. */
struct results {
    struct exercise *x;
    struct arena *arena;
    struct snapshot snapshot;
    struct affected_row *rows;
    size_t row_count;
    struct rule rule;
    struct score_facts facts;
    struct report_expectation *verdicts;
};

static bool put(struct results *r, const char *name, const struct buf *bytes, struct fault *f)
{
    return file_write(file_join(r->arena, r->x->world.out, name), buf_str(bytes), 0644, f);
}

/* --- gathering --- */

/* What stands at the distribution point, judged by name and signature alone: entries, or -1. */
static int64_t crl_entries(struct results *r)
{
    struct fault ignored = {0};
    struct str crl_bytes, ca_bytes;
    struct crl crl;
    struct verify_issuer issuer = {0};
    const char *folder = r->x->world.pub,
               *certificate = r->x->world.settings.cas[0].issuers[0].certificate_file;
    if (!file_read(file_join(r->arena, folder, "ca.crl"), CRL_MOST, r->arena, &crl_bytes, &ignored) ||
        !file_read(certificate, CRL_MOST, r->arena, &ca_bytes, &ignored) ||
        !verify_issuer_load(ca_bytes, r->arena, &issuer, &ignored))
        return -1;
    const struct crl_question q = {.issuer = &issuer};
    bool good = crl_read(crl_bytes, &q, r->arena, &crl, NULL, &ignored) && crl.signature_problem == NULL;
    verify_issuer_free(&issuer);
    return good ? (int64_t)crl.entry_count : -1;
}

static void gather_rows(struct results *r)
{
    struct score_facts *facts = &r->facts;
    facts->first_revocation = facts->last_revocation = UTC_NONE;
    for (size_t i = 0; i < r->row_count; i++) {
        const struct affected_row *row = &r->rows[i];
        if (!utc_is_set(row->revoked))
            continue;
        facts->right_reason += row->reason == (int)r->rule.reason;
        facts->last_revocation = utc_max(facts->last_revocation, row->revoked);
        facts->first_revocation = utc_is_set(facts->first_revocation)
                                      ? utc_min(facts->first_revocation, row->revoked)
                                      : row->revoked;
    }
}

/* What waits for publication at the end has waited so long already. */
static struct span longest_wait(const struct exercise *x)
{
    struct span longest = x->published_within;
    if (x->batch_done < x->batch_count) {
        struct span waits = utc_sub(x->clock.now, x->batches[x->batch_done].at);
        longest = waits.s > longest.s ? waits : longest;
    }
    return longest;
}

/* Certificates that somebody still has to do something about. */
static int64_t left(const struct snapshot *s)
{
    return totals_not_yet_revoked(&s->totals);
}

static bool gather(struct results *r, struct fault *f)
{
    struct exercise *x = r->x;
    struct log_verdict log;
    struct snapshot_terms terms = {.plans_dir = x->world.settings.plans_dir,
                                   .quorum = x->world.settings.quorum,
                                   .publish_margin = x->profile.publish_margin,
                                   .reserve = x->profile.reserve,
                                   .rate = x->world.settings.cas[0].rate};
    if (!store_campaign_find(x->store, x->campaign.name, r->arena, &x->campaign, f) ||
        !store_log_verify(x->store, x->campaign.id, NULL, &log, f) ||
        !store_snapshot(x->store, &x->campaign, x->clock.now, &terms, true, r->arena, &r->snapshot, f) ||
        !store_affected(x->store, x->campaign.id, x->clock.now, &terms, r->arena, &r->rows, &r->row_count,
                        f) ||
        !rules_find(x->world.settings.plans_dir, x->scenario.rule, r->arena, &r->rule, f))
        return false;
    gather_rows(r);
    r->facts.snapshot = &r->snapshot;
    r->facts.log_ok = log.ok;
    r->facts.first_notice = x->first_notice;
    r->facts.finish = left(&r->snapshot) == 0 ? x->finish : UTC_NONE;
    r->facts.published_within = longest_wait(x);
    r->facts.crl_entries = crl_entries(r);
    r->facts.lost_answers = x->faults.lost_answers;
    r->verdicts = score(&x->scenario, &r->facts, r->arena);
    return true;
}

/* --- writing --- */

static bool put_report(struct results *r, const char *kind, const char *format, const char *name,
                       struct fault *f)
{
    const struct report *report;
    AUTO_BUF out = {0};
    struct report_input in = {
        .snapshot = &r->snapshot,
        .document = arena_format(r->arena, "%s %s", r->rule.document, r->rule.version),
        .rows = r->rows,
        .row_count = r->row_count,
    };
    if (!reporter_find(kind, format, &r->snapshot, &report, f))
        return false;
    if (report->template_path != NULL &&
        !plans_file(r->x->world.settings.plans_dir, report->template_path, r->arena, &in.template, f))
        return false;
    return reporter_render(report, &in, &out, f) && put(r, name, &out, f);
}

static bool put_tables(struct results *r, struct fault *f)
{
    struct plan plan = {.slots = r->x->slots, .slot_count = r->x->slot_count};
    AUTO_BUF schedule = {0};
    AUTO_BUF timeline = {0};
    AUTO_BUF status = {0};
    planner_csv(&plan, &schedule);
    reporter_timeline_csv(&r->snapshot, &timeline);
    reporter_status_json(&r->snapshot, &status);
    return put(r, "schedule.csv", &schedule, f) && put(r, "timeline.csv", &timeline, f) &&
           put(r, "status.json", &status, f);
}

static bool put_after_action(struct results *r, struct fault *f)
{
    const struct exercise *x = r->x;
    struct utc received = x->scenario.received;
    const struct report_measure measures[] = {
        {"From receipt to activation", received, utc_add(received, x->scenario.begins)},
        {"From activation to the signed plan", utc_add(received, x->scenario.begins), x->first_approval},
        {"From receipt to the first notice", received, x->first_notice},
        {"From receipt to the first revocation", received, r->facts.first_revocation},
        {"From receipt to the last revocation", received, r->facts.last_revocation},
        {"From receipt to the last one seen published", received, r->facts.finish},
    };
    struct report_exercise exercise = {
        .scenario = x->scenario.title,
        .level = "simulated",
        .scenario_digest = x->scenario.digest,
        .seed = x->world.seed,
        .measures = measures,
        .measure_count = sizeof measures / sizeof *measures,
        .expectations = r->verdicts,
        .expectation_count = x->scenario.expectation_count,
    };
    memcpy(exercise.elements, x->scenario.elements, sizeof exercise.elements);
    AUTO_BUF out = {0};
    return reporter_after_action(&r->snapshot, &exercise, &out, f) && put(r, "after-action.md", &out, f);
}

static void conclude(const struct results *r, struct arena *a, struct drill_outcome *out)
{
    out->out = arena_text(a, r->x->world.out);
    out->expectations = r->x->scenario.expectation_count;
    out->failures = arena_array(a, out->expectations, sizeof *out->failures);
    for (size_t i = 0; i < out->expectations; i++) {
        const struct report_expectation *e = &r->verdicts[i];
        if (!e->met)
            out->failures[out->failed++] =
                arena_format(a, "%s: %s; expected %s, seen %s", e->id, e->text, e->expected, e->seen);
    }
}

bool exercise_deliver(struct exercise *x, struct arena *a, struct drill_outcome *out, struct fault *f)
{
    struct results r = {.x = x, .arena = &x->arena};
    struct log_head head;
    if (!gather(&r, f) || !put_report(&r, "progress", "md", "progress.md", f) ||
        !put_report(&r, "full", "md", "full.md", f) ||
        !put_report(&r, "affected", "csv", "affected.csv", f) || !put_tables(&r, f) ||
        !put_after_action(&r, f) ||
        !store_log_export(x->store, x->campaign.id, file_join(&x->arena, x->world.out, "evidence"), &head, f))
        return false;
    conclude(&r, a, out);
    return true;
}
