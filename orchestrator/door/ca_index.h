/* ca_index.h - the rows of an `openssl ca` index.txt, read strictly and rewritten one at a time.
 *
 * Six cells by tabs: type, expiry, revocation, serial, file, subject; a tab inside a cell has a backslash in
 * front (openssl's TXT_DB). A row that openssl itself would stumble over is a fault naming file and line, so
 * that nothing is ever written beside a damaged row. Pure. Does not: open or lock the file, or know any
 * campaign. Called by: ca_openssl, ca_new. */
#ifndef MASSREVOKE_DOOR_CA_INDEX_H
#define MASSREVOKE_DOOR_CA_INDEX_H

#include "massrevoke/fault.h"
#include "massrevoke/reason.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

/* The reasons that openssl's index can hold (its table of names ends at 6; 8 is for delta CRLs only). */
#define CA_INDEX_REASONS                                                                                     \
    (1u << REASON_UNSPECIFIED | 1u << REASON_KEY_COMPROMISE | 1u << REASON_CA_COMPROMISE |                   \
     1u << REASON_AFFILIATION_CHANGED | 1u << REASON_SUPERSEDED | 1u << REASON_CESSATION_OF_OPERATION |      \
     1u << REASON_CERTIFICATE_HOLD)

/* One row; slices point into the file's bytes. */
struct ca_index_row {
    struct str line; /* with its newline */
    char type;       /* V, R or E */
    struct serial serial;
    struct str expiry;        /* as it stands */
    struct str tail;          /* serial, file and subject as they stand, with the newline */
    struct utc at;            /* R: revocation date; else UTC_NONE */
    int reason;               /* R: its code, 0 when none is named; else -1 */
    struct utc invalid_since; /* R: when the key or the CA was compromised; mostly UTC_NONE */
};

/* A date that was read: rows of one campaign share few. */
struct ca_index_date {
    char text[16];
    size_t n;
    struct utc at;
};

/* Where a reader stands: start with rest = the whole file, or its lines up to some end, and line 0. */
struct ca_index_walk {
    const char *path; /* for faults */
    struct str rest;
    size_t line; /* of the last row, from 1 */
    struct ca_index_date expiry, revocation;
};

/* The next row; *end when there is none left. Lines that begin with # are passed over. FAILED: a malformed
 * row, or a last line without its newline. About 0.1 us a row. */
MUST_USE bool ca_index_next(struct ca_index_walk *walk, struct ca_index_row *row, bool *end, struct fault *f);

/* Appends the row as revoked at `at` (1950 to 2049, openssl reads two-digit years only) for one of
 * CA_INDEX_REASONS; unspecified is written as no reason, else openssl would encode a 0 (BR 7.2.2). The date
 * of a compromise that the row has stays with either compromise. */
void ca_index_revoke(const struct ca_index_row *row, struct utc at, enum reason reason, struct buf *out);

/* Appends YYMMDDHHMMSSZ, from 2050 on YYYYMMDDHHMMSSZ. */
void ca_index_time(struct utc t, struct buf *out);

#endif
