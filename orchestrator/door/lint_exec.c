/* A linter as a process. */
#include "massrevoke/arena.h"
#include "massrevoke/lint_door.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

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

/* The process in a group of its own, so that its children end with it. */
static int spawn(const struct lint_door *d, const char *file, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    char **argv = arena_grow(NULL, (d->count + 2) * sizeof *argv);
    for (size_t i = 0; i < d->count; i++)
        argv[i] = strdup(d->command[i]);
    argv[d->count] = strdup(file);
    argv[d->count + 1] = NULL;
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    free(argv);
    return error;
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

static void end(struct job *j)
{
    kill(-j->pid, SIGKILL);
    while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
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
            end(j);
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
            end(&d->jobs[i]);
            answer(&d->jobs[i], NULL, &ignored);
        }
    free(d);
}
