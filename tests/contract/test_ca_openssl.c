/* Does the door behave on an `openssl ca` directory as the contract says, and do the stock tools agree? */
#include "../lib/ca_list.h"
#include "../lib/shell.h"
#include "door/ca_index.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/ca_openssl.h"
#include "massrevoke/cert.h"
#include "massrevoke/crl_write.h"
#include "massrevoke/file.h"
#include "massrevoke/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT 60
#define NOW INT64_C(1795357316)

static struct arena memory;
static const char *ca_dir; /* one CA for all tests; each copies it */
static struct utc clock_value;

static struct utc fixed_now(void *s)
{
    (void)s;
    return clock_value;
}

/* A CA of one test: a copy of the folder, the door, the answers got so far by number. */
struct ca {
    const char *folder, *dir;
    struct ca_door *door;
    struct ca_answer answers[4 * COUNT];
    size_t count;
};

static void collect(void *context, const struct ca_answer *answers, size_t count)
{
    struct ca *ca = context;
    for (size_t i = 0; i < count; i++)
        ca->answers[ca->count++] = answers[i];
}

static struct settings_ca settings_for(const char *dir, struct settings_issuer *issuer)
{
    issuer->certificate_file = file_join(&memory, dir, "ca.pem");
    issuer->crl = NULL;
    return (struct settings_ca){.name = "t",
                                .backend = "ca_openssl",
                                .directory = dir,
                                .rate = {2000, 1},
                                .crl_validity = {7 * 86400},
                                .issuers = issuer,
                                .issuer_count = 1};
}

static void must_open(struct ca *ca)
{
    struct settings_issuer issuer;
    struct settings_ca s = settings_for(ca->dir, &issuer);
    struct fault f;
    struct clock clock = {.now = fixed_now};
    if (!ca_openssl_open(&s, 3, clock, &ca->door, &f))
        fail_msg("%s", f.text);
    ca->door->answer = collect;
    ca->door->answer_context = ca;
}

static int make(void **state)
{
    log_quiet(true);
    clock_value.s = NOW;
    const char *folder = shell_folder(&memory);
    ca_dir = file_join(&memory, folder, "ca");
    struct ca_new_spec spec = {
        .directory = ca_dir, .count = COUNT, .subscribers = 7, .seed = 5, .now = {NOW}};
    struct fault f;
    if (!ca_new(&spec, &f))
        fail_msg("%s", f.text);
    *state = NULL;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    char *parent = arena_text(&memory, ca_dir);
    *strrchr(parent, '/') = '\0';
    shell_remove(parent);
    arena_free(&memory);
    return 0;
}

static int begin(void **state)
{
    struct ca *ca = calloc(1, sizeof *ca);
    AUTO_BUF out = {0};
    ca->folder = shell_folder(&memory);
    ca->dir = file_join(&memory, ca->folder, "ca");
    assert_int_equal(SHELL("/", &out, "cp", "-a", ca_dir, ca->dir), 0);
    clock_value.s = NOW;
    must_open(ca);
    *state = ca;
    return 0;
}

static int end(void **state)
{
    struct ca *ca = *state;
    ca_close(ca->door);
    shell_remove(ca->folder);
    free(ca);
    return 0;
}

/* --- helpers --- */

static struct str content(const struct ca *ca, const char *name)
{
    struct str bytes;
    struct fault f;
    if (!file_read(file_join(&memory, ca->dir, name), 64 << 20, &memory, &bytes, &f))
        fail_msg("%s", f.text);
    return bytes;
}

static void overwrite(const struct ca *ca, const char *name, const char *text)
{
    struct fault f;
    assert_true(file_write(file_join(&memory, ca->dir, name), str_of(text), 0644, &f));
}

/* All rows of the index as it stands; fails on a malformed one. */
static size_t rows(const struct ca *ca, struct ca_index_row *out, size_t room)
{
    struct ca_index_walk walk = {.path = "index.txt", .rest = content(ca, "index.txt")};
    struct fault f;
    bool over = false;
    size_t n = 0;
    for (;;) {
        struct ca_index_row row;
        if (!ca_index_next(&walk, &row, &over, &f))
            fail_msg("%s", f.text);
        if (over)
            return n;
        assert_true(n < room);
        out[n++] = row;
    }
}

static struct ca_item item_of(const struct ca_index_row *row, uint32_t number, enum reason reason)
{
    return (struct ca_item){.number = number, .issuer = 3, .serial = row->serial, .reason = reason};
}

static void settle_all(struct ca *ca)
{
    bool busy = true;
    struct fault f;
    while (busy)
        if (!ca->door->ops->step(ca->door, &busy, &f))
            fail_msg("%s", f.text);
}

