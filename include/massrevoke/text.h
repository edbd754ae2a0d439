/* text.h - slices of foreign bytes and growing buffers.
 *
 * A struct str is (pointer, length), never terminated, never owned: foreign bytes stay in that form until
 * they are validated. A struct buf owns its bytes and keeps a terminator behind them. Pure. Does not: know
 * any encoding but UTF-8. Called by: everything that reads or writes text. */
#ifndef MASSREVOKE_TEXT_H
#define MASSREVOKE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* n bytes at p, owned by somebody else. */
struct str {
    const char *p;
    size_t n;
};

/* A slice over a C string; NULL gives the empty slice. */
static inline struct str str_of(const char *text)
{
    return (struct str){text == NULL ? "" : text, text == NULL ? 0 : strlen(text)};
}

/* Same bytes? */
static inline bool str_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Same bytes as a C string? */
static inline bool str_is(struct str a, const char *text)
{
    return str_equal(a, str_of(text));
}

/* Without leading and trailing blanks, tabs, CR and LF. */
struct str str_trim(struct str s);

/* Cuts the part before the first `separator` off *rest and returns it; the whole rest when there is none.
 * *rest is then the empty slice with p == NULL, so a loop `while (rest.p != NULL)` sees every part once. */
struct str str_cut(struct str *rest, char separator);

/* Is it well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF)? NUL is not allowed.
 */
bool str_is_utf8(struct str s);

/* Zero-initialise to start; buf_free at the end. p is terminated once anything was added. */
struct buf {
    char *p;
    size_t n, room;
};

/* Appends n bytes. */
void buf_add(struct buf *b, const void *bytes, size_t n);

/* Appends a C string. */
void buf_text(struct buf *b, const char *text);

/* Appends printf-formatted text. */
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);

/* Frees; the buffer can be used again. */
void buf_free(struct buf *b);

/* The content as a slice, valid until the next change. */
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p == NULL ? "" : b->p, b->n};
}

/* Frees at scope exit: `AUTO_BUF b = {0};` */
#define AUTO_BUF __attribute__((cleanup(buf_free))) struct buf

#endif
