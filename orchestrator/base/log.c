#include "massrevoke/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    bool quiet, bar_open;
    uint64_t last_permille;
} state;

void log_quiet(bool quiet)
{
    state.quiet = quiet;
}

static void close_bar(void)
{
    if (state.bar_open)
        fputc('\n', stderr);
    state.bar_open = false;
}

void log_line(const char *format, ...)
{
    if (state.quiet)
        return;
    close_bar();
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static void draw_bar(const char *label, uint64_t done, uint64_t total)
{
    char bar[31];
    size_t full = total == 0 ? 0 : (size_t)(done * 30 / total);
    memset(bar, '.', 30);
    memset(bar, '#', full > 30 ? 30 : full);
    bar[30] = '\0';
    fprintf(stderr, "\r%-20.20s [%s] %llu/%llu", label, bar, (unsigned long long)done,
            (unsigned long long)total);
    fflush(stderr);
    state.bar_open = true;
}

void log_progress(const char *label, uint64_t done, uint64_t total)
{
    uint64_t permille = total == 0 ? done / 100000 : done * 1000 / total;
    bool ended = total != 0 && done >= total;
    if (state.quiet || (!ended && permille == state.last_permille))
        return;
    if (isatty(STDERR_FILENO)) {
        draw_bar(label, done, total);
        if (ended)
            close_bar();
    } else if (ended || permille / 100 != state.last_permille / 100) {
        fprintf(stderr, "%s %llu/%llu\n", label, (unsigned long long)done, (unsigned long long)total);
    }
    state.last_permille = ended ? 0 : permille;
}
