/* backend.h - a CA's HTTP interface as data: what is sent, what each answer means, what the CA is able to do.
 *
 * One file of plans/backends a product, read through the guard; the program knows no product. A request is
 * made of templates with values in braces, an answer is judged by a table of rows, the first that fits
 * decides, and what fits none is *ask*: the outcome is unknown. Rows that could lie are refused when the file
 * is read: revoked, not revoked and unknown need proof in the body, not a status alone. Pure but for reading
 * the file. Does not: talk to anybody, know addresses or secrets (settings). Sources: facts of backends,
 * sections 1 to 3. Called by: door/ca_http, cli. */
#ifndef MASSREVOKE_BACKEND_H
#define MASSREVOKE_BACKEND_H

#include "massrevoke/arena.h"
#include "massrevoke/digest.h"
#include "massrevoke/outcome.h"
#include "massrevoke/text.h"

#define BACKEND_REASONS 11 /* codes 0 to 10 */

/* What stands for a value in a template, or the text between two. */
enum backend_value {
    BACKEND_TEXT,
    BACKEND_SERIAL_HEX,      /* {serial.hex}: 9A0B, even number of digits, no leading 00 */
    BACKEND_SERIAL_DECIMAL,  /* {serial.decimal} */
    BACKEND_SERIAL_COLON,    /* {serial.colon}: 9a:0b */
    BACKEND_SERIAL_PREFIXED, /* {serial.prefixed}: 0x9a0b */
    BACKEND_SERIAL_PADDED,   /* {serial.padded}: 36 digits at least */
    BACKEND_AKI,             /* {aki}: the issuer's key identifier, lower-case hex */
    BACKEND_REASON_NAME,     /* {reason.name}: the product's word */
    BACKEND_REASON_CODE,     /* {reason.code}: RFC 5280's number */
    BACKEND_ISSUER_NAME,     /* {issuer.name}: as configured, percent-encoded */
    BACKEND_TOKEN,           /* {token}: a JWT signed for this request */
    BACKEND_PREPARED,        /* {prepared}: what the request before this one was answered */
    BACKEND_SERIAL_LIST,     /* {serials}: of a whole process, exec only */
    BACKEND_DATE,            /* {date}: of a compromise, 2026-01-01T00:00:00Z; path_dated only */
    BACKEND_VALUE_COUNT
};

struct backend_part {
    enum backend_value value;
    struct str text; /* BACKEND_TEXT */
};

struct backend_template {
    const struct backend_part *parts;
    size_t count;
};

/* What an answer means. */
enum backend_meaning {
    BACKEND_REVOKED,     /* by this request, unless the CA's date is an earlier one */
    BACKEND_BEFORE,      /* revoked already */
    BACKEND_NOT_REVOKED, /* status only */
    BACKEND_UNKNOWN,     /* never issued here */
    BACKEND_WAIT,        /* proof that nothing was executed; later */
    BACKEND_ASK,         /* nobody knows */
    BACKEND_STOP,        /* nothing was executed and nothing will be: credentials, configuration */
    BACKEND_PERSON,      /* somebody must decide over there */
    BACKEND_MEANING_COUNT
};

/* One row: every condition given must hold. */
struct backend_row {
    long http_from, http_to;
    const char *json, *is; /* JSON pointer (RFC 6901); without `is` it need only point at something */
    const char *contains;  /* in the body, in any case */
    bool empty;            /* no body at all */
    enum backend_meaning meaning;
    const char *date, *reason; /* JSON pointers; when the CA's date can't be read the row does not fit */
};

struct backend_request {
    const char *method; /* NULL: there is no such request */
    struct backend_template path, body;
    struct backend_template
        dated_path; /* of `revoke` when the entry's date is named; count 0: it takes none */
    const char *const *headers;
    size_t header_count;
    const struct backend_row *rows;
    size_t row_count;
};

/* The question to the CA's own database that stands in for a status request. */
struct backend_record {
    const char *query;   /* $1 the issuer's key identifier, $2 the serials; NULL: there is none */
    const char *revoked; /* $1 the issuer's key identifier: serial, seconds, reason, for shards the CRL's URL;
                            NULL: there is none */
    struct backend_template serial; /* how the database writes one */
};

struct backend {
    const char *name;
    bool keeps_first_date;
    bool tells_unknown;       /* false: OK for a serial never issued, so its yes proves nothing there */
    struct span quiet;        /* after so long no earlier request can still be executed */
    int concurrency;          /* requests at a time when the configuration does not say */
    const char *token_header; /* the header that carries the token, NULL: it takes none */
    const char *words[BACKEND_REASONS]; /* the product's word for each reason; NULL: it has none */
    bool uses_issuer_name;
    struct rate windows[RATE_WINDOWS]; /* limits that the product is known for */
    size_t window_count;
    bool signs_token;                      /* {token} is used */
    struct backend_template token_subject; /* what a token is about */
    struct backend_request prepare; /* before each revoke: what it is answered at `taken` is {prepared} */
    const char *taken;              /* JSON pointer */
    struct backend_request revoke, status;
    struct backend_request publish; /* a new CRL; BACKEND_REVOKED there means done */
    struct backend_record record;
    struct digest digest; /* of the file */
};

/* A profile by shipped name or by path (with '/' or ending in .cfg); everything lives in `a`. CONFIG lists
 * every problem. */
MUST_USE bool backend_read(const char *plans_dir, const char *name, struct arena *a, struct backend *out,
                           struct fault *f);

/* Bit 1 << code for each reason that has a word. */
unsigned backend_reasons(const char *const words[static BACKEND_REASONS]);

/* What the values of one request are. */
struct backend_values {
    const struct serial *serial;
    const char *aki, *reason_name, *issuer_name, *token, *prepared, *serials;
    const char *date; /* NULL: none is named */
    int reason_code;
};

/* Appends a template with its values filled in. */
void backend_expand(const struct backend_template *t, const struct backend_values *values, struct buf *out);

/* The scalar that a JSON pointer finds in an answer to `prepare`; false when there is none of letters,
 * digits, '-' and '_' alone. */
bool backend_taken(const struct backend *b, struct str body, struct buf *out);

/* What an answer says. */
struct backend_verdict {
    enum backend_meaning meaning;
    struct utc at; /* the CA's date, UTC_NONE: it did not say */
    int reason;    /* CRLReason, -1: it did not say */
};

/* The first row that fits, else BACKEND_ASK. Linear in rows and body. */
struct backend_verdict backend_judge(const struct backend *b, const struct backend_request *r, long http,
                                     struct str body);

#endif
