/* command.h - what a command is to the command line: its row, its options, its arguments.
 * Does not: know what any command does. Called by: main.c and every file of cli/. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "massrevoke/fault.h"
#include "massrevoke/time.h"
#include <assert.h>
#include <stddef.h>

enum option {
#define OPTION(id, name, value, help) OPTION_##id,
#include "options.def"
#undef OPTION
    OPTION_COUNT
};

static_assert(OPTION_COUNT <= 64, "options are kept as bits of one word");

/* The bit of an option, for a command's list. */
#define TAKES(id) (UINT64_C(1) << OPTION_##id)

/* Options every command takes. */
#define TAKES_ALWAYS (TAKES(CAMPAIGN) | TAKES(CONFIG) | TAKES(HELP))

/* One row of options.def. */
struct option_row {
    const char *name, *value, *help;
};
extern const struct option_row option_rows[OPTION_COUNT];

struct invocation;

/* One row of the command table. `name` may be two words ("db start"). */
struct command {
    const char *name, *group; /* group: one of prepare act watch tell prove practise also */
    const char *usage;        /* what follows the name: "NAME --rule ITEM --received TIME" */
    const char *summary;      /* one line, lower case, no full stop */
    const char *text;         /* help: sentences and examples, each line ended; may be "" */
    uint64_t options;         /* TAKES(...) | ...; TAKES_ALWAYS is added */
    int min_args, max_args;   /* arguments behind the name; max -1: any number */
    /* Does it. True: done, *exit_code (0 before) is the program's. False: *f is printed, its kind decides. */
    bool (*run)(struct invocation *in, int *exit_code, struct fault *f);
};

/* The table, ended by a row without name; the order is that of `help`. */
extern const struct command commands[];

/* One command line, understood. Everything points into argv or static storage. */
struct invocation {
    const struct command *command;
    const char *values[OPTION_COUNT]; /* NULL: not given; a switch: "" */
    char *const *args;
    int arg_count;
    bool json;
};

/* Understands argv by a command table; moves the arguments to the front of argv. USAGE with a hint on
 * anything that is not exact: an unknown or abbreviated option, one given twice or with a value that begins
 * with "--", an unknown command, an option the command does not take, too few or too many arguments. With
 * --help the counts do not matter. With a command line that names no command, in->command is NULL only when
 * --help was given. */
MUST_USE bool command_parse(const struct command *table, int argc, char **argv, struct invocation *in,
                            struct fault *f);

/* Was it given? */
bool option_given(const struct invocation *in, enum option o);

/* Values of options; when not given *out stays as it is. USAGE names the option. */
MUST_USE bool option_int(const struct invocation *in, enum option o, int64_t min, int64_t max, int64_t *out,
                         struct fault *f);
MUST_USE bool option_time(const struct invocation *in, enum option o, struct utc *out, struct fault *f);
MUST_USE bool option_span(const struct invocation *in, enum option o, struct span *out, struct fault *f);

/* USAGE when an option the command cannot do without is missing. */
MUST_USE bool option_required(const struct invocation *in, enum option o, struct fault *f);

/* Prints the help of one command on standard output. */
void help_command(const struct command *c);

/* Prints the tree of commands on standard output. */
void help_tree(void);

/* The commands of this file's neighbours. */
bool cmd_open(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_import(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_reconcile(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_find(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_export(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_inventory(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_contacts(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_replacements(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_drop(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_anchor(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_rule(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_plan(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_check(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_request_list(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_request_show(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_approve(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_ack(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_notify(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_start(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_pause(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_resume(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_reason(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_reason_list(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_reason_export(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_retry(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_hold(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_release(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_run(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_status(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_schedule(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_task_list(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_task_assign(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_task_done(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_show(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_verify(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_report(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_alert_list(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_alert_ack(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_alert_test(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_evidence_verify(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_evidence_checkpoint(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_evidence_export(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_drill(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_db_start(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_db_stop(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_db_migrate(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_db_confirm(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_db_status(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_ca_new(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_config_check(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_help(struct invocation *in, int *exit_code, struct fault *f);
bool cmd_version(struct invocation *in, int *exit_code, struct fault *f);

#endif
