/* Does each profile take what its product answers for what it means? Products that can't be installed answer
 * nowhere else: a server replays one answer after the other, as facts of backends tell them, and each entry
 * of each shipped profile, with each of its conditions, is needed for one of them. The doors' list over whole
 * products is test_ca_products, the real cfssl is in tests/service. */
#include "../lib/ca_list.h"
#include "../lib/fake_http.h"
#include "../lib/stock.h"
#include "massrevoke/backend.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1795357316)   /* 2026-11-22T14:21:56Z */
#define EARLY INT64_C(1795000000) /* long before */

enum kind { PREPARE, REVOKE, STATUS, PUBLISH, KIND_COUNT };

/* One answer, and what it means in the end. `cite`: the section of the facts, then where the product says so.
 * "beside" it: not told there, but what HTTP itself or a proxy in front says. "unlike" it: nobody says so,
 * and it proves nothing, however near it comes. */
struct replay {
    enum kind kind;
    int http;
    const char *body;
    enum backend_meaning meaning;
    const char *cite;
    int64_t at;         /* 0: it tells no date */
    const char *reason; /* RFC 5280's name; NULL: it tells none */
};

/* A row of most answers: they tell neither date nor reason. */
#define ROW(...)                                                                                             \
    {                                                                                                        \
        __VA_ARGS__, 0, NULL                                                                                 \
    }

#define PAGE "<html>please log in; 404 not found</html>"
#define UPSTREAM "no healthy upstream"

/* --- cfssl: facts 1.2 --- */

#define CFSSL(code, message)                                                                                 \
    "{\"success\":false,\"result\":null,\"errors\":[{\"code\":" code ",\"message\":\"" message               \
    "\"}],\"messages\":[]}"

static const struct replay cfssl[] = {
    ROW(REVOKE, 200, "{\"success\":true,\"result\":{},\"errors\":[],\"messages\":[]}", BACKEND_REVOKED,
        "1.2, api/revoke"),
    ROW(REVOKE, 200, CFSSL("11200", "x"), BACKEND_ASK, "unlike 1.2: no success"),
    ROW(REVOKE, 200, PAGE, BACKEND_ASK, "unlike 1.2: a login form"),
    ROW(REVOKE, 400, CFSSL("11200", "certificate not found"), BACKEND_UNKNOWN, "1.2, certdb/sql"),
    ROW(REVOKE, 400, CFSSL("11000", "dial tcp 127.0.0.1:5432: connect: connection refused"), BACKEND_WAIT,
        "1.2, the failure run: not sent"),
    ROW(REVOKE, 400, CFSSL("11000", "pq: the database system is starting up"), BACKEND_WAIT,
        "1.2, the failure run: not sent"),
    ROW(REVOKE, 400, CFSSL("11000", "pq: the database system is not yet accepting connections"), BACKEND_WAIT,
        "1.2, the failure run: not sent"),
    ROW(REVOKE, 400, CFSSL("11000", "pq: the database system is shutting down"), BACKEND_ASK,
        "1.2, the failure run: unknown"),
    ROW(REVOKE, 400, CFSSL("11000", "read: connection reset by peer"), BACKEND_ASK,
        "1.2, the failure run: unknown"),
    ROW(REVOKE, 400, CFSSL("1", "connection refused, starting up, not yet accepting connections"),
        BACKEND_ASK, "unlike 1.2: words without the code"),
    ROW(REVOKE, 400, CFSSL("400", "Unable to parse"), BACKEND_STOP, "1.2, 3; api/revoke"),
    ROW(REVOKE, 403, CFSSL("403", "Invalid CN"), BACKEND_STOP, "1.2, seen under mutual TLS"),
    ROW(REVOKE, 404, "404 page not found", BACKEND_STOP, "beside 1.2: another path"),
    ROW(REVOKE, 405, CFSSL("405", "Method is not allowed:\\\"GET\\\""), BACKEND_STOP, "1.2"),
    ROW(REVOKE, 429, "slow down", BACKEND_WAIT, "beside 1.2: a proxy in front (RFC 6585 section 4)"),
    ROW(REVOKE, 500, "", BACKEND_ASK, "beside 1.2: a proxy in front"),
};

/* --- HashiCorp Vault and OpenBao: facts 1.6, source as there openbao/openbao --- */

#define VAULT(message) "{\"errors\":[\"" message "\"]}"

