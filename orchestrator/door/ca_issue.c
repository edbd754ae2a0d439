#include "door/ca_issue.h"
#include "massrevoke/digest.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* Extensions with the same value in every certificate of a kind; cdp and ocsp stand for the kit's pointers.
 */
static const struct {
    enum issue_kind kind;
    int nid;
    const char *value;
} fixed_extensions[] = {
    {ISSUE_CA, NID_basic_constraints, "critical,CA:TRUE"},
    {ISSUE_CA, NID_key_usage, "critical,keyCertSign,cRLSign"},
    {ISSUE_SERVER, NID_basic_constraints, "critical,CA:FALSE"},
    {ISSUE_SERVER, NID_key_usage, "critical,digitalSignature"},
    {ISSUE_SERVER, NID_ext_key_usage, "serverAuth"},
    {ISSUE_SERVER, NID_certificate_policies, "2.23.140.1.2.1"},
    {ISSUE_SERVER, NID_authority_key_identifier, "keyid:always"},
    {ISSUE_SERVER, NID_crl_distribution_points, "cdp"},
    {ISSUE_SERVER, NID_info_access, "ocsp"},
    {ISSUE_RESPONDER, NID_basic_constraints, "critical,CA:FALSE"},
    {ISSUE_RESPONDER, NID_key_usage, "critical,digitalSignature"},
    {ISSUE_RESPONDER, NID_ext_key_usage, "OCSPSigning"},
    {ISSUE_RESPONDER, NID_id_pkix_OCSP_noCheck, "ignored"},
    {ISSUE_RESPONDER, NID_authority_key_identifier, "keyid:always"},
    {ISSUE_PERSON, NID_basic_constraints, "critical,CA:FALSE"},
    {ISSUE_PERSON, NID_key_usage, "critical,digitalSignature"},
    {ISSUE_PERSON, NID_ext_key_usage, "clientAuth,emailProtection"},
};

static bool openssl_fault(struct fault *f, const char *what)
{
    char why[200];
    ERR_error_string_n(ERR_peek_last_error(), why, sizeof why);
    ERR_clear_error();
    return fault_set(f, FAULT_FAILED, "openssl can't make %s: %s", what, why);
}

EVP_PKEY *issue_key(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static bool set_name(X509_NAME *name, const struct issue_request *r)
{
    const unsigned char *organization = (const unsigned char *)r->organization;
    const unsigned char *common = (const unsigned char *)r->common_name;
    return (organization == NULL ||
            X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, organization, -1, -1, 0) == 1) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, -1, -1, 0) == 1;
}

static bool set_serial(X509 *x, const struct serial *serial)
{
    BIGNUM *n = BN_bin2bn(serial->bytes, serial->n, NULL);
    bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

/* The first 160 bits of SHA-256 over the key's bits (RFC 7093 section 2, method 1). */
static bool add_key_id(X509 *x, EVP_PKEY *key)
{
    unsigned char *bits = NULL;
    int n = i2d_PublicKey(key, &bits);
    if (n <= 0)
        return false;
    struct digest d = digest_of(bits, (size_t)n);
    OPENSSL_free(bits);
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    bool ok = id != NULL && ASN1_OCTET_STRING_set(id, d.bytes, 20) == 1 &&
              X509_add1_ext_i2d(x, NID_subject_key_identifier, id, 0, 0) == 1;
    ASN1_OCTET_STRING_free(id);
    return ok;
}

static bool add_names(X509 *x, const struct issue_request *r)
{
    if (r->name_count == 0)
        return true;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < r->name_count; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        ok = name != NULL && text != NULL && ASN1_STRING_set(text, r->names[i], -1) == 1;
        if (ok)
            GENERAL_NAME_set0_value(name, GEN_DNS, text);
        else
            ASN1_IA5STRING_free(text);
        if (!ok || sk_GENERAL_NAME_push(names, name) <= 0) {
            GENERAL_NAME_free(name);
            ok = false;
        }
    }
    ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool fill(X509 *x, const struct issuer_kit *kit, const struct issue_request *r, EVP_PKEY *key,
                 bool self_signed)
{
    X509_NAME *name = X509_get_subject_name(x);
    const X509_NAME *issuer = self_signed ? name : X509_get_subject_name(kit->certificate);
    bool ok = X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x, &r->serial) && set_name(name, r) &&
              X509_set_issuer_name(x, issuer) == 1 && X509_set_pubkey(x, key) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(x), r->not_before.s) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), r->not_after.s) != NULL;
    for (size_t i = 0; ok && kit->fixed[r->kind][i] != NULL; i++)
        ok = X509_add_ext(x, kit->fixed[r->kind][i], -1) == 1;
    return ok && add_names(x, r) && add_key_id(x, key);
}

