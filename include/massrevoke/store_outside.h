/* store_outside.h - what the world shows: whom to look for, fetched objects, sightings, edges (design section
 * 3, sentence 9).
 *
 * An object is kept whole when it proved something, when somebody must look at it, or while it is the newest
 * of its pointer; of the rest hash, size, dates, findings and headers stay. Bytes are there before the row
 * that names them. I/O. Does not: fetch, judge, or decide what to look for. Faults: UNAVAILABLE, FAILED.
 * Called by: engine, cli verify, tests. */
#ifndef MASSREVOKE_STORE_OUTSIDE_H
#define MASSREVOKE_STORE_OUTSIDE_H

#include "massrevoke/digest.h"
#include "massrevoke/serial.h"
#include "massrevoke/store_campaign.h"

/* A certificate to look for outside. */
struct watched {
    int64_t number;
    int issuer, reason;
    struct serial serial;
    unsigned needs; /* CERTIFICATE_NEEDS_* */
    uint8_t state;  /* its byte */
    struct utc not_after;
    struct utc told;    /* revocation date that the CA told; UTC_NONE: none */
    struct utc settled; /* when the CA's last answer was committed; UTC_NONE: it gave none */
    struct utc since;   /* revoked since then, as far as known; UTC_NONE */
    bool earlier;       /* somebody revoked it before this campaign, by the CA's word */
    int reason_before;  /* of a change: may still stand in what was made until `reason_until`; UTC_NONE: no */
    struct utc reason_until;
    struct utc dated;       /* the date that the change wants; UTC_NONE: the one it has */
    bool changing;          /* and it was not seen yet */
    const char *cdp, *ocsp; /* URLs, several separated by blanks; "" none */
};

/* Those pending publication; with `all` also published and withdrawn ones. Number order. */
MUST_USE bool store_watch(struct store *s, int campaign, bool all, struct arena *a, struct watched **out,
                          size_t *n, struct fault *f);

/* Reads the next bytes of an object, at most `room` into out; 0 at the end, -1 when it cannot. From the first
 * on again after a rewind (out NULL). */
typedef ssize_t object_read_fn(void *context, char *out, size_t room);

/* A fetched object and what it showed. */
struct sighting {
    bool crl; /* else OCSP */
    const char *url;
    int issuer;
    int64_t number; /* OCSP: the certificate's number; CRL: -1 */
    struct digest sha256;
    int64_t size;
    object_read_fn *read; /* its bytes */
    void *context;
    struct utc this_update, next_update;
    struct str crl_number;         /* big-endian octets, empty when there is none */
    bool counts;                   /* no finding forbids acting on it */
    bool anomaly;                  /* somebody must look at it: it is kept whole */
    const char *findings;          /* JSON text */
    const int64_t *seen, *missing; /* ascending */
    size_t seen_count, missing_count;
};

/* Keeps the object and commits what it showed; an older one than the newest judged for its pointer is kept
 * and moves no state (*fresh false). One that is known and shows nothing new changes nothing. */
MUST_USE bool store_sight(struct store *s, const struct act *act, const struct sighting *sight, bool *fresh,
                          struct fault *f);

/* The newest object that counted of a CRL pointer. */
struct pointer {
    const char *url;
    int issuer;
    struct utc fetched_at, this_update;
    struct digest sha256;
    struct str number; /* its CRLNumber, 20 octets; empty when it has none */
};
MUST_USE bool store_pointers(struct store *s, int campaign, struct arena *a, struct pointer **out, size_t *n,
                             struct fault *f);

/* Gets an object's bytes, a part at a time. */
typedef void object_part_fn(void *context, struct str bytes);

/* The bytes of a kept object in order; *parts (may be NULL) counts them, 0 when only its digest is kept. */
MUST_USE bool store_object(struct store *s, struct digest sha256, object_part_fn *part, void *context,
                           int64_t *parts, struct fault *f);

/* What an edge of a pointer, one URL by one way, showed last. */
struct edge {
    bool crl;
    int issuer;
    const char *url, *vantage;
    struct utc at;
    long http_status;
    const char *problem;   /* "" or why nothing came */
    const char *headers;   /* JSON text of those that came */
    struct digest sha256;  /* only with size > 0 */
    int64_t size;          /* of the object; 0: none */
    struct str crl_number; /* empty: none */
    struct utc this_update, next_update;
    bool counts;
    const char *findings; /* ids of errors and warnings, by blanks; "" none */
    const char *data;     /* JSON text for the event when findings are others than before (store_edge only) */
};

/* Keeps it; when its findings are others than at the last look, an event "finding" says so (*changed). */
MUST_USE bool store_edge(struct store *s, const struct act *act, const struct edge *edge, bool *changed,
                         struct fault *f);

/* All edges of a campaign, by kind, issuer, URL and vantage point. */
MUST_USE bool store_edges(struct store *s, int campaign, struct arena *a, struct edge **out, size_t *n,
                          struct fault *f);

/* A serial on a CRL that was not looked for there, and is known: of the inventory and in no campaign, or in
 * one and naming another CRL. */
struct stranger {
    size_t place; /* in the list that was asked about */
    bool elsewhere;
};
MUST_USE bool store_strangers(struct store *s, int issuer, const char *url, const struct serial *serials,
                              size_t count, struct arena *a, struct stranger **out, size_t *n,
                              struct fault *f);

/* A certificate that nothing outside can prove, because neither it names a pointer nor a CRL is configured
 * for its issuer. */
struct not_checkable {
    const char *issuer;
    struct serial serial;
    bool known; /* it is in the inventory */
};

/* At most `most` of those that are pending publication; *total is how many there are. */
MUST_USE bool store_not_checkable(struct store *s, int campaign, int64_t most, struct arena *a,
                                  struct not_checkable **out, size_t *n, int64_t *total, struct fault *f);

/* One certificate: when the CA recorded it and when it was published first; UTC_NONE: not (yet). */
struct proof {
    const char *issuer;
    struct serial serial;
    uint8_t state; /* its byte */
    bool checkable;
    bool before; /* somebody had it revoked before us */
    struct utc recorded, published;
};
typedef void proof_fn(void *context, const struct proof *proof);

/* Every numbered certificate, by number, one after the other. */
MUST_USE bool store_proofs(struct store *s, int campaign, proof_fn *each, void *context, struct fault *f);

/* How long publication took, of the certificates published in one hour. */
struct publication {
    int64_t hour; /* counted from the campaign's receipt */
    int64_t certificates;
    int64_t median, p90, p99, slowest; /* seconds from the CA's record to published */
};
MUST_USE bool store_publication(struct store *s, const struct campaign *c, struct arena *a,
                                struct publication **out, size_t *n, struct fault *f);

#endif
