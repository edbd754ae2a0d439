#include "acme_certificate.h"
#include "massrevoke/cms.h"
#include "massrevoke/file.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#define FILE_BYTES ((size_t)16 * 1024 * 1024) /* of a bundle */

const char *acme_certificate_read(const char *path, const struct serial *serial, const struct issuer *issuer,
                                  struct arena *a, struct cert *out)
{
    struct fault f;
    struct str rest, der;
    const char *why = NULL;
    if (path == NULL || path[0] == '\0')
        return "the inventory names no certificate_file, and the request must hold the certificate";
    if (!file_read(path, FILE_BYTES, a, &rest, &f))
        return arena_text(a, f.text);
    while (cert_cut(&rest, a, &der, &f) && der.n > 0) {
        if (!cert_parse(der, a, out, &f) || !serial_equal(&out->serial, serial))
            continue;
        why = issuer_check(issuer, out);
        if (why == NULL)
            return NULL;
    }
    return why != NULL ? arena_format(a, "%s: %s", path, why)
                       : arena_format(a, "%s holds no certificate of this serial", path);
}

static bool is_its_key(EVP_PKEY *key, const struct cert *cert)
{
    unsigned char *spki = NULL;
    int n = i2d_PUBKEY(key, &spki);
    struct digest digest = digest_of(spki, n > 0 ? (size_t)n : 0);
    OPENSSL_free(spki);
    return n > 0 && memcmp(digest.bytes, cert->spki_sha256.bytes, DIGEST_SIZE) == 0;
}

bool acme_certificate_key(const char *folder, const struct cert *cert, struct arena *a,
                          struct evp_pkey_st **key, const char **why)
{
    char hex[SERIAL_HEX_TEXT];
    struct fault f;
    *key = NULL;
    if (folder == NULL)
        return true;
    const char *path = file_join(a, folder, arena_format(a, "%s.key", serial_hex(&cert->serial, hex)));
    if (access(path, F_OK) != 0)
        return true;
    if (!key_load(path, NULL, key, &f)) {
        *why = arena_text(a, f.text);
        return false;
    }
    if (is_its_key(*key, cert))
        return true;
    key_release(*key);
    *key = NULL;
    *why = arena_format(a, "%s is not the key of this certificate", path);
    return false;
}
