/* look.h - what the files that look outside share. Does not: leave engine/. */
#ifndef MASSREVOKE_ENGINE_LOOK_H
#define MASSREVOKE_ENGINE_LOOK_H

#include "internal.h"
#include "massrevoke/store_outside.h"
#include "massrevoke/store_reason.h"
#include "massrevoke/verifier.h"
#include "massrevoke/verify_issuer.h"

/* One look; its arena goes with it. */
struct look {
    struct engine *engine;
    struct arena *arena;
    struct act act;
    struct engine_report *report;
    struct pointer *pointers;
    size_t pointer_count;
    struct verify_issuer *issuers; /* by index of settings */
    struct utc since;              /* receipt of the campaign: entries dated later are its time's */
    uint64_t seed[2];
};

/* What an edge of a CRL pointer showed last without a fault, and to whom: as long as both stay and it is
 * fresh, the answer "unchanged" is enough. */
struct fetched {
    const char *url, *vantage;
    int issuer;
    struct http_headers headers;
    struct digest asked;
    struct utc until;
};

/* A responder by one way. */
struct responder {
    const char *url, *name; /* name: of the vantage point */
    const struct settings_vantage *way;
    int issuer;
    enum certid_hash hash; /* of the questions it understands */
    bool other_tried, post_tried;
    const char *no_post;   /* why POST gave nothing; NULL: it did, or was not tried yet */
    struct utc until;      /* it is left alone till then */
    int64_t rest;          /* seconds of the last such rest */
    struct findings found; /* since the queue was made; texts live in queue_arena */
    size_t told;           /* how many of them the store knows; SIZE_MAX: it was not asked yet */
    size_t sent, failed;   /* questions of this turn */
    struct edge last;      /* its last answer; texts in the turn's arena */
};

/* What the engine remembers between looks; freed by outside_free. */
struct outside {
    struct arena arena; /* as long as the engine */
    struct fetched *fetched;
    size_t fetched_count;
    struct ocsp_cache cache;
    struct pace pace; /* of questions to responders */
    struct arena queue_arena;
    struct watched *queue; /* certificates to ask responders about, in number order, from `at` on */
    size_t count, at;
    int64_t last; /* number asked last */
    struct responder *responders;
    size_t responder_count;
};

/* The engine's, made when first asked for. */
struct outside *outside_of(struct engine *e);

const struct verify_issuer *look_issuer(const struct look *l, int issuer);
struct verifier_question look_question(const struct look *l, int issuer, const char *url);

/* The first error becomes the engine's warning. */
void look_warn(struct look *l, const char *url, const struct findings *findings);

/* Findings and cache headers as JSON, for the object's row. */
const char *look_findings(struct arena *a, const char *object, const struct findings *findings,
                          const struct http_headers *headers);

/* Cache headers as a JSON text. */
const char *look_headers(struct arena *a, const struct http_headers *headers);

/* Keeps what an edge showed; findings: of the object and of the pointer at all edges together. */
MUST_USE bool look_edge(struct look *l, struct edge *edge, const struct finding *const *findings,
                        size_t count, struct fault *f);

/* Is it a question of doubt.c? Nothing that is shown of it moves the ledger: its answer does. */
static inline bool look_is_doubt(const struct watched *w)
{
    return certificate_state(w->state) == CERTIFICATE_DOUBT;
}

/* Takes the open questions of doubt.c among the items, by number. */
MUST_USE bool doubt_join(struct look *l, struct watched **items, size_t *n, struct fault *f);

/* What all edges of a pointer together show of a question. */
struct doubt_shown {
    bool listed, revoked; /* listed: at least one that counts names it, for good or (hold) not */
    struct utc at;        /* the revocation date */
    int reason;           /* enum reason */
    struct utc
        not_revoked_at; /* the newest that counts was made then and says "not revoked"; else UTC_NONE */
};

/* Answers the question about an item, if it is still open and this is enough; whoever asked says so in any
 * case, for patience ends. */
void doubt_hear(struct look *l, const struct watched *item, const struct doubt_shown *shown);

/* Is it for a CRL (else: for a responder) to show the changed reason of this one? A CRL where it has one. */
bool look_proves_reason(const struct watched *w, bool crl);

/* Are this reason and date what the change wants? */
bool look_shows_reason(const struct watched *w, int reason, struct utc at);

/* Fetches the CRLs of these and judges them. */
MUST_USE bool look_at_crls(struct look *l, const struct watched *items, size_t n, struct fault *f);

/* Makes the queue of certificates to ask responders about; with `all` a sample of the published ones, too. */
void look_queue(struct look *l, const struct watched *items, size_t n, bool all);

/* Asks about as many as politeness allows. */
MUST_USE bool look_at_ocsp(struct look *l, struct fault *f);

#endif
