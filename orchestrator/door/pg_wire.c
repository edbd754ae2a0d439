#include "pg_wire.h"
#include "massrevoke/arena.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum phase { AWAY, CONNECTING, READY, WAITING };

struct pg_wire {
    const char *conninfo, *setup;
    int seconds; /* for connecting, and without anything new for an answer */
    PGconn *db;
    enum phase phase;
    enum pg_wire_state state;
    PostgresPollingStatusType polling;
    int epoll, timer, watched; /* watched: the session's socket in the epoll, -1: none */
    bool set_up;               /* the setup statement has been answered */
    struct pg_query queries[PG_WIRE_QUERIES];
    PGresult *results[PG_WIRE_QUERIES];
    size_t count, answered;
    enum pg_meaning why;
    bool said;
    char text[400];
};

/* --- the descriptor --- */

/* 0: at once; -1: never. */
static void set_timer(struct pg_wire *w, int seconds)
{
    struct itimerspec when = {.it_value = {.tv_sec = seconds > 0 ? seconds : 0, .tv_nsec = seconds == 0}};
    (void)timerfd_settime(w->timer, 0, &when, NULL);
}

static void watch(struct pg_wire *w, uint32_t events)
{
    int fd = w->db == NULL ? -1 : PQsocket(w->db);
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (w->watched >= 0 && w->watched != fd)
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->watched, NULL); /* libpq may have closed it */
    w->watched = fd;
    if (fd >= 0 && epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &event) != 0)
        (void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* --- failures --- */

/* SQLSTATEs by their beginning (PostgreSQL manual, appendix A; facts of backends 3). What is in no row is
 * the server's trouble and may pass. */
static const struct {
    const char *state;
    enum pg_meaning meaning;
} meanings[] = {
    {"28", PG_STOP}, /* authorisation */
    {"42", PG_STOP}, /* syntax, missing table, missing right */
    {"22", PG_STOP}, /* a value that does not fit */
    {"23", PG_STOP}, /* a constraint forbids it */
    {"25", PG_STOP}, /* read-only: a standby */
    {"3D", PG_STOP}, /* no such database */
    {"3F", PG_STOP}, /* no such schema */
    {"P0", PG_STOP}, /* a trigger objects */
};

static enum pg_meaning meaning_of(const char *state)
{
    for (size_t i = 0; state != NULL && i < sizeof meanings / sizeof *meanings; i++)
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
            return meanings[i].meaning;
    return PG_WAIT;
}

/* Connecting gives no PGresult; in verbose messages the state stands between two colons:
 * "...: FATAL:  28P01: password ...". */
static const char *state_inside(const char *text, char out[static 6])
{
    for (const char *p = text; (p = strstr(p, ":  ")) != NULL; p += 3) {
        size_t n = 0;
        while (n < 5 && (isdigit((unsigned char)p[3 + n]) || isupper((unsigned char)p[3 + n])))
            n++;
        if (n < 5 || p[8] != ':')
            continue;
        memcpy(out, p + 3, 5);
        out[5] = '\0';
        return out;
    }
    return NULL;
}

static void end_session(struct pg_wire *w)
{
    watch(w, 0);
    if (w->watched >= 0)
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->watched, NULL);
    w->watched = -1;
    PQfinish(w->db);
    w->db = NULL;
    w->phase = AWAY;
    w->set_up = false;
    set_timer(w, 0); /* the owner must hear of it */
}

static void break_off(struct pg_wire *w, enum pg_meaning why, bool said, const char *text)
{
    w->why = why;
    w->said = said;
    snprintf(w->text, sizeof w->text, "%.*s", (int)strcspn(text, "\n"), text);
    w->state = PG_WIRE_BROKEN;
    end_session(w);
}

/* The server refused a statement. A FATAL or PANIC says nothing about what went before: the session died. */
static void refused(struct pg_wire *w, const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    bool said = severity != NULL && strcmp(severity, "ERROR") == 0;
    enum pg_meaning why = said ? meaning_of(PQresultErrorField(r, PG_DIAG_SQLSTATE)) : PG_LOST;
    break_off(w, why, said, primary != NULL ? primary : PQresultErrorMessage(r));
}

