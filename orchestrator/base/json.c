#include "massrevoke/json.h"

void json_release(json_t **value)
{
    json_decref(*value);
}

bool json_read(const char *what, struct str bytes, json_t **out, struct fault *f)
{
    json_error_t error;
    *out = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &error);
    if (*out != NULL)
        return true;
    return fault_set(f, FAULT_FAILED, "%s: line %d column %d: %s", what, error.line, error.column,
                     error.text);
}

static int append(const char *bytes, size_t n, void *out)
{
    buf_add(out, bytes, n);
    return 0;
}

void json_canonical(const json_t *value, struct buf *out)
{
    (void)json_dump_callback(value, append, out, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

void json_pretty(const json_t *value, struct buf *out)
{
    (void)json_dump_callback(value, append, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
    buf_text(out, "\n");
}

void json_set_utc(json_t *object, const char *key, struct utc t)
{
    char text[UTC_TEXT];
    json_object_set_new(object, key, utc_is_set(t) ? json_string(utc_format(t, text)) : json_null());
}

void json_set_text(json_t *object, const char *key, const char *text)
{
    if (text == NULL) {
        json_object_set_new(object, key, json_null());
        return;
    }
    if (str_is_utf8(str_of(text))) {
        json_object_set_new(object, key, json_string(text));
        return;
    }
    AUTO_BUF clean = {0};
    buf_text(&clean, text);
    for (size_t i = 0; i < clean.n; i++)
        if ((unsigned char)clean.p[i] >= 0x80)
            clean.p[i] = '?';
    json_object_set_new(object, key, json_string(clean.p));
}

void json_set_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

void json_set_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}
