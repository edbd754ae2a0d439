/* Certificates as a list: what is taken, what is learned from it, and is every damaged one a line of its own?
 */
#include "../../lib/shell.h"
#include "massrevoke/file.h"
#include "massrevoke/intake.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena memory;
static const char *folder;
static struct issuer issuers[2];

static struct str bytes_of(const char *name)
{
    struct str bytes;
    struct fault f;
    if (!file_read(file_join(&memory, folder, name), 4 * CERT_MAX, &memory, &bytes, &f))
        fail_msg("%s", f.text);
    return bytes;
}

static int make(void **state)
{
    (void)state;
    AUTO_BUF out = {0};
    struct fault f;
    static const char script[] =
        "printf 'basicConstraints=CA:FALSE\\nsubjectAltName=DNS:a.example,DNS:*.b.example\\n"
        "certificatePolicies=2.23.140.1.2.1\\ncrlDistributionPoints=URI:http://crl.example/1.crl\\n"
        "authorityInfoAccess=OCSP;URI:http://ocsp.example/\\n' >leaf.ext\n"
        "(cat leaf.ext; echo '1.3.6.1.4.1.11129.2.4.3=critical,ASN1:NULL') >pre.ext\n"
        "echo basicConstraints=critical,CA:TRUE >sub.ext\n"
        "for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
        "$ca.key "
        "-out $ca.pem -subj /CN=$ca -days 30 -addext basicConstraints=critical,CA:TRUE; done\n"
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout l.key -out l.csr -subj "
        "/CN=a.example\n"
        "make() { openssl x509 -req -in l.csr -CA $1.pem -CAkey $1.key -extfile $2.ext -set_serial $3 -days "
        "20 -out $4; }\n"
        "make ca leaf 0x00FF01 leaf.pem\nmake ca pre 0x00FF01 pre.pem\nmake ca sub 0x05 sub.pem\n"
        "make other leaf 0x09 foreign.pem\n"
        "openssl x509 -in leaf.pem -outform DER -out leaf.der\nopenssl x509 -in pre.pem -outform DER -out "
        "pre.der\n"
        "cat leaf.der pre.der >two.der\n(cat leaf.der; echo rubbish) >tail.der\n"
        "(echo text; cat leaf.pem; echo '-----BEGIN CERTIFICATE-----'; head -n 3 leaf.pem | tail -n 2; cat "
        "l.key pre.pem;"
        " printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n'; cat foreign.pem;"
        " printf -- '-----BEGIN PKCS7-----\\nAAAA\\n-----END PKCS7-----\\n'; cat leaf.pem) >bundle.pem\n"
        "(printf '\\357\\273\\277'; cat leaf.pem) >bom.pem\n";
    folder = shell_folder(&memory);
    if (SHELL(folder, &out, "sh", "-ec", script) != 0)
        fail_msg("%s", out.p);
    assert_true(issuer_load(file_join(&memory, folder, "ca.pem"), &memory, &issuers[0], &f));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    issuer_release(&issuers[0]);
    shell_remove(folder);
    arena_free(&memory);
    return 0;
}

static struct intake_list begin(void)
{
    return (struct intake_list){.default_issuer = -1, .seed = {1, 2}, .arena = &memory};
}

