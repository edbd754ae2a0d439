/* Is a command line understood exactly or not at all? */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool never(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)in, (void)exit_code, (void)f;
    abort();
}

static const struct command table[] = {
    {.name = "start", .usage = "", .options = TAKES(CONFIRM) | TAKES(COHORT), .run = never},
    {.name = "import",
     .usage = "FILE",
     .options = TAKES(JSON) | TAKES(AT) | TAKES(OUTAGE),
     .min_args = 1,
     .max_args = 1,
     .run = never},
    {.name = "db start", .usage = "", .run = never},
    {.name = "db stop", .usage = "", .run = never},
    {.name = "show", .usage = "SERIAL...", .min_args = 1, .max_args = -1, .run = never},
    {0},
};

/* Splits at blanks ("''" is an empty word) and parses; the words live in `line`. */
static bool parse(char *line, struct invocation *in, struct fault *f)
{
    static char *argv[20];
    static char program[] = "massrevoke";
    int argc = 0;
    argv[argc++] = program;
    for (char *p = line; *p != '\0' && argc < 20;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p == ' ')
            *p++ = '\0';
    }
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "''") == 0)
            argv[i] += 2;
    return command_parse(table, argc, argv, in, f);
}

/* A line, and the start of the fault's text. */
static const char *const refused[][2] = {
    {"", "no command"},
    {"start --con NAME", "unknown option '--con'"},
    {"start --confir NAME", "unknown option '--confir'"},
    {"start --Confirm NAME", "unknown option '--Confirm'"},
    {"start --confirm --cohort", "option --confirm needs a value, but '--cohort' follows"},
    {"start --confirm --x", "option --confirm needs a value, but '--x' follows"},
    {"start --confirm=--x", "option --confirm needs a value, but '--x' follows"},
    {"start --confirm", "option --confirm needs a value"},
    {"start --confirm ''", "the value of option --confirm is empty"},
    {"start --confirm=", "the value of option --confirm is empty"},
    {"start --confirm a --confirm a", "option --confirm is given twice"},
    {"-c a start --campaign b", "option --campaign is given twice"},
    {"import x --json=yes", "option --json takes no value"},
    {"import x --json --json", "option --json is given twice"},
    {"start --json", "'start' does not take option --json"},
    {"start --once", "unknown option '--once'"},
    {"start -x", "unknown option '-x'"},
    {"start -cNAME", "unknown option '-cNAME'"},
    {"start now", "'start' does not take 'now'"},
    {"import", "'import' needs 1 argument, 0 given"},
    {"import a b", "'import' does not take 'b'"},
    {"sta", "unknown command 'sta'"},
    {"strat", "unknown command 'strat'"},
    {"db", "unknown command 'db'"},
    {"db strat", "unknown command 'db strat'"},
    {"start start", "'start' does not take 'start'"},
    {"-- --help", "unknown command '--help'"},
};

static void what_is_not_exact_is_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct invocation in;
        struct fault f = {0};
        char *line = strdup(refused[i][0]);
        if (parse(line, &in, &f) || f.kind != FAULT_USAGE ||
            strncmp(f.text, refused[i][1], strlen(refused[i][1])) != 0)
            fail_msg("%s: '%s', expected '%s'", refused[i][0], f.text, refused[i][1]);
        free(line);
    }
}

static void the_guess_is_told(void **unused)
{
    (void)unused;
    static const char *const guesses[][2] = {
        {"start --con NAME", "--config"},       {"start --cofnirm NAME", "--confirm"},
        {"strat", "'massrevoke start'"},        {"db strat", "'massrevoke db start'"},
        {"db", "there are: db start, db stop"},
    };
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        struct invocation in;
        struct fault f = {0};
        char *line = strdup(guesses[i][0]);
        assert_false(parse(line, &in, &f));
        if (strstr(f.hint, guesses[i][1]) == NULL)
            fail_msg("%s: hint '%s'", guesses[i][0], f.hint);
        free(line);
    }
}

