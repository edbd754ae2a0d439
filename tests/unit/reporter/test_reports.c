/* Do the Markdown reports carry the snapshot's figures, and does Bugzilla show them as they are meant? */
#include "../../lib/bugzilla.h"
#include "massrevoke/embed.h"
#include "massrevoke/json.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Renders `kind` as Markdown; returns the exit code. */
static int render(const char *kind, const struct snapshot *s, struct buf *out, struct fault *f)
{
    const struct report *r;
    if (!reporter_find(kind, "md", s, &r, f))
        return fault_exit_code(f->kind);
    struct report_input in = {.snapshot = s, .document = "TLS Baseline Requirements 2.2.6"};
    if (r->template_path != NULL) {
        AUTO_BUF path = {0};
        buf_format(&path, "plans/%s", r->template_path);
        in.template = embed_find(path.p)->bytes;
    }
    buf_clear(out);
    return reporter_render(r, &in, out, f) ? 0 : fault_exit_code(f->kind);
}

static const struct report_measure measures[] = {
    {"receipt to first notice", {1794896580}, {1794911000}},
    {"receipt to first revocation", {1794896580}, {INT64_MIN}},
};
static const struct report_expectation expectations[] = {
    {"E-1", "backup contacts are told", "at least 20", "96", true},
    {"E-2", "finished before the deadline", "2026-11-22T06:23:00Z", "", false},
};

static int after_action(const struct snapshot *s, struct buf *out, struct fault *f)
{
    struct report_exercise x = {
        .scenario = "RDN order, tabletop",
        .level = "simulated",
        .seed = 7,
        .elements = {"opened 10 min after receipt", "13 subscribers without contact", "all but approval"},
        .measures = measures,
        .measure_count = 2,
        .expectations = expectations,
        .expectation_count = 2,
    };
    buf_clear(out);
    return reporter_after_action(s, &x, out, f) ? 0 : fault_exit_code(f->kind);
}

static const char *const markdown_kinds[] = {"progress", "preliminary", "full"};

/* No HTML, one line a paragraph, short enough: what every comment must be. */
static void check_comment(const struct buf *text)
{
    assert_in_range(text->n, 1, REPORT_CHARACTERS_MAX);
    assert_true(str_is_utf8(buf_str(text)));
    assert_null(strchr(text->p, '<'));
    assert_null(strstr(text->p, "\xef\xbf\xbd"));
    assert_int_equal(text->p[text->n - 1], '\n');
}

/* Rendered as on the bug: so many tables, nothing escaped or broken. Skips without cmark-gfm. */
static void check_rendered(const struct buf *text, size_t tables)
{
    AUTO_BUF html = {0};
    if (!bugzilla_render(buf_str(text), &html))
        skip();
    assert_int_equal(bugzilla_count(html.p, "<table>"), tables);
    assert_null(strstr(html.p, "&lt;"));
    assert_null(strstr(html.p, "<script"));
    assert_null(strstr(html.p, "mailto:"));
    for (const char *at = html.p; (at = strstr(at, "<table>")) != NULL; at++) {
        const char *end = strstr(at, "</table>");
        assert_non_null(end);
        const char *br = strstr(at, "<br");
        assert_true(br == NULL || br > end);
    }
    const char *code = strstr(html.p, "<pre>"); /* a pipe elsewhere would be a table that did not parse */
    for (const char *at = html.p; (at = strchr(at, '|')) != NULL; at++)
        assert_true(code != NULL && at > code);
}

/* The number in the row of the first table that begins with `label`. */
static int64_t row_number(const char *markdown, const char *label)
{
    AUTO_BUF start = {0};
    buf_format(&start, "\n| %s | ", label);
    const char *at = strstr(markdown, start.p);
    assert_non_null(at);
    int64_t n = 0;
    for (at += start.n; *at != '\n'; at++)
        if (*at >= '0' && *at <= '9')
            n = n * 10 + (*at - '0');
    return n;
}

