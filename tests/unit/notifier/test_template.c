/* Does a template give exactly its text, is every wrong name found with its line, and can no value break out?
 */
#include "notifier/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const names[] = {"name", "empty", "evil"};
static const char *const texts[] = {"Ann", "", "a\r\nBcc: x@y\x01 \xff \xe2\x80\xae \"q\", {{name}}"};
static const char *const columns[] = {"serial", "host"};
static const char *const cells[] = {"0A", "=cmd|x", "0B", "b,c"};
static const struct template_list lists[] = {{"certs", columns, 2, cells, 2}, {"none", columns, 2, NULL, 0}};
static const struct template_values values = {names, texts, 3, lists, 2};

static void gives_as(enum template_part part, const char *text, const char *expected)
{
    struct fault f = {0};
    AUTO_BUF out = {0};
    struct template t = {.name = "x.txt", .text = str_of(text), .part = part};
    if (!template_render(&t, &values, &out, &f))
        fail_msg("%s: %s", text, f.text);
    buf_add(&out, "", 0);
    assert_string_equal(buf_str(&out).p, expected);
}

static void gives(const char *text, const char *expected)
{
    gives_as(TEMPLATE_TEXT, text, expected);
}

static void faults(const char *text, const char *expected)
{
    struct fault f = {0};
    AUTO_BUF out = {0};
    struct template t = {.name = "x.txt", .text = str_of(text)};
    assert_false(template_render(&t, &values, &out, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_string_equal(f.text, expected);
}

static void text_and_sections(void **unused)
{
    (void)unused;
    gives("", "");
    gives("plain } { }} text", "plain } { }} text");
    gives("a{{name}}b{{ name }}{{empty}}c", "aAnnbAnnc");
    gives("{{#name}}yes{{/name}}{{^name}}no{{/name}}", "yes");
    gives("{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", "no");
    gives("{{#certs}}{{serial}} of {{name}};{{/certs}}", "0A of Ann;0B of Ann;");
    gives("{{#none}}x{{/none}}{{^none}}nothing{{/none}}{{^certs}}y{{/certs}}", "nothing");
    gives("{{#certs}}{{#empty}}{{serial}}{{/empty}}.{{/certs}}", "..");
}

static void tags_alone_on_a_line_leave_none(void **unused)
{
    (void)unused;
    gives("a\n{{#certs}}\n- {{serial}}\n{{/certs}}\nb\n", "a\n- 0A\n- 0B\nb\n");
    gives("  {{#name}}  \r\nx\n\t{{/name}}", "x\n");
    gives("{{#name}}\n{{^empty}}\nx\n{{/empty}}\n{{/name}}\ny", "x\ny");
    gives("a {{#name}}\nx\n{{/name}} b", "a \nx\n b");
}

static void every_mistake_has_its_line(void **unused)
{
    (void)unused;
    faults("a\nb {{nome}}", "x.txt:2: no value is named 'nome'");
    faults("{{#empty}}\n\n{{nome}}{{/empty}}", "x.txt:3: no value is named 'nome'");
    faults("{{#none}}\n{{nome}}{{/none}}", "x.txt:2: no value is named 'nome'");
    faults("\n{{serial}}", "x.txt:2: no value is named 'serial'");
    faults("{{#what}}x{{/what}}", "x.txt:1: no value is named 'what'");
    faults("\n{{#name}}x", "x.txt:2: section is not closed: 'name'");
    faults("{{#name}}x{{/empty}}", "x.txt:1: closes nothing: 'empty'");
    faults("x{{/name}}", "x.txt:1: closes nothing: 'name'");
    faults("{{name}", "x.txt:1: tag is not closed by }}: '{{name}'");
    faults("{{}}", "x.txt:1: not a name (a-z, 0-9, _): ''");
    faults("{{Name}}", "x.txt:1: not a name (a-z, 0-9, _): 'Name'");
    faults("{{#certs}}{{#none}}{{/none}}{{/certs}}", "x.txt:1: a list inside a list: 'none'");
    faults("\xff", "x.txt: not well-formed UTF-8");
}

static void values_stay_on_their_line(void **unused)
{
    (void)unused;
    gives("{{evil}}", "a  Bcc: x@y  ?   \"q\", {{name}}");
}

static void cells_cannot_become_formulas_or_columns(void **unused)
{
    (void)unused;
    gives_as(TEMPLATE_CSV, "{{#certs}}\n{{serial}},{{host}}\n{{/certs}}\n", "0A,\"'=cmd|x\"\n0B,\"b,c\"\n");
    gives_as(TEMPLATE_CSV, "{{evil}}", "\"a  Bcc: x@y  ?   \"\"q\"\", {{name}}\"");
}

static void bounds_hold(void **unused)
{
    (void)unused;
    AUTO_BUF deep = {0};
    for (int i = 0; i <= TEMPLATE_DEPTH; i++)
        buf_text(&deep, "{{#name}}");
    faults(deep.p, "x.txt:1: sections too deep at 'name'");

    static char big[60000];
    memset(big, 'x', sizeof big);
    memcpy(big, "{{#many}}", 9);
    memcpy(big + sizeof big - 10, "{{/many}}", 9);
    big[sizeof big - 1] = '\0';
    const struct template_list many = {"many", columns, 0, NULL, 1000};
    const struct template_values endless = {names, texts, 0, &many, 1};
    struct template t = {.name = "x.txt", .text = str_of(big)};
    struct fault f = {0};
    AUTO_BUF out = {0};
    assert_false(template_render(&t, &endless, &out, &f));
    assert_string_equal(f.text, "x.txt:1: more text than allowed comes out at 'many'");
    assert_true(out.n < TEMPLATE_OUT_MAX + sizeof big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_sections),
        cmocka_unit_test(tags_alone_on_a_line_leave_none),
        cmocka_unit_test(every_mistake_has_its_line),
        cmocka_unit_test(values_stay_on_their_line),
        cmocka_unit_test(cells_cannot_become_formulas_or_columns),
        cmocka_unit_test(bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
