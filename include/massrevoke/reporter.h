/* reporter.h - what people and Bugzilla read: the status screen, status JSON, reports and lists.
 *
 * Everything renders from one struct snapshot (and, for the affected list, the rows read beside it), so that
 * a sentence, a table and a list never disagree. Pure: no clock, no files, no database; templates come in as
 * text. Does not: count (store does), post to a bug, or print. Every report is refused (FAULT_REFUSED, exit
 * 5) while the counts do not balance; the status screen and JSON always render and say so.
 *
 * Sources: CCADB Incident Reporting Guidelines 3.2 (templates, four facts of a delayed-revocation update,
 * affected list), BR 4.9.5 (revoked means published), BR 5.7.1.2 (elements of a mass revocation plan),
 * RFC 4180 (CSV), the comment renderer of bugzilla.mozilla.org (cmark-gfm with hard breaks, no HTML, comments
 * of at most 65,535 characters). Called by: cli, drill. */
#ifndef MASSREVOKE_REPORTER_H
#define MASSREVOKE_REPORTER_H

#include "massrevoke/snapshot.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

#define REPORT_CHARACTERS_MAX 60000 /* of a comment; Bugzilla's own limit is 65,535 */
#define REPORT_LINKS_FROM 10000     /* certificates; from here on IRG 3.2 allows a list of links */
#define STATUS_LINES_MAX 23         /* leaves the 24th line of a terminal to the prompt */

/* Appends the status screen: at most STATUS_LINES_MAX lines of at most `columns` (40 to 200) ASCII
 * characters. State is said in words, never by colour. Many cohorts are cut, the worst stay. */
void reporter_status_text(const struct snapshot *s, int columns, struct buf *out);

/* Appends the status object of contract section 1: those keys in that order, times with Z, null where none.
 */
void reporter_status_json(const struct snapshot *s, struct buf *out);

/* Do ledger check, totals and cohorts agree? When not, appends what is off and where (one line, no full stop)
 * and returns false. `status --exit-code` and every report ask this one function. */
bool reporter_balances(const struct snapshot *s, struct buf *why);

/* What a report is made from. Text stays the caller's. */
struct report_input {
    const struct snapshot *snapshot;
    const char *document; /* of the rules, with version: "TLS Baseline Requirements 2.2.6"; or NULL */
    struct str template;  /* bytes of report->template_path, where it has one */
    const struct affected_row *rows; /* in number order, for kinds with needs_rows */
    size_t row_count;
};

/* One way to render one kind. */
struct report {
    const char *kind, *format;
    const char *template_path; /* below plans/, or NULL */
    bool needs_rows;
    int64_t from; /* only for campaigns of at least so many affected certificates */
    bool (*render)(const struct report_input *in, struct buf *out, struct fault *f);
};

/* All reports, ended by one with kind NULL; of a kind, the first that fits is its default format. */
extern const struct report reports[];

/* The report for a kind and format (NULL: the kind's default, for `affected` the link list from 10,000
 * certificates, else CSV). USAGE lists the kinds or formats; REFUSED when the format asks for more
 * certificates (IRG 3.2: below 10,000 the list must be CSV). */
MUST_USE bool reporter_find(const char *kind, const char *format, const struct snapshot *s,
                            const struct report **out, struct fault *f);

/* Appends the whole report. In a drill the first and last line of Markdown are the exercise banner; CSV and
 * link lists have no line to spare for it (their readers are programs). REFUSED: counts do not balance, the
 * rows of an affected list count differently than the snapshot, or a comment is longer than
 * REPORT_CHARACTERS_MAX. CONFIG: a template with an unknown placeholder, or without a needed one.
 *
 * Affected list: withdrawn rows are left out, rows of certificates expired before receipt are in as N/A.
 * Published is Yes; what the CA recorded and nobody has seen published is not. In the link list a row without
 * certificate hash is linked by its precertificate's; one with neither cannot be linked, is left out, and is
 * counted by reporter_without_hash and in the cover comment (`affected` as `md`), which also carries the
 * public counts, as-of time, log head and the list's SHA-256. */
MUST_USE bool reporter_render(const struct report *report, const struct report_input *in, struct buf *out,
                              struct fault *f);

/* How many listed rows have neither hash. */
size_t reporter_without_hash(const struct affected_row *rows, size_t count);

/* Appends the timeline as CSV (`at,actor,event,text`, header first, RFC 4180 quoting, lines end in LF). */
void reporter_timeline_csv(const struct snapshot *s, struct buf *out);

#define REPORTER_ELEMENTS 9 /* of a mass revocation plan, BR 5.7.1.2 */

/* A measured time of a drill: from one moment to another; `to` UTC_NONE: it did not happen. */
struct report_measure {
    const char *what;
    struct utc from, to;
};

/* One expectation of a scenario and what the drill showed. */
struct report_expectation {
    const char *id, *text, *expected, *seen;
    bool met;
};

/* What the after-action report adds to the snapshot. */
struct report_exercise {
    const char *scenario, *level; /* title; "simulated" */
    struct digest scenario_digest;
    uint64_t seed;
    const char *elements[REPORTER_ELEMENTS]; /* what exercised element 1..9; NULL: not exercised */
    const struct report_measure *measures;
    size_t measure_count;
    const struct report_expectation *expectations;
    size_t expectation_count;
};

/* Appends the Markdown after-action report of a drill (evidence for BR 5.7.1.2 items 8 and 9), of
 * any length. REFUSED: counts do not balance. */
MUST_USE bool reporter_after_action(const struct snapshot *s, const struct report_exercise *exercise,
                                    struct buf *out, struct fault *f);

#endif
