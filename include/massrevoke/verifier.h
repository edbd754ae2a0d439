/* verifier.h - judges CRLs and OCSP responses, and says what of a campaign they prove.
 *
 * Every check is a row of verifier/findings.def. An object with a finding that forbids acting on it (no good
 * signature, wrong issuer, malformed, stale, another shard's) proves nothing: then `counts` is false and no
 * status is told. Pure: bytes and times in, findings out; what was known of the CRL before comes in, too.
 * One pointer may be asked at several edges (vantage points): verifier_combine_* say what all of them show.
 * Does not: fetch, remember anything, or decide what a sighting does to a certificate. Sources:
 * BR 4.9.7, 4.9.9, 7.2, 7.3; RFC 5280 5, 6.3.3; RFC 6960 3.2; RFC 9111 4.2. Called by: engine, cli verify. */
#ifndef MASSREVOKE_VERIFIER_H
#define MASSREVOKE_VERIFIER_H

#include "massrevoke/crl_read.h"
#include "massrevoke/json.h"
#include "massrevoke/ocsp.h"

/* Severity of the contract. */
enum finding_severity { FINDING_ERROR, FINDING_WARNING, FINDING_INFO };

/* Which finding; the names are in findings.def. */
enum finding_id {
#define FINDING(id, name, severity, fatal, section, expected) FINDING_ID_##id,
#include "../../orchestrator/verifier/findings.def"
#undef FINDING
    FINDING_ID_COUNT
};

/* One finding; id to expected are static text, seen lives in the arena. Findings over entries come once, with
 * their number in `seen`. */
struct finding {
    enum finding_id which;
    const char *id;
    enum finding_severity severity;
    const char *section, *seen, *expected;
};

/* At most one of each kind. */
struct findings {
    struct finding list[FINDING_ID_COUNT];
    size_t count, errors;
    bool unusable; /* one of them forbids acting on the object */
};

/* What the certificates are: BR 7.2 and 7.3 differ. */
enum verifier_kind { VERIFIER_SUBSCRIBER, VERIFIER_CA };

/* A certificate that we want to see revoked. */
struct verifier_wanted {
    uint32_t number;
    struct serial serial;
    int reason;           /* enum reason that was asked for; -1: any */
    bool seen;            /* the CRL before showed it, or an earlier one: now it must stay */
    bool earlier;         /* known to have been revoked before anybody asked here */
    struct utc not_after; /* UTC_NONE: not known, then it must stay for ever */
    struct utc told;      /* the revocation date that the CA told us; UTC_NONE or 0: none */
    /* the reason is being changed: `reason_before` may still stand in a CRL made until then; UTC_NONE or 0:
     * not */
    struct utc reason_until;
    int reason_before;
};

#define VERIFIER_STRANGERS ((size_t)1000) /* kept of a list, the first ones */

/* An entry dated in the campaign's time that was not looked for. */
struct verifier_stranger {
    struct serial serial;
    struct utc at;
    int reason; /* -1 when absent */
};

/* What was known of the newest CRL of the same pointer when this one, with other bytes, was fetched. */
struct verifier_before {
    struct utc this_update;
    struct str number; /* octets of its CRLNumber; p NULL: not known */
};

/* How to judge; must live until the judgement is made. */
struct verifier_question {
    const struct verify_issuer *issuer; /* NULL: the signature stays unchecked, nothing counts */
    struct utc now;                     /* UTC_NONE: freshness stays unchecked, nothing counts */
    const char *url;                    /* the pointer that named the CRL; NULL: not compared */
    enum verifier_kind kind;
    uint64_t seed[2]; /* keys the hashes; unpredictable to the CA */
    /* for a CRL: */
    const struct verifier_wanted *wanted;
    size_t wanted_count;                  /* at most CRL_WANTED_MOST */
    const struct verifier_before *before; /* NULL: there was none, or it is the same */
    struct utc since; /* entries dated from here on are strangers; UTC_NONE or 0: none are */
    /* for an OCSP response: */
    struct utc revoked_at; /* when the CA revoked, as far as we know; UTC_NONE or 0: not known */
};

/* What an object shows of a wanted certificate. */
struct verifier_sight {
    uint32_t number;
    bool listed;         /* on the CRL, whatever the reason */
    bool revoked;        /* listed for good: not certificateHold, not removeFromCRL */
    bool reason_differs; /* from the one asked for */
    bool vanished;       /* was seen, is missing, and must be there */
    struct utc at;       /* revocation date; UTC_NONE when not listed */
    int reason;          /* enum reason, REASON_UNSPECIFIED when absent; -1 when not listed */
};

/* A judged CRL. */
struct verifier_crl {
    struct findings findings;
    bool parsed;
    bool counts;    /* may be acted upon */
    bool complete;  /* counts, and what it does not list is not revoked there: all reasons, and the scope is
                       the pointer's */
    struct crl crl; /* number.octets and this_update give its place in order (crl_number_compare) */
    struct verifier_sight *sights;       /* one for each wanted; NULL when the CRL does not count */
    struct verifier_stranger *strangers; /* at most VERIFIER_STRANGERS; none when the CRL does not count */
    size_t stranger_count, stranger_total;
};

