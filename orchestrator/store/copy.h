/* copy.h - COPY in PostgreSQL's binary format: rows into a temporary table of this session, or out of a
 * query.
 *
 * I/O. Does not: touch any shared table or lock anybody; one function call of the caller moves the rows that
 * came in, or shows the table to others. Ints are of the column's width: the server refuses another. Source:
 * PostgreSQL, "COPY", Binary Format (header PGCOPY, a count of fields a row, a length or -1 a field, network
 * byte order). Cost: one pass each way, in pieces of 64 KiB on the way in; 0.2 us a row of six columns. */
#ifndef MASSREVOKE_STORE_COPY_H
#define MASSREVOKE_STORE_COPY_H

#include "internal.h"

/* Rows on their way in. Values are appended in column order, then copy_row. */
struct copy {
    struct store *store;
    struct buf buffer;
    size_t row;      /* where the count of fields of the open row stands in the buffer */
    uint16_t fields; /* of the open row */
    bool in_row, failed;
};

/* Makes the temporary table new and empty, starts the copy. */
MUST_USE bool copy_begin(struct store *s, struct copy *c, const char *table, const char *columns,
                         struct fault *f);

/* Starts a copy into a table that is there: "NAME" or "NAME (COLUMNS)". */
MUST_USE bool copy_begin_into(struct store *s, struct copy *c, const char *table, struct fault *f);
void copy_small(struct copy *c, int16_t value);                    /* smallint */
void copy_int(struct copy *c, int32_t value);                      /* integer */
void copy_big(struct copy *c, int64_t value);                      /* bigint */
void copy_bool(struct copy *c, bool value);                        /* boolean */
void copy_utc(struct copy *c, struct utc t);                       /* bigint; UTC_NONE: NULL */
void copy_text(struct copy *c, const char *text);                  /* text; NULL counts as "" */
void copy_bytes(struct copy *c, const void *bytes, size_t n);      /* bytea; text that is no C string */
void copy_ints(struct copy *c, const int32_t *values, size_t n);   /* integer[] */
void copy_smalls(struct copy *c, const int16_t *values, size_t n); /* smallint[] */
void copy_null(struct copy *c);
void copy_row(struct copy *c);

/* Ends it; frees the buffer. UNAVAILABLE or FAILED when anything went wrong since copy_begin. */
MUST_USE bool copy_end(struct copy *c, struct fault *f);

/* Rows on their way out: of sql/query/NAME.sql with `arguments` for $1, $2, ... (COPY knows no parameters;
 * numbers need no quotes). Until read_next has said false the connection can do nothing else. */
struct copy_out {
    struct store *store;
    char *piece; /* libpq's, one row */
    const uint8_t *p, *end;
    bool broken; /* the format is not what it should be, or a column has another width */
};
MUST_USE bool copy_out_begin(struct store *s, struct copy_out *c, const char *name, const int64_t *arguments,
                             size_t n, struct fault *f);

/* The next row; false at the end, well or not: copy_out_end tells. */
bool copy_out_next(struct copy_out *c);

/* Leaves out what is left of the row: the server sends each in a piece of its own. */
void copy_out_skip(struct copy_out *c);

/* The next column of the row, in column order; NULL reads as 0, false, UTC_NONE, "". Bytes are valid until
 * the next row. */
int64_t copy_out_int(struct copy_out *c); /* of any width */
bool copy_out_bool(struct copy_out *c);
struct utc copy_out_utc(struct copy_out *c);
struct str copy_out_bytes(struct copy_out *c);

/* An integer[] or smallint[] of one dimension without NULLs: at most `room` elements into out; how many. */
size_t copy_out_ints(struct copy_out *c, int32_t *out, size_t room);

/* Reads what is left, frees. UNAVAILABLE or FAILED when anything went wrong since copy_out_begin. */
MUST_USE bool copy_out_end(struct copy_out *c, struct fault *f);

#endif
