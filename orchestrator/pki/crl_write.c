#include "massrevoke/crl_write.h"
#include "massrevoke/reason.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>

/* DER is written forwards in one pass: lengths are computed before bytes. */

enum {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_CONTEXT_0 = 0xa0,
    TAG_BITS = 0x03,
    TAG_KEY_ID = 0x80,
    TAG_URI = 0x86
};

static size_t header_size(size_t n)
{
    size_t size = 2;
    if (n >= 0x80)
        for (; n > 0; n >>= 8)
            size++;
    return size;
}

static size_t tlv_size(size_t n)
{
    return header_size(n) + n;
}

static void put_header(struct buf *out, unsigned tag, size_t n)
{
    uint8_t bytes[2 + sizeof n] = {(uint8_t)tag, (uint8_t)n};
    size_t size = header_size(n);
    if (n >= 0x80) {
        bytes[1] = (uint8_t)(0x80 + size - 2);
        for (size_t i = size; i-- > 2; n >>= 8)
            bytes[i] = (uint8_t)n;
    }
    buf_add(out, bytes, size);
}

/* The 00 in front of a set top bit (X.690 8.3). */
static size_t integer_pad(const struct serial *s)
{
    return s->bytes[0] >> 7;
}

static size_t integer_size(const struct serial *s)
{
    return 2 + integer_pad(s) + s->n;
}

static void put_integer(struct buf *out, const struct serial *s)
{
    put_header(out, TAG_INTEGER, integer_pad(s) + s->n);
    buf_add(out, "", integer_pad(s));
    buf_add(out, s->bytes, s->n);
}

/* Content of a time: UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 5.1.2.4). */
struct time_text {
    unsigned tag;
    size_t n;
    char text[32];
};

static bool time_text(struct utc t, bool generalized, struct time_text *out)
{
    static const struct utc first = {-631152000}, last = {253402300799};
    if (t.s < first.s || t.s > last.s)
        return false;
    struct civil c = utc_to_civil(t);
    bool wide = generalized || c.year >= 2050;
    int n = wide ? snprintf(out->text, sizeof out->text, "%04d", c.year)
                 : snprintf(out->text, sizeof out->text, "%02d", c.year % 100);
    n += snprintf(out->text + n, sizeof out->text - (size_t)n, "%02d%02d%02d%02d%02dZ", c.month, c.day,
                  c.hour, c.minute, c.second);
    out->tag = wide ? TAG_GENERALIZED_TIME : TAG_UTC_TIME;
    out->n = (size_t)n;
    return true;
}

static void put_time(struct buf *out, const struct time_text *t)
{
    put_header(out, t->tag, t->n);
    buf_add(out, t->text, t->n);
}

/* Extension reasonCode: SEQUENCE { OID 2.5.29.21, OCTET STRING { ENUMERATED } }; the last octet is the code.
 */
static const uint8_t reason_template[] = {0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
#define REASON_SIZE (sizeof reason_template + 1)

/* Extension invalidityDate, OID 2.5.29.24, up to the text of its GeneralizedTime of 15 octets. */
static const uint8_t invalidity_template[] = {0x30, 0x18, 0x06, 0x03, 0x55, 0x1d,
                                              0x18, 0x04, 0x11, 0x18, 0x0f};
#define INVALIDITY_SIZE (sizeof invalidity_template + 15)

static size_t extensions_size(const struct crl_entry *e)
{
    return (e->reason != 0 ? REASON_SIZE : 0) + (utc_is_set(e->invalid_since) ? INVALIDITY_SIZE : 0);
}

/* Content octets of one entry, its own header not counted. */
static size_t entry_size(const struct crl_entry *e, const struct time_text *at)
{
    size_t extensions = extensions_size(e);
    return integer_size(&e->serial) + tlv_size(at->n) + (extensions > 0 ? tlv_size(extensions) : 0);
}

#define ENTRY_MOST 128 /* octets of an entry: no length in it needs more than one octet */

static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
    memcpy(at, bytes, n);
    return at + n;
}

static uint8_t *put_short(uint8_t *at, unsigned tag, size_t n)
{
    at[0] = (uint8_t)tag;
    at[1] = (uint8_t)n;
    return at + 2;
}

