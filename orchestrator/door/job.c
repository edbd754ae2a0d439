#include "job.h"
#include "massrevoke/arena.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

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

static const char *const *copy_words(struct arena *a, const struct job_order *o)
{
    const char **argv = arena_array(a, o->count + 1, sizeof *argv);
    memcpy(argv, o->command, o->count * sizeof *argv);
    return argv;
}

bool job_start(struct job *p, const struct job_order *o, struct fault *f)
{
    AUTO_ARENA a = {0};
    int ends[2] = {-1, -1}, input = input_file(o->input), error;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec time = {.it_value.tv_sec = o->seconds};
    bool ready = input >= 0 && timer >= 0 && timerfd_settime(timer, 0, &time, NULL) == 0 &&
                 pipe2(ends, O_CLOEXEC) == 0;
    *p = (struct job){.out = ends[0], .timer = timer};
    error = ready ? 0 : errno;
    if (ready) {
        fcntl(p->out, F_SETFL, O_NONBLOCK);
        error = process_start(copy_words(&a, o), o->environment, input, ends[1], ends[1], &p->pid);
    }
    if (input >= 0)
        close(input);
    if (ends[1] >= 0)
        close(ends[1]);
    if (error == 0 && (p->ended = pidfd_open(p->pid, 0)) >= 0)
        return true;
    if (error == 0) {
        error = errno;
        ready = false;
        (void)process_kill(p->pid);
    }
    if (timer >= 0)
        close(timer);
    if (ends[0] >= 0)
        close(ends[0]);
    *p = (struct job){0};
    return fault_set(f, ready ? FAULT_CONFIG : FAULT_FAILED, "%s: %s", o->command[0], strerror(error));
}

/* Its end is no news each time: what runs on without printing would keep us awake. */
static void drink(struct job *p)
{
    char part[4096];
    ssize_t got = -1;
    while (p->out >= 0 && (got = read(p->out, part, sizeof part)) > 0)
        for (ssize_t i = 0; i < got && !p->line_ended; i++) {
            if (part[i] == '\n')
                p->line_ended = p->filled > 0;
            else if (p->filled + 1 < sizeof p->line && part[i] != '\r')
                p->line[p->filled++] = part[i] >= ' ' && part[i] < 0x7f ? part[i] : '?';
        }
    if (got == 0) {
        close(p->out);
        p->out = -1;
    }
}

static void release(struct job *p)
{
    if (p->out >= 0)
        close(p->out);
    close(p->timer);
    close(p->ended);
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
    process_kill(p->pid);
    release(p);
}
