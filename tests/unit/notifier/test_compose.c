/* Is the message that leaves what we meant: read back by a MIME parser, header for header, cell for cell? */
#include "massrevoke/embed.h"
#include "massrevoke/notifier.h"

#include <gmime/gmime.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena memory;
static struct notice_templates templates;
static struct notice_certificate certificates[12];
static struct notice_facts facts;
static struct contact contact;
static struct notice_input in;

static struct str shipped(const char *name)
{
    AUTO_ARENA a = {0};
    const struct embed_file *file = embed_find(arena_format(&a, "plans/notices/en/%s", name));
    assert_non_null(file);
    return file->bytes;
}

static int begin(void **unused)
{
    (void)unused;
    templates = (struct notice_templates){
        .subject = {shipped("heads-up.subject"), shipped("first.subject"), shipped("moved.subject")},
        .text = {shipped("heads-up.txt"), shipped("first.txt"), shipped("moved.txt")},
        .table = shipped("certificates.csv"),
    };
    for (uint8_t i = 0; i < 12; i++)
        certificates[i] = (struct notice_certificate){
            .serial = {2, {0x8a, i}},
            .subject = "CN=www.b\xc3\xbc"
                       "cher.example, O=\"B\xc3\xbc"
                       "cher, Ltd\"",
            .dns_names = "www.example.org example.org",
            .not_after = utc_from_civil(2027, 3, 1, 12, 0, 0),
            .planned = utc_from_civil(2026, 11, 25, 8 + i / 6, 10, 0),
            .has_cert_sha256 = true,
            .cert_sha256 = {{i}},
            .told = utc_from_civil(2026, 11, 26, 10 + i / 6, 10, 0),
        };
    facts = (struct notice_facts){
        .campaign = "cfca-2026",
        .ca = "Prüf-CA – Demo",
        .subscriber = "S-0042",
        .rule = "4.9.1.1-12",
        .rule_text = "the certificate was not issued in accordance with the rules",
        .received = utc_from_civil(2026, 11, 22, 14, 41, 0),
        .deadline = utc_from_civil(2026, 11, 27, 14, 41, 0),
        .certificates = certificates,
        .certificate_count = 12,
    };
    contact =
        (struct contact){.id = 5, .name = "Zoë Müller", .email = "zoe@cust.test", .subscriber = "S-0042"};
    in = (struct notice_input){
        .templates = &templates,
        .kind = NOTICE_FIRST,
        .facts = &facts,
        .contact = &contact,
        .from = "revocation@ca.test",
        .reply_to = "desk@ca.test",
        .message_id = notice_message_id(&memory, "cfca-2026", 42, "revocation@ca.test"),
        .date = utc_from_civil(2026, 11, 22, 15, 0, 0),
    };
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    arena_free(&memory);
    return 0;
}

static struct str compose(void)
{
    struct fault f = {0};
    struct str eml;
    if (!notifier_compose(&in, &memory, &eml, &f))
        fail_msg("%s", f.text);
    return eml;
}

static GMimeMessage *parse(struct str eml)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(eml.p, eml.n);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    assert_non_null(m);
    return m;
}

/* Decoded bytes of part `index`. */
static const char *content(GMimeMessage *m, int index)
{
    GMimeObject *whole = g_mime_message_get_mime_part(m);
    assert_true(GMIME_IS_MULTIPART(whole));
    GMimeObject *part = g_mime_multipart_get_part(GMIME_MULTIPART(whole), index);
    assert_true(GMIME_IS_PART(part));
    GMimeStream *out = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), out);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
    const char *text = arena_copy(&memory, bytes->data, bytes->len);
    g_object_unref(out);
    return text;
}

static const char *header(GMimeMessage *m, const char *name)
{
    const char *value = g_mime_object_get_header(GMIME_OBJECT(m), name);
    return value == NULL ? "" : value;
}

static void only_crlf_and_short_lines(struct str eml)
{
    size_t line = 0;
    for (size_t i = 0; i < eml.n; i++, line++) {
        if (eml.p[i] == '\n') {
            assert_true(i > 0 && eml.p[i - 1] == '\r');
            line = 0;
        } else if (i > 0 && eml.p[i - 1] == '\r') {
            fail_msg("bare CR at %zu", i);
        }
        assert_true((unsigned char)eml.p[i] < 0x80);
        assert_true(line <= 998);
    }
}

