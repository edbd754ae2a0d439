/* Is JSON strict on the way in and canonical on the way out? */
#include "massrevoke/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void canonical_form(void **unused)
{
    (void)unused;
    AUTO_JSON *doc = json_object();
    AUTO_BUF out = {0};
    json_set_int(doc, "z", -5);
    json_set_bool(doc, "b", true);
    json_set_text(doc, "t", "a\"\n\xc3\xa4");
    json_set_text(doc, "n", NULL);
    json_set_text(doc, "broken", "a\xff");
    json_set_utc(doc, "at", (struct utc){0});
    json_set_utc(doc, "never", UTC_NONE);
    json_canonical(doc, &out);
    assert_string_equal(out.p, "{\"at\":\"1970-01-01T00:00:00Z\",\"b\":true,\"broken\":\"a?\",\"n\":null,"
                               "\"never\":null,\"t\":\"a\\\"\\n\xc3\xa4\",\"z\":-5}");
    AUTO_JSON *back = NULL;
    struct fault f;
    assert_true(json_read("doc", buf_str(&out), &back, &f));
    assert_true(json_equal(doc, back));
}

static void pretty_form(void **unused)
{
    (void)unused;
    AUTO_JSON *doc = json_object();
    AUTO_BUF out = {0};
    json_set_int(doc, "z", 1);
    json_set_int(doc, "a", 2);
    json_pretty(doc, &out);
    assert_string_equal(out.p, "{\n  \"z\": 1,\n  \"a\": 2\n}\n");
}

static void strict_reading(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"",     "{",      "{\"a\":1,\"a\":2}", "{} x", "{\"a\":\"\xff\"}",
                                      "[1,]", "{'a':1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *doc = NULL;
        struct fault f;
        assert_false(json_read("rows.json", str_of(bad[i]), &doc, &f));
        assert_null(doc);
        assert_memory_equal(f.text, "rows.json: line ", 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form),
        cmocka_unit_test(pretty_form),
        cmocka_unit_test(strict_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
