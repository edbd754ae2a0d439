#include "template.h"

#define KEY_MAX 40

/* Where a rendering stands. */
struct walk {
    const struct template *t;
    const struct template_values *values;
    const struct template_list *list; /* the list we are inside of, or NULL */
    size_t row, at;
    int depth;
    struct buf *out;
    struct fault *f;
};

struct tag {
    char sigil; /* '#', '^', '/' or 0 */
    struct str key;
    size_t from, to; /* what it takes of the text, its line included when it stands alone */
    size_t start;    /* of "{{", for messages */
};

static bool wrong(struct walk *w, size_t at, const char *what, struct str key)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += w->t->text.p[i] == '\n';
    return fault_set(w->f, FAULT_CONFIG, "%s:%zu: %s '%.*s'", w->t->name, line, what, (int)key.n, key.p);
}

/* Length of the character at p, 0 when it is not well-formed UTF-8. */
static size_t character(const char *p, size_t n)
{
    for (size_t k = 1; k <= 4 && k <= n; k++)
        if (str_is_utf8((struct str){p, k}))
            return k;
    return 0;
}

/* Characters that end a line or turn the reading direction: a name must not be able to rewrite a notice. */
static bool harmful(const char *p, size_t k)
{
    unsigned char a = (unsigned char)p[0], b = k > 1 ? (unsigned char)p[1] : 0,
                  c = k > 2 ? (unsigned char)p[2] : 0;
    return (k == 1 && (a < 0x20 || a == 0x7f)) || (a == 0xc2 && b < 0xa0) ||
           (a == 0xe2 && b == 0x80 && c >= 0xa8 && c <= 0xae) ||
           (a == 0xe2 && b == 0x81 && c >= 0xa6 && c <= 0xa9);
}

static void one_line(struct buf *out, const char *text, bool double_quotes)
{
    for (size_t n = strlen(text), i = 0; i < n;) {
        size_t k = character(text + i, n - i);
        if (k == 0 || harmful(text + i, k))
            buf_text(out, k == 0 ? "?" : " ");
        else
            buf_add(out, text + i, k);
        if (double_quotes && text[i] == '"')
            buf_text(out, "\"");
        i += k == 0 ? 1 : k;
    }
}

/* RFC 4180, and a leading quote where a spreadsheet would read a formula. */
static void csv_cell(struct buf *out, const char *text)
{
    bool formula = text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL;
    bool quote = formula || strpbrk(text, ",\"\r\n") != NULL;
    buf_text(out, quote ? "\"" : "");
    buf_text(out, formula ? "'" : "");
    one_line(out, text, quote);
    buf_text(out, quote ? "\"" : "");
}

static void emit_value(struct walk *w, const char *text)
{
    if (w->t->part == TEMPLATE_CSV)
        csv_cell(w->out, text);
    else
        one_line(w->out, text, false);
}

/* The text of a key; inside a list its columns first. `live` false: the row need not exist. */
static const char *lookup(const struct walk *w, struct str key, bool live)
{
    for (size_t i = 0; w->list != NULL && i < w->list->column_count; i++)
        if (str_is(key, w->list->columns[i]))
            return live ? w->list->cells[w->row * w->list->column_count + i] : "";
    for (size_t i = 0; i < w->values->count; i++)
        if (str_is(key, w->values->names[i]))
            return w->values->texts[i];
    return NULL;
}

static const struct template_list *find_list(const struct walk *w, struct str key)
{
    for (size_t i = 0; i < w->values->list_count; i++)
        if (str_is(key, w->values->lists[i].name))
            return &w->values->lists[i];
    return NULL;
}

static bool key_ok(struct str key)
{
    if (key.n == 0 || key.n > KEY_MAX)
        return false;
    for (size_t i = 0; i < key.n; i++)
        if (!(key.p[i] >= 'a' && key.p[i] <= 'z') && !(key.p[i] >= '0' && key.p[i] <= '9') && key.p[i] != '_')
            return false;
    return true;
}

/* Widens a section's tag over its line when nothing else stands on it. */
static void take_line(struct str text, struct tag *tag)
{
    size_t from = tag->from, to = tag->to;
    while (from > 0 && (text.p[from - 1] == ' ' || text.p[from - 1] == '\t'))
        from--;
    while (to < text.n && (text.p[to] == ' ' || text.p[to] == '\t' || text.p[to] == '\r'))
        to++;
    if ((from > 0 && text.p[from - 1] != '\n') || (to < text.n && text.p[to] != '\n'))
        return;
    tag->from = from;
    tag->to = to < text.n ? to + 1 : to;
}

