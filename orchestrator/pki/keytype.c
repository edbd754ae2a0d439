#include "massrevoke/keytype.h"
#include "massrevoke/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define FILE_MAX ((size_t)1024 * 1024)

/* Never asks: a certificate has no pass phrase, and nobody may be at the terminal. */
static int no_password(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

static X509 *read_certificate(struct str bytes)
{
    const unsigned char *der = (const unsigned char *)bytes.p;
    X509 *x = d2i_X509(NULL, &der, (long)bytes.n);
    if (x != NULL)
        return x;
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return x;
}

bool keytype_check(const char *path, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct str bytes;
    if (!file_read(path, FILE_MAX, &a, &bytes, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    X509 *x = read_certificate(bytes);
    if (x == NULL)
        return fault_set(f, FAULT_CONFIG, "%s: not a certificate in PEM or DER", path);
    const EVP_PKEY *key = X509_get0_pubkey(x);
    int type = key == NULL ? NID_undef : EVP_PKEY_get_base_id(key);
    bool ok = type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_EC;
    if (!ok) {
        fault_set(f, FAULT_CONFIG, "%s: a key of type %s cannot sign approvals (CMS)", path,
                  type == NID_undef ? "unknown" : OBJ_nid2sn(type));
        fault_hint(f, "use a certificate with an RSA or an EC key");
    }
    X509_free(x);
    return ok;
}