/* Gathered first: a million entries are a dozen million pieces. */
static void put_entry(struct buf *out, const struct crl_entry *e, const struct time_text *at)
{
    uint8_t bytes[ENTRY_MOST], *p = put_short(bytes, TAG_SEQUENCE, entry_size(e, at));
    size_t pad = integer_pad(&e->serial), extensions = extensions_size(e);
    p = put_short(p, TAG_INTEGER, pad + e->serial.n);
    p = put(put(p, "", pad), e->serial.bytes, e->serial.n);
    p = put(put_short(p, at->tag, at->n), at->text, at->n);
    if (extensions > 0)
        p = put_short(p, TAG_SEQUENCE, extensions);
    if (e->reason != 0) {
        p = put(p, reason_template, sizeof reason_template);
        *p++ = (uint8_t)e->reason;
    }
    if (utc_is_set(e->invalid_since)) {
        struct time_text since;
        (void)time_text(e->invalid_since, true, &since);
        p = put(put(p, invalidity_template, sizeof invalidity_template), since.text, since.n);
    }
    buf_add(out, bytes, (size_t)(p - bytes));
}

/* Entries of one campaign share few dates: the last one is kept. */
struct time_cache {
    struct utc t;
    struct time_text text;
};

static bool cached_time(struct time_cache *cache, struct utc t)
{
    if (cache->text.n > 0 && cache->t.s == t.s)
        return true;
    cache->t = t;
    return time_text(t, false, &cache->text);
}

static bool entries_size(const struct crl_entry *entries, size_t count, size_t *size, struct fault *f)
{
    struct time_cache cache = {.text.n = 0};
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct crl_entry *e = &entries[i];
        struct time_text since;
        if (!cached_time(&cache, e->at) ||
            (utc_is_set(e->invalid_since) && !time_text(e->invalid_since, true, &since)))
            return fault_set(f, FAULT_FAILED, "crl entry %zu: a date outside the years 1950 to 9999", i);
        if (e->reason < 0 || reason_name(e->reason) == NULL)
            return fault_set(f, FAULT_FAILED, "crl entry %zu: no reason has the code %d", i, e->reason);
        *size += tlv_size(entry_size(e, &cache.text));
    }
    return true;
}

/* AlgorithmIdentifiers as BR 7.1.3.2 prints them, and the hash that goes with each. */
struct signing {
    int key, bits; /* bits 0: any */
    const char *hash;
    uint8_t n;
    uint8_t algorithm[15];
};
static const struct signing signings[] = {
    {EVP_PKEY_RSA,
     0,
     "SHA256",
     15,
     {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00}},
    {EVP_PKEY_EC,
     256,
     "SHA256",
     12,
     {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}},
    {EVP_PKEY_EC,
     384,
     "SHA384",
     12,
     {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}},
    {EVP_PKEY_EC,
     521,
     "SHA512",
     12,
     {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04}},
};

static const struct signing *signing_for(const EVP_PKEY *key)
{
    for (size_t i = 0; i < sizeof signings / sizeof *signings; i++)
        if (EVP_PKEY_get_base_id(key) == signings[i].key &&
            (signings[i].bits == 0 || EVP_PKEY_get_bits(key) == signings[i].bits))
            return &signings[i];
    return NULL;
}

/* issuingDistributionPoint, critical: { [0] { [0] { [6] URI } } } (RFC 5280 5.2.5, BR 7.2.2.1). */
static void put_point(struct buf *out, struct str point)
{
    static const uint8_t critical_oid[] = {0x06, 0x03, 0x55, 0x1d, 0x1c, 0x01, 0x01, 0xff};
    size_t full_name = tlv_size(point.n), name = tlv_size(full_name), idp = tlv_size(name);
    put_header(out, TAG_SEQUENCE, sizeof critical_oid + tlv_size(tlv_size(idp)));
    buf_add(out, critical_oid, sizeof critical_oid);
    put_header(out, TAG_OCTETS, tlv_size(idp));
    put_header(out, TAG_SEQUENCE, idp);
    put_header(out, TAG_CONTEXT_0, name);
    put_header(out, TAG_CONTEXT_0, full_name);
    put_header(out, TAG_URI, point.n);
    buf_add(out, point.p, point.n);
}

