/* Thousands of made and mutated CRLs and OCSP answers, and OpenSSL's opinion of each: what it refuses is
 * refused, what it lists is listed. One wrong byte in what BR 7.2 cares for is named with its section;
 * correct lists, ours and those of `openssl ca`, have no error. */
#include "../lib/forge.h"
#include "../lib/stock.h"
#include "massrevoke/crl_write.h"
#include "massrevoke/file.h"
#include "massrevoke/reason.h"
#include "massrevoke/verifier.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define CRLS 4000
#define ANSWERS 3000
#define PUBLISHED 200
#define COMMANDS 1500 /* of each kind that `openssl crl` and `openssl ocsp` judge, a process each */
#define LISTED_MOST 40

static struct arena arena;
static struct forge_ca ca, responder;
static uint64_t state = 88172645463325252u;

static int set_up(void **unused)
{
    (void)unused;
    ca = forge_ca(&arena, FORGE_CA, "Forge CA", NULL);
    responder = forge_ca(&arena, FORGE_RESPONDER, "Responder", &ca);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    forge_ca_free(&ca);
    forge_ca_free(&responder);
    arena_free(&arena);
    return 0;
}

/* xorshift64*, so that a failure can be repeated. */
static unsigned below(size_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n);
}

static struct verifier_question question(const struct verify_issuer *issuer)
{
    return (struct verifier_question){.issuer = issuer, .now = FORGE_NOW, .seed = {state, 2}};
}

static struct str with_flipped_bit(struct arena *a, struct str bytes)
{
    if (bytes.n == 0)
        return bytes;
    char *copy = arena_copy(a, bytes.p, bytes.n);
    size_t at = below(bytes.n);
    copy[at] = (char)(copy[at] ^ 1 << below(8));
    return (struct str){copy, bytes.n};
}

/* --- CRLs --- */

static struct str random_entry(struct arena *a)
{
    char octets[21];
    size_t n = 1 + below(below(8) == 0 ? 21 : 3);
    for (size_t i = 0; i < n; i++)
        octets[i] = (char)below(256);
    struct str more = FORGE_BYTES("");
    if (below(8) == 0)
        more = forge_extension(a, FORGE_BYTES("\x55\x1d\x18"), below(4) == 0, forge_time(a, FORGE_NOW, true));
    if (below(30) == 0)
        more = forge_extension(a, FORGE_BYTES("\x55\x1d\x15"), false, FORGE_BYTES("\x0a\x01\x04"));
    return forge_entry(a, (struct str){octets, n}, (struct utc){FORGE_NOW.s - 5000 - below(90000)},
                       below(3) == 0 ? -1 : (int)below(11), more);
}

static struct str random_crl(struct arena *a)
{
    struct forge_crl c = forge_crl_good(a, &ca);
    AUTO_BUF entries = {0};
    for (size_t n = below(LISTED_MOST); n > 0; n--) {
        struct str e = random_entry(a);
        buf_add(&entries, e.p, e.n);
    }
    c.entries = (struct str){arena_copy(a, entries.p == NULL ? "" : entries.p, entries.n), entries.n};
    if (entries.n == 0 && below(2) == 0)
        c.entries = (struct str){NULL, 0};
    if (below(4) == 0)
        c.extensions = forge_join(a, c.extensions, forge_idp(a, "http://a/1", FORGE_BYTES("\x81\x01\xff")));
    struct str *const parts[] = {&c.version,     &c.inner,       &c.outer,   &c.issuer,
                                 &c.this_update, &c.next_update, &c.entries, &c.extensions};
    if (below(2) == 0) { /* inside, before it is signed */
        struct str *part = parts[below(sizeof parts / sizeof *parts)];
        *part = with_flipped_bit(a, *part);
    }
    if (!str_equal(c.outer, FORGE_ECDSA_SHA256))
        return FORGE_BYTES("");
    struct str bytes = forge_crl_sign(a, &ca, &c);
    if (below(6) == 0)
        bytes = with_flipped_bit(a, bytes);
    if (below(12) == 0)
        bytes.n = below(bytes.n);
    return bytes;
}

