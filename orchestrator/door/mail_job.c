#include "mail_job.h"
#include "massrevoke/notice.h"

#include <ctype.h>
#include <stdlib.h>

#define LINE_MAX_OCTETS 998

/* A bare LF before a dot would end the message early for some receivers ("SMTP smuggling"). */
static bool check_lines(struct str bytes, struct fault *f)
{
    size_t line = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        bool cr = bytes.p[i] == '\r', lf = bytes.p[i] == '\n';
        if (bytes.p[i] == '\0' || (lf && (i == 0 || bytes.p[i - 1] != '\r')) ||
            (cr && (i + 1 == bytes.n || bytes.p[i + 1] != '\n')))
            return fault_set(f, FAULT_FAILED, "message: bare CR, LF or NUL at byte %zu", i);
        line = cr || lf ? 0 : line + 1;
        if (line > LINE_MAX_OCTETS)
            return fault_set(f, FAULT_FAILED, "message: a line of more than %d octets at byte %zu",
                             LINE_MAX_OCTETS, i);
    }
    return bytes.n > 0 || fault_set(f, FAULT_FAILED, "message: empty");
}

static bool file_name_ok(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("-_.", name[i]) == NULL)
            return false;
    return n > 0 && n <= 200 && name[0] != '.';
}

bool mail_job_new(const struct mail_message *m, struct mail_job **out, struct fault *f)
{
    if (!notice_address_ok(str_of(m->from)))
        return fault_set(f, FAULT_CONFIG, "mail.from: '%.200s' is not one bare mailbox", m->from);
    if (!file_name_ok(m->name))
        return fault_set(f, FAULT_FAILED, "message: '%.200s' is not a file name", m->name);
    if (!check_lines(m->bytes, f))
        return false;
    struct mail_job *job = arena_grow(NULL, sizeof *job);
    *job = (struct mail_job){.message = *m, .answer = {.id = m->id}};
    job->message.from = arena_text(&job->memory, m->from);
    job->message.to = arena_text(&job->memory, m->to);
    job->message.name = arena_text(&job->memory, m->name);
    job->message.bytes.p = arena_copy(&job->memory, m->bytes.p, m->bytes.n);
    job->addressable = notice_address_ok(str_of(m->to));
    if (!job->addressable)
        mail_job_answer(job, MAIL_REFUSED, "not one bare mailbox; nothing was sent");
    *out = job;
    return true;
}

void mail_job_free(struct mail_job *job)
{
    if (job == NULL)
        return;
    arena_free(&job->memory);
    free(job);
}

void mail_queue_add(struct mail_queue *q, struct mail_job *job)
{
    job->next = NULL;
    if (q->last == NULL)
        q->first = job;
    else
        q->last->next = job;
    q->last = job;
}

struct mail_job *mail_queue_take(struct mail_queue *q)
{
    struct mail_job *job = q->first;
    if (job == NULL)
        return NULL;
    q->first = job->next;
    if (q->first == NULL)
        q->last = NULL;
    return job;
}

void mail_queue_free(struct mail_queue *q)
{
    for (struct mail_job *job; (job = mail_queue_take(q)) != NULL;)
        mail_job_free(job);
}

void mail_job_answer(struct mail_job *job, enum mail_outcome outcome, const char *text)
{
    job->answer.outcome = outcome;
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof job->answer.text; n++)
        job->answer.text[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? ' ' : text[n];
    job->answer.text[n] = '\0';
}

size_t mail_queue_deliver(struct mail_queue *q, struct mail_door *d)
{
    size_t count = 0;
    for (struct mail_job *job; (job = mail_queue_take(q)) != NULL; count++) {
        d->answer(d->answer_context, &job->answer);
        mail_job_free(job);
    }
    return count;
}