/* --- connecting --- */

static void no_notice(void *context, const char *text)
{
    (void)context, (void)text;
}

static void begin_connecting(struct pg_wire *w)
{
    static const char *const keys[] = {"application_name", "dbname", NULL};
    const char *const values[] = {"massrevoke", w->conninfo, NULL};
    char *unreadable = NULL;
    PQconninfoOption *options = PQconninfoParse(w->conninfo, &unreadable);
    enum pg_meaning why = options == NULL ? PG_SHUT : PG_WAIT;
    PQconninfoFree(options);
    PQfreemem(unreadable);
    w->db = PQconnectStartParams(keys, values, 1);
    if (w->db == NULL || PQstatus(w->db) == CONNECTION_BAD) {
        break_off(w, why, true, w->db == NULL ? "no memory" : PQerrorMessage(w->db));
        return;
    }
    (void)PQsetNoticeProcessor(w->db, no_notice, NULL);
    (void)PQsetErrorVerbosity(w->db, PQERRORS_VERBOSE);
    w->phase = CONNECTING;
    w->polling = PGRES_POLLING_WRITING;
    watch(w, EPOLLOUT);
    set_timer(w, w->seconds);
}

/* True when the session stands. */
static bool connected(struct pg_wire *w)
{
    char state[6];
    w->polling = PQconnectPoll(w->db);
    if (w->polling == PGRES_POLLING_READING || w->polling == PGRES_POLLING_WRITING) {
        watch(w, w->polling == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT);
        return false;
    }
    if (w->polling != PGRES_POLLING_OK) {
        const char *text = PQerrorMessage(w->db);
        break_off(w, meaning_of(state_inside(text, state)) == PG_STOP ? PG_SHUT : PG_WAIT, true, text);
        return false;
    }
    w->phase = READY;
    if (PQsetnonblocking(w->db, 1) == 0 && PQenterPipelineMode(w->db) == 1)
        return true;
    break_off(w, PG_WAIT, true, PQerrorMessage(w->db));
    return false;
}

/* --- sending and hearing --- */

static bool put(struct pg_wire *w, const struct pg_query *q)
{
    return PQsendQueryParams(w->db, q->sql, q->count, NULL, q->values, NULL, NULL, 0) == 1;
}

/* Sends what the socket takes, and wants to be called for the rest. False when that ended the session. */
static bool flush(struct pg_wire *w)
{
    int left = PQflush(w->db);
    if (left >= 0)
        watch(w, left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    else
        break_off(w, PG_LOST, false, PQerrorMessage(w->db));
    return left >= 0;
}

/* First the setup alone: without it nothing else may run. */
static void begin_sending(struct pg_wire *w)
{
    bool ok = w->set_up || put(w, &(struct pg_query){.sql = w->setup});
    w->answered = 0;
    for (size_t i = 0; ok && w->set_up && i < w->count; i++)
        ok = put(w, &w->queries[i]);
    w->phase = WAITING;
    set_timer(w, w->seconds);
    if (!ok || PQpipelineSync(w->db) != 1)
        break_off(w, PG_LOST, false, PQerrorMessage(w->db));
    else
        (void)flush(w);
}

/* Takes one answer; false when that ended the session or the whole. */
static bool take(struct pg_wire *w, PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(r);
        if (!w->set_up) {
            w->set_up = true;
            begin_sending(w);
            return w->state == PG_WIRE_BUSY;
        }
        w->phase = READY;
        w->state = PG_WIRE_DONE;
        set_timer(w, 0);
        return false;
    }
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        refused(w, r);
        PQclear(r);
        return false;
    }
    if (!w->set_up || w->answered >= w->count)
        PQclear(r);
    else
        w->results[w->answered++] = r;
    return true;
}

