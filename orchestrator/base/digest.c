#include "massrevoke/digest.h"
#include "massrevoke/hex.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static void must(int ok)
{
    if (ok == 1)
        return;
    fputs("massrevoke: SHA-256 is not available in this OpenSSL\n", stderr);
    _Exit(1);
}

struct digest digest_of(const void *bytes, size_t n)
{
    struct digest d;
    unsigned length = 0;
    must(EVP_Digest(bytes, n, d.bytes, &length, EVP_sha256(), NULL));
    return d;
}

struct digest_state digest_begin(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    must(EVP_DigestInit_ex(context, EVP_sha256(), NULL));
    return (struct digest_state){context};
}

void digest_add(struct digest_state *s, const void *bytes, size_t n)
{
    must(EVP_DigestUpdate(s->context, bytes, n));
}

struct digest digest_end(struct digest_state *s)
{
    struct digest d;
    unsigned length = 0;
    must(EVP_DigestFinal_ex(s->context, d.bytes, &length));
    EVP_MD_CTX_free(s->context);
    s->context = NULL;
    return d;
}

const char *digest_hex(struct digest d, char out[static DIGEST_TEXT])
{
    return hex_lower(d.bytes, DIGEST_SIZE, out);
}
