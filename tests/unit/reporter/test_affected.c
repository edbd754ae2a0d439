/* Does the affected list keep CCADB's columns and words, and agree with the totals beside it? */
#include "../../lib/bugzilla.h"
#include "massrevoke/reason.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HASH_A "00aa11bb22cc33dd44ee55ff66778899aabbccddeeff00112233445566778899"
#define HASH_B "ff0011bb22cc33dd44ee55ff66778899aabbccddeeff00112233445566778899"

static const struct affected_row plain = {
    .precert_sha256 = "",
    .cert_sha256 = HASH_A,
    .subject = "CN=www.example.com,O=Example",
    .issuer = "CN=Example TLS CA 1,C=DE",
    .serial = "0f1e2d",
    .dns_names = "www.example.com example.com",
    .not_before = {1780000000},
    .not_after = {1800000000},
    .state = CERTIFICATE_WAITING,
    .planned = {1795000000},
    .revoked = {INT64_MIN},
    .reason = REASON_SUPERSEDED,
};

/* A campaign whose totals are those of the rows. */
static struct snapshot counted(const struct affected_row *rows, size_t n)
{
    struct snapshot s = sample();
    s.cohort_count = 0;
    s.totals = (struct totals){0};
    for (size_t i = 0; i < n; i++) {
        int64_t *const counts[BUCKET_COUNT] = {
            [BUCKET_REVOKED] = &s.totals.revoked,
            [BUCKET_PENDING_PUBLICATION] = &s.totals.pending_publication,
            [BUCKET_NOT_REVOKED] = &s.totals.not_revoked,
            [BUCKET_HELD] = &s.totals.held,
            [BUCKET_EXPIRED] = &s.totals.expired,
            [BUCKET_UNKNOWN] = &s.totals.unknown,
            [BUCKET_OUTSIDE] = &s.excluded_withdrawn,
        };
        if (rows[i].excluded_expired)
            continue;
        ++*counts[certificate_bucket(rows[i].state)];
        s.totals.affected += certificate_bucket(rows[i].state) != BUCKET_OUTSIDE;
    }
    return s;
}

static bool render(const char *format, const struct snapshot *s, const struct affected_row *rows, size_t n,
                   struct buf *out, struct fault *f)
{
    const struct report *r;
    struct report_input in = {.snapshot = s, .rows = rows, .row_count = n};
    buf_clear(out);
    return reporter_find("affected", format, s, &r, f) && reporter_render(r, &in, out, f);
}

/* The fields of CSV line `line` (0: header), unquoted, into out; returns how many. A small reader of its own:
 * RFC 4180 with CRLF. */
static size_t fields(const char *csv, size_t line, struct buf *out, size_t most)
{
    size_t at = 0, field = 0;
    bool quoted = false;
    for (const char *p = csv; *p != '\0'; p++) {
        if (*p == '"' && quoted && p[1] == '"')
            p++;
        else if (*p == '"') {
            quoted = !quoted;
            continue;
        } else if (!quoted && *p == ',') {
            field += at == line;
            continue;
        } else if (!quoted && p[0] == '\r' && p[1] == '\n') {
            p++;
            if (at++ == line)
                return field + 1;
            continue;
        }
        if (at == line && field < most)
            buf_add(&out[field], p, 1);
    }
    return 0;
}

static void check_row(const char *csv, size_t line, const char *const want[11])
{
    struct buf got[11] = {{0}};
    assert_int_equal(fields(csv, line, got, 11), 11);
    for (size_t i = 0; i < 11; i++) {
        assert_string_equal(buf_str(&got[i]).p, want[i]);
        buf_free(&got[i]);
    }
}

static void the_columns_are_ccadbs(void **unused)
{
    (void)unused;
    static const char *const header[11] = {"Precertificate SHA-256 hash",
                                           "Certificate SHA-256 hash",
                                           "Subject",
                                           "Issuer",
                                           "Not before",
                                           "Not after",
                                           "Serial #",
                                           "dNSNames",
                                           "Is revoked?",
                                           "Revocation date",
                                           "Revocation reason"};
    static const char *const row[11] = {"N/A",
                                        "00AA11BB22CC33DD44EE55FF66778899AABBCCDDEEFF00112233445566778899",
                                        "CN=www.example.com,O=Example",
                                        "CN=Example TLS CA 1,C=DE",
                                        "2026-05-28T20:26:40Z",
                                        "2027-01-15T08:00:00Z",
                                        "0F1E2D",
                                        "www.example.com example.com",
                                        "Planned",
                                        "2026-11-18T11:06:40Z",
                                        "superseded"};
    struct snapshot s = counted(&plain, 1);
    struct fault f = {0};
    AUTO_BUF out = {0};
    assert_true(render(NULL, &s, &plain, 1, &out, &f));
    assert_memory_equal(out.p, "Precertificate", 14); /* no byte order mark, no banner */
    check_row(out.p, 0, header);
    check_row(out.p, 1, row);
    assert_int_equal(bugzilla_count(out.p, "\n"), bugzilla_count(out.p, "\r\n"));
}

