#include "generation.h"
#include "massrevoke/ca_doors.h"
#include "massrevoke/cert.h"
#include "massrevoke/cluster.h"
#include "massrevoke/file.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The person: --as with a demo CA, else SUDO_USER, else the login name (contract section 1). */
static bool find_person(struct session *s, const struct invocation *in, struct fault *f)
{
    const char *as = in->values[OPTION_AS], *sudo = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());
    if (as != NULL && !s->settings.demo) {
        fault_set(f, FAULT_REFUSED, "--as is only for demo CAs and drills");
        return fault_hint(f, "log in as the person who acts");
    }
    const char *who = as != NULL                        ? as
                      : sudo != NULL && sudo[0] != '\0' ? sudo
                      : user != NULL                    ? user->pw_name
                                                        : NULL;
    s->who = who != NULL ? arena_text(&s->arena, who) : arena_format(&s->arena, "uid-%ld", (long)getuid());
    return true;
}

bool session_conninfo(struct session *s, struct fault *f)
{
    if (s->settings.db_conninfo == NULL)
        return cluster_start(&s->settings, &s->arena, &s->conninfo, f);
    s->conninfo = s->settings.db_conninfo;
    return true;
}

/* --confirm is checked wherever it is given: a line pasted from the last campaign must not hit this one. */
static bool check_name(const struct session *s, const char *given, struct fault *f)
{
    if (given == NULL || strcmp(given, s->campaign.name) == 0)
        return true;
    return fault_set(f, FAULT_REFUSED, "'%.100s' is not the name of the campaign: nothing was done", given);
}

/* A profile may know limits that the configuration does not: the slowest is planned, all of them are kept. A
 * profile that can't be read is a fault of those who use it. A rate is one of revocations; windows are of
 * requests, and count in the rate as they are kept: rounded. */
static void resolve_limits(struct session *s)
{
    struct settings_ca *cas = arena_array(&s->arena, s->settings.ca_count, sizeof *cas);
    for (size_t i = 0; i < s->settings.ca_count; i++) {
        struct ca_facts facts;
        struct fault ignored;
        cas[i] = s->settings.cas[i];
        if (!ca_doors_describe(&cas[i], &s->arena, &facts, &ignored))
            continue;
        struct rate_limits *limits = &cas[i].limits;
        for (size_t k = 0; k < facts.window_count && limits->window_count < RATE_WINDOWS; k++)
            limits->windows[limits->window_count++] = facts.windows[k];
        struct rate_limits kept = facts.prepares ? rate_limits_halved(*limits) : *limits;
        cas[i].rate = facts.rate;
        for (size_t k = 0; k < kept.window_count; k++)
            cas[i].rate = rate_slower(cas[i].rate, kept.windows[k]);
    }
    s->settings.cas = cas;
}

bool session_open(const struct invocation *in, unsigned needs, struct session *out, struct fault *f)
{
    const char *name = in->values[OPTION_CAMPAIGN];
    *out = (struct session){.schema = SESSION_SCHEMA, .clock = clock_system()};
    if (name == NULL)
        name = getenv("MASSREVOKE_CAMPAIGN");
    if (!settings_read(in->values[OPTION_CONFIG], &out->arena, &out->settings, f) ||
        !find_person(out, in, f) || !session_conninfo(out, f) ||
        !store_open(out->conninfo, out->schema, &out->store, f) ||
        !conduct_issuers(out->store, &out->settings, &out->arena, &out->issuers, &out->issuer_count, f))
        return false;
    resolve_limits(out);
    if (needs != SESSION_CAMPAIGN)
        return true;
    return store_campaign_find(out->store, name, &out->arena, &out->campaign, f) &&
           check_name(out, in->values[OPTION_CONFIRM], f) &&
           profile_read(out->settings.plans_dir, out->campaign.profile, &out->arena, &out->profile, f);
}