/* OpenSSL's list as certificates to look for; those whose serial has no canonical form fall out. */
static size_t wanted_of(X509_CRL *crl, struct verifier_wanted *out)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    size_t n = 0;
    for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
        const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, i));
        out[n] = (struct verifier_wanted){.number = (uint32_t)n, .reason = -1};
        bool negative = ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER;
        if (!negative && serial_from_octets(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number),
                                            &out[n].serial) == NULL)
            n++;
    }
    return n;
}

static bool has(const struct findings *list, enum finding_id id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->list[i].which == id)
            return true;
    return false;
}

static void crls_are_no_better_than_openssl_finds_them(void **unused)
{
    (void)unused;
    size_t both = 0, listed = 0;
    for (int round = 0; round < CRLS; round++) {
        AUTO_ARENA a = {0};
        struct str bytes = random_crl(&a);
        const unsigned char *p = (const unsigned char *)bytes.p;
        X509_CRL *theirs = d2i_X509_CRL(NULL, &p, (long)bytes.n);
        struct verifier_wanted wanted[LISTED_MOST + 1];
        struct verifier_question q = question(&ca.issuer);
        q.url = "http://a/1";
        q.wanted = wanted;
        q.wanted_count = theirs == NULL ? 0 : wanted_of(theirs, wanted);
        struct verifier_crl judged;
        verifier_judge_crl(bytes, &q, &a, &judged);
        bool refused = theirs == NULL || p != (const unsigned char *)bytes.p + bytes.n ||
                       X509_CRL_verify(theirs, ca.key) != 1 ||
                       X509_NAME_cmp(X509_CRL_get_issuer(theirs), X509_get_subject_name(ca.x509)) != 0;
        if (judged.counts && refused)
            fail_msg("round %d: OpenSSL refuses it", round);
        for (size_t i = 0; i < q.wanted_count && judged.counts; i++)
            if (!judged.sights[i].listed && !has(&judged.findings, FINDING_ID_ENTRY_SERIAL))
                fail_msg("round %d: an entry of OpenSSL's list is missing", round);
        both += judged.counts;
        listed += judged.counts ? q.wanted_count : 0;
        X509_CRL_free(theirs);
        ERR_clear_error();
    }
    assert_true(both > CRLS / 4 && listed > CRLS); /* else the test tests nothing */
}

/* --- OCSP --- */

static struct str random_answer(struct arena *a)
{
    const struct forge_ca *signer = below(2) == 0 ? &ca : &responder;
    struct forge_ocsp o = forge_ocsp_good(a, signer);
    if (signer == &responder)
        o.certificates = responder.der;
    o.hash = below(2) == 0 ? CERTID_SHA1 : CERTID_SHA256;
    if (below(3) == 0)
        o.status = below(2) == 0 ? FORGE_BYTES("\x80\x00") : FORGE_BYTES("\x82\x00");
    else if (below(2) == 0)
        o.status =
            forge_ocsp_revoked(a, (struct utc){below(2) == 0 ? 0 : FORGE_NOW.s - 9000}, (int)below(11));
    struct str *const parts[] = {&o.serial,      &o.status,    &o.this_update,
                                 &o.next_update, &o.responder, &o.certificates};
    if (below(2) == 0) {
        struct str *part = parts[below(sizeof parts / sizeof *parts)];
        *part = with_flipped_bit(a, *part);
    }
    struct str bytes = forge_ocsp_sign(a, &ca, signer, &o);
    return below(6) == 0 ? with_flipped_bit(a, bytes) : bytes;
}

/* What OpenSSL says of serial 1234: a V_OCSP_CERTSTATUS_*, or -1 when it refuses. */
static int status_by_openssl(struct str bytes, X509_STORE *store, STACK_OF(X509) * certificates,
                             OCSP_CERTID *const ids[2])
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)bytes.n);
    OCSP_BASICRESP *basic = response == NULL || p != (const unsigned char *)bytes.p + bytes.n ||
                                    OCSP_response_status(response) != 0
                                ? NULL
                                : OCSP_response_get1_basic(response);
    int status = -1, found, reason;
    ASN1_GENERALIZEDTIME *at, *from, *to;
    if (basic != NULL && OCSP_basic_verify(basic, certificates, store, 0) == 1)
        for (int i = 0; i < 2; i++)
            if (OCSP_resp_find_status(basic, ids[i], &found, &reason, &at, &from, &to) == 1)
                status = found;
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return status;
}

