/* findings.h - collecting findings while judging. Pure. Does not: decide anything but what a row of
 * findings.def says. Called by: judge_crl, judge_ocsp, judge_next. */
#ifndef MASSREVOKE_VERIFIER_FINDINGS_H
#define MASSREVOKE_VERIFIER_FINDINGS_H

#include "massrevoke/verifier.h"

#define TOLERANCE ((struct span){300}) /* clocks of others may be ahead by so much */
#define TEN_DAYS ((struct span){10 * 86400})

/* Was a time given? A field left at zero was not. */
static inline bool is_given(struct utc t)
{
    return t.s > 0;
}

/* Adds a finding; `format` says what was seen. A second one of a kind is dropped. */
void finding_add(struct findings *list, struct arena *a, enum finding_id id, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Adds it when `bad`; `seen` is plain text. */
void finding_if(struct findings *list, struct arena *a, bool bad, enum finding_id id, const char *seen);

/* Freshness of any object: thisUpdate, nextUpdate (UTC_NONE: at most ten days are assumed), now. */
void finding_freshness(struct findings *list, struct arena *a, struct utc this_update, struct utc next_update,
                       struct utc now);

/* A CRL that counts, against the one before it and against what is known of the certificates looked up: its
 * number, what is missing, what nobody asked for, reasons. Sets `vanished` of the sights. */
void judge_successor(const struct verifier_question *q, struct verifier_crl *judged, struct arena *a);

#endif
