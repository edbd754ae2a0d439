/* table.h - a CSV file with a header, read by column name. Cells are trimmed and free of control characters.
 * Does not: know what a column means. Used by the affected list, the inventory, contacts and replacements. */
#ifndef MASSREVOKE_INTAKE_TABLE_H
#define MASSREVOKE_INTAKE_TABLE_H

#include "massrevoke/csv.h"
#include "massrevoke/intake.h"

#define TABLE_COLUMNS 16

/* A column: its names, letters and digits in lower case only, by blanks ("serial serialnumber"); the first is
 * used in messages. */
struct table_column {
    const char *names;
    bool required;
};

/* An open table. */
struct table_reader {
    struct csv_reader csv;
    const char *name;
    const struct table_column *columns;
    size_t count;
    int place[TABLE_COLUMNS];        /* cell of each column, -1 when the header lacks it */
    size_t width;                    /* cells of the header */
    struct str cells[TABLE_COLUMNS]; /* of the present row, by column; empty when absent */
    size_t line;                     /* of the present row */
    struct intake_remarks *unknown;  /* gets the header cells nobody knows; NULL: they do not matter */
    struct arena *arena;
    const char *last_reason; /* the last reason made, so that equal ones share it */
};

/* Reads the header. t->csv is open already; name, columns, count, unknown and arena are set. Faults: the
 * source's; FAILED when the header is unreadable, lacks a required column or has one twice. An empty file has
 * no header and no rows. */
MUST_USE bool table_begin(struct table_reader *t, struct fault *f);

/* Next row: *end, or cells and line; *bad as in csv_record, also for a row that does not fit the header. */
MUST_USE bool table_next(struct table_reader *t, bool *end, const char **bad, struct fault *f);

/* The rows of a whole file, the separator guessed: `start` (NULL: nothing to check) sees the header, `row`
 * each row that fits it and says why it cannot be used (NULL: it was taken). Rows and rejects are counted in
 * *out. Opens and closes the reader; name, columns, count and arena are set. Faults: the source's,
 * table_begin's, start's. */
struct table_use {
    bool (*start)(void *context, struct fault *f);
    const char *(*row)(void *context);
    void *context;
};
MUST_USE bool table_read(struct table_reader *t, struct source source, struct intake_table *out,
                         const struct table_use *use, struct fault *f);

/* USAGE, with that hint, when a header lacks the issuer's column and there is no default one. */
MUST_USE bool table_need_issuer(const struct table_reader *t, int column, int default_issuer,
                                const char *hint, struct fault *f);

/* Index of the issuer that a cell names, the default one where it is empty. NULL, or why there is none. */
const char *table_issuer(struct intake_issuers *issuers, struct str cell, int default_issuer, int *issuer);

/* A SHA-256 of 64 hexadecimal digits. NULL, or that it is none. */
const char *table_digest(struct str cell, struct digest *out);

/* Frees the remarks. */
void table_free(struct intake_table *t);

/* A reason in the arena; an equal one as the last is shared, so a million like rows cost one text. */
const char *table_reason(struct table_reader *t, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends a remark. */
void remarks_add(struct intake_remarks *remarks, const char *file, size_t line, const char *reason);

/* Room for one more in a growing array: returns items, moved when it must. */
void *grow_array(void *items, size_t count, size_t *room, size_t size);

/* Letters and digits of a header cell in lower case; false when they are more than fit. */
bool table_canonical(struct str cell, char *out, size_t room);

#endif
