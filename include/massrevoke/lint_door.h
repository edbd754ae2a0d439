/* lint_door.h - a command of the CA's own choice that looks at one certificate file: a linter.
 *
 * Each file is one process: no shell, the file is the last argument, nothing on its input; it has 30 seconds,
 * then it and its children are ended. Of what it prints the first line is kept. Exit code 0 means that
 * nothing was found. I/O. Does not: wait for a process, judge what was found, or know campaigns. Called by:
 * engine, cli, tests. */
#ifndef MASSREVOKE_LINT_DOOR_H
#define MASSREVOKE_LINT_DOOR_H

#include "massrevoke/fault.h"

#include <stddef.h>
#include <stdint.h>

#define LINT_AT_ONCE 4
#define LINT_SECONDS 30
#define LINT_LINE 200

/* What came of one file; found "": nothing. Printable ASCII. */
struct lint_answer {
    int64_t id; /* the caller's */
    char found[LINT_LINE];
};

struct lint_door;

/* Makes one; *out is NULL when count is 0. `command` (program and its first arguments) must outlive it. */
MUST_USE bool lint_open(const char *const *command, size_t count, struct lint_door **out, struct fault *f);

/* How many files can be started now; 0 for NULL. */
size_t lint_room(const struct lint_door *d);

/* Starts the command on a file. CONFIG when the command cannot be run, CONFLICT when there is no room. */
MUST_USE bool lint_start(struct lint_door *d, int64_t id, const char *file, struct fault *f);

/* An answer that is ready; never waits. *busy: some files are still being looked at. */
bool lint_next(struct lint_door *d, struct lint_answer *out, bool *busy);

/* Ends what runs; NULL is allowed. */
void lint_close(struct lint_door *d);

#endif