static void figures_read_back_are_the_snapshots(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(i < 3 ? render(markdown_kinds[i], &s, &out, &f) : after_action(&s, &out, &f), 0);
        assert_int_equal(row_number(out.p, "Revoked"), s.totals.revoked);
        assert_int_equal(row_number(out.p, "Not yet revoked"), totals_not_yet_revoked(&s.totals));
        assert_int_equal(row_number(out.p, "Planned for revocation, expired first"), s.totals.expired);
        assert_int_equal(row_number(out.p, "**Total affected**"), s.totals.affected);
        assert_non_null(strstr(out.p, "Figures are as of **2026-11-20 04:12 UTC**"));
        assert_non_null(
            strstr(out.p, "remaining revocations:** 2026-11-21 22:05 UTC, not counting 287 held"));
        assert_non_null(strstr(out.p, "massrevoke/2026-11-rdn-order\n41877\n00070e15"));
    }
}

static void bugzilla_shows_every_report(void **unused)
{
    (void)unused;
    static const size_t tables[] = {3, 1, 5, 6};
    struct snapshot s = sample();
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(i < 3 ? render(markdown_kinds[i], &s, &out, &f) : after_action(&s, &out, &f), 0);
        check_comment(&out);
        check_rendered(&out, tables[i]);
    }
}

static const char *const hostile[] = {
    "a|b",
    "a\\|b",
    "`code`",
    "<script>alert(1)</script>",
    "\xef\xbf\xbd",
    "x\ny\r\n| z",
    "# head",
    "- item",
    "1. first",
    "12) first",
    "**bold**",
    "![i](http://x/y.png)",
    "[l](javascript:x)",
    "&lt;b&gt;",
    "user@example.com",
    "\xff\xfe",
    "\u202eevil",
    "```",
    "~~~",
    "a\\",
    "\\",
    "|||",
    "---",
    "",
};

/* A campaign in which every text that others wrote is `name`. */
static int render_named(size_t kind, const char *name, struct buf *out)
{
    struct fault f = {0};
    struct snapshot_event event = {{1794897000}, name, "note", name};
    struct snapshot_issuer issuer = {name, 20852};
    struct snapshot_cohort cohort = sample_cohorts[0];
    struct snapshot s = sample();
    cohort.rule = cohort.rule_text = s.campaign = s.commander = name;
    cohort.totals = s.totals;
    s.cohorts = &cohort, s.issuers = &issuer, s.events = &event;
    s.cohort_count = s.issuer_count = s.event_count = 1;
    return kind < 3 ? render(markdown_kinds[kind], &s, out, &f) : after_action(&s, out, &f);
}

static void no_name_becomes_markup(void **unused)
{
    (void)unused;
    static const char *const tags[] = {"<table>", "<tr>", "<td",  "<th",  "<h1",    "<h2",
                                       "<h3",     "<h4",  "<li>", "<p>",  "<code>", "<pre",
                                       "<img",    "<a ",  "<em",  "<str", "<del",   "<hr"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        for (size_t kind = 0; kind < 4; kind++) {
            AUTO_BUF plain = {0}, evil = {0}, plain_html = {0}, html = {0};
            assert_int_equal(render_named(kind, "plain", &plain), 0);
            assert_int_equal(render_named(kind, hostile[i], &evil), 0);
            check_comment(&evil);
            if (!bugzilla_render(buf_str(&plain), &plain_html))
                skip();
            assert_true(bugzilla_render(buf_str(&evil), &html));
            bool link =
                strstr(hostile[i], "http://") != NULL; /* a bare address may be a link, nothing else */
            for (size_t k = 0; k < sizeof tags / sizeof *tags; k++) {
                size_t want = bugzilla_count(plain_html.p, tags[k]), got = bugzilla_count(html.p, tags[k]);
                if (want != got && !(link && strcmp(tags[k], "<a ") == 0))
                    fail_msg("%s in kind %zu: %zu of %s, not %zu", hostile[i], kind, got, tags[k], want);
            }
            assert_null(strstr(html.p, "<script"));
            assert_null(strstr(html.p, "mailto:"));
            assert_null(strstr(html.p, "\"javascript:"));
            assert_null(strstr(html.p, "\xe2\x80\xae"));
        }
}

static void names_are_shown_as_they_are(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"a|b", ">a|b<"},
        {"a\\|b\\", ">a\\|b\\<"},
        {"`x` *y* _z_ [q](r) ~~s~~", ">`x` *y* _z_ [q](r) ~~s~~<"},
        {"4.9.1.1-12 snake_case 100 %", ">4.9.1.1-12 snake_case 100 %<"},
        {"1. x", ">1. x<"},
        {"- x", ">- x<"},
        {"R&D &amp; &#65;", ">R&amp;D &amp;amp; &amp;#65;<"},
        {"CN=M\u00fcller \u5b57,O=\"x\"", ">CN=M\u00fcller \u5b57,O=&quot;x&quot;<"},
        {"two\r\n  lines\t", ">two lines<"},
        {"<b>", ">\u2039b\u203a<"},
        {"a@b.example", ">a at b.example<"},
        {"\xc3(", ">?(<"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF out = {0}, html = {0}, want = {0};
        assert_int_equal(render_named(2, cases[i].name, &out), 0);
        if (!bugzilla_render(buf_str(&out), &html))
            skip();
        buf_format(&want, "<td%s/td>", cases[i].shown); /* the issuer's cell */
        if (strstr(html.p, want.p) == NULL)
            fail_msg("no %s in %s", want.p, html.p);
    }
}