static const struct replay vault[] = {
    {REVOKE, 200,
     "{\"data\":{\"revocation_time\":1795357316,\"revocation_time_rfc3339\":\"2026-11-22T14:21:56Z\","
     "\"state\":\"revoked\"}}",
     BACKEND_REVOKED, "1.6, crl_util.go", NOW, NULL},
    {REVOKE, 200, "{\"data\":{\"revocation_time\":1795000000,\"state\":\"revoked\"}}", BACKEND_BEFORE,
     "1.6, crl_util.go: the first time", EARLY, NULL},
    ROW(REVOKE, 200, "{\"data\":null,\"warnings\":[\"certificate with serial f0:01 already expired\"]}",
        BACKEND_PERSON, "1.6, crl_util.go: expired"),
    ROW(REVOKE, 200, "{\"data\":{\"revocation_time\":1795357316}}", BACKEND_ASK, "unlike 1.6: no state"),
    ROW(REVOKE, 200, "{\"data\":{\"revocation_time\":1795357316,\"state\":\"x\"}}", BACKEND_ASK,
        "unlike 1.6: another state"),
    ROW(REVOKE, 400, VAULT("certificate with serial f0:01 not found."), BACKEND_UNKNOWN,
        "1.6, path_revoke.go"),
    ROW(REVOKE, 400, VAULT("adding issuer (f0:01) to its own CRL is not allowed"), BACKEND_ASK,
        "1.6, crl_util.go: the issuer's own serial"),
    ROW(REVOKE, 400, PAGE, BACKEND_ASK, "beside 1.6: a proxy's page"),
    ROW(REVOKE, 403, VAULT("permission denied"), BACKEND_STOP, "1.6, 3: the token's policy"),
    ROW(REVOKE, 429, VAULT("request path \\\"pki/revoke\\\": rate limit quota exceeded"), BACKEND_WAIT,
        "1.6: sys/quotas/rate-limit"),
    ROW(REVOKE, 503, VAULT("Vault is sealed"), BACKEND_WAIT, "3: 503 sealed"),
    ROW(REVOKE, 503, UPSTREAM, BACKEND_ASK, "beside 3: not sealed, a proxy in front"),
    ROW(REVOKE, 500, VAULT("internal error"), BACKEND_ASK, "3: 5xx, after which nobody knows"),
    ROW(STATUS, 200, "{\"data\":{\"certificate\":\"-----\",\"revocation_time\":0}}", BACKEND_NOT_REVOKED,
        "1.6: cert/SERIAL, 0 is good"),
    {STATUS, 200, "{\"data\":{\"certificate\":\"-----\",\"revocation_time\":1795000000}}", BACKEND_BEFORE,
     "1.6: cert/SERIAL", EARLY, NULL},
    ROW(STATUS, 200, "{\"data\":{\"certificate\":\"-----\"}}", BACKEND_ASK, "unlike 1.6: no time"),
    ROW(STATUS, 200, "{\"data\":{\"revocation_time\":1795000000}}", BACKEND_ASK,
        "unlike 1.6: no certificate"),
    ROW(STATUS, 404, "{\"errors\":[]}", BACKEND_ASK, "beside 1.6: a wrong mount looks the same"),
    ROW(STATUS, 403, VAULT("permission denied"), BACKEND_STOP, "1.6, 3: the token's policy"),
    ROW(STATUS, 429, VAULT("rate limit quota exceeded"), BACKEND_WAIT, "1.6: sys/quotas/rate-limit"),
    ROW(STATUS, 503, VAULT("Vault is sealed"), BACKEND_WAIT, "3: 503 sealed"),
    ROW(STATUS, 503, UPSTREAM, BACKEND_ASK, "beside 3: not sealed, a proxy in front"),
    ROW(PUBLISH, 200, "{\"data\":{\"success\":true}}", BACKEND_REVOKED, "1.6: crl/rotate"),
    ROW(PUBLISH, 200, "{\"data\":{\"success\":false}}", BACKEND_ASK, "unlike 1.6: no success"),
    ROW(PUBLISH, 403, VAULT("permission denied"), BACKEND_STOP, "1.6, 3: the token's policy"),
    ROW(PUBLISH, 404, VAULT("no handler for route \\\"pki/crl/rotate\\\""), BACKEND_STOP,
        "beside 1.6: another mount"),
    ROW(PUBLISH, 429, VAULT("rate limit quota exceeded"), BACKEND_WAIT, "1.6: sys/quotas/rate-limit"),
    ROW(PUBLISH, 503, VAULT("Vault is sealed"), BACKEND_WAIT, "3: 503 sealed"),
    ROW(PUBLISH, 503, UPSTREAM, BACKEND_ASK, "beside 3: not sealed, a proxy in front"),
};

/* --- EJBCA: facts 1.5, source as there Keyfactor/ejbca-ce --- */