static void headers_are_ours(void **unused)
{
    (void)unused;
    struct str eml = compose();
    only_crlf_and_short_lines(eml);
    GMimeMessage *m = parse(eml);
    assert_string_equal(g_mime_message_get_subject(m),
                        "Action needed before 2026-11-25T08:00:00Z – 12 certificates – Prüf-CA – Demo "
                        "(cfca-2026)");
    assert_string_equal(g_mime_message_get_message_id(m), in.message_id);
    assert_string_equal(header(m, "Date"), "Sun, 22 Nov 2026 15:00:00 +0000");
    assert_string_equal(header(m, "Reply-To"), "desk@ca.test");
    InternetAddressList *to = g_mime_message_get_all_recipients(m);
    assert_int_equal(internet_address_list_length(to), 1);
    InternetAddress *one = internet_address_list_get_address(to, 0);
    assert_string_equal(internet_address_get_name(one), "Zoë Müller");
    assert_string_equal(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)), "zoe@cust.test");
    g_object_unref(to);
    static const char *const absent[] = {
        "Auto-Submitted",           "Precedence", "List-Id", "List-Unsubscribe",
        "X-Auto-Response-Suppress", "Bcc",        "Cc",      "Sender"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_string_equal(header(m, absent[i]), "");
    g_object_unref(m);
    AUTO_BUF raw = {0};
    buf_add(&raw, eml.p, eml.n);
    assert_null(strcasestr(raw.p, "windows-1251"));
    assert_null(strcasestr(raw.p, "iso-8859"));
    assert_null(strcasestr(raw.p, "cp1251"));
    assert_non_null(strcasestr(raw.p, "\r\nMIME-Version: 1.0\r\n"));
}

static void a_first_notice_says_what_a_subscriber_needs(void **unused)
{
    (void)unused;
    GMimeMessage *m = parse(compose());
    const char *text = content(m, 0);
    static const char *const said[] = {
        "Hello Zoë Müller,",
        "First hour:      2026-11-25T08:00:00Z (Wednesday 25 November 2026, UTC)",
        "Last hour:       2026-11-25T09:00:00Z (Wednesday 25 November 2026, UTC)",
        "Final deadline:  2026-11-27T14:41:00Z (Friday 27 November 2026, UTC)",
        "revoke 12 certificates issued to you",
        "Neither silence nor an objection delays",
        "reply to this message",
        "Reference:  cfca-2026/S-0042",
        "Reply to:   desk@ca.test",
        "... and 2 more",
        "holds all 12",
        "8A09  www.example.org example.org",
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strstr(text, said[i]) == NULL)
            fail_msg("not said: %s\n%s", said[i], text);
    assert_null(strstr(text, "8A0A"));
    assert_null(strcasestr(text, "revoked"));
    assert_null(strstr(text, "{{"));
    g_object_unref(m);
}

static void a_moved_notice_names_both_hours(void **unused)
{
    (void)unused;
    in.kind = NOTICE_MOVED;
    GMimeMessage *m = parse(compose());
    const char *text = content(m, 0);
    static const char *const said[] = {
        "First hour now:  2026-11-25T08:00:00Z (Wednesday 25 November 2026, UTC)",
        "We had said:     2026-11-26T10:00:00Z (Thursday 26 November 2026, UTC) or later",
        "Final deadline:  2026-11-27T14:41:00Z",
        "now 2026-11-25T08:10:00Z, before 2026-11-26T10:10:00Z",
        "will revoke 12 of your certificates earlier",
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strstr(text, said[i]) == NULL)
            fail_msg("not said: %s\n%s", said[i], text);
    assert_null(strcasestr(text, "revoked"));
    assert_null(strstr(text, "{{"));
    g_object_unref(m);
}

static void a_heads_up_names_no_hour(void **unused)
{
    (void)unused;
    in.kind = NOTICE_HEADS_UP;
    for (size_t i = 0; i < 12; i++)
        certificates[i].planned = UTC_NONE;
    facts.certificate_count = 1;
    contact.name = "";
    GMimeMessage *m = parse(compose());
    const char *text = content(m, 0);
    assert_non_null(strstr(text, "Hello,"));
    assert_non_null(strstr(text, "a certificate issued to you"));
    assert_non_null(strstr(text, "Friday 27 November 2026 (UTC)"));
    assert_null(strstr(text, "T14:41"));
    assert_null(strstr(text, ":00Z"));
    assert_null(strcasestr(text, "revoked"));
    assert_non_null(strstr(content(m, 1), ",2027-03-01T12:00:00Z,,"));
    g_object_unref(m);
}

