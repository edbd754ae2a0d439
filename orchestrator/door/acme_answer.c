#include "acme_answer.h"
#include "massrevoke/json.h"

#include <string.h>

#define URN "urn:ietf:params:acme:error:"

/* Answers by their type; the first row that fits. */
static const struct {
    const char *type, *detail; /* detail: words that it must hold; NULL: any */
    enum backend_meaning meaning;
    bool again, who;
} rows[] = {
    {"alreadyRevoked", NULL, BACKEND_BEFORE, false, false},
    {"badNonce", NULL, BACKEND_WAIT, true, false},
    {"rateLimited", NULL, BACKEND_WAIT, false, false},
    /* pebble: "Unable to find specified certificate."; Boulder: "No such certificate" */
    {"malformed", "find", BACKEND_UNKNOWN, false, false},
    {"malformed", "No such", BACKEND_UNKNOWN, false, false},
    {"malformed", NULL, BACKEND_STOP, false, false},
    {"unauthorized", NULL, BACKEND_STOP, false, true},
    {"badRevocationReason", NULL, BACKEND_STOP, false, false},
    {"accountDoesNotExist", NULL, BACKEND_STOP, false, false},
    {"externalAccountRequired", NULL, BACKEND_STOP, false, false},
    {"userActionRequired", NULL, BACKEND_STOP, false, false},
    {"badPublicKey", NULL, BACKEND_STOP, false, true},
    {"badSignatureAlgorithm", NULL, BACKEND_STOP, false, true},
};

static const char *text_of(const json_t *doc, const char *key)
{
    const char *text = json_string_value(json_object_get(doc, key));
    return text == NULL ? "" : text;
}

/* https, or this machine. */
static bool is_address(const char *url)
{
    static const char *const begins[] = {"https://",
                                         "http://127.0.0.1:", "http://[::1]:", "http://localhost:"};
    bool fine = false;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        fine = fine || strncmp(url, begins[i], strlen(begins[i])) == 0;
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '"' || *c == '\\')
            return false;
    return fine && strlen(url) < 1000;
}

bool acme_read_directory(struct str body, struct arena *a, struct acme_directory *out, struct fault *f)
{
    json_t *read = NULL;
    if (!json_read("ACME directory", body, &read, f))
        return false;
    AUTO_JSON *doc = read;
    const char *nonce = text_of(doc, "newNonce"), *account = text_of(doc, "newAccount"),
               *revoke = text_of(doc, "revokeCert");
    if (!is_address(nonce) || !is_address(account) || !is_address(revoke))
        return fault_set(f, FAULT_FAILED, "no ACME directory with newNonce, newAccount and revokeCert");
    *out = (struct acme_directory){arena_text(a, nonce), arena_text(a, account), arena_text(a, revoke)};
    return true;
}

static bool is_blank(struct str s)
{
    return str_trim(s).n == 0;
}

struct acme_verdict acme_judge(long http, struct str body, bool has_nonce)
{
    struct acme_verdict ask = {.meaning = BACKEND_ASK};
    struct fault ignored;
    json_t *read = NULL;
    if (http == 200)
        return is_blank(body) && has_nonce ? (struct acme_verdict){.meaning = BACKEND_REVOKED} : ask;
    if (http == 429 || http == 503) /* refused before it was looked at */
        return (struct acme_verdict){.meaning = BACKEND_WAIT};
    if (http < 400 || http > 499 || !json_read("problem", body, &read, &ignored))
        return ask;
    AUTO_JSON *doc = read;
    const char *type = text_of(doc, "type"), *detail = text_of(doc, "detail");
    if (strncmp(type, URN, strlen(URN)) != 0)
        return ask;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(type + strlen(URN), rows[i].type) == 0 &&
            (rows[i].detail == NULL || strstr(detail, rows[i].detail) != NULL))
            return (struct acme_verdict){rows[i].meaning, rows[i].again, rows[i].who};
    return ask;
}