/* A judged OCSP response about one serial. */
struct verifier_ocsp {
    struct findings findings;
    bool parsed;
    bool counts;  /* may be acted upon */
    bool found;   /* `single` is set */
    bool revoked; /* counts, says revoked for good, of an issued certificate */
    struct ocsp_response response;
    struct ocsp_single single;
};

/* Judging a CRL, DER or PEM, as its pieces come: begin, add as often as there is something, end exactly
 * once. One pass: hashed, walked and looked up together; memory as crl_read.h says, and 40 bytes a wanted
 * certificate in the arena. Nothing is told before the end. */
struct verifier_reader;
struct verifier_reader *verifier_crl_begin(const struct verifier_question *q, struct arena *a);

/* Reads a piece of any size. */
void verifier_crl_add(struct verifier_reader *r, struct str piece);

/* Judges and frees what the arena does not hold. */
void verifier_crl_end(struct verifier_reader *r, struct verifier_crl *out);

/* All at once, for bytes at hand. */
void verifier_judge_crl(struct str bytes, const struct verifier_question *q, struct arena *a,
                        struct verifier_crl *out);

/* Judges an OCSP response for one serial; needs an issuer to know whose serial it is (without: nothing is
 * looked up). `cache` keeps responder certificates over calls. */
void verifier_judge_ocsp(struct str bytes, const struct serial *serial, const struct verifier_question *q,
                         struct ocsp_cache *cache, struct arena *a, struct verifier_ocsp *out);

/* What is known elsewhere of strangers: some are of the inventory and no campaign asks for them, some belong
 * to another shard. Adds a finding for each kind there is; `first` NULL when count is 0. */
void verifier_add_strangers(struct findings *findings, struct arena *a,
                            const struct verifier_stranger *unasked, size_t unasked_count,
                            const struct verifier_stranger *elsewhere, size_t elsewhere_count);

/* One certificate and the URLs of a pointer of it; `item` is the caller's, and the order within a pointer. */
struct verifier_place {
    const char *urls; /* separated by blanks */
    int issuer;
    size_t item;
};

/* All certificates that one CRL answers for. */
struct verifier_pointer {
    const char *urls;
    int issuer;
    const struct verifier_place *places;
    size_t count;
};

/* What to fetch: sorts the places and cuts them into pointers; how many. */
size_t verifier_pointers(struct verifier_place *places, size_t n, struct arena *a,
                         struct verifier_pointer **out);

/* The URLs of a pointer, one by one; how many. */
size_t verifier_urls(const char *urls, struct arena *a, const char ***out);

/* One way to a pointer: what came that way. */
struct verifier_edge {
    const char *name;                 /* of the vantage point, and the URL when there are several */
    const char *problem;              /* why nothing came; NULL: something did */
    const struct verifier_crl *crl;   /* judged; NULL when nothing came */
    const struct verifier_ocsp *ocsp; /* the same for one OCSP answer */
};

/* What all edges of a CRL pointer show together. A certificate is shown when every edge that answered lists
 * it on a CRL that counts, and vanished when one of the newest CRLs lacks it. One that cannot be reached does
 * not decide while another answers. */
struct verifier_shown {
    struct findings findings; /* edge_* */
    size_t answered;
    size_t newest;          /* index of the edge with the newest CRL that counts; only when counts */
    bool counts;            /* every edge that answered counts */
    bool any_counts;        /* one does: `vanished` may be acted upon */
    bool *shown, *vanished; /* one for each wanted */
};
void verifier_combine_crls(const struct verifier_edge *edges, size_t count,
                           const struct verifier_wanted *wanted, size_t wanted_count, struct arena *a,
                           struct verifier_shown *out);

/* The same for the OCSP answers about one certificate. */
struct verifier_told {
    struct findings findings;
    size_t answered;
    bool revoked;    /* every edge that answered counts and says so */
    bool good;       /* one that counts does not say so */
    size_t deciding; /* index of the edge to keep as proof: of `good` the newest, else of `revoked` */
};
void verifier_combine_ocsp(const struct verifier_edge *edges, size_t count, struct arena *a,
                           struct verifier_told *out);

/* Adds edge_cache when a cache gave an answer that was older than it may be, by its own headers: ages in
 * seconds, -1 when not told. */
void verifier_add_cache(struct findings *findings, struct arena *a, const char *edge, int64_t age,
                        int64_t fresh_for);

/* A finding of its own, outside of any object. */
struct finding verifier_finding(enum finding_id which, struct arena *a, const char *seen);

/* "error", "warning", "info"; static. */
const char *finding_severity_name(enum finding_severity severity);

/* {"object", "findings": [...]} of contract section 1; owned by the caller. */
json_t *verifier_json(const char *object, const struct findings *findings);

/* The same for people: a line a finding, "no findings" when there is none. */
void verifier_text(const char *object, const struct findings *findings, struct buf *out);

#endif