static void options_stand_before_or_after(void **unused)
{
    (void)unused;
    static const char *const lines[] = {
        "-c one --json --at 2026-11-22T14:41Z import list.csv",
        "import list.csv --at=2026-11-22T14:41Z -c one --json",
        "--json import -c one --at 2026-11-22T14:41Z -- list.csv",
        "import --campaign=one list.csv --json --at 2026-11-22T15:41+01:00",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct invocation in;
        struct fault f = {0};
        struct utc at = UTC_NONE;
        char *line = strdup(lines[i]);
        if (!parse(line, &in, &f))
            fail_msg("%s: %s", lines[i], f.text);
        assert_string_equal(in.command->name, "import");
        assert_string_equal(in.values[OPTION_CAMPAIGN], "one");
        assert_true(in.json);
        assert_int_equal(in.arg_count, 1);
        assert_string_equal(in.args[0], "list.csv");
        assert_true(option_time(&in, OPTION_AT, &at, &f));
        assert_true(at.s == utc_from_civil(2026, 11, 22, 14, 41, 0).s);
        free(line);
    }
}

static void arguments_may_look_like_anything_behind_the_dashes(void **unused)
{
    (void)unused;
    struct invocation in;
    struct fault f = {0};
    char line[] = "show 0A - -- --json -1";
    assert_true(parse(line, &in, &f));
    assert_int_equal(in.arg_count, 4);
    assert_string_equal(in.args[1], "-");
    assert_string_equal(in.args[2], "--json");
    assert_string_equal(in.args[3], "-1");
    assert_false(in.json);
    char two[] = "db stop";
    assert_true(parse(two, &in, &f));
    assert_string_equal(in.command->name, "db stop");
    assert_int_equal(in.arg_count, 0);
}

static void help_needs_no_arguments(void **unused)
{
    (void)unused;
    struct invocation in;
    struct fault f = {0};
    char line[] = "import --help", alone[] = "-h";
    assert_true(parse(line, &in, &f));
    assert_string_equal(in.command->name, "import");
    assert_true(parse(alone, &in, &f));
    assert_null(in.command);
}

static void values_are_judged_by_their_getters(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t value; /* 0: refused */
    } numbers[] = {
        {"1", 1},  {"7", 7},  {"8", 0},   {"0", 0}, {"-1", 0},  {"", 0},    {"1x", 0},
        {" 1", 0}, {"+1", 0}, {"0x1", 0}, {"x", 0}, {"1.5", 0}, {"1e0", 0}, {"99999999999999999999", 0}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct invocation in = {.values[OPTION_COHORT] = numbers[i].text};
        struct fault f = {0};
        int64_t value = 0;
        bool ok = option_int(&in, OPTION_COHORT, 1, 7, &value, &f);
        assert_int_equal(ok, numbers[i].value != 0);
        assert_int_equal(value, numbers[i].value);
        assert_true(ok || (f.kind == FAULT_USAGE && strncmp(f.text, "--cohort: ", 10) == 0));
    }
    struct invocation in = {.values[OPTION_AT] = "2026-11-22T14:41", .values[OPTION_OUTAGE] = "6"};
    struct fault f = {0};
    struct utc at = UTC_NONE;
    struct span outage = {0};
    assert_false(option_time(&in, OPTION_AT, &at, &f));
    assert_string_equal(f.text, "--at: time '2026-11-22T14:41' has no zone");
    assert_false(option_span(&in, OPTION_OUTAGE, &outage, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
    in.command = &table[0];
    assert_false(option_required(&in, OPTION_COHORT, &f));
    assert_string_equal(f.text, "'start' needs --cohort N");
    assert_true(option_required(&in, OPTION_AT, &f));
}

static void the_real_table_is_in_order(void **unused)
{
    (void)unused;
    for (const struct command *c = commands; c->name != NULL; c++) {
        assert_non_null(c->run);
        assert_true(c->usage != NULL && c->text != NULL);
        assert_true(c->max_args < 0 || c->min_args <= c->max_args);
        assert_true(strlen(c->name) <= 19 && strlen(c->summary) <= 60);
        for (const struct command *d = commands; d != c; d++)
            assert_string_not_equal(c->name, d->name);
    }
    for (int o = 0; o < OPTION_COUNT; o++)
        for (int p = 0; p < o; p++)
            assert_string_not_equal(option_rows[o].name, option_rows[p].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_exact_is_refused),
        cmocka_unit_test(the_guess_is_told),
        cmocka_unit_test(options_stand_before_or_after),
        cmocka_unit_test(arguments_may_look_like_anything_behind_the_dashes),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(values_are_judged_by_their_getters),
        cmocka_unit_test(the_real_table_is_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
