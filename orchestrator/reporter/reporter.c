#include "massrevoke/reporter.h"
#include "passages.h"
#include "renderers.h"

#include <inttypes.h>

const struct report reports[] = {
    {"progress", "md", NULL, false, 0, render_progress},
    {"progress", "json", NULL, false, 0, render_progress_json},
    {"preliminary", "md", "reports/ccadb-3.2/preliminary.md", false, 0, render_preliminary},
    {"full", "md", "reports/ccadb-3.2/full.md", false, 0, render_full},
    {"delayed", "md", "reports/ccadb-3.2/delayed.md", true, 0, render_delayed},
    {"delayed", "json", NULL, true, 0, render_delayed_json},
    {"affected", "txt", NULL, true, REPORT_LINKS_FROM, render_affected_links},
    {"affected", "csv", NULL, true, 0, render_affected_csv},
    {"affected", "md", NULL, true, 0, render_affected_cover},
    {0},
};

/* "a, b, c": the kinds, or the formats of one kind. */
static void put_choices(const char *kind, struct buf *out)
{
    for (const struct report *r = reports; r->kind != NULL; r++) {
        bool repeated = r > reports && strcmp(r[-1].kind, r->kind) == 0;
        if (kind == NULL ? repeated : strcmp(r->kind, kind) != 0)
            continue;
        buf_format(out, "%s%s", out->n > 0 ? ", " : "", kind == NULL ? r->kind : r->format);
    }
}

bool reporter_find(const char *kind, const char *format, const struct snapshot *s, const struct report **out,
                   struct fault *f)
{
    bool known = false;
    int64_t affected = s->totals.affected;
    for (const struct report *r = reports; r->kind != NULL; r++) {
        if (strcmp(r->kind, kind) != 0)
            continue;
        known = true;
        if (format != NULL && strcmp(r->format, format) != 0)
            continue;
        if (affected >= r->from) {
            *out = r;
            return true;
        }
        if (format != NULL) {
            fault_set(f, FAULT_REFUSED,
                      "%s as %s needs at least %" PRId64 " certificates, there are %" PRId64, kind, format,
                      r->from, affected);
            return fault_hint(f, "CCADB IRG 3.2 asks for the CSV: massrevoke report %s --format csv", kind);
        }
    }
    AUTO_BUF choices = {0};
    put_choices(known ? kind : NULL, &choices);
    fault_set(f, FAULT_USAGE, known ? "report %.40s has no format '%.40s'" : "there is no report '%.40s'",
              kind, format);
    return fault_hint(f, "%s: %s", known ? "formats" : "reports", buf_str(&choices).p);
}

bool report_check(const struct snapshot *s, struct fault *f)
{
    AUTO_BUF why = {0};
    if (reporter_balances(s, &why))
        return true;
    fault_set(f, FAULT_REFUSED, "the counts do not balance: %s", buf_str(&why).p);
    return fault_hint(f, "nothing leaves the house until they do; see massrevoke status");
}

/* Bugzilla counts characters, not bytes: a byte that continues a character is not one. */
static size_t characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n;
}

void report_frame(const struct snapshot *s, struct str body, struct buf *out)
{
    const char *banner = passage_banner(s);
    bool exercise = banner[0] != '\0';
    struct str text = str_trim(body);
    buf_format(out, "%s%s", banner, exercise ? "\n\n" : "");
    buf_add(out, text.p, text.n);
    buf_format(out, "\n%s%s%s", exercise ? "\n" : "", banner, exercise ? "\n" : "");
}

bool reporter_render(const struct report *report, const struct report_input *in, struct buf *out,
                     struct fault *f)
{
    if (!report_check(in->snapshot, f))
        return false;
    AUTO_BUF body = {0}, comment = {0};
    if (!report->render(in, &body, f))
        return false;
    if (strcmp(report->format, "md") != 0) {
        buf_add(out, buf_str(&body).p, body.n);
        return true;
    }
    report_frame(in->snapshot, buf_str(&body), &comment);
    size_t n = characters(buf_str(&comment));
    if (n > REPORT_CHARACTERS_MAX) {
        fault_set(f, FAULT_REFUSED, "the report has %zu characters, a comment takes at most %d", n,
                  REPORT_CHARACTERS_MAX);
        return fault_hint(f, "shorten the report's template");
    }
    buf_add(out, comment.p, comment.n);
    return true;
}