static void each_state_has_its_word_and_date(void **unused)
{
    (void)unused;
    static const struct {
        enum certificate_state state;
        bool delayed, excluded;
        const char *word, *date, *reason;
    } cases[] = {
        {CERTIFICATE_PUBLISHED, false, false, "Yes", "2026-11-18T11:13:20Z", "superseded"},
        {CERTIFICATE_PUBLISHED, true, false, "Yes", "2026-11-18T11:13:20Z", "superseded"},
        {CERTIFICATE_RECORDED, false, false, "Planned", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_WAS_BEFORE, true, false, "Delayed", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_VANISHED, false, false, "Planned", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_WAITING, true, false, "Delayed", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_DOUBT, false, false, "Planned", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_HELD, false, false, "Planned", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_HELD, true, false, "Delayed", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_UNKNOWN, false, false, "Delayed", "2026-11-18T11:06:40Z", "superseded"},
        {CERTIFICATE_EXPIRED, false, false, "N/A", "N/A", "N/A"},
        {CERTIFICATE_NONE, false, true, "N/A", "N/A", "N/A"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct affected_row row = plain;
        row.state = cases[i].state;
        row.delayed = cases[i].delayed;
        row.excluded_expired = cases[i].excluded;
        row.revoked = (struct utc){1795000400};
        struct snapshot s = counted(&row, 1);
        struct fault f = {0};
        AUTO_BUF out = {0};
        struct buf got[11] = {{0}};
        assert_true(render("csv", &s, &row, 1, &out, &f));
        assert_int_equal(fields(out.p, 1, got, 11), 11);
        assert_string_equal(got[8].p, cases[i].word);
        assert_string_equal(got[9].p, cases[i].date);
        assert_string_equal(got[10].p, cases[i].reason);
        for (size_t k = 0; k < 11; k++)
            buf_free(&got[k]);
    }
}

static void what_is_unknown_is_not_applicable(void **unused)
{
    (void)unused;
    static const char *const want[11] = {"N/A",    "N/A", "N/A",     "N/A", "N/A", "N/A",
                                         "0F1E2D", "N/A", "Planned", "N/A", "N/A"};
    struct affected_row row = plain;
    row.cert_sha256 = row.subject = row.issuer = row.dns_names = "";
    row.not_before = row.not_after = row.planned = UTC_NONE;
    row.reason = REASON_UNSPECIFIED;
    struct snapshot s = counted(&row, 1);
    struct fault f = {0};
    AUTO_BUF out = {0};
    assert_true(render("csv", &s, &row, 1, &out, &f));
    check_row(out.p, 1, want);
}

static void hostile_fields_stay_in_their_field(void **unused)
{
    (void)unused;
    static const char *const subjects[] = {"a,b", "say \"hi\"", "two\r\nlines",
                                           "\"",  " blank ",    ",,,\"\n\","};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        struct affected_row rows[2] = {plain, plain};
        rows[0].subject = subjects[i];
        struct snapshot s = counted(rows, 2);
        struct fault f = {0};
        AUTO_BUF out = {0};
        struct buf got[11] = {{0}};
        assert_true(render("csv", &s, rows, 2, &out, &f));
        assert_int_equal(fields(out.p, 1, got, 11), 11);
        assert_string_equal(got[2].p, subjects[i]);
        assert_int_equal(fields(out.p, 2, got, 0), 11);
        for (size_t k = 0; k < 11; k++)
            buf_free(&got[k]);
    }
}

static void rows_that_disagree_with_the_totals_are_refused(void **unused)
{
    (void)unused;
    struct affected_row rows[3] = {plain, plain, plain};
    rows[1].state = CERTIFICATE_PUBLISHED;
    struct snapshot s = counted(rows, 3);
    static const char *const formats[] = {"csv", "md"};
    struct fault f = {0};
    AUTO_BUF out = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_true(render(formats[i], &s, rows, 3, &out, &f));
        assert_false(render(formats[i], &s, rows, 2, &out, &f));
        assert_int_equal(fault_exit_code(f.kind), 5);
        assert_int_equal(out.n, 0);
    }
    rows[1].state = CERTIFICATE_RECORDED; /* the CA's word alone: not what the totals call revoked */
    assert_false(render("csv", &s, rows, 3, &out, &f));
    assert_non_null(strstr(f.text, "0 revoked certificates, the totals 1"));
}

