#include "pebble.h"

#include "massrevoke/cert.h"
#include "massrevoke/cms.h"
#include "massrevoke/file.h"
#include "massrevoke/json.h"
#include "massrevoke/jws.h"
#include "shell.h"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void must(bool ok, const char *what, const char *why)
{
    if (ok)
        return;
    fprintf(stderr, "pebble: %s: %s\n", what, why);
    abort();
}

bool pebble_there(void)
{
    return shell_has("pebble");
}

/* --- HTTP, one request after the other --- */

struct answer {
    long http;
    struct buf body;
    const char *nonce, *location;
};

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    buf_add(context, bytes, size * count);
    return size * count;
}

static const char *header_of(struct pebble *p, CURL *easy, const char *name)
{
    struct curl_header *h = NULL;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK
               ? arena_text(&p->arena, h->value)
               : NULL;
}

static bool ask(struct pebble *p, const char *url, const char *body, struct answer *out)
{
    static CURL *easy;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/jose+json");
    if (easy == NULL)
        easy = curl_easy_init();
    curl_easy_reset(easy);
    *out = (struct answer){0};
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, p->ca_pem);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &out->body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (body != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    bool ok = curl_easy_perform(easy) == CURLE_OK;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out->http);
    out->nonce = header_of(p, easy, "Replay-Nonce");
    out->location = header_of(p, easy, "Location");
    curl_slist_free_all(headers);
    return ok;
}

/* A signed request; refused nonces are simply tried again. */
static void post(struct pebble *p, const char *key_file, const char *kid, const char *url,
                 const char *payload, struct answer *out)
{
    struct fault f = {0};
    struct evp_pkey_st *key;
    must(key_load(key_file, NULL, &key, &f), key_file, f.text);
    for (int i = 0; i < 200; i++) {
        AUTO_BUF header = {0};
        AUTO_BUF body = {0};
        struct answer nonce;
        must(ask(p, p->new_nonce, NULL, &nonce) && nonce.nonce != NULL, "nonce", "none");
        buf_free(&nonce.body);
        buf_format(&header, "{\"alg\":\"ES256\",\"nonce\":\"%s\",\"url\":\"%s\",", nonce.nonce, url);
        if (kid != NULL)
            buf_format(&header, "\"kid\":\"%s\"}", kid);
        else
            must((buf_text(&header, "\"jwk\":"), jws_public_key(key, &header, &f)) &&
                     (buf_text(&header, "}"), true),
                 "key", f.text);
        must(jws_flat(key, buf_str(&header), str_of(payload), &body, &f), "JWS", f.text);
        must(ask(p, url, body.p, out), url, "no answer");
        if (out->http < 400 || strstr(out->body.p, "badNonce") == NULL)
            break;
        buf_free(&out->body);
    }
    key_release(key);
    must(out->http < 400, url, out->body.p);
}

static const char *member(struct pebble *p, const struct answer *a, const char *key)
{
    struct fault f = {0};
    json_t *doc;
    must(json_read("pebble", buf_str(&a->body), &doc, &f), "JSON", f.text);
    const json_t *value = json_object_get(doc, key);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    if (json_is_object(value))
        value = json_object_get(value, "url");
    const char *text = arena_text(&p->arena, json_string_value(value));
    json_decref(doc);
    return text;
}

/* --- starting --- */

static void run_tool(struct pebble *p, const char *command)
{
    must(stock_run(p->folder, command) == 0, command, "failed");
}

static void write_files(struct pebble *p)
{
    run_tool(
        p,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout server.key -out server.pem");
    static const char *const keys[] = {"account.key", "other.key", "subscriber.key"};
    for (size_t i = 0; i < 3; i++)
        run_tool(p, arena_format(&p->arena,
                                 "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s",
                                 keys[i]));
    run_tool(
        p,
        "openssl req -new -key subscriber.key -subj / -addext subjectAltName=DNS:a.example -outform DER -out "
        "csr.der");
    const char *config = arena_format(
        &p->arena,
        "{\"pebble\":{\"listenAddress\":\"127.0.0.1:%d\",\"managementListenAddress\":\"127.0.0.1:%d\","
        "\"certificate\":\"server.pem\",\"privateKey\":\"server.key\",\"httpPort\":5002,\"tlsPort\":5001,"
        "\"ocspResponderURL\":\"\",\"externalAccountBindingRequired\":false}}",
        p->port, p->management);
    stock_write(p->folder, "config.json", str_of(config));
    char path[STOCK_PATH + 32];
    snprintf(path, sizeof path, "%s/certs", p->folder);
    must(mkdir(path, 0700) == 0, path, "can't be made");
}

static const char *register_account(struct pebble *p, const char *key)
{
    struct answer a;
    post(p, key, NULL, p->new_account, "{\"termsOfServiceAgreed\":true}", &a);
    buf_free(&a.body);
    must(a.location != NULL, "account", "no Location");
    return a.location;
}

void pebble_start(struct pebble *p, int reject)
{
    struct answer a;
    *p = (struct pebble){0};
    stock_folder(p->folder);
    p->port = stock_port();
    p->management = stock_port();
    snprintf(p->directory, sizeof p->directory, "https://127.0.0.1:%d/dir", p->port);
    snprintf(p->ca_pem, sizeof p->ca_pem, "%s/server.pem", p->folder);
    snprintf(p->issuer_pem, sizeof p->issuer_pem, "%s/issuer.pem", p->folder);
    snprintf(p->account_key, sizeof p->account_key, "%s/account.key", p->folder);
    snprintf(p->other_key, sizeof p->other_key, "%s/other.key", p->folder);
    snprintf(p->subscriber_key, sizeof p->subscriber_key, "%s/subscriber.key", p->folder);
    write_files(p);
    setenv("PEBBLE_VA_NOSLEEP", "1", 1);
    setenv("PEBBLE_VA_ALWAYS_VALID", "1", 1);
    setenv("PEBBLE_AUTHZREUSE", "100", 1);
    setenv("PEBBLE_WFE_NONCEREJECT", arena_format(&p->arena, "%d", reject), 1);
    p->pid = stock_start(p->folder, "pebble -config config.json");
    must(stock_wait_port(p->port) && stock_wait_port(p->management), "pebble", "does not listen");
    must(ask(p, p->directory, NULL, &a), "directory", "no answer");
    p->new_nonce = member(p, &a, "newNonce");
    p->new_account = member(p, &a, "newAccount");
    p->new_order = member(p, &a, "newOrder");
    buf_free(&a.body);
    must(ask(p, arena_format(&p->arena, "https://127.0.0.1:%d/intermediates/0", p->management), NULL, &a),
         "issuer", "no answer");
    stock_write(p->folder, "issuer.pem", buf_str(&a.body));
    buf_free(&a.body);
    p->account = register_account(p, p->account_key);
    p->other = register_account(p, p->other_key);
}

void pebble_stop(struct pebble *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGCONT);
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    stock_remove(p->folder);
    arena_free(&p->arena);
}

