/* Why a lexer of our own: libconfig 1.5 truncates integers, swallows an unclosed comment, stops at a NUL and
 * names neither the key of a duplicate nor the line where a quote was opened. */
#include "lint.h"
#include "massrevoke/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 32
#define INCLUDE_MAX 8

struct seen_key {
    struct seen_key *next;
    struct str name;
    const char *file;
    int line;
};

struct scope {
    char open;
    const char *file;
    int line;
    struct seen_key *keys;
};

struct lint {
    struct guard *g;
    struct scope scopes[DEPTH_MAX];
    int depth, includes;
    bool broken;
};

/* A place in one file. */
struct cursor {
    const char *file, *p, *end;
    int line;
};

static void complain(struct lint *l, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);

static void complain(struct lint *l, const char *file, int line, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    guard_problems_add(l->g->problems, "%s:%d: %s", file, line, text);
}

static char peek(const struct cursor *c, size_t n)
{
    return (size_t)(c->end - c->p) > n ? c->p[n] : '\0';
}

static void skip_line(struct cursor *c)
{
    while (c->p < c->end && *c->p != '\n')
        c->p++;
}

static void comment(struct lint *l, struct cursor *c)
{
    int opened = c->line;
    for (c->p += 2; c->p < c->end; c->p++) {
        if (*c->p == '\n')
            c->line++;
        if (*c->p == '*' && peek(c, 1) == '/') {
            c->p += 2;
            return;
        }
    }
    complain(l, c->file, opened, "a comment is opened here and never closed");
    l->broken = true;
}

static void quoted(struct lint *l, struct cursor *c)
{
    for (c->p++; c->p < c->end && *c->p != '\n'; c->p++) {
        if (*c->p == '"') {
            c->p++;
            return;
        }
        if (*c->p == '\\' && peek(c, 1) != '\n' && c->p + 1 < c->end)
            c->p++;
    }
    complain(l, c->file, c->line, "a quote is opened here and not closed on the same line");
    l->broken = true;
}

/* An integer must fit what libconfig will store it in: 32 bits, or 64 with the suffix L. */
static void number(struct lint *l, struct cursor *c)
{
    const char *start = c->p++;
    while (c->p < c->end &&
           (isalnum((unsigned char)*c->p) || *c->p == '.' ||
            ((*c->p == '-' || *c->p == '+') && (c->p[-1] == 'e' || c->p[-1] == 'E') && start[1] != 'x')))
        c->p++;
    int length = (int)(c->p - start > 60 ? 60 : c->p - start);
    char text[64];
    memcpy(text, start, (size_t)length);
    text[length] = '\0';
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, hex ? 16 : 10);
    bool wide = *end == 'L';
    if (end == text || (*end != '\0' && !wide))
        return; /* a real number or nonsense: libconfig says so */
    if (errno == ERANGE || c->p - start > 60)
        complain(l, c->file, c->line, "the number %s does not fit 64 bits", text);
    else if (!wide && (value > INT32_MAX || value < INT32_MIN))
        complain(l, c->file, c->line, "the number %s does not fit 32 bits; write it as %sL", text, text);
}

static void name(struct lint *l, struct cursor *c)
{
    struct str word = {c->p, 0};
    while (c->p < c->end && (isalnum((unsigned char)*c->p) || strchr("-_*", *c->p) != NULL))
        c->p++;
    word.n = (size_t)(c->p - word.p);
    const char *next = c->p;
    while (next < c->end && isspace((unsigned char)*next))
        next++;
    struct scope *scope = &l->scopes[l->depth];
    if (scope->open != '{' || next == c->end || (*next != '=' && *next != ':'))
        return;
    for (const struct seen_key *k = scope->keys; k != NULL; k = k->next)
        if (str_equal(k->name, word)) {
            complain(l, c->file, c->line, "%.*s: duplicate key, first given at %s:%d", (int)word.n, word.p,
                     k->file, k->line);
            l->broken = true;
            return;
        }
    struct seen_key *k = arena_alloc(l->g->arena, sizeof *k);
    *k = (struct seen_key){scope->keys, word, c->file, c->line};
    scope->keys = k;
}

