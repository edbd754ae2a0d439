#include "words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

const char *words_number(int64_t n, char out[static WORDS_NUMBER])
{
    char digits[WORDS_NUMBER];
    int length = snprintf(digits, sizeof digits, "%" PRId64, n);
    int first = n < 0 ? 1 : 0, at = 0;
    for (int i = 0; i < length; i++) {
        if (i > first && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *words_minute(struct utc t, char out[static WORDS_MINUTE])
{
    char text[UTC_TEXT];
    if (!utc_is_set(t))
        return strcpy(out, "N/A");
    utc_format(t, text);
    text[10] = ' ';
    snprintf(out, WORDS_MINUTE, "%.16s UTC", text);
    return out;
}

/* Reads one character of UTF-8: its code point and length; a malformed byte is code point -1, length 1. */
static int32_t next(const char *p, size_t *length)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    *length = 1;
    if (strnlen(p, n) < n || !str_is_utf8((struct str){p, n}))
        return -1;
    *length = n;
    int32_t code = n == 1 ? u[0] : u[0] & (0x3f >> (n - 1));
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (u[i] & 0x3f);
    return code;
}

/* Characters that turn the reading direction or hide: a name could show another name's face. */
static bool deceives(int32_t code)
{
    return (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || code == 0xfffd;
}

static bool blanks(int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static bool word_character(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Does an entity begin at the "&" of p ("&lt;", "&#60;")? A lone "&" is common in names and addresses. */
static bool is_entity(const char *p)
{
    size_t n = 1;
    while (p[n] == '#' || isalnum((unsigned char)p[n]))
        n++;
    return p[n] == ';';
}

/* Must a backslash stand before p[0], where `before` is the last character already written? An underscore
 * inside a word never starts emphasis, and escaping it would break addresses. */
static bool is_markup(const char *p, char before, bool first)
{
    if (p[0] == '_')
        return !word_character(before) || !word_character(p[1]);
    if (p[0] == '&')
        return is_entity(p);
    return strchr("\\`*[]|~", p[0]) != NULL || (first && strchr("#-+=:", p[0]) != NULL);
}

/* "1. " or "12) " at the start would open a list: escapes the mark. Returns how many bytes it took. */
static size_t ordinal(struct buf *out, const char *p)
{
    size_t n = strspn(p, "0123456789");
    if (n == 0 || n > 9 || (p[n] != '.' && p[n] != ')') || strchr(" \t\r\n", p[n + 1]) == NULL)
        return 0;
    buf_add(out, p, n);
    buf_format(out, "\\%c", p[n]);
    return n + 1;
}

void words_markdown(struct buf *out, const char *foreign)
{
    size_t start = out->n, length;
    if (foreign == NULL)
        foreign = "";
    foreign += strspn(foreign, " \t\r\n");
    const char *p = foreign + ordinal(out, foreign);
    for (; *p != '\0'; p += length) {
        int32_t code = next(p, &length);
        bool first = out->n == start;
        char before = first ? ' ' : out->p[out->n - 1];
        if (code < 0)
            buf_text(out, "?");
        else if (deceives(code))
            continue;
        else if (blanks(code) || code == ' ')
            buf_text(out, before == ' ' ? "" : " ");
        else if (code == '<' || code == '>')
            buf_text(out, code == '<' ? "\u2039" : "\u203a");
        else if (code == '@')
            buf_text(out, " at ");
        else if (length == 1 && is_markup(p, before, first))
            buf_format(out, "\\%c", *p);
        else
            buf_add(out, p, length);
    }
    if (out->n == start)
        buf_text(out, "N/A");
}

void words_ascii(struct buf *out, const char *foreign)
{
    size_t length;
    for (const char *p = foreign == NULL ? "" : foreign; *p != '\0'; p += length) {
        int32_t code = next(p, &length);
        buf_add(out, code >= 0x20 && code < 0x7f ? p : "?", 1);
    }
}

void words_certificates(struct buf *out, int64_t n)
{
    buf_format(out, "%s certificate%s", NUMBER(n), n == 1 ? "" : "s");
}