static void the_ccadb_headings_stand_to_the_letter(void **unused)
{
    (void)unused;
    static const char *const lines[] = {
        "## Full Incident Report\n",
        "### Summary\n",
        "- **CA Owner CCADB unique ID:** ",
        "- **Incident description:** ",
        "- **Timeline summary:**\n   - **Non-compliance start date:** ",
        "   - **Non-compliance identified date:** 2026-11-17 06:23 UTC\n",
        "   - **Non-compliance end date:** ",
        "- **Relevant policies:** TLS Baseline Requirements 2.2.6, section 4.9.1.1 item 12 ",
        "- **Source of incident disclosure:** ",
        "### Impact\n",
        "- **Total number of certificates:** 20,880 ",
        "- **Total number of \"remaining valid\" certificates:** 8,429 ",
        "- **Affected certificate types:** 20,000 DV, 852 OV\n",
        "- **Incident heuristic:** N/A\n",
        "- **Was issuance stopped in response to this incident, and why or why not?:** ",
        "- **Analysis:** ",
        "- **Additional considerations:** ",
        "### Timeline\n",
        "- 2026-11-20 02:00 UTC: Court order 4 O 12/26 holds 287 certificates\n",
        "### Related Incidents\n",
        "| Bug | Date | Description |\n",
        "### Root Cause Analysis\n",
        "**Contributing Factor #",
        "- **Description:** ",
        "- **Timeline:** ",
        "- **Detection:** ",
        "- **Interaction with other factors:** ",
        "- **Root Cause Analysis methodology used:** ",
        "### Lessons Learned\n",
        "- **What went well:** ",
        "- **What didn\xe2\x80\x99t go well:** ",
        "- **Where we got lucky:** ",
        "- **Additional:** ",
        "### Action Items\n",
        "| Action Item | Kind | Corresponding Root Cause(s) | Evaluation Criteria | Due Date | Status |\n",
        "### Appendix\n",
    };
    struct snapshot s = sample();
    struct fault f = {0};
    AUTO_BUF out = {0};
    assert_int_equal(render("full", &s, &out, &f), 0);
    const char *at = out.p;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *found = strstr(at, lines[i]);
        if (found == NULL)
            print_error("missing or out of order: %s\n", lines[i]);
        assert_non_null(found);
        at = found + 1;
    }
    assert_null(strstr(out.p, "m.okafor")); /* a public report names no persons */
}

static void an_unbalanced_ledger_refuses_every_report(void **unused)
{
    (void)unused;
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (const struct report *r = reports; r->kind != NULL; r++)
        for (int off = 0; off < 3; off++) {
            struct snapshot s = sample();
            struct snapshot_cohort cohorts[2] = {sample_cohorts[0], sample_cohorts[1]};
            s.cohorts = cohorts;
            if (off == 0)
                s.balance_ok = false, s.balance_detail = "page 7";
            if (off == 1)
                s.totals.revoked++;
            if (off == 2)
                cohorts[1].totals.revoked++, cohorts[1].totals.affected++;
            struct report_input in = {.snapshot = &s};
            buf_clear(&out);
            assert_false(reporter_render(r, &in, &out, &f));
            assert_int_equal(fault_exit_code(f.kind), 5);
            assert_int_equal(out.n, 0);
            static const char *const named[] = {"page 7", "add up to 20853",
                                                "but the cohorts add up to 20853"};
            assert_non_null(strstr(f.text, named[off]));
        }
    struct snapshot s = sample();
    s.totals.held++;
    assert_int_equal(after_action(&s, &out, &f), 5);
}

