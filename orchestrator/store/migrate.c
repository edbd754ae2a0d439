/* Migrations: forward only, each with its digest; and the functions made from certificate.def. */
#include "internal.h"
#include "massrevoke/certificate.h"
#include "massrevoke/embed.h"
#include "massrevoke/hex.h"

#include <stdio.h>

static int known_migrations(void)
{
    int n = 0;
    for (const struct embed_file *m = NULL; (m = embed_next("sql/schema/", m)) != NULL;)
        n++;
    return n;
}

/* Writes "CREATE OR REPLACE FUNCTION name(text) ... CASE" over the names of a .def list. */
static void code_function(struct buf *sql, const char *name, int first, int count,
                          const char *(*name_of)(int))
{
    buf_format(sql,
               "CREATE OR REPLACE FUNCTION %s(name text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$ "
               "SELECT (CASE name",
               name);
    for (int i = first; i < count; i++)
        buf_format(sql, " WHEN '%s' THEN %d", name_of(i), i);
    buf_text(sql, " END)::smallint $$;\n");
}

static const char *state_name(int state)
{
    return certificate_state_name((enum certificate_state)state);
}

static const char *event_name(int event)
{
    return certificate_event_name((enum certificate_event)event);
}

static void bytes_function(struct buf *sql, const char *name, const uint8_t *bytes, size_t n)
{
    char digits[3];
    buf_format(sql, "CREATE OR REPLACE FUNCTION %s() RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT '\\x",
               name);
    for (size_t i = 0; i < n; i++)
        buf_text(sql, hex_lower(bytes + i, 1, digits));
    buf_text(sql, "'::bytea $$;\n");
}

/* The functions that give SQL the state table; the same for the same certificate.def. */
static void certificate_functions(struct buf *sql)
{
    static uint8_t table[CERTIFICATE_TABLE_SIZE];
    certificate_table(table);
    bytes_function(sql, "ledger_table", table, sizeof table);
    uint8_t buckets[16] = {0};
    for (int state = 1; state < CERTIFICATE_STATE_COUNT; state++)
        buckets[state] = (uint8_t)(certificate_bucket((enum certificate_state)state) + 1);
    bytes_function(sql, "ledger_buckets", buckets, sizeof buckets);
    buf_format(sql,
               "CREATE OR REPLACE FUNCTION event_count() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT "
               "%d $$;\n",
               CERTIFICATE_EVENT_COUNT);
    code_function(sql, "state_code", 1, CERTIFICATE_STATE_COUNT, state_name);
    code_function(sql, "event_code", 0, CERTIFICATE_EVENT_COUNT, event_name);
    buf_text(sql, "CREATE OR REPLACE FUNCTION event_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE "
                  "AS $$ SELECT CASE code");
    for (int i = 0; i < CERTIFICATE_EVENT_COUNT; i++)
        buf_format(sql, " WHEN %d THEN '%s'", i, event_name(i));
    buf_text(sql, " END $$;\n");
}

/* Compares what the schema says it has with what this program brings; *applied counts. */
static bool inspect(struct store *s, enum store_schema *state, int *applied, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    AUTO_PARAMETERS p = {0};
    put_text(&p, s->schema);
    *applied = 0;
    if (!store_query(s, "schema_inspect", &p, &r, f))
        return false;
    int64_t relations = get_int(r, 0, 0);
    bool ours = get_bool(r, 0, 1);
    *state = STORE_SCHEMA_ABSENT;
    if (relations == 0)
        return true;
    if (!ours) {
        fault_set(
            f, FAULT_CONFLICT,
            "schema %s of this database holds %lld things that are not massrevoke's; nothing was touched",
            s->schema, (long long)relations);
        return fault_hint(f, "name another database in db.conninfo, or remove that schema yourself");
    }
    AUTO_RESULT *rows = NULL;
    if (!store_query(s, "migration_list", NULL, &rows, f))
        return false;
    const struct embed_file *m = NULL;
    for (int i = 0; i < PQntuples(rows); i++) {
        m = embed_next("sql/schema/", m);
        if (m == NULL) {
            fault_set(f, FAULT_CONFLICT,
                      "schema %s has %d migrations, this program knows %d; nothing was touched", s->schema,
                      PQntuples(rows), known_migrations());
            return fault_hint(f, "it was made by a newer massrevoke: install that version");
        }
        char mine[DIGEST_TEXT], theirs[DIGEST_TEXT];
        digest_hex(digest_of(m->bytes.p, m->bytes.n), mine);
        digest_hex(get_digest(rows, i, 1), theirs);
        if (strcmp(mine, theirs) != 0)
            return fault_set(f, FAULT_CONFLICT,
                             "schema %s: migration %s is not the one of this program (%.8s, here %.8s); "
                             "nothing was touched",
                             s->schema, get_text(rows, i, 0), theirs, mine);
    }
    *applied = PQntuples(rows);
    *state = *applied == known_migrations() ? STORE_SCHEMA_CURRENT : STORE_SCHEMA_OLDER;
    return true;
}

