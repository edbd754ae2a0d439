/* Distinguished names as people and tools write them, made comparable. */
#include "massrevoke/hex.h"
#include "massrevoke/intake.h"

#include <ctype.h>

/* Marks of the comparable form; no value may hold them. */
#define VALUE_END '\x1e'
#define RDN_END '\x1f'

/* Other spellings of a type. RFC 4514 section 3, X.520; OpenSSL's emailAddress is PKCS #9. */
static const struct {
    const char *spelling, *type;
} types[] = {
    {"S", "ST"},
    {"E", "EMAILADDRESS"},
    {"EMAIL", "EMAILADDRESS"},
    {"2.5.4.3", "CN"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"2.5.4.10", "O"},
    {"2.5.4.11", "OU"},
    {"2.5.4.5", "SERIALNUMBER"},
    {"2.5.4.97", "ORGANIZATIONIDENTIFIER"},
    {"STREETADDRESS", "STREET"},
    {"0.9.2342.19200300.100.1.25", "DC"},
};

static bool type_character(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-';
}

/* Is a TYPE= (blanks allowed before =) at the start of s? */
static bool type_ahead(struct str s)
{
    size_t i = 0;
    while (i < s.n && type_character(s.p[i]))
        i++;
    size_t end = i;
    while (i < s.n && s.p[i] == ' ')
        i++;
    return end > 0 && i < s.n && s.p[i] == '=';
}

/* Takes TYPE= off the front and appends it in its one spelling. */
static bool take_type(struct str *s, struct buf *out)
{
    char upper[64];
    size_t n = 0;
    *s = str_trim(*s);
    if (!type_ahead(*s))
        return false;
    struct str type = str_trim(str_cut(s, '='));
    if (type.n >= sizeof upper)
        return false;
    if (type.n > 4 && (memcmp(type.p, "OID.", 4) == 0 || memcmp(type.p, "oid.", 4) == 0))
        type.p += 4, type.n -= 4;
    for (; n < type.n; n++)
        upper[n] = (char)toupper((unsigned char)type.p[n]);
    upper[n] = '\0';
    const char *known = upper;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(upper, types[i].spelling) == 0)
            known = types[i].type;
    buf_text(out, known);
    buf_text(out, "=");
    return true;
}

/* One character of a value behind a backslash: \XX and \xXX are octets, else the character itself. */
static bool take_escape(struct str *s, struct buf *out)
{
    size_t skip = s->n >= 4 && s->p[1] == 'x' ? 2 : 1;
    uint8_t octet;
    if (s->n >= skip + 2 && hex_read(s->p + skip, 1, &octet)) {
        skip += 2;
    } else {
        if (s->n < 2)
            return false;
        skip = 2;
        octet = (uint8_t)s->p[1];
    }
    buf_add(out, &octet, 1);
    s->p += skip;
    s->n -= skip;
    return true;
}

/* Does the separator c, with `behind` after it, end a value? */
static bool ends_value(char c, struct str behind, bool slashes)
{
    if (slashes)
        return c == '/' && type_ahead(behind);
    return c == ',' || c == ';' || (c == '+' && type_ahead(str_trim(behind)));
}

static char take_character(struct str *s)
{
    s->n--;
    return *s->p++;
}

/* Takes a value and the separator that ends it, *ended_by (0 at the end of the text). Blanks around a value
 * mean nothing, quoted and escaped ones do. */
static bool take_value(struct str *s, bool slashes, struct buf *out, char *ended_by)
{
    while (s->n > 0 && s->p[0] == ' ')
        take_character(s);
    bool quoted = !slashes && s->n > 0 && s->p[0] == '"';
    if (quoted)
        take_character(s);
    size_t keep = out->n; /* the value's end without blanks that mean nothing */
    *ended_by = '\0';
    while (s->n > 0 && *ended_by == '\0') {
        if (s->p[0] == '\\') {
            if (!take_escape(s, out))
                return false;
            keep = out->n;
            continue;
        }
        char c = take_character(s);
        if (quoted && c == '"') {
            quoted = false;
        } else if (!quoted && ends_value(c, *s, slashes)) {
            *ended_by = c;
        } else {
            buf_add(out, &c, 1);
            if (c != ' ' || quoted)
                keep = out->n;
        }
    }
    out->n = keep;
    return !quoted;
}

