#include "job.h"
#include "massrevoke/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Input as a file in memory: nobody has to feed a pipe while the program reads. */
static int input_file(struct str input)
{
    if (input.n == 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < input.n;) {
        ssize_t n = write(fd, input.p + done, input.n - done);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* Copies of texts that posix_spawn wants writable; `first` before those of `second`. */
static char **copy_all(struct arena *a, const char *const *first, size_t n, const char *const *second,
                       size_t m)
{
    char **all = arena_array(a, n + m + 1, sizeof *all);
    for (size_t i = 0; i < n + m; i++)
        all[i] = arena_text(a, i < n ? first[i] : second[i - n]);
    return all;
}

static size_t length(const char *const *list)
{
    size_t n = 0;
    while (list != NULL && list[n] != NULL)
        n++;
    return n;
}

/* In a group of its own, so that its children end with it. */
static int spawn(const struct job_order *o, int input, int output, pid_t *pid)
{
    AUTO_ARENA a = {0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    char **argv = copy_all(&a, o->command, o->count, &o->argument, o->argument != NULL);
    size_t extra = length(o->environment);
    char **envp = copy_all(&a, o->environment, extra, (const char *const *)environ,
                           length((const char *const *)environ));
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

bool job_start(struct job *p, const struct job_order *o, struct fault *f)
{
    int ends[2] = {-1, -1}, input = input_file(o->input), error;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec time = {.it_value.tv_sec = o->seconds};
    bool ready = input >= 0 && timer >= 0 && timerfd_settime(timer, 0, &time, NULL) == 0 &&
                 pipe2(ends, O_CLOEXEC) == 0;
    *p = (struct job){.out = ends[0], .timer = timer};
    error = ready ? 0 : errno;
    if (ready) {
        fcntl(p->out, F_SETFL, O_NONBLOCK);
        error = spawn(o, input, ends[1], &p->pid);
    }
    if (input >= 0)
        close(input);
    if (ends[1] >= 0)
        close(ends[1]);
    if (error == 0)
        return true;
    if (timer >= 0)
        close(timer);
    if (ends[0] >= 0)
        close(ends[0]);
    *p = (struct job){0};
    return fault_set(f, ready ? FAULT_CONFIG : FAULT_FAILED, "%s: %s", o->command[0], strerror(error));
}

static void drink(struct job *p)
{
    char part[4096];
    for (ssize_t got; (got = read(p->out, part, sizeof part)) > 0;)
        for (ssize_t i = 0; i < got && !p->line_ended; i++) {
            if (part[i] == '\n')
                p->line_ended = p->filled > 0;
            else if (p->filled + 1 < sizeof p->line && part[i] != '\r')
                p->line[p->filled++] = part[i] >= ' ' && part[i] < 0x7f ? part[i] : '?';
        }
}

static void release(struct job *p)
{
    close(p->out);
    close(p->timer);
    p->pid = 0;
}

bool job_ended(struct job *p, struct job_end *end)
{
    uint64_t fired;
    *end = (struct job_end){.in_time = true};
    drink(p);
    if (waitpid(p->pid, &end->status, WNOHANG) == p->pid) {
        drink(p);
        kill(-p->pid, SIGKILL); /* what it left running */
        release(p);
        return true;
    }
    if (read(p->timer, &fired, sizeof fired) != (ssize_t)sizeof fired)
        return false;
    end->in_time = false;
    job_stop(p);
    return true;
}

void job_stop(struct job *p)
{
    if (p->pid == 0)
        return;
    kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    release(p);
}
