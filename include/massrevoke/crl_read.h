/* crl_read.h - reading a certificate revocation list without building it.
 *
 * The header is read once, the entries are walked in place, so a list of five million entries costs no memory
 * beyond its bytes. Structure is checked here, meaning by the verifier; nothing read here may be acted upon
 * before crl_signature_problem has said NULL. Pure. Does not: judge dates or profile, fetch, or apply delta
 * CRLs. Sources: RFC 5280 5, facts: perf a. Called by: verifier, doors' tests, fuzz. */
#ifndef MASSREVOKE_CRL_READ_H
#define MASSREVOKE_CRL_READ_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"
#include "massrevoke/verify_issuer.h"

#define CRL_URIS_MAX 16
#define CRL_EXTENSIONS_MAX 32
#define CRL_OID_TEXT 96

/* IssuingDistributionPoint (RFC 5280 5.2.5). */
struct crl_idp {
    bool present, critical;
    bool other_names; /* something else than URIs names the point */
    bool only_user, only_ca, only_some_reasons, indirect, only_attribute;
    struct str uris[CRL_URIS_MAX]; /* as encoded */
    size_t uri_count;
};

/* AuthorityKeyIdentifier (RFC 5280 5.2.1). */
struct crl_aki {
    bool present, critical;
    struct str key;    /* keyIdentifier, empty when absent */
    bool other_fields; /* authorityCertIssuer or authorityCertSerialNumber */
};

/* CRLNumber (RFC 5280 5.2.3). */
struct crl_number {
    bool present, critical;
    bool negative, minimal;
    struct str octets; /* magnitude without leading zeros; empty for 0 and when absent */
};

/* A CRL; slices point into the bytes it was parsed from, or into the arena for PEM. */
struct crl {
    struct str tbs, inner_algorithm, outer_algorithm, signature;
    int version; /* as encoded: 1 is v2; 0 when absent (v1) */
    struct str issuer;
    struct utc this_update, next_update; /* next_update UTC_NONE when absent */
    bool time_forms_ok;                  /* UTCTime up to 2049, GeneralizedTime from 2050 */
    bool has_entries;                    /* revokedCertificates is there, be it empty */
    struct str entries;
    struct crl_aki aki;
    struct crl_number number;
    struct crl_idp idp;
    size_t extension_count;
    struct str duplicate;        /* OID of the first extension that comes twice, empty: none */
    struct str unknown_critical; /* OID of the first critical one we do not process */
    struct str unknown;          /* OID of the first other one we do not process */
};

/* One entry of revokedCertificates. */
struct crl_entry {
    size_t index;  /* from 0 */
    size_t offset; /* of the entry's bytes in crl.entries */
    struct serial serial;
    bool serial_ok;        /* positive, at most 20 octets, shortest form; else serial is n == 0 */
    struct str serial_der; /* content octets of the INTEGER as they stand */
    struct utc at;         /* revocationDate */
    bool time_form_ok;
    int reason; /* reasonCode, -1 when absent */
    bool reason_critical;
    struct utc invalidity; /* invalidityDate, UTC_NONE when absent */
    bool unknown_critical; /* makes the whole CRL unusable (RFC 5280 5.3) */
    bool duplicate;        /* an extension comes twice */
};

/* A walk over the entries; begin with crl_walk. */
struct crl_walk {
    struct str rest;
    const char *start;
    size_t index;
    struct serial last;
    bool unordered;      /* serials did not ascend strictly so far, so one may come twice */
    const char *problem; /* static text once the bytes are malformed */
};

/* Reads header and extensions, DER or PEM; entries are not walked. FAILED: what is malformed. O(1) but for
 * PEM. */
MUST_USE bool crl_parse(struct str bytes, struct arena *a, struct crl *out, struct fault *f);

/* A walk from the first entry. */
struct crl_walk crl_walk(const struct crl *crl);

/* The next entry; false at the end or when w->problem is set. Below 100 ns an entry. */
bool crl_next(struct crl_walk *w, struct crl_entry *out);

/* NULL when the signature over the raw tbsCertList is the issuer's, else why not (static text). One SHA pass
 * over the bytes. */
const char *crl_signature_problem(const struct crl *crl, const struct verify_issuer *issuer);

/* What one CRL says of one wanted serial. */
struct crl_hit {
    bool listed;
    struct utc at;
    int reason;       /* -1 when absent */
    uint32_t entries; /* how often it is listed; the first one is told */
};

/* Looks all wanted serials up in one walk; hits[i] belongs to wanted[i]. Memory O(count): the wanted are
 * hashed, not the CRL; `seed` (unpredictable to the CA) keys the hash. FAILED: an entry is malformed. */
MUST_USE bool crl_match(const struct crl *crl, const struct serial *wanted, size_t count,
                        const uint64_t seed[static 2], struct crl_hit *hits, struct fault *f);

/* Counts entries whose serial came before, *first is one of them (when any); `count` entries in all. Needless
 * when a walk ended without `unordered`. 16 bytes an entry. A malformed entry ends the search. */
size_t crl_count_doubles(const struct crl *crl, size_t count, const uint64_t seed[static 2],
                         struct crl_entry *first);

/* Order of two CRLNumbers as unsigned octets: <0, 0, >0; leading zeros do not matter. */
int crl_number_compare(struct str a, struct str b);

/* Dotted form of an OID of this header; returns out. */
const char *crl_oid_text(struct str oid, char out[static CRL_OID_TEXT]);

#endif
