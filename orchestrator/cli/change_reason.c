/* reason: another reason for what is revoked already, its list, and its serials for the CA's administrator.
 */
#include "massrevoke/conduct_reason.h"
#include "massrevoke/csv.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool reason_option(const struct invocation *in, enum reason *out, struct fault *f)
{
    const char *name = in->values[OPTION_TO];
    int code = reason_from_name(str_of(name));
    if (code < 0)
        return fault_set(f, FAULT_USAGE, "'%.40s' is no reason of RFC 5280", name);
    *out = (enum reason)code;
    return true;
}

static void tell(const struct invocation *in, int change, int request, bool elsewhere)
{
    if (in->json) {
        session_print(json_pack("{s:i, s:i, s:i}", "change", change, "request", request, "certificates",
                                in->arg_count));
        return;
    }
    printf(
        "Change %d of %d certificates waits for its approval as request %d.\nNext: massrevoke request show "
        "%d; massrevoke approve %d --key FILE --cert FILE; ",
        change, in->arg_count, request, request, request);
    if (elsewhere)
        printf("massrevoke reason export %d\n", change);
    else
        puts("massrevoke run");
}

bool cmd_reason(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct conduct_reason wanted = {.compromised_at = UTC_NONE,
                                    .elsewhere = option_given(in, OPTION_BY_ADMINISTRATOR),
                                    .why = in->values[OPTION_REASON]};
    struct listed *items;
    int change, request;
    (void)exit_code;
    if (!option_required(in, OPTION_TO, f) || !option_required(in, OPTION_REASON, f) ||
        !reason_option(in, &wanted.to, f) ||
        !option_time(in, OPTION_COMPROMISED_AT, &wanted.compromised_at, f) ||
        !session_open(in, SESSION_CAMPAIGN, &s, f) || !session_serials(&s, in, &items, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!conduct_reason(&c, &wanted, items, (size_t)in->arg_count, &change, &request, f))
        return false;
    tell(in, change, request, wanted.elsewhere);
    return true;
}

static const char *state_of(const struct reason_change *c)
{
    return !utc_is_set(c->bound_at)      ? "not approved"
           : c->person > 0               ? "needs a person"
           : c->shown == c->certificates ? "shown"
           : c->elsewhere_open > 0       ? "with the CA's administrator"
           : c->waits + c->asked > 0     ? "under way"
                                         : "not yet seen in what is published";
}

static json_t *change_json(const struct reason_change *c)
{
    json_t *o = json_object();
    json_set_int(o, "change", c->change);
    json_set_int(o, "request", c->request);
    json_set_text(o, "reason", reason_name((int)c->reason));
    json_set_utc(o, "compromised_at", c->compromised_at);
    json_set_bool(o, "by_administrator", c->elsewhere);
    json_set_text(o, "why", c->why);
    json_set_utc(o, "at", c->at);
    json_set_utc(o, "approved_at", c->bound_at);
    json_set_text(o, "state", state_of(c));
    json_set_int(o, "certificates", c->certificates);
    json_set_int(o, "waits", c->waits);
    json_set_int(o, "asked", c->asked);
    json_set_int(o, "changed", c->changed);
    json_set_int(o, "with_administrator", c->elsewhere_open);
    json_set_int(o, "shown", c->shown);
    json_set_int(o, "needs_person", c->person);
    return o;
}

/* What a person must look at, by serial and with the CA's words. */
static bool print_persons(struct session *s, const struct reason_change *c, struct fault *f)
{
    struct reason_item *items;
    size_t n;
    char hex[SERIAL_HEX_TEXT];
    if (c->person == 0)
        return true;
    if (!store_reason_items(s->store, s->campaign.id, c->change, &s->arena, &items, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].state, "person") == 0)
            printf("      %s  %s\n", serial_hex(&items[i].serial, hex),
                   items[i].said[0] == '\0' ? "the CA does not have it as revoked" : items[i].said);
    return true;
}

bool cmd_reason_list(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct reason_change *all;
    size_t n;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_reasons(s.store, s.campaign.id, &s.arena, &all, &n, f))
        return false;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct reason_change *c = &all[i];
        if (c->person > 0)
            *exit_code = fault_exit_code(FAULT_PARTLY);
        if (in->json) {
            json_array_append_new(list, change_json(c));
            continue;
        }
        printf("%4d  %-18s %" PRId64 " certificates, %" PRId64 " changed, %" PRId64 " shown: %s\n", c->change,
               reason_name((int)c->reason), c->certificates, c->changed + c->shown, c->shown, state_of(c));
        if (!print_persons(&s, c, f)) {
            json_decref(list);
            return false;
        }
    }
    if (in->json)
        session_print(json_pack("{s:O}", "changes", list));
    else if (n == 0)
        puts("No reason was changed.");
    json_decref(list);
    return true;
}

static void put_date(struct csv_writer *w, struct utc at)
{
    char text[UTC_TEXT];
    csv_text(w, utc_is_set(at) ? utc_format(at, text) : "");
}

static void put_csv(const struct reason_change *c, const struct reason_item *items, size_t n, struct buf *out)
{
    static const char *const header[] = {"issuer",          "serial",     "reason",  "reason_code",
                                         "revocation_date", "old_reason", "old_date"};
    struct csv_writer w = {.out = out};
    char hex[SERIAL_HEX_TEXT], code[12];
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        csv_text(&w, header[i]);
    csv_end_row(&w);
    for (size_t i = 0; i < n; i++) {
        snprintf(code, sizeof code, "%d", (int)c->reason);
        csv_text(&w, items[i].issuer_subject);
        csv_text(&w, serial_hex(&items[i].serial, hex));
        csv_text(&w, reason_name((int)c->reason));
        csv_text(&w, code);
        put_date(&w, utc_is_set(c->compromised_at) ? c->compromised_at : items[i].old_at);
        csv_text(&w, reason_name(items[i].old_reason));
        put_date(&w, items[i].old_at);
        csv_end_row(&w);
    }
}

bool cmd_reason_export(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_BUF out = {0};
    struct reason_change *all, *wanted = NULL;
    struct reason_item *items;
    size_t n, count;
    char *end;
    long number = strtol(in->args[0], &end, 10);
    (void)exit_code;
    if (*end != '\0' || number < 1 || number > INT32_MAX)
        return fault_set(f, FAULT_USAGE, "'%.40s' is not the number of a change", in->args[0]);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_reasons(s.store, s.campaign.id, &s.arena, &all, &count, f))
        return false;
    for (size_t i = 0; i < count; i++)
        if (all[i].change == number)
            wanted = &all[i];
    if (wanted == NULL)
        return fault_set(f, FAULT_FAILED, "there is no change %ld of reasons", number);
    if (!utc_is_set(wanted->bound_at)) {
        fault_set(f, FAULT_APPROVAL, "change %ld of reasons is not approved", number);
        return fault_hint(f, "massrevoke approve %d --key FILE --cert FILE", wanted->request);
    }
    if (!store_reason_items(s.store, s.campaign.id, wanted->change, &s.arena, &items, &n, f))
        return false;
    put_csv(wanted, items, n, &out);
    fputs(out.p, stdout);
    return true;
}
