/* job.h - one program run for us: no shell, a process group of its own, a time limit, the first line it
 * prints.
 *
 * Its input is a text of ours or nothing; what it prints beyond the first line is read and dropped, so that
 * it can go on. When it ends, or its time is over, whatever it left running ends with it. I/O. Does not:
 * wait, or judge an exit code. Called by: alert_exec.c. */
#ifndef DOOR_JOB_H
#define DOOR_JOB_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"

#include <sys/types.h>

#define JOB_LINE 200

/* One that runs, or (pid 0) a free place. */
struct job {
    pid_t pid;
    int out, timer;      /* what it prints, -1 when it prints no more; readable when its time is over */
    int ended;           /* readable when it has ended */
    char line[JOB_LINE]; /* first line that is not empty, printable ASCII */
    size_t filled;
    bool line_ended;
};

/* What to run. */
struct job_order {
    const char *const *command; /* program and first arguments */
    size_t count;
    const char *const *environment; /* "NAME=value" besides ours, ended by NULL; NULL: none */
    struct str input;               /* on its standard input */
    int seconds;                    /* so long, then it is ended */
};

/* How it ended. */
struct job_end {
    bool in_time;
    int status; /* of waitpid; meaningless when it was not in time */
};

/* Starts it. Faults: CONFIG when it cannot be run, FAILED when the system has no room; both name the program.
 */
MUST_USE bool job_start(struct job *p, const struct job_order *order, struct fault *f);

/* Has it ended? Then *end tells how, and the place is free but for the line. Never waits. */
bool job_ended(struct job *p, struct job_end *end);

/* Ends it, if it runs. */
void job_stop(struct job *p);

#endif
