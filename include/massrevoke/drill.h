/* drill.h - a whole campaign under a simulated clock: the exercise that BR 5.7.1.2 asks for once a year.
 *
 * The calls are those of the command line, the engine, the store, the embedded CA and the log are the live
 * ones; made up are only the clock, the subscribers and the faults (design sentence 6). Its CA is made for
 * it, it accepts only issuers whose key it made, and it lives in a schema of its own in the private database,
 * never in a configured server; the schema is dropped at the end, when its evidence lies in the folder. Same
 * scenario and seed: the same numbers, times, names and order in every output. I/O below one folder, and on
 * standard error for progress. Does not: touch the configured CAs, relays or database. Called by: cli. */
#ifndef MASSREVOKE_DRILL_H
#define MASSREVOKE_DRILL_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/settings.h"

#include <signal.h>

/* What to run. */
struct drill_spec {
    const char *scenario;              /* file */
    const char *out;                   /* a new or empty folder */
    int64_t seed;                      /* -1: the scenario's */
    const char *bindir, *run_as;       /* of the private database, as in the settings; may be NULL */
    const volatile sig_atomic_t *stop; /* becomes true when the user interrupts; may be NULL */
};

/* What it came to. Texts in the caller's arena. */
struct drill_outcome {
    const char *out; /* absolute */
    size_t expectations, failed;
    const char **failures; /* one line each: id, text, expected, seen */
};

/* Runs it and writes the files of contract section 1 (`drill`). An expectation that is not met is an outcome,
 * not a fault. Faults: CONFIG (scenario), CONFLICT (the folder), REFUSED (a CA that is not the drill's,
 * counts that do not balance), UNAVAILABLE (database), INTERRUPTED. */
MUST_USE bool drill_run(const struct drill_spec *spec, struct arena *a, struct drill_outcome *out,
                        struct fault *f);

#endif
