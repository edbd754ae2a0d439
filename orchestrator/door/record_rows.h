/* record_rows.h - serials as a CA's own database writes them, out as an array and back as rows.
 *
 * Pure; reads libpq's answers. Does not: connect, ask, or know cfssl. Called by: record_ask, ca_sql. */
#ifndef DOOR_RECORD_ROWS_H
#define DOOR_RECORD_ROWS_H

#include "massrevoke/backend.h"

#include <libpq-fe.h>

/* What the record says of one serial. */
struct record_row {
    bool found, revoked;
    struct utc at; /* UTC_NONE: not revoked, or not said */
    int reason;    /* -1: not said */
};

struct record_form; /* one serial as the record writes it, and whose it is */

/* The serials of one question. */
struct record_forms {
    struct record_form *forms; /* ascending by text, then by index */
    size_t count;
    struct buf array; /* a PostgreSQL array literal of all */
};

/* Writes n serials in the form of the template; everything but `array` lives in `a`. */
void record_forms_make(struct record_forms *r, const struct backend_template *serial,
                       const struct serial *serials, size_t n, struct arena *a);

/* Indexes of the serials that have this text, ascending; how many. */
size_t record_forms_find(const struct record_forms *r, const char *text, const size_t **indexes);

/* Rows of serial, revoked (boolean), seconds since 1970, reason code into out, whose entry i is of
 * serials[i]; what no row is about is not found. CONFIG: not such rows, a serial that was not asked for, or
 * one twice. */
MUST_USE bool record_rows_take(const struct record_forms *r, const PGresult *answer, struct record_row *out,
                               struct fault *f);

#endif
