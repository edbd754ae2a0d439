/* crl_read.h - reading a certificate revocation list in pieces, without building or holding it.
 *
 * A list of 600 MB is walked in pieces of any size: header and extensions are kept (64 KiB each at most), an
 * entry is seen once (64 KiB at most), the signed bytes are hashed on the way. Memory is 20 bytes a wanted
 * serial, at most 2 MiB for repeated serials, and a few hundred KiB, whatever the list's size. Structure is
 * checked here, meaning by the verifier. Nothing read may be acted upon before the end has said that the
 * signature is good; the hits are given out only then. Pure. Does not: judge dates or profile, fetch, apply
 * delta CRLs, or read an entry larger than 64 KiB. Sources: RFC 5280 5, facts: perf a. Called by: verifier,
 * drill, tests, fuzz. */
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

/* A CRL but for its entries; slices lie in the reader's arena. */
struct crl {
    struct str inner_algorithm, outer_algorithm, signature;
    const char *signature_problem; /* NULL: the issuer's over the raw tbsCertList; else static text */
    int version;                   /* as encoded: 1 is v2; 0 when absent (v1) */
    struct str issuer;
    struct utc this_update, next_update; /* next_update UTC_NONE when absent */
    bool time_forms_ok;                  /* UTCTime up to 2049, GeneralizedTime from 2050 */
    bool has_entries;                    /* revokedCertificates is there, be it empty */
    size_t entry_count;                  /* entries that could be read */
    const char *entry_problem;           /* the one behind them could not be; NULL or static text */
    struct crl_aki aki;
    struct crl_number number;
    struct crl_idp idp;
    size_t extension_count;
    struct str duplicate;        /* OID of the first extension that comes twice, empty: none */
    struct str unknown_critical; /* OID of the first critical one we do not process */
    struct str unknown;          /* OID of the first other one we do not process */
};

/* One entry of revokedCertificates. */
struct crl_listed {
    size_t index; /* from 0 */
    struct serial serial;
    bool serial_ok;        /* positive, at most 20 octets, shortest form; else serial is n == 0 */
    bool serial_minimal;   /* shortest form; else other readers take the whole list for no DER */
    struct str serial_der; /* content octets of the INTEGER as they stand, during the call only */
    struct utc at;         /* revocationDate */
    bool time_form_ok;
    int reason; /* reasonCode, -1 when absent */
    bool reason_critical;
    struct utc invalidity; /* invalidityDate, UTC_NONE when absent */
    bool unknown_critical; /* makes the whole CRL unusable (RFC 5280 5.3) */
    bool duplicate;        /* an extension comes twice */
    bool wanted;           /* it was looked for */
    bool repeated; /* its serial came before: exact for wanted serials, and for others in lists of up to 2^17
                      entries; in longer ones a half, quarter, ... of the serials is watched, another one
                      with another seed */
};

/* Takes entries as they come, in order; header fields of *head are set. They are unproven: only for counting
 * what the end may then tell. */
typedef void crl_entries_fn(void *context, const struct crl *head, const struct crl_listed *entries,
                            size_t count);

#define CRL_PART_MOST ((size_t)65536)       /* bytes of header, extensions, one entry */
#define CRL_WANTED_MOST ((size_t)INT32_MAX) /* serials looked up at once */

/* What is asked of a CRL; everything pointed to must live until the end. */
struct crl_question {
    const struct verify_issuer *issuer; /* NULL: the signature cannot be good */
    uint64_t seed[2];                   /* keys the hashes; unpredictable to the CA */
    crl_entries_fn *entries;            /* NULL: not wanted */
    void *context;
    const struct serial *wanted; /* the first serial to look up; the next one lies `stride` bytes on */
    size_t stride, wanted_count; /* at most CRL_WANTED_MOST */
};

/* What a CRL says of one wanted serial. */
struct crl_hit {
    struct utc at;
    int16_t reason;   /* -1 when absent */
    uint16_t entries; /* how often it is listed, at most 65535; the first one is told. 0: not listed */
};

struct crl_reader;

/* Begins; header parts go to the arena. */
struct crl_reader *crl_read_begin(const struct crl_question *q, struct arena *a);

/* Reads a piece, DER or PEM; where the bytes are cut does not matter. About 60 ns an entry, the hash
 * included. */
void crl_read_add(struct crl_reader *r, struct str piece);

/* Ends and frees the reader. FAILED: what is malformed (but for entries, see entry_problem). hits (may be
 * NULL) gets one for each wanted serial, to be freed by free(3), or NULL when the list is malformed or not
 * signed by the issuer. */
MUST_USE bool crl_read_end(struct crl_reader *r, struct crl *out, struct crl_hit **hits, struct fault *f);

/* All at once, for bytes at hand. */
MUST_USE bool crl_read(struct str bytes, const struct crl_question *q, struct arena *a, struct crl *out,
                       struct crl_hit **hits, struct fault *f);

/* Order of two CRLNumbers as unsigned octets: <0, 0, >0; leading zeros do not matter. */
int crl_number_compare(struct str a, struct str b);

/* Dotted form of the OID in an AlgorithmIdentifier as encoded, and what its parameters are; returns out. */
const char *crl_algorithm_text(struct str algorithm, char out[static CRL_OID_TEXT]);

/* Dotted form of an OID of this header; returns out. */
const char *crl_oid_text(struct str oid, char out[static CRL_OID_TEXT]);

#endif
