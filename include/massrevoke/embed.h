/* embed.h - the data files compiled into the program: plans/ and sql/ (design sentence 8).
 *
 * Pure. Does not: read the file system; an override by `plans_dir` is the caller's (config/plans).
 * Called by: config, model, store, notifier, reporter, drill. */
#ifndef MASSREVOKE_EMBED_H
#define MASSREVOKE_EMBED_H

#include "massrevoke/text.h"

/* One file; path as in the source tree, e.g. "plans/profiles/immediate.cfg"; bytes terminated. */
struct embed_file {
    const char *path;
    struct str bytes;
};

/* All files in ascending order of path, ended by one with path NULL. Made by scripts/embed.sh. */
extern const struct embed_file embed_files[];

/* The file with that path, NULL when there is none. */
const struct embed_file *embed_find(const char *path);

/* The first file after `previous` (NULL: from the start) whose path begins with prefix, NULL at the end. */
const struct embed_file *embed_next(const char *prefix, const struct embed_file *previous);

#endif
