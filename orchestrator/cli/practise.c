/* drill: a whole campaign under a simulated clock, scored. */
#include "massrevoke/drill.h"
#include "massrevoke/log.h"
#include "session.h"

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void tell(const struct drill_outcome *o)
{
    printf("Drill finished: %zu of %zu expectations met.\n", o->expectations - o->failed, o->expectations);
    for (size_t i = 0; i < o->failed; i++)
        log_line("NOT MET  %s", o->failures[i]);
    printf("Read %s/after-action.md first; progress.md and full.md are what Bugzilla would get.\n", o->out);
}

bool cmd_drill(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct settings settings;
    struct drill_spec spec = {
        .scenario = in->args[0], .out = in->values[OPTION_OUT], .seed = -1, .stop = &interrupted};
    struct drill_outcome outcome;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    if (!option_required(in, OPTION_OUT, f) || !option_int(in, OPTION_SEED, 0, INT64_MAX, &spec.seed, f) ||
        !settings_read(in->values[OPTION_CONFIG], &a, &settings, f))
        return false;
    spec.bindir = settings.db_bindir;
    spec.run_as = settings.db_run_as;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!drill_run(&spec, &a, &outcome, f))
        return false;
    tell(&outcome);
    *exit_code = outcome.failed > 0 ? fault_exit_code(FAULT_PARTLY) : 0;
    return true;
}
