/* A profile at work: templates filled in, answers judged (backend.h). */
#include "backend_parts.h"
#include "massrevoke/hex.h"
#include "massrevoke/json.h"

#include <stdlib.h>
#include <strings.h>

unsigned backend_reasons(const char *const words[static BACKEND_REASONS])
{
    unsigned bits = 0;
    for (unsigned code = 0; code < BACKEND_REASONS; code++)
        bits |= (words[code] != NULL ? 1U : 0U) << code;
    return bits;
}

/* --- out --- */

/* RFC 3986: everything but the unreserved characters. */
static void add_encoded(const char *text, struct buf *out)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char digits[3];
    for (const char *c = text; *c != '\0'; c++)
        if (strchr(unreserved, *c) != NULL)
            buf_add(out, c, 1);
        else
            buf_format(out, "%%%s", hex_upper(c, 1, digits));
}

static const enum serial_spelling spellings[BACKEND_VALUE_COUNT] = {
    [BACKEND_SERIAL_HEX] = SERIAL_HEX,       [BACKEND_SERIAL_DECIMAL] = SERIAL_DECIMAL,
    [BACKEND_SERIAL_COLON] = SERIAL_COLONS,  [BACKEND_SERIAL_PREFIXED] = SERIAL_PREFIXED,
    [BACKEND_SERIAL_PADDED] = SERIAL_PADDED,
};

static void add_part(const struct backend_part *part, const struct backend_values *v, struct buf *out)
{
    char digits[SERIAL_SPELLING_TEXT];
    switch (part->value) {
    case BACKEND_TEXT:
        buf_add(out, part->text.p, part->text.n);
        break;
    case BACKEND_SERIAL_HEX:
    case BACKEND_SERIAL_DECIMAL:
    case BACKEND_SERIAL_COLON:
    case BACKEND_SERIAL_PREFIXED:
    case BACKEND_SERIAL_PADDED:
        buf_text(out, serial_spell(v->serial, spellings[part->value], digits));
        break;
    case BACKEND_AKI:
        buf_text(out, v->aki);
        break;
    case BACKEND_REASON_NAME:
        buf_text(out, v->reason_name);
        break;
    case BACKEND_REASON_CODE:
        buf_format(out, "%d", v->reason_code);
        break;
    case BACKEND_ISSUER_NAME:
        add_encoded(v->issuer_name, out);
        break;
    case BACKEND_TOKEN:
        buf_text(out, v->token);
        break;
    case BACKEND_PREPARED:
        buf_text(out, v->prepared);
        break;
    case BACKEND_SERIAL_LIST:
        buf_text(out, v->serials);
        break;
    case BACKEND_DATE:
        buf_text(out, v->date);
        break;
    case BACKEND_VALUE_COUNT:
        break;
    }
}

void backend_expand(const struct backend_template *t, const struct backend_values *v, struct buf *out)
{
    for (size_t i = 0; i < t->count; i++)
        add_part(&t->parts[i], v, out);
}

/* --- in --- */

/* One reference token of RFC 6901: ~1 is '/', ~0 is '~'. */
static void unescape(struct str token, struct buf *out)
{
    for (size_t i = 0; i < token.n; i++) {
        bool escaped = token.p[i] == '~' && i + 1 < token.n;
        buf_text(out, escaped && token.p[i + 1] == '1' ? "/" : "");
        buf_text(out, escaped && token.p[i + 1] == '0' ? "~" : "");
        if (escaped)
            i++;
        else
            buf_add(out, &token.p[i], 1);
    }
}

static const json_t *pointed(const json_t *doc, const char *pointer)
{
    struct str rest = str_of(pointer + 1);
    while (doc != NULL && rest.p != NULL) {
        AUTO_BUF key = {0};
        unescape(str_cut(&rest, '/'), &key);
        const char *name = key.p == NULL ? "" : key.p;
        bool index = name[0] != '\0' && strspn(name, "0123456789") == strlen(name) && strlen(name) < 9;
        doc = json_is_object(doc)           ? json_object_get(doc, name)
              : json_is_array(doc) && index ? json_array_get(doc, strtoul(name, NULL, 10))
                                            : NULL;
    }
    return doc;
}

