/* A profile of plans/backends: schema, checks across keys, and into the value. */
#include "massrevoke/backend.h"
#include "massrevoke/guard.h"
#include "plans.h"

#include <ctype.h>
#include <strings.h>

static const char *const meanings[BACKEND_MEANING_COUNT + 1] = {
    "revoked", "revoked_before", "not_revoked", "unknown", "wait", "ask", "stop", "person", NULL,
};

static const char *const methods[] = {"POST", "PUT", "GET", NULL};

/* In the order of enum backend_value. */
static const char *const values[BACKEND_VALUE_COUNT] = {
    "", "serial.hex", "serial.decimal", "serial.colon", "aki", "reason.name", "reason.code", "issuer.name",
};

static const char word_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const struct guard_key row_keys[] = {
    {.name = "http", .type = GUARD_INT, .required = true, .min = 100, .max = 599},
    {.name = "to", .type = GUARD_INT, .min = 100, .max = 599},
    {.name = "json", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "is", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "contains", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "empty", .type = GUARD_BOOL},
    {.name = "outcome", .type = GUARD_TEXT, .required = true, .words = meanings},
    {.name = "date", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "reason", .type = GUARD_TEXT, .min = 1, .max = 200},
    {0},
};

static const struct guard_key request_keys[] = {
    {.name = "method", .type = GUARD_TEXT, .required = true, .words = methods},
    {.name = "path", .type = GUARD_TEXT, .required = true, .min = 1, .max = 1000},
    {.name = "headers", .type = GUARD_TEXTS, .min = 0, .max = 20},
    {.name = "body", .type = GUARD_TEXT, .min = 1, .max = 4000},
    {.name = "answers", .type = GUARD_LIST, .required = true, .min = 1, .max = 100, .keys = row_keys},
    {0},
};

static const struct guard_key reason_keys[] = {
    {.name = "reason", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "word", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {0},
};

static const struct guard_key record_keys[] = {
    {.name = "serial", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "query", .type = GUARD_TEXT, .required = true, .min = 1, .max = 4000},
    {0},
};

static const struct guard_key backend_keys[] = {
    GUARD_VERSION,
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "keeps_first_date", .type = GUARD_BOOL, .required = true},
    {.name = "quiet", .type = GUARD_SPAN, .required = true, .min = 1, .max = 3600},
    {.name = "concurrency", .type = GUARD_INT, .required = true, .min = 1, .max = 1000},
    {.name = "token_header", .type = GUARD_TEXT, .min = 1, .max = 64},
    {.name = "reasons", .type = GUARD_LIST, .required = true, .min = 1, .max = 10, .keys = reason_keys},
    {.name = "revoke", .type = GUARD_GROUP, .required = true, .keys = request_keys},
    {.name = "status", .type = GUARD_GROUP, .keys = request_keys},
    {.name = "record", .type = GUARD_GROUP, .keys = record_keys},
    {0},
};

/* --- templates --- */

/* Text that may stand in a request line or header line. */
static bool is_line(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return true;
}

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

