/* Adding a list. What the campaign has and what the inventory says is read along their keys by a session of
 * its own and merged here with the sorted list; the rows go to the server whole, in the same order, while the
 * reading still goes on. */
#include "copy.h"
#include "massrevoke/store_population.h"
#include "order.h"
#include "population_parts.h"

#define TRIES 50 /* while other lists of the campaign come between */
#define FEW 1000

/* Bits of certificate.marks (schema 0008). */
enum { MARK_ORPHAN = 1, MARK_PRECERTIFICATE = 2, MARK_BY_KEY = 4, MARK_SIBLING = 8, MARK_SUPPLIED = 16 };

/* Bits of inventory.facts. */
enum { FACT_CDP = 1, FACT_OCSP = 2, FACT_PRECERTIFICATE = 4 };

static const char columns[] =
    "campaign integer, issuer integer, serial bytea, id integer, cohort integer, version "
    "integer, line bigint, not_after bigint, subscriber text, shard integer, reason "
    "smallint, needs smallint, marks smallint, known boolean, excluded text, stands integer";
static const char names[] =
    "campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, shard, "
    "reason, needs, marks, known, excluded";

/* An issuer of the store: for certificates that name no pointer. */
struct fallback {
    int issuer;
    bool has_crl;
    int32_t shard;
};

/* What the inventory says of one certificate. */
struct facts {
    struct str subscriber;
    struct utc not_before, not_after;
    int bits;
    int32_t shard;
    bool sibling;
};

/* Where a listed certificate stands, when not on a later clock. */
enum { NOWHERE = -2, HERE = -1 };

struct adding {
    struct store *store, *reader;
    const struct act *act;
    const struct population *list;
    const struct short_lived *rules;
    size_t rule_count;
    struct arena arena;
    const struct listed *rows; /* of the list, behind them what came by its key */
    size_t count;
    const uint32_t *order; /* of the rows by key */
    int32_t *stands; /* by place in that order: where it stands in the campaign, or its id on a later clock */
    bool few;        /* few of the inventory: looked up one by one */
    struct fallback *issuers;
    size_t issuer_count;
    int64_t base, stamp;
    int cohort, version;
    bool alone;              /* the campaign's table is made by this list */
    size_t written, leavers; /* rows; those of them that stand on a later clock */
    struct population_result *out;
};

static const struct listed *row_at(const struct adding *a, size_t place)
{
    return &a->rows[a->order[place]];
}

static struct order_key key_of(const void *rows, size_t i)
{
    const struct listed *row = (const struct listed *)rows + i;
    return (struct order_key){row->issuer, &row->serial};
}

/* Where the rows of the issuer at `from` end. */
static size_t end_of_issuer(const struct adding *a, size_t from)
{
    size_t to = from;
    while (to < a->count && row_at(a, to)->issuer == row_at(a, from)->issuer)
        to++;
    return to;
}

/* ---- reading ---- */

/* A query whose first column is a serial, ascending. */
struct stream {
    struct copy_out copy;
    struct str serial;
    bool more;
};

static void stream_next(struct stream *x)
{
    copy_out_skip(&x->copy);
    x->more = copy_out_next(&x->copy);
    if (x->more)
        x->serial = copy_out_bytes(&x->copy);
}

static bool stream_begin(const struct adding *a, struct stream *x, const char *name, const int64_t *arguments,
                         size_t n, struct fault *f)
{
    *x = (struct stream){0};
    if (!copy_out_begin(a->reader, &x->copy, name, arguments, n, f))
        return false;
    x->more = copy_out_next(&x->copy);
    if (x->more)
        x->serial = copy_out_bytes(&x->copy);
    return true;
}

/* As PostgreSQL orders bytea. */
static int compare(struct str a, const struct serial *b)
{
    int order = memcmp(a.p, b->bytes, a.n < b->n ? a.n : b->n);
    return order != 0 ? order : (a.n > b->n) - (a.n < b->n);
}

