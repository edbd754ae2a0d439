#include "copy.h"
#include "massrevoke/embed.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

static const char signature[] = "PGCOPY\n\377\r\n"; /* its own terminator is part of it */
enum { SIGNATURE = sizeof signature, HEADER = SIGNATURE + 8, PIECE = 65536 };
enum { OID_INT2 = 21, OID_INT4 = 23 };

static bool copy_fault(struct store *s, const char *what, struct fault *f)
{
    return fault_set(f, store_is_lost(s) ? FAULT_UNAVAILABLE : FAULT_FAILED, "database: copy %s: %s", what,
                     PQerrorMessage(s->connection));
}

static void add_16(struct copy *c, uint16_t value)
{
    value = htobe16(value);
    buf_add(&c->buffer, &value, sizeof value);
}

static void add_32(struct copy *c, uint32_t value)
{
    value = htobe32(value);
    buf_add(&c->buffer, &value, sizeof value);
}

static void add_64(struct copy *c, uint64_t value)
{
    value = htobe64(value);
    buf_add(&c->buffer, &value, sizeof value);
}

bool copy_begin(struct store *s, struct copy *c, const char *table, const char *columns, struct fault *f)
{
    AUTO_ARENA a = {0};
    return store_run(s, table,
                     arena_format(&a, "DROP TABLE IF EXISTS pg_temp.%s; CREATE TEMP TABLE %s (%s)", table,
                                  table, columns),
                     f) &&
           copy_begin_into(s, c, table, f);
}

bool copy_begin_into(struct store *s, struct copy *c, const char *table, struct fault *f)
{
    AUTO_ARENA a = {0};
    *c = (struct copy){.store = s};
    AUTO_RESULT *r = PQexec(s->connection, arena_format(&a, "COPY %s FROM STDIN (FORMAT binary)", table));
    if (PQresultStatus(r) != PGRES_COPY_IN)
        return copy_fault(s, table, f);
    buf_add(&c->buffer, signature, SIGNATURE);
    add_32(c, 0); /* flags */
    add_32(c, 0); /* length of an extension */
    return true;
}

static void flush(struct copy *c)
{
    if (c->buffer.n > 0 && PQputCopyData(c->store->connection, c->buffer.p, (int)c->buffer.n) != 1)
        c->failed = true;
    buf_clear(&c->buffer);
}

/* Begins a field of n bytes, and its row when it is the first. */
static void field(struct copy *c, uint32_t n)
{
    if (!c->in_row) {
        c->row = c->buffer.n;
        add_16(c, 0); /* written by copy_row */
        c->fields = 0;
        c->in_row = true;
    }
    c->fields++;
    add_32(c, n);
}

void copy_small(struct copy *c, int16_t value)
{
    field(c, sizeof value);
    add_16(c, (uint16_t)value);
}

void copy_int(struct copy *c, int32_t value)
{
    field(c, sizeof value);
    add_32(c, (uint32_t)value);
}

void copy_big(struct copy *c, int64_t value)
{
    field(c, sizeof value);
    add_64(c, (uint64_t)value);
}

void copy_bool(struct copy *c, bool value)
{
    field(c, 1);
    buf_add(&c->buffer, value ? "\1" : "\0", 1);
}

void copy_utc(struct copy *c, struct utc t)
{
    if (utc_is_set(t))
        copy_big(c, t.s);
    else
        copy_null(c);
}

void copy_bytes(struct copy *c, const void *bytes, size_t n)
{
    field(c, (uint32_t)n);
    buf_add(&c->buffer, bytes, n);
}

void copy_text(struct copy *c, const char *text)
{
    struct str s = str_of(text);
    copy_bytes(c, s.p, s.n);
}

/* An array of one dimension counted from 1, without NULLs: dimensions, flags, type, length, lower bound. */
static void begin_array(struct copy *c, uint32_t type, size_t n, size_t width)
{
    field(c, (uint32_t)(n == 0 ? 12 : 20 + n * (4 + width)));
    add_32(c, n != 0);
    add_32(c, 0);
    add_32(c, type);
    if (n != 0) {
        add_32(c, (uint32_t)n);
        add_32(c, 1);
    }
}

