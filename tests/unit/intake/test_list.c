/* Does the affected list account for every line, and only accept what it may? */
#include "massrevoke/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT(literal) ((struct str){literal, sizeof literal - 1})

static const char *const first_names[] = {"CN=Issuing CA 1,O=Example\\, Inc,C=US", "ca/ca1.pem"};
static const char *const second_names[] = {"/C=US/O=Example, Inc/CN=Issuing CA 2"};
static const struct intake_issuer issuers[] = {{first_names, 2}, {second_names, 1}};

static struct intake_list begin(struct arena *a, int default_issuer)
{
    return (struct intake_list){.issuers = intake_issuers_make(issuers, 2, a),
                                .default_issuer = default_issuer,
                                .seed = {1, 2},
                                .arena = a};
}

/* "in accepted duplicate rejected", then " line:reason" of each reject. */
static void result(const struct intake_list *list, struct buf *out)
{
    buf_format(out, "%zu %zu %zu %zu", intake_list_in(list), list->accepted, list->duplicate,
               list->rejects.count);
    for (size_t i = 0; i < list->rejects.count; i++)
        buf_format(out, " %zu:%s", list->rejects.items[i].line, list->rejects.items[i].reason);
}

static void expect(struct str text, enum intake_base base, const char *wanted)
{
    AUTO_ARENA a = {0};
    AUTO_BUF out = {0};
    AUTO_INTAKE_LIST list = begin(&a, 0);
    struct fault f = {0};
    list.base = base;
    if (!intake_list_read(&list, "list", INTAKE_AUTO, source_memory(&text), &f))
        fail_msg("%s", f.text);
    result(&list, &out);
    assert_string_equal(out.p, wanted);
}

static void serial_lists(void **unused)
{
    (void)unused;
    enum intake_base none = INTAKE_BASE_UNDECLARED;
    expect(TEXT(""), none, "0 0 0 0");
    expect(TEXT("# all\n\n0a0B\n  # none\n"), none, "1 1 0 0");
    expect(TEXT("0A0B\r\n0xa0b\r\n0a:0b # again\r\n"), none, "3 1 2 0");
    expect(TEXT("\xef\xbb\xbf"
                "0A0B\n0A 0C\n"),
           none, "2 2 0 0");
    expect(TEXT("0A0B\nxyz\n"), none, "2 1 0 1 2:not a hexadecimal serial");
    expect(TEXT("0A0B\n12:34\n0x12\n"), none, "3 3 0 0");
    expect(TEXT("0A0B\n1234\n12 34\n"), none,
           "3 1 0 2 2:all digits: hex or decimal? say --serials hex or --serials decimal"
           " 3:all digits: hex or decimal? say --serials hex or --serials decimal");
    expect(TEXT("1234\n0x1234\n"), INTAKE_BASE_HEX, "2 1 1 0");
    expect(TEXT("1234\n4D2\n01234\n"), INTAKE_BASE_DECIMAL, "3 1 1 1 2:not a decimal serial");
    expect(TEXT("AABBCCDDEEFF00112233445566778899AABBCCDDEE\n"), none,
           "1 0 0 1 1:more than 20 significant octets (RFC 5280 4.1.2.2)");
    expect(TEXT("00AABBCCDDEEFF00112233445566778899AABBCCDD\n"), none, "1 1 0 0");
    expect(TEXT("0A\0B\n0A0B"), none, "2 1 0 1 1:holds a NUL byte");
    expect(TEXT("0A\xff\n0A0B"), none, "2 1 0 1 1:is not UTF-8");
    expect(TEXT("00\n"), INTAKE_BASE_HEX, "1 0 0 1 1:the serial is zero");
    expect(TEXT("AABBCCDDEEFF0011 AABBCCDDEEFF0022\n"), none,
           "1 0 0 1 1:more than one serial on the line, or one split oddly");
}

static void tables(void **unused)
{
    (void)unused;
    enum intake_base none = INTAKE_BASE_UNDECLARED;
    expect(TEXT("Serial Number\n0A\n0B\n0a\n"), none, "3 2 1 0");
    expect(TEXT("serial,host\n0A,x\n0B,y\n"), none, "2 2 0 0");
    expect(TEXT("host;serial\nx;0A\n"), none, "1 1 0 0");
    expect(TEXT("serial,issuer\n0A,\"C=US, O=\"\"Example, Inc\"\", CN=Issuing CA 1\"\n"
                "0A,\"/C=US/O=Example, Inc/CN=Issuing CA 2\"\n0A,\n"),
           none, "3 2 1 0");
    expect(TEXT("serial,issuer\n0A,CN=Other\n"), none, "1 0 0 1 2:issuer is not configured: CN=Other");
    expect(TEXT("serial,host\n0A,x,y\n0B\n0C,z\n"), none,
           "3 1 0 2 2:3 cells, but the header has 2 3:1 cells, but the header has 2");
    expect(TEXT("serial,host\n0A\x1b,x\n,y\n12,z\n"), none,
           "3 0 0 3 2:a control character in column 'serial' 3:the serial is empty"
           " 4:all digits: hex or decimal? say --serials hex or --serials decimal");
}

static void the_ccadb_list_declares_hex(void **unused)
{
    (void)unused;
    expect(TEXT("Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,"
                "Serial #,dNSNames,Is revoked?,Revocation date,Revocation reason\r\n"
                "N/A,N/A,CN=a.example,\"CN=Issuing CA 1,O=Example\\, Inc,C=US\",N/A,N/A,1234,a.example b.ex"
                "ample,Planned,2026-11-22T00:00:00Z,superseded\r\n"),
           INTAKE_BASE_UNDECLARED, "1 1 0 0");
}

