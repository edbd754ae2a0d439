#include "fake_http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    struct fake_http *server;
    int fd;
    SSL *tls; /* NULL: none */
};

static ssize_t receive(struct connection *c, char *bytes, size_t room)
{
    return c->tls != NULL ? SSL_read(c->tls, bytes, (int)room) : read(c->fd, bytes, room);
}

static bool transmit(struct connection *c, struct str bytes)
{
    if (c->tls != NULL)
        return bytes.n == 0 || SSL_write(c->tls, bytes.p, (int)bytes.n) == (int)bytes.n;
    return send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL) == (ssize_t)bytes.n;
}

static bool more(struct connection *c, struct buf *in)
{
    struct fake_http *s = c->server;
    char bytes[4096];
    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        if ((c->tls == NULL || SSL_pending(c->tls) == 0) && poll(&p, 1, 20) <= 0)
            continue;
        ssize_t n = receive(c, bytes, sizeof bytes);
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
static bool hear(struct connection *c, struct buf *in, struct fake_request *out)
{
    buf_clear(in);
    char *end = NULL;
    while (end == NULL) {
        if (!more(c, in))
            return false;
        end = strstr(in->p, "\r\n\r\n");
    }
    size_t head = (size_t)(end - in->p) + 4, length = body_length(in->p);
    while (in->n < head + length)
        if (!more(c, in))
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

/* True at once without TLS. */
static bool shake_hands(struct connection *c)
{
    if (c->server->tls == NULL)
        return true;
    c->tls = SSL_new(c->server->tls);
    return c->tls != NULL && SSL_set_fd(c->tls, c->fd) == 1 && SSL_accept(c->tls) == 1;
}

static void *serve(void *context)
{
    struct connection *c = context;
    struct fake_http *s = c->server;
    AUTO_BUF in = {0};
    struct fake_request request;
    for (bool on = shake_hands(c); on && hear(c, &in, &request);) {
        AUTO_BUF line = {0};
        struct fake_reply reply = {0};
        buf_add(&line, request.head, strcspn(request.head, "\r"));
        request.line = line.p;
        pthread_mutex_lock(&s->lock);
        request.number = atomic_fetch_add(&s->requests, 1) + 1;
        s->handler(s->context, &request, &reply);
        pthread_mutex_unlock(&s->lock);
        pause_ms(s, reply.delay_ms);
        on = transmit(c, buf_str(&reply.bytes)) && !reply.close;
        if (reply.anew && SSL_renegotiate(c->tls) == 1 && SSL_do_handshake(c->tls) == 1)
            pause_ms(s, 60000);
        buf_free(&reply.bytes);
    }
    if (c->tls != NULL)
        SSL_shutdown(c->tls);
    SSL_free(c->tls);
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
        *c = (struct connection){s, accept(s->fd, NULL, NULL), NULL};
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        atomic_fetch_add(&s->connections, 1);
        atomic_fetch_add(&s->open, 1);
        if (pthread_create(&thread, NULL, serve, c) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

static void start(struct fake_http *s, int port, fake_handler *handler, void *context)
{
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
    snprintf(s->url, sizeof s->url, "%s://127.0.0.1:%d", s->tls == NULL ? "http" : "https", s->port);
}

void fake_http_start(struct fake_http *s, int port, fake_handler *handler, void *context)
{
    memset(s, 0, sizeof *s);
    start(s, port, handler, context);
}

void fake_http_start_tls(struct fake_http *s, const char *certificate, const char *key, fake_handler *handler,
                         void *context)
{
    memset(s, 0, sizeof *s);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    s->tls = SSL_CTX_new(TLS_server_method());
    if (s->tls == NULL || SSL_CTX_use_certificate_file(s->tls, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(s->tls, key, SSL_FILETYPE_PEM) != 1)
        abort();
    start(s, 0, handler, context);
}

void fake_http_stop(struct fake_http *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    close(s->fd);
    while (atomic_load(&s->open) > 0)
        poll(NULL, 0, 5);
    pthread_mutex_destroy(&s->lock);
    SSL_CTX_free(s->tls);
}

void fake_answer(struct fake_reply *reply, int status, const char *headers, const char *body)
{
    buf_format(&reply->bytes, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body),
               headers, body);
}
