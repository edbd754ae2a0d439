#include "door/ca_index.h"
#include "massrevoke/hex.h"

enum { TYPE, EXPIRY, REVOCATION, SERIAL, CERTIFICATE, SUBJECT, CELLS };

static bool two_digits(struct str s, size_t at, int *out)
{
    char high = s.p[at], low = s.p[at + 1];
    *out = (high - '0') * 10 + (low - '0');
    return high >= '0' && high <= '9' && low >= '0' && low <= '9';
}

/* YYMMDDHHMMSSZ (50 to 99 are the years 19xx, RFC 5280 4.1.2.5.1) or YYYYMMDDHHMMSSZ. */
static bool read_time(struct str s, struct utc *out)
{
    int century = 0, field[6];
    size_t at = s.n == 15 ? 2 : 0;
    if ((s.n != 13 && s.n != 15) || s.p[s.n - 1] != 'Z' || (at == 2 && !two_digits(s, 0, &century)))
        return false;
    for (size_t i = 0; i < 6; i++)
        if (!two_digits(s, at + 2 * i, &field[i]))
            return false;
    if (at == 0)
        century = field[0] >= 50 ? 19 : 20;
    *out = utc_from_civil(century * 100 + field[0], field[1], field[2], field[3], field[4], field[5]);
    /* a 31st of February comes back as another day */
    struct civil c = utc_to_civil(*out);
    return c.year == century * 100 + field[0] && c.month == field[1] && c.day == field[2] &&
           c.hour == field[3] && c.minute == field[4] && c.second == field[5];
}

/* The same, remembered. */
static bool recall_time(struct str s, struct ca_index_date *last, struct utc *out)
{
    if (last->n == 0 || last->n != s.n || memcmp(last->text, s.p, s.n) != 0) {
        struct utc at;
        if (!read_time(s, &at)) /* at most 15 octets otherwise */
            return false;
        memcpy(last->text, s.p, s.n);
        last->n = s.n;
        last->at = at;
    }
    *out = last->at;
    return true;
}

/* openssl's own words for a compromise with a date: the reason, and the date behind a further comma. */
static const struct {
    const char *word;
    enum reason reason;
    bool dated;
} openssl_words[] = {
    {"keyTime", REASON_KEY_COMPROMISE, true},
    {"CAkeyTime", REASON_CA_COMPROMISE, true},
    {"holdInstruction", REASON_CERTIFICATE_HOLD, false},
};

static const char *read_revocation(struct str cell, struct ca_index_date *last, struct ca_index_row *row)
{
    struct str rest = cell, date = str_cut(&rest, ',');
    if (!recall_time(date, last, &row->at))
        return "the revocation date is no date";
    row->reason = REASON_UNSPECIFIED;
    if (rest.p == NULL)
        return NULL;
    struct str word = str_cut(&rest, ',');
    row->reason = reason_from_name(word);
    for (size_t i = 0; i < sizeof openssl_words / sizeof *openssl_words; i++) {
        if (!str_is(word, openssl_words[i].word))
            continue;
        row->reason = (int)openssl_words[i].reason;
        if (openssl_words[i].dated && (rest.p == NULL || !read_time(rest, &row->invalid_since)))
            return "the date of the compromise is no date";
    }
    return row->reason < 0 ? "the revocation reason is unknown" : NULL;
}

static const char *read_serial(struct str cell, struct ca_index_row *row)
{
    uint8_t octets[64];
    if (cell.n % 2 != 0 || cell.n == 0)
        return "the serial has an odd number of digits";
    if (cell.n > 2 * sizeof octets)
        return "the serial is too long";
    if (!hex_read(cell.p, cell.n / 2, octets))
        return "the serial is not hexadecimal";
    return serial_from_octets(octets, cell.n / 2, &row->serial);
}

