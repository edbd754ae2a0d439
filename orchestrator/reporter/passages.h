/* passages.h - the paragraphs and tables that several reports share, in Bugzilla Markdown.
 *
 * Each is written once, so two reports cannot word or count the same thing differently. Every passage is
 * whole lines followed by an empty line. Does not: decide which report holds which. Pure. Called by:
 * reporter. */
#ifndef REPORTER_PASSAGES_H
#define REPORTER_PASSAGES_H

#include "massrevoke/snapshot.h"
#include "massrevoke/text.h"

/* The four facts of a delayed-revocation update (IRG 3.2): a table of three counts and their total, as-of
 * time, and the estimate of completion with what it leaves out. */
void passage_figures(const struct snapshot *s, struct buf *out);

/* The same four as one sentence, without line ends, for a field of a template. */
void passage_figures_sentence(const struct snapshot *s, struct buf *out);

/* Which certificates count as revoked, and what the others are (BR 4.9.5). */
void passage_meaning(const struct snapshot *s, struct buf *out);

/* One row a cohort; the rows beyond a page are summed into one, so that the columns still add up. */
void passage_cohorts(const struct snapshot *s, struct buf *out);

/* How many of which validation type, without line ends; "N/A" when there are none. */
void passage_types(const struct snapshot *s, struct buf *out);

/* The timeline: one list item an event, oldest first, with the deadlines among them and the expected
 * completion; without actors: a public report names no persons. When they do not fit, the oldest are named as
 * a number. */
void passage_timeline(const struct snapshot *s, struct buf *out);

/* The head of the evidence log as a code block of three lines: origin, size, root in hex. */
void passage_log_head(const struct snapshot *s, struct buf *out);

/* The banner of the campaign's mode, "" for a live one. */
const char *passage_banner(const struct snapshot *s);

#endif
