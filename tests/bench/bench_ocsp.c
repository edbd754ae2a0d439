/* Answers of a delegated responder judged one by one, against OpenSSL's objects. */
#include "../lib/forge.h"
#include "bench.h"
#include "massrevoke/verifier.h"

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>

#define ANSWERS 2000

struct work {
    struct arena arena;
    struct forge_ca ca, responder;
    struct serial serials[ANSWERS];
    struct str answers[ANSWERS];
    OCSP_CERTID *ids[ANSWERS];
    X509_STORE *store;
    STACK_OF(X509) * certificates;
};

/* OpenSSL reads the wall clock, so the answers are of now. */
static void make_answer(struct work *w, size_t i)
{
    struct utc now = {(int64_t)time(NULL)};
    struct serial *s = &w->serials[i];
    *s = (struct serial){.n = 16, .bytes = {1}};
    unsigned long state = i, word = bench_random(&state);
    memcpy(s->bytes + 1, &word, sizeof word);
    struct forge_ocsp spec = forge_ocsp_good(&w->arena, &w->responder);
    spec.certificates = w->responder.der;
    spec.serial = (struct str){arena_copy(&w->arena, s->bytes, s->n), s->n};
    spec.status = forge_ocsp_revoked(&w->arena, (struct utc){now.s - 7200}, 4);
    spec.this_update = forge_time(&w->arena, (struct utc){now.s - 3600}, true);
    spec.next_update =
        forge_wrap(&w->arena, 0xa0, 1, forge_time(&w->arena, (struct utc){now.s + 86400}, true));
    w->answers[i] = forge_ocsp_sign(&w->arena, &w->ca, &w->responder, &spec);
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_STRING_set(number, s->bytes, s->n);
    w->ids[i] = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(w->ca.x509),
                                 X509_get0_pubkey_bitstr(w->ca.x509), number);
    ASN1_INTEGER_free(number);
}

static void make(void **context)
{
    struct work *w = arena_grow(NULL, sizeof *w);
    *w = (struct work){.store = X509_STORE_new(), .certificates = sk_X509_new_null()};
    w->ca = forge_ca(&w->arena, FORGE_CA, "Bench CA", NULL);
    w->responder = forge_ca(&w->arena, FORGE_RESPONDER, "Bench Responder", &w->ca);
    X509_STORE_add_cert(w->store, w->ca.x509);
    sk_X509_push(w->certificates, w->ca.x509);
    for (size_t i = 0; i < ANSWERS; i++)
        make_answer(w, i);
    *context = w;
}

static void done(void *context)
{
    struct work *w = context;
    for (size_t i = 0; i < ANSWERS; i++)
        OCSP_CERTID_free(w->ids[i]);
    sk_X509_free(w->certificates);
    X509_STORE_free(w->store);
    forge_ca_free(&w->responder);
    forge_ca_free(&w->ca);
    arena_free(&w->arena);
    free(w);
}

/* The first answer pays for reading the responder's certificate. */
static double ours(void *context)
{
    const struct work *w = context;
    struct ocsp_cache cache = {0};
    struct verifier_question q = {.issuer = &w->ca.issuer, .now = {(int64_t)time(NULL)}, .seed = {1, 2}};
    double begun = bench_now();
    for (size_t i = 0; i < ANSWERS; i++) {
        AUTO_ARENA a = {0};
        struct verifier_ocsp judged;
        verifier_judge_ocsp(w->answers[i], &w->serials[i], &q, &cache, &a, &judged);
        if (!judged.revoked)
            bench_die("ours: %s", judged.findings.count == 0 ? "not revoked" : judged.findings.list[0].seen);
    }
    double took = bench_now() - begun;
    ocsp_cache_free(&cache);
    return took;
}

static double openssl(void *context)
{
    const struct work *w = context;
    double begun = bench_now();
    for (size_t i = 0; i < ANSWERS; i++) {
        const unsigned char *p = (const unsigned char *)w->answers[i].p;
        OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)w->answers[i].n);
        OCSP_BASICRESP *basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
        ASN1_GENERALIZEDTIME *at, *from, *to;
        int status, reason;
        bool ok = basic != NULL && OCSP_basic_verify(basic, w->certificates, w->store, 0) == 1 &&
                  OCSP_resp_find_status(basic, w->ids[i], &status, &reason, &at, &from, &to) == 1 &&
                  OCSP_check_validity(from, to, 300, -1) == 1 && status == V_OCSP_CERTSTATUS_REVOKED;
        if (!ok)
            bench_die("openssl does not take the answer");
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(response);
    }
    return bench_now() - begun;
}

int main(int argc, char **argv)
{
    static const struct bench row = {.name = "ocsp_verify_delegated",
                                     .peer_name = "OCSP_basic_verify",
                                     .unit = "s",
                                     .pairs = 9,
                                     .ours = ours,
                                     .peer = openssl,
                                     .make = make,
                                     .free = done};
    return bench_main(argc, argv, &row, 1);
}
