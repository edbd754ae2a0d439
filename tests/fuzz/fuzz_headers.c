/* Any bytes as header values of a server: no crash, no overrun, nothing kept that could break a request's
 * header or a record, no number out of its range. Lines of the input are values, the names in turns. */
#include "massrevoke/arena.h"
#include "massrevoke/http.h"
#include "massrevoke/json.h"
#include "massrevoke/verifier.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(const struct http_headers *h, struct arena *a)
{
    AUTO_JSON *json = json_object();
    AUTO_BUF text = {0};
    struct findings findings = {0};
    int64_t age = http_age(h), fresh = http_fresh_for(h),
            wait = http_retry_after(h, (struct utc){1795000000});
    struct utc date = http_date(h->date);
    if (age < -1 || age > INT64_C(1) << 31 || fresh < -1 || wait < -1)
        abort();
    if (utc_is_set(date) && (utc_to_civil(date).year > 10000 || date.s < -INT64_C(62200000000)))
        abort();
    for (size_t i = 0; i < HTTP_HEADERS; i++) {
        const char *value = http_header_value(h, i);
        if (strnlen(value, HTTP_VALUE) == HTTP_VALUE || strpbrk(value, "\r\n\t") != NULL)
            abort();
        json_set_text(json, http_header_names[i], value);
    }
    json_canonical(json, &text); /* what is kept is text for a record */
    verifier_add_cache(&findings, a, "edge", age, fresh);
    if (findings.count > 0 && (age < 0 || fresh < 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_ARENA a = {0};
    struct http_headers h = {0};
    size_t which = 0;
    for (struct str rest = {(const char *)bytes, n}; n > 0 && rest.p != NULL; which++) {
        struct str value = str_cut(&rest, '\n');
        http_header_keep(&h, which % HTTP_HEADERS, arena_copy(&a, value.p, value.n));
    }
    check(&h, &a);
    return 0;
}