static void answers_are_no_better_than_openssl_finds_them(void **unused)
{
    (void)unused;
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *certificates = sk_X509_new_null();
    X509_STORE_add_cert(store, ca.x509);
    sk_X509_push(certificates, ca.x509);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)FORGE_NOW.s);
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, 0x1234);
    OCSP_CERTID *ids[2];
    for (int i = 0; i < 2; i++)
        ids[i] = OCSP_cert_id_new(i == 0 ? EVP_sha1() : EVP_sha256(), X509_get_subject_name(ca.x509),
                                  X509_get0_pubkey_bitstr(ca.x509), number);
    struct ocsp_cache cache = {0};
    size_t both = 0, revoked = 0;
    const struct serial asked = {2, {0x12, 0x34}};
    for (int round = 0; round < ANSWERS; round++) {
        AUTO_ARENA a = {0};
        struct str bytes = random_answer(&a);
        struct verifier_question q = question(&ca.issuer);
        struct verifier_ocsp judged;
        verifier_judge_ocsp(bytes, &asked, &q, &cache, &a, &judged);
        int theirs = status_by_openssl(bytes, store, certificates, ids);
        if (judged.counts && (theirs < 0 || theirs != (int)judged.single.status))
            fail_msg("round %d: OpenSSL says %d, we say %d", round, theirs, (int)judged.single.status);
        if (judged.revoked && theirs != V_OCSP_CERTSTATUS_REVOKED)
            fail_msg("round %d: not revoked for OpenSSL", round);
        both += judged.counts;
        revoked += judged.revoked;
    }
    assert_true(both > ANSWERS / 4 && revoked > ANSWERS / 10);
    ocsp_cache_free(&cache);
    for (int i = 0; i < 2; i++)
        OCSP_CERTID_free(ids[i]);
    ASN1_INTEGER_free(number);
    sk_X509_free(certificates);
    X509_STORE_free(store);
}

/* --- the commands themselves: what they do not verify does not count --- */

/* A folder with ca.pem; the test fails without openssl. */
static void command_folder(char folder[static STOCK_PATH])
{
    stock_folder(folder);
    stock_write(folder, "ca.der", ca.der);
    if (stock_run(folder, "openssl x509 -inform DER -in ca.der -out ca.pem") != 0) {
        stock_remove(folder);
        fail_msg("openssl is needed for this test");
    }
}

static void put_object(const char *folder, int round, struct str bytes)
{
    char name[32];
    snprintf(name, sizeof name, "%d.der", round);
    stock_write(folder, name, bytes);
}

/* Runs a command on every object in the folder; its words go to ROUND.der.said. */
static void run_on_all(const char *folder, const char *command)
{
    AUTO_ARENA a = {0};
    stock_write(folder, "all.sh",
                str_of(arena_format(&a, "for f in [0-9]*.der; do %s >$f.said 2>&1; done", command)));
    (void)stock_run(folder, "sh all.sh");
}

/* Fails unless it said these words. */
static void expect_said(const char *folder, int round, const char *words)
{
    AUTO_ARENA a = {0};
    struct str text;
    struct fault f = {0};
    assert_true(file_read(arena_format(&a, "%s/%d.der.said", folder, round), 1 << 16, &a, &text, &f));
    const char *all = arena_copy(&a, text.p, text.n);
    if (strstr(all, words) == NULL)
        fail_msg("round %d: not '%s', but: %s", round, words, all);
}

static void openssl_crl_agrees(void **unused)
{
    (void)unused;
    static bool counts[COMMANDS];
    size_t good = 0;
    char folder[STOCK_PATH];
    command_folder(folder);
    for (int round = 0; round < COMMANDS; round++) {
        AUTO_ARENA a = {0};
        struct str bytes = random_crl(&a);
        struct verifier_question q = question(&ca.issuer);
        struct verifier_crl judged;
        verifier_judge_crl(bytes, &q, &a, &judged);
        put_object(folder, round, bytes);
        counts[round] = judged.counts;
        good += judged.counts;
    }
    run_on_all(folder, "openssl crl -inform DER -in $f -CAfile ca.pem -noout");
    for (int round = 0; round < COMMANDS; round++)
        if (counts[round])
            expect_said(folder, round, "verify OK");
    assert_true(good > COMMANDS / 6);
    stock_remove(folder);
}

