/* Is the report of a delay offered exactly when there is one, under CCADB's headings to the letter, with
 * counts that are those of the rows? */
#include "massrevoke/embed.h"
#include "massrevoke/json.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Three published, one of them late; two waiting beyond the deadline; one held; one expired. */
static struct affected_row rows[7];
static struct snapshot_cohort cohort;
static struct snapshot_hold holds[2]; /* of which late_campaign has the first */

static struct snapshot late_campaign(void)
{
    static const enum certificate_state states[7] = {
        CERTIFICATE_PUBLISHED, CERTIFICATE_PUBLISHED, CERTIFICATE_PUBLISHED, CERTIFICATE_WAITING,
        CERTIFICATE_WAITING,   CERTIFICATE_HELD,      CERTIFICATE_EXPIRED};
    for (size_t i = 0; i < 7; i++)
        rows[i] = (struct affected_row){.precert_sha256 = "",
                                        .cert_sha256 = "",
                                        .subject = "",
                                        .issuer = "",
                                        .serial = "01",
                                        .dns_names = "",
                                        .state = states[i],
                                        .delayed = i >= 2};
    struct snapshot s = sample();
    cohort = sample_cohorts[0];
    cohort.totals = s.totals = (struct totals){7, 3, 0, 2, 1, 1, 0};
    cohort.delay_expected = s.delay_expected = true;
    cohort.held_late = s.held_late = 1;
    holds[0] = (struct snapshot_hold){.cohort = 1,
                                      .hold = 1,
                                      .document = "board minute 7",
                                      .until = {cohort.deadline.s + 86400},
                                      .finish = {cohort.deadline.s + 90000},
                                      .late = true,
                                      .certificates = 1};
    holds[1] = (struct snapshot_hold){.cohort = 1,
                                      .hold = 2,
                                      .court = true,
                                      .document = "order *7*",
                                      .until = UTC_NONE,
                                      .finish = UTC_NONE,
                                      .late = true,
                                      .certificates = 1};
    s.holds = holds;
    s.hold_count = 1;
    cohort.projected_finish = (struct utc){cohort.deadline.s + 7260};
    s.cohorts = &cohort;
    s.cohort_count = 1;
    s.behind = "behind: at 10/h you finish at 2026-11-22T08:24:00Z";
    return s;
}

static bool render(const char *format, const struct snapshot *s, size_t n, struct buf *out, struct fault *f)
{
    const struct report *r;
    struct report_input in = {.snapshot = s, .rows = rows, .row_count = n};
    buf_clear(out);
    if (!reporter_find("delayed", format, s, &r, f))
        fail_msg("%s", f->text);
    if (r->template_path != NULL)
        in.template = embed_find("plans/reports/ccadb-3.2/delayed.md")->bytes;
    return reporter_render(r, &in, out, f);
}

/* The lines of a template that are headings or bold labels, without what follows the label. */
static void labels(struct str text, struct buf *out)
{
    for (struct str rest = text; rest.p != NULL;) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        const char *end = line.n > 4 ? memmem(line.p + 4, line.n - 4, ":**", 3) : NULL;
        if (line.n > 0 && line.p[0] == '#')
            buf_format(out, "%.*s\n", (int)line.n, line.p);
        else if (end != NULL && line.p[0] == '-')
            buf_format(out, "%.*s\n", (int)(end + 3 - line.p), line.p);
    }
}

static void the_headings_are_those_of_the_full_report(void **unused)
{
    (void)unused;
    AUTO_BUF full = {0}, delayed = {0};
    labels(embed_find("plans/reports/ccadb-3.2/full.md")->bytes, &full);
    labels(embed_find("plans/reports/ccadb-3.2/delayed.md")->bytes, &delayed);
    assert_string_equal(full.p, delayed.p);
}