/* --- certificates --- */

/* Asks a resource (POST-as-GET) until its status is one of the two. */
static void wait_for(struct pebble *p, const char *url, const char *status, const char *or_status,
                     struct answer *out)
{
    for (int i = 0; i < 200; i++) {
        post(p, p->account_key, p->account, url, "", out);
        const char *is = member(p, out, "status");
        if (strcmp(is, status) == 0 || strcmp(is, or_status) == 0)
            return;
        must(strcmp(is, "invalid") != 0, url, out->body.p);
        buf_free(&out->body);
        poll(NULL, 0, 20);
    }
    must(false, url, "never became ready");
}

static void authorize(struct pebble *p, const char *authorization)
{
    struct answer a;
    post(p, p->account_key, p->account, authorization, "", &a);
    const char *status = member(p, &a, "status"), *challenge = member(p, &a, "challenges");
    buf_free(&a.body);
    if (strcmp(status, "valid") == 0)
        return;
    post(p, p->account_key, p->account, challenge, "{}", &a);
    buf_free(&a.body);
    wait_for(p, authorization, "valid", "valid", &a);
    buf_free(&a.body);
}

static const char *finalize(struct pebble *p, const char *order, const char *url)
{
    struct fault f = {0};
    struct str csr;
    struct answer a;
    AUTO_BUF payload = {0};
    must(file_read(arena_format(&p->arena, "%s/csr.der", p->folder), 8192, &p->arena, &csr, &f), "CSR",
         f.text);
    buf_text(&payload, "{\"csr\":\"");
    jws_base64(csr.p, csr.n, &payload);
    buf_text(&payload, "\"}");
    post(p, p->account_key, p->account, url, payload.p, &a);
    buf_free(&a.body);
    wait_for(p, order, "valid", "valid", &a);
    const char *certificate = member(p, &a, "certificate");
    buf_free(&a.body);
    return certificate;
}

struct serial pebble_issue(struct pebble *p)
{
    struct answer a;
    struct cert cert;
    struct fault f = {0};
    char hex[SERIAL_HEX_TEXT];
    post(p, p->account_key, p->account, p->new_order,
         "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", &a);
    const char *order = a.location, *status = member(p, &a, "status"), *finish = member(p, &a, "finalize"),
               *authorization = member(p, &a, "authorizations");
    buf_free(&a.body);
    if (strcmp(status, "ready") != 0) {
        authorize(p, authorization);
        wait_for(p, order, "ready", "valid", &a);
        buf_free(&a.body);
    }
    const char *url = finalize(p, order, finish);
    post(p, p->account_key, p->account, url, "", &a);
    must(cert_read(buf_str(&a.body), &p->arena, &cert, &f), "certificate", f.text);
    stock_write(p->folder, arena_format(&p->arena, "certs/%s.pem", serial_hex(&cert.serial, hex)),
                buf_str(&a.body));
    buf_free(&a.body);
    return cert.serial;
}

bool pebble_status(struct pebble *p, const struct serial *serial, int *reason, int64_t *at)
{
    struct answer a;
    struct fault f = {0};
    char hex[SERIAL_HEX_TEXT];
    json_t *doc;
    *reason = -1;
    *at = 0;
    must(ask(p,
             arena_format(&p->arena, "https://127.0.0.1:%d/cert-status-by-serial/%s", p->management,
                          serial_hex(serial, hex)),
             NULL, &a),
         "status", "no answer");
    bool known = a.http == 200;
    if (known) {
        must(json_read("status", buf_str(&a.body), &doc, &f), "status", f.text);
        const char *date = json_string_value(json_object_get(doc, "RevokedAt"));
        if (strcmp(json_string_value(json_object_get(doc, "Status")), "Revoked") == 0) {
            struct utc t = UTC_NONE;
            *reason = (int)json_integer_value(json_object_get(doc, "Reason"));
            must(date != NULL, "status", "no date");
            /* a Go time: "2026-11-29 10:00:00.5 +0000 UTC" or RFC 3339; the seconds are enough */
            int y, mo, d, h, mi, s;
            must(sscanf(date, "%d-%d-%d%*[ T]%d:%d:%d", &y, &mo, &d, &h, &mi, &s) == 6, "date", date);
            t = utc_from_civil(y, mo, d, h, mi, s);
            *at = t.s;
        }
        json_decref(doc);
    }
    buf_free(&a.body);
    return known;
}