static void facts_are_learned(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    char hex[SERIAL_HEX_TEXT];
    intake_certificates_read(&list, "two.der", bytes_of("two.der"), issuers, 1);
    assert_int_equal(list.accepted, 1);
    assert_int_equal(list.duplicate, 1); /* one certificate, twice: with and without poison */
    assert_true(list.by_hash[0]);
    assert_int_equal(list.learned_count, 2);
    const struct inventory_row *leaf = &list.learned[0], *pre = &list.learned[1];
    assert_string_equal(serial_hex(&leaf->serial, hex), "FF01");
    assert_int_equal(leaf->issuer, 0);
    assert_string_equal(leaf->subscriber, "");
    assert_string_equal(leaf->subject, "CN=a.example");
    assert_string_equal(leaf->dns_names, "a.example *.b.example");
    assert_string_equal(leaf->type, "DV");
    assert_string_equal(leaf->cdp, "http://crl.example/1.crl");
    assert_string_equal(leaf->ocsp, "http://ocsp.example/");
    assert_int_equal(leaf->not_after.s - leaf->not_before.s, 20 * 86400);
    assert_true(leaf->has_cert_sha256 && !leaf->has_precert_sha256 && leaf->has_spki_sha256);
    assert_true(!pre->has_cert_sha256 && pre->has_precert_sha256);
    struct str der = bytes_of("pre.der");
    struct digest wanted = digest_of(der.p, der.n);
    assert_memory_equal(pre->precert_sha256.bytes, wanted.bytes, DIGEST_SIZE);
    assert_memory_equal(leaf->spki_sha256.bytes, pre->spki_sha256.bytes, DIGEST_SIZE);
}

static void every_damaged_one_is_a_line(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    intake_certificates_read(&list, "bundle.pem", bytes_of("bundle.pem"), issuers, 1);
    assert_int_equal(list.accepted, 1);
    assert_int_equal(list.duplicate, 2);
    assert_int_equal(list.rejects.count, 4);
    static const struct {
        size_t line;
        const char *why;
    } rows[] = {{2, "damaged"}, {4, "DER can't be read"}, {5, "its issuer is not configured"}, {6, "pkcs7"}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(list.rejects.items[i].line, rows[i].line);
        assert_non_null(strstr(list.rejects.items[i].reason, rows[i].why));
    }
    intake_certificates_read(&list, "tail.der", bytes_of("tail.der"), issuers, 1);
    assert_int_equal(list.duplicate, 3);
    assert_int_equal(list.rejects.count, 5);
    intake_certificates_read(&list, "bom.pem", bytes_of("bom.pem"), issuers, 1);
    assert_int_equal(list.duplicate, 4);
    intake_certificates_read(&list, "empty", str_of(""), issuers, 1);
    intake_certificates_read(&list, "text", str_of("nothing\nhere\n"), issuers, 1);
    assert_int_equal(intake_list_in(&list), 1 + 4 + 5);
}

static void ca_certificates_only_when_asked_for(void **state)
{
    (void)state;
    AUTO_INTAKE_LIST list = begin();
    intake_certificates_read(&list, "sub.pem", bytes_of("sub.pem"), issuers, 1);
    assert_int_equal(list.accepted, 0);
    assert_non_null(strstr(list.rejects.items[0].reason, "4.9.1.2"));
    list.take_ca = true;
    intake_certificates_read(&list, "sub.pem", bytes_of("sub.pem"), issuers, 1);
    assert_int_equal(list.accepted, 1);
}

/* Real ones, where there are some: every file ends as lines that are counted, whatever it holds. */
static void real_ones(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/certs";
    DIR *dir = opendir(path);
    size_t files = 0, parsed = 0;
    if (dir == NULL)
        skip();
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        AUTO_ARENA a = {0};
        AUTO_INTAKE_LIST list = {.default_issuer = -1, .seed = {1, 2}, .arena = &a};
        struct str bytes;
        struct cert cert;
        struct fault f;
        if (entry->d_name[0] == '.' ||
            !file_read(file_join(&a, path, entry->d_name), 4 * CERT_MAX, &a, &bytes, &f))
            continue;
        files++;
        parsed += cert_read(bytes, &a, &cert, &f);
        intake_certificates_read(&list, entry->d_name, bytes, issuers, 1);
        assert_int_equal(list.accepted, 0);
        assert_int_equal(intake_list_in(&list), list.rejects.count);
    }
    closedir(dir);
    print_message("%zu files, %zu parsed\n", files, parsed);
    assert_true(parsed > files / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_learned),
        cmocka_unit_test(every_damaged_one_is_a_line),
        cmocka_unit_test(ca_certificates_only_when_asked_for),
        cmocka_unit_test(real_ones),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