#define EJBCA(code, message) "{\"error_code\":" code ",\"error_message\":\"" message "\"}"
#define EJBCA_REVOKED(reason, date, revoked)                                                                 \
    "{\"issuer_dn\":\"CN=My CA\",\"serial_number\":\"F001\",\"revocation_reason\":\"" reason                 \
    "\",\"revocation_date\":\"" date "\",\"message\":\"Successfully revoked\",\"revoked\":" revoked "}"

static const struct replay ejbca[] = {
    {REVOKE, 200, EJBCA_REVOKED("SUPERSEDED", "2026-11-22T14:21:56Z", "true"), BACKEND_REVOKED,
     "1.5, CertificateRestResource.java", NOW, "superseded"},
    ROW(REVOKE, 200, EJBCA_REVOKED("NOT_REVOKED", "2026-11-22T14:21:56Z", "false"), BACKEND_ASK,
        "unlike 1.5: a success that did not revoke"),
    ROW(REVOKE, 200, "{\"revocation_date\":\"2026-11-22T14:21:56Z\"}", BACKEND_ASK, "unlike 1.5: no revoked"),
    ROW(REVOKE, 200, "{\"revoked\":true}", BACKEND_ASK, "unlike 1.5: no date"),
    ROW(REVOKE, 202, "{\"request_id\":12}", BACKEND_PERSON,
        "1.5, CertificateRestResource.java: waits for approval"),
    ROW(REVOKE, 409, EJBCA("409", "Certificate 'F001' has previously been revoked."), BACKEND_BEFORE,
        "1.5, ExceptionHandler.java"),
    ROW(REVOKE, 404, EJBCA("404", "CA with DN 'CN=x' does not exist."), BACKEND_PERSON,
        "1.5, ExceptionHandler.java: CA, certificate or end entity"),
    ROW(REVOKE, 400, EJBCA("400", "Invalid revocation reason"), BACKEND_STOP,
        "1.5, ExceptionHandler.java; #987"),
    ROW(REVOKE, 401, EJBCA("401", "no client certificate"), BACKEND_STOP,
        "beside 1.5: no client certificate"),
    ROW(REVOKE, 403, EJBCA("403", "not authorized to CA"), BACKEND_STOP, "1.5, ExceptionHandler.java"),
    ROW(REVOKE, 422, EJBCA("422", "back date is not allowed"), BACKEND_STOP, "1.5, ExceptionHandler.java"),
    ROW(REVOKE, 503, EJBCA("503", "CA is offline"), BACKEND_WAIT, "1.5, ExceptionHandler.java: HSM or CA"),
    ROW(REVOKE, 504, "", BACKEND_ASK, "3: timeouts, here of a proxy"),
    {STATUS, 200, EJBCA_REVOKED("PRIVILEGES_WITHDRAWN", "2026-11-22T14:21:56.123Z", "true"), BACKEND_BEFORE,
     "1.5: revocationstatus", NOW, "privilegeWithdrawn"},
    ROW(STATUS, 200, "{\"issuer_dn\":\"CN=My CA\",\"serial_number\":\"F001\",\"revoked\":false}",
        BACKEND_NOT_REVOKED, "1.5: revocationstatus"),
    ROW(STATUS, 200, EJBCA_REVOKED("NOT_REVOKED", "2026-11-22T14:21:56Z", "false"), BACKEND_NOT_REVOKED,
        "1.5: revocationstatus, whatever date it names"),
    ROW(STATUS, 200, "{\"revocation_date\":\"2026-11-22T14:21:56Z\"}", BACKEND_ASK, "unlike 1.5: no revoked"),
    ROW(STATUS, 200, EJBCA_REVOKED("SUPERSEDED", "yesterday", "true"), BACKEND_ASK, "unlike 1.5: no date"),
    ROW(STATUS, 404, EJBCA("404", "Certificate not found"), BACKEND_PERSON, "1.5: if unknown"),
    ROW(STATUS, 401, EJBCA("401", "no client certificate"), BACKEND_STOP,
        "beside 1.5: no client certificate"),
    ROW(STATUS, 403, EJBCA("403", "not authorized to CA"), BACKEND_STOP, "1.5, ExceptionHandler.java"),
    ROW(STATUS, 503, EJBCA("503", "CA is offline"), BACKEND_WAIT, "1.5, ExceptionHandler.java: HSM or CA"),
    ROW(PUBLISH, 200, "{\"issuer_dn\":\"x\",\"latest_crl_version\":7,\"all_success\":true}", BACKEND_REVOKED,
        "1.5: createcrl"),
    ROW(PUBLISH, 200, "{\"issuer_dn\":\"x\",\"latest_crl_version\":7,\"all_success\":false}", BACKEND_ASK,
        "1.5: createcrl, a partition failed"),
    ROW(PUBLISH, 200, PAGE, BACKEND_ASK, "unlike 1.5: a login form"),
    ROW(PUBLISH, 401, EJBCA("401", "no client certificate"), BACKEND_STOP,
        "beside 1.5: no client certificate"),
    ROW(PUBLISH, 403, EJBCA("403", "not authorized to CA"), BACKEND_STOP, "1.5, ExceptionHandler.java"),
    ROW(PUBLISH, 404, EJBCA("404", "CA with DN 'CN=x' does not exist."), BACKEND_STOP,
        "1.5, ExceptionHandler.java"),
    ROW(PUBLISH, 503, EJBCA("503", "CA is offline"), BACKEND_WAIT, "1.5, ExceptionHandler.java: HSM or CA"),
};

