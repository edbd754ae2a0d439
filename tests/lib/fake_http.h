/* fake_http.h - an HTTP server that says what a test tells it to, byte for byte: real CAs cannot be asked to
 * lose an answer or to send garbage.
 *
 * A thread a connection, HTTP/1.1 with keep-alive. Does not: check requests, ask for a client's certificate.
 */
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include "massrevoke/text.h"

#include <openssl/types.h>
#include <pthread.h>
#include <stdatomic.h>

/* One request as it came. */
struct fake_request {
    const char *line, *head, *body; /* "POST /x HTTP/1.1", everything before the empty line, the body */
    int number;                     /* 1 is the first since the start */
};

/* What is sent back: raw bytes, then the connection goes on unless `close`. */
struct fake_reply {
    struct buf bytes;
    int delay_ms;
    bool close;
    bool anew; /* asks for a new handshake (TLS 1.2), and hears nothing any more */
};

/* Fills the reply; called by several threads, one at a time. */
typedef void fake_handler(void *context, const struct fake_request *request, struct fake_reply *reply);

struct fake_http {
    int fd, port;
    char url[64];
    fake_handler *handler;
    void *context;
    SSL_CTX *tls; /* NULL: none */
    pthread_t thread;
    pthread_mutex_t lock;
    atomic_bool stopping;
    atomic_int requests, connections, open;
};

/* Starts on a free port of 127.0.0.1, or on `port`. */
void fake_http_start(struct fake_http *s, int port, fake_handler *handler, void *context);

/* The same over TLS, with the certificate and key of these PEM files. */
void fake_http_start_tls(struct fake_http *s, const char *certificate, const char *key, fake_handler *handler,
                         void *context);

/* Ends it with all its connections. */
void fake_http_stop(struct fake_http *s);

/* Adds a whole answer: status line, Content-Length, `headers` (lines ended by CRLF, may be ""), body. */
void fake_answer(struct fake_reply *reply, int status, const char *headers, const char *body);

#endif
