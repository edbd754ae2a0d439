/* bugzilla.h - renders Markdown as bugzilla.mozilla.org does, for tests: its cmark-gfm flags and its
 * treatment of
 * "<". Does not: fail when cmark-gfm is not installed (returns false). */
#ifndef TESTS_BUGZILLA_H
#define TESTS_BUGZILLA_H

#include "massrevoke/text.h"

/* Appends the HTML; false when there is no cmark-gfm. */
bool bugzilla_render(struct str markdown, struct buf *html);

/* How often needle occurs. */
size_t bugzilla_count(const char *html, const char *needle);

#endif
