/* The spool: messages as files. Sending again under the same name leaves the same file. */
#include "mail_job.h"
#include "massrevoke/file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct spool {
    struct mail_door door;
    char *folder;
    struct mail_queue waiting;
    size_t count;
};

static bool spool_send(struct mail_door *d, const struct mail_message *m, struct fault *f)
{
    struct spool *s = (struct spool *)d;
    struct mail_job *job;
    if (s->count == MAIL_QUEUE_MAX)
        return fault_set(f, FAULT_CONFLICT, "the spool has %d messages waiting", MAIL_QUEUE_MAX);
    if (!mail_job_new(m, &job, f))
        return false;
    mail_queue_add(&s->waiting, job);
    s->count++;
    return true;
}

/* A full disk or a missing folder is MAIL_LATER: nothing was placed, and the same try may be repeated. */
static void write_file(const struct spool *s, struct mail_job *job)
{
    AUTO_ARENA a = {0};
    struct fault f = {0};
    const char *path = arena_format(&a, "%s/%s.eml", s->folder, job->message.name);
    if (file_write(path, job->message.bytes, 0600, &f))
        mail_job_answer(job, MAIL_ACCEPTED, path);
    else
        mail_job_answer(job, MAIL_LATER, f.text);
}

static bool spool_step(struct mail_door *d, bool *busy, struct fault *f)
{
    (void)f; // nothing here fails as a whole
    struct spool *s = (struct spool *)d;
    struct mail_queue done = s->waiting;
    s->waiting = (struct mail_queue){0};
    for (struct mail_job *job = done.first; job != NULL; job = job->next)
        if (job->addressable)
            write_file(s, job);
    s->count = 0;
    (void)mail_queue_deliver(&done, d);
    *busy = s->count > 0;
    return true;
}

static void spool_close(struct mail_door *d)
{
    struct spool *s = (struct spool *)d;
    mail_queue_free(&s->waiting);
    free(s->folder);
    free(s);
}

bool mail_spool_open(const char *folder, struct mail_door **out, struct fault *f)
{
    static const struct mail_door_ops ops = {spool_send, spool_step, spool_close};
    if (!file_make_folders(folder, 0700, f))
        return fault_wrap(f, "mail.spool_dir");
    if (access(folder, W_OK | X_OK) != 0)
        return fault_set(f, FAULT_CONFIG, "mail.spool_dir: %s: %s", folder, strerror(errno));
    struct spool *s = arena_grow(NULL, sizeof *s);
    *s = (struct spool){.door = {.ops = &ops, .fd = -1}};
    size_t n = strlen(folder) + 1;
    s->folder = memcpy(arena_grow(NULL, n), folder, n);
    *out = &s->door;
    return true;
}
