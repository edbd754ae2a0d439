/* Are certificates read as OpenSSL's own tools read them, and damaged ones refused? */
#include "../../lib/shell.h"
#include "massrevoke/cert.h"
#include "massrevoke/file.h"
#include "massrevoke/hex.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct arena memory;
static const char *folder;

static const char *in_folder(const char *name)
{
    return file_join(&memory, folder, name);
}

static void sh(const char *line)
{
    AUTO_BUF out = {0};
    if (SHELL(folder, &out, "sh", "-ec", line) != 0)
        fail_msg("%s: %s", line, out.p);
}

static const char extensions[] =
    "[req]\ndistinguished_name=dn\nutf8=yes\nstring_mask=utf8only\n[dn]\n"
    "[ca]\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
    "[leaf]\nbasicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    "subjectAltName=DNS:a.example,IP:192.0.2.1,DNS:*.b.example,email:x@example.com\n"
    "crlDistributionPoints=URI:http://crl.example/1.crl,one\n"
    "authorityInfoAccess=caIssuers;URI:http://ca.example/ca,OCSP;URI:http://ocsp.example/\n"
    "certificatePolicies=1.2.3.4,2.23.140.1.2.1,2.23.140.1.2.2\n"
    "[one]\nfullname=URI:http://crl.example/2.crl,URI:ldap://x/y\n"
    "[evil]\nsubjectAltName=@evil_names\nbasicConstraints=DER:0500\n"
    "1.3.6.1.4.1.11129.2.4.3=critical,ASN1:NULL\n"
    "[evil_names]\nDNS.1=bad name.example\nDNS.2=good.example\n";

static int make(void **state)
{
    (void)state;
    struct fault f;
    folder = shell_folder(&memory);
    assert_true(file_write(in_folder("x.cnf"), str_of(extensions), 0600, &f));
    sh("openssl req -x509 -config x.cnf -extensions ca -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem "
       "-subj '/C=DE/O=Tröst & Co, KG/CN=CA \"1\"' -set_serial 7 -days 40\n"
       "openssl req -x509 -config x.cnf -extensions ca -newkey rsa:2048 -nodes -keyout ca2.key -out ca2.pem "
       "-subj '/C=DE/O=Tröst & Co, KG/CN=CA \"1\"' -set_serial 7 -days 40\n"
       "openssl req -config x.cnf -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout l.key -out "
       "l.csr "
       "-subj /CN=a.example\n"
       "openssl x509 -req -in l.csr -CA ca.pem -CAkey ca.key -extfile x.cnf -extensions leaf -out leaf.pem "
       "-set_serial 0x00FF01020304050607080910111213141516 -days 20\n"
       "openssl x509 -req -in l.csr -CA ca.pem -CAkey ca.key -extfile x.cnf -extensions evil -out evil.pem "
       "-set_serial 0x7F -days 20\n"
       "openssl x509 -in leaf.pem -outform DER -out leaf.der\n"
       "(echo garbage; cat l.key; cat leaf.pem; echo '# text between'; cat ca.pem) > bundle.pem");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    shell_remove(folder);
    arena_free(&memory);
    return 0;
}

static struct cert loaded(const char *name)
{
    struct cert cert;
    struct fault f;
    if (!cert_load(in_folder(name), &memory, &cert, &f))
        fail_msg("%s", f.text);
    return cert;
}

static void every_field(void **state)
{
    (void)state;
    struct cert leaf = loaded("leaf.pem"), der = loaded("leaf.der"), ca = loaded("ca.pem");
    char text[100];
    AUTO_BUF out = {0};
    assert_string_equal(serial_hex(&leaf.serial, text), "FF01020304050607080910111213141516");
    assert_string_equal(leaf.subject_text, "CN=a.example");
    assert_string_equal(leaf.issuer_text, "CN=CA \\\"1\\\",O=Tröst & Co\\, KG,C=DE");
    assert_string_equal(leaf.dns_names, "a.example *.b.example");
    assert_string_equal(leaf.cdp, "http://crl.example/1.crl http://crl.example/2.crl ldap://x/y");
    assert_string_equal(leaf.ocsp, "http://ocsp.example/");
    assert_string_equal(leaf.type, "OV");
    assert_string_equal(leaf.key_type, "EC");
    assert_int_equal(leaf.key_bits, 384);
    assert_false(leaf.is_ca);
    assert_false(leaf.is_precertificate);
    assert_true(ca.is_ca);
    assert_true(str_equal(leaf.issuer, ca.subject));
    assert_true(str_equal(leaf.authority_key, ca.ski));
    assert_int_equal(leaf.ski.n, 20);
    assert_int_equal(leaf.not_after.s - leaf.not_before.s, 20 * 86400);
    assert_true(str_equal(leaf.der, der.der));
    assert_int_equal(SHELL(folder, &out, "sh", "-c", "openssl dgst -sha256 -r leaf.der | cut -c1-64"), 0);
    assert_memory_equal(out.p, digest_hex(leaf.sha256, text), 64);
    assert_int_equal(
        SHELL(folder, &out, "sh", "-c",
              "openssl pkey -in l.key -pubout -outform DER | openssl dgst -sha256 -r | cut -c1-64"),
        0);
    assert_memory_equal(out.p, digest_hex(leaf.spki_sha256, text), 64);
}

static void hostile_fields(void **state)
{
    (void)state;
    struct cert evil = loaded("evil.pem");
    assert_string_equal(evil.dns_names, "bad?name.example good.example");
    assert_true(evil.is_ca); /* its basicConstraints can't be read: not taken for a leaf */
    assert_true(evil.is_precertificate);
    assert_string_equal(evil.cdp, "");
    assert_string_equal(evil.type, "");
}

