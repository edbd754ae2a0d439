#include "ca_exec_call.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0: at once; -1: never. */
static void set_timer(struct exec_call *c, int seconds)
{
    struct itimerspec when = {.it_value = {.tv_sec = seconds > 0 ? seconds : 0, .tv_nsec = seconds == 0}};
    (void)timerfd_settime(c->timer, 0, &when, NULL);
}

static bool watch(struct exec_call *c, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool exec_call_open(struct exec_call *c, struct fault *f)
{
    *c = (struct exec_call){.ended = -1, .streams = {{.fd = -1}, {.fd = -1}}};
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return (c->epoll >= 0 && c->timer >= 0 && watch(c, c->timer)) ||
           fault_set(f, FAULT_FAILED, "no descriptor for a process: %s", strerror(errno));
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void release(struct exec_call *c)
{
    shut(&c->streams[0].fd);
    shut(&c->streams[1].fd);
    shut(&c->ended);
    c->pid = 0;
    set_timer(c, -1);
}

/* The serials as a file in memory: no pipe that fills up, nothing left on a disk. */
static int make_input(struct str input)
{
    int fd = memfd_create("serials", MFD_CLOEXEC);
    while (fd >= 0 && input.n > 0) {
        ssize_t n = write(fd, input.p, input.n);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        input.p += n;
        input.n -= (size_t)n;
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool run(struct exec_call *c, const char *const *argv, int input, int ends[2][2], struct fault *f)
{
    int error = process_start(argv, NULL, input, ends[0][1], ends[1][1], &c->pid);
    if (error != 0) {
        enum fault_kind kind = error == EAGAIN || error == ENOMEM ? FAULT_UNAVAILABLE : FAULT_CONFIG;
        c->pid = 0;
        return fault_set(f, kind, "%s: %s", argv[0], strerror(error));
    }
    c->ended = pidfd_open(c->pid, 0);
    for (int i = 0; i < 2; i++) {
        c->streams[i].fd = ends[i][0];
        c->streams[i].filled = 0;
        ends[i][0] = -1;
        (void)fcntl(c->streams[i].fd, F_SETFL, O_NONBLOCK);
    }
    /* what can't be watched is seen when the time is over: the process runs already, that is no failure */
    (void)!watch(c, c->ended);
    (void)!watch(c, c->streams[0].fd);
    (void)!watch(c, c->streams[1].fd);
    return true;
}

bool exec_call_start(struct exec_call *c, const char *const *argv, struct str input, int seconds,
                     struct fault *f)
{
    int ends[2][2] = {{-1, -1}, {-1, -1}}, in = make_input(input);
    bool ok = in >= 0 && pipe2(ends[0], O_CLOEXEC) == 0 && pipe2(ends[1], O_CLOEXEC) == 0;
    if (!ok)
        fault_set(f, FAULT_UNAVAILABLE, "%s: %s", argv[0], strerror(errno));
    ok = ok && run(c, argv, in, ends, f);
    shut(&in);
    for (int i = 0; i < 2; i++) {
        shut(&ends[i][0]);
        shut(&ends[i][1]);
    }
    if (ok)
        set_timer(c, seconds);
    else
        release(c);
    return ok;
}

/* What is longer than a line may be is dropped up to its end. */
static void add(struct exec_stream *s, const char *bytes, size_t n, exec_line_fn *heard, void *context,
                bool error)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (s->filled < sizeof s->line)
                s->line[s->filled++] = bytes[i];
            continue;
        }
        heard(context, (struct str){s->line, s->filled}, error);
        s->filled = 0;
    }
}

static void drink(struct exec_call *c, int i, exec_line_fn *heard, void *context)
{
    char bytes[16384];
    struct exec_stream *s = &c->streams[i];
    ssize_t n = 0;
    while (s->fd >= 0 && (n = read(s->fd, bytes, sizeof bytes)) > 0)
        add(s, bytes, (size_t)n, heard, context, i == 1);
    if (s->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, s->fd, NULL); /* its end would be readable for ever */
    shut(&s->fd);
}

/* A last line without a newline may be cut off: it says nothing. */
bool exec_call_step(struct exec_call *c, exec_line_fn *heard, void *context, int *code)
{
    uint64_t fired;
    int status;
    bool late = read(c->timer, &fired, sizeof fired) == (ssize_t)sizeof fired;
    if (c->pid == 0)
        return false;
    drink(c, 0, heard, context);
    drink(c, 1, heard, context);
    bool over = waitpid(c->pid, &status, WNOHANG) == c->pid;
    if (over)
        kill(-c->pid, SIGKILL); /* what it left running */
    else if (late)
        (void)process_kill(c->pid);
    if (!over && !late)
        return false;
    drink(c, 0, heard, context);
    drink(c, 1, heard, context);
    *code = over && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    release(c);
    return true;
}

void exec_call_wake(struct exec_call *c)
{
    if (c->pid == 0)
        set_timer(c, 0);
}

void exec_call_close(struct exec_call *c)
{
    if (c->pid != 0)
        (void)process_kill(c->pid);
    release(c);
    shut(&c->timer);
    shut(&c->epoll);
}