/* Finds the next tag; tag->start is the end of the text when there is none. */
static bool next_tag(struct walk *w, struct tag *tag)
{
    struct str text = w->t->text;
    const char *rest = text.p + w->at, *open = memmem(rest, text.n - w->at, "{{", 2);
    *tag = (struct tag){.from = text.n, .to = text.n, .start = text.n};
    if (open == NULL)
        return true;
    tag->start = tag->from = (size_t)(open - text.p);
    size_t left = text.n - tag->from - 2, longest = left < KEY_MAX + 8 ? left : KEY_MAX + 8;
    const char *close = memmem(open + 2, longest, "}}", 2);
    if (close == NULL)
        return wrong(w, tag->start,
                     "tag is not closed by }}:", (struct str){open, longest < 12 ? longest + 2 : 14});
    tag->to = (size_t)(close - text.p) + 2;
    struct str inner = str_trim((struct str){open + 2, (size_t)(close - open) - 2});
    if (inner.n > 0 && memchr("#^/", inner.p[0], 3) != NULL) {
        tag->sigil = inner.p[0];
        inner = str_trim((struct str){inner.p + 1, inner.n - 1});
        take_line(text, tag);
        // The tag before may have taken the line's beginning already.
        tag->from = tag->from < w->at ? w->at : tag->from;
    }
    tag->key = inner;
    return key_ok(inner) || wrong(w, tag->start, "not a name (a-z, 0-9, _):", inner);
}

static bool block(struct walk *w, struct tag opened, bool live);

static bool repeat(struct walk *w, struct tag tag, const struct template_list *list, bool live)
{
    if (w->list != NULL)
        return wrong(w, tag.start, "a list inside a list:", tag.key);
    if (tag.sigil == '^')
        return block(w, tag, live && list->row_count == 0);
    size_t body = w->at, rows = live ? list->row_count : 0;
    w->list = list;
    // With no row the body is still walked once: its names are checked.
    bool ok = rows > 0 || block(w, tag, false);
    for (w->row = 0; ok && w->row < rows; w->row++) {
        w->at = body;
        ok = block(w, tag, true);
    }
    w->list = NULL;
    return ok;
}

static bool section(struct walk *w, struct tag tag, bool live)
{
    if (w->depth == TEMPLATE_DEPTH)
        return wrong(w, tag.start, "sections too deep at", tag.key);
    const struct template_list *list = find_list(w, tag.key);
    const char *text = list == NULL ? lookup(w, tag.key, live) : "";
    if (text == NULL)
        return wrong(w, tag.start, "no value is named", tag.key);
    w->depth++;
    bool ok = list != NULL ? repeat(w, tag, list, live)
                           : block(w, tag, live && (text[0] != '\0') == (tag.sigil == '#'));
    w->depth--;
    return ok;
}

/* Walks to the end of the section `opened` (key empty: of the template); writes when live. */
static bool block(struct walk *w, struct tag opened, bool live)
{
    for (;;) {
        struct tag tag;
        if (!next_tag(w, &tag))
            return false;
        if (live)
            buf_add(w->out, w->t->text.p + w->at, tag.from - w->at);
        w->at = tag.to;
        if (tag.key.n == 0 && opened.key.n > 0)
            return wrong(w, opened.start, "section is not closed:", opened.key);
        const char *text = tag.key.n > 0 && tag.sigil == 0 ? lookup(w, tag.key, live) : "";
        if (text == NULL)
            return wrong(w, tag.start, "no value is named", tag.key);
        if (live && tag.sigil == 0)
            emit_value(w, text);
        if (w->out->n > TEMPLATE_OUT_MAX)
            return wrong(w, tag.start, "more text than allowed comes out at", tag.key);
        if (tag.key.n == 0)
            return true;
        if (tag.sigil == '/')
            return str_equal(tag.key, opened.key) || wrong(w, tag.start, "closes nothing:", tag.key);
        if (tag.sigil != 0 && !section(w, tag, live))
            return false;
    }
}

bool template_render(const struct template *t, const struct template_values *values, struct buf *out,
                     struct fault *f)
{
    if (t->text.n > TEMPLATE_MAX)
        return fault_set(f, FAULT_CONFIG, "%s: larger than %zu bytes", t->name, TEMPLATE_MAX);
    if (!str_is_utf8(t->text))
        return fault_set(f, FAULT_CONFIG, "%s: not well-formed UTF-8", t->name);
    struct walk w = {.t = t, .values = values, .out = out, .f = f};
    return block(&w, (struct tag){0}, true);
}
