#include "command.h"

/* One row a command. A command that is not finished has no row. */
const struct command commands[] = {
    {
        .name = "config check",
        .group = "also",
        .usage = "",
        .summary = "check configuration, rules, profiles and approvers",
        .text = "Prints every problem with file and line, all at once, and changes nothing.\n"
                "Ends 3 when there is any. Also checked: that the files it names exist, that\n"
                "secrets are not readable by others, and that approvers' keys can sign.\n"
                "\n"
                "  massrevoke config check\n"
                "  massrevoke --config demo/massrevoke.cfg config check --json\n",
        .options = TAKES(JSON),
        .run = cmd_config_check,
    },
    {
        .name = "help",
        .group = "also",
        .usage = "[COMMAND|TOPIC]",
        .summary = "help on a command, or on exit-codes, states, environment",
        .text = "  massrevoke help\n"
                "  massrevoke help config check\n"
                "  massrevoke help exit-codes\n",
        .max_args = 2,
        .run = cmd_help,
    },
    {
        .name = "version",
        .group = "also",
        .usage = "",
        .summary = "the versions of the program and of OpenSSL",
        .text = "",
        .options = TAKES(JSON),
        .run = cmd_version,
    },
    {0},
};
