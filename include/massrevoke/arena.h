/* arena.h - memory that is given back all at once.
 *
 * Values of one batch live in one arena; nothing in pure code frees. When memory runs out the process ends
 * with a message: the program is crash-only (design section 3), so nothing is lost by that, and no caller
 * carries a branch that no test reaches. Pure. Does not: shrink, or free single values. Called by: every
 * stage. */
#ifndef MASSREVOKE_ARENA_H
#define MASSREVOKE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

/* Zero-initialise to start: `struct arena a = {0};`. */
struct arena {
    struct arena_block *blocks;
};

/* size bytes, zeroed, aligned for any type. Never NULL; a size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* count * size bytes, zeroed; an overflow ends the process. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* The same, not zeroed: for large arrays that are written before they are read. */
void *arena_raw(struct arena *a, size_t count, size_t size);

/* A terminated copy of n bytes. */
char *arena_copy(struct arena *a, const void *bytes, size_t n);

/* A terminated copy of a C string; NULL stays NULL. */
char *arena_text(struct arena *a, const char *text);

/* sprintf into the arena. */
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives everything back; the arena can be used again. */
void arena_free(struct arena *a);

/* Frees at scope exit: `AUTO_ARENA a = {0};` */
#define AUTO_ARENA __attribute__((cleanup(arena_free))) struct arena

/* realloc that ends the process with a message when memory runs out; for growing buffers. */
void *arena_grow(void *old, size_t size);

#endif
