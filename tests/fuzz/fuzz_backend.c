/* Any bytes as a CA's answer: no crash, and never "revoked" without the proof that the profile wants. */
#include "massrevoke/backend.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena memory;
#define PROFILES 6

static struct backend backends[PROFILES];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const names[PROFILES] = {"cfssl", "ejbca", "vault", "step-ca", "dogtag", "digicert"};
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < PROFILES; i++) {
        struct fault f;
        if (!backend_read(NULL, names[i], &memory, &backends[i], &f)) {
            fprintf(stderr, "%s\n", f.text);
            abort();
        }
    }
    return 0;
}

/* The first two bytes choose product, question and HTTP status. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 202, 204, 400, 403, 404, 409, 422, 429, 500, 503};
    if (size < 2)
        return 0;
    const struct backend *b = &backends[data[0] % PROFILES];
    bool ask = (data[0] & 64) != 0 && b->status.method != NULL;
    long http = statuses[data[1] % (sizeof statuses / sizeof *statuses)];
    struct str body = {(const char *)data + 2, size - 2};
    struct backend_verdict v = backend_judge(b, ask ? &b->status : &b->revoke, http, body);
    bool empty = b == &backends[5] && (http == 200 || http == 204) && body.n == 0; /* DigiCert's way */
    if (v.meaning == BACKEND_REVOKED && !empty && (ask || http != 200 || memchr(body.p, '{', body.n) == NULL))
        abort();
    AUTO_BUF taken = {0};
    if (backend_taken(b, body, &taken) && strpbrk(taken.p, "\"\\{}/ \r\n") != NULL)
        abort();
    return 0;
}
