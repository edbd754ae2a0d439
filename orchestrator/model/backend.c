/* A profile of plans/backends: schema, checks across keys, and into the value. */
#include "massrevoke/backend.h"
#include "backend_parts.h"
#include "plans.h"

#include <ctype.h>

static const char *const methods[] = {"POST", "PUT", "GET", NULL};

static const struct guard_key row_keys[] = {
    {.name = "http", .type = GUARD_INT, .required = true, .min = 100, .max = 599},
    {.name = "to", .type = GUARD_INT, .min = 100, .max = 599},
    {.name = "json", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "is", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "contains", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "empty", .type = GUARD_BOOL},
    {.name = "outcome", .type = GUARD_TEXT, .required = true, .words = backend_meanings},
    {.name = "date", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "reason", .type = GUARD_TEXT, .min = 1, .max = 200},
    {0},
};

/* Of a request that prepares or publishes: nothing is revoked by it. */
static const char *const side_words[] = {"done", "revoked_before", "unknown", "wait", "stop", "person", NULL};

static const struct guard_key side_row_keys[] = {
    {.name = "http", .type = GUARD_INT, .required = true, .min = 100, .max = 599},
    {.name = "to", .type = GUARD_INT, .min = 100, .max = 599},
    {.name = "json", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "is", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "contains", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "empty", .type = GUARD_BOOL},
    {.name = "outcome", .type = GUARD_TEXT, .required = true, .words = side_words},
    {.name = "date", .type = GUARD_TEXT, .min = 1, .max = 200},
    {.name = "reason", .type = GUARD_TEXT, .min = 1, .max = 200},
    {0},
};

static const struct guard_key side_keys[] = {
    {.name = "method", .type = GUARD_TEXT, .required = true, .words = methods},
    {.name = "path", .type = GUARD_TEXT, .required = true, .min = 1, .max = 1000},
    {.name = "headers", .type = GUARD_TEXTS, .min = 0, .max = 20},
    {.name = "body", .type = GUARD_TEXT, .min = 1, .max = 4000},
    {.name = "take", .type = GUARD_TEXT, .min = 2, .max = 200},
    {.name = "answers", .type = GUARD_LIST, .required = true, .min = 1, .max = 100, .keys = side_row_keys},
    {0},
};

static const struct guard_key window_keys[] = {
    {.name = "rate", .type = GUARD_RATE, .required = true},
    {0},
};

