#include "alert_probe.h"
#include "massrevoke/alert_door.h"
#include "massrevoke/alerting.h"
#include "massrevoke/mail_door.h"

#include <stdio.h>

#define WAIT_SECONDS (ALERT_SECONDS + 2)

struct probing {
    struct alert_door *door;
    struct mail_door *mail;
    struct alert_probe *rows; /* by the id of their call */
    size_t count;
    size_t left;
};

static void settle(struct probing *p, int64_t id, bool ok, const char *text)
{
    struct alert_probe *row = &p->rows[id];
    row->ok = ok;
    snprintf(row->text, sizeof row->text, "%.199s", text);
    p->left--;
}

static void on_mail(void *context, const struct mail_answer *answer)
{
    settle(context, answer->id, answer->outcome == MAIL_ACCEPTED,
           answer->text[0] == '\0' ? mail_outcome_name(answer->outcome) : answer->text);
}

static struct alert_probe *row(struct probing *p, const char *path, const char *to)
{
    p->rows[p->count] = (struct alert_probe){.path = path, .to = to, .text = "no answer"};
    p->left++;
    return &p->rows[p->count++];
}

static void send_mail(struct probing *p, const struct settings *s, const struct alerting_words *words,
                      struct arena *a)
{
    struct fault f = {0};
    int64_t id = (int64_t)p->count;
    (void)row(p, "mail", arena_format(a, "%s <%s>", words->to->name, words->to->email));
    struct mail_message m = {.id = id, .from = s->mail_from, .to = words->to->email};
    m.name = arena_format(a, "alert-test-%lld-%02lld", (long long)words->alert->raised_at.s, (long long)id);
    p->mail->answer = on_mail;
    p->mail->answer_context = p;
    if (!alerting_mail(words, s, words->alert->raised_at, a, &m.bytes, &f) ||
        !p->mail->ops->send(p->mail, &m, &f))
        settle(p, id, false, f.text);
}

static void run_command(struct probing *p, const struct settings *s, const struct alerting_words *words,
                        struct arena *a)
{
    AUTO_JSON *json = alerting_json(words, true);
    AUTO_BUF text = {0};
    struct fault f = {0};
    int64_t id = (int64_t)p->count;
    (void)row(p, "command", s->alert.command[0]);
    json_pretty(json, &text);
    if (!alert_start(p->door, id, buf_str(&text), alerting_environment(words, a), &f))
        settle(p, id, false, f.text);
}

/* File and URL are one beat; each is a way of its own. */
static void beat(struct probing *p, const struct settings *s, const char *text, int64_t *fetch)
{
    struct fault f = {0};
    bool open;
    bool written = alert_beat(p->door, text, &open, &f);
    if (s->alert.beat_file != NULL) {
        (void)row(p, "heartbeat", s->alert.beat_file);
        settle(p, (int64_t)p->count - 1, written, written ? "written" : f.text);
    }
    if (open) {
        *fetch = (int64_t)p->count;
        /* the address may be a secret */
        (void)row(p, "heartbeat", s->alert.beat_url != NULL ? s->alert.beat_url : s->alert.beat_url_file);
    }
}

static void wait_for_answers(struct probing *p, struct clock clock, int64_t fetch)
{
    struct utc end = utc_add(clock.now(clock.self), (struct span){WAIT_SECONDS});
    while (p->left > 0 && clock.now(clock.self).s < end.s) {
        struct alert_answer answer;
        struct fault ignored = {0};
        bool busy;
        while (alert_next(p->door, &answer, &busy))
            settle(p, answer.id == ALERT_BEAT ? fetch : answer.id, answer.ok,
                   answer.text[0] == '\0' ? "done" : answer.text);
        if (p->mail != NULL)
            (void)!p->mail->ops->step(p->mail, &busy, &ignored);
        if (p->left > 0)
            clock.wait(clock.self, UTC_NONE, (struct span){1}, alert_fd(p->door));
    }
}

bool alert_probe(const struct settings *s, struct clock clock, const char *who, struct arena *a,
                 struct alert_probe **out, size_t *n, struct fault *f)
{
    struct probing p = {.rows = arena_array(a, s->alert.oncall_count + 3, sizeof *p.rows)};
    struct utc now = clock.now(clock.self);
    const struct alert alert = {
        .cause = {.kind = ALERT_TEST,
                  .subject = "test",
                  .since = now,
                  .text = arena_format(a, "%s tries the ways that alerts go", who),
                  .cost = "nothing: this is a test",
                  .command = "nothing"},
        .raised_at = now,
        .acked_at = UTC_NONE,
        .cleared_at = UTC_NONE,
    };
    struct alerting_words words = {.campaign = "test", .mode = "live", .alert = &alert};
    bool ok = alert_open(&s->alert, &p.door, f) && mail_open(s, &p.mail, f);
    int64_t fetch = -1;
    char at[UTC_TEXT];
    if (ok && s->alert.command_count > 0)
        run_command(&p, s, &words, a);
    for (size_t i = 0; ok && i < s->alert.oncall_count; i++) {
        words.to = &s->alert.oncall[i];
        send_mail(&p, s, &words, a);
    }
    if (ok)
        beat(&p, s, arena_format(a, "%s test\n", utc_format(now, at)), &fetch);
    if (ok)
        wait_for_answers(&p, clock, fetch);
    alert_close(p.door);
    mail_close(p.mail);
    *out = p.rows;
    *n = p.count;
    return ok;
}
