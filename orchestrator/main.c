/* The program: understand the command line, run one command, print a fault once, give the exit code. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int print_fault(const struct fault *f)
{
    fprintf(stderr, "massrevoke: %s\n", f->text);
    if (f->hint[0] != '\0')
        fprintf(stderr, "hint: %s\n", f->hint);
    return fault_exit_code(f->kind);
}

int main(int argc, char **argv)
{
    struct fault f = {0};
    struct invocation in;
    int exit_code = 0;
    bool ok = command_parse(commands, argc, argv, &in, &f);
    if (ok && in.command == NULL)
        help_tree();
    else if (ok && option_given(&in, OPTION_HELP))
        help_command(in.command);
    else if (ok)
        ok = in.command->run(&in, &exit_code, &f);
    /* what a command said it printed must have arrived: a full disk or a closed pipe is not success */
    if ((fflush(stdout) != 0 || ferror(stdout)) && ok && exit_code == 0)
        ok = fault_set(&f, FAULT_FAILED, "standard output: %s", strerror(errno));
    return ok ? exit_code : print_fault(&f);
}