static const struct guard_key request_keys[] = {
    {.name = "method", .type = GUARD_TEXT, .required = true, .words = methods},
    {.name = "path", .type = GUARD_TEXT, .required = true, .min = 1, .max = 1000},
    {.name = "path_dated", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {.name = "headers", .type = GUARD_TEXTS, .min = 0, .max = 20},
    {.name = "body", .type = GUARD_TEXT, .min = 1, .max = 4000},
    {.name = "answers", .type = GUARD_LIST, .required = true, .min = 1, .max = 100, .keys = row_keys},
    {0},
};

static const struct guard_key record_keys[] = {
    {.name = "serial", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "query", .type = GUARD_TEXT, .required = true, .min = 1, .max = 4000},
    {.name = "revoked", .type = GUARD_TEXT, .min = 1, .max = 4000},
    {0},
};

static const struct guard_key backend_keys[] = {
    GUARD_VERSION,
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 40},
    {.name = "keeps_first_date", .type = GUARD_BOOL, .required = true},
    {.name = "quiet", .type = GUARD_SPAN, .required = true, .min = 1, .max = 3600},
    {.name = "concurrency", .type = GUARD_INT, .required = true, .min = 1, .max = 1000},
    {.name = "token_header", .type = GUARD_TEXT, .min = 1, .max = 64},
    {.name = "token_subject", .type = GUARD_TEXT, .min = 1, .max = 64},
    {.name = "tells_unknown", .type = GUARD_BOOL},
    {.name = "windows", .type = GUARD_LIST, .min = 1, .max = RATE_WINDOWS, .keys = window_keys},
    {.name = "prepare", .type = GUARD_GROUP, .keys = side_keys},
    {.name = "publish", .type = GUARD_GROUP, .keys = side_keys},
    {.name = "reasons",
     .type = GUARD_LIST,
     .required = true,
     .min = 1,
     .max = 10,
     .keys = backend_reason_keys},
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

/* --- answers --- */

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
        .meaning = strcmp(guard_text(n, "outcome", "ask"), "done") == 0
                       ? BACKEND_REVOKED
                       : backend_meaning_named(guard_text(n, "outcome", "ask")),
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
        guard_problem(g, guard_get(n, "http"), "only 200 to 299 can say %s", backend_meanings[m]);
    if ((m == BACKEND_REVOKED || m == BACKEND_NOT_REVOKED || m == BACKEND_UNKNOWN) && !proof)
        guard_problem(g, n, "%s needs a proof in the body: json, contains or empty", backend_meanings[m]);
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

enum kind { REVOKE, STATUS, PREPARE, PUBLISH };

/* Which values a request can have. */
static void check_values(struct guard *g, const struct guard_node *n, enum kind kind, unsigned used)
{
    unsigned reasons = 1U << BACKEND_REASON_NAME | 1U << BACKEND_REASON_CODE;
    unsigned issuer = 1U << BACKEND_AKI | 1U << BACKEND_ISSUER_NAME;
    unsigned own = 1U << BACKEND_TOKEN | 1U << BACKEND_PREPARED;
    if (kind != PUBLISH && (used & BACKEND_SERIALS) == 0)
        guard_problem(g, n, "neither path nor body names the serial");
    if (kind == STATUS && (used & reasons) != 0)
        guard_problem(g, n, "a question about the status has no reason");
    if (kind == PUBLISH && (used & ~issuer) != 0)
        guard_problem(g, n, "a CRL is asked for by {issuer.name} or {aki}, if by anything");
    if (kind != REVOKE && (used & own) != 0)
        guard_problem(g, n, "{token} and {prepared} are values of `revoke` only");
    if ((used >> BACKEND_DATE & 1) != 0)
        guard_problem(g, n, "{date} is a value of `path_dated` only");
    if ((used >> BACKEND_SERIAL_LIST & 1) != 0)
        guard_problem(g, n, "{serials} is a value of exec only");
}

static void check_path(struct guard *g, const struct guard_node *n, const char *key)
{
    const char *path = guard_text(n, key, "/");
    if (path[0] != '/' || !is_line(path) || strchr(path, ' ') != NULL)
        guard_problem(g, guard_get(n, key), "expected a path that begins with '/' and has no blanks");
}

/* The path that names the date of a revocation. */
static struct backend_template take_dated_path(struct guard *g, const struct guard_node *n, enum kind kind)
{
    const struct guard_node *path = guard_get(n, "path_dated");
    unsigned used = 0;
    struct backend_template out = backend_take_template(g, path, &used);
    check_path(g, n, "path_dated");
    if (path->given && (kind != REVOKE || (used >> BACKEND_DATE & 1) == 0 || (used & BACKEND_SERIALS) == 0))
        guard_problem(g, path, "is the path of `revoke` that names the serial and the {date}");
    return out;
}

static struct backend_request take_request(struct guard *g, const struct guard_node *n, enum kind kind,
                                           unsigned *used)
{
    bool status = kind == STATUS;
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
                                  .path = backend_take_template(g, guard_get(n, "path"), used),
                                  .body = backend_take_template(g, guard_get(n, "body"), used),
                                  .headers = lines,
                                  .header_count = headers->count,
                                  .rows = rows,
                                  .row_count = answers->count};
    check_path(g, n, "path");
    if (kind == REVOKE || kind == STATUS) /* the others have no such key */
        out.dated_path = take_dated_path(g, n, kind);
    if (n->given)
        check_values(g, n, kind, *used);
    if (out.method != NULL && strcmp(out.method, "GET") == 0 && out.body.count > 0)
        guard_problem(g, guard_get(n, "body"), "a GET has no body");
    return out;
}