static struct backend_template take_template(struct guard *g, const struct guard_node *n, unsigned *used)
{
    const char *text = n->given ? n->text : "";
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

/* --- answers --- */

static enum backend_meaning meaning_named(const char *name)
{
    for (int m = 0; m < BACKEND_MEANING_COUNT; m++)
        if (strcmp(meanings[m], name) == 0)
            return (enum backend_meaning)m;
    return BACKEND_ASK;
}

static struct backend_row row_of(const struct guard_node *n)
{
    long from = (long)guard_int(n, "http", 0);
    return (struct backend_row){
        .http_from = from,
        .http_to = (long)guard_int(n, "to", from),
        .json = guard_text(n, "json", NULL),
        .is = guard_text(n, "is", NULL),
        .contains = guard_text(n, "contains", NULL),
        .empty = guard_bool(n, "empty", false),
        .meaning = meaning_named(guard_text(n, "outcome", "ask")),
        .date = guard_text(n, "date", NULL),
        .reason = guard_text(n, "reason", NULL),
    };
}

/* A row that would believe a proxy's error page, a login form or a wrong path is refused. */
static void check_row(struct guard *g, const struct guard_node *n, const struct backend_row *row, bool status)
{
    static const char *const pointers[] = {"json", "date", "reason"};
    bool proof = row->json != NULL || row->contains != NULL || row->empty;
    bool fine = row->http_from >= 200 && row->http_to <= 299;
    enum backend_meaning m = row->meaning;
    if (row->http_to < row->http_from)
        guard_problem(g, guard_get(n, "to"), "is below `http`");
    if ((m == BACKEND_REVOKED || m == BACKEND_NOT_REVOKED) && !fine)
        guard_problem(g, guard_get(n, "http"), "only 200 to 299 can say %s", meanings[m]);
    if ((m == BACKEND_REVOKED || m == BACKEND_NOT_REVOKED || m == BACKEND_UNKNOWN) && !proof)
        guard_problem(g, n, "%s needs a proof in the body: json, contains or empty", meanings[m]);
    if (m == BACKEND_REVOKED && status)
        guard_problem(g, guard_get(n, "outcome"), "a status only says revoked_before");
    if (m == BACKEND_NOT_REVOKED && !status)
        guard_problem(g, guard_get(n, "outcome"), "only a status can say not_revoked");
    if (row->is != NULL && row->json == NULL)
        guard_problem(g, guard_get(n, "is"), "there is no `json` to compare with");
    if (row->empty &&
        (row->json != NULL || row->contains != NULL || row->date != NULL || row->reason != NULL))
        guard_problem(g, guard_get(n, "empty"), "an empty body holds nothing else");
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        const char *pointer = guard_text(n, pointers[i], "/");
        if (pointer[0] != '/')
            guard_problem(g, guard_get(n, pointers[i]), "a JSON pointer begins with '/'");
    }
}

#define SERIALS (1U << BACKEND_SERIAL_HEX | 1U << BACKEND_SERIAL_DECIMAL | 1U << BACKEND_SERIAL_COLON)

static struct backend_request take_request(struct guard *g, const struct guard_node *n, bool status,
                                           unsigned *used)
{
    const struct guard_node *answers = guard_get(n, "answers"), *headers = guard_get(n, "headers");
    struct backend_row *rows = arena_array(g->arena, answers->count, sizeof *rows);
    const char **lines = arena_array(g->arena, headers->count, sizeof *lines);
    for (size_t i = 0; i < answers->count; i++) {
        rows[i] = row_of(&answers->inside[i]);
        check_row(g, &answers->inside[i], &rows[i], status);
    }
    for (size_t i = 0; i < headers->count; i++) {
        lines[i] = headers->inside[i].text == NULL ? "" : headers->inside[i].text;
        if (!is_line(lines[i]) || strchr(lines[i], ':') == NULL || !isalpha((unsigned char)lines[i][0]))
            guard_problem(g, &headers->inside[i], "expected one header line, as \"Accept: text/plain\"");
    }
    *used = 0;
    struct backend_request out = {.method = n->given ? guard_text(n, "method", "") : NULL,
                                  .path = take_template(g, guard_get(n, "path"), used),
                                  .body = take_template(g, guard_get(n, "body"), used),
                                  .headers = lines,
                                  .header_count = headers->count,
                                  .rows = rows,
                                  .row_count = answers->count};
    const char *path = guard_text(n, "path", "/");
    if (path[0] != '/' || !is_line(path) || strchr(path, ' ') != NULL)
        guard_problem(g, guard_get(n, "path"), "expected a path that begins with '/' and has no blanks");
    if (n->given && (*used & SERIALS) == 0)
        guard_problem(g, n, "neither path nor body names the serial");
    if (out.method != NULL && strcmp(out.method, "GET") == 0 && out.body.count > 0)
        guard_problem(g, guard_get(n, "body"), "a GET has no body");
    return out;
}

