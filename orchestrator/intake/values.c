/* One cell or line as it names a certificate: serials, SHA-256, links. */
#include "massrevoke/hex.h"
#include "massrevoke/intake.h"

#include <ctype.h>

static const char no_base[] = "all digits: hex or decimal? say --serials hex or --serials decimal";

const char *intake_serial(struct str text, enum intake_base base, struct serial *out)
{
    struct str s = str_trim(text);
    bool bytea = s.n >= 2 && s.p[0] == '\\' && s.p[1] == 'x';
    if (bytea)
        return serial_from_hex((struct str){s.p + 2, s.n - 2}, out);
    if (base == INTAKE_BASE_DECIMAL)
        return serial_from_decimal(s, out);
    const char *problem = serial_from_hex(s, out);
    if (problem != NULL || base == INTAKE_BASE_HEX)
        return problem;
    for (size_t i = 0; i < s.n; i++)
        if (memchr("abcdefABCDEFxX:", s.p[i], 15) != NULL)
            return NULL;
    return no_base;
}

bool intake_sha256(struct str text, struct digest *out)
{
    struct str s = str_trim(text);
    if (s.n >= 2 && s.p[0] == '\\' && s.p[1] == 'x')
        s = (struct str){s.p + 2, s.n - 2};
    if (s.n == (size_t)2 * DIGEST_SIZE)
        return hex_read(s.p, DIGEST_SIZE, out->bytes);
    if (s.n != (size_t)3 * DIGEST_SIZE - 1)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        if (!hex_read(s.p + 3 * i, 1, &out->bytes[i]) || (i + 1 < DIGEST_SIZE && s.p[3 * i + 2] != ':'))
            return false;
    return true;
}

/* Does s begin with these letters, in either case? Then they are cut off. */
static bool skip(struct str *s, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i < n; i++)
        if (i >= s->n || tolower((unsigned char)s->p[i]) != what[i])
            return false;
    s->p += n;
    s->n -= n;
    return true;
}

/* Behind scheme and host: "?a=b&c=d", with or without a path before it. */
static const char *link_parameters(struct str query, struct digest *out)
{
    while (query.p != NULL) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');
        if (str_is(key, "id"))
            return "a crt.sh number says nothing outside crt.sh: open it and take its link by SHA-256 "
                   "(?sha256=...)";
        if ((str_is(key, "sha256") || str_is(key, "q")) && value.p != NULL)
            return intake_sha256(value, out)
                       ? NULL
                       : "not a SHA-256 of 64 hexadecimal digits (a link by name, serial or "
                         "SHA-1 means many certificates or none)";
    }
    return "a link without sha256=";
}

const char *intake_link(struct str text, struct digest *out)
{
    struct str s = str_trim(text);
    (void)(skip(&s, "https://") || skip(&s, "http://"));
    (void)skip(&s, "www.");
    if (!skip(&s, "crt.sh") || s.n == 0 || (s.p[0] != '/' && s.p[0] != '?'))
        return "not a crt.sh link (https://crt.sh/?sha256=...)";
    (void)str_cut(&s, '?');
    if (s.p == NULL)
        return "a link without sha256=";
    return link_parameters(str_cut(&s, '#'), out);
}
