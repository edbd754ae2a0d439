#include "command.h"
#include "massrevoke/json.h"

#include <openssl/crypto.h>
#include <stdio.h>

bool cmd_version(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code, (void)f;
    if (!in->json) {
        printf("massrevoke %s (%s)\n", MASSREVOKE_VERSION, OpenSSL_version(OPENSSL_VERSION));
        return true;
    }
    AUTO_JSON *doc = json_object();
    AUTO_BUF out = {0};
    json_set_text(doc, "version", MASSREVOKE_VERSION);
    json_set_text(doc, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    json_pretty(doc, &out);
    fputs(out.p, stdout);
    return true;
}
