#include "fake_smtp.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static bool say(int fd, const char *line)
{
    return send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

/* One line without CRLF; false at the end or when the server is to stop. */
static bool hear(struct fake_smtp *s, int fd, char line[static 2000])
{
    size_t n = 0;
    while (n < 1999) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (atomic_load(&s->stopping))
            return false;
        if (poll(&p, 1, 50) <= 0)
            continue;
        if (read(fd, line + n, 1) != 1)
            return false;
        if (line[n] == '\n')
            break;
        n += line[n] != '\r';
    }
    line[n] = '\0';
    return true;
}

static void hang(struct fake_smtp *s)
{
    while (!atomic_load(&s->stopping))
        usleep(20000);
}

/* After DATA; false: the connection ends. */
static bool body(struct fake_smtp *s, int fd, char how)
{
    char line[2000];
    if (!say(fd, "354 go on\r\n") || how == FAKE_DROPS_IN_BODY)
        return false;
    do
        if (!hear(s, fd, line))
            return false;
    while (strcmp(line, ".") != 0);
    atomic_fetch_add(&s->messages, 1);
    if (how == FAKE_HANGS_AFTER_DOT)
        hang(s);
    if (how == FAKE_HANGS_AFTER_DOT || how == FAKE_DROPS_AFTER_DOT)
        return false;
    return say(fd, how == FAKE_451_AFTER_DOT   ? "451 4.3.0 later\r\n"
                   : how == FAKE_554_AFTER_DOT ? "554 5.7.1 looks like spam\r\n"
                                               : "250 2.0.0 Ok: queued as 4F\r\n");
}

static const char *reply(char how, const char *line, int taken)
{
    if (strncasecmp(line, "MAIL", 4) == 0)
        return how == FAKE_550_AT_MAIL                  ? "550 5.7.1 not you\r\n"
               : how == FAKE_421_AT_MAIL                ? "421 4.7.28 busy\r\n"
               : how == FAKE_421_AT_SECOND && taken > 0 ? "421 4.7.0 enough\r\n"
                                                        : "250 2.1.0 Ok\r\n";
    if (strncasecmp(line, "RCPT", 4) == 0)
        return how == FAKE_550_AT_RCPT   ? "550 5.1.1 no such user\r\n"
               : how == FAKE_451_AT_RCPT ? "451 4.7.1 greylisted\r\n"
                                         : "250 2.1.5 Ok\r\n";
    return strncasecmp(line, "QUIT", 4) == 0 ? "221 2.0.0 Bye\r\n" : "250 fake\r\n";
}

static void serve(struct fake_smtp *s, int fd, char how)
{
    char line[2000];
    int taken = 0;
    bool on = say(fd, "220 fake ESMTP\r\n");
    while (on && hear(s, fd, line)) {
        if (strncasecmp(line, "DATA", 4) == 0) {
            on = body(s, fd, how);
            taken++;
            continue;
        }
        const char *words = reply(how, line, taken);
        on = say(fd, words) && memcmp(words, "421", 3) != 0 && memcmp(words, "221", 3) != 0;
    }
}

static void *run(void *context)
{
    struct fake_smtp *s = context;
    const char *how = s->behaviour;
    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 50) <= 0)
            continue;
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            continue;
        atomic_fetch_add(&s->connections, 1);
        serve(s, fd, *how);
        close(fd);
        how += how[1] != '\0';
    }
    return NULL;
}

void fake_smtp_start(struct fake_smtp *s, const char *behaviour)
{
    memset(s, 0, sizeof *s);
    s->behaviour = behaviour;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, n) != 0 || listen(s->fd, 16) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &n) != 0 || pthread_create(&s->thread, NULL, run, s) != 0)
        abort();
    s->port = ntohs(at.sin_port);
    snprintf(s->url, sizeof s->url, "smtp://127.0.0.1:%d", s->port);
}

void fake_smtp_stop(struct fake_smtp *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    close(s->fd);
}
