/* find: every certificate that something could mean, and its siblings. It never acts. */
#include "massrevoke/store_ask.h"
#include "session.h"

#include <ctype.h>
#include <stdio.h>

#define MOST 1000 /* matches, and siblings */

static bool looks_like_host(struct str text)
{
    bool dot = false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (!isalnum(c) && c != '.' && c != '-' && c != '_' && !(c == '*' && i == 0))
            return false;
        dot = dot || c == '.';
    }
    return dot;
}

/* Every way in which the words could be meant; serials has room for two. */
static void read_words(const char *words, struct arena *a, struct digest *sha256, struct serial *serials,
                       struct find *out)
{
    struct str text = str_trim(str_of(words));
    char *lower = arena_copy(a, text.p, text.n);
    for (char *p = lower; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    *out = (struct find){.serials = serials};
    if (intake_sha256(text, sha256)) {
        out->sha256 = sha256;
        return;
    }
    if (serial_from_hex(text, &serials[out->serial_count]) == NULL)
        out->serial_count++;
    if (serial_from_decimal(text, &serials[out->serial_count]) == NULL)
        out->serial_count++;
    out->host = looks_like_host(text) ? lower : NULL;
    out->name = lower;
}

static json_t *spellings_json(const struct serial *serial)
{
    char text[SERIAL_SPELLING_TEXT];
    json_t *o = json_object();
    for (int i = 0; i < SERIAL_SPELLING_COUNT; i++)
        json_set_text(o, serial_spelling_name((enum serial_spelling)i),
                      serial_spell(serial, (enum serial_spelling)i, text));
    return o;
}

static json_t *found_json(const struct found *c)
{
    char hex[SERIAL_HEX_TEXT];
    json_t *o = json_object();
    json_set_bool(o, "match", c->match);
    json_set_text(o, "why", c->why);
    json_set_text(o, "serial", serial_hex(&c->serial, hex));
    json_set_text(o, "issuer", c->issuer_subject);
    json_set_bool(o, "affected", c->cohort != 0);
    json_object_set_new(o, "cohort", c->cohort != 0 ? json_integer(c->cohort) : json_null());
    json_set_text(o, "state", c->cohort != 0 ? c->state : NULL);
    json_set_utc(o, "planned", c->planned);
    json_set_text(o, "subscriber", c->subscriber);
    json_set_text(o, "subject", c->subject);
    json_set_text(o, "dns_names", c->dns_names);
    json_set_utc(o, "not_after", c->not_after);
    json_set_text(o, "cert_sha256", c->cert_sha256);
    json_object_set_new(o, "spellings", spellings_json(&c->serial));
    return o;
}

static void found_text(const struct found *c)
{
    char hex[SERIAL_HEX_TEXT], planned[UTC_TEXT], expires[UTC_TEXT];
    printf("%s  %s%s%s  (%s)\n", serial_hex(&c->serial, hex), c->cohort != 0 ? c->state : "not affected",
           utc_is_set(c->planned) ? ", planned " : "",
           utc_is_set(c->planned) ? utc_format(c->planned, planned) : "", c->why);
    printf("    %s, issued by %s\n", c->subscriber[0] == '\0' ? "no subscriber known" : c->subscriber,
           c->issuer_subject);
    if (c->dns_names[0] != '\0')
        printf("    %s\n", c->dns_names);
    if (utc_is_set(c->not_after))
        printf("    expires %s\n", utc_format(c->not_after, expires));
}

static void tell(const struct found *rows, size_t n, size_t matches)
{
    char text[SERIAL_SPELLING_TEXT];
    for (size_t i = 0; i < n; i++) {
        if (i == matches)
            printf("Siblings of what was found:\n");
        found_text(&rows[i]);
    }
    if (matches == 1) {
        printf("Its serial as others write it:");
        for (int i = 1; i < SERIAL_SPELLING_COUNT; i++)
            printf(" %s", serial_spell(&rows[0].serial, (enum serial_spelling)i, text));
        puts("");
    }
    printf("%zu found, %zu siblings%s\n", matches, n - matches,
           matches == MOST || n - matches == MOST ? "; there may be more: ask more exactly" : "");
}

bool cmd_find(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct digest sha256;
    struct serial serials[2];
    struct find what;
    struct found *rows;
    size_t n, matches = 0;
    if (str_trim(str_of(in->args[0])).n < 2 || !str_is_utf8(str_of(in->args[0])))
        return fault_set(f, FAULT_USAGE, "two characters at least, in UTF-8");
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    read_words(in->args[0], &s.arena, &sha256, serials, &what);
    if (!store_find(s.store, s.campaign.id, &what, MOST, &s.arena, &rows, &n, f))
        return false;
    while (matches < n && rows[matches].match)
        matches++;
    if (n == 0 && !in->json) {
        fault_set(f, FAULT_FAILED, "nothing in the inventory or in campaign %s is called '%.100s'",
                  s.campaign.name, in->args[0]);
        return fault_hint(f, "a host, part of a name, a SHA-256, or a serial in hex or decimal");
    }
    if (!in->json) {
        tell(rows, n, matches);
        return true;
    }
    json_t *o = json_object(), *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, found_json(&rows[i]));
    json_set_int(o, "found", (int64_t)matches);
    json_set_int(o, "siblings", (int64_t)(n - matches));
    json_object_set_new(o, "certificates", list);
    session_print(o);
    *exit_code = n == 0 ? fault_exit_code(FAULT_FAILED) : 0;
    return true;
}
