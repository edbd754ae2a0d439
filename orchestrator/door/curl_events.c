#include "curl_events.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256

static void set_timer(struct curl_events *e, long ms)
{
    struct itimerspec when = {0};
    if (ms == 0)
        when.it_value.tv_nsec = 1; /* zero would switch it off */
    if (ms > 0) {
        when.it_value.tv_sec = ms / 1000;
        when.it_value.tv_nsec = ms % 1000 * 1000000;
    }
    if (timerfd_settime(e->timer, 0, &when, NULL) != 0)
        e->wrong = CURLM_INTERNAL_ERROR;
}

/* What an event brings back: the descriptor and, above it, one more than the index of one that libcurl does
 * not watch. */
static uint64_t tag(int fd, uint32_t above)
{
    return (uint64_t)above << 32 | (uint32_t)fd;
}

/* Adds a descriptor, or changes what it is watched for. */
static void watch(struct curl_events *e, int fd, bool known, struct epoll_event event)
{
    if (epoll_ctl(e->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0 &&
        epoll_ctl(e->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)
        e->wrong = CURLM_INTERNAL_ERROR;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct curl_events *e = context;
    struct epoll_event event = {.data.u64 = tag(fd, 0)};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(e->epoll, EPOLL_CTL_DEL, fd, NULL); /* it may be closed already */
        return 0;
    }
    event.events =
        ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    watch(e, fd, known != NULL, event);
    if (known == NULL)
        curl_multi_assign(e->multi, fd, e);
    return 0;
}

bool curl_events_open(struct curl_events *e, long connections, bool shared, struct fault *f)
{
    *e = (struct curl_events){.epoll = -1, .timer = -1};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fault_set(f, FAULT_FAILED, "libcurl cannot be started");
    e->multi = curl_multi_init();
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    e->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag(e->timer, 0)};
    bool ok = e->multi != NULL && e->epoll >= 0 && e->timer >= 0 &&
              epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->timer, &event) == 0 &&
              curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
              curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e) == CURLM_OK &&
              curl_multi_setopt(e->multi, CURLMOPT_PIPELINING,
                                shared ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING) == CURLM_OK &&
              curl_multi_setopt(e->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections) == CURLM_OK &&
              curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK;
    return ok || fault_set(f, FAULT_FAILED, "libcurl cannot be started: %s", strerror(errno));
}

void curl_events_wake(struct curl_events *e)
{
    set_timer(e, 0);
}

void curl_events_arm(struct curl_events *e, long ms)
{
    long own = -1;
    if (curl_multi_timeout(e->multi, &own) != CURLM_OK)
        e->wrong = CURLM_INTERNAL_ERROR;
    set_timer(e, own < 0 || (ms >= 0 && ms < own) ? ms : own);
}

void curl_events_watch(struct curl_events *e, int fd, uint32_t index, bool more)
{
    struct epoll_event event = {.events = EPOLLIN | (more ? EPOLLOUT : 0U), .data.u64 = tag(fd, index + 1)};
    watch(e, fd, false, event);
}

void curl_events_forget(struct curl_events *e, int fd)
{
    (void)epoll_ctl(e->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* What libcurl wants done by now: new transfers, timeouts. */
static CURLMcode run_timer(struct curl_events *e)
{
    int active;
    return curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &active);
}

static CURLMcode run_event(struct curl_events *e, const struct epoll_event *event)
{
    uint64_t expirations;
    uint32_t seen = event->events, above = (uint32_t)(event->data.u64 >> 32);
    int fd = (int)(uint32_t)event->data.u64, active;
    if (above > 0) {
        e->ready(e->context, above - 1);
        return CURLM_OK;
    }
    if (fd == e->timer) {
        (void)!read(e->timer, &expirations, sizeof expirations);
        return run_timer(e);
    }
    int mask = ((seen & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
               ((seen & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
               ((seen & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    return curl_multi_socket_action(e->multi, fd, mask, &active);
}

bool curl_events_run(struct curl_events *e, struct fault *f)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    long due = -1;
    CURLMcode rc = curl_multi_timeout(e->multi, &due);
    if (rc == CURLM_OK && due == 0)
        rc = run_timer(e);
    int n = epoll_wait(e->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < n && rc == CURLM_OK; i++)
        rc = run_event(e, &events[i]);
    if (rc == CURLM_OK)
        rc = e->wrong;
    return rc == CURLM_OK || fault_set(f, FAULT_FAILED, "libcurl: %s", curl_multi_strerror(rc));
}

void curl_events_close(struct curl_events *e)
{
    if (e->multi == NULL)
        return;
    curl_multi_cleanup(e->multi);
    if (e->timer >= 0)
        close(e->timer);
    if (e->epoll >= 0)
        close(e->epoll);
    curl_global_cleanup();
}
