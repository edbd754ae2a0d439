#include "ca_http_publish.h"

static bool judge(const struct settings_http *s, const struct backend *b, const struct transfer *t,
                  struct fault *f)
{
    long http = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &http);
    struct backend_verdict v = backend_judge(b, &b->publish, http, buf_str(&t->reply));
    if (v.meaning == BACKEND_REVOKED) /* the rows of `publish` write it "done" */
        return true;
    fault_set(f, v.meaning == BACKEND_STOP ? FAULT_CONFIG : FAULT_UNAVAILABLE,
              "CA at %s: no new CRL: HTTP %ld: %.200s", s->url, http, t->reply.p == NULL ? "" : t->reply.p);
    for (char *p = f->text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            *p = ' '; /* foreign bytes must not steer the terminal */
    return false;
}

bool ca_http_publish(const struct settings_http *s, const struct backend *b,
                     const struct backend_values *values, struct curl_slist *headers, struct fault *f)
{
    struct transfer t = {0};
    bool ok = transfer_open(&t, s, f);
    if (ok) {
        transfer_clear(&t, s->url);
        backend_expand(&b->publish.path, values, &t.url);
        backend_expand(&b->publish.body, values, &t.body);
        ok = transfer_perform(&t, b->publish.method, headers, f) && judge(s, b, &t, f);
    }
    transfer_close(&t);
    return ok;
}
