/* Do both mail doors keep the same contract: one answer a message, a refused address is an answer, a bad
 * message a fault, and the bytes arrive as they were? The SMTP door runs against a real postfix; what no real
 * relay does on demand comes from a fake one. */
#include "../lib/fake_smtp.h"
#include "../lib/postfix.h"
#include "door/mail_job.h"
#include "door/mail_smtp.h"
#include "massrevoke/file.h"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SUBJECT "Subject: =?utf-8?q?one_=E2=80=93_two?=\r\n"
#define BODY "\r\n.a leading dot\r\n..two\r\n.\r\nend =C3=BC\r\n"
#define MESSAGE "From: revocation@ca.test\r\nTo: ann@cust.test\r\n" SUBJECT BODY

/* What both doors are tried with. */
struct setting {
    const char *name, *folder; /* where accepted mail ends up */
    bool (*open)(struct mail_door **out, struct fault *f);
};

static struct postfix postfix;
static const char *no_postfix;
static char spool[] = "/tmp/massrevoke-spool-XXXXXX";
static char inbox[128];

static bool open_spool(struct mail_door **out, struct fault *f)
{
    struct settings s = {.mail_spool_dir = spool};
    return mail_open(&s, out, f);
}

static bool open_relay(struct mail_door **out, struct fault *f)
{
    struct settings s = {.mail_relay_url = postfix.url};
    return mail_open(&s, out, f);
}

static struct setting spool_setting = {"spool", spool, open_spool};
static struct setting relay_setting = {"relay", inbox, open_relay};

/* Counts of outcomes, and the last words. */
struct tally {
    int of[MAIL_OUTCOME_COUNT], total;
    int64_t sum;
    char text[200];
};

static void take(void *context, const struct mail_answer *answer)
{
    struct tally *t = context;
    t->of[answer->outcome]++;
    t->total++;
    t->sum += answer->id;
    snprintf(t->text, sizeof t->text, "%s", answer->text);
}

static struct mail_message message(int64_t id, const char *to, const char *name)
{
    return (struct mail_message){
        .id = id, .from = "revocation@ca.test", .to = to, .name = name, .bytes = str_of(MESSAGE)};
}

static void send_one(struct mail_door *d, const struct mail_message *m)
{
    struct fault f = {0};
    if (!d->ops->send(d, m, &f))
        fail_msg("%s", f.text);
}

/* Steps until nothing is owed; fails after 30 s. */
static void wait_all(struct mail_door *d)
{
    struct fault f = {0};
    bool busy = true;
    for (int i = 0; i < 300 && busy; i++) {
        assert_true(d->ops->step(d, &busy, &f));
        struct pollfd p = {.fd = d->fd, .events = POLLIN};
        if (busy)
            (void)poll(&p, 1, 100);
    }
    assert_false(busy);
}

static struct mail_door *opened(const struct setting *s, struct tally *t)
{
    if (s == &relay_setting && no_postfix != NULL) {
        print_message("skipped for the relay: %s\n", no_postfix);
        skip();
    }
    struct mail_door *d = NULL;
    struct fault f = {0};
    if (!s->open(&d, &f))
        fail_msg("%s", f.text);
    *t = (struct tally){0};
    d->answer = take;
    d->answer_context = t;
    return d;
}

static size_t files_in(const char *folder, const char *skip_suffix)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.' && strstr(e->d_name, skip_suffix) == NULL;
    if (dir != NULL)
        closedir(dir);
    return n;
}

/* Waits until `n` more messages than before lie there: a queue delivers in its own time. */
static void arrive(const struct setting *s, size_t before, size_t n)
{
    for (int i = 0; i < 200 && files_in(s->folder, ".tmp") < before + n; i++)
        usleep(50000);
    assert_int_equal(files_in(s->folder, ".tmp"), before + n);
    assert_int_equal(files_in(s->folder, "massrevoke-never"), before + n);
}

static void each_message_gets_one_answer(void **state)
{
    const struct setting *s = *state;
    struct tally t;
    struct mail_door *d = opened(s, &t);
    size_t before = files_in(s->folder, ".tmp");
    for (int64_t i = 1; i <= 40; i++) {
        AUTO_ARENA a = {0};
        struct mail_message m = message(i, "ann@cust.test", arena_format(&a, "each-%d", (int)i));
        send_one(d, &m);
    }
    wait_all(d);
    assert_int_equal(t.of[MAIL_ACCEPTED], 40);
    assert_int_equal(t.total, 40);
    assert_int_equal(t.sum, 820);
    assert_true(t.text[0] != '\0');
    mail_close(d);
    arrive(s, before, 40);
}

