/* template.h - fills the placeholders of a report template: @NAME@, capitals, digits and underscores.
 *
 * Values go in as they are: the caller has made them safe. An "@" that opens no placeholder stays. Does not:
 * loop, branch or read files. Pure. Called by: reporter. */
#ifndef REPORTER_TEMPLATE_H
#define REPORTER_TEMPLATE_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"

/* One placeholder (without the signs) and its text. */
struct template_value {
    const char *name;
    struct str text;
};

/* Appends the filled template. CONFIG: a placeholder without value (with its line), or a value whose
 * placeholder the template lacks: a report without its counts is not that report. */
MUST_USE bool template_fill(const char *what, struct str template, const struct template_value *values,
                            size_t count, struct buf *out, struct fault *f);

#endif
