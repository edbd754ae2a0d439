/* verify: judge a CRL or an OCSP response on its own; without a file verify_outside looks at all pointers. */
#include "verify.h"
#include "massrevoke/cert.h"
#include "massrevoke/file.h"
#include "massrevoke/verifier.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <unistd.h>

#define OCSP_MOST ((size_t)1 << 24) /* answers are a few kilobytes */
#define PIECE 65536

/* What is judged, and by what. */
struct question {
    struct arena arena;
    struct verify_issuer issuer;
    struct verifier_question q;
    struct str bytes;
};

static bool read_question(const struct invocation *in, struct question *x, struct fault *f)
{
    struct str pem;
    struct clock clock = clock_system();
    x->q = (struct verifier_question){.now = clock.now(clock.self), .kind = VERIFIER_SUBSCRIBER};
    if (!option_time(in, OPTION_AT, &x->q.now, f))
        return false;
    if (RAND_bytes((unsigned char *)x->q.seed, sizeof x->q.seed) != 1)
        return fault_set(f, FAULT_FAILED, "no random numbers to be had");
    if (!option_given(in, OPTION_ISSUER))
        return true;
    const char *issuer = in->values[OPTION_ISSUER];
    if (!file_read(issuer, CERT_MAX, &x->arena, &pem, f))
        return false;
    if (!verify_issuer_load(pem, &x->arena, &x->issuer, f))
        return fault_wrap(f, "%s", issuer);
    x->q.issuer = &x->issuer;
    return true;
}

static void tell(const struct invocation *in, const char *path, const struct findings *findings,
                 int *exit_code)
{
    AUTO_BUF text = {0};
    if (findings->errors > 0)
        *exit_code = fault_exit_code(FAULT_EVIDENCE);
    if (in->json) {
        session_print(verifier_json(path, findings));
        return;
    }
    verifier_text(path, findings, &text);
    fputs(text.p, stdout);
}

/* In pieces: a CRL may be larger than memory. */
static bool judge_file(const char *path, struct question *x, struct verifier_crl *judged, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    struct verifier_reader *reader = verifier_crl_begin(&x->q, &x->arena);
    char piece[PIECE];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            verifier_crl_add(reader, (struct str){piece, (size_t)n});
    int error = errno;
    verifier_crl_end(reader, judged);
    close(fd);
    return n == 0 || fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(error));
}

static bool verify_crl(const struct invocation *in, struct question *x, int *exit_code, struct fault *f)
{
    struct verifier_crl judged = {.parsed = false};
    const char *path = in->values[OPTION_CRL];
    if (!read_question(in, x, f) || !judge_file(path, x, &judged, f))
        return false;
    tell(in, path, &judged.findings, exit_code);
    return true;
}

static bool verify_ocsp(const struct invocation *in, struct question *x, int *exit_code, struct fault *f)
{
    struct verifier_ocsp judged;
    struct ocsp_cache cache = {0};
    struct serial serial;
    const char *path = in->values[OPTION_OCSP];
    const char *why = serial_from_hex(str_of(in->values[OPTION_SERIAL]), &serial);
    bool ok = why == NULL ? read_question(in, x, f) && file_read(path, OCSP_MOST, &x->arena, &x->bytes, f)
                          : fault_set(f, FAULT_USAGE, "--serial: '%.60s' is no serial in hex: %s",
                                      in->values[OPTION_SERIAL], why);
    if (ok) {
        struct str der;
        if (ocsp_from_pem(x->bytes, &x->arena, &der) == NULL) /* else judged as it is: not parsable */
            x->bytes = der;
        verifier_judge_ocsp(x->bytes, &serial, &x->q, &cache, &x->arena, &judged);
        tell(in, path, &judged.findings, exit_code);
    }
    ocsp_cache_free(&cache);
    return ok;
}

bool cmd_verify(struct invocation *in, int *exit_code, struct fault *f)
{
    struct question x = {.q = {0}};
    bool crl = option_given(in, OPTION_CRL), ocsp = option_given(in, OPTION_OCSP);
    if (crl && ocsp)
        return fault_set(f, FAULT_USAGE, "--crl and --ocsp: one at a time");
    if (ocsp && !option_required(in, OPTION_SERIAL, f))
        return false;
    if (!crl && !ocsp &&
        (option_given(in, OPTION_SERIAL) || option_given(in, OPTION_ISSUER) || option_given(in, OPTION_AT)))
        return fault_set(f, FAULT_USAGE, "--serial, --issuer and --at go with --crl or --ocsp");
    if ((crl || ocsp) && option_given(in, OPTION_FORMAT))
        return fault_set(f, FAULT_USAGE, "--format goes with neither --crl nor --ocsp");
    bool ok = crl    ? verify_crl(in, &x, exit_code, f)
              : ocsp ? verify_ocsp(in, &x, exit_code, f)
                     : verify_outside(in, exit_code, f);
    verify_issuer_free(&x.issuer);
    arena_free(&x.arena);
    return ok;
}
