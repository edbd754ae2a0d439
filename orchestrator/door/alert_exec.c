/* Alerts as processes, and the heartbeat. */
#include "curl_events.h"
#include "job.h"
#include "massrevoke/alert_door.h"
#include "massrevoke/file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define URL_MAX 1000
#define BEAT_MS 10000L /* for one fetch of the heartbeat's URL */

static_assert(ALERT_LINE == JOB_LINE, "an alert's line is a job's line");

struct call {
    struct job job;
    int64_t id;
};

struct alert_door {
    const struct settings_alert *settings;
    struct call calls[ALERT_AT_ONCE];
    int epoll; /* outputs and timers of the jobs, and libcurl's */
    struct arena arena;
    const char *url; /* NULL: none */
    struct curl_events curl;
    CURL *easy;
    bool fetching;
    char error[CURL_ERROR_SIZE];
};

/* The URL alone may let others beat for us: its file is a secret. */
static bool read_url(struct alert_door *d, struct fault *f)
{
    struct str bytes;
    struct stat st;
    const char *file = d->settings->beat_url_file;
    d->url = d->settings->beat_url;
    if (file == NULL)
        return true;
    if (!file_read(file, URL_MAX, &d->arena, &bytes, f)) {
        f->kind = FAULT_CONFIG;
        return fault_wrap(f, "alert.heartbeat.url_file");
    }
    if (stat(file, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fault_set(f, FAULT_CONFIG, "alert.heartbeat.url_file: others can read %s; chmod 600", file);
    bytes = str_trim(bytes);
    d->url = arena_copy(&d->arena, bytes.p, bytes.n);
    return true;
}

/* A descriptor leaves when it is closed. */
static bool watch(struct alert_door *d, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int alert_fd(const struct alert_door *d)
{
    return d->epoll;
}

static size_t drop(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes, (void)context;
    return size * n;
}

static bool open_curl(struct alert_door *d, struct fault *f)
{
    if (!curl_events_open(&d->curl, 1, false, f))
        return false;
    d->easy = curl_easy_init();
    CURL *c = d->easy;
    bool ok = c != NULL && curl_easy_setopt(c, CURLOPT_URL, d->url) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, BEAT_MS) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->error) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK;
    ok = ok && watch(d, d->curl.epoll);
    return ok || fault_set(f, FAULT_CONFIG, "alert.heartbeat: libcurl refuses %s", d->url);
}

bool alert_open(const struct settings_alert *s, struct alert_door **out, struct fault *f)
{
    struct alert_door *d = arena_grow(NULL, sizeof *d);
    *d = (struct alert_door){.settings = s, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    bool ok = d->epoll >= 0 || fault_set(f, FAULT_FAILED, "alert: %s", strerror(errno));
    if (ok && read_url(d, f) && (d->url == NULL || open_curl(d, f))) {
        *out = d;
        return true;
    }
    alert_close(d);
    return false;
}

size_t alert_room(const struct alert_door *d)
{
    size_t n = 0;
    for (size_t i = 0; d != NULL && d->settings->command_count > 0 && i < ALERT_AT_ONCE; i++)
        n += d->calls[i].job.pid == 0;
    return n;
}

bool alert_start(struct alert_door *d, int64_t id, struct str json, const char *const *environment,
                 struct fault *f)
{
    size_t at = 0;
    while (at < ALERT_AT_ONCE && d->calls[at].job.pid != 0)
        at++;
    if (at == ALERT_AT_ONCE)
        return fault_set(f, FAULT_CONFLICT, "%d alerts are being sent already", ALERT_AT_ONCE);
    const struct job_order order = {.command = d->settings->command,
                                    .count = d->settings->command_count,
                                    .environment = environment,
                                    .input = json,
                                    .seconds = ALERT_SECONDS};
    d->calls[at].id = id;
    if (!job_start(&d->calls[at].job, &order, f))
        return fault_wrap(f, "alert.command");
    const struct job *job = &d->calls[at].job;
    if (watch(d, job->out) && watch(d, job->timer) && watch(d, job->ended))
        return true;
    job_stop(&d->calls[at].job);
    return fault_set(f, FAULT_FAILED, "alert.command: %s", strerror(errno));
}

bool alert_beat(struct alert_door *d, const char *text, bool *open, struct fault *f)
{
    if (d->url != NULL && !d->fetching && curl_multi_add_handle(d->curl.multi, d->easy) == CURLM_OK) {
        d->fetching = true;
        d->error[0] = '\0';
        curl_events_wake(&d->curl);
    }
    *open = d->fetching;
    return d->settings->beat_file == NULL || file_write(d->settings->beat_file, str_of(text), 0644, f) ||
           fault_wrap(f, "alert.heartbeat.file");
}

static bool end_fetch(struct alert_door *d, struct alert_answer *out)
{
    struct fault f = {0};
    int left;
    const CURLMsg *m = NULL;
    if (curl_events_run(&d->curl, &f)) {
        curl_events_arm(&d->curl, -1);
        m = curl_multi_info_read(d->curl.multi, &left);
        if (m == NULL)
            return false;
    }
    *out = (struct alert_answer){.id = ALERT_BEAT, .ok = m != NULL && m->data.result == CURLE_OK};
    if (!out->ok)
        snprintf(out->text, sizeof out->text, "%.199s",
                 m == NULL             ? f.text
                 : d->error[0] != '\0' ? d->error
                                       : curl_easy_strerror(m->data.result));
    (void)curl_multi_remove_handle(d->curl.multi, d->easy);
    d->fetching = false;
    return true;
}

static void answer(const struct call *c, const struct job_end *end, struct alert_answer *out)
{
    *out = (struct alert_answer){
        .id = c->id, .ok = end->in_time && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0};
    if (!end->in_time)
        snprintf(out->text, sizeof out->text, "no end within %d s", ALERT_SECONDS);
    else if (c->job.filled > 0)
        snprintf(out->text, sizeof out->text, "%s", c->job.line);
    else if (!out->ok && WIFEXITED(end->status))
        snprintf(out->text, sizeof out->text, "exit code %d", WEXITSTATUS(end->status));
    else if (!out->ok)
        snprintf(out->text, sizeof out->text, "ended by signal %d", WTERMSIG(end->status));
}

bool alert_next(struct alert_door *d, struct alert_answer *out, bool *busy)
{
    *busy = false;
    for (size_t i = 0; i < ALERT_AT_ONCE; i++) {
        struct job_end end;
        if (d->calls[i].job.pid == 0)
            continue;
        if (job_ended(&d->calls[i].job, &end)) {
            answer(&d->calls[i], &end, out);
            return true;
        }
        *busy = true;
    }
    if (d->fetching && end_fetch(d, out))
        return true;
    *busy = *busy || d->fetching;
    return false;
}

void alert_close(struct alert_door *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < ALERT_AT_ONCE; i++)
        job_stop(&d->calls[i].job);
    if (d->fetching)
        (void)curl_multi_remove_handle(d->curl.multi, d->easy);
    curl_easy_cleanup(d->easy);
    curl_events_close(&d->curl);
    if (d->epoll >= 0)
        close(d->epoll);
    arena_free(&d->arena);
    free(d);
}
