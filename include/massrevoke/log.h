/* log.h - what a person sees on standard error: lines and a progress bar.
 *
 * I/O on standard error only. Standard output is data and belongs to the commands. Does not: write files,
 * know levels, or print faults twice. Called by: cli, engine, drill. */
#ifndef MASSREVOKE_LOG_H
#define MASSREVOKE_LOG_H

#include "massrevoke/fault.h"
#include <stdint.h>

/* One line on standard error; clears a progress bar first. */
void log_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* Silences log_line and bars (for `--quiet` runs inside tests and the drill's own screen). */
void log_quiet(bool quiet);

/* Draws "label [####....] done/total" in place when standard error is a terminal, at most ten times a second;
 * otherwise one line each 10 %. total 0: only the count. done == total ends the bar with a newline. */
void log_progress(const char *label, uint64_t done, uint64_t total);

#endif
