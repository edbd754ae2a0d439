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
    struct verifier_wanted wanted = {.number = 1, .serial = {1, {0x12}}, .reason = -1};
    struct verifier_question q = {.issuer = &ca.issuer,
                                  .now = FORGE_NOW,
                                  .url = "http://x/",
                                  .seed = {1, 2},
                                  .since = {FORGE_NOW.s - 90000},
                                  .wanted = &wanted,
                                  .wanted_count = 1};
    struct verifier_crl judged, cut;
    struct str input = {(const char *)bytes, n};
    verifier_judge_crl(input, &q, &a, &judged);
    if (judged.counts || judged.sights != NULL)
        abort(); /* the key is new: no input can be signed with it */
    /* the same bytes as the inside of a well-signed list reach the walk and the rules for entries */
    struct forge_crl spec = forge_crl_good(&a, &ca);
    if (n > 0 && n < 60000 && (bytes[0] & 1) != 0)
        spec.entries = (struct str){input.p + 1, n - 1};
    else if (n > 0 && n < 60000)
        spec.extensions = (struct str){input.p + 1, n - 1};
    struct str list = forge_crl_sign(&a, &ca, &spec);
    verifier_judge_crl(list, &q, &a, &judged);
    if (!judged.counts && judged.stranger_count > 0)
        abort();
    if ((judged.sights != NULL) != judged.counts || (judged.counts && judged.findings.unusable))
        abort();
    /* however it is cut, it must mean the same */
    size_t size = n > 1 ? 1 + bytes[1] : 7;
    struct verifier_reader *r = verifier_crl_begin(&q, &a);
    for (size_t at = 0; at < list.n; at += size)
        verifier_crl_add(r, (struct str){list.p + at, list.n - at < size ? list.n - at : size});
    verifier_crl_end(r, &cut);
    if (cut.counts != judged.counts || cut.findings.count != judged.findings.count ||
        cut.crl.entry_count != judged.crl.entry_count || cut.stranger_total != judged.stranger_total)
        abort();
    struct verifier_edge edges[2] = {{.name = "a", .crl = &judged}, {.name = "b", .crl = &cut}};
    struct verifier_shown shown;
    verifier_combine_crls(edges, 2, &wanted, 1, &a, &shown);
    if (shown.shown[0] && !judged.counts)
        abort();
    AUTO_BUF text = {0};
    verifier_text("x", &judged.findings, &text);
    AUTO_JSON *json = verifier_json("x", &judged.findings);
    json_canonical(json, &text);
    return 0;
}