static void openssl_ocsp_agrees(void **unused)
{
    (void)unused;
    static const struct serial asked = {2, {0x12, 0x34}};
    static int counts[COMMANDS]; /* -1, or an ocsp status */
    static const char *const words[] = {"good\n\tThis Update", "revoked\n\tThis Update",
                                        "unknown\n\tThis Update"};
    struct ocsp_cache cache = {0};
    size_t good = 0;
    char folder[STOCK_PATH];
    command_folder(folder);
    for (int round = 0; round < COMMANDS; round++) {
        AUTO_ARENA a = {0};
        struct str bytes = random_answer(&a);
        struct verifier_question q = question(&ca.issuer);
        struct verifier_ocsp judged;
        verifier_judge_ocsp(bytes, &asked, &q, &cache, &a, &judged);
        put_object(folder, round, bytes);
        counts[round] = judged.counts ? (int)judged.single.status : -1;
        good += judged.counts;
    }
    /* asked with both hashes; one of them finds no status */
    AUTO_ARENA a = {0};
    run_on_all(folder,
               arena_format(&a,
                            "openssl ocsp -respin $f -issuer ca.pem -serial 0x1234 -sha256 -serial 0x1234 "
                            "-CAfile ca.pem -verify_other ca.pem -no_nonce -attime %lld",
                            (long long)FORGE_NOW.s));
    for (int round = 0; round < COMMANDS; round++) {
        if (counts[round] < 0)
            continue;
        expect_said(folder, round, "Response verify OK");
        expect_said(folder, round, words[counts[round]]);
    }
    assert_true(good > COMMANDS / 6);
    ocsp_cache_free(&cache);
    stock_remove(folder);
}

/* --- one byte --- */

static void judge_signed(const struct forge_crl *spec, struct verifier_crl *judged)
{
    static const struct verifier_wanted wanted = {.serial = {2, {0x12, 0x34}}, .reason = REASON_SUPERSEDED};
    const struct verifier_before before = {{FORGE_NOW.s - 7200}, {"\x06", 1}};
    struct verifier_question q = question(&ca.issuer);
    q.url = "http://crl.example/shard-1";
    q.wanted = &wanted;
    q.wanted_count = 1;
    q.before = &before;
    verifier_judge_crl(forge_crl_sign(&arena, &ca, spec), &q, &arena, judged);
}

/* The bytes to change within a part, and what may be found then. */
static void each_byte_is_named(struct forge_crl *spec, struct str *part, struct str where,
                               const char *section, const enum finding_id *expected, size_t count)
{
    struct str whole = *part;
    const char *from = memmem(whole.p, whole.n, where.p, where.n);
    assert_non_null(from);
    for (size_t i = 0; i < where.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct verifier_crl judged;
            char *copy = arena_copy(&arena, whole.p, whole.n), *byte = copy + (from - whole.p) + i;
            *byte = (char)(*byte ^ 1 << bit);
            *part = (struct str){copy, whole.n};
            judge_signed(spec, &judged);
            bool named = has(&judged.findings, FINDING_ID_UNPARSABLE);
            for (size_t k = 0; k < judged.findings.count; k++)
                for (size_t e = 0; e < count; e++)
                    named = named || (judged.findings.list[k].which == expected[e] &&
                                      strstr(judged.findings.list[k].section, section) != NULL);
            if (!named)
                fail_msg("byte %zu, bit %d of a part of %s is not named", i, bit, section);
        }
    *part = whole;
}

