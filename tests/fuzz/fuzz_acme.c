/* Any bytes as an ACME server's answer, directory or nonce: no crash, never "revoked" but for an empty 200
 * with a nonce, and nothing that could leave a header field or a JSON text. */
#include "door/acme_answer.h"
#include "massrevoke/jws.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *url)
{
    for (; *url != '\0'; url++)
        if ((unsigned char)*url <= ' ' || *url == '"' || *url == '\\' || (unsigned char)*url >= 0x7f)
            abort();
}

/* The first byte chooses status and nonce. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 201, 204, 307, 400, 403, 404, 429, 500, 503};
    if (size < 1)
        return 0;
    AUTO_ARENA a = {0};
    struct acme_directory d;
    struct fault f;
    struct str body = {(const char *)data + 1, size - 1};
    long http = statuses[data[0] % 10];
    struct acme_verdict v = acme_judge(http, body, (data[0] & 128) != 0);
    if (v.meaning == BACKEND_REVOKED && (http != 200 || (data[0] & 128) == 0 || str_trim(body).n > 0))
        abort();
    if (acme_read_directory(body, &a, &d, &f)) {
        check_url(d.nonce);
        check_url(d.account);
        check_url(d.revoke);
    }
    if (jws_is_base64(body, 200))
        for (size_t i = 0; i < body.n; i++)
            if (body.p[i] <= ' ' || body.p[i] == '"' || body.p[i] == '\\')
                abort();
    return 0;
}
