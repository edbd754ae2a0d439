#include "massrevoke/cert.h"
#include "massrevoke/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

/* A file is never asked for a passphrase on the terminal. */
static int no_password(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

static bool cut_der(struct str *rest, struct arena *a, struct str *der, struct fault *f)
{
    const unsigned char *start = (const unsigned char *)rest->p, *p = start;
    long length = 0;
    int tag = 0, class = 0;
    long room = (long)(rest->n < CERT_MAX ? rest->n : CERT_MAX);
    int flags = ASN1_get_object(&p, &length, &tag, &class, room);
    ERR_clear_error();
    if ((flags & 0x80) != 0 || (flags & 1) != 0 || tag != V_ASN1_SEQUENCE)
        return fault_set(f, FAULT_FAILED, "not a certificate: no whole DER sequence of at most %zu bytes",
                         CERT_MAX);
    size_t n = (size_t)(p - start) + (size_t)length;
    *der = (struct str){arena_copy(a, start, n), n};
    rest->p += n;
    rest->n -= n;
    return true;
}

static bool cut_pem(struct str *rest, struct arena *a, struct str *der, struct fault *f)
{
    int given = rest->n > INT_MAX ? INT_MAX : (int)rest->n;
    BIO *in = BIO_new_mem_buf(rest->p, given);
    unsigned char *bytes = NULL;
    long n = 0;
    bool ok = in != NULL && PEM_bytes_read_bio(&bytes, &n, NULL, PEM_STRING_X509, in, no_password, NULL) == 1;
    unsigned long error = ERR_peek_last_error();
    bool none = !ok && ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    size_t left = in == NULL ? 0 : BIO_ctrl_pending(in);
    rest->p += (size_t)given - left;
    rest->n -= (size_t)given - left;
    if (ok && (size_t)n <= CERT_MAX)
        *der = (struct str){arena_copy(a, bytes, (size_t)n), (size_t)n};
    OPENSSL_free(bytes);
    BIO_free(in);
    if (none) {
        *rest = (struct str){rest->p + rest->n, 0};
        return true;
    }
    if (!ok || der->n == 0)
        return fault_set(f, FAULT_FAILED, "not a certificate: damaged or too large PEM block");
    return true;
}

bool cert_cut(struct str *rest, struct arena *a, struct str *der, struct fault *f)
{
    *der = (struct str){"", 0};
    if (rest->n == 0)
        return true;
    return rest->p[0] == 0x30 ? cut_der(rest, a, der, f) : cut_pem(rest, a, der, f);
}

/* A damaged name is shown as "?": its DER is what counts. */
static const char *name_text(const X509_NAME *name, struct arena *a)
{
    BIO *out = BIO_new(BIO_s_mem());
    if (out == NULL)
        return "?";
    const char *text = "?";
    char *bytes = NULL;
    if (X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        long n = BIO_get_mem_data(out, &bytes);
        if (n > 0 && str_is_utf8((struct str){bytes, (size_t)n}))
            text = arena_copy(a, bytes, (size_t)n);
        else if (n == 0)
            text = "";
    }
    BIO_free(out);
    return text;
}

static struct str name_der(const X509_NAME *name, struct arena *a)
{
    const unsigned char *bytes = NULL;
    size_t n = 0;
    if (X509_NAME_get0_der(name, &bytes, &n) != 1)
        return (struct str){"", 0};
    return (struct str){arena_copy(a, bytes, n), n};
}

static bool read_time(const ASN1_TIME *t, struct utc *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *out = utc_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return true;
}

/* Appends one foreign word to a blank-separated list. */
static void list_add(struct buf *list, const ASN1_STRING *word)
{
    const unsigned char *p = ASN1_STRING_get0_data(word);
    int n = ASN1_STRING_length(word);
    if (n <= 0)
        return;
    if (list->n > 0)
        buf_text(list, " ");
    for (int i = 0; i < n; i++)
        buf_add(list, p[i] > ' ' && p[i] < 0x7f ? (const char *)&p[i] : "?", 1);
}

static void list_general_names(struct buf *list, const GENERAL_NAMES *names, int type)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int kind = 0;
        void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
        if (kind == type)
            list_add(list, value);
    }
}