static void one_wrong_byte_is_named_with_its_section(void **unused)
{
    (void)unused;
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    const char *url = "http://crl.example/shard-1";
    spec.extensions = forge_join(&arena, spec.extensions, forge_idp(&arena, url, FORGE_BYTES("")));
    struct verifier_crl judged;
    judge_signed(&spec, &judged);
    assert_int_equal(judged.findings.count, 0);
    const enum finding_id issuer[] = {FINDING_ID_CRL_ISSUER}, key[] = {FINDING_ID_CRL_AKI_KEY},
                          point[] = {FINDING_ID_CRL_IDP_URL}, number[] = {FINDING_ID_CRL_NUMBER_FORM},
                          reason[] = {FINDING_ID_ENTRY_REASON, FINDING_ID_ENTRY_REASON_ZERO,
                                      FINDING_ID_ENTRY_REASON_ASKED};
    each_byte_is_named(&spec, &spec.issuer, spec.issuer, "BR 7.2", issuer, 1);
    each_byte_is_named(&spec, &spec.extensions, ca.issuer.ski, "BR 7.1.2.11.1", key, 1);
    each_byte_is_named(&spec, &spec.extensions, str_of(url), "BR 7.2.2.1", point, 1);
    each_byte_is_named(&spec, &spec.entries, FORGE_BYTES("\x0a\x01\x04"), "7.2.2", reason, 3);
    struct forge_crl other = spec; /* the number: out of range, or not grown */
    for (int value = 0; value < 256; value++) {
        char octet = (char)value;
        other.extensions =
            forge_join(&arena, forge_aki(&arena, &ca), forge_number(&arena, (struct str){&octet, 1}));
        judge_signed(&other, &judged);
        bool grows = value > 6 && value < 128;
        assert_int_equal(has(&judged.findings, number[0]), value >= 128);
        assert_int_equal(has(&judged.findings, FINDING_ID_CRL_NUMBER_GROWS), !grows && value < 128);
    }
}

/* Not only the values: no bit of what encodes them goes unnoticed. The number may grow, as it should. */
static void no_wrong_bit_goes_unnoticed(void **unused)
{
    (void)unused;
    struct forge_crl spec = forge_crl_good(&arena, &ca);
    const struct str point = forge_idp(&arena, "http://crl.example/shard-1", FORGE_BYTES(""));
    spec.extensions = forge_join(&arena, spec.extensions, point);
    struct str *const parts[] = {&spec.issuer, &spec.extensions, &spec.entries};
    const char *number = memmem(spec.extensions.p, spec.extensions.n, "\x02\x01\x07", 3);
    const struct str date = forge_time(&arena, utc_add(FORGE_NOW, (struct span){-3660}), false);
    const char *dated = memmem(spec.entries.p, spec.entries.n, date.p, date.n);
    assert_true(number != NULL && dated != NULL);
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
        struct str whole = *parts[part];
        for (size_t bit = 0; bit < 8 * whole.n; bit++) {
            struct verifier_crl judged;
            const char *at = whole.p + bit / 8;
            char *copy = arena_copy(&arena, whole.p, whole.n);
            if (at == number + 2 || (at >= dated && at < dated + date.n))
                continue; /* another number or date may be as good */
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
            *parts[part] = (struct str){copy, whole.n};
            judge_signed(&spec, &judged);
            bool lost = judged.sights == NULL || !judged.sights[0].listed; /* the serial: another entry */
            if (judged.findings.count == 0 && !lost)
                fail_msg("part %zu, byte %zu, bit %zu", part, bit / 8, bit % 8);
            for (size_t i = 0; i < judged.findings.count; i++)
                assert_true(judged.findings.list[i].section[0] != '\0');
        }
        *parts[part] = whole;
    }
}

/* Bug 1888371: two CRLs, with their numbers and times, whose issuer had the certificate's RDNs in reverse
 * order.
 */