/* authorityKeyIdentifier with keyIdentifier only (BR 7.2, RFC 5280 5.2.1). */
static void put_aki(struct buf *out, struct str id)
{
    static const uint8_t oid[] = {0x06, 0x03, 0x55, 0x1d, 0x23};
    size_t aki = tlv_size(id.n);
    put_header(out, TAG_SEQUENCE, sizeof oid + tlv_size(tlv_size(aki)));
    buf_add(out, oid, sizeof oid);
    put_header(out, TAG_OCTETS, tlv_size(aki));
    put_header(out, TAG_SEQUENCE, aki);
    put_header(out, TAG_KEY_ID, id.n);
    buf_add(out, id.p, id.n);
}

/* cRLNumber (RFC 5280 5.2.3). */
static void put_number(struct buf *out, const struct serial *number)
{
    static const uint8_t oid[] = {0x06, 0x03, 0x55, 0x1d, 0x14};
    put_header(out, TAG_SEQUENCE, sizeof oid + tlv_size(integer_size(number)));
    buf_add(out, oid, sizeof oid);
    put_header(out, TAG_OCTETS, integer_size(number));
    put_integer(out, number);
}

/* crlExtensions. */
static void put_extensions(struct buf *out, const struct crl_head *head)
{
    AUTO_BUF all = {0};
    put_aki(&all, head->key_id);
    put_number(&all, &head->number);
    if (head->point.n > 0)
        put_point(&all, head->point);
    put_header(out, TAG_CONTEXT_0, tlv_size(all.n));
    put_header(out, TAG_SEQUENCE, all.n);
    buf_add(out, all.p, all.n);
}

/* All of TBSCertList before its entries; its own header not counted. */
static bool put_head(struct buf *out, const struct crl_head *head, const struct signing *signing)
{
    static const uint8_t version_2[] = {TAG_INTEGER, 1, 1};
    struct time_text this_update, next_update;
    if (!time_text(head->this_update, false, &this_update) ||
        !time_text(head->next_update, false, &next_update))
        return false;
    buf_add(out, version_2, sizeof version_2);
    buf_add(out, signing->algorithm, signing->n);
    buf_add(out, head->issuer.p, head->issuer.n);
    put_time(out, &this_update);
    put_time(out, &next_update);
    return true;
}

/* TBSCertList. An empty list of revoked certificates is left out (RFC 5280 5.1.2.6). */
static bool put_list(struct buf *out, const struct crl_head *head, const struct crl_entry *entries,
                     size_t count, const struct signing *signing, struct fault *f)
{
    AUTO_BUF before = {0};
    AUTO_BUF after = {0};
    size_t size = 0;
    if (!entries_size(entries, count, &size, f))
        return false;
    if (!put_head(&before, head, signing))
        return fault_set(f, FAULT_FAILED, "crl: an update time outside the years 1950 to 9999");
    put_extensions(&after, head);
    put_header(out, TAG_SEQUENCE, before.n + (count > 0 ? tlv_size(size) : 0) + after.n);
    buf_add(out, before.p, before.n);
    if (count > 0)
        put_header(out, TAG_SEQUENCE, size);
    struct time_cache cache = {.text.n = 0};
    for (size_t i = 0; i < count; i++) {
        (void)cached_time(&cache, entries[i].at);
        put_entry(out, &entries[i], &cache.text);
    }
    buf_add(out, after.p, after.n);
    return true;
}

