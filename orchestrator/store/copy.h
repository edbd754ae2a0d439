/* copy.h - COPY into a temporary table of this session: how lists come in without locking anybody.
 *
 * I/O. Does not: touch any shared table; one function call of the caller moves the rows afterwards. Values
 * are appended in column order, then copy_row. Cost: one pass, sent in 64 KiB pieces. */
#ifndef MASSREVOKE_STORE_COPY_H
#define MASSREVOKE_STORE_COPY_H

#include "internal.h"

struct copy {
    struct store *store;
    struct buf buffer;
    bool in_row, failed;
};

/* Makes the temporary table new and empty, starts the copy. */
MUST_USE bool copy_begin(struct store *s, struct copy *c, const char *table, const char *columns,
                         struct fault *f);
void copy_int(struct copy *c, int64_t value);
void copy_utc(struct copy *c, struct utc t);
void copy_text(struct copy *c, const char *text); /* NULL counts as "" */
void copy_bytes(struct copy *c, const void *bytes, size_t n);
void copy_null(struct copy *c);
void copy_row(struct copy *c);

/* Ends it; frees the buffer. UNAVAILABLE or FAILED when anything went wrong since copy_begin. */
MUST_USE bool copy_end(struct copy *c, struct fault *f);

#endif