/* --- the whole --- */

static struct backend_record take_record(struct guard *g, const struct guard_node *n)
{
    struct backend_record out = {.query = n->given ? guard_text(n, "query", "") : NULL,
                                 .revoked = n->given ? guard_text(n, "revoked", NULL) : NULL,
                                 .serial = backend_take_serial(g, guard_get(n, "serial"))};
    if (!n->given)
        return out;
    if (strstr(out.query, "$1") == NULL || strstr(out.query, "$2") == NULL)
        guard_problem(g, guard_get(n, "query"), "needs $1, the issuer's key identifier, and $2, the serials");
    if (out.revoked != NULL && strstr(out.revoked, "$1") == NULL)
        guard_problem(g, guard_get(n, "revoked"), "needs $1, the issuer's key identifier");
    if (guard_get(&g->root, "status")->given)
        guard_problem(g, n, "give `status` or `record`, not both");
    return out;
}

/* What goes on beside the revocation itself. */
static void take_side(struct guard *g, struct backend *b, unsigned in_revoke, unsigned *used)
{
    const struct guard_node *root = &g->root, *prepare = guard_get(root, "prepare");
    const struct guard_node *publish = guard_get(root, "publish"),
                            *subject = guard_get(root, "token_subject");
    unsigned in_prepare, in_publish;
    b->prepare = take_request(g, prepare, PREPARE, &in_prepare);
    b->publish = take_request(g, publish, PUBLISH, &in_publish);
    b->taken = guard_text(prepare, "take", "/");
    b->signs_token = (in_revoke >> BACKEND_TOKEN & 1) != 0;
    b->token_subject = backend_take_serial(g, subject);
    if (b->signs_token != subject->given)
        guard_problem(g, subject, "give token_subject and {token}, or neither");
    if (((in_revoke >> BACKEND_PREPARED & 1) != 0) != prepare->given ||
        prepare->given != guard_get(prepare, "take")->given)
        guard_problem(g, prepare, "give `prepare` with `take`, and {prepared} in revoke, or none of them");
    if (guard_get(publish, "take")->given)
        guard_problem(g, publish, "only `prepare` takes something");
    *used = in_prepare | in_publish;
}

static void take_windows(struct guard *g, struct backend *b)
{
    const struct guard_node *list = guard_get(&g->root, "windows");
    b->window_count = list->count;
    for (size_t i = 0; i < list->count && i < RATE_WINDOWS; i++)
        b->windows[i] = guard_rate(&list->inside[i], "rate", (struct rate){0});
}

static void take(struct guard *g, struct backend *b)
{
    const struct guard_node *root = &g->root;
    unsigned in_revoke, in_status, in_side;
    b->name = guard_text(root, "name", "");
    b->keeps_first_date = guard_bool(root, "keeps_first_date", false);
    b->quiet = guard_span(root, "quiet", (struct span){0});
    b->concurrency = (int)guard_int(root, "concurrency", 1);
    b->token_header = guard_text(root, "token_header", NULL);
    if (b->token_header != NULL && strspn(b->token_header, backend_word_letters) != strlen(b->token_header))
        guard_problem(g, guard_get(root, "token_header"), "expected the name of a header");
    b->tells_unknown = guard_bool(root, "tells_unknown", true);
    b->revoke = take_request(g, guard_get(root, "revoke"), REVOKE, &in_revoke);
    b->status = take_request(g, guard_get(root, "status"), STATUS, &in_status);
    b->record = take_record(g, guard_get(root, "record"));
    unsigned reasons = 1U << BACKEND_REASON_NAME | 1U << BACKEND_REASON_CODE;
    backend_take_reasons(g, b->words, (in_revoke & reasons) != 0);
    take_side(g, b, in_revoke, &in_side);
    b->uses_issuer_name = ((in_revoke | in_status | in_side) >> BACKEND_ISSUER_NAME & 1) != 0;
    take_windows(g, b);
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
