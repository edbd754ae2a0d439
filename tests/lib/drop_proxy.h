/* drop_proxy.h - stands between a door and its server and loses answers: real servers cannot be asked to.
 *
 * A thread a connection; bytes pass unchanged. Does not: understand any protocol. Called by: contract tests.
 */
#ifndef TESTS_LIB_DROP_PROXY_H
#define TESTS_LIB_DROP_PROXY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct drop_proxy {
    int fd, port; /* port 0: a Unix socket */
    struct sockaddr_storage target;
    socklen_t target_size;
    /* While set: once a client has sent these bytes ("" is anything), the server hears them, but of what it
     * answers nothing passes; then the connection ends. */
    const char *_Atomic drop_after;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int open;
};

/* On a free port of 127.0.0.1, before 127.0.0.1:port. */
void drop_proxy_start(struct drop_proxy *p, int port);

/* On a Unix socket at `path`, before the one at `target`. */
void drop_proxy_start_unix(struct drop_proxy *p, const char *path, const char *target);

void drop_proxy_stop(struct drop_proxy *p);

#endif
