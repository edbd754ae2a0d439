/* The words of an alert: JSON for programs, lines for people, a message for the one who is called. */
#include "massrevoke/alerting.h"
#include "massrevoke/notice.h"
#include "message.h"

#include <inttypes.h>

static const char *state_of(const struct alerting_words *w)
{
    return w->step == ALERT_CLEARED ? "cleared" : w->step == 0 ? "raised" : "repeated";
}

static json_t *tries_json(const struct alert *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->try_count; i++) {
        const struct alert_try *t = &a->tries[i];
        json_t *o = json_object();
        json_set_int(o, "step", t->step);
        json_set_text(o, "path", alert_path_name(t->path));
        json_set_text(o, "to", t->to[0] == '\0' ? NULL : t->to);
        json_set_int(o, "attempt", t->attempt);
        json_set_utc(o, "at", t->at);
        json_set_text(o, "outcome", t->open ? "open" : mail_outcome_name(t->outcome));
        json_set_text(o, "text", t->text[0] == '\0' ? NULL : t->text);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *alerting_json(const struct alerting_words *w, bool with_step)
{
    const struct alert *a = w->alert;
    json_t *o = json_object();
    json_set_int(o, "alert", a->alert);
    if (with_step) {
        json_set_text(o, "campaign", w->campaign);
        json_set_text(o, "mode", w->mode);
        json_set_text(o, "event", state_of(w));
        json_set_int(o, "step", w->step < 0 ? 0 : w->step);
        json_set_text(o, "to", w->to == NULL ? NULL : w->to->name);
    }
    json_set_text(o, "state", alert_state(a));
    json_set_text(o, "kind", alert_kind_name(a->cause.kind));
    json_set_text(o, "subject", a->cause.subject);
    json_set_text(o, "text", a->cause.text);
    json_set_utc(o, "since", a->cause.since);
    json_set_text(o, "cost", a->cause.cost);
    json_set_text(o, "command", a->cause.command);
    json_set_utc(o, "raised_at", a->raised_at);
    json_set_utc(o, "acked_at", a->acked_at);
    json_set_text(o, "acked_by", utc_is_set(a->acked_at) ? a->acked_by : NULL);
    json_set_utc(o, "cleared_at", a->cleared_at);
    if (!with_step)
        json_object_set_new(o, "told", tries_json(a));
    return o;
}

const char *const *alerting_environment(const struct alerting_words *w, struct arena *a)
{
    const char **list = arena_array(a, 8, sizeof *list);
    list[0] = arena_format(a, "MASSREVOKE_ALERT=%" PRId64, w->alert->alert);
    list[1] = arena_format(a, "MASSREVOKE_ALERT_KIND=%s", alert_kind_name(w->alert->cause.kind));
    list[2] = arena_format(a, "MASSREVOKE_ALERT_EVENT=%s", state_of(w));
    list[3] = arena_format(a, "MASSREVOKE_ALERT_STEP=%d", w->step < 0 ? 0 : w->step);
    list[4] = arena_format(a, "MASSREVOKE_ALERT_TO=%s", w->to == NULL ? "" : w->to->name);
    list[5] = arena_format(a, "MASSREVOKE_ALERT_MODE=%s", w->mode);
    list[6] = arena_format(a, "MASSREVOKE_CAMPAIGN=%s", w->campaign);
    return list;
}

void alerting_text(const struct alerting_words *w, struct buf *out)
{
    char since[UTC_TEXT];
    const struct alert *a = w->alert;
    struct utc from = utc_is_set(a->cause.since) ? a->cause.since : a->raised_at;
    buf_format(out, "What:    %s\n", a->cause.text);
    buf_format(out, "Since:   %s\n", utc_format(from, since));
    buf_format(out, "Cost:    %s\n", a->cause.cost);
    buf_format(out, "Do:      %s\n", a->cause.command);
}

static const char *subject(const struct alerting_words *w, struct arena *a)
{
    bool drill = strcmp(w->mode, "drill") == 0;
    return arena_format(a, "%s[%s] alert %" PRId64 "%s: %s", drill ? "[EXERCISE] " : "", w->campaign,
                        w->alert->alert, w->step > 0 ? arena_format(a, ", call %d", w->step + 1) : "",
                        alert_kind_what(w->alert->cause.kind));
}

static const char *message_id(const struct alerting_words *w, const char *from, struct arena *a)
{
    char hex[DIGEST_TEXT];
    const char *at = strrchr(from, '@');
    const char *key = arena_format(a, "alert %" PRId64 " %s %s %" PRId64, w->alert->alert, w->campaign,
                                   w->to->email, w->alert->raised_at.s);
    return arena_format(a, "%.32s.%" PRId64 ".%d@%s", digest_hex(digest_of(key, strlen(key)), hex),
                        w->alert->alert, w->step, at == NULL ? "localhost" : at + 1);
}

bool alerting_mail(const struct alerting_words *w, const struct settings *s, struct utc date, struct arena *a,
                   struct str *eml, struct fault *f)
{
    AUTO_BUF text = {0};
    if (!notice_address_ok(str_of(s->mail_from)) || !notice_address_ok(str_of(s->mail_reply_to)))
        return fault_set(f, FAULT_CONFIG, "mail.from or mail.reply_to is not one bare mailbox");
    if (!notice_address_ok(str_of(w->to->email)))
        return fault_set(f, FAULT_REFUSED, "alert.oncall: %.100s has no usable address", w->to->name);
    const struct message_head head = {.from_name = "massrevoke",
                                      .from = s->mail_from,
                                      .to_name = w->to->name,
                                      .to = w->to->email,
                                      .reply_to = s->mail_reply_to,
                                      .subject = subject(w, a),
                                      .message_id = message_id(w, s->mail_from, a),
                                      .date = date};
    alerting_text(w, &text);
    if (w->alert->alert > 0)
        buf_format(&text,
                   "\nTake it, so that nobody else is called: massrevoke -c %s alert ack %" PRId64
                   "\nEverything that is open: massrevoke -c %s alert list\n",
                   w->campaign, w->alert->alert, w->campaign);
    else /* no store knows of it */
        buf_text(&text, "\nIt cannot be taken; it ends by itself.\n");
    GMimeMessage *message = message_new(&head);
    g_mime_object_set_header(GMIME_OBJECT(message), "Auto-Submitted", "auto-generated", NULL);
    g_mime_object_set_header(GMIME_OBJECT(message), "Importance", "high", NULL);
    GMimeObject *body = message_text("plain", buf_str(&text));
    g_mime_message_set_mime_part(message, body);
    g_object_unref(body);
    *eml = message_write(message, a);
    return true;
}
