#include "massrevoke/http_answer.h"
#include "massrevoke/hex.h"

#include <strings.h>

#define LENGTH_DIGITS 9 /* of a length, decimal or hex: far above what anybody keeps */

/* How the end of the body is told. */
struct framing {
    bool chunked, sized, closes;
    size_t length;
};

/* The next line, without its end; false: it is not there yet. A lone LF ends one, too (RFC 9112 2.2). */
static bool take_line(struct str *rest, struct str *line)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    if (end == NULL)
        return false;
    *line = (struct str){rest->p, (size_t)(end - rest->p)};
    *rest = (struct str){end + 1, rest->n - line->n - 1};
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_named(struct str name, const char *want)
{
    return name.n == strlen(want) && strncasecmp(name.p, want, name.n) == 0;
}

/* "HTTP/1.1 200 OK", the words may be missing. */
static bool read_status(struct str line, int *status, bool *closes)
{
    if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || (line.p[7] != '0' && line.p[7] != '1') ||
        line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' '))
        return false;
    const char *code = line.p + 9;
    if (code[0] < '1' || !is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]))
        return false;
    *status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    *closes = line.p[7] == '0';
    return true;
}

/* Digits of the base and nothing else. */
static bool read_length(struct str s, unsigned base, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        int digit = hex_digit(s.p[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return false;
        *out = *out * base + (unsigned)digit;
    }
    return s.n > 0 && s.n <= LENGTH_DIGITS;
}

static bool has_close(struct str list)
{
    bool found = false;
    while (list.p != NULL)
        found = is_named(str_trim(str_cut(&list, ',')), "close") || found;
    return found;
}

static bool read_header(struct str line, struct framing *how, struct http_answer *out)
{
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return true; /* goes on with a header: of those below it never is a part */
    const char *colon = memchr(line.p, ':', line.n);
    if (colon == NULL || colon == line.p || colon[-1] == ' ' || colon[-1] == '\t')
        return false;
    struct str name = {line.p, (size_t)(colon - line.p)};
    struct str value = str_trim((struct str){colon + 1, line.n - name.n - 1});
    size_t length;
    if (is_named(name, "Content-Length")) {
        if (!read_length(value, 10, &length) || (how->sized && how->length != length))
            return false;
        how->sized = true;
        how->length = length;
    } else if (is_named(name, "Transfer-Encoding")) {
        if (how->chunked || !is_named(value, "chunked"))
            return false;
        how->chunked = true;
    } else if (is_named(name, "Connection")) {
        how->closes = how->closes || has_close(value);
    } else if (is_named(name, "Retry-After")) {
        out->retry_after = value;
    }
    return true;
}

/* Status line and headers up to the empty line. */
static enum http_reading read_head(struct str *rest, struct framing *how, struct http_answer *out)
{
    struct str line;
    *how = (struct framing){0};
    *out = (struct http_answer){0};
    if (!take_line(rest, &line))
        return HTTP_MORE;
    if (!read_status(line, &out->status, &how->closes))
        return HTTP_WRONG;
    while (take_line(rest, &line)) {
        if (line.n == 0)
            return HTTP_WHOLE;
        if (memchr(line.p, '\0', line.n) != NULL || !read_header(line, how, out))
            return HTTP_WRONG;
    }
    return HTTP_MORE;
}

/* Chunks, the last one and the trailer. */
static enum http_reading read_chunks(struct str *rest, struct buf *body)
{
    struct str line;
    while (take_line(rest, &line)) {
        size_t length;
        struct str size = str_trim(str_cut(&line, ';'));
        if (!read_length(size, 16, &length))
            return HTTP_WRONG;
        if (length == 0) {
            while (take_line(rest, &line))
                if (line.n == 0)
                    return HTTP_WHOLE;
            return HTTP_MORE;
        }
        if (rest->n < length)
            return HTTP_MORE;
        buf_add(body, rest->p, length);
        *rest = (struct str){rest->p + length, rest->n - length};
        if (!take_line(rest, &line))
            return HTTP_MORE;
        if (line.n > 0)
            return HTTP_WRONG;
    }
    return HTTP_MORE;
}

/* A body with neither length nor chunks ends with the connection. */
static enum http_reading read_body(struct str *rest, struct framing *how, int status, bool ended,
                                   struct buf *body)
{
    if (status == 204 || status == 304)
        return HTTP_WHOLE;
    if (how->chunked) {
        how->closes = how->closes || how->sized; /* RFC 9112 6.1: somebody on the way is confused */
        return read_chunks(rest, body);
    }
    how->closes = how->closes || !how->sized;
    size_t length = how->sized ? how->length : rest->n;
    if (rest->n < length || (!how->sized && !ended))
        return HTTP_MORE;
    buf_add(body, rest->p, length);
    *rest = (struct str){rest->p + length, rest->n - length};
    return HTTP_WHOLE;
}

enum http_reading http_answer_read(struct str bytes, bool ended, struct http_answer *out, struct buf *body)
{
    struct str rest = bytes;
    struct framing how;
    enum http_reading is;
    buf_clear(body);
    do {
        is = read_head(&rest, &how, out);
        if (is == HTTP_WHOLE && out->status == 101)
            is = HTTP_WRONG; /* nobody asked for another protocol */
    } while (is == HTTP_WHOLE && out->status < 200);
    if (is == HTTP_WHOLE)
        is = read_body(&rest, &how, out->status, ended, body);
    out->used = bytes.n - rest.n;
    out->keeps = !how.closes;
    return is == HTTP_MORE && ended ? HTTP_WRONG : is;
}
