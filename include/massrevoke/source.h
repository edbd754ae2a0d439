/* source.h - where a reader pulls its bytes from.
 *
 * Readers are pure: they ask a source for the next bytes, whoever made it decides where those come from. The
 * memory source is pure, the descriptor source is I/O. Does not: seek, buffer, or own what it reads from.
 * Called by: csv, intake, cli. */
#ifndef MASSREVOKE_SOURCE_H
#define MASSREVOKE_SOURCE_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"

/* Puts at most `room` bytes (at least 1 unless at the end) at `into`; *got 0 means the end. */
typedef bool source_read_fn(void *context, void *into, size_t room, size_t *got, struct fault *f);

/* A source; `context` belongs to the maker and outlives it. */
struct source {
    source_read_fn *read;
    void *context;
};

/* A source over a slice, which it shortens while reading; no faults. */
struct source source_memory(struct str *bytes);

/* An open file descriptor and the name used in faults. */
struct source_file {
    int descriptor;
    const char *name;
};

/* A source over read(2). Faults: FAILED with name and errno text. Never closes the descriptor. */
struct source source_descriptor(struct source_file *file);

#endif
