#include "massrevoke/csv.h"
#include "massrevoke/arena.h"

#include <stdlib.h>

#define WINDOW (4 * CSV_RECORD_MAX)

static const char too_long[] = "longer than 65536 bytes";

void csv_open(struct csv_reader *r, const char *name, struct source source)
{
    r->source = source;
    r->name = name;
    r->separator = ',';
    r->window = arena_grow(NULL, WINDOW);
    r->at = r->end = 0;
    r->line = 1;
    r->started = r->source_ended = r->after_cr = r->skipping = false;
}

void csv_close(struct csv_reader *r)
{
    free(r->window);
    r->window = NULL;
}

/* Moves what is unread to the front and reads until the window is full or the source ends. */
static bool fill(struct csv_reader *r, struct fault *f)
{
    memmove(r->window, r->window + r->at, r->end - r->at);
    r->end -= r->at;
    r->at = 0;
    while (!r->source_ended && r->end < WINDOW) {
        size_t got = 0;
        if (!r->source.read(r->source.context, r->window + r->end, WINDOW - r->end, &got, f))
            return false;
        r->end += got;
        r->source_ended = got == 0;
    }
    return true;
}

static bool start(struct csv_reader *r, struct fault *f)
{
    if (r->started)
        return true;
    if (!fill(r, f))
        return false;
    r->started = true;
    if (r->end >= 2 && (memcmp(r->window, "\xff\xfe", 2) == 0 || memcmp(r->window, "\xfe\xff", 2) == 0)) {
        fault_set(f, FAULT_FAILED, "%s is UTF-16, not UTF-8", r->name);
        return fault_hint(f, "save it as UTF-8, or: iconv -f UTF-16 -t UTF-8 FILE");
    }
    if (r->end >= 3 && memcmp(r->window, "\xef\xbb\xbf", 3) == 0)
        r->at = 3;
    return true;
}

bool csv_peek(struct csv_reader *r, struct str *head, struct fault *f)
{
    if (!start(r, f))
        return false;
    size_t n = r->end - r->at;
    *head = (struct str){r->window + r->at, n < CSV_RECORD_MAX ? n : CSV_RECORD_MAX};
    return true;
}

static size_t line_length(struct str s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r')
        i++;
    return i;
}

/* How a scan of a row from its first byte ended. */
enum scan { SCAN_ROW, SCAN_MORE, SCAN_BAD };

/* Length of the row at the start of s, its quotes followed as RFC 4180 section 2 has them. SCAN_MORE: s ends
 * before the row does. */
static enum scan scan_row(struct str s, char separator, size_t *length, const char **why)
{
    bool quoted = false, cell_start = true;
    size_t i = 0;
    for (; i < s.n && i <= CSV_RECORD_MAX; i++) {
        char c = s.p[i];
        if (quoted) {
            if (c != '"')
                continue;
            if (i + 1 == s.n)
                break;
            char next = s.p[i + 1];
            if (next == '"') {
                i++;
                continue;
            }
            quoted = false;
            *why = "text after a closing quote";
            if (next != separator && next != '\n' && next != '\r')
                return SCAN_BAD;
        } else if (c == '\n' || c == '\r') {
            *length = i;
            return SCAN_ROW;
        } else if (c == separator) {
            cell_start = true;
            continue;
        } else if (c == '"') {
            *why = "a quote inside an unquoted cell";
            if (!cell_start)
                return SCAN_BAD;
            quoted = true;
        }
        cell_start = false;
    }
    *length = i;
    *why = quoted ? "a quote that does not close within 65536 bytes" : too_long;
    return i > CSV_RECORD_MAX ? SCAN_BAD : SCAN_MORE;
}

/* The same at the end of the input: the last row needs no line end (RFC 4180 section 2, 2). */
static enum scan scan_last(struct str s, char separator, size_t *length, const char **why)
{
    bool quoted = false;
    for (size_t i = 0; separator != CSV_NO_SEPARATOR && i < s.n; i++)
        quoted ^= s.p[i] == '"';
    *length = s.n;
    *why = "a quote that never closes";
    return quoted ? SCAN_BAD : SCAN_ROW;
}

static enum scan scan(const struct csv_reader *r, size_t *length, const char **why)
{
    struct str s = {r->window + r->at, r->end - r->at};
    enum scan result;
    if (r->separator == CSV_NO_SEPARATOR) {
        *length = line_length(s);
        *why = too_long;
        result = *length > CSV_RECORD_MAX ? SCAN_BAD : *length < s.n ? SCAN_ROW : SCAN_MORE;
    } else {
        result = scan_row(s, r->separator, length, why);
    }
    return result == SCAN_MORE && r->source_ended ? scan_last(s, r->separator, length, why) : result;
}

/* Takes n bytes and the line end behind them, if one is there. The LF of a CRLF may not be in the window yet:
 * after_cr takes it later. */