static void the_bytes_arrive(void **state)
{
    const struct setting *s = *state;
    struct tally t;
    struct mail_door *d = opened(s, &t);
    size_t before = files_in(s->folder, ".tmp");
    struct mail_message m = message(1, "ann@cust.test", "bytes");
    AUTO_ARENA a = {0};
    const char *mark = arena_format(&a, "X-Mark: %s\r\n" MESSAGE, s->name);
    m.bytes = str_of(mark);
    send_one(d, &m);
    wait_all(d);
    mail_close(d);
    arrive(s, before, 1);
    DIR *dir = opendir(s->folder);
    bool found = false;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        struct str bytes;
        struct fault f = {0};
        if (e->d_name[0] == '.' ||
            !file_read(arena_format(&a, "%s/%s", s->folder, e->d_name), 1 << 20, &a, &bytes, &f))
            continue;
        if (memmem(bytes.p, bytes.n, "X-Mark", 6) == NULL)
            continue;
        // postfix keeps LF on disk
        const char *lf = "\n.a leading dot\n..two\n.\nend =C3=BC\n", *crlf = BODY;
        found = memmem(bytes.p, bytes.n, lf, strlen(lf)) != NULL ||
                memmem(bytes.p, bytes.n, crlf, strlen(crlf)) != NULL;
    }
    closedir(dir);
    assert_true(found);
}

static void an_unusable_address_is_an_answer(void **state)
{
    const struct setting *s = *state;
    struct tally t;
    struct mail_door *d = opened(s, &t);
    size_t before = files_in(s->folder, ".tmp");
    static const char *const bad[] = {"",
                                      "ann",
                                      "ann@cust.test>\r\nRCPT TO:<bob@cust.test",
                                      "a b@cust.test",
                                      "<ann@cust.test>",
                                      "ann@cust.test> NOTIFY=NEVER"};
    for (size_t i = 0; i < 6; i++) {
        struct mail_message m = message((int64_t)i, bad[i], "bad");
        send_one(d, &m);
    }
    wait_all(d);
    mail_close(d);
    assert_int_equal(t.of[MAIL_REFUSED], 6);
    assert_int_equal(t.total, 6);
    arrive(s, before, 0);
}

static void refuses(struct mail_door *d, const struct mail_message *m, enum fault_kind kind)
{
    struct fault f = {0};
    assert_false(d->ops->send(d, m, &f));
    assert_int_equal(f.kind, kind);
}

static void a_bad_message_is_a_fault(void **state)
{
    struct tally t;
    struct mail_door *d = opened(*state, &t);
    static const char *const bodies[] = {"a\nb\r\n", "a\rb\r\n", "", "a\r"};
    for (size_t i = 0; i < 4; i++) {
        struct mail_message m = message(1, "ann@cust.test", "x");
        m.bytes = str_of(bodies[i]);
        refuses(d, &m, FAULT_FAILED);
    }
    static const char *const names[] = {"", "../x", "a/b", ".hidden", "a b"};
    for (size_t i = 0; i < 5; i++) {
        struct mail_message m = message(1, "ann@cust.test", names[i]);
        refuses(d, &m, FAULT_FAILED);
    }
    struct mail_message m = message(1, "ann@cust.test", "x");
    m.from = "ca@ca.test>\r\nRSET";
    refuses(d, &m, FAULT_CONFIG);
    wait_all(d);
    assert_int_equal(t.total, 0);
    mail_close(d);
}

static void a_full_queue_says_so(void **state)
{
    struct tally t;
    struct mail_door *d = opened(*state, &t);
    struct mail_message m = message(1, "not an address", "x");
    for (int i = 0; i < MAIL_QUEUE_MAX; i++)
        send_one(d, &m);
    refuses(d, &m, FAULT_CONFLICT);
    wait_all(d);
    assert_int_equal(t.total, MAIL_QUEUE_MAX);
    send_one(d, &m);
    mail_close(d); // with an answer undelivered: nothing leaks, nothing hangs
}

