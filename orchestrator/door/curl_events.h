/* curl_events.h - libcurl's multi interface behind one pollable descriptor: socket_action over an epoll of
 * its own, with a timerfd for libcurl's timer. I/O. Does not: know what is transferred, read a clock, or own
 * the easy handles. Called by: ca_http.c, ca_http_wire.c, ca_acme.c, alert_exec.c. */
#ifndef DOOR_CURL_EVENTS_H
#define DOOR_CURL_EVENTS_H

#include "massrevoke/fault.h"

#include <curl/curl.h>
#include <stdint.h>

struct curl_events {
    CURLM *multi;
    int epoll; /* readable when curl_events_run has something to do */
    int timer;
    CURLMcode wrong; /* the first thing that failed inside a callback */
    /* Called by curl_events_run for each descriptor that curl_events_watch was given. */
    void (*ready)(void *context, uint32_t index);
    void *context;
};

/* Starts with at most `connections` connections, which are kept open; shared: each carries many requests
 * (HTTP/2). *e must not move afterwards. */
MUST_USE bool curl_events_open(struct curl_events *e, long connections, bool shared, struct fault *f);

/* Makes the descriptor readable at once. */
void curl_events_wake(struct curl_events *e);

/* Sets the timer to what libcurl waits for, at most `ms` (-1: as long as it likes); once after all work, not
 * at each change: setting one is dear. */
void curl_events_arm(struct curl_events *e, long ms);

/* Watches a descriptor that libcurl does not: something came or, with `more`, it can take more. Again: to
 * change that. */
void curl_events_watch(struct curl_events *e, int fd, uint32_t index, bool more);

/* Ends that; before it is closed. */
void curl_events_forget(struct curl_events *e, int fd);

/* Works on whatever is ready. FAILED: libcurl is broken. */
MUST_USE bool curl_events_run(struct curl_events *e, struct fault *f);

/* Ends; an all-zero one is allowed. Easy handles must have been removed. */
void curl_events_close(struct curl_events *e);

#endif