static const char *list_take(struct buf *list, struct arena *a)
{
    const char *text = arena_copy(a, buf_str(list).p, list->n);
    buf_clear(list);
    return text;
}

static void read_pointers(X509 *x, struct arena *a, struct cert *out)
{
    AUTO_BUF list = {0};
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    list_general_names(&list, names, GEN_DNS);
    out->dns_names = list_take(&list, a);
    GENERAL_NAMES_free(names);

    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;
        if (name != NULL && name->type == 0)
            list_general_names(&list, name->name.fullname, GEN_URI);
    }
    out->cdp = list_take(&list, a);
    CRL_DIST_POINTS_free(points);

    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(one->method) == NID_ad_OCSP && one->location->type == GEN_URI)
            list_add(&list, one->location->d.uniformResourceIdentifier);
    }
    out->ocsp = list_take(&list, a);
    AUTHORITY_INFO_ACCESS_free(access);
}

/* CA/B Forum reserved policy identifiers (BR 7.1.6.1, EVG 7.1.6.1); strongest first. */
static const struct {
    const char *oid, *type;
} policy_types[] = {
    {"2.23.140.1.1", "EV"},
    {"2.23.140.1.2.2", "OV"},
    {"2.23.140.1.2.3", "IV"},
    {"2.23.140.1.2.1", "DV"},
};

static const char *read_type(X509 *x)
{
    const size_t count = sizeof policy_types / sizeof *policy_types;
    size_t best = count;
    CERTIFICATEPOLICIES *policies = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
    for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
        char oid[64];
        OBJ_obj2txt(oid, sizeof oid, sk_POLICYINFO_value(policies, i)->policyid, 1);
        for (size_t k = 0; k < best; k++)
            if (strcmp(oid, policy_types[k].oid) == 0)
                best = k;
    }
    CERTIFICATEPOLICIES_free(policies);
    return best < count ? policy_types[best].type : "";
}

static struct str octets(const ASN1_OCTET_STRING *s, struct arena *a)
{
    if (s == NULL || ASN1_STRING_length(s) <= 0)
        return (struct str){"", 0};
    size_t n = (size_t)ASN1_STRING_length(s);
    return (struct str){arena_copy(a, ASN1_STRING_get0_data(s), n), n};
}

static void read_identifiers(X509 *x, struct arena *a, struct cert *out)
{
    int found = -1;
    BASIC_CONSTRAINTS *constraints = X509_get_ext_d2i(x, NID_basic_constraints, &found, NULL);
    /* one that is there but can't be read, or is there twice, must not let a CA certificate pass as a leaf */
    out->is_ca = constraints == NULL ? found != -1 : constraints->ca != 0;
    BASIC_CONSTRAINTS_free(constraints);
    out->is_precertificate = X509_get_ext_by_NID(x, NID_ct_precert_poison, -1) >= 0;
    ASN1_OCTET_STRING *ski = X509_get_ext_d2i(x, NID_subject_key_identifier, NULL, NULL);
    out->ski = octets(ski, a);
    ASN1_OCTET_STRING_free(ski);
    AUTHORITY_KEYID *aki = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
    out->authority_key = octets(aki == NULL ? NULL : aki->keyid, a);
    AUTHORITY_KEYID_free(aki);
}

static bool read_key(X509 *x, struct arena *a, struct cert *out)
{
    unsigned char *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    if (n <= 0)
        return false;
    out->spki_sha256 = digest_of(spki, (size_t)n);
    OPENSSL_free(spki);
    const EVP_PKEY *key = X509_get0_pubkey(x);
    const char *name = key == NULL ? NULL : EVP_PKEY_get0_type_name(key);
    out->key_type = name == NULL ? "" : arena_text(a, name);
    out->key_bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    return true;
}

