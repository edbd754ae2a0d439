/* A linter as a process. */
#include "massrevoke/arena.h"
#include "massrevoke/lint_door.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* One process; pid 0: free. */
struct job {
    pid_t pid;
    int64_t id;
    int out, timer; /* its output; readable when its time is over */
    char line[LINT_LINE];
    size_t filled;
    bool line_ended;
};

struct lint_door {
    const char *const *command;
    size_t count;
    struct job jobs[LINT_AT_ONCE];
};

bool lint_open(const char *const *command, size_t count, struct lint_door **out, struct fault *f)
{
    (void)f;
    *out = NULL;
    if (count == 0)
        return true;
    *out = arena_grow(NULL, sizeof **out);
    **out = (struct lint_door){.command = command, .count = count};
    return true;
}

size_t lint_room(const struct lint_door *d)
{
    size_t n = 0;
    for (size_t i = 0; d != NULL && i < LINT_AT_ONCE; i++)
        n += d->jobs[i].pid == 0;
    return n;
}

/* The command with the file as its last argument. */
static int spawn(const struct lint_door *d, const char *file, int output, pid_t *pid)
{
    AUTO_ARENA a = {0};
    const char **argv = arena_array(&a, d->count + 2, sizeof *argv);
    memcpy(argv, d->command, d->count * sizeof *argv);
    argv[d->count] = file;
    return process_start(argv, NULL, -1, output, output, pid);
}

bool lint_start(struct lint_door *d, int64_t id, const char *file, struct fault *f)
{
    int ends[2];
    size_t at = 0;
    while (at < LINT_AT_ONCE && d->jobs[at].pid != 0)
        at++;
    if (at == LINT_AT_ONCE)
        return fault_set(f, FAULT_CONFLICT, "%d files are being linted already", LINT_AT_ONCE);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec time = {.it_value.tv_sec = LINT_SECONDS};
    if (timer < 0 || timerfd_settime(timer, 0, &time, NULL) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
        fault_set(f, FAULT_FAILED, "lint: %s", strerror(errno));
        if (timer >= 0)
            close(timer);
        return false;
    }
    struct job job = {.id = id, .out = ends[0], .timer = timer};
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    int error = spawn(d, file, ends[1], &job.pid);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        close(timer);
        return fault_set(f, FAULT_CONFIG, "lint.command: %s: %s", d->command[0], strerror(error));
    }
    d->jobs[at] = job;
    return true;
}

/* Keeps the first line that is not empty; the rest is read so that the process can go on, and dropped. */
static void drink(struct job *j)
{
    char part[4096];
    for (ssize_t got; (got = read(j->out, part, sizeof part)) > 0;)
        for (ssize_t i = 0; i < got && !j->line_ended; i++) {
            if (part[i] == '\n')
                j->line_ended = j->filled > 0;
            else if (j->filled + 1 < sizeof j->line && part[i] != '\r')
                j->line[j->filled++] = part[i] >= ' ' && part[i] < 0x7f ? part[i] : '?';
        }
}

static void answer(struct job *j, const char *instead, struct lint_answer *out)
{
    *out = (struct lint_answer){.id = j->id};
    if (instead != NULL)
        snprintf(out->found, sizeof out->found, "%s", j->filled > 0 ? j->line : instead);
    close(j->out);
    close(j->timer);
    *j = (struct job){0};
}

bool lint_next(struct lint_door *d, struct lint_answer *out, bool *busy)
{
    *busy = false;
    for (size_t i = 0; d != NULL && i < LINT_AT_ONCE; i++) {
        struct job *j = &d->jobs[i];
        uint64_t fired;
        int status;
        char text[64];
        if (j->pid == 0)
            continue;
        drink(j);
        if (waitpid(j->pid, &status, WNOHANG) == j->pid) {
            drink(j);
            kill(-j->pid, SIGKILL); /* what it left running */
            if (WIFEXITED(status))
                snprintf(text, sizeof text, "exit code %d", WEXITSTATUS(status));
            else
                snprintf(text, sizeof text, "ended by signal %d", WTERMSIG(status));
            answer(j, WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : text, out);
            return true;
        }
        if (read(j->timer, &fired, sizeof fired) == (ssize_t)sizeof fired) {
            (void)process_kill(j->pid);
            j->filled = 0;
            snprintf(text, sizeof text, "no answer within %d s", LINT_SECONDS);
            answer(j, text, out);
            return true;
        }
        *busy = true;
    }
    return false;
}

void lint_close(struct lint_door *d)
{
    for (size_t i = 0; d != NULL && i < LINT_AT_ONCE; i++)
        if (d->jobs[i].pid != 0) {
            struct lint_answer ignored;
            (void)process_kill(d->jobs[i].pid);
            answer(&d->jobs[i], NULL, &ignored);
        }
    free(d);
}
