/* show: everything the store knows of one serial, in every issuer that has it. */
#include "massrevoke/reason.h"
#include "massrevoke/store_report.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>

static const char *reason_text(int reason)
{
    return reason_name(reason) == NULL ? "unknown" : reason_name(reason);
}

static const char *state_text(const struct shown *c)
{
    if (c->number >= 0)
        return certificate_state_name(certificate_state(c->byte));
    return c->withdrawn ? "withdrawn" : c->excluded[0] != '\0' ? c->excluded : "waiting";
}

static json_t *history_json(const struct shown *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->history_count; i++) {
        json_t *one = json_object();
        json_set_utc(one, "at", c->history[i].at);
        json_set_text(one, "actor", c->history[i].actor);
        json_set_text(one, "event", certificate_event_name(c->history[i].event));
        json_set_text(one, "state", certificate_state_name(c->history[i].state));
        json_set_int(one, "seq", c->history[i].seq);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *shown_json(const struct shown *c)
{
    char hex[SERIAL_HEX_TEXT];
    json_t *object = json_object();
    json_set_text(object, "serial", serial_hex(&c->serial, hex));
    json_set_text(object, "issuer", c->issuer_subject);
    json_set_int(object, "cohort", c->cohort);
    json_set_text(object, "state", state_text(c));
    json_set_bool(object, "hold_noted", (c->byte & CERTIFICATE_NOTE_HOLD) != 0);
    json_set_bool(object, "drop_noted", (c->byte & CERTIFICATE_NOTE_DROP) != 0);
    json_set_bool(object, "in_inventory", c->known);
    json_set_text(object, "subscriber", c->subscriber);
    json_set_text(object, "subject", c->subject);
    json_set_text(object, "dns_names", c->dns_names);
    json_set_utc(object, "not_after", c->not_after);
    json_set_utc(object, "planned", c->planned);
    json_set_text(object, "reason", reason_text(c->reason));
    json_set_text(object, "cdp", c->cdp);
    json_set_text(object, "ocsp", c->ocsp);
    json_set_text(object, "cert_sha256", c->cert_sha256);
    json_object_set_new(object, "history", history_json(c));
    return object;
}

static void line(const char *name, const char *value)
{
    if (value[0] != '\0')
        printf("  %-11s %s\n", name, value);
}

static void shown_text(const struct shown *c)
{
    char hex[SERIAL_HEX_TEXT], time[UTC_TEXT];
    printf("%s  %s%s%s\n", serial_hex(&c->serial, hex), state_text(c),
           (c->byte & CERTIFICATE_NOTE_HOLD) != 0 ? ", a hold is noted" : "",
           (c->byte & CERTIFICATE_NOTE_DROP) != 0 ? ", a drop is noted" : "");
    line("issuer", c->issuer_subject);
    line("subject", c->subject);
    line("names", c->dns_names);
    line("subscriber", c->known ? c->subscriber : "not in the inventory");
    printf("  %-11s %d, line %" PRId64 " of its list\n", "cohort", c->cohort, c->line);
    line("reason", reason_text(c->reason));
    line("planned", utc_is_set(c->planned) ? utc_format(c->planned, time) : "in no chunk");
    line("not after", utc_is_set(c->not_after) ? utc_format(c->not_after, time) : "");
    line("crl", c->cdp);
    line("ocsp", c->ocsp);
    for (size_t i = 0; i < c->history_count; i++)
        printf("  %s  %-12s -> %-12s %s (event %" PRId64 ")\n", utc_format(c->history[i].at, time),
               certificate_event_name(c->history[i].event), certificate_state_name(c->history[i].state),
               c->history[i].actor, c->history[i].seq);
}

bool cmd_show(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code;
    AUTO_SESSION s = {0};
    struct serial serial;
    struct shown *list;
    size_t n;
    const char *why = serial_from_hex(str_of(in->args[0]), &serial);
    if (why != NULL)
        return fault_set(f, FAULT_USAGE, "'%.60s' is no serial in hex: %s", in->args[0], why);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_show(s.store, s.campaign.id, &serial, &s.arena, &list, &n, f))
        return false;
    if (n == 0)
        return fault_set(f, FAULT_FAILED, "%.60s is not in %s", in->args[0], s.campaign.name);
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        if (in->json)
            json_array_append_new(array, shown_json(&list[i]));
        else
            shown_text(&list[i]);
    }
    if (!in->json) {
        json_decref(array);
        return true;
    }
    json_t *object = json_object();
    json_object_set_new(object, "certificates", array);
    session_print(object);
    return true;
}