void copy_ints(struct copy *c, const int32_t *values, size_t n)
{
    begin_array(c, OID_INT4, n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        add_64(c, (uint64_t)sizeof *values << 32 | (uint32_t)values[i]);
}

void copy_smalls(struct copy *c, const int16_t *values, size_t n)
{
    begin_array(c, OID_INT2, n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        add_32(c, sizeof *values);
        add_16(c, (uint16_t)values[i]);
    }
}

void copy_null(struct copy *c)
{
    field(c, UINT32_MAX);
}

void copy_row(struct copy *c)
{
    uint16_t fields = htobe16(c->fields);
    memcpy(c->buffer.p + c->row, &fields, sizeof fields);
    c->in_row = false;
    if (c->buffer.n > PIECE)
        flush(c);
}

bool copy_end(struct copy *c, struct fault *f)
{
    add_16(c, UINT16_MAX); /* the trailer */
    flush(c);
    buf_free(&c->buffer);
    bool sent = PQputCopyEnd(c->store->connection, c->failed ? "interrupted" : NULL) == 1 && !c->failed;
    for (PGresult *r; (r = PQgetResult(c->store->connection)) != NULL; PQclear(r))
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            sent = false;
    return sent || copy_fault(c->store, "in", f);
}

/* The query with numbers for its parameters. */
static void bind(struct str query, const int64_t *arguments, size_t n, struct buf *out)
{
    for (const char *p = query.p, *end = query.p + query.n; p < end; p++)
        if (*p == '$' && p + 1 < end && p[1] >= '1' && (size_t)(p[1] - '0') <= n)
            buf_format(out, "%lld", (long long)arguments[*++p - '1']);
        else
            buf_add(out, p, 1);
}

/* Takes n bytes off the row; NULL when it is shorter. */
static const uint8_t *take(struct copy_out *c, size_t n)
{
    const uint8_t *p = c->p;
    if ((size_t)(c->end - p) < n) {
        c->broken = true;
        return NULL;
    }
    c->p += n;
    return p;
}

static bool fill(struct copy_out *c)
{
    PQfreemem(c->piece);
    c->piece = NULL;
    int n = PQgetCopyData(c->store->connection, &c->piece, 0);
    c->p = (const uint8_t *)c->piece;
    c->end = n > 0 ? c->p + n : c->p;
    return n > 0;
}

bool copy_out_begin(struct store *s, struct copy_out *c, const char *name, const int64_t *arguments, size_t n,
                    struct fault *f)
{
    AUTO_BUF sql = {0};
    char path[128];
    snprintf(path, sizeof path, "sql/query/%s.sql", name);
    const struct embed_file *file = embed_find(path);
    *c = (struct copy_out){.store = s};
    if (file == NULL)
        return fault_set(f, FAULT_FAILED, "no query %s in this program", path);
    buf_text(&sql, "COPY (\n");
    bind(file->bytes, arguments, n, &sql);
    buf_text(&sql, ") TO STDOUT (FORMAT binary)");
    AUTO_RESULT *r = PQexec(s->connection, sql.p);
    if (PQresultStatus(r) != PGRES_COPY_OUT)
        return copy_fault(s, name, f);
    const uint8_t *header = fill(c) ? take(c, HEADER) : NULL;
    c->broken = c->broken || header == NULL || memcmp(header, signature, SIGNATURE) != 0;
    return true;
}

bool copy_out_next(struct copy_out *c)
{
    /* the header comes with the first row or before it */
    if (c->p == c->end && !fill(c))
        return false;
    const uint8_t *fields = take(c, 2);
    return fields != NULL && !c->broken && memcmp(fields, "\377\377", 2) != 0;
}

void copy_out_skip(struct copy_out *c)
{
    c->p = c->end;
}

struct str copy_out_bytes(struct copy_out *c)
{
    uint32_t n = UINT32_MAX;
    const uint8_t *p = take(c, sizeof n);
    if (p != NULL)
        memcpy(&n, p, sizeof n);
    n = be32toh(n);
    p = n == UINT32_MAX ? NULL : take(c, n);
    return p == NULL ? (struct str){"", 0} : (struct str){(const char *)p, n};
}

/* A signed number of one to eight octets. */
static int64_t number_of(const uint8_t *p, size_t n)
{
    uint64_t value = n > 0 && p[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

int64_t copy_out_int(struct copy_out *c)
{
    struct str s = copy_out_bytes(c);
    c->broken = c->broken || s.n > sizeof(int64_t);
    return s.n > sizeof(int64_t) ? 0 : number_of((const uint8_t *)s.p, s.n);
}

bool copy_out_bool(struct copy_out *c)
{
    return copy_out_int(c) != 0;
}

struct utc copy_out_utc(struct copy_out *c)
{
    struct str s = copy_out_bytes(c);
    if (s.n == 0)
        return UTC_NONE;
    uint64_t value = 0;
    c->broken = c->broken || s.n != sizeof value;
    if (s.n == sizeof value)
        memcpy(&value, s.p, sizeof value);
    return (struct utc){(int64_t)be64toh(value)};
}

size_t copy_out_ints(struct copy_out *c, int32_t *out, size_t room)
{
    struct str s = copy_out_bytes(c);
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    if (s.n < 20) /* empty: no dimension */
        return 0;
    size_t n = (size_t)number_of(p + 12, 4), width = (size_t)number_of(p + 8, 4) == OID_INT2 ? 2 : 4;
    p += 20;
    c->broken = c->broken || n > room || (size_t)(end - p) != n * (4 + width);
    for (size_t i = 0; i < n && !c->broken; i++, p += 4 + width)
        out[i] = (int32_t)number_of(p + 4, width);
    return c->broken ? 0 : n;
}

bool copy_out_end(struct copy_out *c, struct fault *f)
{
    while (fill(c))
        continue;
    bool well = true;
    for (PGresult *r; (r = PQgetResult(c->store->connection)) != NULL; PQclear(r))
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            well = false;
    if (well && c->broken)
        return fault_set(f, FAULT_FAILED, "database: copy out: a row is not what was asked for");
    return well || copy_fault(c->store, "out", f);
}