static void an_issuer_in_reverse_order_is_another(void **unused)
{
    (void)unused;
    struct str c = forge_wrap(&arena, 0x31, 1,
                              forge_wrap(&arena, 0x30, 2, FORGE_BYTES("\x06\x03\x55\x04\x06"),
                                         FORGE_BYTES("\x13\x02"
                                                     "DE")));
    struct str o = forge_wrap(&arena, 0x31, 1,
                              forge_wrap(&arena, 0x30, 2, FORGE_BYTES("\x06\x03\x55\x04\x0a"),
                                         FORGE_BYTES("\x0c\x0a"
                                                     "e-commerce")));
    struct str cn = forge_wrap(&arena, 0x31, 1,
                               forge_wrap(&arena, 0x30, 2, FORGE_BYTES("\x06\x03\x55\x04\x03"),
                                          FORGE_BYTES("\x0c\x07"
                                                      "GLOBALT")));
    struct verify_issuer issuer = ca.issuer;
    issuer.subject_der = forge_wrap(&arena, 0x30, 3, c, o, cn);
    static const struct {
        struct utc made; /* nine days before its nextUpdate */
        struct str number;
    } lists[] = {{{1711358470}, {"\x01\x5b", 2}}, /* 347, 2024-03-25T09:21:10Z */
                 {{1711359251}, {"\x3b", 1}}};    /* 59, 09:34:11Z */
    for (int list = 0; list < 2; list++) {        /* the one with an entry, and the empty one */
        struct forge_crl spec = forge_crl_good(&arena, &ca);
        struct verifier_question q = question(&issuer);
        struct verifier_crl judged;
        struct utc made = lists[list].made;
        q.now = utc_add(made, (struct span){86400});
        spec.this_update = forge_time(&arena, made, false);
        spec.next_update = forge_time(&arena, utc_add(made, (struct span){9 * 86400}), false);
        spec.extensions =
            forge_join(&arena, forge_aki(&arena, &ca), forge_number(&arena, lists[list].number));
        spec.entries = list == 0 ? forge_entry(&arena, FORGE_BYTES("\x12\x34"),
                                               utc_add(made, (struct span){-3600}), 4, FORGE_BYTES(""))
                                 : (struct str){NULL, 0};
        spec.issuer = issuer.subject_der;
        verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
        assert_true(judged.counts && judged.findings.count == 0);
        spec.issuer = forge_wrap(&arena, 0x30, 3, cn, o, c);
        verifier_judge_crl(forge_crl_sign(&arena, &ca, &spec), &q, &arena, &judged);
        assert_false(judged.counts);
        assert_int_equal(judged.findings.count, 1);
        assert_string_equal(judged.findings.list[0].id, "crl_issuer");
        assert_string_equal(judged.findings.list[0].section, "BR 7.2");
    }
}

/* --- correct lists --- */

/* Writes one list and judges it as the one at its point; a full one has none. */
static void publish_and_judge(uint8_t number, const char *point, const struct crl_entry *entries, size_t n)
{
    AUTO_ARENA a = {0};
    AUTO_BUF out = {0};
    struct fault f = {0};
    const struct crl_head head = {.issuer = ca.issuer.subject_der,
                                  .key_id = ca.issuer.ski,
                                  .number = {1, {number}},
                                  .point = str_of(point),
                                  .this_update = {FORGE_NOW.s - 3600},
                                  .next_update = {FORGE_NOW.s + 6 * 86400}};
    assert_true(crl_write(&head, entries, n, ca.key, &out, &f));
    struct verifier_question q = question(&ca.issuer);
    struct verifier_crl judged;
    q.url = point[0] == '\0' ? "http://crl.example/full" : point;
    verifier_judge_crl(buf_str(&out), &q, &a, &judged);
    if (!judged.counts || !judged.complete || judged.findings.count != 0)
        fail_msg("list %d %s: %s: %s", number, point, judged.findings.list[0].id,
                 judged.findings.list[0].seen);
    assert_int_equal(judged.crl.entry_count, n);
    if (point[0] == '\0')
        return;
    q.url = "http://crl.example/another";
    verifier_judge_crl(buf_str(&out), &q, &a, &judged);
    assert_string_equal(judged.findings.list[0].id, "crl_idp_url");
}

