/* notices.h - names of the template files, and one notice rendered to text.
 *
 * Pure. Does not: read files (notifier.c) or make MIME of it (compose.c). Called by: notifier.c, compose.c.
 */
#ifndef NOTIFIER_NOTICES_H
#define NOTIFIER_NOTICES_H

#include "massrevoke/notifier.h"

/* Files below plans/, by kind. */
struct notice_file {
    const char *subject, *text;
};
extern const struct notice_file notice_files[NOTICE_KIND_COUNT];
#define NOTICE_TABLE_FILE "notices/en/certificates.csv"

/* The three texts of a message; LF line ends; the subject one line. */
struct notice_texts {
    struct str subject, text, table;
};

/* Renders a notice for in->contact. Faults as notifier_compose. */
MUST_USE bool notices_render(const struct notice_input *in, struct arena *a, struct notice_texts *out,
                             struct fault *f);

#endif
