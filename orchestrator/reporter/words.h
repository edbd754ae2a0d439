/* words.h - numbers, times and foreign names as words of a report.
 *
 * Names come from lists, commanders and certificates: whatever they hold, they never become markup, a link or
 * a terminal escape. Does not: cut texts to a width (status_text does). Pure. Called by: reporter. */
#ifndef REPORTER_WORDS_H
#define REPORTER_WORDS_H

#include "massrevoke/text.h"
#include "massrevoke/time.h"

#define WORDS_NUMBER 32
#define WORDS_MINUTE 24

/* 20852 as "20,852"; returns out. */
const char *words_number(int64_t n, char out[static WORDS_NUMBER]);

/* A time to the minute, rounded down: "2026-11-22 17:45 UTC", "N/A" when none; returns out. */
const char *words_minute(struct utc t, char out[static WORDS_MINUTE]);

/* The same two and span_format for use inside a call; the text lives as long as the enclosing block. */
#define NUMBER(n) words_number((n), (char[WORDS_NUMBER]){0})
#define MINUTE(t) words_minute((t), (char[WORDS_MINUTE]){0})
#define SPAN(d) span_format((d), (char[SPAN_TEXT]){0})

/* Appends foreign text for a paragraph, list item or table cell of Bugzilla Markdown: one line, markup
 * characters escaped, angle brackets as single guillemets, "@" as " at " (no mail links), controls as blanks,
 * U+FFFD and direction marks dropped, bytes that are not UTF-8 as "?". NULL or "" gives "N/A". */
void words_markdown(struct buf *out, const char *foreign);

/* Appends foreign text as printable ASCII, everything else as "?", one per character. */
void words_ascii(struct buf *out, const char *foreign);

/* "1 certificate" or "n certificates". */
void words_certificates(struct buf *out, int64_t n);

#endif
