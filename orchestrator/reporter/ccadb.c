#include "figures.h"
#include "passages.h"
#include "renderers.h"
#include "template.h"
#include "words.h"

#include <inttypes.h>

/* "section 4.9.1.1 item 12" from "4.9.1.1-12". */
static void put_clause(const char *rule, struct buf *out)
{
    const char *dash = strrchr(rule, '-');
    AUTO_BUF section = {0};
    buf_add(&section, rule, dash == NULL ? strlen(rule) : (size_t)(dash - rule));
    buf_text(out, "section ");
    words_markdown(out, buf_str(&section).p);
    if (dash == NULL)
        return;
    buf_text(out, " item ");
    words_markdown(out, dash + 1);
}

/* Is this the first cohort with its rule? */
static bool first_of_rule(const struct snapshot *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(s->cohorts[k].rule, s->cohorts[i].rule) == 0)
            return false;
    return true;
}

static void put_policies(const struct report_input *in, struct buf *out)
{
    const struct snapshot *s = in->snapshot;
    size_t start = out->n;
    for (size_t i = 0; i < s->cohort_count; i++) {
        if (!first_of_rule(s, i))
            continue;
        buf_text(out, out->n > start ? "; " : "");
        words_markdown(out, in->document == NULL ? "TLS Baseline Requirements" : in->document);
        buf_text(out, ", ");
        put_clause(s->cohorts[i].rule, out);
        buf_text(out, " (");
        words_markdown(out, s->cohorts[i].rule_text);
        buf_text(out, ")");
    }
    if (out->n == start)
        buf_text(out, "N/A");
}

static void put_description(const struct snapshot *s, struct buf *out)
{
    words_certificates(out, s->totals.affected);
    buf_text(out, " must be revoked");
    for (size_t i = 0; i < s->cohort_count; i++) {
        if (!first_of_rule(s, i))
            continue;
        buf_text(out, i == 0 ? " under BR " : " and BR ");
        put_clause(s->cohorts[i].rule, out);
    }
    buf_text(out, ". ");
    passage_figures_sentence(s, out);
}

/* IRG 3.2: all affected, expired and revoked ones included; the split in words. */
static void put_total(const struct snapshot *s, struct buf *out)
{
    buf_format(out, "%s (%s in this campaign", NUMBER(figures_ccadb_total(s)), NUMBER(s->totals.affected));
    buf_format(out, ", %s expired before the report was received, %s short-lived)",
               NUMBER(s->excluded_expired), NUMBER(s->excluded_short_lived));
}

static void put_remaining(const struct snapshot *s, struct buf *out)
{
    buf_format(out, "%s as of %s", NUMBER(totals_not_yet_revoked(&s->totals)), MINUTE(s->as_of));
    if (s->excluded_short_lived > 0)
        buf_format(out, ", and up to %s short-lived ones, which BR 4.9.1.1 exempts from revocation",
                   NUMBER(s->excluded_short_lived));
}

static void put_appendix(const struct snapshot *s, struct buf *out)
{
    passage_figures(s, out);
    passage_meaning(s, out);
    passage_cohorts(s, out);
    if (s->issuer_count > 0) {
        buf_text(out, "| Issuer | Affected |\n|---|---:|\n");
        for (size_t i = 0; i < s->issuer_count && i < 40; i++) {
            buf_text(out, "| ");
            words_markdown(out, s->issuers[i].subject);
            buf_format(out, " | %s |\n", NUMBER(s->issuers[i].affected));
        }
        buf_text(out, "\n");
    }
    buf_text(out, "The list of affected certificates is attached. Head of the evidence log (RFC 6962) as "
                  "origin, size and root:\n\n");
    passage_log_head(s, out);
}

/* Passages end in an empty line; a template brings its own. */
static struct str value(const struct buf *b)
{
    return str_trim(buf_str(b));
}

bool render_preliminary(const struct report_input *in, struct buf *out, struct fault *f)
{
    AUTO_BUF description = {0}, policies = {0}, figures = {0};
    put_description(in->snapshot, &description);
    put_policies(in, &policies);
    passage_figures(in->snapshot, &figures);
    buf_text(&figures, "Head of the evidence log (RFC 6962) as origin, size and root:\n\n");
    passage_log_head(in->snapshot, &figures);
    const struct template_value values[] = {
        {"DESCRIPTION", value(&description)},
        {"POLICIES", value(&policies)},
        {"FIGURES", value(&figures)},
    };
    return template_fill("preliminary report template", in->template, values, sizeof values / sizeof *values,
                         out, f);
}

bool render_full(const struct report_input *in, struct buf *out, struct fault *f)
{
    const struct snapshot *s = in->snapshot;
    AUTO_BUF description = {0}, policies = {0}, total = {0}, remaining = {0}, types = {0};
    AUTO_BUF considerations = {0}, timeline = {0}, appendix = {0};
    put_description(s, &description);
    put_policies(in, &policies);
    put_total(s, &total);
    put_remaining(s, &remaining);
    passage_types(s, &types);
    passage_meaning(s, &considerations);
    passage_timeline(s, &timeline);
    put_appendix(s, &appendix);
    const struct template_value values[] = {
        {"DESCRIPTION", value(&description)},
        {"IDENTIFIED", str_of(MINUTE(s->received))},
        {"POLICIES", value(&policies)},
        {"TOTAL", value(&total)},
        {"REMAINING", value(&remaining)},
        {"TYPES", value(&types)},
        {"CONSIDERATIONS", value(&considerations)},
        {"TIMELINE", value(&timeline)},
        {"APPENDIX", value(&appendix)},
    };
    return template_fill("full report template", in->template, values, sizeof values / sizeof *values, out,
                         f);
}