/* Kept outside of the database, where a restored one can't take it back. */
static void follow(struct session *s)
{
    struct fault f = {0};
    if (s->acts && s->campaign.id > 0 && !store_is_lost(s->store) && !generation_follow(s, &f))
        fprintf(stderr, "massrevoke: how far the log is can't be kept beside the database: %s\n", f.text);
}

void session_close(struct session *s)
{
    follow(s);
    lint_close(s->lint);
    alert_close(s->alert);
    mail_close(s->alert_mail);
    mail_close(s->mail);
    fetch_close(s->fetch);
    for (size_t i = 0; i < s->ca_count; i++)
        ca_close(s->cas[i].door);
    store_close(s->store);
    arena_free(&s->arena);
}

struct conduct session_conduct(struct session *s)
{
    s->acts = true;
    return (struct conduct){.store = s->store,
                            .settings = &s->settings,
                            .issuers = s->issuers,
                            .issuer_count = s->issuer_count,
                            .now = s->clock.now(s->clock.self),
                            .who = s->who,
                            .campaign = s->campaign};
}

bool session_engine(struct session *s, struct engine_parts *parts, struct fault *f)
{
    char host[256] = "";
    const char *state;
    (void)!gethostname(host, sizeof host - 1);
    if (!cluster_state_folder(&s->arena, &state, f))
        return false;
    s->cas = arena_array(&s->arena, s->settings.ca_count, sizeof *s->cas);
    size_t first = 0;
    for (size_t i = 0; i < s->settings.ca_count; i++) {
        if (!ca_doors_open(&s->settings.cas[i], (uint16_t)first, s->clock, &s->cas[i].door, f))
            return false;
        s->ca_count = i + 1;
        first += s->settings.cas[i].issuer_count;
    }
    if (!fetch_open(&s->settings, &s->fetch, f) || !mail_open(&s->settings, &s->mail, f) ||
        !lint_open(s->settings.lint_command, s->settings.lint_count, &s->lint, f) ||
        !alert_open(&s->settings.alert, &s->alert, f) || !mail_open(&s->settings, &s->alert_mail, f))
        return false;
    *parts = (struct engine_parts){
        .settings = &s->settings,
        .conninfo = s->conninfo,
        .schema = s->schema,
        .store = s->store,
        .clock = s->clock,
        .cas = s->cas,
        .ca_count = s->ca_count,
        .issuers = s->issuers,
        .issuer_count = s->issuer_count,
        .fetch = s->fetch,
        .mail = s->mail,
        .lint = s->lint,
        .alert = s->alert,
        .alert_mail = s->alert_mail,
        .profile = s->profile,
        .campaign = s->campaign.id,
        .campaign_name = s->campaign.name,
        .mode = s->campaign.mode,
        .who = "engine",
        .host = arena_text(&s->arena, host),
        .locks = file_join(&s->arena, state, "engines"),
    };
    return true;
}

bool session_issuer(struct session *s, const struct invocation *in, int *index, struct fault *f)
{
    const char *file = in->values[OPTION_ISSUER];
    struct cert wanted, cert;
    *index = s->issuer_count == 1 ? 0 : -1;
    if (file == NULL)
        return true;
    if (!cert_load(file, &s->arena, &wanted, f))
        return false;
    int at = 0;
    for (size_t ca = 0; ca < s->settings.ca_count; ca++)
        for (size_t i = 0; i < s->settings.cas[ca].issuer_count; i++, at++) {
            if (!cert_load(s->settings.cas[ca].issuers[i].certificate_file, &s->arena, &cert, f))
                return false;
            if (memcmp(cert.sha256.bytes, wanted.sha256.bytes, DIGEST_SIZE) == 0) {
                *index = at;
                return true;
            }
        }
    fault_set(f, FAULT_USAGE, "%s is not a configured issuer", file);
    return fault_hint(f, "name it in cas.issuers of the configuration");
}

