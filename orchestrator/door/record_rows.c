#include "record_rows.h"

#include <stdlib.h>

struct record_form {
    const char *text;
    size_t index;
    const size_t *indexes; /* of all with this text, from this one on */
};

static int by_text(const void *a, const void *b)
{
    const struct record_form *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

void record_forms_make(struct record_forms *r, const struct backend_template *serial,
                       const struct serial *serials, size_t n, struct arena *a)
{
    r->forms = arena_array(a, n, sizeof *r->forms);
    r->count = n;
    buf_clear(&r->array);
    buf_text(&r->array, "{");
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF text = {0};
        struct backend_values values = {.serial = &serials[i]};
        backend_expand(serial, &values, &text);
        r->forms[i] = (struct record_form){.text = arena_text(a, text.p), .index = i};
        /* digits, letters and colons: nothing to quote */
        buf_format(&r->array, "%s\"%s\"", i == 0 ? "" : ",", text.p);
    }
    buf_text(&r->array, "}");
    qsort(r->forms, n, sizeof *r->forms, by_text);
    size_t *indexes = arena_array(a, n, sizeof *indexes);
    for (size_t i = 0; i < n; i++) {
        indexes[i] = r->forms[i].index;
        r->forms[i].indexes = &indexes[i];
    }
}

size_t record_forms_find(const struct record_forms *r, const char *text, const size_t **indexes)
{
    size_t low = 0, high = r->count, n = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(r->forms[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < r->count && strcmp(r->forms[low + n].text, text) == 0)
        n++;
    *indexes = n > 0 ? r->forms[low].indexes : NULL;
    return n;
}

/* Puts one row to every question about its serial. */
static bool take(const struct record_forms *r, const PGresult *answer, int row, struct record_row *out,
                 struct fault *f)
{
    const size_t *indexes;
    const char *text = PQgetvalue(answer, row, 0);
    size_t n = record_forms_find(r, text, &indexes);
    struct record_row is = {.found = true, .at = UTC_NONE, .reason = -1};
    is.revoked = strcmp(PQgetvalue(answer, row, 1), "t") == 0;
    if (is.revoked && !PQgetisnull(answer, row, 2))
        is.at.s = strtoll(PQgetvalue(answer, row, 2), NULL, 10);
    if (is.revoked && !PQgetisnull(answer, row, 3))
        is.reason = (int)strtol(PQgetvalue(answer, row, 3), NULL, 10);
    if (n == 0)
        return fault_set(f, FAULT_CONFIG, "the CA's database answers with a serial that was not asked for");
    for (size_t i = 0; i < n; i++) {
        if (out[indexes[i]].found)
            return fault_set(f, FAULT_CONFIG, "the CA's database has serial %.60s twice", text);
        out[indexes[i]] = is;
    }
    return true;
}

bool record_rows_take(const struct record_forms *r, const PGresult *answer, struct record_row *out,
                      struct fault *f)
{
    for (size_t i = 0; i < r->count; i++)
        out[i] = (struct record_row){.at = UTC_NONE, .reason = -1};
    if (PQnfields(answer) != 4)
        return fault_set(f, FAULT_CONFIG, "the question to the record gives %d columns, not 4",
                         PQnfields(answer));
    for (int row = 0; row < PQntuples(answer); row++)
        if (!take(r, answer, row, out, f))
            return false;
    return true;
}