static void the_relays_refusals_are_told_apart(void **state)
{
    struct tally t;
    struct mail_door *d = opened(*state, &t);
    struct mail_message m = message(1, "refused@cust.test", "x");
    send_one(d, &m);
    wait_all(d);
    assert_int_equal(t.of[MAIL_REFUSED], 1);
    assert_non_null(strstr(t.text, "550 5.1.1"));
    m.to = "later@cust.test";
    send_one(d, &m);
    wait_all(d);
    assert_int_equal(t.of[MAIL_LATER], 1);
    assert_non_null(strstr(t.text, "450 4.2.0"));
    mail_close(d);
}

static void a_spool_file_is_private_and_replaced(void **unused)
{
    (void)unused;
    struct tally t;
    struct mail_door *d = opened(&spool_setting, &t);
    struct mail_message m = message(1, "ann@cust.test", "same");
    send_one(d, &m);
    wait_all(d);
    size_t before = files_in(spool, ".tmp");
    send_one(d, &m);
    wait_all(d);
    assert_int_equal(files_in(spool, ".tmp"), before);
    struct stat st;
    AUTO_ARENA a = {0};
    assert_int_equal(stat(arena_format(&a, "%s/same.eml", spool), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    // a folder that is gone: surely not sent
    assert_int_equal(rename(spool, arena_format(&a, "%s.away", spool)), 0);
    send_one(d, &m);
    wait_all(d);
    assert_int_equal(t.of[MAIL_LATER], 1);
    assert_int_equal(rename(arena_format(&a, "%s.away", spool), spool), 0);
    mail_close(d);
}

/* `behaviour` of the fake relay, messages sent one after the other, outcome of the last, its messages and
 * connections. */
struct story {
    const char *name, *behaviour;
    int sends;
    enum mail_outcome outcome;
    const char *words;
    int messages, connections;
};

static const struct story stories[] = {
    {"takes", "a", 3, MAIL_ACCEPTED, "250 2.0.0 Ok: queued as 4F", 3, 1},
    {"550 at RCPT", "r", 1, MAIL_REFUSED, "550 5.1.1", 0, 1},
    {"451 at RCPT", "g", 1, MAIL_LATER, "451 4.7.1", 0, 1},
    {"550 at MAIL is not the address's fault", "m", 1, MAIL_LATER, "550 5.7.1", 0, 1},
    {"421 at MAIL", "b", 1, MAIL_LATER, "421", 0, 1},
    {"451 after the dot", "l", 1, MAIL_LATER, "451 4.3.0", 1, 1},
    {"554 after the dot", "x", 1, MAIL_REJECTED, "554 5.7.1", 1, 1},
    {"drop after the dot", "d", 1, MAIL_UNKNOWN, "", 1, 1},
    {"hang after the dot", "h", 1, MAIL_UNKNOWN, "", 1, 1},
    {"421 on a used connection is tried anew at once", "sa", 2, MAIL_ACCEPTED, "250", 2, 2},
    {"a refusal leaves the next one alone", "ra", 2, MAIL_ACCEPTED, "250", 1, 2},
};

static void a_fake_relays_story(void **state)
{
    const struct story *s = *state;
    struct fake_smtp fake;
    fake_smtp_start(&fake, s->behaviour);
    struct mail_door *d = NULL;
    struct fault f = {0};
    assert_true(mail_smtp_open_timeout(fake.url, 1, 2, &d, &f));
    struct tally t = {0};
    d->answer = take;
    d->answer_context = &t;
    for (int i = 0; i < s->sends; i++) {
        t.of[s->outcome] = 0;
        struct mail_message m = message(i, "ann@cust.test", "x");
        send_one(d, &m);
        wait_all(d);
    }
    mail_close(d);
    fake_smtp_stop(&fake);
    if (t.of[s->outcome] != 1 || strstr(t.text, s->words) == NULL)
        fail_msg("%s", t.text);
    assert_int_equal(t.total, s->sends);
    assert_int_equal(atomic_load(&fake.messages), s->messages);
    assert_int_equal(atomic_load(&fake.connections), s->connections);
}

/* A relay that breaks off before the whole message is in cannot have taken it. */
static void a_message_cut_short_was_not_sent(void **unused)
{
    (void)unused;
    struct fake_smtp fake;
    fake_smtp_start(&fake, "i");
    struct mail_door *d = NULL;
    struct fault f = {0};
    assert_true(mail_smtp_open_timeout(fake.url, 1, 2, &d, &f));
    struct tally t = {0};
    d->answer = take;
    d->answer_context = &t;
    AUTO_BUF big = {0};
    while (big.n < 32 * 1024 * 1024) // more than the sockets hold
        buf_text(&big, "0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
    struct mail_message m = message(1, "ann@cust.test", "x");
    m.bytes = buf_str(&big);
    send_one(d, &m);
    wait_all(d);
    mail_close(d);
    fake_smtp_stop(&fake);
    assert_int_equal(t.of[MAIL_LATER], 1);
}

static void a_relay_that_is_down_is_later(void **unused)
{
    (void)unused;
    char url[64];
    snprintf(url, sizeof url, "smtp://127.0.0.1:%d", free_port());
    struct mail_door *d = NULL;
    struct fault f = {0};
    assert_true(mail_smtp_open_timeout(url, 2, 2, &d, &f));
    struct tally t = {0};
    d->answer = take;
    d->answer_context = &t;
    struct mail_message m = message(1, "ann@cust.test", "x");
    send_one(d, &m);
    wait_all(d);
    assert_int_equal(t.of[MAIL_LATER], 1);
    mail_close(d);
}

static int64_t ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void closing_does_not_wait_for_a_hanging_relay(void **unused)
{
    (void)unused;
    struct fake_smtp fake;
    fake_smtp_start(&fake, "h");
    struct mail_door *d = NULL;
    struct fault f = {0};
    assert_true(mail_smtp_open(fake.url, 2, &d, &f));
    struct tally t = {0};
    d->answer = take;
    d->answer_context = &t;
    struct mail_message m = message(1, "ann@cust.test", "x");
    send_one(d, &m);
    while (atomic_load(&fake.messages) == 0)
        usleep(10000);
    int64_t begun = ms();
    mail_close(d);
    assert_in_range(ms() - begun, 0, 5000);
    assert_int_equal(t.total, 0);
    fake_smtp_stop(&fake);
}

static void settings_choose_the_door(void **unused)
{
    (void)unused;
    struct mail_door *d = NULL;
    struct fault f = {0};
    struct settings none = {0}, tls = {.mail_relay_url = "smtps://relay"},
                    file = {.mail_spool_dir = "/proc/self/status/x"};
    assert_true(mail_open(&none, &d, &f));
    assert_null(d);
    assert_false(mail_open(&tls, &d, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_false(mail_open(&file, &d, &f));
    assert_non_null(strstr(f.text, "mail.spool_dir"));
    mail_close(NULL);
}

static int begin(void **unused)
{
    (void)unused;
    if (mkdtemp(spool) == NULL)
        return -1;
    if (!postfix_start(&postfix, &no_postfix))
        return 0;
    no_postfix = NULL;
    snprintf(inbox, sizeof inbox, "%s/mail/inbox/new", postfix.folder);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    if (postfix.folder[0] != '\0')
        postfix_stop(&postfix);
    DIR *dir = opendir(spool);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        (void)unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    return rmdir(spool);
}

#define BOTH(test)                                                                                           \
    {#test " (spool)", test, NULL, NULL, &spool_setting},                                                    \
    {                                                                                                        \
#test " (relay)", test, NULL, NULL, &relay_setting                                                   \
    }

int main(void)
{
    struct CMUnitTest tests[15 + sizeof stories / sizeof *stories] = {
        BOTH(each_message_gets_one_answer),
        BOTH(the_bytes_arrive),
        BOTH(an_unusable_address_is_an_answer),
        BOTH(a_bad_message_is_a_fault),
        BOTH(a_full_queue_says_so),
        {"the_relays_refusals_are_told_apart", the_relays_refusals_are_told_apart, NULL, NULL,
         &relay_setting},
        cmocka_unit_test(a_spool_file_is_private_and_replaced),
        cmocka_unit_test(a_message_cut_short_was_not_sent),
        cmocka_unit_test(a_relay_that_is_down_is_later),
        cmocka_unit_test(closing_does_not_wait_for_a_hanging_relay),
    };
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        static struct story copies[sizeof stories / sizeof *stories];
        copies[i] = stories[i];
        tests[15 + i] = (struct CMUnitTest){stories[i].name, a_fake_relays_story, NULL, NULL, &copies[i]};
    }
    const struct CMUnitTest more[] = {cmocka_unit_test(settings_choose_the_door)};
    int failed = cmocka_run_group_tests(more, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, begin, end);
}