bool issue_certificate(const struct issuer_kit *kit, const struct issue_request *request, EVP_PKEY *key,
                       X509 **out, struct fault *f)
{
    bool self_signed = request->kind == ISSUE_PERSON || request->kind == ISSUE_CA;
    X509 *x = X509_new();
    if (x == NULL || key == NULL || !fill(x, kit, request, key, self_signed) ||
        X509_sign(x, self_signed ? key : kit->key, EVP_sha256()) <= 0) {
        X509_free(x);
        return openssl_fault(f, "a certificate");
    }
    *out = x;
    return true;
}

/* Prepares the extensions of one kind or, with `ca` false, of all others, which need the CA's certificate. */
static bool prepare(struct issuer_kit *kit, bool ca, const struct issue_pointers *pointers)
{
    size_t used[ISSUE_KIND_COUNT] = {0};
    X509V3_CTX context;
    CONF *none = NCONF_new(NULL); /* policies and distribution points want a database, if an empty one */
    bool ok = none != NULL;
    X509V3_set_ctx(&context, kit->certificate, kit->certificate, NULL, NULL, 0);
    X509V3_set_nconf(&context, none);
    for (size_t i = 0; ok && i < sizeof fixed_extensions / sizeof *fixed_extensions; i++) {
        char value[600];
        enum issue_kind kind = fixed_extensions[i].kind;
        int nid = fixed_extensions[i].nid;
        if ((kind == ISSUE_CA) != ca || (nid == NID_info_access && pointers->ocsp == NULL))
            continue;
        snprintf(value, sizeof value, "%s", fixed_extensions[i].value);
        if (nid == NID_crl_distribution_points)
            snprintf(value, sizeof value, "URI:%s", pointers->cdp);
        if (nid == NID_info_access)
            snprintf(value, sizeof value, "OCSP;URI:%s", pointers->ocsp);
        X509_EXTENSION *extension = X509V3_EXT_nconf_nid(none, &context, nid, value);
        ok = extension != NULL;
        kit->fixed[kind][used[kind]++] = extension;
    }
    NCONF_free(none);
    return ok;
}

bool issuer_kit_make(struct issuer_kit *kit, const struct issue_request *ca,
                     const struct issue_pointers *pointers, struct fault *f)
{
    *kit = (struct issuer_kit){.key = issue_key()};
    if (kit->key == NULL || !prepare(kit, true, pointers))
        return openssl_fault(f, "the CA's key");
    if (!issue_certificate(kit, ca, kit->key, &kit->certificate, f))
        return false;
    return prepare(kit, false, pointers) || openssl_fault(f, "the extensions of certificates");
}

void issuer_kit_release(struct issuer_kit *kit)
{
    for (size_t kind = 0; kind < ISSUE_KIND_COUNT; kind++)
        for (size_t i = 0; kit->fixed[kind][i] != NULL; i++)
            X509_EXTENSION_free(kit->fixed[kind][i]);
    X509_free(kit->certificate);
    EVP_PKEY_free(kit->key);
    *kit = (struct issuer_kit){0};
}
