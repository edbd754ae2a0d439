/* The affected list as a table: CSV of any origin, and CCADB's 11 columns. */
#include "intake/list.h"

#define REASON_TEXT_MAX 160 /* bytes of a foreign text shown in a reason */

/* The columns of a list; the last only tells a CCADB list (facts: policy 3.4) from another. */
enum { LIST_SERIAL, LIST_ISSUER, LIST_CERT_SHA256, LIST_PRECERT_SHA256, LIST_IS_REVOKED, LIST_COLUMNS };

static const struct table_column list_columns[LIST_COLUMNS] = {
    {"serial serialnumber serialno serialhex serialnumberhex certserial certserialnumber certificateserial "
     "certificateserialnumber x509serialnumber hexserial",
     false},
    {"issuer issuerdn issuername issuersubject issuerdistinguishedname issuersubjectdn issuingca", false},
    {"sha256 sha256hash certsha256 certificatesha256 certificatesha256hash certificatehash sha256fingerprint "
     "fingerprintsha256 certificatesha256fingerprint fingerprint thumbprintsha256",
     false},
    {"precertificatesha256hash precertsha256 precertificatesha256 precertificatehash "
     "precertificatesha256fingerprint",
     false},
    {"isrevoked", false},
};

/* Issuer of a row, with the default for an empty cell; NULL or why there is none. */
static const char *row_issuer(struct intake_list *list, struct table_reader *t, int *issuer)
{
    struct str text = t->cells[LIST_ISSUER];
    if (text.n == 0) {
        *issuer = list->default_issuer;
        list->default_used = list->default_used || *issuer >= 0;
        return *issuer >= 0 ? NULL : "no issuer";
    }
    *issuer = intake_issuer_find(list->issuers, text, list->default_issuer);
    if (*issuer >= 0)
        return NULL;
    int shown = text.n < REASON_TEXT_MAX ? (int)text.n : REASON_TEXT_MAX;
    while (shown < (int)text.n && shown > 0 && ((unsigned char)text.p[shown] & 0xc0) == 0x80)
        shown--; /* not in the middle of a character */
    return table_reason(t,
                        *issuer == INTAKE_ISSUER_MANY ? "issuer is configured more than once: %.*s"
                                                      : "issuer is not configured: %.*s",
                        shown, text.p);
}

static bool is_empty(struct str cell)
{
    return cell.n == 0 || str_is(cell, "N/A");
}

/* A row without serial: by the hash of the certificate, else of the precertificate. */
static const char *add_by_hash(struct intake_list *list, struct table_reader *t, struct intake_place place)
{
    struct str cell =
        is_empty(t->cells[LIST_CERT_SHA256]) ? t->cells[LIST_PRECERT_SHA256] : t->cells[LIST_CERT_SHA256];
    struct digest sha256;
    if (is_empty(cell))
        return t->place[LIST_CERT_SHA256] < 0 && t->place[LIST_PRECERT_SHA256] < 0
                   ? "the serial is empty"
                   : "neither a serial nor a SHA-256";
    if (!intake_sha256(cell, &sha256))
        return "a SHA-256 that is not 64 hexadecimal digits";
    list_add_hash(list, place, &sha256);
    return NULL;
}

static const char *add_row(struct intake_list *list, struct table_reader *t, enum intake_base base,
                           struct intake_place place)
{
    struct serial serial;
    int issuer = 0;
    if (is_empty(t->cells[LIST_SERIAL]))
        return add_by_hash(list, t, place);
    const char *problem = intake_serial(t->cells[LIST_SERIAL], base, &serial);
    if (problem == NULL)
        problem = row_issuer(list, t, &issuer);
    if (problem == NULL)
        list_add(list, place, (uint16_t)issuer, &serial, false);
    return problem;
}

/* Header read: can its rows name certificates? */
static bool check_header(const struct intake_list *list, const struct table_reader *t, struct fault *f)
{
    bool serials = t->place[LIST_SERIAL] >= 0;
    if (t->width > 0 && !serials && t->place[LIST_CERT_SHA256] < 0 && t->place[LIST_PRECERT_SHA256] < 0) {
        fault_set(f, FAULT_FAILED, "%s:1: no column is named 'serial' or 'sha256'", t->name);
        return fault_hint(f, "the first line must name the columns");
    }
    return !serials || t->place[LIST_ISSUER] >= 0 || list_need_issuer(list, t->name, f);
}

bool list_read_rows(struct intake_list *list, uint32_t file, struct table_reader *t, bool ccadb,
                    struct fault *f)
{
    t->columns = list_columns;
    t->count = LIST_COLUMNS;
    if (!table_begin(t, f) || !check_header(list, t, f))
        return false;
    ccadb = ccadb || (t->place[LIST_PRECERT_SHA256] >= 0 && t->place[LIST_IS_REVOKED] >= 0);
    enum intake_base base = list->base == INTAKE_BASE_UNDECLARED && ccadb ? INTAKE_BASE_HEX : list->base;
    bool end;
    const char *problem;
    while (table_next(t, &end, &problem, f)) {
        if (end)
            return true;
        if (problem == NULL)
            problem = add_row(list, t, base, (struct intake_place){file, (uint32_t)t->line});
        if (problem != NULL)
            intake_list_reject(list, file, t->line, problem);
    }
    return false;
}