static void the_counts_are_those_of_the_rows(void **unused)
{
    (void)unused;
    struct snapshot s = late_campaign();
    AUTO_BUF out = {0};
    struct fault f = {0};
    assert_true(render("md", &s, 7, &out, &f));
    assert_true(sample_golden("delayed.md", &out));
    assert_non_null(strstr(out.p, "**Total number of certificates:** 4\n")); /* the expired one is not late */
    assert_non_null(strstr(out.p, "**Total number of \"remaining valid\" certificates:** 3\n"));
    assert_non_null(strstr(out.p, "| 1 d 01 h 00 min |"));
    assert_non_null(strstr(out.p,
                           "Held beyond the deadline are 1 by decision to delay (board minute 7) until "
                           "2026-11-23T06:23:00Z."));
    AUTO_JSON *json = NULL;
    assert_true(render("json", &s, 7, &out, &f) && json_read("report", buf_str(&out), &json, &f));
    assert_int_equal(json_integer_value(json_object_get(json, "late")), 4);
    assert_int_equal(json_integer_value(json_object_get(json, "not_yet_revoked")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "cohorts")), 1);
}

/* What holds keep: the last end counts, none at all counts most; what ends in time is not told. */
static void what_holds_keep_is_late_as_they_end(void **unused)
{
    (void)unused;
    struct snapshot s = late_campaign();
    AUTO_BUF out = {0};
    struct fault f = {0};
    s.hold_count = 2;
    assert_true(render("md", &s, 7, &out, &f));
    assert_non_null(strstr(out.p, "; 1 by court order (order \\*7\\*), which has no end."));
    assert_non_null(strstr(out.p, "| N/A | held without an end |"));
    AUTO_JSON *json = NULL;
    assert_true(render("json", &s, 7, &out, &f) && json_read("report", buf_str(&out), &json, &f));
    const json_t *list = json_object_get(json, "holds"), *one = json_array_get(list, 1);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(one, "kind")), "court");
    assert_true(json_is_null(json_object_get(one, "until")));
    const json_t *of = json_array_get(json_object_get(json, "cohorts"), 0);
    assert_true(json_is_true(json_object_get(of, "held_without_end")));
    assert_true(json_is_null(json_object_get(of, "estimate")));
    holds[0].late = false;
    s.hold_count = 1;
    s.held_late = cohort.held_late = 0;
    assert_true(render("md", &s, 7, &out, &f));
    assert_null(strstr(out.p, "Held beyond"));
    assert_non_null(strstr(out.p, "| 2 h 01 min |")); /* the pace alone */
}

static void refused(const struct snapshot *s, size_t n, enum fault_kind kind)
{
    AUTO_BUF out = {0};
    struct fault f = {0};
    assert_false(render("md", s, n, &out, &f));
    assert_int_equal(f.kind, kind);
    assert_false(render("json", s, n, &out, &f));
    assert_int_equal(f.kind, kind);
    assert_int_equal(out.n, 0);
}

static void refused_without_a_delay_or_a_balance(void **unused)
{
    (void)unused;
    struct snapshot s = late_campaign();
    s.delay_expected = false;
    refused(&s, 7, FAULT_CONFLICT);
    s = late_campaign();
    refused(&s, 6, FAULT_REFUSED); /* a row less than the totals */
    s = late_campaign();
    s.balance_ok = false;
    s.balance_detail = "page 1";
    refused(&s, 7, FAULT_REFUSED);
}

static void offered_by_status(void **unused)
{
    (void)unused;
    struct snapshot s = late_campaign();
    AUTO_BUF out = {0};
    reporter_status_text(&s, 80, &out);
    assert_non_null(strstr(out.p, "! DELAY       a bug of its own is due: massrevoke report delayed\n"));
    buf_clear(&out);
    reporter_status_json(&s, &out);
    assert_non_null(strstr(out.p, "\"delayed_report\": \"massrevoke report delayed\""));
    s.delay_expected = false;
    buf_clear(&out);
    reporter_status_text(&s, 80, &out);
    assert_null(strstr(out.p, "DELAY "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_headings_are_those_of_the_full_report),
        cmocka_unit_test(the_counts_are_those_of_the_rows),
        cmocka_unit_test(what_holds_keep_is_late_as_they_end),
        cmocka_unit_test(refused_without_a_delay_or_a_balance),
        cmocka_unit_test(offered_by_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
