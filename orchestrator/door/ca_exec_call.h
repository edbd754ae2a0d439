/* ca_exec_call.h - one process of a CA's command line: started, heard line by line, ended.
 *
 * I/O; never waits. Does not: judge a line. Called by: ca_exec.c. */
#ifndef DOOR_CA_EXEC_CALL_H
#define DOOR_CA_EXEC_CALL_H

#include "massrevoke/ca_exec.h"
#include "massrevoke/text.h"

#include <sys/types.h>

/* Gets each line without its newline, cut off at EXEC_LINE bytes; `error`: of standard error. */
typedef void exec_line_fn(void *context, struct str line, bool error);

/* One of its two outputs. */
struct exec_stream {
    int fd; /* -1: closed */
    char line[EXEC_LINE];
    size_t filled;
};

struct exec_call {
    int epoll;        /* readable when exec_call_step has something to do */
    pid_t pid;        /* 0: none runs */
    int ended, timer; /* pidfd; the timer is also how the door wakes itself */
    struct exec_stream streams[2];
};

/* Makes the descriptors; *c must not move afterwards. FAILED: the system has none left. */
MUST_USE bool exec_call_open(struct exec_call *c, struct fault *f);

/* Starts argv with `input` (may be empty) on its standard input, for at most `seconds`. CONFIG: it can't be
 * started; UNAVAILABLE: no process or descriptor is left. */
MUST_USE bool exec_call_start(struct exec_call *c, const char *const *argv, struct str input, int seconds,
                              struct fault *f);

/* Hears what there is. True when the process is over: *code is its exit code, -1 when a signal or its time
 * ended it. */
bool exec_call_step(struct exec_call *c, exec_line_fn *heard, void *context, int *code);

/* Makes the descriptor readable at once; only while no process runs. */
void exec_call_wake(struct exec_call *c);

/* Ends a process that runs, and everything. */
void exec_call_close(struct exec_call *c);

#endif
