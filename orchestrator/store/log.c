/* Checking the log: leaves, then the rows they vouch for, then what must follow from the rows. */
#include "massrevoke/hex.h"
#include "massrevoke/merkle.h"
#include "massrevoke/store_log.h"
#include "massrevoke/store_outside.h"
#include "report_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAVES_AT_ONCE 1000

bool store_log_head_parse(const char *text, struct log_head *out, struct fault *f)
{
    char *end;
    out->size = strtoll(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == ':' && strlen(end + 1) == (size_t)2 * DIGEST_SIZE &&
        hex_read(end + 1, DIGEST_SIZE, out->root.bytes))
        return true;
    fault_set(f, FAULT_USAGE, "'%.80s' is no log head", text);
    return fault_hint(f, "SIZE:ROOT, as printed in a report or by massrevoke evidence checkpoint");
}

bool store_log_head(struct store *s, int campaign, struct log_head *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct merkle tree = {0};
    put_int(&p, campaign);
    put_int(&p, 0);
    if (!store_query(s, "log_hashes", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        merkle_push(&tree, get_digest(r, i, 0));
    *out = (struct log_head){PQntuples(r), merkle_root(&tree)};
    return true;
}

struct check {
    struct store *store;
    int campaign;
    const struct log_head *claimed;
    struct digest claimed_now; /* root over the first claimed->size leaves, as they stand */
    struct merkle tree;
    struct log_verdict *out;
};

/* Keeps the first difference; always false, so that a check can end with it. */
static bool __attribute__((format(printf, 2, 3))) differs(struct check *c, const char *format, ...)
{
    va_list args;
    if (!c->out->ok)
        return false;
    c->out->ok = false;
    va_start(args, format);
    vsnprintf(c->out->what, sizeof c->out->what, format, args);
    va_end(args);
    return false;
}

static bool is_text(const json_t *root, const char *key, const char *column)
{
    const char *value = json_string_value(json_object_get(root, key));
    return value != NULL && strcmp(value, column) == 0;
}

static bool is_int(const json_t *root, const char *key, int64_t column)
{
    const json_t *value = json_object_get(root, key);
    return json_is_integer(value) && json_integer_value(value) == column;
}

/* Do the bytes parse, and are they the canonical form? *root is the caller's. */
static bool leaf_read(struct check *c, int64_t seq, struct str leaf, json_t **root)
{
    AUTO_BUF again = {0};
    struct fault why = {0};
    if (!json_read("leaf", leaf, root, &why))
        return differs(c, "event %" PRId64 ": its leaf is no JSON (%.120s)", seq, why.text);
    json_canonical(*root, &again);
    return str_equal(buf_str(&again), leaf) ||
           differs(c, "event %" PRId64 ": its leaf is not in canonical form", seq);
}

/* One event row against its own leaf. */
static bool leaf_check(struct check *c, const PGresult *r, int row, int64_t expected, json_t **root)
{
    int64_t seq = get_int(r, row, 0);
    struct str leaf = str_of(get_text(r, row, 4));
    struct digest hash = merkle_leaf(leaf.p, leaf.n), stored = get_digest(r, row, 5);
    if (seq != expected)
        return differs(c, "event %" PRId64 " is missing", expected);
    if (memcmp(hash.bytes, stored.bytes, DIGEST_SIZE) != 0)
        return differs(c, "event %" PRId64 ": its leaf was changed (or its hash)", seq);
    if (!leaf_read(c, seq, leaf, root))
        return false;
    if (!is_int(*root, "seq", seq))
        return differs(c, "event %" PRId64 ": its leaf is that of another place in the log", seq);
    if (!is_int(*root, "at", get_int(r, row, 1)) || !is_text(*root, "actor", get_text(r, row, 2)) ||
        !is_text(*root, "type", get_text(r, row, 3)))
        return differs(c, "event %" PRId64 ": its columns are not what its leaf says", seq);
    return true;
}

/* "change/3/0" as "change row of page 3": the second part is a notice for notice_try. */
static const char *row_name(const char *key, char out[static 96])
{
    struct str rest = str_of(key);
    struct str table = str_cut(&rest, '/'), where = str_cut(&rest, '/');
    snprintf(out, 96, "%.*s row of %s %.*s", (int)table.n, table.p,
             str_is(table, "notice_try") ? "notice" : "page", (int)where.n, where.p);
    return out;
}

/* The fact rows of one event against the digests in its leaf: rows [first, end) of `facts`. */
static bool rows_check(struct check *c, const json_t *root, int64_t seq, const PGresult *facts, int first,
                       int end)
{
    char name[96], hex[DIGEST_TEXT];
    json_t *promised = json_object_get(root, "rows");
    if (!json_is_object(promised))
        return differs(c, "event %" PRId64 ": its leaf has no rows", seq);
    for (int i = first; i < end; i++) {
        const char *key = get_text(facts, i, 1);
        const char *digest = json_string_value(json_object_get(promised, key));
        if (digest == NULL)
            return differs(c, "event %" PRId64 ": a %s was added", seq, row_name(key, name));
        struct str body = str_of(get_text(facts, i, 2));
        if (strcmp(digest, digest_hex(digest_of(body.p, body.n), hex)) != 0)
            return differs(c, "event %" PRId64 ": the %s was changed", seq, row_name(key, name));
        json_object_del(promised, key); /* whatever stays has no row */
    }
    const char *key = json_object_iter_key(json_object_iter(promised));
    return key == NULL || differs(c, "event %" PRId64 ": the %s is missing", seq, row_name(key, name));
}

static bool query_range(struct check *c, const char *query, int64_t from, int64_t to, PGresult **r,
                        struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, c->campaign);
    put_int(&p, from);
    put_int(&p, to);
    return store_query(c->store, query, &p, r, f);
}

static void push_leaf(struct check *c, struct digest hash)
{
    merkle_push(&c->tree, hash);
    if (c->claimed != NULL && c->tree.count == (uint64_t)c->claimed->size)
        c->claimed_now = merkle_root(&c->tree);
}

/* A batch of leaves from `from`; *next is where the following one begins, -1 at the end. */
static bool check_batch(struct check *c, int64_t from, int64_t *next, struct fault *f)
{
    AUTO_RESULT *r = NULL, *facts = NULL;
    if (!query_range(c, "log_events", from, LEAVES_AT_ONCE, &r, f))
        return false;
    int n = PQntuples(r), fact = 0;
    *next = n == 0 ? -1 : get_int(r, n - 1, 0) + 1;
    if (n == 0)
        return true;
    if (!query_range(c, "fact_rows", get_int(r, 0, 0), *next - 1, &facts, f))
        return false;
    for (int i = 0; i < n; i++) {
        AUTO_JSON *root = NULL;
        int64_t seq = get_int(r, i, 0);
        struct str leaf = str_of(get_text(r, i, 4));
        push_leaf(c, merkle_leaf(leaf.p, leaf.n));
        while (fact < PQntuples(facts) && get_int(facts, fact, 0) < seq)
            fact++;
        int first = fact;
        while (fact < PQntuples(facts) && get_int(facts, fact, 0) == seq)
            fact++;
        if (c->out->ok && leaf_check(c, r, i, from + i, &root))
            (void)rows_check(c, root, seq, facts, first, fact);
    }
    return true;
}

static bool check_leaves(struct check *c, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    for (int64_t from = 0; from >= 0;)
        if (!check_batch(c, from, &from, f))
            return false;
    c->out->head = (struct log_head){(int64_t)c->tree.count, merkle_root(&c->tree)};
    put_int(&p, c->campaign);
    if (!store_query(c->store, "log_size", &p, &r, f))
        return false;
    int64_t written = PQntuples(r) == 0 ? 0 : get_int(r, 0, 0), there = c->out->head.size;
    if (there < written)
        (void)differs(c, "event %" PRId64 " is missing: %" PRId64 " were written", there, written);
    if (there > written)
        (void)differs(c, "event %" PRId64 " was added: %" PRId64 " were written", written, written);
    return true;
}

static bool check_claim(struct check *c)
{
    char now[DIGEST_TEXT], then[DIGEST_TEXT];
    if (c->claimed == NULL)
        return true;
    if (c->claimed->size > c->out->head.size)
        return differs(c, "the head given has %" PRId64 " events, the log has %" PRId64, c->claimed->size,
                       c->out->head.size);
    if (c->claimed->size == 0) {
        struct merkle empty = {0};
        c->claimed_now = merkle_root(&empty);
    }
    if (memcmp(c->claimed_now.bytes, c->claimed->root.bytes, DIGEST_SIZE) == 0)
        return true;
    return differs(c, "the first %" PRId64 " events have root %.16s..., the head given says %.16s...",
                   c->claimed->size, digest_hex(c->claimed_now, now), digest_hex(c->claimed->root, then));
}

static bool check_strays(struct check *c, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, c->campaign);
    if (!store_query(c->store, "fact_strays", &p, &r, f))
        return false;
    if (PQntuples(r) > 0)
        (void)differs(c, "a %s row of %s %s names event %s, which is not there", get_text(r, 0, 0),
                      strcmp(get_text(r, 0, 0), "notice_try") == 0 ? "notice" : "page", get_text(r, 0, 2),
                      get_text(r, 0, 1));
    return true;
}

