#include "massrevoke/cms.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <openssl/cms.h> /* declares its PEM functions only behind pem.h */

struct password {
    char text[1024];
    size_t n;
};

/* Without a passphrase OpenSSL must fail, not ask on the terminal. */
static int give_password(char *out, int size, int writing, void *context)
{
    (void)writing;
    const struct password *password = context;
    if (password->n == 0 || password->n > (size_t)size)
        return -1;
    memcpy(out, password->text, password->n);
    return (int)password->n;
}

static bool read_password(const char *path, struct password *out, struct fault *f)
{
    BIO *in = BIO_new_file(path, "r");
    int n = in == NULL ? -1 : BIO_gets(in, out->text, (int)sizeof out->text);
    BIO_free(in);
    if (n <= 0)
        return fault_set(f, FAULT_CONFIG, "%s: no passphrase can be read from it", path);
    out->n = strcspn(out->text, "\r\n");
    return true;
}

bool key_load(const char *path, const char *password_file, struct evp_pkey_st **out, struct fault *f)
{
    struct password password = {.n = 0};
    if (password_file != NULL && !read_password(password_file, &password, f))
        return false;
    /* the key's bytes stay inside OpenSSL, which wipes them */
    BIO *in = BIO_new_file(path, "r");
    *out = in == NULL ? NULL : PEM_read_bio_PrivateKey(in, NULL, give_password, &password);
    if (*out == NULL && in != NULL && BIO_seek(in, 0) == 0)
        *out = d2i_PrivateKey_bio(in, NULL);
    bool readable = in != NULL;
    BIO_free(in);
    ERR_clear_error();
    OPENSSL_cleanse(&password, sizeof password);
    if (*out != NULL)
        return true;
    fault_set(f, FAULT_CONFIG, "%s: %s", path,
              readable ? "no private key can be read from it" : "the key file can't be opened");
    return fault_hint(f, "is the passphrase file missing or wrong, or the file not readable for this user?");
}

void key_release(struct evp_pkey_st *key)
{
    EVP_PKEY_free(key);
}

const char *cms_key_problem(const struct cert *cert)
{
    static const char *const able[] = {"RSA", "RSA-PSS", "EC"};
    for (size_t i = 0; i < sizeof able / sizeof *able; i++)
        if (strcmp(cert->key_type, able[i]) == 0)
            return NULL;
    return "this kind of key can't sign CMS in OpenSSL 3.0 (RSA and EC can, Ed25519 can't)";
}

static X509 *decode_cert(const struct cert *cert)
{
    const unsigned char *p = (const unsigned char *)cert->der.p;
    return d2i_X509(NULL, &p, (long)cert->der.n);
}

