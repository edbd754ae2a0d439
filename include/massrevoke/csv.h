/* csv.h - comma separated values (RFC 4180) from foreign hands, and the same for ours to write.
 *
 * The reader pulls from a source, keeps one window of memory whatever the input does, and never gives up on a
 * file because of one row: a row that cannot be read is a value with its line and the reason. Rows end in LF,
 * CRLF or a lone CR; a UTF-8 byte order mark and rows of blanks only are passed over. Pure. Does not: know
 * headers or columns (intake), guess encodings, or trim cells. Called by: intake, reporter, cli. */
#ifndef MASSREVOKE_CSV_H
#define MASSREVOKE_CSV_H

#include "massrevoke/source.h"

#define CSV_RECORD_MAX ((size_t)64 * 1024) /* bytes of one row without its line end */
#define CSV_CELL_MAX 256                   /* cells of one row */
#define CSV_NO_SEPARATOR '\0'              /* each line is one cell and quotes mean nothing */

/* One row. Slices live until the next call of csv_next. */
struct csv_record {
    size_t line;     /* of its first byte, from 1 */
    bool end;        /* nothing was left; all else is unset */
    const char *bad; /* NULL, or why the row cannot be read (static text); then there are no cells */
    const struct str *cells;
    size_t count;
};

/* The reader; csv_open fills it, csv_close frees its window. `separator` may be set until the first csv_next.
 */
struct csv_reader {
    struct source source;
    const char *name; /* for faults */
    char separator;
    char *window;
    size_t at, end; /* unread bytes of the window */
    size_t line;    /* of the byte at `at` */
    bool started, source_ended, after_cr, skipping;
    struct str cells[CSV_CELL_MAX];
};

/* Starts reading with ',' as separator; `name` must outlive the reader. Allocates 256 KiB. */
void csv_open(struct csv_reader *r, const char *name, struct source source);

/* Shows up to CSV_RECORD_MAX first bytes, behind the byte order mark, without taking them. Before the first
 * csv_next only. Faults: the source's; FAILED for UTF-16 and UTF-32. */
MUST_USE bool csv_peek(struct csv_reader *r, struct str *head, struct fault *f);

/* The next row. A row that is malformed, longer than CSV_RECORD_MAX, or whose quote never closes is `bad` for
 * its first line alone, and reading goes on with the next line. Linear in the input. Faults as csv_peek. */
MUST_USE bool csv_next(struct csv_reader *r, struct csv_record *out, struct fault *f);

/* Frees the window; harmless when called twice. */
void csv_close(struct csv_reader *r);

/* Closes at scope exit: `AUTO_CSV r; csv_open(&r, ...);` */
#define AUTO_CSV __attribute__((cleanup(csv_close))) struct csv_reader

/* The separator of a header line: whichever of comma, semicolon and tab comes first outside quotes; comma
 * when there is none. */
char csv_guess_separator(struct str header);

/* Writes rows into a buffer the caller owns: `struct csv_writer w = {.out = &b, .crlf = true};` */
struct csv_writer {
    struct buf *out;
    bool crlf; /* RFC 4180 line ends, else LF */
    bool
        guard; /* a cell beginning with = + - @ tab or CR gets a ' in front, so that no spreadsheet runs it */
    bool inside; /* a row has begun */
};

/* Adds one cell, quoted when it must be (separator, quote, CR, LF, or a blank at either end). */
void csv_cell(struct csv_writer *w, struct str cell);

/* The same for a C string; NULL is an empty cell. */
void csv_text(struct csv_writer *w, const char *cell);

/* Ends the row. */
void csv_end_row(struct csv_writer *w);

#endif
