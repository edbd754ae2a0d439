/* Any bytes as a template: renders or names the mistake, within the bounds; and any bytes as a value stay on
 * one line of well-formed UTF-8. */
#include "notifier/template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "b"}, *const columns[] = {"c"}, *const cells[] = {"x", ""};
    static const struct template_list lists[] = {{"l", columns, 1, cells, 2}, {"n", columns, 1, NULL, 0}};
    if (size == 0)
        return 0;
    AUTO_BUF value = {0}, out = {0};
    buf_add(&value, data + 1, size - 1);
    const char *texts[] = {value.p, ""};
    struct template_values values = {names, texts, 2, lists, 2};
    struct template t = {"f", {(const char *)data + 1, size - 1}, data[0] & 1 ? TEMPLATE_CSV : TEMPLATE_TEXT};
    struct fault f = {0};
    check(template_render(&t, &values, &out, &f) == (f.kind == FAULT_NONE));
    check(out.n <= TEMPLATE_OUT_MAX + TEMPLATE_MAX + 4 * size);
    buf_clear(&out);
    f = (struct fault){0};
    t.text = str_of("{{a}}");
    check(template_render(&t, &values, &out, &f));
    check(str_is_utf8(buf_str(&out)) && memchr(buf_str(&out).p, '\n', out.n) == NULL);
    check(memchr(buf_str(&out).p, '\r', out.n) == NULL);
    return 0;
}