/* One text with everything that is missing, run as one transaction under an advisory lock. */
static bool migrate(struct store *s, enum store_schema state, int applied, struct fault *f)
{
    AUTO_BUF sql = {0};
    buf_format(&sql,
               "BEGIN; SET LOCAL idle_in_transaction_session_timeout TO 0; SELECT "
               "pg_advisory_xact_lock(hashtext('massrevoke migrate %s'));\n",
               s->schema);
    if (state == STORE_SCHEMA_ABSENT)
        buf_format(&sql,
                   "CREATE SCHEMA IF NOT EXISTS \"%s\"; CREATE TABLE migration (nth integer PRIMARY KEY, "
                   "name text NOT NULL, sha256 bytea NOT NULL);\n",
                   s->schema);
    certificate_functions(&sql);
    int nth = 0;
    for (const struct embed_file *m = NULL; (m = embed_next("sql/schema/", m)) != NULL; nth++) {
        if (nth < applied)
            continue;
        char hex[DIGEST_TEXT];
        buf_add(&sql, m->bytes.p, m->bytes.n);
        buf_format(&sql, "INSERT INTO migration VALUES (%d, '%s', '\\x%s');\n", nth, m->path,
                   digest_hex(digest_of(m->bytes.p, m->bytes.n), hex));
    }
    if (state == STORE_SCHEMA_ABSENT)
        buf_text(&sql, "INSERT INTO meta VALUES ('store', replace(gen_random_uuid()::text, '-', ''));\n");
    buf_text(&sql, "COMMIT");
    if (store_run(s, "migration", sql.p, f))
        return true;
    struct fault ignored;
    (void)!store_run(s, "rollback", "ROLLBACK", &ignored);
    return false;
}

/* Does the schema's state table equal this program's? Else certificate.def changed without a migration: renew
 * it. */
static bool renew_functions(struct store *s, struct fault *f)
{
    static uint8_t table[CERTIFICATE_TABLE_SIZE];
    certificate_table(table);
    AUTO_RESULT *r = NULL;
    if (!store_query(s, "schema_table", NULL, &r, f))
        return false;
    struct digest now = digest_of(table, sizeof table), there = get_digest(r, 0, 0);
    s->id = arena_text(&s->arena, get_text(r, 0, 1));
    if (memcmp(now.bytes, there.bytes, DIGEST_SIZE) == 0)
        return true;
    return fault_set(f, FAULT_CONFLICT,
                     "schema %s has another state table than this program; nothing was touched", s->schema);
}

bool store_open(const char *conninfo, const char *schema, struct store **out, struct fault *f)
{
    enum store_schema state;
    int applied = 0;
    if (!store_connect(conninfo, schema, out, f))
        return false;
    bool ok = inspect(*out, &state, &applied, f);
    if (ok && state != STORE_SCHEMA_CURRENT && !migrate(*out, state, applied, f))
        /* another process may have done it meanwhile */
        ok = inspect(*out, &state, &applied, f) && state == STORE_SCHEMA_CURRENT;
    ok = ok && renew_functions(*out, f);
    if (ok)
        return true;
    store_close(*out);
    *out = NULL;
    return false;
}

bool store_probe(const char *conninfo, const char *schema, enum store_schema *state, int *applied, int *known,
                 struct fault *f)
{
    struct store *s;
    *known = known_migrations();
    if (!store_connect(conninfo, schema, &s, f))
        return false;
    bool ok = inspect(s, state, applied, f);
    store_close(s);
    return ok;
}

bool store_drop_schema(const char *conninfo, const char *schema, struct fault *f)
{
    if (strncmp(schema, "drill_", 6) != 0 && strncmp(schema, "test_", 5) != 0)
        return fault_set(f, FAULT_REFUSED, "schema %s is not a drill's: not dropped", schema);
    struct store *s;
    if (!store_connect(conninfo, schema, &s, f))
        return false;
    AUTO_ARENA a = {0};
    bool ok =
        store_run(s, "drop schema", arena_format(&a, "DROP SCHEMA IF EXISTS \"%s\" CASCADE", schema), f);
    store_close(s);
    return ok;
}