/* --- step-ca: facts 1.3, source as there smallstep/certificates --- */

#define STEP_CA(code, message) "{\"status\":" code ",\"message\":\"" message "\"}"

static const struct replay step_ca[] = {
    ROW(REVOKE, 200, "{\"status\":\"ok\"}", BACKEND_REVOKED, "1.3, api/revoke.go"),
    ROW(REVOKE, 200, "{\"status\":\"error\"}", BACKEND_ASK, "unlike 1.3: another status"),
    ROW(REVOKE, 200, PAGE, BACKEND_ASK, "unlike 1.3: a login form"),
    ROW(REVOKE, 400,
        STEP_CA("400",
                "The request could not be completed: certificate with serial number '61441' is already "
                "revoked."),
        BACKEND_BEFORE, "1.3, authority/tls.go"),
    ROW(REVOKE, 401, STEP_CA("401", "The request lacked necessary authorization to be completed."),
        BACKEND_STOP, "1.3, api/revoke.go: a token that is wrong, late or used"),
    ROW(REVOKE, 403, STEP_CA("403", "The request was forbidden by the certificate authority."), BACKEND_STOP,
        "3; api/revoke.go"),
    ROW(REVOKE, 400, STEP_CA("400", "The request could not be completed: reasonCode out of bounds."),
        BACKEND_STOP, "1.3, api/revoke.go"),
    ROW(REVOKE, 404, STEP_CA("404", "The requested resource could not be found."), BACKEND_STOP,
        "beside 1.3: another path"),
    ROW(REVOKE, 501, STEP_CA("501", "The requested method is not implemented by the certificate authority."),
        BACKEND_STOP, "1.3, api/revoke.go: not passive"),
    ROW(REVOKE, 429, "slow down", BACKEND_WAIT, "beside 1.3: no limit of its own, a proxy in front"),
    ROW(REVOKE, 503, UPSTREAM, BACKEND_WAIT, "3: 5xx, a proxy in front"),
    ROW(REVOKE, 500, STEP_CA("500", "The certificate authority encountered an Internal Server Error."),
        BACKEND_ASK, "3: 5xx, after which nobody knows"),
};

/* --- Dogtag: facts 1.8, source as there dogtagpki/pki --- */

#define DOGTAG(code, message) "{\"Code\":" code ",\"Message\":\"" message "\"}"
#define DOGTAG_REQUEST(status, result)                                                                       \
    "{\"requestID\":\"0x7\",\"requestType\":\"revocation\",\"requestStatus\":\"" status                      \
    "\",\"operationResult\":\"" result "\"}"
#define DOGTAG_CERT(status) "{\"id\":\"0xf001\",\"Status\":\"" status "\"}"
#define DOGTAG_CRL(word)                                                                                     \
    "<xml><header><crlIssuingPoint>MasterCRL</crlIssuingPoint><crlUpdate>" word "</crlUpdate></header></"    \
    "xml>"

