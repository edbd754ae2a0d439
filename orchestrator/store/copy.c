#include "copy.h"
#include "massrevoke/hex.h"

#include <inttypes.h>
#include <stdio.h>

bool copy_begin(struct store *s, struct copy *c, const char *table, const char *columns, struct fault *f)
{
    AUTO_ARENA a = {0};
    *c = (struct copy){.store = s};
    if (!store_run(s, table,
                   arena_format(&a, "DROP TABLE IF EXISTS pg_temp.%s; CREATE TEMP TABLE %s (%s)", table,
                                table, columns),
                   f))
        return false;
    AUTO_RESULT *r = PQexec(s->connection, arena_format(&a, "COPY %s FROM STDIN", table));
    if (PQresultStatus(r) == PGRES_COPY_IN)
        return true;
    return fault_set(f, store_is_lost(s) ? FAULT_UNAVAILABLE : FAULT_FAILED, "database: copy into %s: %s",
                     table, PQerrorMessage(s->connection));
}

static void flush(struct copy *c)
{
    if (c->buffer.n > 0 && PQputCopyData(c->store->connection, c->buffer.p, (int)c->buffer.n) != 1)
        c->failed = true;
    buf_clear(&c->buffer);
}

static void next(struct copy *c)
{
    if (c->in_row)
        buf_text(&c->buffer, "\t");
    c->in_row = true;
}

void copy_int(struct copy *c, int64_t value)
{
    next(c);
    buf_format(&c->buffer, "%" PRId64, value);
}

void copy_utc(struct copy *c, struct utc t)
{
    if (utc_is_set(t))
        copy_int(c, t.s);
    else
        copy_null(c);
}

/* COPY's text format escapes backslash and the three separators. */
void copy_text(struct copy *c, const char *text)
{
    next(c);
    for (const char *p = text == NULL ? "" : text; *p != '\0'; p++) {
        const char *escape = *p == '\\'   ? "\\\\"
                             : *p == '\t' ? "\\t"
                             : *p == '\n' ? "\\n"
                             : *p == '\r' ? "\\r"
                                          : NULL;
        if (escape != NULL)
            buf_text(&c->buffer, escape);
        else
            buf_add(&c->buffer, p, 1);
    }
}

void copy_bytes(struct copy *c, const void *bytes, size_t n)
{
    char digits[129];
    next(c);
    buf_text(&c->buffer, "\\\\x");
    for (size_t i = 0; i < n; i += 64)
        buf_text(&c->buffer, hex_lower((const char *)bytes + i, n - i < 64 ? n - i : 64, digits));
}

void copy_null(struct copy *c)
{
    next(c);
    buf_text(&c->buffer, "\\N");
}

void copy_row(struct copy *c)
{
    buf_text(&c->buffer, "\n");
    c->in_row = false;
    if (c->buffer.n > 65536)
        flush(c);
}

bool copy_end(struct copy *c, struct fault *f)
{
    flush(c);
    buf_free(&c->buffer);
    bool sent = PQputCopyEnd(c->store->connection, c->failed ? "interrupted" : NULL) == 1 && !c->failed;
    for (PGresult *r; (r = PQgetResult(c->store->connection)) != NULL; PQclear(r))
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            sent = false;
    if (sent)
        return true;
    return fault_set(f, store_is_lost(c->store) ? FAULT_UNAVAILABLE : FAULT_FAILED, "database: copy: %s",
                     PQerrorMessage(c->store->connection));
}
