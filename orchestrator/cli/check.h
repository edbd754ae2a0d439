/* check.h - the rows of `check`: what was looked at, how it is, and what to do about it.
 *
 * I/O. Does not: change anything but by the tests of alerts. Called by: check.c and its parts. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "session.h"

enum check_state { CHECK_OK, CHECK_WARN, CHECK_FAIL };

/* One row. */
struct check_row {
    const char *area, *subject;
    enum check_state state;
    const char *seen, *remedy; /* remedy "" when nothing is to be done */
    enum fault_kind kind;      /* of a failure: CONFIG, UNAVAILABLE, or PARTLY for everything else */
};

struct check {
    struct session *session;
    bool campaign; /* one was found */
    struct engine_parts parts;
    bool doors; /* they are open */
    struct check_row *rows;
    size_t count, room;
};

/* Adds a row; texts are copied. */
void check_add(struct check *c, enum check_state state, enum fault_kind kind, const char *area,
               const char *subject, const char *seen, const char *remedy);

/* A fault as a row: CONFIG and UNAVAILABLE keep their kind. */
void check_fault(struct check *c, const char *area, const char *subject, const struct fault *f,
                 const char *remedy);

/* sprintf into the session's arena. */
#define SAY(c, ...) arena_format(&(c)->session->arena, __VA_ARGS__)

/* The house: database, disk, approvers, contacts, alerts. */
void check_database(struct check *c);
void check_disk(struct check *c);
void check_approvers(struct check *c);
void check_contacts(struct check *c);
void check_alerts(struct check *c);

/* The world: CAs with their clocks and reasons, CRLs and responders, what CCADB knows of them. */
void check_backends(struct check *c);
void check_reasons(struct check *c);
void check_published(struct check *c);
void check_disclosed(struct check *c);

#endif
