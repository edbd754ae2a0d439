/* run: the engine in the foreground, until everything is settled or a person must act. */
#include "generation.h"
#include "massrevoke/log.h"
#include "session.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

/* The first signal ends the batch; one that comes a second or more later ends the process (nothing is lost by
 * that). One that comes sooner is the same wish: timeout(1) and terminals send theirs to the process and to
 * its group. */
static void on_signal(int number)
{
    (void)number;
    if (!interrupted)
        alarm(1);
    interrupted = 1;
}

static void on_alarm(int number)
{
    (void)number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}, later = {.sa_handler = on_alarm};
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &later, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What a person reads while it runs: only what changed. */
struct screen {
    int64_t pending, revoked, left;
    struct utc due;
    enum engine_state state;
    bool begun;
    char warning[512], behind[512];
};

static void print_alerts(const char *lines, struct utc now)
{
    char at[UTC_TEXT];
    for (struct str rest = str_of(lines); rest.n > 0 && rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        log_line("%s  ! %.*s", utc_format(now, at), (int)line.n, line.p);
    }
}

static void print_progress(struct screen *screen, const struct engine_report *r, struct utc now)
{
    char at[UTC_TEXT], due[UTC_TEXT];
    const int64_t *sum = r->counts.n;
    if (r->warning[0] != '\0' && strcmp(screen->warning, r->warning) != 0)
        log_line("%s  ! %s", utc_format(now, at), r->warning);
    snprintf(screen->warning, sizeof screen->warning, "%s", r->warning);
    if (strcmp(screen->behind, r->behind) != 0)
        log_line("%s  %s", utc_format(now, at), r->behind[0] == '\0' ? "no longer behind" : r->behind);
    if (screen->behind[0] == '\0' && r->behind[0] != '\0')
        log_line("%s  when a miss is expected, a bug of its own is due: massrevoke report delayed", at);
    snprintf(screen->behind, sizeof screen->behind, "%s", r->behind);
    bool same = screen->begun && screen->revoked == sum[BUCKET_REVOKED] &&
                screen->pending == sum[BUCKET_PENDING_PUBLICATION] &&
                screen->left == sum[BUCKET_NOT_REVOKED] && screen->due.s == r->due.s &&
                screen->state == r->state;
    if (same)
        return;
    screen->pending = sum[BUCKET_PENDING_PUBLICATION];
    screen->revoked = sum[BUCKET_REVOKED];
    screen->left = sum[BUCKET_NOT_REVOKED];
    screen->due = r->due;
    screen->state = r->state;
    screen->begun = true;
    log_line("%s  revoked %" PRId64 ", pending publication %" PRId64 ", not revoked %" PRId64
             ", held %" PRId64 ", expired %" PRId64 ", unknown %" PRId64 "%s; next due %s",
             utc_format(now, at), sum[BUCKET_REVOKED], sum[BUCKET_PENDING_PUBLICATION],
             sum[BUCKET_NOT_REVOKED], sum[BUCKET_HELD], sum[BUCKET_EXPIRED], sum[BUCKET_UNKNOWN],
             r->state == ENGINE_PAUSED ? "; PAUSED" : "",
             utc_is_set(r->due) ? utc_format(r->due, due) : "nothing");
}

/* Which parts --only names. */
static bool only_option(const struct invocation *in, unsigned *parts, struct fault *f)
{
    static const struct {
        const char *name;
        unsigned parts;
    } rows[] = {{"execute", ENGINE_EXECUTE},
                {"verify", ENGINE_VERIFY},
                {"notify", ENGINE_NOTIFY},
                {"publish", ENGINE_PUBLISH}};
    const char *name = in->values[OPTION_ONLY];
    *parts = ENGINE_ALL;
    if (name == NULL)
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0) {
            *parts = rows[i].parts;
            return true;
        }
    return fault_set(f, FAULT_USAGE, "--only takes execute, verify, notify or publish, not '%.40s'", name);
}

/* The private cluster is started on demand, also under a running engine. */
static void bring_back(struct session *s)
{
    struct fault f = {0};
    if (store_is_lost(s->store) && !session_conninfo(s, &f))
        log_line("%s", f.text);
}

/* The list behind exit 8: what is left and why. */
static bool print_left(struct session *s, struct fault *f)
{
    struct leftover *left;
    size_t n;
    int64_t total;
    if (!store_leftover(s->store, s->campaign.id, 50, &s->arena, &left, &n, &total, f))
        return false;
    if (total > 0)
        printf("%" PRId64 " certificates need a person:\n", total);
    for (size_t i = 0; i < n; i++) {
        char hex[SERIAL_HEX_TEXT];
        printf("  %-40s  %-12s  %s\n", serial_hex(&left[i].serial, hex),
               certificate_state_name(left[i].state), left[i].subscriber);
    }
    if ((int64_t)n < total)
        printf("  and %" PRId64 " more\n", total - (int64_t)n);
    return true;
}

