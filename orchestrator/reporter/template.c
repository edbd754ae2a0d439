#include "template.h"

#include <stdint.h>

#define VALUES_MAX 32

/* Length of the placeholder's name when text begins with "@NAME@", else 0. */
static size_t placeholder(struct str text)
{
    size_t n = 1;
    while (n < text.n && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", text.p[n]) != NULL &&
           text.p[n] != '\0')
        n++;
    return n > 1 && n < text.n && text.p[n] == '@' ? n - 1 : 0;
}

bool template_fill(const char *what, struct str template, const struct template_value *values, size_t count,
                   struct buf *out, struct fault *f)
{
    bool used[VALUES_MAX] = {false};
    size_t line = 1;
    for (struct str rest = template; rest.n > 0;) {
        size_t n = rest.p[0] == '@' ? placeholder(rest) : 0;
        line += rest.p[0] == '\n';
        if (n == 0) {
            buf_add(out, rest.p++, 1);
            rest.n--;
            continue;
        }
        struct str name = {rest.p + 1, n};
        size_t i = 0;
        while (i < count && !str_is(name, values[i].name))
            i++;
        if (i == count)
            return fault_set(f, FAULT_CONFIG, "%s line %zu: unknown placeholder @%.*s@", what, line, (int)n,
                             name.p);
        used[i] = true;
        buf_add(out, values[i].text.p, values[i].text.n);
        rest = (struct str){rest.p + n + 2, rest.n - n - 2};
    }
    for (size_t i = 0; i < count; i++)
        if (!used[i])
            return fault_set(f, FAULT_CONFIG, "%s: placeholder @%s@ is missing", what, values[i].name);
    return true;
}
