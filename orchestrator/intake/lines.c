/* Forms with one entry a line: serials, crt.sh links, index.txt of `openssl ca`. */
#include "intake/list.h"

/* One line, understood: a serial of the default issuer, or a hash. */
struct entry {
    struct serial serial;
    struct digest sha256;
    bool hashed;
};

/* Takes a line without comment apart; NULL or why not. */
typedef const char *line_fn(struct str line, enum intake_base base, struct entry *out);

static const char *read_serial(struct str line, enum intake_base base, struct entry *out)
{
    const char *problem = intake_serial(line, base, &out->serial);
    /* no serial has 32 significant octets, but an old one may be written with that many digits */
    if (problem != NULL && intake_sha256(line, &out->sha256)) {
        out->hashed = true;
        return NULL;
    }
    return problem;
}

static const char *read_link(struct str line, enum intake_base base, struct entry *out)
{
    (void)base;
    out->hashed = true;
    return intake_sha256(line, &out->sha256) ? NULL : intake_link(line, &out->sha256);
}

/* Six cells by tabs (openssl's TXT_DB): type, expiry, revocation, serial, file, subject. */
static const char *read_index(struct str line, enum intake_base base, struct entry *out)
{
    struct str rest = line, type = str_cut(&rest, '\t');
    (void)base;
    if (type.n != 1 || memchr("VRE", type.p[0], 3) == NULL)
        return "not a row of an index: it begins with none of V, R, E and a tab";
    for (int cell = 1; cell < 3 && rest.p != NULL; cell++)
        (void)str_cut(&rest, '\t');
    if (rest.p == NULL)
        return "not a row of an index: fewer than four cells by tabs";
    return serial_from_hex(str_cut(&rest, '\t'), &out->serial);
}

/* Up to a comment. In a link # begins a fragment, which means as little. */
static struct str without_comment(struct str line)
{
    return str_trim(str_cut(&line, '#'));
}

bool list_read_lines(struct intake_list *list, uint32_t file, enum intake_format format,
                     struct csv_reader *csv, struct fault *f)
{
    static line_fn *const readers[INTAKE_FORMAT_COUNT] = {
        [INTAKE_SERIALS] = read_serial, [INTAKE_LINKS] = read_link, [INTAKE_INDEX] = read_index};
    if (format != INTAKE_LINKS && !list_need_issuer(list, csv->name, f))
        return false;
    csv->separator = CSV_NO_SEPARATOR;
    struct csv_record row;
    while (csv_next(csv, &row, f)) {
        if (row.end)
            return true;
        struct entry entry = {0};
        const char *problem = row.bad;
        if (problem == NULL) {
            /* a subject in the index may hold a #, and a line there begins with none */
            struct str line = format == INTAKE_INDEX && row.cells[0].p[0] != '#'
                                  ? row.cells[0]
                                  : without_comment(row.cells[0]);
            if (line.n == 0)
                continue;
            problem = readers[format](line, list->base, &entry);
        }
        struct intake_place place = {file, (uint32_t)row.line};
        if (problem != NULL)
            intake_list_reject(list, file, row.line, problem);
        else if (entry.hashed)
            list_add_hash(list, place, &entry.sha256);
        else
            list_add(list, place, (uint16_t)list->default_issuer, &entry.serial, false);
        list->default_used = list->default_used || (problem == NULL && !entry.hashed);
    }
    return false;
}
