/* ca_http_wire.h - requests to a CA over connections that libcurl makes and encrypts (CURLOPT_CONNECT_ONLY,
 * curl_easy_send, curl_easy_recv) and whose HTTP/1.1 is spoken here, at a third to a half of the cost of a
 * transfer of libcurl's: what counts beside a CA that answers at once.
 *
 * I/O through the events it is given. A request goes out once and never a second time. libcurl looks for the
 * connection at each call: some 10 us at a thousand of them. Does not: speak HTTP/2, follow redirects, use
 * proxies or credentials of a URL (wires_open says whether it can stand in for libcurl), judge the answer.
 * Sources: facts of performance b; libcurl's pages of the three. Called by: ca_http.c. */
#ifndef DOOR_CA_HTTP_WIRE_H
#define DOOR_CA_HTTP_WIRE_H

#include "ca_http_transfer.h"
#include "curl_events.h"

/* One connection; it belongs to one transfer. */
struct wire {
    enum { WIRE_CLOSED, WIRE_CONNECTING, WIRE_IDLE, WIRE_BUSY } state;
    int fd; /* libcurl's; -1: none */
    struct transfer *transfer;
    struct buf out, in;         /* the request; what came of the answer */
    size_t sent;                /* octets of `out` */
    bool failed;                /* to be sent */
    int64_t deadline;           /* ticks of the system clock; only of one under way */
    bool watched, watched_more; /* by the events; also whether it can take more */
};

/* All connections of a door. */
struct wires {
    struct curl_events *events;
    struct wire *list;
    size_t count;
    const char *url, *path; /* where the CA is; the path in it, "" when there is none */
    struct buf host;        /* as a header names it; empty: requests go by libcurl */
    int64_t patience;       /* ms, for one answer */
    int64_t due;            /* ticks; no deadline comes earlier */
    void (*over)(void *context, struct transfer *t, CURLcode rc);
    void *context;
};

/* Decides whether requests of this backend can go by wire, and makes ready for it: host is set then. `w`
 * holds events and what is called when a request is over; url must live as long. */
void wires_open(struct wires *w, const struct settings_http *s, const struct backend *b, struct arena *a,
                struct transfer *transfers, size_t count);

/* The part of a request's head that stays: host, who we are, the header lines as libcurl would take them. */
void wires_head(const struct wires *w, const struct curl_slist *headers, struct buf *out);

/* Sends what stands in the transfer's url, here a path, and body; `over` is called when it is over, from
 * inside wires_connected, wires_ready or wires_expire, never from here. False: libcurl does not begin. */
MUST_USE bool wires_send(struct wires *w, size_t index, const char *method, struct str head);

/* Leaves the transfer to libcurl: its connection, if any, ends. After an answer that could not be read all of
 * them go that way (host is empty then): libcurl knows more of what servers do. */
MUST_USE bool wires_yield(struct wires *w, size_t index);

/* Is libcurl at a connection for this transfer? And what it says when it is done. */
bool wires_is_connecting(const struct wires *w, size_t index);
void wires_connected(struct wires *w, size_t index, CURLcode rc);

/* Something came for a connection, or it can take more. */
void wires_ready(void *wires, uint32_t index);

/* Ends requests that took too long, or could not be sent. */
void wires_expire(struct wires *w);

/* Milliseconds until wires_expire may have something to do; -1: until something comes. */
long wires_wait(const struct wires *w);

/* Closes and frees all. */
void wires_close(struct wires *w);

#endif
