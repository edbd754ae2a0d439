/* reason.h - CRLReason codes (RFC 5280 5.3.1) and which of them a BR certificate may carry (BR 7.2.2).
 *
 * Pure. Does not: decide which reason a rule needs (rules.h). Called by: rules, doors, verifier, reporter. */
#ifndef MASSREVOKE_REASON_H
#define MASSREVOKE_REASON_H

#include "massrevoke/text.h"

/* The codes; the number is the encoded value. REASON_UNSPECIFIED is expressed by an absent extension only. */
enum reason {
    REASON_UNSPECIFIED = 0,
    REASON_KEY_COMPROMISE = 1,
    REASON_CA_COMPROMISE = 2,
    REASON_AFFILIATION_CHANGED = 3,
    REASON_SUPERSEDED = 4,
    REASON_CESSATION_OF_OPERATION = 5,
    REASON_CERTIFICATE_HOLD = 6,
    REASON_REMOVE_FROM_CRL = 8,
    REASON_PRIVILEGE_WITHDRAWN = 9,
    REASON_AA_COMPROMISE = 10,
};

/* RFC 5280 name ("superseded"); NULL when the code does not exist (7, 11, ...). */
const char *reason_name(int code);

/* Code for an RFC 5280 name in any case; -1 when there is none. */
int reason_from_name(struct str name);

/* May a subscriber certificate's CRL entry carry it: 0 (absent), 1, 3, 4, 5 or 9 (BR 7.2.2)? */
bool reason_is_permitted(int code);

#endif
