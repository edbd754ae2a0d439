/* crl_parts.h - the parts of a CRL that are small enough to be read whole, and its entries one by one.
 *
 * Slices of *out point into the bytes given. Pure. Does not: know pieces, hash, or look anything up.
 * Sources: RFC 5280 5. Called by: crl_read. */
#ifndef MASSREVOKE_PKI_CRL_PARTS_H
#define MASSREVOKE_PKI_CRL_PARTS_H

#include "massrevoke/crl_read.h"
#include "pki/der_read.h"

/* From the version to nextUpdate; *tbs then begins at revokedCertificates. NULL or the problem. */
const char *crl_read_head(struct str *tbs, struct crl *out);

/* crlExtensions [0] and the end of tbsCertList: NULL or the problem. */
const char *crl_read_extensions(struct str tbs, struct crl *out);

/* What follows tbsCertList: NULL or the problem. */
const char *crl_read_signature(struct str outer, struct crl *out);

/* What the entry before held: neighbours often have the same bytes, and the same bytes mean the same. */
struct crl_before {
    uint64_t day;    /* the first 8 bytes of a UTCTime: tag, length, YYMMDD; 0: none */
    struct utc dawn; /* 00:00:00 of it */
    bool day_form_ok;
    char extensions[64];
    size_t extensions_n;
    struct crl_listed entry; /* what they mean; only that */
};

/* The content of one entry; false when malformed. */
bool crl_read_entry(struct str body, struct crl_before *before, struct crl_listed *out);

#endif
