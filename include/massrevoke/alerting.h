/* alerting.h - what is an alert now, which of them are new or over, whom to call, and the words.
 *
 * Pure: facts in, values out, `now` is an argument. Does not: look anything up, keep, send, or mend. Sources:
 * BR 4.9.5 and 4.9.1.1 (the clocks), CCADB Incident Reporting Guidelines. Called by: engine, cli, tests. */
#ifndef MASSREVOKE_ALERTING_H
#define MASSREVOKE_ALERTING_H

#include "massrevoke/alert.h"
#include "massrevoke/json.h"
#include "massrevoke/milestone.h"
#include "massrevoke/settings.h"
#include "massrevoke/snapshot.h"

#define ALERTING_CLOCK_BEFORE 14400 /* seconds: a document's clock is called out so long before it is due */

/* A CA that does not take requests. */
struct alerting_backend {
    const char *ca, *why;
    struct utc since;
};

/* Everything that causes follow from. */
struct alerting_facts {
    struct utc now;
    const struct snapshot *snapshot; /* counts, cohorts, what waits; its lists may be empty */
    struct span floor;               /* the profile's floor of outage tolerance */
    const struct alert_engine *silent;
    size_t silent_count;
    const struct alerting_backend *away;
    size_t away_count;
    const struct alert_finding *findings;
    size_t finding_count;
    const struct alert_event *events;
    size_t event_count;
    const struct task *tasks;
    size_t task_count;
};

/* All causes that hold, each with its own subject, in the order of alert.def. */
void alerting_causes(const struct alerting_facts *facts, struct arena *a, struct alert_cause **out,
                     size_t *n);

/* What has to be written down: indices into causes of new alerts, and into `known` (alerts not cleared) of
 * those whose cause is gone. A cause that another living engine alone can see is not ended here. */
struct alerting_changes {
    size_t *raise, raise_count;
    size_t *clear, clear_count;
};
void alerting_compare(const struct alert_cause *causes, size_t n, const struct alert *known,
                      size_t known_count, struct utc now, struct arena *a, struct alerting_changes *out);

/* One thing to send. */
struct alerting_due {
    int step;
    enum alert_path path;
    size_t oncall; /* index of the list's name; meaningless when the list is empty */
};

/* Whom to tell of this alert now; at most 2, in `out`. *wake: when to ask again, UTC_NONE: when something
 * changes.
 *
 * Raised: the command and the first name at once. Then, as long as nobody acknowledges it, each `after` the
 * next name, round and round, and the command again with it; at once when a name's address is refused. A try
 * without a proof that it arrived is made again after a minute, at most three times. Acknowledged: nobody.
 * Cleared: the command once more, if it was told before, so that a pager can close what it opened. */
size_t alerting_due(const struct alert *alert, const struct settings_alert *s, struct utc now,
                    struct alerting_due out[static 2], struct utc *wake);

/* What the words are made from. */
struct alerting_words {
    const char *campaign, *mode;
    const struct alert *alert;
    int step;
    const struct settings_oncall *to; /* NULL: nobody by name */
};

/* The alert as one JSON object, for the command and for lists; without step and name when `step` is not
 * wanted. */
json_t *alerting_json(const struct alerting_words *w, bool with_step);

/* Environment of the command: "MASSREVOKE_ALERT=3" and the like, ended by NULL. */
const char *const *alerting_environment(const struct alerting_words *w, struct arena *a);

/* The alert for people: what, since when, what it costs, which command to type; each on a line. */
void alerting_text(const struct alerting_words *w, struct buf *out);

/* The complete message in CRLF form, byte for byte the same for the same input; its Message-ID names
 * campaign, alert and step, so that sending it twice is one message. CONFIG: from, reply_to; REFUSED: the
 * name's address. */
MUST_USE bool alerting_mail(const struct alerting_words *w, const struct settings *s, struct utc date,
                            struct arena *a, struct str *eml, struct fault *f);

#endif
