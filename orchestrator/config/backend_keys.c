#include "backend_keys.h"
#include "massrevoke/file.h"
#include "massrevoke/hex.h"

#include <ctype.h>

#define OPENSSL 1U
#define HTTP 2U
#define SQL 4U
#define ACME 8U
#define EXEC 16U

const char *const backend_keys_names[] = {"ca_openssl", "http", "sql", "acme", "exec", NULL};

/* Which backends each key is for, and which of them need it. */
static const struct {
    const char *key;
    unsigned of, needed;
} owners[] = {
    {"directory", OPENSSL, OPENSSL},
    {"config_file", OPENSSL, 0},
    {"key_password_file", OPENSSL | HTTP | SQL, 0},
    {"crl_validity", OPENSSL | HTTP | SQL, 0},
    {"profile", HTTP | SQL | EXEC, HTTP | SQL | EXEC},
    {"url", HTTP | ACME, HTTP | ACME},
    {"token_file", HTTP, 0},
    {"token_key_file", HTTP, 0},
    {"token_issuer", HTTP, 0},
    {"token_key_id", HTTP, 0},
    {"ca_file", HTTP | ACME, 0},
    {"client_certificate_file", HTTP, 0},
    {"client_key_file", HTTP, 0},
    {"authority_key", HTTP | SQL | EXEC, 0},
    {"record_conninfo", HTTP, 0},
    {"conninfo", SQL, SQL},
    {"account_key_file", ACME, 0},
    {"account_url", ACME, 0},
    {"keys_dir", ACME, 0},
    {"certificates_dir", ACME, 0},
    {"reasons", ACME, 0},
    {"command", EXEC, EXEC},
    {"status_command", EXEC, 0},
    {"timeout", HTTP | SQL | ACME | EXEC, 0},
    {"connections", HTTP, 0},
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

/* Bit of a backend's name; 0 for a misspelt one, which is a problem of its own. */
static unsigned bit_of(const char *backend)
{
    for (unsigned i = 0; backend_keys_names[i] != NULL; i++)
        if (strcmp(backend_keys_names[i], backend) == 0)
            return 1U << i;
    return 0;
}

/* "http and acme" */
static const char *names_of(struct arena *a, unsigned bits)
{
    const char *names = "";
    for (unsigned i = 0; backend_keys_names[i] != NULL; i++)
        if ((bits >> i & 1) != 0)
            names = arena_format(a, "%s%s%s", names,
                                 names[0] == '\0'        ? ""
                                 : (bits >> i >> 1) == 0 ? " and "
                                                         : ", ",
                                 backend_keys_names[i]);
    return names;
}

static void check_owners(struct guard *g, const struct guard_node *ca, const char *backend, unsigned own)
{
    for (size_t i = 0; own != 0 && i < sizeof owners / sizeof *owners; i++) {
        const struct guard_node *n = guard_get(ca, owners[i].key);
        if ((owners[i].needed & own) != 0 && !n->given)
            guard_problem(g, n, "required by backend %s, but missing", backend);
        if ((owners[i].of & own) == 0 && n->given)
            guard_problem(g, n, "is a key of backend %s, not of %s", names_of(g->arena, owners[i].of),
                          backend);
    }
}

/* Keys of which one means nothing without the others. */
static void check_groups(struct guard *g, const struct guard_node *group, const char *const *keys)
{
    size_t given = 0, n = 0;
    for (; keys[n] != NULL; n++)
        given += guard_get(group, keys[n])->given;
    for (size_t i = 0; given > 0 && given < n && i < n; i++)
        if (!guard_get(group, keys[i])->given)
            guard_problem(g, guard_get(group, keys[i]), "is missing beside %s", keys[i == 0 ? 1 : 0]);
}

/* Each of several CRLs has a URL and a file of its own; what the URL looks like is the certificates' matter.
 */
static void check_shards(struct guard *g, const struct guard_node *issuer)
{
    static const char *const keys[] = {"url", "crl_file"};
    const struct guard_node *list = guard_get(issuer, "crl_shards");
    if (list->given && guard_get(issuer, "crl_file")->given)
        guard_problem(g, list, "an issuer has either crl_file or crl_shards");
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < 2; k++) {
            const struct guard_node *one = guard_get(&list->inside[i], keys[k]);
            for (size_t j = 0; one->given && j < i; j++)
                if (strcmp(one->text, guard_text(&list->inside[j], keys[k], "")) == 0)
                    guard_problem(g, one, "is that of another shard, too");
        }
}

