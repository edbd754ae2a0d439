/* reconcile: does a re-run of the list say the same as the ledger? and what changed since a version? */
#include "list.h"
#include "massrevoke/log.h"

#include <inttypes.h>
#include <stdio.h>

#define REJECTS_SHOWN 20
#define CHANGES_SHOWN 1000 /* of each kind, in JSON too: the totals are exact */

/* What --apply came to. */
struct applied {
    struct population_result imported;
    int64_t withdrawn, noted, too_late;
    const char **verdicts; /* per change of the difference that was dropped; else NULL */
    bool complete;         /* nothing is left that differs */
};

static const char *issuer_text(const struct list_input *input, const struct session *s, int issuer)
{
    for (size_t i = 0; i < s->issuer_count; i++)
        if (s->issuers[i] == issuer && input->issuers != NULL)
            return input->issuers[i].cert.subject_text;
    return "";
}

static json_t *changes_json(const struct list_input *input, const struct session *s,
                            const struct population_difference *d, const struct applied *applied)
{
    json_t *list = json_array();
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < d->count; i++) {
        const struct population_change *c = &d->changes[i];
        json_t *one = json_object();
        json_set_text(one, "change", c->added ? "added" : "dropped");
        json_set_text(one, "serial", serial_hex(&c->serial, hex));
        json_set_text(one, "issuer", issuer_text(input, s, c->issuer));
        json_set_text(one, "state", c->state);
        json_set_text(one, "subscriber", c->subscriber);
        json_object_set_new(one, "version", c->version > 0 ? json_integer(c->version) : json_null());
        if (applied != NULL && applied->verdicts[i] != NULL)
            json_set_text(one, "verdict", applied->verdicts[i]);
        json_array_append_new(list, one);
    }
    return list;
}

static void changes_text(const struct population_difference *d, const struct applied *applied)
{
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < d->count; i++) {
        const struct population_change *c = &d->changes[i];
        const char *verdict = applied == NULL ? NULL : applied->verdicts[i];
        printf("  %-7s  %s  %-12s %s%s%s\n", c->added ? "added" : "dropped", serial_hex(&c->serial, hex),
               c->state[0] == '\0' ? "new" : c->state, c->subscriber, verdict == NULL ? "" : ": ",
               verdict == NULL ? "" : verdict);
    }
    if (d->added + d->dropped > (int64_t)d->count)
        printf("  and %" PRId64 " more\n", d->added + d->dropped - (int64_t)d->count);
}

/* ---- since a version ---- */

static json_t *versions_json(const struct population_version *v, size_t n)
{
    json_t *list = json_array();
    char hex[DIGEST_TEXT];
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        json_set_int(one, "version", v[i].version);
        json_set_int(one, "cohort", v[i].cohort);
        json_set_utc(one, "at", v[i].at);
        json_set_text(one, "author", v[i].author);
        json_set_text(one, "source", v[i].source);
        json_set_text(one, "sha256", digest_hex(v[i].sha256, hex));
        json_set_text(one, "heuristic", v[i].heuristic);
        json_set_text(one, "decision", v[i].decision);
        json_set_int(one, "lines", v[i].lines);
        json_set_int(one, "accepted", v[i].accepted);
        json_set_int(one, "duplicate", v[i].duplicate);
        json_set_int(one, "rejected", v[i].rejected);
        json_set_int(one, "added", v[i].added);
        json_set_int(one, "dropped", v[i].dropped);
        json_array_append_new(list, one);
    }
    return list;
}

static void versions_text(const struct population_version *v, size_t n)
{
    char time[UTC_TEXT];
    puts("version  cohort  at                    by            lines     added   dropped  source");
    for (size_t i = 0; i < n; i++) {
        printf("%7d  %6d  %-20s  %-10s %8" PRId64 "  %8" PRId64 "  %8" PRId64 "  %s\n", v[i].version,
               v[i].cohort, utc_format(v[i].at, time), v[i].author, v[i].lines, v[i].added, v[i].dropped,
               v[i].source);
        if (v[i].heuristic[0] != '\0')
            printf("%17sfound by: %s\n", "", v[i].heuristic);
        if (v[i].decision[0] != '\0')
            printf("%17snot expanded by key: %s\n", "", v[i].decision);
    }
}

