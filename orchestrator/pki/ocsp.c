#include "massrevoke/ocsp.h"
#include "massrevoke/reason.h"
#include "pki/der_read.h"
#include "pki/pem_read.h"
#include "pki/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <limits.h>

static const struct {
    struct str algorithm; /* content of AlgorithmIdentifier up to its parameters */
    struct str der;       /* the whole, as we send it */
    size_t size;
} hashes[CERTID_HASH_COUNT] = {
    [CERTID_SHA1] = {{"\x06\x05\x2b\x0e\x03\x02\x1a", 7},
                     {"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00", 11},
                     20},
    [CERTID_SHA256] = {{"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01", 11},
                       {"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00", 15},
                       32},
};

const char *ocsp_response_status_name(int status)
{
    static const char *const names[] = {"successful", "malformedRequest", "internalError", "tryLater",
                                        NULL,         "sigRequired",      "unauthorized"};
    return status < 0 || status > 6 ? NULL : names[status];
}

/* Puts a header in front of what is already in b; a request stays below 128 bytes a level. */
static void wrap(struct buf *b, uint8_t tag)
{
    AUTO_BUF inner = {0};
    buf_add(&inner, b->p, b->n);
    uint8_t header[2] = {tag, (uint8_t)inner.n};
    buf_clear(b);
    buf_add(b, header, sizeof header);
    buf_add(b, inner.p, inner.n);
}

static void add(struct buf *b, uint8_t tag, const void *bytes, size_t n)
{
    uint8_t header[2] = {tag, (uint8_t)n};
    buf_add(b, header, sizeof header);
    buf_add(b, bytes, n);
}

struct str ocsp_request(const struct verify_issuer *issuer, const struct serial *serial,
                        enum certid_hash hash, struct arena *a)
{
    AUTO_BUF b = {0};
    uint8_t octets[SERIAL_MAX + 1] = {0};
    size_t pad = serial->bytes[0] & 0x80 ? 1 : 0;
    memcpy(octets + pad, serial->bytes, serial->n);
    buf_add(&b, hashes[hash].der.p, hashes[hash].der.n);
    add(&b, DER_OCTET_STRING, issuer->name_hash[hash], hashes[hash].size);
    add(&b, DER_OCTET_STRING, issuer->key_hash[hash], hashes[hash].size);
    add(&b, DER_INTEGER, octets, serial->n + pad);
    for (int level = 0; level < 5; level++) /* CertID, Request, requestList, TBSRequest, OCSPRequest */
        wrap(&b, DER_SEQUENCE);
    return (struct str){arena_copy(a, b.p, b.n), b.n};
}

/* Extensions: content of the SEQUENCE. The nonce is optional and we send none (RFC 9654 2.1), so whatever a
 * responder puts there is fine; reasonCode is only noticed; no other one is processed. */