static void a_drill_says_so_first_and_last(void **unused)
{
    (void)unused;
    const char *first = "EXERCISE EXERCISE EXERCISE\n\n", *last = "\n\nEXERCISE EXERCISE EXERCISE\n";
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (size_t i = 0; i < 4; i++) {
        struct snapshot s = sample();
        s.mode = "drill";
        assert_int_equal(i < 3 ? render(markdown_kinds[i], &s, &out, &f) : after_action(&s, &out, &f), 0);
        assert_memory_equal(out.p, first, strlen(first));
        assert_string_equal(out.p + out.n - strlen(last), last);
        s.mode = "live";
        assert_int_equal(i < 3 ? render(markdown_kinds[i], &s, &out, &f) : after_action(&s, &out, &f), 0);
        assert_null(strstr(out.p, "EXERCISE"));
    }
}

static void a_crisis_of_size_still_fits_a_comment(void **unused)
{
    (void)unused;
    enum { EVENTS = 5000, COHORTS = 300, HOURS = 500 };
    static struct snapshot_event events[EVENTS];
    static struct snapshot_cohort cohorts[COHORTS];
    static struct snapshot_hour hours[HOURS];
    struct snapshot s = sample();
    s.totals = (struct totals){0};
    for (int i = 0; i < COHORTS; i++) {
        cohorts[i] = sample_cohorts[1];
        cohorts[i].cohort = i + 1;
        s.totals.affected += 352, s.totals.revoked += 100, s.totals.pending_publication += 10;
        s.totals.not_revoked += 240, s.totals.expired += 2;
    }
    for (int i = 0; i < EVENTS; i++)
        events[i] = (struct snapshot_event){
            {1794897000 + i}, "j.lind", "decided", "a long decision about shard seven"};
    for (int i = 0; i < HOURS; i++)
        hours[i] = (struct snapshot_hour){{1794895200 - (i - 60) * 3600}, 10, 10, 10};
    s.cohorts = cohorts, s.cohort_count = COHORTS, s.events = events, s.event_count = EVENTS;
    s.hours = hours, s.hour_count = HOURS;
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(render(markdown_kinds[i], &s, &out, &f), 0);
        check_comment(&out);
    }
    assert_int_equal(after_action(&s, &out, &f), 0); /* stays in the house: whole, whatever its length */
    assert_int_equal(bugzilla_count(out.p, "a long decision about shard seven"), EVENTS);
    assert_int_equal(render("progress", &s, &out, &f), 0);
    assert_non_null(strstr(out.p, "| all others | several | N/A | N/A | 91,872 | 26,100 | 65,250 | 522 |"));
    assert_non_null(strstr(out.p, "| earlier | "));
}

