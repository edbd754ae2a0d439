/* Do signatures by persons hold exactly what they should, ours and those of `openssl cms`? */
#include "../../lib/shell.h"
#include "massrevoke/cms.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena memory;
static const char *folder;
enum { RSA, EC, P384, STRANGER, ED, PEOPLE };
static struct cert people[PEOPLE];
static const struct str text = {"request 7\r\nmode live\n\n\xc3\xa4", 25 - 1};

static const char *in_folder(const char *name)
{
    return file_join(&memory, folder, name);
}

static int make_people(void **state)
{
    (void)state;
    static const char *const kinds[PEOPLE][3] = {{"rsa:2048", NULL, "rsa"},
                                                 {"ec", "ec_paramgen_curve:P-256", "ec"},
                                                 {"ec", "ec_paramgen_curve:P-384", "p384"},
                                                 {"ec", "ec_paramgen_curve:P-256", "stranger"},
                                                 {"ed25519", NULL, "ed"}};
    folder = shell_folder(&memory);
    AUTO_BUF out = {0};
    for (size_t i = 0; i < PEOPLE; i++) {
        const char *key = arena_format(&memory, "%s.key", kinds[i][2]);
        const char *crt = arena_format(&memory, "%s.crt", kinds[i][2]);
        /* all have the same name and serial: only the exact certificate tells them apart */
        if (SHELL(folder, &out, "openssl", "req", "-x509", "-nodes", "-subj", "/CN=person", "-set_serial",
                  "1", "-days", "30", "-keyout", key, "-out", crt, "-newkey", kinds[i][0],
                  kinds[i][1] == NULL ? NULL : "-pkeyopt", kinds[i][1]) != 0)
            fail_msg("%s", out.p);
        struct fault f;
        if (!cert_load(in_folder(crt), &memory, &people[i], &f))
            fail_msg("%s", f.text);
    }
    struct fault f;
    assert_true(file_write(in_folder("text"), text, 0600, &f));
    return 0;
}

static int remove_people(void **state)
{
    (void)state;
    shell_remove(folder);
    arena_free(&memory);
    return 0;
}

static struct utc when(void)
{
    return utc_add(people[0].not_before, (struct span){3600});
}

static struct str bytes_of(const char *name)
{
    struct str bytes;
    struct fault f;
    if (!file_read(in_folder(name), 1 << 20, &memory, &bytes, &f))
        fail_msg("%s", f.text);
    return bytes;
}

static void ours(void **state)
{
    (void)state;
    static const char *const names[] = {"rsa", "ec", "p384"};
    for (size_t i = 0; i < 3; i++) {
        AUTO_BUF signature = {0};
        AUTO_BUF out = {0};
        struct fault f;
        size_t who = 99;
        const char *key = arena_format(&memory, "%s.key", names[i]),
                   *crt = arena_format(&memory, "%s.crt", names[i]);
        if (!cms_sign(text, in_folder(key), NULL, in_folder(crt), &signature, &f) ||
            !cms_verify(buf_str(&signature), text, people, 3, when(), &who, &f))
            fail_msg("%s", f.text);
        assert_int_equal(who, i);
        assert_true(file_write(in_folder("sig.pem"), buf_str(&signature), 0600, &f));
        if (SHELL(folder, &out, "openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", "sig.pem",
                  "-content", "text", "-CAfile", crt, "-purpose", "any", "-no_check_time", "-out",
                  "back") != 0)
            fail_msg("%s", out.p);
        assert_true(str_equal(bytes_of("back"), text));
    }
}

static void theirs(void **state)
{
    (void)state;
    static const char *const forms[] = {"DER", "PEM"}, *const extra[] = {NULL, "-noattr", "-nocerts",
                                                                         "-keyid"};
    static const char *const names[] = {"rsa", "ec", "p384"};
    for (size_t i = 0; i < 3 * 2 * 4; i++) {
        AUTO_BUF out = {0};
        size_t who = 99;
        struct fault f;
        const char *name = names[i % 3];
        if (SHELL(folder, &out, "openssl", "cms", "-sign", "-binary", "-in", "text", "-signer",
                  arena_format(&memory, "%s.crt", name), "-inkey", arena_format(&memory, "%s.key", name),
                  "-outform", forms[i / 3 % 2], "-out", "sig", extra[i / 6]) != 0)
            fail_msg("%s", out.p);
        if (!cms_verify(bytes_of("sig"), text, people, 3, when(), &who, &f))
            fail_msg("%s %s: %s", name, extra[i / 6] == NULL ? "" : extra[i / 6], f.text);
        assert_int_equal(who, i % 3);
    }
}

/* Verifies a signature made by openssl with these further arguments; expects a fault with these words. */
static void refused(const char *const *arguments, struct str over, struct utc at, enum fault_kind kind,
                    const char *words)
{
    const char *argv[24] = {"openssl", "cms", "-sign", "-in", "text", "-out", "sig"};
    size_t n = 7, who;
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[n++] = arguments[i];
    AUTO_BUF out = {0};
    struct fault f;
    if (shell_run(folder, &out, argv) != 0)
        fail_msg("%s", out.p);
    assert_false(cms_verify(bytes_of("sig"), over, people, 3, at, &who, &f));
    if (strstr(f.text, words) == NULL || f.kind != kind)
        fail_msg("%d %s", (int)f.kind, f.text);
}

#define REFUSED(over, at, kind, words, ...)                                                                  \
    refused((const char *const[]){__VA_ARGS__, NULL}, over, at, kind, words)

