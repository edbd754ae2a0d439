#include "http_token.h"
#include "massrevoke/cms.h"
#include "massrevoke/digest.h"
#include "massrevoke/hex.h"
#include "massrevoke/json.h"
#include "massrevoke/jws.h"

#include <openssl/rand.h>

#define LIFE INT64_C(300)
#define SKEW INT64_C(30) /* seconds that the CA's clock may be behind ours */

bool http_token_open(const struct settings_http *s, struct arena *a, struct http_token *out, struct fault *f)
{
    AUTO_BUF public = {0};
    AUTO_BUF id = {0};
    *out = (struct http_token){.issuer = arena_text(a, s->token_issuer),
                               .key_id = arena_text(a, s->token_key_id)};
    if (s->token_key_file == NULL)
        return true;
    if (!key_load(s->token_key_file, NULL, &out->key, f))
        return false;
    if (!jws_public_key(out->key, &public, f)) {
        f->kind = FAULT_CONFIG;
        return fault_wrap(f, "%s", s->token_key_file);
    }
    struct digest thumb = digest_of(public.p, public.n);
    jws_base64(thumb.bytes, sizeof thumb.bytes, &id);
    if (out->key_id == NULL)
        out->key_id = arena_text(a, id.p);
    return true;
}

bool http_token_make(const struct http_token *t, const char *audience, const char *subject, struct utc now,
                     struct buf *out, struct fault *f)
{
    unsigned char random[16];
    char jti[2 * sizeof random + 1];
    AUTO_BUF header = {0};
    AUTO_BUF payload = {0};
    if (RAND_bytes(random, sizeof random) != 1)
        return fault_set(f, FAULT_FAILED, "openssl has no random numbers");
    AUTO_JSON *head = json_object(), *claims = json_object();
    json_set_text(head, "alg", jws_algorithm(t->key));
    json_set_text(head, "typ", "JWT");
    json_set_text(head, "kid", t->key_id);
    json_set_text(claims, "iss", t->issuer);
    json_set_text(claims, "aud", audience);
    json_set_text(claims, "sub", subject);
    json_set_text(claims, "jti", hex_lower(random, sizeof random, jti));
    json_set_int(claims, "iat", now.s);
    json_set_int(claims, "nbf", now.s - SKEW);
    json_set_int(claims, "exp", now.s + LIFE);
    json_canonical(head, &header);
    json_canonical(claims, &payload);
    return jws_compact(t->key, buf_str(&header), buf_str(&payload), out, f);
}

void http_token_close(struct http_token *t)
{
    key_release(t->key);
    t->key = NULL;
}