/* Without --issuer the serial decides only when exactly one issuer has an affected certificate with it. */
static bool find_issuer(struct session *s, const struct serial *serial, int *issuer, struct fault *f)
{
    int *found;
    size_t n;
    char hex[SERIAL_HEX_TEXT];
    if (!store_serial_issuers(s->store, s->campaign.id, serial, &s->arena, &found, &n, f))
        return false;
    if (n == 0)
        return fault_set(f, FAULT_FAILED, "serial %s is not in campaign %s", serial_hex(serial, hex),
                         s->campaign.name);
    if (n > 1) {
        fault_set(f, FAULT_CONFLICT, "serial %s belongs to certificates of %zu issuers",
                  serial_hex(serial, hex), n);
        return fault_hint(f, "name the issuer with --issuer CERT; massrevoke show %s lists them", hex);
    }
    *issuer = found[0];
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct listed *x = *(const struct listed *const *)a, *y = *(const struct listed *const *)b;
    int order = listed_compare(x, y);
    return order != 0 ? order : (x > y) - (x < y);
}

/* What was given again goes, from the arguments as well. */
static void drop_repeated(struct session *s, struct invocation *in, struct listed *items)
{
    size_t n = (size_t)in->arg_count, kept = 0;
    const struct listed **order = arena_array(&s->arena, n, sizeof *order);
    bool *repeated = arena_array(&s->arena, n, sizeof *repeated);
    char **args = arena_array(&s->arena, n, sizeof *args);
    for (size_t i = 0; i < n; i++)
        order[i] = &items[i];
    qsort(order, n, sizeof(const struct listed *), compare_places);
    for (size_t i = 1; i < n; i++)
        repeated[order[i] - items] = listed_compare(order[i], order[i - 1]) == 0;
    for (size_t i = 0; i < n; i++)
        if (!repeated[i]) {
            args[kept] = in->args[i];
            items[kept++] = items[i];
        }
    in->args = args;
    in->arg_count = (int)kept;
}

bool session_serials(struct session *s, struct invocation *in, struct listed **out, struct fault *f)
{
    int index = -1;
    if (in->values[OPTION_ISSUER] != NULL && !session_issuer(s, in, &index, f))
        return false;
    *out = arena_array(&s->arena, (size_t)in->arg_count, sizeof **out);
    for (int i = 0; i < in->arg_count; i++) {
        struct listed *item = &(*out)[i];
        const char *why = serial_from_hex(str_of(in->args[i]), &item->serial);
        if (why != NULL)
            return fault_set(f, FAULT_USAGE, "%.60s: %s", in->args[i], why);
        if (index >= 0)
            item->issuer = s->issuers[index];
        else if (!find_issuer(s, &item->serial, &item->issuer, f))
            return false;
    }
    drop_repeated(s, in, *out);
    return true;
}

bool session_confirm(const struct session *s, const struct invocation *in, const char *question,
                     struct fault *f)
{
    const char *given = in->values[OPTION_CONFIRM];
    char line[128] = "";
    if (given == NULL) {
        FILE *tty = fopen("/dev/tty", "r+");
        if (tty == NULL) {
            fault_set(f, FAULT_USAGE, "there is no terminal to ask for the campaign's name");
            return fault_hint(f, "add --confirm %s", s->campaign.name);
        }
        fprintf(tty, "%s\nType the campaign name to go on: ", question);
        fflush(tty);
        if (fgets(line, sizeof line, tty) == NULL)
            line[0] = '\0';
        fclose(tty);
        line[strcspn(line, "\n")] = '\0';
        given = line;
    }
    return check_name(s, given, f);
}

bool session_confirm_scope(const struct session *s, const struct invocation *in, const char *question,
                           struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    size_t n, started = 0;
    if (!store_cohorts(s->store, s->campaign.id, &a, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        started += utc_is_set(cohorts[i].started_at);
    return started == 0 || session_confirm(s, in, question, f);
}

void session_print(json_t *object)
{
    AUTO_BUF out = {0};
    json_pretty(object, &out);
    fputs(out.p, stdout);
    json_decref(object);
}
