/* The report of a delay, in thin form: what the ledger knows under the headings that CCADB asks for. The
 * reasons, the harm and what is done against the next delay are people's words, and stay N/A until they write
 * them. */
#include "figures.h"
#include "massrevoke/json.h"
#include "passages.h"
#include "renderers.h"
#include "template.h"
#include "words.h"

#include <inttypes.h>

static bool check_delay(const struct report_input *in, struct fault *f)
{
    if (!in->snapshot->delay_expected) {
        fault_set(f, FAULT_CONFLICT, "no deadline is missed, and none is expected to be");
        return fault_hint(f, "massrevoke report progress tells how things stand");
    }
    return report_check_rows(in, f);
}

/* Revoked after the deadline, or not revoked and not to be before it. */
static int64_t late(const struct report_input *in)
{
    int64_t n = 0;
    for (size_t i = 0; i < in->row_count; i++) {
        const struct affected_row *r = &in->rows[i];
        bool expired = r->excluded_expired || certificate_bucket(r->state) == BUCKET_EXPIRED;
        n += r->delayed && !expired && certificate_bucket(r->state) != BUCKET_OUTSIDE;
    }
    return n;
}

/* The earliest deadline that is missed, or will be. */
static struct utc first_miss(const struct snapshot *s)
{
    struct utc first = UTC_NONE;
    for (size_t i = 0; i < s->cohort_count; i++)
        if (s->cohorts[i].delay_expected)
            utc_sooner(&first, s->cohorts[i].deadline);
    return first;
}

static bool is_past(const struct snapshot *s)
{
    for (size_t i = 0; i < s->cohort_count; i++)
        if (s->cohorts[i].missed)
            return true;
    return false;
}

static void put_description(const struct report_input *in, struct buf *out)
{
    const struct snapshot *s = in->snapshot;
    words_certificates(out, late(in));
    buf_format(out, " %s revoked within the time that the Baseline Requirements allow. ",
               is_past(s) ? "were not" : "will not be");
    passage_figures_sentence(s, out);
}

static void put_policies(const struct report_input *in, struct buf *out)
{
    words_markdown(out, in->document == NULL ? "TLS Baseline Requirements" : in->document);
    buf_text(out, ", sections 4.9.1 and 4.9.5 (revoked means published, within the time of the clause)");
}

/* By whose order or decision certificates come too late. */
static void put_holds(const struct snapshot *s, struct buf *out)
{
    AUTO_BUF why = {0};
    if (s->held_late == 0)
        return;
    snapshot_held_late(s, 0, &why);
    buf_text(out, " Held beyond the deadline are ");
    words_markdown(out, buf_str(&why).p);
    buf_text(out, ".");
}

static void put_analysis(const struct report_input *in, struct buf *out)
{
    const struct snapshot *s = in->snapshot;
    buf_format(out,
               "Held by a court's order or by a decision to delay: %s; unknown to the CA: %s; waiting for a "
               "person: %s.",
               NUMBER(s->totals.held), NUMBER(s->totals.unknown), NUMBER(s->needs_person));
    put_holds(s, out);
    if (s->behind != NULL && s->behind[0] != '\0') {
        buf_text(out, " Pace: ");
        words_markdown(out, s->behind);
        buf_text(out, ".");
    }
    buf_text(out, " Reasons for the delay, substantiated harm to third parties, and why it is rare and "
                  "unavoidable: N/A");
}

/* When a cohort ends with what is held beyond its deadline; UTC_NONE: that is not known, or *endless. */
static struct utc finish_of(const struct snapshot *s, const struct snapshot_cohort *c, bool *endless)
{
    struct utc last = c->projected_finish;
    *endless = false;
    for (size_t i = 0; i < s->hold_count; i++)
        if (s->holds[i].cohort == c->cohort && s->holds[i].late) {
            *endless = *endless || !utc_is_set(s->holds[i].finish);
            last = utc_max(last, s->holds[i].finish);
        }
    return *endless ? UTC_NONE : last;
}

static void put_cohort(const struct snapshot *s, const struct snapshot_cohort *c, struct buf *out)
{
    bool endless;
    struct utc finish = finish_of(s, c, &endless);
    int64_t over = utc_is_set(finish) ? utc_sub(finish, c->deadline).s : 0;
    buf_format(out, "| %d | %s | %s | %s | %s |\n", c->cohort, MINUTE(c->deadline),
               NUMBER(totals_not_yet_revoked(&c->totals)), MINUTE(finish),
               endless    ? "held without an end"
               : over > 0 ? SPAN((struct span){over})
                          : "N/A");
}

static void put_delays(const struct snapshot *s, struct buf *out)
{
    passage_figures(s, out);
    buf_text(out, "| Cohort | Deadline | Not yet revoked | Estimate | Late by |\n|---:|---|---:|---|---|\n");
    for (size_t i = 0; i < s->cohort_count && i < 40; i++)
        if (s->cohorts[i].delay_expected)
            put_cohort(s, &s->cohorts[i], out);
    buf_text(out, "\nThe list of affected certificates is attached. Head of the evidence log (RFC 6962) as "
                  "origin, size "
                  "and root:\n\n");
    passage_log_head(s, out);
}

