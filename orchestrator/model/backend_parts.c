#include "backend_parts.h"

const char *const backend_meanings[BACKEND_MEANING_COUNT + 1] = {
    "revoked", "revoked_before", "not_revoked", "unknown", "wait", "ask", "stop", "person", NULL,
};

/* In the order of enum backend_value. */
static const char *const values[BACKEND_VALUE_COUNT] = {
    "",        "serial.hex",  "serial.decimal", "serial.colon", "serial.prefixed", "serial.padded",
    "aki",     "reason.name", "reason.code",    "issuer.name",  "token",           "prepared",
    "serials", "date",
};

const char backend_word_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const struct guard_key backend_reason_keys[] = {
    {.name = "reason", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "word", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {0},
};

enum backend_meaning backend_meaning_named(const char *name)
{
    for (int m = 0; m < BACKEND_MEANING_COUNT; m++)
        if (strcmp(backend_meanings[m], name) == 0)
            return (enum backend_meaning)m;
    return BACKEND_ASK;
}

/* --- templates --- */

/* The value whose name begins behind a brace and ends with the other; *n its length. A brace followed by
 * anything else is text: bodies are JSON. */
static bool braces(const char *at, size_t *n)
{
    *n = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz._");
    return *at == '{' && *n > 0 && at[1 + *n] == '}';
}

static enum backend_value value_named(const char *name, size_t n)
{
    for (int v = BACKEND_TEXT + 1; v < BACKEND_VALUE_COUNT; v++)
        if (strlen(values[v]) == n && memcmp(values[v], name, n) == 0)
            return (enum backend_value)v;
    return BACKEND_TEXT;
}

struct backend_template backend_take_template(struct guard *g, const struct guard_node *n, unsigned *used)
{
    const char *text = n->given && n->text != NULL ? n->text : "";
    struct backend_part *parts = arena_array(g->arena, 2 * strlen(text) + 1, sizeof *parts);
    struct backend_template out = {.parts = parts};
    while (*text != '\0') {
        size_t length = 0;
        struct backend_part *part = &parts[out.count++];
        if (braces(text, &length)) {
            part->value = value_named(text + 1, length);
            if (part->value == BACKEND_TEXT)
                guard_problem(g, n, "unknown value {%.*s}", (int)length, text + 1);
            *used |= 1U << part->value;
            text += length + 2;
            continue;
        }
        for (length = 1; text[length] != '\0' && text[length] != '{';)
            length++;
        part->text = (struct str){text, length};
        text += length;
    }
    return out;
}

struct backend_template backend_take_serial(struct guard *g, const struct guard_node *n)
{
    unsigned used = 0;
    struct backend_template out = backend_take_template(g, n, &used);
    if (n->given && ((used & BACKEND_SERIALS) == 0 || out.count != 1))
        guard_problem(g, n, "expected one form of the serial, as \"{serial.decimal}\"");
    return out;
}

/* --- reasons --- */

void backend_take_reasons(struct guard *g, const char *words[static BACKEND_REASONS], bool sent)
{
    const struct guard_node *list = guard_get(&g->root, "reasons");
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *name = guard_get(&list->inside[i], "reason");
        int code = name->given ? reason_from_name(str_of(name->text)) : -1;
        if (name->given && code < 0)
            guard_problem(g, name, "'%.40s' is no reason of RFC 5280", name->text);
        if (code < 0)
            continue;
        if (words[code] != NULL)
            guard_problem(g, name, "'%.40s' stands here twice", name->text);
        const struct guard_node *word = guard_get(&list->inside[i], "word");
        words[code] = word->given ? word->text : "";
        if (word->given && strspn(word->text, backend_word_letters) != strlen(word->text))
            guard_problem(g, word, "letters, digits, '-' and '_' only: it goes into JSON and paths as it is");
        if (!sent && code != REASON_UNSPECIFIED)
            guard_problem(g, name, "revoke sends no reason, so unspecified is all it can express");
    }
}