/* Full ones, and in every second round three shards of it. */
static void lists_of_our_publisher_have_no_error(void **unused)
{
    (void)unused;
    static const int reasons[] = {0, 1, 3, 4, 5, 9};
    for (uint8_t round = 1; round <= PUBLISHED; round++) {
        AUTO_ARENA a = {0};
        size_t n = below(60), third = n / 3;
        struct crl_entry *entries = arena_array(&a, n, sizeof *entries);
        for (size_t i = 0; i < n; i++) {
            entries[i] = (struct crl_entry){.serial = {.n = (uint8_t)(4 + below(17))},
                                            .at = {FORGE_NOW.s - 9000 - below(1000000)},
                                            .reason = reasons[below(6)],
                                            .invalid_since = UTC_NONE};
            for (size_t k = 0; k < entries[i].serial.n; k++)
                entries[i].serial.bytes[k] = (uint8_t)(1 + below(255));
            entries[i].serial.bytes[entries[i].serial.n - 1] = (uint8_t)i;
            if (below(5) == 0)
                entries[i].invalid_since = (struct utc){FORGE_NOW.s - 2000000};
        }
        publish_and_judge(round, "", entries, n);
        for (size_t shard = 0; round % 2 == 0 && shard < 3; shard++)
            publish_and_judge(round, arena_format(&a, "http://crl.example/%d/%zu.crl", round, shard),
                              entries + shard * third, shard == 2 ? n - 2 * third : third);
    }
}

static void lists_of_openssl_ca_have_no_error(void **unused)
{
    (void)unused;
    static const char *const reasons[] = {"", ",keyCompromise", ",affiliationChanged", ",superseded",
                                          ",cessationOfOperation"};
    char folder[STOCK_PATH];
    stock_folder(folder);
    struct verify_issuer issuer = {0};
    struct str pem, configuration;
    struct fault f = {0};
    if (!stock_ca(folder, 1, 0) ||
        !file_read(file_join(&arena, folder, "ca.pem"), 1 << 16, &arena, &pem, &f) ||
        !file_read(file_join(&arena, folder, "openssl.cnf"), 1 << 16, &arena, &configuration, &f) ||
        !verify_issuer_load(pem, &arena, &issuer, &f)) {
        stock_remove(folder);
        fail_msg("openssl is needed for this test");
    }
    for (int round = 0; round < PUBLISHED; round++) {
        AUTO_ARENA a = {0};
        AUTO_BUF index = {0};
        bool shard = round % 2 == 1;
        const char *url = arena_format(&a, "http://crl.example/%d", round);
        const char *sections = arena_format(&a,
                                            "\n[s]\nauthorityKeyIdentifier = keyid:always\n"
                                            "issuingDistributionPoint = critical,@p\n[p]\nfullname = URI:%s\n"
                                            "onlyuser = TRUE\n",
                                            url);
        for (int i = 0; i < round % 60; i++)
            buf_format(&index, "R\t351231235959Z\t2511011200%02dZ%s\t%04X\tunknown\t/CN=h%d.example\n", i,
                       reasons[below(5)], 0x1001 + i, i);
        stock_write(folder, "index.txt", buf_str(&index));
        stock_write(folder, "shard.cnf", forge_join(&a, configuration, str_of(sections)));
        assert_int_equal(stock_run(folder, shard
                                               ? "openssl ca -gencrl -config shard.cnf -crlexts s -out r.pem"
                                               : "openssl ca -gencrl -config shard.cnf -out r.pem"),
                         0);
        struct str bytes;
        assert_true(file_read(file_join(&a, folder, "r.pem"), 1 << 20, &a, &bytes, &f));
        struct verifier_question q = question(&issuer);
        struct verifier_crl judged;
        q.now = (struct utc){(int64_t)time(NULL)};
        q.url = shard ? url : NULL;
        verifier_judge_crl(bytes, &q, &a, &judged);
        if (!judged.counts || judged.findings.errors != 0)
            fail_msg("list %d: %s: %s", round, judged.findings.list[0].id, judged.findings.list[0].seen);
        assert_int_equal(judged.crl.entry_count, round % 60);
    }
    verify_issuer_free(&issuer);
    stock_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crls_are_no_better_than_openssl_finds_them),
        cmocka_unit_test(answers_are_no_better_than_openssl_finds_them),
        cmocka_unit_test(openssl_crl_agrees),
        cmocka_unit_test(openssl_ocsp_agrees),
        cmocka_unit_test(one_wrong_byte_is_named_with_its_section),
        cmocka_unit_test(no_wrong_bit_goes_unnoticed),
        cmocka_unit_test(an_issuer_in_reverse_order_is_another),
        cmocka_unit_test(lists_of_our_publisher_have_no_error),
        cmocka_unit_test(lists_of_openssl_ca_have_no_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