static void put_related(const struct snapshot *s, struct buf *out)
{
    if (s->bug > 0)
        buf_format(out, "%" PRId64 " | %.10s | The incident whose certificates are revoked", s->bug,
                   MINUTE(s->received));
    else
        buf_text(out, "N/A | N/A | N/A");
}

bool render_delayed(const struct report_input *in, struct buf *out, struct fault *f)
{
    const struct snapshot *s = in->snapshot;
    AUTO_BUF description = {0}, policies = {0}, types = {0}, analysis = {0}, considerations = {0},
             timeline = {0}, related = {0}, appendix = {0};
    if (!check_delay(in, f))
        return false;
    struct utc miss = first_miss(s);
    bool done = totals_not_yet_revoked(&s->totals) == 0;
    put_description(in, &description);
    put_policies(in, &policies);
    passage_types(s, &types);
    put_analysis(in, &analysis);
    passage_meaning(s, &considerations);
    passage_timeline(s, &timeline);
    put_related(s, &related);
    put_delays(s, &appendix);
    const struct template_value values[] = {
        {"DESCRIPTION", str_trim(buf_str(&description))},
        {"START", str_of(MINUTE(miss))},
        {"IDENTIFIED", str_of(MINUTE(utc_min(miss, s->as_of)))},
        {"END", str_of(done ? MINUTE(s->as_of) : "N/A")},
        {"POLICIES", buf_str(&policies)},
        {"TOTAL", str_of(NUMBER(late(in)))},
        {"REMAINING", str_of(NUMBER(totals_not_yet_revoked(&s->totals)))},
        {"TYPES", buf_str(&types)},
        {"ANALYSIS", buf_str(&analysis)},
        {"CONSIDERATIONS", str_trim(buf_str(&considerations))},
        {"TIMELINE", str_trim(buf_str(&timeline))},
        {"RELATED", buf_str(&related)},
        {"APPENDIX", str_trim(buf_str(&appendix))},
    };
    return template_fill("delayed report template", in->template, values, sizeof values / sizeof *values, out,
                         f);
}

static json_t *cohorts_json(const struct snapshot *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->cohort_count; i++) {
        const struct snapshot_cohort *c = &s->cohorts[i];
        if (!c->delay_expected)
            continue;
        json_t *o = json_object();
        bool endless;
        json_set_int(o, "cohort", c->cohort);
        json_set_text(o, "rule", c->rule);
        json_set_utc(o, "deadline", c->deadline);
        json_set_bool(o, "missed", c->missed);
        json_set_int(o, "not_yet_revoked", totals_not_yet_revoked(&c->totals));
        json_set_utc(o, "estimate", finish_of(s, c, &endless));
        json_set_int(o, "held_late", c->held_late);
        json_set_bool(o, "held_without_end", endless);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *holds_json(const struct snapshot *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->hold_count; i++) {
        const struct snapshot_hold *h = &s->holds[i];
        if (!h->late)
            continue;
        json_t *o = json_object();
        json_set_int(o, "hold", h->hold);
        json_set_int(o, "cohort", h->cohort);
        json_set_text(o, "kind", h->court ? "court" : "delay");
        json_set_text(o, "document", h->document);
        json_set_utc(o, "until", h->until);
        json_set_utc(o, "estimate", h->finish);
        json_set_int(o, "certificates", h->certificates);
        json_array_append_new(list, o);
    }
    return list;
}

bool render_delayed_json(const struct report_input *in, struct buf *out, struct fault *f)
{
    const struct snapshot *s = in->snapshot;
    char root[DIGEST_TEXT];
    if (!check_delay(in, f))
        return false;
    AUTO_JSON *object = json_object();
    json_set_text(object, "report", "delayed");
    json_set_text(object, "campaign", s->campaign);
    json_set_text(object, "mode", s->mode);
    json_set_utc(object, "as_of", s->as_of);
    json_set_int(object, "late", late(in));
    json_set_int(object, "affected", s->totals.affected);
    json_set_int(object, "revoked", s->totals.revoked);
    json_set_int(object, "not_yet_revoked", totals_not_yet_revoked(&s->totals));
    json_set_int(object, "expired_first", s->totals.expired);
    json_set_int(object, "held", s->totals.held);
    json_set_int(object, "held_late", s->held_late);
    json_object_set_new(object, "holds", holds_json(s));
    json_set_utc(object, "estimate", figures_estimate(s));
    json_set_int(object, "outside_estimate", figures_outside_estimate(s));
    json_object_set_new(object, "cohorts", cohorts_json(s));
    json_set_int(object, "log_size", s->log_size);
    json_set_text(object, "log_root", digest_hex(s->log_root, root));
    json_pretty(object, out);
    return true;
}
