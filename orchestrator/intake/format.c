/* What a foreign file is, by its first bytes. */
#include "intake/table.h"
#include "massrevoke/intake.h"

static const char *const names[INTAKE_FORMAT_COUNT] = {
    [INTAKE_AUTO] = "auto",   [INTAKE_SERIALS] = "serials", [INTAKE_CSV] = "csv", [INTAKE_CCADB] = "ccadb",
    [INTAKE_INDEX] = "index", [INTAKE_LINKS] = "links",     [INTAKE_PEM] = "pem", [INTAKE_DER] = "der",
};

const char *intake_format_name(enum intake_format format)
{
    return names[format];
}

enum intake_format intake_format_from_name(struct str name)
{
    int format = 0;
    while (format < INTAKE_FORMAT_COUNT && !str_is(name, names[format]))
        format++;
    return (enum intake_format)format;
}

/* Is a PEM boundary at the start of a line (RFC 7468 section 2)? Explanatory text may stand before it. */
static bool has_pem(struct str head)
{
    static const char boundary[] = "-----BEGIN ";
    while (head.p != NULL) {
        struct str line = str_cut(&head, '\n');
        if (line.n >= sizeof boundary - 1 && memcmp(line.p, boundary, sizeof boundary - 1) == 0)
            return true;
    }
    return false;
}

/* First line with something on it, without its comment. */
static struct str first_line(struct str head)
{
    while (head.p != NULL) {
        struct str line = str_cut(&head, '\n');
        line = str_trim(str_cut(&line, '#'));
        if (line.n > 0)
            return line;
    }
    return str_of("");
}

/* "V", "R" or "E", a tab, and digits up to a Z: a row of index.txt. */
static bool is_index(struct str line)
{
    struct str type = str_cut(&line, '\t'), expiry = str_cut(&line, '\t');
    if (type.n != 1 || memchr("VRE", type.p[0], 3) == NULL || expiry.n < 11 || expiry.p[expiry.n - 1] != 'Z')
        return false;
    for (size_t i = 0; i + 1 < expiry.n; i++)
        if (expiry.p[i] < '0' || expiry.p[i] > '9')
            return false;
    return true;
}

static bool is_link(struct str line)
{
    struct digest sha256;
    static const char *const begins[] = {"https://", "http://", "crt.sh/", "crt.sh?"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (line.n > strlen(begins[i]) && memcmp(line.p, begins[i], strlen(begins[i])) == 0)
            return true;
    return intake_sha256(line, &sha256);
}

enum intake_format intake_detect(struct str head)
{
    if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0)
        head.p += 3, head.n -= 3;
    /* a DER SEQUENCE in the long form, as every certificate is: no text begins so */
    if (head.n >= 2 && head.p[0] == 0x30 && ((unsigned char)head.p[1] & 0x80) != 0)
        return INTAKE_DER;
    if (has_pem(head))
        return INTAKE_PEM;
    struct str line = first_line(head);
    char name[64];
    if (is_index(line))
        return INTAKE_INDEX;
    if (is_link(line))
        return INTAKE_LINKS;
    for (size_t i = 0; i < line.n; i++)
        if (memchr(",;\t", line.p[i], 3) != NULL)
            return INTAKE_CSV;
    bool named = table_canonical(line, name, sizeof name);
    bool header = named && (strncmp(name, "serial", 6) == 0 || strstr(name, "sha256") != NULL);
    return header ? INTAKE_CSV : INTAKE_SERIALS;
}
