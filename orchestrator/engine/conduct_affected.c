/* The affected list: what the store knows, and what only the CRL says. */
#include "conduct_parts.h"
#include "massrevoke/cert.h"
#include "massrevoke/crl_read.h"
#include "massrevoke/file.h"
#include "massrevoke/reason.h"
#include "massrevoke/store_outside.h"

#include <stdlib.h>
#include <sys/random.h>

/* A published row without a date. */
struct undated {
    struct serial serial; /* first: a CRL looks it up */
    struct affected_row *row;
};

static void add_part(void *context, struct str bytes)
{
    crl_read_add(context, bytes);
}

static bool is_undated(const struct affected_row *row)
{
    return row->state == CERTIFICATE_PUBLISHED && !utc_is_set(row->revoked) && row->serial_number.n > 0;
}

/* A CRL that can't be read any more, or that the issuer did not sign, dates nothing. */
static bool date_by(const struct conduct *c, const struct pointer *p, const struct verify_issuer *issuer,
                    const struct undated *list, size_t n, struct arena *a, struct fault *f)
{
    struct crl_question q = {
        .issuer = issuer, .wanted = &list[0].serial, .stride = sizeof *list, .wanted_count = n};
    struct crl crl;
    struct crl_hit *hits = NULL;
    struct fault unreadable = {0};
    if (getrandom(q.seed, sizeof q.seed, 0) != (ssize_t)sizeof q.seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    struct crl_reader *reader = crl_read_begin(&q, a);
    bool ok = store_object(c->store, p->sha256, add_part, reader, NULL, f);
    if (crl_read_end(reader, &crl, &hits, &unreadable) && hits != NULL)
        for (size_t i = 0; i < n; i++)
            if (hits[i].entries > 0) {
                list[i].row->revoked = hits[i].at;
                list[i].row->reason = hits[i].reason < 0 ? REASON_UNSPECIFIED : hits[i].reason;
            }
    free(hits);
    return ok;
}

static size_t undated_of(int issuer, struct affected_row *rows, size_t n, struct undated *list)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (rows[i].issuer_number == issuer && is_undated(&rows[i]))
            list[count++] = (struct undated){rows[i].serial_number, &rows[i]};
    return count;
}

static bool date_rows(const struct conduct *c, struct affected_row *rows, size_t n, struct undated *list,
                      struct arena *a, struct fault *f)
{
    struct pointer *pointers;
    size_t count;
    if (!store_pointers(c->store, c->campaign.id, a, &pointers, &count, f))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct settings_issuer *configured;
        size_t wanted = undated_of(pointers[i].issuer, rows, n, list);
        struct verify_issuer issuer;
        struct str bytes;
        if (wanted == 0 || conduct_ca_of(c, pointers[i].issuer, &configured) < 0)
            continue;
        const char *file = configured->certificate_file;
        if (!file_read(file, CERT_MAX, a, &bytes, f) || !verify_issuer_load(bytes, a, &issuer, f))
            return fault_wrap(f, "issuer %s", file);
        bool ok = date_by(c, &pointers[i], &issuer, list, wanted, a, f);
        verify_issuer_free(&issuer);
        if (!ok)
            return false;
    }
    return true;
}

bool conduct_affected(const struct conduct *c, const struct snapshot_terms *terms, struct arena *a,
                      struct affected_row **rows, size_t *n, struct fault *f)
{
    size_t undated = 0;
    if (!store_affected(c->store, c->campaign.id, c->now, terms, a, rows, n, f))
        return false;
    for (size_t i = 0; i < *n; i++)
        undated += is_undated(&(*rows)[i]);
    return undated == 0 || date_rows(c, *rows, *n, arena_array(a, undated, sizeof(struct undated)), a, f);
}
