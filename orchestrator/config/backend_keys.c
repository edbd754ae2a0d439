#include "backend_keys.h"
#include "massrevoke/file.h"
#include "massrevoke/hex.h"

#include <ctype.h>

/* Which backend each key is for, and whether that backend needs it. */
static const struct {
    const char *key, *backend;
    bool needed;
} owners[] = {
    {"directory", "ca_openssl", true},
    {"config_file", "ca_openssl", false},
    {"key_password_file", "ca_openssl", false},
    {"crl_validity", "ca_openssl", false},
    {"profile", "http", true},
    {"url", "http", true},
    {"token_file", "http", false},
    {"ca_file", "http", false},
    {"client_certificate_file", "http", false},
    {"client_key_file", "http", false},
    {"authority_key", "http", false},
    {"record_conninfo", "http", false},
    {"timeout", "http", false},
};

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Passwords and tokens may leave this machine under TLS only. */
static void check_url(struct guard *g, const struct guard_node *n)
{
    static const char *const here[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    if (!n->given)
        return;
    bool fine = begins(n->text, "https://");
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        char after = begins(n->text, here[i]) ? n->text[strlen(here[i])] : '!';
        fine = fine || after == '\0' || after == ':' || after == '/';
    }
    if (!fine)
        guard_problem(g, n, "expected https://host; http:// only for 127.0.0.1, [::1] and localhost");
    if (strchr(n->text, '@') != NULL)
        guard_problem(g, n, "a user or password has no place here");
    for (const char *c = n->text; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '?' || *c == '#') {
            guard_problem(g, n, "blanks, '?' and '#' have no place here");
            return;
        }
}

void backend_keys_check_conninfo(struct guard *g, const struct guard_node *n)
{
    const char *text = n->given ? n->text : "", *at = strchr(text, '@'), *scheme = strstr(text, "://");
    bool in_url = begins(text, "postgres") && scheme != NULL && at != NULL &&
                  memchr(scheme + 3, ':', at > scheme + 3 ? (size_t)(at - scheme - 3) : 0) != NULL;
    if (in_url || strstr(text, "password") != NULL)
        guard_problem(g, n, "a password has no place here; use passfile=, service= or ~/.pgpass");
}

static void check_authority_key(struct guard *g, const struct guard_node *n)
{
    size_t digits = 0;
    if (!n->given || strcmp(n->text, "none") == 0)
        return;
    while (hex_digit(n->text[digits]) >= 0)
        digits++;
    if (n->text[digits] != '\0' || digits % 2 != 0)
        guard_problem(g, n, "expected \"none\" or hexadecimal octets without colons");
}

void backend_keys_check(struct guard *g, const struct guard_node *ca)
{
    const char *backend = guard_text(ca, "backend", "");
    bool known = false; /* a misspelt one is a problem of its own */
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        known = known || strcmp(owners[i].backend, backend) == 0;
    for (size_t i = 0; known && i < sizeof owners / sizeof *owners; i++) {
        const struct guard_node *n = guard_get(ca, owners[i].key);
        bool own = strcmp(owners[i].backend, backend) == 0;
        if (own && owners[i].needed && !n->given)
            guard_problem(g, n, "required by backend %s, but missing", backend);
        if (!own && n->given)
            guard_problem(g, n, "is a key of backend %s, not of %s", owners[i].backend, backend);
    }
    check_url(g, guard_get(ca, "url"));
    backend_keys_check_conninfo(g, guard_get(ca, "record_conninfo"));
    check_authority_key(g, guard_get(ca, "authority_key"));
    const struct guard_node *certificate = guard_get(ca, "client_certificate_file");
    if (certificate->given != guard_get(ca, "client_key_file")->given)
        guard_problem(g, certificate, "give client_certificate_file and client_key_file, or neither");
}

/* As for other profiles: a name with '/' or ending in .cfg is a file. */
static const char *profile_of(struct guard *g, const struct guard_node *ca)
{
    const char *name = guard_text(ca, "profile", NULL);
    size_t n = name == NULL ? 0 : strlen(name);
    bool path = name != NULL && (strchr(name, '/') != NULL || (n > 4 && strcmp(name + n - 4, ".cfg") == 0));
    return path ? file_join(g->arena, g->folder, name) : name;
}

struct settings_http backend_keys_http(struct guard *g, const struct guard_node *ca)
{
    const char *given = guard_text(ca, "url", ""), *key = guard_text(ca, "authority_key", NULL);
    char *url = arena_text(g->arena, given), *aki = arena_text(g->arena, key);
    for (size_t n = strlen(url); n > 0 && url[n - 1] == '/';)
        url[--n] = '\0';
    for (char *c = aki; c != NULL && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return (struct settings_http){
        .profile = profile_of(g, ca),
        .plans_dir = guard_text(&g->root, "plans_dir", NULL),
        .url = url,
        .token_file = guard_text(ca, "token_file", NULL),
        .ca_file = guard_text(ca, "ca_file", NULL),
        .client_certificate_file = guard_text(ca, "client_certificate_file", NULL),
        .client_key_file = guard_text(ca, "client_key_file", NULL),
        .authority_key = aki != NULL && strcmp(aki, "none") == 0 ? "" : aki,
        .record_conninfo = guard_text(ca, "record_conninfo", NULL),
        .timeout = guard_span(ca, "timeout", (struct span){30}),
    };
}
