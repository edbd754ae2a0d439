/* A relay spoken to in plain SMTP by worker threads with one libcurl handle each: libcurl's multi interface
 * would block on the reply to the final dot. Where in the dialogue a message failed decides whether it may
 * have been sent; we read that from the commands libcurl reports, not from its error text. */
#include "mail_smtp.h"
#include "mail_job.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_MAX 16

/* How far the dialogue about one message came. */
enum stage { STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

struct smtp {
    struct mail_door door;
    char *url;
    int timeout;
    pthread_mutex_t lock; /* guards todo, done */
    pthread_cond_t more;
    struct mail_queue todo, done;
    size_t owed; /* answers not yet delivered; the owner's thread only */
    atomic_bool stopping;
    pthread_t threads[THREADS_MAX];
    int thread_count;
};

/* One transfer. */
struct transfer {
    struct smtp *smtp;
    const struct mail_job *job;
    size_t sent; /* bytes of the message handed to libcurl */
    enum stage stage;
    char reply[200]; /* the relay's last words, or its first refusal */
};

static size_t give_bytes(char *buffer, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    struct str bytes = t->job->message.bytes;
    size_t n = bytes.n - t->sent;
    if (n > size * count)
        n = size * count;
    memcpy(buffer, bytes.p + t->sent, n);
    t->sent += n;
    return n;
}

static void note_command(struct transfer *t, const char *line, size_t n)
{
    static const struct {
        const char *word;
        enum stage stage;
    } commands[] = {{"MAIL FROM:", STAGE_MAIL}, {"RCPT TO:", STAGE_RCPT}, {"DATA", STAGE_DATA}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (n >= strlen(commands[i].word) && memcmp(line, commands[i].word, strlen(commands[i].word)) == 0)
            t->stage = commands[i].stage;
}

/* Keeps the first refusal: the QUIT that follows it must not hide it. */
static void note_reply(struct transfer *t, const char *line, size_t n)
{
    if (t->reply[0] == '4' || t->reply[0] == '5')
        return;
    struct str words = str_trim((struct str){line, n});
    size_t room = sizeof t->reply - 1;
    memcpy(t->reply, words.p, words.n < room ? words.n : room);
    t->reply[words.n < room ? words.n : room] = '\0';
}

static int listen_in(CURL *curl, curl_infotype type, char *data, size_t n, void *context)
{
    (void)curl;
    if (type == CURLINFO_HEADER_OUT)
        note_command(context, data, n);
    if (type == CURLINFO_HEADER_IN)
        note_reply(context, data, n);
    return 0;
}

static int may_go_on(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const struct transfer *t = context;
    return atomic_load(&t->smtp->stopping);
}

/* What an ended transfer means. Before the last byte no relay can have taken the message; after it only its
 * reply tells. */
static enum mail_outcome judge(const struct transfer *t, CURLcode rc, long code)
{
    bool whole = t->stage == STAGE_DATA && t->sent == t->job->message.bytes.n;
    bool for_good = code >= 500 && code < 600, refusal = code >= 400 && code < 600;
    if (rc == CURLE_OK)
        return MAIL_ACCEPTED;
    if (for_good && t->stage == STAGE_RCPT)
        return MAIL_REFUSED;
    if (for_good && t->stage == STAGE_DATA)
        return MAIL_REJECTED;
    return whole && !refusal ? MAIL_UNKNOWN : MAIL_LATER;
}

static void set_up(CURL *curl, struct transfer *t, struct curl_slist *to)
{
    curl_easy_setopt(curl, CURLOPT_URL, t->smtp->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)(t->smtp->timeout < 30 ? t->smtp->timeout : 30));
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)t->smtp->timeout);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, t->job->message.from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->job->message.bytes.n);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(curl, CURLOPT_READDATA, t);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, listen_in);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
}

/* Ends the connection of an aborted transfer, so that libcurl's QUIT does not wait for a relay that hangs. */
static void hang_up(CURL *curl)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
        (void)shutdown(fd, SHUT_RDWR);
}

/* Sends once. *stale: an old connection had died or the relay wanted to be rid of it (421), so that nothing
 * was learned about the message. */
static void send_once(CURL *curl, struct smtp *s, struct mail_job *job, bool *stale)
{
    struct transfer t = {.smtp = s, .job = job};
    struct curl_slist *to = curl_slist_append(NULL, job->message.to);
    curl_easy_reset(curl); // keeps connections
    set_up(curl, &t, to);
    CURLcode rc = to == NULL ? CURLE_OUT_OF_MEMORY : curl_easy_perform(curl);
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        hang_up(curl);
    long code = 0, connects = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    enum mail_outcome outcome = judge(&t, rc, code);
    bool spoke = rc == CURLE_OK || t.reply[0] == '4' || t.reply[0] == '5';
    mail_job_answer(job, outcome, spoke ? t.reply : curl_easy_strerror(rc));
    *stale = outcome == MAIL_LATER && connects == 0 && t.sent == 0 && (code < 400 || code == 421);
    curl_slist_free_all(to);
}

