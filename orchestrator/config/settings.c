/* The schema of massrevoke.cfg(5) and what one key cannot know alone. */
#include "massrevoke/settings.h"
#include "alert_keys.h"
#include "backend_keys.h"
#include "massrevoke/digest.h"
#include "massrevoke/file.h"
#include "massrevoke/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FILE "/etc/massrevoke/massrevoke.cfg"
#define CERTIFICATE_MAX ((size_t)1024 * 1024)
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static const struct guard_key shard_keys[] = {
    {.name = "url", .type = GUARD_TEXT, .required = true},
    {.name = "crl_file", .type = GUARD_PATH, .required = true},
    {0},
};

static const struct guard_key issuer_keys[] = {
    {.name = "certificate_file", .type = GUARD_PATH, .required = true},
    {.name = "crl", .type = GUARD_TEXT},
    {.name = "name", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {.name = "key_file", .type = GUARD_PATH},
    {.name = "crl_number_file", .type = GUARD_PATH},
    {.name = "crl_file", .type = GUARD_PATH},
    {.name = "crl_shards", .type = GUARD_LIST, .min = 1, .max = 10000, .keys = shard_keys},
    {0},
};

static const struct guard_key window_keys[] = {
    {.name = "rate", .type = GUARD_RATE, .required = true},
    {0},
};

static const struct guard_key ca_keys[] = {
    {.name = "name", .type = GUARD_TEXT, .min = 1, .max = 64},
    {.name = "backend", .type = GUARD_TEXT, .required = true, .words = backend_keys_names},
    {.name = "directory", .type = GUARD_PATH},
    {.name = "config_file", .type = GUARD_PATH},
    {.name = "key_password_file", .type = GUARD_PATH},
    {.name = "profile", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {.name = "url", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {.name = "token_file", .type = GUARD_PATH},
    {.name = "ca_file", .type = GUARD_PATH},
    {.name = "client_certificate_file", .type = GUARD_PATH},
    {.name = "client_key_file", .type = GUARD_PATH},
    {.name = "authority_key", .type = GUARD_TEXT, .min = 1, .max = 128},
    {.name = "record_conninfo", .type = GUARD_TEXT},
    {.name = "conninfo", .type = GUARD_TEXT},
    {.name = "token_key_file", .type = GUARD_PATH},
    {.name = "token_issuer", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "token_key_id", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "account_key_file", .type = GUARD_PATH},
    {.name = "account_url", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {.name = "keys_dir", .type = GUARD_PATH},
    {.name = "certificates_dir", .type = GUARD_PATH},
    {.name = "reasons", .type = GUARD_TEXTS, .min = 1, .max = 10},
    {.name = "command", .type = GUARD_TEXTS, .min = 1, .max = 40},
    {.name = "status_command", .type = GUARD_TEXTS, .min = 1, .max = 40},
    {.name = "timeout", .type = GUARD_SPAN, .min = 1, .max = 600},
    {.name = "rate", .type = GUARD_RATE},
    {.name = "windows", .type = GUARD_LIST, .min = 1, .max = 8, .keys = window_keys},
    {.name = "concurrency", .type = GUARD_INT, .min = 1, .max = 10000},
    {.name = "latency_ms", .type = GUARD_INT, .min = 1, .max = 600000},
    {.name = "burst", .type = GUARD_INT, .min = 1, .max = 1000000},
    {.name = "reserve", .type = GUARD_INT, .min = 1, .max = 90},
    {.name = "connections", .type = GUARD_INT, .min = 1, .max = 1000},
    {.name = "crl_validity", .type = GUARD_SPAN, .min = HOUR, .max = 10 * DAY}, /* BR 7.2 */
    {.name = "issuers", .type = GUARD_LIST, .required = true, .min = 1, .max = 1000, .keys = issuer_keys},
    {0},
};

static const struct guard_key db_keys[] = {
    {.name = "conninfo", .type = GUARD_TEXT},
    {.name = "bindir", .type = GUARD_PATH},
    {.name = "run_as", .type = GUARD_TEXT, .min = 1, .max = 64},
    {0},
};

static const struct guard_key approver_keys[] = {
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "certificate_file", .type = GUARD_PATH, .required = true},
    {.name = "logins", .type = GUARD_TEXTS, .min = 0, .max = 20},
    {0},
};

static const struct guard_key approvals_keys[] = {
    {.name = "quorum", .type = GUARD_INT, .min = 1, .max = 20},
    {.name = "expiry", .type = GUARD_SPAN, .min = 1, .max = 30 * DAY},
    {.name = "approvers", .type = GUARD_LIST, .min = 0, .max = 100, .keys = approver_keys},
    {0},
};

static const struct guard_key mail_keys[] = {
    {.name = "from", .type = GUARD_TEXT, .min = 3, .max = 254},
    {.name = "reply_to", .type = GUARD_TEXT, .min = 3, .max = 254},
    {.name = "spool_dir", .type = GUARD_PATH},
    {.name = "relay_url", .type = GUARD_TEXT},
    {0},
};

static const struct guard_key map_keys[] = {
    {.name = "url", .type = GUARD_TEXT, .required = true},
    {.name = "folder", .type = GUARD_PATH, .required = true},
    {0},
};

static const struct guard_key vantage_keys[] = {
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 32},
    {.name = "address", .type = GUARD_TEXT, .min = 1, .max = 255},
    {.name = "proxy", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {0},
};

static const struct guard_key fetch_keys[] = {
    {.name = "map", .type = GUARD_LIST, .min = 0, .max = 1000, .keys = map_keys},
    {.name = "vantage", .type = GUARD_LIST, .min = 1, .max = 16, .keys = vantage_keys},
    {.name = "ocsp_rate", .type = GUARD_RATE},
    {.name = "ocsp_sample", .type = GUARD_INT, .min = 0, .max = 100000},
    {.name = "timeout", .type = GUARD_SPAN, .min = 1, .max = 600},
    {.name = "disclosed", .type = GUARD_PATH},
    {0},
};

static const struct guard_key lint_keys[] = {
    {.name = "command", .type = GUARD_TEXTS, .required = true, .min = 1, .max = 30},
    {0},
};

static const struct guard_key settings_keys[] = {
    GUARD_VERSION,
    {.name = "demo", .type = GUARD_BOOL},
    {.name = "plans_dir", .type = GUARD_PATH},
    {.name = "db", .type = GUARD_GROUP, .keys = db_keys},
    {.name = "ca", .type = GUARD_GROUP, .keys = ca_keys},
    {.name = "cas", .type = GUARD_LIST, .min = 1, .max = 100, .keys = ca_keys},
    {.name = "approvals", .type = GUARD_GROUP, .keys = approvals_keys},
    {.name = "mail", .type = GUARD_GROUP, .keys = mail_keys},
    {.name = "fetch", .type = GUARD_GROUP, .keys = fetch_keys},
    {.name = "lint", .type = GUARD_GROUP, .keys = lint_keys},
    {.name = "alert", .type = GUARD_GROUP, .keys = alert_keys},
    {0},
};

/* -- checks across keys ---------------------------------------------------------------------------------- */

/* A certificate file that stands in two places: seen by content, so that a copy or a link is seen too. */
struct seen_file {
    struct digest digest;
    const struct guard_node *at;
    size_t owner; /* CA or approver */
};

struct seen_files {
    struct seen_file *files;
    size_t count;
};

static void check_certificate(struct guard *g, const struct guard_node *at, size_t owner, const char *problem,
                              struct seen_files *seen)
{
    AUTO_ARENA scratch = {0};
    struct str bytes;
    struct fault f;
    if (!at->given || at->text == NULL)
        return;
    if (!file_read(at->text, CERTIFICATE_MAX, &scratch, &bytes, &f)) {
        guard_problem(g, at, "%s", f.text);
        return;
    }
    struct digest digest = digest_of(bytes.p, bytes.n);
    for (size_t i = 0; i < seen->count; i++)
        if (seen->files[i].owner != owner && memcmp(&seen->files[i].digest, &digest, sizeof digest) == 0) {
            guard_problem(g, at, "%s (also at %s, line %d)", problem, seen->files[i].at->path,
                          seen->files[i].at->line);
            return;
        }
    seen->files[seen->count++] = (struct seen_file){digest, at, owner};
}

static void check_demo(struct guard *g, const struct guard_node *ca)
{
    const char *backend = guard_text(ca, "backend", NULL);
    if (guard_bool(&g->root, "demo", false) && backend != NULL && strcmp(backend, "ca_openssl") != 0)
        guard_problem(g, guard_get(ca, "backend"),
                      "demo = true is refused with any backend but ca_openssl: a demo weakens approvals");
}

static void check_cas(struct guard *g, const struct guard_node *cas, size_t count)
{
    size_t issuers = 0;
    for (size_t c = 0; c < count; c++)
        issuers += guard_get(&cas[c], "issuers")->count;
    struct seen_files seen = {arena_array(g->arena, issuers, sizeof *seen.files), 0};
    for (size_t c = 0; c < count; c++) {
        const struct guard_node *list = guard_get(&cas[c], "issuers");
        check_demo(g, &cas[c]);
        backend_keys_check(g, &cas[c]);
        for (size_t i = 0; i < list->count; i++)
            check_certificate(g, guard_get(&list->inside[i], "certificate_file"), c,
                              "this issuer belongs to another CA already", &seen);
        for (size_t other = 0; other < c; other++) {
            const char *name = guard_text(&cas[c], "name", "ca");
            if (strcmp(name, guard_text(&cas[other], "name", "ca")) == 0)
                guard_problem(g, guard_get(&cas[c], "name"), "two CAs are named '%s'", name);
        }
    }
    const struct guard_node *both = guard_get(&g->root, "ca");
    if (both->given && guard_get(&g->root, "cas")->given)
        guard_problem(g, both, "give either one group `ca` or the list `cas`");
}

/* Each person counts once: names, login names and certificates are one person's only. */
static void check_people(struct guard *g, const struct guard_node *list)
{
    struct seen_files seen = {arena_array(g->arena, list->count, sizeof *seen.files), 0};
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *one = &list->inside[i], *logins = guard_get(one, "logins");
        const char *name = guard_text(one, "name", NULL);
        check_certificate(g, guard_get(one, "certificate_file"), i, "another approver has this certificate",
                          &seen);
        for (size_t j = 0; j < i; j++) {
            const struct guard_node *other = guard_get(&list->inside[j], "logins");
            const char *theirs = guard_text(&list->inside[j], "name", NULL);
            if (name != NULL && theirs != NULL && strcmp(name, theirs) == 0)
                guard_problem(g, guard_get(one, "name"), "two approvers are named '%s'", name);
            for (size_t l = 0; l < logins->count * other->count; l++) {
                const struct guard_node *mine = &logins->inside[l / other->count];
                const char *login = other->inside[l % other->count].text;
                if (mine->text != NULL && login != NULL && strcmp(mine->text, login) == 0)
                    guard_problem(g, mine, "the login '%s' belongs to another approver", login);
            }
        }
    }
}

static void check_approvals(struct guard *g, const struct settings *s)
{
    const struct guard_node *approvals = guard_get(&g->root, "approvals");
    const struct guard_node *list = guard_get(approvals, "approvers");
    check_people(g, list);
    if (approvals->given && !s->demo && (int64_t)list->count - 2 < s->quorum)
        guard_problem(g, guard_get(approvals, "quorum"),
                      "%d of %zu approvers cannot be reached when the requester and one more person are away "
                      "(at least %d approvers, or a smaller quorum)",
                      s->quorum, list->count, s->quorum + 2);
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void check_mail(struct guard *g)
{
    const struct guard_node *mail = guard_get(&g->root, "mail");
    const char *relay = guard_text(mail, "relay_url", NULL);
    alert_keys_check_address(g, guard_get(mail, "from"));
    alert_keys_check_address(g, guard_get(mail, "reply_to"));
    if (relay != NULL && !begins(relay, "smtp://"))
        guard_problem(g, guard_get(mail, "relay_url"), "expected smtp://host or smtp://host:port");
    if (relay != NULL && guard_get(mail, "spool_dir")->given)
        guard_problem(g, guard_get(mail, "relay_url"), "give either spool_dir or relay_url, not both");
}

static void check_secrets(struct guard *g)
{
    backend_keys_check_conninfo(g, guard_get(guard_get(&g->root, "db"), "conninfo"));
}

static void check_places(struct guard *g)
{
    const struct guard_node *plans = guard_get(&g->root, "plans_dir");
    const struct guard_node *map = guard_get(guard_get(&g->root, "fetch"), "map");
    struct stat st;
    if (plans->given && (stat(plans->text, &st) != 0 || !S_ISDIR(st.st_mode)))
        guard_problem(g, plans, "%s is not a folder", plans->text);
    for (size_t i = 0; i < map->count; i++) {
        const char *url = guard_text(&map->inside[i], "url", NULL);
        if (url != NULL && !begins(url, "http://") && !begins(url, "https://") && !begins(url, "file:"))
            guard_problem(g, guard_get(&map->inside[i], "url"), "expected a URL: http://, https:// or file:");
    }
}

bool settings_address_has_port(const char *address)
{
    const char *colon = strrchr(address, ':'), *bracket = strrchr(address, ']');
    return colon != NULL && (bracket == NULL || colon > bracket);
}

/* A host name, an IPv4 address or an IPv6 one in brackets, with a port or without. */
static bool is_address(const char *text)
{
    size_t host = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");
    if (host < 1 || host > strlen(text) ||
        (text[0] == '[' && strspn(text + 1, "0123456789abcdefABCDEF:.") != host - 2))
        return false;
    if (text[0] != '[' &&
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != host)
        return false;
    const char *port = text + host;
    return *port == '\0' || (*port == ':' && port[1] != '\0' &&
                             strspn(port + 1, "0123456789") == strlen(port + 1) && strlen(port + 1) <= 5);
}

static void check_vantages(struct guard *g, const struct guard_node *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *one = &list->inside[i];
        const char *name = guard_text(one, "name", NULL), *address = guard_text(one, "address", NULL),
                   *proxy = guard_text(one, "proxy", NULL);
        if (address != NULL && proxy != NULL)
            guard_problem(g, guard_get(one, "proxy"), "give either address or proxy, not both");
        if (address != NULL && !is_address(address))
            guard_problem(g, guard_get(one, "address"), "expected host, host:port, [IPv6] or [IPv6]:port");
        if (proxy != NULL && strstr(proxy, "://") == NULL)
            guard_problem(g, guard_get(one, "proxy"), "expected the URL of a proxy, like http://host:3128");
        for (size_t j = 0; j < i && name != NULL; j++)
            if (strcmp(name, guard_text(&list->inside[j], "name", "")) == 0)
                guard_problem(g, guard_get(one, "name"), "two vantage points are named '%s'", name);
    }
}

/* -- from the tree into the value ------------------------------------------------------------------------ */

/* A rate without the share that is left free for reissuance. */
static struct rate take_share(const struct guard_node *n, struct rate rate)
{
    int64_t reserve = guard_int(n, "reserve", 0);
    return reserve == 0 ? rate : (struct rate){rate.count * (100 - reserve), rate.per * 100};
}

/* The rate and each window, with at least one request in it. */
static struct rate_limits take_limits(const struct guard_node *n)
{
    const struct guard_node *windows = guard_get(n, "windows");
    struct rate none = {windows->count > 0 ? 0 : 2000, 1};
    struct rate_limits l = {.rate = take_share(n, guard_rate(n, "rate", none)),
                            .burst = guard_int(n, "burst", 0)};
    for (size_t i = 0; i < windows->count && i < RATE_WINDOWS; i++) {
        struct rate w = guard_rate(&windows->inside[i], "rate", (struct rate){1, 1});
        int64_t count = w.count * (100 - guard_int(n, "reserve", 0)) / 100;
        l.windows[l.window_count++] = (struct rate){count > 0 ? count : 1, w.per};
    }
    return l;
}

/* The slowest of what is said: the rate, each window, and so many requests at a time that take so long each.
 */
static struct rate take_rate(const struct guard_node *n)
{
    struct rate rate = guard_rate(n, "rate", (struct rate){2000, 1});
    const struct guard_node *windows = guard_get(n, "windows");
    for (size_t i = 0; i < windows->count; i++)
        rate = rate_slower(rate, guard_rate(&windows->inside[i], "rate", (struct rate){0}));
    int64_t at_a_time = guard_int(n, "concurrency", 0), latency = guard_int(n, "latency_ms", 0);
    if (at_a_time > 0 && latency > 0) /* c requests in l ms are 1000 c in l seconds */
        rate = rate_slower(rate, (struct rate){at_a_time * 1000, latency});
    return take_share(n, rate);
}

static void take_issuer(struct arena *a, const struct guard_node *n, struct settings_issuer *out)
{
    const struct guard_node *list = guard_get(n, "crl_shards");
    struct settings_shard *shards = arena_array(a, list->count, sizeof *shards);
    for (size_t i = 0; i < list->count; i++)
        shards[i] = (struct settings_shard){guard_text(&list->inside[i], "url", NULL),
                                            guard_text(&list->inside[i], "crl_file", NULL)};
    *out = (struct settings_issuer){
        .certificate_file = guard_text(n, "certificate_file", NULL),
        .crl = guard_text(n, "crl", NULL),
        .name = guard_text(n, "name", NULL),
        .key_file = guard_text(n, "key_file", NULL),
        .crl_number_file = guard_text(n, "crl_number_file", NULL),
        .crl_file = guard_text(n, "crl_file", NULL),
        .shards = shards,
        .shard_count = list->count,
    };
}

static void take_ca(struct guard *g, const struct guard_node *n, struct settings_ca *out)
{
    struct arena *a = g->arena;
    const struct guard_node *list = guard_get(n, "issuers");
    struct settings_issuer *issuers = arena_array(a, list->count, sizeof *issuers);
    for (size_t i = 0; i < list->count; i++)
        take_issuer(a, &list->inside[i], &issuers[i]);
    const char *directory = guard_text(n, "directory", NULL);
    *out = (struct settings_ca){
        .name = guard_text(n, "name", "ca"),
        .backend = guard_text(n, "backend", NULL),
        .directory = directory,
        .config_file =
            guard_text(n, "config_file", directory ? file_join(a, directory, "openssl.cnf") : NULL),
        .key_password_file = guard_text(n, "key_password_file", NULL),
        .rate = take_rate(n),
        .limits = take_limits(n),
        .crl_validity = guard_span(n, "crl_validity", (struct span){7 * DAY}),
        .concurrency = (int)guard_int(n, "concurrency", 0),
        .http = backend_keys_http(g, n),
        .issuers = issuers,
        .issuer_count = list->count,
    };
    out->command = backend_keys_words(a, guard_get(n, "command"), &out->command_count);
    out->status_command = backend_keys_words(a, guard_get(n, "status_command"), &out->status_command_count);
}

static void take_lint(struct arena *a, const struct guard_node *n, struct settings *s)
{
    s->lint_command = backend_keys_words(a, guard_get(n, "command"), &s->lint_count);
}

static void take_approver(struct arena *a, const struct guard_node *n, struct settings_approver *out)
{
    size_t count;
    const char *const *logins = backend_keys_words(a, guard_get(n, "logins"), &count);
    *out = (struct settings_approver){
        .name = guard_text(n, "name", NULL),
        .certificate_file = guard_text(n, "certificate_file", NULL),
        .logins = logins,
        .login_count = count,
    };
}

/* Without any: this machine's own way. */
static void take_vantages(struct guard *g, struct settings *s)
{
    const struct guard_node *list = guard_get(guard_get(&g->root, "fetch"), "vantage");
    size_t n = list->count == 0 ? 1 : list->count;
    struct settings_vantage *out = arena_array(g->arena, n, sizeof *out);
    out[0].name = "direct";
    for (size_t i = 0; i < list->count; i++)
        out[i] = (struct settings_vantage){guard_text(&list->inside[i], "name", NULL),
                                           guard_text(&list->inside[i], "address", NULL),
                                           guard_text(&list->inside[i], "proxy", NULL)};
    s->vantages = out;
    s->vantage_count = n;
    check_vantages(g, list);
}

static void take_lists(struct arena *a, struct guard *g, struct settings *s)
{
    const struct guard_node *lone = guard_get(&g->root, "ca"), *several = guard_get(&g->root, "cas");
    const struct guard_node *cas = several->given ? several->inside : lone;
    s->ca_count = several->given ? several->count : lone->given;
    check_cas(g, cas, s->ca_count);
    struct settings_ca *ca = arena_array(a, s->ca_count, sizeof *ca);
    for (size_t i = 0; i < s->ca_count; i++)
        take_ca(g, &cas[i], &ca[i]);
    s->cas = ca;

    const struct guard_node *people = guard_get(guard_get(&g->root, "approvals"), "approvers");
    struct settings_approver *approver = arena_array(a, people->count, sizeof *approver);
    for (size_t i = 0; i < people->count; i++)
        take_approver(a, &people->inside[i], &approver[i]);
    s->approvers = approver;
    s->approver_count = people->count;

    const struct guard_node *entries = guard_get(guard_get(&g->root, "fetch"), "map");
    struct settings_map *map = arena_array(a, entries->count, sizeof *map);
    for (size_t i = 0; i < entries->count; i++)
        map[i] = (struct settings_map){guard_text(&entries->inside[i], "url", NULL),
                                       guard_text(&entries->inside[i], "folder", NULL)};
    s->map = map;
    s->map_count = entries->count;
}

static void take(struct arena *a, struct guard *g, const char *file, struct settings *s)
{
    const struct guard_node *db = guard_get(&g->root, "db"), *mail = guard_get(&g->root, "mail"),
                            *fetch = guard_get(&g->root, "fetch"),
                            *approvals = guard_get(&g->root, "approvals");
    bool demo = guard_bool(&g->root, "demo", false);
    const char *from = guard_text(mail, "from", "massrevoke@localhost");
    *s = (struct settings){
        .file = file,
        .demo = demo,
        .plans_dir = guard_text(&g->root, "plans_dir", NULL),
        .db_conninfo = guard_text(db, "conninfo", NULL),
        .db_bindir = guard_text(db, "bindir", NULL),
        .db_run_as = guard_text(db, "run_as", NULL),
        .quorum = (int)guard_int(approvals, "quorum", demo ? 1 : 2),
        .approval_expiry = guard_span(approvals, "expiry", (struct span){DAY}),
        .mail_from = from,
        .mail_reply_to = guard_text(mail, "reply_to", from),
        .mail_spool_dir = guard_text(mail, "spool_dir", NULL),
        .mail_relay_url = guard_text(mail, "relay_url", NULL),
        .fetch_timeout = guard_span(fetch, "timeout", (struct span){30}),
        .ocsp_rate = guard_rate(fetch, "ocsp_rate", (struct rate){100, 1}),
        .ocsp_sample = (int)guard_int(fetch, "ocsp_sample", 100),
        .fetch_disclosed = guard_text(fetch, "disclosed", NULL),
        .alert = alert_keys_take(g, guard_get(&g->root, "alert")),
    };
    take_lists(a, g, s);
    take_vantages(g, s);
    take_lint(a, guard_get(&g->root, "lint"), s);
    check_approvals(g, s);
    check_mail(g);
    alert_keys_check(g, guard_get(&g->root, "alert"), s);
    check_secrets(g);
    check_places(g);
}

/* -- finding the file ------------------------------------------------------------------------------------ */

/* The file to read, NULL when no place has one. Only the system's file may be missing. */
static const char *find(const char *path)
{
    const char *named = getenv("MASSREVOKE_CONFIG");
    if (path != NULL)
        return path;
    if (named != NULL && named[0] != '\0')
        return named;
    return access(SYSTEM_FILE, F_OK) == 0 || errno != ENOENT ? SYSTEM_FILE : NULL;
}

/* Absolute folder of the file, without following links: that is where its author thinks it lies. */
static const char *folder_of(struct arena *a, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *folder = slash == NULL   ? "."
                         : slash == file ? "/"
                                         : arena_copy(a, file, (size_t)(slash - file));
    char *here = folder[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *whole = here == NULL ? folder : strcmp(folder, ".") == 0 ? here : file_join(a, here, folder);
    whole = arena_text(a, whole);
    free(here);
    return whole;
}

bool settings_check(const char *path, struct guard_problems *problems, struct settings *out, struct fault *f)
{
    struct arena *a = problems->arena;
    struct guard g;
    struct str bytes = str_of("version = 1;");
    const char *file = find(path);
    if (file != NULL && !file_read(file, GUARD_FILE_MAX, a, &bytes, f)) {
        f->kind = FAULT_CONFIG;
        return fault_hint(f, "name another file with --config FILE or MASSREVOKE_CONFIG");
    }
    const char *folder = folder_of(a, file == NULL ? SYSTEM_FILE : file);
    (void)guard_read(&g, file == NULL ? "defaults" : arena_text(a, file), folder, bytes, settings_keys,
                     problems);
    take(a, &g, file == NULL ? NULL : g.name, out);
    return true;
}

bool settings_read(const char *path, struct arena *a, struct settings *out, struct fault *f)
{
    struct guard_problems problems = {.arena = a};
    if (!settings_check(path, &problems, out, f))
        return false;
    if (guard_clean(&problems, f))
        return true;
    return fault_hint(f, "massrevoke config check lists every problem");
}