static bool cut_cells(struct str line, struct str cells[static CELLS])
{
    const char *start = line.p, *end = line.p + line.n;
    for (size_t n = 0; n < CELLS; n++) {
        const char *tab = memchr(start, '\t', (size_t)(end - start));
        while (tab != NULL && tab > start && tab[-1] == '\\')
            tab = memchr(tab + 1, '\t', (size_t)(end - tab - 1));
        if ((tab == NULL) != (n == CELLS - 1))
            return false;
        cells[n] = (struct str){start, (size_t)((tab == NULL ? end : tab) - start)};
        start = tab == NULL ? end : tab + 1;
    }
    return true;
}

static const char *read_row(struct str line, struct ca_index_walk *walk, struct ca_index_row *row)
{
    struct str cells[CELLS];
    struct utc expiry;
    if (memchr(line.p, '\0', line.n) != NULL)
        return "a NUL byte";
    if (!cut_cells((struct str){line.p, line.n - 1}, cells))
        return "not six cells separated by tabs";
    if (cells[TYPE].n != 1 || memchr("VRE", cells[TYPE].p[0], 3) == NULL)
        return "the type is none of V, R and E";
    *row = (struct ca_index_row){
        .line = line, .type = cells[TYPE].p[0], .at = UTC_NONE, .reason = -1, .invalid_since = UTC_NONE};
    row->expiry = cells[EXPIRY];
    row->tail = (struct str){cells[SERIAL].p, (size_t)(line.p + line.n - cells[SERIAL].p)};
    if (!recall_time(row->expiry, &walk->expiry, &expiry))
        return "the expiry is no date";
    if (row->type != 'R' && cells[REVOCATION].n > 0)
        return "not revoked, but with a revocation date";
    const char *why = row->type == 'R' ? read_revocation(cells[REVOCATION], &walk->revocation, row) : NULL;
    return why != NULL ? why : read_serial(cells[SERIAL], row);
}

bool ca_index_next(struct ca_index_walk *walk, struct ca_index_row *row, bool *end, struct fault *f)
{
    const char *why = NULL;
    *end = false;
    for (;;) {
        *end = walk->rest.n == 0;
        if (*end)
            return true;
        walk->line++;
        const char *newline = memchr(walk->rest.p, '\n', walk->rest.n);
        if (newline == NULL) {
            why = "the last line has no end; the file seems cut off";
            break;
        }
        struct str line = {walk->rest.p, (size_t)(newline - walk->rest.p) + 1};
        walk->rest.p += line.n;
        walk->rest.n -= line.n;
        if (line.p[0] == '#')
            continue;
        why = read_row(line, walk, row);
        break;
    }
    return why == NULL || fault_set(f, FAULT_FAILED, "%s:%zu: %s", walk->path, walk->line, why);
}

void ca_index_time(struct utc t, struct buf *out)
{
    struct civil c = utc_to_civil(t);
    if (c.year >= 2050)
        buf_format(out, "%04d", c.year);
    else
        buf_format(out, "%02d", c.year % 100);
    buf_format(out, "%02d%02d%02d%02d%02dZ", c.month, c.day, c.hour, c.minute, c.second);
}

void ca_index_revoke(const struct ca_index_row *row, struct utc at, enum reason reason, struct buf *out)
{
    buf_add(out, "R\t", 2);
    buf_add(out, row->expiry.p, row->expiry.n);
    buf_add(out, "\t", 1);
    ca_index_time(at, out);
    bool dated =
        utc_is_set(row->invalid_since) && (reason == REASON_KEY_COMPROMISE || reason == REASON_CA_COMPROMISE);
    if (dated) {
        buf_text(out, reason == REASON_KEY_COMPROMISE ? ",keyTime," : ",CAkeyTime,");
        ca_index_time(row->invalid_since, out);
    } else if (reason != REASON_UNSPECIFIED)
        buf_format(out, ",%s", reason_name((int)reason));
    buf_add(out, "\t", 1);
    buf_add(out, row->tail.p, row->tail.n);
}
