/* Values on their way to libpq and back, as text. */
#include "internal.h"
#include "massrevoke/hex.h"

#include <inttypes.h>
#include <stdlib.h>

void parameters_free(struct parameters *p)
{
    arena_free(&p->arena);
}

void result_free(PGresult **result)
{
    PQclear(*result);
}

static void put(struct parameters *p, const char *value)
{
    if (p->n == STORE_PARAMETERS)
        abort();
    p->values[p->n++] = value;
}

void put_int(struct parameters *p, int64_t value)
{
    put(p, arena_format(&p->arena, "%" PRId64, value));
}

void put_bool(struct parameters *p, bool value)
{
    put(p, value ? "t" : "f");
}

void put_text(struct parameters *p, const char *text)
{
    put(p, arena_text(&p->arena, text));
}

void put_utc(struct parameters *p, struct utc t)
{
    if (utc_is_set(t))
        put_int(p, t.s);
    else
        put(p, NULL);
}

void put_bytes(struct parameters *p, const void *bytes, size_t n)
{
    char *text = arena_alloc(&p->arena, 2 * n + 3);
    memcpy(text, "\\x", 2);
    hex_lower(bytes, n, text + 2);
    put(p, text);
}

void put_digest(struct parameters *p, struct digest d)
{
    put_bytes(p, d.bytes, DIGEST_SIZE);
}

void put_json(struct parameters *p, const json_t *data)
{
    AUTO_BUF text = {0};
    AUTO_JSON *empty = json_object();
    json_canonical(data == NULL ? empty : data, &text);
    put_text(p, text.p);
}

static void array_next(struct array *a)
{
    buf_text(&a->text, a->text.n == 0 ? "{" : ",");
}

void array_int(struct array *a, int64_t value)
{
    array_next(a);
    buf_format(&a->text, "%" PRId64, value);
}

void array_utc(struct array *a, struct utc t)
{
    array_next(a);
    if (utc_is_set(t))
        buf_format(&a->text, "%" PRId64, t.s);
    else
        buf_text(&a->text, "NULL");
}

void array_text(struct array *a, const char *text)
{
    array_next(a);
    buf_text(&a->text, "\"");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            buf_text(&a->text, "\\");
        buf_add(&a->text, p, 1);
    }
    buf_text(&a->text, "\"");
}

void array_bytes(struct array *a, const void *bytes, size_t n)
{
    array_next(a);
    buf_text(&a->text, "\"\\\\x");
    char digits[2 * 64 + 1];
    const char *p = bytes;
    for (size_t i = 0; i < n; i += 64)
        buf_text(&a->text, hex_lower(p + i, n - i < 64 ? n - i : 64, digits));
    buf_text(&a->text, "\"");
}

void put_array(struct parameters *p, struct array *a)
{
    if (a->text.n == 0)
        buf_text(&a->text, "{");
    buf_text(&a->text, "}");
    put(p, arena_copy(&p->arena, a->text.p, a->text.n));
    buf_free(&a->text);
}

int64_t get_int(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

bool get_bool(const PGresult *r, int row, int column)
{
    return PQgetvalue(r, row, column)[0] == 't';
}

bool get_null(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) != 0;
}

struct utc get_utc(const PGresult *r, int row, int column)
{
    return get_null(r, row, column) ? UTC_NONE : (struct utc){get_int(r, row, column)};
}

const char *get_text(const PGresult *r, int row, int column)
{
    return PQgetvalue(r, row, column);
}

struct str get_bytes(const PGresult *r, int row, int column, struct arena *a)
{
    const char *text = PQgetvalue(r, row, column);
    size_t n = strlen(text);
    if (n < 2 || text[0] != '\\')
        return (struct str){"", 0};
    uint8_t *bytes = arena_alloc(a, n / 2);
    if (!hex_read(text + 2, (n - 2) / 2, bytes))
        return (struct str){"", 0};
    return (struct str){(const char *)bytes, (n - 2) / 2};
}

int64_t *get_ints(const PGresult *r, int row, int column, struct arena *a, size_t *n)
{
    const char *text = PQgetvalue(r, row, column);
    size_t room = 1;
    if (text[0] == '[') /* of other bounds than usual: "[2:3]={7,8}" */
        text += strcspn(text, "{");
    for (const char *p = text; *p != '\0'; p++)
        room += *p == ',';
    int64_t *values = arena_array(a, room, sizeof *values);
    *n = 0;
    for (const char *p = text; *p != '\0' && *p != '}';) {
        p++; /* the brace or the comma */
        if (*p == '}')
            break;
        char *end;
        values[(*n)++] = *p == 'N' ? INT64_MIN : strtoll(p, &end, 10);
        p += strcspn(p, ",}");
    }
    return values;
}

struct digest get_digest(const PGresult *r, int row, int column)
{
    struct digest d = {{0}};
    const char *text = PQgetvalue(r, row, column);
    if (strlen(text) == 2 + 2 * DIGEST_SIZE)
        (void)hex_read(text + 2, DIGEST_SIZE, d.bytes);
    return d;
}

struct serial get_serial(const PGresult *r, int row, int column)
{
    AUTO_ARENA a = {0};
    struct serial serial = {0};
    struct str bytes = get_bytes(r, row, column, &a);
    (void)serial_from_octets((const uint8_t *)bytes.p, bytes.n, &serial);
    return serial;
}
