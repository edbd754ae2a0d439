#include "drop_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pair {
    struct drop_proxy *proxy;
    int client, server;
};

#define CHECK(what) ((what) ? (void)0 : (fprintf(stderr, "drop_proxy: %s\n", #what), abort()))

static bool put(int fd, const char *bytes, ssize_t n)
{
    return send(fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Passes on what one side has; false at its end. */
static bool pass(int from, int to, char *bytes, size_t room, ssize_t *n)
{
    *n = read(from, bytes, room);
    return *n > 0 && put(to, bytes, *n);
}

static void serve_pair(struct pair *c)
{
    char bytes[65536];
    ssize_t n;
    bool dropping = false;
    for (bool on = true; on && !atomic_load(&c->proxy->stopping);) {
        struct pollfd p[2] = {{.fd = c->client, .events = POLLIN}, {.fd = c->server, .events = POLLIN}};
        if (poll(p, 2, 20) <= 0)
            continue;
        if (p[0].revents != 0) {
            on = pass(c->client, c->server, bytes, sizeof bytes, &n);
            const char *after = c->proxy->drop_after;
            dropping =
                dropping || (on && after != NULL && memmem(bytes, (size_t)n, after, strlen(after)) != NULL);
        }
        if (on && p[1].revents != 0)
            on = dropping ? false : pass(c->server, c->client, bytes, sizeof bytes, &n);
    }
}

static void *serve(void *context)
{
    struct pair *c = context;
    if (connect(c->server, (struct sockaddr *)&c->proxy->target, c->proxy->target_size) == 0)
        serve_pair(c);
    close(c->client);
    close(c->server);
    atomic_fetch_sub(&c->proxy->open, 1);
    free(c);
    return NULL;
}

static void *run(void *context)
{
    struct drop_proxy *s = context;
    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 20) <= 0)
            continue;
        struct pair *c = calloc(1, sizeof *c);
        pthread_t thread;
        CHECK(c != NULL);
        *c = (struct pair){s, accept(s->fd, NULL, NULL),
                           socket(s->target.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        atomic_fetch_add(&s->open, 1);
        CHECK(pthread_create(&thread, NULL, serve, c) == 0);
        pthread_detach(thread);
    }
    return NULL;
}

static void start(struct drop_proxy *p, const void *at, socklen_t size)
{
    int family = ((const struct sockaddr *)at)->sa_family;
    p->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(p->fd >= 0 && bind(p->fd, at, size) == 0 && listen(p->fd, 64) == 0);
    CHECK(pthread_create(&p->thread, NULL, run, p) == 0);
}

void drop_proxy_start(struct drop_proxy *p, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, to = at;
    socklen_t size = sizeof at;
    memset(p, 0, sizeof *p);
    to.sin_port = htons((uint16_t)port);
    memcpy(&p->target, &to, sizeof to);
    p->target_size = sizeof to;
    start(p, &at, sizeof at);
    CHECK(getsockname(p->fd, (struct sockaddr *)&at, &size) == 0);
    p->port = ntohs(at.sin_port);
}

void drop_proxy_start_unix(struct drop_proxy *p, const char *path, const char *target)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX}, to = at;
    memset(p, 0, sizeof *p);
    CHECK(strlen(path) < sizeof at.sun_path && strlen(target) < sizeof to.sun_path);
    memcpy(at.sun_path, path, strlen(path));
    memcpy(to.sun_path, target, strlen(target));
    memcpy(&p->target, &to, sizeof to);
    p->target_size = sizeof to;
    start(p, &at, sizeof at);
}

void drop_proxy_stop(struct drop_proxy *p)
{
    atomic_store(&p->stopping, true);
    pthread_join(p->thread, NULL);
    close(p->fd);
    while (atomic_load(&p->open) > 0)
        poll(NULL, 0, 5);
}
