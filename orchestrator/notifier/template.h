/* template.h - notices from text files: {{name}}, {{#name}}..{{/name}}, {{^name}}..{{/name}}.
 *
 * {{#name}} repeats for each row of a list, or shows its body once when the text is not empty; {{^name}} is
 * the opposite. A tag of a section that stands alone on its line leaves no line behind. A name that has no
 * value is an error even inside a section that is not shown, so one rendering proves a template for all data.
 * Values are foreign bytes: they are made well-formed UTF-8 on one line, and escaped for the part they go
 * into. Pure. Does not: know notices, call code, include files, or nest one list in another (the time stays
 * linear). Called by: compose.c, the fuzzer. */
#ifndef NOTIFIER_TEMPLATE_H
#define NOTIFIER_TEMPLATE_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"

#define TEMPLATE_MAX ((size_t)64 * 1024)            /* bytes of a template */
#define TEMPLATE_OUT_MAX ((size_t)16 * 1024 * 1024) /* bytes that may come out */
#define TEMPLATE_DEPTH 8                            /* sections inside each other */

/* What the text becomes part of; decides how values are escaped. */
enum template_part { TEMPLATE_TEXT, TEMPLATE_CSV };

/* A list: cells[row * column_count + column]. */
struct template_list {
    const char *name;
    const char *const *columns;
    size_t column_count;
    const char *const *cells;
    size_t row_count;
};

/* The values: names[i] has texts[i]; lists beside them. */
struct template_values {
    const char *const *names;
    const char *const *texts;
    size_t count;
    const struct template_list *lists;
    size_t list_count;
};

/* A template; name is the path that errors are reported with. */
struct template
{
    const char *name;
    struct str text;
    enum template_part part;
};

/* Appends the rendered text to out. CONFIG: "path:line: ..." for a missing name, a tag or section that is not
 * closed, a list inside a list, more than the bounds above. */
MUST_USE bool template_render(const struct template *t, const struct template_values *values, struct buf *out,
                              struct fault *f);

#endif