static bool read_extensions(struct str wrapped, bool *unknown_critical, bool *has_reason)
{
    static const struct str nonce = {"\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 9};
    struct str list;
    if (!der_take(&wrapped, DER_SEQUENCE, &list) || wrapped.n != 0)
        return false;
    for (struct der_extension e; list.n > 0;) {
        if (!der_extension(&list, &e))
            return false;
        *unknown_critical = *unknown_critical || (e.critical && !str_equal(e.oid, nonce));
        *has_reason = *has_reason || str_equal(e.oid, (struct str){"\x55\x1d\x15", 3});
    }
    return true;
}

static bool read_responder(struct str *data, struct ocsp_response *out)
{
    struct str body;
    if (der_take(data, DER_CONTEXT_CONSTRUCTED + 1, &body))
        return der_take_whole(&body, DER_SEQUENCE, &out->responder_name) && body.n == 0;
    return der_take(data, DER_CONTEXT_CONSTRUCTED + 2, &body) &&
           der_take(&body, DER_OCTET_STRING, &out->responder_key) && body.n == 0 &&
           out->responder_key.n == 20;
}

/* ResponseData (RFC 6960 4.2.1): NULL or the problem. */
static const char *read_data(struct str tbs, struct ocsp_response *out)
{
    struct str data, body;
    bool has_reason = false;
    if (!der_take(&tbs, DER_SEQUENCE, &data))
        return "malformed tbsResponseData";
    if (der_peek(data, DER_CONTEXT_CONSTRUCTED + 0))
        return "a version other than v1";
    if (!read_responder(&data, out))
        return "malformed responderID";
    if (!der_peek(data, DER_GENERALIZED_TIME) || !der_time(&data, &out->produced_at, NULL))
        return "malformed producedAt";
    if (!der_take(&data, DER_SEQUENCE, &out->responses))
        return "malformed responses";
    if (der_peek(data, DER_CONTEXT_CONSTRUCTED + 1) &&
        (!der_take(&data, DER_CONTEXT_CONSTRUCTED + 1, &body) ||
         !read_extensions(body, &out->unknown_critical, &has_reason)))
        return "malformed responseExtensions";
    return data.n == 0 ? NULL : "unexpected bytes in tbsResponseData";
}

/* BasicOCSPResponse: NULL or the problem. */
static const char *read_basic(struct str octets, struct ocsp_response *out)
{
    struct str basic, wrapped;
    if (!der_take(&octets, DER_SEQUENCE, &basic) || octets.n != 0)
        return "malformed BasicOCSPResponse";
    if (!der_take_whole(&basic, DER_SEQUENCE, &out->tbs))
        return "malformed tbsResponseData";
    if (!der_take_whole(&basic, DER_SEQUENCE, &out->algorithm) || !der_bits(&basic, &out->signature))
        return "malformed signature";
    if (der_peek(basic, DER_CONTEXT_CONSTRUCTED + 0) &&
        (!der_take(&basic, DER_CONTEXT_CONSTRUCTED + 0, &wrapped) ||
         !der_take(&wrapped, DER_SEQUENCE, &out->certificates) || wrapped.n != 0))
        return "malformed certificates";
    return basic.n == 0 ? read_data(out->tbs, out) : "unexpected bytes after the certificates";
}

/* OCSPResponse: NULL or the problem. */
static const char *read_response(struct str bytes, struct ocsp_response *out)
{
    static const struct str basic_type = {"\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 9};
    struct str outer, code, wrapped, body, type, octets;
    if (!der_take(&bytes, DER_SEQUENCE, &outer))
        return "not one DER SEQUENCE: empty, cut short or BER";
    if (bytes.n != 0)
        return "bytes after the end";
    if (!der_integer(&outer, DER_ENUMERATED, &code) || code.n != 1)
        return "malformed responseStatus";
    out->response_status = (uint8_t)code.p[0];
    if (out->response_status != 0)
        return outer.n == 0 ? NULL : "an error response with content";
    if (!der_take(&outer, DER_CONTEXT_CONSTRUCTED + 0, &wrapped) || outer.n != 0 ||
        !der_take(&wrapped, DER_SEQUENCE, &body) || wrapped.n != 0)
        return "malformed responseBytes";
    if (!der_take(&body, DER_OID, &type) || !str_equal(type, basic_type))
        return "a response type other than id-pkix-ocsp-basic";
    if (!der_take(&body, DER_OCTET_STRING, &octets) || body.n != 0)
        return "malformed responseBytes";
    return read_basic(octets, out);
}

const char *ocsp_from_pem(struct str bytes, struct arena *a, struct str *out)
{
    return der_from_pem(bytes, "OCSP RESPONSE", a, out);
}

bool ocsp_parse(struct str bytes, struct ocsp_response *out, struct fault *f)
{
    *out = (struct ocsp_response){0};
    const char *problem = read_response(bytes, out);
    return problem == NULL || fault_set(f, FAULT_FAILED, "OCSP response: %s", problem);
}

static bool hash_is(struct str octets, const uint8_t *hash, size_t n)
{
    return octets.n == n && memcmp(octets.p, hash, n) == 0;
}

/* Does this CertID name the certificate? The serial must be encoded exactly as DER would. */
static bool certid_matches(struct str id, const struct verify_issuer *issuer, const struct serial *serial)
{
    struct str algorithm, name, key, octets, oid, null;
    if (!der_take(&id, DER_SEQUENCE, &algorithm) || !der_take(&id, DER_OCTET_STRING, &name) ||
        !der_take(&id, DER_OCTET_STRING, &key) || !der_integer(&id, DER_INTEGER, &octets) || id.n != 0)
        return false;
    if (!der_take_whole(&algorithm, DER_OID, &oid) ||
        (algorithm.n != 0 && (!der_take(&algorithm, 0x05, &null) || null.n != 0 || algorithm.n != 0)))
        return false;
    struct serial s;
    if ((octets.p[0] & 0x80) != 0 || !der_integer_is_minimal(octets) ||
        serial_from_octets((const uint8_t *)octets.p, octets.n, &s) != NULL || !serial_equal(&s, serial))
        return false;
    for (size_t i = 0; i < CERTID_HASH_COUNT; i++)
        if (str_equal(oid, hashes[i].algorithm))
            return hash_is(name, issuer->name_hash[i], hashes[i].size) &&
                   hash_is(key, issuer->key_hash[i], hashes[i].size);
    return false;
}

static bool read_revoked(struct str info, struct ocsp_single *out)
{
    struct str wrapped, code;
    out->status = OCSP_REVOKED;
    if (!der_peek(info, DER_GENERALIZED_TIME) || !der_time(&info, &out->revoked_at, NULL))
        return false;
    if (info.n == 0)
        return true;
    if (!der_take(&info, DER_CONTEXT_CONSTRUCTED + 0, &wrapped) || info.n != 0 ||
        !der_integer(&wrapped, DER_ENUMERATED, &code) || code.n != 1 || wrapped.n != 0)
        return false;
    out->reason = (uint8_t)code.p[0];
    out->not_issued = out->reason == REASON_CERTIFICATE_HOLD && out->revoked_at.s == 0;
    return true;
}

static bool read_status(struct str *body, struct ocsp_single *out)
{
    struct str info;
    if (der_take(body, DER_CONTEXT_CONSTRUCTED + 1, &info))
        return read_revoked(info, out);
    out->status = der_peek(*body, DER_CONTEXT + 0) ? OCSP_GOOD : OCSP_UNKNOWN;
    return (der_take(body, DER_CONTEXT + 0, &info) || der_take(body, DER_CONTEXT + 2, &info)) && info.n == 0;
}

/* A SingleResponse behind its CertID. */
static bool read_single(struct str body, struct ocsp_single *out)
{
    struct str wrapped;
    if (!read_status(&body, out) || !der_peek(body, DER_GENERALIZED_TIME) ||
        !der_time(&body, &out->this_update, NULL))
        return false;
    if (der_peek(body, DER_CONTEXT_CONSTRUCTED + 0) &&
        (!der_take(&body, DER_CONTEXT_CONSTRUCTED + 0, &wrapped) ||
         !der_peek(wrapped, DER_GENERALIZED_TIME) || !der_time(&wrapped, &out->next_update, NULL) ||
         wrapped.n != 0))
        return false;
    if (der_peek(body, DER_CONTEXT_CONSTRUCTED + 1) &&
        (!der_take(&body, DER_CONTEXT_CONSTRUCTED + 1, &wrapped) ||
         !read_extensions(wrapped, &out->unknown_critical, &out->has_reason_extension)))
        return false;
    return body.n == 0;
}

const char *ocsp_find(const struct ocsp_response *r, const struct verify_issuer *issuer,
                      const struct serial *serial, struct ocsp_single *out)
{
    bool found = false;
    for (struct str rest = r->responses, body, id; rest.n > 0;) {
        if (!der_take(&rest, DER_SEQUENCE, &body) || !der_take(&body, DER_SEQUENCE, &id))
            return "malformed single response";
        if (!certid_matches(id, issuer, serial))
            continue;
        if (found)
            return "two single responses for the same certificate";
        found = true;
        *out = (struct ocsp_single){.next_update = UTC_NONE, .revoked_at = UTC_NONE, .reason = -1};
        if (!read_single(body, out))
            return "malformed single response";
    }
    return found ? NULL : "no single response is for this issuer and serial";
}

static bool time_of(const ASN1_TIME *t, struct utc *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *out = utc_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return true;
}

/* Is this responder the one that responderID names? */
static bool is_named(const struct ocsp_responder *s, const struct ocsp_response *r)
{
    if (r->responder_name.n == 0)
        return hash_is(r->responder_key, s->key_hash, sizeof s->key_hash);
    struct digest name = digest_of(r->responder_name.p, r->responder_name.n);
    return memcmp(&name, &s->name, sizeof name) == 0;
}

static bool read_names(X509 *x, struct ocsp_responder *out)
{
    const unsigned char *name;
    size_t n;
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
    if (key == NULL || X509_NAME_get0_der(X509_get_subject_name(x), &name, &n) != 1)
        return false;
    out->name = digest_of(name, n);
    return EVP_Digest(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), out->key_hash, NULL,
                      EVP_sha1(), NULL) == 1;
}

/* What the issuer must have said of a delegate (RFC 6960 4.2.2.2): NULL or the problem. */
static const char *delegate_problem(X509 *x, const struct verify_issuer *issuer, struct ocsp_responder *out)
{
    const unsigned char *name;
    size_t n;
    if (X509_NAME_get0_der(X509_get_issuer_name(x), &name, &n) != 1 ||
        !str_equal((struct str){(const char *)name, n}, issuer->subject_der) ||
        X509_verify(x, issuer->pkey) != 1)
        return "the responder certificate was not issued directly by the issuer";
    uint32_t flags = X509_get_extension_flags(x);
    if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL))
        return "the responder certificate has extensions that cannot be processed";
    if ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) == 0)
        return "the responder certificate lacks the extended key usage OCSPSigning";
    if ((X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) == 0)
        return "the responder certificate's key usage lacks digitalSignature";
    if (!time_of(X509_get0_notBefore(x), &out->not_before) ||
        !time_of(X509_get0_notAfter(x), &out->not_after))
        return "the responder certificate has malformed dates";
    out->has_nocheck = X509_get_ext_by_NID(x, NID_id_pkix_OCSP_noCheck, -1) >= 0;
    out->pkey = X509_get_pubkey(x);
    return out->pkey != NULL ? NULL : "the responder certificate's key cannot be read";
}

