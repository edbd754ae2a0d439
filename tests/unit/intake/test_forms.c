/* Is every form told by its first bytes, and does each line name what it should? */
#include "massrevoke/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SHA "4eeeadf0947e0fc34cbcf9c5e84d0c31e70e0ed65b231dba887269bd2a017771"
#define SHA_UPPER "4EEEADF0947E0FC34CBCF9C5E84D0C31E70E0ED65B231DBA887269BD2A017771"
#define SHA_COLONS                                                                                           \
    "4E:EE:AD:F0:94:7E:0F:C3:4C:BC:F9:C5:E8:4D:0C:31:E7:0E:0E:D6:5B:23:1D:BA:88:72:69:BD:2A:01:77:71"

static const char *const names[] = {"CN=CA 1,O=X"};
static const struct intake_issuer issuers[] = {{names, 1}};

/* Reads text; "in accepted duplicate rejected hashes". */
static void read_text(struct intake_list *list, struct arena *a, const char *text, enum intake_format format,
                      int default_issuer)
{
    struct str bytes = str_of(text);
    struct fault f = {0};
    *list = (struct intake_list){.issuers = intake_issuers_make(issuers, 1, a),
                                 .default_issuer = default_issuer,
                                 .seed = {1, 2},
                                 .arena = a};
    if (!intake_list_read(list, "x", format, source_memory(&bytes), &f))
        fail_msg("%s", f.text);
}

