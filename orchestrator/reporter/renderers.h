/* renderers.h - the functions behind the rows of the report table; each renders one kind in one format.
 *
 * They are called with counts that balance, and leave banner and length to reporter_render. Does not: choose.
 * Pure. Called by: reporter.c. */
#ifndef REPORTER_RENDERERS_H
#define REPORTER_RENDERERS_H

#include "massrevoke/reporter.h"

/* Update of a revocation under way (IRG 3.2, delayed revocation): comment, and its figures as JSON. */
MUST_USE bool render_progress(const struct report_input *in, struct buf *out, struct fault *f);
MUST_USE bool render_progress_json(const struct report_input *in, struct buf *out, struct fault *f);

/* The CCADB templates (IRG 3.2). CONFIG: template and placeholders do not fit. */
MUST_USE bool render_preliminary(const struct report_input *in, struct buf *out, struct fault *f);
MUST_USE bool render_full(const struct report_input *in, struct buf *out, struct fault *f);

/* The delay of a campaign under the same headings, and its figures as JSON. CONFLICT: nothing is late or will
 * be. REFUSED: rows and snapshot differ. */
MUST_USE bool render_delayed(const struct report_input *in, struct buf *out, struct fault *f);
MUST_USE bool render_delayed_json(const struct report_input *in, struct buf *out, struct fault *f);

/* The affected list as CSV, as links, and the comment that goes with it. REFUSED: rows and snapshot differ.
 */
MUST_USE bool render_affected_csv(const struct report_input *in, struct buf *out, struct fault *f);
MUST_USE bool render_affected_links(const struct report_input *in, struct buf *out, struct fault *f);
MUST_USE bool render_affected_cover(const struct report_input *in, struct buf *out, struct fault *f);

/* REFUSED with what is off, unless every count of the snapshot balances. */
MUST_USE bool report_check(const struct snapshot *s, struct fault *f);

/* REFUSED unless the rows count as the totals of the snapshot say. */
MUST_USE bool report_check_rows(const struct report_input *in, struct fault *f);

/* Appends a Markdown body between the banners of its mode, ending in one newline. */
void report_frame(const struct snapshot *s, struct str body, struct buf *out);

#endif