static void revoke_now(struct ca *ca, const struct ca_item *items, size_t count)
{
    struct fault f;
    if (!ca->door->ops->revoke(ca->door, items, count, &f))
        fail_msg("%s", f.text);
}

static void openssl_status(const struct ca *ca, const struct serial *serial, const char *expected)
{
    AUTO_BUF out = {0};
    char hex[SERIAL_HEX_TEXT];
    SHELL(ca->dir, &out, "openssl", "ca", "-config", "openssl.cnf", "-status", serial_hex(serial, hex));
    if (strstr(out.p, expected) == NULL)
        fail_msg("no %s in: %s", expected, out.p);
}

static void publish(struct ca *ca)
{
    struct fault f;
    if (!ca->door->ops->publish(ca->door, 3, clock_value, &f))
        fail_msg("%s", f.text);
}

static void openssl_reads_crl(const struct ca *ca, struct buf *out)
{
    assert_int_equal(SHELL(ca->dir, out, "openssl", "crl", "-inform", "DER", "-in", "pub/ca.crl", "-noout",
                           "-text", "-CAfile", "ca.pem", "-nameopt", "RFC2253"),
                     0);
    assert_non_null(strstr(out->p, "verify OK"));
}

/* --- tests --- */

static void what_is_made(void **state)
{
    struct ca *ca = *state;
    struct ca_index_row all[COUNT + 1];
    bool top_bit = false, length[SERIAL_MAX + 1] = {false};
    assert_int_equal(rows(ca, all, COUNT + 1), COUNT);
    AUTO_BUF out = {0};
    AUTO_ARENA a = {0};
    struct issuer issuer;
    struct fault f;
    assert_true(issuer_load(file_join(&a, ca->dir, "ca.pem"), &a, &issuer, &f));
    for (size_t i = 0; i < COUNT; i++) {
        char hex[SERIAL_HEX_TEXT];
        assert_int_equal(all[i].type, 'V');
        top_bit = top_bit || all[i].serial.bytes[0] >= 0x80;
        length[all[i].serial.n] = true;
        const char *name = arena_format(&a, "newcerts/%s.pem", serial_hex(&all[i].serial, hex));
        assert_memory_equal(all[i].tail.p, hex, strlen(hex));
        struct cert cert;
        assert_true(cert_load(file_join(&a, ca->dir, name), &a, &cert, &f));
        assert_true(serial_equal(&cert.serial, &all[i].serial));
        assert_null(issuer_check(&issuer, &cert));
        assert_string_equal(cert.type, "DV");
        assert_string_equal(cert.cdp, "http://crl.demo-ca.example/ca.crl");
        assert_string_equal(cert.ocsp, "");
        assert_true(cert.not_after.s >= NOW + 30 * 86400);
        assert_true(cert.not_before.s < NOW);
        assert_true(cert.not_after.s - cert.not_before.s < 200 * 86400);
        assert_false(cert.is_ca);
        assert_int_equal(cert.ski.n, 20);
        assert_true(str_equal(cert.authority_key, issuer.cert.ski));
        assert_non_null(strstr(cert.dns_names, ".example"));
    }
    assert_true(top_bit && length[20]);
    char hex[SERIAL_HEX_TEXT];
    const char *first = arena_format(&a, "newcerts/%s.pem", serial_hex(&all[0].serial, hex));
    assert_int_equal(SHELL(ca->dir, &out, "openssl", "verify", "-attime", "1795357316", "-x509_strict",
                           "-CAfile", "ca.pem", first),
                     0);
    openssl_status(ca, &all[0].serial, "Valid (V)");
    openssl_reads_crl(ca, &out);
    assert_non_null(strstr(out.p, "No Revoked Certificates"));
    static const struct {
        const char *name;
        mode_t mode;
    } private[] = {
        {"private/ca.key", 0600}, {"approvers/alice.key", 0600}, {"private", 0700}, {"spool", 0700}};
    for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
        struct stat st;
        assert_int_equal(stat(file_join(&a, ca->dir, private[i].name), &st), 0);
        assert_int_equal(st.st_mode & 0777, private[i].mode);
    }
    issuer_release(&issuer);
}