static void digest_part(void *context, struct str bytes)
{
    digest_add(context, bytes.p, bytes.n);
}

/* The fetched bytes still have the digest under which sightings name them. */
static bool check_objects(struct check *c, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, c->campaign);
    if (!store_query(c->store, "report_objects", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        struct digest_state d = digest_begin();
        struct digest named = get_digest(r, i, 0);
        bool ok = store_object(c->store, named, digest_part, &d, NULL, f);
        struct digest now = digest_end(&d);
        if (!ok)
            return false;
        if (memcmp(now.bytes, named.bytes, DIGEST_SIZE) != 0)
            (void)differs(c, "the bytes of fetched object %.16s... were changed", get_text(r, i, 0) + 2);
    }
    return true;
}

/* Pages and certificate rows follow from the rows just proved. */
static bool check_ledger(struct check *c, struct fault *f)
{
    struct balance b;
    if (!report_balance(c->store, c->campaign, &b, f))
        return false;
    if (!b.ok)
        (void)differs(c, "%s", b.detail);
    return true;
}

bool store_log_verify(struct store *s, int campaign, const struct log_head *claimed, struct log_verdict *out,
                      struct fault *f)
{
    struct check c = {.store = s, .campaign = campaign, .claimed = claimed, .out = out};
    *out = (struct log_verdict){.ok = true};
    if (!store_read_begin(s, f))
        return false;
    bool ok = check_leaves(&c, f);
    if (ok)
        (void)check_claim(&c);
    ok = ok && check_strays(&c, f) && check_ledger(&c, f) && check_objects(&c, f);
    store_read_end(s);
    return ok;
}