/* A scalar as a profile writes it; nothing for objects and arrays. */
static void add_scalar(const json_t *value, struct buf *out)
{
    if (json_is_string(value))
        buf_add(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_format(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        buf_text(out, json_is_true(value) ? "true" : "false");
    else if (json_is_null(value))
        buf_text(out, "null");
}

static bool contains(struct str body, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= body.n; i++)
        if (strncasecmp(body.p + i, words, n) == 0)
            return true;
    return false;
}

static bool fits(const struct backend_row *row, long http, struct str body, const json_t *doc)
{
    if (http < row->http_from || http > row->http_to || (row->empty && body.n > 0) ||
        (row->contains != NULL && !contains(body, row->contains)))
        return false;
    if (row->json == NULL)
        return true;
    AUTO_BUF got = {0};
    const json_t *value = pointed(doc, row->json);
    add_scalar(value, &got);
    return value != NULL && (row->is == NULL || str_is(buf_str(&got), row->is));
}

/* Seconds since 1970 or RFC 3339 with or without a fraction. */
static bool read_date(const json_t *value, struct utc *out)
{
    struct fault ignored;
    if (json_is_integer(value)) {
        *out = (struct utc){json_integer_value(value)};
        return out->s > 0 && out->s < INT64_C(253402300800); /* the year 10000 */
    }
    if (!json_is_string(value) || json_string_length(value) > 40)
        return false;
    AUTO_BUF text = {0};
    const char *p = json_string_value(value);
    size_t fraction = strcspn(p, ".");
    buf_add(&text, p, fraction);
    if (p[fraction] == '.')
        buf_text(&text, p + fraction + 1 + strspn(p + fraction + 1, "0123456789"));
    return text.n > 0 && utc_parse(text.p, out, &ignored);
}

/* The product's word, RFC 5280's name or the code. */
static int read_reason(const struct backend *b, const json_t *value)
{
    AUTO_BUF text = {0};
    add_scalar(value, &text);
    if (text.n == 0)
        return -1;
    for (int code = 0; code < BACKEND_REASONS; code++)
        if (b->words[code] != NULL && strcasecmp(b->words[code], text.p) == 0)
            return code;
    bool number = text.n <= 2 && strspn(text.p, "0123456789") == text.n;
    int code = number ? (int)strtol(text.p, NULL, 10) : reason_from_name(buf_str(&text));
    return reason_name(code) == NULL ? -1 : code;
}

struct backend_verdict backend_judge(const struct backend *b, const struct backend_request *r, long http,
                                     struct str body)
{
    struct fault ignored;
    json_t *read = NULL;
    if (body.n > 0)
        (void)!json_read("answer", body, &read, &ignored);
    AUTO_JSON *doc = read;
    for (size_t i = 0; i < r->row_count; i++) {
        const struct backend_row *row = &r->rows[i];
        struct backend_verdict v = {.meaning = row->meaning, .at = UTC_NONE, .reason = -1};
        if (!fits(row, http, body, doc) || (row->date != NULL && !read_date(pointed(doc, row->date), &v.at)))
            continue;
        if (row->reason != NULL)
            v.reason = read_reason(b, pointed(doc, row->reason));
        return v;
    }
    return (struct backend_verdict){.meaning = BACKEND_ASK, .at = UTC_NONE, .reason = -1};
}

bool backend_taken(const struct backend *b, struct str body, struct buf *out)
{
    struct fault ignored;
    json_t *read = NULL;
    buf_clear(out);
    if (!json_read("answer", body, &read, &ignored))
        return false;
    AUTO_JSON *doc = read;
    add_scalar(pointed(doc, b->taken), out);
    bool plain = out->n > 0 && out->n <= 64;
    for (size_t i = 0; plain && i < out->n; i++)
        plain = out->p[i] != '\0' && strchr(backend_word_letters, out->p[i]) != NULL;
    return plain;
}