static void same_seed_same_ca(void **state)
{
    struct ca *ca = *state;
    const char *again = file_join(&memory, ca->folder, "again");
    struct ca_new_spec spec = {.directory = again, .count = COUNT, .subscribers = 7, .seed = 5, .now = {NOW}};
    struct fault f;
    assert_true(ca_new(&spec, &f));
    struct ca other = {.dir = again};
    assert_true(str_equal(content(ca, "index.txt"), content(&other, "index.txt")));
    assert_true(str_equal(content(ca, "contacts.csv"), content(&other, "contacts.csv")));
    assert_false(str_equal(content(ca, "ca.pem"), content(&other, "ca.pem")));
    /* and a folder that is not empty stays as it is */
    assert_false(ca_new(&spec, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    spec.directory = file_join(&memory, ca->folder, "other/deep/");
    spec.seed = 6;
    assert_true(ca_new(&spec, &f));
    other.dir = spec.directory;
    assert_false(str_equal(content(ca, "index.txt"), content(&other, "index.txt")));
}

static void chosen_dates_and_subscribers(void **state)
{
    struct ca *ca = *state;
    struct utc not_after[3] = {{NOW + 5 * 86400}, UTC_NONE, {NOW - 86400}};
    int subscriber[3] = {1, 1, 0};
    struct ca_new_spec spec = {.directory = file_join(&memory, ca->folder, "chosen"),
                               .count = 3,
                               .subscribers = 2,
                               .now = {NOW},
                               .ocsp_url = "http://127.0.0.1:8888/",
                               .not_after = not_after,
                               .subscriber = subscriber};
    struct fault f;
    if (!ca_new(&spec, &f))
        fail_msg("%s", f.text);
    struct ca other = {.dir = spec.directory};
    struct ca_index_row all[3];
    assert_int_equal(rows(&other, all, 3), 3);
    AUTO_BUF expiry = {0};
    ca_index_time(not_after[0], &expiry);
    assert_true(str_equal(all[0].expiry, buf_str(&expiry)));
    AUTO_ARENA a = {0};
    const char *csv = arena_copy(&a, content(&other, "inventory.csv").p, content(&other, "inventory.csv").n);
    assert_non_null(strstr(csv, ",sub-0002,"));
    assert_non_null(strstr(csv, ",http://127.0.0.1:8888/,newcerts/"));
    AUTO_BUF out = {0};
    assert_int_equal(SHELL(other.dir, &out, "openssl", "x509", "-in", "ocsp.pem", "-noout", "-text"), 0);
    assert_non_null(strstr(out.p, "OCSP Signing"));
    assert_non_null(strstr(out.p, "OCSP No Check"));
    const char *first =
        arena_format(&a, "newcerts/%s.pem", serial_hex(&all[0].serial, (char[SERIAL_HEX_TEXT]){0}));
    assert_int_equal(SHELL(other.dir, &out, "openssl", "ocsp", "-issuer", "ca.pem", "-cert", first,
                           "-no_nonce", "-reqout", "q"),
                     0);
    assert_int_equal(SHELL(other.dir, &out, "openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem",
                           "-rsigner", "ocsp.pem", "-rkey", "private/ocsp.key", "-reqin", "q", "-respout",
                           "r"),
                     0);
    assert_int_equal(SHELL(other.dir, &out, "openssl", "ocsp", "-respin", "r", "-issuer", "ca.pem", "-cert",
                           first, "-CAfile", "ca.pem", "-no_check_time"),
                     0);
    assert_non_null(strstr(out.p, "Response verify OK"));
    assert_non_null(strstr(out.p, ".pem: good"));
    not_after[0].s = NOW + 300 * (int64_t)86400;
    spec.directory = file_join(&memory, ca->folder, "late");
    assert_false(ca_new(&spec, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
    assert_int_not_equal(access(spec.directory, F_OK), 0);
    spec.not_after = NULL;
    spec.ocsp_url = "http://a,b";
    assert_false(ca_new(&spec, &f));
    assert_int_equal(f.kind, FAULT_USAGE);
}

static void revokes_for_every_reason(void **state)
{
    struct ca *ca = *state;
    struct ca_index_row all[COUNT], after[COUNT];
    rows(ca, all, COUNT);
    struct ca_item items[12];
    for (uint32_t i = 0; i < 11; i++)
        items[i] = item_of(&all[i * 3], i, (enum reason)i);
    items[11] = items[4];
    items[11].serial.bytes[0] ^= 1; /* nobody's */
    items[11].number = 11;
    revoke_now(ca, items, 6);
    revoke_now(ca, items + 6, 6); /* a second chunk before the first step: one pass for both */
    settle_all(ca);
    assert_int_equal(ca->count, 12);
    assert_int_equal(rows(ca, after, COUNT), COUNT);
    for (uint32_t i = 0; i < 12; i++) {
        const struct ca_answer *got = &ca->answers[i];
        bool can = i <= 6;
        assert_int_equal(got->number, i);
        assert_int_equal(got->outcome, i == 11 ? CA_UNKNOWN : can ? CA_REVOKED_NOW : CA_PERSON);
        if (i == 11)
            continue;
        assert_int_equal((ca->door->facts.reasons >> i) & 1, can);
        assert_int_equal(after[i * 3].type, can ? 'R' : 'V');
        assert_int_equal(after[i * 3].reason, can ? (int)i : -1);
        if (can) {
            assert_int_equal(got->at.s, NOW);
            assert_int_equal(got->reason, i);
            assert_int_equal(after[i * 3].at.s, NOW);
            openssl_status(ca, &all[i * 3].serial, "Revoked (R)");
        }
    }
    for (size_t i = 0; i < COUNT; i++)
        if (i % 3 != 0 || i > 18)
            assert_true(str_equal(all[i].line, after[i].line));
    AUTO_BUF out = {0};
    assert_int_equal(
        SHELL(ca->dir, &out, "openssl", "ca", "-config", "openssl.cnf", "-gencrl", "-out", "stock.pem"), 0);
    assert_int_equal(
        SHELL(ca->dir, &out, "openssl", "crl", "-in", "stock.pem", "-noout", "-text", "-CAfile", "ca.pem"),
        0);
    assert_non_null(strstr(out.p, "Superseded"));
}

static void keeps_the_first_date(void **state)
{
    struct ca *ca = *state;
    struct ca_index_row all[COUNT];
    rows(ca, all, COUNT);
    struct ca_item first = item_of(&all[7], 1, REASON_SUPERSEDED),
                   second = item_of(&all[7], 2, REASON_KEY_COMPROMISE);
    struct ca_item asked = item_of(&all[8], 3, REASON_UNSPECIFIED);
    revoke_now(ca, &first, 1);
    settle_all(ca);
    struct str before = content(ca, "index.txt");
    struct stat old, new;
    assert_int_equal(stat(file_join(&memory, ca->dir, "index.txt"), &old), 0);
    clock_value.s += 3600;
    revoke_now(ca, &second, 1);
    struct fault f;
    assert_true(ca->door->ops->status(ca->door, &first, 1, &f));
    assert_true(ca->door->ops->status(ca->door, &asked, 1, &f));
    settle_all(ca);
    assert_int_equal(ca->count, 4);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(ca->answers[i].outcome, CA_REVOKED_BEFORE);
        assert_int_equal(ca->answers[i].at.s, NOW);
        assert_int_equal(ca->answers[i].reason, REASON_SUPERSEDED);
    }
    assert_int_equal(ca->answers[3].outcome, CA_NOT_REVOKED);
    assert_true(str_equal(before, content(ca, "index.txt")));
    assert_int_equal(stat(file_join(&memory, ca->dir, "index.txt"), &new), 0);
    assert_int_equal(old.st_ino, new.st_ino); /* nothing to change: not even rewritten */
}

static void rows_of_openssl(void **state)
{
    /* openssl's own spellings; lower case and leading zeros name the same serial */
    struct ca *ca = *state;
    overwrite(ca, "index.txt",
              "# a comment\n"
              "R\t270101000000Z\t260101000000Z,keyTime,20251201000000Z\t0A\tunknown\t/CN=a\\\tb\n"
              "R\t270101000000Z\t260101000000Z,holdInstruction,holdInstructionReject\t0B\tunknown\t/CN=b\n"
              "E\t250101000000Z\t\t0C\tunknown\t/CN=c\n"
              "V\t20510101000000Z\t\t00ab0d\tunknown\t/CN=d\n"
              "R\t270101000000Z\t260101000000Z,CACompromise\t0E\tunknown\t/CN=e\n");
    struct ca_item items[5] = {0};
    static const uint8_t serials[5][2] = {{0x0a}, {0x0b}, {0x0c}, {0xab, 0x0d}, {0x0e}};
    for (size_t i = 0; i < 5; i++) {
        items[i] = (struct ca_item){.number = (uint32_t)i, .issuer = 3, .reason = REASON_SUPERSEDED};
        assert_null(serial_from_octets(serials[i], i == 3 ? 2 : 1, &items[i].serial));
    }
    revoke_now(ca, items, 5);
    settle_all(ca);
    static const enum ca_outcome expected[] = {CA_REVOKED_BEFORE, CA_REVOKED_BEFORE, CA_PERSON,
                                               CA_REVOKED_NOW, CA_REVOKED_BEFORE};
    static const int reasons[] = {1, 6, -1, 4, 2};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(ca->answers[i].outcome, expected[i]);
        assert_int_equal(ca->answers[i].reason, reasons[i]);
    }
    struct str now = content(ca, "index.txt");
    AUTO_ARENA a = {0};
    const char *text = arena_copy(&a, now.p, now.n);
    assert_non_null(strstr(text, "V\t20510101000000Z") == NULL ? text : NULL);
    assert_non_null(strstr(text, "R\t20510101000000Z\t261122142156Z,superseded\t00ab0d\tunknown\t/CN=d\n"));
    assert_non_null(strstr(text, "# a comment\nR\t270101000000Z\t260101000000Z,keyTime,20251201000000Z\t0A"));
    publish(ca);
    AUTO_BUF out = {0};
    openssl_reads_crl(ca, &out);
    assert_non_null(strstr(out.p, "Invalidity Date"));
    assert_null(strstr(out.p, "Serial Number: 0C"));
}

static void damaged_index(void **state)
{
    struct ca *ca = *state;
    static const char *const damaged[][2] = {
        {"V\t270101000000Z\t\tABC\tunknown\t/CN=a\n", ":1: the serial has an odd number"},
        {"V\t270101000000Z\t\t0A\tunknown\t/CN=a\nV\t270101000000Z\t\t0G\tunknown\t/CN=a\n",
         ":2: the serial is not hexa"},
        {"V\t270101000000Z\t\t0A\tunknown\n", ":1: not six cells"},
        {"V\t270101000000Z\t\t0A\tunknown\t/CN=a\textra\n", ":1: not six cells"},
        {"\n", ":1: not six cells"},
        {"X\t270101000000Z\t\t0A\tunknown\t/CN=a\n", ":1: the type"},
        {"R\t270101000000Z\t\t0A\tunknown\t/CN=a\n", ":1: the revocation date"},
        {"R\t270101000000Z\t260230000000Z\t0A\tunknown\t/CN=a\n", ":1: the revocation date"},
        {"R\t270101000000Z\t260101000000Z,because\t0A\tunknown\t/CN=a\n", ":1: the revocation reason"},
        {"V\t270101000000Z\t260101000000Z\t0A\tunknown\t/CN=a\n", ":1: not revoked, but"},
        {"V\t2701010000Z\t\t0A\tunknown\t/CN=a\n", ":1: the expiry"},
        {"V\t270101000000Z\t\t0A\tunknown\t/CN=a\nV\t2701", ":2: the last line has no end"},
        {"V\t270101000000Z\t\t0A\tunknown\t/CN=a\nV\t270101000000Z\t\t0A\tunknown\t/CN=a\n",
         ":2: the serial stands in line 1"},
    };
    struct ca_item item = {.number = 9, .issuer = 3, .serial = {1, {0x0a}}, .reason = REASON_SUPERSEDED};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        overwrite(ca, "index.txt", damaged[i][0]);
        struct fault f;
        bool busy = true;
        ca->count = 0;
        revoke_now(ca, &item, 1);
        assert_false(ca->door->ops->step(ca->door, &busy, &f));
        assert_false(busy);
        if (strstr(f.text, damaged[i][1]) == NULL || strstr(f.text, "index.txt:") == NULL)
            fail_msg("%zu: %s", i, f.text);
        assert_int_equal(ca->count, 1);
        assert_int_equal(ca->answers[0].outcome, CA_WAIT);
        assert_true(str_is(content(ca, "index.txt"), damaged[i][0]));
    }
}

static void empty_index(void **state)
{
    struct ca *ca = *state;
    struct ca_item item = {.number = 9, .issuer = 3, .serial = {1, {0x0a}}, .reason = REASON_SUPERSEDED};
    struct fault f;
    bool busy = true;
    overwrite(ca, "index.txt", "");
    revoke_now(ca, &item, 1);
    assert_false(ca->door->ops->step(ca->door, &busy, &f));
    assert_non_null(strstr(f.text, "index.txt is empty"));
    assert_int_equal(ca->answers[0].outcome, CA_WAIT);
}

static void a_configured_issuer_of_another_ca(void **state)
{
    struct ca *ca = *state;
    struct fault f;
    struct settings_issuer issuer;
    struct settings_ca s = settings_for(ca->dir, &issuer);
    const char *other = file_join(&memory, ca->folder, "other");
    struct ca_new_spec spec = {.directory = other, .count = 1, .subscribers = 1, .seed = 5, .now = {NOW}};
    assert_false(ca->door->ops->publish(ca->door, 4, clock_value, &f));
    assert_true(ca_new(&spec, &f));
    issuer.certificate_file = file_join(&memory, other, "ca.pem");
    struct ca_door *door;
    assert_false(ca_openssl_open(&s, 0, (struct clock){.now = fixed_now}, &door, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
}

static void publishes(void **state)
{
    struct ca *ca = *state;
    struct ca_index_row all[COUNT];
    rows(ca, all, COUNT);
    struct ca_item items[2] = {item_of(&all[1], 1, REASON_SUPERSEDED),
                               item_of(&all[2], 2, REASON_UNSPECIFIED)};
    AUTO_BUF out = {0};
    revoke_now(ca, items, 2);
    settle_all(ca);
    publish(ca);
    openssl_reads_crl(ca, &out);
    assert_non_null(strstr(out.p, "CRL Number: \n                2"));
    assert_non_null(strstr(out.p, "Last Update: Nov 22 14:21:56 2026 GMT"));
    assert_non_null(strstr(out.p, "Next Update: Nov 29 14:21:56 2026 GMT"));
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 1; i < 3; i++)
        assert_non_null(
            strstr(out.p, arena_format(&memory, "Serial Number: %s", serial_hex(&all[i].serial, hex))));
    assert_null(strstr(out.p, serial_hex(&all[3].serial, hex)));
    const char *reason = strstr(out.p, "CRL Reason Code");
    assert_non_null(reason);
    assert_null(strstr(reason + 1, "CRL Reason Code")); /* unspecified is absent, never an encoded 0 */
    assert_true(str_is(content(ca, "crlnumber"), "03\n"));
    /* the file lags behind the CRL in place, or is beyond one octet, or spent */
    static const char *const numbers[][3] = {
        {"01\n", "3", "04\n"}, {"FF\n", "0xFF", "0100\n"}, {"00\n", "0x0100", "0101\n"}};
    for (size_t i = 0; i < 3; i++) {
        overwrite(ca, "crlnumber", numbers[i][0]);
        publish(ca);
        assert_true(str_is(content(ca, "crlnumber"), numbers[i][2]));
        assert_int_equal(SHELL(ca->dir, &out, "openssl", "crl", "-inform", "DER", "-in", "pub/ca.crl",
                               "-noout", "-crlnumber"),
                         0);
        assert_non_null(strstr(out.p, i == 0 ? "03" : i == 1 ? "FF" : "0100"));
    }
}

static void refuses_to_publish(void **state)
{
    struct ca *ca = *state;
    struct fault f;
    struct str number = content(ca, "crlnumber");
    overwrite(ca, "crlnumber", "ABC\n");
    assert_false(ca->door->ops->publish(ca->door, 3, clock_value, &f));
    assert_non_null(strstr(f.text, "odd number"));
    overwrite(ca, "crlnumber", arena_copy(&memory, number.p, number.n));
    overwrite(ca, "pub/ca.crl", "something of somebody else");
    assert_false(ca->door->ops->publish(ca->door, 3, clock_value, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    assert_true(str_is(content(ca, "pub/ca.crl"), "something of somebody else"));
    assert_int_equal(unlink(file_join(&memory, ca->dir, "pub/ca.crl")), 0);
    AUTO_BUF out = {0};
    assert_int_equal(SHELL(ca->dir, &out, "cp", "approvers/bob.key", "private/ca.key"), 0);
    assert_false(ca->door->ops->publish(ca->door, 3, clock_value, &f));
    assert_non_null(strstr(f.text, "is not the key"));
    assert_true(str_equal(number, content(ca, "crlnumber")));
    assert_int_not_equal(access(file_join(&memory, ca->dir, "pub/ca.crl"), F_OK), 0);
}

static void protected_key(void **state)
{
    struct ca *ca = *state;
    AUTO_BUF out = {0};
    struct fault f;
    overwrite(ca, "password", "open sesame\n");
    assert_int_equal(SHELL(ca->dir, &out, "openssl", "pkcs8", "-topk8", "-in", "private/ca.key", "-out",
                           "private/new.key", "-passout", "file:password"),
                     0);
    assert_int_equal(SHELL(ca->dir, &out, "mv", "private/new.key", "private/ca.key"), 0);
    assert_false(ca->door->ops->publish(ca->door, 3, clock_value, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    ca_close(ca->door);
    struct settings_issuer issuer;
    struct settings_ca s = settings_for(ca->dir, &issuer);
    s.key_password_file = file_join(&memory, ca->dir, "password");
    assert_true(ca_openssl_open(&s, 3, (struct clock){.now = fixed_now}, &ca->door, &f));
    publish(ca);
}

/* Revokes every index i with i % parts == part, one pass each. */
static void revoke_part(struct ca *ca, const struct ca_index_row *all, size_t part, size_t parts)
{
    for (size_t i = part; i < COUNT; i += parts) {
        struct ca_item item = item_of(&all[i], (uint32_t)i, REASON_SUPERSEDED);
        revoke_now(ca, &item, 1);
        settle_all(ca);
    }
}

static void four_processes(void **state)
{
    struct ca *ca = *state;
    struct ca_index_row all[COUNT], after[COUNT];
    rows(ca, all, COUNT);
    pid_t children[4];
    for (size_t part = 0; part < 4; part++) {
        children[part] = fork();
        assert_true(children[part] >= 0);
        if (children[part] == 0) {
            revoke_part(ca, all, part, 4);
            for (size_t i = 0; i < ca->count; i++)
                if (ca->answers[i].outcome != CA_REVOKED_NOW)
                    _exit(1);
            _exit(0);
        }
    }
    for (size_t part = 0; part < 4; part++) {
        int status = -1;
        assert_int_equal(waitpid(children[part], &status, 0), children[part]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(rows(ca, after, COUNT), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(after[i].type, 'R');
        assert_true(serial_equal(&all[i].serial, &after[i].serial));
    }
}

/* Twenty CRLs from four processes: every number is used once, the last one stands. */
static void four_publishers(void **state)
{
    struct ca *ca = *state;
    pid_t children[4];
    for (size_t i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            for (int k = 0; k < 5; k++)
                publish(ca);
            _exit(0);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct serial number;
    assert_true(crl_number(content(ca, "pub/ca.crl"), &number));
    assert_int_equal(number.n, 1);
    assert_int_equal(number.bytes[0], 1 + 20);
    assert_true(str_is(content(ca, "crlnumber"), "16\n"));
}

static void killed_at_any_moment(void **state)
{
    struct ca *ca = *state;
    struct ca_index_row all[COUNT], after[COUNT];
    rows(ca, all, COUNT);
    size_t revoked = 0;
    for (int round = 0; round < 25; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            clock_value.s += round;
            revoke_part(ca, all, 0, 1);
            publish(ca);
            _exit(0);
        }
        usleep((useconds_t)(500 + 1300 * round));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(rows(ca, after, COUNT), COUNT);
        size_t now = 0;
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(serial_equal(&all[i].serial, &after[i].serial));
            now += after[i].type == 'R';
            /* rows fall in order and their dates with the round: a first date never moves */
            if (i > 0 && after[i].type == 'R')
                assert_true(after[i - 1].type == 'R' && after[i - 1].at.s <= after[i].at.s);
        }
        assert_true(now >= revoked);
        revoked = now;
    }
    revoke_part(ca, all, 0, 1);
    publish(ca);
    rows(ca, after, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(after[i].type, 'R');
    AUTO_BUF out = {0};
    openssl_reads_crl(ca, &out);
}

static void held_lock(void **state)
{
    /* `flock index.lock` of somebody else: we wait; the index gone for a moment: we wait too */
    struct ca *ca = *state;
    struct ca_index_row all[COUNT];
    rows(ca, all, COUNT);
    int lock;
    struct fault f;
    const char *index = file_join(&memory, ca->dir, "index.txt"), *away = file_join(&memory, ca->dir, "away");
    assert_true(file_lock(file_join(&memory, ca->dir, "index.lock"), true, &lock, &f));
    pid_t child = fork();
    if (child == 0) {
        close(lock); /* the child's copy would keep the lock held */
        revoke_part(ca, all, 0, COUNT);
        _exit(ca->answers[0].outcome == CA_REVOKED_NOW ? 0 : 1);
    }
    usleep(100000);
    struct ca_index_row after[COUNT];
    rows(ca, after, COUNT);
    assert_int_equal(after[0].type, 'V');
    assert_int_equal(rename(index, away), 0);
    close(lock);
    usleep(100000);
    assert_int_equal(rename(away, index), 0);
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    rows(ca, after, COUNT);
    assert_int_equal(after[0].type, 'R');
}

static void bad_configuration(void **state)
{
    struct ca *ca = *state;
    static const char *const files[][2] = {
        {"[ ca ]\n", "no default_ca"},
        {"[ ca ]\ndefault_ca = x\n[ x ]\n", "no database in section [x]"},
        {"[ ca \n", "openssl.cnf:1:"},
        {"[ ca ]\ndefault_ca = x\n[ x ]\ndatabase=i\ncertificate=nope.pem\nprivate_key=k\ncrlnumber=c\n",
         "nope.pem"},
        {"[ ca ]\ndefault_ca = x\n[ x "
         "]\ndatabase=i\ncertificate=approvers/bob.crt\nprivate_key=k\ncrlnumber=c\n",
         "not a CA certificate"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct settings_issuer issuer;
        struct settings_ca s = settings_for(ca->dir, &issuer);
        struct ca_door *door;
        struct fault f;
        overwrite(ca, "openssl.cnf", files[i][0]);
        assert_false(ca_openssl_open(&s, 0, (struct clock){.now = fixed_now}, &door, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        if (strstr(f.text, files[i][1]) == NULL)
            fail_msg("%zu: %s", i, f.text);
    }
}

/* --- the list of all doors --- */

static struct ca listed; /* a copy of the CA with rows for every form of serial */
static int held = -1;
static struct ca_list list;

static void list_reset(void)
{
    AUTO_BUF index = {0};
    AUTO_BUF out = {0};
    char hex[SERIAL_HEX_TEXT];
    if (held >= 0)
        close(held);
    held = -1;
    if (access(file_join(&memory, listed.dir, "away"), F_OK) == 0)
        SHELL(listed.dir, &out, "mv", "away", "index.txt");
    for (size_t i = 0; i < list.count; i++)
        buf_format(&index, "V\t351231235959Z\t\t%s\tunknown\t/CN=host%zu.example\n",
                   serial_hex(&list.serials[i], hex), i);
    overwrite(&listed, "index.txt", index.p);
}

static bool list_open(struct ca_door **out, struct fault *f)
{
    struct settings_issuer issuer;
    struct settings_ca s = settings_for(listed.dir, &issuer);
    return ca_openssl_open(&s, CA_LIST_ISSUER, (struct clock){.now = fixed_now}, out, f);
}

static struct utc list_now(void)
{
    return clock_value;
}

static struct ca_list_row list_row(const struct serial *s)
{
    struct ca_index_row all[CA_LIST_COUNT];
    size_t n = rows(&listed, all, CA_LIST_COUNT);
    for (size_t i = 0; i < n; i++)
        if (serial_equal(&all[i].serial, s) && all[i].type == 'R')
            return (struct ca_list_row){true, all[i].at.s, all[i].reason};
    return (struct ca_list_row){.reason = -1};
}

/* As `openssl ca` would have, at another time. */
static int64_t list_revoke(const struct serial *s, int64_t at, enum reason reason)
{
    struct ca_index_row all[CA_LIST_COUNT];
    size_t n = rows(&listed, all, CA_LIST_COUNT);
    AUTO_BUF index = {0};
    for (size_t i = 0; i < n; i++)
        if (serial_equal(&all[i].serial, s))
            ca_index_revoke(&all[i], (struct utc){at}, reason, &index);
        else
            buf_add(&index, all[i].line.p, all[i].line.n);
    overwrite(&listed, "index.txt", index.p);
    return at;
}

static void list_kill(void)
{
    AUTO_BUF out = {0};
    assert_int_equal(SHELL(listed.dir, &out, "mv", "index.txt", "away"), 0);
}

static void list_start(void)
{
    AUTO_BUF out = {0};
    assert_int_equal(SHELL(listed.dir, &out, "mv", "away", "index.txt"), 0);
}

static enum ca_outcome list_odd(enum ca_list_odd odd)
{
    struct fault f;
    if (odd != CA_LIST_BUSY) /* a damaged index has tests of its own */
        return CA_OUTCOME_COUNT;
    assert_true(file_lock(file_join(&memory, listed.dir, "index.lock"), true, &held, &f));
    return CA_WAIT;
}

static struct ca_list list = {
    .name = "ca_openssl",
    .count = 12,
    .reasons = CA_INDEX_REASONS,
    .keeps_first_date = true,
    .tells_status = true,
    .tells_unknown = true,
    .reset = list_reset,
    .open = list_open,
    .row = list_row,
    .now = list_now,
    .revoke = list_revoke,
    .kill = list_kill,
    .start = list_start,
    .odd = list_odd,
};

static int run_list(void)
{
    AUTO_BUF out = {0};
    listed.folder = shell_folder(&memory);
    listed.dir = file_join(&memory, listed.folder, "ca");
    SHELL("/", &out, "cp", "-a", ca_dir, listed.dir);
    ca_list_serials(list.serials, list.count);
    int failed = ca_list_run(&list);
    shell_remove(listed.folder);
    return failed;
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        EACH(what_is_made),
        EACH(same_seed_same_ca),
        EACH(chosen_dates_and_subscribers),
        EACH(revokes_for_every_reason),
        EACH(keeps_the_first_date),
        EACH(rows_of_openssl),
        EACH(damaged_index),
        EACH(empty_index),
        EACH(a_configured_issuer_of_another_ca),
        EACH(publishes),
        EACH(refuses_to_publish),
        EACH(protected_key),
        EACH(four_processes),
        EACH(four_publishers),
        EACH(killed_at_any_moment),
        EACH(held_lock),
        EACH(bad_configuration),
    };
    void *unused = NULL;
    make(&unused);
    int failed = run_list() + cmocka_run_group_tests_name("ca_openssl", tests, NULL, NULL);
    unmake(&unused);
    return failed;
}
