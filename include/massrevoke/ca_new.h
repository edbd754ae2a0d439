/* ca_new.h - makes a demo CA: an `openssl ca` directory full of certificates, ready for a campaign or a
 * drill.
 *
 * I/O below one new folder only. From the same seed come the same serials, names, dates, subscribers and
 * contacts; keys, signatures and hashes differ. Everything is built beside the target and renamed into place.
 * Does not: issue anything later, or read a clock. Files: contract section 3. Sources: BR 6.3.2 (at most 200
 * days), 7.1. Called by: cli (ca new), drill, tests. */
#ifndef MASSREVOKE_CA_NEW_H
#define MASSREVOKE_CA_NEW_H

#include "massrevoke/fault.h"
#include "massrevoke/time.h"

#define CA_NEW_MOST 1000000 /* certificates of one demo CA */

/* What to make. */
struct ca_new_spec {
    const char *directory; /* new, or an empty folder; missing parents are made */
    int count;             /* certificates, 1 to CA_NEW_MOST */
    int subscribers;       /* 1 to count */
    uint64_t seed;         /* same seed: same CA but for its keys */
    const char *ocsp_url;  /* http URL; NULL: certificates carry no OCSP pointer, no responder is made */
    struct utc now;        /* campaign time: nothing was issued later */
    const struct utc *not_after; /* per certificate, the drill's choice; NULL or UTC_NONE: 31 days to 199 */
    const int *subscriber;       /* per certificate, 0 to subscribers - 1; NULL: all of them, unevenly */
};

/* Makes it. CONFLICT: the directory exists and is not empty (it stays untouched). USAGE: a count, the URL or
 * a date that can't be. Progress on standard error; about 0.3 ms a certificate. */
MUST_USE bool ca_new(const struct ca_new_spec *spec, struct fault *f);

#endif
