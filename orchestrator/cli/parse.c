/* Why not getopt_long: it takes --con for --confirm, and lets a value swallow the next option. */
#include "command.h"
#include "massrevoke/nearest.h"
#include "massrevoke/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, name, value, help) [OPTION_##id] = {name, value, help},
#include "options.def"
#undef OPTION
};

/* Options that some command takes; the others do not exist yet. */
static uint64_t known_options(const struct command *table)
{
    uint64_t known = TAKES_ALWAYS;
    for (const struct command *c = table; c->name != NULL; c++)
        known |= c->options;
    return known;
}

static void unknown_option(uint64_t known, struct str name, struct fault *f)
{
    char wanted[64] = "";
    memcpy(wanted, name.p, name.n < sizeof wanted ? name.n : sizeof wanted - 1);
    struct nearest near = {.wanted = wanted};
    for (int o = 0; o < OPTION_COUNT; o++) {
        if ((known >> o & 1) == 0)
            continue;
        if (near.word == NULL && name.n > 1 && strncmp(option_rows[o].name, wanted, strlen(wanted)) == 0)
            near = (struct nearest){.wanted = wanted, .word = option_rows[o].name, .distance = 0};
        nearest_offer(&near, option_rows[o].name);
    }
    fault_set(f, FAULT_USAGE, "unknown option '--%s'", wanted);
    if (near.word == NULL)
        fault_hint(f, "massrevoke help lists commands, COMMAND --help its options");
    else
        fault_hint(f, "did you mean --%s? options are never abbreviated", near.word);
}

/* The option a word stands for, OPTION_COUNT with the fault set when there is none; *value is what follows
 * '=' in the word, NULL when nothing does. */
static enum option read_option(uint64_t known, const char *word, const char **value, struct fault *f)
{
    *value = NULL;
    if (word[1] != '-') {
        if ((word[1] == 'c' || word[1] == 'h') && word[2] == '\0')
            return word[1] == 'c' ? OPTION_CAMPAIGN : OPTION_HELP;
        fault_set(f, FAULT_USAGE, "unknown option '%.60s'", word);
        fault_hint(f, "the only short options are -c NAME and -h; an argument that begins with '-' goes "
                      "behind --");
        return OPTION_COUNT;
    }
    const char *equals = strchr(word, '=');
    struct str name = {word + 2, equals == NULL ? strlen(word) - 2 : (size_t)(equals - word - 2)};
    *value = equals == NULL ? NULL : equals + 1;
    for (int o = 0; o < OPTION_COUNT; o++)
        if ((known >> o & 1) != 0 && str_is(name, option_rows[o].name))
            return (enum option)o;
    unknown_option(known, name, f);
    return OPTION_COUNT;
}

static bool set_value(struct invocation *in, enum option o, const char *value, struct fault *f)
{
    const struct option_row *row = &option_rows[o];
    if (in->values[o] != NULL)
        return fault_set(f, FAULT_USAGE, "option --%s is given twice", row->name);
    if (value == NULL) {
        fault_set(f, FAULT_USAGE, "option --%s needs a value", row->name);
        return fault_hint(f, "--%s %s: %s", row->name, row->value, row->help);
    }
    if (strncmp(value, "--", 2) == 0) {
        fault_set(f, FAULT_USAGE, "option --%s needs a value, but '%.60s' follows", row->name, value);
        return fault_hint(f, "a value never begins with '--'");
    }
    if (row->value != NULL && value[0] == '\0')
        return fault_set(f, FAULT_USAGE, "the value of option --%s is empty", row->name);
    in->values[o] = value;
    return true;
}

/* Takes options out of argv and moves the arguments to its front; *count is how many. */
static bool split(uint64_t known, int argc, char **argv, struct invocation *in, int *count, struct fault *f)
{
    bool only_arguments = false;
    *count = 0;
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (only_arguments || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[(*count)++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            only_arguments = true;
            continue;
        }
        enum option o = read_option(known, argv[i], &value, f);
        if (o == OPTION_COUNT)
            return false;
        if (option_rows[o].value == NULL && value != NULL)
            return fault_set(f, FAULT_USAGE, "option --%s takes no value", option_rows[o].name);
        if (option_rows[o].value == NULL)
            value = "";
        else if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (!set_value(in, o, value, f))
            return false;
    }
    return true;
}

/* How many of the words are the command's name: 0 when they are not. */
static int matches(const struct command *c, char *const *words, int count)
{
    const char *blank = strchr(c->name, ' ');
    size_t first = blank == NULL ? strlen(c->name) : (size_t)(blank - c->name);
    if (count < 1 || strlen(words[0]) != first || memcmp(words[0], c->name, first) != 0)
        return 0;
    if (blank == NULL)
        return 1;
    return count >= 2 && strcmp(words[1], blank + 1) == 0 ? 2 : 0;
}

