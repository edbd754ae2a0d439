/* Certificates as input: who they are, and what they say of themselves. */
#include "intake/list.h"

static const char boundary[] = "-----BEGIN ";

/* Bytes up to the next PEM boundary at the start of a line, not counting one at the first byte. */
static size_t to_next_boundary(struct str s)
{
    const char *end = s.p + s.n, *p = memchr(s.p, '\n', s.n);
    for (; p != NULL && p + 1 < end; p = memchr(p + 1, '\n', (size_t)(end - p - 1)))
        if ((size_t)(end - p - 1) >= sizeof boundary - 1 && memcmp(p + 1, boundary, sizeof boundary - 1) == 0)
            return (size_t)(p + 1 - s.p);
    return s.n;
}

/* The certificate's facts as an inventory row would have them; texts are copied into the list's arena. */
static void learn(struct intake_list *list, const struct cert *cert, int issuer, size_t nth)
{
    struct inventory_row row = {
        .issuer = issuer,
        .serial = cert->serial,
        .subscriber = "",
        .subject = arena_text(list->arena, cert->subject_text),
        .not_before = cert->not_before,
        .not_after = cert->not_after,
        .has_cert_sha256 = !cert->is_precertificate,
        .has_precert_sha256 = cert->is_precertificate,
        .has_spki_sha256 = true,
        .spki_sha256 = cert->spki_sha256,
        .dns_names = arena_text(list->arena, cert->dns_names),
        .type = cert->is_ca ? "CA" : cert->type,
        .cdp = arena_text(list->arena, cert->cdp),
        .ocsp = arena_text(list->arena, cert->ocsp),
        .certificate_file = "",
        .line = nth,
    };
    *(cert->is_precertificate ? &row.precert_sha256 : &row.cert_sha256) = cert->sha256;
    list->learned =
        grow_array(list->learned, list->learned_count, &list->learned_room, sizeof *list->learned);
    list->learned[list->learned_count++] = row;
}

/* Index of the issuer that signed it, or why there is none. */
static const char *find_issuer(const struct cert *cert, const struct issuer *issuers, size_t count,
                               int *index)
{
    const char *why = "its issuer is not configured";
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(issuers[i].cert.subject, cert->issuer))
            continue;
        why = issuer_check(&issuers[i], cert);
        *index = (int)i;
        if (why == NULL)
            return NULL;
    }
    return why;
}

static void add_certificate(struct intake_list *list, uint32_t file, size_t nth, struct str der,
                            const struct issuer *issuers, size_t issuer_count)
{
    AUTO_ARENA a = {0};
    struct cert cert;
    struct fault bad = {0};
    int issuer = -1;
    const char *why = NULL;
    if (!cert_parse(der, &a, &cert, &bad))
        why = arena_text(list->arena, bad.text);
    else if (cert.is_ca && !list->take_ca)
        why = INTAKE_CA_REFUSED;
    else
        why = find_issuer(&cert, issuers, issuer_count, &issuer);
    if (why != NULL) {
        intake_list_reject(list, file, nth, why);
        return;
    }
    list_add(list, (struct intake_place){file, (uint32_t)nth}, (uint16_t)issuer, &cert.serial, true);
    learn(list, &cert, issuer, nth);
}

/* PEM blocks that hold certificates in a way we do not open: why, with the remedy. Other blocks (keys, CRLs,
 * parameters) are no certificates and mean nothing here: NULL. */
static const char *wrapped(struct str block)
{
    static const struct {
        const char *label, *why;
    } rows[] = {
        {"-----BEGIN PKCS7-----", "a PKCS #7 bundle: take it apart with openssl pkcs7 -print_certs"},
        {"-----BEGIN CMS-----", "a CMS bundle: take it apart with openssl pkcs7 -print_certs"},
        {"-----BEGIN TRUSTED CERTIFICATE-----", "a trusted certificate: rewrite it with openssl x509"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (block.n >= strlen(rows[i].label) && memcmp(block.p, rows[i].label, strlen(rows[i].label)) == 0)
            return rows[i].why;
    return NULL;
}

static bool begins_pem(struct str s)
{
    return s.n >= sizeof boundary - 1 && memcmp(s.p, boundary, sizeof boundary - 1) == 0;
}

/* A SEQUENCE in the long form, as every certificate is. */
static bool begins_der(struct str s)
{
    return s.n >= 2 && s.p[0] == 0x30 && ((unsigned char)s.p[1] & 0x80) != 0;
}

/* One certificate or block from the start of *bytes. Damage in a PEM block ends with it; behind damaged DER
 * nobody knows where the next begins, so that is the end. False: there was nothing to count. */
static bool take(struct str *bytes, bool *after_der, struct arena *a, struct str *der, const char **why,
                 struct fault *bad)
{
    struct str block = *bytes;
    bool is_der = begins_der(block);
    if (!is_der)
        block.n = to_next_boundary(block);
    size_t whole = block.n, used = whole;
    bool counts = is_der || begins_pem(block) || (*after_der && str_trim(block).n > 0);
    *der = (struct str){"", 0};
    *why = NULL;
    if (is_der || begins_pem(block)) {
        *why = wrapped(block);
        if (!cert_cut(&block, a, der, bad))
            *why = bad->text;
        else if (is_der)
            used = whole - block.n;
        counts = *why != NULL || der->n > 0;
    } else if (counts) {
        *why = "bytes behind a DER certificate that are none";
    }
    *after_der = is_der;
    *bytes = (struct str){bytes->p + used, bytes->n - used};
    return counts;
}

void intake_certificates_read(struct intake_list *list, const char *name, struct str bytes,
                              const struct issuer *issuers, size_t issuer_count)
{
    uint32_t file = intake_list_file(list, name);
    bool after_der = false;
    if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0)
        bytes = (struct str){bytes.p + 3, bytes.n - 3};
    for (size_t nth = 1; bytes.n > 0;) {
        AUTO_ARENA a = {0};
        struct fault bad = {0};
        struct str der;
        const char *why;
        if (!take(&bytes, &after_der, &a, &der, &why, &bad))
            continue;
        if (why != NULL)
            intake_list_reject(list, file, nth++, arena_text(list->arena, why));
        else
            add_certificate(list, file, nth++, der, issuers, issuer_count);
    }
}