static const struct replay dogtag[] = {
    ROW(PREPARE, 200, "{\"id\":\"0xf001\",\"Status\":\"VALID\",\"Nonce\":7}", BACKEND_REVOKED,
        "1.8, AgentCertServlet"),
    ROW(PREPARE, 200, DOGTAG_CERT("VALID"), BACKEND_WAIT, "1.8: ca.enableNonces=false"),
    ROW(PREPARE, 404, DOGTAG("404", "Certificate ID 0xf001 not found"), BACKEND_UNKNOWN, "1.8"),
    ROW(PREPARE, 404, "", BACKEND_PERSON, "beside 1.8: another path"),
    ROW(PREPARE, 401, DOGTAG("401", "no agent's certificate"), BACKEND_STOP, "1.8: wrong agent"),
    ROW(PREPARE, 403, DOGTAG("403", "Authorization Error"), BACKEND_STOP, "beside 1.8: no right"),
    ROW(PREPARE, 503, UPSTREAM, BACKEND_WAIT, "beside 1.8: it is not up (RFC 9110 section 15.6.4)"),
    ROW(REVOKE, 200, DOGTAG_REQUEST("complete", "success"), BACKEND_REVOKED, "1.8, RevocationProcessor"),
    ROW(REVOKE, 200, DOGTAG_REQUEST("complete", "error"), BACKEND_ASK, "1.8: check both"),
    ROW(REVOKE, 200, DOGTAG_REQUEST("x", "success"), BACKEND_ASK, "1.8: check both"),
    ROW(REVOKE, 200, DOGTAG_REQUEST("pending", "success"), BACKEND_PERSON,
        "1.8: check both; waits for approval"),
    ROW(REVOKE, 400, DOGTAG("400", "certificate #0xf001 has already been revoked"), BACKEND_BEFORE,
        "1.8, RevocationProcessor"),
    ROW(REVOKE, 400, DOGTAG("400", "Invalid nonce"), BACKEND_ASK, "1.8: another 400 is not told"),
    ROW(REVOKE, 404, DOGTAG("404", "Certificate ID 0xf001 not found"), BACKEND_UNKNOWN, "1.8"),
    ROW(REVOKE, 404, "", BACKEND_ASK, "beside 1.8: another path"),
    ROW(REVOKE, 401, DOGTAG("401", "no agent's certificate"), BACKEND_STOP, "1.8: wrong agent"),
    ROW(REVOKE, 403, DOGTAG("403", "Authorization Error"), BACKEND_STOP, "beside 1.8: no right"),
    ROW(REVOKE, 503, UPSTREAM, BACKEND_WAIT, "beside 1.8: it is not up (RFC 9110 section 15.6.4)"),
    ROW(STATUS, 200, DOGTAG_CERT("VALID"), BACKEND_NOT_REVOKED, "1.8: /ca/v2/certs"),
    ROW(STATUS, 200, DOGTAG_CERT("REVOKED"), BACKEND_BEFORE, "1.8: /ca/v2/certs"),
    ROW(STATUS, 200, DOGTAG_CERT("REVOKED_EXPIRED"), BACKEND_BEFORE, "1.8: /ca/v2/certs"),
    ROW(STATUS, 200, DOGTAG_CERT("EXPIRED"), BACKEND_PERSON, "1.8: /ca/v2/certs"),
    ROW(STATUS, 200, DOGTAG_CERT("INVALID"), BACKEND_ASK, "1.8: /ca/v2/certs, not valid yet"),
    ROW(STATUS, 404, DOGTAG("404", "Certificate ID 0xf001 not found"), BACKEND_UNKNOWN, "1.8"),
    ROW(STATUS, 404, "", BACKEND_ASK, "beside 1.8: another path"),
    ROW(STATUS, 401, DOGTAG("401", "no agent's certificate"), BACKEND_STOP, "1.8: wrong agent"),
    ROW(STATUS, 503, UPSTREAM, BACKEND_WAIT, "beside 1.8: it is not up (RFC 9110 section 15.6.4)"),
    ROW(PUBLISH, 200, DOGTAG_CRL("Success"), BACKEND_REVOKED, "1.8: updateCRL; freeipa dogtag.py"),
    ROW(PUBLISH, 200, DOGTAG_CRL("Scheduled"), BACKEND_REVOKED, "1.8: updateCRL; freeipa dogtag.py"),
    ROW(PUBLISH, 200, DOGTAG_CRL("inProgress"), BACKEND_REVOKED, "1.8: updateCRL; freeipa dogtag.py"),
    ROW(PUBLISH, 200, DOGTAG_CRL("Failure"), BACKEND_ASK, "1.8: updateCRL; freeipa dogtag.py"),
    ROW(PUBLISH, 401, "", BACKEND_STOP, "1.8: wrong agent"),
    ROW(PUBLISH, 403, "", BACKEND_STOP, "beside 1.8: no right"),
    ROW(PUBLISH, 404, "", BACKEND_STOP, "beside 1.8: another path"),
};

/* --- DigiCert CertCentral: facts 1.10, after dev.digicert.com --- */

#define DIGICERT(code, message) "{\"errors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}"
#define DIGICERT_REQUEST(status)                                                                             \
    "{\"id\":123,\"date\":\"2026-11-22T14:21:56+00:00\",\"type\":\"revoke\",\"status\":\"" status "\"}"
#define DIGICERT_REQUESTS(status) "{\"id\":112233,\"requests\":[{\"id\":123,\"status\":\"" status "\"}]}"