static void withdrawn_rows_are_left_out(void **unused)
{
    (void)unused;
    struct affected_row rows[2] = {plain, plain};
    rows[0].state = CERTIFICATE_WITHDRAWN;
    struct snapshot s = counted(rows, 2);
    struct fault f = {0};
    AUTO_BUF out = {0};
    assert_int_equal(s.totals.affected, 1);
    assert_true(render("csv", &s, rows, 2, &out, &f));
    assert_int_equal(bugzilla_count(out.p, "\r\n"), 2);
}

/* n rows, each with a hash of its own. */
static struct affected_row *many(struct arena *a, size_t n)
{
    struct affected_row *rows = arena_array(a, n, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        rows[i] = plain;
        rows[i].cert_sha256 = arena_format(a, "%064zx", i + 1);
    }
    return rows;
}

static void from_ten_thousand_on_it_is_links(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF out = {0};
    struct fault f = {0};
    struct affected_row *rows = many(&a, 10000);
    rows[1].cert_sha256 = "";
    rows[1].precert_sha256 = HASH_B;
    rows[2].cert_sha256 = "";
    struct snapshot s = counted(rows, 10000);
    assert_true(render(NULL, &s, rows, 10000, &out, &f));
    assert_int_equal(bugzilla_count(out.p, "\n"), 9999);
    assert_int_equal(bugzilla_count(out.p, "https://crt.sh/?sha256="), 9999);
    assert_non_null(strstr(out.p, "\nhttps://crt.sh/?sha256=" HASH_B "\n"));
    assert_int_equal(out.n, 9999 * 88);
    assert_int_equal(reporter_without_hash(rows, 10000), 1);
    assert_true(render("csv", &s, rows, 10000, &out, &f)); /* allowed at any size */
    assert_int_equal(bugzilla_count(out.p, "\r\n"), 10001);
    s = counted(rows, 9999);
    assert_true(render(NULL, &s, rows, 9999, &out, &f));
    assert_int_equal(bugzilla_count(out.p, "\r\n"), 10000);
    assert_false(render("txt", &s, rows, 9999, &out, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
}

static void the_cover_names_the_list(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF list = {0}, cover = {0};
    struct fault f = {0};
    static const size_t sizes[] = {3, 10000};
    for (size_t i = 0; i < 2; i++) {
        struct affected_row *rows = many(&a, sizes[i]);
        rows[2].cert_sha256 = "";
        struct snapshot s = counted(rows, sizes[i]);
        char digest[DIGEST_TEXT];
        assert_true(render(NULL, &s, rows, sizes[i], &list, &f));
        assert_true(render("md", &s, rows, sizes[i], &cover, &f));
        assert_non_null(strstr(cover.p, digest_hex(digest_of(list.p, list.n), digest)));
        assert_non_null(strstr(cover.p, i == 0 ? "lists 3 certificates" : "lists 9,999 certificates"));
        assert_non_null(strstr(cover.p, "No hash is known of 1"));
        assert_non_null(strstr(cover.p, i == 0 ? "| Not yet revoked | 3 |" : "| Not yet revoked | 10,000 |"));
        AUTO_BUF html = {0};
        if (bugzilla_render(buf_str(&cover), &html))
            assert_int_equal(bugzilla_count(html.p, "<table>"), 1);
    }
}

static void golden_lists(void **unused)
{
    (void)unused;
    AUTO_BUF out = {0};
    struct fault f = {0};
    struct affected_row rows[6] = {plain, plain, plain, plain, plain, plain};
    rows[1].state = CERTIFICATE_PUBLISHED;
    rows[1].revoked = (struct utc){1795000400};
    rows[1].precert_sha256 = HASH_B;
    rows[2].state = CERTIFICATE_HELD;
    rows[2].delayed = true;
    rows[3].state = CERTIFICATE_EXPIRED;
    rows[4].excluded_expired = true;
    rows[5].delayed = true;
    struct snapshot s = counted(rows, 6);
    assert_true(render(NULL, &s, rows, 6, &out, &f));
    assert_true(sample_golden("affected.csv", &out));
    buf_clear(&out);
    s = sample();
    reporter_timeline_csv(&s, &out);
    assert_non_null(strstr(out.p, "at,actor,event,text\n2026-11-17T06:30:00Z,m.okafor,opened,Campaign"));
    assert_non_null(strstr(out.p, ",\"Plan approved, \"\"as read aloud\"\"\"\n"));
    assert_true(sample_golden("timeline.csv", &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_columns_are_ccadbs),
        cmocka_unit_test(each_state_has_its_word_and_date),
        cmocka_unit_test(what_is_unknown_is_not_applicable),
        cmocka_unit_test(hostile_fields_stay_in_their_field),
        cmocka_unit_test(rows_that_disagree_with_the_totals_are_refused),
        cmocka_unit_test(withdrawn_rows_are_left_out),
        cmocka_unit_test(from_ten_thousand_on_it_is_links),
        cmocka_unit_test(the_cover_names_the_list),
        cmocka_unit_test(golden_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