/* A CRL out of the CA's database needs all three, and the database. */
static void check_signing(struct guard *g, const struct guard_node *ca, unsigned own)
{
    const struct guard_node *list = guard_get(ca, "issuers");
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *key = guard_get(&list->inside[i], "key_file");
        bool several = guard_get(&list->inside[i], "crl_shards")->given;
        const char *const keys[] = {"key_file", "crl_number_file", several ? "crl_shards" : "crl_file", NULL};
        check_groups(g, &list->inside[i], keys);
        check_shards(g, &list->inside[i]);
        if (key->given && own != SQL && !(own == HTTP && guard_get(ca, "record_conninfo")->given))
            guard_problem(g, key,
                          "a CRL of our own needs the CA's database: backend sql, or record_conninfo");
    }
}

void backend_keys_check(struct guard *g, const struct guard_node *ca)
{
    static const char *const client[] = {"client_certificate_file", "client_key_file", NULL};
    static const char *const token[] = {"token_key_file", "token_issuer", NULL};
    const char *backend = guard_text(ca, "backend", "");
    unsigned own = bit_of(backend);
    check_owners(g, ca, backend, own);
    check_url(g, guard_get(ca, "url"));
    check_url(g, guard_get(ca, "account_url"));
    backend_keys_check_conninfo(g, guard_get(ca, "record_conninfo"));
    backend_keys_check_conninfo(g, guard_get(ca, "conninfo"));
    check_authority_key(g, guard_get(ca, "authority_key"));
    check_groups(g, ca, client);
    check_groups(g, ca, token);
    check_signing(g, ca, own);
    const struct guard_node *connections = guard_get(ca, "connections");
    if (connections->given && !begins(guard_text(ca, "url", ""), "https://"))
        guard_problem(g, connections, "requests share connections by HTTP/2, which is spoken over TLS only");
    if (own == ACME && !guard_get(ca, "account_key_file")->given && !guard_get(ca, "keys_dir")->given)
        guard_problem(g, ca, "acme signs with account_key_file or with the certificates' keys in keys_dir");
}

/* As for other profiles: a name with '/' or ending in .cfg is a file. */
static const char *profile_of(struct guard *g, const struct guard_node *ca)
{
    const char *name = guard_text(ca, "profile", NULL);
    size_t n = name == NULL ? 0 : strlen(name);
    bool path = name != NULL && (strchr(name, '/') != NULL || (n > 4 && strcmp(name + n - 4, ".cfg") == 0));
    return path ? file_join(g->arena, g->folder, name) : name;
}

const char *const *backend_keys_words(struct arena *a, const struct guard_node *n, size_t *count)
{
    const char **words = arena_array(a, n->count, sizeof *words);
    for (size_t i = 0; i < n->count; i++)
        words[i] = n->inside[i].text;
    *count = n->count;
    return words;
}

struct settings_http backend_keys_http(struct guard *g, const struct guard_node *ca)
{
    bool is_exec = strcmp(guard_text(ca, "backend", ""), "exec") == 0;
    size_t reason_count = 0;
    const char *const *reasons = backend_keys_words(g->arena, guard_get(ca, "reasons"), &reason_count);
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
        .record_conninfo = guard_text(ca, "record_conninfo", guard_text(ca, "conninfo", NULL)),
        .connections = (int)guard_int(ca, "connections", 0),
        .timeout = guard_span(ca, "timeout", (struct span){is_exec ? 600 : 30}),
        .token_key_file = guard_text(ca, "token_key_file", NULL),
        .token_issuer = guard_text(ca, "token_issuer", NULL),
        .token_key_id = guard_text(ca, "token_key_id", NULL),
        .account_key_file = guard_text(ca, "account_key_file", NULL),
        .account_url = guard_text(ca, "account_url", NULL),
        .keys_dir = guard_text(ca, "keys_dir", NULL),
        .certificates_dir = guard_text(ca, "certificates_dir", g->folder),
        .reasons = reasons,
        .reason_count = reason_count,
    };
}