static const struct replay digicert[] = {
    ROW(REVOKE, 200, "", BACKEND_REVOKED, "1.10, revoke-certificate: skip_approval"),
    ROW(REVOKE, 204, "", BACKEND_REVOKED, "1.10, revoke-certificate: skip_approval"),
    ROW(REVOKE, 202, "", BACKEND_ASK, "beside 1.10: accepted is not done (RFC 9110 section 15.3.3)"),
    ROW(REVOKE, 200, "<html>maintenance</html>", BACKEND_ASK, "unlike 1.10: not empty"),
    ROW(REVOKE, 200, DIGICERT_REQUEST("pending"), BACKEND_PERSON, "1.10, revoke-certificate"),
    ROW(REVOKE, 201, DIGICERT_REQUEST("pending"), BACKEND_PERSON, "1.10, revoke-certificate: 2xx"),
    ROW(REVOKE, 200, DIGICERT_REQUEST("submitted"), BACKEND_ASK, "unlike 1.10: not pending"),
    ROW(REVOKE, 200, DIGICERT_REQUESTS("pending"), BACKEND_PERSON, "beside 1.10: pending, in a list"),
    ROW(REVOKE, 201, DIGICERT_REQUESTS("pending"), BACKEND_PERSON, "beside 1.10: pending, in a list"),
    ROW(REVOKE, 200, DIGICERT_REQUESTS("submitted"), BACKEND_ASK, "unlike 1.10: not pending"),
    ROW(REVOKE, 404, DIGICERT("not_found", "The certificate was not found"), BACKEND_UNKNOWN, "3: 404"),
    ROW(REVOKE, 404, "<html>no such page</html>", BACKEND_ASK, "beside 3: another path"),
    ROW(REVOKE, 401, DIGICERT("invalid_api_key", "x"), BACKEND_STOP, "3: 401"),
    ROW(REVOKE, 403, DIGICERT("access_denied", "x"), BACKEND_STOP, "3: 403"),
    ROW(REVOKE, 429, DIGICERT("request_limit_exceeded", "Service unavailable, please limit your requests"),
        BACKEND_WAIT, "1.10, rate-limits"),
    ROW(REVOKE, 503, "<html>maintenance</html>", BACKEND_WAIT,
        "beside 1.10: it is not up (RFC 9110 section 15.6.4)"),
    ROW(REVOKE, 500, "", BACKEND_ASK, "3: timeouts"),
};

#define PRODUCT(name, rows, token, signs)                                                                    \
    {                                                                                                        \
        name, rows, sizeof rows / sizeof *rows, token, signs                                                 \
    }

static const struct product {
    const char *profile;
    const struct replay *rows;
    size_t count;
    bool token, signs;
} products[] = {
    PRODUCT("cfssl", cfssl, false, false),   PRODUCT("vault", vault, true, false),
    PRODUCT("ejbca", ejbca, false, false),   PRODUCT("step-ca", step_ca, false, true),
    PRODUCT("dogtag", dogtag, false, false), PRODUCT("digicert", digicert, true, false),
};

#define PRODUCTS (sizeof products / sizeof *products)

/* --- what becomes of each --- */

static char folder[STOCK_PATH], ca_pem[STOCK_PATH + 32], token[STOCK_PATH + 32], key[STOCK_PATH + 32];
static struct fake_http server;
static const struct replay *played;

static struct utc fixed_now(void *s)
{
    (void)s;
    return (struct utc){NOW};
}

/* Only Dogtag's revocations are prepared: where another request than the one of the row comes, it goes well.
 */
static void play(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    (void)context;
    bool looks = strncmp(q->line, "GET /ca/v2/agent/", 17) == 0;
    if (looks != (played->kind == PREPARE))
        fake_answer(reply, 200, "", looks ? "{\"Nonce\":7}" : DOGTAG_REQUEST("complete", "success"));
    else
        fake_answer(reply, played->http, "", played->body);
}

static struct ca_answer answer;
static size_t answered;

static void collect(void *context, const struct ca_answer *answers, size_t count)
{
    (void)context;
    answered += count;
    answer = answers[0];
}

static struct ca_door *open_door(const struct product *p)
{
    struct settings_issuer issuer = {.certificate_file = ca_pem, .name = "CN=My CA,O=A/B, Inc.,C=SE"};
    struct settings_ca s = {.name = "t",
                            .backend = "http",
                            .rate = {2000, 1},
                            .concurrency = 1,
                            .http = {.profile = p->profile,
                                     .url = server.url,
                                     .token_file = p->token ? token : NULL,
                                     .token_key_file = p->signs ? key : NULL,
                                     .token_issuer = p->signs ? "admin@example" : NULL,
                                     .timeout = {5}},
                            .issuers = &issuer,
                            .issuer_count = 1};
    struct ca_door *door;
    struct fault f = {0};
    if (!ca_http_open(&s, CA_LIST_ISSUER, (struct clock){.now = fixed_now}, &door, &f))
        fail_msg("%s", f.text);
    door->answer = collect;
    return door;
}

