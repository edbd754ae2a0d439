/* export: what other systems must know of a campaign. */
#include "massrevoke/file.h"
#include "session.h"

#include <stdio.h>

/* BR 6.1.1.3: a key that is known to be compromised is not certified again. */
static void blocklist(const struct session *s, const struct digest *keys, size_t n, struct buf *out)
{
    char time[UTC_TEXT], hex[DIGEST_TEXT];
    buf_format(
        out,
        "# SHA-256 of the SubjectPublicKeyInfo (DER) of keys that are compromised: refuse them (BR 6.1.1.3)\n"
        "# campaign %s, %s, %zu keys\n",
        s->campaign.name, utc_format(s->clock.now(s->clock.self), time), n);
    for (size_t i = 0; i < n; i++)
        buf_format(out, "%s\n", digest_hex(keys[i], hex));
}

bool cmd_export(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_BUF out = {0};
    struct digest *keys;
    size_t n;
    const char *path = in->values[OPTION_BLOCKLIST];
    (void)exit_code;
    if (!option_required(in, OPTION_BLOCKLIST, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_blocked_keys(s.store, s.campaign.id, &s.arena, &keys, &n, f))
        return false;
    blocklist(&s, keys, n, &out);
    if (strcmp(path, "-") == 0) {
        fputs(out.p, stdout);
        return true;
    }
    if (!file_write(path, buf_str(&out), 0644, f))
        return false;
    printf("%zu keys written to %s\n", n, path);
    return true;
}
