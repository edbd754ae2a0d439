/* The inventory, in bulk. */
#include "copy.h"
#include "massrevoke/store_campaign.h"
#include "order.h"

static const char columns[] =
    "issuer integer, serial bytea, subscriber text, subject text, not_before bigint, not_after bigint, "
    "cert_sha256 bytea, precert_sha256 bytea, spki_sha256 bytea, dns_names text, type text, cdp text, ocsp "
    "text, "
    "certificate_file text";

static void copy_digest(struct copy *copy, bool has, const struct digest *d)
{
    if (has)
        copy_bytes(copy, d->bytes, DIGEST_SIZE);
    else
        copy_null(copy);
}

static void copy_inventory_row(struct copy *copy, const struct inventory_row *row)
{
    copy_int(copy, row->issuer);
    copy_bytes(copy, row->serial.bytes, row->serial.n);
    copy_text(copy, row->subscriber);
    copy_text(copy, row->subject);
    copy_utc(copy, row->not_before);
    copy_utc(copy, row->not_after);
    copy_digest(copy, row->has_cert_sha256, &row->cert_sha256);
    copy_digest(copy, row->has_precert_sha256, &row->precert_sha256);
    copy_digest(copy, row->has_spki_sha256, &row->spki_sha256);
    copy_text(copy, row->dns_names);
    copy_text(copy, row->type);
    copy_text(copy, row->cdp);
    copy_text(copy, row->ocsp);
    copy_text(copy, row->certificate_file);
    copy_row(copy);
}

static struct order_key key_of(const void *rows, size_t i)
{
    const struct inventory_row *row = (const struct inventory_row *)rows + i;
    return (struct order_key){row->issuer, &row->serial};
}

static bool same_certificate(const struct inventory_row *x, const struct inventory_row *y)
{
    return x->issuer == y->issuer && serial_equal(&x->serial, &y->serial);
}

/* In the order of the table's key, each certificate once: of equal rows the last. */
static bool stage(struct store *s, const struct inventory_row *rows, size_t n, int64_t *staged,
                  struct fault *f)
{
    AUTO_ARENA a = {0};
    struct copy copy;
    const uint32_t *order = order_by_key(rows, n, key_of, &a);
    if (!copy_begin(s, &copy, "staging_inventory", columns, f))
        return false;
    *staged = 0;
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && same_certificate(&rows[order[i]], &rows[order[i + 1]]))
            continue;
        copy_inventory_row(&copy, &rows[order[i]]);
        ++*staged;
    }
    if (!copy_end(&copy, f))
        return false;
    store_analyze(s, "staging_inventory");
    return true;
}

/* Stages and runs `query` over it. */
static bool merge(struct store *s, const struct act *act, const char *query, const struct inventory_row *rows,
                  size_t n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    int64_t staged;
    if (!stage(s, rows, n, &staged, f))
        return false;
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_int(&p, staged);
    if (!store_do(s, query, &p, f))
        return false;
    /* lists are joined to the key alone, which needs the visibility map */
    struct fault ignored = {0};
    (void)!store_run(s, "visibility", "VACUUM inventory", &ignored);
    store_analyze(s, "certificate");
    return true;
}

bool store_inventory_put(struct store *s, const struct act *act, const struct inventory_row *rows, size_t n,
                         struct fault *f)
{
    return merge(s, act, "inventory_merge", rows, n, f);
}

bool store_inventory_learn(struct store *s, const struct act *act, const struct inventory_row *rows, size_t n,
                           struct fault *f)
{
    return merge(s, act, "inventory_learn", rows, n, f);
}

bool store_inventory_cas(struct store *s, struct arena *a, struct listed **out, size_t *n, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_query(s, "inventory_cas", NULL, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct listed){.issuer = (int)get_int(r, i, 0), .serial = get_serial(r, i, 1)};
    return true;
}