static void bundles(void **state)
{
    (void)state;
    struct str rest, der;
    struct fault f;
    assert_true(file_read(in_folder("bundle.pem"), 1 << 20, &memory, &rest, &f));
    struct cert cert;
    static const char *const subjects[] = {"CN=a.example", "CN=CA \\\"1\\\",O=Tröst & Co\\, KG,C=DE"};
    for (size_t i = 0; i < 2; i++) {
        assert_true(cert_cut(&rest, &memory, &der, &f));
        assert_true(cert_parse(der, &memory, &cert, &f));
        assert_string_equal(cert.subject_text, subjects[i]);
    }
    assert_true(cert_cut(&rest, &memory, &der, &f));
    assert_int_equal(der.n, 0);
    assert_int_equal(rest.n, 0);
    /* two in DER, one behind the other */
    struct cert leaf = loaded("leaf.pem");
    AUTO_BUF two = {0};
    buf_add(&two, leaf.der.p, leaf.der.n);
    buf_add(&two, leaf.der.p, leaf.der.n);
    rest = buf_str(&two);
    for (size_t i = 0; i < 2; i++) {
        assert_true(cert_cut(&rest, &memory, &der, &f));
        assert_true(str_equal(der, leaf.der));
    }
    assert_int_equal(rest.n, 0);
}

static void damaged(void **state)
{
    (void)state;
    struct cert leaf = loaded("leaf.pem"), cert;
    struct fault f;
    for (size_t n = 0; n < leaf.der.n; n++) {
        AUTO_ARENA a = {0};
        assert_false(cert_read((struct str){leaf.der.p, n}, &a, &cert, &f));
    }
    AUTO_BUF longer = {0};
    buf_add(&longer, leaf.der.p, leaf.der.n);
    buf_add(&longer, "", 1);
    assert_false(cert_parse(buf_str(&longer), &memory, &cert, &f));
    static const char encrypted[] = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                                    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                                    "MAA=\n-----END CERTIFICATE-----\n";
    static const char *const rubbish[] = {
        "",
        "hello",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        encrypted,
    };
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++)
        assert_false(cert_read(str_of(rubbish[i]), &memory, &cert, &f));
    assert_false(cert_load(in_folder("absent.pem"), &memory, &cert, &f));
    assert_non_null(strstr(f.text, "absent.pem"));
}

/* 21 octets, zero and negative serials, patched into the DER where the serial stands. */
static void serials_that_cannot_be(void **state)
{
    (void)state;
    struct cert evil = loaded("evil.pem"), cert;
    struct fault f;
    char *copy = arena_copy(&memory, evil.der.p, evil.der.n);
    char *serial = memmem(copy, evil.der.n, "\x02\x01\x7f", 3);
    assert_non_null(serial);
    serial[2] = 0;
    assert_false(cert_parse((struct str){copy, evil.der.n}, &memory, &cert, &f));
    assert_non_null(strstr(f.text, "zero"));
    serial[2] = (char)0x81;
    assert_false(cert_parse((struct str){copy, evil.der.n}, &memory, &cert, &f));
    assert_non_null(strstr(f.text, "negative"));
}

static void issuers(void **state)
{
    (void)state;
    struct issuer ca, other;
    struct fault f;
    assert_true(issuer_load(in_folder("ca.pem"), &memory, &ca, &f));
    assert_true(issuer_load(in_folder("ca2.pem"), &memory, &other, &f));
    assert_false(issuer_load(in_folder("leaf.pem"), &memory, &(struct issuer){0}, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_false(issuer_load(in_folder("l.key"), &memory, &(struct issuer){0}, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    struct cert leaf = loaded("leaf.pem");
    assert_null(issuer_check(&ca, &leaf));
    assert_null(issuer_check(&ca, &ca.cert));
    /* same name, other key */
    assert_string_equal(issuer_check(&other, &leaf), "the issuer's key did not sign it");
    char *copy = arena_copy(&memory, leaf.der.p, leaf.der.n);
    copy[leaf.der.n - 1] ^= 1;
    leaf.der.p = copy;
    assert_non_null(issuer_check(&ca, &leaf));
    struct cert named = leaf;
    named.issuer = leaf.subject;
    assert_string_equal(issuer_check(&ca, &named), "issued under another issuer name");
    issuer_release(&ca);
    issuer_release(&other);
}

/* Odd certificates from the field: each is read or refused with a reason, and most must be read. */
static void collection(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/certs";
    DIR *all = opendir(path);
    if (all == NULL)
        skip();
    size_t read = 0, refused = 0;
    for (struct dirent *e; (e = readdir(all)) != NULL;) {
        AUTO_ARENA a = {0};
        struct cert cert;
        struct fault f = {0};
        if (strstr(e->d_name, ".pem") == NULL)
            continue;
        if (cert_load(file_join(&a, path, e->d_name), &a, &cert, &f)) {
            read++;
            assert_true(cert.serial.n > 0 && cert.issuer.n > 0 && cert.der.n > 0);
            assert_true(str_is_utf8(str_of(cert.subject_text)));
        } else {
            refused++;
            assert_non_null(strstr(f.text, e->d_name));
        }
    }
    closedir(all);
    print_message("%zu read, %zu refused\n", read, refused);
    assert_true(read > 20 * refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field), cmocka_unit_test(hostile_fields),         cmocka_unit_test(bundles),
        cmocka_unit_test(damaged),     cmocka_unit_test(serials_that_cannot_be), cmocka_unit_test(issuers),
        cmocka_unit_test(collection),
    };
    return cmocka_run_group_tests_name("cert", tests, make, unmake);
}
