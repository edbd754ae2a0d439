/* Any bytes as a CRL: no crash, no overrun, and nothing unsigned is ever acted upon. */
#include "../lib/forge.h"
#include "massrevoke/verifier.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct arena always;
    static struct forge_ca ca;
    if (ca.key == NULL)
        ca = forge_ca(&always, FORGE_CA, "Fuzz CA", NULL);
    AUTO_ARENA a = {0};
    struct verifier_question q = {.issuer = &ca.issuer, .now = FORGE_NOW, .url = "http://x/", .seed = {1, 2}};
    struct verifier_crl judged;
    struct str input = {(const char *)bytes, n};
    verifier_judge_crl(input, &q, &a, &judged);
    struct fault f = {0};
    struct verifier_wanted wanted = {.number = 1, .serial = {1, {0x12}}, .reason = -1};
    struct verifier_sight sight;
    if (judged.counts || verifier_match_crl(&judged, &wanted, 1, &sight, &f))
        abort(); /* the key is new: no input can be signed with it */
    /* the same bytes as the inside of a well-signed list reach the walk and the rules for entries */
    struct forge_crl spec = forge_crl_good(&a, &ca);
    if (n > 0 && n < 60000 && (bytes[0] & 1) != 0)
        spec.entries = (struct str){input.p + 1, n - 1};
    else if (n > 0 && n < 60000)
        spec.extensions = (struct str){input.p + 1, n - 1};
    verifier_judge_crl(forge_crl_sign(&a, &ca, &spec), &q, &a, &judged);
    bool matched = verifier_match_crl(&judged, &wanted, 1, &sight, &f);
    if (matched != judged.counts || (judged.counts && judged.findings.unusable))
        abort();
    AUTO_BUF text = {0};
    verifier_text("x", &judged.findings, &text);
    AUTO_JSON *json = verifier_json("x", &judged.findings);
    json_canonical(json, &text);
    return 0;
}
