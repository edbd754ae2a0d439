/* Any bytes as an OCSP response: no crash, no overrun, and nothing unsigned is ever believed. */
#include "../lib/forge.h"
#include "massrevoke/verifier.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct arena always;
    static struct forge_ca ca, responder;
    static struct ocsp_cache cache;
    if (ca.key == NULL) {
        ca = forge_ca(&always, FORGE_CA, "Fuzz CA", NULL);
        responder = forge_ca(&always, FORGE_RESPONDER, "Responder", &ca);
    }
    AUTO_ARENA a = {0};
    struct verifier_question q = {
        .issuer = &ca.issuer, .now = FORGE_NOW, .seed = {1, 2}, .revoked_at = {FORGE_NOW.s - 4000}};
    struct serial asked = {2, {0x12, 0x34}};
    struct verifier_ocsp judged;
    struct str input = {(const char *)bytes, n};
    verifier_judge_ocsp(input, &asked, &q, &cache, &a, &judged);
    if (judged.counts || judged.revoked)
        abort(); /* the keys are new: no input can be signed with them */
    /* the same bytes as certificates and as extensions of a well-signed answer */
    struct forge_ocsp spec = forge_ocsp_good(&a, &responder);
    spec.certificates = responder.der;
    if (n > 1 && n < 60000 && (bytes[0] & 3) == 0)
        spec.certificates = forge_join(&a, (struct str){input.p + 1, n - 1}, responder.der);
    else if (n > 1 && n < 60000 && (bytes[0] & 3) == 1)
        spec.single_extensions = (struct str){input.p + 1, n - 1};
    else if (n > 1 && n < 60000 && (bytes[0] & 3) == 2)
        spec.status = (struct str){input.p + 1, n - 1};
    else if (n > 1 && n < 60000)
        spec.responder = (struct str){input.p + 1, n - 1};
    verifier_judge_ocsp(forge_ocsp_sign(&a, &ca, &responder, &spec), &asked, &q, &cache, &a, &judged);
    if (judged.revoked && (!judged.counts || judged.single.status != OCSP_REVOKED))
        abort();
    return 0;
}