static void the_table_holds_every_certificate(void **unused)
{
    (void)unused;
    certificates[3].subject = "=HYPERLINK(\"http://x\")";
    certificates[4].subject = "a\r\nb";
    certificates[5].has_cert_sha256 = false;
    GMimeMessage *m = parse(compose());
    GMimeObject *part = g_mime_multipart_get_part(GMIME_MULTIPART(g_mime_message_get_mime_part(m)), 1);
    GMimeContentType *type = g_mime_object_get_content_type(part);
    assert_true(g_mime_content_type_is_type(type, "text", "csv"));
    assert_string_equal(g_mime_content_type_get_parameter(type, "charset"), "utf-8");
    assert_string_equal(g_mime_part_get_filename(GMIME_PART(part)), "certificates.csv");
    struct str rest = str_of(content(m, 1));
    AUTO_BUF lines = {0};
    size_t count = 0;
    for (; rest.n > 0; count++) {
        struct str line = str_cut(&rest, '\n');
        assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
        buf_add(&lines, line.p, line.n - 1);
        buf_text(&lines, "\n");
    }
    assert_int_equal(count, 13);
    static const char *const there[] = {
        "serial,subject,dNSNames,not_after,planned_utc,cert_sha256\n",
        "\n8A00,\"CN=www.bücher.example, O=\"\"Bücher, Ltd\"\"\",www.example.org example.org,",
        "example.org,2027-03-01T12:00:00Z,2026-11-25T08:10:00Z,0000000000000000",
        "\n8A03,\"'=HYPERLINK(\"\"http://x\"\")\",",
        "\n8A04,\"a  b\",",
        "2026-11-25T08:10:00Z,\n8A06,",
    };
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (strstr(lines.p, there[i]) == NULL)
            fail_msg("not there: %s\n%s", there[i], lines.p);
    g_object_unref(m);
}

static void the_same_input_gives_the_same_bytes(void **unused)
{
    (void)unused;
    struct str one = compose(), two = compose();
    assert_true(str_equal(one, two));
    in.message_id = "other@ca.test";
    assert_false(str_equal(one, compose()));
}

static void names_cannot_add_headers(void **unused)
{
    (void)unused;
    contact.name = "Eve\r\nBcc: all@cust.test\r\n\r\nhello";
    facts.ca = "CA\r\nX-Evil: 1";
    facts.campaign = "c\r\nX-Evil: 2";
    facts.subscriber = "s\r\n.\r\nMAIL FROM:<x@y>";
    struct str eml = compose();
    only_crlf_and_short_lines(eml);
    GMimeMessage *m = parse(eml);
    assert_string_equal(header(m, "Bcc"), "");
    assert_string_equal(header(m, "X-Evil"), "");
    InternetAddressList *to = g_mime_message_get_all_recipients(m);
    assert_int_equal(internet_address_list_length(to), 1);
    g_object_unref(to);
    assert_null(strstr(content(m, 0), "\n.\r"));
    assert_int_equal(g_mime_multipart_get_count(GMIME_MULTIPART(g_mime_message_get_mime_part(m))), 2);
    g_object_unref(m);
}

/* A subscriber who knows the boundary cannot end a part with it. */
static void content_cannot_forge_the_boundary(void **unused)
{
    (void)unused;
    GMimeMessage *m = parse(compose());
    const char *boundary = g_mime_multipart_get_boundary(GMIME_MULTIPART(g_mime_message_get_mime_part(m)));
    facts.rule_text = arena_format(&memory, "x\n--%s--\n", boundary);
    certificates[0].subject = facts.rule_text;
    g_object_unref(m);
    m = parse(compose());
    assert_int_equal(g_mime_multipart_get_count(GMIME_MULTIPART(g_mime_message_get_mime_part(m))), 2);
    assert_non_null(strstr(content(m, 1), "8A0B,"));
    g_object_unref(m);
}

