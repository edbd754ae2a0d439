#include "massrevoke/backend_exec.h"
#include "backend_parts.h"
#include "plans.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const interface[] = {"exec", NULL};

static const struct guard_key line_keys[] = {
    {.name = "before", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "contains", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "outcome", .type = GUARD_TEXT, .required = true, .words = backend_meanings},
    {0},
};

static const struct guard_key exit_keys[] = {
    {.name = "code", .type = GUARD_INT, .required = true, .min = 0, .max = 255},
    {.name = "to", .type = GUARD_INT, .min = 0, .max = 255},
    {.name = "outcome", .type = GUARD_TEXT, .required = true, .words = backend_meanings},
    {0},
};

static const struct guard_key call_keys[] = {
    {.name = "arguments", .type = GUARD_TEXTS, .min = 0, .max = 40},
    {.name = "input", .type = GUARD_BOOL},
    {.name = "tabs", .type = GUARD_BOOL},
    {.name = "errors", .type = GUARD_BOOL},
    {.name = "lines", .type = GUARD_LIST, .min = 0, .max = 40, .keys = line_keys},
    {.name = "exits", .type = GUARD_LIST, .min = 0, .max = 40, .keys = exit_keys},
    {0},
};

static const struct guard_key keys[] = {
    GUARD_VERSION,
    {.name = "interface", .type = GUARD_TEXT, .required = true, .words = interface},
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "keeps_first_date", .type = GUARD_BOOL, .required = true},
    {.name = "quiet", .type = GUARD_SPAN, .required = true, .min = 1, .max = 3600},
    {.name = "batch", .type = GUARD_INT, .required = true, .min = 1, .max = 100000},
    {.name = "reasons",
     .type = GUARD_LIST,
     .required = true,
     .min = 1,
     .max = 10,
     .keys = backend_reason_keys},
    {.name = "serial", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "revoke", .type = GUARD_GROUP, .required = true, .keys = call_keys},
    {.name = "status", .type = GUARD_GROUP, .keys = call_keys},
    {0},
};

/* --- reading --- */

/* A line that would believe more than it says is refused. */
static struct backend_line take_line(struct guard *g, const struct guard_node *n, bool status)
{
    struct backend_line line = {.before = guard_text(n, "before", NULL),
                                .contains = guard_text(n, "contains", NULL),
                                .meaning = backend_meaning_named(guard_text(n, "outcome", "ask"))};
    enum backend_meaning m = line.meaning;
    if (line.before == NULL && line.contains == NULL)
        guard_problem(g, n, "give `before`, `contains` or both");
    if (line.before == NULL && m != BACKEND_WAIT && m != BACKEND_STOP && m != BACKEND_ASK)
        guard_problem(g, n, "without a serial (`before`) a line can only say wait, stop or ask");
    if (m == BACKEND_REVOKED && status)
        guard_problem(g, guard_get(n, "outcome"), "a status only says revoked_before");
    if (m == BACKEND_NOT_REVOKED && !status)
        guard_problem(g, guard_get(n, "outcome"), "only a status can say not_revoked");
    return line;
}

static struct backend_exit take_exit(struct guard *g, const struct guard_node *n, bool status)
{
    int from = (int)guard_int(n, "code", 0);
    struct backend_exit out = {.from = from,
                               .to = (int)guard_int(n, "to", from),
                               .meaning = backend_meaning_named(guard_text(n, "outcome", "ask"))};
    bool clear = out.meaning != BACKEND_WAIT && out.meaning != BACKEND_ASK && out.meaning != BACKEND_STOP &&
                 out.meaning != BACKEND_PERSON;
    if (out.to < out.from)
        guard_problem(g, guard_get(n, "to"), "is below `code`");
    if (clear && (out.from != 0 || out.to != 0 || out.meaning != BACKEND_REVOKED || status))
        guard_problem(g, n,
                      "an exit code can only say revoked (0 only, of revoke), wait, ask, stop or person");
    return out;
}

static void take_arguments(struct guard *g, const struct guard_node *n, struct backend_call *call,
                           unsigned *used)
{
    struct backend_template *arguments = arena_array(g->arena, n->count, sizeof *arguments);
    for (size_t i = 0; i < n->count; i++)
        arguments[i] = backend_take_template(g, &n->inside[i], used);
    call->arguments = arguments;
    call->argument_count = n->count;
}

static struct backend_call take_call(struct guard *g, const struct guard_node *n, bool status, unsigned *used)
{
    struct backend_call call = {.given = n->given,
                                .input = guard_bool(n, "input", true),
                                .tabs = guard_bool(n, "tabs", false),
                                .errors = guard_bool(n, "errors", false)};
    const struct guard_node *lines = guard_get(n, "lines"), *exits = guard_get(n, "exits");
    struct backend_line *line = arena_array(g->arena, lines->count, sizeof *line);
    struct backend_exit *exit = arena_array(g->arena, exits->count, sizeof *exit);
    for (size_t i = 0; i < lines->count; i++)
        line[i] = take_line(g, &lines->inside[i], status);
    for (size_t i = 0; i < exits->count; i++)
        exit[i] = take_exit(g, &exits->inside[i], status);
    call.lines = line;
    call.line_count = lines->count;
    call.exits = exit;
    call.exit_count = exits->count;
    *used = 0;
    take_arguments(g, guard_get(n, "arguments"), &call, used);
    if ((*used & (BACKEND_SERIALS | 1U << BACKEND_TOKEN | 1U << BACKEND_PREPARED)) != 0)
        guard_problem(g, n, "arguments take {serials}, {reason.name}, {reason.code}, {aki}, {issuer.name}");
    if (n->given && !call.input && (*used >> BACKEND_SERIAL_LIST & 1) == 0)
        guard_problem(g, n, "serials go in by `input` or by {serials}, here by neither");
    if (call.tabs && (call.line_count > 0 || call.errors))
        guard_problem(g, n, "with `tabs` there is nothing for `lines` and `errors` to say");
    return call;
}

