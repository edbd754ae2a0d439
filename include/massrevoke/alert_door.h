/* alert_door.h - the ways out of the house for what needs a person now, besides mail: a command of the CA's
 * own choice, and a heartbeat whose absence another system notices.
 *
 * The command is one process an alert: no shell, the alert as JSON on its input, a few environment variables,
 * 30 seconds, then it and its children are ended. The heartbeat touches a file and fetches a URL; neither
 * waits. I/O. Does not: decide what is an alert, whom to call, or when (alerting.h); send mail (mail_door.h).
 * Called by: engine, cli. */
#ifndef MASSREVOKE_ALERT_DOOR_H
#define MASSREVOKE_ALERT_DOOR_H

#include "massrevoke/settings.h"
#include "massrevoke/text.h"

#include <stdint.h>

#define ALERT_AT_ONCE 4
#define ALERT_SECONDS 30
#define ALERT_LINE 200

struct alert_door;

/* What became of one command or heartbeat. Text is printable ASCII: the first line it printed, or why it
 * failed. */
struct alert_answer {
    int64_t id; /* the caller's; ALERT_BEAT for a heartbeat's URL */
    bool ok;
    char text[ALERT_LINE];
};
#define ALERT_BEAT INT64_C(-1)

/* Makes one; `s` must outlive it. CONFIG: the heartbeat's url_file cannot be read or others can read it. */
MUST_USE bool alert_open(const struct settings_alert *s, struct alert_door **out, struct fault *f);

/* Readable when alert_next may have something. */
int alert_fd(const struct alert_door *d);

/* How many commands can be started now; 0 without a command. */
size_t alert_room(const struct alert_door *d);

/* Starts the command with `json` on its input and `environment` ("NAME=value", ended by NULL) besides ours.
 * Faults: CONFIG when it cannot be run, CONFLICT when there is no room. */
MUST_USE bool alert_start(struct alert_door *d, int64_t id, struct str json, const char *const *environment,
                          struct fault *f);

/* One heartbeat: writes `text` into the file and begins to fetch the URL unless the last fetch still runs.
 * *open: its answer is owed. FAILED: the file cannot be written (the URL is fetched all the same). */
MUST_USE bool alert_beat(struct alert_door *d, const char *text, bool *open, struct fault *f);

/* An answer that is ready; never waits. *busy: more are owed. */
bool alert_next(struct alert_door *d, struct alert_answer *out, bool *busy);

/* Ends what runs; NULL is allowed. */
void alert_close(struct alert_door *d);

#endif