static void too_much_for_a_mail_is_said(void **unused)
{
    (void)unused;
    size_t n = 40000;
    struct notice_certificate *many = arena_array(&memory, n, sizeof *many);
    for (size_t i = 0; i < n; i++) {
        many[i] = certificates[0];
        many[i].serial = (struct serial){3, {1, (uint8_t)(i >> 8), (uint8_t)i}};
    }
    facts.certificates = many;
    facts.certificate_count = n;
    struct str eml = compose();
    assert_in_range(eml.n, 4000000, 9500000);
    GMimeMessage *m = parse(eml);
    size_t rows = 0;
    for (struct str rest = str_of(content(m, 1)); rest.n > 0; rows++)
        (void)str_cut(&rest, '\n');
    rows--;
    assert_in_range(rows, 10000, n - 1);
    assert_non_null(
        strstr(content(m, 0), arena_format(&memory, "holds the first %zu; please ask us for the other %zu.",
                                           rows, n - rows)));
    g_object_unref(m);
}

static void refuses(enum fault_kind kind, const char *text)
{
    struct fault f = {0};
    struct str eml;
    assert_false(notifier_compose(&in, &memory, &eml, &f));
    assert_int_equal(f.kind, kind);
    if (strstr(f.text, text) == NULL)
        fail_msg("%s", f.text);
}

static void what_cannot_be_composed_is_named(void **unused)
{
    (void)unused;
    contact.email = "zoe@cust.test, eve@cust.test";
    contact.line = 9;
    refuses(FAULT_REFUSED, "S-0042: contact in line 9 has no usable address");
    begin(NULL);
    in.from = "CA <revocation@ca.test>";
    refuses(FAULT_CONFIG, "mail.from: 'CA <revocation@ca.test>' is not one bare mailbox");
    begin(NULL);
    for (size_t i = 0; i < 12; i++)
        certificates[i].planned = UTC_NONE;
    refuses(FAULT_CONFLICT, "subscriber S-0042 has no planned hour");
}

static void templates_are_checked_before_the_first_message(void **unused)
{
    (void)unused;
    struct fault f = {0};
    assert_true(notifier_check_templates(&templates, &f));
    struct notice_templates wrong = templates;
    wrong.text[NOTICE_FIRST] = str_of("x\n{{#cut}}{{slott}}{{/cut}}");
    assert_false(notifier_check_templates(&wrong, &f));
    assert_string_equal(f.text, "plans: notices/en/first.txt:2: no value is named 'slott'");
    wrong = templates;
    wrong.text[NOTICE_HEADS_UP] = str_of("at {{slot}}");
    assert_false(notifier_check_templates(&wrong, &f));
    assert_string_equal(f.text, "plans: notices/en/heads-up.txt:1: no value is named 'slot'");
    wrong = templates;
    wrong.text[NOTICE_FIRST] = str_of("not {{old_slot}}");
    assert_false(notifier_check_templates(&wrong, &f));
    assert_string_equal(f.text, "plans: notices/en/first.txt:1: no value is named 'old_slot'");
    wrong = templates;
    wrong.subject[NOTICE_FIRST] = str_of("one\ntwo\n");
    assert_false(notifier_check_templates(&wrong, &f));
    assert_string_equal(f.text, "plans: notices/en/first.subject: a subject is exactly one line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(headers_are_ours, begin, end),
        cmocka_unit_test_setup_teardown(a_first_notice_says_what_a_subscriber_needs, begin, end),
        cmocka_unit_test_setup_teardown(a_moved_notice_names_both_hours, begin, end),
        cmocka_unit_test_setup_teardown(a_heads_up_names_no_hour, begin, end),
        cmocka_unit_test_setup_teardown(the_table_holds_every_certificate, begin, end),
        cmocka_unit_test_setup_teardown(the_same_input_gives_the_same_bytes, begin, end),
        cmocka_unit_test_setup_teardown(names_cannot_add_headers, begin, end),
        cmocka_unit_test_setup_teardown(content_cannot_forge_the_boundary, begin, end),
        cmocka_unit_test_setup_teardown(too_much_for_a_mail_is_said, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_composed_is_named, begin, end),
        cmocka_unit_test_setup_teardown(templates_are_checked_before_the_first_message, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
