/* status and schedule: where it stands. */
#include "massrevoke/reporter.h"
#include "massrevoke/store_plan.h"
#include "massrevoke/store_report.h"
#include "tell.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WATCH_SECONDS 2

bool tell_snapshot(struct session *s, bool check_balance, struct arena *a, struct snapshot *out,
                   struct fault *f)
{
    struct snapshot_terms terms = conduct_terms(&s->settings, &s->profile);
    return store_snapshot(s->store, &s->campaign, s->clock.now(s->clock.self), &terms, check_balance, a, out,
                          f);
}

void tell_print(const struct buf *text)
{
    struct str bytes = buf_str(text);
    fwrite(bytes.p, 1, bytes.n, stdout);
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40)
        return 80;
    return size.ws_col > 200 ? 200 : size.ws_col;
}

/* 10 whatever was asked: then the record contradicts itself, or the world contradicts the scope. */
static int status_exit(const struct snapshot *s, bool by_verdict)
{
    AUTO_BUF why = {0};
    if (!reporter_balances(s, &why) || s->revoked_outside_scope > 0)
        return fault_exit_code(FAULT_EVIDENCE);
    if (!by_verdict)
        return 0;
    if (s->verdict == VERDICT_MISSED)
        return 21;
    return s->verdict == VERDICT_BEHIND || s->verdict == VERDICT_AT_RISK ? 20 : 0;
}

static bool status_once(struct session *s, const struct invocation *in, bool clear, int *exit_code,
                        struct fault *f)
{
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    struct snapshot snapshot;
    if (!tell_snapshot(s, false, &a, &snapshot, f))
        return false;
    if (clear)
        buf_text(&text, "\033[H\033[2J");
    if (in->json)
        reporter_status_json(&snapshot, &text);
    else
        reporter_status_text(&snapshot, columns(), &text);
    tell_print(&text);
    *exit_code = status_exit(&snapshot, option_given(in, OPTION_EXIT_CODE));
    return true;
}

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

bool cmd_status(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    bool watch = option_given(in, OPTION_WATCH), terminal = isatty(STDOUT_FILENO) != 0;
    struct sigaction action = {.sa_handler = stop};
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    if (watch)
        sigaction(SIGINT, &action, NULL);
    do {
        if (!status_once(&s, in, watch && terminal && !in->json, exit_code, f))
            return false;
        if (fflush(stdout) != 0)
            return true; /* main tells it */
        if (watch && !stopped)
            s.clock.wait(s.clock.self, utc_add(s.clock.now(s.clock.self), (struct span){WATCH_SECONDS}),
                         (struct span){WATCH_SECONDS}, -1);
    } while (watch && !stopped);
    return true;
}

/* Slots count from receipt. */
static int64_t hour_of(const struct session *s, const struct dealt_slot *slot)
{
    return utc_sub(slot->start, s->campaign.received).s / 3600;
}

static void schedule_json(const struct session *s, const struct dealt_slot *slots, size_t n)
{
    json_t *object = json_object(), *list = json_array();
    json_set_text(object, "campaign", s->campaign.name);
    for (size_t i = 0; i < n; i++) {
        json_t *slot = json_object();
        json_set_int(slot, "hour", hour_of(s, &slots[i]));
        json_set_utc(slot, "start", slots[i].start);
        json_set_int(slot, "certificates", slots[i].certificates);
        json_set_int(slot, "subscribers", slots[i].subscribers);
        json_set_int(slot, "cohort", slots[i].cohort);
        json_array_append_new(list, slot);
    }
    json_object_set_new(object, "slots", list);
    session_print(object);
}

bool cmd_schedule(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code;
    AUTO_SESSION s = {0};
    const char *format = in->values[OPTION_FORMAT];
    bool csv = format != NULL && strcmp(format, "csv") == 0;
    struct dealt_slot *slots;
    size_t n;
    char start[UTC_TEXT];
    if (format != NULL && !csv && strcmp(format, "text") != 0)
        return fault_set(f, FAULT_USAGE, "--format takes text or csv, not '%.40s'", format);
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_plan_slots(s.store, s.campaign.id, &s.arena, &slots, &n, f))
        return false;
    if (in->json) {
        schedule_json(&s, slots, n);
        return true;
    }
    if (csv)
        puts("hour,start,certificates,subscribers");
    else
        printf(n == 0 ? "nothing is planned; massrevoke plan\n"
                      : "hour  start                 certificates  subscribers\n");
    for (size_t i = 0; i < n; i++)
        printf(csv ? "%" PRId64 ",%s,%" PRId64 ",%" PRId64 "\n"
                   : "%4" PRId64 "  %s  %12" PRId64 "  %11" PRId64 "\n",
               hour_of(&s, &slots[i]), utc_format(slots[i].start, start), slots[i].certificates,
               slots[i].subscribers);
    return true;
}
