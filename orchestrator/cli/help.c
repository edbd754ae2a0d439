/* Help from the tables: options.def, command.c, fault.def, certificate.def. */
#include "command.h"
#include "massrevoke/certificate.h"
#include "massrevoke/nearest.h"
#include "massrevoke/text.h"

#include <stdio.h>
#include <string.h>

/* What the commander is doing, in the order of the contract. */
static const struct {
    const char *name, *meaning;
} groups[] = {
    {"prepare", "open a campaign and plan it"},
    {"act", "approve, start, stop, revoke"},
    {"watch", "see where it stands"},
    {"tell", "write what goes outside"},
    {"prove", "show that the record is whole"},
    {"practise", "the same as a drill"},
    {"also", "set up and look up"},
};
#define GROUPS (sizeof groups / sizeof *groups)

static void print_group(size_t g)
{
    bool any = false;
    for (const struct command *c = commands; c->name != NULL; c++) {
        if (strcmp(c->group, groups[g].name) != 0)
            continue;
        if (!any)
            printf("\n%s: %s\n", groups[g].name, groups[g].meaning);
        printf("  %-19s %s\n", c->name, c->summary);
        any = true;
    }
}

static void print_option(enum option o)
{
    const struct option_row *row = &option_rows[o];
    char left[64];
    snprintf(left, sizeof left, "%s--%s%s%s",
             o == OPTION_CAMPAIGN ? "-c, "
             : o == OPTION_HELP   ? "-h, "
                                  : "    ",
             row->name, row->value == NULL ? "" : " ", row->value == NULL ? "" : row->value);
    if (strlen(left) > 26)
        printf("  %s\n  %26s", left, "");
    else
        printf("  %-26s", left);
    printf(" %s\n", row->help);
}

void help_tree(void)
{
    puts("massrevoke: plan, approve, run and prove a mass revocation of certificates");
    puts("\nusage: massrevoke [-c CAMPAIGN] [--config FILE] [--json] COMMAND ...");
    for (size_t g = 0; g < GROUPS; g++)
        print_group(g);
    puts("\nmassrevoke COMMAND --help tells more; topics: massrevoke help exit-codes,");
    puts("states, environment. Options may stand before or after the command and are");
    puts("never abbreviated. Times need Z or an offset and are printed in UTC.");
}

#define COLUMNS 80

/* "usage: massrevoke NAME ..." in lines of at most 79 columns, broken before an option or an alternative. */
static void print_usage(const struct command *c)
{
    int column = printf("usage: massrevoke %s", c->name);
    const int indent = column < 30 ? column : 24;
    for (struct str rest = str_of(c->usage); rest.p != NULL && c->usage[0] != '\0';) {
        struct str word = str_cut(&rest, ' ');
        /* an option and its value stay on one line */
        if (word.n > 0 && (word.p[0] == '-' || word.p[0] == '[') && rest.p != NULL && rest.p[0] != '-' &&
            rest.p[0] != '[' && memchr(word.p, ']', word.n) == NULL)
            word.n += 1 + str_cut(&rest, ' ').n;
        if (column + 1 + (int)word.n >= COLUMNS)
            column = printf("\n%*s", indent, "") - 1;
        column += printf(" %.*s", (int)word.n, word.p);
    }
    printf("\n\n%s\n", c->summary);
}

void help_command(const struct command *c)
{
    print_usage(c);
    if (c->text[0] != '\0')
        printf("\n%s", c->text);
    puts("\noptions:");
    for (int o = 0; o < OPTION_COUNT; o++)
        if (((c->options | TAKES_ALWAYS) >> o & 1) != 0)
            print_option((enum option)o);
}

static void help_exit_codes(void)
{
    puts("exit codes:\n");
    for (int kind = 0; kind < FAULT_INTERRUPTED; kind++)
        printf("  %3d  %s\n", fault_exit_code((enum fault_kind)kind), fault_meaning((enum fault_kind)kind));
    puts("   20  at risk or behind (only status --exit-code)");
    puts("   21  deadline missed (only status --exit-code)");
    printf("  %3d  %s\n", fault_exit_code(FAULT_INTERRUPTED), fault_meaning(FAULT_INTERRUPTED));
}

static void print_states(enum bucket bucket)
{
    printf("\ncounts as %s:\n", bucket_name(bucket));
    for (int s = CERTIFICATE_NONE + 1; s < CERTIFICATE_STATE_COUNT; s++)
        if (certificate_bucket((enum certificate_state)s) == bucket)
            printf("  %-13s %s\n", certificate_state_name((enum certificate_state)s),
                   certificate_state_meaning((enum certificate_state)s));
}

static void help_states(void)
{
    puts("states of a certificate in a campaign:");
    for (int bucket = 0; bucket < BUCKET_COUNT; bucket++)
        print_states((enum bucket)bucket);
    puts("\nrevoked means published: seen by us in what its pointers name. Publicly not yet");
    puts("revoked is pending_publication + not_revoked + held + unknown.");
}

static void help_environment(void)
{
    static const char *const names[][2] = {
        {"MASSREVOKE_CONFIG", "the configuration file when --config is not given"},
        {"MASSREVOKE_CAMPAIGN", "the campaign when -c is not given"},
        {"MASSREVOKE_STATE", "folder of the private database and of locks"},
        {"XDG_STATE_HOME", "else (not as root) its massrevoke/, or ~/.local/state"},
        {"SUDO_USER", "who acts, when run through sudo; else the login name"},
        {"CREDENTIALS_DIRECTORY", "systemd's, for ${CREDENTIALS_DIRECTORY}/ in *_file keys"},
    };
    puts("environment:\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("  %-22s %s\n", names[i][0], names[i][1]);
    puts("\nNo variable holds a secret.");
}

static const struct {
    const char *name;
    void (*print)(void);
} topics[] = {
    {"exit-codes", help_exit_codes},
    {"states", help_states},
    {"environment", help_environment},
};

/* "db": every command that begins with it. */
static bool print_family(const char *word)
{
    size_t n = strlen(word);
    bool any = false;
    for (const struct command *c = commands; c->name != NULL; c++) {
        if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
            continue;
        printf("%s  %-19s %s\n", any ? "" : "massrevoke help COMMAND tells more:\n\n", c->name, c->summary);
        any = true;
    }
    return any;
}

bool cmd_help(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code;
    char words[128];
    if (in->arg_count == 0) {
        help_tree();
        return true;
    }
    snprintf(words, sizeof words, "%.60s%s%.60s", in->args[0], in->arg_count > 1 ? " " : "",
             in->arg_count > 1 ? in->args[1] : "");
    struct nearest near = {.wanted = words};
    for (size_t t = 0; t < sizeof topics / sizeof *topics; t++) {
        nearest_offer(&near, topics[t].name);
        if (strcmp(topics[t].name, words) == 0) {
            topics[t].print();
            return true;
        }
    }
    for (const struct command *c = commands; c->name != NULL; c++) {
        nearest_offer(&near, c->name);
        if (strcmp(c->name, words) == 0) {
            help_command(c);
            return true;
        }
    }
    if (in->arg_count == 1 && print_family(words))
        return true;
    fault_set(f, FAULT_USAGE, "no help on '%s'", words);
    return near.word == NULL ? fault_hint(f, "massrevoke help")
                             : fault_hint(f, "did you mean '%s'?", near.word);
}