static bool sign(struct str bytes, const struct signing *signing, EVP_PKEY *key, struct buf *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t n = sizeof signature;
    bool ok = context != NULL &&
              EVP_DigestSignInit_ex(context, NULL, signing->hash, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestSign(context, signature, &n, (const unsigned char *)bytes.p, bytes.n) == 1;
    if (ok)
        buf_add(out, signature, n);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return ok;
}

#define HEADER_MOST 6 /* octets of a header up to 4 GiB */

/* The list lies in *out from `start` on, behind room for a header, and is signed there: a second copy of a
 * CRL of hundreds of megabytes would cost as much as the first. */
static bool seal(struct buf *out, size_t start, const struct signing *signing, EVP_PKEY *key, struct fault *f)
{
    AUTO_BUF signature = {0};
    AUTO_BUF header = {0};
    struct str list = {out->p + start + HEADER_MOST, out->n - start - HEADER_MOST};
    if (!sign(list, signing, key, &signature))
        return fault_set(f, FAULT_FAILED, "crl: the key can't sign");
    put_header(&header, TAG_SEQUENCE, list.n + signing->n + tlv_size(signature.n + 1));
    if (header.n > HEADER_MOST)
        return fault_set(f, FAULT_FAILED, "crl: larger than 4 GiB");
    memcpy(out->p + start, header.p, header.n);
    if (header.n < HEADER_MOST)
        memmove(out->p + start + header.n, list.p, list.n);
    out->n = start + header.n + list.n;
    buf_add(out, signing->algorithm, signing->n);
    put_header(out, TAG_BITS, signature.n + 1);
    buf_add(out, "", 1);
    buf_add(out, signature.p, signature.n);
    return true;
}

bool crl_write(const struct crl_head *head, const struct crl_entry *entries, size_t count,
               struct evp_pkey_st *key, struct buf *out, struct fault *f)
{
    static const uint8_t room[HEADER_MOST];
    const struct signing *signing = signing_for(key);
    size_t start = out->n;
    if (signing == NULL)
        return fault_set(f, FAULT_FAILED,
                         "crl: no profile signs with this kind of key (RSA, P-256, P-384, P-521)");
    if (head->number.n == SERIAL_MAX && integer_pad(&head->number) > 0)
        return fault_set(f, FAULT_FAILED, "crl: the number has reached 2^159 (BR 7.2)");
    for (size_t i = 0; i < head->point.n; i++)
        if (head->point.p[i] < 0x21 || head->point.p[i] > 0x7e)
            return fault_set(f, FAULT_FAILED, "crl: its URL has something else than printable ASCII");
    buf_add(out, room, sizeof room);
    if (put_list(out, head, entries, count, signing, f) && seal(out, start, signing, key, f))
        return true;
    out->n = start;
    return false;
}

/* Takes one element off *in; its content in *content. False when it is not whole. */
static bool take(struct str *in, int *tag, struct str *content)
{
    const unsigned char *p = (const unsigned char *)in->p;
    long n = 0;
    int number = 0, class = 0;
    if (in->n == 0 || in->n > LONG_MAX)
        return false;
    int flags = ASN1_get_object(&p, &n, &number, &class, (long)in->n);
    ERR_clear_error();
    if ((flags & 0x80) != 0 || (flags & 1) != 0)
        return false;
    *tag = class | number;
    *content = (struct str){(const char *)p, (size_t)n};
    size_t used = (size_t)((const char *)p - in->p) + (size_t)n;
    in->p += used;
    in->n -= used;
    return true;
}

bool crl_number(struct str der, struct serial *out)
{
    enum { EXTENSIONS = V_ASN1_CONTEXT_SPECIFIC };
    struct str crl, list, part, extension, body;
    int tag = 0;
    if (!take(&der, &tag, &crl) || tag != V_ASN1_SEQUENCE || !take(&crl, &tag, &list) ||
        tag != V_ASN1_SEQUENCE)
        return false;
    do
        if (!take(&list, &tag, &part))
            return false;
    while (tag != EXTENSIONS);
    if (!take(&part, &tag, &body) || tag != V_ASN1_SEQUENCE)
        return false;
    while (take(&body, &tag, &extension)) {
        struct str oid, value, number;
        if (tag != V_ASN1_SEQUENCE || !take(&extension, &tag, &oid) || tag != V_ASN1_OBJECT)
            return false;
        if (!str_equal(oid, (struct str){"\x55\x1d\x14", 3}))
            continue;
        while (take(&extension, &tag, &value) && tag == V_ASN1_BOOLEAN)
            continue;
        return tag == V_ASN1_OCTET_STRING && take(&value, &tag, &number) && tag == V_ASN1_INTEGER &&
               number.n > 0 && (uint8_t)number.p[0] < 0x80 &&
               serial_from_octets((const uint8_t *)number.p, number.n, out) == NULL;
    }
    return false;
}