static void told_by_the_first_bytes(void **unused)
{
    (void)unused;
    static const struct {
        const char *head;
        enum intake_format format;
    } rows[] = {
        {"0A0B\n0A0C\n", INTAKE_SERIALS},
        {"# serials\n\n0A0B\n", INTAKE_SERIALS},
        {"serial\n0A0B\n", INTAKE_CSV},
        {"Serial Number\n", INTAKE_CSV},
        {"a,b\n", INTAKE_CSV},
        {"sha256\n" SHA "\n", INTAKE_CSV},
        {"V\t270205201034Z\t\t0A0B\tunknown\t/CN=a\n", INTAKE_INDEX},
        {"R\t20550205201034Z\t260101000000Z,superseded\t0A0B\tunknown\t/CN=a\n", INTAKE_INDEX},
        {"# a remark\nE\t270205201034Z\t\t0A0B\tunknown\t/CN=a\n", INTAKE_INDEX},
        {"V\tserial\n", INTAKE_CSV},
        {"https://crt.sh/?sha256=" SHA "\n", INTAKE_LINKS},
        {"http://example.com/\n", INTAKE_LINKS},
        {"crt.sh/?q=" SHA "\n", INTAKE_LINKS},
        {SHA "\n", INTAKE_LINKS},
        {SHA_COLONS "\n", INTAKE_LINKS},
        {"-----BEGIN CERTIFICATE-----\n", INTAKE_PEM},
        {"Bag Attributes\n-----BEGIN CERTIFICATE-----\n", INTAKE_PEM},
        {"\x30\x82\x01", INTAKE_DER},
        {"", INTAKE_SERIALS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum intake_format format = intake_detect(str_of(rows[i].head));
        if (format != rows[i].format)
            fail_msg("'%s' was taken for %s", rows[i].head, intake_format_name(format));
    }
    for (int i = 0; i < INTAKE_FORMAT_COUNT; i++)
        assert_int_equal(intake_format_from_name(str_of(intake_format_name((enum intake_format)i))), i);
}

static void links(void **unused)
{
    (void)unused;
    struct digest sha256;
    static const char *const good[] = {
        "https://crt.sh/?sha256=" SHA,          "http://crt.sh?q=" SHA_UPPER,
        "crt.sh/?opt=ocsp&q=" SHA_COLONS,       "HTTPS://WWW.CRT.SH/?q=" SHA,
        " https://crt.sh/?sha256=" SHA "#top ", "https://crt.sh/x?sha256=" SHA "&opt=x",
    };
    static const char *const bad[] = {
        "https://crt.sh/?id=1",        "https://crt.sh/?q=example.com",
        "https://crt.sh/?sha1=00",     "https://crt.sh/?sha256=00",
        "https://crt.sh/" SHA,         "https://crt.sh.example/?sha256=" SHA,
        "https://example.com/?q=" SHA, "https://crt.sh",
        "https://crt.sh/?sha256",      "",
        "https://crt.sh/?serial=0a0b",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char hex[DIGEST_TEXT];
        assert_null(intake_link(str_of(good[i]), &sha256));
        assert_string_equal(digest_hex(sha256, hex), SHA);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(intake_link(str_of(bad[i]), &sha256));
    assert_non_null(strstr(intake_link(str_of(bad[0]), &sha256), "by SHA-256"));
}

static void hashes_wait_for_the_inventory(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_LIST list;
    read_text(&list, &a,
              "serial,issuer,sha256\n0A,,\n,," SHA "\nN/A,," SHA_COLONS "\n0A,," SHA "\n,,zz\n,,N/A\n,," SHA
              "\n",
              INTAKE_AUTO, 0);
    assert_int_equal(list.accepted, 1);
    assert_int_equal(list.duplicate, 1); /* a row with a serial is its serial */
    assert_false(list.by_hash[0]);
    assert_int_equal(list.hash_count, 3);
    assert_int_equal(list.rejects.count, 2);
    assert_int_equal(intake_list_in(&list), 7);
    struct intake_key keys[3] = {{.serial = list.keys[0].serial}, {.serial = {1, {0x0b}}}, {.serial = {0}}};
    static const bool found[3] = {true, true, false};
    intake_list_resolve(&list, keys, found);
    assert_int_equal(list.hash_count, 0);
    assert_int_equal(list.accepted, 2);
    assert_int_equal(list.duplicate, 2);
    assert_int_equal(list.rejects.count, 3);
    assert_true(list.by_hash[0]); /* named by its hash as well now */
    assert_true(list.by_hash[1]);
    assert_int_equal(list.rejects.items[2].line, 8);
    assert_int_equal(intake_list_in(&list), 7);
}

static void index_rows(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_LIST list;
    read_text(
        &list, &a,
        "V\t270205201034Z\t\t0A0B\tunknown\t/CN=a #1\nR\t270205201034Z\t260101000000Z\t0A0C\tunknown\t/CN=b\n"
        "E\t260205201034Z\t\t1234\tunknown\t/CN=c\n# no row\nQ\tx\ny\nV\t270205201034Z\nV\t1Z\t\tzz\tu\t/\n"
        "V\t270205201034Z\t\t0a0b\tunknown\t/CN=again\n",
        INTAKE_AUTO, 0);
    assert_int_equal(list.accepted, 3);
    assert_int_equal(list.duplicate, 1);
    assert_int_equal(list.rejects.count, 4);
    assert_int_equal(list.rejects.items[0].line, 5);
    assert_true(list.default_used);
}

static void refused_entries_are_rejected_lines(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    AUTO_INTAKE_LIST list;
    read_text(&list, &a, "0A\n0B\n0A\n0C\nzz\n", INTAKE_AUTO, 0);
    static const bool refused[] = {true, false, false};
    intake_list_refuse(&list, refused, "not now");
    assert_int_equal(list.accepted, 2);
    assert_int_equal(list.keys[0].serial.bytes[0], 0x0b);
    assert_int_equal(list.places[1].line, 4);
    assert_int_equal(list.rejects.count, 2);
    assert_int_equal(intake_list_in(&list), 5);
    intake_list_summary(&list, 9, &text);
    assert_non_null(strstr(text.p, "5 in: 2 accepted, 1 duplicate, 2 rejected"));
    assert_non_null(strstr(text.p, "rejected x:1: not now"));
    assert_non_null(strstr(text.p, "duplicate x:3: first at x:1"));
}

static void spellings_of_a_list(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        enum intake_base base;
        const char *hex; /* NULL: refused */
    } rows[] = {
        {"9a:0b", INTAKE_BASE_UNDECLARED, "9A0B"},
        {"9A-0B", INTAKE_BASE_UNDECLARED, "9A0B"},
        {"009a0b", INTAKE_BASE_UNDECLARED, "9A0B"},
        {"0x9a0b", INTAKE_BASE_DECIMAL, NULL},
        {"39435", INTAKE_BASE_DECIMAL, "9A0B"},
        {"39435", INTAKE_BASE_UNDECLARED, NULL},
        {"39435", INTAKE_BASE_HEX, "039435"},
        {"\\x009a0b", INTAKE_BASE_UNDECLARED, "9A0B"},
        {"\\x39435a", INTAKE_BASE_DECIMAL, "39435A"}, /* a bytea says what it is */
        {"\\x1234", INTAKE_BASE_UNDECLARED, "1234"},
        {"000000000000000000000000000000009a0b", INTAKE_BASE_UNDECLARED, "9A0B"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct serial serial;
        char hex[SERIAL_HEX_TEXT];
        const char *why = intake_serial(str_of(rows[i].text), rows[i].base, &serial);
        if ((why == NULL) != (rows[i].hex != NULL))
            fail_msg("%s: %s", rows[i].text, why == NULL ? "taken" : why);
        if (why == NULL)
            assert_string_equal(serial_hex(&serial, hex), rows[i].hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_by_the_first_bytes),
        cmocka_unit_test(links),
        cmocka_unit_test(hashes_wait_for_the_inventory),
        cmocka_unit_test(index_rows),
        cmocka_unit_test(refused_entries_are_rejected_lines),
        cmocka_unit_test(spellings_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