static bool unknown_command(const struct command *table, char *const *words, int count, struct fault *f)
{
    char both[128];
    snprintf(both, sizeof both, "%.60s%s%.60s", words[0], count > 1 ? " " : "", count > 1 ? words[1] : "");
    struct nearest one = {.wanted = words[0]}, two = {.wanted = both};
    AUTO_BUF below = {0};
    size_t first = strlen(words[0]);
    for (const struct command *c = table; c->name != NULL; c++) {
        nearest_offer(strchr(c->name, ' ') == NULL ? &one : &two, c->name);
        if (strncmp(c->name, words[0], first) == 0 && c->name[first] == ' ')
            buf_format(&below, "%s%s", below.n == 0 ? "" : ", ", c->name);
    }
    const char *near = two.word != NULL ? two.word : one.word;
    fault_set(f, FAULT_USAGE, "unknown command '%s'", below.n == 0 ? words[0] : both);
    if (near != NULL)
        return fault_hint(f, "did you mean 'massrevoke %s'?", near);
    return below.n > 0 ? fault_hint(f, "there are: %s", below.p) : fault_hint(f, "massrevoke help");
}

static bool find_command(const struct command *table, char *const *words, int count,
                         const struct command **out, int *used, struct fault *f)
{
    *used = 0;
    for (const struct command *c = table; c->name != NULL; c++) {
        int n = matches(c, words, count);
        if (n > *used) {
            *used = n;
            *out = c;
        }
    }
    return *used > 0 || unknown_command(table, words, count, f);
}

/* Does the command take what was given? */
static bool check(const struct invocation *in, struct fault *f)
{
    const struct command *c = in->command;
    for (int o = 0; o < OPTION_COUNT; o++)
        if (in->values[o] != NULL && ((c->options | TAKES_ALWAYS) >> o & 1) == 0) {
            fault_set(f, FAULT_USAGE, "'%s' does not take option --%s", c->name, option_rows[o].name);
            return fault_hint(f, "massrevoke %s --help", c->name);
        }
    if (option_given(in, OPTION_HELP))
        return true;
    if (in->arg_count < c->min_args)
        fault_set(f, FAULT_USAGE, "'%s' needs %d argument%s, %d given", c->name, c->min_args,
                  c->min_args == 1 ? "" : "s", in->arg_count);
    else if (c->max_args >= 0 && in->arg_count > c->max_args)
        fault_set(f, FAULT_USAGE, "'%s' does not take '%.60s'", c->name, in->args[c->max_args]);
    else
        return true;
    return fault_hint(f, "massrevoke %s %s", c->name, c->usage);
}

bool command_parse(const struct command *table, int argc, char **argv, struct invocation *in, struct fault *f)
{
    int count, used;
    *in = (struct invocation){0};
    if (!split(known_options(table), argc, argv, in, &count, f))
        return false;
    in->json = option_given(in, OPTION_JSON);
    if (count == 0 && option_given(in, OPTION_HELP))
        return true;
    if (count == 0) {
        fault_set(f, FAULT_USAGE, "no command");
        return fault_hint(f, "massrevoke help");
    }
    if (!find_command(table, argv, count, &in->command, &used, f))
        return false;
    in->args = argv + used;
    in->arg_count = count - used;
    return check(in, f);
}

bool option_given(const struct invocation *in, enum option o)
{
    return in->values[o] != NULL;
}

bool option_int(const struct invocation *in, enum option o, int64_t min, int64_t max, int64_t *out,
                struct fault *f)
{
    const char *text = in->values[o];
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool digits = text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
    if (!digits || *end != '\0' || errno != 0 || value < min || value > max)
        return fault_set(f, FAULT_USAGE, "--%s: '%.60s' is not a whole number from %lld to %lld",
                         option_rows[o].name, text, (long long)min, (long long)max);
    *out = value;
    return true;
}

bool option_time(const struct invocation *in, enum option o, struct utc *out, struct fault *f)
{
    if (in->values[o] == NULL || utc_parse(in->values[o], out, f))
        return true;
    return fault_wrap(f, "--%s", option_rows[o].name);
}

bool option_span(const struct invocation *in, enum option o, struct span *out, struct fault *f)
{
    if (in->values[o] == NULL || span_parse(in->values[o], out, f))
        return true;
    return fault_wrap(f, "--%s", option_rows[o].name);
}

bool option_required(const struct invocation *in, enum option o, struct fault *f)
{
    if (in->values[o] != NULL)
        return true;
    fault_set(f, FAULT_USAGE, "'%s' needs --%s %s", in->command->name, option_rows[o].name,
              option_rows[o].value == NULL ? "" : option_rows[o].value);
    return fault_hint(f, "--%s: %s", option_rows[o].name, option_rows[o].help);
}