/* Moves on to this serial; is it there? */
static bool stream_find(struct stream *x, const struct serial *serial)
{
    int order = 1;
    while (x->more && (order = compare(x->serial, serial)) < 0)
        stream_next(x);
    return x->more && order == 0;
}

static bool read_issuers(struct adding *a, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_query(a->reader, "issuer_facts", NULL, &r, f))
        return false;
    a->issuer_count = (size_t)PQntuples(r);
    a->issuers = arena_array(&a->arena, a->issuer_count, sizeof *a->issuers);
    for (size_t i = 0; i < a->issuer_count; i++)
        a->issuers[i] = (struct fallback){(int)get_int(r, (int)i, 0), get_bool(r, (int)i, 1),
                                          (int32_t)get_int(r, (int)i, 2)};
    return true;
}

static struct fallback fallback_of(const struct adding *a, int issuer)
{
    for (size_t i = 0; i < a->issuer_count; i++)
        if (a->issuers[i].issuer == issuer)
            return a->issuers[i];
    return (struct fallback){.issuer = issuer};
}

static bool read_place(struct adding *a, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, a->act->campaign);
    put_text(&p, a->list->rule);
    put_utc(&p, a->list->received);
    if (!store_query(a->reader, "population_place", &p, &r, f))
        return false;
    if (PQntuples(r) == 0)
        return fault_set(f, FAULT_FAILED, "no campaign %d", a->act->campaign);
    a->cohort = (int)get_int(r, 0, 0);
    a->version = (int)get_int(r, 0, 1);
    a->base = get_int(r, 0, 2);
    a->stamp = get_int(r, 0, 3);
    return true;
}

/* Finds what the campaign has. */
static bool read_present(struct adding *a, struct fault *f)
{
    a->stands = arena_array(&a->arena, a->count, sizeof *a->stands);
    for (size_t i = 0; i < a->count; i++)
        a->stands[i] = NOWHERE;
    for (size_t from = 0, to; a->base > 0 && from < a->count; from = to) {
        const int64_t arguments[] = {a->act->campaign, row_at(a, from)->issuer, a->list->deadline.s};
        struct stream x;
        to = end_of_issuer(a, from);
        if (!stream_begin(a, &x, a->few ? "present_listed" : "present_all", arguments, 3, f))
            return false;
        for (size_t i = from; i < to; i++)
            if (stream_find(&x, &row_at(a, i)->serial))
                a->stands[i] = (int32_t)copy_out_int(&x.copy);
        if (!copy_out_end(&x.copy, f))
            return false;
    }
    return true;
}

/* ---- writing ---- */

static struct facts read_facts(struct copy_out *c)
{
    struct facts facts = {.subscriber = copy_out_bytes(c)};
    facts.not_before = copy_out_utc(c);
    facts.not_after = copy_out_utc(c);
    facts.bits = (int)copy_out_int(c);
    facts.shard = (int32_t)copy_out_int(c);
    facts.sibling = copy_out_bool(c);
    return facts;
}

/* Why a certificate stands apart; NULL: it does not. */
static const char *excluded(const struct adding *a, const struct facts *facts)
{
    if (utc_is_set(facts->not_after) && facts->not_after.s < a->list->received.s)
        return "expired_before_receipt";
    return rules_is_short_lived(a->rules, a->rule_count, facts->not_before, facts->not_after) ? "short_lived"
                                                                                              : NULL;
}

/* certificates_refresh() of the schema says the same of rows that are there. */
static int marks_of(const struct listed *row, bool by_key, const struct facts *facts)
{
    int given = (row->by_hash ? MARK_SUPPLIED : 0) | (by_key ? MARK_BY_KEY : 0);
    if (facts == NULL)
        return given | (row->by_hash ? 0 : MARK_ORPHAN);
    return given | (facts->bits & FACT_PRECERTIFICATE ? MARK_PRECERTIFICATE : 0) |
           (facts->sibling ? MARK_SIBLING : 0);
}