/* The oldest makes room. */
static struct ocsp_responder *keep(struct ocsp_cache *cache, const struct ocsp_responder *r)
{
    struct ocsp_responder *place = &cache->responders[cache->next];
    EVP_PKEY_free(place->pkey);
    *place = *r;
    cache->next = (cache->next + 1) % OCSP_RESPONDERS_MAX;
    if (cache->count < OCSP_RESPONDERS_MAX)
        cache->count++;
    return place;
}

static struct ocsp_responder *cached(struct ocsp_cache *cache, const struct ocsp_responder *wanted)
{
    for (size_t i = 0; i < cache->count; i++)
        if (memcmp(&cache->responders[i].certificate, &wanted->certificate, DIGEST_SIZE) == 0 &&
            memcmp(&cache->responders[i].issuer, &wanted->issuer, DIGEST_SIZE) == 0)
            return &cache->responders[i];
    return NULL;
}

/* Decodes one embedded certificate: the responder in the cache, or NULL and *problem (left alone when the
 * certificate is just not the one named). */
static struct ocsp_responder *decode(const struct ocsp_response *r, struct str der,
                                     const struct verify_issuer *issuer, struct ocsp_cache *cache,
                                     struct ocsp_responder *fresh, const char **problem)
{
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *x = der.n > INT_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);
    struct ocsp_responder *out = NULL;
    if (x != NULL && read_names(x, fresh) && is_named(fresh, r)) {
        *problem = delegate_problem(x, issuer, fresh);
        out = *problem == NULL ? keep(cache, fresh) : NULL;
    }
    X509_free(x);
    ERR_clear_error();
    return out;
}