static void bracket(struct lint *l, struct cursor *c)
{
    static const char opening[] = "{([", closing[] = "})]";
    const char *open = strchr(opening, *c->p), *close = strchr(closing, *c->p);
    if (open != NULL && l->depth + 1 == DEPTH_MAX) {
        complain(l, c->file, c->line, "nested deeper than %d", DEPTH_MAX);
        l->broken = true;
        c->p = c->end;
        return;
    }
    if (open != NULL) {
        l->scopes[++l->depth] = (struct scope){*c->p, c->file, c->line, NULL};
    } else if (l->depth == 0 || l->scopes[l->depth].open != opening[close - closing]) {
        complain(l, c->file, c->line, "'%c' closes nothing that is open here", *c->p);
        l->broken = true;
        c->p = c->end; /* every later message would only follow from this one */
        return;
    } else {
        l->depth--;
    }
    c->p++;
}

static void scan(struct lint *l, const char *file, struct str bytes);

/* `@include "name"` at the start of a line, relative to the folder of the main file, as libconfig takes it.
 */
static void include(struct lint *l, struct cursor *c)
{
    static const char word[] = "@include";
    const char *end = memchr(c->p, '\n', (size_t)(c->end - c->p));
    struct str rest = {c->p, (size_t)((end == NULL ? c->end : end) - c->p)};
    skip_line(c);
    rest = str_trim(rest);
    struct str path = {rest.p, 0};
    if (rest.n > sizeof word && memcmp(rest.p, word, sizeof word - 1) == 0)
        path = str_trim((struct str){rest.p + sizeof word - 1, rest.n - sizeof word + 1});
    bool shaped = path.n > 2 && path.p[0] == '"' && path.p[path.n - 1] == '"' && path.p[1] != '/' &&
                  memchr(path.p, '\\', path.n) == NULL && memchr(path.p + 1, '"', path.n - 2) == NULL;
    struct fault f;
    struct str bytes;
    if (!shaped)
        complain(l, c->file, c->line, "write an include as @include \"file.cfg\", relative to the main file");
    else if (l->g->folder == NULL)
        complain(l, c->file, c->line, "@include is allowed only in a file on disk");
    else if (l->includes == INCLUDE_MAX)
        complain(l, c->file, c->line, "@include nested deeper than %d", INCLUDE_MAX);
    else {
        const char *relative = arena_copy(l->g->arena, path.p + 1, path.n - 2);
        const char *full = file_join(l->g->arena, l->g->folder, relative);
        if (file_read(full, GUARD_FILE_MAX, l->g->arena, &bytes, &f)) {
            l->includes++;
            scan(l, full, bytes);
            l->includes--;
            return;
        }
        complain(l, c->file, c->line, "%s", f.text);
    }
    l->broken = true;
}

static bool readable(struct lint *l, const char *file, struct str bytes)
{
    int line = 1;
    for (struct str rest = bytes; rest.p != NULL; line++) {
        struct str one = str_cut(&rest, '\n');
        const char *wrong = memchr(one.p, '\0', one.n) != NULL ? "a NUL byte"
                            : !str_is_utf8(one)                ? "bytes that are not UTF-8"
                                                               : NULL;
        if (wrong == NULL)
            continue;
        complain(l, file, line, "%s in this line", wrong);
        l->broken = true;
        return false;
    }
    return true;
}

static void scan(struct lint *l, const char *file, struct str bytes)
{
    struct cursor cursor = {file, bytes.p, bytes.p + bytes.n, 1}, *c = &cursor;
    if (!readable(l, file, bytes))
        return;
    while (c->p < c->end) {
        char ch = *c->p;
        if (ch == '\n')
            c->line++, c->p++;
        else if (ch == '#' || (ch == '/' && peek(c, 1) == '/'))
            skip_line(c);
        else if (ch == '/' && peek(c, 1) == '*')
            comment(l, c);
        else if (ch == '"')
            quoted(l, c);
        else if (isdigit((unsigned char)ch) || ch == '-' || ch == '+')
            number(l, c);
        else if (isalpha((unsigned char)ch) || ch == '*')
            name(l, c);
        else if (ch == '@')
            include(l, c);
        else if (strchr("{}()[]", ch) != NULL)
            bracket(l, c);
        else
            c->p++;
    }
}

bool lint_bytes(struct guard *g, struct str bytes)
{
    struct lint l = {.g = g, .scopes[0] = {'{', g->name, 1, NULL}};
    scan(&l, g->name, bytes);
    bool open = l.depth > 0;
    for (; l.depth > 0 && !l.broken; l.depth--) {
        const struct scope *s = &l.scopes[l.depth];
        complain(&l, s->file, s->line, "'%c' is opened here and never closed", s->open);
    }
    return !l.broken && !open;
}