static void count(struct population_result *out, int marks, const char *why)
{
    out->expanded += (marks & MARK_BY_KEY) != 0;
    out->orphans += (marks & MARK_ORPHAN) != 0;
    out->precertificates += (marks & MARK_PRECERTIFICATE) != 0;
    out->siblings += (marks & MARK_SIBLING) != 0;
    out->expired_before_receipt += why != NULL && why[0] == 'e';
    out->short_lived += why != NULL && why[0] == 's';
}

/* facts: NULL when no inventory has it. */
static void write_row(struct adding *a, struct copy *c, size_t place, struct fallback fallback,
                      const struct facts *facts)
{
    const struct listed *row = row_at(a, place);
    int pointers = facts == NULL ? 0 : facts->bits & (FACT_CDP | FACT_OCSP);
    int marks = marks_of(row, a->order[place] >= a->list->count, facts);
    const char *why = facts == NULL ? NULL : excluded(a, facts);
    copy_int(c, a->act->campaign);
    copy_int(c, row->issuer);
    copy_bytes(c, row->serial.bytes, row->serial.n);
    copy_int(c, (int32_t)(a->base + (int64_t)a->written++));
    copy_int(c, a->cohort);
    copy_int(c, a->version);
    copy_big(c, row->line);
    copy_utc(c, facts == NULL ? UTC_NONE : facts->not_after);
    copy_bytes(c, facts == NULL ? "" : facts->subscriber.p, facts == NULL ? 0 : facts->subscriber.n);
    copy_int(c, pointers & FACT_CDP ? facts->shard : fallback.shard);
    copy_small(c, (int16_t)a->list->reason);
    copy_small(c, (int16_t)(pointers != 0 ? pointers : fallback.has_crl));
    copy_small(c, (int16_t)marks);
    copy_bool(c, facts != NULL);
    if (why == NULL)
        copy_null(c);
    else
        copy_text(c, why);
    if (!a->alone && a->stands[place] >= 0)
        copy_int(c, a->stands[place]);
    else if (!a->alone)
        copy_null(c);
    copy_row(c);
    a->leavers += a->stands[place] >= 0;
    count(a->out, marks, why);
}

/* No certificate valid for longer is short-lived, whenever it was issued. */
static int64_t longest_short(const struct adding *a)
{
    int64_t longest = 0;
    for (size_t i = 0; i < a->rule_count; i++)
        longest = a->rules[i].longest.s > longest ? a->rules[i].longest.s : longest;
    return longest;
}

static bool write_issuer(struct adding *a, struct copy *c, size_t from, size_t to, struct fault *f)
{
    const int64_t arguments[] = {row_at(a, from)->issuer, longest_short(a)};
    struct fallback fallback = fallback_of(a, (int)arguments[0]);
    struct stream x;
    if (!stream_begin(a, &x, a->few ? "facts_listed" : "facts_all", arguments, 2, f))
        return false;
    for (size_t i = from; i < to; i++) {
        if (a->stands[i] == HERE)
            continue;
        bool known = stream_find(&x, &row_at(a, i)->serial);
        struct facts facts = known ? read_facts(&x.copy) : (struct facts){0};
        write_row(a, c, i, fallback, known ? &facts : NULL);
    }
    return copy_out_end(&x.copy, f);
}

static bool write_rows(struct adding *a, struct fault *f)
{
    struct copy c;
    bool begun =
        a->alone ? copy_begin_into(a->store, &c,
                                   arena_format(&a->arena, "certificate_%d (%s)", a->act->campaign, names), f)
                 : copy_begin(a->store, &c, "staging_certificate", columns, f);
    if (!begun)
        return false;
    bool well = true;
    for (size_t from = 0, to; well && from < a->count; from = to) {
        to = end_of_issuer(a, from);
        well = write_issuer(a, &c, from, to, f);
    }
    if (!well)
        c.failed = true;
    struct fault other = {0};
    return copy_end(&c, well ? f : &other) && well;
}

/* ---- the list ---- */