/* The delegated responder; NULL and *problem when there is none. */
static struct ocsp_responder *delegate(const struct ocsp_response *r, const struct verify_issuer *issuer,
                                       struct ocsp_cache *cache, const char **problem)
{
    *problem = "the signer is neither the issuer nor a certificate in the response";
    struct ocsp_responder fresh = {.issuer = digest_of(issuer->certificate_der.p, issuer->certificate_der.n)};
    struct str rest = r->certificates, der;
    for (int i = 0; i < 8 && der_take_whole(&rest, DER_SEQUENCE, &der); i++) {
        fresh.certificate = digest_of(der.p, der.n);
        struct ocsp_responder *known = cached(cache, &fresh);
        if (known != NULL && !is_named(known, r))
            continue;
        if (known == NULL)
            known = decode(r, der, issuer, cache, &fresh, problem);
        if (known != NULL)
            return known;
    }
    return NULL;
}

const char *ocsp_signature_problem(const struct ocsp_response *r, const struct verify_issuer *issuer,
                                   struct utc now, struct ocsp_cache *cache, struct ocsp_signer *out)
{
    const char *problem;
    *out = (struct ocsp_signer){.not_before = UTC_NONE, .not_after = UTC_NONE};
    out->is_issuer = r->responder_name.n > 0 ? str_equal(r->responder_name, issuer->subject_der)
                                             : hash_is(r->responder_key, issuer->key_hash[CERTID_SHA1], 20);
    if (out->is_issuer)
        return signature_check(r->algorithm, r->tbs, r->signature, issuer->pkey);
    struct ocsp_responder *responder = delegate(r, issuer, cache, &problem);
    if (responder == NULL)
        return problem;
    out->has_nocheck = responder->has_nocheck;
    out->not_before = responder->not_before;
    out->not_after = responder->not_after;
    if (utc_is_set(now) && (now.s < responder->not_before.s || now.s > responder->not_after.s))
        return "the responder certificate is not valid now";
    return signature_check(r->algorithm, r->tbs, r->signature, responder->pkey);
}

void ocsp_cache_free(struct ocsp_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++)
        EVP_PKEY_free(cache->responders[i].pkey);
    *cache = (struct ocsp_cache){0};
}
