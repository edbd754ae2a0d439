#include "massrevoke/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t bytes[];
};

#define BLOCK_SIZE ((size_t)64 * 1024)
#define PAGE_SIZE ((size_t)4096)
#define LARGE ((size_t)4 * 1024 * 1024) /* from here on page faults are what memory costs */

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "massrevoke: out of memory (%zu bytes wanted); nothing is lost, run the command again\n",
            size);
    _Exit(1);
}

/* Asks for huge pages in memory that was not touched yet, or not much of it; a kernel that has none says no,
 * and nothing is lost. */
static void ask_for_huge_pages(void *memory, size_t size)
{
    uintptr_t from = ((uintptr_t)memory + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    (void)madvise((void *)from, size - PAGE_SIZE, MADV_HUGEPAGE);
}

void *arena_grow(void *old, size_t size)
{
    void *p = realloc(old, size == 0 ? 1 : size);
    if (p == NULL)
        out_of_memory(size);
    if (size >= LARGE)
        ask_for_huge_pages(p, size);
    return p;
}

static void add_block(struct arena *a, size_t room, bool zeroed)
{
    struct arena_block *block = zeroed ? calloc(1, sizeof *block + room) : malloc(sizeof *block + room);
    if (block == NULL)
        out_of_memory(room);
    if (room >= LARGE)
        ask_for_huge_pages(block, room);
    *block = (struct arena_block){.next = a->blocks, .size = room};
    a->blocks = block;
}

/* Only a block of its own need not be zeroed: from one that is shared comes memory of both kinds. */
static void *take(struct arena *a, size_t size, bool zeroed)
{
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    size_t need = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (a->blocks == NULL || a->blocks->size - a->blocks->used < need)
        add_block(a, need > BLOCK_SIZE ? need : BLOCK_SIZE, zeroed || need <= BLOCK_SIZE);
    char *p = (char *)a->blocks->bytes + a->blocks->used;
    a->blocks->used += need;
    return p;
}

static size_t bytes_of(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        out_of_memory(SIZE_MAX);
    return count * size;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return take(a, size, true);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    return take(a, bytes_of(count, size), true);
}

void *arena_raw(struct arena *a, size_t count, size_t size)
{
    return take(a, bytes_of(count, size), false);
}

char *arena_copy(struct arena *a, const void *bytes, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    if (n > 0)
        memcpy(p, bytes, n);
    return p;
}

char *arena_text(struct arena *a, const char *text)
{
    return text == NULL ? NULL : arena_copy(a, text, strlen(text));
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
    if (n < 0)
        return p;
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return p;
}

void arena_free(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}
