/* alert_probe.h - a test through every way that alerts go, and what became of it.
 *
 * I/O; waits for the answers, at most half a minute. Does not: need a store, or print. Called by: alert test,
 * check. */
#ifndef CLI_ALERT_PROBE_H
#define CLI_ALERT_PROBE_H

#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

/* One way. */
struct alert_probe {
    const char *path, *to; /* "command", "mail", "heartbeat"; program, name or address */
    bool ok;
    char text[200]; /* what came back */
};

/* Tries all that are configured; *n 0: none. CONFIG: a way that cannot even be opened. */
MUST_USE bool alert_probe(const struct settings *s, struct clock clock, const char *who, struct arena *a,
                          struct alert_probe **out, size_t *n, struct fault *f);

#endif
