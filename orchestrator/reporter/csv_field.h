/* csv_field.h - one CSV field, quoted by RFC 4180 where it must be.
 *
 * Does not: write separators or line ends, or know columns. Pure. Called by: reporter. */
#ifndef REPORTER_CSV_FIELD_H
#define REPORTER_CSV_FIELD_H

#include "massrevoke/text.h"

/* Appends text; in quotes, with inner quotes doubled, when it holds a comma, a quote or a line end, or begins
 * or ends with a blank (readers trim those). */
static inline void csv_field(struct buf *out, const char *text)
{
    size_t n = strlen(text);
    bool quote = strpbrk(text, ",\"\r\n") != NULL || (n > 0 && (text[0] == ' ' || text[n - 1] == ' '));
    buf_text(out, quote ? "\"" : "");
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"')
            buf_text(out, "\"");
        buf_add(out, text + i, 1);
    }
    buf_text(out, quote ? "\"" : "");
}

#endif
