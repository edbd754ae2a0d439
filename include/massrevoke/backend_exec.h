/* backend_exec.h - a CA's command line as data: arguments, how serials go in, what each line of output and
 * each exit code means.
 *
 * One file of plans/backends with `interface = "exec"`, read through the guard. A call takes many serials. A
 * line of output is judged by rows, the first that fits decides; what no line told falls to the exit code,
 * and what that leaves open is *ask*. Rows that could lie are refused when the file is read. Or the program
 * speaks our protocol (`tabs`): SERIAL<TAB>outcome[<TAB>date[<TAB>reason]], one line a serial. Pure but for
 * reading the file. Does not: run anything. Sources: facts of backends 1.7, 1.9, 3. Called by: door/ca_exec,
 * cli. */
#ifndef MASSREVOKE_BACKEND_EXEC_H
#define MASSREVOKE_BACKEND_EXEC_H

#include "massrevoke/backend.h"

/* One row about a line of output. */
struct backend_line {
    const char *before; /* the serial stands right behind this text; NULL: the line is about the whole call */
    const char *contains;
    enum backend_meaning meaning;
};

/* One row about an exit code, for serials that no line told. */
struct backend_exit {
    int from, to;
    enum backend_meaning meaning;
};

struct backend_call {
    bool given;
    const struct backend_template *arguments; /* behind the configured command */
    size_t argument_count;
    bool input;  /* serials on standard input, one a line */
    bool tabs;   /* our protocol on standard output */
    bool errors; /* standard error is judged, too */
    const struct backend_line *lines;
    size_t line_count;
    const struct backend_exit *exits;
    size_t exit_count;
};

struct backend_exec {
    const char *name;
    bool keeps_first_date;
    struct span quiet;
    int batch; /* serials in one call */
    struct backend_template serial;
    bool decimal; /* what stands behind `before` and in our protocol is decimal, not hex */
    const char *words[BACKEND_REASONS];
    bool uses_issuer_name;
    struct backend_call revoke, status;
};

/* A profile by shipped name or by path; everything lives in `a`. CONFIG lists every problem. */
MUST_USE bool backend_exec_read(const char *plans_dir, const char *name, struct arena *a,
                                struct backend_exec *out, struct fault *f);

/* What one line says. */
struct backend_said {
    bool whole;           /* about every serial that no line told */
    struct serial serial; /* else about this one */
    struct backend_verdict verdict;
};

/* Judges one line without its newline; false when it says nothing. Linear in line and rows. */
bool backend_exec_judge(const struct backend_exec *b, const struct backend_call *call, struct str line,
                        struct backend_said *out);

/* What the exit code means for a serial that no line told. */
enum backend_meaning backend_exec_exit(const struct backend_call *call, int code);

/* The call of a program that speaks our protocol, serials on its input, without arguments of ours. */
struct backend_call backend_exec_protocol(void);

#endif