static void send_job(CURL *curl, struct smtp *s, struct mail_job *job)
{
    bool stale;
    send_once(curl, s, job, &stale);
    if (stale && !atomic_load(&s->stopping))
        send_once(curl, s, job, &stale);
}

static void tell_owner(const struct smtp *s)
{
    uint64_t one = 1;
    while (write(s->door.fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void *work(void *context)
{
    struct smtp *s = context;
    CURL *curl = curl_easy_init();
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->stopping)) {
        struct mail_job *job = mail_queue_take(&s->todo);
        if (job == NULL) {
            pthread_cond_wait(&s->more, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        if (curl == NULL)
            mail_job_answer(job, MAIL_LATER, "libcurl gave no handle");
        else if (job->addressable)
            send_job(curl, s, job);
        pthread_mutex_lock(&s->lock);
        mail_queue_add(&s->done, job);
        tell_owner(s);
    }
    pthread_mutex_unlock(&s->lock);
    curl_easy_cleanup(curl);
    return NULL;
}

static bool smtp_send(struct mail_door *d, const struct mail_message *m, struct fault *f)
{
    struct smtp *s = (struct smtp *)d;
    struct mail_job *job;
    if (s->owed == MAIL_QUEUE_MAX)
        return fault_set(f, FAULT_CONFLICT, "%d messages wait for the relay's answer", MAIL_QUEUE_MAX);
    if (!mail_job_new(m, &job, f))
        return false;
    pthread_mutex_lock(&s->lock);
    mail_queue_add(&s->todo, job);
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
    s->owed++;
    return true;
}

static bool smtp_step(struct mail_door *d, bool *busy, struct fault *f)
{
    (void)f; // a relay that is down is an answer for each message
    struct smtp *s = (struct smtp *)d;
    uint64_t count;
    (void)!read(s->door.fd, &count, sizeof count); // cleared before the queue is taken: no answer is missed
    pthread_mutex_lock(&s->lock);
    struct mail_queue done = s->done;
    s->done = (struct mail_queue){0};
    pthread_mutex_unlock(&s->lock);
    for (const struct mail_job *job = done.first; job != NULL; job = job->next)
        s->owed--;
    (void)mail_queue_deliver(&done, d);
    *busy = s->owed > 0;
    return true;
}

/* Messages whose answer was not delivered are lost to the caller, who knows them as "unknown". */
static void smtp_close(struct mail_door *d)
{
    struct smtp *s = (struct smtp *)d;
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stopping, true);
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    mail_queue_free(&s->todo);
    mail_queue_free(&s->done);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->lock);
    if (s->door.fd >= 0)
        close(s->door.fd);
    free(s->url);
    free(s);
}

/* Workers take no signals: those belong to the engine's thread. */
static bool start_threads(struct smtp *s, int threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (s->thread_count < threads && pthread_create(&s->threads[s->thread_count], NULL, work, s) == 0)
        s->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->thread_count > 0;
}

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT); // a failure shows as a handle that cannot be made
}

bool mail_smtp_open_timeout(const char *url, int threads, int timeout_seconds, struct mail_door **out,
                            struct fault *f)
{
    static const struct mail_door_ops ops = {smtp_send, smtp_step, smtp_close};
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (strncmp(url, "smtp://", 7) != 0 || url[7] == '\0' || strchr(url, '@') != NULL)
        return fault_set(f, FAULT_CONFIG, "mail.relay_url: '%.200s' is not smtp://HOST[:PORT]", url);
    pthread_once(&once, start_curl);
    struct smtp *s = arena_grow(NULL, sizeof *s);
    *s = (struct smtp){.door = {.ops = &ops}, .timeout = timeout_seconds};
    size_t n = strlen(url) + 1;
    s->url = memcpy(arena_grow(NULL, n), url, n);
    s->door.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->more, NULL);
    if (s->door.fd < 0 || !start_threads(s, threads < THREADS_MAX ? threads : THREADS_MAX)) {
        fault_set(f, FAULT_FAILED, "mail: no descriptor or thread for the relay: %s", strerror(errno));
        smtp_close(&s->door);
        return false;
    }
    *out = &s->door;
    return true;
}

bool mail_smtp_open(const char *url, int threads, struct mail_door **out, struct fault *f)
{
    return mail_smtp_open_timeout(url, threads, MAIL_SMTP_TIMEOUT, out, f);
}