/* Puts one certificate's request and waits; what the last step said. */
static bool ask_one(struct ca_door *door, enum kind kind, struct fault *f)
{
    struct ca_item one = {.issuer = CA_LIST_ISSUER, .serial = {.n = 2, .bytes = {0xF0, 0x01}}};
    bool busy = true;
    bool ok = kind == STATUS ? door->ops->status(door, &one, 1, f) : door->ops->revoke(door, &one, 1, f);
    assert_true(ok);
    while (ok && busy) {
        ca_wait(door, 5000);
        ok = door->ops->step(door, &busy, f);
    }
    return ok;
}

/* How each meaning ends for a door that has one place. */
static const struct {
    enum ca_outcome outcome;
    enum fault_kind fault;
} ends[BACKEND_MEANING_COUNT] = {
    [BACKEND_REVOKED] = {CA_REVOKED_NOW, FAULT_NONE},
    [BACKEND_BEFORE] = {CA_REVOKED_BEFORE, FAULT_NONE},
    [BACKEND_NOT_REVOKED] = {CA_NOT_REVOKED, FAULT_NONE},
    [BACKEND_UNKNOWN] = {CA_UNKNOWN, FAULT_NONE},
    [BACKEND_WAIT] = {CA_WAIT, FAULT_UNAVAILABLE},
    [BACKEND_ASK] = {CA_ASK, FAULT_UNAVAILABLE},
    [BACKEND_STOP] = {CA_WAIT, FAULT_CONFIG},
    [BACKEND_PERSON] = {CA_PERSON, FAULT_NONE},
};

static void check(const struct product *p, const struct replay *r)
{
    struct fault f = {0};
    struct ca_door *door = open_door(p);
    int before = atomic_load(&server.requests);
    bool prepared = strcmp(p->profile, "dogtag") == 0 &&
                    (r->kind == REVOKE || (r->kind == PREPARE && r->meaning == BACKEND_REVOKED));
    bool crl = r->kind == PUBLISH;
    played = r;
    answered = 0;
    bool ok = crl ? ca_list_publish(door, (struct utc){NOW}, &f) : ask_one(door, r->kind, &f);
    ca_close(door);
    if (ok != (ends[r->meaning].fault == FAULT_NONE) || (!ok && f.kind != ends[r->meaning].fault))
        fail_msg("%s %d %s (%s): fault %d: %s", p->profile, r->http, r->body, r->cite, f.kind, f.text);
    assert_int_equal(atomic_load(&server.requests), before + 1 + prepared);
    assert_int_equal(answered, !crl);
    if (crl)
        return;
    int reason = r->reason == NULL ? -1 : reason_from_name(str_of(r->reason));
    if (answer.outcome != ends[r->meaning].outcome || answer.reason != reason ||
        answer.at.s != (r->at == 0 ? UTC_NONE.s : r->at))
        fail_msg("%s %d %s (%s): outcome %d, at %lld, reason %d", p->profile, r->http, r->body, r->cite,
                 answer.outcome, (long long)answer.at.s, answer.reason);
}

static void each_answer_as_the_facts_have_it(void **state)
{
    (void)state;
    for (size_t p = 0; p < PRODUCTS; p++)
        for (size_t i = 0; i < products[p].count; i++)
            check(&products[p], &products[p].rows[i]);
}

/* --- is each entry needed? --- */

/* What can be taken away from an entry. */
enum way { WHOLE, RANGE, JSON, IS, CONTAINS, EMPTY, DATE, REASON, WAY_COUNT };

/* False: it has no such thing. */
static bool spoil(struct backend_row *row, enum way way)
{
    struct backend_row was = *row;
    switch (way) {
    case WHOLE:
        row->http_from = row->http_to = 0;
        return true;
    case RANGE:
        row->http_to = row->http_from;
        return was.http_to > was.http_from;
    case JSON:
        row->json = row->is = NULL;
        return was.json != NULL;
    case IS:
        row->is = NULL;
        return was.is != NULL;
    case CONTAINS:
        row->contains = NULL;
        return was.contains != NULL;
    case EMPTY:
        row->empty = false;
        return was.empty && was.http_from != 204; /* which has no body anyway */
    case DATE:
        row->date = NULL;
        return was.date != NULL;
    case REASON:
        row->reason = NULL;
        return was.reason != NULL;
    case WAY_COUNT:
        break;
    }
    return false;
}

