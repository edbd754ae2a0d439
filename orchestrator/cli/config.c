/* config check: everything that can be wrong before a campaign, at once. */
#include "command.h"
#include "massrevoke/ca_doors.h"
#include "massrevoke/guard.h"
#include "massrevoke/json.h"
#include "massrevoke/keytype.h"
#include "massrevoke/milestone.h"
#include "massrevoke/rules.h"
#include "massrevoke/settings.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* A fault of a checked part becomes problems, one for each of its lines. */
static void add_fault(struct guard_problems *p, const struct fault *f)
{
    for (struct str rest = str_of(f->text); rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        guard_problems_add(p, "%.*s", (int)line.n, line.p);
    }
}

static void check_data(const struct settings *s, struct guard_problems *p)
{
    struct fault f;
    const struct rule *rules;
    const struct milestone *clocks;
    size_t count;
    if (!milestones_read(s->plans_dir, p->arena, &clocks, &count, &f))
        add_fault(p, &f);
    if (!rules_all(s->plans_dir, p->arena, &rules, &count, &f)) {
        add_fault(p, &f);
        return;
    }
    const char *last = "";
    for (size_t i = 0; i < count; i++) {
        struct profile profile;
        const char *name = profile_default(&rules[i]);
        if (strcmp(name, last) != 0 && !profile_read(s->plans_dir, name, p->arena, &profile, &f))
            add_fault(p, &f);
        last = name;
    }
}

static void check_approvers(const struct settings *s, struct guard_problems *p)
{
    struct fault f;
    for (size_t i = 0; i < s->approver_count; i++) {
        const struct settings_approver *one = &s->approvers[i];
        if (one->name != NULL && one->certificate_file != NULL && !keytype_check(one->certificate_file, &f))
            guard_problems_add(p, "approver %s: %s", one->name, f.text);
    }
}

static void check_secret(const struct settings_ca *ca, const char *path, struct guard_problems *p)
{
    struct stat st;
    if (path == NULL)
        return;
    if (stat(path, &st) != 0)
        guard_problems_add(p, "CA %s: %s: %s", ca->name, path, strerror(errno));
    else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        guard_problems_add(p, "CA %s: %s: others can read this secret; chmod 600", ca->name, path);
}

/* What is missing is a problem already: there is nothing to describe then. */
static bool is_whole(const struct settings_ca *ca)
{
    bool profiled =
        ca->backend != NULL && strcmp(ca->backend, "ca_openssl") != 0 && strcmp(ca->backend, "acme") != 0;
    return ca->backend != NULL && (!profiled || ca->http.profile != NULL);
}

static void check_cas(const struct settings *s, struct guard_problems *p)
{
    struct fault f;
    for (size_t i = 0; i < s->ca_count; i++) {
        const struct settings_ca *ca = &s->cas[i];
        struct ca_facts facts;
        check_secret(ca, ca->key_password_file, p);
        check_secret(ca, ca->http.token_file, p);
        check_secret(ca, ca->http.client_key_file, p);
        check_secret(ca, ca->http.token_key_file, p);
        check_secret(ca, ca->http.account_key_file, p);
        for (size_t k = 0; k < ca->issuer_count; k++)
            check_secret(ca, ca->issuers[k].key_file, p);
        if (is_whole(ca) && !ca_doors_describe(ca, p->arena, &facts, &f))
            add_fault(p, &f);
    }
}

static void print_json(const struct settings *s, const struct guard_problems *p)
{
    AUTO_JSON *doc = json_object();
    AUTO_BUF out = {0};
    json_t *list = json_array();
    json_set_text(doc, "file", s->file);
    json_set_bool(doc, "ok", p->count == 0);
    for (size_t i = 0; i < p->kept; i++)
        json_array_append_new(list, json_string(p->lines[i]));
    json_object_set_new(doc, "problems", list);
    json_pretty(doc, &out);
    fputs(out.p, stdout);
}

bool cmd_config_check(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct guard_problems p = {.arena = &a};
    struct settings s;
    if (!settings_check(in->values[OPTION_CONFIG], &p, &s, f))
        return false;
    check_data(&s, &p);
    check_approvers(&s, &p);
    check_cas(&s, &p);
    if (in->json)
        print_json(&s, &p);
    else
        for (size_t i = 0; i < p.kept; i++)
            puts(p.lines[i]);
    if (p.count > p.kept && !in->json)
        printf("and %zu more\n", p.count - p.kept);
    if (p.count == 0 && !in->json)
        printf("%s: no problem\n", s.file == NULL ? "no configuration file, defaults" : s.file);
    if (s.ca_count > 0 && s.approver_count == 0 && !in->json)
        puts("note: no approvers are configured, so no campaign can be approved");
    *exit_code = p.count == 0 ? 0 : fault_exit_code(FAULT_CONFIG);
    return true;
}
