/* alert list, ack, test: what needs a person, who takes it, and whether anybody would be reached. */
#include "alert_probe.h"
#include "massrevoke/alerting.h"
#include "massrevoke/store_alert.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LIST_BACK 86400 /* seconds that an alert stays in the list when it is over */

static void list_json(const struct session *s, const struct alert *list, size_t n, struct utc now)
{
    json_t *object = json_object(), *array = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct alerting_words words = {.alert = &list[i]};
        json_array_append_new(array, alerting_json(&words, false));
    }
    json_set_text(object, "campaign", s->campaign.name);
    json_set_utc(object, "as_of", now);
    json_object_set_new(object, "alerts", array);
    session_print(object);
}

static void print_one(const struct session *s, const struct alert *a)
{
    AUTO_BUF text = {0};
    char at[UTC_TEXT];
    const struct alerting_words words = {s->campaign.name, s->campaign.mode, a, 0, NULL};
    printf("%c %" PRId64 "  %s, %s%s%s\n", strcmp(alert_state(a), "open") == 0 ? '!' : ' ', a->alert,
           alert_kind_name(a->cause.kind), alert_state(a), utc_is_set(a->acked_at) ? " by " : "",
           utc_is_set(a->acked_at) ? a->acked_by : "");
    alerting_text(&words, &text);
    for (struct str rest = buf_str(&text); rest.n > 0 && rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        printf("     %.*s\n", (int)line.n, line.p);
    }
    for (size_t i = 0; i < a->try_count; i++) {
        const struct alert_try *t = &a->tries[i];
        printf("     Called:  %s  %s%s%s: %s%s%s\n", utc_format(t->at, at), alert_path_name(t->path),
               t->to[0] == '\0' ? "" : " ", t->to, t->open ? "no answer yet" : mail_outcome_name(t->outcome),
               t->text[0] == '\0' ? "" : ", ", t->text);
    }
}

bool cmd_alert_list(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct alert *list;
    size_t n;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct utc now = s.clock.now(s.clock.self);
    if (!store_alerts(s.store, s.campaign.id, utc_add(now, (struct span){-LIST_BACK}), 0, &s.arena, &list, &n,
                      f))
        return false;
    if (in->json) {
        list_json(&s, list, n, now);
        return true;
    }
    if (n == 0)
        puts("no alert");
    for (size_t i = 0; i < n; i++)
        print_one(&s, &list[i]);
    return true;
}

static bool read_number(const struct invocation *in, int64_t *number, struct fault *f)
{
    char *end;
    *number = 0;
    if (in->arg_count == 0)
        return true;
    *number = strtoll(in->args[0], &end, 10);
    if (*end == '\0' && *number > 0 && *number < INT32_MAX)
        return true;
    fault_set(f, FAULT_USAGE, "'%.40s' is not the number of an alert", in->args[0]);
    return fault_hint(f, "massrevoke alert list");
}

bool cmd_alert_ack(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    int64_t wanted, *taken;
    size_t n;
    (void)exit_code;
    if (!read_number(in, &wanted, f) || !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!store_alert_ack(s.store, &act, wanted, &s.arena, &taken, &n, f))
        return false;
    if (n == 0 && wanted > 0) {
        fault_set(f, FAULT_CONFLICT, "alert %" PRId64 " is not open: taken, over, or never raised", wanted);
        return fault_hint(f, "massrevoke alert list");
    }
    json_t *object = json_object(), *array = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, json_integer(taken[i]));
        if (!in->json)
            printf("%s has alert %" PRId64 ": nobody else is called for it.\n", s.who, taken[i]);
    }
    if (!in->json && n == 0)
        puts("no alert waits for anybody");
    json_set_text(object, "campaign", s.campaign.name);
    json_object_set_new(object, "acknowledged", array);
    if (in->json)
        session_print(object);
    else
        json_decref(object);
    return true;
}

static void test_json(const struct alert_probe *rows, size_t n)
{
    json_t *object = json_object(), *array = json_array();
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        json_set_text(one, "path", rows[i].path);
        json_set_text(one, "to", rows[i].to);
        json_set_bool(one, "ok", rows[i].ok);
        json_set_text(one, "text", rows[i].text);
        json_array_append_new(array, one);
        ok = ok && rows[i].ok;
    }
    json_set_bool(object, "ok", ok);
    json_object_set_new(object, "paths", array);
    session_print(object);
}

bool cmd_alert_test(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct settings settings;
    struct alert_probe *rows;
    size_t n, failed = 0;
    if (!settings_read(in->values[OPTION_CONFIG], &a, &settings, f) ||
        !alert_probe(&settings, clock_system(), "somebody", &a, &rows, &n, f))
        return false;
    if (n == 0) {
        fault_set(f, FAULT_CONFIG, "no way is configured that an alert could go");
        return fault_hint(f, "set alert.command, alert.oncall or alert.heartbeat; see massrevoke.cfg(5)");
    }
    for (size_t i = 0; i < n; i++)
        failed += !rows[i].ok;
    if (in->json)
        test_json(rows, n);
    for (size_t i = 0; i < n && !in->json; i++)
        printf("%-5s %-10s %s: %s\n", rows[i].ok ? "ok" : "FAIL", rows[i].path, rows[i].to, rows[i].text);
    *exit_code = failed == 0 ? 0 : fault_exit_code(FAULT_PARTLY);
    return true;
}