/* Is one of the product's answers judged otherwise? */
static bool noticed(const struct product *p, enum kind kind, const struct backend *b,
                    const struct backend_request *whole, const struct backend_request *spoilt)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct replay *r = &p->rows[i];
        struct backend_verdict x = backend_judge(b, whole, r->http, str_of(r->body));
        struct backend_verdict y = backend_judge(b, spoilt, r->http, str_of(r->body));
        if (r->kind == kind && (x.meaning != y.meaning || x.at.s != y.at.s || x.reason != y.reason))
            return true;
    }
    return false;
}

static void check_request(const struct product *p, enum kind kind, const struct backend *b,
                          const struct backend_request *r)
{
    static const char *const names[KIND_COUNT] = {"prepare", "revoke", "status", "publish"};
    static const char *const ways[WAY_COUNT] = {"itself",     "its `to`",       "its `json`",
                                                "its `is`",   "its `contains`", "its `empty`",
                                                "its `date`", "its `reason`"};
    for (size_t i = 0; i < r->row_count; i++)
        for (int way = 0; way < WAY_COUNT; way++) {
            struct backend_row rows[100];
            struct backend_request spoilt = *r;
            memcpy(rows, r->rows, r->row_count * sizeof *rows);
            spoilt.rows = rows;
            if (spoil(&rows[i], (enum way)way) && !noticed(p, kind, b, r, &spoilt))
                fail_msg("%s: %s: no answer needs entry %zu (http %ld): %s", p->profile, names[kind], i + 1,
                         r->rows[i].http_from, ways[way]);
        }
}

/* Reads a profile of plans/backends; false when it is none of HTTP. */
static bool read_profile(const char *file, struct arena *a, struct backend *out)
{
    struct fault f = {0};
    struct str bytes;
    const char *path = arena_format(a, "plans/backends/%s", file);
    if (!file_read(path, 1 << 20, a, &bytes, &f))
        fail_msg("%s", f.text);
    if (memmem(bytes.p, bytes.n, "\ninterface = ", 13) != NULL)
        return false;
    if (!backend_read(NULL, path, a, out, &f))
        fail_msg("%s", f.text);
    return true;
}

static const struct product *product_named(const char *name)
{
    for (size_t p = 0; p < PRODUCTS; p++)
        if (strcmp(products[p].profile, name) == 0)
            return &products[p];
    fail_msg("%s: no answer of it is replayed", name);
    return NULL;
}

static void each_entry_is_needed(void **state)
{
    (void)state;
    size_t profiles = 0;
    DIR *all = opendir("plans/backends");
    assert_non_null(all);
    for (struct dirent *e; (e = readdir(all)) != NULL;) {
        AUTO_ARENA a = {0};
        struct backend b;
        if (strstr(e->d_name, ".cfg") == NULL || !read_profile(e->d_name, &a, &b))
            continue;
        const struct backend_request *requests[KIND_COUNT] = {&b.prepare, &b.revoke, &b.status, &b.publish};
        for (int kind = 0; kind < KIND_COUNT; kind++)
            check_request(product_named(b.name), (enum kind)kind, &b, requests[kind]);
        profiles++;
    }
    closedir(all);
    assert_int_equal(profiles, PRODUCTS);
}

static void each_answer_is_cited(void **state)
{
    (void)state;
    for (size_t p = 0; p < PRODUCTS; p++)
        for (size_t i = 0; i < products[p].count; i++) {
            const char *cite = products[p].rows[i].cite;
            cite += strncmp(cite, "unlike ", 7) == 0 || strncmp(cite, "beside ", 7) == 0 ? 7 : 0;
            assert_true(strncmp(cite, "1.", 2) == 0 || strncmp(cite, "3:", 2) == 0 ||
                        strncmp(cite, "3;", 2) == 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_answer_as_the_facts_have_it),
                                       cmocka_unit_test(each_entry_is_needed),
                                       cmocka_unit_test(each_answer_is_cited)};
    stock_folder(folder);
    if (!stock_ca(folder, 1, 0))
        return 1;
    snprintf(ca_pem, sizeof ca_pem, "%s/ca.pem", folder);
    snprintf(token, sizeof token, "%s/token", folder);
    snprintf(key, sizeof key, "%s/ca.key", folder);
    stock_write(folder, "token", str_of("s.token\n"));
    fake_http_start(&server, 0, play, NULL);
    int failed = cmocka_run_group_tests_name("ca_replay", tests, NULL, NULL);
    fake_http_stop(&server);
    stock_remove(folder);
    return failed;
}