static void refusals(void **state)
{
    (void)state;
    struct utc late = utc_add(people[EC].not_after, (struct span){1});
    struct utc early = utc_add(people[EC].not_before, (struct span){-1});
    struct str other = {"request 8", 9};
    REFUSED(text, late, FAULT_REFUSED, "not valid at", "-binary", "-signer", "ec.crt", "-inkey", "ec.key",
            "-outform", "DER");
    REFUSED(text, early, FAULT_REFUSED, "not valid at", "-binary", "-signer", "ec.crt", "-inkey", "ec.key",
            "-outform", "DER");
    REFUSED(other, when(), FAULT_REFUSED, "exactly this text", "-binary", "-signer", "ec.crt", "-inkey",
            "ec.key", "-outform", "DER");
    REFUSED(text, when(), FAULT_REFUSED, "exactly this text", "-binary", "-signer", "stranger.crt", "-inkey",
            "stranger.key", "-outform", "DER");
    REFUSED(text, when(), FAULT_REFUSED, "none of", "-keyid", "-binary", "-signer", "stranger.crt", "-inkey",
            "stranger.key", "-outform", "DER");
    REFUSED(text, when(), FAULT_REFUSED, "exactly this text", "-signer", "ec.crt", "-inkey", "ec.key",
            "-outform", "DER");
    REFUSED(text, when(), FAULT_REFUSED, "hash", "-binary", "-md", "sha1", "-signer", "rsa.crt", "-inkey",
            "rsa.key", "-outform", "DER");
    REFUSED(text, when(), FAULT_FAILED, "detached", "-binary", "-nodetach", "-signer", "ec.crt", "-inkey",
            "ec.key", "-outform", "DER");
    REFUSED(text, when(), FAULT_FAILED, "not a CMS", "-binary", "-signer", "ec.crt", "-inkey", "ec.key");
    REFUSED(text, when(), FAULT_FAILED, "2 signers", "-binary", "-signer", "ec.crt", "-inkey", "ec.key",
            "-signer", "rsa.crt", "-inkey", "rsa.key", "-outform", "DER");
}

static void rubbish(void **state)
{
    (void)state;
    AUTO_BUF signature = {0};
    struct fault f;
    size_t who;
    assert_true(cms_sign(text, in_folder("ec.key"), NULL, in_folder("ec.crt"), &signature, &f));
    AUTO_BUF out = {0};
    assert_true(file_write(in_folder("sig.pem"), buf_str(&signature), 0600, &f));
    assert_int_equal(SHELL(folder, &out, "openssl", "cms", "-cmsout", "-inform", "PEM", "-in", "sig.pem",
                           "-outform", "DER", "-out", "sig"),
                     0);
    struct str der = bytes_of("sig");
    for (size_t n = 0; n < der.n; n++)
        assert_false(cms_verify((struct str){der.p, n}, text, people, 3, when(), &who, &f));
    /* a flipped bit anywhere in what is signed or in the signature itself; the last octets are the signature
     */
    for (size_t i = 1; i <= 60; i++) {
        char *bad = arena_copy(&memory, der.p, der.n);
        bad[der.n - i] ^= 4;
        assert_false(cms_verify((struct str){bad, der.n}, text, people, 3, when(), &who, &f));
    }
    assert_false(cms_verify(der, text, people, 0, when(), &who, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_true(cms_verify(der, text, people, 3, when(), &who, &f));
}

static void keys(void **state)
{
    (void)state;
    AUTO_BUF out = {0};
    struct fault f;
    struct evp_pkey_st *key = NULL;
    assert_null(cms_key_problem(&people[RSA]));
    assert_null(cms_key_problem(&people[EC]));
    assert_non_null(cms_key_problem(&people[ED]));
    assert_false(cms_sign(text, in_folder("ed.key"), NULL, in_folder("ed.crt"), &out, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_non_null(strstr(f.text, "Ed25519"));
    assert_false(cms_sign(text, in_folder("rsa.key"), NULL, in_folder("ec.crt"), &out, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_int_equal(out.n, 0);
    assert_false(key_load(in_folder("ec.crt"), NULL, &key, &f));
    assert_false(key_load(in_folder("absent.key"), NULL, &key, &f));
    assert_non_null(strstr(f.text, "can't be opened"));
    assert_int_equal(
        SHELL(folder, &out, "openssl", "pkey", "-in", "ec.key", "-outform", "DER", "-out", "ec.der"), 0);
    assert_true(key_load(in_folder("ec.der"), NULL, &key, &f));
    key_release(key);
    assert_true(file_write(in_folder("pass"), str_of("geheim ü\r\nsecond line"), 0600, &f));
    assert_true(file_write(in_folder("wrong"), str_of("wrong\n"), 0600, &f));
    assert_int_equal(SHELL(folder, &out, "openssl", "pkcs8", "-topk8", "-in", "ec.key", "-out", "locked.key",
                           "-passout", "pass:geheim ü"),
                     0);
    assert_true(key_load(in_folder("locked.key"), in_folder("pass"), &key, &f));
    key_release(key);
    assert_false(key_load(in_folder("locked.key"), in_folder("wrong"), &key, &f));
    assert_false(key_load(in_folder("locked.key"), NULL, &key, &f));
    assert_false(key_load(in_folder("locked.key"), in_folder("absent"), &key, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours),    cmocka_unit_test(theirs), cmocka_unit_test(refusals),
        cmocka_unit_test(rubbish), cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests_name("cms", tests, make_people, remove_people);
}