/* What came by its key goes behind the list. */
static bool expand(struct adding *a, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_bool(&p, strncmp(a->list->rule, "4.9.1.2-", 8) == 0);
    if (!store_query(a->reader, "keys_expand", &p, &r, f))
        return false;
    size_t more = (size_t)PQntuples(r), listed = a->list->count;
    if (more == 0)
        return true;
    struct listed *rows = arena_array(&a->arena, listed + more, sizeof *rows);
    memcpy(rows, a->list->rows, listed * sizeof *rows);
    for (size_t i = 0; i < more; i++)
        rows[listed + i] =
            (struct listed){.issuer = (int)get_int(r, (int)i, 0), .serial = get_serial(r, (int)i, 1)};
    a->rows = rows;
    a->count = listed + more;
    a->order = order_by_key(a->rows, a->count, key_of, &a->arena);
    return true;
}

static bool stage_few(struct adding *a, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_query(a->reader, "inventory_size", NULL, &r, f))
        return false;
    a->few = a->count < FEW || (int64_t)a->count * 20 < get_int(r, 0, 0);
    if (!a->few && !a->list->expand_keys)
        return true;
    return population_stage(a->reader, a->list->rows, a->list->count, false, f);
}

/* A list of more than a twentieth of the inventory is merged with all of its key, whatever the planner
 * thinks. */
static bool begin_reading(struct adding *a, struct fault *f)
{
    return store_read_begin(a->reader, f) &&
           store_run(a->reader, "how to read",
                     a->few
                         ? "SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off"
                         : "SET LOCAL enable_seqscan TO off; SET LOCAL enable_bitmapscan TO off; SET LOCAL "
                           "enable_sort TO off",
                     f);
}

/* The first list of a campaign makes the table that it lies in. */
static bool make_table(struct adding *a, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, a->act->campaign);
    if (a->base > 0)
        return true;
    if (!store_do(a->store, "begin", NULL, f) || !store_query(a->store, "certificates_table", &p, &r, f))
        return false;
    a->alone = get_bool(r, 0, 0);
    return a->alone || store_run(a->store, "rollback", "ROLLBACK", f);
}

static bool read_and_write(struct adding *a, struct fault *f)
{
    return stage_few(a, f) && begin_reading(a, f) && read_issuers(a, f) && read_place(a, f) &&
           (!a->list->expand_keys || expand(a, f)) && read_present(a, f) && make_table(a, f) &&
           write_rows(a, f);
}

static void put_rules(struct parameters *p, const struct short_lived *rows, size_t count)
{
    struct array from = {{0}}, longest = {{0}};
    for (size_t i = 0; i < count; i++) {
        array_utc(&from, rows[i].issued_from);
        array_int(&longest, rows[i].longest.s);
    }
    put_array(p, &from);
    put_array(p, &longest);
}

static json_t *import_event(const struct population *list)
{
    char hex[DIGEST_TEXT];
    json_t *data = json_object();
    const char *heuristic = list->heuristic == NULL ? "" : list->heuristic,
               *decision = list->decision == NULL ? "" : list->decision;
    json_set_text(data, "sha256", digest_hex(list->sha256, hex));
    json_set_text(data, "rule", list->rule);
    json_set_utc(data, "received", list->received);
    json_set_int(data, "accepted", list->accepted);
    json_set_int(data, "duplicate", list->duplicate);
    json_set_int(data, "rejected", list->rejected);
    json_set_bool(data, "expand_keys", list->expand_keys);
    /* words may name people; the log keeps that they were said, the version what */
    json_set_text(data, "decision_sha256", digest_hex(digest_of(decision, strlen(decision)), hex));
    json_set_text(data, "heuristic_sha256", digest_hex(digest_of(heuristic, strlen(heuristic)), hex));
    return data;
}

static void put_stands(struct parameters *p, const struct adding *a)
{
    struct array ids = {{0}};
    for (size_t i = 0; i < a->count && a->leavers > 0; i++)
        if (a->stands[i] >= 0)
            array_int(&ids, a->stands[i]);
    put_array(p, &ids);
}