static bool since(const struct invocation *in, struct session *s, struct fault *f)
{
    int64_t version = 0;
    struct list_input none = {0};
    struct population_version *versions;
    struct population_difference d;
    size_t n;
    if (!option_int(in, OPTION_SINCE, 0, INT32_MAX, &version, f) ||
        !store_population_versions(s->store, s->campaign.id, &s->arena, &versions, &n, f))
        return false;
    if (version > (n == 0 ? 0 : versions[n - 1].version)) {
        fault_set(f, FAULT_FAILED, "campaign %s has no version %" PRId64, s->campaign.name, version);
        return fault_hint(f, "the newest is %d", n == 0 ? 0 : versions[n - 1].version);
    }
    if (!store_population_since(s->store, s->campaign.id, (int)version, CHANGES_SHOWN, &s->arena, &d, f))
        return false;
    if (in->json) {
        json_t *o = json_object();
        json_set_int(o, "since", version);
        json_set_int(o, "same", d.same);
        json_set_int(o, "added", d.added);
        json_set_int(o, "dropped", d.dropped);
        json_object_set_new(o, "changes", changes_json(&none, s, &d, NULL));
        json_object_set_new(o, "versions", versions_json(versions, n));
        session_print(o);
        return true;
    }
    versions_text(versions, n);
    printf("After version %" PRId64 ": %" PRId64 " added, %" PRId64 " dropped, %" PRId64 " as before.\n",
           version, d.added, d.dropped, d.same);
    changes_text(&d, NULL);
    return true;
}

/* ---- a re-run ---- */

/* A list that lost lines would look as if their certificates were gone. */
static bool may_apply(const struct list_input *input, struct fault *f)
{
    if (input->list.rejects.count > 0) {
        AUTO_BUF text = {0};
        intake_list_summary(&input->list, REJECTS_SHOWN, &text);
        log_line("%s", buf_str(&text).p);
        fault_set(f, FAULT_FAILED, "%zu lines cannot be used: nothing was applied",
                  input->list.rejects.count);
        return fault_hint(f, "their certificates would be dropped: correct the list, then apply it");
    }
    if (input->list.accepted > 0)
        return true;
    fault_set(f, FAULT_FAILED, "an empty list would drop every certificate: nothing was applied");
    return fault_hint(f, "to end a campaign drop its certificates by name");
}

