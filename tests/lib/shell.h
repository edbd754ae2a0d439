/* shell.h - temporary folders and other programs, for tests. Does not: interpret a shell's syntax. */
#ifndef TESTS_LIB_SHELL_H
#define TESTS_LIB_SHELL_H

#include "massrevoke/arena.h"
#include "massrevoke/text.h"

/* A new folder below TMPDIR or /tmp; shell_remove at the end. */
const char *shell_folder(struct arena *a);

/* Removes a folder and everything in it. */
void shell_remove(const char *folder);

/* Runs argv (ended by NULL) in `folder`; stdout and stderr together in *out. Exit code, 128 + signal. */
int shell_run(const char *folder, struct buf *out, const char *const *argv);

/* shell_run with the words written out. */
#define SHELL(folder, out, ...) shell_run(folder, out, (const char *const[]){__VA_ARGS__, NULL})

/* Is there such a program? */
bool shell_has(const char *program);

#endif