/* --- the whole --- */

static void take_reasons(struct guard *g, struct backend *b, bool sent)
{
    const struct guard_node *list = guard_get(&g->root, "reasons");
    for (size_t i = 0; i < list->count; i++) {
        const struct guard_node *name = guard_get(&list->inside[i], "reason");
        int code = name->given ? reason_from_name(str_of(name->text)) : -1;
        if (name->given && code < 0)
            guard_problem(g, name, "'%.40s' is no reason of RFC 5280", name->text);
        if (code < 0)
            continue;
        if (b->words[code] != NULL)
            guard_problem(g, name, "'%.40s' stands here twice", name->text);
        const struct guard_node *word = guard_get(&list->inside[i], "word");
        b->words[code] = word->given ? word->text : "";
        if (word->given && strspn(word->text, word_letters) != strlen(word->text))
            guard_problem(g, word, "letters, digits, '-' and '_' only: it goes into JSON and paths as it is");
        if (!sent && code != REASON_UNSPECIFIED)
            guard_problem(g, name, "revoke sends no reason, so unspecified is all it can express");
    }
}

static struct backend_record take_record(struct guard *g, const struct guard_node *n)
{
    unsigned used = 0;
    struct backend_record out = {.query = n->given ? guard_text(n, "query", "") : NULL,
                                 .serial = take_template(g, guard_get(n, "serial"), &used)};
    if (!n->given)
        return out;
    if (strstr(out.query, "$1") == NULL || strstr(out.query, "$2") == NULL)
        guard_problem(g, guard_get(n, "query"), "needs $1, the issuer's key identifier, and $2, the serials");
    if ((used & SERIALS) == 0 || (used & ~SERIALS) != 0 || out.serial.count != 1)
        guard_problem(g, guard_get(n, "serial"), "expected one form of the serial, as \"{serial.decimal}\"");
    if (guard_get(&g->root, "status")->given)
        guard_problem(g, n, "give `status` or `record`, not both");
    return out;
}

static void take(struct guard *g, struct backend *b)
{
    const struct guard_node *root = &g->root;
    unsigned in_revoke, in_status;
    b->name = guard_text(root, "name", "");
    b->keeps_first_date = guard_bool(root, "keeps_first_date", false);
    b->quiet = guard_span(root, "quiet", (struct span){0});
    b->concurrency = (int)guard_int(root, "concurrency", 1);
    b->token_header = guard_text(root, "token_header", NULL);
    if (b->token_header != NULL && strspn(b->token_header, word_letters) != strlen(b->token_header))
        guard_problem(g, guard_get(root, "token_header"), "expected the name of a header");
    b->revoke = take_request(g, guard_get(root, "revoke"), false, &in_revoke);
    b->status = take_request(g, guard_get(root, "status"), true, &in_status);
    b->record = take_record(g, guard_get(root, "record"));
    unsigned reasons = 1U << BACKEND_REASON_NAME | 1U << BACKEND_REASON_CODE;
    if ((in_status & reasons) != 0)
        guard_problem(g, guard_get(root, "status"), "a question about the status has no reason");
    b->uses_issuer_name = ((in_revoke | in_status) >> BACKEND_ISSUER_NAME & 1) != 0;
    take_reasons(g, b, (in_revoke & reasons) != 0);
}

bool backend_read(const char *plans_dir, const char *name, struct arena *a, struct backend *out,
                  struct fault *f)
{
    struct guard_problems p = {.arena = a};
    struct guard g;
    struct str bytes;
    const char *file;
    *out = (struct backend){0};
    if (!plans_named(plans_dir, "backends", "backend profile", name, a, &file, &bytes, f))
        return false;
    (void)guard_read(&g, file, NULL, bytes, backend_keys, &p);
    take(&g, out);
    out->digest = digest_of(bytes.p, bytes.n);
    return guard_clean(&p, f);
}
