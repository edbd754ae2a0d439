/* file.h - whole files, atomically, with bounds and clear errors.
 *
 * I/O. Does not: stream (csv.h does), follow any naming rule, or keep anything open but locks.
 * Called by: config, doors, cli, drill. */
#ifndef MASSREVOKE_FILE_H
#define MASSREVOKE_FILE_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"
#include <sys/types.h>

/* Reads a regular file (or FIFO) of at most `max` bytes into the arena. Faults: FAILED with path and errno
 * text. */
MUST_USE bool file_read(const char *path, size_t max, struct arena *a, struct str *out, struct fault *f);

/* Writes bytes to path by way of a temporary file in the same folder, fsync, rename, fsync of the folder:
 * after a crash the old or the new content stands there, never a part. mode as in open(2). Faults: FAILED. */
MUST_USE bool file_write(const char *path, struct str bytes, mode_t mode, struct fault *f);

/* The same in two steps: writes beside path and makes it durable, and gives the name, in `a`; NULL: FAILED.
 * Then file_place puts it at path. Who does not want that removes it. */
const char *file_write_aside(const char *path, struct str bytes, mode_t mode, struct arena *a,
                             struct fault *f);
MUST_USE bool file_place(const char *aside, const char *path, struct fault *f);

/* Makes path and its missing parents, each with `mode`; an existing folder is fine. Faults: FAILED. */
MUST_USE bool file_make_folders(const char *path, mode_t mode, struct fault *f);

/* Takes an exclusive flock(2) on path (made with 0600 if missing; descriptor close-on-exec) and returns the
 * descriptor in *lock; close(2) frees it. With wait false a lock held by another is CONFLICT at once. */
MUST_USE bool file_lock(const char *path, bool wait, int *lock, struct fault *f);

/* Does somebody hold an exclusive flock on this file? One that can't be opened counts as held: nobody can
 * tell.
 */
bool file_is_locked(const char *path);

/* "folder/name" in the arena; an absolute name stays as it is. */
char *file_join(struct arena *a, const char *folder, const char *name);

#endif
