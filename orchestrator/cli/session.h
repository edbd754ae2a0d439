/* session.h - what a command works with: settings, store, campaign, clock, doors; opened from the command
 * line.
 *
 * The only place where live and drill are told apart: the drill makes a session of its own. I/O. Does not:
 * any act. Called by: every command that needs the store. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "command.h"
#include "massrevoke/conduct.h"
#include "massrevoke/engine.h"

#define SESSION_SCHEMA "massrevoke"

#define SESSION_STORE 1u    /* connect and migrate */
#define SESSION_CAMPAIGN 3u /* and find the campaign */

struct session {
    struct arena arena;
    struct settings settings;
    struct store *store;
    const char *conninfo, *schema;
    const char *who; /* the person at the keyboard */
    struct campaign campaign;
    struct profile profile;
    struct clock clock;
    int *issuers; /* the store's number per issuer of settings */
    size_t issuer_count;
    struct engine_ca *cas;
    size_t ca_count; /* open doors */
    struct fetch_door *fetch;
    struct mail_door *mail;
    struct lint_door *lint;
    bool acts; /* on its campaign, by session_conduct */
    struct alert_door *alert;
    struct mail_door *alert_mail;
};

/* Opens what `needs` asks for. Faults: CONFIG, UNAVAILABLE, CONFLICT, FAILED (no such campaign). */
MUST_USE bool session_open(const struct invocation *in, unsigned needs, struct session *out, struct fault *f);

/* Ends everything; a zeroed session is allowed. */
void session_close(struct session *s);
#define AUTO_SESSION __attribute__((cleanup(session_close))) struct session

/* The store's connection alone (settings must be read): private cluster or db.conninfo. */
MUST_USE bool session_conninfo(struct session *s, struct fault *f);

/* Who acts and on what, at the clock's now. */
struct conduct session_conduct(struct session *s);

/* Opens every door and fills what an engine needs; the session owns the doors. */
MUST_USE bool session_engine(struct session *s, struct engine_parts *parts, struct fault *f);

/* Serials of the command line (hex; "ISSUER:SERIAL" never: identity is issuer + serial, the issuer is
 * --issuer, or the only one whose affected certificate has that serial), each once: what is repeated goes
 * from the arguments too. CONFLICT names siblings. */
MUST_USE bool session_serials(struct session *s, struct invocation *in, struct listed **out, struct fault *f);

/* Index in settings of the issuer whose certificate file is --issuer; the only configured one without it; -1
 * with several. USAGE when the file is not a configured issuer. */
MUST_USE bool session_issuer(struct session *s, const struct invocation *in, int *index, struct fault *f);

/* Asks for the exact campaign name unless --confirm gives it: USAGE without terminal, REFUSED when it
 * differs. */
MUST_USE bool session_confirm(const struct session *s, const struct invocation *in, const char *question,
                              struct fault *f);

/* For a change of scope: asks as session_confirm once a cohort has started. */
MUST_USE bool session_confirm_scope(const struct session *s, const struct invocation *in,
                                    const char *question, struct fault *f);

/* Prints a JSON object and drops it. */
void session_print(json_t *object);

#endif