bool cms_sign(struct str text, const char *key_file, const char *password_file, const char *certificate_file,
              struct buf *out, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cert cert;
    EVP_PKEY *key = NULL;
    if (!cert_load(certificate_file, &a, &cert, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    const char *why = cms_key_problem(&cert);
    if (why != NULL)
        return fault_set(f, FAULT_REFUSED, "%s: %s", certificate_file, why);
    if (!key_load(key_file, password_file, &key, f))
        return false;
    X509 *x = decode_cert(&cert);
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n), *pem = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = NULL;
    bool ok = x != NULL && in != NULL && pem != NULL && text.n <= INT_MAX;
    if (ok && X509_check_private_key(x, key) != 1) {
        ok = fault_set(f, FAULT_CONFIG, "%s does not belong to %s", key_file, certificate_file);
        goto out;
    }
    unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
    cms = ok ? CMS_sign(NULL, NULL, NULL, NULL, flags) : NULL;
    ok = cms != NULL && CMS_add1_signer(cms, x, key, EVP_sha256(), flags) != NULL &&
         CMS_final(cms, in, NULL, flags) == 1 && PEM_write_bio_CMS(pem, cms) == 1;
    char *bytes = NULL;
    long n = ok ? BIO_get_mem_data(pem, &bytes) : 0;
    buf_add(out, bytes, (size_t)n);
    if (!ok)
        fault_set(f, FAULT_FAILED, "%s: the signature can't be made", key_file);
out:
    CMS_ContentInfo_free(cms);
    BIO_free(pem);
    BIO_free(in);
    X509_free(x);
    key_release(key);
    ERR_clear_error();
    return ok;
}

static CMS_ContentInfo *decode_cms(struct str bytes)
{
    if (bytes.n == 0 || bytes.n > CMS_MAX)
        return NULL;
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (p[0] == 0x30)
        return d2i_CMS_ContentInfo(NULL, &p, (long)bytes.n);
    BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    struct password none = {.n = 0};
    CMS_ContentInfo *cms = in == NULL ? NULL : PEM_read_bio_CMS(in, NULL, give_password, &none);
    BIO_free(in);
    return cms;
}

/* The one signer of a detached signature; NULL with a fault for any other form. */
static CMS_SignerInfo *only_signer(CMS_ContentInfo *cms, struct fault *f)
{
    if (cms == NULL || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
        fault_set(f, FAULT_FAILED, "not a CMS signature in DER or PEM");
        fault_hint(f, "openssl cms -sign -binary -in TEXT -signer CERT -inkey KEY -outform PEM");
        return NULL;
    }
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    if (content == NULL || *content != NULL) {
        fault_set(f, FAULT_FAILED, "the signature carries a text of its own; it must be detached");
        fault_hint(f, "sign without -nodetach");
        return NULL;
    }
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (sk_CMS_SignerInfo_num(signers) != 1) {
        fault_set(f, FAULT_FAILED, "the signature has %d signers, not one", sk_CMS_SignerInfo_num(signers));
        return NULL;
    }
    return sk_CMS_SignerInfo_value(signers, 0);
}

static bool strong_digest(CMS_SignerInfo *signer)
{
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *oid = NULL;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&oid, NULL, NULL, digest);
    int nid = OBJ_obj2nid(oid);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* Did exactly this certificate's key sign these bytes? CMS keeps the certificate once set, so every try has
 * its own decoded copy. */
static bool signed_by(struct str signature, struct str text, const struct cert *person)
{
    CMS_ContentInfo *cms = decode_cms(signature);
    X509 *x = decode_cert(person);
    STACK_OF(X509) *only = sk_X509_new_null();
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n), *copy = BIO_new(BIO_s_mem());
    bool good = false;
    if (cms != NULL && x != NULL && only != NULL && in != NULL && copy != NULL && sk_X509_push(only, x) > 0)
        good =
            CMS_verify(cms, only, NULL, in, copy, CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
    BIO_free(copy);
    BIO_free(in);
    sk_X509_free(only);
    X509_free(x);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return good;
}

/* Does the signer's identifier name this person's certificate? */
static bool names(CMS_SignerInfo *signer, const struct cert *person)
{
    X509 *x = decode_cert(person);
    bool named = x != NULL && CMS_SignerInfo_cert_cmp(signer, x) == 0;
    X509_free(x);
    return named;
}

bool cms_verify(struct str signature, struct str text, const struct cert *persons, size_t count,
                struct utc at, size_t *who, struct fault *f)
{
    CMS_ContentInfo *cms = decode_cms(signature);
    CMS_SignerInfo *signer = only_signer(cms, f);
    bool named = false, found = false, strong = signer != NULL && strong_digest(signer);
    for (size_t i = 0; signer != NULL && strong && !found && i < count && text.n <= INT_MAX; i++) {
        if (!names(signer, &persons[i]))
            continue;
        named = true;
        found = signed_by(signature, text, &persons[i]);
        *who = i;
    }
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    if (signer == NULL)
        return false;
    if (!strong)
        return fault_set(f, FAULT_REFUSED, "the signature's hash is not SHA-256, SHA-384 or SHA-512");
    if (!named)
        return fault_set(f, FAULT_REFUSED, "the signer is none of the configured persons");
    if (!found) {
        fault_set(f, FAULT_REFUSED, "the signature is not over exactly this text");
        return fault_hint(f, "sign the text's file unchanged, and with -binary");
    }
    char text_at[UTC_TEXT];
    const struct cert *person = &persons[*who];
    if (at.s < person->not_before.s || at.s > person->not_after.s)
        return fault_set(f, FAULT_REFUSED, "the signer's certificate (%s) is not valid at %s",
                         person->subject_text, utc_format(at, text_at));
    return true;
}