static bool drop_missing(struct session *s, const struct list_input *input,
                         const struct population_difference *d, struct applied *out, struct fault *f)
{
    struct act act = {s->campaign.id, s->clock.now(s->clock.self), s->who};
    struct listed *items = arena_array(&s->arena, d->count, sizeof *items);
    size_t *places = arena_array(&s->arena, d->count, sizeof *places), n = 0;
    const char **verdicts;
    for (size_t i = 0; i < d->count; i++) {
        if (d->changes[i].added)
            continue;
        places[n] = i;
        items[n++] = (struct listed){.issuer = d->changes[i].issuer, .serial = d->changes[i].serial};
    }
    const char *reason = arena_format(&s->arena, "not in the re-run of %s", input->source);
    if (n > 0 && !store_drop(s->store, &act, items, n, reason, &s->arena, &verdicts, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        out->verdicts[places[i]] = verdicts[i];
        out->withdrawn += strcmp(verdicts[i], "withdrawn") == 0;
        out->noted += strcmp(verdicts[i], "noted") == 0;
        out->too_late += strcmp(verdicts[i], "too_late") == 0;
    }
    return true;
}

/* Imports what is new, drops what is gone, and looks again at what was to be added. */
static bool apply(struct list_input *input, struct population_difference *d, struct applied *out,
                  struct fault *f)
{
    struct session *s = input->session;
    struct conduct c = session_conduct(s);
    struct population_difference after;
    struct conduct_list list = {.list = &input->list,
                                .sha256 = input->sha256,
                                .source = input->source,
                                .heuristic = input->in->values[OPTION_HEURISTIC],
                                .received = UTC_NONE};
    if (!option_time(input->in, OPTION_RECEIVED, &list.received, f))
        return false;
    if (input->in->values[OPTION_SOURCE] != NULL)
        list.source = input->in->values[OPTION_SOURCE];
    out->verdicts = arena_array(&s->arena, d->count, sizeof *out->verdicts);
    if (!may_apply(input, f) ||
        !session_confirm_scope(s, input->in, "A re-run changes what a started campaign is about.", f) ||
        ((d->added > 0 || utc_is_set(list.received)) && !conduct_import(&c, &list, &out->imported, f)) ||
        !drop_missing(s, input, d, out, f) || !conduct_reconcile(&c, &input->list, 0, &s->arena, &after, f))
        return false;
    out->complete = after.added == 0 && out->too_late == 0 && input->list.rejects.count == 0;
    return true;
}

static json_t *applied_json(const struct applied *a)
{
    json_t *o = json_object();
    json_object_set_new(o, "cohort",
                        a->imported.version > 0 ? json_integer(a->imported.cohort) : json_null());
    json_object_set_new(o, "version",
                        a->imported.version > 0 ? json_integer(a->imported.version) : json_null());
    json_set_int(o, "added", a->imported.added);
    json_set_int(o, "moved", a->imported.moved);
    json_set_int(o, "leaving", a->imported.leaving);
    json_set_int(o, "withdrawn", a->withdrawn);
    json_set_int(o, "noted", a->noted);
    json_set_int(o, "too_late", a->too_late);
    json_set_bool(o, "complete", a->complete);
    return o;
}

static void tell_applied(const struct list_input *input, const struct applied *a)
{
    if (a->imported.added > 0)
        printf("Version %d: %" PRId64 " new in cohort %d.\n", a->imported.version, a->imported.added,
               a->imported.cohort);
    if (a->imported.moved + a->imported.leaving > 0)
        printf("%" PRId64 " of them from a later deadline, %" PRId64
               " more as soon as the CA's answer allows it.\n",
               a->imported.moved, a->imported.leaving);
    if (a->withdrawn + a->noted > 0)
        printf("%" PRId64 " withdrawn, %" PRId64 " as soon as the CA's answer allows it.\n", a->withdrawn,
               a->noted);
    if (a->too_late > 0)
        printf("%" PRId64 " too late: the CA has revoked them; they stay in the campaign.\n", a->too_late);
    if (!a->complete)
        puts("Not everything could be applied.");
    if (a->imported.added > 0)
        puts("Next: massrevoke plan");
    AUTO_BUF text = {0};
    if (input->list.rejects.count > 0)
        intake_list_summary(&input->list, REJECTS_SHOWN, &text);
    fputs(buf_str(&text).p, stdout);
}

static void tell(const struct list_input *input, const struct population_difference *d,
                 const struct applied *applied)
{
    const struct session *s = input->session;
    AUTO_BUF text = {0};
    list_tell_issuer(input);
    if (input->in->json) {
        json_t *o = intake_list_json(&input->list);
        json_set_int(o, "same", d->same);
        json_set_int(o, "added", d->added);
        json_set_int(o, "dropped", d->dropped);
        json_object_set_new(o, "changes", changes_json(input, s, d, applied));
        json_object_set_new(o, "applied", applied == NULL ? json_null() : applied_json(applied));
        session_print(o);
        return;
    }
    intake_list_summary(&input->list, REJECTS_SHOWN, &text);
    fputs(buf_str(&text).p, stdout);
    printf("%" PRId64 " in both, %" PRId64 " in the list alone, %" PRId64 " in campaign %s alone\n", d->same,
           d->added, d->dropped, s->campaign.name);
    changes_text(d, applied);
    if (applied != NULL)
        tell_applied(input, applied);
    else if (d->added + d->dropped > 0)
        puts("Nothing was changed. Next: massrevoke reconcile with --apply");
}

static bool rerun(const struct invocation *in, struct session *s, int *exit_code, struct fault *f)
{
    AUTO_LIST input = {0};
    struct population_difference d;
    struct applied applied = {0};
    bool wanted = option_given(in, OPTION_APPLY);
    if (!list_read(&input, s, in, f))
        return false;
    struct conduct c = session_conduct(s);
    if (!conduct_reconcile(&c, &input.list, wanted ? INT32_MAX : CHANGES_SHOWN, &s->arena, &d, f))
        return false;
    bool differs = d.added + d.dropped > 0;
    /* an earlier receipt moves certificates that are in both */
    bool acts = wanted && (differs || option_given(in, OPTION_RECEIVED));
    if (acts && !apply(&input, &d, &applied, f))
        return false;
    tell(&input, &d, acts ? &applied : NULL);
    bool left = differs && !applied.complete;
    *exit_code = left || input.list.rejects.count > 0 ? fault_exit_code(FAULT_PARTLY) : 0;
    return true;
}

bool cmd_reconcile(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    bool versions = option_given(in, OPTION_SINCE);
    if (versions && (in->arg_count > 0 || option_given(in, OPTION_QUERY) || option_given(in, OPTION_APPLY)))
        return fault_set(f, FAULT_USAGE,
                         "--since N tells what changed; it takes no list and applies nothing");
    if (!versions && !list_check(in, f))
        return false;
    if (option_given(in, OPTION_RECEIVED) && !option_given(in, OPTION_SOURCE)) {
        fault_set(f, FAULT_USAGE, "another receipt needs its evidence");
        return fault_hint(f, "add --source TEXT: how that evidence arrived");
    }
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    return versions ? since(in, &s, f) : rerun(in, &s, exit_code, f);
}