bool intake_name_normalize(struct str text, struct buf *out)
{
    struct str s = str_trim(text);
    size_t from = out->n;
    bool slashes = s.n > 0 && s.p[0] == '/';
    if (slashes)
        s.p++, s.n--;
    char ended_by;
    do {
        size_t value = out->n;
        if (!take_type(&s, out) || !take_value(&s, slashes, out, &ended_by))
            return out->n = from, false;
        for (size_t i = value; i < out->n; i++)
            if ((unsigned char)out->p[i] < ' ')
                return out->n = from, false;
        char mark = ended_by == '+' ? VALUE_END : RDN_END;
        buf_add(out, &mark, 1);
    } while (ended_by != '\0');
    return true;
}

/* The name with its RDNs in the other order. */
static void reverse(struct str name, struct buf *out)
{
    for (size_t end = name.n; end > 0;) {
        size_t from = end - 1;
        while (from > 0 && name.p[from - 1] != RDN_END)
            from--;
        buf_add(out, name.p + from, end - from);
        end = from;
    }
}

/* One text that means an issuer. */
struct known_name {
    struct str text;
    int issuer;
};

struct intake_issuers {
    struct known_name *exact, *names;
    size_t exact_count, name_count;
    /* the last question and its answer: neighbouring rows mostly have the same issuer */
    bool asked;
    int preferred, found;
    size_t text_length;
    char text[512];
};

static void know(struct known_name *list, size_t *count, struct str text, int issuer, struct arena *a)
{
    list[(*count)++] = (struct known_name){{arena_copy(a, text.p, text.n), text.n}, issuer};
}

struct intake_issuers *intake_issuers_make(const struct intake_issuer *issuers, size_t count, struct arena *a)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += issuers[i].name_count;
    struct intake_issuers *made = arena_alloc(a, sizeof *made);
    made->exact = arena_array(a, total, sizeof *made->exact);
    made->names = arena_array(a, 2 * total, sizeof *made->names);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < issuers[i].name_count; k++) {
            AUTO_BUF name = {0};
            AUTO_BUF other = {0};
            struct str text = str_trim(str_of(issuers[i].names[k]));
            know(made->exact, &made->exact_count, text, (int)i, a);
            if (!intake_name_normalize(text, &name))
                continue;
            reverse(buf_str(&name), &other);
            know(made->names, &made->name_count, buf_str(&name), (int)i, a);
            know(made->names, &made->name_count, buf_str(&other), (int)i, a);
        }
    return made;
}

/* Joins what was found so far with the names equal to `text`. */
static int match(const struct known_name *list, size_t count, struct str text, int preferred, int found)
{
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(list[i].text, text) || found == list[i].issuer)
            continue;
        if (list[i].issuer == preferred || found == INTAKE_ISSUER_NONE)
            found = list[i].issuer;
        else if (found != preferred)
            found = INTAKE_ISSUER_MANY;
    }
    return found;
}

static int find(const struct intake_issuers *issuers, struct str text, int preferred)
{
    AUTO_BUF name = {0};
    int found = match(issuers->exact, issuers->exact_count, text, preferred, INTAKE_ISSUER_NONE);
    if (intake_name_normalize(text, &name))
        found = match(issuers->names, issuers->name_count, buf_str(&name), preferred, found);
    return found;
}

int intake_issuer_find(struct intake_issuers *issuers, struct str text, int preferred)
{
    text = str_trim(text);
    struct str last = {issuers->text, issuers->text_length};
    if (issuers->asked && issuers->preferred == preferred && str_equal(last, text))
        return issuers->found;
    int found = find(issuers, text, preferred);
    if (text.n > sizeof issuers->text)
        return found;
    if (text.n > 0)
        memcpy(issuers->text, text.p, text.n);
    issuers->text_length = text.n;
    issuers->found = found;
    issuers->preferred = preferred;
    issuers->asked = true;
    return found;
}