static const char *read_fields(X509 *x, struct arena *a, struct cert *out)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    if ((ASN1_STRING_type(serial) & V_ASN1_NEG) != 0)
        return "the serial is negative";
    const char *why =
        serial_from_octets(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial), &out->serial);
    if (why != NULL)
        return why;
    if (!read_time(X509_get0_notBefore(x), &out->not_before))
        return "notBefore is not a time";
    if (!read_time(X509_get0_notAfter(x), &out->not_after))
        return "notAfter is not a time";
    if (!read_key(x, a, out))
        return "the public key has no encoding";
    out->issuer = name_der(X509_get_issuer_name(x), a);
    out->subject = name_der(X509_get_subject_name(x), a);
    out->issuer_text = name_text(X509_get_issuer_name(x), a);
    out->subject_text = name_text(X509_get_subject_name(x), a);
    out->type = read_type(x);
    read_pointers(x, a, out);
    read_identifiers(x, a, out);
    return NULL;
}

/* The certificate object of exactly these bytes, NULL when they are none. */
static X509 *decode(struct str der)
{
    if (der.n == 0 || der.n > CERT_MAX)
        return NULL;
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.n);
    if (x != NULL && p != (const unsigned char *)der.p + der.n) {
        X509_free(x);
        x = NULL;
    }
    ERR_clear_error();
    return x;
}

bool cert_parse(struct str der, struct arena *a, struct cert *out, struct fault *f)
{
    *out = (struct cert){0};
    X509 *x = decode(der);
    if (x == NULL)
        return fault_set(f, FAULT_FAILED, "not a certificate: the DER can't be read");
    out->der = (struct str){arena_copy(a, der.p, der.n), der.n};
    out->sha256 = digest_of(der.p, der.n);
    const char *why = read_fields(x, a, out);
    X509_free(x);
    ERR_clear_error();
    return why == NULL || fault_set(f, FAULT_FAILED, "certificate: %s", why);
}

bool cert_read(struct str bytes, struct arena *a, struct cert *out, struct fault *f)
{
    struct str der;
    if (!cert_cut(&bytes, a, &der, f))
        return false;
    if (der.n == 0)
        return fault_set(f, FAULT_FAILED, "holds no certificate");
    return cert_parse(der, a, out, f);
}

bool cert_load(const char *path, struct arena *a, struct cert *out, struct fault *f)
{
    struct str bytes;
    if (!file_read(path, 2 * CERT_MAX, a, &bytes, f))
        return false;
    return cert_read(bytes, a, out, f) || fault_wrap(f, "%s", path);
}

bool issuer_load(const char *path, struct arena *a, struct issuer *out, struct fault *f)
{
    *out = (struct issuer){0};
    if (!cert_load(path, a, &out->cert, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    if (!out->cert.is_ca)
        return fault_set(f, FAULT_CONFIG, "%s is not a CA certificate", path);
    X509 *x = decode(out->cert.der);
    out->key = x == NULL ? NULL : X509_get_pubkey(x);
    X509_free(x);
    ERR_clear_error();
    return out->key != NULL || fault_set(f, FAULT_CONFIG, "%s: the public key can't be read", path);
}

const char *issuer_check(const struct issuer *issuer, const struct cert *cert)
{
    if (!str_equal(issuer->cert.subject, cert->issuer))
        return "issued under another issuer name";
    X509 *x = decode(cert->der);
    bool good = x != NULL && X509_verify(x, issuer->key) == 1;
    X509_free(x);
    ERR_clear_error();
    return good ? NULL : "the issuer's key did not sign it";
}

void issuer_release(struct issuer *issuer)
{
    EVP_PKEY_free(issuer->key);
    issuer->key = NULL;
}