static void a_report_too_long_is_refused(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    struct fault f = {0};
    AUTO_BUF template = {0}, out = {0};
    buf_text(&template, "@DESCRIPTION@ @POLICIES@ @FIGURES@\n");
    while (template.n < REPORT_CHARACTERS_MAX)
        buf_text(&template, "more and more and more\n");
    const struct report *r;
    struct report_input in = {.snapshot = &s, .template = buf_str(&template)};
    assert_true(reporter_find("preliminary", NULL, &s, &r, &f));
    assert_false(reporter_render(r, &in, &out, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_non_null(strstr(f.text, "a comment takes at most 60000"));
    assert_int_equal(out.n, 0);
}

static void a_template_must_fit_its_values(void **unused)
{
    (void)unused;
    static const struct {
        const char *template, *says;
    } cases[] = {
        {"@DESCRIPTION@\n@POLICIES@ @FIGURES@\n@NOVEL@", "line 3: unknown placeholder @NOVEL@"},
        {"@DESCRIPTION@ @POLICIES@", "placeholder @FIGURES@ is missing"},
        {"", "placeholder @DESCRIPTION@ is missing"},
        {"mail @ @@ @low@ @A @DESCRIPTION@@POLICIES@@FIGURES@ @", NULL},
    };
    struct snapshot s = sample();
    const struct report *r;
    struct fault f = {0};
    assert_true(reporter_find("preliminary", "md", &s, &r, &f));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF out = {0};
        struct report_input in = {.snapshot = &s, .template = str_of(cases[i].template)};
        bool ok = reporter_render(r, &in, &out, &f);
        assert_int_equal(ok, cases[i].says == NULL);
        if (ok)
            assert_memory_equal(out.p, "mail @ @@ @low@ @A 20,852 certificates", 38);
        else
            assert_non_null(strstr(f.text, cases[i].says));
        assert_true(ok || f.kind == FAULT_CONFIG);
    }
}

static void unknown_kinds_and_formats_are_named(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    const struct report *r;
    struct fault f = {0};
    assert_false(reporter_find("prgress", NULL, &s, &r, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
    assert_string_equal(f.hint, "reports: progress, preliminary, full, delayed, affected");
    assert_false(reporter_find("progress", "html", &s, &r, &f));
    assert_string_equal(f.hint, "formats: md, json");
}

static void progress_as_json_says_the_same(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    const struct report *r;
    struct fault f = {0};
    AUTO_BUF out = {0};
    struct report_input in = {.snapshot = &s};
    assert_true(reporter_find("progress", "json", &s, &r, &f));
    assert_true(reporter_render(r, &in, &out, &f));
    json_t *read = NULL;
    assert_true(json_read("progress", buf_str(&out), &read, &f));
    AUTO_JSON *o = read;
    assert_int_equal(json_integer_value(json_object_get(o, "revoked")), 12374);
    assert_int_equal(json_integer_value(json_object_get(o, "not_yet_revoked")), 8429);
    assert_int_equal(json_integer_value(json_object_get(o, "expired_first")), 49);
    assert_string_equal(json_string_value(json_object_get(o, "estimate")), "2026-11-21T22:05:00Z");
}

static void a_finished_campaign_needs_no_estimate(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    s.cohort_count = 0;
    s.totals = (struct totals){.affected = 10, .revoked = 8, .expired = 2};
    s.needs_person = s.in_doubt = 0;
    struct fault f = {0};
    AUTO_BUF out = {0};
    assert_int_equal(render("progress", &s, &out, &f), 0);
    assert_non_null(strstr(out.p, "revocations:** complete: every affected"));
    s.totals = (struct totals){.affected = 10, .revoked = 8, .held = 2};
    s.projected_finish = UTC_NONE;
    assert_int_equal(render("progress", &s, &out, &f), 0);
    assert_non_null(strstr(out.p, "revocations:** none yet, not counting 2 held"));
}

static void golden_reports(void **unused)
{
    (void)unused;
    struct snapshot s = sample();
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.md", markdown_kinds[i]);
        assert_int_equal(render(markdown_kinds[i], &s, &out, &f), 0);
        assert_true(sample_golden(name, &out));
    }
    s.mode = "drill";
    assert_int_equal(after_action(&s, &out, &f), 0);
    assert_true(sample_golden("after-action.md", &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_read_back_are_the_snapshots),
        cmocka_unit_test(bugzilla_shows_every_report),
        cmocka_unit_test(no_name_becomes_markup),
        cmocka_unit_test(names_are_shown_as_they_are),
        cmocka_unit_test(the_ccadb_headings_stand_to_the_letter),
        cmocka_unit_test(an_unbalanced_ledger_refuses_every_report),
        cmocka_unit_test(a_drill_says_so_first_and_last),
        cmocka_unit_test(a_crisis_of_size_still_fits_a_comment),
        cmocka_unit_test(a_report_too_long_is_refused),
        cmocka_unit_test(a_template_must_fit_its_values),
        cmocka_unit_test(unknown_kinds_and_formats_are_named),
        cmocka_unit_test(progress_as_json_says_the_same),
        cmocka_unit_test(a_finished_campaign_needs_no_estimate),
        cmocka_unit_test(golden_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
