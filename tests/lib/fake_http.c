#include "fake_http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    struct fake_http *server;
    int fd;
};

static bool more(struct fake_http *s, int fd, struct buf *in)
{
    char bytes[4096];
    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 20) <= 0)
            continue;
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n > 0)
            buf_add(in, bytes, (size_t)n);
        return n > 0;
    }
    return false;
}

static size_t body_length(const char *head)
{
    for (const char *p = head; (p = strchr(p, '\n')) != NULL;)
        if (strncasecmp(++p, "Content-Length:", 15) == 0)
            return strtoul(p + 15, NULL, 10);
    return 0;
}

/* Reads one request into `in`, terminated after head and body; false at the end. */
static bool hear(struct fake_http *s, int fd, struct buf *in, struct fake_request *out)
{
    buf_clear(in);
    char *end = NULL;
    while (end == NULL) {
        if (!more(s, fd, in))
            return false;
        end = strstr(in->p, "\r\n\r\n");
    }
    size_t head = (size_t)(end - in->p) + 4, length = body_length(in->p);
    while (in->n < head + length)
        if (!more(s, fd, in))
            return false;
    in->p[head - 4] = '\0';
    *out = (struct fake_request){.head = in->p, .body = in->p + head};
    return true;
}

static void pause_ms(struct fake_http *s, int ms)
{
    for (; ms > 0 && !atomic_load(&s->stopping); ms -= 10)
        poll(NULL, 0, 10);
}

static void *serve(void *context)
{
    struct connection *c = context;
    struct fake_http *s = c->server;
    AUTO_BUF in = {0};
    struct fake_request request;
    for (bool on = true; on && hear(s, c->fd, &in, &request);) {
        AUTO_BUF line = {0};
        struct fake_reply reply = {0};
        buf_add(&line, request.head, strcspn(request.head, "\r"));
        request.line = line.p;
        pthread_mutex_lock(&s->lock);
        request.number = atomic_fetch_add(&s->requests, 1) + 1;
        s->handler(s->context, &request, &reply);
        pthread_mutex_unlock(&s->lock);
        pause_ms(s, reply.delay_ms);
        on =
            send(c->fd, reply.bytes.p, reply.bytes.n, MSG_NOSIGNAL) == (ssize_t)reply.bytes.n && !reply.close;
        buf_free(&reply.bytes);
    }
    close(c->fd);
    free(c);
    atomic_fetch_sub(&s->open, 1);
    return NULL;
}

static void *run(void *context)
{
    struct fake_http *s = context;
    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 20) <= 0)
            continue;
        struct connection *c = malloc(sizeof *c);
        pthread_t thread;
        int one = 1;
        if (c == NULL)
            abort();
        *c = (struct connection){s, accept(s->fd, NULL, NULL)};
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        atomic_fetch_add(&s->connections, 1);
        atomic_fetch_add(&s->open, 1);
        if (pthread_create(&thread, NULL, serve, c) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

void fake_http_start(struct fake_http *s, int port, fake_handler *handler, void *context)
{
    memset(s, 0, sizeof *s);
    s->handler = handler;
    s->context = context;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    int one = 1;
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, n) != 0 || listen(s->fd, 64) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &n) != 0 || pthread_mutex_init(&s->lock, NULL) != 0 ||
        pthread_create(&s->thread, NULL, run, s) != 0)
        abort();
    s->port = ntohs(at.sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
}

void fake_http_stop(struct fake_http *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    close(s->fd);
    while (atomic_load(&s->open) > 0)
        poll(NULL, 0, 5);
    pthread_mutex_destroy(&s->lock);
}

void fake_answer(struct fake_reply *reply, int status, const char *headers, const char *body)
{
    buf_format(&reply->bytes, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body),
               headers, body);
}