static void hear(struct pg_wire *w)
{
    if (!flush(w))
        return;
    if (PQconsumeInput(w->db) == 0) {
        break_off(w, PG_LOST, false, PQerrorMessage(w->db));
        return;
    }
    while (PQisBusy(w->db) == 0) {
        PGresult *r = PQgetResult(w->db); /* a NULL stands between two answers of a pipeline */
        if (r != NULL && !take(w, r))
            return;
        if (r == NULL && PQstatus(w->db) == CONNECTION_BAD) {
            break_off(w, PG_LOST, false, PQerrorMessage(w->db));
            return;
        }
    }
}

/* --- what the owner sees --- */

struct pg_wire *pg_wire_open(const char *conninfo, const char *setup, int seconds, struct fault *f)
{
    struct pg_wire *w = arena_grow(NULL, sizeof *w);
    *w = (struct pg_wire){.conninfo = conninfo, .setup = setup, .seconds = seconds, .watched = -1};
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = w->timer};
    if (w->epoll >= 0 && w->timer >= 0 && epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &event) == 0)
        return w;
    fault_set(f, FAULT_FAILED, "no descriptor for the CA's database: %s", strerror(errno));
    pg_wire_close(w);
    return NULL;
}

int pg_wire_fd(const struct pg_wire *w)
{
    return w->epoll;
}

void pg_wire_wake(struct pg_wire *w)
{
    if (w->state == PG_WIRE_IDLE)
        set_timer(w, 0);
}

void pg_wire_send(struct pg_wire *w, const struct pg_query *queries, size_t n, enum pg_when when)
{
    bool ready = w->phase == READY && PQstatus(w->db) == CONNECTION_OK;
    memcpy(w->queries, queries, n * sizeof *queries);
    w->count = n;
    w->state = PG_WIRE_BUSY;
    if (ready) {
        begin_sending(w);
        return;
    }
    end_session(w);
    if (when == PG_NEXT)
        break_off(w, PG_LOST, true, "the session ended");
    else
        begin_connecting(w);
}

/* A session that the server ended while nothing was asked is noticed by reading: its last words, and then
 * the end. */
static void look_after(struct pg_wire *w)
{
    for (int i = 0; i < 2 && w->phase == READY; i++)
        if (PQconsumeInput(w->db) == 0 || PQstatus(w->db) != CONNECTION_OK)
            end_session(w);
}

enum pg_wire_state pg_wire_step(struct pg_wire *w)
{
    struct epoll_event events[4];
    uint64_t fired = 0;
    bool late = read(w->timer, &fired, sizeof fired) == (ssize_t)sizeof fired;
    bool news = false;
    for (int i = epoll_wait(w->epoll, events, 4, 0); i-- > 0;)
        news = news || (events[i].data.fd != w->timer && (events[i].events & EPOLLIN) != 0);
    if (w->state == PG_WIRE_IDLE)
        look_after(w);
    if (w->state != PG_WIRE_BUSY)
        return w->state;
    if (w->phase == CONNECTING && connected(w))
        begin_sending(w);
    if (w->state == PG_WIRE_BUSY && w->phase == WAITING)
        hear(w);
    if (w->state == PG_WIRE_BUSY && w->phase == WAITING && news)
        set_timer(w, w->seconds);
    else if (w->state == PG_WIRE_BUSY && late)
        break_off(w, PG_LOST, w->phase == CONNECTING, "no answer in time");
    return w->state;
}

PGresult *pg_wire_result(const struct pg_wire *w, size_t i)
{
    return w->results[i];
}

enum pg_meaning pg_wire_why(const struct pg_wire *w, const char **text, bool *said)
{
    *text = w->text;
    *said = w->said;
    return w->why;
}

void pg_wire_forget(struct pg_wire *w)
{
    for (size_t i = 0; i < PG_WIRE_QUERIES; i++) {
        PQclear(w->results[i]);
        w->results[i] = NULL;
    }
    w->state = PG_WIRE_IDLE;
    set_timer(w, -1);
}

void pg_wire_close(struct pg_wire *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < PG_WIRE_QUERIES; i++)
        PQclear(w->results[i]);
    PQfinish(w->db);
    if (w->timer >= 0)
        close(w->timer);
    if (w->epoll >= 0)
        close(w->epoll);
    free(w);
}