static void places_name_the_line(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF out = {0};
    AUTO_INTAKE_LIST list = begin(&a, 1);
    struct str one = TEXT("0A\n\n0B\n"), two = TEXT("0C\n0B\nzz\n");
    struct fault f;
    struct serial serial;
    assert_true(intake_list_read(&list, "one", INTAKE_AUTO, source_memory(&one), &f));
    assert_true(intake_list_read(&list, "two", INTAKE_AUTO, source_memory(&two), &f));
    assert_null(serial_from_hex(str_of("0D"), &serial));
    uint32_t bundle = intake_list_file(&list, "three.pem");
    intake_list_add(&list, bundle, 7, 0, &serial);
    intake_list_add(&list, bundle, 9, 1, &serial);
    intake_list_add(&list, bundle, 11, 1, &serial);
    intake_list_reject(&list, bundle, 13, "not a certificate");
    assert_int_equal(list.accepted, 5);
    assert_int_equal(list.keys[3].issuer, 0);
    assert_int_equal(list.keys[4].issuer, 1);
    assert_int_equal(list.places[1].line, 3);
    assert_int_equal(list.keys[1].issuer, 1);
    assert_true(list.default_used);
    assert_int_equal(intake_list_verdict(&list), FAULT_PARTLY);
    intake_list_summary(&list, 1, &out);
    assert_string_equal(out.p, "9 in: 5 accepted, 2 duplicate, 2 rejected\n"
                               "  rejected two:3: not a hexadecimal serial\n"
                               "  and 1 more rejected\n"
                               "  duplicate two:2: first at one:3\n"
                               "  and 1 more duplicate\n");
    AUTO_JSON *json = intake_list_json(&list);
    buf_clear(&out);
    json_canonical(json, &out);
    assert_string_equal(out.p, "{\"accepted\":5,\"duplicate\":2,\"in\":9,\"rejected\":2,\"rejects\":["
                               "{\"file\":\"two\",\"line\":3,\"reason\":\"not a hexadecimal serial\"},"
                               "{\"file\":\"three.pem\",\"line\":13,\"reason\":\"not a certificate\"}]}");
}

static void verdicts(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_LIST list = begin(&a, 0);
    struct serial serial = {.n = 1, .bytes = {5}};
    assert_int_equal(intake_list_verdict(&list), FAULT_NONE);
    uint32_t file = intake_list_file(&list, "x");
    intake_list_reject(&list, file, 1, "bad");
    assert_int_equal(intake_list_verdict(&list), FAULT_FAILED);
    intake_list_add(&list, file, 2, 0, &serial);
    assert_int_equal(intake_list_verdict(&list), FAULT_PARTLY);
}

static void refused(struct str text, enum intake_format format, enum fault_kind kind, const char *words)
{
    AUTO_ARENA a = {0};
    AUTO_INTAKE_LIST list = begin(&a, -1);
    struct fault f = {0};
    assert_false(intake_list_read(&list, "list", format, source_memory(&text), &f));
    assert_int_equal(f.kind, kind);
    assert_non_null(strstr(f.text, words));
    assert_int_equal(intake_list_in(&list), 0);
}

static void files_that_are_refused_whole(void **unused)
{
    (void)unused;
    refused(TEXT("0A\n"), INTAKE_AUTO, FAULT_USAGE, "names no issuer");
    refused(TEXT("serial,host\n0A,x\n"), INTAKE_AUTO, FAULT_USAGE, "names no issuer");
    refused(TEXT("host,name\n0A,x\n"), INTAKE_AUTO, FAULT_FAILED, "list:1: no column is named 'serial'");
    refused(TEXT("serial,Serial #\n"), INTAKE_AUTO, FAULT_FAILED, "two columns mean 'serial'");
    refused(TEXT("serial,a\0\n"), INTAKE_AUTO, FAULT_FAILED, "the header cannot be read: holds a NUL byte");
    refused(TEXT("\xff\xfe"
                 "0\0A\0"),
            INTAKE_AUTO, FAULT_FAILED, "UTF-16");
    refused(TEXT("x\n-----BEGIN CERTIFICATE-----\n"), INTAKE_AUTO, FAULT_FAILED, "certificates (pem)");
    refused(TEXT("0\x82\x01\x02"), INTAKE_AUTO, FAULT_FAILED, "certificates (der)");
}

static void formats(void **unused)
{
    (void)unused;
    assert_int_equal(intake_detect(str_of("Serial #\n12")), INTAKE_CSV);
    assert_int_equal(intake_detect(str_of("Serial #,Issuer\n12")), INTAKE_CSV);
    assert_int_equal(intake_detect(str_of("# a, b\n\n0A # c, d\n")), INTAKE_SERIALS);
    assert_int_equal(intake_detect(str_of("\xef\xbb\xbf-----BEGIN CERTIFICATE-----")), INTAKE_PEM);
    for (int i = 0; i < INTAKE_FORMAT_COUNT; i++)
        assert_int_equal(intake_format_from_name(str_of(intake_format_name((enum intake_format)i))), i);
    assert_int_equal(intake_format_from_name(str_of("xml")), INTAKE_FORMAT_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serial_lists),
        cmocka_unit_test(tables),
        cmocka_unit_test(the_ccadb_list_declares_hex),
        cmocka_unit_test(places_name_the_line),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(files_that_are_refused_whole),
        cmocka_unit_test(formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