/* Beside a started cohort one that waits stops nobody: it is only told. */
static bool print_waiting(struct session *s, int *waiting, struct fault *f)
{
    struct cohort *cohorts;
    size_t n;
    *waiting = 0;
    if (!store_cohorts(s->store, s->campaign.id, &s->arena, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (utc_is_set(cohorts[i].started_at) && !utc_is_set(cohorts[i].voided_at))
            continue;
        int64_t count;
        if (!store_cohort_count(s->store, s->campaign.id, cohorts[i].cohort, &count, f))
            return false;
        ++*waiting;
        log_line("cohort %d waits with %" PRId64 " certificates: they are not revoked before it is %s",
                 cohorts[i].cohort, count,
                 cohort_is_approved(&cohorts[i], s->settings.quorum, s->clock.now(s->clock.self))
                     ? "started"
                     : "approved and started");
    }
    return true;
}

static bool settled(struct session *s, struct fault *f)
{
    int waiting;
    if (!print_waiting(s, &waiting, f))
        return false;
    printf("Every certificate%s is settled: published, expired or withdrawn.\nNext: massrevoke %s\n",
           waiting > 0 ? " of the started cohorts" : "",
           waiting > 0 ? "request list; massrevoke start" : "status; massrevoke report progress");
    return true;
}

static bool finish(struct session *s, const struct engine_report *r, int *exit_code, struct fault *f)
{
    switch (r->state) {
    case ENGINE_SETTLED:
        return settled(s, f);
    case ENGINE_LEFT:
        *exit_code = fault_exit_code(FAULT_PARTLY);
        if (r->reasons_left > 0)
            printf("%" PRId64 " changes of a reason need a person: massrevoke reason list\n",
                   r->reasons_left);
        return print_left(s, f);
    case ENGINE_NOT_APPROVED:
        fault_set(f, FAULT_APPROVAL, "no cohort of %s is approved", s->campaign.name);
        return fault_hint(f, "massrevoke plan; massrevoke approve --key FILE --cert FILE");
    case ENGINE_NOT_STARTED:
        fault_set(f, FAULT_CONFLICT, "%s is approved, but not started", s->campaign.name);
        return fault_hint(f, "massrevoke start --confirm %s", s->campaign.name);
    case ENGINE_WORKING:
    case ENGINE_PAUSED:
        return true;
    }
    return true;
}

static bool is_over(const struct engine_report *r)
{
    return r->state != ENGINE_WORKING && r->state != ENGINE_PAUSED;
}

/* How far the log is is kept outside of the database; what fails is only told, the work goes on. */
static void keep(struct session *s, struct generation *g, bool now)
{
    struct fault f = {0};
    if (!store_is_lost(s->store) && !generation_keep(g, now, &f) && f.kind != FAULT_UNAVAILABLE)
        log_line("%s", f.text);
}

static bool loop(struct session *s, struct engine *e, struct generation *g, bool once,
                 struct engine_report *r, struct fault *f)
{
    struct screen screen = {0};
    for (;;) {
        if (!engine_step(e, r, f))
            return false;
        keep(s, g, false);
        struct utc now = s->clock.now(s->clock.self);
        print_alerts(r->alerts, now);
        print_progress(&screen, r, now);
        bring_back(s);
        bool due = utc_is_set(r->next) && r->next.s <= now.s;
        if (interrupted || is_over(r) || (once && !due && !r->mail_open))
            return true;
        s->clock.wait(s->clock.self, r->next, (struct span){r->state == ENGINE_PAUSED ? 1 : 5},
                      s->mail == NULL ? -1 : s->mail->fd);
        if (interrupted)
            return true;
    }
}

bool cmd_run(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct engine_parts parts;
    struct engine *engine;
    struct engine_report report = {0};
    unsigned only;
    if (!only_option(in, &only, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !session_engine(&s, &parts, f))
        return false;
    parts.gone = in->values[OPTION_OVERRIDE];
    struct generation generation;
    parts.may_act = generation_check;
    parts.may_act_context = &generation;
    if (!generation_open(&s, &generation, f) || !engine_open(&parts, &engine, f))
        return false;
    catch_signals();
    engine_only(engine, only);
    bool ok = loop(&s, engine, &generation, option_given(in, OPTION_ONCE), &report, f);
    engine_close(engine);
    keep(&s, &generation, true);
    if (!ok)
        return false;
    if (interrupted && !is_over(&report)) {
        fault_set(f, FAULT_INTERRUPTED, "interrupted; the batch is finished, nothing is lost");
        return fault_hint(f, "massrevoke run goes on");
    }
    return finish(&s, &report, exit_code, f);
}