static void take(struct csv_reader *r, size_t n)
{
    for (const char *p = r->window + r->at, *end = p + n; p < end; p++)
        r->line += *p == '\n' || (*p == '\r' && p[1] != '\n');
    r->at += n;
    if (r->at == r->end)
        return;
    r->after_cr = r->window[r->at] == '\r';
    r->at++;
    r->line++;
}

/* Drops the rest of a line that was longer than the window. */
static bool skip_line(struct csv_reader *r, struct fault *f)
{
    while (r->skipping) {
        size_t n = line_length((struct str){r->window + r->at, r->end - r->at});
        bool line_ends = n < r->end - r->at;
        take(r, n);
        r->skipping = !line_ends && !r->source_ended;
        if (r->skipping && !fill(r, f))
            return false;
    }
    return true;
}

static const char *foreign_bytes(struct str row)
{
    if (memchr(row.p, '\0', row.n) != NULL)
        return "holds a NUL byte";
    return str_is_utf8(row) ? NULL : "is not UTF-8";
}

/* Cuts a row that scan_row accepted into cells; escaped quotes are folded in place. NULL or why not. */
static const char *split(struct csv_reader *r, char *p, size_t n, size_t *count)
{
    char *end = p + n;
    for (*count = 0; *count < CSV_CELL_MAX;) {
        char *from = p, *to = p;
        if (r->separator != CSV_NO_SEPARATOR && p < end && *p == '"') {
            for (p++; *p != '"' || (p + 1 < end && p[1] == '"'); *to++ = *p++)
                p += *p == '"';
            p++;
        } else {
            char *stop = r->separator == CSV_NO_SEPARATOR ? NULL : memchr(p, r->separator, (size_t)(end - p));
            to = p = stop == NULL ? end : stop;
        }
        r->cells[(*count)++] = (struct str){from, (size_t)(to - from)};
        if (p == end)
            return NULL;
        p++;
    }
    return "more than 256 cells";
}

/* Finds the row at the window's start. False only on a fault. */
static bool find_row(struct csv_reader *r, size_t *length, const char **bad, struct fault *f)
{
    *bad = NULL;
    const char *why = NULL;
    enum scan result = scan(r, length, &why);
    if (result == SCAN_MORE) {
        if (!fill(r, f))
            return false;
        result = scan(r, length, &why);
    }
    if (result != SCAN_BAD)
        return true;
    *bad = why;
    /* only its first line is given up: what follows may be good rows */
    *length = line_length((struct str){r->window + r->at, r->end - r->at});
    r->skipping = *length == r->end - r->at;
    return true;
}

bool csv_next(struct csv_reader *r, struct csv_record *out, struct fault *f)
{
    *out = (struct csv_record){.cells = r->cells};
    if (!start(r, f))
        return false;
    for (;;) {
        if (!skip_line(r, f) || (r->at == r->end && !r->source_ended && !fill(r, f)))
            return false;
        if (r->after_cr && r->at < r->end && r->window[r->at] == '\n')
            r->at++;
        r->after_cr = false;
        if (r->at == r->end && r->source_ended) {
            out->end = true;
            return true;
        }
        size_t length;
        if (!find_row(r, &length, &out->bad, f))
            return false;
        struct str row = {r->window + r->at, length};
        char *bytes = r->window + r->at;
        out->line = r->line;
        take(r, length);
        if (out->bad == NULL && str_trim(row).n == 0)
            continue;
        if (out->bad == NULL)
            out->bad = foreign_bytes(row);
        if (out->bad == NULL)
            out->bad = split(r, bytes, length, &out->count);
        if (out->bad != NULL)
            out->count = 0;
        return true;
    }
}

char csv_guess_separator(struct str header)
{
    bool quoted = false;
    for (size_t i = 0; i < line_length(header); i++) {
        char c = header.p[i];
        quoted ^= c == '"';
        if (!quoted && (c == ',' || c == ';' || c == '\t'))
            return c;
    }
    return ',';
}

static bool blank_at_an_end(struct str cell)
{
    return cell.n > 0 && str_trim(cell).n != cell.n;
}

void csv_cell(struct csv_writer *w, struct str cell)
{
    if (w->inside)
        buf_text(w->out, ",");
    w->inside = true;
    bool guard = w->guard && cell.n > 0 && memchr("=+-@\t\r", cell.p[0], 6) != NULL;
    bool quote = blank_at_an_end(cell);
    for (size_t i = 0; i < cell.n && !quote; i++)
        quote = memchr(",\"\r\n", cell.p[i], 4) != NULL;
    if (quote)
        buf_text(w->out, "\"");
    if (guard)
        buf_text(w->out, "'");
    size_t from = 0;
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] != '"')
            continue;
        buf_add(w->out, cell.p + from, i + 1 - from); /* up to the quote, which comes again with the rest */
        from = i;
    }
    buf_add(w->out, cell.p + from, cell.n - from);
    if (quote)
        buf_text(w->out, "\"");
}

void csv_text(struct csv_writer *w, const char *cell)
{
    csv_cell(w, str_of(cell));
}

void csv_end_row(struct csv_writer *w)
{
    buf_text(w->out, w->crlf ? "\r\n" : "\n");
    w->inside = false;
}
