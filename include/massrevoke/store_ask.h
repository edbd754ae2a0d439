/* store_ask.h - what people ask in the middle of a campaign: where is this certificate, whom can we not
 * reach?
 *
 * I/O. Does not: change anything, or choose between matches: everything that fits is told, and its siblings.
 * Called by: cli. Faults: UNAVAILABLE, FAILED. */
#ifndef MASSREVOKE_STORE_ASK_H
#define MASSREVOKE_STORE_ASK_H

#include "massrevoke/certificate.h"
#include "massrevoke/store_campaign.h"

/* What is looked for; every way that is set is tried. */
struct find {
    const struct digest *sha256; /* of the certificate, its precertificate or its key; NULL: not tried */
    const struct serial *serials;
    size_t serial_count;
    const char *host; /* lower case: a dNSName, or covered by a wildcard (RFC 6125 6.4.3); NULL: not tried */
    const char *name; /* lower case: part of a subscriber's or subject's name; NULL: not tried */
};

/* One certificate, in the campaign or not. Texts live in the arena. */
struct found {
    bool match;         /* else a sibling of a match */
    const char *why;    /* "serial", "sha256", "key", "host", "wildcard", "subscriber", "subject"; of siblings
                           "same key", "same serial", "same names" */
    int issuer, cohort; /* the store's number; cohort 0: not affected */
    const char *issuer_subject, *subscriber, *subject, *dns_names;
    const char *cert_sha256; /* lower-case hex or "" */
    const char *state;       /* as `show` names it, "" when it is not affected */
    struct serial serial;
    struct utc not_after, planned;
};

/* Everything in the inventory or the campaign that fits, at most `most`, and as many siblings; matches first.
 * One pass over the inventory: about a second for a million. */
MUST_USE bool store_find(struct store *s, int campaign, const struct find *what, size_t most, struct arena *a,
                         struct found **out, size_t *n, struct fault *f);

/* One subscriber of affected certificates, "" those that no inventory knows one for. A contact counts when
 * its address is good. */
struct reach {
    const char *subscriber;
    int64_t certificates;
    bool primary, backup, partner;
};

/* All of them, most certificates first. */
MUST_USE bool store_reach(struct store *s, int campaign, struct arena *a, struct reach **out, size_t *n,
                          struct fault *f);

/* Where certificates say that they are revoked. */
struct asked_pointer {
    int issuer;
    const char *cdp, *ocsp; /* URLs, several separated by blanks; "" none */
    struct serial serial;   /* of one certificate that names them */
};

/* Of the affected certificates, or (campaign 0) of the whole inventory; at most `most`. One pass. */
MUST_USE bool store_asked_pointers(struct store *s, int campaign, size_t most, struct arena *a,
                                   struct asked_pointer **out, size_t *n, struct fault *f);

/* The database server itself. */
struct server_facts {
    struct utc clock;
    bool durable; /* a commit outlives a crash */
    bool standby; /* nothing can be written */
    const char *version;
};
MUST_USE bool store_server_facts(struct store *s, struct arena *a, struct server_facts *out, struct fault *f);

#endif
