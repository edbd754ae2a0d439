#include "massrevoke/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int exit;
    const char *word, *meaning;
} kinds[FAULT_COUNT] = {
    [FAULT_NONE] = {0, "done", "done"},
#define FAULT(kind, exit, word, meaning) [FAULT_##kind] = {exit, word, meaning},
#include "fault.def"
#undef FAULT
};

bool fault_set(struct fault *f, enum fault_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    f->kind = kind;
    f->hint[0] = '\0';
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    return false;
}

bool fault_wrap(struct fault *f, const char *format, ...)
{
    char old[sizeof f->text];
    memcpy(old, f->text, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n, last = sizeof f->text - 1;
    for (const char *tail = ": "; used < last && *tail != '\0'; tail++)
        f->text[used++] = *tail;
    for (const char *tail = old; used < last && *tail != '\0'; tail++)
        f->text[used++] = *tail;
    f->text[used < last ? used : last] = '\0';
    return false;
}

bool fault_hint(struct fault *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->hint, sizeof f->hint, format, args);
    va_end(args);
    return false;
}

int fault_exit_code(enum fault_kind kind)
{
    return kinds[kind].exit;
}

const char *fault_word(enum fault_kind kind)
{
    return kinds[kind].word;
}

const char *fault_meaning(enum fault_kind kind)
{
    return kinds[kind].meaning;
}