bool backend_exec_read(const char *plans_dir, const char *name, struct arena *a, struct backend_exec *out,
                       struct fault *f)
{
    struct guard_problems p = {.arena = a};
    struct guard g;
    struct str bytes;
    const char *file;
    unsigned in_revoke, in_status, reasons = 1U << BACKEND_REASON_NAME | 1U << BACKEND_REASON_CODE;
    *out = (struct backend_exec){0};
    if (!plans_named(plans_dir, "backends", "backend profile", name, a, &file, &bytes, f))
        return false;
    (void)guard_read(&g, file, NULL, bytes, keys, &p);
    out->name = guard_text(&g.root, "name", "");
    out->keeps_first_date = guard_bool(&g.root, "keeps_first_date", false);
    out->quiet = guard_span(&g.root, "quiet", (struct span){0});
    out->batch = (int)guard_int(&g.root, "batch", 1);
    out->serial = backend_take_serial(&g, guard_get(&g.root, "serial"));
    out->decimal = out->serial.count == 1 && out->serial.parts[0].value == BACKEND_SERIAL_DECIMAL;
    out->revoke = take_call(&g, guard_get(&g.root, "revoke"), false, &in_revoke);
    out->status = take_call(&g, guard_get(&g.root, "status"), true, &in_status);
    out->uses_issuer_name = ((in_revoke | in_status) >> BACKEND_ISSUER_NAME & 1) != 0;
    backend_take_reasons(&g, out->words, (in_revoke & reasons) != 0);
    return guard_clean(&p, f);
}

struct backend_call backend_exec_protocol(void)
{
    return (struct backend_call){.given = true, .input = true, .tabs = true};
}

/* --- judging --- */

/* The first characters that can belong to a serial: digits of either kind, colons, "0x". */
static struct str serial_text(struct str s, bool decimal)
{
    size_t n = 0;
    while (n < s.n && (decimal ? isdigit((unsigned char)s.p[n])
                               : isxdigit((unsigned char)s.p[n]) || s.p[n] == ':' ||
                                     (n == 1 && (s.p[1] == 'x' || s.p[1] == 'X'))))
        n++;
    return (struct str){s.p, n};
}

static bool read_serial(const struct backend_exec *b, struct str text, struct serial *out)
{
    return text.n > 0 && (b->decimal ? serial_from_decimal(text, out) : serial_from_hex(text, out)) == NULL;
}

static bool tab_date(struct str text, struct utc *out)
{
    struct fault ignored;
    char copy[UTC_TEXT + 16];
    if (text.n == 0 || str_is(text, "-"))
        return true;
    if (text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (strspn(copy, "0123456789") < text.n)
        return utc_parse(copy, out, &ignored);
    out->s = text.n <= 11 ? strtoll(copy, NULL, 10) : INT64_MAX;
    return out->s < INT64_C(253402300800); /* the year 10000 */
}

static bool tab_reason(struct str text, int *out)
{
    if (text.n == 0 || str_is(text, "-"))
        return true;
    *out = reason_from_name(text);
    for (int code = 0; *out < 0 && code < BACKEND_REASONS; code++) {
        char digits[2] = {(char)('0' + code), '\0'};
        *out = reason_name(code) != NULL && str_is(text, code == 10 ? "10" : digits) ? code : -1;
    }
    return *out >= 0;
}

/* A line that is not wholly understood says nothing: its serial is then asked about. */
static bool judge_tabs(const struct backend_exec *b, struct str line, struct backend_said *out)
{
    struct str rest = line;
    struct str serial = str_cut(&rest, '\t'), word = str_cut(&rest, '\t');
    struct str date = str_cut(&rest, '\t'), reason = str_cut(&rest, '\t');
    struct backend_verdict *v = &out->verdict;
    if (rest.p != NULL || !read_serial(b, serial, &out->serial))
        return false;
    for (int m = 0; m < BACKEND_MEANING_COUNT; m++) {
        if (!str_is(word, backend_meanings[m]))
            continue;
        v->meaning = (enum backend_meaning)m;
        return tab_date(date, &v->at) && tab_reason(reason, &v->reason);
    }
    return false;
}

static bool fits(const struct backend_exec *b, const struct backend_line *row, struct str line,
                 struct backend_said *out)
{
    out->whole = row->before == NULL;
    if (row->contains != NULL && memmem(line.p, line.n, row->contains, strlen(row->contains)) == NULL)
        return false;
    if (out->whole)
        return true;
    const char *at = memmem(line.p, line.n, row->before, strlen(row->before));
    if (at == NULL)
        return false;
    at += strlen(row->before);
    struct str rest = {at, (size_t)(line.p + line.n - at)};
    return read_serial(b, serial_text(rest, b->decimal), &out->serial);
}

bool backend_exec_judge(const struct backend_exec *b, const struct backend_call *call, struct str line,
                        struct backend_said *out)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    *out = (struct backend_said){.verdict = {.meaning = BACKEND_ASK, .at = UTC_NONE, .reason = -1}};
    if (call->tabs)
        return judge_tabs(b, line, out);
    for (size_t i = 0; i < call->line_count; i++) {
        if (!fits(b, &call->lines[i], line, out))
            continue;
        out->verdict.meaning = call->lines[i].meaning;
        return true;
    }
    return false;
}

enum backend_meaning backend_exec_exit(const struct backend_call *call, int code)
{
    for (size_t i = 0; i < call->exit_count; i++)
        if (code >= call->exits[i].from && code <= call->exits[i].to)
            return call->exits[i].meaning;
    return BACKEND_ASK;
}