static bool add_rows(struct adding *a, struct fault *f)
{
    const struct population *list = a->list;
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = import_event(list);
    put_int(&p, a->act->campaign);
    put_int(&p, a->cohort);
    put_int(&p, a->version);
    put_int(&p, a->base);
    put_int(&p, a->stamp);
    put_bool(&p, a->alone);
    put_int(&p, (int64_t)a->written);
    put_stands(&p, a);
    put_text(&p, list->rule);
    put_int(&p, list->reason);
    put_utc(&p, list->received);
    put_utc(&p, list->deadline);
    put_utc(&p, list->should_by);
    put_text(&p, list->source);
    put_text(&p, a->act->who);
    put_digest(&p, list->sha256);
    put_utc(&p, a->act->at);
    put_int(&p, list->lines);
    put_int(&p, list->accepted);
    put_int(&p, list->duplicate);
    put_int(&p, list->rejected);
    put_text(&p, list->heuristic == NULL ? "" : list->heuristic);
    put_text(&p, list->decision == NULL ? "" : list->decision);
    put_rules(&p, a->rules, a->rule_count);
    put_json(&p, data);
    if (!store_query(a->store, "population_add", &p, &r, f))
        return false;
    a->cohort = (int)get_int(r, 0, 0);
    a->out->added = get_int(r, 0, 1);
    a->out->moved = get_int(r, 0, 2);
    a->out->leaving = get_int(r, 0, 3);
    a->out->elsewhere = get_int(r, 0, 4);
    return true;
}

/* Not every certificate on a later clock came along: what came is counted anew. */
static bool count_again(struct adding *a, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct population_result *out = a->out;
    if (a->leavers == 0)
        return true;
    put_int(&p, a->act->campaign);
    put_int(&p, a->version);
    if (!store_query(a->store, "population_counts", &p, &r, f))
        return false;
    out->expanded = get_int(r, 0, 0);
    out->orphans = get_int(r, 0, 1);
    out->precertificates = get_int(r, 0, 2);
    out->siblings = get_int(r, 0, 3);
    out->expired_before_receipt = get_int(r, 0, 4);
    out->short_lived = get_int(r, 0, 5);
    return true;
}

static bool make_keys(struct adding *a, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, a->act->campaign);
    return !a->alone || a->written == 0 || store_do(a->store, "certificates_index", &p, f);
}

static void give_up(struct store *s)
{
    struct fault ignored = {0};
    if (PQtransactionStatus(s->connection) != PQTRANS_IDLE)
        (void)!store_run(s, "rollback", "ROLLBACK", &ignored);
}

static bool add_once(struct adding *a, struct fault *f)
{
    a->rows = a->list->rows;
    a->count = a->list->count;
    a->order = order_by_key(a->rows, a->count, key_of, &a->arena);
    bool well = read_and_write(a, f);
    store_read_end(a->reader);
    well = well && make_keys(a, f) && add_rows(a, f) && (!a->alone || store_do(a->store, "commit", NULL, f));
    if (!well)
        give_up(a->store);
    return well && count_again(a, f);
}

bool store_population_add(struct store *s, const struct act *act, const struct population *list,
                          const struct short_lived *rules, size_t rule_count, struct population_result *out,
                          struct fault *f)
{
    struct store *reader;
    if (!store_connect(s->conninfo, s->schema, &reader, f))
        return false;
    bool well = false;
    for (int i = 0; !well && i < TRIES && (i == 0 || f->kind == FAULT_CONFLICT); i++) {
        struct adding a = {.store = s,
                           .reader = reader,
                           .act = act,
                           .list = list,
                           .rules = rules,
                           .rule_count = rule_count,
                           .out = out};
        *out = (struct population_result){0};
        well = add_once(&a, f);
        out->cohort = a.cohort; /* the newest there is, when nothing was added */
        out->version = a.version;
        arena_free(&a.arena);
    }
    store_close(reader);
    return well;
}
