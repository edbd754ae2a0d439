/* process.h - another program as a process in a group of its own, without a shell.
 *
 * I/O. Does not: wait, limit time, or read its output. Called by: ca_exec, lint_exec, job.c. */
#ifndef DOOR_PROCESS_H
#define DOOR_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* Starts argv (ended by NULL; looked up in PATH) with these descriptors as 0, 1 and 2; input -1: /dev/null.
 * `environment`: "NAME=value" that count before ours, ended by NULL; NULL: none. 0 or an errno; then nothing
 * was started. */
int process_start(const char *const *argv, const char *const *environment, int input, int output, int errors,
                  pid_t *pid);

/* Ends the whole group at once and takes its leader's exit status (as of waitpid). */
int process_kill(pid_t pid);

#endif
